"""How training follows its generator: cheap figures against the validation part."""

from gaug_jax.data.labelled import Labelled
from gaug_jax.errors import UserError
from gaug_jax.evaluation.domain_classifier import domain_classifier
from gaug_jax.evaluation.features import Extractor, classifier_extractor, extract, make_extractor
from gaug_jax.evaluation.fidelity import cheap_row
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.settings import Settings
from gaug_jax.training.loop import Draw, Score
from gaug_jax.workfolder import WorkFolder

# Fewer cannot have precision and recall among five neighbours.
_LEAST_VALIDATION = 6


def check_validation(count: int) -> None:
    """Raises `UserError` where the validation part is too small to follow training by."""
    if count < _LEAST_VALIDATION:
        raise UserError(
            f"config.evaluate.every needs a validation part of {_LEAST_VALIDATION} images, and it "
            f"has {count}: raise config.data.validation_fraction"
        )


def make_score(
    settings: Settings,
    folder: WorkFolder,
    train: Labelled,
    validation: Labelled,
    class_names: tuple[str, ...],
) -> Score:
    """Returns KID, precision and recall of a generator against the validation part.

    As many images are drawn, of the same classes. The features are those of
    `config.evaluate.training_features`; one class has no classifier, and then they are
    pixels.
    """
    real, labels = validation
    extractor = _cheap_extractor(settings, folder, train, class_names)
    real_features = extract(extractor, array_set("the validation part", real)).features

    def score(draw: Draw) -> dict[str, float | None]:
        drawn = array_set("generated images", draw(labels))
        features = extract(extractor, drawn, quiet=True).features
        return cheap_row(real_features, features, settings.seed)

    return score


def _cheap_extractor(
    settings: Settings, folder: WorkFolder, train: Labelled, class_names: tuple[str, ...]
) -> Extractor:
    """Returns the extractor that training can afford."""
    if settings.evaluate.training_features == "pixels" or len(class_names) < 2:
        return make_extractor("pixels", resize_mode=settings.evaluate.resize)
    return classifier_extractor(
        domain_classifier(folder.classifier, train, class_names, settings.seed)
    )
