"""The right elements in wrong places: axes that are split, exchanged or joined in another order.

Enters: a shop, right arrays. Leaves: repairs. Must not know: how the tensor came about.

A reshape joins axes that are next to each other; where a transpose is forgotten before it, every element is
there, and most are elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import sympy

from symbp.ir.expr import Expr
from symbp.verify.against.answer import Repair
from symbp.verify.against.repairs.agreement import Array, same
from symbp.verify.against.repairs.shop import Shop

MOST = 6  # axes after splitting
Lengths = tuple[tuple[int, ...], ...]
"""Into which axes one is split, at each point."""


def layouts(shop: Shop, right: list[Array]) -> Iterator[Repair]:
    """The axes, split and in another order, that give what was answered."""
    pairs, own = list(zip(shop.answered, right, strict=True)), shop.own
    if own is None or any(a.shape != b.shape or not same(_sorted(a), _sorted(b)) for a, b in pairs):
        return
    numbers = sorted({int(n) for n in own.body.atoms(sympy.Integer) if n > 1})
    for axes in product(*(_splits(shop, extent, numbers) for extent in own.shape)):
        splits = [sum((axis[k] for axis in axes), ()) for k in range(len(pairs))]
        if not 1 < len(splits[0]) <= MOST:
            continue
        shop.check()
        for order in list(permutations(range(len(splits[0]))))[1:]:
            turned = (
                b.reshape(s).transpose(order).reshape(b.shape) for s, b in zip(splits, right, strict=True)
            )
            if all(same(a, t) for a, t in zip(shop.answered, turned, strict=True)):
                hint = f"{shop.theirs} has the right elements in the order of other axes: "
                yield Repair("transpose", f"{hint}a reshape joins only axes that are next to each other", 2)
                return


def _splits(shop: Shop, extent: Expr, numbers: list[int]) -> list[Lengths]:
    """An axis as it is, as its factors, and as so many times something."""
    bases = [shop.bench.base(k) for k in range(len(shop.answered))]
    whole = [base.extent(extent) for base in bases]
    found: dict[Lengths, None] = {tuple((n,) for n in whole): None}
    for factors in permutations(sympy.Mul.make_args(extent)):
        found[tuple(tuple(base.extent(f) for f in factors) for base in bases)] = None
    for number in numbers:
        if all(n % number == 0 for n in whole):
            found[tuple((number, n // number) for n in whole)] = None
            found[tuple((n // number, number) for n in whole)] = None
    return [*found]


def _sorted(array: Array) -> Array:
    return np.sort(array, axis=None)
