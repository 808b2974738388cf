"""The datasheet of generated images (Gebru et al. 2021): how made, of what, for what."""

from collections.abc import Mapping, Sequence
from typing import Any

from gaug_jax.synthesis.training_data import TrainingData


def datasheet(
    config: Mapping[str, Any],
    learnt_from: TrainingData,
    counts: Mapping[str, int],
    made: Mapping[str, Any],
    privacy: tuple[Sequence[str], str] = ((), ""),
) -> str:
    """Returns the datasheet in Markdown.

    Args:
      config: of the generator's run.
      learnt_from: its training data.
      counts: generated images of each class.
      made: options of the drawing, and the checkpoint's `step`.
      privacy: sentences of the audit of the generator's images, none where there was none; and
        the guarantee of its private training, or nothing.
    """
    objective, model, train = (config[name] for name in ("objective", "model", "train"))
    lines = [
        "# Datasheet of these generated images",
        "",
        "## What they are",
        "",
        f"{sum(counts.values())} images of {config['data']['image_size']}x"
        f"{config['data']['image_size']} pixels, every one drawn by a generative adversarial "
        "network. None of them is a photograph, a radiograph or the writing of a person.",
        "",
        "| class | images |",
        "| --- | --- |",
        *(f"| {name} | {count} |" for name, count in counts.items()),
        "",
        "## How they were made",
        "",
        f"- Network and objective: DCGAN of width {model['width']}, labels `{model['labels']}`, "
        f"preset `{objective['preset']}`, augmentation `{config['augment']['policy']}`.",
        f"- Checkpoint of step {made['step']:,}, batches of {train['batch_size']}; seed of the "
        f"training {config['seed']}, of the latents {made['seed']}.",
        f"- Latents: {_latents(made['latents'])}.",
        f"- Filter: {_filter(made)}.",
        f"- Made with gaug_jax. {_hash(learnt_from)}",
        "",
        "## What the generator learnt from",
        "",
        f"{_number(learnt_from)} of {learnt_from.source}{_version(learnt_from)}, its training part "
        "alone. Licences of the source's images:",
        "",
        *(_licence(name, count) for name, count in learnt_from.licences),
        "",
        *_forbidding(learnt_from),
        "Whether generated images are bound by those licences is not settled: ask before you "
        "share them further than the originals may be shared.",
        "",
        "## Privacy",
        "",
        *_privacy(*privacy),
        "",
        "## What they are for",
        "",
        "To be added to the training images of a classifier in research, and to study such "
        "generators. Not for diagnosis, not for testing a classifier, and not to stand for a "
        "population: they repeat the bias of the images they come from, and add their own.",
        "",
    ]
    return "\n".join(lines)


def _privacy(audit: Sequence[str], guarantee: str) -> list[str]:
    """Returns what is known of the privacy of these images."""
    lines = [guarantee, ""] if guarantee else []
    if audit:
        return [
            *lines, "An audit of images of the same generator found:", "",
            *(f"- {line}" for line in audit),
        ]  # fmt: skip
    return [
        *lines,
        "A generator that learnt from few images may reproduce them, whole or in part. These "
        "images were not audited (gaug_jax.audit does): treat those of patients as you would "
        "treat the originals.",
    ]


def _latents(choice: Mapping[str, Any]) -> str:
    """Returns how latents were chosen."""
    words = "standard normal"
    if choice["truncation"] is not None:
        words += f", every number within {choice['truncation']:g} of 0"
    if choice["rejection"] > 1:
        words += f", the best of {choice['rejection']} by the discriminator's score"
    return words


def _hash(learnt_from: TrainingData) -> str:
    """Returns how the training data can be told from others."""
    if learnt_from.sha256 is None:
        return "Drawn from the file of a generator."
    return f"SHA-256 of the training data: `{learnt_from.sha256}`."


def _number(learnt_from: TrainingData) -> str:
    """Returns how many images were learnt from, where that is told."""
    return "Images" if learnt_from.num_images is None else f"{learnt_from.num_images} images"


def _licence(name: str, count: int | None) -> str:
    """Returns the line of a licence."""
    return f"- {name}" if count is None else f"- {name}: {count} images"


def _forbidding(learnt_from: TrainingData) -> list[str]:
    """Returns the training images whose licence forbids derivatives."""
    if not learnt_from.forbids_derivatives:
        return []
    names = learnt_from.forbidding
    which = f"{len(names)} of the training images" if names else "some of the training images"
    listed = f" ({', '.join(names)})" if names else ""
    return [
        f"The licences of {which} forbid derivatives{listed}. Train without them by "
        "--config.data.licenses=derivatives.",
        "",
    ]


def _filter(made: Mapping[str, Any]) -> str:
    """Returns what was filtered."""
    if made["filter"] == "none":
        return "none"
    return f"the best {made['keep']:.0%} of each class by `{made['filter']}`"


def _version(learnt_from: TrainingData) -> str:
    """Returns the version of the source in brackets, where it has one."""
    return f" ({learnt_from.version})" if learnt_from.version else ""
