"""The documents: what is made from the code is as it gives it, and what they name is there."""

import collections
import importlib.util
import re
import runpy
import tomllib

import pytest
from support.commands import ROOT

from gaug_jax.settings import SECTIONS

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("launch/*.md"),
     *ROOT.glob("benchmarks/*.md")]
)  # fmt: skip
MOST_LINES_OF_THE_README = 170
# The target of a link or a picture.
LINK = re.compile(r"\]\(([^()\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PLACE = re.compile(r"`((?:gaug_jax|tests|docs|launch|configs|benchmarks|notebooks)/[\w./-]*)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

of_every_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def anchors_of(path):
    """Returns the anchors of a document's headings, as GitHub makes them."""
    anchors, times = set(), collections.Counter()
    for heading in HEADING.findall(FENCED.sub("", path.read_text())):
        text = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchors.add(f"{text}-{times[text]}" if times[text] else text)
        times[text] += 1
    return anchors


def missing(names, is_there):
    """Returns the names that are not there, each once."""
    return sorted({name for name in names if not is_there(name)})


def test_tables_are_what_the_code_gives():
    reference = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))
    assert not reference["stale"](), "run python docs/make_reference.py"


def test_the_readme_is_the_short_way():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= MOST_LINES_OF_THE_README


@of_every_document
def test_links_lead_somewhere(path):
    text = FENCED.sub("", path.read_text())
    for target in LINK.findall(text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors_of(file), f"{target}: {file.name} has no such heading"


@of_every_document
def test_modules_that_are_run_are_there(path):
    modules = re.findall(r"python -m ([\w.]+\w)", path.read_text())
    assert not missing(modules, importlib.util.find_spec)


@of_every_document
def test_configs_and_their_fields_are_there(path):
    text = path.read_text()
    files = re.findall(r"configs/\w+\.py", text)
    files += [f"configs/{name}.py" for name in re.findall(r"--config=(\w+)(?![\w/.])", text)]
    assert not missing(files, lambda name: (ROOT / name).exists())
    fields = re.findall(r"config\.([a-z]+\.[a-z]\w*)(?==)", text)
    known = {f"{section}.{name}" for section, kind in SECTIONS.items()
             for name in kind.__dataclass_fields__}  # fmt: skip
    assert not missing(fields, known.__contains__)


@of_every_document
def test_places_in_the_repository_are_there(path):
    assert not missing(PLACE.findall(path.read_text()), lambda name: (ROOT / name).exists())


def test_there_is_one_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
