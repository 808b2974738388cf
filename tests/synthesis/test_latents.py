"""Truncation and rejection: which latents images are drawn from."""

import dataclasses

import jax
import numpy as np
import pytest
from scipy import stats
from support.settings_for_tests import host_copy, make_run, small_spec

from gaug_jax.errors import UserError
from gaug_jax.gan.drawing import draw, latents_of, score
from gaug_jax.synthesis.drawing import TrainedGenerator, draw_by_class
from gaug_jax.synthesis.latents import EVERY_LATENT, LatentChoice, best_of, chosen_latents

COUNTS = [30, 0, 20]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A conditional generator after twelve steps."""
    run = make_run(tmp_path_factory.mktemp("trained"), model__labels="conditional")
    state = host_copy(run.train())
    spec = small_spec(axis_name=None, model__labels="conditional")
    return TrainedGenerator(spec, state.ema, state.discriminator, 12, ("a", "b", "c"), (10, 10, 10))


def assert_same(one, other):
    for field in dataclasses.fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@pytest.mark.parametrize("threshold", [0.5, 1.0, 2.0])
def test_truncated_latents_follow_the_truncated_normal_distribution(threshold):
    spec = small_spec(model__latent_dim=50)
    choice = LatentChoice(truncation=threshold)
    drawn = np.asarray(chosen_latents(jax.random.key(0), 0, 400, spec, choice))
    assert drawn.shape == (400, 50)
    assert np.abs(drawn).max() <= threshold
    # Kolmogorov and Smirnov's test of 20,000 numbers at the level of 1%.
    assert stats.kstest(drawn.ravel(), stats.truncnorm(-threshold, threshold).cdf).pvalue > 0.01
    # What the test is able to see: a normal distribution cut off by clipping is refused.
    clipped = np.asarray(latents_of(jax.random.key(0), 0, 400, spec)).clip(-threshold, threshold)
    assert stats.kstest(clipped.ravel(), stats.truncnorm(-threshold, threshold).cdf).pvalue < 1e-6


def test_a_truncated_latent_depends_on_its_number_alone():
    spec, choice = small_spec(), LatentChoice(truncation=1.0)
    many = np.asarray(chosen_latents(jax.random.key(0), 0, 9, spec, choice))
    few = np.asarray(chosen_latents(jax.random.key(0), 4, 3, spec, choice))
    np.testing.assert_array_equal(many[4:7], few)
    assert len(np.unique(many)) == many.size


def test_without_a_choice_the_images_are_those_of_the_plain_latents(trained):
    drawn = draw_by_class(trained, COUNTS, 3)
    assert_same(drawn, draw_by_class(trained, COUNTS, 3, EVERY_LATENT))
    for label, count in enumerate(COUNTS):
        # How images were drawn before there was a choice.
        key = jax.random.fold_in(jax.random.key(3), label)
        latents = latents_of(key, 0, 256, trained.spec)
        images = draw(trained.ema, latents, label, spec=trained.spec)
        scores = score(trained.discriminator, images, label, spec=trained.spec)
        of_class = drawn.labels == label
        np.testing.assert_array_equal(drawn.images[of_class], images[:count])
        np.testing.assert_array_equal(drawn.scores[of_class], scores[:count])


def test_the_highest_score_wins_and_the_first_among_equals():
    scores = np.array([[1.0, 5, 0, -3], [2.0, 4, 0, -1], [3.0, 5, 0, -2]], np.float32)
    # Every candidate's pixels are its number.
    images = np.broadcast_to(np.arange(3, dtype=np.uint8)[:, None, None, None, None],
                             (3, 4, 2, 2, 1))  # fmt: skip
    best, best_scores = best_of(zip(images, scores, strict=True))
    assert best[:, 0, 0, 0].tolist() == scores.argmax(axis=0).tolist() == [2, 0, 0, 1]
    assert (best == best[:, :1, :1]).all()
    np.testing.assert_array_equal(best_scores, scores.max(axis=0))


def test_rejection_raises_every_score_and_tells_the_score_of_the_image_it_keeps(trained):
    plain, some, more = (
        draw_by_class(trained, COUNTS, 0, LatentChoice(rejection=count)) for count in (1, 2, 8)
    )
    assert (some.scores >= plain.scores).all()
    assert (more.scores >= some.scores).all()
    assert more.scores.mean() > some.scores.mean() > plain.scores.mean()
    kept = some.scores == plain.scores
    np.testing.assert_array_equal(some.images[kept], plain.images[kept])
    # Half of the first of two are the better ones, and no class has another one's candidates.
    assert 0.2 < kept.mean() < 0.8
    assert len(np.unique(more.images, axis=0)) == len(more.images)
    for label in (0, 2):
        of_class = more.labels == label
        scores = score(trained.discriminator, more.images[of_class], label, spec=trained.spec)
        np.testing.assert_allclose(more.scores[of_class], scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "choice", [LatentChoice(truncation=0.7), LatentChoice(rejection=3), LatentChoice(0.7, 3)]
)
def test_the_same_seed_gives_the_same_images_and_more_begin_with_them(trained, choice):
    drawn = draw_by_class(trained, [3, 3, 3], 5, choice)
    assert_same(drawn, draw_by_class(trained, [3, 3, 3], 5, choice))
    # More than one batch.
    more = draw_by_class(trained, [300, 4, 3], 5, choice)
    for label in range(3):
        first = more.images[more.labels == label][:3]
        np.testing.assert_array_equal(first, drawn.images[drawn.labels == label])
    for other in (
        draw_by_class(trained, [3, 3, 3], 6, choice),
        draw_by_class(trained, [3, 3, 3], 5),
    ):
        assert (other.images != drawn.images).any()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"truncation": 0.0}, "--truncation=0.0: give a number above 0"),
        ({"truncation": -1.0}, "--truncation=-1.0"),
        ({"truncation": float("nan")}, "--truncation=nan"),
        ({"truncation": float("inf")}, "--truncation=inf"),
        ({"rejection": 0}, "--rejection=0: give 1 or more"),
    ],
)
def test_choices_that_are_none(values, message):
    with pytest.raises(UserError, match=f"^{message}"):
        LatentChoice(**values)
