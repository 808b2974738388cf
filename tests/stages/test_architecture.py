"""The study's classifier: the best candidate by cross-validation, chosen once."""

import pytest
from support.settings_for_tests import study

from gaug_jax.files import read_json
from gaug_jax.stages.architecture import architecture_words, choose_architecture
from gaug_jax.workfolder import WorkFolder


class Cell:
    """A cell in whose training part each architecture reaches so much."""

    def __init__(self, reached, count=10, data_sha256="abc"):
        self._reached, self._count = reached, count
        self.data_sha256, self.asked = data_sha256, []

    def cross_validated(self, name):
        self.asked.append(name)
        return self._reached[name], self._count


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


def test_the_best_by_cross_validation_is_chosen(chosen, capsys):
    cells = [Cell({"cnn": 0.65, "linear": 0.7}), Cell({"cnn": 0.7, "linear": 0.68}, 5, "def")]
    assert chosen(*cells) == ("linear", True)
    assert [cell.asked for cell in cells] == [["cnn", "linear"]] * 2
    assert "classifier: linear, the best with real images alone" in capsys.readouterr().out


def test_splits_count_by_their_images(chosen):
    cells = [Cell({"cnn": 0.69, "linear": 0.65}, 10), Cell({"cnn": 0.57, "linear": 0.65}, 30)]
    assert chosen(*cells, splits=(0, 1))[0] == "linear"
    found = read_json(chosen.folder.architecture)["cross_validation"]
    assert found == {
        "cnn": {"mean": pytest.approx(0.6), "splits": 2},
        "linear": {"mean": pytest.approx(0.65), "splits": 2},
    }
    # Each of them once it would be the other one.
    alike = [Cell({"cnn": 0.74, "linear": 0.65}, data_sha256="1"),
             Cell({"cnn": 0.57, "linear": 0.65})]  # fmt: skip
    assert chosen(*alike, splits=(0, 1))[0] == "cnn"


def test_who_is_far_behind_is_not_judged_again(chosen):
    first = Cell({"cnn": 0.6, "linear": 0.7, "pixels": 0.63}, data_sha256="1")
    second = Cell({"cnn": 0.99, "linear": 0.6, "pixels": 0.64}, data_sha256="2")
    third = Cell({"linear": 0.6, "pixels": 0.85}, data_sha256="3")
    names = ("cnn", "linear", "pixels")
    assert chosen(first, second, third, candidates=names, splits=(0, 1, 2))[0] == "pixels"
    assert [cell.asked for cell in (first, second, third)] == [
        ["cnn", "linear", "pixels"], ["linear", "pixels"], ["linear", "pixels"],
    ]  # fmt: skip
    found = read_json(chosen.folder.architecture)["cross_validation"]
    assert found["cnn"] == {"mean": pytest.approx(0.6), "splits": 1}
    assert found["pixels"] == {"mean": pytest.approx((0.63 + 0.64 + 0.85) / 3), "splits": 3}


def test_a_high_figure_of_few_splits_does_not_win(chosen):
    cells = [Cell({"cnn": 0.8, "linear": 0.9}, data_sha256="1"),
             Cell({"linear": 0.5}, data_sha256="2")]  # fmt: skip
    assert chosen(*cells, splits=(0, 1))[0] == "linear"


@pytest.mark.parametrize("candidates", [("cnn", "linear"), ("linear", "cnn")])
def test_of_equals_the_first_candidate_is_chosen(chosen, candidates):
    cell = Cell({"cnn": 0.7, "linear": 0.7})
    assert chosen(cell, candidates=candidates)[0] == candidates[0]


def test_only_candidates_are_looked_at(chosen):
    cell = Cell({"cnn": 0.65, "linear": 0.7, "resnet": 0.9})
    assert chosen(cell)[0] == "linear" and "resnet" not in cell.asked
    assert chosen(cell, candidates=("cnn",))[0] == "cnn"


def test_a_figure_that_is_not_defined_is_the_worst(chosen):
    assert chosen(Cell({"cnn": -1.0, "linear": 0.1}))[0] == "linear"


def test_the_choice_is_kept_and_used_again(chosen, capsys):
    assert chosen(Cell({"cnn": 0.65, "linear": 0.7})) == ("linear", True)
    kept = read_json(chosen.folder.architecture)
    assert kept == {
        "made_with": {
            "candidates": ["cnn", "linear"], "endpoint": "accuracy", "data_sha256": ["abc"],
        },
        "architecture": "linear",
        "cross_validation": {
            "cnn": {"mean": 0.65, "splits": 1}, "linear": {"mean": 0.7, "splits": 1},
        },
    }  # fmt: skip
    capsys.readouterr()
    # What would be better now is not looked at.
    assert chosen(Cell({"cnn": 0.9, "linear": 0.7})) == ("linear", False)
    assert read_json(chosen.folder.architecture) == kept and capsys.readouterr().out == ""


def test_other_data_candidates_or_endpoint_choose_anew(chosen):
    first = {"cnn": 0.65, "linear": 0.7, "resnet": 0.5}
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
            cell = Cell({"cnn": 0.55, "linear": 0.6}, data_sha256=str(number))
            yield cell
            asked.append((number, cell.asked))

    settings = study(architecture="auto", candidates=("cnn", "linear"), splits=(0, 1, 2))
    assert choose_architecture(chosen.folder, settings, cells) == "linear"
    kept = read_json(chosen.folder.architecture)
    assert kept["made_with"]["data_sha256"] == ["0", "1", "2"]
    assert asked[-3:] == [(number, ["cnn", "linear"]) for number in range(3)]


def test_the_words_name_all_candidates_and_the_endpoint():
    reached = {
        "cnn": {"mean": 0.5, "splits": 1},
        "linear": {"mean": 2 / 3, "splits": 3},
        "pixels": {"mean": 0.6, "splits": 3},
    }
    found = {"architecture": "linear", "cross_validation": reached}
    assert architecture_words(found, "auroc") == (
        "linear, the best with real images alone by cross-validation of the training "
        "parts (auroc: cnn 0.500 after 1 of 3 splits, linear 0.667, pixels 0.600)"
    )
