"""EC-GAN (Haque 2021): a classifier that is trained along with the networks.

In every step it is fitted to the real images, and by a weight to those generated ones whose
class it is sure of. The generator does not learn from it.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from gaug_jax.gan.networks import Network, new_network, updated_network
from gaug_jax.gan.spec import Spec
from gaug_jax.objectives.pseudo_label import pseudo_label_loss

Images = Float[Array, "batch height width channels"]


def new_classifier(key: Array, spec: Spec) -> Network | None:
    """Returns the classifier before the first step; None where there is none."""
    if spec.classifier is None:
        return None
    variables = spec.classifier.init(key, jnp.zeros((1, *spec.image_shape)), train=False)
    return new_network(variables, spec.classifier_optimizer)


def updated_classifier(
    classifier: Network,
    real: Images,
    labels: Int[Array, " batch"],
    generated: Images,
    spec: Spec,
) -> tuple[Network, dict[str, Float[Array, ""]]]:
    """Returns the classifier after a step, and its loss (equation 2 of the paper).

    Args:
      classifier: before it.
      real: this device's real images, in [-1, 1].
      labels: class of each.
      generated: images in [-1, 1], whose labels are not used.
      spec: of the step.
    """

    def loss_of(params: PyTree) -> tuple[Array, PyTree]:
        variables = {"params": params, "batch_stats": classifier.batch_stats}
        of_real, updates = _logits(spec.classifier, variables, real)
        of_generated, _ = _logits(spec.classifier, variables, generated)
        losses = optax.softmax_cross_entropy_with_integer_labels(of_real, labels)
        loss = jnp.mean(losses) + spec.objective.classifier_weight * pseudo_label_loss(of_generated)
        return loss, updates

    (loss, batch_stats), gradients = jax.value_and_grad(loss_of, has_aux=True)(classifier.params)
    optimizer = spec.classifier_optimizer
    after = updated_network(classifier, gradients, batch_stats, optimizer, spec)
    return after, {"classifier_loss": loss}


def _logits(network: nn.Module, variables: PyTree, images: Images) -> tuple[Array, PyTree]:
    """Returns the logits by the batch's own statistics, and the new running ones."""
    classified, updates = network.apply(variables, images, train=True, mutable=["batch_stats"])
    return classified.logits, updates["batch_stats"]
