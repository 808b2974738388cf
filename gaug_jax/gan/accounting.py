"""How much of the privacy budget is spent: epsilon of so many private updates."""

import dataclasses
import functools

from gaug_jax.errors import UserError


@dataclasses.dataclass(frozen=True)
class PrivacyAccountant:
    """Counts the updates of one run.

    The guarantee is for one image that is or is not among the training images: every image is
    drawn for an update with one probability, independently (Poisson sampling), and the privacy
    loss distribution of the subsampled Gaussian mechanism is composed numerically
    (dp-accounting's `PLDAccountant`; Koskela et al. 2020).

    Attributes:
      noise_multiplier: of the gradients.
      sampling_probability: of an image for one update.
      updates_per_step: discriminator updates of a step.
      delta: 1 / images.
    """

    noise_multiplier: float
    sampling_probability: float
    updates_per_step: int
    delta: float

    def spent(self, steps: int) -> dict[str, float]:
        """Returns `epsilon` and `delta` of so many steps."""
        updates = steps * self.updates_per_step
        epsilon = _epsilon(self.noise_multiplier, self.sampling_probability, updates, self.delta)
        return {"epsilon": epsilon, "delta": self.delta}

    def steps_within(self, budget: float, most: int) -> int:
        """Returns how many steps, up to `most`, keep epsilon within a budget."""
        if self.spent(most)["epsilon"] <= budget:
            return most
        enough, too_many = 0, most
        while too_many - enough > 1:
            middle = (enough + too_many) // 2
            if self.spent(middle)["epsilon"] <= budget:
                enough = middle
            else:
                too_many = middle
        return enough


@functools.lru_cache(maxsize=4096)
def _epsilon(
    noise_multiplier: float, sampling_probability: float, updates: int, delta: float
) -> float:
    """Returns epsilon of so many updates.

    Raises:
      UserError: the library is not installed.
    """
    if not updates:
        return 0.0
    try:
        import dp_accounting
        from dp_accounting.pld import PLDAccountant
    except ImportError:
        raise UserError(
            'config.objective.private=True needs dp-accounting: pip install -e ".[private]"'
        ) from None
    update = dp_accounting.PoissonSampledDpEvent(
        sampling_probability, dp_accounting.GaussianDpEvent(noise_multiplier)
    )
    accountant = PLDAccountant()
    accountant.compose(dp_accounting.SelfComposedDpEvent(update, updates))
    return float(accountant.get_epsilon(delta))
