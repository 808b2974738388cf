"""Stage 3's result: synthetic images from a work folder's checkpoint."""

import dataclasses
import math
from typing import Any

import numpy as np

from gaug_jax.auditing.words import privacy_sentence, sentences
from gaug_jax.data.labelled import Labelled
from gaug_jax.data.splits import TRAIN
from gaug_jax.errors import UserError
from gaug_jax.evaluation.domain_classifier import domain_classifier
from gaug_jax.files import atomic_file, read_json, write_json
from gaug_jax.stages.opened import Opened
from gaug_jax.synthesis import export, filters
from gaug_jax.synthesis.datasheet import datasheet
from gaug_jax.synthesis.drawing import (
    SyntheticImages,
    TrainedGenerator,
    draw_images,
    images_per_class,
)
from gaug_jax.synthesis.latents import EVERY_LATENT, LatentChoice
from gaug_jax.synthesis.pool import scored_images, seen_by_network
from gaug_jax.workfolder import WorkFolder


@dataclasses.dataclass(frozen=True)
class DrawingOptions:
    """What is drawn.

    Attributes:
      num: images in all, or of each class.
      per_class: `num` images of each class; else in the training images' proportions.
      seed: of the latents.
      step: of the checkpoint; None for the latest.
      filter: of `synthesis.filters`, `none` for no filter.
      keep: share of each class that the filter keeps; so many more are drawn.
      filter_scores: store every filter's score of every image.
      latents: which of them images are drawn from.
    """

    num: int
    per_class: bool = False
    seed: int = 0
    step: int | None = None
    filter: str = "none"
    keep: float = 1.0
    filter_scores: bool = False
    latents: LatentChoice = EVERY_LATENT

    @property
    def scored(self) -> bool:
        """Whether the real training part is needed."""
        return self.filter_scores or self.filter != "none"


def synthesize(opened: Opened, options: DrawingOptions, file_format: str) -> None:
    """Draws synthetic images from a work folder's checkpoint into its `synthetic/`.

    Args:
      opened: work folder of a run of training.
      options: what is drawn.
      file_format: `npz`, `png` or `tfds`; the last two with a datasheet.

    Raises:
      UserError: the work folder has no such checkpoint, the counts cannot be met, or a
        filter has no classes or no data to go by.
    """
    if options.num < 1:
        raise UserError(f"--num={options.num}: give 1 or more")
    if not 0 < options.keep <= 1:
        raise UserError(f"--keep={options.keep}: give a share above 0, up to 1")
    folder = opened.folder
    generator = opened.generator(options.step)
    wanted = {**dataclasses.asdict(options), "step": generator.step}
    counts = images_per_class(generator, options.num, options.per_class)
    text = "" if file_format == "npz" else _datasheet(folder, generator, counts, wanted)
    finished = folder.synthetic_finished(file_format)
    written = folder.synthetic_output(file_format)
    if written.exists() and finished.exists() and read_json(finished) == wanted:
        print(f"{folder.synthetic} holds these images already: nothing to do")
    else:
        drawn, scores = _drawn(opened, generator, counts, options)
        finished.unlink(missing_ok=True)
        if file_format == "npz":
            export.write_npz(folder, drawn, generator.class_names, scores)
        elif file_format == "png":
            export.write_pictures(folder, drawn, generator.class_names)
        else:
            export.write_tfds(folder, drawn, generator.class_names, text)
        write_json(finished, wanted)
        print(f"{len(drawn.images)} images of step {generator.step} are in {folder.synthetic}")
    if text:  # Anew each time: an audit may have been made since.
        with atomic_file(folder.datasheet(file_format), "w") as file:
            file.write(text)


def _datasheet(
    folder: WorkFolder, generator: TrainedGenerator, counts: list[int], made: dict[str, Any]
) -> str:
    """Returns the text that goes with images for other tools."""
    names = generator.class_names if generator.labelled else ("unlabelled",)
    config, manifest = read_json(folder.config), read_json(folder.data_manifest)
    audit = sentences(read_json(folder.audit)) if folder.audit.exists() else []
    guarantee = privacy_sentence(generator.privacy) if generator.privacy else ""
    numbers = dict(zip(names, counts, strict=True))
    return datasheet(config, manifest, numbers, made, (audit, guarantee))


def _drawn(
    opened: Opened, generator: TrainedGenerator, counts: list[int], options: DrawingOptions
) -> tuple[SyntheticImages, dict[str, np.ndarray]]:
    """Returns so many images of each class after the filter, and every filter's scores."""
    if not options.scored:
        return draw_images(generator, counts, options.seed, options.latents), {}
    if generator.privacy is not None:
        raise UserError(
            "filters and their scores look at the real images, which would break the guarantee of "
            "private training: draw without --filter and --filter_scores"
        )
    if not generator.labelled:
        raise UserError(
            "filters need a generator of classes: train with config.model.labels='conditional' "
            "or 'per_class'"
        )
    share = 1.0 if options.filter == "none" else options.keep
    more = [math.ceil(count / share) for count in counts]
    drawn = draw_images(generator, more, options.seed, options.latents)
    labelled = Labelled(drawn.images, drawn.labels)
    train, names = opened.prepared.part(TRAIN), opened.prepared.class_names
    kept_at = opened.folder.classifier
    classifier = domain_classifier(kept_at, train, names, opened.settings.seed)
    seen = seen_by_network(classifier, train.images, drawn.images)
    pool = scored_images(seen, names, train, labelled, drawn.scores)
    for name, agreement in pool.agreement.items():
        print(f"a classifier of the training part takes {agreement:.1%} of class {name} for it")
    best = filters.kept(options.filter, pool.scores, drawn.labels, share)
    chosen = np.concatenate(
        [best[drawn.labels[best] == label][:count] for label, count in enumerate(counts)]
    )
    kept = SyntheticImages(drawn.images[chosen], drawn.labels[chosen], drawn.scores[chosen])
    return kept, {name: values[chosen] for name, values in pool.scores.items()}
