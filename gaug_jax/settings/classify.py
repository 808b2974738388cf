"""The section `config.classify`."""

import dataclasses
from collections.abc import Sequence

from gaug_jax.errors import UserError
from gaug_jax.settings.checks import above, at_least, not_empty, one_of
from gaug_jax.settings.fields import field

_EVERY_ARM = ("real", "classical", "mixup", "cutout", "cutmix", "augmix", "trivialaugment",
              "oversample", "gan", "gan+classical", "pretrain", "synthetic_only", "gan_shuffled",
              "pseudo_label")  # fmt: skip

ARCHITECTURES = ("pixels", "linear", "linear_map", "cnn", "resnet", "pretrained")
REGIONS = ("whole", "middle", "border")


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
    architecture: str = field(
        "auto",
        "The classifier, the same for all arms: cnn, resnet, pretrained (EfficientNet-Lite0 with "
        "ImageNet's weights, fine-tuned), linear (logistic regression on that network's frozen "
        "features, means over positions), linear_map (the same on its features at a stride of 16, "
        "position by position), pixels (the same on 50 principal components of the pixels), or "
        "auto: the one of `candidates` that is best with real images alone, by cross-validation "
        "of the training parts.",
    )
    candidates: Sequence[str] = field(
        ("pixels", "linear", "linear_map", "cnn"),
        "What `auto` chooses among; of equals the first. On a CPU `pretrained` takes minutes an "
        "arm.",
    )
    width: int = field(32, "Channels of the first layer of cnn and resnet.")
    steps: int | None = field(
        None,
        "Optimiser steps of a network that the search for their number begins with. Unset: 600, "
        "of pretrained 200.",
    )
    step_widenings: int = field(
        2,
        "How often the number of steps may be doubled or halved while that is better on the "
        "validation part, with real images and classical augmentation; it is the same for all "
        "arms of a split and size. 0: `steps` as they are.",
        before=0,
    )
    batch_size: int = field(64, "Images of one optimiser step of a network.")
    weight_decay: float = field(1e-2, "Of a network's kernels.")
    learning_rates: Sequence[float] = field(
        (),
        "The grid that every arm of a network is tuned on, by the validation part. Empty: 0.01 and "
        "0.03, of pretrained 0.001 and 0.003.",
    )
    penalties: Sequence[float] = field(
        (1.0, 3.0, 10.0),
        "The grid of a linear model's penalty, of its squared weights beside the mean loss, by "
        "cross-validation of the training part.",
    )
    widenings: int = field(
        3,
        "How often a grid of learning rates or penalties may widen beyond its edge (by about 3) "
        "while that is best.",
        before=0,
    )
    copies: int = field(
        4, "Augmented copies of each image that a linear model is fitted to, for each of `seeds`."
    )
    layer_decay: float = field(
        1.0,
        "Of pretrained: the learning rate of a block is that of the next one times this; 1: the "
        "same everywhere.",
    )
    frozen_statistics: bool = field(
        False, "Of pretrained: keep the batch norms' statistics as they were published."
    )
    flip: bool = field(False, "Whether the classical arms mirror images.")
    balanced: bool | None = field(
        None,
        "Weigh classes by the inverse of their number of images. Unset: where the training part "
        "has half as many again of one class as of another.",
    )
    ignore_floor: bool = field(
        False,
        "Go on to train generators where the classifiers are below the floor or at chance.",
        may_change=True,
    )
    region: str = field(
        "whole",
        "Named in advance: what of an image the classifiers see: whole, middle (the centre 0.7 of "
        "height and width, resized to the whole) or border (with a black middle).",
    )
    regions: Sequence[str] = field(
        (),
        "Other regions that the arm real and the endpoint's arm are shown in, which says where "
        "what tells the classes apart lies.",
        may_change=True,
    )
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
        "A second test set: a folder of classes or an .npz file (its array `groups`, if any, says "
        "whose each image is), with the same class names.",
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
        for name in ("arms", "train_sizes", "splits", "ratios", "filters", "seeds", "penalties",
                     "candidates", "generator_seeds"):  # fmt: skip
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
        for penalty in self.penalties:
            above("classify.penalties", penalty, 0)
        if self.steps is not None:
            at_least("classify.steps", self.steps, 1)
        for name in ("width", "batch_size", "copies"):
            at_least(f"classify.{name}", getattr(self, name), 1)
        for name in ("widenings", "step_widenings"):
            at_least(f"classify.{name}", getattr(self, name), 0)
        if not 0 < self.layer_decay <= 1:
            raise UserError(
                f"config.classify.layer_decay={self.layer_decay} must be above 0, and 1 or less"
            )
        if not 0 < self.filter_keep <= 1:
            raise UserError(
                f"config.classify.filter_keep={self.filter_keep} is no share: give above 0, up to 1"
            )
        one_of("classify.architecture", self.architecture, ("auto", *ARCHITECTURES))
        for name in self.candidates:
            one_of("classify.candidates", name, ARCHITECTURES)
        one_of("classify.region", self.region, REGIONS)
        for name in self.regions:
            one_of("classify.regions", name, REGIONS)
        for name, among in (("endpoint_size", "train_sizes"), ("endpoint_arm", "arms")):
            value, choices = getattr(self, name), getattr(self, among)
            if value not in choices:
                raise UserError(
                    f"config.classify.{name}={value!r} is not among config.classify.{among}: "
                    f"choose one of {', '.join(map(repr, choices))}"
                )
