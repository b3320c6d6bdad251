"""Sums over windows: reads at affine subscripts, brought into the form that costs least.

Enters: an equation, the shapes of what it reads, the indices that loops around it fix. Leaves: the same
equation with guards folded into reads that are 0 outside, with other indices to sum over, or with places at
which its terms are added. Must not know: targets, convolutions, or why a subscript is what it is.

`Σ_k g[a − k]·w[k]` over the whole of a is also `w[k]·g[r]` added at `a = r + k`; `Σ_a g[a]·w[a − 2i]` is
`Σ_k g[2i + k]·w[k]`. In either an index gives way to the position along an axis of the array that it moves
in; which is done is a matter of how many terms are left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import sympy

from symbp.ir.affine import affine, settled
from symbp.ir.bounds import never_negative, simplify_guard, within
from symbp.ir.expr import (
    Access,
    Expr,
    FloorDiv,
    Guard,
    Index,
    IntegerAccess,
    Mod,
    Size,
    accesses,
    free_indices,
    product,
    unused_index,
)
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation

Shapes = Mapping[str, tuple[Expr, ...]]
NOMINAL = 64  # what an open size counts for where polynomials in the sizes are compared


def nominal(extent: Expr) -> int:
    """A number for a polynomial in the sizes, to choose between forms (any choice is right)."""
    value = extent.xreplace({size: sympy.Integer(NOMINAL) for size in extent.atoms(Size)})
    return int(value) if value.is_number else NOMINAL


def simplified(equation: Equation, below: Mapping[str, Expr] | None = None) -> Equation:
    """The equation with the quotients and remainders gone that the ranges decide, and digits of one number
    that guards fix one by one fixed together: `[i = k // 4]·[j = k % 4]` is `[k = 4i + j]`. Relations that
    hold since an integer tensor is `below` a bound are gone, too."""
    body = _forced(decided(equation.body, equation.extents, below or {}), equation.extents)
    if body.atoms(FloorDiv, Mod):
        body = settled(body, equation.extents)
        body = _joined(body, equation.extents) if equation.op == "sum" else body
    return equation if body == equation.body else equation.with_(body=body)


def _forced(body: Expr, extents: Mapping[Index, Expr]) -> Expr:
    """The body with `[T ≤ t + 1]` as `[T = t + 1]` where t is below T: what a range leaves of a relation."""
    forced = {}
    for guard in sorted(body.atoms(Guard), key=expression_text):
        form = affine(guard.rhs - guard.lhs) if guard.op == "<=" else None
        if form is None or not form.weights or not set(form.weights) <= extents.keys():
            continue
        if form.greatest(extents) == 0:
            forced[guard] = Guard("=", guard.lhs, guard.rhs)
    return body.xreplace(forced) if forced else body


def decided(body: Expr, extents: Mapping[Index, Expr], below: Mapping[str, Expr]) -> Expr:
    """The body without the guards that hold in all of its range, for all values that its integer tensors
    have, and without the terms of those that never hold."""
    certain = {}
    for guard in sorted(body.atoms(Guard), key=expression_text):
        reads = sorted(guard.atoms(IntegerAccess), key=expression_text)
        if not reads and free_indices(guard) <= extents.keys():
            decided = simplify_guard(guard, extents)
            if decided.is_Integer:
                certain[guard] = decided
        elif reads and all(a.name in below and a.outside is None for a in reads):
            stand_in = {a: Index(f"({expression_text(a)})") for a in reads}
            ranges = {**extents, **{i: below[a.name] for a, i in stand_in.items()}}
            if simplify_guard(guard.xreplace(stand_in), ranges) == 1:
                certain[guard] = sympy.Integer(1)
    return body.xreplace(certain) if certain else body


def _joined(body: Expr, extents: Mapping[Index, Expr]) -> Expr:
    while True:
        factors = sympy.Mul.make_args(body)
        guards = [g for g in factors if isinstance(g, Guard) and g.op == "="]
        found = [
            (high, low, joint)
            for high in guards
            for low in guards
            if high != low and (joint := _both_digits(high, low, extents)) is not None
        ]
        if not found:
            return body
        high, low, joint = found[0]
        body = product([f for f in factors if f not in (high, low)]) * joint


def _both_digits(high: Guard, low: Guard, extents: Mapping[Index, Expr]) -> Expr | None:
    """`[e = m·i + j]` from `[i = e // m]` and `[j = e % m]` with j below m."""
    for quotient, i in ((high.lhs, high.rhs), (high.rhs, high.lhs)):
        for remainder, j in ((low.lhs, low.rhs), (low.rhs, low.lhs)):
            if not (isinstance(quotient, FloorDiv) and isinstance(remainder, Mod)):
                continue
            number, base = quotient.args
            same = settled(Mod(number, base), extents) == remainder or _last_digit(number, base) == remainder
            below = never_negative(j, extents) and never_negative(base - 1 - j, extents)
            if same and below:
                return Guard("=", number, sympy.expand(base * i + j))
    return None


def _last_digit(number: Expr, base: Expr) -> Expr | None:
    """`f % 4` for `(f % 16) % 4`."""
    if isinstance(number, Mod) and (number.args[1] / base).is_integer:
        return Mod(number.args[0], base)
    return None


def absorbed(equation: Equation, shapes: Shapes, fixed: Collection[Index] = ()) -> Equation:
    """A sum of a product of reads without the guards that only keep these reads in range: the reads are 0
    outside instead. Nothing changes where a guard may protect something else: a factor that is no read, or a
    read in a subscript or in another guard."""
    factors = sympy.Mul.make_args(equation.body)
    guards = {f for f in factors if isinstance(f, Guard)}
    reads = [f for f in factors if isinstance(f, Access)]
    others = [f for f in factors if not isinstance(f, (Guard, Access)) and not f.is_number]
    if equation.op != "sum" or not guards or any(f.atoms(Access, Index) for f in others):
        return equation
    needs = {a: _leaving(a, shapes, equation.extents) for a in reads}
    open_reads = [a for a in reads if needs[a] and needs[a] <= guards and a.outside is None]
    known = set().union(*(needs[a] for a in open_reads)) if open_reads else set()
    removed = {g for g in known if not free_indices(g) <= set(fixed)}
    left = guards - removed
    protected = [a for f in (*reads, *left) for a in accesses(f) if a.outside is None and a not in open_reads]
    if not removed or any(not _leaving(a, shapes, equation.extents) <= left for a in protected):
        return equation
    changed = [a.with_(outside=sympy.Integer(0)) if a in open_reads else a for a in reads]
    kept = [f for f in factors if f not in removed and f not in reads]
    return equation.with_(body=product([*kept, *changed]))


def _leaving(access: Access, shapes: Shapes, extents: Mapping[Index, Expr]) -> set[Expr]:
    """The guards that keep a read in range, without those that always hold."""
    positions = zip(access.subscripts, shapes[access.name], strict=True)
    return {g for s, extent in positions for g in within(s, extent, extents)}


def banded(
    equation: Equation, places: Mapping[Index, Expr], fixed: Collection[Index] = ()
) -> tuple[Equation, dict[Index, Expr]]:
    """A sum over a band, `[2i ≤ a + 1]·[a ≤ 2i + 1]`, as one over the positions in it: `a = 2i + p − 1`, with
    p from 0 to 2; a plain index that the band gives is a place at which terms are added."""
    at = dict(places)
    while equation.op == "sum":
        found = _band(equation, at, frozenset(fixed))
        if found is None:
            break
        equation, at = found
    return equation, at


def _band(
    equation: Equation, at: Mapping[Index, Expr], fixed: frozenset[Index]
) -> tuple[Equation, dict[Index, Expr]] | None:
    factors = sympy.Mul.make_args(equation.body)
    guards = sorted(
        (
            g
            for g in factors
            if isinstance(g, Guard) and g.op == "<=" and g.lhs.is_integer and g.rhs.is_integer
        ),
        key=expression_text,
    )
    for k, lower in enumerate(guards):
        for upper in guards[k + 1 :]:
            form = affine(lower.rhs - lower.lhs, fixed)
            width = sympy.expand(lower.rhs - lower.lhs + upper.rhs - upper.lhs)
            if form is None or not width.is_Integer or width < 0 or len(form.weights) < 2:
                continue
            units = [i for i, w in form.weights.items() if abs(w) == 1 and i not in at]
            fewer = [i for i in units if width + 1 < nominal(equation.extents[i])]
            body = product(f for f in factors if f not in (lower, upper))
            for index in sorted(fewer, key=lambda i: i not in equation.reduced):
                bare = equation.with_(body=body)
                distance = sympy.expand(lower.rhs - lower.lhs)
                found = _given(bare, at, distance, width + 1, index, body)
                if found is not None:
                    return found
    return None


def fewest_terms(
    equation: Equation, places: Mapping[Index, Expr], shapes: Shapes, fixed: Collection[Index] = ()
) -> tuple[Equation, dict[Index, Expr]]:
    """The sum with summed or plain indices replaced by positions in an array that is 0 outside, as long as
    terms become fewer; a plain index that gives way becomes a place at which terms are added."""
    at = dict(places)
    while equation.op == "sum":
        found = _shorter(equation, at, shapes, frozenset(fixed))
        if found is None:
            break
        equation, at = absorbed(found[0], shapes, fixed), found[1]
    return equation, at


def _shorter(
    equation: Equation, at: Mapping[Index, Expr], shapes: Shapes, fixed: frozenset[Index]
) -> tuple[Equation, dict[Index, Expr]] | None:
    factors = sympy.Mul.make_args(equation.body)
    for access in sorted((f for f in factors if isinstance(f, Access)), key=str):
        if access.outside != 0:
            continue
        for axis, subscript in enumerate(access.subscripts):
            form, extent = affine(subscript, fixed), shapes[access.name][axis]
            if form is None or len(form.weights) < 2:
                continue
            units = [i for i, w in form.weights.items() if abs(w) == 1 and i not in at]
            fewer = [i for i in units if nominal(extent) < nominal(equation.extents[i])]
            for index in sorted(fewer, key=lambda i: i not in equation.reduced):
                found = _replaced(equation, at, access, axis, index, shapes)
                if found is not None:
                    return found
    return None


def _replaced(
    equation: Equation, at: Mapping[Index, Expr], access: Access, axis: int, index: Index, shapes: Shapes
) -> tuple[Equation, dict[Index, Expr]] | None:
    """The equation with one index given by the position along an axis of an access."""
    subscript, extent = sympy.expand(access.subscripts[axis]), shapes[access.name][axis]
    position = unused_index(index, (*equation.all_indices, *at))
    subscripts = [position if k == axis else s for k, s in enumerate(access.subscripts)]
    replaced = type(access)(access.name, *subscripts)
    if _leaving(replaced, shapes, {**equation.extents, position: extent}):
        replaced = replaced.with_(outside=access.outside)
    others = product(f for f in sympy.Mul.make_args(equation.body) if f != access)
    return _given(equation, at, subscript, extent, index, replaced * others)


def _given(
    equation: Equation, at: Mapping[Index, Expr], subscript: Expr, extent: Expr, index: Index, body: Expr
) -> tuple[Equation, dict[Index, Expr]] | None:
    """The equation with `body`, and one index given by the position that a subscript has below an extent."""
    weight = subscript.coeff(index, 1)
    position = unused_index(index, (*equation.all_indices, *at))
    value = sympy.expand(weight * (position - (subscript - weight * index)))
    summed = index in equation.reduced
    if not summed and (free_indices(value) & at.keys() or any(index in free_indices(e) for e in at.values())):
        return None
    if not summed and (free_indices(value) - {position}) & set(equation.indices):
        return None  # the place would depend on another plain index
    extents = {**equation.extents, position: extent}
    body = body.xreplace({index: value})
    reduced = [position if i == index else i for i in equation.reduced]
    if summed:
        at = {i: e.xreplace({index: value}) for i, e in at.items()}
        body *= product(within(value, equation.extents[index], extents))
    else:
        reduced.append(position)
        at = {**at, index: value}
    assert equation.reduction is not None
    changed = equation.with_(
        body=body,
        reduction=replace(equation.reduction, indices=tuple(reduced)),
        ranges=tuple(extents[i] for i in (*equation.indices, *reduced)),
    )
    return changed, dict(at)
