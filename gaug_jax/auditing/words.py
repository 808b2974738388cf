"""An audit in words: plain data in, sentences out."""

from collections.abc import Mapping
from typing import Any

from gaug_jax.auditing.findings import is_attacked, is_copying, is_sound

_SPACES = {"pixels": "in pixels", "features": "in features"}


def is_leaking(audit: Mapping[str, Any]) -> bool:
    """Says whether the generated images give training images away, by any of the tests."""
    return any(
        is_copying(found["copies"]) or is_attacked(found["membership"])
        for found in audit["spaces"].values()
    )


def sentences(audit: Mapping[str, Any]) -> list[str]:
    """Returns what an audit found, the answer first.

    Args:
      audit: `audit/audit.json`.
    """
    lines = [
        "Training images can be told from these generated ones: treat them as you would treat the "
        "originals."
        if is_leaking(audit)
        else "Neither copies nor members were found (members: images that were trained on, where "
        "an attack tells them from others). That is no proof that there are none: other attacks "
        "may find more, and only private training gives a guarantee."
    ]
    for space, found in audit["spaces"].items():
        lines.append(f"Copies, {_SPACES[space]}: {_copies(found['copies'])}.")
        lines.append(
            f"Membership from generated images alone, {_SPACES[space]}: "
            f"{_attack(found['membership'])}."
        )
    if audit["discriminator"] is not None:
        # A diffusion family has no discriminator: its network's denoising loss is the score.
        scorer = (
            "denoising loss, for whoever is given the generator"
            if audit.get("family") == "diffusion"
            else "discriminator, which is not part of what is shared"
        )
        lines.append(f"Membership from the {scorer}: {_attack(audit['discriminator'])}.")
    lines.extend(_attribute(found) for found in audit["attributes"])
    if audit["privacy"] is not None:
        lines.append(privacy_sentence(audit["privacy"]))
    return lines


def privacy_sentence(privacy: Mapping[str, Any]) -> str:
    """Returns the guarantee of private training."""
    return (
        f"Trained with differential privacy: epsilon {privacy['epsilon']:.2f} at delta "
        f"{privacy['delta']:.2g}, for one image: a patient with several is protected less, and "
        "several generators of the same images add up."
    )


def _copies(found: Mapping[str, Any]) -> str:
    """Returns the copies of a space."""
    score = found["data_copying_score"]
    exchanged = found["data_copying_score_exchanged"]
    text = "C_T is not defined"
    if score is not None:
        text = f"C_T {score:z.1f} (below -3: copying"
        text += f"; parts exchanged {exchanged:z.1f})" if exchanged is not None else ")"
    text += (
        f"; {found['authenticity']:.0%} are authentic, {found['authenticity_held_out']:.0%} of "
        "real images that were held out"
    )
    return text + (
        f"; {found['closer_than_strangers']:.1%} are closer to a training image than any two "
        f"of different groups are ({found['closer_than_strangers_held_out']:.1%} of the "
        "held-out)"
    )


def _attack(found: Mapping[str, Any]) -> str:
    """Returns an attack with its control."""
    text = f"AUROC {_interval(found, 'auroc')}, "
    text += f"{_interval(found, 'true_positive_rate')} of members at 1% false positives"
    control = _interval(found["control"], "auroc")
    text += f"; control between halves of the members: {control}"
    if not is_sound(found):
        text += ", which should hold 0.5: do not build on this attack"
    if found.get("shift"):
        text += (
            f"; with held-out images in the place of generated ones: "
            f"{_interval(found['shift'], 'auroc')}"
        )
    return text


def _attribute(found: Mapping[str, Any]) -> str:
    """Returns what is told of an attribute."""
    if found["note"]:
        return f"Attribute ({found['name']}): not measured, {found['note']}."
    return (
        f"Attribute ({found['name']}): AUROC {_interval(found['generated'], 'auroc')} from "
        f"generated images, {found['label']:.2f} from the class alone, "
        f"{_interval(found['control'], 'auroc')} from real images of other patients (the control)."
    )


def _interval(found: Mapping[str, Any], name: str) -> str:
    """Returns a figure with its interval."""
    return f"{found[name]:.3f} ({found[f'{name}_low']:.3f} to {found[f'{name}_high']:.3f})"
