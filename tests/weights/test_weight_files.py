"""Weight files are found, fetched and checked; what is not the public file is refused."""

import dataclasses
import hashlib
import http.server
import threading

import numpy as np
import pytest
from support.random_weights import weights_folder
from support.torch_file_writer import write_tensors

from gaug_jax.errors import UserError
from gaug_jax.user_cache import user_cache_folder
from gaug_jax.weights.inception import inception_parameters, inception_tensor_shapes
from gaug_jax.weights.lpips import lpips_parameters
from gaug_jax.weights.torch_file import read_tensors
from gaug_jax.weights.weight_files import ALEXNET, INCEPTION, LPIPS_LINEAR, read_weights

TENSORS = {"weight": np.arange(50_000, dtype=np.float32)}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("GAUG_INCEPTION_WEIGHTS", raising=False)


@pytest.fixture
def content(tmp_path):
    write_tensors(tmp_path / "made.pth", TENSORS)
    return (tmp_path / "made.pth").read_bytes()


@pytest.fixture
def wanted(content):
    """A public file of which we have the bytes."""
    return dataclasses.replace(
        INCEPTION, urls=("http://127.0.0.1:9/nothing.pth",), num_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


class Publisher:
    """A server on this machine that cuts its first answers short."""

    def __init__(self, content, cuts=(), ranges=True):
        self.content, self.cuts, self.starts = content, list(cuts), []
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range") if ranges else None
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
                publisher.starts.append(start)
                end = publisher.cuts.pop(0) if publisher.cuts else len(publisher.content)
                self.send_response(206 if asked else 200)
                self.end_headers()
                self.wfile.write(publisher.content[start:end])

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/weights.pth"


@pytest.mark.parametrize("name", INCEPTION.names)
def test_a_file_is_found_by_flag_folder_variable_and_in_both_caches(
    tmp_path, monkeypatch, content, wanted, name
):
    write(tmp_path / "given" / name, content)
    for given in (tmp_path / "given" / name, tmp_path / "given"):
        assert read_weights(wanted, str(given)).sha256 == wanted.sha256
        monkeypatch.setenv("GAUG_INCEPTION_WEIGHTS", str(given))
        found = read_weights(wanted)
        assert found.official
        np.testing.assert_array_equal(found.tensors["weight"], TENSORS["weight"])
        monkeypatch.delenv("GAUG_INCEPTION_WEIGHTS")
    for folder in (user_cache_folder() / "weights", tmp_path / "torch" / "hub" / "checkpoints"):
        write(folder / name, content[:100])
        with pytest.raises(UserError, match="is needed"):  # Cut short, it does not count.
            read_weights(wanted)
        write(folder / name, content)
        assert read_weights(wanted).official
        (folder / name).unlink()


def test_without_file_and_network_one_line_says_what_to_put_where(wanted):
    with pytest.raises(UserError) as error:
        read_weights(wanted)
    line = str(error.value)
    assert "\n" not in line
    for part in (wanted.names[0], wanted.urls[0], "--inception_weights", str(user_cache_folder())):
        assert part in line
    with pytest.raises(UserError, match="not on this machine"):
        read_weights(wanted, download=False)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_goes_on_after_a_cut(content, wanted, ranges):
    publisher = Publisher(content, cuts=[70_000], ranges=ranges)
    wanted = dataclasses.replace(wanted, urls=(publisher.url,))
    with pytest.raises(UserError, match="ended after 70,000 of"):
        read_weights(wanted)
    assert read_weights(wanted).official
    assert publisher.starts == [0, 70_000 if ranges else 0]
    assert read_weights(wanted).official  # From the cache.
    assert len(publisher.starts) == 2
    assert [path.name for path in (user_cache_folder() / "weights").iterdir()] == [wanted.names[0]]


def test_a_second_address_is_tried(content, wanted):
    good = Publisher(content)
    wanted = dataclasses.replace(wanted, urls=(*wanted.urls, good.url))
    assert read_weights(wanted).official


def test_a_download_of_something_else_is_thrown_away(content, wanted):
    other = bytes(len(content))
    wanted = dataclasses.replace(wanted, urls=(Publisher(other).url,))
    with pytest.raises(UserError, match="not the public file"):
        read_weights(wanted)
    assert list((user_cache_folder() / "weights").iterdir()) == []


def test_a_file_of_another_hash_is_refused_unless_allowed():
    path = weights_folder() / INCEPTION.names[0]
    with pytest.raises(UserError, match="not the public") as error:
        read_weights(INCEPTION, str(path))
    assert "--allow_unofficial_weights" in str(error.value)
    assert not read_weights(INCEPTION, str(path), allow_unofficial=True).official


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="--inception_weights=.*gone.pth does not exist"):
        read_weights(INCEPTION, str(tmp_path / "gone.pth"))
    with pytest.raises(UserError, match="holds no pt_inception"):
        read_weights(INCEPTION, str(tmp_path))


def inception_tensors():
    return read_tensors(weights_folder() / INCEPTION.names[0])


def test_the_batch_norms_are_folded_in():
    tensors = inception_tensors()
    unit = inception_parameters(tensors, "file")["params"]["Mixed_5b.branch5x5_2"]
    name = "Mixed_5b.branch5x5_2"
    x = np.random.default_rng(0).normal(size=(5 * 5 * 48))
    kernel = tensors[f"{name}.conv.weight"].astype(np.float64)
    plain = kernel.transpose(0, 2, 3, 1).reshape(64, -1) @ x
    mean, variance = tensors[f"{name}.bn.running_mean"], tensors[f"{name}.bn.running_var"]
    scaled = (plain - mean) / np.sqrt(variance + 1e-3)
    expected = scaled * tensors[f"{name}.bn.weight"] + tensors[f"{name}.bn.bias"]
    ours = x @ unit["kernel"].reshape(-1, 64).astype(np.float64) + unit["bias"]
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


def test_newer_files_count_their_batches():
    tensors = inception_tensors() | {"Conv2d_1a_3x3.bn.num_batches_tracked": np.array(3)}
    assert inception_parameters(tensors, "file")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("fc.bias"), "has no tensor 'fc.bias'"),
        (lambda tensors: tensors.update(extra=np.zeros(2)), "unknown tensor 'extra'"),
        (
            lambda tensors: tensors.update({"fc.weight": np.zeros((1000, 2048), np.float32)}),
            r"fc.weight has shape \(1000, 2048\)",
        ),
        (
            lambda tensors: tensors.update({"fc.bias": np.full(1008, np.nan, np.float32)}),
            "no finite",
        ),
        (lambda tensors: tensors.update({"fc.bias": np.zeros(1008, int)}), "no finite"),
    ],
)
def test_another_networks_file_is_refused_by_name(change, message):
    tensors = inception_tensors()
    change(tensors)
    with pytest.raises(UserError, match=message):
        inception_parameters(tensors, "file")


def test_lpips_leaves_alexnets_classifier_out():
    layers, linear = (
        read_tensors(weights_folder() / file.names[0]) for file in (ALEXNET, LPIPS_LINEAR)
    )
    whole = layers | {"classifier.1.weight": np.zeros((4, 4), np.float32)}
    assert lpips_parameters(whole, linear, "file")
    with pytest.raises(UserError, match="lin4"):
        lpips_parameters(layers, {k: v for k, v in linear.items() if "lin4" not in k}, "file")


def test_the_layout_has_the_official_files_size():
    """The public file is 95,628,359 bytes; its float32 numbers alone must be a little less."""
    numbers = sum(int(np.prod(shape)) for shape in inception_tensor_shapes().values())
    assert 0.995 < 4 * numbers / INCEPTION.num_bytes < 1
