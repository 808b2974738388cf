"""Who asks to stop while classifiers are fitted does not wait for their end."""

import threading

import numpy as np
import pytest
from support.settings_for_tests import small_images

from gaug_jax.classifiers import fit as module
from gaug_jax.classifiers.fit import fit_classifiers, training_images
from gaug_jax.classifiers.spec import ClassifierSpec


class Asked(Exception):
    """What a signal raises on the main thread."""


@pytest.mark.parametrize("count", [1, 2])
def test_an_interrupt_ends_every_part_of_the_fits(monkeypatch, count):
    images, labels = small_images()
    spec = ClassifierSpec((8, 8, 1), ("a", "b", "c"), width=4, steps=10**6, batch_size=8)
    calls = []

    class Progress:
        """Raises on the main thread at the second piece of work."""

        def __init__(self, *arguments):
            calls.append("begun")

        def advance(self, *arguments, **figures):
            assert threading.current_thread() is threading.main_thread()
            calls.append("advanced")
            if calls.count("advanced") == 2:
                raise Asked

        def close(self):
            calls.append("closed")

    monkeypatch.setattr(module, "Progress", Progress)
    seeds, rates = np.arange(count), np.full(count, 0.01)
    with pytest.raises(Asked):
        fit_classifiers(training_images(images, labels, 3), spec, seeds, rates)
    assert calls == ["begun", "advanced", "advanced", "closed"]
