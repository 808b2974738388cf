"""Several processes that make one run together: who they are, and what they tell one another.

Each is given its number, or is a task of SLURM's `srun`. The first one writes.
"""

import contextlib
import os
import zlib
from collections.abc import Iterator, Sequence

import jax
import numpy as np
from jaxtyping import Int, Shaped

from gaug_jax.errors import UserError

# Set by `srun` for each task of a step, and not in a batch script itself.
_SLURM_TASKS = "SLURM_STEP_NUM_TASKS"


def connect(coordinator_address: str | None, num_processes: int, process_id: int) -> None:
    """Joins the processes of one run; to be called before anything touches a device.

    Without an address the tasks of a SLURM step join, where it has more than one: where they
    are is in the variables that SLURM sets.

    Args:
      coordinator_address: host and port of the first process, or None.
      num_processes: how many there are.
      process_id: the number of this one, from 0.
    """
    if coordinator_address:
        jax.distributed.initialize(coordinator_address, num_processes, process_id)
    elif int(os.environ.get(_SLURM_TASKS, 1)) > 1:
        jax.distributed.initialize(cluster_detection_method="slurm")
    else:
        return
    # The first meeting must be soon: collectives of CPUs wait half a minute for it.
    agree(0, 0)
    if is_writer():
        print(f"{jax.process_count()} processes make this run together")


def is_writer() -> bool:
    """Whether this process is the one that writes files."""
    return jax.process_index() == 0


def agree(count: int, stop: int) -> tuple[int, int]:
    """Returns the first process's count and any process's wish to stop.

    Every process must make the same dispatches, though each has its own clock and
    its own signals.
    """
    wishes = gathered(np.array([[count, stop]], np.int32))
    return int(wishes[0, 0]), int(wishes[:, 1].max())


def everyone(flag: bool) -> bool:
    """Returns whether all processes say yes."""
    return bool(gathered(np.array([flag])).all())


def check_alike(numbers: Sequence[int], what: str) -> None:
    """Raises `UserError` where processes see different numbers.

    Args:
      numbers: what this one sees.
      what: it is, for the message.
    """
    own = np.array([zlib.crc32(repr(list(numbers)).encode())], np.uint32)
    if len(set(gathered(own).tolist())) > 1:
        raise UserError(
            f"the processes of this run see different {what}: the work folder must be on a disk "
            "that they share; wait until its files are seen everywhere and try again"
        )


def gathered(rows: Shaped[np.ndarray, "rows ..."]) -> Shaped[np.ndarray, "all_rows ..."]:
    """Returns the rows of all processes, in the order of their numbers; all give as many."""
    if jax.process_count() == 1:
        return rows
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(rows, tiled=True))


def share_of(count: int) -> Int[np.ndarray, " share"]:
    """Returns which of `count` things are this process's: as many for each.

    The last one is repeated, so that `gathered(...)[:count]` is all of them in order.
    """
    size = -(-count // jax.process_count())
    return np.minimum(jax.process_index() * size + np.arange(size), count - 1)


@contextlib.contextmanager
def first_process_first() -> Iterator[None]:
    """Has the others wait until the first process has left the block, whose files they find."""
    if not is_writer():
        agree(0, 0)
    try:
        yield
    finally:
        if is_writer():
            agree(0, 0)
