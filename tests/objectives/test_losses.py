"""Each loss against values worked out by hand from its formula."""

import math

import jax
import jax.numpy as jnp
import pytest

from gaug_jax.objectives import LOSSES

REAL = [0.0, 2.0]
FAKE = [-1.0, 3.0]


def log_sigmoid(x):
    return -math.log1p(math.exp(-x))


# -mean log D(x) - mean log(1 - D(G(z))), and -mean log D(G(z)), term by term.
MINIMAX = -(log_sigmoid(0) + log_sigmoid(2)) / 2 - (log_sigmoid(1) + log_sigmoid(-3)) / 2
NON_SATURATING = -(log_sigmoid(-1) + log_sigmoid(3)) / 2
LITERAL = (log_sigmoid(1) + log_sigmoid(-3)) / 2

EXPECTED = {
    "minimax": (MINIMAX, NON_SATURATING),
    "minimax_literal": (MINIMAX, LITERAL),
    # mean(-1, 3) - mean(0, 2) = 1 - 1; -mean(-1, 3).
    "wasserstein": (0.0, -1.0),
    # mean(max(0, 1-0), max(0, 1-2)) + mean(max(0, 1-1), max(0, 1+3)) = 0.5 + 2.
    "hinge": (2.5, -1.0),
}


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_losses_have_the_values_of_their_formulas(name, wrap):
    loss = LOSSES[name]
    expected_discriminator, expected_generator = EXPECTED[name]
    real, fake = jnp.array(REAL), jnp.array(FAKE)
    assert wrap(loss.discriminator)(real, fake) == pytest.approx(expected_discriminator, rel=1e-6)
    assert wrap(loss.generator)(fake) == pytest.approx(expected_generator, rel=1e-6)


@pytest.mark.parametrize("name", ["minimax", "minimax_literal"])
def test_minimax_stays_finite_at_extreme_scores(name):
    loss = LOSSES[name]
    extreme = jnp.array([1e4, -1e4])
    for value in (loss.discriminator(extreme, extreme), loss.generator(extreme)):
        assert jnp.isfinite(value)
    # softplus(-1e4) = 0 and softplus(1e4) = 1e4, so the two means are 5e3 each.
    assert loss.discriminator(extreme, extreme) == pytest.approx(1e4)


def test_non_saturating_and_literal_generator_gradients():
    # d/ds of softplus(-s) is -sigmoid(-s); of -softplus(s) it is -sigmoid(s).
    score = jnp.array([-2.0])
    non_saturating = jax.grad(LOSSES["minimax"].generator)(score)
    literal = jax.grad(LOSSES["minimax_literal"].generator)(score)
    assert non_saturating[0] == pytest.approx(-1 / (1 + math.exp(-2)), rel=1e-6)
    assert literal[0] == pytest.approx(-1 / (1 + math.exp(2)), rel=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_label_smoothing_is_of_real_images_alone(wrap):
    # -(1 - s) log D(x) - s log(1 - D(x)), with s = 0.1; generated images as before.
    real = -(0.9 * (log_sigmoid(0) + log_sigmoid(2)) + 0.1 * (log_sigmoid(0) + log_sigmoid(-2))) / 2
    fake = -(log_sigmoid(1) + log_sigmoid(-3)) / 2
    loss = lambda *scores: LOSSES["minimax"].discriminator(*scores, label_smoothing=0.1)  # noqa: E731
    assert wrap(loss)(jnp.array(REAL), jnp.array(FAKE)) == pytest.approx(real + fake, rel=1e-6)


def test_smoothed_targets_are_reached_at_their_probability():
    # The gradient in the score of a real image vanishes where D(x) = 0.9.
    best = jnp.array([math.log(0.9 / 0.1)])
    gradient = jax.grad(lambda real: LOSSES["minimax"].discriminator(real, best, 0.1))(best)
    assert gradient[0] == pytest.approx(0.0, abs=1e-6)
