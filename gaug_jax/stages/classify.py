"""The downstream study: its cells in their order, and the figures of all of them."""

import contextlib
from collections.abc import Iterator

import numpy as np

from gaug_jax import data
from gaug_jax.data.splits import TEST, TRAIN, VALIDATION
from gaug_jax.downstream import leakage
from gaug_jax.downstream.arms import ARMS
from gaug_jax.downstream.plan import of_region, planned_rows
from gaug_jax.downstream.summary import floor_reason, summarise
from gaug_jax.errors import UserError
from gaug_jax.evaluation.metrics import classification as scores
from gaug_jax.files import read_json, read_json_lines, write_json
from gaug_jax.reporting.downstream_curves import write_learning_curve, write_ratio_curve
from gaug_jax.reporting.downstream_table import write_table
from gaug_jax.settings import Settings, check_same_run, read_settings
from gaug_jax.settings.checks import one_of
from gaug_jax.stages.architecture import AUTO, architecture_words, choose_architecture
from gaug_jax.stages.cell import Cell, data_of_cell
from gaug_jax.stages.opened import Opened
from gaug_jax.synthesis.filters import FILTERS
from gaug_jax.workfolder import WorkFolder

# A work folder may go on with other values of these; runs of its generators so far may not.
_BOUND = {
    "train.steps",
    "train.epochs",
    "train.patience",
    "objective.epsilon",
    "classify.external",
}


def classify(
    opened: Opened, *, first: Cell | None = None, set_aside: bool = False, floor_alone: bool = False
) -> bool:
    """Makes every run of the study that is not there yet, and writes its figures.

    Runs without generated images come first: where they are below the floor, the study cannot
    answer, no generator is trained for it, and the figures say why.

    Args:
      opened: work folder of the study.
      first: its `first_cell`, where that was looked through before.
      set_aside: rename runs of another `config.classify` and begin anew, not refuse them.
      floor_alone: end before the first run with generated images.

    Returns:
      Whether the study goes on to generated images.

    Raises:
      UserError: the config, the data or the work folder is not usable, or something leaks.
    """
    folder, settings = opened.folder, opened.settings
    with _begun(opened, first, set_aside) as cells:
        reason = _compare_without_generators(opened, cells)
        goes_on = reason is None or settings.classify.ignore_floor
        if goes_on and not floor_alone:
            for cell in cells():
                cell.complete()
    if not (goes_on and floor_alone):
        _write_figures(folder, settings)
    return goes_on


class _Cells:
    """The cells of a study, one at a time: those of a large data set would fill the memory."""

    def __init__(self, opened: Opened, first: Cell) -> None:
        self._opened, self._first = opened, first
        self._checked = {_cells(opened.settings)[0]}
        self._architecture: str | None = None

    def __call__(self, size: int | None = None) -> Iterator[Cell]:
        """Yields the cells of a training size, or all, with the study's architecture.

        Args:
          size: of the training part (0: all of it); None for every size.
        """
        for place in _cells(self._opened.settings):
            if size in (None, place[1]):
                cell = self._cell(*place)
                if self._architecture is not None:
                    cell.use(self._architecture)
                yield cell

    def _cell(self, split: int, size: int) -> Cell:
        """Returns a cell, looked through for leaks at its first time."""
        if (split, size) == _cells(self._opened.settings)[0]:
            return self._first
        prepared = _prepare(self._opened, split, size, (split, size) not in self._checked)
        self._checked.add((split, size))
        return Cell(self._opened, prepared, split, size)

    def of_endpoint(self) -> Iterator[Cell]:
        """Yields the cells of the endpoint's training size, a split after another."""
        return self(self._opened.settings.classify.endpoint_size)

    def choose_architecture(self) -> None:
        """Has all fits made of the study's architecture, which `auto` chooses now."""
        study = self._opened.settings.classify
        self._architecture = choose_architecture(self._opened.folder, study, self.of_endpoint)


@contextlib.contextmanager
def _begun(opened: Opened, first: Cell | None, set_aside: bool) -> Iterator[_Cells]:
    """Holds the work folder of a study that was looked through, and gives its cells."""
    folder, settings = opened.folder, opened.settings
    other = _made_with_others(opened)
    if other and not set_aside:
        raise other
    first = first or first_cell(opened)  # Before anything is written.
    with folder.locked():
        if other:
            aside = folder.set_aside(folder.downstream)
            print(f"{other}: those runs are now in {aside}")
        write_json(folder.config, settings.to_dict())
        write_json(folder.downstream_config, settings.to_dict())
        cells = _Cells(opened, first)
        cells.choose_architecture()
        yield cells


def _compare_without_generators(opened: Opened, cells: _Cells) -> str | None:
    """Makes the endpoint's runs without generated images; returns why there is no answer."""
    folder, study = opened.folder, opened.settings.classify
    for cell in cells.of_endpoint():
        cell.complete(without_generators=True)
    rows = planned_rows(read_json_lines(folder.runs), study)
    reason = floor_reason(rows, folder.predictions, study)
    if reason is not None:
        print(f"cannot answer: {reason}")
        if not study.ignore_floor:
            print("config.classify.ignore_floor=True goes on all the same")
    return reason


def _cells(settings: Settings) -> list[tuple[int, int]]:
    """Returns split and training size of each cell, in their order."""
    study = settings.classify
    return [(split, size) for size in study.train_sizes for split in study.splits]


def _cell(opened: Opened, split: int, size: int) -> Cell:
    """Returns one cell with its data."""
    return Cell(opened, _prepare(opened, split, size), split, size)


def first_cell(opened: Opened) -> Cell:
    """Returns the first cell of a study whose fields and data were looked through.

    Raises:
      UserError: as of `classify`; nothing is written.
    """
    _check(opened.settings)
    _check_cells(opened)
    return _cell(opened, *_cells(opened.settings)[0])


def _made_with_others(opened: Opened) -> UserError | None:
    """Returns the error where the runs on disk were made with another config."""
    folder = opened.folder
    if not folder.downstream_config.exists():
        return None
    try:
        before = read_settings(read_json(folder.downstream_config), stored=True)
        check_same_run(before, opened.settings, str(folder.downstream), bound=_BOUND)
    except UserError as error:
        return error
    return None


def _check(settings: Settings) -> None:
    """Raises `UserError` where the study's fields name something unknown."""
    for arm in settings.classify.arms:
        one_of("classify.arms", arm, ARMS)
    for name in settings.classify.filters:
        one_of("classify.filters", name, FILTERS)
    one_of("classify.endpoint", settings.classify.endpoint, scores.ENDPOINTS)
    for _, name, _ in settings.classify.paper:
        one_of("classify.paper", name, (*scores.FIGURES, *scores.OVER_SPLITS))
    modes = {ARMS[arm].mode for arm in settings.classify.arms if ARMS[arm].synthetic}
    if "joint" in modes and not settings.objective.classifier_weight:
        raise UserError(
            "config.classify.arms has 'ec_gan', whose classifier is trained along with the "
            "generator: set config.objective.classifier_weight (0.1 in its paper)"
        )
    if settings.model.labels == "none" and modes - {"joint"}:
        raise UserError(
            "config.model.labels='none': the study's generated images need classes, so choose "
            "'conditional' or 'per_class', or arms without generated images"
        )


def _check_cells(opened: Opened) -> None:
    """Raises `UserError` where a size is not to be had: now, not after hours."""
    cells = _cells(opened.settings)
    for cell in cells:
        opened.settings.of_data(**data_of_cell(opened.settings.data, *cell))
    split, largest = max(cells, key=lambda cell: cell[1])
    if largest and largest != cells[0][1]:
        opened.prepared_with(**data_of_cell(opened.settings.data, split, largest))


def _prepare(opened: Opened, split: int, size: int, look_through: bool = True) -> data.PreparedData:
    """Returns the data of one split and training size, looked through for leaks if wanted."""
    prepared = opened.prepared_with(**data_of_cell(opened.settings.data, split, size))
    if not look_through:
        return prepared
    leakage.check_groups(prepared.groups, prepared.parts)
    leakage.check_duplicates(prepared.images, prepared.names, prepared.parts)
    if len(prepared.class_names) < 2:
        raise UserError(
            "a study compares classifiers and needs two classes or more: with one, use "
            "gaug_jax.main, synthesize, and evaluate with --features=pixels or pretrained"
        )
    for part in (TRAIN, VALIDATION, TEST):
        if not len(prepared.indices(part)):
            raise UserError(f"the {part} part is empty: change config.data's fractions or folds")
    _check_judgeable(opened.settings, prepared)
    return prepared


def _check_judgeable(settings: Settings, prepared: data.PreparedData) -> None:
    """Raises `UserError` where arms could not be told apart by the endpoint."""
    study = settings.classify
    absent = set(range(len(prepared.class_names))) - set(prepared.part(VALIDATION)[1].tolist())
    if absent and scores.of_a_split(study.endpoint) in scores.OF_EVERY_CLASS:
        raise UserError(
            f"the validation part has no image of class {prepared.class_names[min(absent)]}, "
            f"without which {study.endpoint} is not defined: choose another "
            "config.classify.endpoint, a larger config.data.validation_fraction or leave the "
            "class out (config.data.min_class_size)"
        )
    groups = np.unique(prepared.groups[prepared.indices(TEST)])
    if len(study.splits) == 1 and len(groups) < 2:
        raise UserError(
            "all images of the test part are of one group (patient, writer), which gives no "
            "interval: choose more config.classify.splits or another config.data.split_seed"
        )


def _write_figures(folder: WorkFolder, settings: Settings) -> None:
    """Writes summary, table and curves of all runs so far."""
    study = settings.classify
    rows = planned_rows(read_json_lines(folder.runs), study)
    summary = summarise(rows, folder.predictions, study)
    shortcuts = folder.shortcuts() if study.shortcut else []
    if folder.architecture.exists() and study.architecture == AUTO:
        found = read_json(folder.architecture)
        summary["architecture"] = architecture_words(found, study.endpoint)
    summary["shortcuts"] = {path.stem: read_json(path) for path in shortcuts}
    write_json(folder.downstream_summary, summary)
    write_table(folder, summary)
    write_learning_curve(folder, summary)
    write_ratio_curve(folder, of_region(rows, study.region), scores.of_a_split(study.endpoint))
    print(folder.downstream_table.read_text())
    print(f"see {folder.downstream}: {len(rows)} fits")
