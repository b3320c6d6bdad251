"""The search for the simplest repair: kinds of slips in their order, mutants confirmed at every point.

Enters: a derivation, a tensor that was answered wrong, what was answered for others, seconds. Leaves: a
repair, or None. Must not know: any one slip.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.system import Equation, Role, System
from symbp.verify.against.answer import Array, Compared, Repair
from symbp.verify.against.repairs.agreement import ratio, same
from symbp.verify.against.repairs.bench import BACKWARD, Bench
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.reads import instead, permuted, renamed, replaced, shifted, shifted_elsewhere
from symbp.verify.against.repairs.shop import Shop
from symbp.verify.against.repairs.slopes import folded, missing_slopes, other_slopes, powers
from symbp.verify.against.repairs.sources import sources
from symbp.verify.against.repairs.sums import sums
from symbp.verify.against.repairs.terms import added, inner_terms, scaled, terms
from symbp.verify.against.repairs.whole import whole
from symbp.verify.against.repairs.words import spelled

FEW = 6  # elements that may agree by chance
KINDS: tuple[Callable[[Shop, Equation], Iterator[Mutant]], ...] = (
    terms,
    sums,
    missing_slopes,
    shifted,
    permuted,
    other_slopes,
    scaled,
    powers,
    instead,
    shifted_elsewhere,
    renamed,
    inner_terms,
    added,
    replaced,
)


class OutOfTime(Exception):
    """The seconds are used up."""


@dataclass
class Clock:
    """Says when so many seconds of work are done."""

    seconds: float
    started: float = field(default_factory=time.thread_time)

    def check(self) -> None:
        if time.thread_time() - self.started > self.seconds:
            raise OutOfTime


def find_repair(
    derivation: Derivation,
    compared: Compared,
    given: Mapping[str, tuple[Array, ...]],
    *,
    seconds: float = 10.0,
) -> Repair | None:
    """The simplest change with which what was answered for a tensor is right at every point; None where
    nothing was found in time, or where the tensor only follows from what is `given` of others."""
    if not _tells(compared):
        return None
    clock = Clock(seconds)
    best: tuple[tuple[bool, bool, int], Repair] | None = None
    try:
        shops = [shop for system in sources(derivation, compared.seen[0].point) if (shop := _shop(derivation, system, compared, given, clock))]
        if not shops or any(_follows(shop) for shop in shops[:1]):
            return None
        for repair in whole(shops[0]):
            return repair
        tried = set[tuple[Equation, ...]]()
        for kind in KINDS:
            for shop, mutant in _mutants(shops, kind):
                clock.check()
                if mutant.changed in tried:
                    continue
                tried.add(mutant.changed)
                repair = _confirmed(shop, mutant)
                if repair is None:
                    continue
                doubts = _doubts(shop, mutant, given)
                if not doubts and repair.effort <= mutant.effort:
                    return repair
                cost = (doubts > 0, repair.effort > mutant.effort, doubts + repair.effort)
                if best is None or cost < best[0]:
                    best = cost, repair
    except OutOfTime:
        pass
    return best[1] if best is not None else None


def _tells(compared: Compared) -> bool:
    """Whether there are points and elements enough, all finite."""
    arrays = [seen.answered for seen in compared.seen]
    finite = all(a.dtype.kind in "fiu" and bool(np.isfinite(a).all()) for a in arrays)
    return len(arrays) > 1 and finite and sum(seen.right.size for seen in compared.seen) >= FEW


def _shop(
    derivation: Derivation,
    system: System,
    compared: Compared,
    given: Mapping[str, tuple[Array, ...]],
    clock: Clock,
) -> Shop | None:
    names = _holders(system)
    by = compared.by or _by(derivation.system, compared.tensor)
    target = names.get(by, compared.tensor) if by else compared.tensor
    if target not in system.by_name:
        return None
    points = tuple(seen.point for seen in compared.seen)
    answered = {}
    for name, arrays in given.items():
        what = _by(derivation.system, name)
        own = names.get(what, name) if what else name
        if own in system.by_name and own in system.defining and own != target and len(arrays) == len(points):
            answered[own] = arrays
    bench = Bench(system, target, points, answered)
    bench = Bench(system, target, points, _fitting(bench))
    constants = {
        t.name: tuple(float(np.asarray(p.values[t.name])) for p in points)
        for t in system.with_role(Role.HYPER)
        if not t.shape and all(t.name in p.values for p in points)
    }
    arrays = tuple(np.asarray(seen.answered) for seen in compared.seen)
    shop = Shop(bench, arrays, compared.theirs or compared.tensor, constants, clock.check)
    system = folded(shop)
    return Shop(Bench(system, target, points, bench.answered), arrays, shop.theirs, constants, clock.check)


def _fitting(bench: Bench) -> dict[str, tuple[Array, ...]]:
    """The answers that have the shape of what they stand for, and numbers for elements; each also for other
    tensors that are the same derivative, such as those by the summands of one sum."""
    plain = Bench(bench.system, bench.target, bench.points, {})
    found = {}
    for name, arrays in bench.answered.items():
        right = [plain.right(k, name) for k in range(len(arrays))]
        fits = all(
            a.dtype.kind in "fiu" and a.shape == r.shape and bool(np.isfinite(a).all())
            for a, r in zip(arrays, right, strict=True)
        )
        if fits:
            found[name] = arrays
            for other in plain.backward:
                if other not in bench.answered and other != bench.target and other not in found:
                    if all(same(plain.right(k, other), r) for k, r in enumerate(right)):
                        found[other] = arrays
    return found


def _holders(system: System) -> dict[str, str]:
    """The tensor that holds the derivative of the loss by each other one."""
    found = {}
    for tensor in system.tensors:
        what = tensor.differential
        if what is not None and not what.part and not what.whole and what.along is None:
            found[what.by] = tensor.name
    return found


def _by(system: System, name: str) -> str:
    what = system.by_name[name].differential if name in system.by_name else None
    return what.by if what is not None and not what.part else ""


def _follows(shop: Shop) -> bool:
    """Whether the answers are right, given those for what they rest on."""
    return all(same(answer, shop.bench.right(k)) for k, answer in enumerate(shop.answered))


def _mutants(
    shops: list[Shop], kind: Callable[[Shop, Equation], Iterator[Mutant]]
) -> Iterator[tuple[Shop, Mutant]]:
    """Mutants of the equations between loss and tensor, those of the nearest ones first."""
    longest = max(len(shop.bench.between) for shop in shops)
    for place in range(longest):
        for shop in shops:
            if place < len(shop.bench.between):
                equation = shop.bench.between[place]
                for mutant in kind(shop, equation):
                    yield shop, mutant


def _confirmed(shop: Shop, mutant: Mutant) -> Repair | None:
    """The repair of a mutant that gives what was answered, if need be times a constant that has a name."""
    found: list[Array] = []
    factors: list[float] = []
    for k, answer in enumerate(shop.answered):
        array = shop.bench.changed(k, mutant.changed, mutant.helpers)
        if array is None or array.shape != answer.shape:
            return None
        factor = 1.0 if same(answer, array) else ratio(answer, array)
        if factor is None:
            return None
        found.append(array)
        factors.append(factor)
    if all(factor == 1 for factor in factors):
        return Repair(mutant.slip, mutant.hint, mutant.effort)
    form = shop.recogniser.monomial(factors)
    if form is None or form.is_one:
        return None
    hint = f"{mutant.hint}; and {spelled(shop.theirs, form)}"
    return Repair(mutant.slip, hint, mutant.effort + max(form.effort, 1))


def _doubts(shop: Shop, mutant: Mutant, given: Mapping[str, tuple[Array, ...]]) -> int:
    """How many other answers the mutant doesn't explain, of those that would rest on it."""
    names = _holders(shop.bench.system)
    resting = shop.bench.resting([mutant.target])
    doubts = 0
    for name, arrays in given.items():
        what = shop.bench.system.by_name.get(name)
        by = what.differential.by if what is not None and what.differential is not None else ""
        own = names.get(by, name)
        if own == shop.bench.target or own not in resting or own in shop.bench.answered:
            continue
        found = shop.bench.changed(0, mutant.changed, mutant.helpers, wanted=own)
        doubts += found is None or not same(np.asarray(arrays[0]), found)
    return doubts

