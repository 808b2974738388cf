"""Looking at a copy on disk, with errors that name `config.data.path`."""

import re
from pathlib import Path

from gaug_jax.data.dicom.opening import is_dicom
from gaug_jax.data.nifti import is_nifti
from gaug_jax.errors import UserError

PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".dcm", ".dicom"}
)


def existing_folder(path: str) -> Path:
    """Returns `path` as a folder that exists.

    Raises:
      UserError: it does not exist or is not a folder.
    """
    folder = Path(path).expanduser()
    if not folder.exists():
        raise UserError(f"config.data.path={path!r} does not exist: give an existing folder")
    if not folder.is_dir():
        raise UserError(f"config.data.path={path!r} is not a folder: give an existing folder")
    return folder


def is_picture(path: Path) -> bool:
    """Says whether a file's name is that of a picture (hidden files are none).

    Archives of hospitals hold DICOM files without a suffix: of such names the file is looked at.
    """
    if path.name.startswith("."):
        return False
    if path.suffix.lower() in PICTURE_SUFFIXES or is_nifti(path):
        return True
    return not path.suffix and is_dicom(path)


def compiled(field: str, pattern: str, group: str) -> re.Pattern[str]:
    """Returns a pattern that has the named group `group`.

    Raises:
      UserError: it is not a pattern, or has no such group.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"config.{field}={pattern!r} is not a regular expression: {error}"
        ) from None
    if group not in expression.groupindex:
        raise UserError(
            f"config.{field}={pattern!r} has no named group: write (?P<{group}>...) in it"
        )
    return expression


def listed(names: list[str] | tuple[str, ...], most: int = 20) -> str:
    """Returns names as one line: the first `most`, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
