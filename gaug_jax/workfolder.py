"""The one place that knows the names of files in a work folder, and who holds it."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from gaug_jax.errors import UserError
from gaug_jax.files import make_folder


class WorkFolder:
    """The paths of one run's files."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.config = self.path / "config.json"
        self.given_images = self.path / "given_images.npz"
        self.data_manifest = self.path / "data_manifest.json"
        self.checkpoints = self.path / "checkpoints"
        self.training_finished = self.checkpoints / "finished"
        self.secret = self.checkpoints / "secret"
        self.rollbacks = self.checkpoints / "rollbacks.jsonl"
        self.metrics = self.path / "metrics.jsonl"
        self.training_curves = self.path / "training_curves.png"
        self.tensorboard = self.path / "tensorboard"
        self.samples = self.path / "samples"
        self.progress_picture = self.samples / "progress.gif"
        self.classifier = self.path / "classifier.npz"
        self.study_classifier = self.path / "study_classifier.npz"
        self.joint_classifier = self.path / "joint_classifier.npz"
        self.fidelity = self.path / "evaluation" / "metrics.jsonl"
        self.fidelity_curve = self.path / "evaluation" / "curve.png"
        self.report = self.path / "report.html"
        self.study_times = self.path / "study_times.json"
        self.generators = self.path / "generators"
        self.downstream = self.path / "downstream"
        self.downstream_config = self.downstream / "config.json"
        self.runs = self.downstream / "runs.jsonl"
        self.predictions = self.downstream / "predictions"
        self.architecture = self.downstream / "architecture.json"
        self.downstream_summary = self.downstream / "summary.json"
        self.downstream_table = self.downstream / "table.md"
        self.learning_curve = self.downstream / "learning_curve.png"
        self.ratio_curve = self.downstream / "ratios.png"
        self.lock = self.path / ".lock"
        self.audit = self.path / "audit" / "audit.json"
        self.audit_picture = self.path / "audit" / "nearest.png"
        self.embedding = self.path / "embedding"
        self.overlap = self.embedding / "overlap.json"
        self.training_map = self.embedding / "training_map.png"
        self.training_map_places = self.embedding / "training_map.npz"
        self.synthetic = self.path / "synthetic"
        self.synthetic_pool = self.synthetic / "pool.npz"
        self.synthetic_images = self.synthetic / "images.npz"
        self.synthetic_tfds = self.synthetic / "tfds"
        self.synthetic_manifest = self.synthetic / "manifest.csv"

    def embedding_picture(self, plane: str) -> Path:
        """Returns the path of the picture of a plane."""
        return self.embedding / f"{plane}.png"

    def embedding_places(self, plane: str) -> Path:
        """Returns the path of the places in a plane."""
        return self.embedding / f"{plane}.npz"

    def synthetic_finished(self, file_format: str) -> Path:
        """Returns the file that says which images were drawn in a format."""
        return self.synthetic / f"finished_{file_format}.json"

    def synthetic_output(self, file_format: str) -> Path:
        """Returns what is there when images were drawn in a format."""
        return {
            "npz": self.synthetic_images,
            "png": self.synthetic_manifest,
            "tfds": self.synthetic_tfds,
        }[file_format]

    def datasheet(self, file_format: str) -> Path:
        """Returns the path of the datasheet of images in a format."""
        return (self.synthetic_tfds if file_format == "tfds" else self.synthetic) / "datasheet.md"

    def sample_picture(self, step: int) -> Path:
        """Returns the path of the grid of samples of a step."""
        return self.samples / f"step_{step:08d}.png"

    def sample_pictures(self) -> list[Path]:
        """Returns the grids so far, in the order of their steps."""
        return sorted(self.samples.glob("step_*.png"))

    def steps(self, cell: str) -> Path:
        """Returns the file of the search for the number of steps of a split and size."""
        return self.downstream / f"steps_{cell}.json"

    def shortcut(self, cell: str) -> Path:
        """Returns the file of what a field of the metadata alone says of a split and size."""
        return self.downstream / f"shortcut_{cell}.json"

    def shortcuts(self) -> list[Path]:
        """Returns those of all splits and sizes."""
        return sorted(self.downstream.glob("shortcut_*.json"))

    def set_aside(self, folder: Path) -> Path:
        """Renames one of its folders, so that it is neither used nor lost; returns the new path."""
        number = 1
        while (aside := folder.with_name(f"{folder.name}_before_{number}")).exists():
            number += 1
        os.replace(folder, aside)
        return aside

    def copy_training_of(self, other: "WorkFolder") -> None:
        """Becomes a copy of what training wrote into another work folder, whole or not at all."""
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for place in (
            other.config, other.data_manifest, other.checkpoints, other.metrics, other.tensorboard,
            other.samples, other.training_curves, other.joint_classifier,
        ):  # fmt: skip
            if place.exists():
                copy = shutil.copytree if place.is_dir() else shutil.copy2
                copy(place, temporary / place.name)
        if not self.data_manifest.exists():  # Of a call that ended before it had begun to train.
            shutil.rmtree(self.path, ignore_errors=True)
        os.replace(temporary, self.path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for this process, and clears away what a killed one left.

        Raises:
          UserError: another process holds it, or it cannot be made.
        """
        make_folder(self.path, "--workdir")
        with open(self.lock, "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"{self.path} is in use by another process: wait for it or choose another "
                    "--workdir"
                ) from None
            self._remove_leftovers()
            yield

    def _remove_leftovers(self) -> None:
        """Removes what was written or removed halfway when a process was killed."""
        for folder in (self.path, self.checkpoints, self.samples):
            for pattern in (".*.tmp", ".*.removed"):
                for path in folder.glob(pattern):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
