"""Where the items of each level stand across: near what they are joined with, and apart from each other.

Enters: levels of items in order, their sizes, links. Leaves: the middle of each item. Must not know: what an
item is, or which way the picture runs.

The places of one level are the nearest in the sense of least squares to where its items are wanted, with
their order and distances kept: pooled neighbours, as in isotonic regression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

ROUNDS = 24


def places(
    levels: Mapping[int, Sequence[str]],
    sizes: Mapping[str, float],
    links: Iterable[tuple[str, str, float]],
    gaps: Mapping[str, float],
) -> dict[str, float]:
    """The middle of each item, the smallest edge at 0. `links` are pairs with a weight, how much they want to
    be straight; `gaps` the room that an item needs on both sides."""
    beside: dict[str, list[tuple[str, float]]] = {}
    for one, other, weight in links:
        beside.setdefault(one, []).append((other, weight))
        beside.setdefault(other, []).append((one, weight))
    found: dict[str, float] = {}
    for items in levels.values():
        found |= _apart(items, dict.fromkeys(items, 0.0), sizes, gaps)
    for count in range(ROUNDS):
        for k in sorted(levels, reverse=count % 2 == 1):
            wanted = {}
            for item in levels[k]:
                near = beside.get(item, ())
                total = sum(weight for _, weight in near)
                wanted[item] = sum(found[o] * w for o, w in near) / total if total else found[item]
            found |= _apart(levels[k], wanted, sizes, gaps)
    edge = min((found[i] - sizes[i] / 2 for items in levels.values() for i in items), default=0.0)
    return {item: middle - edge for item, middle in found.items()}


def _apart(
    items: Sequence[str], wanted: Mapping[str, float], sizes: Mapping[str, float], gaps: Mapping[str, float]
) -> dict[str, float]:
    """The places nearest to the wanted ones that keep the order and the distances."""
    offsets, reach = [], 0.0
    for at, item in enumerate(items):
        if at:
            last = items[at - 1]
            reach += (sizes[last] + sizes[item]) / 2 + max(gaps[last], gaps[item])
        offsets.append(reach)
    pools: list[tuple[float, int]] = []  # (sum of wanted places without offsets, how many)
    for item, offset in zip(items, offsets, strict=True):
        total, count = wanted[item] - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    starts = [total / count for total, count in pools for _ in range(count)]
    return {item: s + o for item, s, o in zip(items, starts, offsets, strict=True)}
