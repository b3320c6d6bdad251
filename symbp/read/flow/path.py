"""The way that a gradient takes: backwards through a recurrence, or through hidden layers one after another.

Enters: a forward system. Leaves: the tensors that it passes, as a system whose loss they are differentiated
from. Must not know: how parameters start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbp.derive import adjoints
from symbp.ir.expr import Expr, Guard, Size, free_indices, unused_name
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, Reduction, Role, System, Tensor
from symbp.read.flow.activations import activation_of

LEAST = 3  # layers, for a way


@dataclass(frozen=True)
class Path:
    """`system` computes the adjoint of each of `tensors`, called `adjoint[name]`. In a recurrence `axis` says
    along which axis of a tensor the way leads, `step` in which direction the recurrence runs, and `length`
    how many places there are; else each tensor is a place. `last` is the leaf that is 1 where a gradient sets
    out: at the last place; None where the loss itself is differentiated."""

    system: System
    tensors: tuple[str, ...]
    adjoint: dict[str, str]
    axis: dict[str, int]
    step: int = 1
    length: Expr | None = None
    last: str | None = None
    kind: str = "layers"


def path(system: System) -> Path | None:
    """The way of a forward system's gradient; None without a recurrence or three hidden layers."""
    if system.loss is None or system.derivatives:
        return None
    found = groups(system, [system.loss])
    for group in found:
        if group.loop is not None:
            return _through(system, group)
    layers = _chain(system, [e.target for g in found for e in g.equations if activation_of(e) is not None])
    if len(layers) < LEAST:
        return None
    swept = adjoints(system, system.loss, layers)
    adjoint = {name: swept.gradients[name] for name in layers}
    return Path(swept.system, tuple(layers), adjoint, {})


def _chain(system: System, layers: Sequence[str]) -> list[str]:
    """The longest sequence of layers of which each rests on the one before it."""
    best: dict[str, list[str]] = {}
    for name in layers:
        below = system.resting([name])
        before = max((best[other] for other in best if other in below), key=len, default=[])
        best[name] = [*before, name]
    return max(best.values(), key=len, default=[])


def _through(system: System, group: Group) -> Path | None:
    """The way through a recurrence: of a gradient that sets out at its last step alone."""
    assert group.loop is not None
    axis, states = dict(group.loop.axis), _states(group)
    first = system.tensor(states[0])
    length = first.shape[axis[states[0]]]
    if not isinstance(length, Size):
        return None
    needed = system.resting([states[0]])
    kept = tuple(e for e in system.equations if e.target in needed)
    at, out = unused_name("last", system.by_name), unused_name("arrival", system.by_name)
    indices = next(e for e in kept if e.target == first.name).indices
    end = length - 1 if group.loop.step > 0 else sympy.Integer(0)
    body = first.at(*indices) * Tensor(at, first.shape).at(*indices)
    body *= Guard("=", indices[axis[first.name]], end)
    total = Equation(out, (), body, Reduction("sum", indices), ranges=first.shape)
    leaf, loss = Tensor(at, first.shape, Role.INPUT), Tensor(out, (), Role.LOSS)
    cut = system.with_(
        tensors=(*(t for t in system.tensors if t.name in needed), leaf, loss),
        equations=(*kept, total),
        loss=out, outputs=(), metrics=(), updates={}, inference={},
    )  # fmt: skip
    swept = adjoints(cut, out, states)
    adjoint = {name: swept.gradients[name] for name in states}
    deep = any(_is_stacked(system, e, axis[e.target]) for e in group.equations)
    kind = "layers" if deep else "time steps"
    return Path(swept.system, tuple(states), adjoint, axis, group.loop.step, length, at, kind)


def _states(group: Group) -> list[str]:
    """What the recurrence carries from step to step, what is read outside of it first."""
    assert group.loop is not None
    carried = []
    for equation in group.equations:
        here = equation.indices[group.loop.axis[equation.target]]
        for access in equation.reads:
            if access.name in group.targets:
                place = access.subscripts[group.loop.axis[access.name]]
                if place != here and access.name not in carried:
                    carried.append(access.name)
    order = {name: k for k, name in enumerate(group.targets)}
    return sorted(carried, key=lambda name: -order[name])


def _is_stacked(system: System, equation: Equation, place: int) -> bool:
    """Whether each step has parameters of its own: depth, not time."""
    index = equation.indices[place]
    return any(
        index in free_indices(subscript)
        for access in equation.reads
        if system.tensor(access.name).role is Role.PARAMETER
        for subscript in access.subscripts
    )
