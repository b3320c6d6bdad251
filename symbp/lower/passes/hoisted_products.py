"""Products that carry one value of a loop, multiplied out before the loop.

Enters: a system. Leaves: `Shared`: the same values, with less to compute at each step of a loop.
Must not know: targets, ops, time.

Backwards through a recurrence of single units, `da[t, q] = dc[t]·C[t, q]` and `dh[t] = Σ_q da[t + 1, q]·w[q]`
are `dh[t] = dc[t + 1]·K[t + 1]` with `K[t] = Σ_q C[t, q]·w[q]`, which is there for all steps before the loop
begins; and da is left for after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import sympy

from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, free_indices, product
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, System
from symbp.lower.passes.common_subexpressions import Additions, Shared


@dataclass(frozen=True)
class _Carried:
    """`target[indices] = carrier·rest`, where the rest is there before the loop."""

    equation: Equation
    carrier: Access
    rest: tuple[Expr, ...]  # terms


def multiplied_out(base: Shared) -> Shared:
    """The system with what sums in loops multiply one value of the loop by as tensors of their own."""
    additions = Additions(base)
    bodies: dict[str, Expr] = {}
    maps: set[str] = set()
    for group in _innermost(groups(base.system)):
        own = set(group.targets)
        for carried in [c for e in group.equations if (c := _carried(e, own)) is not None]:
            readers = [e for e in group.equations if carried.equation.target in e.read_names]
            found = [_reader(e, carried, group, base.system) for e in readers]
            if not readers or any(f is None for f in found) or {e.target for e in readers} & bodies.keys():
                continue
            for equation, known in zip(readers, found, strict=True):
                assert known is not None
                bodies[equation.target] = _named(known, equation, additions)
                maps.add(equation.target)
    done = additions.done(bodies)
    equations = tuple(
        e.with_(reduction=None, ranges=e.shape) if e.target in maps else e for e in done.system.equations
    )
    return Shared(done.system.with_(equations=equations), done.numbers) if maps else done


def _innermost(found: Collection[Group]) -> Iterator[Group]:
    for group in found:
        if group.loop is not None:
            inner = list(_innermost(group.inner))
            yield from inner or [group]


def _carried(equation: Equation, own: Collection[str]) -> _Carried | None:
    """A map whose terms are all multiples of one value of the loop."""
    if equation.reduction is not None:
        return None
    carriers, rest = set(), []
    for term in sympy.Add.make_args(equation.body):
        factors = sympy.Mul.make_args(term)
        varying = [f for f in factors if any(a.name in own for a in f.atoms(Access))]
        if len(varying) != 1 or not isinstance(varying[0], Access) or varying[0].outside is not None:
            return None
        carriers.add(varying[0])
        rest.append(product(f for f in factors if f != varying[0]))
    (carrier, *others) = sorted(carriers, key=str)
    if others or not set(carrier.subscripts) <= set(equation.indices):
        return None
    return _Carried(equation, carrier, tuple(rest))


@dataclass(frozen=True)
class _Known:
    """A reader's body: guards times the carrier times a value at another step, by which it is shifted."""

    outer: Expr
    value: Expr
    loop: Index
    shift: Expr


def _reader(equation: Equation, carried: _Carried, group: Group, system: System) -> _Known | None:
    """What a sum over multiples of a value of the loop multiplies that value by, if it is there before."""
    factors = sympy.Mul.make_args(equation.body)
    reads = [f for f in factors if isinstance(f, Access) and f.name == carried.equation.target]
    others = [f for f in factors if f not in reads]
    own = set(group.targets)
    if equation.op != "sum" or len(reads) != 1 or reads[0].outside is not None:
        return None
    if any(a.name in own for f in others for a in f.atoms(Access)):
        return None
    names = dict(zip(carried.equation.indices, reads[0].subscripts, strict=True))
    carrier = carried.carrier.xreplace(names)
    guards = [f for f in others if isinstance(f, Guard) and not free_indices(f) & set(equation.reduced)]
    if free_indices(carrier) & set(equation.reduced) or any(g.atoms(Access) for g in guards):
        return None
    loop = group.loop_index(equation)
    shift = sympy.expand(
        reads[0].subscripts[carried.equation.indices.index(group.loop_index(carried.equation))] - loop
    )
    inner = product(f for f in others if f not in guards)
    terms = [_selected(term.xreplace(names) * inner, equation.reduced) for term in carried.rest]
    value = sympy.Add(*terms).xreplace({loop: loop - shift})
    value = value.xreplace({e: sympy.expand(e) for a in value.atoms(Access) for e in a.subscripts})
    if free_indices(value) & set(equation.reduced) or not shift.is_Integer or shift == 0:
        return None
    if value.atoms(IntegerAccess) or any(not _certain(a, equation, system) for a in value.atoms(Access)):
        return None
    return _Known(product(guards) * carrier, value, loop, shift)


def _selected(term: Expr, reduced: Collection[Index]) -> Expr:
    """A term of a sum without the indices that its guards fix."""
    for guard in sorted(term.atoms(Guard), key=str):
        for index, place in ((guard.lhs, guard.rhs), (guard.rhs, guard.lhs)):
            if guard.op == "=" and index in reduced and place.is_Integer:
                return _selected(term.xreplace({index: place}), reduced)
    return term


def _certain(access: Access, equation: Equation, system: System) -> bool:
    shape = system.tensor(access.name).shape
    return access.outside is None and all(
        not within(s, extent, equation.extents) for s, extent in zip(access.subscripts, shape, strict=True)
    )


def _named(known: _Known, equation: Equation, additions: Additions) -> Expr:
    """A reader's body with the value under a name."""
    whole = Equation(equation.target, equation.indices, known.value, ranges=equation.shape)
    read = additions.read(known.value, whole, f"{equation.target}_by")
    moved = read.xreplace({known.loop: known.loop + known.shift})
    return known.outer * moved
