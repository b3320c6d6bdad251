"""JAX as a peer: one jitted step with donated parameters and moments."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.layouts import PLAIN
from benchmarks.peers.jax_models import LAYOUTS, MODELS
from benchmarks.peers.step import Step
from benchmarks.references.update import SGD, Rule
from benchmarks.rows import Row


def updated(rule: Rule, p: Any, g: Any, m: Any, v: Any, count: Any) -> Any:
    """The next parameters and moments."""
    if isinstance(rule, SGD):
        return jax.tree.map(lambda a, d: a - rule.lr * d, p, g), m, v
    m = jax.tree.map(lambda a, d: rule.beta1 * a + (1 - rule.beta1) * d, m, g)
    v = jax.tree.map(lambda a, d: rule.beta2 * a + (1 - rule.beta2) * d * d, v, g)
    first, second = 1 - rule.beta1**count, 1 - rule.beta2**count

    def moved(a: Any, mean: Any, square: Any) -> Any:
        kept = a * (1 - rule.lr * rule.decay) if rule.decay else a
        return kept - rule.lr * (mean / first) / (jnp.sqrt(square / second) + rule.eps)

    return jax.tree.map(moved, p, m, v), m, v


def prepare(row: Row, dtype: str, threads: int) -> Step:  # noqa: ARG001
    """Value and gradient, then the update, in one function; the process's processors bound its threads."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    layout = LAYOUTS.get(row.model, PLAIN)
    params, given = row.arrays(dtype)
    data = {name: jnp.asarray(array) for name, array in given.items()}
    options = {"heads": row.sizes["H"]} if row.model == "gpt" else row.options
    model = partial(MODELS[row.model], **options)
    p = {name: jnp.asarray(array) for name, array in layout.to(params).items()}
    moments = {} if isinstance(row.rule, SGD) else p
    m, v = jax.tree.map(jnp.zeros_like, moments), jax.tree.map(jnp.zeros_like, moments)

    @partial(jax.jit, donate_argnums=(0,))
    def step(state: Any, data: Any) -> Any:
        p, m, v, count = state
        loss, g = jax.value_and_grad(model)(p, data)
        count = count + 1
        return (*updated(row.rule, p, g, m, v, count), count), loss

    held = [(p, m, v, jnp.zeros((), dtype))]

    def take() -> float:
        held[0], loss = step(held[0], data)
        return float(loss)

    return Step(take)
