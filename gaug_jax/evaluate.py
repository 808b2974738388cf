"""Measures generated images against real ones.

    python -m gaug_jax.evaluate --workdir=runs/digits
    python -m gaug_jax.evaluate --workdir=runs/digits --all_checkpoints --features=classifier
    python -m gaug_jax.evaluate --real=my_images --fake=synthetic.npz --image_size=64 \
        --out=fidelity.json

The first two add rows to the work folder's evaluation/metrics.jsonl; the last compares any
two folders of pictures or .npz files (images, perhaps labels). --features=inception, the
default, needs the public weight file of FID's network, which is downloaded once.

Several processes share the work as tasks of SLURM's srun, or as those of gaug_jax.main do.
"""

from absl import flags

from gaug_jax import command_line

_REAL = flags.DEFINE_string("real", None, "Folder of pictures or .npz file of real images.")
_FAKE = flags.DEFINE_string("fake", None, "Folder or .npz file of generated images.")
_OUT = flags.DEFINE_string("out", None, "Where the row of --real and --fake is written (JSON).")
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", None, "Height and width that --real and --fake are brought to.", lower_bound=1
)
_NUM = flags.DEFINE_integer("num", None, "Images to draw; by default at least 1,000.")
_STEP = flags.DEFINE_integer("step", None, "Step of the checkpoint; the latest if left out.")
_ALL = flags.DEFINE_bool("all_checkpoints", False, "Every checkpoint, and a curve over them.")
_SPLIT = flags.DEFINE_enum(
    "reference_split", None, ["train", "validation", "test"],
    "Part to compare with: test, and validation with --all_checkpoints.",
)  # fmt: skip
_FEATURES = flags.DEFINE_string(
    "features", None, "inception, classifier (the work folder's), classifier:PATH, pixels, or "
    "package.module.function. By default config.evaluate.features.",
)  # fmt: skip
_RESIZE = flags.DEFINE_enum(
    "resize", None, ["tf1", "torch", "clean"],
    "For inception: as torch-fidelity, pytorch-fid or clean-fid do it.",
)  # fmt: skip
_SEED = flags.DEFINE_integer("seed", 0, "Of the latents and of every subset that is drawn.")
_INCEPTION = flags.DEFINE_string("inception_weights", None, "File of Inception's weights.")
_LPIPS_WEIGHTS = flags.DEFINE_string("lpips_weights", None, "Folder of LPIPS's two weight files.")
_LPIPS = flags.DEFINE_bool("lpips", False, "Download LPIPS's weights (244 MB) if not found.")
_UNOFFICIAL = flags.DEFINE_bool(
    "allow_unofficial_weights", False, "Take weight files whose hash is not the public one."
)


def main() -> None:
    """Measures."""
    from gaug_jax.pipeline import evaluation
    from gaug_jax.settings import UserError

    command_line.connect_processes()
    options = evaluation.EvaluationOptions(
        _FEATURES.value, _RESIZE.value, _SEED.value, _INCEPTION.value,
        _LPIPS_WEIGHTS.value, _LPIPS.value, _UNOFFICIAL.value,
    )  # fmt: skip
    paths = (_REAL.value, _FAKE.value, _OUT.value)
    if any(paths) == bool(flags.FLAGS.workdir) or (any(paths) and not all(paths)):
        raise UserError("give either --workdir, or all three of --real, --fake and --out")
    for name in ("num", "step", "all_checkpoints", "reference_split"):
        command_line.check_has_effect(name, not all(paths), "--workdir")
    command_line.check_has_effect("image_size", all(paths), "--real, --fake and --out")
    if all(paths):
        evaluation.evaluate_paths(*paths, options, _IMAGE_SIZE.value)
        return
    evaluation.evaluate_generator(
        flags.FLAGS.workdir, command_line.given_config(), num=_NUM.value, step=_STEP.value,
        all_checkpoints=_ALL.value, reference_split=_SPLIT.value, options=options,
    )  # fmt: skip


if __name__ == "__main__":
    command_line.define_config_flag()
    command_line.define_workdir_flag(made=False, required=False)
    command_line.define_process_flags()
    flags.adopt_module_key_flags(command_line)
    command_line.run(main, __doc__)
