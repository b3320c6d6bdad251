"""Where everything stands, before any line is drawn: boxes, factors, lanes for lines.

Enters: layers, the sizes of boxes and factors. Leaves: a frozen frame. Must not know: labels, colours, SVG.

Along u the levels follow each other, across them runs v: u is down and v to the right, or u to the right and
v down. The forward half comes first along v, the backward half beside it, on the same levels. Between two
levels of boxes lie, along u: a fan of curves, lanes, the factors, lanes, a fan of curves. A lane is a line
along v for what leads from one half to the other, or around.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symbp.explain.drawing.graph import Graph
from symbp.explain.drawing.layers import Layers, Thread
from symbp.explain.drawing.places import places

FORWARD, BACKWARD = "forward", "backward"
FAN, LANE, CHANNEL, APART, THROUGH, EDGE = 18.0, 8.0, 34.0, 18.0, 12.0, 16.0
STRAIGHT = 6.0  # how much more an edge that passes through wants to be straight
LEAF = 0.2  # and how much less one from a leaf

Item = tuple[str, str]  # the half, and the item of the layers
Lane = tuple[int, str, tuple[str, str]]  # the level of factors, before or after them, what runs there


@dataclass(frozen=True)
class Sizes:
    """Width and height of boxes and factors by item; the room for the delays at loops."""

    of: Mapping[Item, tuple[float, float]]
    ring: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Saved:
    """A value of the forward pass that is a weight of the backward pass: from a node to a factor."""

    node: str
    factor: str


@dataclass(frozen=True)
class Frame:
    """The middles along u and v and the extents of all items; `lanes`, `channel` and the two margins say
    where lines run."""

    upright: bool
    u: Mapping[Item, float]
    v: Mapping[Item, float]
    du: Mapping[Item, float]
    dv: Mapping[Item, float]
    strips: Mapping[int, tuple[float, float]]
    lanes: Mapping[Lane, float]
    channel: Mapping[str, float]
    margins: Mapping[tuple[str, str], float]
    halves: Mapping[str, tuple[float, float]]
    extent: tuple[float, float]
    saved: tuple[Saved, ...] = field(default=())

    def xy(self, u: float, v: float) -> tuple[float, float]:
        """A point of the picture."""
        return (v, u) if self.upright else (u, v)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return self.xy(*self.extent)


def frame(graph: Graph, layers: Layers, sizes: Sizes, *, upright: bool) -> Frame:
    """The frame of a graph, with the levels from top to bottom if `upright`, else from left to right."""
    along, across = (1, 0) if upright else (0, 1)
    du = {item: size[along] for item, size in sizes.of.items()}
    dv = {item: size[across] for item, size in sizes.of.items()}
    boxes = {item for item in sizes.of if layers.level[item[1]] % 2 == 0}
    widest: dict[int, float] = {}
    for item, size in du.items():
        level = layers.level[item[1]]
        widest[level] = max(widest.get(level, 0.0), size)
    du |= {item: widest[layers.level[item[1]]] for item in boxes}
    saved = _saved(layers)
    lanes, strips, length = _along(layers, widest, _lanes(layers, saved))
    v, halves, channel, margins, breadth = _across(graph, layers, dv, sizes.ring[across], saved)
    u = {item: sum(strips[layers.level[item[1]]]) / 2 for item in v}
    return Frame(
        upright, u, v, du, dv, strips, lanes, channel, margins, halves, (length, breadth), tuple(saved)
    )


def _saved(layers: Layers) -> list[Saved]:
    """What leads from nodes to factors."""
    found: dict[Saved, None] = {}
    for line in layers.all_lines:
        if line.flow is not None:
            found |= dict.fromkeys(Saved(n, line.factor) for n in line.flow.saved if n in layers.level)
    return list(found)


def lanes_of(layers: Layers, saved: Saved) -> list[Lane]:
    """The lanes that a saved value takes to a factor: one, if they are neighbours, else two."""
    start, end, key = layers.level[saved.node], layers.level[saved.factor], ("saved", saved.node)
    side = "before" if end > start else "after"
    first = start + 1 if end > start else start - 1
    return [(first, side, key)] if first == end else [(first, side, key), (end, side, key)]


def passed(layers: Layers, thread: Thread, half: str) -> list[str]:
    """The items of a thread that have a place in a half."""
    return [i for i in thread.items if half == BACKWARD or layers.level[i] % 2 == 0]


def _lanes(layers: Layers, saved: Iterable[Saved]) -> list[Lane]:
    found: dict[Lane, None] = {}
    for one in saved:
        found |= dict.fromkeys(lanes_of(layers, one))
    for ring in layers.rings:
        read, reader = ring.edge.read, ring.edge.reader
        found.setdefault((layers.level[read] + 1, "before", ("ring", read)))
        found.setdefault((layers.level[reader] - 1, "after", ("ring", read)))
        if ring.flow is not None:
            found.setdefault((layers.level[ring.factor], "before", ("back", read)))
    return list(found)


def _along(
    layers: Layers, widest: Mapping[int, float], lanes: Iterable[Lane]
) -> tuple[dict[Lane, float], dict[int, tuple[float, float]], float]:
    """The place of each lane and each strip along u, and how long all are."""
    used: dict[tuple[int, str], list[Lane]] = {}
    for lane in lanes:
        used.setdefault(lane[:2], []).append(lane)
    levels = [*layers.levels, *(k for k, _ in used)]
    low, high = min(levels), max(levels)
    at, found, strips = EDGE, dict[Lane, float](), dict[int, tuple[float, float]]()
    for k in range(low, high + 1):
        if k % 2 == 0:
            strips[k] = (at, at + widest.get(k, 0.0))
            at = strips[k][1]
            continue
        at += FAN if k > low else 0.0
        for lane in used.get((k, "before"), ()):
            found[lane] = at + LANE / 2
            at += LANE
        strips[k] = (at + 4, at + 4 + widest.get(k, 0.0))
        at = strips[k][1] + 4
        for lane in used.get((k, "after"), ()):
            found[lane] = at + LANE / 2
            at += LANE
        at += FAN if k < high else 0.0
    return found, strips, at + EDGE


def _across(
    graph: Graph, layers: Layers, dv: dict[Item, float], ring: float, saved: Iterable[Saved]
) -> tuple[
    dict[Item, float],
    dict[str, tuple[float, float]],
    dict[str, float],
    dict[tuple[str, str], float],
    float,
]:
    """The middle of each item across, the two halves, and where lines run between and beside them."""
    found: dict[Item, float] = {}
    halves: dict[str, tuple[float, float]] = {}
    margins: dict[tuple[str, str], float] = {}
    channel: dict[str, float] = {}
    sources = list(dict.fromkeys(r.edge.read for r in layers.rings))
    at = EDGE
    for source in sources:
        margins[FORWARD, source] = at + ring / 2
        at += ring + LANE
    half, breadth = _half(layers, FORWARD, dv)
    found |= {item: at + v for item, v in half.items()}
    halves[FORWARD] = (at, at + breadth)
    at += breadth
    if not graph.adjoints:
        return found, halves, channel, margins, at + EDGE
    at += CHANNEL / 2
    for node in dict.fromkeys(s.node for s in saved if len(lanes_of(layers, s)) > 1):
        channel[node] = at + LANE / 2
        at += LANE
    at += CHANNEL / 2
    half, breadth = _half(layers, BACKWARD, dv)
    found |= {item: at + v for item, v in half.items()}
    halves[BACKWARD] = (at, at + breadth)
    at += breadth
    drawn = [r.edge.read for r in layers.rings if r.flow is not None]
    for source in dict.fromkeys(drawn):
        margins[BACKWARD, source] = at + LANE + ring / 2
        at += ring + LANE
    return found, halves, channel, margins, at + EDGE


def _pulls(
    layers: Layers, thread: Thread, half: str, dv: Mapping[Item, float]
) -> Iterable[tuple[str, str, float]]:
    """How strongly the items of a thread are drawn to each other: most where it only passes through; a reader
    hardly to a tensor that reads nothing, which comes to it."""
    items, leaves = passed(layers, thread, half), layers.leaves
    for one, other in itertools.pairwise(items):
        weight = STRAIGHT ** sum((half, i) not in dv for i in (one, other))
        yield one, other, weight
        yield other, one, weight * (LEAF if other == items[-1] and items[0] in leaves else 1.0)


def _half(layers: Layers, half: str, dv: dict[Item, float]) -> tuple[dict[Item, float], float]:
    """The places of one half, from 0 on, and how broad it is. In the forward half a factor is a place where
    an edge passes through; in the backward half only what flows is there."""
    threads = [t for t in layers.threads if (t.first if half == FORWARD else t.flow is not None)]
    rings = {r.factor for r in layers.rings if r.flow is not None and half == BACKWARD}
    items = {i for t in threads for i in t.items} | rings
    items |= {i for h, i in dv if h == half}
    step = 2 if half == FORWARD else 1  # where no factors are, edges pass between boxes only
    levels = {k: [i for i in own if i in items] for k, own in layers.levels.items() if k % step == 0}
    items = {i for own in levels.values() for i in own}
    sizes = {i: dv.get((half, i), 0.0) for i in items}
    gaps = {i: APART if (half, i) in dv and layers.level[i] % 2 == 0 else THROUGH for i in items}
    pulls = [pull for thread in threads for pull in _pulls(layers, thread, half, dv)]
    pulls += [(r.factor, r.edge.reader, 1.0) for r in layers.rings if r.factor in rings]
    weights = {i: LEAF if i in layers.leaves else 1.0 if (half, i) in dv else STRAIGHT for i in items}
    found = places(levels, sizes, pulls, gaps, weights)
    breadth = max((found[i] + sizes[i] / 2 for i in items), default=0.0)
    return {(half, i): v for i, v in found.items()}, breadth
