"""What needs to know where maxima are, with one number for the place of each.

Enters: a system. Leaves: `Shared`: the same values, with fewer and smaller arrays compared by element.
Must not know: targets, pooling, or what is maximised.

The adjoint of a maximum over windows has terms `[i % 2 = row[i // 2]]·[j % 2 = column[…]]·[x[i] > 0]·g[…]`.
The two brackets are one, `[2(i % 2) + j % 2 = place[…]]`; where that holds x[i] is the maximum, so that its
sign and g are looked at once for each window. And `[z > 0]` is `[r > 0]` for the rectified r: z isn't kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from symbp.ir.affine import settled
from symbp.ir.bounds import never_negative
from symbp.ir.expr import (
    Access,
    Expr,
    FloorDiv,
    Guard,
    Index,
    IntegerAccess,
    Mod,
    free_indices,
    product,
    unused_index,
    unused_name,
)
from symbp.ir.printer import expression_text
from symbp.ir.system import FLAT, Equation, System, Tensor
from symbp.lower.passes.common_subexpressions import Additions, Shared


def maxima(base: Shared) -> Shared:
    """The system with signs read off what is rectified, and one number for where each maximum is."""
    return _one_place(_rectified(base))


# --- signs
def _rectified(base: Shared) -> Shared:
    """Guards `[0 < z]` as `[0 < r]` where r is z if that is positive, else 0."""
    names = {}
    for equation in base.system.equations:
        guard, value = _guarded(equation.body)
        plain = isinstance(value, Access) and value.subscripts == equation.indices and not value.is_integer
        if plain and equation.reduction is None and guard in (Guard("<", 0, value), Guard("<=", 0, value)):
            names[value.name] = equation.target
    bodies = {}
    for equation in base.system.equations:
        changed = {
            guard: Guard("<", 0, Access(names[guard.rhs.name], *guard.rhs.subscripts))
            for guard in equation.body.atoms(Guard)
            if guard.op == "<"
            and guard.lhs == 0
            and isinstance(guard.rhs, Access)
            and names.get(guard.rhs.name, equation.target) != equation.target
            and guard.rhs.outside is None
        }
        if changed:
            bodies[equation.target] = equation.body.xreplace(changed)
    return Additions(base).done(bodies)


def _guarded(body: Expr) -> tuple[Expr, Expr]:
    """The guard and the value of `[…]·value`."""
    guards = [f for f in sympy.Mul.make_args(body) if isinstance(f, Guard)]
    return (guards[0], body / guards[0]) if len(guards) == 1 else (sympy.S.One, body)


# --- places
@dataclass(frozen=True)
class _Maximum:
    """A maximum over several indices: the tensors that say where it is, by component; one that holds it."""

    equation: Equation  # the argmax of one component
    components: Mapping[int, str]
    value: str | None


@dataclass(frozen=True)
class _Found:
    """Guards of one term that together say that a maximum, the one `at` some subscripts, is at `digits`."""

    maximum: _Maximum
    guards: frozenset[Expr]
    at: tuple[Expr, ...]
    digits: tuple[Expr, ...]

    @property
    def place(self) -> Expr:
        """The digits as one number."""
        extents, place = self.maximum.equation.extents, sympy.S.Zero
        for index, digit in zip(self.maximum.equation.reduced, self.digits, strict=True):
            place = sympy.expand(place * extents[index]) + digit
        return place


def _one_place(base: Shared) -> Shared:
    maxima = _maxima(base.system)
    additions = Additions(base)
    places: dict[str, str] = {}  # by the first component's tensor
    bodies: dict[str, Expr] = {}
    for equation in base.system.equations:
        terms = []
        for term in sympy.Add.make_args(equation.body) if maxima else ():
            found = _compared(term, equation, maxima)
            if found is not None:
                term = _with_place(term, equation, found, places, additions)
            terms.append(term)
        body = sympy.Add(*terms) if terms else equation.body
        if body != equation.body:
            bodies[equation.target] = body
    return additions.done(bodies)


def _maxima(system: System) -> dict[str, _Maximum]:
    """The maxima over several indices outside of loops, by each tensor that says where they are."""
    components: dict[tuple[object, ...], list[Equation]] = {}
    values: dict[tuple[object, ...], str] = {}
    for equation in system.equations:
        key = (equation.indices, equation.reduced, equation.body, equation.where, equation.ranges)
        if equation.op == "max":
            values.setdefault(key, equation.target)
        elif equation.op == "argmax" and len(equation.reduced) > 1:
            components.setdefault(key, []).append(equation)
    found: dict[str, _Maximum] = {}
    for known, members in components.items():
        names = {e.reduction.component: e.target for e in members if e.reduction is not None}
        if set(names) == set(range(len(members[0].reduced))):
            one = _Maximum(system.defining[names[0]], names, values.get(known))
            found |= dict.fromkeys(names.values(), one)
    return found


def _compared(term: Expr, equation: Equation, maxima: Mapping[str, _Maximum]) -> _Found | None:
    """The guards of a term that compare all components of one maximum's place, if it has them."""
    met: dict[tuple[Expr, ...], dict[str, tuple[Expr, Expr]]] = {}
    for guard in sorted(sympy.Mul.make_args(term), key=expression_text):
        if not isinstance(guard, Guard) or guard.op != "=":
            continue
        difference = sympy.expand(guard.lhs - guard.rhs)
        for access in difference.atoms(IntegerAccess):
            slope = difference.coeff(access, 1)
            digit = sympy.expand(access - slope * difference)
            if access.name in maxima and abs(slope) == 1 and not digit.atoms(Access):
                met.setdefault(access.subscripts, {})[access.name] = (guard, digit)
    for at, guards in met.items():
        for name in guards:
            components = maxima[name].components
            if not set(components.values()) <= guards.keys():
                continue
            own = [guards[components[k]] for k in sorted(components)]
            bounds = [maxima[name].equation.extents[i] for i in maxima[name].equation.reduced]
            if all(_digit(d, n, equation.extents) for (_, d), n in zip(own, bounds, strict=True)):
                return _Found(
                    maxima[name], frozenset(g for g, _ in own), at, tuple(digit for _, digit in own)
                )
    return None


def _digit(e: Expr, base: Expr, extents: Mapping[Index, Expr]) -> bool:
    """Whether a value is from 0 to below the base."""
    return never_negative(e, extents) and never_negative(base - 1 - e, extents)


def _with_place(
    term: Expr, equation: Equation, found: _Found, places: dict[str, str], additions: Additions
) -> Expr:
    """The term with one guard for the place, and what is the same for a whole window as a read."""
    maximum = found.maximum.equation
    if maximum.target not in places:
        places[maximum.target] = _place(found.maximum, additions)
    factors = [f for f in sympy.Mul.make_args(term) if f not in found.guards]
    factors = [_at_the_maximum(f, equation, found) for f in factors]
    guard = Guard("=", found.place, IntegerAccess(places[maximum.target], *found.at))
    return guard * _by_window(factors, equation, found, additions)


def _place(maximum: _Maximum, additions: Additions) -> str:
    """A new tensor for the place of a maximum as one number, computed where its first component is."""
    equation = maximum.equation
    taken = {t.name for t in (*additions.base.system.tensors, *additions.tensors)}
    name = unused_name(f"{maximum.value or equation.target}_place", taken)
    assert equation.reduction is not None
    flat = equation.with_(target=name, reduction=replace(equation.reduction, component=FLAT))
    additions.tensors.append(Tensor(name, equation.shape, integer=True))
    additions.equations.setdefault(equation.target, []).append(flat)
    additions.numbers[name] = additions.base.numbers[equation.target]
    return name


def _at_the_maximum(factor: Expr, equation: Equation, found: _Found) -> Expr:
    """A sign of what is maximised, at the place of its maximum, as the maximum's."""
    maximum = found.maximum
    inner = maximum.equation.body
    if not (isinstance(factor, Guard) and factor.op == "<" and factor.lhs == 0 and maximum.value):
        return factor
    read = factor.rhs
    if not isinstance(read, Access) or not isinstance(inner, Access) or read.name != inner.name:
        return factor
    own = dict(zip(maximum.equation.indices, found.at, strict=True))
    own |= dict(zip(maximum.equation.reduced, found.digits, strict=True))
    names, extents = _divided(equation)
    for a, b in zip(read.subscripts, inner.subscripts, strict=True):
        one, other = (settled(e.xreplace(names), extents) for e in (a, b.xreplace(own)))
        if sympy.expand(one - other) != 0:
            return factor
    return Guard("<", 0, Access(maximum.value, *found.at))


def _divided(equation: Equation) -> tuple[dict[Index, Expr], dict[Index, Expr]]:
    """Indices that are divided by a number, as `number·quotient + remainder`; and the extents of these."""
    names: dict[Index, Expr] = {}
    extents = dict(equation.extents)
    for part in sorted(equation.body.atoms(FloorDiv, Mod), key=expression_text):
        index, number = part.args
        if isinstance(index, Index) and index not in names and number.is_Integer:
            quotient = unused_index(index, extents)
            extents[quotient] = sympy.expand(FloorDiv(extents[index] + number - 1, number))
            remainder = unused_index(index, extents)
            extents[remainder] = number
            names[index] = number * quotient + remainder
    return names, extents


# --- what windows share
def _by_window(factors: Sequence[Expr], equation: Equation, found: _Found, additions: Additions) -> Expr:
    """The product of some factors; those that are the same in all of a window are multiplied once."""
    maximum = found.maximum.equation
    windows = [e for e in found.at if not isinstance(e, Index)]
    if equation.reduction is not None or not windows or len(set(found.at)) < len(found.at):
        return product(factors)
    indices: list[Index] = []
    for e, index in zip(found.at, maximum.indices, strict=True):
        clash = index != e and index in equation.all_indices
        indices.append(
            unused_index(index, (*equation.all_indices, *maximum.indices, *indices)) if clash else index
        )
    names = dict(zip(found.at, indices, strict=True))
    seen = [(f, f.xreplace(names)) for f in factors]
    fixed = [(f, s) for f, s in seen if f.atoms(Access) and free_indices(s) <= set(indices)]
    if not any(isinstance(f, Guard) for f, _ in fixed) or len(fixed) < 2:
        return product(factors)
    value = product(s for _, s in fixed)
    whole = Equation(equation.target, tuple(indices), value, ranges=maximum.shape)
    read = additions.read(value, whole, f"{equation.target}_window")
    back = {index: e for e, index in names.items()}
    at = [back[s] for s in read.subscripts if isinstance(s, Index)]
    rest = [f for f in factors if f not in {known for known, _ in fixed}]
    return product(rest) * Access(read.name, *at)
