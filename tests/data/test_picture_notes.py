"""What is said of pictures that lose something by the way they are read."""

import numpy as np
import pytest
from PIL import Image
from support.made_data import data_settings, make_films, random_picture, save

from gaug_jax import data
from gaug_jax.data.picture_notes import picture_notes
from gaug_jax.data.preprocess import preprocess
from gaug_jax.data.sources import read_source
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings


def facts(*rows):
    """Facts of grey pictures: height, width, bits, brightest value, pages."""
    return np.array([(*row, 1) for row in rows], np.int64)


def notes(*rows, **options):
    return picture_notes(facts(*rows), DataSettings(**options))


def test_square_pictures_of_8_bits_lose_nothing():
    assert notes((20, 20, 8, 255, 1), (30, 30, 8, 255, 1)) == ()


def test_a_set_of_16_bits_that_uses_few_of_them_is_nearly_black():
    (line,) = notes((20, 20, 16, 4095, 1), (20, 20, 16, 900, 1), (20, 20, 8, 255, 1))
    assert line.startswith("none of 2 pictures of 16 bits is brighter than 4,095 of 65,535")
    assert "--config.data.window=used takes their 12 bits" in line
    assert notes((20, 20, 16, 4095, 1), (20, 20, 16, 60_000, 1)) == ()
    assert notes((20, 20, 16, 4095, 1), window="used") == ()
    assert notes((20, 20, 16, 4095, 1), window="percentiles") == ()


def test_what_is_not_square_is_said_to_be_stretched():
    (line,) = notes((20, 40, 8, 255, 1), (30, 10, 8, 255, 1), (8, 8, 8, 255, 1))
    assert line.startswith("2 of 3 pictures are not square (one side up to 3 times the other)")
    assert notes((20, 40, 8, 255, 1), resize="pad") == ()


def test_pages_that_are_not_read_are_counted():
    (line,) = notes((8, 8, 8, 255, 3), (8, 8, 8, 255, 1), (8, 8, 8, 255, 2))
    assert line.startswith("2 files have several pages, of which one is read and 3 are not")
    assert notes((8, 8, 8, 255, 3), pages="all") == ()


@pytest.fixture
def deep(tmp_path):
    """Settings of a folder of pictures of 12 bits in 16."""
    random = np.random.default_rng(0)
    for index in range(20):
        values = random.integers(0, 4096, (20, 20), np.uint16)
        values[0, 0] = 4095
        path = tmp_path / "mine" / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)
    return {"source": "folder", "path": str(tmp_path / "mine"), "cache_path": str(tmp_path)}


def test_12_bits_in_16_are_black_with_a_line_or_bright_by_a_field(deep):
    full = data.prepare(data_settings(**deep))
    assert full.images.max() == 16 and "window=used" in "".join(full.manifest["notes"])
    used = data.prepare(data_settings(**deep, window="used"))
    assert used.images.max() > 200 and used.manifest["notes"] == []
    own = data.prepare(data_settings(**deep, window="percentiles"))
    assert own.images.max() > 200 and own.manifest["notes"] == []
    # The notes are of the cache's entry too.
    assert data.prepare(data_settings(**deep)).manifest["notes"] == full.manifest["notes"]


def test_the_range_is_that_of_the_set_and_not_of_a_picture(deep, tmp_path):
    """A dark picture stays darker than a bright one."""
    dim = np.full((20, 20), 400, np.uint16)
    Image.fromarray(dim).save(tmp_path / "mine" / "a" / "dim.png")
    settings = data_settings(**deep, window="used")
    source = read_source(settings)
    made = preprocess(source, settings)
    place = [record.name for record in source.records].index("a/dim.png")
    assert (made.images[place] == round(400 * 255 / 4095)).all()


def paged(folder, suffix="tif"):
    """Writes six files of three pages, and one of one page."""
    for index in range(6):
        seeds = range(3 * index, 3 * index + 3)
        first, *others = [Image.fromarray(random_picture(seed, (20, 20))) for seed in seeds]
        path = folder / "ab"[index % 2] / f"{index}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        first.save(path, save_all=True, append_images=others)
    save(folder / "b" / "single.png", random_picture(99, (20, 20)))
    return {"source": "folder", "path": str(folder), "num_folds": 2}


def test_pages_are_left_out_with_a_line_or_are_pictures_of_one_group(tmp_path):
    options = paged(tmp_path)
    first = data.prepare(data_settings(**options))
    assert len(first.images) == 7 and "and 12 are not" in "".join(first.manifest["notes"])
    every = data.prepare(data_settings(**options, pages="all"))
    assert len(every.images) == 19 and not every.manifest["notes"]
    groups = {}
    for row in every.manifest["rows"]:
        groups.setdefault(row["name"].split("#")[0], set()).add((row["group"], row["part"]))
    assert all(len(found) == 1 for found in groups.values())
    second = read_source(data_settings(**options, pages="1"))
    assert [record.name for record in second.records] == [
        "a/0.tif#1", "a/2.tif#1", "a/4.tif#1", "b/1.tif#1", "b/3.tif#1", "b/5.tif#1",
        "b/single.png",
    ]  # fmt: skip
    made = preprocess(second, data_settings(**options, pages="1", resize="pad"))
    np.testing.assert_array_equal(
        np.asarray(Image.fromarray(random_picture(1, (20, 20))).resize((16, 16), 3)),
        made.images[0, ..., 0],
    )


def test_a_page_that_a_file_has_not_is_named(tmp_path):
    with pytest.raises(UserError, match="it has 3 pages, and no page 7"):
        data.prepare(data_settings(**paged(tmp_path), pages="7"))
    with pytest.raises(UserError, match=r"data\.pages='-1' is no choice"):
        data_settings(pages="-1")


def test_films_whose_finding_is_not_known_are_no_negatives(tmp_path):
    make_films(tmp_path, absent=())
    table = (tmp_path / "metadata.csv").read_text(encoding="latin-1").splitlines()
    unknown = ("todo", "Unknown", "", "Todo")
    for number, finding in enumerate(unknown):
        save(tmp_path / "images" / f"new{number}.png", random_picture(500 + number))
        table.append(f"{700 + number},F,{finding},PA,X-ray,new{number}.png,,")
    (tmp_path / "metadata.csv").write_text("\n".join(table), encoding="latin-1")
    for label in ("covid", "finding"):
        found = read_source(
            data_settings(source="covid_chestxray", path=str(tmp_path), label=label)
        )
        assert not {record.name for record in found.records} & {f"new{n}.png" for n in range(4)}
        (line,) = found.notes
        assert line.startswith("4 films left out, whose finding is not known: ")
        assert all(f"{each or 'none'} 1" in line for each in unknown)
