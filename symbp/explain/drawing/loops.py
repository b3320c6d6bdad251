"""The recurrences of a graph: which tensors belong to one, and which reads go to another step.

Enters: the forward equations. Leaves: frozen delays. Must not know: nodes, adjoints, pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Index
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, System


@dataclass(frozen=True)
class Recurrence:
    """`axis` says along which axis of each of its tensors it runs; an `inner` one runs within a step of
    another."""

    axis: Mapping[str, int]
    inner: bool = False

    def shift(self, equation: Equation, access: Access) -> int:
        """By how many steps a read goes to another one, −1 for the one before."""
        if equation.target not in self.axis or access.name not in self.axis:
            return 0
        here = equation.indices[self.axis[equation.target]]
        there = access.subscripts[self.axis[access.name]]
        shift = sympy.expand(there - here)
        return int(shift) if shift.is_Integer else 0


@dataclass(frozen=True)
class Delays:
    """The recurrences of the forward pass, those within another's step too."""

    recurrences: tuple[Recurrence, ...]

    @property
    def members(self) -> frozenset[str]:
        """The tensors of a recurrence."""
        return frozenset(name for r in self.recurrences for name in r.axis)

    def of(self, equation: Equation, access: Access) -> tuple[Index, int] | None:
        """The index along which a read goes to another step, and how far."""
        for recurrence in self.recurrences:
            shift = recurrence.shift(equation, access)
            if shift:
                return equation.indices[recurrence.axis[equation.target]], shift
        return None


def delays(system: System, forward: Iterable[str]) -> Delays:
    """The recurrences of these equations."""
    return Delays(tuple(_recurrences(groups(system, forward))))


def _recurrences(found: Iterable[Group], *, inner: bool = False) -> Iterator[Recurrence]:
    for group in found:
        if group.loop is not None:
            yield Recurrence(dict(group.loop.axis), inner)
            yield from _recurrences(group.inner, inner=True)
