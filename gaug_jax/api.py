"""The same from Python as from the command line: a few functions, with the same results.

    import gaug_jax

    generator = gaug_jax.train_generator("digits", "runs/digits", {"train.steps": 200})
    images = gaug_jax.draw_images(generator, 16, seed=0).images  # uint8 [16, 32, 32, 1]

A config is named as on the command line: `"digits"` comes with the project, a path is a file with
`get_config`, and a `ConfigDict` is taken as it is. `changes` sets any field of it, as
`{"data.path": "my_images"}`; docs/config.md lists all. A mistake is a `UserError` with the line
that a command would end with, which may name the command's flags.
"""

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt8

from gaug_jax import data
from gaug_jax.config_file import Config, settings_of
from gaug_jax.data.arrays import checked_images, checked_labels, read_arrays
from gaug_jax.data.prepare import PreparedData
from gaug_jax.errors import UserError
from gaug_jax.evaluation.image_sets import Form, read_image_set, set_of_arrays
from gaug_jax.files import atomic_file, make_folder
from gaug_jax.settings.checks import one_of
from gaug_jax.stages import saved_generator
from gaug_jax.stages.evaluate import EvaluationOptions, Reader, evaluate_sets
from gaug_jax.stages.opened import Opened, open_trained
from gaug_jax.stages.study import study
from gaug_jax.stages.synthesize import DrawingOptions
from gaug_jax.stages.train import Training, run_training
from gaug_jax.synthesis.drawing import (
    SyntheticImages,
    TrainedGenerator,
    draw_by_class,
    images_per_class,
)
from gaug_jax.synthesis.generator_file import read_generator_file
from gaug_jax.synthesis.latents import LatentChoice
from gaug_jax.workfolder import WorkFolder

__all__ = [
    "UserError",
    "draw_images",
    "evaluate_images",
    "load_generator",
    "load_images",
    "run_study",
    "save_generator",
    "train_generator",
]

Place = str | os.PathLike[str]
# Grey ones may be without their last axis.
Images = (
    UInt8[np.ndarray, "images height width channels"] | UInt8[np.ndarray, "images height width"]
)
# Numbers or text, one for each image.
Labels = Shaped[np.ndarray, " images"]


def load_images(
    config: Config = "folder", changes: Mapping[str, Any] | None = None
) -> PreparedData:
    """Reads, preprocesses and splits a data set, as training does; nothing is written but a cache.

    Args:
      config: its name, file or itself.
      changes: values of its fields.

    Returns:
      `images` uint8 [images, height, width, 1 or 3] in [0, 255], square; `labels` int32 [images],
      numbers of `class_names`; `groups` int32 [images], what must stay together (patients, writers;
      duplicates share one); `parts`, `train`, `validation`, `test` or `unused` of each; `names` of
      the images; `part("train")` gives the images and labels of a part.

    Raises:
      UserError: the config or the data is not usable.
    """
    return data.prepare(settings_of(config, changes).data)


def train_generator(
    config: Config,
    workdir: Place,
    changes: Mapping[str, Any] | None = None,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    groups: Labels | None = None,
    class_names: Labels | None = None,
) -> TrainedGenerator:
    """Trains the generator of a config, or goes on where it was stopped, as `gaug_jax.main` does.

    Given arrays are written as `given_images.npz` of the work folder and read from there, as
    `data.source=npz` reads any such file, with all that the config says of the preprocessing
    and the split.

    Args:
      config: its name, file or itself.
      workdir: folder of the run; made where it is absent.
      changes: values of the config's fields.
      images: uint8 [images, height, width] or [images, height, width, 1 or 3] in [0, 255] to train
        on in the place of the config's data; None for that.
      labels: class of each, whole numbers or text; needed with `images`.
      groups: whose each is (patient, writer), whole numbers or text; None where it is not known.
      class_names: text [classes], names of whole numbers from 0.

    Returns:
      The generator of the last checkpoint.

    Raises:
      UserError: the config, the data or the work folder is not usable.
      gaug_jax.training.interrupts.Interrupted: Ctrl-C or another signal; the run has saved.
    """
    given = {"images": images, "labels": labels, "groups": groups, "class_names": class_names}
    arrays = {name: _array(name, each) for name, each in given.items() if each is not None}
    if not arrays:
        run_training(Training(Opened(os.fspath(workdir), settings_of(config, changes))))
        return load_generator(workdir)
    _check_given(arrays)
    folder = WorkFolder(workdir)
    source = {"data.source": "npz", "data.path": str(folder.given_images)}
    opened = Opened(os.fspath(workdir), settings_of(config, {**(changes or {}), **source}))
    with _given_images(folder, arrays):
        training = Training(opened)
    run_training(training)
    return load_generator(workdir)


def load_generator(path: Place, step: int | None = None) -> TrainedGenerator:
    """Returns a trained generator: of a work folder, or of a file that `save_generator` wrote.

    Reading the file runs no code that is in it, and finds any damage by its SHA-256.

    Args:
      path: of the work folder or of the file.
      step: of a checkpoint of the work folder; None for the latest.

    Raises:
      UserError: there is no such folder, checkpoint or file, it is damaged or of another kind.
    """
    if Path(path).is_dir():
        return open_trained(os.fspath(path)).generator(step)
    if step is not None:
        raise UserError(f"{path} is no work folder, and its one generator has its one step")
    return read_generator_file(path).generator


def save_generator(workdir: Place, path: Place, step: int | None = None) -> None:
    """Writes the generator of a work folder as one file (safetensors), whole or not at all.

    It has what drawing needs and what must be told of it: networks, classes and their training
    counts, config (without paths), step, licences of the training data, epsilon and delta of
    private training. It has no discriminator, so that images drawn from it have no scores.

    Args:
      workdir: folder of the run.
      path: of the file; an earlier one is replaced.
      step: of the checkpoint; None for the latest.

    Raises:
      UserError: there is no such folder or checkpoint, or the file cannot be written.
    """
    saved_generator.save_generator(open_trained(os.fspath(workdir)), path, step)


def draw_images(
    generator: TrainedGenerator,
    num: int,
    *,
    seed: int = 0,
    per_class: bool = False,
    truncation: float | None = None,
    rejection: int = 1,
) -> SyntheticImages:
    """Draws images from a generator: those that `gaug_jax.synthesize` writes for the same options.

    Args:
      generator: of `train_generator` or `load_generator`.
      num: images in all, in the training classes' proportions; 1 or more.
      seed: the same one gives the same images.
      per_class: `num` images of every class.
      truncation: largest size of a latent's numbers, above 0; None for any.
      rejection: draw so many latents for every image and keep the one that the discriminator
        scores highest, which needs a work folder's generator.

    Returns:
      `images` uint8 [images, height, width, 1 or 3] in [0, 255], class after class; `labels` int32
      [images], numbers of `generator.class_names`, or -1 where it knows no classes; `scores`
      float32 [images] of the discriminator, None where the generator is of a file.

    Raises:
      UserError: an option is not allowed, or the generator cannot serve it.
    """
    latents = LatentChoice(truncation, rejection)
    options = DrawingOptions(num, per_class, seed, latents=latents)
    counts = images_per_class(generator, options.num, options.per_class)
    return draw_by_class(generator, counts, options.seed, options.latents)


def evaluate_images(
    real: Place | Images,
    fake: Place | Images,
    *,
    real_labels: Labels | None = None,
    fake_labels: Labels | None = None,
    real_groups: Labels | None = None,
    features: str | None = None,
    image_size: int | None = None,
    image_resize: str | None = None,
    resize: str | None = None,
    seed: int = 0,
    inception_weights: str | None = None,
    lpips_weights: str | None = None,
    lpips: bool = False,
    allow_unofficial_weights: bool = False,
) -> dict[str, Any]:
    """Measures generated images against real ones: the row that `gaug_jax.evaluate` writes.

    Args:
      real: an `.npz` file, a folder of pictures, or uint8 [images, height, width] or [images,
        height, width, 1 or 3] in [0, 255]; two images or more.
      fake: likewise.
      real_labels: class of each real image of an array, for the figures by class.
      fake_labels: likewise; the same class has the same number or text in both.
      real_groups: whose each real image of an array is, for the intervals.
      features: `inception`, `pretrained`, `pixels`, `classifier:PATH` or a function's full name;
        None for the best that needs no download.
      image_size: height and width that all are brought to; None leaves them.
      image_resize: how, `stretch` (the default) or `pad`.
      resize: of Inception's input, `tf1` (the default), `torch` or `clean`.
      seed: of every subset that is drawn.
      inception_weights: file of Inception's weights; None to look for it.
      lpips_weights: folder of LPIPS's two files; None to look for them.
      lpips: fetch LPIPS's weights (244 MB) where they are not found.
      allow_unofficial_weights: take weight files that are not the public ones.

    Returns:
      Figures by their names, with intervals, and all that says how they were made; what cannot be
      computed is None, with its reason in `notes`.

    Raises:
      UserError: a set, a weight file or an option is not usable.
    """
    if image_size is not None and image_size < 1:
        raise UserError(f"--image_size={image_size}: give 1 or more")
    if image_resize is not None and image_size is None:
        raise UserError("--image_resize has no effect without --image_size: give both or neither")
    one_of("data.resize", image_resize or "stretch", ("stretch", "pad"))
    sides = (
        _reader("real", real, {"labels": real_labels, "groups": real_groups}),
        _reader("fake", fake, {"labels": fake_labels}),
    )
    options = EvaluationOptions(
        features, resize, seed, inception_weights, lpips_weights, lpips, allow_unofficial_weights
    )
    return evaluate_sets(*sides, options, Form(image_size, image_resize or "stretch"))


def run_study(
    config: Config,
    workdir: Place,
    changes: Mapping[str, Any] | None = None,
    *,
    num: int = 1000,
    features: str | None = "classifier",
    seed: int = 0,
    inception_weights: str | None = None,
) -> WorkFolder:
    """Makes a whole study and its report, or goes on where it was stopped, as `gaug_jax.study`.

    Args:
      config: its name, file or itself.
      workdir: folder of the study; made where it is absent.
      changes: values of the config's fields.
      num: generated images that are measured and shown; 2 or more.
      features: as of `evaluate_images`, and `classifier` for one of the training images.
      seed: of the latents and of every subset that is drawn.
      inception_weights: file of Inception's weights; None to look for it.

    Returns:
      The work folder, whose attributes are the paths of all that was made: `report`,
      `downstream_table`, `downstream_summary`, `synthetic_images` and so on.

    Raises:
      UserError: as of the stages.
      gaug_jax.training.interrupts.Interrupted: Ctrl-C or another signal; the run has saved.
    """
    if num < 2:
        raise UserError(f"--num={num}: give 2 or more")
    shown = config if isinstance(config, str) else "config"
    command = f"gaug_jax.run_study({shown!r}, {os.fspath(workdir)!r}, {dict(changes or {})!r}"
    command += f", num={num}, features={features!r}, seed={seed})"
    options = EvaluationOptions(features, None, seed, inception_weights)
    settings = settings_of(config, changes)
    study(settings, os.fspath(workdir), num=num, options=options, command=command)
    return WorkFolder(workdir)


def _reader(name: str, images: Place | Images, more: Mapping[str, Labels | None]) -> Reader:
    """Returns what reads a set of images, of a path or of arrays.

    Raises:
      UserError: a path has its own labels and groups, and others are given.
    """
    given = {key: _array(f"{name}_{key}", value) for key, value in more.items()
             if value is not None}  # fmt: skip
    if not isinstance(images, str | os.PathLike):
        return functools.partial(set_of_arrays, name, {"images": _array(name, images), **given})
    if given:
        raise UserError(
            f"{name}_{next(iter(given))} has no effect beside a path, which has its own: give both "
            "as arrays"
        )
    return functools.partial(read_image_set, images)


def _array(name: str, value: Any) -> np.ndarray:
    """Returns an array of what is given.

    Raises:
      UserError: it is none, as images of several sizes in a list.
    """
    try:
        return np.asarray(value)
    except ValueError:
        raise UserError(f"{name} is no array: its items have several shapes") from None


def _check_given(arrays: Mapping[str, np.ndarray]) -> None:
    """Raises `UserError` where arrays are not as a source of data needs them."""
    for name in ("images", "labels"):
        if name not in arrays:
            raise UserError(f"{name} is missing: give images and labels, or neither")
    count = len(checked_images(arrays["images"], "images"))
    for name in {"labels", "groups"} & set(arrays):
        checked_labels(arrays[name], count, name)
    if "class_names" in arrays:
        checked_labels(arrays["class_names"], arrays["class_names"].size, "class_names")


@contextlib.contextmanager
def _given_images(folder: WorkFolder, arrays: Mapping[str, np.ndarray]) -> Iterator[None]:
    """Has the arrays in the work folder; they go again where the block ends by an error.

    Raises:
      UserError: the folder has others.
    """
    path = folder.given_images
    if path.exists():
        before = read_arrays(path)
        same = before.keys() == arrays.keys()
        if not same or not all(np.array_equal(before[name], arrays[name]) for name in arrays):
            raise UserError(
                f"{folder.path} was trained on other images than are given: choose another "
                "--workdir"
            )
        yield
        return
    made = not folder.path.exists()
    make_folder(folder.path, "--workdir")
    with atomic_file(path) as file:
        np.savez(file, **arrays)
    try:
        yield
    except BaseException:
        path.unlink()
        if made:
            folder.path.rmdir()
        raise
