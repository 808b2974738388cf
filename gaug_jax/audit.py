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
    "inception, pretrained, classifier:PATH or package.module.function. By default those of "
    "a classifier that is fitted to the generated images alone."
)
_SEED_HELP = "Of the fit, of halves, cells and intervals."


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    command_line.define_config_flag(given)
    command_line.define_workdir_flag(given, made=False)
    command_line.define_feature_flags(given, None, _FEATURES_HELP, _SEED_HELP)


def main(given: flags.FlagValues) -> None:
    """Audits."""
    from gaug_jax.stages.audit import audit
    from gaug_jax.stages.opened import open_trained

    options = command_line.given_features(given)
    audit(open_trained(given.workdir, command_line.given_settings(given)), options)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
