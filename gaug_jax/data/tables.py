"""Tables of labels: rows of CSV, TSV, JSON lines or parquet as text."""

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gaug_jax.data.paths import listed
from gaug_jax.errors import UserError

Row = dict[str, str]


def read_table(path: Path) -> list[Row]:
    """Returns the rows of a table, each value as text without spaces around it; absent ones empty.

    Args:
      path: of a file whose suffix says its kind: .csv, .tsv, .jsonl (or .ndjson), each perhaps with
        .gz after it, or .parquet.

    Raises:
      UserError: there is no such file, its kind is not read, or it is broken or has no row.
    """
    if not path.is_file():
        raise UserError(f"config.data.table={str(path)!r} does not exist: give a file")
    kind = (path.with_suffix("") if _is_packed(path) else path).suffix.lower()
    if kind not in _READERS:
        raise UserError(
            f"config.data.table={str(path)!r} is of a kind that is not read: save it as "
            f"{listed(sorted(_READERS))}"
        )
    try:
        rows = _READERS[kind](path)
    except UserError:
        raise
    except Exception as error:  # Broken bytes make parsers raise nearly anything.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path} cannot be read as a table ({reason}): mend it") from None
    if not rows:
        raise UserError(f"{path} has no row: restore it")
    return rows


def _separated(separator: str) -> Callable[[Path], list[Row]]:
    """Returns a reader of values between separators, the first line naming the columns."""

    def read(path: Path) -> list[Row]:
        text = _decoded(_bytes(path))
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        names = [name.strip() for name in reader.fieldnames or ()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(f"{path} has the column {twice[0]!r} twice: rename one")
        other = next((each for each in ",;\t" if len(names) == 1 and each in names[0]), None)
        if other is not None:
            raise UserError(
                f"{path} has {other!r} between its columns, which {path.suffix} files are not read "
                f"with: save it with {separator!r}"
            )
        return [
            {name.strip(): _text(value) for name, value in row.items() if isinstance(name, str)}
            for row in reader
        ]

    return read


def _json_lines(path: Path) -> list[Row]:
    """Reads an object a line."""
    rows = []
    for number, line in enumerate(_bytes(path).decode("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            reason = getattr(error, "msg", error)
            raise UserError(f"{path}, line {number}, is no JSON ({reason}): mend it") from None
        if not isinstance(row, dict):
            raise UserError(f"{path}, line {number}, is no object: write one, as {{...}}, a line")
        rows.append({str(name): _text(value) for name, value in row.items()})
    return rows


def _parquet(path: Path) -> list[Row]:
    """Reads a file of parquet."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path).to_pylist()
    return [{name: _text(value) for name, value in row.items()} for row in rows]


def _is_packed(path: Path) -> bool:
    """Says whether a file's name is that of a packed one; parquet packs for itself."""
    return path.suffix.lower() == ".gz" and path.with_suffix("").suffix.lower() != ".parquet"


def _bytes(path: Path) -> bytes:
    """Returns what a file holds, unpacked."""
    return gzip.decompress(path.read_bytes()) if _is_packed(path) else path.read_bytes()


def _decoded(content: bytes) -> str:
    """Returns the text of a file, in UTF-8 or in UTF-16, as which spreadsheets save "Unicode"."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    # Notes may hold bytes that are not UTF-8; the columns that are read do not.
    return content.decode("utf-8-sig", errors="replace")


def _text(value: Any) -> str:
    """Returns a value as text; a whole number without a point, none as nothing."""
    if value is None or value != value:  # NaN, which parquet and JSON have for an absent number.
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return "|".join(map(_text, value))
    return str(value).strip()


_READERS: dict[str, Callable[[Path], list[Row]]] = {
    ".csv": _separated(","), ".tsv": _separated("\t"), ".jsonl": _json_lines,
    ".ndjson": _json_lines, ".parquet": _parquet,
}  # fmt: skip
