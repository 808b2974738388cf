"""Our Inception beside torch-fidelity's: milliseconds an image, resizing included.

    python -m benchmarks.inception_rate --json=result.json

Both sides have a process of their own, work in turns and take the same uint8 images of
64x64. torch-fidelity runs as it is shipped; `--channels_last` gives it the layout that
PyTorch is fastest with. `ratio` is its time divided by ours.
"""

import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks import rounds

_SIDE = flags.DEFINE_enum("side", None, ["ours", "torch"], "Of a worker.")
_ROUNDS = flags.DEFINE_integer("rounds", 9, "Turns of each side.", lower_bound=7)
_IMAGES = flags.DEFINE_integer("images", 64, "Images in a turn.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch", 32, "Images that torch-fidelity takes at once.")
_CHANNELS_LAST = flags.DEFINE_bool("channels_last", False, "Layout of torch-fidelity's network.")
_THREADS = flags.DEFINE_integer("threads", 2, "Processors for each side.", lower_bound=1)
_WEIGHTS = flags.DEFINE_string("weights", None, "Folder of weight files; random ones if left out.")
_JSON = flags.DEFINE_string("json", None, "File for the result.")


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)


def _serve_ours(weights: str) -> None:
    import jax

    from gaug_jax.evaluation.features import extract, make_extractor
    from gaug_jax.evaluation.image_sets import array_set

    extractor = make_extractor(
        "inception", resize_mode="tf1", inception_weights=weights, allow_unofficial_weights=True
    )
    facts = {"jax": jax.__version__, "batch": extractor.batch_size}
    rounds.serve(lambda count: extract(extractor, array_set("images", _images(count))), facts)


def _serve_torch(weights: str) -> None:
    import torch

    from benchmarks import fidelity_peers
    from gaug_jax.weights.weight_files import INCEPTION

    torch.set_num_threads(_THREADS.value)
    peer = fidelity_peers.TorchFidelity(
        Path(weights) / INCEPTION.names[0], _BATCH.value, channels_last=_CHANNELS_LAST.value
    )
    facts = {"torch": torch.__version__, "batch": _BATCH.value}
    rounds.serve(lambda count: peer.features(_images(count)), facts)


def main(_: list[str]) -> None:
    """Compares, or serves as one side."""
    if _SIDE.value:
        {"ours": _serve_ours, "torch": _serve_torch}[_SIDE.value](_WEIGHTS.value)
        return
    with tempfile.TemporaryDirectory() as made:
        weights = _WEIGHTS.value
        if weights is None:
            from benchmarks.random_weights import write_random_weights

            weights = made
            write_random_weights(Path(made), seed=0)
        shared = [
            "benchmarks.inception_rate",
            f"--weights={weights}",
            f"--batch={_BATCH.value}",
            f"--channels_last={_CHANNELS_LAST.value}",
            f"--threads={_THREADS.value}",
        ]
        commands = {side: [*shared, f"--side={side}"] for side in ("ours", "torch")}
        result = rounds.alternate(
            commands, units=_IMAGES.value, rounds=_ROUNDS.value, threads=_THREADS.value
        )
    rounds.add_ratios(result, ["torch"])
    rounds.write_result({"channels_last": _CHANNELS_LAST.value, **result}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
