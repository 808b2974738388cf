"""Stage 3's result: synthetic images from a work folder's checkpoint."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

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
    draw_by_class,
    images_per_class,
)
from gaug_jax.synthesis.latents import EVERY_LATENT, LatentChoice
from gaug_jax.synthesis.pool import scored_images, seen_by_network
from gaug_jax.synthesis.training_data import TrainingData, training_data
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

    Raises:
      UserError: no image is wanted, or the filter is to keep no share.
    """

    num: int
    per_class: bool = False
    seed: int = 0
    step: int | None = None
    filter: str = "none"
    keep: float = 1.0
    filter_scores: bool = False
    latents: LatentChoice = EVERY_LATENT

    def __post_init__(self) -> None:
        if self.num < 1:
            raise UserError(f"--num={self.num}: give 1 or more")
        if not 0 < self.keep <= 1:
            raise UserError(f"--keep={self.keep}: give a share above 0, up to 1")

    @property
    def scored(self) -> bool:
        """Whether the real training part is needed."""
        return self.filter_scores or self.filter != "none"


class Drawing(NamedTuple):
    """What is drawn from which generator, and where it lies afterwards.

    Attributes:
      folder: whose `synthetic/` it is.
      generator: that is drawn from.
      counts: images of each class.
      made: all that decides the images, as their record has it.
    """

    folder: WorkFolder
    generator: TrainedGenerator
    counts: list[int]
    made: dict[str, Any]


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
    folder = opened.folder
    generator = opened.generator(options.step)
    made = {**dataclasses.asdict(options), "step": generator.step}
    counts = images_per_class(generator, options.num, options.per_class)
    drawing, text = Drawing(folder, generator, counts, made), ""
    if file_format != "npz":
        audit = sentences(read_json(folder.audit)) if folder.audit.exists() else []
        data = training_data(read_json(folder.data_manifest))
        text = datasheet_of(drawing, read_json(folder.config), data, audit)
    write_drawing(drawing, file_format, text, lambda: _drawn(opened, generator, counts, options))


def write_drawing(
    drawing: Drawing,
    file_format: str,
    text: str,
    draw: Callable[[], tuple[SyntheticImages, dict[str, np.ndarray]]],
) -> None:
    """Writes images, unless the folder has them already.

    Args:
      drawing: what they are.
      file_format: `npz`, `png` or `tfds`.
      text: datasheet of the last two.
      draw: returns the images, and every filter's scores.
    """
    folder, generator, wanted = drawing.folder, drawing.generator, drawing.made
    finished = folder.synthetic_finished(file_format)
    written = folder.synthetic_output(file_format)
    if written.exists() and finished.exists() and read_json(finished) == wanted:
        print(f"{folder.synthetic} holds these images already: nothing to do")
    else:
        drawn, scores = draw()
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


def datasheet_of(
    drawing: Drawing, config: Mapping[str, Any], data: TrainingData, audit: Sequence[str]
) -> str:
    """Returns the text that goes with images for other tools.

    Args:
      drawing: what they are.
      config: of the generator's run.
      data: that it learnt from.
      audit: sentences of the audit of its images.
    """
    generator = drawing.generator
    names = generator.class_names if generator.labelled else ("unlabelled",)
    guarantee = privacy_sentence(generator.privacy) if generator.privacy else ""
    numbers = dict(zip(names, drawing.counts, strict=True))
    return datasheet(config, data, numbers, drawing.made, (audit, guarantee))


def _drawn(
    opened: Opened, generator: TrainedGenerator, counts: list[int], options: DrawingOptions
) -> tuple[SyntheticImages, dict[str, np.ndarray]]:
    """Returns so many images of each class after the filter, and every filter's scores."""
    if not options.scored:
        return draw_by_class(generator, counts, options.seed, options.latents), {}
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
    drawn = draw_by_class(generator, more, options.seed, options.latents)
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
