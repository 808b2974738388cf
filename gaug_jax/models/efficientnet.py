"""EfficientNet-Lite0: features of photographs from a small network (Tan and Le 2019).

Blocks of EfficientNet-B0 (table 1 there) in the variant for small devices: ReLU6 instead of
swish, no squeeze and excitation, stem and head of fixed width (the authors' "lite" models of
2020). Each block widens by a pointwise convolution, looks around by a depthwise one and narrows
again (Sandler et al. 2018). Dropout and drop-connect of its first training are left out.

Padding is TensorFlow's SAME for even sizes at every size: one zero less before than after where
the stride is 2. This is what the published PyTorch form does, whose padding is that of images of
224x224; TensorFlow itself pads an odd size alike on both sides there. At 32, 64, 96, ... and 224
the two are the same.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jax import lax
from jaxtyping import Array, Float, PyTree, UInt8

from gaug_jax.models.channel_sums import scaled, sum_and_product_sum
from gaug_jax.models.depthwise import IMPLEMENTATIONS, depthwise_convolution, views_of_taps

# A smaller image leaves nothing after the last stride.
LEAST_SIZE = 32
NUM_FEATURES = 1280
_STEM = 32
_EPSILON = 1e-3
_MOMENTUM = 0.99


class Stage(NamedTuple):
    """Blocks of one width.

    Attributes:
      features: of the output.
      blocks: how many; only the first has a stride, and no way around it.
      kernel_size: of the depthwise convolutions.
      stride: of the first block.
      expansion: how many times wider a block is inside.
    """

    features: int
    blocks: int
    kernel_size: int
    stride: int
    expansion: int


STAGES = (
    Stage(16, 1, 3, 1, 1),
    Stage(24, 2, 3, 2, 6),
    Stage(40, 2, 5, 2, 6),
    Stage(80, 3, 3, 2, 6),
    Stage(112, 3, 5, 1, 6),
    Stage(192, 4, 5, 2, 6),
    Stage(320, 1, 3, 1, 6),
)
# The last stage of each stride from 4 on.
_DEPTHS = (1, 2, 4, 6)


class EfficientNetOutputs(NamedTuple):
    """What the network says of images.

    Attributes:
      stages: features after each of the seven stages, [batch, height, width, features].
      features: means over positions of the head, 0 to 6.
      logits: of classes, before the softmax; None without classes.
    """

    stages: tuple[Float[Array, "batch rows columns features"], ...]
    features: Float[Array, "batch 1280"]
    logits: Float[Array, "batch classes"] | None

    @property
    def depths(self) -> tuple[Float[Array, "batch rows columns features"], ...]:
        """Features at strides 4, 8, 16 and 32: 24, 40, 112 and 320 of them."""
        return tuple(self.stages[number] for number in _DEPTHS)


class EfficientNetLite0(nn.Module):
    """Images to features at every depth and, on request, logits.

    Attributes:
      num_classes: of the logits; None for features alone.
      axis_name: devices whose examples share the batch statistics.
      implementation: `native` or `shifts`, as in `models.depthwise`.
      frozen_statistics: use the running statistics in training too, and leave them as they are.
      normalised: False for a network without batch norms, whose parameters `folded` gives.
    """

    num_classes: int | None = None
    axis_name: str | None = None
    implementation: str = "native"
    frozen_statistics: bool = False
    normalised: bool = True

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width 3"], *, train: bool
    ) -> EfficientNetOutputs:
        """Returns float32 features and logits.

        Args:
          images: as `network_input` gives them, 32x32 or larger.
          train: use and update the batch's statistics instead of the running ones.

        Raises:
          ValueError: the images are too small or have other channels, or the implementation is
            unknown.
        """
        if min(images.shape[1:3]) < LEAST_SIZE or images.shape[3] != 3:
            raise ValueError(
                f"images of {images.shape[1:]}: {LEAST_SIZE}x{LEAST_SIZE} with 3 channels is the "
                "least"
            )
        if self.implementation not in IMPLEMENTATIONS:
            raise ValueError(
                f"implementation {self.implementation!r} is not one of {IMPLEMENTATIONS}"
            )
        batch = train and not self.frozen_statistics
        x = self._unit("stem", "whole", _STEM, batch, size=3, stride=2)(images)
        stages, number = [], 0
        for stage in STAGES:
            for position in range(stage.blocks):
                x = self._block(f"block{number}", stage, position == 0, x, batch)
                number += 1
            stages.append(x)
        x = self._unit("head", "pointwise", NUM_FEATURES, batch)(x)
        features = jnp.mean(x, axis=(1, 2))
        logits = None
        if self.num_classes is not None:
            layer = nn.Dense(self.num_classes, kernel_init=nn.initializers.zeros, name="classifier")
            logits = layer(features)
        return EfficientNetOutputs(tuple(stages), features, logits)

    def _unit(self, name: str, kind: str, features: int, batch: bool, **rest: Any) -> "Unit":
        """Returns a unit with what all units share."""
        return Unit(
            kind, features, batch, self.axis_name, self.implementation, self.normalised,
            name=name, **rest,
        )  # fmt: skip

    def _block(self, name: str, stage: Stage, first: bool, x: Array, batch: bool) -> Array:
        """Returns x after one block."""
        hidden, wide = x, x.shape[-1] * stage.expansion
        if stage.expansion > 1:
            hidden = self._unit(f"{name}.expand", "pointwise", wide, batch)(hidden)
        around = {"size": stage.kernel_size, "stride": stage.stride if first else 1}
        hidden = self._unit(f"{name}.depthwise", "depthwise", wide, batch, **around)(hidden)
        narrow = self._unit(f"{name}.project", "pointwise", stage.features, batch, linear=True)
        return narrow(hidden) if first else narrow(hidden) + x


class Unit(nn.Module):
    """A convolution, its batch norm (or a bias in its place), and ReLU6.

    Attributes:
      kind: `whole`, `depthwise` or `pointwise`.
      features: of the output.
      batch: normalise by the batch's statistics and update the running ones.
      axis_name: devices whose examples share them.
      implementation: as in `models.depthwise`.
      normalised: False for a bias in place of the batch norm.
      size: rows and columns of the kernel.
      stride: in both directions.
      linear: without ReLU6.
    """

    kind: str
    features: int
    batch: bool
    axis_name: str | None
    implementation: str
    normalised: bool
    size: int = 1
    stride: int = 1
    linear: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "batch height width channels"]) -> Array:
        """Returns the activations."""
        x = self._convolved(x)
        if self.normalised:
            x = BatchNorm(self.batch, self.axis_name, self.implementation, name="norm")(x)
        else:
            x = x + self.param("bias", nn.initializers.zeros, (self.features,))
        return x if self.linear else jnp.minimum(nn.relu(x), 6.0)

    def _convolved(self, x: Array) -> Array:
        """Returns the convolution."""
        # Of TensorFlow's SAME at an even size.
        total = self.size - self.stride
        padding = (total // 2, total - total // 2)
        if self.kind == "pointwise":
            kernel = self._kernel((x.shape[-1], self.features), self.features)
            return _product(x, kernel)
        taps = (self.size, self.size)
        if self.kind == "depthwise":
            kernel = self._kernel((*taps, self.features), self.size**2)
            return depthwise_convolution(
                x, kernel, stride=self.stride, padding=padding, implementation=self.implementation
            )
        kernel = self._kernel((*taps, x.shape[-1], self.features), self.size**2 * self.features)
        if self.implementation == "native":
            strides, layout = (self.stride, self.stride), ("NHWC", "HWIO", "NHWC")
            return lax.conv_general_dilated(
                x, kernel, strides, (padding, padding), dimension_numbers=layout
            )
        bordered = jnp.pad(x, ((0, 0), padding, padding, (0, 0)))
        views = [view for _, _, view in views_of_taps(bordered, taps, self.stride)]
        return _product(jnp.concatenate(views, axis=-1), kernel.reshape(-1, self.features))

    def _kernel(self, shape: tuple[int, ...], outputs: int) -> Array:
        """Returns the kernel, drawn as by the authors: of variance 2 over a tap's outputs."""
        return self.param("kernel", nn.initializers.normal((2 / outputs) ** 0.5), shape)


@jax.custom_vjp
def _product(
    x: Float[Array, "batch height width channels"], kernel: Float[Array, "channels features"]
) -> Float[Array, "batch height width features"]:
    """Returns the matrix product at every position."""
    return (x.reshape(-1, x.shape[-1]) @ kernel).reshape(*x.shape[:-1], kernel.shape[1])


def _product_backwards(saved: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    """Returns both gradients; the kernel's in the order that has x turned, and not `gradient`.

    XLA would make the gradient anew while it turns it, element by element.
    """
    x, kernel = saved
    rows, outputs = x.reshape(-1, x.shape[-1]), gradient.reshape(-1, kernel.shape[1])
    of_kernel = lax.dot_general(rows, outputs, (((0,), (0,)), ((), ())))
    return (outputs @ kernel.T).reshape(x.shape), of_kernel


_product.defvjp(lambda x, kernel: (_product(x, kernel), (x, kernel)), _product_backwards)


class BatchNorm(nn.Module):
    """Batch norm (Ioffe and Szegedy 2015) with a pass less over the images than Flax's.

    Running averages move by a hundredth an update.

    Attributes:
      batch: normalise by the batch's statistics and update the running ones.
      axis_name: devices whose examples share them.
      implementation: as in `models.depthwise`.
    """

    batch: bool
    axis_name: str | None
    implementation: str

    @nn.compact
    def __call__(self, x: Float[Array, "batch height width channels"]) -> Array:
        """Returns the normalised features."""
        shape, together = (x.shape[-1],), self.implementation != "native"
        scale = self.param("scale", nn.initializers.ones, shape)
        bias = self.param("bias", nn.initializers.zeros, shape)
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        running_variance = self.variable("batch_stats", "var", jnp.ones, shape)
        mean, variance = running_mean.value, running_variance.value
        if self.batch:
            count = x.size // x.shape[-1]
            moments = [each / count for each in sum_and_product_sum(x, x, together)]
            if self.axis_name is not None and not self.is_initializing():
                moments = lax.pmean(moments, self.axis_name)
            mean, variance = moments[0], jnp.maximum(moments[1] - moments[0] ** 2, 0.0)
            if not self.is_initializing():
                for running, now in ((running_mean, mean), (running_variance, variance)):
                    running.value = _MOMENTUM * running.value + (1 - _MOMENTUM) * now
        scale = scale * lax.rsqrt(variance + _EPSILON)
        return scaled(x, scale, bias - mean * scale, together)


def network_input(
    images: UInt8[Array, "batch height width channels"],
) -> Float[Array, "batch height width 3"]:
    """Returns what the network takes: (images - 127) / 128, one channel as three.

    Args:
      images: grey or RGB, [0, 255].

    Raises:
      ValueError: there are neither 1 nor 3 channels.
    """
    if images.shape[-1] not in (1, 3):
        raise ValueError(f"images have {images.shape[-1]} channels: 1 or 3 are needed")
    return _as_rgb((jnp.asarray(images, jnp.float32) - 127.0) / 128.0)


def input_of_unit(
    images: Float[Array, "batch height width channels"],
) -> Float[Array, "batch height width 3"]:
    """Returns the same of images in [-1, 1], which may be differentiated."""
    return _as_rgb((images.astype(jnp.float32) * 127.5 + 0.5) / 128.0)


def _as_rgb(images: Array) -> Array:
    """Returns one channel as three, and three as they are."""
    return jnp.broadcast_to(images, (*images.shape[:3], 3))


def folded(variables: PyTree) -> PyTree:
    """Returns the parameters of the same network without batch norms (`normalised=False`).

    The running statistics are folded into kernels and biases, in float64.

    Args:
      variables: `params` and `batch_stats` of `EfficientNetLite0`.
    """
    params = traverse_util.flatten_dict(variables["params"])
    statistics = traverse_util.flatten_dict(variables["batch_stats"])
    made: dict[tuple[str, ...], np.ndarray] = {}
    for path, leaf in params.items():
        if path[0] == "classifier":
            made[path] = np.asarray(leaf, np.float32)
        elif path[-1] == "kernel":
            norm = (path[0], "norm")
            scale, bias = (
                np.asarray(params[*norm, name], np.float64) for name in ("scale", "bias")
            )
            mean, variance = (
                np.asarray(statistics[*norm, name], np.float64) for name in ("mean", "var")
            )
            scale = scale / np.sqrt(variance + _EPSILON)
            made[path] = (np.asarray(leaf, np.float64) * scale).astype(np.float32)
            made[path[0], "bias"] = (bias - mean * scale).astype(np.float32)
    return {"params": traverse_util.unflatten_dict(made)}
