"""The classifier that a file keeps: when it is fitted, and when it is taken as it is."""

import dataclasses

import jax
import numpy as np
import pytest

from gaug_jax.classifiers.fit import new_fit
from gaug_jax.classifiers.fitted import FittedClassifier, classifier_sha256, read_classifier
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.errors import UserError
from gaug_jax.evaluation import domain_classifier as module
from gaug_jax.evaluation.domain_classifier import domain_classifier

NAMES = ("a", "b")
SPEC = ClassifierSpec((8, 8, 1), NAMES, width=4, steps=3, batch_size=8)
TRAIN = Labelled(np.zeros((6, 8, 8, 1), np.uint8), np.arange(6) % 2)


@pytest.fixture
def fits(monkeypatch):
    """The calls that ask for a fit, which is made at once: of the seed alone everywhere."""
    calls = []

    def fit(images, labels, spec, seed):
        calls.append((images, labels, spec, seed))
        made = jax.eval_shape(lambda: new_fit(jax.random.key(0), spec))
        variables = {"params": made.params, "batch_stats": made.batch_stats}
        filled = jax.tree.map(lambda leaf: np.full(leaf.shape, seed, leaf.dtype), variables)
        return FittedClassifier(spec, filled)

    monkeypatch.setattr(module, "fit_classifier", fit)
    return calls


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept" / "classifier.npz"


def test_it_is_fitted_to_the_training_part_once_and_kept(fits, path):
    first = domain_classifier(path, TRAIN, NAMES, 3, SPEC)
    before = path.read_bytes()
    again = domain_classifier(path, TRAIN, NAMES, 3, SPEC)
    ((images, labels, spec, seed),) = fits
    assert images is TRAIN.images and labels is TRAIN.labels
    assert (spec, seed) == (SPEC, 3)
    assert path.read_bytes() == before
    assert classifier_sha256(again) == classifier_sha256(first)
    assert all((leaf == 3).all() for leaf in jax.tree.leaves(again.variables))


@pytest.mark.parametrize(
    "change", [{"steps": 4}, {"width": 8}, {"class_names": ("b", "a")}, {"augmentation": "none"}]
)
def test_one_of_another_spec_is_fitted_anew_and_takes_its_place(fits, path, change):
    domain_classifier(path, TRAIN, NAMES, 3, SPEC)
    other = dataclasses.replace(SPEC, **change)
    assert domain_classifier(path, TRAIN, NAMES, 5, other).spec == other
    assert [(call[2], call[3]) for call in fits] == [(SPEC, 3), (other, 5)]
    assert read_classifier(path).spec == other
    assert domain_classifier(path, TRAIN, NAMES, 5, other).spec == other
    assert len(fits) == 2


def test_without_a_spec_it_is_the_default_one_of_these_images_and_classes(fits, path):
    found = domain_classifier(path, TRAIN, NAMES, 0)
    assert found.spec == ClassifierSpec((8, 8, 1), NAMES)
    assert domain_classifier(path, TRAIN, NAMES, 0).spec == found.spec
    assert len(fits) == 1
    domain_classifier(path, TRAIN, ("a", "c"), 0)
    assert fits[1][2].class_names == ("a", "c")


@pytest.mark.parametrize("names", [(), ("alone",)])
def test_one_class_is_refused_and_nothing_is_written(fits, path, names):
    with pytest.raises(UserError, match="need two classes: choose 'pixels' or 'pretrained'"):
        domain_classifier(path, TRAIN, names, 0, SPEC)
    assert not fits and not path.parent.exists()


@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_a_damaged_file_is_named_and_not_replaced(fits, path, kept):
    domain_classifier(path, TRAIN, NAMES, 3, SPEC)
    whole = path.read_bytes()
    cut = whole[: int(kept * len(whole)) if isinstance(kept, float) else kept]
    path.write_bytes(cut)
    with pytest.raises(UserError, match=r"classifier\.npz is no classifier of this project"):
        domain_classifier(path, TRAIN, NAMES, 3, SPEC)
    assert len(fits) == 1 and path.read_bytes() == cut
