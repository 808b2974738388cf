"""Checkpoints: whole or absent, verified when read, the latest and the best kept.

A checkpoint is a folder named by its step, with the state (orbax), `metadata.json`
and `sha256.json`, the hash of every other file. It is written under a temporary
name on a thread of its own and renamed when all of it is on the disk. orbax reads
back a flipped byte in silence, so the hashes are checked first.
"""

import concurrent.futures
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flax.serialization
import jax
import numpy as np
from jaxtyping import PyTree

from gaug_jax.errors import UserError, in_short
from gaug_jax.files import read_json, write_json
from gaug_jax.source_readers import ONE_AT_A_TIME

_HASHES = "sha256.json"
_METADATA = "metadata.json"
_STATE = "state"


class DamagedCheckpoint(Exception):
    """A checkpoint whose files are not the ones that were written."""


def _checkpointer() -> Any:
    """Returns an orbax checkpointer that this process uses alone."""
    # Imported here: it costs more than a second, which a user's mistake should not wait for.
    import orbax.checkpoint as ocp

    process = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(
        primary_host=process,
        active_processes={process},
        barrier_sync_key_prefix=f"process_{process}",
    )
    handler = ocp.PyTreeCheckpointHandler(multiprocessing_options=alone)
    return ocp.Checkpointer(handler, multiprocessing_options=alone)


def _reason(error: Exception) -> str:
    """Returns why a write failed, in the operating system's words where its number is known."""
    quoted = re.search(r"os_error_code='(\d+)'", str(error))
    number = int(quoted[1]) if quoted else getattr(error, "errno", None)
    return os.strerror(number) if number else in_short(str(error) or repr(error))


def _with_absent_parts(values: PyTree, parts: PyTree) -> PyTree:
    """Returns the values of a state, with None for parts that are younger than it and not in use.

    Args:
      values: nested dicts of what was written.
      parts: nested dicts of what a state has now.
    """
    if not isinstance(values, dict) or not isinstance(parts, dict):
        return values
    absent = {name: None for name, part in parts.items() if part is None}
    known = {name: _with_absent_parts(value, parts.get(name)) for name, value in values.items()}
    return {**absent, **known}


def _hashes(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file below a folder but the list of hashes itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _HASHES)
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


class Checkpoints:
    """The checkpoints of one work folder.

    Args:
      folder: where they are.
      keep_last: how many of the latest are kept.
      keep_best: how many of the best by `metadata["kid_mean"]` (lower is better) are kept.
    """

    def __init__(self, folder: Path, keep_last: int = 1, keep_best: int = 0) -> None:
        self._folder = folder
        self._keep_last = keep_last
        self._keep_best = keep_best
        self._writer = concurrent.futures.ThreadPoolExecutor(1)
        self._pending: concurrent.futures.Future | None = None

    def steps(self) -> list[int]:
        """Returns the steps of the checkpoints on disk, in order."""
        if not self._folder.is_dir():
            return []
        found = (path for path in self._folder.iterdir() if path.is_dir())
        return sorted(int(path.name) for path in found if re.fullmatch(r"\d{8,}", path.name))

    def path(self, step: int) -> Path:
        """Returns the folder of one checkpoint."""
        return self._folder / f"{step:08d}"

    def save(
        self,
        step: int,
        state: PyTree,
        metadata: dict[str, Any],
        after: concurrent.futures.Future | None = None,
    ) -> None:
        """Begins to save a state; waits for the save before it.

        Args:
          step: its number.
          state: arrays that nobody changes or donates; they may still be being computed.
          metadata: written beside it.
          after: what is to end first, so that a checkpoint is not ahead of a run's other files.

        Raises:
          UserError: the save before it failed.
        """
        self.wait()
        self._pending = self._writer.submit(self._write, step, state, metadata, after)

    def wait(self) -> None:
        """Waits until all that was saved is on the disk.

        Raises:
          UserError: it could not be written.
        """
        pending, self._pending = self._pending, None
        if pending is None:
            return
        try:
            pending.result()
        except Exception as error:
            kept = self.steps()
            rest = f"the checkpoint of step {kept[-1]} is whole" if kept else "there is none yet"
            raise UserError(
                f"no checkpoint could be written in {self._folder} ({_reason(error)}); {rest}: "
                "free space there and run the same command again"
            ) from error

    def _write(
        self,
        step: int,
        state: PyTree,
        metadata: dict[str, Any],
        after: concurrent.futures.Future | None,
    ) -> None:
        """Writes one checkpoint and removes those that are no longer wanted."""
        if after is not None:
            concurrent.futures.wait([after])
        state = jax.device_get(state)
        temporary = self._folder / f".{step:08d}.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            temporary.mkdir(parents=True)
            state = flax.serialization.to_state_dict(state)
            with ONE_AT_A_TIME, _checkpointer() as checkpointer:
                checkpointer.save(temporary / _STATE, state)
            write_json(temporary / _METADATA, {"step": step, **metadata})
            write_json(temporary / _HASHES, _hashes(temporary))
            shutil.rmtree(self.path(step), ignore_errors=True)
            os.replace(temporary, self.path(step))
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self._prune()

    def _prune(self) -> None:
        """Removes all but the latest and the best."""
        steps = self.steps()
        kept = set(steps[-self._keep_last :]) | set(self._best()[: self._keep_best])
        for step in set(steps) - kept:
            # Renamed first: a half-removed folder must not look like a checkpoint.
            doomed = self._folder / f".{step:08d}.removed"
            os.replace(self.path(step), doomed)
            shutil.rmtree(doomed, ignore_errors=True)

    def _best(self) -> list[int]:
        """Returns the steps that have a score, best first."""
        scores = {step: self._score(step) for step in self.steps()}
        return sorted((s for s in scores if scores[s] is not None), key=lambda s: (scores[s], s))

    def metadata(self, step: int) -> dict[str, Any]:
        """Returns the metadata of a checkpoint."""
        return read_json(self.path(step) / _METADATA)

    def _score(self, step: int) -> float | None:
        """Returns a checkpoint's score, or None where it has none or cannot be read."""
        try:
            return self.metadata(step).get("kid_mean")
        except UserError:
            return None

    def read(self, step: int, template: PyTree) -> tuple[PyTree, dict[str, Any]]:
        """Returns the state, in the structure of `template`, and the metadata of a checkpoint.

        Raises:
          DamagedCheckpoint: a file is absent or changed, or the state has other shapes.
        """
        folder = self.path(step)
        try:
            if read_json(folder / _HASHES) != _hashes(folder):
                raise DamagedCheckpoint(f"{folder}: a file is not the one that was written")
            metadata = read_json(folder / _METADATA)
        except (UserError, OSError) as error:
            raise DamagedCheckpoint(str(error)) from error
        with ONE_AT_A_TIME, _checkpointer() as checkpointer:
            values = checkpointer.restore(folder / _STATE)
        values = _with_absent_parts(values, flax.serialization.to_state_dict(template))
        state = flax.serialization.from_state_dict(template, values)
        same = jax.tree.map(lambda a, b: np.shape(a) == np.shape(b), template, state)
        if not all(jax.tree.leaves(same)):
            raise DamagedCheckpoint(f"{folder}: the arrays have other shapes than the config says")
        return state, metadata

    def read_latest(
        self, make_template: Callable[[], PyTree]
    ) -> tuple[PyTree, dict[str, Any], list[int]] | None:
        """Returns the latest whole checkpoint, its metadata and the damaged steps after it.

        Returns None where there is no checkpoint at all.

        Args:
          make_template: returns what `read` takes; not called where there is no checkpoint.

        Raises:
          UserError: there are checkpoints, and all of them are damaged.
        """
        steps, damaged = self.steps(), []
        template = make_template() if steps else None
        for step in reversed(steps):
            try:
                return *self.read(step, template), damaged
            except DamagedCheckpoint:
                damaged.append(step)
        if damaged:
            raise UserError(
                f"every checkpoint in {self._folder} is damaged: remove that folder to start over"
            )
        return None

    def set_aside(self, steps: list[int]) -> None:
        """Renames damaged checkpoints, so that they are neither used nor lost."""
        for step in steps:
            os.replace(self.path(step), self._folder / f"{step:08d}.damaged-{os.getpid()}")
