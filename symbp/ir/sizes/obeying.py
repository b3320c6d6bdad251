"""Sizes that obey equalities of extents, near others that don't.

Enters: values of sizes, pairs of extents. Leaves: values. Must not know: systems, what the values are for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sympy

from symbp.ir.expr import Expr, Size, free_sizes

Pair = tuple[Expr, Expr]
FURTHEST = 64  # how far above its value a size is looked for: 2⁶ divides one of so many in a row


def obeyed(pairs: Sequence[Pair], sizes: Mapping[Size, Expr]) -> bool:
    """Whether the equalities hold at these values, as far as all sizes of one are among them."""
    return all(
        one.xreplace(sizes) == other.xreplace(sizes)
        for one, other in pairs
        if free_sizes(one) | free_sizes(other) <= sizes.keys()
    )


def obeying(sizes: Mapping[str, int], pairs: Sequence[Pair], fixed: Collection[str] = ()) -> dict[str, int]:
    """The values with as few raised as it takes for the equalities to hold, one after the other, but for the
    `fixed` ones; as they are where that isn't found."""
    found = {Size(name): sympy.Integer(value) for name, value in sizes.items()}
    for count in range(1, len(pairs) + 1):
        if obeyed(pairs[:count], found):
            continue
        mentioned = free_sizes(pairs[count - 1][0]) | free_sizes(pairs[count - 1][1])
        for size in sorted(mentioned, key=lambda s: s.name):
            if size.name in fixed or size not in found:
                continue
            raised = ({**found, size: found[size] + k} for k in range(1, FURTHEST + 1))
            good = next((values for values in raised if obeyed(pairs[:count], values)), None)
            if good is not None:
                found = good
                break
    return {name: int(found[Size(name)]) for name in sizes}
