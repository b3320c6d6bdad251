"""Reads in index notation stay in their tensors, or say what they are beyond them.

Enters: the system of a network. Leaves: the same, or ShapeError at the author's line.
Must not know: ops, networks, how a position is found out to lie beyond.

A target would read another element there (NumPy counts from the end), or memory that isn't its own.
"""

from __future__ import annotations

from symbp.errors import ShapeError
from symbp.ir.axes.lengths import without_room
from symbp.ir.points.reaches import leaving
from symbp.ir.system import System


def within_reach(system: System) -> System:
    """The system. Raises ShapeError: a read that leaves its tensor, and has no value there."""
    found = leaving(system) or without_room(system)
    if found is None:
        return system
    equation, read = found
    tensor = system.tensor(read.name)
    at = ", ".join(map(str, read.subscripts))
    known = [f"{name} = {value}" for name, value in system.bound.items() if name in str(tensor)]
    raise ShapeError(
        f"{equation.target} reads {read.name} beyond its shape, at {read.name}[{at}]",
        where=equation.origin,
        details=(str(equation), ", ".join([str(tensor), *known])),
        help=f"give it a value there, {read.name}.at({at}, outside=0); read it where it is, "
        f"bp.where(…, {read.name}[{at}], 0); or take slices, as in x[:, 1:] - x[:, :-1]",
    )
