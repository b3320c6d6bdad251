"""The layers of a graph, and the order within each that crosses few edges.

Enters: a graph. Leaves: frozen layers of items: boxes, the factors of the backward pass between them, and a
place in each layer that an edge passes through. Must not know: sizes, places in pixels.

Tensors stand on even levels, factors on the odd ones between. A tensor stands as late as what reads it
allows, so that a weight is next to where it is used (longest paths to the loss). The order comes from sweeps
of barycentres (Sugiyama, Tagawa and Toda 1981), the one with the fewest crossings is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symbp.explain.drawing.graph import Edge, Flow, Graph

SWEEPS = 12
FAR = 1e6  # behind all others


@dataclass(frozen=True)
class Thread:
    """An edge with the items that it passes, from what is read to its reader. `flow` is what comes back along
    it, whose factor is the item `factor`; where several come back, one thread is the `first`."""

    edge: Edge
    items: tuple[str, ...]
    flow: Flow | None = None
    factor: str = ""
    first: bool = True


@dataclass(frozen=True)
class Ring:
    """An edge that leads back to an earlier level: a loop. `factor` is the item of its flow's factor."""

    edge: Edge
    flow: Flow | None = None
    factor: str = ""
    first: bool = True


@dataclass(frozen=True)
class Layers:
    """`levels` in order, each with its items in order; `level` says on which an item is."""

    levels: Mapping[int, tuple[str, ...]]
    level: Mapping[str, int]
    threads: tuple[Thread, ...]
    rings: tuple[Ring, ...]

    @property
    def all_lines(self) -> tuple[Thread | Ring, ...]:
        return (*self.threads, *self.rings)

    @cached_property
    def leaves(self) -> frozenset[str]:
        """The tensors that read nothing."""
        readers = {line.edge.reader for line in self.all_lines}
        return frozenset({line.edge.read for line in self.threads} - readers)


def layers(graph: Graph) -> Layers:
    """The layers of a graph."""
    depths = _depths(graph)
    level = {node.name: 2 * depths[node.name] for node in graph.nodes}
    flows: dict[tuple[str, str, bool], list[Flow | None]] = {}
    for one in graph.flows:
        flows.setdefault((one.read, one.reader, one.delay is not None), []).append(one)
    threads: list[Thread] = []
    rings: list[Ring] = []
    for edge in graph.edges:
        back: Sequence[Flow | None] = flows.get((edge.read, edge.reader, edge.delay is not None), [None])
        for count, flow in enumerate(back):
            key = f"{edge.read}>{edge.reader}>{edge.delay}>{count}"
            above = level[edge.reader] - 1
            factor = "" if flow is None else f"{key}:factor"
            if level[edge.read] >= level[edge.reader]:
                rings.append(Ring(edge, flow, factor, count == 0))
                if factor:
                    level[factor] = above
                continue
            between = {k: f"{key}:{k}" for k in range(level[edge.read] + 1, above + 1)}
            if factor:
                between[above] = factor
            level |= {item: k for k, item in between.items()}
            items = (edge.read, *between.values(), edge.reader)
            threads.append(Thread(edge, items, flow, factor, count == 0))
    return Layers(_ordered(level, threads, rings), level, tuple(threads), tuple(rings))


def _depths(graph: Graph) -> dict[str, int]:
    """The layer of each node: as late as its readers allow; one that nothing reads, after what it reads."""
    readers: dict[str, list[str]] = {node.name: [] for node in graph.nodes}
    reads: dict[str, list[str]] = {node.name: [] for node in graph.nodes}
    for edge in graph.edges:
        if edge.delay is None:
            readers[edge.read].append(edge.reader)
            reads[edge.reader].append(edge.read)
    order = _in_order(reads, readers)
    last = next((n.name for n in reversed(graph.nodes) if n.role.value == "loss"), order[-1])
    from_end: dict[str, int] = {}
    for name in reversed(order):
        after = [from_end[r] + 1 for r in readers[name] if r in from_end]
        if after or name == last:
            from_end[name] = max(after, default=0)
    deepest = max(from_end.values())
    found = {name: deepest - distance for name, distance in from_end.items()}
    for name in order:
        if name not in found:
            found[name] = 1 + max((found[r] for r in reads[name] if r in found), default=-1)
    return found


def _in_order(reads: Mapping[str, Sequence[str]], readers: Mapping[str, Sequence[str]]) -> list[str]:
    """Each node after what it reads (Kahn 1962)."""
    missing = {name: len(before) for name, before in reads.items()}
    order = [name for name, count in missing.items() if not count]
    for name in order:
        for reader in readers[name]:
            missing[reader] -= 1
            if not missing[reader]:
                order.append(reader)
    return order


def _ordered(
    level: Mapping[str, int], threads: Iterable[Thread], rings: Iterable[Ring]
) -> dict[int, tuple[str, ...]]:
    """The levels with their items in the order with the fewest crossings that sweeps find; factors of loops
    stand last."""
    found: dict[int, list[str]] = {k: [] for k in range(min(level.values()), max(level.values()) + 1)}
    for item, k in level.items():
        found[k].append(item)
    links = [pair for thread in threads for pair in zip(thread.items, thread.items[1:], strict=False)]
    up: dict[str, list[str]] = {}
    down: dict[str, list[str]] = {}
    for above, below in links:
        up.setdefault(below, []).append(above)
        down.setdefault(above, []).append(below)
    outer = {ring.factor for ring in rings}
    best, fewest = found, _crossings(found, down)
    current = found
    for sweep in range(SWEEPS):
        current = _swept(current, up if sweep % 2 == 0 else down, outer, downwards=sweep % 2 == 0)
        crossings = _crossings(current, down)
        if crossings < fewest:
            best, fewest = current, crossings
    return {k: tuple(sorted(items, key=lambda i: i in outer)) for k, items in best.items()}


def _swept(
    levels: Mapping[int, list[str]], beside: Mapping[str, list[str]], outer: set[str], *, downwards: bool
) -> dict[int, list[str]]:
    """The levels, each by the mean place of its items' neighbours on the level before."""
    found = dict(levels)
    place: dict[str, float] = {}
    for k in sorted(levels, reverse=not downwards):
        wanted = {item: float(at) for at, item in enumerate(found[k])}
        for item in found[k]:
            known = [place[other] for other in beside.get(item, ()) if other in place]
            wanted[item] = sum(known) / len(known) if known else wanted[item]
        ranked = sorted((wanted[i] + FAR * (i in outer), at) for at, i in enumerate(found[k]))
        found[k] = [found[k][at] for _, at in ranked]
        place = {item: float(at) for at, item in enumerate(found[k])}
    return found


def _crossings(levels: Mapping[int, Sequence[str]], down: Mapping[str, Sequence[str]]) -> int:
    """How many pairs of links cross, over all levels."""
    count = 0
    for k, items in levels.items():
        place = {item: at for at, item in enumerate(levels.get(k + 1, ()))}
        ends = [sorted(place[b] for b in down.get(item, ()) if b in place) for item in items]
        for first, one in enumerate(ends):
            count += sum(a > b for other in ends[first + 1 :] for a in one for b in other)
    return count
