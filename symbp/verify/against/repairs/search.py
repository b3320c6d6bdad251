"""The search for the simplest repair: kinds of slips in their order, mutants confirmed at every point.

Enters: a derivation, a tensor that was answered wrong, what was answered for others, seconds. Leaves: a
repair, or None. Must not know: any one slip.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.ir.system import Equation
from symbp.verify.against.answer import Array, Compared, Repair
from symbp.verify.against.repairs.agreement import ratio, same
from symbp.verify.against.repairs.conditions import conditions
from symbp.verify.against.repairs.constants.words import spelled
from symbp.verify.against.repairs.exponents import exponents
from symbp.verify.against.repairs.extras import added
from symbp.verify.against.repairs.inner import inner_factors
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.preparing import Given, shops
from symbp.verify.against.repairs.reads import (
    instead,
    permuted,
    picked,
    renamed,
    replaced,
    shifted,
    shifted_elsewhere,
)
from symbp.verify.against.repairs.replay.cut import Slice, only_wrong, sliced
from symbp.verify.against.repairs.shop import Shop
from symbp.verify.against.repairs.slopes import missing_slopes, other_slopes, powers
from symbp.verify.against.repairs.sums import sums
from symbp.verify.against.repairs.terms import inner_terms, scaled, terms
from symbp.verify.against.repairs.whole import whole

FEW = 4  # elements that may agree by chance
Kind = Callable[[Shop, Equation], Iterator[Mutant]]
Tried = tuple[frozenset[str], tuple[Equation, ...]]  # what is given, what is changed
KINDS: tuple[Kind, ...] = (
    terms,
    sums,
    missing_slopes,
    shifted,
    permuted,
    other_slopes,
    conditions,
    exponents,
    scaled,
    powers,
    instead,
    shifted_elsewhere,
    renamed,
    picked,
    inner_terms,
    added,
    replaced,
    inner_factors,
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


@dataclass
class Best:
    """The best repair so far: one that explains what else was answered, without a constant besides, with the
    least effort; a factor that is known to be a count, rather than one that isn't."""

    repair: Repair | None = None
    cost: tuple[int, bool, int, bool] = (1 << 30, True, 0, True)

    def offer(self, repair: Repair, mutant: Mutant, doubts: int) -> bool:
        """Takes a repair if it is better, and says whether it is as good as any."""
        scaled = repair.effort > mutant.effort
        cost = (doubts, scaled, repair.effort, _is_plain(repair))
        if cost < self.cost:
            self.repair, self.cost = repair, cost
        return not doubts and not scaled and not _is_plain(repair)

    @property
    def will_do(self) -> bool:
        """Whether other kinds needn't be tried."""
        return self.repair is not None and not self.cost[1]


def find_repair(
    derivation: Derivation, compared: Compared, given: Given, *, seconds: float = 10.0
) -> Repair | None:
    """The simplest change with which what was answered for a tensor is right at every point.

    `given` is what was answered for others, by their names in the derivation's system or in a sweep over what
    was declared. None where a tensor only follows from these, or nothing was found in so many seconds of
    work."""
    clock = Clock(seconds)
    compared, given = _where_it_shows(compared, given)
    part = only_wrong(compared) if compared.kind == "gradient" else None
    if part is not None:
        found = _found(derivation, compared, given, clock, part)
        if found is not None:
            return replace(found, hint=f"in {part.spelled(compared.theirs or compared.tensor)}, {found.hint}")
    return _found(derivation, compared, given, clock)


def _found(
    derivation: Derivation, compared: Compared, given: Given, clock: Clock, part: Slice | None = None
) -> Repair | None:
    """The repair of all of a tensor, or of a part of it."""
    best = Best()
    if not _tells(compared if part is None else sliced(compared, part)):
        return None
    try:
        prepared = shops(derivation, compared, given, clock.check, part)
        if any(_follows(shop) for shop in prepared):
            return None
        found = [repair for shop in prepared for repair in islice(whole(shop), 1)]
        if found:
            return min(found, key=_is_plain)
        tried = set[Tried]()
        for alone, kind in product((True, False), KINDS):
            for shop, mutant in _mutants(prepared, kind, tried, given if alone else {}):
                clock.check()
                one = _confirmed(shop, mutant)
                if one is None:
                    continue
                told = dict(_others(shop, mutant, given))
                one = replace(one, explains=frozenset(name for name, explains in told.items() if explains))
                if best.offer(one, mutant, len(told) - len(one.explains)):
                    return one
            if best.will_do:
                break
    except (OutOfTime, SymbpError, ArithmeticError, NotImplementedError):
        pass  # a hint more or less: the verdict stands
    return best.repair


def _where_it_shows(compared: Compared, given: Given) -> tuple[Compared, Given]:
    """Without the points at which all is 0, as it is behind units that are all off: no factor shows there."""
    shows = [k for k, s in enumerate(compared.seen) if np.any(s.right) or np.any(s.answered)]
    if len(shows) == len(compared.seen):
        return compared, given
    left = {n: tuple(a[k] for k in shows) for n, a in given.items() if len(a) == len(compared.seen)}
    return replace(compared, seen=tuple(compared.seen[k] for k in shows)), left


def _is_plain(repair: Repair) -> bool:
    return repair.slip == "factor"


def _tells(compared: Compared) -> bool:
    """Whether there are points and elements enough, all finite."""
    arrays = [np.asarray(seen.answered) for seen in compared.seen]
    finite = all(a.dtype.kind in "fiu" and bool(np.isfinite(a).all()) for a in arrays)
    return len(arrays) > 1 and finite and sum(seen.right.size for seen in compared.seen) >= FEW


def _follows(shop: Shop) -> bool:
    """Whether the answers are right, given those for what they rest on."""
    return all(same(answer, shop.bench.right(k)) for k, answer in enumerate(shop.answered))


def _mutants(
    prepared: list[Shop], kind: Kind, tried: set[Tried], apart: Given
) -> Iterator[tuple[Shop, Mutant]]:
    """Mutants of the equations between loss and tensor on which nothing rests that is `apart`, those of the
    nearest ones first, each once."""
    longest = max((len(shop.bench.between) for shop in prepared), default=0)
    for place in range(longest):
        for shop in prepared:
            for equation in _apart(shop, shop.bench.between[place : place + 1], apart):
                for mutant in kind(shop, equation):
                    key = frozenset(shop.bench.answered), mutant.changed
                    if key not in tried:
                        tried.add(key)
                        yield shop, mutant


def _apart(shop: Shop, equations: list[Equation], given: Given) -> Iterator[Equation]:
    """The equations of which no other answer knows anything: where a tensor alone is wrong, it is wrong
    there."""
    own = {_own_name(shop, name) for name, arrays in given.items() if _is_right(shop, name, arrays)}
    own -= {shop.bench.target, *shop.bench.answered}
    yield from (e for e in equations if not own & shop.bench.resting([e.target]))


def _is_right(shop: Shop, name: str, arrays: Sequence[Array]) -> bool:
    own = _own_name(shop, name)
    known = own in shop.bench.system.defining
    return known and same(np.asarray(arrays[0]), shop.bench.right(0, own))


def _own_name(shop: Shop, name: str) -> str:
    """What the system of a shop calls the derivative that has a name in the derivation."""
    tensor = shop.bench.system.by_name.get(name)
    by = tensor.differential.by if tensor is not None and tensor.differential is not None else ""
    return shop.held.get(by, name)


def _confirmed(shop: Shop, mutant: Mutant) -> Repair | None:
    """The repair of a mutant that gives what was answered, if need be times a constant that has a name."""
    factors: list[float] = []
    for k, answer in enumerate(shop.answered):
        array = shop.bench.changed(k, mutant.changed, mutant.helpers)
        if array is None or array.shape != answer.shape:
            return None
        factor = 1.0 if same(answer, array) else ratio(answer, array)
        if factor is None:
            return None
        factors.append(factor)
    if all(factor == 1 for factor in factors):
        return Repair(mutant.slip, mutant.hint, mutant.effort)
    form = shop.recogniser.monomial(factors)
    if form is None or form.is_one:
        return None
    hint = f"{mutant.hint}; and {spelled(shop.theirs, form)}"
    return Repair(mutant.slip, hint, mutant.effort + max(form.effort, 1))


def _others(shop: Shop, mutant: Mutant, given: Given) -> Iterator[tuple[str, bool]]:
    """The other answers that would rest on a mutant, and whether it explains them."""
    resting = shop.bench.resting([mutant.target])
    for name, arrays in given.items():
        own = _own_name(shop, name)
        if own != shop.bench.target and own in resting and own not in shop.bench.answered:
            found = shop.bench.changed(0, mutant.changed, mutant.helpers, wanted=own)
            yield name, found is not None and same(np.asarray(arrays[0]), found)
