"""Reads the tensors of a PyTorch file, without PyTorch and without running what it says.

A state dict that `torch.save` wrote, in the older format (a chain of pickles and then the
raw numbers) or as a zip archive. A pickle names functions to call. Here it may name a
dozen, which do no more than note a tensor's place; any other name is refused.
"""

import collections
import math
import os
import pickle
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import ml_dtypes
import numpy as np
from jaxtyping import Shaped

from gaug_jax.errors import UserError, in_short

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
# A state dict's pickle holds names and shapes, never the numbers.
_MOST_PICKLE_BYTES = 16_000_000


class _Storage(NamedTuple):
    """A run of numbers that tensors look into."""

    key: str
    dtype: np.dtype
    length: int


class _Tensor(NamedTuple):
    """Where in a storage a tensor's numbers are."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(path: str | Path) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Returns the tensors of a state dict by name, with the dtypes of the file.

    Raises:
      UserError: there is no such file, it is cut short or damaged, it names anything but
        tensors, or a tensor does not fit its storage.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            if zipfile.is_zipfile(file):
                return _read_zip(file)
            file.seek(0)
            return _read_chain(file)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give a file of weights") from None
    except Exception as error:  # Broken bytes make an unpickler raise nearly anything.
        reason = in_short(error) or type(error).__name__
        raise UserError(
            f"{path} cannot be read as PyTorch weights ({reason}): fetch the file again"
        ) from None


def _note_tensor(
    storage: _Storage, offset: int, shape: tuple, strides: tuple, *rest: Any
) -> _Tensor:
    """Stands for `torch._utils._rebuild_tensor_v2`."""
    tensor = _Tensor(storage, offset, tuple(shape), tuple(strides))
    numbers = (offset, *tensor.shape, *tensor.strides)
    if not isinstance(storage, _Storage) or len(tensor.shape) != len(tensor.strides):
        raise ValueError("a tensor is not described as PyTorch does")
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("a tensor has a negative offset, size or stride")
    count = math.prod(tensor.shape)
    last = offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if count and (last >= storage.length or count > storage.length):
        raise ValueError(f"a tensor of shape {tensor.shape} does not fit its storage")
    return tensor


def _note_parameter(tensor: _Tensor, *rest: Any) -> _Tensor:
    """Stands for `torch._utils._rebuild_parameter`."""
    return tensor


_ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _note_tensor,
    ("torch._utils", "_rebuild_parameter"): _note_parameter,
    ("torch", "Size"): tuple,
    **{("torch", name): dtype for name, dtype in _DTYPES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Knows the names of `_ALLOWED`, and storages as tuples."""

    def find_class(self, module: str, name: str) -> Any:
        """Returns what a name stands for here."""
        if (module, name) not in _ALLOWED:
            raise ValueError(f"it names {module}.{name}, which no file of weights needs")
        return _ALLOWED[module, name]

    def persistent_load(self, saved: Any) -> _Storage:
        """Returns a storage's description."""
        kind, dtype, key, _, length, *rest = saved
        if kind != "storage" or not isinstance(dtype, np.dtype) or any(rest):
            raise ValueError("a storage is not described as PyTorch does")
        if type(key) is not str or type(length) is not int or length < 0:
            raise ValueError("a storage has no name or no length")
        return _Storage(key, dtype, length)


def _checked_state(state: Any) -> dict[str, _Tensor]:
    """Returns a state dict after checking that it holds tensors and nothing else."""
    if not isinstance(state, dict) or not state:
        raise ValueError("it is no state dict: it holds no tensors by name")
    for name, value in state.items():
        if type(name) is not str or not isinstance(value, _Tensor):
            raise ValueError(f"its entry {str(name)[:80]!r} is no tensor")
    return dict(state)


def _storages(state: dict[str, _Tensor]) -> dict[str, _Storage]:
    """Returns the storages by key."""
    storages = {tensor.storage.key: tensor.storage for tensor in state.values()}
    if any(storages[tensor.storage.key] != tensor.storage for tensor in state.values()):
        raise ValueError("two storages have one name")
    return storages


def _array(tensor: _Tensor, numbers: Shaped[np.ndarray, " length"]) -> Shaped[np.ndarray, "..."]:
    """Returns a tensor's numbers in its shape."""
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(
        numbers[tensor.offset :], tensor.shape, strides, writeable=False
    )
    return view.copy()


def _read_chain(file: IO[bytes]) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Returns the tensors of the older format."""
    if _Unpickler(file).load() != _MAGIC or _Unpickler(file).load() != _PROTOCOL:
        raise ValueError("it does not begin as PyTorch's files do")
    system = _Unpickler(file).load()
    if not isinstance(system, dict) or not system.get("little_endian", True):
        raise ValueError("its numbers are big-endian")
    state = _checked_state(_Unpickler(file).load())
    storages, keys = _storages(state), _Unpickler(file).load()
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
        raise ValueError("its storages are not those of its tensors")
    left = os.fstat(file.fileno()).st_size - file.tell()
    if left != sum(8 + s.length * s.dtype.itemsize for s in storages.values()):
        raise ValueError("it is cut short, or longer than its tensors")
    numbers = {}
    for key in keys:
        length = int.from_bytes(file.read(8), "little")
        if length != storages[key].length:
            raise ValueError("a storage has another length than its tensors say")
        dtype = storages[key].dtype
        numbers[key] = np.frombuffer(file.read(length * dtype.itemsize), dtype)
    return {name: _array(tensor, numbers[tensor.storage.key]) for name, tensor in state.items()}


def _read_zip(file: IO[bytes]) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Returns the tensors of a zip archive; its checksums are checked."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError("the archive has no data.pkl")
        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        if archive.getinfo(pickles[0]).file_size > _MOST_PICKLE_BYTES:
            raise ValueError("its data.pkl is too large for names and shapes")
        with archive.open(pickles[0]) as described:
            state = _checked_state(_Unpickler(described).load())
        numbers = {}
        for key, storage in _storages(state).items():
            name = f"{root}data/{key}"
            size = storage.length * storage.dtype.itemsize
            if name not in names or archive.getinfo(name).file_size != size:
                raise ValueError(f"its storage {key[:80]!r} is absent or has another length")
            numbers[key] = np.frombuffer(archive.read(name), storage.dtype)
    return {name: _array(tensor, numbers[tensor.storage.key]) for name, tensor in state.items()}
