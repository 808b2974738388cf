"""What a fit of classifiers is compiled for."""

import dataclasses

import flax.linen as nn
import jax
import optax

from gaug_jax.models.classifier import Classifier
from gaug_jax.models.convolution import default_implementation
from gaug_jax.models.plain_convolution import default_implementation as plain_implementation
from gaug_jax.models.resnet import ResNet

ARCHITECTURES = ("cnn", "resnet")


@dataclasses.dataclass(frozen=True)
class ClassifierSpec:
    """What a fit is compiled for.

    Attributes:
      image_shape: height, width and channels.
      class_names: of the logits, in their order.
      architecture: `cnn` or `resnet`.
      width: features of its first layer.
      steps: optimiser steps.
      batch_size: images of a step.
      weight_decay: of the kernels.
      augmentation: a policy of `augmentation.POLICIES`.
      flip: whether `classical` may mirror left and right.
      pseudo_label_weight: of the loss on unlabelled images; 0 leaves them out.
    """

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    architecture: str = "cnn"
    width: int = 32
    steps: int = 600
    batch_size: int = 64
    weight_decay: float = 1e-2
    augmentation: str = "classical"
    flip: bool = False
    pseudo_label_weight: float = 0.0

    @property
    def network(self) -> nn.Module:
        """The network, for this platform."""
        if self.architecture == "resnet":
            implementation = plain_implementation(trained=True)
            return ResNet(len(self.class_names), self.width, implementation)
        return Classifier(
            len(self.class_names), self.width, implementation=default_implementation()
        )

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """AdamW's direction, to be multiplied by the learning rate."""
        decayed = lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params)  # noqa: E731
        return optax.chain(
            optax.scale_by_adam(), optax.add_decayed_weights(self.weight_decay, decayed)
        )
