"""One split and training size of the downstream study: its generators, fits and rows."""

import dataclasses
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gaug_jax import data
from gaug_jax.classifiers.fitted import read_classifier
from gaug_jax.classifiers.linear import LinearSpec
from gaug_jax.classifiers.spec import LINEAR, ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.data.manifest import parts_sha256
from gaug_jax.data.splits import TEST, TRAIN, VALIDATION
from gaug_jax.downstream import leakage
from gaug_jax.downstream.arms import ARMS, FLOOR, most_images, synthetic_count, take
from gaug_jax.downstream.balance import levelling
from gaug_jax.downstream.fitting import cross_validated, fit_arm, search_steps, with_steps
from gaug_jax.downstream.linear_arm import best_penalty
from gaug_jax.downstream.plan import ArmRun, classifier_seeds, planned_runs
from gaug_jax.downstream.regions import BORDER, WHOLE, part_in_region
from gaug_jax.downstream.runs import Budget, Fitted, Parts, joint_arm, run_rows
from gaug_jax.downstream.shortcut import shortcut_figures
from gaug_jax.errors import UserError
from gaug_jax.evaluation.metrics.classification import of_a_split
from gaug_jax.files import append_json_line, atomic_file, read_json, read_json_lines, write_json
from gaug_jax.progress import Progress
from gaug_jax.settings import DataSettings
from gaug_jax.stages.budget import make_budget
from gaug_jax.stages.external import class_order, external_images
from gaug_jax.stages.opened import Opened
from gaug_jax.stages.together import run_together
from gaug_jax.stages.train import Training
from gaug_jax.synthesis.drawing import share_out
from gaug_jax.synthesis.filters import kept
from gaug_jax.synthesis.pool import Pool, study_pool
from gaug_jax.workfolder import WorkFolder

# Generators that are trained at the same time on a CPU.
_AT_ONCE = 2


def data_of_cell(settings: DataSettings, split: int, size: int) -> dict[str, int | None]:
    """Returns the fields of `config.data` of one split and training size.

    Splits from the number of folds on are folds of other partitions, which repeat the study.

    Args:
      settings: of the data.
      split: with n folds fold `split % n` of partition `split // n`; without folds the number
        of the partition. Partitions differ in the seed that they are drawn with; number 0 is
        that of `config.data.split_seed` itself.
      size: 0 for all.
    """
    folds = settings.num_folds
    partition, fold = divmod(split, folds) if folds else (split, 0)
    seed = settings.split_seed + partition
    return {"fold": fold, "split_seed": seed, "train_size": size or None}


class Cell:
    """One split and training size."""

    def __init__(self, opened: Opened, prepared: data.PreparedData, split: int, size: int) -> None:
        self._folder, self._settings = opened.folder, opened.settings
        self._prepared, self._split, self._size = prepared, split, size
        self._place = f"{split}-{size or 'all'}"  # In the names of its files.
        settings = opened.settings
        self._study = settings.classify
        self._order = class_order(prepared.class_names, self._study.positive_class)
        external = self._external = external_images(settings, prepared, self._order)
        self._external_sha256 = None if external is None else external.sha256
        self._parts = Parts(
            *(self._ordered(*prepared.part(part)) for part in (TRAIN, VALIDATION, TEST)),
            None if external is None else external.labelled(),
            prepared.groups[prepared.indices(TRAIN)],
        )
        self.data_sha256 = parts_sha256(prepared.manifest)
        self._pools: dict[int, Pool] = {}
        self._untrained: list[int] = []
        self._shortcut = self._shortcut_values()
        self._class_names = tuple(prepared.class_names[place] for place in self._order)
        self._architecture = self._study.architecture
        self._in_regions: dict[str, Parts] = {}

    def use(self, architecture: str) -> None:
        """Has all fits made of an architecture, which `auto` leaves open."""
        self._architecture = architecture

    def cross_validated(self, architecture: str) -> tuple[float, int]:
        """Returns what an architecture reaches within the training part, and its images."""
        parts = self._seen(self._study.region)
        return cross_validated(parts, self._budget(architecture)), len(parts.train.labels)

    def _budget(self, architecture: str) -> Budget:
        """Returns what is the same for every arm, the first number of steps included."""
        runs = ((run.arm, run.ratio) for run in planned_runs(self._study))
        labels = self._parts.train.labels
        return make_budget(
            self._study, architecture, tuple(self._prepared.images.shape[1:]), self._class_names,
            labels, most_images(runs, len(labels)),
        )  # fmt: skip

    @functools.cached_property
    def _searched(self) -> Budget:
        """The budget with the number of steps that is best on the validation part."""
        budget = self._budget(self._architecture)
        if self._architecture in LINEAR or not self._study.step_widenings:
            return budget
        path = self._folder.steps(self._place)
        made_with = {"data_sha256": self.data_sha256, "architecture": self._architecture}
        if path.exists() and (before := read_json(path))["made_with"] == made_with:
            return with_steps(budget, before["steps"])
        parts = self._seen(self._study.region).without_test()
        found = search_steps(budget, parts, self._study.arms, self._study.step_widenings)
        write_json(path, {"made_with": made_with, **found._asdict()})
        print(f"split {self._split}, size {self._size or 'all'}: {found.words()}")
        return with_steps(budget, found.steps)

    def _seen(self, region: str) -> Parts:
        """Returns what classifiers of a region see."""
        if region not in self._in_regions:
            self._in_regions[region] = self._parts.in_region(region)
        return self._in_regions[region]

    def _ordered(self, images: np.ndarray, labels: np.ndarray) -> Labelled:
        """Returns images with labels in the study's order of classes."""
        return Labelled(images, np.argsort(self._order)[labels].astype(np.int32))

    def complete(self, *, without_generators: bool = False) -> None:
        """Makes the runs that are not there yet.

        Args:
          without_generators: only those without generated images.
        """
        self._write_shortcut()
        runs = self._missing(planned_runs(self._study))
        words = f"split {self._split}, size {self._size or 'all'}"
        if without_generators:
            runs = [run for run in runs if run.gan_seed is None]
        if not runs:
            if not without_generators:
                print(f"{words}: nothing to do")
            return
        wanted = {run.gan_seed for run in runs if run.gan_seed is not None}
        self._untrained = [seed for seed in self._study.generator_seeds if seed in wanted]
        progress = Progress(words, len(runs), unit="run")
        for run in runs:
            made = self._write(run, self._fitted(run))
            mean = np.mean([row[of_a_split(self._study.endpoint)] or 0.0 for row in made])
            progress.note(f"{self._name(run)}: {of_a_split(self._study.endpoint)} {mean:.3f}")
            progress.advance(1)
        progress.close()

    def _fitted(self, run: ArmRun) -> Fitted:
        """Returns the fits of a run."""
        if ARMS[run.arm].mode != "joint":
            region = BORDER if ARMS[run.arm].mode == "borders" else run.region
            synthetic = part_in_region(self._synthetic(run), region)
            floor = run.arm in FLOOR  # Which no number of steps is searched for.
            budget = self._budget(self._architecture) if floor else self._searched
            return fit_arm(run.arm, self._seen(region), synthetic, budget, run.gan_seed or 0)
        folder = self._generator(run.gan_seed)
        classifier = read_classifier(folder.joint_classifier)
        rate = self._settings.train.classifier_learning_rate
        return joint_arm(classifier, rate, self._order, self._parts)

    def _common(self, run: ArmRun) -> dict[str, Any]:
        """Returns what the rows of a run share."""
        common = {
            **run._asdict(),
            "architecture": self._architecture_of(run),
            "balanced": self._budget(self._architecture).balanced,
            "train_size": self._size,
            "split": self._split,
            "data_sha256": self.data_sha256,
        }
        if self._external_sha256 is not None:
            common["external_sha256"] = self._external_sha256
        return common

    def _missing(self, runs: Iterable[ArmRun]) -> list[ArmRun]:
        """Returns the runs that are not there yet."""
        rows = read_json_lines(self._folder.runs)
        return [run for run in runs if not self._is_done(run, rows)]

    def _is_done(self, run: ArmRun, rows: list[dict[str, Any]]) -> bool:
        """Says whether every classifier seed of a run has its row and its predictions."""
        architecture = self._architecture_of(run)
        mine = [
            row["classifier_seed"]
            for row in rows
            if (row["train_size"], row["split"]) == (self._size, self._split)
            and run.is_of(row)
            and row.get("data_sha256") == self.data_sha256
            # A row without it is of before, when the config named the architecture.
            and row.get("architecture", architecture) == architecture
            # Of before, when no predictions on the external set were kept.
            and row.get("external_sha256", self._external_sha256) == self._external_sha256
        ]
        wanted = set(classifier_seeds(run.arm, self._study))
        return set(mine) >= wanted and self._predicted(run) >= wanted

    def _architecture_of(self, run: ArmRun) -> str:
        """Returns the architecture of a run's classifiers; the floor has its own."""
        return "pixels" if run.arm == "pixels" else self._architecture

    def _predicted(self, run: ArmRun) -> set[int]:
        """Returns the classifier seeds whose predictions are kept: those of the last call."""
        path = self._predictions(run)
        if not path.exists():
            return set()
        with np.load(path, allow_pickle=False) as file:
            return set(file["classifier_seeds"].tolist())

    def _predictions(self, run: ArmRun) -> Path:
        """Returns the file of a run's predictions."""
        return self._folder.predictions / f"{self._name(run)}.npz"

    def _name(self, run: ArmRun) -> str:
        """Returns the name of a run's predictions."""
        seed = "" if run.gan_seed is None else f"-{run.filter}-{run.ratio:g}-{run.gan_seed}"
        region = "" if run.region == WHOLE else f"-{run.region}"
        return f"{self._place}-{run.arm}{seed}{region}"

    def _synthetic(self, run: ArmRun) -> Labelled | None:
        """Returns a run's generated images: as many of each class as the ratio says."""
        arm = ARMS[run.arm]
        if not arm.synthetic:
            return None
        if run.gan_seed not in self._pools:
            self._pools[run.gan_seed] = self._pool(run.gan_seed)
        # Of its own images alone, so that a filter chooses the same whatever other arms need.
        pool = self._pools[run.gan_seed].first(self._drawn(arm.levelled))
        chosen = kept(run.filter, pool.scores, pool.drawn.labels, self._study.filter_keep)
        images = Labelled(pool.drawn.images[chosen], pool.drawn.labels[chosen])
        taken = take(images, self._counts(run.ratio, arm.levelled))
        return self._ordered(*taken)

    def _counts(self, ratio: float, levelled: bool) -> np.ndarray:
        """Returns generated images of each class, for proportions or for levels of an arm."""
        labels = self._prepared.part(TRAIN)[1]
        classes = np.bincount(labels, minlength=len(self._prepared.class_names))
        count = synthetic_count(len(labels), ratio)
        return levelling(count, classes) if levelled else np.array(share_out(count, classes))

    def _drawn(self, levelled: bool) -> np.ndarray:
        """Returns images of each class that arms of a kind choose from, with every filter."""
        most = max((*self._study.ratios, self._study.reference_ratio))
        filtered = any(name != "none" for name in self._study.filters)
        share = self._study.filter_keep if filtered else 1.0
        # One more, as a smaller ratio may round up.
        return np.ceil(self._counts(most, levelled) / share).astype(int) + 1

    def _generator(self, seed: int) -> WorkFolder:
        """Returns the work folder of a generator; the first call trains all that are wanted.

        Two at a time on a CPU, whose cores one of them does not keep busy.
        """
        at_once = _AT_ONCE if jax.default_backend() == "cpu" else 1
        while self._untrained:
            some, self._untrained = self._untrained[:at_once], self._untrained[at_once:]
            run_together([self._training(each) for each in some])
            for each in some:
                self._check_generator(self._generator_folder(each))
        return self._generator_folder(seed)

    def _training(self, seed: int) -> Training:
        """Returns the training of a generator, which is over where it is trained already."""
        folder = self._generator_folder(seed)
        seeded = dataclasses.replace(self._settings, seed=seed)
        settings = seeded.of_data(**data_of_cell(self._settings.data, self._split, self._size))
        if folder.data_manifest.exists():
            self._check_generator(folder)
        elif settings == self._settings and self._folder.training_finished.exists():
            print(f"generator {folder.path.name}: the work folder's own, which is trained already")
            folder.copy_training_of(self._folder)
        name = f"generator {folder.path.name}"
        return Training(Opened(str(folder.path), settings), self._prepared, name)

    def _generator_folder(self, seed: int) -> WorkFolder:
        """Returns the work folder of a generator."""
        return WorkFolder(self._folder.generators / self._generator_name(seed))

    def _generator_name(self, seed: int) -> str:
        """Returns the name of a generator's work folder."""
        return f"{self._place}-{seed}"

    def _check_generator(self, folder: WorkFolder) -> None:
        """Raises `UserError` where a generator saw other images than the real arm."""
        seen = read_json(folder.data_manifest)
        leakage.check_generator(seen, self._prepared.manifest, str(folder.path))

    def _pool(self, seed: int) -> Pool:
        """Returns the images of a generator."""
        folder = self._generator(seed)
        kinds = {ARMS[name].levelled for name in self._study.arms if ARMS[name].synthetic}
        counts = np.max([self._drawn(levelled) for levelled in sorted(kinds)], axis=0)
        spec = self._scoring_spec()
        pool = study_pool(folder, self._prepared.part(TRAIN), counts, spec, seed)
        shares = ", ".join(f"{name} {share:.2f}" for name, share in pool.agreement.items())
        name = self._generator_name(seed)
        print(f"generator {name}: a classifier agrees with the wanted label in: {shares}")
        return pool

    def _scoring_spec(self) -> ClassifierSpec | LinearSpec:
        """Returns the spec of the classifier that scores generated images: of real ones alone."""
        names = tuple(self._prepared.class_names)
        if self._architecture in LINEAR:
            budget = self._budget(self._architecture)
            found = best_penalty("none", self._architecture, self._seen(self._study.region), budget)
            return LinearSpec(names, self._architecture, found.value, budget.balanced)
        architecture = "resnet" if self._architecture == "resnet" else "cnn"
        return dataclasses.replace(self._budget(architecture).spec, class_names=names)

    def _shortcut_values(self) -> list[str | None]:
        """Returns the value of the shortcut's field of every image; none without a shortcut."""
        field = self._study.shortcut
        if field is None:
            return []
        values = [row["metadata"].get(field) for row in self._prepared.manifest["rows"]]
        if all(value is None for value in values):
            raise UserError(f"config.classify.shortcut={field!r} is no field of the data")
        return values

    def _write_shortcut(self) -> None:
        """Writes what a field of the metadata alone says of the classes."""
        if not self._shortcut:
            return
        labels = np.argsort(self._order)[self._prepared.labels]
        figures = shortcut_figures(self._shortcut, labels, self._prepared.parts, len(self._order))
        path = self._folder.shortcut(self._place)
        write_json(path, {self._study.shortcut: figures})

    def _write(self, run: ArmRun, fitted: Fitted) -> list[dict[str, Any]]:
        """Writes predictions and rows; the rows come last, so that they name what is there."""
        seeds = classifier_seeds(run.arm, self._study)
        test = self._prepared.indices(TEST)
        arrays = {
            "probabilities": fitted.test.astype(np.float32),
            "label": self._parts.test.labels,
            "group": self._prepared.groups[test],
            "name": np.array(self._prepared.names)[test],
            "classifier_seeds": np.array(seeds),
            "class_names": np.array(self._class_names),
            "validation_probabilities": fitted.validation.astype(np.float32),
            "validation_label": self._parts.validation.labels,
        }
        if self._external is not None:
            arrays |= self._external.arrays(fitted, self._parts.groups())
        path = self._predictions(run)
        with atomic_file(path) as file:
            np.savez_compressed(file, **arrays)
        common = {**self._common(run), "predictions": path.name}
        if run.gan_seed in self._pools:
            agreement = self._pools[run.gan_seed].agreement
            common["label_agreement"] = float(np.mean(list(agreement.values())))
        rows = run_rows(common, fitted, self._parts, len(self._class_names), seeds)
        for row in rows:
            append_json_line(self._folder.runs, row)
        return rows
