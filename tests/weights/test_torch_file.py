"""Weights are read as PyTorch wrote them, and nothing that a file says is run."""

import collections
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from support.torch_file_writer import described, write_tensors

from gaug_jax.errors import UserError
from gaug_jax.weights.torch_file import read_tensors

MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
RANDOM = np.random.default_rng(0)
TENSORS = {
    "first.weight": RANDOM.normal(size=(3, 4, 5)).astype(np.float32),
    "first.bias": RANDOM.normal(size=7),
    "steps": np.array(5),
    "none": np.zeros((0, 3), np.float32),
}


def state_pickle(tensors):
    """The pickle of a state dict, as the writer makes it."""
    state = pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.MARK
    for key, (name, array) in enumerate(tensors.items()):
        state += pickle.dumps(name, 2)[2:-1] + described(str(key), array)
    return state + pickle.SETITEMS + pickle.STOP


def chain(path, state, keys=(), numbers=b""):
    """Writes the older format around any pickle of a state."""
    parts = [pickle.dumps(value, 2) for value in (MAGIC, 1001, SYSTEM)]
    path.write_bytes(b"".join(parts) + state + pickle.dumps(list(keys), 2) + numbers)
    return path


def archive(path, state, storages, **others):
    """Writes the zip format around any pickle of a state."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weights/data.pkl", state)
        for key, content in storages.items():
            file.writestr(f"weights/data/{key}", content)
        for name, content in others.items():
            file.writestr(f"weights/{name}", content)
    return path


def storages_of(tensors):
    return {str(key): array.tobytes() for key, array in enumerate(tensors.values())}


def assert_read(path):
    read = read_tensors(path)
    assert list(read) == list(TENSORS)
    for name, array in TENSORS.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_both_formats_are_read(tmp_path):
    write_tensors(tmp_path / "older.pth", TENSORS)
    assert_read(tmp_path / "older.pth")
    assert_read(
        archive(
            tmp_path / "zip.pth", state_pickle(TENSORS), storages_of(TENSORS), byteorder="little"
        )
    )


def refusal(path):
    """The one line that refuses a file; it names it."""
    with pytest.raises(UserError) as refused:
        read_tensors(path)
    message = str(refused.value)
    assert "\n" not in message
    assert path.name in message
    return message


def test_a_file_cut_anywhere_is_refused(tmp_path):
    write_tensors(tmp_path / "whole.pth", TENSORS)
    whole = (tmp_path / "whole.pth").read_bytes()
    zipped = archive(tmp_path / "zip.pth", state_pickle(TENSORS), storages_of(TENSORS))
    for content in (whole, zipped.read_bytes()):
        for length in range(0, len(content), 37):
            (tmp_path / "cut.pth").write_bytes(content[:length])
            refusal(tmp_path / "cut.pth")
    (tmp_path / "long.pth").write_bytes(whole + b"more")
    assert "cut short, or longer" in refusal(tmp_path / "long.pth")


def test_a_flipped_byte_of_an_archive_is_seen(tmp_path):
    zipped = archive(tmp_path / "zip.pth", state_pickle(TENSORS), storages_of(TENSORS))
    content = bytearray(zipped.read_bytes())
    place = content.index(TENSORS["first.weight"].tobytes()) + 10
    content[place] ^= 1
    zipped.write_bytes(content)
    refusal(zipped)


def test_other_files_are_refused(tmp_path):
    assert "does not exist" in refusal(tmp_path / "absent.pth")
    (tmp_path / "text.pth").write_text("a page that says 404")
    refusal(tmp_path / "text.pth")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("readme", "nothing")
    assert "no data.pkl" in refusal(tmp_path / "other.zip")


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("wrap", ["plain", "in a dict", "as a state", "as a default"])
@pytest.mark.parametrize("function", [os.system, exec, eval, open, getattr, __import__])
def test_nothing_is_executed(tmp_path, wrap, function):
    marker = tmp_path / "executed"
    words = {
        os.system: (f"touch {marker}",),
        exec: (f"open({str(marker)!r}, 'w')",),
        eval: (f"open({str(marker)!r}, 'w')",),
        open: (str(marker), "w"),
        getattr: (os, "system"),
        __import__: ("os",),
    }[function]
    if function is getattr:
        words = (Calls(__import__, "os"), "system")
    malicious = Calls(function, *words)
    value = {
        "plain": malicious,
        "in a dict": {"weight": malicious},
        "as a state": collections.OrderedDict(weight=malicious),
        "as a default": [collections.OrderedDict(), malicious],
    }[wrap]
    state = pickle.dumps(value, 2)
    for path in (
        chain(tmp_path / "chain.pth", state),
        archive(tmp_path / "zip.pth", state, {}),
        chain(tmp_path / "first.pth", b""),
    ):
        if path.name == "first.pth":
            path.write_bytes(state)
        message = refusal(path)
        assert "which no file of weights needs" in message
        assert not marker.exists()
    # The test can fail: PyTorch's own way of reading would have made the marker.
    if function is os.system and wrap == "plain":
        pickle.load(io.BytesIO(state))
        assert marker.exists()


def tensor_pickle(offset=0, shape=(2, 3), strides=(3, 1), length=6, key="0", dtype="FloatStorage"):
    """The pickle of a state dict with one tensor that is described at will."""
    one = lambda value: pickle.dumps(value, 2)[2:-1]  # noqa: E731
    storage = pickle.MARK + one("storage") + f"ctorch\n{dtype}\n".encode() + one(key) + one("cpu")
    storage += one(length) + pickle.NONE + pickle.TUPLE + pickle.BINPERSID
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n" + pickle.MARK + storage + one(offset)
    tensor += one(shape) + one(strides) + pickle.NEWFALSE + pickle.NONE
    tensor += pickle.TUPLE + pickle.REDUCE
    state = pickle.EMPTY_DICT + pickle.MARK + one("weight") + tensor + pickle.SETITEMS
    return pickle.PROTO + b"\x02" + state + pickle.STOP


def test_a_view_is_read_as_it_lies(tmp_path):
    storage = np.arange(12, dtype=np.float32)
    state = tensor_pickle(offset=1, shape=(3, 2), strides=(1, 4), length=12)
    read = read_tensors(archive(tmp_path / "view.pth", state, {"0": storage.tobytes()}))
    np.testing.assert_array_equal(read["weight"], [[1, 5], [2, 6], [3, 7]])


@pytest.mark.parametrize(
    "described_as",
    [
        {"offset": 1},
        {"offset": -1},
        {"shape": (3, 3)},
        {"strides": (6, 1)},
        {"strides": (-3, 1)},
        {"strides": (3,)},
        {"shape": (10**9, 10**9), "strides": (0, 0)},
        {"shape": (2.0, 3)},
        {"length": 7},
        {"length": 10**15},
        {"length": -6},
        {"dtype": "ComplexFloatStorage"},
        {"key": 3},
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(tmp_path, described_as):
    numbers = np.arange(6, dtype=np.float32).tobytes()
    state = tensor_pickle(**described_as)
    refusal(archive(tmp_path / "zip.pth", state, {"0": numbers}))
    refusal(chain(tmp_path / "chain.pth", state, ["0"], (6).to_bytes(8, "little") + numbers))


def test_what_is_no_state_dict_is_refused(tmp_path):
    for value in ([1, 2], {}, {"weight": 3}, {3: "x"}, "text"):
        assert "no state dict" in refusal(
            chain(tmp_path / "chain.pth", pickle.dumps(value, 2))
        ) or "is no tensor" in refusal(tmp_path / "chain.pth")
