"""Projections: PCA against an SVD, clusters that stay apart, seeds and tiny sets."""

import numpy as np
import pytest

from gaug_jax.embedding.projections import project
from gaug_jax.errors import UserError


@pytest.fixture(scope="module")
def clusters():
    generator = np.random.default_rng(0)
    centres = 20.0 * np.eye(3, 70)
    labels = np.repeat(np.arange(3), 30)
    return centres[labels] + generator.normal(size=(90, 70)), labels


@pytest.fixture(scope="module")
def projected(clusters):
    return project(clusters[0], perplexity=30.0, seed=0)


def test_principal_components_are_those_of_the_svd(clusters, projected):
    centred = clusters[0] - clusters[0].mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :50] * values[:50]
    assert projected.components.shape == (90, 50)
    np.testing.assert_allclose(np.abs(projected.components), np.abs(expected), atol=1e-8)
    shares = values**2 / np.sum(values**2)
    np.testing.assert_allclose(projected.explained_variance, shares[:50], rtol=1e-10)
    np.testing.assert_array_equal(projected.planes["pca"], projected.components[:, :2])


@pytest.mark.parametrize("plane", ["pca", "tsne", "umap"])
def test_clusters_stay_apart(clusters, projected, plane):
    places, labels = projected.planes[plane], clusters[1]
    assert places.shape == (90, 2) and np.isfinite(places).all()
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95


def test_the_same_seed_gives_the_same_again(clusters, projected):
    again = project(clusters[0], perplexity=30.0, seed=0)
    for plane, places in projected.planes.items():
        np.testing.assert_array_equal(places, again.planes[plane])


@pytest.mark.parametrize(("count", "features"), [(5, 3), (8, 1), (12, 200)])
def test_tiny_sets(count, features):
    made = project(np.random.default_rng(1).normal(size=(count, features)), perplexity=30.0, seed=0)
    for places in made.planes.values():
        assert places.shape == (count, 2) and np.isfinite(places).all()


def test_what_cannot_be_embedded():
    with pytest.raises(UserError, match="5 images or more, not 4"):
        project(np.eye(4), perplexity=30.0, seed=0)
    with pytest.raises(UserError, match="same features"):
        project(np.ones((9, 4)), perplexity=30.0, seed=0)
