"""Shows real and generated images beside one another in a plane.

    python -m gaug_jax.embed --workdir=runs/digits --features=classifier

Writes embedding/pca, tsne and umap as pictures and as .npz files, and embedding/overlap.json:
how far generated images mix with the training and with the test part; and training_map.png,
samples of many steps and what the discriminators of the checkpoints make of them. Images are
those of synthetic/images.npz, which is drawn where it is absent.
"""

from absl import flags

from gaug_jax import command_line

_FEATURES_HELP = (
    "inception, pretrained, classifier (the work folder's), classifier:PATH, pixels, or "
    "package.module.function. By default config.evaluate.features."
)
_SEED_HELP = "Of the images that are shown, of t-SNE and of UMAP."


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    command_line.define_config_flag(given)
    command_line.define_workdir_flag(given, made=False)
    command_line.define_feature_flags(given, None, _FEATURES_HELP, _SEED_HELP)


def main(given: flags.FlagValues) -> None:
    """Embeds."""
    from gaug_jax.stages.embed import embed
    from gaug_jax.stages.opened import open_trained

    options = command_line.given_features(given)
    embed(open_trained(given.workdir, command_line.given_settings(given)), options)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
