"""The state of a run, as one pytree."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from gaug_jax.gan.feedback import Feedback, new_feedback
from gaug_jax.gan.joint_classifier import new_classifier
from gaug_jax.gan.networks import Network, new_network
from gaug_jax.gan.spec import Spec

# Folded into the key, so that the other networks begin the same without a classifier.
_OF_CLASSIFIER = 2**31 - 1


class MovingAverage(NamedTuple):
    """The generator's exponential moving average: parameters and running statistics."""

    params: PyTree
    batch_stats: PyTree


class GANState(NamedTuple):
    """All that a step reads and writes.

    With `Spec.num_generators` above 0 every leaf has that many entries along a
    first axis, one for each generator.

    Attributes:
      step: generator updates so far, int32.
      generator: the generator.
      discriminator: the discriminator, or None of a diffusion family.
      ema: the generator that samples are drawn from.
      feedback: what is remembered of the discriminator's scores.
      classifier: the one that is trained along with them (EC-GAN), or None.
    """

    step: Int[Array, ""]
    generator: Network
    discriminator: Network | None
    ema: MovingAverage
    feedback: Feedback = Feedback()
    classifier: Network | None = None


def _new_state(key: Array, spec: Spec) -> GANState:
    """Returns the state of one generator and its discriminator at step 0."""
    generator_key, discriminator_key = jax.random.split(key)
    generator = _new_generator(generator_key, spec)
    discriminator = _new_discriminator(discriminator_key, spec)
    # A copy, so that the two may be donated to a step as separate buffers.
    ema = jax.tree.map(jnp.copy, MovingAverage(generator.params, generator.batch_stats))
    classifier = new_classifier(jax.random.fold_in(key, _OF_CLASSIFIER), spec)
    step = jnp.zeros((), jnp.int32)
    return GANState(step, generator, discriminator, ema, new_feedback(spec), classifier)


def _new_generator(key: Array, spec: Spec) -> Network:
    """Returns the generator at its first step."""
    label = jnp.zeros((1,), jnp.int32)
    if spec.model.family == "diffusion":
        image = jnp.zeros((1, *spec.image_shape))
        variables = spec.generator.init(key, image, jnp.zeros((1,)), label)
    else:
        latent = jnp.zeros((1, spec.latent_length))
        variables = spec.generator.init(key, latent, label, train=False)
    return new_network(variables, spec.generator_optimizer)


def _new_discriminator(key: Array, spec: Spec) -> Network | None:
    """Returns the discriminator at its first step, if there is one."""
    if spec.discriminator is None:
        return None
    image, label = jnp.zeros((1, *spec.image_shape)), jnp.zeros((1,), jnp.int32)
    variables = spec.discriminator.init(key, image, label, train=False)
    return new_network(variables, spec.discriminator_optimizer)


def new_state(key: Array, spec: Spec) -> GANState:
    """Returns the state at step 0, stacked over generators where there are several."""
    if not spec.num_generators:
        return _new_state(key, spec)
    keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(jnp.arange(spec.num_generators))
    return jax.vmap(lambda key: _new_state(key, spec))(keys)


def step_of(state: GANState) -> int:
    """Returns the number of generator updates so far."""
    return int(state.step.reshape(-1)[0])


def parameter_overview(state: GANState, spec: Spec) -> str:
    """Returns tables of the parameters of each network (of all generators where stacked)."""
    from clu.parameter_overview import get_parameter_overview

    tables = [
        f"{name}:\n{get_parameter_overview(network.params, include_stats=False)}"
        for name, network in (
            ("generator", state.generator),
            ("discriminator", state.discriminator),
            ("classifier", state.classifier),
        )
        if network is not None
    ]
    copies = f"({spec.num_generators} of each, one a class, stacked)\n" * bool(spec.num_generators)
    return copies + "\n".join(tables)
