"""Measures generated images against real ones.

    python -m gaug_jax.evaluate --workdir=runs/digits
    python -m gaug_jax.evaluate --workdir=runs/digits --all_checkpoints --features=classifier
    python -m gaug_jax.evaluate --real=my_images --fake=synthetic.npz --image_size=64 \\
        --out=fidelity.json

The first two add rows to the work folder's evaluation/metrics.jsonl; the last compares any
two folders of pictures or .npz files (images, perhaps labels). --features=inception needs the
public weight file of FID's network, which is downloaded once. Where no features are chosen, it is
taken if the file is there already, and else --features=pretrained, which needs no download.

Several processes share the work as tasks of SLURM's srun, or as those of gaug_jax.main do.
"""

from absl import flags

from gaug_jax import command_line

_FEATURES_HELP = (
    "inception, pretrained, classifier (the work folder's), classifier:PATH, pixels, or "
    "package.module.function. By default config.evaluate.features."
)
_SEED_HELP = "Of the latents and of every subset that is drawn."


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    command_line.define_config_flag(given)
    command_line.define_workdir_flag(given, made=False, required=False)
    command_line.define_process_flags(given)
    command_line.define_feature_flags(given, None, _FEATURES_HELP, _SEED_HELP)
    for name, text in {
        "real": "Folder of pictures or .npz file of real images.",
        "fake": "Folder or .npz file of generated images.",
        "out": "Where the row of --real and --fake is written (JSON).",
        "lpips_weights": "Folder of LPIPS's two weight files.",
    }.items():
        flags.DEFINE_string(name, None, text, flag_values=given)
    for name, text in {
        "image_size": "Height and width that --real and --fake are brought to.",
        "num": "Images to draw; by default at least 1,000.",
        "step": "Step of the checkpoint; the latest if left out.",
    }.items():
        least = 1 if name == "image_size" else None
        flags.DEFINE_integer(name, None, text, lower_bound=least, flag_values=given)
    for name, text in {
        "all_checkpoints": "Every checkpoint, and a curve over them.",
        "lpips": "Download LPIPS's weights (244 MB) if not found.",
        "allow_unofficial_weights": "Take weight files whose hash is not the public one.",
    }.items():
        flags.DEFINE_bool(name, False, text, flag_values=given)
    for name, choices, text in (
        ("reference_split", ["train", "validation", "test"],
         "Part to compare with: test, and validation with --all_checkpoints."),
        ("image_resize", ["stretch", "pad"],
         "How --image_size makes pictures square, as config.data.resize: by default stretch."),
        ("resize", ["tf1", "torch", "clean"],
         "For inception: as torch-fidelity, pytorch-fid or clean-fid do it."),
    ):  # fmt: skip
        flags.DEFINE_enum(name, None, choices, text, flag_values=given)


def main(given: flags.FlagValues) -> None:
    """Measures."""
    from gaug_jax.errors import UserError
    from gaug_jax.evaluation.image_sets import Form
    from gaug_jax.stages.evaluate import (
        EvaluationOptions,
        Measured,
        evaluate_generator,
        evaluate_paths,
    )
    from gaug_jax.stages.opened import open_trained

    command_line.connect_processes(given)
    options = EvaluationOptions(
        given.features, given.resize, given.seed, given.inception_weights, given.lpips_weights,
        given.lpips, given.allow_unofficial_weights,
    )  # fmt: skip
    paths = (given.real, given.fake, given.out)
    if any(paths) == bool(given.workdir) or (any(paths) and not all(paths)):
        raise UserError("give either --workdir, or all three of --real, --fake and --out")
    for name in ("num", "step", "all_checkpoints", "reference_split"):
        command_line.check_has_effect(given, name, not all(paths), "--workdir")
    command_line.check_has_effect(given, "image_size", all(paths), "--real, --fake and --out")
    command_line.check_has_effect(given, "image_resize", bool(given.image_size), "--image_size")
    if all(paths):
        evaluate_paths(*paths, options, Form(given.image_size, given.image_resize or "stretch"))
        return
    measured = Measured(given.num, given.step, given.all_checkpoints, given.reference_split)
    opened = open_trained(given.workdir, command_line.given_settings(given))
    evaluate_generator(opened, measured, options)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
