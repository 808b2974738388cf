"""The paper's ablation of objectives, each with three seeds, on films and on numerals.

python -m launch.run --sweep=launch/sweeps/objectives.py --root=runs/objectives
python -m launch.collect --root=runs/objectives
"""

from collections.abc import Callable

PRESETS = ("minimax", "wgan_gp", "spectral_norm", "spectral_norm_gp")
PAPER = {
    "xray-spectral_norm": "FID 12% below minimax",
    "xray-spectral_norm_gp": "FID a further 9% lower",
    "bangla-spectral_norm": "FID 12% below minimax",
    "bangla-spectral_norm_gp": "FID a further 9% lower",
}
# So that it ends within two hours on 2 CPU cores.
SMALL = {
    "data.image_size": 32,
    "model.width": 16,
    "train.steps": 1000,
    "train.sample_every": 1000,
    "train.checkpoint_every": 1000,
}


def sweep(add: Callable[..., None]) -> None:
    """Adds every objective, data set and seed."""
    for data in ("xray", "bangla"):
        for preset in PRESETS:
            for seed in (0, 1, 2):
                add(
                    f"{data}-{preset}-{seed}",
                    config=f"configs/{data}_paper.py",
                    evaluate="classifier",
                    **SMALL,
                    **{"objective.preset": preset, "seed": seed},
                )
