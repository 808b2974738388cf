"""The section `config.objective`."""

import dataclasses

from gaug_jax.settings.checks import above, at_least, fraction, one_of
from gaug_jax.settings.fields import field


@dataclasses.dataclass(frozen=True)
class ObjectiveSettings:
    """What the two networks play for."""

    preset: str = field(
        "minimax",
        "minimax, spectral_norm, spectral_norm_gp, wgan_gp, style or denoising: the values of the "
        "unset fields here and of train.learning_rate, train.beta1 and train.beta2 "
        "(gaug_jax/objectives/presets.py).",
    )
    loss: str | None = field(
        None,
        "minimax (non-saturating), minimax_literal, wasserstein or hinge. Unset: the preset's.",
    )
    gradient_penalty: float | None = field(
        None,
        "Weight of the penalty on gradient norms away from 1, between real and generated images. "
        "Unset: the preset's.",
    )
    r1: float | None = field(
        None,
        "Weight of the penalty on squared gradient norms at real images. Unset: the preset's.",
    )
    spectral_norm: bool | None = field(
        None,
        "Divide each discriminator kernel by its largest singular value. Unset: the preset's.",
    )
    discriminator_norm: str | None = field(None, "batch, group or none. Unset: the preset's.")
    critic_steps: int | None = field(
        None, "Discriminator updates before each generator update. Unset: the preset's."
    )
    r1_every: int = field(
        1,
        "Discriminator updates between those with r1, whose weight is then so many times larger.",
    )
    path_length: float = field(
        0.0,
        "Weight of the penalty on how unevenly a style generator's images change with their styles "
        "(StyleGAN2's path length; 2 in its paper). Made every fourth step.",
    )
    lecam: float = field(
        0.0,
        "Weight of LeCam's penalty: scores of real images near the mean score of generated ones, "
        "and the other way round (0.3 to 0.0001 in its paper).",
    )
    label_smoothing: float = field(
        0.0,
        "By how much the target of real images is below 1 (minimax losses; 0.1 in its paper).",
    )
    classifier_weight: float = field(
        0.0,
        "Train a classifier of the real images beside the generator, and by this weight of the "
        "generated ones that it is sure of (EC-GAN; 0.1 in its paper). 0: none.",
    )
    private: bool = field(
        False,
        "Train the discriminator with differential privacy (DP-SGD): train.batch_size is then the "
        "mean size of batches that are drawn anew for every update, and batch norm becomes group "
        "norm.",
    )
    noise_multiplier: float = field(
        1.0, "Standard deviation of private training's noise, as a multiple of clip_norm."
    )
    clip_norm: float = field(1.0, "Largest norm of one image's gradient in private training.")
    epsilon: float = field(
        10.0,
        "The privacy budget: training ends before epsilon would pass it, at delta = 1 / images.",
        may_change=True,
    )

    def __post_init__(self) -> None:
        for name in ("noise_multiplier", "clip_norm", "epsilon"):
            above(f"objective.{name}", getattr(self, name), 0)
        for name in ("gradient_penalty", "r1"):
            if getattr(self, name) is not None:
                at_least(f"objective.{name}", getattr(self, name), 0)
        at_least("objective.r1_every", self.r1_every, 1)
        for name in ("path_length", "lecam", "classifier_weight"):
            at_least(f"objective.{name}", getattr(self, name), 0)
        fraction("objective.label_smoothing", self.label_smoothing)
        if self.critic_steps is not None:
            at_least("objective.critic_steps", self.critic_steps, 1)
        if self.discriminator_norm is not None:
            one_of(
                "objective.discriminator_norm", self.discriminator_norm, ("batch", "group", "none")
            )
