"""The study's classifier: the best candidate on the validation parts, chosen once."""

import pytest
from support.settings_for_tests import study

from gaug_jax.files import read_json
from gaug_jax.stages.architecture import architecture_words, choose_architecture
from gaug_jax.workfolder import WorkFolder


class Cell:
    """A cell whose validation part says so much of each architecture."""

    def __init__(self, validation, count=10, data_sha256="abc"):
        self._validation, self._count = validation, count
        self.data_sha256, self.asked = data_sha256, []

    def validated(self, name):
        self.asked.append(name)
        return self._validation[name], self._count


class Chosen:
    """A work folder, and the cells that it was asked for."""

    def __init__(self, path):
        self.folder = WorkFolder(path)

    def __call__(self, *cells, candidates=("cnn", "linear"), **options):
        """Returns the choice, and whether any cell was asked for it."""
        settings = study(architecture="auto", candidates=candidates, **options)
        before = sum(len(cell.asked) for cell in cells)
        found = choose_architecture(self.folder, settings, lambda: iter(cells))
        return found, sum(len(cell.asked) for cell in cells) > before


@pytest.fixture
def chosen(tmp_path):
    return Chosen(tmp_path)


def test_the_best_on_the_validation_parts_is_chosen(chosen, capsys):
    cells = [Cell({"cnn": 0.6, "linear": 0.7}), Cell({"cnn": 0.7, "linear": 0.65}, 5, "def")]
    assert chosen(*cells) == ("linear", True)
    assert [cell.asked for cell in cells] == [["cnn", "linear"]] * 2
    assert "classifier: linear, the best with real images alone" in capsys.readouterr().out


def test_validation_parts_count_by_their_images(chosen):
    cells = [Cell({"cnn": 0.9, "linear": 0.5}, 10), Cell({"cnn": 0.5, "linear": 0.7}, 30)]
    assert chosen(*cells)[0] == "linear"
    found = read_json(chosen.folder.architecture)["validation"]
    assert found == {"cnn": pytest.approx(0.6), "linear": pytest.approx(0.65)}
    # Each of them once it would be the other one.
    alike = [Cell({"cnn": 0.9, "linear": 0.5}, data_sha256="1"), Cell({"cnn": 0.5, "linear": 0.7})]
    assert chosen(*alike)[0] == "cnn"


@pytest.mark.parametrize("candidates", [("cnn", "linear"), ("linear", "cnn")])
def test_of_equals_the_first_candidate_is_chosen(chosen, candidates):
    cell = Cell({"cnn": 0.7, "linear": 0.7})
    assert chosen(cell, candidates=candidates)[0] == candidates[0]


def test_only_candidates_are_looked_at(chosen):
    cell = Cell({"cnn": 0.6, "linear": 0.7, "resnet": 0.9})
    assert chosen(cell)[0] == "linear" and "resnet" not in cell.asked
    assert chosen(cell, candidates=("cnn",))[0] == "cnn"


def test_a_figure_that_is_not_defined_is_the_worst(chosen):
    assert chosen(Cell({"cnn": -1.0, "linear": 0.1}))[0] == "linear"


def test_the_choice_is_kept_and_used_again(chosen, capsys):
    assert chosen(Cell({"cnn": 0.6, "linear": 0.7})) == ("linear", True)
    kept = read_json(chosen.folder.architecture)
    assert kept == {
        "made_with": {
            "candidates": ["cnn", "linear"], "endpoint": "accuracy", "data_sha256": ["abc"],
        },
        "architecture": "linear",
        "validation": {"cnn": 0.6, "linear": 0.7},
    }  # fmt: skip
    capsys.readouterr()
    # What would be better now is not looked at.
    assert chosen(Cell({"cnn": 0.9, "linear": 0.7})) == ("linear", False)
    assert read_json(chosen.folder.architecture) == kept and capsys.readouterr().out == ""


def test_other_data_candidates_or_endpoint_choose_anew(chosen):
    first = {"cnn": 0.6, "linear": 0.7, "resnet": 0.5}
    later = {"cnn": 0.9, "linear": 0.7, "resnet": 0.8}
    changes = [
        ([Cell(later, data_sha256="other")], {}),
        ([Cell(later), Cell(later, data_sha256="another")], {}),
        ([Cell(later)], {"candidates": ("cnn", "linear", "resnet")}),
        ([Cell(later)], {"endpoint": "auroc"}),
    ]
    for cells, options in changes:
        chosen.folder.architecture.unlink(missing_ok=True)
        assert chosen(Cell(first)) == ("linear", True)
        assert chosen(*cells, **options) == ("cnn", True)
        assert read_json(chosen.folder.architecture)["architecture"] == "cnn"
        assert chosen(*cells, **options) == ("cnn", False)


def test_an_architecture_that_the_config_names_asks_no_cell(chosen):
    def cells():
        raise AssertionError("a cell was asked for")

    settings = study(architecture="resnet", candidates=("cnn",))
    assert choose_architecture(chosen.folder, settings, cells) == "resnet"
    assert not chosen.folder.downstream.exists()


def test_cells_are_taken_one_at_a_time_and_in_their_order(chosen):
    asked = []

    def cells():
        for number in range(3):
            cell = Cell({"cnn": 0.5, "linear": 0.6}, data_sha256=str(number))
            yield cell
            asked.append((number, cell.asked))

    settings = study(architecture="auto", candidates=("cnn", "linear"), splits=(0, 1, 2))
    assert choose_architecture(chosen.folder, settings, cells) == "linear"
    kept = read_json(chosen.folder.architecture)
    assert kept["made_with"]["data_sha256"] == ["0", "1", "2"]
    assert asked[-3:] == [(number, ["cnn", "linear"]) for number in range(3)]


def test_the_words_name_all_candidates_and_the_endpoint():
    found = {"architecture": "linear", "validation": {"cnn": 0.5, "linear": 2 / 3}}
    assert architecture_words(found, "auroc") == (
        "linear, the best with real images alone on the validation parts "
        "(auroc: cnn 0.500, linear 0.667)"
    )
