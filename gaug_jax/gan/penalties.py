"""What is added to the discriminator's loss, each by its weight in the spec."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from gaug_jax.gan.feedback import Feedback
from gaug_jax.gan.spec import Spec
from gaug_jax.objectives.gradient_penalty import Critic, gradient_penalty
from gaug_jax.objectives.lecam import lecam_penalty
from gaug_jax.objectives.r1 import r1_penalty

Images = Float[Array, "batch height width channels"]
Scores = Float[Array, " batch"]


def penalties(
    critic: Critic,
    images: tuple[Images, Images],
    scores: tuple[Scores, Scores],
    mixing: Scores,
    feedback: Feedback,
    r1_due: Bool[Array, ""],
    spec: Spec,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Returns the weighted sum of the penalties in use, and each of them unweighted.

    Args:
      critic: scores images, each on its own.
      images: real and generated ones, as the discriminator sees them.
      scores: of the two.
      mixing: each pair's weight of the real image in the gradient penalty.
      feedback: of the updates before.
      r1_due: whether a lazy R1 is made now.
      spec: of the step.
    """
    found = {}
    if spec.objective.gradient_penalty:
        found["gradient_penalty"] = gradient_penalty(critic, *images, mixing)
    if spec.objective.r1:
        found["r1"] = _lazily(
            lambda: r1_penalty(critic, images[0]), r1_due, spec.objective.r1_every
        )
    if spec.objective.lecam:
        found["lecam"] = lecam_penalty(*scores, feedback.mean_real, feedback.mean_fake)
    weighted = [getattr(spec.objective, name) * value for name, value in found.items()]
    return sum(weighted, start=jnp.zeros(())), found


def _lazily(
    penalty: Callable[[], Float[Array, ""]], due: Bool[Array, ""], every: int
) -> Float[Array, ""]:
    """Returns the penalty times `every` where it is due and 0 elsewhere: the same on average.

    StyleGAN2's lazy regularisation (Karras et al. 2020, appendix B), without its change of
    Adam's constants.
    """
    if every == 1:
        return penalty()
    return lax.cond(due, lambda: every * penalty(), lambda: jnp.zeros(()))
