"""Small sizes that fit a system: every range has an element, every unguarded read stays in its tensor.

Enters: a system. Leaves: values for its sizes. Must not know: values of tensors, how a system came to be.

A kernel must not be larger than its image, nor a slice than its axis, though nothing but the subscripts
says so.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy

from symbp.ir.axes.lengths import rooms_under_conditions
from symbp.ir.expr import Expr, FloorDiv, Guard, Mod, Size, accesses, free_indices, free_sizes, parts_of
from symbp.ir.points.reaches import Reach, reaches
from symbp.ir.sizes.formula import Formula, formulas
from symbp.ir.sizes.obeying import Pair, obeyed, obeying
from symbp.ir.system import System

SMALL = ((3, 4, 5, 2, 6, 7), (4, 3, 6, 5, 2, 8))  # pairwise distinct, and in another order at each point
RATIOS = ((1, 1), (2, 1), (1, 2))  # in which two sizes must not stand at both of two points
FALLING = ((6, 4, 3, 2), (5, 3, 2, 4))  # where the first must not be less than the second: XᵀX inverted
ANEW = 1000  # variants from here on don't begin with the small sizes
TRIES = 400
MOST_KEPT = 50_000  # elements of all boxes, to keep axes with positions where all is evaluated one by one
LARGEST_KEPT = 16  # value of a size whose axis is read at numbers, unless they need more
FARTHEST = 4096  # to which a size is raised for windows to fit
MOST_MORE = 5  # variants, in which a size that is raised is larger by 0, 1, … than need be
EASY = 20  # where so many tries fail, a declaration's own values are a better start than chance


@dataclass(frozen=True)
class Constraints:
    """What sizes must obey: extents and divisors that are 1 or more, subscripts that stay in range, pairs of
    extents that are equal, and rooms of reads under conditions, 1 or more."""

    extents: tuple[Formula, ...]
    reaches: tuple[Reach, ...]
    equal: tuple[Pair, ...] = ()
    rooms: tuple[Formula, ...] = ()

    def shared(self, sizes: Mapping[str, int], others: Mapping[str, int]) -> int:
        """How many sizes and extents have the same value in both."""
        same = sum(int(e.at(sizes) == e.at(others)) for e in self.extents)
        return same + sum(others.get(name) == value for name, value in sizes.items())

    def alike(self, sizes: Mapping[str, int], others: Mapping[str, int]) -> int:
        """How many sizes and extents have at both points the values of another one, which they would be
        taken for."""
        extents = [(int(e.at(sizes)), int(e.at(others))) for e in self.extents]
        pairs = [*extents, *((sizes[name], others[name]) for name in sizes)]
        return len(pairs) - len(set(pairs))

    def hold(self, sizes: Mapping[str, int]) -> bool:
        """Whether these values fit."""
        for length in (*self.extents, *self.rooms):
            value = length.at(sizes)
            if not value.is_Integer or value < 1:
                return False
        return obeyed(self.equal, sizes) and all(reach.stays(sizes) is not False for reach in self.reaches)


def sample_sizes(system: System, variant: int = 0, *, falling: bool = False) -> dict[str, int]:
    """A small value for each size, distinct for up to six sizes (four if falling), so that they fit.

    Other bound values are ignored on purpose, unless nothing else is found that fits. An odd variant
    differs from the one before in each size and each extent, as far as it can: one that is 2 everywhere is
    taken for the number. Where there are more sizes than small values some agree, but no two of them in
    both variants: values that agree at both are taken for each other, 1/N for 1/H.

    Bound sizes whose axes are read or asked about at positions given as numbers keep their value in even
    variants: the sixth of six labels occurs only where there are six.
    """
    small = FALLING if falling else SMALL
    before = tuple(sample_sizes(system, variant - 1, falling=falling).items()) if variant % 2 else None
    kept = () if variant % 2 else tuple(literal_sizes(system).items())
    return dict(_fitting(system, small[variant % 2], variant, before, kept=kept))


def least_sizes(system: System) -> dict[str, int]:
    """2 and 3 in turn, for what is evaluated exactly, but for axes with positions given as numbers, while
    boxes stay small; others where these don't fit, unlike a sample's."""
    for kept in (tuple(literal_sizes(system).items()), ()):
        found = dict(_fitting(system, (2, 3), 0, None, _fitting(system, SMALL[0], 0), kept))
        if elements(system, found) <= MOST_KEPT:
            break
    return found


def elements(system: System, sizes: Mapping[str, int]) -> int:
    """The elements of the boxes of all equations together; 0 for those whose sizes aren't all there."""
    values = {Size(name): sympy.Integer(value) for name, value in sizes.items()}
    total = 0
    for equation in system.equations:
        extents = [extent.xreplace(values) for extent in equation.ranges]
        total += math.prod(int(e) for e in extents) if all(e.is_Integer for e in extents) else 0
    return total


def random_sizes(system: System, seed: int, largest: int) -> dict[str, int]:
    """Sizes that fit, each drawn from 2 to `largest` whatever the others are; with an even seed, those whose
    axes have positions given as numbers have their value. Where chance finds none, a sample's."""
    draw, needed = random.Random(seed), constraints(system)
    kept = {} if seed % 2 else dict(literal_sizes(system))
    for _ in range(TRIES):
        chosen = obeying({**{name: draw.randint(2, largest) for name in system.sizes}, **kept}, needed.equal)
        if needed.hold(chosen):
            return chosen
    return sample_sizes(system, ANEW + seed)


Sizes = tuple[tuple[str, int], ...]


def _fits(part: Formula | Reach, sizes: Mapping[str, int]) -> bool:
    """Whether an extent has an element, or a read stays in its tensor."""
    return bool(part.at(sizes) >= 1) if isinstance(part, Formula) else part.stays(sizes) is not False


def _raised(sizes: Mapping[str, int], needed: Constraints, more: int) -> dict[str, int] | None:
    """The sizes with as few raised as it takes for each extent to have an element, and for each read to stay
    in its tensor: five windows in a row need images larger than chance draws, and so does column 50 of a
    table. These are `more` than need be: a width of 51 everywhere is taken for the number. None where that
    isn't found."""
    found = dict(sizes)
    parts: list[Formula | Reach] = [*needed.extents, *needed.reaches, *needed.rooms]
    for part in parts:
        for name in part.names:
            if _fits(part, found) or not _fits(part, {**found, name: FARTHEST}):
                continue
            low, high = found[name], FARTHEST
            while low < high:
                middle = (low + high) // 2
                low, high = (low, middle) if _fits(part, {**found, name: middle}) else (middle + 1, high)
            found[name] = low + more if _fits(part, {**found, name: low + more}) else low
    found = obeying(found, needed.equal)
    return found if needed.hold(found) else _raised(sizes, needed, 0) if more else None


@lru_cache(maxsize=64)
def _fitting(
    system: System,
    small: Sequence[int],
    variant: int,
    unlike: Sizes | None = None,
    else_unlike: Sizes | None = None,
    kept: Sizes = (),
) -> Sizes:
    """Sizes that fit, the first of the `small` ones if they do; among others those that have the least in
    common with `unlike`, as have the first ones if it is given; `kept` ones are not chosen."""
    names, needed = system.sizes, constraints(system)
    first = _in_turn(names, small, dict(unlike or ()), dict(kept))
    known = {**first, **{name: value for name, value in system.bound.items() if name in first}}
    best: tuple[int, dict[str, int]] | None = None
    for attempt in range(int(variant >= ANEW), TRIES):
        chosen = first if attempt == 0 else _drawn(names, variant, attempt, dict(unlike or ()), dict(kept))
        chosen = obeying(chosen, needed.equal)
        if not needed.hold(chosen):
            if attempt == EASY and best is None and needed.hold(known):
                best = (0, _lowered(known, needed, variant, dict(unlike or ()), distinct=len(small) > 2))
                break
            continue
        other = unlike if attempt == 0 else unlike or else_unlike
        shared = 0 if other is None else needed.shared(chosen, dict(other))
        if best is None or shared < best[0]:
            best = (shared, chosen)
        if shared == 0:
            break
    more = variant % MOST_MORE
    found = (_raised(known, needed, more) or obeying(known, needed.equal)) if best is None else best[1]
    return tuple(_told_apart(found, needed, dict(unlike or ()), dict(kept)).items())


def _told_apart(
    sizes: dict[str, int], needed: Constraints, other: Mapping[str, int], kept: Mapping[str, int]
) -> dict[str, int]:
    """The sizes with as many changed as it takes, as far as others fit, for no two sizes or extents to agree
    at both of two points: a kernel of 1 before a padded one of 3 leaves an image as large as it was."""
    if not other or not needed.alike(sizes, other):
        return sizes
    found, most = dict(sizes), needed.alike(sizes, other) + needed.shared(sizes, other)
    for name in (n for n in sizes if n not in kept):
        for value in (*range(2, 9), 2 * sizes[name]):
            changed = {**found, name: value}
            if not _taken_for_another(name, value, found, other) and needed.hold(changed):
                wrong = needed.alike(changed, other) + needed.shared(changed, other)
                if wrong < most:
                    found, most = changed, wrong
    return found


def _in_turn(
    names: Sequence[str], values: Sequence[int], unlike: Mapping[str, int], kept: Mapping[str, int]
) -> dict[str, int]:
    """The values in turn, each but for those that would take one size for another, or for a number; after
    the `kept` ones."""
    found: dict[str, int] = {name: kept[name] for name in names if name in kept}
    for k, name in enumerate(n for n in names if n not in kept):
        turn = k % len(values)
        ring = (*values[turn:], *values[:turn])
        found[name] = next((v for v in ring if not _taken_for_another(name, v, found, unlike)), ring[0])
    return found


def _taken_for_another(name: str, value: int, found: Mapping[str, int], unlike: Mapping[str, int]) -> bool:
    """Whether a size would be at both points what it is at one, or as many times another one."""
    before = unlike.get(name)
    if before is None:
        return False
    if value == before:
        return True
    pairs = ((v, unlike[other]) for other, v in found.items() if other != name and other in unlike)
    return any(value * b == a * v and before * b == a * u for v, u in pairs for a, b in RATIOS)


def _lowered(
    sizes: dict[str, int], needed: Constraints, variant: int, unlike: Mapping[str, int], *, distinct: bool
) -> dict[str, int]:
    """Sizes that fit made small one after the other, as far as they still fit: an image can only be as
    small as its kernels allow. The variant says which goes first; `distinct` uses values up to 7 once."""
    names, found, before = list(sizes), dict(sizes), None
    turn = variant % len(names)
    while found != before:
        before = dict(found)
        for name in names[turn:] + names[:turn]:
            others = {value for other, value in found.items() if other != name and distinct and value < 8}
            for value in (v for v in range(2, found[name]) if v not in others):
                if _taken_for_another(name, value, found, unlike):
                    continue
                if needed.hold({**found, name: value}):
                    found[name] = value
                    break
    return found


def _drawn(
    names: Sequence[str], variant: int, attempt: int, unlike: Mapping[str, int], kept: Mapping[str, int]
) -> dict[str, int]:
    """Other small values, distinct where there are enough of them."""
    draw = random.Random(variant * TRIES + attempt)
    values = list(range(2, 9 + attempt // 50))
    draw.shuffle(values)
    return _in_turn(names, values, unlike, kept)


@lru_cache(maxsize=32)
def literal_sizes(system: System) -> Mapping[str, int]:
    """The bound sizes of axes with a position of their own: read at a number (`x[n, 5]`), at a number of
    steps from an index (`x[n, j + 4]`), or compared with one (`[k = 5]`). They have their values; where
    these are large, one that holds all of the positions and a few more."""
    farthest: dict[str, int] = {}
    shapes = {t.name: t.shape for t in system.tensors}
    for equation in system.equations:
        for e in (equation.body, *equation.where):
            whole = [g for g in parts_of(e, Guard) if g.lhs.is_integer and g.rhs.is_integer]
            asked = [(g.rhs - g.lhs, (), g.op in ("=", "!=")) for g in whole]
            pairs = [pair for a in accesses(e) for pair in zip(a.subscripts, shapes[a.name], strict=True)]
            read = [(subscript, (n,), not free_indices(subscript)) for subscript, n in pairs]
            for position, axes, exact in (*asked, *read):
                step = abs(int(position.as_coeff_Add()[0]))
                if step < (1 if exact else 2):  # a step of one is any recurrence's
                    continue
                extents = [equation.extents[i] for i in free_indices(position) if i in equation.extents]
                for size in sorted({s.name for n in (*extents, *axes) for s in free_sizes(n)}):
                    farthest[size] = max(farthest.get(size, 0), step)
    return {
        name: min(system.bound[name], max(LARGEST_KEPT, step + 2))
        for name, step in farthest.items()
        if name in system.bound
    }


@lru_cache(maxsize=32)
def constraints(system: System) -> Constraints:
    """What the sizes of a system must obey, beyond what every positive integer does."""
    extents: dict[Expr, None] = {}
    found: dict[Reach, None] = {}
    shapes = {t.name: t.shape for t in system.tensors}
    for shape in (*shapes.values(), *(e.ranges for e in system.equations)):
        extents |= dict.fromkeys(e for e in shape if not isinstance(e, Size) and e.free_symbols)
    for equation in system.equations:
        for e in (equation.body, *equation.where):
            divisors = sorted({d.args[1] for d in e.atoms(FloorDiv, Mod)}, key=sympy.default_sort_key)
            extents |= dict.fromkeys(d for d in divisors if d.free_symbols and not isinstance(d, Size))
        found |= dict.fromkeys(reaches(equation, shapes, system.bound))
    rooms = tuple(map(Formula, rooms_under_conditions(system)))
    return Constraints(tuple(map(Formula, extents)), tuple(found), formulas(system.conditions), rooms)
