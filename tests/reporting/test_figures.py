"""Names of classes in figures: as they are, or by number where the font lacks a glyph."""

import warnings

import numpy as np

from gaug_jax.reporting.embedding_plot import write_plane
from gaug_jax.reporting.figures import drawable_names

BANGLA = "\u09a6\u09c1\u0987"


def plane(path, class_names):
    """Draws four images of two classes in a plane, and returns the file."""
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    origins, labels = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    write_plane(path, "pca", places, (origins, ("real", "generated")), (labels, class_names), "")
    return path.read_bytes()


def test_a_name_that_the_font_cannot_draw_is_its_number():
    assert drawable_names(["cat", BANGLA, "été"]) == ["cat", "class 1", "été"]


def test_a_plane_of_such_classes_is_drawn_without_a_warning(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = plane(tmp_path / "bangla.png", ["one", BANGLA])
    assert drawn == plane(tmp_path / "number.png", ["one", "class 1"])
    assert drawn != plane(tmp_path / "other.png", ["one", "two"])
