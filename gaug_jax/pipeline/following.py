"""How training follows its generator: cheap figures against the validation part."""

import numpy as np
from jaxtyping import Int, UInt8

from gaug_jax.evaluation.features import Extractor, classifier_extractor, extract, make_extractor
from gaug_jax.evaluation.fidelity import cheap_row
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.settings import Settings, UserError
from gaug_jax.training.classifier import (
    FittedClassifier,
    fit_classifier,
    read_classifier,
    write_classifier,
)
from gaug_jax.training.classifier_spec import ClassifierSpec
from gaug_jax.training.loop import Draw, Score
from gaug_jax.workfolder import WorkFolder

# Fewer cannot have precision and recall among five neighbours.
_LEAST_VALIDATION = 6

Part = tuple[UInt8[np.ndarray, "images height width channels"], Int[np.ndarray, " images"]]
Train = tuple[
    UInt8[np.ndarray, "images height width channels"], Int[np.ndarray, " images"], tuple[str, ...]
]


def check_validation(count: int) -> None:
    """Raises `UserError` where the validation part is too small to follow training by."""
    if count < _LEAST_VALIDATION:
        raise UserError(
            f"config.evaluate.every needs a validation part of {_LEAST_VALIDATION} images, and it "
            f"has {count}: raise config.data.validation_fraction"
        )


def domain_classifier(
    folder: WorkFolder, train: Train, seed: int, spec: ClassifierSpec | None = None
) -> FittedClassifier:
    """Returns the work folder's classifier of its real training part, fitted where it is absent.

    Args:
      folder: where it is kept.
      train: images, labels and names of the classes.
      seed: of the fit.
      spec: of the fit; None for the default one.

    Raises:
      UserError: there is one class only, or the file is damaged.
    """
    images, labels, class_names = train
    if len(class_names) < 2:
        raise UserError("features 'classifier' need two classes: choose 'pixels' or 'inception'")
    spec = spec or ClassifierSpec(tuple(images.shape[1:]), class_names)
    if folder.classifier.exists():
        classifier = read_classifier(folder.classifier)
        if classifier.spec == spec:
            return classifier
    classifier = fit_classifier(images, labels, spec, seed)
    write_classifier(folder.classifier, classifier)
    return classifier


def make_score(settings: Settings, folder: WorkFolder, train: Train, validation: Part) -> Score:
    """Returns KID, precision and recall of a generator against the validation part.

    As many images are drawn, of the same classes. The features are those of
    `config.evaluate.training_features`; one class has no classifier, and then they are
    pixels.
    """
    real, labels = validation
    extractor = _cheap_extractor(settings, folder, train)
    real_features = extract(extractor, array_set("the validation part", real)).features

    def score(draw: Draw) -> dict[str, float | None]:
        drawn = array_set("generated images", draw(labels))
        features = extract(extractor, drawn, quiet=True).features
        return cheap_row(real_features, features, settings.seed)

    return score


def _cheap_extractor(settings: Settings, folder: WorkFolder, train: Train) -> Extractor:
    """Returns the extractor that training can afford."""
    if settings.evaluate.training_features == "pixels" or len(train[2]) < 2:
        return make_extractor("pixels", resize_mode=settings.evaluate.resize)
    return classifier_extractor(domain_classifier(folder, train, settings.seed))
