"""Where the tensors of a Numba module lie, and the lines that make views of them.

Enters: an arena, a position. Leaves: text. Must not know: kernels, stages.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbp.emit.elements import ElementSpelling
from symbp.emit.views import spaced
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
    def start(self) -> str:
        """The text of the first element's position."""
        number = ElementSpelling({}, {}, {}).integer(self.number).text
        return f"at[{number}]" if self.arena in TABLED else number


def view(name: str, tensor: Tensor, place: ArenaSpan) -> str:
    """The line that makes a named view of an arena, in the shape of a tensor."""
    spelled = ElementSpelling({}, {}, {})
    text = f"{name} = {part(place)}"
    if len(tensor.shape) < 2:
        return text
    return f"{text}.reshape({', '.join(spelled.integer(e).text for e in tensor.shape)})"


def part(place: ArenaSpan) -> str:
    """The elements of a place as a slice of its arena."""
    spelled, start = ElementSpelling({}, {}, {}), place.start
    count = spelled.integer(place.count).text
    if place.arena in TABLED:
        return f"{place.arena}[{start} : {start} + {count}]"
    stop = spelled.integer(sympy.expand(place.number + place.count)).text
    return f"{place.arena}[{spaced(start, stop)}]"
