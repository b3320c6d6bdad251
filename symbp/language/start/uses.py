"""What the equations do with the axes of a parameter: look rows up in it, run along its layers, sum over it.

Enters: a system, the name of a parameter. Leaves: yes or no. Must not know: ops and layers by name.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbp.ir.expr import Access, Index, IntegerAccess
from symbp.ir.groups import groups
from symbp.ir.system import Equation, System


def is_table(system: System, name: str) -> bool:
    """Whether rows of a tensor are looked up and nothing else is read of it: every first subscript is an
    element of an integer tensor."""
    reads = [access for _, access in _reads(system, name)]
    return bool(reads) and all(a.subscripts and isinstance(a.subscripts[0], IntegerAccess) for a in reads)


def is_stacked(system: System, name: str) -> bool:
    """Whether a tensor is as many as its first axis is long, one for each layer: some recurrence that reads
    it runs along that axis."""
    for group in groups(system):
        for equation in group.equations if group.loop else ():
            along = group.loop_index(equation)
            if any(a.subscripts and a.subscripts[0] == along for a in equation.reads if a.name == name):
                return True
    return False


def axes_of_rows(system: System, name: str, stacked: bool) -> int:
    """How many axes of a matrix are its rows, the one of layers aside: those that are summed over where it is
    read, or those that aren't, whichever come first; 1 where that doesn't part them in two."""
    for equation, access in _reads(system, name):
        summed = _summed(equation, access, stacked)
        if equation.op == "sum" and any(summed):
            count = next((k for k, other in enumerate(summed) if other != summed[0]), 1)
            if all(other != summed[0] for other in summed[count:]):
                return count
    return 1


def units_are_rows(system: System, name: str, stacked: bool) -> bool:
    """Whether the first axis of a matrix tells units apart, which are weighted along the others: these are
    summed over, and the first isn't, or rows are looked up."""
    for equation, access in _reads(system, name):
        if isinstance(access.subscripts[stacked], IntegerAccess):
            return True
        summed = _summed(equation, access, stacked)
        if equation.op == "sum" and any(summed):
            return not summed[0]
    return False


def _summed(equation: Equation, access: Access, stacked: bool) -> list[bool]:
    """For each axis, whether an equation sums over it."""
    return [isinstance(s, Index) and s in equation.reduced for s in access.subscripts[stacked:]]


def _reads(system: System, name: str) -> Iterator[tuple[Equation, Access]]:
    for equation in system.equations:
        yield from ((equation, access) for access in equation.reads if access.name == name)


__all__ = ["axes_of_rows", "is_stacked", "is_table", "units_are_rows"]
