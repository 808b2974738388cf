"""A generator as one file: what drawing needs and what must be told of it, and nothing else.

The file is in the safetensors format (8 bytes with the length of a JSON header, the header, the
tensors), which the library `safetensors` writes and reads: no code is in it, and none is run by
reading it. Its tensors are the moving average's; the discriminator, the optimisers and the images
stay in the work folder. Everything else is one JSON document in its metadata: in one entry, since
the library writes several in an order that changes from call to call.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import traverse_util
from jaxtyping import Float32
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gaug_jax.errors import UserError, in_short
from gaug_jax.files import atomic_file
from gaug_jax.gan.spec import Spec, make_spec
from gaug_jax.gan.state import MovingAverage, new_state
from gaug_jax.settings import ClassifySettings, EmbedSettings, Settings, read_settings
from gaug_jax.synthesis.drawing import TrainedGenerator
from gaug_jax.synthesis.training_data import TrainingData

FORMAT_VERSION = 1
_ENTRY = "gaug_jax"
_NONE = "restore the file, or make it anew with gaug_jax.synthesize --save_generator"
_DTYPE = "F32"  # As the format calls float32, which every parameter is.

Tensors = dict[str, Float32[np.ndarray, "..."]]
Leaves = dict[str, tuple[tuple[str, ...], tuple[int, ...]]]


class SavedGenerator(NamedTuple):
    """What the file of a generator holds.

    Attributes:
      generator: to draw from; it has no discriminator.
      settings: of its run, without what says where something lay.
      training_data: what is told of the images that it learnt from.
      sha256: of all of this.
    """

    generator: TrainedGenerator
    settings: Settings
    training_data: TrainingData
    sha256: str


def write_generator_file(
    path: str | Path, generator: TrainedGenerator, settings: Settings, data: TrainingData
) -> None:
    """Writes a generator as one file; the same generator always gives the same bytes.

    Args:
      path: of the file.
      generator: of a checkpoint.
      settings: of its run.
      data: that it learnt from; numbers, hashes and names of images are left out.
    """
    tensors = {
        name: np.asarray(leaf, order="C") for name, (_, leaf) in _named(generator.ema).items()
    }
    _, width, channels = generator.spec.image_shape
    told = {
        "format_version": FORMAT_VERSION,
        "project_version": _project_version(),
        "family": generator.spec.model.family,
        "image_size": width,
        "channels": channels,
        "class_names": list(generator.class_names),
        "class_counts": list(generator.class_counts),
        "step": generator.step,
        "config": _without_places(settings).to_dict(),
        "training_data": data.in_short()._asdict(),
        "privacy": generator.privacy,
    }
    # As it will be read: JSON knows no tuples.
    told = json.loads(json.dumps(told))
    told["sha256"] = _sha256(told, tensors)
    with atomic_file(Path(path)) as file:
        file.write(save(tensors, {_ENTRY: json.dumps(told, sort_keys=True)}))


def read_generator_file(path: str | Path) -> SavedGenerator:
    """Reads the file of a generator.

    Raises:
      UserError: there is no such file, it is damaged, it is of another kind or of another version
        of the format, or its tensors do not fit its config.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            told = _told(file.metadata() or {}, path)
            spec, leaves, settings, data = _described(told, path)
            _check_header(file, leaves, path)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give the file of a generator") from None
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{path} cannot be read as a generator's file ({in_short(error)}): {_NONE}"
        ) from None
    sha256 = told.pop("sha256")
    if sha256 != _sha256(told, tensors):
        raise UserError(f"{path} is damaged, its SHA-256 is not the one that it names: {_NONE}")
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise UserError(f"{path} holds parameters that are not finite: {_NONE}")
    # Names of arrays may have a "/" of their own: where each belongs is taken from the networks.
    placed = traverse_util.unflatten_dict({leaves[name][0]: tensors[name] for name in leaves})
    ema = MovingAverage(placed["params"], placed.get("batch_stats", {}))
    scorer = ema if spec.discriminator is None else None
    generator = TrainedGenerator(
        spec, ema, scorer, told["step"], tuple(told["class_names"]),
        tuple(told["class_counts"]), told["privacy"],
    )  # fmt: skip
    return SavedGenerator(generator, settings, data, sha256)


def _project_version() -> str:
    """Returns the version of this project, where it is installed."""
    try:
        return importlib.metadata.version("gaug_jax")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _named(ema: MovingAverage) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Returns place and array of each leaf of a moving average by its name in the file."""
    flat = traverse_util.flatten_dict(ema._asdict())
    return {"/".join(place): (place, leaf) for place, leaf in flat.items()}


def _leaves(spec: Spec) -> Leaves:
    """Returns place and shape of each tensor of the networks by its name in the file."""
    state = jax.eval_shape(lambda: new_state(jax.random.key(0), spec))
    return {name: (place, leaf.shape) for name, (place, leaf) in _named(state.ema).items()}


def _without_places(settings: Settings) -> Settings:
    """Returns settings without paths, which are the maker's own, and sections of other stages."""
    nowhere = dict.fromkeys(("path", "table", "masks", "cache_path"))
    return dataclasses.replace(
        settings.of_data(**nowhere),
        evaluate=dataclasses.replace(settings.evaluate, features=""),
        embed=EmbedSettings(),
        classify=ClassifySettings(),
    )


def _sha256(told: Mapping[str, Any], tensors: Tensors) -> str:
    """Returns the SHA-256 of what is told and of all tensors with their names and shapes."""
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]))
    return digest.hexdigest()


def _told(metadata: Mapping[str, str], path: str | Path) -> dict[str, Any]:
    """Returns what the file tells.

    Raises:
      UserError: it is no generator's, or of another version of the format.
    """
    if _ENTRY not in metadata:
        raise UserError(f"{path} is no file of a gaug_jax generator: {_NONE}")
    try:
        told = json.loads(metadata[_ENTRY])
        version = told["format_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path} is damaged, what it tells is no JSON of ours: {_NONE}") from None
    if version != FORMAT_VERSION:
        raise UserError(
            f"{path} has version {in_short(version)} of the format, and this gaug_jax reads "
            f"{FORMAT_VERSION}: use the gaug_jax that wrote it"
        )
    return told


def _described(
    told: Mapping[str, Any], path: str | Path
) -> tuple[Spec, Leaves, Settings, TrainingData]:
    """Returns networks, their tensors, settings and training data as the file tells them.

    Raises:
      UserError: they cannot be.
    """
    try:
        names, counts = told["class_names"], told["class_counts"]
        fit = len(names) == len(counts) and sum(counts) > 0 and min(counts) >= 0
        kinds = all(type(name) is str for name in names) and type(told["sha256"]) is str
        if not (fit and kinds and all(type(number) is int for number in (*counts, told["step"]))):
            raise ValueError("class names, counts or step")
        privacy = told["privacy"]
        if privacy is not None and not all(float(privacy[n]) >= 0 for n in ("epsilon", "delta")):
            raise ValueError("privacy")
        data = TrainingData(**told["training_data"])
        data = data._replace(licences=tuple((str(name), None) for name, _ in data.licences))
        settings = read_settings(told["config"], stored=True)
        spec = make_spec(settings, len(names), axis_name=None)
        if (told["family"], told["image_size"], told["channels"]) != (
            spec.model.family,
            *spec.image_shape[1:],
        ):
            raise ValueError("family, image size or channels")
        return spec, _leaves(spec), settings, data
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except Exception as error:  # Whatever something made up leads to.
        reason = f"{type(error).__name__}: {in_short(error)}"
        raise UserError(f"{path} is damaged, what it tells is wrong ({reason}): {_NONE}") from None


def _check_header(file: Any, leaves: Leaves, path: str | Path) -> None:
    """Raises `UserError` unless the tensors are those of the networks; none of them is read."""
    names = set(file.keys())
    for name in sorted(names ^ set(leaves)):
        has = "an unknown tensor" if name in names else "no tensor"
        raise UserError(f"{path} has {has} {in_short(name)!r}: {_NONE}")
    for name, (_, shape) in leaves.items():
        found = file.get_slice(name)
        if found.get_dtype() != _DTYPE or tuple(found.get_shape()) != shape:
            raise UserError(
                f"{path}: tensor {name!r} is {found.get_dtype()} {tuple(found.get_shape())}, and "
                f"its config makes it {_DTYPE} {shape}: {_NONE}"
            )
