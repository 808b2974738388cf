"""Which images are used by their licences."""

import numpy as np
import pytest
from support.made_data import data_settings, make_films

from gaug_jax.data import prepare
from gaug_jax.data.licences import allowed, forbids_derivatives
from gaug_jax.data.record import Record, SourceData
from gaug_jax.errors import UserError


@pytest.mark.parametrize(
    ("licence", "forbids"),
    [("CC BY-NC-ND 4.0", True), ("CC BY-NC-ND", True), ("cc by nd", True), ("CC BY-NC-SA", False),
     ("CC BY", False), ("Hand-drawn", False), ("CC BY-NoDerivatives", True), ("", False),
     ("https://creativecommons.org/licenses/by-nc-nd/4.0/", True), ("CC_BY_NC_ND", True),
     ("Attribution - No Derivatives", True),
     (None, False)],
)  # fmt: skip
def test_licences_that_forbid_derivatives(licence, forbids):
    assert forbids_derivatives(licence) is forbids


def source(*licences):
    picture = np.zeros((8, 8, 1), np.uint8)
    records = [Record(str(i), picture, "a", licence=each) for i, each in enumerate(licences)]
    return SourceData("made", "1", tuple(records))


def test_the_wanted_licences_are_used():
    data = source("CC BY", " CC BY-NC-ND", None, "CC0")
    assert allowed(data, None) == [True] * 4
    assert allowed(data, "derivatives") == [True, False, True, True]
    assert allowed(data, "CC BY, none named") == [True, False, True, False]
    with pytest.raises(UserError, match=r"data\.licenses names 'MIT'.*'CC BY', 'CC BY-NC-ND'"):
        allowed(data, "CC BY,MIT")


def test_images_of_other_licences_are_left_out_and_listed(tmp_path):
    make_films(tmp_path / "films")
    settings = data_settings(
        source="covid_chestxray", path=str(tmp_path / "films"), allow_missing=True,
        licenses="CC BY", cache_path=str(tmp_path / "cache"), num_folds=3,
    )  # fmt: skip
    prepared = prepare(settings)
    assert {row["licence"] for row in prepared.manifest["rows"]} == {"CC BY"}
    assert prepared.manifest["left_out_by_licence"] == sorted(
        f"film{index}.png" for index in range(0, 24, 2)
    )
