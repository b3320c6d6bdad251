"""Sizes that obey equalities of extents, near others that don't.

Enters: values of sizes, pairs of extents. Leaves: values. Must not know: systems, what the values are for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from symbp.ir.sizes.formula import Formula

Pair = tuple[Formula, Formula]
FURTHEST = 64  # how far above its value a size is looked for: 2⁶ divides one of so many in a row


def obeyed(pairs: Sequence[Pair], sizes: Mapping[str, int]) -> bool:
    """Whether the equalities hold at these values, as far as all sizes of one are among them."""
    return all(
        one.at(sizes) == other.at(sizes)
        for one, other in pairs
        if all(name in sizes for name in (*one.names, *other.names))
    )


def obeying(sizes: Mapping[str, int], pairs: Sequence[Pair], fixed: Collection[str] = ()) -> dict[str, int]:
    """The values with as few raised as it takes for the equalities to hold, one after the other, but for the
    `fixed` ones; as they are where that isn't found."""
    found = dict(sizes)
    for count in range(1, len(pairs) + 1):
        if obeyed(pairs[:count], found):
            continue
        one, other = pairs[count - 1]
        for name in sorted({*one.names, *other.names}):
            if name in fixed or name not in found:
                continue
            raised = ({**found, name: found[name] + k} for k in range(1, FURTHEST + 1))
            good = next((values for values in raised if obeyed(pairs[:count], values)), None)
            if good is not None:
                found = good
                break
    return found
