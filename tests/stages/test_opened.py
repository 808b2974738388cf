"""An opened work folder: what is read once, and what is refused."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from support.settings_for_tests import small_settings

from gaug_jax import data
from gaug_jax.errors import UserError
from gaug_jax.files import write_json
from gaug_jax.stages import opened as module
from gaug_jax.stages.opened import Opened, check_same_data, open_trained

SPLITS = (
    {}, {"fold": 1}, {"fold": 2, "train_size": 12}, {"train_size": 12},
    {"train_size": 3, "train_size_per_class": True}, {"num_folds": 0, "test_fraction": 0.5},
    {"split_seed": 7}, {"validation_fraction": 0.0},
)  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A file of 60 images of noise: three classes, and twenty groups of three."""
    path = tmp_path_factory.mktemp("source") / "images.npz"
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
    labels = np.array(list("abc"))[np.arange(60) % 3]
    np.savez(path, images=images, labels=labels, groups=np.arange(60) // 3)
    return path


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    """Keeps what is preprocessed apart from that of other tests."""
    monkeypatch.setenv("GAUG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def settings(source):
    return small_settings(data__source="npz", data__path=str(source))


@pytest.fixture
def loads(monkeypatch):
    """Settings of every call of `data.load`, which goes on."""
    calls, load = [], data.load
    monkeypatch.setattr(data, "load", lambda settings: calls.append(settings) or load(settings))
    return calls


def assert_alike(one, other):
    for each in dataclasses.fields(data.PreparedData):
        np.testing.assert_equal(getattr(one, each.name), getattr(other, each.name))


def test_splits_and_sizes_share_images_that_are_loaded_once(settings, loads, tmp_path):
    opened = Opened(str(tmp_path / "W"), settings)
    assert loads == []
    first = [opened.prepared_with(**changes) for changes in SPLITS]
    again = [opened.prepared_with(**changes) for changes in reversed(SPLITS)]
    assert loads == [settings.data]
    assert all(one is other for one, other in zip(first, reversed(again), strict=True))
    assert all(each.images is first[0].images for each in first)
    assert opened.prepared is first[0]
    assert len({each.manifest["manifest_sha256"] for each in first}) == len(SPLITS)
    assert not (tmp_path / "W").exists()


@pytest.mark.parametrize("changes", SPLITS, ids=str)
def test_a_split_is_that_of_the_same_settings_prepared_alone(settings, tmp_path, changes):
    opened = Opened(str(tmp_path / "W"), settings)
    opened.prepared_with(fold=3, train_size=6)
    alone = data.prepare(dataclasses.replace(settings.data, **changes))
    assert_alike(opened.prepared_with(**changes), alone)


def test_parts_that_cannot_be_had_are_refused(settings, tmp_path):
    opened = Opened(str(tmp_path / "W"), settings)
    with pytest.raises(UserError, match="config.data.train_size=50 is more than"):
        opened.prepared_with(train_size=50)
    with pytest.raises(UserError, match="config.data.fold=5"):
        opened.prepared_with(fold=5)


def test_a_folder_that_was_trained_on_other_images_is_refused(settings, tmp_path):
    opened = Opened(str(tmp_path), settings)
    write_json(opened.folder.data_manifest, opened.prepared.manifest)
    assert opened.prepared.class_names == ("a", "b", "c")
    other = opened.prepared_with(fold=1)
    write_json(opened.folder.data_manifest, other.manifest)
    with pytest.raises(UserError, match="was trained on other images .*restore the data") as told:
        _ = opened.prepared
    assert str(tmp_path) in str(told.value) and "decode_whole" not in str(told.value)
    del other.manifest["options"]["decode_whole"]  # As folders of before.
    write_json(opened.folder.data_manifest, other.manifest)
    with pytest.raises(UserError, match="or give --config.data.decode_whole=True, as it was then"):
        _ = opened.prepared
    # Another split is asked for as such, and is not that of the folder.
    assert opened.prepared_with() is not other
    check_same_data(opened.folder, other.manifest)


def test_a_folder_without_a_manifest_takes_any_images(settings, tmp_path):
    opened = Opened(str(tmp_path), settings)
    check_same_data(opened.folder, {"manifest_sha256": "any"})


def test_a_folder_of_other_settings_is_refused(settings, tmp_path):
    write_json(tmp_path / "config.json", settings.to_dict())
    Opened(str(tmp_path), settings)
    other = dataclasses.replace(settings, seed=1)
    for function in (Opened, open_trained):
        with pytest.raises(UserError, match="was made with config.seed=0, not 1"):
            function(str(tmp_path), other)
    study = dataclasses.replace(settings, classify=dataclasses.replace(settings.classify, steps=9))
    assert Opened(str(tmp_path), study).settings == study


def test_a_trained_folder_is_opened_with_its_own_settings_or_with_those_given(settings, tmp_path):
    write_json(tmp_path / "config.json", settings.to_dict())
    assert open_trained(str(tmp_path)).settings == settings
    moved = settings.of_data(path="elsewhere.npz")
    assert open_trained(str(tmp_path), moved).settings == moved
    assert open_trained(str(tmp_path)).folder.path == tmp_path


def test_a_folder_that_is_not_there_is_refused(settings, tmp_path):
    for given in (None, settings):
        with pytest.raises(UserError, match=r"config\.json does not exist: is this a work folder"):
            open_trained(str(tmp_path / "W"), given)
    assert not (tmp_path / "W").exists()


@pytest.fixture
def reads(monkeypatch):
    """The steps of every generator that is read: of the latest checkpoint, None."""
    calls = []

    def read(folder, step):
        calls.append(step)
        latest = max((int(path.name) for path in folder.checkpoints.glob("0*")), default=None)
        if (latest if step is None else step) is None:
            raise UserError("there is no checkpoint yet")
        return SimpleNamespace(step=latest if step is None else step)

    monkeypatch.setattr(module, "read_generator", read)
    return calls


def with_checkpoints(folder, *steps):
    for step in steps:
        (folder.checkpoints / f"{step:08d}").mkdir(parents=True)


def test_a_generator_is_read_once_a_step(settings, tmp_path, reads):
    opened = Opened(str(tmp_path), settings)
    with_checkpoints(opened.folder, 5, 10)
    latest = opened.generator()
    assert latest.step == 10 and opened.generator() is latest is opened.generator(10)
    assert reads == [None]
    assert opened.generator(5).step == 5 and opened.generator(5) is opened.generator(5)
    assert reads == [None, 5]
    # One at a time is held.
    assert opened.generator().step == 10
    assert reads == [None, 5, None]


def test_a_generator_that_was_trained_on_meanwhile_is_read_anew(settings, tmp_path, reads):
    opened = Opened(str(tmp_path), settings)
    with_checkpoints(opened.folder, 5)
    assert opened.generator().step == 5
    with_checkpoints(opened.folder, 10)
    assert opened.generator().step == 10
    assert reads == [None, None]


def test_an_older_generator_does_not_pass_for_a_damaged_latest_one(settings, tmp_path, monkeypatch):
    def read(folder, step):
        if step == 10:
            raise UserError("a file is not the one that was written: choose another --step")
        return SimpleNamespace(step=5)

    monkeypatch.setattr(module, "read_generator", read)
    opened = Opened(str(tmp_path), settings)
    with_checkpoints(opened.folder, 5, 10)
    assert opened.generator().step == 5
    with pytest.raises(UserError, match="choose another --step"):
        opened.generator(10)
    assert opened.generator(5).step == 5


def test_a_folder_without_a_checkpoint_has_no_generator(settings, tmp_path, reads):
    opened = Opened(str(tmp_path), settings)
    with pytest.raises(UserError, match="no checkpoint yet"):
        opened.generator()
    with_checkpoints(opened.folder, 5)
    assert opened.generator().step == 5
