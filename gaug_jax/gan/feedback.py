"""What a run remembers of the discriminator's scores, to steer itself by."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from gaug_jax.augmentation.adaptive import mean_sign, next_probability
from gaug_jax.gan.across_devices import device_mean
from gaug_jax.gan.spec import Spec

# LeCam's averages move by a hundredth an update (the paper's decay of 0.99).
_SLOWEST = 0.01


class Feedback(NamedTuple):
    """Moving averages of scores, and what follows from them; None where it is not in use.

    Attributes:
      mean_real: of scores of real images.
      mean_fake: of scores of generated images.
      sign: of the signs of scores of real images.
      probability: of each transform, in [0, 1].
      path_length: of the lengths that the path length penalty evens out.
    """

    mean_real: Float[Array, ""] | None = None
    mean_fake: Float[Array, ""] | None = None
    sign: Float[Array, ""] | None = None
    probability: Float[Array, ""] | None = None
    path_length: Float[Array, ""] | None = None


def new_feedback(spec: Spec) -> Feedback:
    """Returns what is remembered before the first step: nothing, and no augmentation."""
    zero = lambda in_use: jnp.zeros(()) if in_use else None  # noqa: E731
    adaptive, lecam = spec.augment.adaptive, spec.objective.lecam
    lengths = zero(spec.objective.path_length)
    return Feedback(zero(lecam), zero(lecam), zero(adaptive), zero(adaptive), lengths)


def updated(
    feedback: Feedback,
    real_scores: Float[Array, " batch"],
    fake_scores: Float[Array, " batch"],
    update: Int[Array, ""],
    spec: Spec,
) -> Feedback:
    """Returns the feedback after a discriminator update.

    Args:
      feedback: before it.
      real_scores: of this device's real images.
      fake_scores: of its generated images.
      update: discriminator updates before this one.
      spec: of the step.
    """
    if spec.objective.lecam:
        # At first the plain mean, so that the start at 0 is forgotten.
        share = jnp.maximum(_SLOWEST, 1.0 / (update + 1.0))
        means = device_mean((jnp.mean(real_scores), jnp.mean(fake_scores)), spec)
        before = (feedback.mean_real, feedback.mean_fake)
        moved = [old + share * (new - old) for old, new in zip(before, means, strict=True)]
        feedback = feedback._replace(mean_real=moved[0], mean_fake=moved[1])
    if spec.augment.adaptive:
        found = device_mean(jnp.mean(jnp.sign(real_scores)), spec)
        sign = mean_sign(feedback.sign, found, update == 0)
        probability = next_probability(
            feedback.probability,
            sign,
            target=spec.augment.target,
            most=spec.augment.probability,
            images=spec.train.batch_size,
            adaptation_images=spec.augment.adaptation_images,
        )
        feedback = feedback._replace(sign=sign, probability=probability)
    return lax.stop_gradient(feedback)
