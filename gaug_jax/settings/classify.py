"""The section `config.classify`."""

import dataclasses
from collections.abc import Sequence

from gaug_jax.errors import UserError
from gaug_jax.settings.checks import above, at_least, not_empty, one_of
from gaug_jax.settings.fields import field

_EVERY_ARM = ("real", "classical", "mixup", "cutout", "cutmix", "augmix", "trivialaugment",
              "oversample", "gan", "gan+classical", "pretrain", "synthetic_only", "gan_shuffled",
              "pseudo_label")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class ClassifySettings:
    """The downstream study: what its arms are trained on, and what is compared."""

    arms: Sequence[str] = field(
        _EVERY_ARM,
        "Arms (gaug_jax/downstream/arms.py); those with generated images train their generators.",
        may_change=True,
    )
    train_sizes: Sequence[int] = field(
        (0,), "Training sizes, each a data.train_size (0: all).", may_change=True
    )
    splits: Sequence[int] = field(
        (0,),
        "Splits: s is fold s % data.num_folds of the partition of seed data.split_seed + "
        "s // data.num_folds, so numbers from data.num_folds on repeat the folds of other "
        "partitions. Without folds s is the split of seed data.split_seed + s.",
        may_change=True,
    )
    ratios: Sequence[float] = field(
        (0.5, 1.0, 2.0), "Generated images as a multiple of the real ones.", may_change=True
    )
    reference_ratio: float = field(
        1.0,
        "The ratio of arms with generated images other than gan, gan_balanced and these with "
        "+classical; they take no filter.",
    )
    filters: Sequence[str] = field(
        ("none",),
        "Filters of generated images: none, discriminator, agreement, density, copies.",
        may_change=True,
    )
    filter_keep: float = field(0.5, "Share of each class that a filter keeps.")
    generator_seeds: Sequence[int] = field((0,), "Seeds of the generators.", may_change=True)
    seeds: Sequence[int] = field(
        (0, 1, 2), "Seeds of the classifiers of each arm and generator.", may_change=True
    )
    architecture: str = field("cnn", "The classifier: cnn or resnet, the same for all arms.")
    width: int = field(32, "Channels of the classifier's first layer.")
    steps: int = field(600, "Optimiser steps of a classifier, the same for all arms.")
    batch_size: int = field(64, "Images of one optimiser step of a classifier.")
    weight_decay: float = field(1e-2, "Of the classifier's kernels.")
    learning_rates: Sequence[float] = field(
        (1e-2, 3e-2), "The grid that every arm is tuned on, by the validation part."
    )
    flip: bool = field(False, "Whether the classical arms mirror images.")
    balanced: bool = field(False, "Weigh classes by the inverse of their number of images.")
    pseudo_label_weight: float = field(0.1, "Weight of pseudo-labels in their arm's loss.")
    endpoint: str = field(
        "accuracy",
        "Named in advance: the figure that answers the question (accuracy, macro_f1, auroc, "
        "auroc_mean_over_splits or sensitivity_at_90_specificity).",
    )
    endpoint_size: int = field(
        0, "Named in advance: the training size that answers the question.", may_change=True
    )
    endpoint_arm: str = field(
        "gan+classical",
        "Named in advance: the arm that answers the question, against the best arm without a GAN.",
        may_change=True,
    )
    positive_class: str | None = field(
        None, "Of two classes, the one that sensitivity is of. Unset: the second."
    )
    external: str | None = field(
        None,
        "A second test set: a folder of classes or an .npz file, with the same class names.",
        may_change=True,
    )
    shortcut: str | None = field(
        None,
        "A field of the data's metadata that may give the class away (view, location); its own "
        "figure is reported beside the arms'.",
        may_change=True,
    )
    paper: Sequence[tuple[str, str, float]] = field(
        (), "What the paper reports, as (arm, figure, value).", may_change=True
    )

    def __post_init__(self) -> None:
        for name in ("arms", "train_sizes", "splits", "ratios", "filters", "seeds",
                     "learning_rates", "generator_seeds"):  # fmt: skip
            not_empty(f"classify.{name}", getattr(self, name))
        for ratio in (*self.ratios, self.reference_ratio):
            above("classify.ratios", ratio, 0)
        for size in self.train_sizes:
            at_least("classify.train_sizes", size, 0)
        for name in ("splits", "seeds", "generator_seeds"):
            for number in getattr(self, name):
                at_least(f"classify.{name}", number, 0)
        for rate in self.learning_rates:
            above("classify.learning_rates", rate, 0)
        for name in ("width", "steps", "batch_size"):
            at_least(f"classify.{name}", getattr(self, name), 1)
        if not 0 < self.filter_keep <= 1:
            raise UserError(
                f"config.classify.filter_keep={self.filter_keep} is no share: give above 0, up to 1"
            )
        one_of("classify.architecture", self.architecture, ("cnn", "resnet"))
        for name, among in (("endpoint_size", "train_sizes"), ("endpoint_arm", "arms")):
            value, choices = getattr(self, name), getattr(self, among)
            if value not in choices:
                raise UserError(
                    f"config.classify.{name}={value!r} is not among config.classify.{among}: "
                    f"choose one of {', '.join(map(repr, choices))}"
                )
