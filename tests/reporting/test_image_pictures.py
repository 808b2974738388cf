"""The images that a report's scatter shows."""

import numpy as np

from gaug_jax.reporting.image_pictures import some_of_each


def test_a_scatter_shows_all_classes_of_images_that_lie_class_by_class():
    origins = np.repeat([0, 1], [1000, 40])
    labels = np.concatenate([np.repeat(np.arange(10), 100), np.arange(40) % 10])
    chosen = some_of_each(origins, 300)
    np.testing.assert_array_equal(np.bincount(origins[chosen]), [300, 40])
    assert (np.bincount(labels[chosen[:300]], minlength=10) > 15).all()
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, some_of_each(origins, 300))
