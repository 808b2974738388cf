"""The study's second test set."""

import dataclasses

import numpy as np
import pytest

from configs import base
from gaug_jax import data
from gaug_jax.errors import UserError
from gaug_jax.settings import read_settings
from gaug_jax.stages.external import external_images


def write_images(path, seed):
    images = np.random.default_rng(seed).integers(0, 256, (40, 8, 8), np.uint8)
    np.savez(path, images=images, labels=np.arange(40) % 2)
    return str(path)


def settings_with(path, external):
    settings = read_settings(base.get_config().to_dict())
    return dataclasses.replace(
        settings,
        data=dataclasses.replace(settings.data, source="npz", path=path, image_size=8),
        classify=dataclasses.replace(settings.classify, external=external),
    )


def test_images_of_elsewhere_are_taken_and_those_learnt_from_refused(tmp_path):
    own = write_images(tmp_path / "own.npz", 0)
    other = write_images(tmp_path / "other.npz", 1)
    settings = settings_with(own, other)
    prepared = data.prepare(settings.data)
    found = external_images(settings, prepared, np.array([1, 0]))
    assert len(found.images) == 40 and found.labels.tolist() == [1, 0] * 20
    with pytest.raises(UserError, match="leak: .* are duplicates"):
        external_images(settings_with(own, own), prepared, np.array([1, 0]))
