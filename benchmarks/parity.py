"""Our figures beside other tools', on the same images and the same weights.

    python -m benchmarks.random_weights --folder=weights
    python -m benchmarks.parity --weights=weights --pair=films:real.npz:fake.npz --json=parity.json

Each pair is a name and two sets as `gaug_jax.evaluate` takes them. `--golden=FILE` writes
what the peers say of a few images and features, for the tests.
"""

import json
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks import fidelity_peers as peers
from gaug_jax.evaluation import resize
from gaug_jax.evaluation.features import extract, make_extractor
from gaug_jax.evaluation.image_sets import array_set, read_image_set
from gaug_jax.evaluation.metrics import frechet, inception_score, kid, precision_recall
from gaug_jax.evaluation.perceptual import make_perceptual_distance
from gaug_jax.files import atomic_file, write_json
from gaug_jax.models.inception import Inception, InceptionFeatures
from gaug_jax.weights.inception import inception_parameters
from gaug_jax.weights.weight_files import ALEXNET, INCEPTION, LPIPS_LINEAR, read_weights
from tests.support.golden_inputs import golden_features, golden_images

_WEIGHTS = flags.DEFINE_string("weights", "weights", "Folder of the weight files.")
_PAIRS = flags.DEFINE_multi_string("pair", [], "NAME:REAL:FAKE, as often as wanted.")
_MOST = flags.DEFINE_integer("most", 200, "Images of each set, the first so many.")
_JSON = flags.DEFINE_string("json", None, "Where the figures are written.")
_GOLDEN = flags.DEFINE_string("golden", None, "Where golden values for the tests are written.")

_SUBSETS, _SEED = 20, 2020


def _difference(ours: float | np.ndarray, theirs: float | np.ndarray) -> float:
    """Returns the largest difference, relative to the largest value of each row."""
    ours, theirs = (np.atleast_2d(np.asarray(value, np.float64)) for value in (ours, theirs))
    scale = np.abs(theirs).max(axis=1)
    return float((np.abs(ours - theirs).max(axis=1) / np.maximum(scale, 1e-12)).max())


def _line(
    what: str, peer: str, ours: float | None, theirs: float | None, difference: float
) -> dict:
    return {"what": what, "peer": peer, "ours": ours, "theirs": theirs, "difference": difference}


def every_output(images: np.ndarray, weights: Path) -> InceptionFeatures:
    """Returns all six outputs of our network, resized as TensorFlow 1 does."""
    tensors = read_weights(INCEPTION, str(weights), allow_unofficial=True).tensors
    params = inception_parameters(tensors, str(weights))
    outputs = [
        Inception().apply(params, resize.to_inception_input(images[first : first + 8], "tf1"))
        for first in range(0, len(images), 8)
    ]
    return InceptionFeatures(*(np.concatenate(parts) for parts in zip(*outputs, strict=True)))


def _feature_lines(sets: dict[str, np.ndarray], weights: Path) -> tuple[list[dict], dict]:
    """Compares features; returns the lines, and the peer's of each set."""
    file = weights / INCEPTION.names[0]
    torch_fidelity, pytorch_fid = peers.TorchFidelity(file), peers.PytorchFid(file)
    lines, found = [], {}
    both = np.concatenate(list(sets.values()))
    theirs = torch_fidelity.features(both)
    ours = _ours(both, "tf1", weights)
    for name, mine in (("2048", ours.features), ("logits_unbiased", ours.logits)):
        what = f"Inception {name}, resize tf1"
        lines.append(_line(what, "torch-fidelity", None, None, _difference(mine, theirs[name])))
    some = both[:: max(1, len(both) // 16)]
    outputs = every_output(some, weights)
    chosen = torch_fidelity.features(some)
    for name, mine in zip(peers.FEATURES, outputs, strict=True):
        what = f"Inception {name}, resize tf1, {len(some)} images"
        lines.append(_line(what, "torch-fidelity", None, None, _difference(mine, chosen[name])))
    torchs = _ours(both, "torch", weights).features
    difference = _difference(torchs, pytorch_fid.features(both))
    lines.append(_line("Inception 2048, resize torch", "pytorch-fid", None, None, difference))
    clean = (peers.clean_resized(some) - 128.0) / 128.0
    resized = np.asarray(resize.to_inception_input(some, "clean"))
    difference = _difference(resized.reshape(len(some), -1), clean.reshape(len(some), -1))
    lines.append(_line("images of 299x299, resize clean", "clean-fid", None, None, difference))
    first = 0
    for name, images in sets.items():
        rows = slice(first, first + len(images))
        found[name] = {
            "theirs": {key: value[rows] for key, value in theirs.items()},
            "ours": (ours.features[rows], ours.logits[rows]),
        }
        first += len(images)
    return lines, found


def _ours(images: np.ndarray, mode: str, weights: Path):
    extractor = make_extractor(
        "inception", resize_mode=mode, inception_weights=str(weights), allow_unofficial_weights=True
    )
    return extract(extractor, array_set("images", images))


def _metric_lines(real: tuple, fake: tuple, theirs_real: dict, theirs_fake: dict) -> list[dict]:
    """Compares figures, each side's on its own features."""
    peer_real, peer_fake = theirs_real["2048"], theirs_fake["2048"]
    lines = []

    def add(what: str, peer: str, ours: float, theirs: float) -> None:
        lines.append(_line(what, peer, ours, theirs, _difference(ours, theirs)))

    fid = frechet.frechet_distance(*map(frechet.gaussian_statistics, (real[0], fake[0])))
    add("FID", "torch-fidelity", fid, peers.torch_fidelity_fid(peer_real, peer_fake))
    add("FID", "pytorch-fid", fid, peers.pytorch_fid_fid(peer_real, peer_fake))
    size = min(len(real[0]), len(fake[0])) // 2
    indices = _subset_indices(len(real[0]), len(fake[0]), size)
    distance = kid.kid_of_subsets(real[0], fake[0], indices).mean()
    theirs = peers.torch_fidelity_kid(peer_real, peer_fake, _SUBSETS, size, _SEED)
    add(f"KID, {_SUBSETS} subsets of {size}", "torch-fidelity", distance, theirs)
    mine = inception_score.inception_score(fake[1])
    theirs = peers.torch_fidelity_inception_score(theirs_fake["logits_unbiased"], 10)
    add("Inception score, mean", "torch-fidelity", mine[0], theirs[0])
    add("Inception score, deviation", "torch-fidelity", mine[1], theirs[1])
    mine = precision_recall.precision_recall(peer_real, peer_fake, 5)._asdict()
    for name, value in peers.prdc_figures(peer_real, peer_fake, 5).items():
        add(f"{name}, k=5", "prdc", mine[name], value)
    mine = precision_recall.precision_recall(peer_real, peer_fake, 3)
    theirs = peers.torch_fidelity_precision_recall(peer_real, peer_fake, 3)
    add("precision, k=3", "torch-fidelity", mine.precision, theirs[0])
    add("recall, k=3", "torch-fidelity", mine.recall, theirs[1])
    return lines


def _subset_indices(num_real: int, num_fake: int, size: int) -> list[tuple]:
    """Returns the subsets that torch-fidelity draws."""
    generator = np.random.RandomState(_SEED)
    return [
        tuple(generator.choice(count, size, replace=False) for count in (num_real, num_fake))
        for _ in range(_SUBSETS)
    ]


def _lpips_line(images: np.ndarray, weights: Path) -> dict:
    """Compares LPIPS of neighbours."""
    ours = make_perceptual_distance(str(weights), allow_unofficial=True)
    first, second = images[:-1], images[1:]
    files = (weights / file.names[0] for file in (ALEXNET, LPIPS_LINEAR))
    theirs = peers.lpips_distances(first, second, *files)
    mine = ours.function(first, second)
    difference = float(np.max(np.abs(mine - theirs) / theirs))
    return _line("LPIPS", "lpips", float(mine.mean()), float(theirs.mean()), difference)


def compare(real_path: str, fake_path: str, weights: Path, most: int) -> list[dict]:
    """Returns the lines of one pair of sets."""
    sets = {}
    for name, path in (("real", real_path), ("fake", fake_path)):
        images = read_image_set(path)
        sets[name] = images.read(range(min(most, len(images))))
    lines, found = _feature_lines(sets, weights)
    lines += _metric_lines(
        found["real"]["ours"], found["fake"]["ours"],
        found["real"]["theirs"], found["fake"]["theirs"],
    )  # fmt: skip
    return [*lines, _lpips_line(sets["fake"][:64], weights)]


def write_golden(path: Path, weights: Path) -> None:
    """Writes what the peers say of the golden images and features."""
    file, images = weights / INCEPTION.names[0], golden_images()
    real, fake = golden_features(80, 1), golden_features(60, 2)
    lpips_files = (weights / each.names[0] for each in (ALEXNET, LPIPS_LINEAR))
    arrays = {
        **{f"tf1_{name}": value for name, value in
           peers.TorchFidelity(file).features(images).items()},
        "torch_2048": peers.PytorchFid(file).features(images),
        "lpips": peers.lpips_distances(images[:-1], images[1:], *lpips_files),
        "fid": peers.torch_fidelity_fid(real, fake),
        "kid": peers.torch_fidelity_kid(real, fake, _SUBSETS, 30, _SEED),
        "kid_indices_real": [rows for rows, _ in _subset_indices(80, 60, 30)],
        "kid_indices_fake": [rows for _, rows in _subset_indices(80, 60, 30)],
        "inception_score": peers.torch_fidelity_inception_score(fake, 10),
        "precision_recall_k3": peers.torch_fidelity_precision_recall(real, fake, 3),
        **{f"prdc_{name}": value for name, value in peers.prdc_figures(real, fake, 5).items()},
    }  # fmt: skip
    with atomic_file(path) as output:
        np.savez_compressed(output, **arrays)


def table(results: dict[str, list[dict]]) -> str:
    """Returns the lines as a Markdown table."""
    rows = ["| | peer | sets | ours | theirs | relative difference |", "|---|---|---|---|---|---|"]
    for name, lines in results.items():
        for line in lines:
            ours, theirs = (
                "" if line[key] is None else f"{line[key]:.6g}" for key in ("ours", "theirs")
            )
            rows.append(
                f"| {line['what']} | {line['peer']} | {name} | {ours} | {theirs} | "
                f"{line['difference']:.1e} |"
            )
    return "\n".join(rows)


def main(_: list[str]) -> None:
    """Compares and writes."""
    weights = Path(_WEIGHTS.value)
    if _GOLDEN.value:
        write_golden(Path(_GOLDEN.value), weights)
    results = {}
    for pair in _PAIRS.value:
        name, real, fake = pair.split(":")
        results[name] = compare(real, fake, weights, _MOST.value)
        print(json.dumps(results[name], indent=1), flush=True)
    print(table(results))
    if _JSON.value:
        write_json(Path(_JSON.value), results)


if __name__ == "__main__":
    app.run(main)
