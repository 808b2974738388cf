"""Writes a state dict in PyTorch's older format, without PyTorch.

So that random weights in the layout of an official file can be made anywhere.
"""

import math
import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from gaug_jax.files import atomic_file

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"float32": "FloatStorage", "float64": "DoubleStorage", "int64": "LongStorage"}


def _operations(value: object) -> bytes:
    """Returns the pickle of a plain value, without its frame."""
    return pickle.dumps(value, protocol=2)[2:-1]


def _name(module: str, name: str) -> bytes:
    """Returns the operation that looks up a name."""
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def described(key: str, array: Shaped[np.ndarray, "..."]) -> bytes:
    """Returns the operations that describe a contiguous tensor in a storage of its own."""
    strides = tuple(math.prod(array.shape[axis + 1 :]) for axis in range(array.ndim))
    storage = pickle.MARK + _operations("storage") + _name("torch", _STORAGES[str(array.dtype)])
    storage += _operations(key) + _operations("cpu") + _operations(array.size)
    storage += pickle.NONE + pickle.TUPLE + pickle.BINPERSID
    tensor = _name("torch._utils", "_rebuild_tensor_v2") + pickle.MARK + storage
    tensor += _operations(0) + _operations(array.shape) + _operations(strides)
    tensor += pickle.NEWFALSE + _name("collections", "OrderedDict")
    return tensor + pickle.EMPTY_TUPLE + pickle.REDUCE + pickle.TUPLE + pickle.REDUCE


def write_tensors(path: Path, tensors: Mapping[str, Shaped[np.ndarray, "..."]]) -> None:
    """Writes tensors of float32, float64 or int64 by name, whole or not at all."""
    keys = [str(number) for number in range(len(tensors))]
    state = pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.MARK
    for key, (name, array) in zip(keys, tensors.items(), strict=True):
        state += _operations(name) + described(key, array)
    state += pickle.SETITEMS + pickle.STOP
    sizes = {"short": 2, "int": 4, "long": 4}
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": sizes}
    with atomic_file(path) as file:
        for value in (_MAGIC, 1001, system):
            file.write(pickle.dumps(value, protocol=2))
        file.write(state)
        file.write(pickle.dumps(keys, protocol=2))
        for array in tensors.values():
            file.write(array.size.to_bytes(8, "little"))
            file.write(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
