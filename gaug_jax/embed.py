"""Shows real and generated images beside one another in a plane.

    python -m gaug_jax.embed --workdir=runs/digits --features=classifier

Writes embedding/pca, tsne and umap as pictures and as .npz files, and embedding/overlap.json:
how far generated images mix with the training and with the test part; and training_map.png,
samples of many steps and what the discriminators of the checkpoints make of them. Images are
those of synthetic/images.npz, which is drawn where it is absent.
"""

from absl import flags

from gaug_jax import command_line

_FEATURES = flags.DEFINE_string(
    "features", None, "inception, classifier (the work folder's), classifier:PATH, pixels, or "
    "package.module.function. By default config.evaluate.features.",
)  # fmt: skip
_SEED = flags.DEFINE_integer("seed", 0, "Of the images that are shown, of t-SNE and of UMAP.")
_INCEPTION = flags.DEFINE_string("inception_weights", None, "File of Inception's weights.")


def main() -> None:
    """Embeds."""
    from gaug_jax.pipeline import embedding
    from gaug_jax.pipeline.evaluation import EvaluationOptions

    options = EvaluationOptions(_FEATURES.value, None, _SEED.value, _INCEPTION.value)
    embedding.embed(flags.FLAGS.workdir, command_line.given_config(), options)


if __name__ == "__main__":
    command_line.define_config_flag()
    command_line.define_workdir_flag()
    flags.adopt_module_key_flags(command_line)
    command_line.run(main, __doc__)
