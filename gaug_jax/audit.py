"""Says whether generated images give away the images that were trained on.

    python -m gaug_jax.synthesize --workdir=runs/digits --num=2000
    python -m gaug_jax.audit --workdir=runs/digits

Looks for copies (distances, authenticity, C_T), attacks membership from the generated images alone
and from the discriminator, with a control that must find nothing, and looks for attributes such
as sex. Writes audit/audit.json and the worst pairs as audit/nearest.png. It takes the images of
synthetic/images.npz, of which there must be at least as many as training images, and compares
with real images that were held out. It can find leaks; it cannot prove that there are none.
"""

from absl import flags

from gaug_jax import command_line

_FEATURES_HELP = (
    "inception, classifier:PATH or package.module.function. By default those of "
    "a classifier that is fitted to the generated images alone."
)
_SEED_HELP = "Of the fit, of halves, cells and intervals."


def main() -> None:
    """Audits."""
    from gaug_jax.pipeline.audit import audit

    options = command_line.given_features()
    audit(flags.FLAGS.workdir, command_line.given_config(), options)


if __name__ == "__main__":
    command_line.define_config_flag()
    command_line.define_workdir_flag(made=False)
    command_line.define_feature_flags(None, _FEATURES_HELP, _SEED_HELP)
    flags.adopt_module_key_flags(command_line)
    command_line.run(main, __doc__)
