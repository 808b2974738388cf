"""A classifier on EfficientNet-Lite0, whose parameters may begin with its published weights."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from gaug_jax.models.classifier import Classified
from gaug_jax.models.efficientnet import STAGES, EfficientNetLite0, network_input

# The least height that the network gets: at 32x32 its last features are of one position.
LEAST_HEIGHT = 64
_BLOCKS = sum(stage.blocks for stage in STAGES)


class PretrainedClassifier(nn.Module):
    """Images to features and logits; smaller ones are resized up to 64x64 (bicubic).

    Attributes:
      num_classes: of the logits.
      implementation: as in `models.depthwise`.
      frozen_statistics: normalise by the running statistics in training too.
    """

    num_classes: int
    implementation: str = "native"
    frozen_statistics: bool = False

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channels"], *, train: bool
    ) -> Classified:
        """Returns float32 features and logits.

        Args:
          images: in [-1, 1], square, grey or RGB.
          train: use and update the batch's statistics instead of the running ones.
        """
        if images.shape[1] < LEAST_HEIGHT:
            shape = (len(images), LEAST_HEIGHT, LEAST_HEIGHT, images.shape[3])
            images = jax.image.resize(images, shape, "cubic").clip(-1.0, 1.0)
        network = EfficientNetLite0(
            self.num_classes,
            implementation=self.implementation,
            frozen_statistics=self.frozen_statistics,
            name="network",
        )
        outputs = network(network_input((images + 1.0) * 127.5), train=train)
        return Classified(outputs.features, outputs.logits)


def started(variables: PyTree, published: PyTree) -> PyTree:
    """Returns the variables of a `PretrainedClassifier` with published ones but for the classifier.

    Args:
      variables: `params` and `batch_stats`, as they were drawn.
      published: those of `EfficientNetLite0`, of any classes or none.
    """
    params = {**published["params"], "classifier": variables["params"]["network"]["classifier"]}
    return {
        "params": {"network": params},
        "batch_stats": {"network": published["batch_stats"]},
    }


def layer_scales(params: PyTree, decay: float) -> PyTree:
    """Returns what the learning rate of each parameter is multiplied by: less the earlier it is.

    The classifier's is 1, the head's `decay`, the last block's its square, and so on to the stem
    (layer-wise decay, as Clark et al. 2020 fine-tune with).

    Args:
      params: of a `PretrainedClassifier`.
      decay: in (0, 1]; 1 for the same rate everywhere.
    """

    def scale(path: tuple, leaf: Array) -> Array:
        name = path[1].key
        if name == "classifier":
            below = 0
        elif name == "head":
            below = 1
        else:
            place = -1 if name == "stem" else int(name.split(".")[0].removeprefix("block"))
            below = 1 + _BLOCKS - place
        return jnp.float32(decay**below)

    return jax.tree_util.tree_map_with_path(scale, params)
