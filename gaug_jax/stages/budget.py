"""From the study's settings to what is the same for every arm."""

import numpy as np
from jaxtyping import Int

from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.downstream.runs import Budget
from gaug_jax.evaluation.metrics.classification import of_a_split
from gaug_jax.settings import ClassifySettings

# Of the most and the fewest images of a class, from which on classes count as unequal.
_UNEQUAL = 1.5
# Steps and learning rates where the config leaves them open.
_STEPS = {"pretrained": 200}
_OTHER_STEPS = 600
_LEARNING_RATES = {"pretrained": (1e-3, 3e-3)}
_OTHER_LEARNING_RATES = (1e-2, 3e-2)


def make_budget(
    study: ClassifySettings,
    architecture: str,
    image_shape: tuple[int, int, int],
    class_names: tuple[str, ...],
    train_labels: Int[np.ndarray, " images"],
    most_images: int,
) -> Budget:
    """Returns the budget of an architecture, before the number of steps is searched for.

    Args:
      study: the settings.
      architecture: one of `settings.classify.ARCHITECTURES`.
      image_shape: height, width and channels.
      class_names: in the study's order.
      train_labels: classes of the training part, of which every class has an image.
      most_images: of any arm's fits.
    """
    counts = np.bincount(train_labels, minlength=len(class_names))
    unequal = bool(counts.max() >= _UNEQUAL * counts.min())
    steps = study.steps or _STEPS.get(architecture, _OTHER_STEPS)
    spec = ClassifierSpec(
        image_shape, class_names, architecture, study.width, steps,
        study.batch_size, study.weight_decay, flip=study.flip, layer_decay=study.layer_decay,
        frozen_statistics=study.frozen_statistics,
    )  # fmt: skip
    rates = study.learning_rates or _LEARNING_RATES.get(architecture, _OTHER_LEARNING_RATES)
    return Budget(
        spec,
        tuple(study.seeds),
        tuple(rates),
        tuple(study.penalties),
        study.widenings,
        study.copies,
        unequal if study.balanced is None else study.balanced,
        of_a_split(study.endpoint),
        study.pseudo_label_weight,
        most_images,
    )
