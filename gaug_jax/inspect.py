"""Shows what would be read of a data set, before anything is trained.

    python -m gaug_jax.inspect --config=folder_study --config.data.path=my_images

Prints classes, groups, parts, duplicates, sizes, licences and what is left out and why, and writes
a contact sheet for each class (and of pairs that are alike) as PNG, with images as the networks
would see them: look at these first. data_manifest.json lists every picture.
"""

from absl import flags

from gaug_jax import command_line


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    command_line.define_config_flag(given)
    text = "Folder for contact_sheets/ and data_manifest.json; those of an earlier call go."
    flags.DEFINE_string("out", "inspection", text, flag_values=given)
    flags.DEFINE_integer(
        "num", 96, "Images on a class's sheet, at most.", lower_bound=1, flag_values=given
    )
    flags.mark_flag_as_required("config", flag_values=given)


def main(given: flags.FlagValues) -> None:
    """Inspects."""
    from gaug_jax.stages.inspect import inspect

    inspect(command_line.given_settings(given), given.out, given.num)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
