"""Where the items of each level stand across: near what they are joined with, and apart from each other.

Enters: levels of items in order, their sizes, links. Leaves: the middle of each item. Must not know: what an
item is, or which way the picture runs.

The places of one level are the nearest in the sense of least squares to where its items are wanted, with
their order and distances kept: pooled neighbours, as in isotonic regression. No level is given more room than
the widest one takes, so that a long picture doesn't drift to one side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

ROUNDS = 100


def places(
    levels: Mapping[int, Sequence[str]],
    sizes: Mapping[str, float],
    pulls: Iterable[tuple[str, str, float]],
    gaps: Mapping[str, float],
    weights: Mapping[str, float],
) -> dict[str, float]:
    """The middle of each item, the smallest edge at 0. `pulls` say how strongly the first item is drawn to
    the second; `gaps` the room that an item needs on both sides; `weights` how much its wish counts among
    those on its level."""
    beside: dict[str, list[tuple[str, float]]] = {}
    for one, other, weight in pulls:
        beside.setdefault(one, []).append((other, weight))
    found: dict[str, float] = {}
    room = max((_offsets(items, sizes, gaps)[1] for items in levels.values() if items), default=0.0)
    for items in levels.values():
        found |= _apart(items, dict.fromkeys(items, room / 2), sizes, gaps, room, weights)
    for count in range(ROUNDS):
        for k in sorted(levels, reverse=count % 2 == 1):
            wanted = {}
            for item in levels[k]:
                near = beside.get(item, ())
                total = sum(weight for _, weight in near)
                wanted[item] = sum(found[o] * w for o, w in near) / total if total else found[item]
            found |= _apart(levels[k], wanted, sizes, gaps, room, weights)
    edge = min((found[i] - sizes[i] / 2 for items in levels.values() for i in items), default=0.0)
    return {item: middle - edge for item, middle in found.items()}


def _offsets(
    items: Sequence[str], sizes: Mapping[str, float], gaps: Mapping[str, float]
) -> tuple[list[float], float]:
    """The middles of items that stand as close as they may, from 0 on, and how much room they take."""
    offsets, reach = [], sizes[items[0]] / 2
    for at, item in enumerate(items):
        if at:
            last = items[at - 1]
            reach += (sizes[last] + sizes[item]) / 2 + max(gaps[last], gaps[item])
        offsets.append(reach)
    return offsets, reach + sizes[items[-1]] / 2


def _apart(
    items: Sequence[str],
    wanted: Mapping[str, float],
    sizes: Mapping[str, float],
    gaps: Mapping[str, float],
    room: float,
    weights: Mapping[str, float],
) -> dict[str, float]:
    """The places nearest to the wanted ones that keep the order and the distances, within some room."""
    if not items:
        return {}
    offsets, taken = _offsets(items, sizes, gaps)
    pools: list[tuple[float, float, int]] = []  # weighted sum of wanted places less offsets, weights, count
    for item, offset in zip(items, offsets, strict=True):
        weight = weights[item]
        pool = (weight * (wanted[item] - offset), weight, 1)
        while pools and pools[-1][0] / pools[-1][1] > pool[0] / pool[1]:
            last = pools.pop()
            pool = (pool[0] + last[0], pool[1] + last[1], pool[2] + last[2])
        pools.append(pool)
    starts = [min(max(s / weight, 0.0), room - taken) for s, weight, count in pools for _ in range(count)]
    return {item: s + o for item, s, o in zip(items, starts, offsets, strict=True)}
