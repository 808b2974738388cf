"""Stage 5: figures of a work folder's generator, or of any two sets of images."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from jax import default_backend

from gaug_jax import data, processes
from gaug_jax.data.splits import TEST, TRAIN, VALIDATION
from gaug_jax.errors import UserError
from gaug_jax.evaluation import features as extractors
from gaug_jax.evaluation.domain_classifier import domain_classifier
from gaug_jax.evaluation.features import Extractor, classifier_extractor, extract_together
from gaug_jax.evaluation.fidelity import Sample, extractor_facts, fidelity_row, summary_lines
from gaug_jax.evaluation.image_sets import Form, ImageSet, array_set, read_image_set
from gaug_jax.evaluation.perceptual import PerceptualDistance, make_perceptual_distance
from gaug_jax.evaluation.statistics_cache import cached_extract
from gaug_jax.files import append_json_line, check_writable, read_json_lines, write_json
from gaug_jax.reporting.fidelity_curve import write_fidelity_curve
from gaug_jax.stages.opened import Opened
from gaug_jax.synthesis.drawing import draw_by_class, images_per_class
from gaug_jax.training.checkpoints import Checkpoints
from gaug_jax.workfolder import WorkFolder

# Without --num at least so many images are drawn.
_LEAST_DRAWN = 1000
# Gives a set of images, all brought to a form.
Reader = Callable[[Form], ImageSet]
# What makes two rows of a work folder one and the same.
_SAME = ("step", "features", "resize", "weights_sha256", "reference_split", "num_fake", "seed")


@dataclasses.dataclass(frozen=True)
class EvaluationOptions:
    """What is the same for both forms of the command.

    Attributes:
      features: name of the extractor; None or "" for the config's.
      resize: mode of the resizing for Inception, or None for the config's.
      seed: of the latents, and of every subset.
      inception_weights: path, or None to look for the file.
      lpips_weights: folder of both files, or None to look for them.
      lpips: fetch LPIPS's weights (244 MB) where they are not found.
      allow_unofficial_weights: take weight files that are not the public ones.
    """

    features: str | None
    resize: str | None
    seed: int
    inception_weights: str | None
    lpips_weights: str | None = None
    lpips: bool = False
    allow_unofficial_weights: bool = False

    def chosen_features(self, features: str) -> str:
        """Returns the name of the extractor; the option wins over the argument.

        Where neither names one, it is the one whose weights are on this machine.
        """
        return extractors.resolved_features(self.features or features, self.inception_weights)

    def extractor(self, features: str, resize: str) -> Extractor:
        """Returns the extractor; the options win over the arguments.

        One that nobody chose is said in a line.
        """
        name = self.chosen_features(features)
        if not (self.features or features) and processes.is_writer():
            print(f"features: {name}, as none are chosen (--features)")
        return extractors.make_extractor(
            name,
            resize_mode=self.resize or resize,
            inception_weights=self.inception_weights,
            allow_unofficial_weights=self.allow_unofficial_weights,
        )

    def perceptual_distance(self) -> tuple[PerceptualDistance | None, str]:
        """Returns LPIPS, or None and why there is none."""
        try:
            made = make_perceptual_distance(
                self.lpips_weights,
                allow_unofficial=self.allow_unofficial_weights,
                download=self.lpips,
            )
        except UserError:
            if self.lpips or self.lpips_weights:
                raise
            return None, "its weights are not here: gaug_jax.evaluate fetches them with --lpips"
        return made, ""


def evaluate_paths(real: str, fake: str, out: str, options: EvaluationOptions, form: Form) -> None:
    """Measures one set of images against another and writes the row as JSON.

    Args:
      real: an `.npz` file or a folder of pictures, of real images.
      fake: an `.npz` file or a folder of pictures, of generated images.
      out: path of the result.
      options: of the measurement.
      form: what all pictures are brought to.

    Raises:
      UserError: a set, a weight file or an option is not usable; nothing is written.
    """
    check_writable(out, "--out")
    sets = (functools.partial(read_image_set, path) for path in (real, fake))
    row = evaluate_sets(*sets, options, form)
    if row is not None:
        write_json(out, row)
        print("\n".join(summary_lines(row)))
        print(f"written to {out}")
    processes.agree(0, 0)  # Nobody leaves while the first process still computes.


def evaluate_sets(
    real: Reader, fake: Reader, options: EvaluationOptions, form: Form
) -> dict[str, Any] | None:
    """Measures one set of images against another.

    Args:
      real: gives the real images.
      fake: gives the generated images.
      options: of the measurement.
      form: what all pictures are brought to.

    Returns:
      The row; the first process alone has one.

    Raises:
      UserError: a set, a weight file or an option is not usable.
    """
    real_set, fake_set, notes = _comparable(real, fake, form)
    extractor = options.extractor("", "tf1")
    if extractor.name == "pixels" and real_set.shape != fake_set.shape:
        sizes = ["x".join(map(str, each.shape)) for each in (real_set, fake_set)]
        raise UserError(
            f"--features=pixels: {real_set.name} is {sizes[0]} and {fake_set.name} {sizes[1]}: "
            "give --image_size to bring both to one size"
        )
    lpips = options.perceptual_distance()
    real_sample = Sample(real_set, cached_extract(extractor, real_set))
    row = _row(extractor, real_sample, fake_set, lpips, options.seed)
    if row is not None:
        row |= {
            "real": real_set.name, "fake": fake_set.name, "image_size": form.image_size,
            "image_resize": form.resize, "channels": real_set.shape[2], "notes_on_sets": notes,
        }  # fmt: skip
    return row


def _comparable(real: Reader, fake: Reader, form: Form) -> tuple[ImageSet, ImageSet, list[str]]:
    """Returns both sets with one number of channels, and lines on what was left out or changed."""
    sets = [read(form) for read in (real, fake)]
    notes = [f"{images.name}: {note}" for images in sets for note in images.notes]
    if len({images.shape[2] for images in sets}) > 1:
        sets = [read(form._replace(channels=1)) for read in (real, fake)]
        notes.append("one side is grey and the other RGB: both are compared as grey (luminance)")
    if processes.is_writer():
        for note in notes:
            print(note)
    return (*sets, notes)


def _row(
    extractor: Extractor,
    real: Sample,
    fake: ImageSet,
    lpips: tuple[PerceptualDistance | None, str],
    seed: int,
) -> dict[str, Any] | None:
    """Returns a row with all that says how it was made; the first process alone has one."""
    distance, reason = lpips
    fake_sample = Sample(fake, extract_together(extractor, fake))
    if not processes.is_writer():
        return None
    return {
        **fidelity_row(
            real,
            fake_sample,
            seed=seed,
            perceptual_distance=distance and distance.function,
            without_perceptual_distance=reason,
        ),
        **extractor_facts(extractor),
        "official_lpips_weights": distance and distance.official,
        "seed": seed,
        "platform": default_backend(),
    }


@dataclasses.dataclass(frozen=True)
class Measured:
    """What of a work folder is measured.

    Attributes:
      num: images to draw, or None for as many as the part has and at least 1,000.
      step: of the checkpoint; None for the latest.
      all_checkpoints: measure every one, and draw the curve.
      reference_split: `train`, `validation` or `test`; None for `test`, and for
        `validation` with all checkpoints, since one is chosen by the curve.

    Raises:
      UserError: two of them do not go together, or too few images are wanted.
    """

    num: int | None = None
    step: int | None = None
    all_checkpoints: bool = False
    reference_split: str | None = None

    def __post_init__(self) -> None:
        if self.num is not None and self.num < 2:
            raise UserError(f"--num={self.num}: give 2 or more")
        if self.step is not None and self.all_checkpoints:
            raise UserError("--step and --all_checkpoints exclude each other: give one")


def evaluate_generator(opened: Opened, measured: Measured, options: EvaluationOptions) -> None:
    """Measures a work folder's generator against a part of its data.

    Args:
      opened: work folder of a run of training.
      measured: what of it.
      options: of the measurement.

    Raises:
      UserError: the work folder, its data, a weight file or an option is not usable.
    """
    folder = opened.folder
    steps = [opened.generator(measured.step).step]
    if measured.all_checkpoints:
        steps = Checkpoints(folder.checkpoints).steps()
    processes.check_alike(steps, "checkpoints")
    reference = measured.reference_split
    if reference is None:
        reference = VALIDATION if measured.all_checkpoints else TEST
    extractor = work_folder_extractor(opened, options)
    real_set = _part(opened.prepared, reference)
    lpips = options.perceptual_distance()
    real = Sample(real_set, cached_extract(extractor, real_set))
    facts = {
        **extractor_facts(extractor),
        "reference_split": reference,
        "num_fake": measured.num or max(_LEAST_DRAWN, len(real_set)),
        "seed": options.seed,
    }
    for number in steps:
        _evaluate_step(opened, {**facts, "step": number}, extractor, real, lpips)
    if measured.all_checkpoints and processes.is_writer():
        write_fidelity_curve(folder, facts)
    processes.agree(0, 0)  # Nobody leaves while the first process still computes.


def work_folder_extractor(opened: Opened, options: EvaluationOptions) -> Extractor:
    """Returns the extractor; `classifier` is the work folder's own."""
    settings, prepared = opened.settings, opened.prepared
    if (options.features or settings.evaluate.features) != "classifier":
        return options.extractor(settings.evaluate.features, settings.evaluate.resize)
    train, names = prepared.part(TRAIN), prepared.class_names
    with processes.first_process_first():
        return classifier_extractor(
            domain_classifier(opened.folder.classifier, train, names, settings.seed)
        )


def _part(prepared: data.PreparedData, name: str) -> ImageSet:
    """Returns a part of the data as a set."""
    indices = prepared.indices(name)
    if len(indices) < 2:
        raise UserError(
            f"the {name} part has {len(indices)} images, and a distribution needs two: choose "
            "another --reference_split"
        )
    classes = [prepared.class_names[label] for label in prepared.labels[indices]]
    images = prepared.images[indices]
    return array_set(f"the {name} part", images, classes, prepared.groups[indices])


def _is_measured(folder: WorkFolder, facts: dict[str, Any], with_lpips: bool) -> bool:
    """Says whether there is a row of these facts, made with LPIPS where that is to be had."""
    wanted = {name: facts[name] for name in _SAME}
    return any(
        all(row.get(name) == value for name, value in wanted.items())
        and not (with_lpips and row.get("official_lpips_weights") is None)
        for row in read_json_lines(folder.fidelity)
    )


def _evaluate_step(
    opened: Opened,
    facts: dict[str, Any],
    extractor: Extractor,
    real: Sample,
    lpips: tuple[PerceptualDistance | None, str],
) -> None:
    """Adds the row of one checkpoint, unless it is there."""
    folder = opened.folder
    measured = _is_measured(folder, facts, with_lpips=lpips[0] is not None)
    if processes.agree(int(measured), 0)[0]:
        print(f"step {facts['step']} is in {folder.fidelity} already: nothing to do")
        return
    generator = opened.generator(facts["step"])
    counts = images_per_class(generator, facts["num_fake"], per_class=False)
    drawn = draw_by_class(generator, counts, facts["seed"])
    classes = (
        [generator.class_names[label] for label in drawn.labels] if generator.labelled else None
    )
    fake = array_set(f"generated images of step {facts['step']}", drawn.images, classes)
    row = _row(extractor, real, fake, lpips, facts["seed"])
    if row is None:
        return
    row |= facts
    append_json_line(folder.fidelity, row)
    print(f"step {facts['step']} against {real.images.name}:")
    print("\n".join(summary_lines(row)))
