"""An audit's figures as a reader meets them."""

import numpy as np

from gaug_jax.auditing import findings
from gaug_jax.auditing.words import sentences

IMAGES = 30


def said(groups, **figures):
    """Returns what is said of images of three kinds that are alike: answer, copies, members.

    Args:
      groups: how many patients the training images are of, and the held-out ones.
      **figures: in the place of what was found of copies.
    """
    generator = np.random.default_rng(0)
    features = generator.normal(size=(3, IMAGES, 4))
    patients = np.arange(IMAGES) % groups
    train = findings.Part(features[0], patients)
    held_out = findings.Part(features[1], patients + groups)
    space = {
        "copies": findings.copies(features[2], train, held_out, seed=0) | figures,
        "membership": findings.membership_by_closeness(features[2], train, held_out, seed=0),
    }
    others = {"discriminator": None, "attributes": [], "privacy": None}
    return sentences({"spaces": {"features": space}, **others})


def test_what_rounds_to_zero_has_no_sign():
    answer, copies, _ = said(IMAGES, data_copying_score=-0.02, data_copying_score_exchanged=-0.26)
    assert answer.startswith("Neither copies nor members")
    assert "C_T 0.0 (below -3: copying; parts exchanged -0.3)" in copies


def test_what_is_not_defined_is_left_out_or_said():
    _, copies, membership = said(1, data_copying_score=None)
    assert "C_T is not defined" in copies and "of different groups" not in copies
    assert "no control, since all images are of one group" in membership
