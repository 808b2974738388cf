"""The one place that knows the names of files in a work folder, and how they are written.

Everything is written under a temporary name beside its own and renamed, so that a
reader finds a whole file or none.
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from gaug_jax.settings import UserError


@contextlib.contextmanager
def atomic_file(path: Path, mode: str = "wb") -> Iterator[IO]:
    """Opens a temporary file that takes the place of `path` when the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        # A failed write names no file; the user needs its name.
        error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def make_folder(path: Path, flag: str) -> None:
    """Makes a folder where it is absent.

    Raises:
      UserError: it cannot be made; the message names the flag.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{flag}={path} cannot be made ({error.strerror}): choose another"
        ) from None


def check_writable(path: str | Path, flag: str) -> None:
    """Raises `UserError` where a file could not be written: before long work, not after it."""
    path = Path(path).absolute()
    folder = next(parent for parent in path.parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"{flag}={path} cannot be written: choose a file in a folder of yours")


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON document, indented."""
    with atomic_file(path, "w") as file:
        json.dump(value, file, indent=2, sort_keys=True)
        file.write("\n")


def read_json(path: Path) -> Any:
    """Reads a JSON document.

    Raises:
      UserError: the file is absent or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: is this a work folder of gaug_jax.main?") from None
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}): restore it or use a new folder") from None


def append_json_line(path: Path, row: dict[str, Any]) -> None:
    """Appends one row to a file of JSON lines, in one write.

    After a line that a killed process cut short, the row begins a line of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+") as file:
        file.seek(max(0, file.tell() - 1))
        begin = "" if file.read(1) in (b"", b"\n") else "\n"
        file.write((begin + json.dumps(row) + "\n").encode())


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a file of JSON lines; a line that was cut short is left out."""
    rows = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            rows.append(json.loads(line))
    return rows


def write_json_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes all rows of a file of JSON lines anew."""
    with atomic_file(path, "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


class WorkFolder:
    """The paths of one run's files."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.config = self.path / "config.json"
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
        self.downstream_summary = self.downstream / "summary.json"
        self.downstream_table = self.downstream / "table.md"
        self.learning_curve = self.downstream / "learning_curve.png"
        self.ratio_curve = self.downstream / "ratios.png"
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
        os.replace(temporary, self.path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for this process, and clears away what a killed one left.

        Raises:
          UserError: another process holds it, or it cannot be made.
        """
        make_folder(self.path, "--workdir")
        with open(self.path / ".lock", "w") as file:
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
