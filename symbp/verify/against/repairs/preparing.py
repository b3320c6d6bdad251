"""A wrong tensor laid on the bench in each form of the backward pass.

Enters: a derivation, what was answered. Leaves: shops. Must not know: slips.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import sympy

from symbp.derive.derivation import Derivation
from symbp.ir.system import Role, System
from symbp.verify.against.answer import Array, Compared
from symbp.verify.against.repairs.agreement import same
from symbp.verify.against.repairs.replay.bench import Bench, holders
from symbp.verify.against.repairs.replay.cut import Cut, Slice
from symbp.verify.against.repairs.shop import Shop
from symbp.verify.against.repairs.slopes import folded
from symbp.verify.against.repairs.sources import sources

ALIKE = 1e-10
LITERALS = 3  # numbers of the network's own that a factor may be
Given = Mapping[str, tuple[Array, ...]]


def shops(
    derivation: Derivation,
    compared: Compared,
    given: Given,
    check: Callable[[], None],
    part: Slice | None = None,
) -> list[Shop]:
    """One for each form that has the tensor, or for a `part` of it; `check` raises when the time is used
    up."""
    systems = sources(derivation, compared.seen[0].point)
    laid = (_shop(derivation, system, compared, given, check) for system in systems)
    plain = [shop for shop in laid if shop is not None]
    found = [*plain, *filter(None, map(_with_known_sums, plain))]
    return found if part is None else [_cut(shop, part) for shop in found]


def _cut(shop: Shop, part: Slice) -> Shop:
    return replace(shop, bench=Cut.of(shop.bench, part), answered=tuple(map(part.of, shop.answered)))


def _with_known_sums(shop: Shop) -> Shop | None:
    """The shop in which sums that are one number throughout are known: who writes p − y adds up no
    probabilities, and gets 1 for their sum even where they are wrong."""
    bench, count = shop.bench, range(len(shop.bench.points))
    sums = [e.target for e in bench.between if e.op == "sum" and e.target != bench.target]
    known = {name: tuple(bench.right(k, name) for k in count) for name in sums}
    known = {name: arrays for name, arrays in known.items() if all(map(_is_constant, arrays))}
    if not known:
        return None
    return replace(shop, bench=Bench(bench.system, bench.target, bench.points, {**bench.answered, **known}))


def _is_constant(array: Array) -> bool:
    return array.size > 1 and bool(np.ptp(array) <= ALIKE * np.max(np.abs(array))) and bool(np.any(array))


def _shop(
    derivation: Derivation, system: System, compared: Compared, given: Given, check: Callable[[], None]
) -> Shop | None:
    names = holders(system)
    by = compared.by or _by(derivation.system, compared.tensor)
    target = names.get(by, compared.tensor) if by else compared.tensor
    if target not in system.defining:
        return None
    points = tuple(seen.point for seen in compared.seen)
    own = {names.get(_by(derivation.system, name), name): arrays for name, arrays in given.items()}
    known = {n: a for n, a in own.items() if n in system.defining and n != target and len(a) == len(points)}
    answered = _fitting(Bench(system, target, points, known))
    constants = {
        t.name: tuple(float(np.asarray(p.values[t.name])) for p in points)
        for t in system.with_role(Role.HYPER)
        if not t.shape and all(t.name in p.values for p in points)
    }
    constants |= {str(number): (float(number),) * len(points) for number in _literals(derivation.declared)}
    arrays = tuple(np.asarray(seen.answered) for seen in compared.seen)
    theirs = compared.theirs or compared.tensor
    raw = Shop(Bench(system, target, points, answered), arrays, theirs, constants, check)
    return Shop(Bench(folded(raw), target, points, answered), arrays, theirs, constants, check)


def _literals(system: System) -> list[sympy.Rational]:
    """The numbers in a declaration that no size explains, such as the 0.8 of a dropout, each above 1."""
    found: dict[sympy.Rational, None] = {}
    for equation in system.equations:
        for number in sorted(equation.body.atoms(sympy.Rational), key=sympy.default_sort_key):
            if number and not number.is_Integer and abs(number.p) != 1:
                found[max(abs(number), 1 / abs(number))] = None
    return [*found][:LITERALS]


def _fitting(bench: Bench) -> dict[str, tuple[Array, ...]]:
    """The answers that have the shape of what they stand for, and numbers for elements; each also for other
    tensors that are the same derivative, such as those by the summands of one sum."""
    plain = Bench(bench.system, bench.target, bench.points, {})
    found = {}
    for name, arrays in bench.answered.items():
        right = [plain.right(k, name) for k in range(len(arrays))]
        if not all(map(_stands_for, arrays, right)):
            continue
        found[name] = arrays
        for other in {*plain.backward} - {*bench.answered, *found, bench.target}:
            if all(same(plain.right(k, other), r) for k, r in enumerate(right)):
                found[other] = arrays
    return found


def _stands_for(answered: Array, right: Array) -> bool:
    return (
        answered.dtype.kind in "fiu" and answered.shape == right.shape and bool(np.isfinite(answered).all())
    )


def _by(system: System, name: str) -> str:
    what = system.by_name[name].differential if name in system.by_name else None
    return what.by if what is not None and not what.part else ""
