"""The training map: which grids and checkpoints are shown, and what its file of places holds."""

from types import SimpleNamespace

import numpy as np
import pytest

from gaug_jax.data.labelled import Labelled
from gaug_jax.embedding.projections import Projections
from gaug_jax.evaluation.features import Extractor
from gaug_jax.images import picture_grid, write_picture
from gaug_jax.picture_files import read_picture
from gaug_jax.stages import training_map as module
from gaug_jax.stages.training_map import make_training_map
from gaug_jax.synthesis.drawing import SyntheticImages
from gaug_jax.workfolder import WorkFolder

SIZE = 8
GRID_STEPS = tuple(range(0, 150, 10))
CHECKPOINTS = (10, 20, 30, 40, 50, 60, 70)


@pytest.mark.parametrize("most", [2, 6, 12])
def test_of_many_the_first_the_last_and_evenly_chosen_others(most):
    for count in range(1, 60):
        chosen = module._evenly(list(range(count)), most)
        assert len(chosen) == min(count, most)
        assert (chosen[0], chosen[-1]) == (0, count - 1)
        gaps = np.diff(chosen)
        assert (gaps > 0).all() and (count == 1 or np.ptp(gaps) <= 1)


def constant(*values):
    """Returns images of one value each."""
    return np.array(values, np.uint8).repeat(SIZE * SIZE).reshape(-1, SIZE, SIZE, 1)


def first_two(images):
    return images.reshape(len(images), -1)[:, :2].astype(np.float32), None


class Prepared:
    """Eight training images of values 0, 1, ..., of two classes in turn, and two of no part."""

    images = constant(*range(8), 200, 201)
    labels = np.arange(10) % 2

    def indices(self, part):
        assert part == "train"
        return np.arange(8)

    def part(self, name):
        return Labelled(self.images[self.indices(name)], self.labels[self.indices(name)])


class Made:
    """A work folder of grids and checkpoints, with what was asked of it."""

    def __init__(self, path, patch, labelled):
        self.folder, self.prepared = WorkFolder(path), Prepared()
        self.settings = SimpleNamespace(embed=SimpleNamespace(perplexity=5.0))
        self.labelled, self.drawn, self.seen, self.planes = labelled, [], [], []
        for step in GRID_STEPS:
            grid = picture_grid(constant(step + 50, step + 51, step + 52, step + 53), 2)
            write_picture(self.folder.sample_picture(step), grid)
        for step in CHECKPOINTS:
            (self.folder.checkpoints / f"{step:08d}").mkdir(parents=True)
        patch.setattr(module, "_DRAWN", 4)
        patch.setattr(module, "draw_by_class", self.draw)
        patch.setattr(module, "_discriminator_extractor", self.discriminator)
        patch.setattr(module, "project", self.project)

    def made(self):
        """Has the map made, and its places read."""
        make_training_map(self, Extractor("made", first_two), seed=3)
        with np.load(self.folder.training_map_places, allow_pickle=False) as file:
            self.places = {name: file[name] for name in file.files}
        return self

    def generator(self, step):
        return SimpleNamespace(step=step, labelled=self.labelled, class_counts=(3, 5))

    def draw(self, generator, counts, seed):
        self.drawn.append((generator.step, tuple(counts), seed))
        return SyntheticImages(constant(100, 100, 140, 140), np.zeros(4, int), np.zeros(4))

    def discriminator(self, generator, label):
        """Returns a discriminator whose scale is its checkpoint's own, and that sees two things."""
        assert label == 1

        def see(images):
            value = images[:, 0, 0].astype(np.float32)
            self.seen.append(value[:4, 0].tolist())
            return generator.step * np.concatenate([value, -value], axis=1) + 7, None

        return Extractor("the discriminator", see, cacheable=False)

    def project(self, features, *, perplexity, seed, names):
        self.planes.append((len(features), perplexity, seed, names))
        return Projections(None, None, {"tsne": features[:, :2].astype(np.float64)})


@pytest.fixture(scope="module", params=[True, False], ids=["labelled", "unlabelled"])
def made(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield Made(tmp_path_factory.mktemp("map"), patch, request.param).made()


def test_the_file_holds_both_maps_and_the_checkpoints(made):
    names = {f"{shown}_{name}" for shown in ("samples", "seen")
             for name in ("places", "steps", "columns")}  # fmt: skip
    assert set(made.places) == names | {"checkpoints"}
    # Six of seven, the first and the last among them.
    assert made.places["checkpoints"].tolist() == [10, 20, 30, 50, 60, 70]
    picture = read_picture(made.folder.training_map, 3)
    assert picture.shape[0] > 400 and picture.std() > 10


def test_the_samples_are_real_images_and_twelve_grids_in_their_order(made):
    steps = made.places["samples_steps"]
    chosen = [step for step in GRID_STEPS if (steps == step).any()]
    assert len(chosen) == 12 and chosen[0] == 0 and chosen[-1] == 140
    assert steps.tolist() == [-1] * 8 + [step for step in chosen for _ in range(4)]
    assert not made.places["samples_columns"].any()
    values = [*range(8), *(step + 50 + place for step in chosen for place in range(4))]
    np.testing.assert_array_equal(made.places["samples_places"], np.array([values, values]).T)


def test_a_discriminator_sees_real_images_and_as_many_drawn_of_the_largest_class(made):
    # Class 1 has five of eight; a generator without classes has one count alone.
    counts = (0, 4) if made.labelled else (4,)
    assert made.drawn == [(step, counts, 3) for step in (10, 20, 30, 50, 60, 70)]
    expected = [each for step in (10, 20, 30, 50, 60, 70) for each in [-1] * 4 + [step] * 4]
    assert made.places["seen_steps"].tolist() == expected
    assert made.places["seen_columns"].tolist() == np.arange(6).repeat(8).tolist()


def test_each_discriminator_has_the_scale_that_real_images_set(made):
    places = made.places["seen_places"].reshape(6, 8, 2)
    np.testing.assert_allclose(places[:, :4].mean(axis=(1, 2)), 0.0, atol=1e-5)
    # Whatever its scale, a checkpoint that sees the same has the same place.
    np.testing.assert_allclose(places, np.broadcast_to(places[:1], places.shape), atol=1e-4)
    if made.labelled:
        real = np.array([1, 3, 5, 7.0])
        scale = np.concatenate([real, -real]).std()
        np.testing.assert_allclose(places[0, :4, 0], (real - 4) / scale, rtol=1e-4)
        np.testing.assert_allclose(places[0, 4:, 0], ([100, 100, 140, 140] - real.mean()) / scale,
                                   rtol=1e-4)  # fmt: skip


def test_both_planes_are_t_sne_of_the_same_perplexity_and_seed(made):
    assert made.planes == [(56, 5.0, 3, ("tsne",)), (48, 5.0, 3, ("tsne",))]


def test_the_real_images_that_a_discriminator_sees_are_drawn_from_all(tmp_path, monkeypatch):
    # Sources list their classes one after another: the first images are of one class.
    unlabelled = Made(tmp_path, monkeypatch, labelled=False)
    for seed in range(8):
        module._seen(unlabelled, seed)
    assert {value for each in unlabelled.seen for value in each} == set(range(8))
