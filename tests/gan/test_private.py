"""Private training: each image's part is clipped, the noise is of the size that is counted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from support.commands import TINY, refused, run
from support.settings_for_tests import small_images, small_settings, small_spec

from gaug_jax.feeds.order import BatchOrder, image_store
from gaug_jax.feeds.poisson import PoissonFeed, num_slots
from gaug_jax.files import read_json, read_json_lines
from gaug_jax.gan.accounting import PrivacyAccountant
from gaug_jax.gan.private import private_gradient
from gaug_jax.training.checkpoints import Checkpoints

SLOTS = 16


def private_spec(noise=1e-9, clip=0.5):
    settings = small_settings(
        objective__private=True, objective__noise_multiplier=noise, objective__clip_norm=clip
    )
    return small_spec(settings, axis_name=None)


def problem(seed=0):
    """Returns weights, a loss of one example, and examples with gradients of many sizes."""
    generator = np.random.default_rng(seed)
    weights = {"a": jnp.asarray(generator.normal(size=(5, 3))), "b": jnp.ones(3)}
    examples = jnp.asarray(
        generator.normal(size=(SLOTS, 5)) * np.geomspace(0.01, 10, SLOTS)[:, None]
    )

    def loss(weights, example):
        value = jnp.sum(jnp.tanh(example @ weights["a"]) * weights["b"]) ** 2
        return value, {"loss": value}

    return weights, loss, examples


def noised(spec, included, key=0, seed=0):
    weights, loss, examples = problem(seed)
    gradient_of = lambda example: jax.grad(loss, has_aux=True)(weights, example)  # noqa: E731
    return private_gradient(gradient_of, examples, included, jax.random.key(key), spec)


def test_every_images_gradient_is_clipped_on_its_own():
    spec = private_spec()
    included = np.arange(SLOTS) % 3 != 0
    found, beside = noised(spec, jnp.asarray(included))
    weights, loss, examples = problem()
    sums = {name: np.zeros(leaf.shape) for name, leaf in weights.items()}
    clipped, losses = 0, []
    for example in examples[included]:
        gradient, aux = jax.grad(loss, has_aux=True)(weights, example)
        norm = np.sqrt(sum(np.sum(np.square(leaf, dtype=np.float64)) for leaf in gradient.values()))
        clipped += norm > spec.objective.clip_norm
        losses.append(aux["loss"])
        for name, leaf in gradient.items():
            sums[name] += np.asarray(leaf, np.float64) * min(1.0, spec.objective.clip_norm / norm)
    assert 2 < clipped < included.sum() - 2
    for name, leaf in sums.items():
        np.testing.assert_allclose(found[name] * spec.train.batch_size, leaf, rtol=1e-5, atol=1e-6)
    assert float(beside["loss"]) == pytest.approx(np.mean(losses), rel=1e-5)


def test_one_image_moves_the_sum_by_the_clip_norm_at_most():
    spec = private_spec(clip=0.3)
    everyone = jnp.ones(SLOTS, bool)
    whole, _ = noised(spec, everyone)
    for left_out in range(SLOTS):
        rest, _ = noised(spec, everyone.at[left_out].set(False))
        moved = np.sqrt(sum(np.sum((whole[name] - rest[name]) ** 2) for name in whole))
        assert moved * spec.train.batch_size <= 0.3 + 1e-5
    nobody, beside = noised(spec, jnp.zeros(SLOTS, bool))
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(nobody)) < 1e-7
    assert float(beside["loss"]) == 0.0


def test_the_noise_has_the_deviation_that_is_counted():
    spec = private_spec(noise=3.0, clip=0.7)
    nobody = jnp.zeros(SLOTS, bool)
    draws = jax.vmap(lambda key: noised(spec, nobody, key)[0]["a"])(jnp.arange(2000))
    found = np.asarray(draws).ravel() * spec.train.batch_size
    assert np.std(found) == pytest.approx(3.0 * 0.7, rel=0.02)
    assert scipy.stats.kstest(found[:5000] / 2.1, "norm").pvalue > 1e-3


def test_batches_are_independent_draws():
    images, labels = small_images()
    order = BatchOrder(3, 2, 6, 0, 4)
    feed = PoissonFeed(order, image_store(images, labels, 0), 1, jax.random.key(5))
    assert feed.probability == 6 / len(images)
    constant = jax.device_put(feed.take_constant())
    drawn = jax.jit(lambda step: feed.batch(constant, jnp.int32(0), step, jnp.int32(0)))
    sizes, seen = [], np.zeros(len(images))
    for step in range(300):
        found, found_labels, included = (np.asarray(each) for each in drawn(jnp.int32(step)))
        for update in range(2):
            counted = included[update]
            sizes.append(counted.sum())
            for image, label in zip(found[update][counted], found_labels[update][counted],
                                    strict=True):  # fmt: skip
                (place,) = np.flatnonzero((images == image).all(axis=(1, 2, 3)))
                assert labels[place] == label
                seen[place] += 1
    binomial = scipy.stats.binom(len(images), feed.probability)
    assert np.mean(sizes) == pytest.approx(binomial.mean(), abs=4 * binomial.std() / 600**0.5)
    assert np.var(sizes) == pytest.approx(binomial.var(), rel=0.25)
    assert scipy.stats.chisquare(seen).pvalue > 1e-4


@pytest.mark.parametrize(("images", "batch", "shards"), [(30, 6, 1), (2000, 64, 4), (9, 8, 4)])
def test_a_batch_has_room_for_nearly_every_draw(images, batch, shards):
    slots = num_slots(images, batch, shards)
    assert slots % (8 * shards) == 0
    assert scipy.stats.binom.sf(slots, images, batch / images) <= 1e-12


# Of two further libraries' kinds: a numerical one of Microsoft, and a closed form.
@pytest.mark.parametrize(
    ("noise", "probability", "steps", "delta"),
    [(1.0, 0.05, 500, 1e-3), (2.0, 0.1, 2000, 1e-3), (0.8, 0.02, 3000, 1e-4),
     (4.0, 0.3, 1000, 1 / 372)],
)  # fmt: skip
def test_epsilon_is_an_independent_librarys(noise, probability, steps, delta):
    from prv_accountant.dpsgd import DPSGDAccountant

    found = PrivacyAccountant(noise, probability, 1, delta).spent(steps)["epsilon"]
    other = DPSGDAccountant(
        noise_multiplier=noise, sampling_probability=probability, eps_error=0.02,
        delta_error=delta / 1000, max_steps=steps,
    )  # fmt: skip
    low, middle, high = other.compute_epsilon(delta=delta, num_steps=steps)
    assert low <= found <= high
    assert found == pytest.approx(middle, rel=1e-3)


@pytest.mark.parametrize(("noise", "steps"), [(2.0, 1), (5.0, 40), (20.0, 900)])
def test_without_sampling_epsilon_is_the_gaussian_mechanisms(noise, steps):
    # Balle and Wang (2018), theorem 8: k releases are one with noise / sqrt(k).
    delta, deviation = 1e-3, noise / steps**0.5

    def excess(epsilon):
        half = 1 / (2 * deviation)
        phi = scipy.stats.norm.cdf
        return (
            phi(half - epsilon * deviation)
            - np.exp(epsilon) * phi(-half - epsilon * deviation)
            - delta
        )

    exact = scipy.optimize.brentq(excess, 0.0, 50.0)
    found = PrivacyAccountant(noise, 1.0, 1, delta).spent(steps)["epsilon"]
    assert found == pytest.approx(exact, rel=2e-3)


def test_the_budget_says_how_many_steps():
    accountant = PrivacyAccountant(1.0, 0.05, 2, 1e-3)
    steps = accountant.steps_within(3.0, 5000)
    assert accountant.spent(steps)["epsilon"] <= 3.0 < accountant.spent(steps + 1)["epsilon"]
    assert accountant.steps_within(3.0, 10) == 10
    assert accountant.steps_within(0.01, 10) == 0
    assert accountant.spent(0)["epsilon"] == 0.0


PRIVATE = [
    *TINY, "--config.objective.private=True", "--config.data.train_size=200",
    "--config.train.checkpoint_every=5",
]  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("objective.discriminator_norm=batch", "mixes images before they are clipped"),
        ("objective.lecam=0.1", "remembers scores of real images"),
        ("objective.classifier_weight=0.1", "trains a classifier on the real images"),
        ("model.labels=per_class", "trains on each class apart"),
        ("train.on_divergence=rollback", "would choose among runs"),
        ("evaluate.every=5", "chooses checkpoints by a classifier"),
        ("train.batch_size=200", "is not below the 200 training images"),
        ("objective.epsilon=0.0", "config.objective.epsilon=0.0 must be above 0"),
        ("objective.epsilon=0.001", "allows no step: one costs"),
    ],
)  # fmt: skip
def test_what_would_break_the_guarantee_is_refused(tmp_path, setting, reason):
    message = refused("main", *PRIVATE, f"--config.{setting}", f"--workdir={tmp_path / 'run'}")
    assert reason in message and "config." in message
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_ends_when_the_budget_is_spent_and_says_what_it_cost(tmp_path):
    arguments = [*PRIVATE, "--config.train.steps=40", f"--workdir={tmp_path}"]
    short = run("main", *arguments, "--config.objective.epsilon=0.5")
    assert short.returncode == 0, short.stderr
    assert "the privacy budget of epsilon=0.5 is spent" in short.stdout
    step = Checkpoints(tmp_path / "checkpoints").steps()[-1]
    assert 0 < step < 40
    metadata = read_json(tmp_path / "checkpoints" / f"{step:08d}" / "metadata.json")
    assert 0.45 < metadata["privacy"]["epsilon"] <= 0.5
    assert metadata["privacy"]["delta"] == 1 / 200
    last = read_json_lines(tmp_path / "metrics.jsonl")[-1]
    assert last["epsilon"] == metadata["privacy"]["epsilon"]
    # A larger budget goes on from there.
    more = run("main", *arguments, "--config.objective.epsilon=5.0")
    assert more.returncode == 0, more.stderr
    assert Checkpoints(tmp_path / "checkpoints").steps()[-1] == 40
