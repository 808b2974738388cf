"""The downstream study: generators, fits and figures in their order, resumed run by run."""

import copy
import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from gaug_jax import data
from gaug_jax.data.splits import TEST, TRAIN, VALIDATION
from gaug_jax.downstream import leakage, scores
from gaug_jax.downstream.arms import ARMS, Labelled, synthetic_count, take
from gaug_jax.downstream.runs import Budget, Fitted, Parts, fit_arm, run_rows
from gaug_jax.downstream.shortcut import shortcut_figures
from gaug_jax.downstream.summary import summarise
from gaug_jax.pipeline.pool import Pool, study_pool
from gaug_jax.pipeline.training import train_from_values
from gaug_jax.progress import Progress
from gaug_jax.reporting.downstream_curves import write_learning_curve, write_ratio_curve
from gaug_jax.reporting.downstream_table import write_table
from gaug_jax.settings import Settings, UserError, check_same_run, one_of, read_settings
from gaug_jax.synthesis.filters import FILTERS, kept
from gaug_jax.synthesis.sampling import share_out
from gaug_jax.training.classifier_spec import ClassifierSpec
from gaug_jax.workfolder import (
    WorkFolder,
    append_json_line,
    atomic_file,
    read_json,
    read_json_lines,
    write_json,
)


class _Run(NamedTuple):
    """One arm with one ratio, filter and generator; all classifier seeds together."""

    arm: str
    ratio: float
    filter: str
    gan_seed: int | None


def classify(config: ConfigDict, workdir: str) -> None:
    """Makes every run of the study that is not there yet, and writes its figures.

    Raises:
      UserError: the config, the data or the work folder is not usable, or something leaks.
    """
    values = config.to_dict()
    settings = read_settings(values)
    _check(settings)
    folder = WorkFolder(workdir)
    if folder.config.exists():
        check_same_run(read_json(folder.config), values, workdir)
    cells = [(s, n) for n in settings.classify.train_sizes for s in settings.classify.splits]
    first = _prepare(settings, *cells[0])
    with folder.locked():
        write_json(folder.config, values)
        for split, size in cells:
            prepared = first if (split, size) == cells[0] else _prepare(settings, split, size)
            _Cell(folder, values, settings, prepared, split, size).complete()
    _write_figures(folder, settings)


def _check(settings: Settings) -> None:
    """Raises `UserError` where the study's fields name something unknown."""
    for arm in settings.classify.arms:
        one_of("classify.arms", arm, ARMS)
    for name in settings.classify.filters:
        one_of("classify.filters", name, FILTERS)
    one_of("classify.endpoint", settings.classify.endpoint, scores.FIGURES)
    if settings.model.labels == "none" and any(
        ARMS[arm].synthetic for arm in settings.classify.arms
    ):
        raise UserError(
            "config.model.labels='none': the study's generated images need classes, so choose "
            "'conditional' or 'per_class', or arms without generated images"
        )


def _prepare(settings: Settings, split: int, size: int) -> data.PreparedData:
    """Returns the data of one split and training size, looked through for leaks."""
    prepared = data.prepare(_data_settings(settings, split, size))
    leakage.check_groups(prepared.groups, prepared.parts)
    leakage.check_duplicates(prepared.images, prepared.names, prepared.parts)
    if len(prepared.class_names) < 2:
        raise UserError("the study needs two classes or more")
    for part in (TRAIN, VALIDATION, TEST):
        if not len(prepared.indices(part)):
            raise UserError(f"the {part} part is empty: change config.data's fractions or folds")
    return prepared


def _data_settings(settings: Settings, split: int, size: int) -> Any:
    """Returns the data's settings of one split and training size."""
    return dataclasses.replace(settings.data, fold=split, train_size=size or None)


class _Cell:
    """One split and training size."""

    def __init__(
        self,
        folder: WorkFolder,
        values: Mapping[str, Any],
        settings: Settings,
        prepared: data.PreparedData,
        split: int,
        size: int,
    ) -> None:
        self._folder, self._values, self._settings = folder, values, settings
        self._prepared, self._split, self._size = prepared, split, size
        self._study = settings.classify
        self._order = _class_order(prepared.class_names, self._study.positive_class)
        self._parts = Parts(
            *(self._ordered(*prepared.part(part)) for part in (TRAIN, VALIDATION, TEST)),
            _external(settings, prepared, self._order),
        )
        self._pools: dict[int, Pool] = {}
        names = tuple(prepared.class_names[place] for place in self._order)
        study = self._study
        self._budget = Budget(
            ClassifierSpec(
                tuple(prepared.images.shape[1:]), names, study.architecture, study.width,
                study.steps, study.batch_size, study.weight_decay, flip=study.flip,
            ),
            tuple(study.seeds),
            tuple(study.learning_rates),
            study.balanced,
            study.endpoint,
            study.pseudo_label_weight,
        )  # fmt: skip

    def _ordered(self, images: np.ndarray, labels: np.ndarray) -> Labelled:
        """Returns images with labels in the study's order of classes."""
        return Labelled(images, np.argsort(self._order)[labels].astype(np.int32))

    def complete(self) -> None:
        """Makes the runs that are not there yet."""
        rows = read_json_lines(self._folder.runs)
        runs = [run for run in self._runs() if not self._is_done(run, rows)]
        if not runs:
            print(f"split {self._split}, size {self._size or 'all'}: nothing to do")
            return
        self._shortcut()
        progress = Progress(
            f"split {self._split}, size {self._size or 'all'}", len(runs), unit="run"
        )
        for run in runs:
            fitted = fit_arm(
                run.arm, self._parts, self._synthetic(run), self._budget, run.gan_seed or 0
            )
            made = self._write(run, fitted)
            mean = np.mean([row[self._study.endpoint] or 0.0 for row in made])
            progress.note(f"{self._name(run)}: {self._study.endpoint} {mean:.3f}")
            progress.advance(1)
        progress.close()

    def _runs(self) -> Iterator[_Run]:
        """Yields every run of the cell."""
        study = self._study
        for name in study.arms:
            if not ARMS[name].synthetic:
                yield _Run(name, 0.0, "none", None)
                continue
            for seed in study.generator_seeds:
                if not ARMS[name].all_ratios:
                    yield _Run(name, study.reference_ratio, "none", seed)
                    continue
                for ratio in study.ratios:
                    yield from (_Run(name, ratio, chosen, seed) for chosen in study.filters)

    def _common(self, run: _Run) -> dict[str, Any]:
        """Returns what the rows of a run share."""
        return {**run._asdict(), "train_size": self._size, "split": self._split}

    def _is_done(self, run: _Run, rows: list[dict[str, Any]]) -> bool:
        """Says whether every classifier seed of a run has its row."""
        common = self._common(run)
        mine = [row for row in rows if all(row[name] == common[name] for name in common)]
        return {row["classifier_seed"] for row in mine} >= set(self._study.seeds)

    def _name(self, run: _Run) -> str:
        """Returns the name of a run's predictions."""
        seed = "" if run.gan_seed is None else f"-{run.filter}-{run.ratio:g}-{run.gan_seed}"
        return f"{self._split}-{self._size or 'all'}-{run.arm}{seed}"

    def _synthetic(self, run: _Run) -> Labelled | None:
        """Returns a run's generated images: as many of each class as the ratio says."""
        if not ARMS[run.arm].synthetic:
            return None
        if run.gan_seed not in self._pools:
            self._pools[run.gan_seed] = self._pool(run.gan_seed)
        pool = self._pools[run.gan_seed]
        chosen = kept(run.filter, pool.scores, pool.drawn.labels, self._study.filter_keep)
        images = Labelled(pool.drawn.images[chosen], pool.drawn.labels[chosen])
        taken = take(images, self._counts(run.ratio))
        return self._ordered(*taken)

    def _counts(self, ratio: float) -> np.ndarray:
        """Returns generated images of each class, in the training part's proportions."""
        labels = self._prepared.part(TRAIN)[1]
        classes = np.bincount(labels, minlength=len(self._prepared.class_names))
        return np.array(share_out(synthetic_count(len(labels), ratio), classes))

    def _pool(self, seed: int) -> Pool:
        """Returns the images of a generator, which is trained where it is not."""
        name = f"{self._split}-{self._size or 'all'}-{seed}"
        folder = WorkFolder(self._folder.generators / name)
        values = copy.deepcopy(dict(self._values))
        values["data"] |= {"fold": self._split, "train_size": self._size or None}
        values["seed"] = seed
        if folder.data_manifest.exists():
            leakage.check_generator(
                read_json(folder.data_manifest), self._prepared.manifest, str(folder.path)
            )
        train_from_values(values, str(folder.path))
        leakage.check_generator(
            read_json(folder.data_manifest), self._prepared.manifest, str(folder.path)
        )
        most = max((*self._study.ratios, self._study.reference_ratio))
        filtered = any(name != "none" for name in self._study.filters)
        share = self._study.filter_keep if filtered else 1.0
        counts = np.ceil(self._counts(most) / share).astype(int) + 1
        spec = dataclasses.replace(self._budget.spec, class_names=self._prepared.class_names)
        pool = study_pool(folder, self._prepared, counts, spec, seed)
        shares = ", ".join(f"{name} {share:.2f}" for name, share in pool.agreement.items())
        print(f"generator {name}: a classifier agrees with the wanted label in: {shares}")
        return pool

    def _shortcut(self) -> None:
        """Writes what a field of the metadata alone says of the classes."""
        field = self._study.shortcut
        if field is None or (self._folder.downstream / self._shortcut_name()).exists():
            return
        rows = self._prepared.manifest["rows"]
        values = [row["metadata"].get(field) for row in rows]
        if all(value is None for value in values):
            raise UserError(f"config.classify.shortcut={field!r} is no field of the data")
        labels = np.argsort(self._order)[self._prepared.labels]
        figures = shortcut_figures(values, labels, self._prepared.parts, len(self._order))
        write_json(self._folder.downstream / self._shortcut_name(), {field: figures})

    def _shortcut_name(self) -> str:
        """Returns the name of the cell's figures of the shortcut."""
        return f"shortcut_{self._split}-{self._size or 'all'}.json"

    def _write(self, run: _Run, fitted: Fitted) -> list[dict[str, Any]]:
        """Writes predictions and rows; the rows come last, so that they name what is there."""
        test = self._prepared.indices(TEST)
        arrays = {
            "probabilities": fitted.test.astype(np.float32),
            "label": self._parts.test.labels,
            "group": self._prepared.groups[test],
            "name": np.array(self._prepared.names)[test],
            "classifier_seeds": np.array(self._budget.seeds),
            "class_names": np.array(self._budget.spec.class_names),
            "validation_probabilities": fitted.validation.astype(np.float32),
            "validation_label": self._parts.validation.labels,
        }
        path = self._folder.predictions / f"{self._name(run)}.npz"
        with atomic_file(path) as file:
            np.savez_compressed(file, **arrays)
        common = {**self._common(run), "predictions": path.name}
        if run.gan_seed is not None:
            agreement = self._pools[run.gan_seed].agreement
            common["label_agreement"] = float(np.mean(list(agreement.values())))
        rows = run_rows(common, fitted, self._parts, self._budget)
        for row in rows:
            append_json_line(self._folder.runs, row)
        return rows


def _class_order(names: tuple[str, ...], positive: str | None) -> np.ndarray:
    """Returns the classes in the study's order: of two, the positive one is the second."""
    order = np.arange(len(names))
    if positive is None:
        return order
    one_of("classify.positive_class", positive, names)
    if len(names) != 2:
        raise UserError("config.classify.positive_class is for two classes: leave it unset")
    return order if names[1] == positive else order[::-1]


def _external(
    settings: Settings, prepared: data.PreparedData, order: np.ndarray
) -> Labelled | None:
    """Returns the external test set in the study's order of classes, or None."""
    path = settings.classify.external
    if path is None:
        return None
    source = "npz" if path.endswith(".npz") else "folder"
    outside = data.prepare(
        dataclasses.replace(
            settings.data, source=source, path=path, label=None, group=None, num_folds=0,
            official_test=False, train_size=None, test_fraction=0.0, validation_fraction=0.0,
        )
    )  # fmt: skip
    unknown = sorted(set(outside.class_names) - set(prepared.class_names))
    if unknown:
        raise UserError(
            f"config.classify.external={path!r} has a class {unknown[0]!r} that the data has not: "
            f"its classes are {', '.join(prepared.class_names)}"
        )
    places = [prepared.class_names.index(name) for name in outside.class_names]
    labels = np.argsort(order)[np.array(places)][outside.labels]
    return Labelled(outside.images, labels.astype(np.int32))


def _write_figures(folder: WorkFolder, settings: Settings) -> None:
    """Writes summary, table and curves of all runs so far."""
    study = settings.classify
    wanted = {(size, split) for size in study.train_sizes for split in study.splits}
    rows = [
        row for row in read_json_lines(folder.runs)
        if (row["train_size"], row["split"]) in wanted and row["arm"] in study.arms
        and row["gan_seed"] in (None, *study.generator_seeds)
        and row["classifier_seed"] in study.seeds
    ]  # fmt: skip
    summary = summarise(rows, folder.predictions, study)
    shortcuts = sorted(folder.downstream.glob("shortcut_*.json"))
    summary["shortcuts"] = {path.stem: read_json(path) for path in shortcuts}
    write_json(folder.downstream_summary, summary)
    write_table(folder, summary)
    write_learning_curve(folder, summary)
    write_ratio_curve(folder, rows, study.endpoint)
    print(folder.downstream_table.read_text())
    print(f"see {folder.downstream}: {math.ceil(len(rows))} fits")
