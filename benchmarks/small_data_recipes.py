"""The ablation of recipes for few images: what each changes in the data's config.

The first four are the paper's own. Each addition is made to `spectral_norm` alone, and
those of `together` at once.
"""

_POLICY = "brightness,contrast,translation,cutout"
_BASE = {"objective.preset": "spectral_norm"}

_ADDITIONS = {
    "hinge": {"objective.loss": "hinge"},
    "differentiable": {"augment.policy": _POLICY},
    "adaptive": {"augment.policy": _POLICY, "augment.adaptive": True},
    "r1": {"objective.r1": 1.0, "objective.r1_every": 16},
    "lecam": {"objective.lecam": 0.01},
    "two_rates": {"train.learning_rate": 1e-4, "train.discriminator_learning_rate": 4e-4},
    "label_smoothing": {"objective.label_smoothing": 0.1},
    "fast": {"train.learning_rate": 1e-3, "train.beta1": 0.0},
}

_TOGETHER = ("hinge", "differentiable", "fast", "lecam")

RECIPES = {
    "minimax": {"objective.preset": "minimax"},
    "spectral_norm": _BASE,
    "wgan_gp": {"objective.preset": "wgan_gp"},
    "spectral_norm_gp": {"objective.preset": "spectral_norm_gp"},
    **{f"+ {name}": {**_BASE, **change} for name, change in _ADDITIONS.items()},
    "+ together": _BASE | {k: v for name in _TOGETHER for k, v in _ADDITIONS[name].items()},
}
