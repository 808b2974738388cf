"""A generator as one file: written from a work folder, and drawn from without one."""

import dataclasses
from pathlib import Path

from gaug_jax.errors import UserError
from gaug_jax.files import check_writable, read_json
from gaug_jax.stages.opened import Opened
from gaug_jax.stages.synthesize import Drawing, DrawingOptions, datasheet_of, write_drawing
from gaug_jax.synthesis.drawing import draw_by_class, images_per_class
from gaug_jax.synthesis.generator_file import read_generator_file, write_generator_file
from gaug_jax.synthesis.training_data import training_data
from gaug_jax.workfolder import WorkFolder


def save_generator(opened: Opened, path: str | Path, step: int | None = None) -> None:
    """Writes the generator of a checkpoint as one file, in the place of an earlier one.

    Args:
      opened: work folder of a run of training.
      path: of the file.
      step: of the checkpoint; None for the latest.

    Raises:
      UserError: there is no such checkpoint, or the file cannot be written.
    """
    check_writable(path, "--save_generator")
    generator = opened.generator(step)
    data = training_data(read_json(opened.folder.data_manifest))
    write_generator_file(path, generator, opened.settings, data)
    print(f"the generator of step {generator.step} is in {path}")


def synthesize_from_file(
    path: str | Path, workdir: str, options: DrawingOptions, file_format: str
) -> None:
    """Draws synthetic images from the file of a generator into the `synthetic/` of a folder.

    Args:
      path: of the file.
      workdir: a folder for the images; made where it is absent.
      options: what is drawn.
      file_format: as of `synthesize`.

    Raises:
      UserError: the file is not usable, the folder is that of a run, or what is wanted needs what
        the file does not hold.
    """
    folder = WorkFolder(workdir)
    if folder.config.exists():
        raise UserError(
            f"{folder.path} is the work folder of a run, whose own images lie there: choose "
            "another --workdir, or leave --generator out"
        )
    if options.scored:
        raise UserError(
            "filters and their scores look at the real images, which the file of a generator does "
            "not hold: draw from its work folder"
        )
    saved = read_generator_file(path)
    generator = saved.generator
    made = {**dataclasses.asdict(options), "step": generator.step, "generator": saved.sha256}
    counts = images_per_class(generator, options.num, options.per_class)
    drawing = Drawing(folder, generator, counts, made)
    text = ""
    if file_format != "npz":
        text = datasheet_of(drawing, saved.settings.to_dict(), saved.training_data, [])
    write_drawing(
        drawing, file_format, text,
        lambda: (draw_by_class(generator, counts, options.seed, options.latents), {}),
    )  # fmt: skip
