"""Features in two dimensions: PCA, and t-SNE and UMAP of its first components."""

import functools
import threading
import warnings
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaug_jax.errors import UserError
from gaug_jax.source_readers import ONE_AT_A_TIME

# Components that t-SNE and UMAP are made of, as t-SNE's authors advise.
_COMPONENTS = 50
_LEAST = 5
_NEIGHBOURS = 15
PLANES = ("pca", "tsne", "umap")

Features = Float[np.ndarray, "images features"]
Plane = Float[np.ndarray, "images 2"]


class Projections(NamedTuple):
    """Places of the same images in three planes.

    Attributes:
      components: the first principal components, at most 50.
      explained_variance: share of the variance of each.
      planes: `pca` (the first two components), `tsne` and `umap`.
    """

    components: Float[np.ndarray, "images components"]
    explained_variance: Float[np.ndarray, " components"]
    planes: dict[str, Plane]


def project(
    features: Features, *, perplexity: float, seed: int, names: Collection[str] = PLANES
) -> Projections:
    """Returns features in fewer dimensions; the same seed gives the same again.

    Args:
      features: of all images together; float.
      perplexity: of t-SNE (van der Maaten and Hinton 2008); a third of the images at most.
      seed: of t-SNE and UMAP.
      names: of the planes that are made.

    Raises:
      UserError: fewer than five images, or all of them have the same features.
    """
    if len(features) < _LEAST:
        raise UserError(f"an embedding needs {_LEAST} images or more, not {len(features)}")
    if np.ptp(features, axis=0).max() == 0:
        raise UserError("all images have the same features: there is nothing to embed")
    components, explained = _principal_components(features)
    makers = {
        "pca": lambda: np.pad(components[:, :2], ((0, 0), (0, max(0, 2 - components.shape[1])))),
        "tsne": lambda: _tsne(components, perplexity, seed),
        "umap": lambda: _umap(components, seed),
    }
    planes = {name: make() for name, make in makers.items() if name in names}
    return Projections(components, explained, planes)


@functools.cache
def warm_up() -> threading.Thread:
    """Has UMAP imported and compiled on a thread of its own; what it computes is thrown away.

    That takes ten seconds in which it uses one core, and which a longer work may hide that waits
    for its own compiler at the same time.
    """
    points = np.random.default_rng(0).normal(size=(3 * _LEAST, 3))
    thread = threading.Thread(target=_fitted_umap, args=(points, 0), daemon=True)
    thread.start()
    return thread


def _principal_components(features: Features) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first components and the share of the variance of each."""
    from sklearn.decomposition import PCA

    count = min(_COMPONENTS, len(features) - 1, features.shape[1])
    # All of the spectrum, so that nothing is random.
    fitted = PCA(count, svd_solver="full")
    components = fitted.fit_transform(features.astype(np.float64))
    return components, fitted.explained_variance_ratio_


def _tsne(components: np.ndarray, perplexity: float, seed: int) -> Plane:
    """Returns t-SNE's plane."""
    from sklearn.manifold import TSNE

    perplexity = min(perplexity, (len(components) - 1) / 3)
    init = "pca" if components.shape[1] > 1 else "random"
    made = TSNE(perplexity=perplexity, init=init, learning_rate="auto", random_state=seed)
    return made.fit_transform(components).astype(np.float64)


def _umap(components: np.ndarray, seed: int) -> Plane:
    """Returns UMAP's plane (McInnes et al. 2018)."""
    # Its compiled loops must not be entered by two threads at once.
    if warm_up.cache_info().currsize:
        warm_up().join()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _fitted_umap(components, seed)


def _fitted_umap(components: np.ndarray, seed: int) -> Plane:
    """Returns UMAP's plane, on whatever thread; which warnings are shown is not touched."""
    with ONE_AT_A_TIME:
        from umap import UMAP

    neighbours = min(_NEIGHBOURS, len(components) - 1)
    init = "spectral" if len(components) > 2 * _LEAST else "random"
    # One job, as a seed makes it anyway: so it does not warn of that.
    made = UMAP(n_neighbors=neighbours, init=init, random_state=seed, n_jobs=1)
    return made.fit_transform(components).astype(np.float64)
