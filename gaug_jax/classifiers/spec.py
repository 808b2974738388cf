"""What a fit of classifiers is compiled for."""

import dataclasses

import flax.linen as nn
import jax
import optax
from jaxtyping import PyTree

from gaug_jax.models import convolution, depthwise, plain_convolution
from gaug_jax.models.classifier import Classifier
from gaug_jax.models.pretrained_classifier import PretrainedClassifier, layer_scales
from gaug_jax.models.resnet import ResNet

# Linear models on features that are not fitted to the labels.
LINEAR = ("pixels", "linear", "linear_map")


@dataclasses.dataclass(frozen=True)
class ClassifierSpec:
    """What a fit is compiled for.

    Attributes:
      image_shape: height, width and channels.
      class_names: of the logits, in their order.
      architecture: `cnn`, `resnet` or `pretrained`; of a linear model, which has no network, one
        of `LINEAR`.
      width: features of its first layer; `pretrained` has its own.
      steps: optimiser steps.
      batch_size: images of a step.
      weight_decay: of the kernels.
      augmentation: a policy of `augmentation.POLICIES`.
      flip: whether `classical` may mirror left and right.
      pseudo_label_weight: of the loss on unlabelled images; 0 leaves them out.
      layer_decay: of `pretrained`, as in `models.pretrained_classifier.layer_scales`.
      frozen_statistics: of `pretrained`: leave the batch norms' running statistics as they are.
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
    # Of training alone, and younger than classifiers that are kept: no part of their identity.
    layer_decay: float = dataclasses.field(default=1.0, repr=False)
    frozen_statistics: bool = dataclasses.field(default=False, repr=False)

    @property
    def network(self) -> nn.Module:
        """The network, for this platform."""
        classes = len(self.class_names)
        if self.architecture == "resnet":
            form = plain_convolution.default_implementation(trained=True)
            return ResNet(classes, self.width, form)
        if self.architecture == "pretrained":
            form = depthwise.default_implementation()
            return PretrainedClassifier(classes, form, self.frozen_statistics)
        return Classifier(classes, self.width, implementation=convolution.default_implementation())

    def rate_scales(self, params: PyTree) -> PyTree:
        """Returns what the learning rate of each parameter is multiplied by."""
        if self.architecture == "pretrained":
            return layer_scales(params, self.layer_decay)
        return jax.tree.map(lambda leaf: 1.0, params)

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """AdamW's direction, to be multiplied by the learning rate."""
        decayed = lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params)  # noqa: E731
        return optax.chain(
            optax.scale_by_adam(), optax.add_decayed_weights(self.weight_decay, decayed)
        )
