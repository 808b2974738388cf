"""The notebooks: executed with small budgets, and that they define nothing."""

import ast
import json
import shutil
from pathlib import Path

import nbclient
import nbformat
import pytest
from support.commands import ROOT
from support.made_data import make_films, make_numerals, user_folder

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SMALL = {
    "data.image_size": 8, "model.width": 4, "train.batch_size": 8, "train.steps": 4,
    "train.sample_every": 2, "train.checkpoint_every": 2, "classify.arms": ("real", "gan"),
    "classify.endpoint_arm": "gan", "classify.ratios": (1.0,), "classify.filters": ("none",),
    "classify.generator_seeds": (0,), "classify.splits": (0,), "classify.steps": 4,
    "classify.width": 4, "classify.batch_size": 8, "classify.seeds": (0,),
    "classify.architecture": "cnn", "classify.widenings": 0, "classify.step_widenings": 0,
    "classify.ignore_floor": True,
    "embed.num_images": 40,
}  # fmt: skip


def cells_of(path):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def python_of(cell):
    """Returns a cell without the lines that are for the shell."""
    lines = cell.source.splitlines()
    return "\n".join(line for line in lines if not line.startswith(("!", "%")))


def test_there_is_one_for_every_wish():
    assert [path.stem for path in NOTEBOOKS] == [
        "bangla_study", "chest_xray_study", "quickstart", "your_own_images",
    ]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_begin_with_a_badge_and_the_installation_and_define_nothing(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert "colab-badge.svg" in notebook.cells[0].source and path.name in notebook.cells[0].source
    assert notebook.cells[1].metadata.tags == ["install"]
    for cell in cells_of(path):
        assert not cell.outputs
        for node in ast.walk(ast.parse(python_of(cell))):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)


def changes_of(path, folder):
    """Returns what makes a notebook small, and its data where it needs any."""
    if path.stem == "chest_xray_study":
        films = make_films(folder / "films", patients=60)
        return {"data.path": str(films), "classify.shortcut": "view"}
    if path.stem == "bangla_study":
        numerals = make_numerals(folder / "numerals", 300, 60)
        sizes = {"classify.train_sizes": (10,), "classify.endpoint_size": 10}
        return {"data.path": str(numerals), **sizes}
    if path.stem == "quickstart":
        return {}
    user_folder(folder / "images")
    shutil.make_archive(folder / "mine", "zip", folder / "images")
    return {}


@pytest.mark.slow  # A minute each.
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_run(path, tmp_path):
    notebook = nbformat.read(path, 4)
    changes = SMALL | changes_of(path, tmp_path)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "install" in tags:
            cell.source = "pass"
        if "parameters" in tags:
            cell.source += (
                f"\nWORKDIR = {str(tmp_path / 'W')!r}\nZIP = {str(tmp_path / 'mine.zip')!r}"
                f"\nNUM = 40\nCHANGES = CHANGES | {changes!r}"
            )
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(ROOT)}}
    )
    client.execute()
    assert (tmp_path / "W" / "report.html").stat().st_size > 100_000
    shown = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert "image/png" in shown and "text/markdown" in shown
    assert Path(tmp_path / "W" / "downstream" / "summary.json").exists()
