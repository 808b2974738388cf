"""Files that are whole or absent: JSON documents, JSON lines, and whatever else is written.

Everything is written under a temporary name beside its own and renamed, so that a
reader finds a whole file or none.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from gaug_jax.errors import UserError


@contextlib.contextmanager
def atomic_file(path: Path, mode: str = "wb") -> Iterator[IO]:
    """Opens a temporary file that takes the place of `path` when the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        # A file's name may hold bytes that are no text.
        text = {} if "b" in mode else {"encoding": "utf-8", "errors": "backslashreplace"}
        with open(temporary, mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        # A failed write names no file; the user needs its name.
        error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def make_folder(path: Path, flag: str) -> None:
    """Makes a folder where it is absent.

    Raises:
      UserError: it cannot be made; the message names the flag.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{flag}={path} cannot be made ({error.strerror}): choose another"
        ) from None


def check_writable(path: str | Path, flag: str) -> None:
    """Raises `UserError` where a file could not be written: before long work, not after it."""
    path = Path(path).absolute()
    try:
        # A link to nothing is no folder, and none can be made in its place.
        folder = next(parent for parent in path.parents if os.path.lexists(parent))
        writable = folder.is_dir() and not path.is_dir() and os.access(folder, os.W_OK)
    except OSError:  # As of names that are too long.
        writable = False
    if not writable:
        raise UserError(f"{flag}={path} cannot be written: choose a file in a folder of yours")


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON document, indented."""
    with atomic_file(path, "w") as file:
        json.dump(value, file, indent=2, sort_keys=True)
        file.write("\n")


def read_json(path: Path) -> Any:
    """Reads a JSON document.

    Raises:
      UserError: the file is absent or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: is this a work folder of gaug_jax.main?") from None
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}): restore it or use a new folder") from None


def append_json_line(path: Path, row: dict[str, Any]) -> None:
    """Appends one row to a file of JSON lines, in one write.

    After a line that a killed process cut short, the row begins a line of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+") as file:
        file.seek(max(0, file.tell() - 1))
        begin = "" if file.read(1) in (b"", b"\n") else "\n"
        file.write((begin + json.dumps(row) + "\n").encode())


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a file of JSON lines; a line that was cut short is left out."""
    rows = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            rows.append(json.loads(line))
    return rows


def write_json_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes all rows of a file of JSON lines anew."""
    with atomic_file(path, "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
