"""The project's TFDS data sets, prepared from made archives and read back."""

import dataclasses
import functools
import http.server
import threading
import zipfile

import numpy as np
import pytest
from support.made_data import data_settings, make_characters, make_films, random_picture

from gaug_jax.data import prepare
from gaug_jax.data.sources import read_source
from gaug_jax.errors import UserError
from gaug_jax.picture_files import read_picture


@pytest.fixture
def tfds_folder(tmp_path, monkeypatch):
    """TFDS's data folder for one test."""
    from tensorflow_datasets.core import constants

    monkeypatch.setattr(constants, "DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path / "tfds"


def _archive(folder, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))


@pytest.fixture
def served(tmp_path):
    """A web server on this machine, and the folder that it shows."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _without_pictures(data):
    """Returns what is not the picture, for comparisons."""
    return [dataclasses.replace(record, picture=b"") for record in data.records]


def test_films_read_back_equal_the_copy_on_disk(tmp_path, tfds_folder, served, monkeypatch):
    import tensorflow_datasets as tfds

    from gaug_jax.data.tfds.covid_chestxray import CovidChestxray

    folder, address = served
    films = make_films(tmp_path / "covid-chestxray-dataset-master")
    _archive(films, folder / "master.zip")
    monkeypatch.setattr(CovidChestxray, "url", f"{address}/master.zip")
    settings = data_settings(source="covid_chestxray", label="finding", allow_missing=True)
    on_disk = dataclasses.replace(settings, path=str(films))
    downloaded = read_source(settings)
    copy = read_source(on_disk)
    assert downloaded.missing == copy.missing == ("film5.png",)
    trimmed = [dataclasses.replace(r, metadata=dict(r.metadata)) for r in _without_pictures(copy)]
    assert _without_pictures(downloaded) == trimmed
    for left, right in zip(downloaded.records, copy.records, strict=True):
        assert left.picture == right.picture.read_bytes()
    np.testing.assert_array_equal(prepare(settings).images, prepare(on_disk).images)
    assert (
        prepare(settings).manifest["manifest_sha256"]
        == prepare(on_disk).manifest["manifest_sha256"]
    )

    # As TFDS shows it, by the registered name: file format, features, decoded pictures.
    builder = tfds.builder("covid_chestxray", file_format="array_record")
    assert builder.is_prepared()
    assert builder.info.citation.startswith("@article{cohen2020covid")
    assert "own" in builder.info.redistribution_info.license
    assert list(tfds_folder.rglob("*.array_record*"))
    example = builder.as_data_source("train")[0]
    assert example["image"].shape == (20, 24, 3)
    assert set(example) == {"image", "label", "name", "group", "licence", "metadata"}
    assert {"finding", "view", "sex", "age"} <= set(example["metadata"])

    # And as any data set of TFDS, with a feature as the group.
    plain = read_source(data_settings(source="tfds:covid_chestxray", group="group"))
    assert {record.label for record in plain.records} == {"COVID-19", "other"}
    assert {record.group for record in plain.records} == {str(patient) for patient in range(12)}
    with pytest.raises(UserError, match=r"data\.group='ward' is no single value .* name, group"):
        read_source(data_settings(source="tfds:covid_chestxray", group="ward"))


def test_characters_read_back_equal_the_copy_on_disk(tmp_path, tfds_folder):
    folder = make_characters(tmp_path / "BanglaLekha-Isolated")
    settings = data_settings(source="banglalekha_isolated")
    with pytest.raises(UserError) as caught:
        read_source(settings)
    manual = tfds_folder / "downloads" / "manual"
    for part in ("hf6sf8zrkc", "BanglaLekha-Isolated.zip", "config.data.path", str(manual)):
        assert part in str(caught.value)
    assert not tfds_folder.exists()
    _archive(folder, manual / "BanglaLekha-Isolated.zip")
    downloaded = read_source(settings)
    copy = read_source(dataclasses.replace(settings, path=str(folder)))
    assert _without_pictures(downloaded) == _without_pictures(copy)
    assert [record.label for record in downloaded.records] == ["1"] * 6 + ["2"] * 6 + ["10"] * 6
    for left, right in zip(downloaded.records, copy.records, strict=True):
        assert left.picture == right.picture.read_bytes()
    with pytest.raises(UserError, match="filename_pattern needs config.data.path"):
        read_source(dataclasses.replace(settings, filename_pattern="(?P<form>1)"))


def test_download_that_fails_names_the_address(tfds_folder, served, monkeypatch):
    from gaug_jax.data.tfds.covid_chestxray import CovidChestxray

    _, address = served
    settings = data_settings(source="covid_chestxray")
    # A port that nobody listens on, and a file that is not there.
    for url in ("http://127.0.0.1:9/master.zip", f"{address}/master.zip"):
        monkeypatch.setattr(CovidChestxray, "url", url)
        with pytest.raises(UserError) as caught:
            read_source(settings)
        assert f"could not be downloaded from {url}" in str(caught.value)
        assert "config.data.path" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_unknown_tfds_name_is_named():
    with pytest.raises(UserError, match=r"'tfds:mnits' is not known to TFDS \(did you mean"):
        read_source(data_settings(source="tfds:mnits"))


@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_any_prepared_data_set_is_read_in_its_parts(tmp_path, file_format):
    import tensorflow_datasets as tfds

    class MadeShapes(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(28, 28, 1)),
                "label": tfds.features.ClassLabel(names=["disc", "ring"]),
                "writer": np.int64,
            }
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                supervised_keys=("image", "label"),
            )

        def _split_generators(self, dl_manager):
            splits = {"train": range(20), "test": range(20, 30), "extra": range(30, 33)}
            return {name: self._generate_examples(seeds) for name, seeds in splits.items()}

        def _generate_examples(self, seeds):
            for seed in seeds:
                picture = random_picture(seed, (28, 28, 1))
                yield seed, {"image": picture, "label": seed % 2, "writer": seed // 4}

    try:
        builder = tfds.builder("made_shapes", data_dir=tmp_path, file_format=file_format)
        builder.download_and_prepare()
        settings = data_settings(source="tfds:made_shapes", path=str(tmp_path), group="writer")
        data = read_source(settings)
        prepared = prepare(dataclasses.replace(settings, image_size=32))
    finally:
        # The registry is of the process, and the class of this test.
        from tensorflow_datasets.core import registered

        registered._DATASET_REGISTRY.pop("made_shapes")
    assert data.notes == ("splits that are not read: extra",)
    assert [record.part for record in data.records] == ["test"] * 10 + ["train"] * 20
    assert prepared.class_names == ("disc", "ring")
    # Writers 0 to 4 wrote the training part and 5 to 7 the test part.
    assert {record.group for record in data.records if record.part == "test"} == {"5", "6", "7"}
    pictures = {random_picture(seed, (28, 28, 1)).tobytes() for seed in range(30)}
    assert {read_picture(record.picture, 1).tobytes() for record in data.records} == pictures
    assert (prepared.parts[:10] == "test").all()
