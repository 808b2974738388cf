"""Stage 3's result: synthetic images from a work folder's checkpoint."""

from gaug_jax.settings import UserError
from gaug_jax.synthesis import export, sampling
from gaug_jax.workfolder import WorkFolder, read_json, write_json


def synthesize(
    workdir: str, *, num: int, per_class: bool, file_format: str, seed: int, step: int | None
) -> None:
    """Draws synthetic images from a work folder's checkpoint into its `synthetic/`.

    Args:
      workdir: of a run of `train_generator`.
      num: images in all, or of each class.
      per_class: `num` images of each class; else in the training images' proportions.
      file_format: `npz` or `png`.
      seed: of the latents.
      step: of the checkpoint; None for the latest.

    Raises:
      UserError: the work folder has no such checkpoint, or the counts cannot be met.
    """
    if num < 1:
        raise UserError(f"--num={num}: give 1 or more")
    folder = WorkFolder(workdir)
    generator = sampling.read_generator(folder, step)
    wanted = {"num": num, "per_class": per_class, "seed": seed, "step": generator.step}
    finished = folder.synthetic_finished(file_format)
    if finished.exists() and read_json(finished) == wanted:
        print(f"{folder.synthetic} holds these images already: nothing to do")
        return
    counts = sampling.images_per_class(generator, num, per_class)
    drawn = sampling.draw_images(generator, counts, seed)
    finished.unlink(missing_ok=True)
    if file_format == "png":
        export.write_pictures(folder, drawn, generator.class_names)
    else:
        export.write_npz(folder, drawn)
    write_json(finished, wanted)
    print(f"{len(drawn.images)} images of step {generator.step} are in {folder.synthetic}")
