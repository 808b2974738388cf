"""A classifier of the real training part, kept in a file: its features are those of the domain."""

from pathlib import Path

from gaug_jax.classifiers.fitted import (
    FittedClassifier,
    fit_classifier,
    read_classifier,
    write_classifier,
)
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.errors import UserError


def domain_classifier(
    path: Path,
    train: Labelled,
    class_names: tuple[str, ...],
    seed: int,
    spec: ClassifierSpec | None = None,
) -> FittedClassifier:
    """Returns the classifier that a file keeps, fitted where it is absent or of another spec.

    Args:
      path: of the file.
      train: the real training part.
      class_names: names of its classes.
      seed: of the fit.
      spec: of the fit; None for the default one.

    Raises:
      UserError: there is one class only, or the file is damaged.
    """
    if len(class_names) < 2:
        raise UserError("features 'classifier' need two classes: choose 'pixels' or 'pretrained'")
    spec = spec or ClassifierSpec(tuple(train.images.shape[1:]), class_names)
    if path.exists():
        classifier = read_classifier(path)
        if classifier.spec == spec:
            return classifier
    classifier = fit_classifier(train.images, train.labels, spec, seed)
    write_classifier(path, classifier)
    return classifier
