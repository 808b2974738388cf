"""The section `config.train`."""

import dataclasses

from gaug_jax.settings.checks import above, at_least, fraction, one_of
from gaug_jax.settings.fields import field


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """The run."""

    epochs: int = field(
        300,
        "Passes of the discriminators over the training part; all generators of per_class "
        "together.",
        may_change=True,
    )
    steps: int | None = field(
        None, "Generator updates instead of epochs. Unset: epochs counts.", may_change=True
    )
    batch_size: int = field(
        32,
        "Images of one discriminator update, over all devices (per_class: of each class's).",
    )
    learning_rate: float | None = field(None, "Adam's, of both networks. Unset: the preset's.")
    beta1: float | None = field(None, "Adam's decay of the mean gradient. Unset: the preset's.")
    beta2: float | None = field(
        None, "Adam's decay of the mean squared gradient. Unset: the preset's."
    )
    ema_half_life: float = field(
        10_000.0,
        "Images after which the moving average of the generator has forgotten half (0: no "
        "average).",
    )
    ema_ramp_up: float = field(
        0.05,
        "How fast the moving average's half-life grows at the start, as a share of the images "
        "seen.",
    )
    precision: str = field(
        "float32", "float32, or bfloat16 for activations (parameters and losses stay float32)."
    )
    classes_at_once: int = field(
        0,
        "per_class: generators computed at once; the others wait for their turn. 0: all.",
        may_change=True,
    )
    resident_megabytes: int = field(
        2_000,
        "A training set above this many megabytes streams from the host.",
        may_change=True,
    )
    log_every: int = field(20, "Steps between rows of metrics.jsonl.", may_change=True)
    sample_every: int = field(500, "Steps between pictures of samples.", may_change=True)
    checkpoint_every: int = field(500, "Steps between checkpoints.", may_change=True)
    keep_last: int = field(3, "The latest checkpoints that are kept.", may_change=True)
    keep_best: int = field(
        1, "The best checkpoints by the validation score that are kept.", may_change=True
    )
    on_divergence: str = field(
        "stop",
        "stop, or rollback: back to the last good checkpoint with a new key.",
        may_change=True,
    )
    max_rollbacks: int = field(
        3, "After so many times back, a run that diverges ends.", may_change=True
    )
    divergence_limit: float = field(
        1e6, "A loss whose size passes this has diverged.", may_change=True
    )
    patience: int = field(
        0,
        "Scores (evaluate.every) without a better kid_mean, after which training ends. 0: never.",
        may_change=True,
    )
    discriminator_learning_rate: float | None = field(
        None, "Adam's, of the discriminator. Unset: learning_rate."
    )
    growing_steps: int = field(
        0,
        "Steps at each resolution, from 8x8 on; in the first half of them the new one is faded in "
        "(progressive growing). 0: the full resolution from the start.",
    )
    classifier_learning_rate: float = field(
        1e-3, "Adam's, of the classifier that objective.classifier_weight trains."
    )

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "log_every", "sample_every", "checkpoint_every"):
            at_least(f"train.{name}", getattr(self, name), 1)
        if self.steps is not None:
            at_least("train.steps", self.steps, 1)
        for name in ("learning_rate", "discriminator_learning_rate"):
            if getattr(self, name) is not None:
                above(f"train.{name}", getattr(self, name), 0)
        above("train.classifier_learning_rate", self.classifier_learning_rate, 0)
        for name in ("beta1", "beta2"):
            if getattr(self, name) is not None:
                fraction(f"train.{name}", getattr(self, name))
        at_least("train.ema_half_life", self.ema_half_life, 0)
        above("train.ema_ramp_up", self.ema_ramp_up, 0)
        one_of("train.precision", self.precision, ("float32", "bfloat16"))
        at_least("train.keep_last", self.keep_last, 1)
        for name in ("classes_at_once", "resident_megabytes", "keep_best", "max_rollbacks",
                     "patience", "growing_steps"):  # fmt: skip
            at_least(f"train.{name}", getattr(self, name), 0)
        one_of("train.on_divergence", self.on_divergence, ("stop", "rollback"))
        above("train.divergence_limit", self.divergence_limit, 0)
