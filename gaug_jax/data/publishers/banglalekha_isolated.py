"""BanglaLekha-Isolated: 166,105 handwritten Bangla characters of 84 classes.

Biswas et al., "BanglaLekha-Isolated: A multi-purpose comprehensive dataset of handwritten
Bangla isolated characters", Data in Brief 12, 2017. Each writer filled one form; the
form is the group.
"""

import re
from pathlib import Path

from gaug_jax.data.paths import compiled, is_picture
from gaug_jax.data.record import Record
from gaug_jax.errors import UserError

NAME = "banglalekha_isolated"
VERSION = "1.0.0"
HOMEPAGE = "https://data.mendeley.com/datasets/hf6sf8zrkc/2"
ARCHIVE = "BanglaLekha-Isolated.zip"
CITATION = """\
@article{biswas2017banglalekha,
  title={BanglaLekha-Isolated: A multi-purpose comprehensive dataset of handwritten Bangla
    isolated characters},
  author={Biswas, Mithun and Islam, Rafiqul and Shom, Gautam Kumar and Shopon, Md and
    Mohammed, Nabeel and Momen, Sifat and Abedin, Anowarul},
  journal={Data in Brief},
  volume={12},
  pages={103--107},
  year={2017},
}"""
DESCRIPTION = """\
Handwritten Bangla characters: 50 basic characters, 10 numerals and 24 compound ones, with
the district, institution, gender and age of the writers. `group` is the writer's form."""
LICENCE = "CC BY 4.0"
CLASSES = tuple(str(number) for number in range(1, 85))
METADATA = ("district", "institution", "gender", "age", "date", "form")

# 01_0001_0_11_0916_1913_1.png: codes of district, institution and gender, the age, the month
# and year (names without it are read too), the form, and the character, which is the folder's.
FILENAME_PATTERN = (
    r"^(?P<district>\d+)_(?P<institution>\d+)_(?P<gender>\d)_(?P<age>\d+)"
    r"(?:_(?P<date>\d+))?_(?P<form>\d+)_(?P<character>\d+)\.\w+$"
)


def characters(
    root: Path, filename_pattern: str = FILENAME_PATTERN
) -> tuple[list[Record], list[str]]:
    """Returns the characters by class and file name, and what else lies there.

    Args:
      root: the publisher's folder, with `Images/1` to `Images/84`.
      filename_pattern: searched in a file's name, with the named group `form`; other
        named groups become metadata; `character`, if there is one, must be the folder's.

    Raises:
      UserError: the layout is another one, or the pattern is not usable.
    """
    pattern = compiled("data.filename_pattern", filename_pattern, "form")
    images = root / "Images"
    if not images.is_dir():
        raise UserError(
            f"config.data.path={str(root)!r} has no folder Images: give the publisher's folder, "
            "with Images/1 to Images/84"
        )
    stray = [path.name for path in sorted(images.iterdir()) if path.name not in CLASSES]
    records = []
    for label in CLASSES:
        folder = images / label
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and is_picture(path):
                records.append(_record(path, label, pattern))
            elif not path.name.startswith("."):
                stray.append(f"{label}/{path.name}")
    if not records:
        raise UserError(f"{images} holds no pictures: it needs the folders 1 to 84 of PNG files")
    return records, [name for name in stray if not name.startswith(".")]


def _record(path: Path, label: str, pattern: re.Pattern[str]) -> Record:
    """Returns the record of one file; a name that does not fit its folder says nothing."""
    match = pattern.search(path.name)
    fields = {key: value or "" for key, value in match.groupdict().items()} if match else {}
    if fields.pop("character", label).lstrip("0") != label:
        fields = {}
    group = fields.get("form") or None
    return Record(f"{label}/{path.name}", path, label=label, group=group, metadata=fields)
