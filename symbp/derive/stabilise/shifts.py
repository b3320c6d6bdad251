"""Sums of exponentials are shifted by their maximum, wherever every reader allows it.

Enters: a system, the name of a sum. Leaves: the same values, where no exponential overflows, and the steps.
Must not know: softmax, attention, or any other op by name; only exp, sums, brackets and binary leaves.

`s = Σ_k exp(u)` becomes `m = max_k u`, `s = Σ_k exp(u − m)`. The shift counts as a constant: no value depends
on it. What brackets or masks exclude is neither summed nor looked at for the maximum. A sum from which all
may be excluded counts as 1 where it is 0: then a quotient e/s is 0 and not 0/0, and log s + m is m = −∞.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbp.derive.definitions import fresh_name, map_body
from symbp.derive.rules.rule import Change
from symbp.derive.stabilise.exclusion import Exclusion
from symbp.derive.stabilise.exponential_sums import largest
from symbp.derive.stabilise.factors import exponential_factor
from symbp.derive.stabilise.scaling import Readers, Scaled, as_brackets, less
from symbp.ir.expr import Access, Expr, Guard, Index, accesses, free_indices, parts_of, unused_name
from symbp.ir.system import Equation, Reduction, System, Tensor

RULE = "shift of a sum of exponentials"


@dataclass(frozen=True)
class _Exponentials:
    """A sum `s = Σ c·exp(u)` that may be shifted: its equation, u, and the map that holds c·exp(u), if one
    does and its own indices tell the shift; the rest of the system as it is then written."""

    system: System
    total: Equation
    exponent: Expr
    held: Access | None

    @property
    def body(self) -> Expr:
        """What is summed, the map's definition in place."""
        if self.held is None:
            return self.total.body
        return self.total.body.xreplace({self.held: map_body(self.held, self.system)})

    @property
    def brackets(self) -> tuple[Guard, ...]:
        return tuple(f for f in sympy.Mul.make_args(self.body) if isinstance(f, Guard))


@dataclass(frozen=True)
class _Shift:
    """The equations of a shift, what exponents are lowered by, the maximum itself (−∞ where nothing is
    left), and the tensor that holds the sum before it counts as 1."""

    equations: tuple[Equation, ...]
    by: Expr
    peak: Expr
    summed: str

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(Tensor(e.target, e.shape) for e in self.equations)


Shifted = tuple[System, Change | None, Change | None]


def shift_exponentials(system: System, name: str, excluded: Exclusion) -> Shifted:
    """The system with the sum `name` shifted, if it is one of exponentials and all readers allow it; if not
    by itself, then together with the other sums of the same exponentials, and by no less than what readers
    add to it. Also what changed, and if the sum counts as 1 where it is empty, how."""
    found = _shiftable(system, name)
    if found is None:
        return system, None, None
    for partners in dict.fromkeys([(), _partners(found)]):
        readers = Readers()
        shifted = _shifted(found, partners, (), excluded, readers)
        if readers.added:
            floors = _floors(found, readers)
            shifted = _shifted(found, partners, floors, excluded, readers) if floors else None
        if shifted is not None:
            result, shift, after, scaled = shifted
            total = system.defining[name]
            after = after.with_(target=shift.summed) if after.target == name else after
            change = Change(name, (total,), (*shift.equations, after), scaled)
            return result, change, None if shift.summed == name else _one(total, shift.summed)
    return system, None, None


def _shifted(
    found: _Exponentials,
    partners: Sequence[Equation],
    floors: Sequence[Expr],
    excluded: Exclusion,
    readers: Readers,
) -> tuple[System, _Shift, Equation, tuple[str, ...]] | None:
    """The system with a sum and its partners shifted by the maximum, or by `floors` where these are
    larger."""
    total, held, name = found.total, found.held, found.total.target
    empty = name in excluded.empty_names
    lowest = empty and excluded.lowest(found.exponent, total.extents)
    if (empty and partners) or (floors and (empty or not _there_before(found, floors))):
        return None
    shift = _shift(found, empty, lowest, floors)
    scaled = {name: Scaled(total.indices, shift.by, shift.peak, shift.summed)}
    lowered = {name: total.with_(body=_lower(total.body, shift.by))}
    if held is not None:
        inner = found.system.defining[held.name]
        back = dict(zip(held.subscripts, inner.indices, strict=True))
        by = shift.by.xreplace(back)
        scaled[held.name] = Scaled(inner.indices, by, shift.peak.xreplace(back), held.name)
        lowered = {name: total, held.name: inner.with_(body=_lower(inner.body, by))}
    for partner in partners:
        back = dict(zip(total.indices, partner.indices, strict=True))
        by = shift.by.xreplace(back)
        scaled[partner.target] = Scaled(partner.indices, by, shift.peak.xreplace(back), partner.target)
        lowered[partner.target] = partner.with_(body=_lower(partner.body, by))
    rewritten = readers.scaled(found.system, scaled, {name, *(p.target for p in partners)})
    if rewritten is None:
        return None
    first = next(e.target for e in rewritten if e.target in lowered)
    equations: list[Equation] = []
    for equation in rewritten:
        equations += shift.equations if equation.target == first else ()
        equation = lowered.get(equation.target, equation)
        if equation.target == name and shift.summed != name:
            equations += counted_as_one(equation, shift.summed)
        else:
            equations.append(equation)
    tensors = [*found.system.tensors, *shift.tensors]
    tensors += [Tensor(shift.summed, total.shape)] if shift.summed != name else []
    result = found.system.with_(tensors=tuple(tensors), equations=tuple(equations))
    return result, shift, lowered[held.name if held is not None else name], tuple(scaled)


def _floors(found: _Exponentials, readers: Readers) -> tuple[Expr, ...]:
    """The exponents beside the sum, by the sum's own indices; none if one has others."""
    floors = []
    for exponent, by in readers.added:
        peak = next(iter(parts_of(by, Access)))
        names = dict(zip(peak.subscripts, found.total.indices, strict=True))
        floor = exponent.xreplace(names)
        if not all(isinstance(i, Index) for i in names) or not free_indices(floor) <= {*found.total.indices}:
            return ()
        floors.append(floor)
    return tuple(dict.fromkeys(floors))


def _partners(found: _Exponentials) -> tuple[Equation, ...]:
    """The other sums of the same exponentials, over the same rows, each with factors of its own."""
    total = found.total
    partners = []
    for equation in found.system.equations:
        if equation.op != "sum" or equation.target in (total.target, *found.system.asked) or found.held:
            continue
        own = exponential_factor(equation.body, found.system)
        same = len(equation.indices) == len(total.indices) and len(equation.reduced) == len(total.reduced)
        if own is None or own[1] is not None or not same or equation.where:
            continue
        names = dict(zip(equation.all_indices, total.all_indices, strict=True))
        if equation.ranges == total.ranges and own[0].xreplace(names) == found.exponent:
            guards = {f.xreplace(names) for f in sympy.Mul.make_args(equation.body) if isinstance(f, Guard)}
            if guards >= set(found.brackets):
                partners.append(equation)
    return tuple(partners)


def _there_before(found: _Exponentials, floors: Sequence[Expr]) -> bool:
    """Whether the floors read what is computed before the sum and what it adds up."""
    order = [e.target for e in found.system.equations]
    own = [found.total.target, *([found.held.name] if found.held is not None else [])]
    first = min(order.index(name) for name in own)
    return all(
        a.name not in order or order.index(a.name) < first for floor in floors for a in accesses(floor)
    )


def _one(total: Equation, summed: str) -> Change:
    """A sum that counts as 1 where it is empty."""
    before, one = counted_as_one(total, summed)
    empty = one.with_(body=Access(before.target, *one.indices))
    return Change(total.target, (empty,), (one,), (before.target,))


# --- what may be shifted
def _shiftable(system: System, name: str) -> _Exponentials | None:
    """The sum of that name, if it is one of exponentials that vary along what is summed."""
    total = system.defining[name]
    found = exponential_factor(total.body, system)
    fixed = set(system.asked)
    if found is None or name in fixed or not free_indices(found[0]) & set(total.reduced):
        return None
    exponent, held = found
    if held is None:
        return _Exponentials(system, total.with_(body=as_brackets(total.body, system)), exponent, None)
    plain = all(isinstance(s, Index) for s in held.subscripts)
    if held.name in fixed or not (plain and set(total.indices) <= set(held.subscripts)):
        # the map is asked for as it is, or the shift is no function of its indices: the sum gets its own
        body = total.body.xreplace({held: map_body(held, system)})
        return _Exponentials(system, total.with_(body=as_brackets(body, system)), exponent, None)
    moved = _moved_in(system, total, held)
    return _Exponentials(moved, moved.defining[name], exponent, held)


def _moved_in(system: System, total: Equation, held: Access) -> System:
    """Brackets and masks that stand beside a map wherever it is read move into its definition: what is
    excluded everywhere needn't be computed. The sum's own masks become brackets in any case."""
    inner = system.defining[held.name]
    back = dict(zip(held.subscripts, inner.indices, strict=True))
    outer = tuple(f.xreplace(back) for f in sympy.Mul.make_args(total.body) if f != held)
    changed = {held.name: inner.with_(body=as_brackets(inner.body, system))}
    known = free_indices(sympy.Mul(*outer)) <= set(inner.indices)
    readers = [e for e in system.equations if held.name in e.read_names]
    without = {e.target: _without(e.body, held.name, inner.indices, outer) for e in readers}
    in_bodies = not any(a.name == held.name for e in readers for g in e.where for a in accesses(g))
    if outer and known and in_bodies and all(body is not None for body in without.values()):
        changed = {e.target: e.with_(body=without[e.target]) for e in readers}
        changed[held.name] = inner.with_(body=as_brackets(sympy.Mul(inner.body, *outer), system))
    elif outer:
        changed[total.target] = total.with_(body=as_brackets(total.body, system))
    return system.with_(equations=tuple(changed.get(e.target, e) for e in system.equations))


def _without(e: Expr, name: str, indices: tuple[Index, ...], outer: tuple[Expr, ...]) -> Expr | None:
    """`e` without the factors beside each read of a tensor; None if one of them is missing somewhere."""
    if not any(access.name == name for access in accesses(e)):
        return e
    own = [f for f in sympy.Mul.make_args(e) if isinstance(f, Access) and f.name == name]
    if len(own) == 1:
        place = dict(zip(indices, own[0].subscripts, strict=True))
        beside = [f.xreplace(place) for f in outer]
        factors = list(sympy.Mul.make_args(e))
        if not all(f in factors for f in beside):
            return None
        return sympy.Mul(*[f for f in factors if f not in beside])
    if isinstance(e, Access):
        return None
    arguments = [_without(a, name, indices, outer) for a in e.args]
    return None if any(a is None for a in arguments) else e.func(*arguments)


# --- the shift
def _shift(found: _Exponentials, empty: bool, lowest: bool, floors: Sequence[Expr]) -> _Shift:
    """The maximum of the exponents where nothing is excluded; where it may be −∞ and so may they, the
    exponents are lowered by 0 instead. The largest of it and of what the sum is added to, if there is any."""
    total, system = found.total, found.system
    scale, exponent = (sympy.Integer(1), found.exponent) if floors else _scale(found.exponent)
    base = f"m_{exponent.name}" if isinstance(exponent, Access) else f"m_{total.target}"
    name = fresh_name(system, base)
    reduction = Reduction("max", total.reduced)
    peak = Equation(
        name, total.indices, exponent, reduction, found.brackets, total.ranges, constant=True, rule=RULE
    )
    at_peak = by = Access(name, *total.indices)
    equations = [peak]
    if lowest:
        finite = fresh_name(system, f"{name}_finite")
        body = Guard("<", -sympy.oo, at_peak) * at_peak
        equations.append(
            Equation(finite, total.indices, body, None, (), total.shape, constant=True, rule=RULE)
        )
        by = Access(finite, *total.indices)
    for floor in floors:
        above = unused_name(f"{base}_", {*system.by_name, *(e.target for e in equations)})
        equations.append(
            Equation(
                above, total.indices, largest(by, floor), None, (), total.shape, constant=True, rule=RULE
            )
        )
        by = at_peak = Access(above, *total.indices)
    summed = fresh_name(system, f"{total.target}_sum") if empty else total.target
    return _Shift(tuple(equations), scale * by, scale * at_peak, summed)


def _scale(exponent: Expr) -> tuple[Expr, Expr]:
    """`z/T` as 1/T and z, for a positive number or size: (z − m)/T keeps the digits that z/T − m/T may
    lose."""
    factors = sympy.Mul.make_args(exponent)
    number = abs(exponent.as_coeff_Mul()[0])
    sizes = [f for f in factors if f.free_symbols and not f.atoms(Access, Index) and f.is_positive]
    scale = sympy.Mul(number if number.is_Rational else 1, *sizes)
    return scale, exponent / scale


def counted_as_one(total: Equation, summed: str) -> tuple[Equation, Equation]:
    """The sum under another name, and itself: 1 where that is 0."""
    at = Access(summed, *total.indices)
    rule = "1 where everything is excluded"
    one = total.with_(body=at + Guard("=", at, 0), reduction=None, ranges=total.shape, rule=rule)
    return total.with_(target=summed), one


def _lower(body: Expr, shift: Expr) -> Expr:
    """The body with its one exponential factor shifted."""
    factors = sympy.Mul.make_args(body)
    return sympy.Mul(*[sympy.exp(less(f.args[0], shift)) if isinstance(f, sympy.exp) else f for f in factors])
