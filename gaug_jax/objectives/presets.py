"""The named objectives: what an unset field of the config follows.

`minimax` is DCGAN's (Radford et al. 2016), `spectral_norm` has the
discriminator of Miyato et al. (2018), `spectral_norm_gp` adds the penalty and
nothing else, `wgan_gp` is that of Gulrajani et al. (2017), `style` is StyleGAN2's (Karras et al.
2020, with the learning rate of its successor for few images), `denoising` EDM's (Karras et al.
2022).
"""

_MINIMAX = {
    "loss": "minimax",
    "gradient_penalty": 0.0,
    "r1": 0.0,
    "spectral_norm": False,
    "discriminator_norm": "batch",
    "critic_steps": 1,
    "learning_rate": 2e-4,
    "beta1": 0.5,
    "beta2": 0.999,
}
_SPECTRAL_NORM = {**_MINIMAX, "spectral_norm": True, "discriminator_norm": "none"}

PRESETS = {
    "minimax": _MINIMAX,
    "spectral_norm": _SPECTRAL_NORM,
    "spectral_norm_gp": {**_SPECTRAL_NORM, "gradient_penalty": 10.0},
    "wgan_gp": {
        **_MINIMAX,
        "loss": "wasserstein",
        "gradient_penalty": 10.0,
        "discriminator_norm": "none",
        "critic_steps": 5,
        "learning_rate": 1e-4,
        "beta1": 0.0,
        "beta2": 0.9,
    },
    # Of a family without a discriminator: of all these it follows the last three.
    "denoising": {**_MINIMAX, "learning_rate": 1e-3, "beta1": 0.9},
    "style": {
        **_MINIMAX,
        "r1": 0.1,
        "discriminator_norm": "none",
        "learning_rate": 2.5e-3,
        "beta1": 0.0,
        "beta2": 0.99,
    },
}
