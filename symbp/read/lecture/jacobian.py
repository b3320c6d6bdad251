"""The local Jacobian of one read: what each element of its reader changes by with each element read.

Enters: an equation of a page, one of its reads, indices for the element read. Leaves: the derivative over the
indices of the element read and those that it leaves free. Must not know: adjoints, letters, formats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symbp.derive.sweep.inverted_reads import invert
from symbp.derive.sweep.ranges import within_all
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices, value_accesses
from symbp.ir.system import Equation, System
from symbp.read.display import Along, Reduced, bound, unused
from symbp.read.lecture.local import NoLocalDerivative, Read, reads
from symbp.read.textbook.functions import place_of

FRESH = 8  # new indices that a read through quotients may take
STAND_IN = "__read"


@dataclass(frozen=True)
class Jacobian:
    """∂`of`/∂`by` through one read of `by`, whose subscripts are plain: `slope`, for each element of `by` and
    each place of the indices `left`, whose extents are known. An element that `of` puts outside its range
    isn't there. `plainly` is the slope before the reader's own value was put in, where it was."""

    of: Access
    by: Access
    slope: Expr
    left: tuple[Index, ...]
    extents: Mapping[Index, Expr] = field(hash=False)
    plainly: Expr | None = None


def jacobian(system: System, equation: Equation, read: Read, plain: Sequence[Index]) -> Jacobian:
    """The derivative by the element at `plain`, through one read; what that doesn't determine is left.

    Raises NoLocalDerivative: a function along an index would have to be taken at another place.
    """
    taken = {*plain, *bound(equation), *read.within}
    own: dict[Index, Index] = {}
    for index in (*equation.indices, *read.within):
        own[index] = unused({*taken, *own.values()}, index)
    fresh: list[Index] = []
    for _ in range(FRESH):
        fresh.append(unused({*taken, *own.values(), *fresh}, Index("r")))
    extents = {own[i]: e for i, e in (equation.extents | read.within).items()}
    access, slope = read.access.xreplace(own), read.slope.xreplace(own)
    shape = system.tensor(access.name).shape
    found = invert(access.subscripts, plain, shape, tuple(own.values()), extents, fresh)
    solved = dict(found.solution)
    short = _saved(system, equation, slope, own)
    is_saved = equation.body.is_Function and short != slope
    plainly = sympy.Mul(_replaced(slope, solved), *found.guards) if is_saved else None
    slope = sympy.Mul(_replaced(short, solved), *found.guards)
    of = system.tensor(equation.target).at(*[own[i].xreplace(solved) for i in equation.indices])
    reached = dict(found.extents) | dict(zip(plain, shape, strict=True))
    return Jacobian(of, system.tensor(access.name).at(*plain), slope, tuple(found.left), reached, plainly)


def _replaced(slope: Expr, solved: Mapping[Index, Expr]) -> Expr:
    """The slope with indices replaced, unless a sum or a function along an index would bind what replaces
    them."""
    for node in slope.atoms(Reduced, Along):
        own = set(node.indices) if isinstance(node, Reduced) else {node.index}
        if isinstance(node, Along) and not isinstance(solved.get(node.index, node.index), Index):
            raise NoLocalDerivative
        for index in free_indices(node) & set(solved):
            if index not in own and free_indices(solved[index]) & own:
                raise NoLocalDerivative
    return slope.xreplace(dict(solved))


def _saved(system: System, equation: Equation, slope: Expr, own: Mapping[Index, Index]) -> Expr:
    """The local derivative in terms of the reader's own value, 1 − h² for 1 − tanh(a)²."""
    tensor = system.tensor(equation.target)
    if equation.op is not None:
        return slope
    found: dict[Expr, Expr] = {}
    if isinstance(equation.body, Along):
        places = {node: place_of(equation, node) for node in slope.atoms(Along)}
        found = {node: tensor.at(*place) for node, place in places.items() if place is not None}
    elif equation.body.is_Function:
        found = {equation.body.xreplace(own): tensor.at(*[own[i] for i in equation.indices])}
    return slope.xreplace(found)


def all_reads(system: System, equation: Equation, name: str) -> tuple[Read, ...]:
    """Every read of the tensor that passes a derivative on, also those through the value that a read has
    outside its range, which counts where the read leaves it. Raises NoLocalDerivative."""
    stand_ins: dict[Access, Access] = {}
    for access in sorted(equation.body.atoms(Access), key=sympy.default_sort_key):
        if access.outside is not None and name in _reached(access) and access.outside != 0:
            indices = sorted(free_indices(access), key=lambda i: i.name)
            stand_ins[access] = Access(f"{STAND_IN}{len(stand_ins)}", *indices)
    replaced = equation.changed(dict(stand_ins))
    found = list(reads(replaced, name))
    for access, stand_in in stand_ins.items():
        for read in reads(replaced, stand_in.name):
            found += _through(system, equation, name, access, stand_in, read)
    back = {stand_in: access for access, stand_in in stand_ins.items()}
    return tuple(Read(r.access, _restored(r.slope, back), r.within) for r in found)


def _reached(access: Access) -> set[str]:
    """The tensors that a read takes a value from, inside and outside its range."""
    outer = set() if access.outside is None else {a.name for a in value_accesses(access.outside)}
    return {access.name} | outer


def _through(
    system: System, equation: Equation, name: str, access: Access, stand_in: Access, read: Read
) -> list[Read]:
    """A read of the stand-in as reads of the tensor inside and outside the range of what it stands for."""
    here = dict(zip(stand_in.subscripts, read.access.subscripts, strict=True))
    there = access.xreplace(here)
    found = []
    if there.name == name:
        found.append(Read(system.tensor(name).at(*there.subscripts), read.slope, read.within))
    outer = there.outside
    if outer is None or name not in {a.name for a in value_accesses(outer)}:
        return found
    if not isinstance(outer, Access) or outer.outside not in (None, 0):
        raise NoLocalDerivative
    extents = equation.extents | read.within
    so_far: Expr = sympy.Integer(1)
    for guard in within_all(there, system.tensor(there.name).shape, extents):
        if isinstance(guard, Guard):
            found.append(Read(outer, read.slope * so_far * guard.complement(), read.within))
            so_far *= guard
    return found


def _restored(slope: Expr, back: Mapping[Access, Access]) -> Expr:
    """A derivative with what stand-ins stand for in their place, wherever they were moved."""
    by_name = {stand_in.name: (stand_in, access) for stand_in, access in back.items()}

    def original(node: Expr) -> Expr:
        stand_in, access = by_name[node.name]
        return access.xreplace(dict(zip(stand_in.subscripts, node.subscripts, strict=True)))

    nodes = [a for a in slope.atoms(Access) if a.name in by_name]
    return slope.xreplace({node: original(node) for node in nodes})
