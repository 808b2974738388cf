"""The Inception network of 2015-12-05, which FID, KID and the Inception score are defined on.

It is the graph that TensorFlow published then, not torchvision's: 1008 outputs; average
pools that leave the padding out of the count; a max pool in the last block (Szegedy et
al. 2016; the names are those of the PyTorch conversion of its weights). Each
convolution's batch norm is folded into its kernel and bias (`weights.inception`
does it), since the network is only ever run.
"""

from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.models.plain_convolution import average_pool, max_pool, plain_convolution

IMAGE_SIZE = 299
NUM_CLASSES = 1008


class InceptionFeatures(NamedTuple):
    """What the network says of images; each of the first four is a mean over positions.

    Attributes:
      first_pool: 64 features after the first max pool.
      second_pool: 192 features after the second.
      before_last_grid: 768 features before the last reduction of the grid.
      pool3: 2048 features of the last pool, those of FID and KID.
      unbiased_logits: pool3 times the last layer's matrix, those of the Inception score.
      logits: with the bias.
    """

    first_pool: Float[Array, "batch 64"]
    second_pool: Float[Array, "batch 192"]
    before_last_grid: Float[Array, "batch 768"]
    pool3: Float[Array, "batch 2048"]
    unbiased_logits: Float[Array, "batch 1008"]
    logits: Float[Array, "batch 1008"]


class Unit(nn.Module):
    """A convolution with a bias, and ReLU.

    Attributes:
      features: of the output.
      kernel_size: rows and columns.
      stride: in both directions.
      same: keep height and width (for odd kernels at stride 1) by padding with zeros.
      implementation: of the convolution, as in `models.plain_convolution`.
    """

    features: int
    kernel_size: tuple[int, int] = (1, 1)
    stride: int = 1
    same: bool = True
    implementation: str = "native"

    @nn.compact
    def __call__(self, x: Float[Array, "batch height width channels"]) -> Array:
        """Returns the activations."""
        shape = (*self.kernel_size, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.he_normal(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        rows, columns = self.kernel_size
        padding = (rows // 2, columns // 2) if self.same else (0, 0)
        outputs = plain_convolution(
            x, kernel, stride=self.stride, padding=padding, implementation=self.implementation
        )
        return nn.relu(outputs + bias)


class Inception(nn.Module):
    """Images of 299x299 to features and logits.

    Attributes:
      implementation: of the convolutions, as in `models.plain_convolution`.
    """

    implementation: str = "native"

    @nn.compact
    def __call__(self, images: Float[Array, "batch 299 299 3"]) -> InceptionFeatures:
        """Returns float32 features and logits.

        Args:
          images: in about [-1, 1], as a resize mode of `evaluation.resize` gives them.
        """
        x = self._unit("Conv2d_1a_3x3", 32, 3, stride=2, same=False)(images)
        x = self._unit("Conv2d_2a_3x3", 32, 3, same=False)(x)
        x = self._unit("Conv2d_2b_3x3", 64, 3)(x)
        x = max_pool(x, 2, same=False)
        first_pool = _mean(x)
        x = self._unit("Conv2d_3b_1x1", 80)(x)
        x = self._unit("Conv2d_4a_3x3", 192, 3, same=False)(x)
        x = max_pool(x, 2, same=False)
        second_pool = _mean(x)
        for block, pool_features in (("5b", 32), ("5c", 64), ("5d", 64)):
            x = self._block_a(f"Mixed_{block}", x, pool_features)
        x = self._block_b("Mixed_6a", x)
        for block, features in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
            x = self._block_c(f"Mixed_{block}", x, features)
        before_last_grid = _mean(x)
        x = self._block_d("Mixed_7a", x)
        x = self._block_e("Mixed_7b", x, average_pool(x))
        x = self._block_e("Mixed_7c", x, max_pool(x, 1, same=True))
        pool3 = _mean(x)
        kernel = self.param("fc.kernel", nn.initializers.lecun_normal(), (2048, NUM_CLASSES))
        bias = self.param("fc.bias", nn.initializers.zeros, (NUM_CLASSES,))
        unbiased = pool3 @ kernel
        return InceptionFeatures(
            first_pool, second_pool, before_last_grid, pool3, unbiased, unbiased + bias
        )

    def _unit(
        self,
        name: str,
        features: int,
        kernel_size: int | tuple[int, int] = 1,
        stride: int = 1,
        same: bool = True,
    ) -> Unit:
        """Returns a unit under its name in the weight file."""
        size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        return Unit(features, size, stride, same, self.implementation, name=name)

    def _chain(self, x: Array, block: str, *layers: tuple) -> Array:
        """Returns x after the layers, each a name in the block and the rest of `_unit`'s."""
        for name, *rest in layers:
            x = self._unit(f"{block}.{name}", *rest)(x)
        return x

    def _block_a(self, block: str, x: Array, pool_features: int) -> Array:
        """Returns 224 + `pool_features` features at 35x35."""
        branches = [
            self._chain(x, block, ("branch1x1", 64)),
            self._chain(x, block, ("branch5x5_1", 48), ("branch5x5_2", 64, 5)),
            self._chain(
                x, block, ("branch3x3dbl_1", 64), ("branch3x3dbl_2", 96, 3),
                ("branch3x3dbl_3", 96, 3),
            ),
            self._chain(average_pool(x), block, ("branch_pool", pool_features)),
        ]  # fmt: skip
        return jnp.concatenate(branches, axis=-1)

    def _block_b(self, block: str, x: Array) -> Array:
        """Returns 768 features, from 35x35 to 17x17."""
        branches = [
            self._chain(x, block, ("branch3x3", 384, 3, 2, False)),
            self._chain(
                x, block, ("branch3x3dbl_1", 64), ("branch3x3dbl_2", 96, 3),
                ("branch3x3dbl_3", 96, 3, 2, False),
            ),
            max_pool(x, 2, same=False),
        ]  # fmt: skip
        return jnp.concatenate(branches, axis=-1)

    def _block_c(self, block: str, x: Array, features: int) -> Array:
        """Returns 768 features at 17x17, with 7x7 convolutions in two parts."""
        row, column = (1, 7), (7, 1)
        branches = [
            self._chain(x, block, ("branch1x1", 192)),
            self._chain(
                x, block, ("branch7x7_1", features), ("branch7x7_2", features, row),
                ("branch7x7_3", 192, column),
            ),
            self._chain(
                x, block, ("branch7x7dbl_1", features), ("branch7x7dbl_2", features, column),
                ("branch7x7dbl_3", features, row), ("branch7x7dbl_4", features, column),
                ("branch7x7dbl_5", 192, row),
            ),
            self._chain(average_pool(x), block, ("branch_pool", 192)),
        ]  # fmt: skip
        return jnp.concatenate(branches, axis=-1)

    def _block_d(self, block: str, x: Array) -> Array:
        """Returns 1280 features, from 17x17 to 8x8."""
        branches = [
            self._chain(x, block, ("branch3x3_1", 192), ("branch3x3_2", 320, 3, 2, False)),
            self._chain(
                x, block, ("branch7x7x3_1", 192), ("branch7x7x3_2", 192, (1, 7)),
                ("branch7x7x3_3", 192, (7, 1)), ("branch7x7x3_4", 192, 3, 2, False),
            ),
            max_pool(x, 2, same=False),
        ]  # fmt: skip
        return jnp.concatenate(branches, axis=-1)

    def _block_e(self, block: str, x: Array, pooled: Array) -> Array:
        """Returns 2048 features at 8x8."""
        single = self._chain(x, block, ("branch3x3_1", 384))
        double = self._chain(x, block, ("branch3x3dbl_1", 448), ("branch3x3dbl_2", 384, 3))
        branches = [
            self._chain(x, block, ("branch1x1", 320)),
            *self._fork(single, block, "branch3x3_2"),
            *self._fork(double, block, "branch3x3dbl_3"),
            self._chain(pooled, block, ("branch_pool", 192)),
        ]
        return jnp.concatenate(branches, axis=-1)

    def _fork(self, x: Array, block: str, name: str) -> list[Array]:
        """Returns the row and the column convolution of one input."""
        sizes = {"a": (1, 3), "b": (3, 1)}
        return [self._chain(x, block, (name + end, 384, size)) for end, size in sizes.items()]


def _mean(x: Array) -> Float[Array, "batch features"]:
    """Returns the mean over positions."""
    return jnp.mean(x, axis=(1, 2))
