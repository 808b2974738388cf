"""A network in training, and its update."""

from typing import NamedTuple

import optax
from jaxtyping import PyTree

from gaug_jax.gan.across_devices import device_mean
from gaug_jax.gan.spec import Spec


class Network(NamedTuple):
    """A network in training: parameters, running statistics, optimiser state."""

    params: PyTree
    batch_stats: PyTree
    opt_state: optax.OptState


def new_network(variables: PyTree, optimizer: optax.GradientTransformation) -> Network:
    """Returns a network at its first step."""
    params = variables["params"]
    return Network(params, variables.get("batch_stats", {}), optimizer.init(params))


def updated_network(
    network: Network,
    gradients: PyTree,
    batch_stats: PyTree,
    optimizer: optax.GradientTransformation,
    spec: Spec,
) -> Network:
    """Returns the network after the optimiser's update with the devices' mean gradient."""
    gradients = device_mean(gradients, spec)
    updates, opt_state = optimizer.update(gradients, network.opt_state, network.params)
    return Network(optax.apply_updates(network.params, updates), batch_stats, opt_state)
