"""A classifier's own labels as the target, where it is sure of them."""

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Float

# An image without a label counts where the classifier is so sure of its class (EC-GAN).
_CONFIDENCE = 0.7


def pseudo_label_loss(logits: Float[Array, "batch classes"]) -> Float[Array, ""]:
    """Returns the cross-entropy with the classifier's own labels, where it is sure (0.7).

    EC-GAN (Haque 2021), equation 3: the mean over all images, unsure ones counting 0.
    """
    probabilities = lax.stop_gradient(jax.nn.softmax(logits))
    sure = probabilities.max(axis=1) > _CONFIDENCE
    losses = optax.softmax_cross_entropy_with_integer_labels(
        logits, jnp.argmax(probabilities, axis=1)
    )
    return jnp.mean(jnp.where(sure, losses, 0.0))
