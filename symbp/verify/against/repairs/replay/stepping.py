"""Recurrences of adjoints, quickly: a loop over time in which every step is a few contractions.

Enters: a group of equations, each a sum of adjoints times known arrays. Leaves: their arrays. Must not know:
slips. What isn't of this simple form is left to the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from symbp.ir.expr import Access, Expr, Index
from symbp.ir.groups import Group
from symbp.ir.system import Equation

Array = np.ndarray[Any, Any]
Where = tuple[
    int | slice | tuple[int], ...
]  # of each axis: all, an element, or as many steps from the loop's


@dataclass(frozen=True)
class Order:
    """The order in which the targets of a recurrence are evaluated at each step, along which axis of each it
    runs, and whether upwards or downwards."""

    targets: tuple[str, ...]
    axis: Mapping[str, int]
    step: int


def order(group: Group) -> Order | None:
    """That of a group with one loop."""
    if group.loop is None or any(inner.loop is not None for inner in group.inner):
        return None
    targets = tuple(e.target for inner in group.inner for e in inner.equations)
    return Order(targets, group.loop.axis, group.loop.step)


@dataclass(frozen=True)
class Cut:
    """How a factor and an adjoint are sliced at a step, how they contract, which axes of the target neither
    has, and the indices that are summed over without being in either."""

    factor: Where
    adjoint: Where
    contraction: str
    spread: tuple[slice | None, ...]
    missing: tuple[Index, ...]


Part = tuple[Array, tuple[Index, ...], Access | None]
"""A factor, its indices, the adjoint that it multiplies, if any."""


def stepped(
    order: Order,
    equations: Mapping[str, Equation],
    parts: Mapping[str, Sequence[Part]],
    extent: Callable[[Expr], int],
    outside: Callable[[str], Array],
) -> dict[str, Array] | None:
    """The arrays of a recurrence, or None if it isn't simple. `outside` gives those of other adjoints."""
    arrays = {n: np.zeros([extent(s) for s in equations[n].shape]) for n in order.targets}
    read, planned = dict(arrays), list[tuple[Array, int, list[Any]]]()
    for name in order.targets:
        equation, terms = equations[name], list[Any]()
        for factor, indices, adjoint in parts[name]:
            subscripts = () if adjoint is None else adjoint.subscripts
            loop = equation.indices[order.axis[name]]
            cut = _cut(equation.indices, equation.reduced, loop, indices, subscripts, adjoint is None)
            if cut is None:
                return None
            if adjoint is not None and adjoint.name not in read:
                read[adjoint.name] = outside(adjoint.name)
            times = int(np.prod([extent(equation.extents[i]) for i in cut.missing]))
            terms.append(
                (
                    factor * times if times != 1 else factor,
                    None if adjoint is None else read[adjoint.name],
                    cut,
                )
            )
        planned.append((arrays[name], order.axis[name], terms))
    length = max(array.shape[axis] for array, axis, _ in planned)
    for t in range(length) if order.step > 0 else reversed(range(length)):
        for target, axis, terms in planned:
            if t < target.shape[axis]:
                at: tuple[int | slice, ...] = (*(slice(None),) * axis, t)
                for factor, adjoint, cut in terms:
                    target[at] += _value(factor, adjoint, cut, t)
    return arrays


def _value(factor: Array, adjoint: Array | None, cut: Cut, t: int) -> Any:
    """A term at one step, 0 where it reads beyond the range."""
    own = factor[_at(cut.factor, t)]
    if adjoint is None:
        found = np.einsum(cut.contraction, own)
    else:
        at = _at(cut.adjoint, t)
        for k, n in zip(at, adjoint.shape, strict=True):
            if not isinstance(k, slice) and not 0 <= k < n:
                return 0.0
        found = np.einsum(cut.contraction, own, adjoint[at])
    return found[cut.spread] if cut.spread else found


def _at(where: Where, t: int) -> tuple[int | slice, ...]:
    return tuple([t + k[0] if isinstance(k, tuple) else k for k in where])


@lru_cache(maxsize=4096)
def _cut(
    plain: tuple[Index, ...],
    reduced: tuple[Index, ...],
    loop: Index,
    indices: tuple[Index, ...],
    subscripts: tuple[Expr, ...],
    alone: bool,
) -> Cut | None:
    letters = {i: chr(97 + k) for k, i in enumerate((*plain, *reduced))}
    own, other = _sliced(indices, loop, letters), _sliced(subscripts, loop, letters)
    if own is None or other is None:
        return None
    used = own[1] + other[1]
    axes = [letters[i] for i in plain if i != loop]
    spread = tuple(slice(None) if letter in used else None for letter in axes)
    operands = own[1] if alone else f"{own[1]},{other[1]}"
    out = "".join(letter for letter in axes if letter in used)
    missing = tuple(i for i in reduced if letters[i] not in used)
    return Cut(own[0], other[0], f"{operands}->{out}", spread if None in spread else (), missing)


def _sliced(
    subscripts: Sequence[Expr], loop: Index, letters: Mapping[Index, str]
) -> tuple[Where, str] | None:
    """How an array is sliced at a step, and the letters of what is left; None where that isn't simple."""
    at: list[int | slice | tuple[int]] = []
    left = ""
    for subscript in subscripts:
        if isinstance(subscript, Index) and subscript != loop:
            at.append(slice(None))
            left += letters[subscript]
        elif subscript.is_Integer:
            at.append(int(subscript))
        elif loop in subscript.free_symbols and (subscript - loop).is_Integer:
            at.append((int(subscript - loop),))
        else:
            return None
    return tuple(at), left
