"""Generated images with their scores: by a made classifier, and when a kept pool is taken."""

import dataclasses
import json

import numpy as np
import pytest

from gaug_jax.classifiers.fitted import FittedClassifier
from gaug_jax.classifiers.frozen import pretrained_features
from gaug_jax.classifiers.linear import LinearSpec
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.errors import UserError
from gaug_jax.evaluation.features import Extractor
from gaug_jax.synthesis import pool as module
from gaug_jax.synthesis.drawing import SyntheticImages
from gaug_jax.synthesis.pool import (
    Pool,
    scored_images,
    seen_by_linear_model,
    seen_by_network,
    study_pool,
)
from gaug_jax.workfolder import WorkFolder

SPEC = ClassifierSpec((2, 2, 1), ("dark", "bright"), width=4, steps=3, batch_size=8)


LINEAR = LinearSpec(("dark", "bright"), "pixels", 0.1, balanced=False)


def images_of(*values):
    """Images of 2x2 with one value each."""
    return np.repeat(np.array(values, np.uint8), 4).reshape(-1, 2, 2, 1)


TRAIN = Labelled(images_of(0, 20, 200, 240), np.array([0, 0, 1, 1]))


@pytest.fixture(autouse=True)
def _made_classifier(monkeypatch):
    """Has every classifier see one feature, the value, and call from 100 on bright by 3 to 1."""

    def function(images):
        value = images[:, 0, 0].astype(np.float32)
        return value, np.log(3.0) * np.concatenate([value < 100, value >= 100], axis=1) - 50

    extractor = Extractor("made", function, batch_size=4)
    monkeypatch.setattr(module, "classifier_extractor", lambda classifier: extractor)


def scored(drawn, discriminator):
    """Returns images with what the made network makes of them."""
    seen = seen_by_network(FittedClassifier(SPEC, {}), TRAIN.images, drawn.images)
    return scored_images(seen, SPEC.class_names, TRAIN, drawn, discriminator)


def test_every_score_is_larger_of_the_better_image():
    drawn = Labelled(images_of(10, 110, 240, 60, 230), np.array([0, 0, 1, 1, 1]))
    given = np.array([0.5, -3.0, 2.0, 0.0, 1.0], np.float32)
    made = scored(drawn, given)
    assert made.drawn is drawn
    assert list(made.scores) == ["discriminator", "agreement", "density", "copies"]
    np.testing.assert_array_equal(made.scores["discriminator"], given)
    # The probability of the wanted class.
    np.testing.assert_allclose(made.scores["agreement"], [0.75, 0.25, 0.75, 0.25, 0.75], rtol=1e-5)
    # Of two training images of a class the farther one counts.
    np.testing.assert_allclose(made.scores["density"], [-10, -110, -40, -180, -30])
    # By how far the nearest training image is from its fellow: 20, 20, 40, 40.
    np.testing.assert_allclose(made.scores["copies"], [0.5, 4.5, 0.0, 2.0, 0.25], atol=1e-6)


def test_the_share_of_each_class_that_is_taken_for_it():
    drawn = Labelled(images_of(10, 110, 120, 240), np.array([0, 0, 0, 1]))
    made = scored(drawn, np.zeros(4))
    assert made.agreement == {"dark": pytest.approx(1 / 3), "bright": 1.0}


def test_large_logits_are_no_infinite_probabilities(monkeypatch):
    far = Extractor("far", lambda images: (images[:, 0, 0], images[:, 0, 0] * [0.0, 1e4]))
    monkeypatch.setattr(module, "classifier_extractor", lambda classifier: far)
    drawn = Labelled(images_of(200, 200), np.array([0, 1]))
    made = scored(drawn, np.zeros(2))
    np.testing.assert_array_equal(made.scores["agreement"], [0.0, 1.0])


def test_a_linear_model_scores_in_its_own_features():
    spec = LinearSpec(("dark", "bright"), "pixels", 0.01, balanced=True)
    drawn = Labelled(images_of(10, 110, 240, 60), np.array([0, 0, 1, 1]))
    seen = seen_by_linear_model(spec, TRAIN, drawn.images)
    # Of constant images there is one component: their mean, from the mean of the training part's.
    np.testing.assert_allclose(np.abs(seen.reals[:, 0]), [115, 95, 85, 125] / np.array(127.5), 1e-5)
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1.0)
    made = scored_images(seen, spec.class_names, TRAIN, drawn, np.zeros(4))
    assert made.agreement == {"dark": 1.0, "bright": 0.5}
    assert (made.scores["agreement"][[0, 2]] > 0.9).all()
    # In that feature: of the farther training image of the class, and as shares of 20 and 40.
    np.testing.assert_allclose(
        made.scores["density"], np.array([-10, -110, -40, -180]) / 127.5, rtol=1e-4
    )
    np.testing.assert_allclose(made.scores["copies"], [0.5, 4.5, 0.0, 2.0], atol=1e-5)


def test_on_a_pretrained_networks_features_copies_are_looked_for_there():
    rng = np.random.default_rng(0)
    train = Labelled(rng.integers(0, 256, (6, 8, 8, 1), np.uint8), np.arange(6) % 2)
    fakes = np.concatenate([train.images[:2], rng.integers(0, 256, (2, 8, 8, 1), np.uint8)])
    spec = LinearSpec(("a", "b"), "linear", 0.01, balanced=False)
    seen = seen_by_linear_model(spec, train, fakes)
    features = pretrained_features("linear")
    np.testing.assert_array_equal(seen.fakes, features(fakes))
    np.testing.assert_array_equal(seen.reals_for_copies, features(train.images))
    made = scored_images(seen, spec.class_names, train, Labelled(fakes, np.arange(4) % 2),
                         np.zeros(4))  # fmt: skip
    assert (made.scores["copies"][:2] < 0.01).all() and (made.scores["copies"][2:] > 0.3).all()


def test_the_first_of_a_class_are_the_same_in_a_larger_pool():
    labels = np.array([1, 0, 1, 0, 1])
    pool = Pool(Labelled(images_of(*range(5)), labels), {"copies": np.arange(5.0)}, {"dark": 0.5})
    few = pool.first(np.array([1, 2]))
    assert few.drawn.images[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert few.drawn.labels.tolist() == [1, 0, 1] and few.agreement == {"dark": 0.5}
    np.testing.assert_array_equal(few.scores["copies"], [0, 1, 2])
    assert_alike(pool.first(np.array([9, 9])), pool)


class Generator:
    """A generator that draws noise, and counts how often it does."""

    def __init__(self, monkeypatch):
        self.step, self.labelled = 10, True
        self.drawn, self.classifiers = [], []
        monkeypatch.setattr(module, "read_generator", lambda folder: self)
        monkeypatch.setattr(module, "draw_by_class", self.draw)
        monkeypatch.setattr(module, "domain_classifier", self.classifier)

    def draw(self, generator, counts, seed):
        assert generator is self
        self.drawn.append((counts, seed))
        labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        rng = np.random.default_rng([seed, self.step])
        images = rng.integers(0, 256, (len(labels), 2, 2, 1), np.uint8)
        return SyntheticImages(images, labels, rng.normal(size=len(labels)).astype(np.float32))

    def classifier(self, path, train, names, seed, spec):
        self.classifiers.append((path.name, names, seed))
        return FittedClassifier(spec, {})


@pytest.fixture
def generator(monkeypatch):
    return Generator(monkeypatch)


@pytest.fixture
def folder(tmp_path):
    return WorkFolder(tmp_path / "G")


def pool_of(folder, counts=(4, 3), spec=SPEC, seed=5):
    return study_pool(folder, TRAIN, np.array(counts), spec, seed)


def assert_alike(one, other):
    np.testing.assert_array_equal(one.drawn.images, other.drawn.images)
    np.testing.assert_array_equal(one.drawn.labels, other.drawn.labels)
    assert list(one.scores) == list(other.scores)
    for name, values in one.scores.items():
        np.testing.assert_array_equal(values, other.scores[name])
        assert values.dtype == other.scores[name].dtype
    assert one.agreement == other.agreement


def test_it_is_drawn_once_and_read_back_the_same(generator, folder):
    first = pool_of(folder)
    assert generator.drawn == [([4, 3], 5)]
    assert generator.classifiers == [("study_classifier.npz", ("dark", "bright"), 5)]
    assert np.bincount(first.drawn.labels).tolist() == [4, 3]
    assert_alike(pool_of(folder), first)
    assert len(generator.drawn) == 1


def test_a_linear_models_pool_is_kept_too_without_a_network(generator, folder):
    first = pool_of(folder, spec=LINEAR)
    assert_alike(pool_of(folder, spec=LINEAR), first)
    assert len(generator.drawn) == 1 and not generator.classifiers
    assert len(pool_of(folder, spec=dataclasses.replace(LINEAR, penalty=0.2)).scores) == 4
    assert len(generator.drawn) == 2


def test_fewer_images_are_taken_of_those_that_are_kept(generator, folder):
    first = pool_of(folder)
    assert_alike(pool_of(folder, counts=(2, 3)), first)
    assert len(generator.drawn) == 1


@pytest.mark.parametrize("counts", [(5, 3), (4, 4), (1, 9)])
def test_more_images_of_a_class_are_drawn_anew(generator, folder, counts):
    pool_of(folder)
    assert np.bincount(pool_of(folder, counts).drawn.labels).tolist() == list(counts)
    assert generator.drawn == [([4, 3], 5), (list(counts), 5)]
    pool_of(folder, counts)
    assert len(generator.drawn) == 2


@pytest.mark.parametrize(
    "change",
    [{"seed": 6}, {"spec": dataclasses.replace(SPEC, steps=4)},
     {"spec": dataclasses.replace(SPEC, augmentation="none")}, {"spec": LINEAR}],
)  # fmt: skip
def test_another_seed_or_classifier_makes_it_anew(generator, folder, change):
    pool_of(folder)
    pool_of(folder, **change)
    assert [seed for _, seed in generator.drawn] == [5, change.get("seed", 5)]
    pool_of(folder, **change)
    assert len(generator.drawn) == 2


def test_another_step_makes_it_anew(generator, folder):
    first = pool_of(folder)
    generator.step = 20
    second = pool_of(folder)
    assert len(generator.drawn) == 2
    assert (first.drawn.images != second.drawn.images).any()
    assert_alike(pool_of(folder), second)


def test_one_of_before_facts_were_kept_is_made_anew(generator, folder):
    first = pool_of(folder)
    with np.load(folder.synthetic_pool) as file:
        arrays = {name: file[name] for name in file.files if name != "facts"}
    np.savez(folder.synthetic_pool, **arrays)
    assert_alike(pool_of(folder), first)
    assert len(generator.drawn) == 2


def test_a_generator_without_classes_is_refused(generator, folder):
    generator.labelled = False
    with pytest.raises(UserError, match="need classes: set config.model.labels to 'conditional'"):
        pool_of(folder)
    assert not generator.drawn and not folder.path.exists()


def test_what_is_no_pool_is_named_and_not_replaced(generator, folder):
    pool_of(folder)
    for content in (b"", b"no pool"):
        folder.synthetic_pool.write_bytes(content)
        with pytest.raises(UserError, match=r"pool\.npz is damaged .*: remove it to have it drawn"):
            pool_of(folder)
        assert folder.synthetic_pool.read_bytes() == content
    assert len(generator.drawn) == 1


@pytest.mark.parametrize("lost", ["images", "labels", "agreement"])
def test_a_pool_that_lacks_something_is_damaged(generator, folder, lost):
    pool_of(folder)
    with np.load(folder.synthetic_pool) as file:
        arrays = {name: file[name] for name in file.files if name != lost}
    facts = json.loads(str(arrays["facts"]))
    facts.pop(lost, None)
    np.savez(folder.synthetic_pool, **{**arrays, "facts": json.dumps(facts)})
    with pytest.raises(UserError, match=r"pool\.npz is damaged"):
        pool_of(folder)


@pytest.mark.parametrize("damage", ["cut short", "one byte"])
def test_a_pool_whose_bytes_were_lost_is_damaged(generator, folder, damage):
    pool_of(folder, counts=(40, 40))
    content = bytearray(folder.synthetic_pool.read_bytes())
    if damage == "cut short":
        del content[len(content) // 2 :]
    else:
        content[300] ^= 1
    folder.synthetic_pool.write_bytes(content)
    with pytest.raises(UserError, match=r"pool\.npz is damaged"):
        pool_of(folder)
