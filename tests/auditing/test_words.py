"""An audit's figures as a reader meets them."""

import numpy as np

from gaug_jax.auditing import findings
from gaug_jax.auditing.words import sentences

IMAGES = 30


def said(**figures):
    """Returns what is said of images that are alike: the answer, the copies, the members.

    Args:
      **figures: in the place of what was found of copies.
    """
    features = np.random.default_rng(0).normal(size=(3, IMAGES, 4))
    train = findings.Part(features[0], np.arange(IMAGES))
    held_out = findings.Part(features[1], np.arange(IMAGES) + IMAGES)
    space = {
        "copies": findings.copies(features[2], train, held_out, seed=0) | figures,
        "membership": findings.membership_by_closeness(features[2], train, held_out, seed=0),
    }
    others = {"discriminator": None, "attributes": [], "privacy": None}
    return sentences({"spaces": {"features": space}, **others})


def test_what_rounds_to_zero_has_no_sign():
    answer, copies, _ = said(data_copying_score=-0.02, data_copying_score_exchanged=-0.26)
    assert answer.startswith("Neither copies nor members")
    assert "C_T 0.0 (below -3: copying; parts exchanged -0.3)" in copies


def test_a_score_that_is_not_defined_is_said():
    _, copies, _ = said(data_copying_score=None)
    assert "C_T is not defined" in copies
