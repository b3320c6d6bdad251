"""Where the tensors of a Numba module lie, and the lines that make views of them.

Enters: an arena, a position. Leaves: code. Must not know: kernels, stages.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.elements import size
from symbp.codegen.tree import Assign, Expression, Name, Slice, Subscript
from symbp.ir.expr import Expr
from symbp.ir.system import Tensor

TABLED = ("work", "counts")  # the arenas of which the table `at` says where each tensor begins


@dataclass(frozen=True)
class ArenaSpan:
    """Where a tensor lies: an arena, the number of its entry in the table `at` or, where the arena has none,
    of its first element, and how many elements it has."""

    arena: str
    number: Expr
    count: Expr

    @property
    def start(self) -> Expression:
        """The first element's position."""
        if self.arena in TABLED:
            return Subscript((), "integer", infer.integer("at"), (size(self.number),))
        return size(self.number)

    @property
    def array(self) -> Name:
        """The arena."""
        return infer.name(self.arena, (), "integer" if self.arena == "counts" else "real")

    def element(self, *before: Expression) -> Expression:
        """The first element: `work[at[3]]`."""
        return infer.sliced(self.array, [*before, self.start], ())


def view(name: str, tensor: Tensor, place: ArenaSpan) -> Assign:
    """What makes a named view of an arena, in the shape of a tensor."""
    value = part(place)
    if len(tensor.shape) > 1:
        value = infer.call(".reshape", value, *map(size, tensor.shape), shape=tensor.shape, dtype=value.dtype)
    return Assign(infer.name(name, tensor.shape, value.dtype), value)


def part(place: ArenaSpan) -> Expression:
    """The elements of a place as a slice of its arena."""
    if place.arena in TABLED:
        stop = infer.plus(place.start, size(place.count))
    else:
        stop = size(sympy.expand(place.number + place.count))
    return infer.sliced(place.array, [Slice(place.start, stop)], (place.count,))
