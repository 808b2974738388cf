"""COVIDx: chest films of several data sets, put together for COVID-19 against others.

Wang, Lin and Wong, "COVID-Net", Scientific Reports 10, 2020, and for CXR-4 Wu et al.,
arXiv:2311.17677. A line has patient, file, class and, from version 3 on, source, without a header,
as in the lists of the publisher's repository (versions 1 to 9) and as users read `train.txt` and
`test.txt` of CXR-2 and later. The lists of CXR-4 could not be seen: its `val.txt` is read if it is
there and has that form.
"""

import collections
from pathlib import Path

from gaug_jax.data.publishers.published_table import PublishedTable, Rows
from gaug_jax.data.tables import Row
from gaug_jax.errors import UserError

_CLASSES = frozenset({"positive", "negative", "normal", "pneumonia", "COVID-19"})
_PARTS = {"train": "train", "val": "validation", "test": "test"}
# One name is written in two ways.
_SOURCES = {"rnsa": "rsna"}


def _read(table: Path, root: Path, finding: str | None) -> Rows:
    """Returns a row for each film of a list, and of the other parts' lists beside it."""
    if "train" not in table.name:
        raise UserError(
            f"config.data.table={str(table)!r} is not of the part train by its name: name that of "
            "train, beside which those of val and test are found"
        )
    rows: list[Row] = []
    for name, part in _PARTS.items():
        path = table.with_name(table.name.replace("train", name, 1))
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            rows += [_row(line, name, part, f"{path}, line {number},")
                     for number, line in enumerate(lines, 1) if line.strip()]  # fmt: skip
    # The list of version 1 has thousands of lines twice.
    once = list({tuple(row.items()): row for row in rows}.values())
    twice = len(rows) - len(once)
    notes = (f"{twice} lines left out, which repeat another",) if twice else ()
    return Rows(once, (*notes, *_notes(once)))


def _row(line: str, folder: str, part: str, where: str) -> Row:
    """Returns a line with the usual columns."""
    words = line.split()
    named = len(words) > 3 and words[-2] in _CLASSES
    words, source = (words[:-1], words[-1]) if named else (words, "")
    # Some patients are written as two words.
    if len(words) < 3 or words[-1] not in _CLASSES:
        raise UserError(
            f"{where} is no patient, file, class ({', '.join(sorted(_CLASSES))}) and perhaps "
            "source: name the publisher's list by config.data.table"
        )
    row = {"file": f"{folder}/{words[-2]}", "label": words[-1], "part": part,
           "patient": " ".join(words[:-2])}  # fmt: skip
    return row | {"source": _SOURCES.get(source, source)}


def _notes(rows: list[Row]) -> tuple[str, ...]:
    """Returns a line on what the sources say of the classes."""
    counts = collections.Counter((row["label"], row["source"]) for row in rows)
    by_class: dict[str, list[str]] = {}
    for (label, source), count in counts.most_common():
        by_class.setdefault(label, []).append(f"{source or 'not named'} {count}")
    said = "; ".join(f"{label} from {', '.join(by_class[label])}" for label in sorted(by_class))
    return (
        f"classes come from sources of their own, and a classifier may tell the source alone: "
        f"{said}",
    )


COVIDX = PublishedTable(
    name="covidx",
    title="COVIDx",
    homepage="https://github.com/lindawangg/COVID-Net/blob/master/docs/COVIDx.md",
    licence="that of each source",
    citation="Wang, Lin and Wong, Scientific Reports 10, 2020; CXR-4: Wu et al., arXiv:2311.17677",
    tables=("train.txt", "train_COVIDx*.txt"),
    read=_read,
    kept=("source",),
    any_suffix=False,
    traps=("the patient of a film from rsna is that film's number, so that its patients are not "
           "known",),
)  # fmt: skip
