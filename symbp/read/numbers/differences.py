"""Derivatives by central differences, as a student would take them: nudge one number, look at the loss.

Enters: a forward system, the values of its tensors, those to nudge. Leaves: an array for each of these.
Must not know: how a gradient was derived.

What is computed can be nudged as well as what is given: an element of it gets a summand of its own, and
whatever reads it follows, the next step of a recurrence, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symbp.ir.evaluation import interpret
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import unused_name
from symbp.ir.points.fitting import elements
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.read.numbers.shortened import shown_elements

Array = np.ndarray[Any, Any]
Evaluate = Callable[[System, Mapping[str, Array], Mapping[str, int], str], float]
STEP = 1e-6  # in a number near 1: behind a norm of small values 1e-5 is too far; rounding is below 1e-9
LOOPS = 200_000  # elements that are evaluated one by one, of all nudges together
MOST = 400  # numbers that are nudged; of larger systems a few of each tensor, of those that are shown


def central_differences(
    system: System,
    loss: str,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    by: Sequence[str],
    evaluate: Evaluate,
    most: int = MOST,
) -> dict[str, Array]:
    """(loss(u + h) − loss(u − h))/2h for each element u of the tensors of `by`, h being 1e-6 times |u| or 1;
    not a number where that was left out, of more elements than `most`; nothing for what is computed and has
    no way to the loss. `values` are those of all tensors,
    what is stopped keeps its own; `evaluate` gives the loss of a system from its leaves."""
    found: dict[str, Array] = {}
    whole = sum(values[name].size for name in by) <= most
    each = max(1, most // max(1, len(by)))
    for name in by:
        if name in system.defining and loss not in _following(system, name):
            continue  # of what only the computed loss rests on, where the page's is written otherwise
        move = unused_name(f"{name}__nudge", system.by_name) if name in system.defining else name
        start = np.zeros(values[name].shape) if move != name else np.array(values[name], float)
        nudged = _nudged(system, name, move)
        found[name] = np.full(start.shape, math.nan)
        for at in list(np.ndindex(start.shape)) if whole else shown_elements(start.shape)[:each]:
            step = STEP * max(1.0, abs(float(values[name][at])))
            up, down = start.copy(), start.copy()
            up[at] += step
            down[at] -= step
            sides = [evaluate(nudged, {**values, move: changed}, sizes, loss) for changed in (up, down)]
            found[name][at] = (sides[0] - sides[1]) / (2 * step)
    return found


def affordable(system: System, sizes: Mapping[str, int]) -> int:
    """How many numbers may be nudged where the system is evaluated in loops."""
    return min(MOST, max(1, LOOPS // max(1, elements(system, sizes))))


def by_loops(system: System, values: Mapping[str, Array], sizes: Mapping[str, int], wanted: str) -> float:
    """A scalar by the reference interpreter, which knows what only a page has."""
    return float(interpret.evaluate(system, values, sizes, wanted=[wanted])[wanted])


def vectorised(system: System, values: Mapping[str, Array], sizes: Mapping[str, int], wanted: str) -> float:
    """The same of a system without a page's nodes."""
    with np.errstate(all="ignore"):
        return float(Run(system, values, sizes).tensor(wanted))


def _nudged(system: System, name: str, move: str) -> System:
    """What follows where the tensor is nudged, by `move`: itself, or a summand of its own if it is computed.
    All else is given, as is what is stopped."""
    follows = _following(system, name)
    tensors, equations = list(system.tensors), list[Equation]()
    for equation in system.equations:
        if equation.target not in follows:
            continue
        if equation.target != name:
            equations.append(equation)
            continue
        still = unused_name(f"{name}__still", system.by_name)
        tensors += [Tensor(still, equation.shape), Tensor(move, equation.shape, Role.INPUT)]
        indices = equation.indices
        body = tensors[-2].at(*indices) + tensors[-1].at(*indices)
        equations += [equation.with_(target=still), Equation(name, indices, body, ranges=equation.shape)]
    return system.with_(tensors=tuple(tensors), equations=tuple(equations))


def _following(system: System, name: str) -> frozenset[str]:
    """The tensor and all that rests on it, but for what is stopped."""
    readers: dict[str, list[str]] = {}
    for equation in (e for e in system.equations if not e.constant):
        for read in equation.read_names:
            readers.setdefault(read, []).append(equation.target)
    found, stack = set[str](), [name]
    while stack:
        current = stack.pop()
        if current not in found:
            found.add(current)
            stack += readers.get(current, [])
    return frozenset(found)
