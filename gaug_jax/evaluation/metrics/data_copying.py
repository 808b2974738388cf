"""C_T: are generated images nearer to the training images than held-out ones are?

Meehan, Chaudhuri, Dasgupta: "A Non-Parametric Test to Detect Data-Copying in Generative Models"
(2020). In every cell of a partition the distances to the nearest training image of the cell are
compared by a Mann-Whitney test; C_T is the mean of its z-scores, weighted by the held-out images
of the cells. Far below 0: copies. Far above 0: the generated images are farther away than real
ones, which is underfitting.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

from gaug_jax.evaluation.metrics.nearest import nearest

Features = Float[np.ndarray, "images features"]
Cells = Int[np.ndarray, " images"]


def rank_z_score(generated: Float[np.ndarray, " m"], held_out: Float[np.ndarray, " n"]) -> float:
    """Returns the z-score of the Mann-Whitney statistic; below 0 where `generated` is smaller.

    Ties count half; the variance is the one without ties, as in the paper.
    """
    m, n = len(generated), len(held_out)
    ranks = rankdata(np.concatenate([generated, held_out]))
    wins = ranks[:m].sum() - m * (m + 1) / 2
    return float((wins - m * n / 2) / np.sqrt(m * n * (m + n + 1) / 12))


def data_copying_score(
    generated: Features,
    held_out: Features,
    train: Features,
    cells: tuple[Cells, Cells, Cells],
    least: int = 20,
) -> float | None:
    """Returns C_T.

    Args:
      generated: features, float64.
      held_out: features of real images that were not trained on.
      train: features of the training images.
      cells: cell of each generated, held-out and training image.
      least: generated images of a cell that counts.

    Returns:
      C_T; None where no cell has enough generated images, a held-out and a training one.
    """
    scores, weights = [], []
    for cell in np.unique(cells[2]):
        generated_here, held_out_here, train_here = (
            features[members == cell]
            for features, members in zip((generated, held_out, train), cells, strict=True)
        )
        if len(generated_here) < least or not len(held_out_here):
            continue
        distances = [nearest(each, train_here)[0] for each in (generated_here, held_out_here)]
        scores.append(rank_z_score(*distances))
        weights.append(len(held_out_here))
    return float(np.average(scores, weights=weights)) if scores else None
