"""A DICOM file as a data set of pydicom, or one line that says why it is none."""

import contextlib
import functools
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gaug_jax.errors import UserError, in_short

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

INSTALL = "pip install 'gaug_jax[dicom]'"

# PS3.10 7.1: a preamble of 128 bytes, then four letters.
_PREAMBLE = 128
_LETTERS = b"DICM"


class RefusedError(ValueError):
    """What is wrong with a file and what to do, as the rest of a line that begins with its name."""


def is_dicom(picture: str | Path | bytes) -> bool:
    """Returns whether a file, or the bytes of one, begins as DICOM files do (PS3.10 7.1).

    It needs no pydicom. A file that cannot be opened is none.
    """
    if isinstance(picture, bytes):
        return picture[_PREAMBLE:].startswith(_LETTERS)
    try:
        with open(picture, "rb") as file:
            return is_dicom(file.read(_PREAMBLE + len(_LETTERS)))
    except OSError:
        return False


def name_of(picture: object, name: str | None) -> str:
    """Returns how errors call a file: `name`, or its path where there is one."""
    if name is not None:
        return name
    return str(picture) if isinstance(picture, str | Path) else "a DICOM file"


def open_dataset(picture: str | Path | bytes, name: str, pixels: bool = True) -> "Dataset":
    """Returns the data set of a file; its pixels are not decoded.

    Args:
      picture: a path, or the bytes of a file.
      name: how errors call it.
      pixels: whether the data set has to have them; without, they are not read.

    Raises:
      UserError: pydicom is absent, or there is no such file, or it is not of DICOM or broken.
    """
    pydicom = _silenced(name)
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    with one_line(name):
        try:
            return pydicom.dcmread(source, stop_before_pixels=not pixels)
        except FileNotFoundError:
            raise RefusedError("does not exist: restore the file") from None
        except pydicom.errors.InvalidDicomError:
            raise RefusedError(
                "is not a DICOM file (no DICM after 128 bytes): replace or remove it"
            ) from None


@contextlib.contextmanager
def one_line(name: str) -> Iterator[None]:
    """Turns what goes wrong with a file into a `UserError` of one line that names it.

    Broken bytes make parsers and decoders raise nearly anything.
    """
    try:
        yield
    except RefusedError as error:
        raise UserError(f"{name} {in_short(error)}") from None
    except Exception as error:
        reason = in_short(error) or type(error).__name__
        raise UserError(
            f"{name} cannot be read as a DICOM image ({reason}): replace or remove the file"
        ) from None


def _silenced(name: str):
    """Returns pydicom.

    Raises:
      UserError: it is not installed.
    """
    try:
        return _silenced_pydicom()
    except ImportError:
        raise UserError(f"{name} is a DICOM file, which needs pydicom: {INSTALL}") from None


@functools.cache
def _silenced_pydicom():
    """Imports pydicom and quietens it and its decoders, once for the process.

    They write a line for each oddity of each file, such as padding or a value that is longer
    than the standard has it, and whole tracebacks where one of two decoders fails. What
    decides pixels or facts is checked here and raised; the rest would be thousands of lines
    for a folder of films. The filter is the process's and stays, because
    `warnings.catch_warnings` around each file is not safe on the threads that read them.
    """
    import pydicom

    warnings.filterwarnings("ignore", module=r"pydicom\b")
    logging.getLogger("pydicom").propagate = False
    with contextlib.suppress(ImportError):
        import gdcm

        gdcm.Trace.WarningOff()
        gdcm.Trace.ErrorOff()
    return pydicom
