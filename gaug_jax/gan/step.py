"""One step of training: the discriminator's updates, then the generator's.

Every pass inside a step runs in training mode from the statistics that the step
came with; only the discriminator's own update keeps the ones it changed.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, PyTree

from gaug_jax import images as image_ranges
from gaug_jax.augmentation.differentiable import augment, parse_policy
from gaug_jax.gan.across_devices import device_mean, example_keys
from gaug_jax.gan.average import updated_average
from gaug_jax.gan.batch import Batch
from gaug_jax.gan.diffusion import denoising_step
from gaug_jax.gan.feedback import Feedback, updated
from gaug_jax.gan.growth import at_its_progress, at_its_stage
from gaug_jax.gan.joint_classifier import updated_classifier
from gaug_jax.gan.latents import draw_latents
from gaug_jax.gan.networks import Network, updated_network
from gaug_jax.gan.path_length import path_length_penalty
from gaug_jax.gan.penalties import penalties
from gaug_jax.gan.private import private_gradient
from gaug_jax.gan.scores import of_images
from gaug_jax.gan.spec import Spec
from gaug_jax.gan.state import GANState
from gaug_jax.models import growing
from gaug_jax.objectives import LOSSES

# Folded into a key: numbers beyond those of the discriminator's updates and of examples' own.
_OF_PATH, _OF_NOISE, _OF_LABELS, _OF_REAL, _OF_FAKE, _OF_GENERATOR = range(2**31 - 6, 2**31)

# Those metrics that training is to bring down; a family has some of them.
LOSS_METRICS = frozenset({"d_loss", "g_loss", "denoising_loss"})

Metrics = dict[str, Float[Array, ""]]


class Pairs(NamedTuple):
    """Real and generated images of one discriminator update, as it sees them.

    Attributes:
      real, fake: in [-1, 1].
      labels, fake_labels: class of each.
      mixing: place of each penalised image between the two.
    """

    real: Float[Array, "batch height width channels"]
    fake: Float[Array, "batch height width channels"]
    labels: Int[Array, " batch"]
    fake_labels: Int[Array, " batch"]
    mixing: Float[Array, " batch"]


def _augmented(
    images: Float[Array, "batch height width channels"],
    key: Array,
    purpose: int,
    feedback: Feedback,
    spec: Spec,
) -> Float[Array, "batch height width channels"]:
    """Returns images as the discriminator sees them; penalties are of these too."""
    policy = parse_policy(spec.augment.policy)
    if not policy:
        return images
    probability = feedback.probability
    if not spec.augment.adaptive and spec.augment.probability < 1:
        probability = jnp.float32(spec.augment.probability)
    keys = example_keys(jax.random.fold_in(key, purpose), len(images), spec)
    return augment(keys, images, policy, probability)


def _generate(
    params: PyTree, network: Network, keys: Array, labels: Int[Array, " batch"], spec: Spec
) -> tuple[Float[Array, "batch height width channels"], PyTree]:
    """Returns generated images and the generator's new statistics."""
    variables = {"params": params, "batch_stats": network.batch_stats}
    latents = draw_latents(keys, spec)
    images, updates = spec.generator.apply(
        variables, latents, labels, train=True, mutable=["batch_stats"]
    )
    return images, updates.get("batch_stats", {})


def _score(
    params: PyTree, batch_stats: PyTree, images: Array, labels: Array, spec: Spec
) -> tuple[Float[Array, "batch ..."], PyTree]:
    """Returns the discriminator's scores, perhaps several of an image, and its new statistics."""
    variables = {"params": params, "batch_stats": batch_stats}
    scores, updates = spec.discriminator.apply(
        variables, images, labels, train=True, mutable=["batch_stats"]
    )
    return scores, updates.get("batch_stats", {})


def _score_both(
    params: PyTree, batch_stats: PyTree, pairs: Pairs, spec: Spec
) -> tuple[Float[Array, "batch ..."], Float[Array, "batch ..."], PyTree]:
    """Returns scores of real and of generated images, and the new statistics.

    Batch norm must see the two apart (DCGAN); otherwise one pass serves both.
    """
    if spec.discriminator.norm == "batch":
        real, fake = ((pairs.real, pairs.labels), (pairs.fake, pairs.fake_labels))
        real_scores, batch_stats = _score(params, batch_stats, *real, spec)
        fake_scores, batch_stats = _score(params, batch_stats, *fake, spec)
        return real_scores, fake_scores, batch_stats
    both = jnp.concatenate([pairs.real, pairs.fake])
    labels = jnp.concatenate([pairs.labels, pairs.fake_labels])
    scores, batch_stats = _score(params, batch_stats, both, labels, spec)
    return *jnp.split(scores, 2), batch_stats


def _discriminator_loss(
    params: PyTree,
    network: Network,
    pairs: Pairs,
    update: Int[Array, ""],
    feedback: Feedback,
    spec: Spec,
) -> tuple[Float[Array, ""], tuple[PyTree, Feedback, Metrics]]:
    """Returns the loss with its penalties, the new statistics and feedback, what to report."""
    real_scores, fake_scores, batch_stats = _score_both(params, network.batch_stats, pairs, spec)
    options = (
        {"label_smoothing": spec.objective.label_smoothing}
        if spec.objective.label_smoothing
        else {}
    )
    loss = LOSSES[spec.objective.loss].discriminator(real_scores, fake_scores, **options)
    metrics = {"d_real": jnp.mean(real_scores), "d_fake": jnp.mean(fake_scores)}

    def critic(images: Array) -> Float[Array, " batch"]:
        return of_images(_score(params, network.batch_stats, images, pairs.labels, spec)[0])

    scores = (real_scores, fake_scores)
    images, due = (pairs.real, pairs.fake), update % spec.objective.r1_every == 0
    penalty, found = penalties(critic, images, scores, pairs.mixing, feedback, due, spec)
    loss = loss + penalty
    feedback = updated(feedback, *scores, update, spec)
    return loss, (batch_stats, feedback, {"d_loss": loss, **metrics, **found})


def _draw_fakes(
    generator: Network, labels: Int[Array, "critic_steps batch"], key: Array, spec: Spec
) -> tuple[Float[Array, "critic_steps batch height width channels"], Callable, PyTree]:
    """Draws the generated images of all discriminator updates.

    The generator does not change before its own update, which takes up the last of
    them, as DCGAN's own code does, rather than draw others.

    Returns:
      The images, the way back from the last of them to the generator's gradients,
      and the generator's new statistics.
    """

    def draw(params: PyTree, update: Int[Array, ""]) -> tuple[Array, PyTree]:
        keys = example_keys(jax.random.fold_in(key, update), labels.shape[1], spec)
        return _generate(params, generator, keys, labels[update], spec)

    last = spec.objective.critic_steps - 1
    before = lax.map(lambda update: draw(generator.params, update)[0], jnp.arange(last))
    fake, way_back, batch_stats = jax.vjp(
        lambda params: draw(params, last), generator.params, has_aux=True
    )
    return jnp.concatenate([before, fake[None]]), way_back, batch_stats


def _update_discriminator(
    discriminator: Network,
    batch: Batch,
    fake: Float[Array, "batch height width channels"],
    fake_labels: Int[Array, " batch"],
    key: Array,
    update: Int[Array, ""],
    feedback: Feedback,
    spec: Spec,
) -> tuple[Network, Feedback, Metrics]:
    """One discriminator update; `batch` is of this update, which counts those of the whole run."""
    mixing = jax.vmap(jax.random.uniform)(example_keys(key, batch.images.shape[0], spec))
    real = image_ranges.to_unit(batch.images)
    if spec.train.growing_steps:
        progress = discriminator.batch_stats[growing.PROGRESS]
        real = growing.as_drawn_at(real, progress, spec.discriminator.stage)
    real = _augmented(real, key, _OF_REAL, feedback, spec)
    fake = _augmented(fake, key, _OF_FAKE, feedback, spec)
    pairs = Pairs(real, fake, batch.labels, fake_labels, mixing)

    def gradient_of(pairs: Pairs) -> tuple[PyTree, tuple[PyTree, Feedback, Metrics]]:
        gradient = jax.grad(_discriminator_loss, has_aux=True)
        return gradient(discriminator.params, discriminator, pairs, update, feedback, spec)

    if not spec.objective.private:
        gradients, beside = gradient_of(pairs)
    else:
        noise_key = jax.random.fold_in(key, _OF_NOISE)

        def of_one(pair: Pairs) -> tuple[PyTree, Metrics]:
            gradient, (_, _, metrics) = gradient_of(jax.tree.map(lambda leaf: leaf[None], pair))
            return gradient, metrics

        gradients, metrics = private_gradient(of_one, pairs, batch.included, noise_key, spec)
        # Spectral norm's statistics are of the weights alone; no real image is needed for them.
        params, batch_stats = discriminator.params, discriminator.batch_stats
        _, batch_stats = _score(params, batch_stats, fake[:1], fake_labels[:1], spec)
        beside = (batch_stats, feedback, metrics)
    batch_stats, feedback, metrics = beside
    optimizer = spec.discriminator_optimizer
    network = updated_network(discriminator, gradients, batch_stats, optimizer, spec)
    return network, feedback, metrics


def _update_generator(
    generator: Network,
    discriminator: Network,
    fake: Float[Array, "batch height width channels"],
    labels: Int[Array, " batch"],
    way_back: Callable,
    batch_stats: PyTree,
    key: Array,
    feedback: Feedback,
    step: Int[Array, ""],
    spec: Spec,
) -> tuple[Network, Feedback, Metrics]:
    """One generator update, from the images and statistics of `_draw_fakes`."""

    def loss_of(images: Array) -> Array:
        images = _augmented(images, key, _OF_GENERATOR, feedback, spec)
        scores, _ = _score(discriminator.params, discriminator.batch_stats, images, labels, spec)
        return LOSSES[spec.objective.loss].generator(scores)

    loss, cotangents = jax.value_and_grad(loss_of)(fake)
    (gradients,) = way_back(cotangents)
    metrics = {"g_loss": loss}
    if spec.objective.path_length:
        keys = example_keys(jax.random.fold_in(key, _OF_PATH), len(labels), spec)
        path = path_length_penalty(generator.params, feedback.path_length, keys, labels, step, spec)
        gradients = jax.tree.map(jnp.add, gradients, path.gradients)
        feedback = feedback._replace(path_length=path.mean)
        metrics |= {"path_length": path.mean, "path_length_penalty": path.penalty}
    optimizer = spec.generator_optimizer
    network = updated_network(generator, gradients, batch_stats, optimizer, spec)
    return network, feedback, metrics


def _uniform_labels(shape: tuple[int, int], key: Array, spec: Spec) -> Int[Array, "critic batch"]:
    """Returns classes for generated images that say nothing of the real ones."""

    def of_update(update: Array) -> Array:
        keys = example_keys(jax.random.fold_in(key, update), shape[1], spec)
        return jax.vmap(lambda each: jax.random.randint(each, (), 0, spec.num_classes))(keys)

    return jax.vmap(of_update)(jnp.arange(shape[0]))


def _step(state: GANState, batch: Batch, key: Array, spec: Spec) -> tuple[GANState, Metrics]:
    """`train_step` of networks that are at one stage of their growth, or do not grow."""
    key = jax.random.fold_in(key, state.step)
    latent_key, critic_key = jax.random.split(key)
    labels = batch.labels
    if spec.objective.private:
        labels = _uniform_labels(labels.shape, jax.random.fold_in(key, _OF_LABELS), spec)
    fakes, way_back, batch_stats = _draw_fakes(state.generator, labels, latent_key, spec)

    def critic_update(carry: tuple[Network, Feedback], inputs: tuple) -> tuple[tuple, Metrics]:
        update, *examples = inputs
        update_key = jax.random.fold_in(critic_key, update)
        so_far = state.step * spec.objective.critic_steps + update
        discriminator, feedback, metrics = _update_discriminator(
            carry[0], *examples, update_key, so_far, carry[1], spec
        )
        return (discriminator, feedback), metrics

    inputs = (jnp.arange(spec.objective.critic_steps), batch, fakes, labels)
    before = (state.discriminator, state.feedback)
    (discriminator, feedback), metrics = lax.scan(critic_update, before, inputs)
    metrics = jax.tree.map(jnp.mean, metrics)
    generator, feedback, generator_metrics = _update_generator(
        state.generator, discriminator, fakes[-1], labels[-1], way_back, batch_stats,
        critic_key, feedback, state.step, spec,
    )  # fmt: skip
    ema = updated_average(state.ema, generator, state.step, spec)
    classifier, classifier_metrics = state.classifier, {}
    if spec.classifier is not None:
        real = image_ranges.to_unit(batch.images[-1])
        classifier, classifier_metrics = updated_classifier(
            classifier, real, batch.labels[-1], fakes[-1], spec
        )
    metrics = device_mean({**metrics, **generator_metrics, **classifier_metrics}, spec)
    if spec.augment.adaptive:
        metrics |= {"d_real_sign": feedback.sign, "augment_probability": feedback.probability}
    return GANState(state.step + 1, generator, discriminator, ema, feedback, classifier), metrics


def train_step(
    state: GANState, batch: Batch, key: Array, *, spec: Spec
) -> tuple[GANState, Metrics]:
    """Returns the state after one step, and the step's metrics.

    Args:
      state: of one generator, the same on every device.
      batch: this device's share of the step's real images.
      key: the run's base key; the step's own number is folded in here.
      spec: what the step is compiled for.

    Returns:
      The new state, the same on every device, and `d_loss` (with its penalties),
      `g_loss`, `d_real` and `d_fake` (mean scores), and each penalty in use:
      means over critic steps and devices, float32; with adaptive augmentation also
      `d_real_sign` and `augment_probability` after the step, and of a classifier that is
      trained along `classifier_loss`. Of a diffusion family `denoising_loss` alone.
    """
    if spec.model.family == "diffusion":
        return denoising_step(state, batch, key, spec)
    state = at_its_progress(state, spec)
    return at_its_stage(_step, state.generator.batch_stats, state, batch, key, spec=spec)


def train_step_of_all(
    state: GANState, batch: Batch, key: Array, *, spec: Spec
) -> tuple[GANState, Metrics]:
    """`train_step` for every generator of `state`: a single one, or all that are stacked.

    Args:
      state: as `train_step`'s, or stacked over generators.
      batch: this device's share of the real images, stacked over generators as the state is.
      key: the base key; each stacked generator folds in its index.
      spec: what the step is compiled for.

    Returns:
      The new state, and metrics that are means over the generators.
    """
    if not spec.num_generators:
        return train_step(state, batch, key, spec=spec)
    keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(jnp.arange(spec.num_generators))
    step = state.step[0]  # One for all, so that only the stage that they are at is computed.

    def step_of_one(inputs: tuple[GANState, Batch, Array]) -> tuple[GANState, Metrics]:
        state, *others = inputs
        return train_step(state._replace(step=step), *others, spec=spec)

    state, metrics = lax.map(step_of_one, (state, batch, keys), batch_size=spec.generators_at_once)
    return state, jax.tree.map(jnp.mean, metrics)
