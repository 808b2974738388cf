"""The section `config.evaluate`."""

import dataclasses

from gaug_jax.settings.checks import at_least, one_of
from gaug_jax.settings.fields import field


@dataclasses.dataclass(frozen=True)
class EvaluateSettings:
    """How generators are measured, by gaug_jax.evaluate and while they train."""

    features: str = field(
        "",
        "inception, pretrained (EfficientNet-Lite0 of ImageNet, no download), classifier (fitted "
        "to the real training part), classifier:PATH, pixels, or a function of yours as "
        "package.module.function. Empty: inception where its weight file is on this machine, else "
        "pretrained.",
        may_change=True,
    )
    resize: str = field(
        "tf1",
        "For inception: tf1 (as torch-fidelity), torch (pytorch-fid) or clean (clean-fid).",
        may_change=True,
    )
    every: int = field(
        0,
        "Steps between scores while training (KID, precision and recall against the validation "
        "part; the best checkpoints by KID are kept). 0: none.",
        may_change=True,
    )
    training_features: str = field(
        "classifier",
        "Features of the scores while training: classifier, or pixels (as one class alone has).",
        may_change=True,
    )

    def __post_init__(self) -> None:
        one_of("evaluate.resize", self.resize, ("tf1", "torch", "clean"))
        one_of("evaluate.training_features", self.training_features, ("classifier", "pixels"))
        at_least("evaluate.every", self.every, 0)
