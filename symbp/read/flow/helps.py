"""What helps a gradient on its way, put into a system: a skip past each activation, a norm before it.

Enters: a system, its hidden activations, the states of its recurrence or its layers in order. Leaves: changed
systems, or None where one doesn't fit. Must not know: what an author called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbp.ir.expr import Access, Expr, unused_name
from symbp.ir.system import Equation, Reduction, Role, System, Tensor
from symbp.read.flow.activations import ACTIVATIONS

EPSILON = sympy.Rational(1, 100_000)  # beside a variance
Applied = Mapping[str, tuple[str, Expr]]
"""The activation of each tensor that has one, and what it is applied to."""


def with_skips(system: System, applied: Applied, layers: Sequence[str]) -> System | None:
    """h = h₋₁ + φ(u) for h = φ(u), where h₋₁ is the layer before, or the state of the step before, and has as
    many elements (He et al. 2016)."""
    changed = {}
    for name in applied:
        equation = system.defining[name]
        before = _step_before(system, equation) or _layer_before(system, equation, layers)
        if before is not None:
            changed[name] = equation.with_(body=equation.body + before)
    return _replaced(system, {name: (equation,) for name, equation in changed.items()})


def _step_before(system: System, equation: Equation) -> Access | None:
    """An element of the same tensor a step before, where the recurrence begins with zeros."""
    reads = [a for e in system.equations for a in e.reads if a.name == equation.target]
    for access in reads:
        moved = [s - i for s, i in zip(access.subscripts, equation.indices, strict=True)]
        steps = [k for k, by in enumerate(moved) if by in (1, -1)]
        if len(steps) == 1 and access.outside == 0:
            k = steps[0]
            subscripts = [i + moved[k] if at == k else i for at, i in enumerate(equation.indices)]
            return type(access)(access.name, *subscripts, outside=access.outside)
    return None


def _layer_before(system: System, equation: Equation, layers: Sequence[str]) -> Access | None:
    if equation.target not in layers[1:]:
        return None
    before = system.tensor(layers[layers.index(equation.target) - 1])
    same = before.shape == system.tensor(equation.target).shape
    return before.at(*equation.indices) if same else None


def with_norms(system: System, applied: Applied) -> System | None:
    """φ((u − μ)/√(σ² + ε)) for φ(u), with the mean and the variance along the last axis (Ba et al. 2016)."""
    changed = {}
    taken = set(system.by_name)
    for name, (kind, u) in applied.items():
        equation = system.defining[name]
        if not equation.indices:
            continue
        *kept, last = equation.indices
        extent, shape = equation.ranges[len(kept)], tuple(equation.ranges[: len(kept)])
        mean, spread = unused_name(f"mean_{name}", taken), unused_name(f"spread_{name}", taken)
        taken |= {mean, spread}
        mu, variance = Tensor(mean, shape).at(*kept), Tensor(spread, shape).at(*kept)
        ranges = (*shape, extent)
        normed = (u - mu) / sympy.sqrt(variance + EPSILON)
        body = equation.body.xreplace({ACTIVATIONS[kind](u): ACTIVATIONS[kind](normed)})
        changed[name] = (
            Equation(mean, tuple(kept), u / extent, Reduction("sum", (last,)), ranges=ranges),
            Equation(spread, tuple(kept), (u - mu) ** 2 / extent, Reduction("sum", (last,)), ranges=ranges),
            equation.with_(body=body),
        )
    return _replaced(system, changed)


def _replaced(system: System, changed: Mapping[str, tuple[Equation, ...]]) -> System | None:
    """The system with equations in the place of others, and tensors for those that are new."""
    if not changed:
        return None
    equations = [e for old in system.equations for e in changed.get(old.target, (old,))]
    new = [e for e in equations if e.target not in system.by_name]
    tensors = (*system.tensors, *(Tensor(e.target, e.shape, Role.HIDDEN) for e in new))
    return system.with_(tensors=tensors, equations=tuple(equations))
