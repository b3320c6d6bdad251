"""Parameters that get no gradient where they start: a factor that is 0 beside another, a layer before zeros.

Enters: a derivation with the starts of its parameters. Leaves: a sentence for the user, or nothing.
Must not know: ops, layers, or why a parameter starts where it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Expr, Size
from symbp.ir.points.drawn import drawn
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import Tensor
from symbp.ir.training import Initial
from symbp.verify.points import Drawer, Style, domains_of

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]

STYLES = (Style(), Style(dealt=True), Style(3.0, dealt=True), Style(None, shifted=True), Style(10.0))
ENOUGH = 2  # points without a gradient, before others are tried
RATE = 0.1  # of the step after which a gradient may come


def stuck(derivation: Derivation) -> tuple[str, ...]:
    """A warning that names the parameters whose gradient is 0 in every element at the start, whatever the
    data; none if the derivation isn't one of gradients, or nothing can be evaluated."""
    known = derivation.gradients.keys() <= derivation.initial.keys()
    if not derivation.is_gradient or not known or derivation.declared.loss is None:
        return ()
    try:
        points = _points(derivation)
        still = _still(derivation, points, list(derivation.gradients))
        if not still:
            return ()
        moved = [_moved(derivation, values, sizes) for values, sizes in points]
        never = _still(derivation, moved, still)
    except SymbpError:
        return ()
    return tuple(
        f"{_listed(names)} where parameters start, {what}; {HELP}"
        for names, what in (
            (never, "and none after a step"),
            ([name for name in still if name not in never], "until others have moved"),
        )
        if names
    )


HELP = "another start may help: bp.param(…, init=bp.optim.initial.normal(0.1))"
Point = tuple[Values, Mapping[str, int]]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'gets' if len(names) == 1 else 'get'} no gradient"


def _points(derivation: Derivation) -> list[Point]:
    """Random data with the parameters as they start, where the loss has a value."""
    system = derivation.declared
    assert system.loss is not None
    drawer = Drawer(system, [system.loss], derivation.constants)
    sizes = sample_sizes(system)  # where a gradient is 0 whatever the data, it is so at small sizes
    drawer.domains = domains_of(drawer, sizes, 0)
    found: list[Point] = []
    for number, style in enumerate(STYLES):
        point = drawer.draw(sizes, 17 * number, style)
        if point is not None:
            rng = np.random.default_rng(number)
            started = {
                t.name: starting(t, derivation.initial[t.name], sizes, rng)
                for t in system.parameters
                if t.name in derivation.initial
            }
            found.append(({**point.values, **started}, sizes))
    return found


def _still(derivation: Derivation, points: Sequence[Point], names: Sequence[str]) -> list[str]:
    """Those whose gradient is 0 at every point at which the loss is finite; none if there is no such
    point."""
    left, seen = [n for n in names if derivation.system.defining[derivation.gradients[n]].body != 0], 0
    for values, sizes in points:
        wanted = {name: derivation.gradients[name] for name in left}
        loss = derivation.declared.loss
        assert loss is not None
        with np.errstate(all="ignore"):
            found = run(derivation.system, values, sizes, wanted=list(wanted.values()))
            value = run(derivation.declared, values, sizes, wanted=[loss])[loss]
        if np.isfinite(value):
            seen += 1
            left = [name for name in left if not np.any(found[wanted[name]])]
        if not left:
            break
    return left if seen >= ENOUGH else []


def _moved(derivation: Derivation, values: Values, sizes: Mapping[str, int]) -> Point:
    """The point after a step of gradient descent."""
    with np.errstate(all="ignore"):
        found = run(derivation.system, values, sizes, wanted=list(derivation.gradients.values()))
    step = {name: values[name] - RATE * found[tensor] for name, tensor in derivation.gradients.items()}
    return {**values, **step}, sizes


def starting(tensor: Tensor, initial: Initial, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
    """A parameter as it starts."""
    shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
    unit = drawn(initial.distribution, shape, rng)
    value = np.asarray(_number(initial.scale, sizes) * unit + _number(initial.shift, sizes) + np.zeros(shape))
    if tensor.fact("symmetric"):
        value = (value + value.swapaxes(-1, -2)) / 2
    if tensor.fact("lower triangular"):
        value = np.tril(value)
    return np.triu(value) if tensor.fact("upper triangular") else value


def _number(e: Expr, sizes: Mapping[str, int]) -> float:
    return float(e.subs({s: sizes[s.name] for s in e.free_symbols if isinstance(s, Size)}))
