"""The lines of a picture: reads, flows, loops, and what is saved.

Enters: a frame and the layers that it places. Leaves: frozen lines as SVG path data, each with the tip of its
arrow. Must not know: labels, colours.

Curves leave and reach boxes along u, and pass between boxes where their layer keeps a place for them. What is
saved runs at right angles, in lanes of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbp.explain.drawing.frame import BACKWARD, FORWARD, Frame, Item, Lane, Saved, lanes_of, passed
from symbp.explain.drawing.layers import Layers, Ring, Thread
from symbp.ir.expr import Expr

ARROW, CORNER = 7.0, 6.0
ARRIVE, CORNER_PORT = 0.6, 0.42  # of a side: where arrows arrive; where loops and saved values do
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A line of a picture: `kind` read, flow, loop or saved; its path, the corners of its arrow."""

    kind: str
    start: str
    end: str
    path: str
    arrow: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Mark:
    """Where the delay of a loop is written."""

    delay: Expr
    at: Point


def lines(layers: Layers, frame: Frame) -> tuple[tuple[Line, ...], tuple[Mark, ...]]:
    """All lines, those that are to lie below others first, and the places of delays."""
    drawing = _Lines(layers, frame)
    found = [drawing.saved(one) for one in frame.saved]
    found += [drawing.read(thread) for thread in layers.threads if thread.first]
    marks = []
    for ring in layers.rings:
        if ring.first:
            line, at = drawing.loop(ring)
            found.append(line)
            marks.append(Mark(ring.edge.delay, at))
        if ring.flow is not None:
            back, at = drawing.loop_back(ring)
            found += back
            marks.append(Mark(ring.flow.delay, at))
    for thread in layers.threads:
        if thread.flow is not None:
            found += drawing.flow(thread)
    return tuple(found), tuple(marks)


class _Lines:
    def __init__(self, layers: Layers, frame: Frame) -> None:
        self.layers, self.frame = layers, frame
        self.ports = _ports(layers, frame)

    # --- places
    def low(self, item: Item) -> float:
        return self.frame.u[item] - self.frame.du.get(item, 0.0) / 2

    def high(self, item: Item) -> float:
        return self.frame.u[item] + self.frame.du.get(item, 0.0) / 2

    def corner(self, item: Item, side: float) -> float:
        """A place on a box's side near its end: `side` −1 or 1."""
        return self.frame.v[item] + side * CORNER_PORT * self.frame.dv[item]

    # --- lines
    def read(self, thread: Thread) -> Line:
        """From what is read to its reader."""
        first, *between, last = [(FORWARD, i) for i in passed(self.layers, thread, FORWARD)]
        points = [(self.high(first), self.frame.v[first])]
        for item in between:
            points += self.through(item)
        end = (self.low(last), self.ports[FORWARD, thread])
        path = self.curve([*points, (end[0] - ARROW, end[1])])
        return Line("read", thread.edge.read, thread.edge.reader, path, self.arrow(end, 1))

    def flow(self, thread: Thread) -> list[Line]:
        """From the adjoint of a reader, by way of the factor, to that of what it reads."""
        first, *between, last = [(BACKWARD, i) for i in reversed(thread.items)]
        points = [(self.low(first), self.frame.v[first])]
        found: list[Line] = []
        for item in between:
            if item in self.frame.du:
                points.append((self.high(item), self.frame.v[item]))
                found.append(self.line("flow", thread, self.curve(points)))
                points = [(self.low(item), self.frame.v[item])]
            else:
                points += reversed(self.through(item))
        end = (self.high(last), self.ports[BACKWARD, thread])
        path = self.curve([*points, (end[0] + ARROW, end[1])])
        return [*found, self.line("flow", thread, path, self.arrow(end, -1))]

    def line(self, kind: str, of: Thread | Ring, path: str, arrow: tuple[Point, ...] = ()) -> Line:
        return Line(kind, of.edge.reader, of.edge.read, path, arrow)

    def loop(self, ring: Ring) -> tuple[Line, Point]:
        """Around the forward half to an earlier level, and where its delay is written."""
        read, reader = (FORWARD, ring.edge.read), (FORWARD, ring.edge.reader)
        key = ("ring", ring.edge.read)
        out = self.frame.lanes[self.layers.level[ring.edge.read] + 1, "before", key]
        back = self.frame.lanes[self.layers.level[ring.edge.reader] - 1, "after", key]
        margin = self.frame.margins[FORWARD, ring.edge.read]
        start, end = self.corner(read, -1), self.corner(reader, -1)
        tip = (self.low(reader), end)
        path = self.straight(
            [(self.high(read), start), (out, start), (out, margin), (back, margin), (back, end),
             (tip[0] - ARROW, end)]
        )  # fmt: skip
        line = Line("loop", ring.edge.read, ring.edge.reader, path, self.arrow(tip, 1))
        return line, self.frame.xy((self.frame.u[read] + self.frame.u[reader]) / 2, margin)

    def loop_back(self, ring: Ring) -> tuple[list[Line], Point]:
        """From the adjoint of a reader, by way of the factor, around the backward half; the delay's place."""
        read, reader, factor = ((BACKWARD, i) for i in (ring.edge.read, ring.edge.reader, ring.factor))
        points = [(self.low(reader), self.frame.v[reader]), (self.high(factor), self.frame.v[factor])]
        lane = self.frame.lanes[self.layers.level[ring.edge.read] + 1, "before", ("ring", ring.edge.read)]
        margin, end = self.frame.margins[BACKWARD, ring.edge.read], self.corner(read, 1)
        tip = (self.high(read), end)
        beside = self.frame.lanes[self.layers.level[ring.factor], "before", ("back", ring.edge.read)]
        middle = self.frame.v[factor]
        path = self.straight(
            [(self.low(factor), middle), (beside, middle), (beside, margin), (lane, margin), (lane, end),
             (tip[0] + ARROW, end)]
        )  # fmt: skip
        at = self.frame.xy((self.frame.u[factor] + self.frame.u[read]) / 2, margin)
        return [
            self.line("flow", ring, self.curve(points)),
            self.line("flow", ring, path, self.arrow(tip, -1)),
        ], at

    def saved(self, one: Saved) -> Line:
        """From a node to the factor that has its value."""
        node, factor = (FORWARD, one.node), (BACKWARD, one.factor)
        lanes: Sequence[Lane] = lanes_of(self.layers, one)
        after = self.layers.level[one.factor] > self.layers.level[one.node]
        start = self.corner(node, 1)
        end = self.frame.v[factor] + self.share(one) * self.frame.dv[factor]
        points = [(self.high(node) if after else self.low(node), start)]
        first = self.frame.lanes[lanes[0]]
        points.append((first, start))
        if len(lanes) > 1:
            channel, second = self.frame.channel[one.node], self.frame.lanes[lanes[1]]
            points += [(first, channel), (second, channel), (second, end)]
        else:
            points.append((first, end))
        return Line(
            "saved",
            one.node,
            one.factor,
            self.straight(
                [*points, (self.low(factor) if lanes[-1][1] == "before" else self.high(factor), end)]
            ),
        )

    def share(self, one: Saved) -> float:
        """Where on the side of a factor a saved value arrives: not in the middle, where what flows does."""
        all_of_it = [s for s in self.frame.saved if s.factor == one.factor]
        steps = [-0.3, 0.3, -0.4, 0.4, -0.2, 0.2]
        return steps[all_of_it.index(one) % len(steps)]

    # --- drawing
    def through(self, item: Item) -> list[Point]:
        """Straight through the strip of a level."""
        low, high = self.frame.strips[self.layers.level[item[1]]]
        return [(low, self.frame.v[item]), (high, self.frame.v[item])]

    def curve(self, points: Sequence[Point]) -> str:
        """A smooth line, along u at each point; straight where v stays."""
        written = [f"M{_pair(self.frame.xy(*points[0]))}"]
        for (u0, v0), (u1, v1) in itertools.pairwise(points):
            if abs(v1 - v0) < 0.5:
                written.append(f"L{_pair(self.frame.xy(u1, v1))}")
                continue
            middle = (u0 + u1) / 2
            three = (self.frame.xy(middle, v0), self.frame.xy(middle, v1), self.frame.xy(u1, v1))
            written.append("C" + " ".join(map(_pair, three)))
        return "".join(written)

    def straight(self, points: Sequence[Point]) -> str:
        """A line at right angles with round corners."""
        corners = [p for p, q in zip(points, [*points[1:], None], strict=True) if p != q]
        xy = [self.frame.xy(*point) for point in corners]
        written = [f"M{_pair(xy[0])}"]
        for before, here, after in zip(xy, xy[1:], xy[2:], strict=False):
            written.append(f"L{_pair(_towards(here, before))}Q{_pair(here)} {_pair(_towards(here, after))}")
        return "".join([*written, f"L{_pair(xy[-1])}"])

    def arrow(self, tip: Point, way: int) -> tuple[Point, ...]:
        """A triangle whose tip is at a point, along u."""
        u, v = tip
        corners = ((u, v), (u - way * ARROW, v - ARROW / 2), (u - way * ARROW, v + ARROW / 2))
        return tuple(self.frame.xy(*corner) for corner in corners)


def _ports(layers: Layers, frame: Frame) -> dict[tuple[str, Thread], float]:
    """Where each thread arrives across: at its reader forward, at what is read backward; those that come
    from further along v arrive there."""
    found: dict[tuple[str, Thread], float] = {}
    for half in (FORWARD, BACKWARD):
        arriving: dict[str, list[tuple[float, int, Thread]]] = {}
        for count, thread in enumerate(layers.threads):
            if not (thread.first if half == FORWARD else thread.flow):
                continue
            end, before = (-1, -2) if half == FORWARD else (0, 1)
            place = frame.v[half, passed(layers, thread, half)[before]]
            arriving.setdefault(thread.items[end], []).append((place, count, thread))
        for name, threads in arriving.items():
            middle, room = frame.v[half, name], ARRIVE * frame.dv[half, name]
            step = min(16.0, room / len(threads))
            for at, (_, _, thread) in enumerate(sorted(threads, key=lambda t: t[:2])):
                found[half, thread] = middle + (at - (len(threads) - 1) / 2) * step
    return found


def _towards(here: Point, there: Point) -> Point:
    """A point at a corner's distance from it, or half way."""
    (x0, y0), (x1, y1) = here, there
    length = abs(x1 - x0) + abs(y1 - y0)
    share = min(CORNER, length / 2) / length if length else 0.0
    return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


def _pair(point: Iterable[float]) -> str:
    return ",".join(f"{value:.1f}".removesuffix(".0") for value in point)
