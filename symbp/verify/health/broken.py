"""The equation that first gives a value that isn't finite, and which operation in it did.

Enters: a point with values. Leaves: a frozen `Broken`. Must not know: steps, causes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import sympy

from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Expr, Guard, value_accesses
from symbp.ir.groups import groups
from symbp.ir.system import Equation, Role, System
from symbp.verify.health.records import Array, Broken

FEW = 3  # reads that are told


def first_broken(run: Run, system: System, asked: Iterable[str], step: int) -> Broken | None:
    """Of what the asked tensors rest on, the first that isn't finite though all that it reads is; None where
    all that is asked for is finite."""
    with np.errstate(all="ignore"):
        bad = [name for name in asked if not _is_finite(run.tensor(name))]
        if not bad:
            return None
        needed = system.resting(bad)
        found = [
            e
            for group in groups(system)
            for e in group.equations
            if e.target in needed
            and not _is_finite(run.tensor(e.target))
            and all(_is_finite(run.tensor(name)) for name in e.read_names if name != e.target)
        ]
    if not found:
        found = [e for e in system.equations if e.target in bad][:1]
    unmasked = [e for e in found if not _is_masked(run.tensor(e.target))]
    return _told(run, system, (unmasked or found)[0], step)


def _is_finite(values: Array) -> bool:
    return bool(np.isfinite(values).all())


def _is_masked(values: Array) -> bool:
    """Whether all that isn't finite is −∞, as what a mask excludes may be by right."""
    return bool(np.isneginf(values[~np.isfinite(values)]).all())


def _told(run: Run, system: System, equation: Equation, step: int) -> Broken:
    values = run.tensor(equation.target)
    place = tuple(int(k) for k in np.argwhere(~np.isfinite(values))[0])
    reads = []
    for name in dict.fromkeys(a.name for a in value_accesses(equation.body)):
        array = run.tensor(name)
        reads.append(f"{{{name}}} from {array.min():.4g} to {array.max():.4g}" if array.size else name)
    role = system.tensor(equation.target).role
    backward = role in (Role.ADJOINT, Role.GRADIENT)
    return Broken(
        step,
        equation.target,
        equation,
        f"{values[place]:g}".replace("nan", "not a number"),
        place,
        tuple(reads[:FEW]),
        _operation(run, equation),
        backward,
    )


def _operation(run: Run, equation: Equation) -> str:
    """What in the body has no finite value: the logarithm of 0, a division by 0, an exponential."""
    for node in sympy.postorder_traversal(equation.body):
        if (
            isinstance(node, Guard)
            or not value_accesses(node)
            or not isinstance(node, (sympy.Pow, sympy.log))
        ):
            continue
        inner = node.exp if isinstance(node, sympy.exp) else node.args[0]
        values = _values(run, equation, inner)
        if values is None:
            continue
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if isinstance(node, sympy.log) and low <= 0:
            return "the logarithm of 0" if low == 0 else f"the logarithm of a negative number ({low:.4g})"
        if isinstance(node, sympy.exp) and high > 709:
            return f"exp({high:.4g}), more than a float64 can hold"
        if isinstance(node, (sympy.exp, sympy.log)):
            continue
        if node.exp.is_number and node.exp < 0 and bool((values == 0).any()):
            return "a division by 0" if node.exp.is_Integer else "the slope of a root at 0"
        if node.exp.is_number and not node.exp.is_Integer and low < 0:
            return f"a root of a negative number ({low:.4g})"
    return "numbers that grow beyond what a float64 can hold"


def _values(run: Run, equation: Equation, e: Expr) -> Array | None:
    """The values of a part of a body over all of its indices."""
    indices = equation.all_indices
    ranges = tuple(equation.extents[i] for i in indices)
    if np.prod([float(run.extent(r)) for r in ranges]) > 1 << 22:
        return None
    values = np.asarray(run.value(Equation("", indices, e, ranges=ranges)), float)
    finite = values[~np.isnan(values)]
    return finite if finite.size else None
