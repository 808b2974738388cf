"""The ablation of recipes for few images: what each changes in the data's config.

The first four are the paper's own, without a moving average of the generator. Each addition
is made to `spectral_norm` alone; `together` is ema, hinge, differentiable and fast at once, and
with nearest it is the recipe of the configs for few images, which the other families are
measured against.
"""

from configs import recipes

_POLICY = recipes.FEW_IMAGES["augment.policy"]
_PLAIN = {"train.ema_half_life": 0}
_BASE = {"objective.preset": "spectral_norm", **_PLAIN}

_ADDITIONS = {
    "ema": {"train.ema_half_life": 10_000},
    "hinge": {"objective.loss": "hinge"},
    "differentiable": {"augment.policy": _POLICY},
    "adaptive": {"augment.policy": _POLICY, "augment.adaptive": True},
    "r1": {"objective.r1": 1.0, "objective.r1_every": 16},
    "lecam": {"objective.lecam": 0.01},
    "two_rates": {"train.learning_rate": 1e-4, "train.discriminator_learning_rate": 4e-4},
    "label_smoothing": {"objective.label_smoothing": 0.1},
    "fast": {"train.learning_rate": 1e-3, "train.beta1": 0.0},
    "nearest": {"model.upsampling": "nearest"},
    # At 32x32 there are three resolutions: the last is faded in from step 500 on.
    "growing": {"train.growing_steps": 250},
    "attention": {"model.attention": True},
    "residual": {"model.residual": True},
}

_TOGETHER = _BASE | recipes.FEW_IMAGES | {"model.upsampling": "transposed"}

RECIPES = {
    "minimax": {"objective.preset": "minimax", **_PLAIN},
    "spectral_norm": _BASE,
    "wgan_gp": {"objective.preset": "wgan_gp", **_PLAIN},
    "spectral_norm_gp": {"objective.preset": "spectral_norm_gp", **_PLAIN},
    **{f"+ {name}": _BASE | addition for name, addition in _ADDITIONS.items()},
    "together": _TOGETHER,
    **{
        f"together + {name}": _TOGETHER | _ADDITIONS[name]
        for name in ("nearest", "lecam", "attention", "residual")
    },
    **{name: recipes.RECIPES[name] for name in ("projected", "style", "diffusion")},
}
