"""How progressive growing enters a run: each stage is a program of its own, chosen by the step."""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import PyTree

from gaug_jax.gan.spec import Spec
from gaug_jax.gan.state import GANState
from gaug_jax.models.growing import PROGRESS, stage_of


def at_its_stage(
    function: Callable[..., Any], batch_stats: PyTree, *arguments: PyTree, spec: Spec
) -> Any:
    """Returns `function(*arguments, spec)` with the spec of the stage that a network is at.

    Args:
      function: returns arrays of the same shapes at every stage.
      batch_stats: running statistics of the network.
      *arguments: of the function.
      spec: of the run; one that does not grow is handed on as it is.
    """
    if not spec.train.growing_steps:
        return function(*arguments, spec=spec)
    stages = [functools.partial(function, spec=stage) for stage in spec.stages]
    return lax.switch(stage_of(batch_stats[PROGRESS], len(stages)), stages, *arguments)


def at_its_progress(state: GANState, spec: Spec) -> GANState:
    """Returns a state whose networks know how far they have grown by its step."""
    if not spec.train.growing_steps:
        return state
    progress = state.step.astype(jnp.float32) / spec.train.growing_steps
    grown = {
        name: network._replace(batch_stats={**network.batch_stats, PROGRESS: progress})
        for name, network in state._asdict().items()
        if name in ("generator", "discriminator", "ema")
    }
    return state._replace(**grown)
