"""Words of a report that not everyone knows, and what each means."""

from collections.abc import Mapping, Sequence
from typing import Any

Terms = list[tuple[str, str]]
# What an arm's classifiers are trained on, the arms of `gaug_jax.downstream.arms`.
ARMS = {
    "real": "the training images as they are",
    "classical": "training images with small random shifts, turns, scales, contrast and brightness",
    "mixup": "training images, blended in pairs along with their classes",
    "cutout": "training images with a patch blanked",
    "cutmix": "training images with a patch of another one",
    "augmix": "training images, blended with several changed copies of themselves",
    "trivialaugment": "training images, each changed in one way (place, light, colour, sharpness), "
    "by how much at random",
    "oversample": "the training images twice, a control for more images",
    "gan": "training images and generated ones",
    "gan+classical": "training images and generated ones, all augmented as in classical",
    "gan_balanced": "as gan, with the generated images shared out so that classes become alike in "
    "number",
    "gan_balanced+classical": "as gan_balanced, all augmented as in classical",
    "pretrain": "generated images for half of the steps, then training images",
    "synthetic_only": "generated images alone",
    "gan_shuffled": "as gan, with shuffled labels of the generated images, a control for noise",
    "pseudo_label": "training images, and generated ones where the classifier is sure of a class",
    "ec_gan": "training images and generated ones, the classifier along with its generator",
    "borders_only": "training images without their middle, a control for traces at the borders",
    "majority": "always the commonest class, a floor",
    "pixels": "a linear model on 50 principal components of the training images' pixels, a floor",
}
_COLUMNS = {
    "minus best without GAN": "difference to the arm without generated images that is best on "
    "validation, on the same test images",
    "Holm p": "p-value of that difference, by Holm's correction for all arms that are compared: "
    "below 0.05 chance alone would seldom give as much",
    "minus real": "difference to the arm real",
    "ratio": "generated images for each training image",
    "filter": "how generated images were sorted out; none: all are used",
    "paper": "what the paper reports",
    "AUROC, mean over splits": "the AUROC of each split's test images by themselves, averaged",
}
_EXTERNAL = (
    "external ...",
    "on the external test set, which all classifiers judge and none was trained or chosen on; the "
    "differences beside it are on the same images, without a correction for their number",
)
_FIDELITY = [
    (
        "KID",
        "kernel inception distance between the features of generated and real images: near 0 where "
        "they are alike, with few images too",
    ),
    (
        "FID",
        "Frechet inception distance between them: with few images it is far above 0 where they are "
        "alike, too",
    ),
]
_PRIVACY = {
    "members": "images that the generator was trained on; an attack tries to tell them from others",
    "C_T": "a test of whether generated images are nearer to training images than held-out real "
    "ones are: far below 0 where they are copies",
    "authentic": "farther from the nearest training image than that one is from its own nearest "
    "fellow",
    "control": "the same attack where there is nothing to be found",
}


def downstream_terms(arms: Sequence[str], columns: Sequence[str]) -> Terms:
    """Returns what arms and columns of a study's table mean.

    Args:
      arms: of the study.
      columns: of the table.
    """
    shown = [(name, _COLUMNS[name]) for name in columns if name in _COLUMNS]
    if any(name.startswith("external ") for name in columns):
        shown.append(_EXTERNAL)
    return [*((arm, ARMS[arm]) for arm in arms), *shown]


def arms_sentence(arms: Sequence[str]) -> str:
    """Returns what arms are trained on, as a sentence."""
    return "; ".join(f"{arm}: {ARMS[arm]}" for arm in arms) + "."


def fidelity_terms(row: Mapping[str, Any]) -> Terms:
    """Returns what figures of fidelity mean, and what the floor is to be compared with.

    Args:
      row: of `evaluation/metrics.jsonl`.
    """
    if row.get("fid_floor") is None:
        return _FIDELITY
    half = row["num_real"] // 2
    floor = (
        f"FID of {half} real images against {half} other real ones: what images score that are as "
        f"good as real. Compare it with the FID at the floor's size, {half} generated images "
        "against the first of these, and not with the FID of all images, which falls with their "
        "number"
    )
    return [*_FIDELITY, ("floor", floor)]


def privacy_terms(lines: Sequence[str]) -> Terms:
    """Returns what the words of an audit's sentences mean."""
    return [(term, words) for term, words in _PRIVACY.items() if any(term in x for x in lines)]
