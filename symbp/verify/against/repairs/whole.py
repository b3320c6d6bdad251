"""Slips that show in the array itself: a factor, a sign, other axes, a sum that is missing or too many.

Enters: a shop. Leaves: repairs, each confirmed at every point. Must not know: how the tensor came about,
beyond its own sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations
from math import prod

import numpy as np

from symbp.ir.printer import equation_text
from symbp.ir.system import Equation
from symbp.verify.against.answer import Repair
from symbp.verify.against.repairs.agreement import Array, ratio, same
from symbp.verify.against.repairs.constants.means import kind
from symbp.verify.against.repairs.constants.monomials import Monomial
from symbp.verify.against.repairs.constants.words import spelled
from symbp.verify.against.repairs.layouts import layouts
from symbp.verify.against.repairs.shop import Shop

MOST_AXES = 5
LARGE = 1 << 18  # elements that are added up


def whole(shop: Shop) -> Iterator[Repair]:
    """What an answer is of the right array."""
    right = [shop.bench.right(k) for k in range(len(shop.answered))]
    yield from factor(shop, right)
    yield from _axes(shop, right)
    yield from _sums(shop, right)
    yield from _steps(shop, right)
    yield from layouts(shop, right)


def told(shop: Shop, arrays: list[Array]) -> Monomial | None:
    """The constant that the answers are times these arrays, if it has a name."""
    found = []
    for answer, array in zip(shop.answered, arrays, strict=True):
        c = ratio(answer, array)
        if c is None:
            return None
        found.append(c)
    return shop.recogniser.monomial(found)


def factor(shop: Shop, right: list[Array]) -> Iterator[Repair]:
    if not any(np.any(answer) for answer in shop.answered) and all(
        a.shape == b.shape for a, b in zip(shop.answered, right, strict=True)
    ):
        yield Repair("missing term", f"{shop.theirs} stays 0: nothing is added to it", 1)
    form = told(shop, right)
    if form is None or form.is_one:
        return
    if form.is_sign:
        yield Repair("sign", f"{shop.theirs} has the wrong sign", 1)
        return
    hint = spelled(shop.theirs, form)
    own = shop.own
    yield Repair(kind(shop, form, own, own.body) if own is not None else "factor", hint, form.effort)


def everywhere(answers: Sequence[Array], arrays: Sequence[Array], change: Callable[[Array], Array]) -> bool:
    """Whether each answer is what a change makes of the array beside it."""
    for answer, array in zip(answers, arrays, strict=True):
        try:
            if not same(answer, np.asarray(change(array))):
                return False
        except (ValueError, IndexError):
            return False
    return True


def _axes(shop: Shop, right: list[Array]) -> Iterator[Repair]:
    rank = right[0].ndim
    if not 2 <= rank <= MOST_AXES:
        return
    for order in list(permutations(range(rank)))[1:]:
        if everywhere(shop.answered, right, lambda a, order=order: np.transpose(a, order)):  # type: ignore[misc]
            back = tuple(int(k) for k in np.argsort(order))
            how = "transpose it" if rank == 2 else f"permute its axes, transpose({', '.join(map(str, back))})"
            yield Repair("transpose", f"{shop.theirs} is transposed: {how}", 1)
    for count in range(1, rank + 1):
        for axes in combinations(range(rank), count):
            if everywhere(shop.answered, right, lambda a, axes=axes: np.flip(a, axes)):  # type: ignore[misc]
                yield Repair("transpose", f"{shop.theirs} is reversed along axis {_listed(axes)}", 2)


def _sums(shop: Shop, right: list[Array]) -> Iterator[Repair]:
    """Sums of the answer that give the right array; sums of the right array that give the answer."""
    theirs, rank = list(shop.answered), shop.answered[0].ndim
    if theirs[0].shape != right[0].shape and rank <= MOST_AXES:
        for axes in _some(rank):
            if everywhere(right, theirs, lambda a, axes=axes: a.sum(axis=axes)):  # type: ignore[misc]
                hint = f"the sum over axis {_listed(axes)} of {shop.theirs} is missing"
                yield Repair("missing sum", hint, 1)
    for axes in _some(right[0].ndim):
        forms: tuple[Callable[[Array], Array], ...] = (
            lambda a, axes=axes: a.sum(axis=axes),  # type: ignore[misc]
            lambda a, axes=axes: a.sum(axis=axes, keepdims=True),  # type: ignore[misc]
            lambda a, axes=axes: np.broadcast_to(a.sum(axis=axes, keepdims=True), a.shape),  # type: ignore[misc]
        )
        if any(everywhere(theirs, right, form) for form in forms):
            yield Repair("sum too many", f"{shop.theirs} is summed over axis {_listed(axes)}, too", 1)
    yield from _other_sums(shop)


def _some(rank: int) -> Iterator[tuple[int, ...]]:
    for count in range(1, rank + 1):
        yield from combinations(range(rank), count)


def _other_sums(shop: Shop) -> Iterator[Repair]:
    """What the tensor adds up, added up over other axes."""
    own, rank = shop.own, shop.answered[0].ndim
    if own is None or own.op != "sum" or len(own.all_indices) > MOST_AXES:
        return
    single = own.with_(indices=own.all_indices, reduction=None)
    bases = [shop.bench.base(k) for k in range(len(shop.answered))]
    if any(prod(base.extent(e) for e in own.ranges) > LARGE for base in bases):
        return
    boxes = [base.value(single) for base in bases]
    here = set(range(len(own.indices), len(own.all_indices)))
    for kept in permutations(range(len(own.all_indices)), rank):
        axes = tuple(k for k in range(len(own.all_indices)) if k not in kept)
        order = tuple(sorted(kept).index(k) for k in kept)
        for mean in (False, True):

            def over(
                a: Array, axes: tuple[int, ...] = axes, order: tuple[int, ...] = order, mean: bool = mean
            ) -> Array:
                return np.transpose(a.mean(axis=axes) if mean else a.sum(axis=axes), order)

            if everywhere(shop.answered, boxes, over):
                yield _said(shop, own, set(axes), here, mean)


def _said(shop: Shop, own: Equation, axes: set[int], here: set[int], mean: bool) -> Repair:
    names = [i.name for i in own.all_indices]
    missing = ", ".join(names[k] for k in sorted(here - axes))
    extra = ", ".join(names[k] for k in sorted(axes - here))
    text = equation_text(own.with_(target=shop.theirs))
    if missing and extra:
        return Repair("missing sum", f"{shop.theirs} is summed over {extra}, not over {missing}: {text}", 2)
    if missing:
        return Repair("missing sum", f"the sum over {missing} is missing: {text}", 1 + mean)
    if extra:
        return Repair("sum too many", f"the sum over {extra} is too many: {text}", 1 + mean)
    return Repair("mean for sum" if mean else "transpose", f"{shop.theirs} is a sum: {text}", 1)


def _steps(shop: Shop, right: list[Array]) -> Iterator[Repair]:
    if shop.own is None:
        return
    for axis in range(len(shop.own.shape)):
        for by in (1, -1):
            for zeros in (True, False):

                def moved(a: Array, axis: int = axis, by: int = by, zeros: bool = zeros) -> Array:
                    found = np.roll(a, by, axis)
                    if zeros:
                        gone = [slice(None)] * a.ndim
                        gone[axis] = slice(0, 1) if by > 0 else slice(-1, None)
                        found[tuple(gone)] = 0
                    return found

                if everywhere(shop.answered, right, moved):
                    late = "late" if by > 0 else "early"
                    hint = f"{shop.theirs} comes a step too {late} along axis {axis}"
                    yield Repair("step in time", hint, 1)


def _listed(axes: tuple[int, ...]) -> str:
    return " and ".join(map(str, axes))
