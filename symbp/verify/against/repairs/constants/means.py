"""Which constants are counts: a mean where a sum belongs, or the other way round.

Enters: a shop, a constant, where it was found. Leaves: the kind of slip. Must not know: how it was found.
"""

from __future__ import annotations

from itertools import combinations
from math import prod

from symbp.ir.expr import Access, Expr, accesses
from symbp.ir.system import Equation
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.constants.monomials import Monomial
from symbp.verify.against.repairs.shop import Shop

CLOSE = 1e-6


def kind(shop: Shop, factor: Monomial, equation: Equation, part: Expr) -> Slip:
    """A mean where a sum belongs divides by how many there are, and the other way round."""
    if factor.number < 0:
        return "factor"
    values = shop.recogniser.values(factor)
    less = values[0] < 1
    groups = _summed(shop, equation, part, len(equation.indices))
    if less:
        groups.append(_own(shop, equation))
        groups = [some for g in groups for n in range(1, len(g) + 1) for some in combinations(g, n)]
    for group in filter(None, groups):
        counts = [prod(shop.bench.base(k).extent(e) for e in group) for k in range(len(values))]
        if all(abs(n * v - 1 if less else n / v - 1) < CLOSE for n, v in zip(counts, values, strict=True)):
            return "mean for sum" if less else "sum for mean"
    return "factor"


def _own(shop: Shop, equation: Equation) -> tuple[Expr, ...]:
    """The lengths over which an equation sums, also where it sums up sums."""
    lengths = tuple(equation.extents[i] for i in equation.reduced)
    body = equation.body
    inner = shop.bench.system.defining.get(body.name) if isinstance(body, Access) else None
    return lengths + (_own(shop, inner) if inner is not None and inner.op == "sum" else ())


def _summed(shop: Shop, equation: Equation, part: Expr, rank: int) -> list[tuple[Expr, ...]]:
    """The lengths over which what a part reads is summed up, where that has less rank than the whole."""
    found = list[tuple[Expr, ...]]()
    for access in accesses(part):
        if access.name not in shop.adjoints:
            continue
        inner = shop.bench.backward.get(access.name)
        what = shop.bench.system.tensor(access.name).differential
        if inner is not None and (len(inner.indices) < rank or (what is not None and what.part)):
            found.append(tuple(inner.extents[i] for i in inner.reduced))
            found += _summed(shop, inner, inner.body, len(inner.indices)) if inner.op is None else []
        if len(access.subscripts) < rank:
            found.append(tuple(equation.extents[i] for i in equation.indices if i not in access.free_symbols))
    return found
