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
    "inception, classifier (the work folder's), classifier:PATH, pixels, or "
    "package.module.function. By default config.evaluate.features."
)
_SEED_HELP = "Of the images that are shown, of t-SNE and of UMAP."


def main() -> None:
    """Embeds."""
    from gaug_jax.pipeline import embedding

    options = command_line.given_features()
    embedding.embed(flags.FLAGS.workdir, command_line.given_config(), options)


if __name__ == "__main__":
    command_line.define_config_flag()
    command_line.define_workdir_flag(made=False)
    command_line.define_feature_flags(None, _FEATURES_HELP, _SEED_HELP)
    flags.adopt_module_key_flags(command_line)
    command_line.run(main, __doc__)
