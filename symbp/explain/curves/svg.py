"""Writes charts as SVG, one below the other, told apart by dashes and marks as well as by colour.

Enters: charts. Leaves: markup that is well-formed XML, with its content in words. Must not know: where
numbers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from markupsafe import Markup

from symbp.explain.curves.axes import Scale, scale
from symbp.explain.curves.chart import Chart, Point, Series
from symbp.rendering import render

WIDTH, HEIGHT = 640.0, 340.0
LEFT, RIGHT, TOP, BELOW = 72.0, 20.0, 40.0, 52.0
LEGEND = 20.0  # height of a line of it
LETTER = 8.0  # width of a letter of it at most
MOST_TICKS = (9, 7)
MARKED = 30  # more points than these have no marks
SPACE = ' xmlns="http://www.w3.org/2000/svg"'
MARKS = 4
COLOURS = 6


def svg(charts: Sequence[Chart], *, name: str = "curves", alone: bool = True) -> Markup:
    """The charts as one element, whose own names begin with `name`; `alone`, it says that it is SVG."""
    panels, y = [], 0.0
    for chart in charts:
        panel = _Panel(chart)
        panels.append(Markup('<g transform="translate(0 {})">{}</g>').format(_number(y), panel.whole()))
        y += panel.height
    told = " ".join(words(chart) for chart in charts)
    return Markup("\n").join(
        [
            Markup(
                '<svg{0} class="symbp-curves" role="img" aria-labelledby="{1}-title {1}-desc"'
                ' viewBox="0 0 {2} {3}" width="{2}" height="{3}">'
            ).format(Markup(SPACE) if alone else "", name, _number(WIDTH), _number(y)),
            Markup('<title id="{}-title">{}</title>').format(name, "; ".join(c.title for c in charts)),
            Markup('<desc id="{}-desc">{}</desc>').format(name, told),
            Markup("<style>{}</style>").format(Markup(render("curves.css", {}).strip())),
            *panels,
            Markup("</svg>"),
        ]
    )


def words(chart: Chart) -> str:
    """What a chart shows: for each series where it begins and ends, and its lowest place."""
    told = [f"{chart.title}: {chart.y.label} by {chart.x.label}."]
    for one in chart.series:
        points = [p for stretch in chart.shown(one) for p in stretch]
        if not points:
            told.append(f"{one.name}: no value that the axes have a place for.")
            continue
        (x0, y0), (x1, y1), (x, y) = points[0], points[-1], min(points, key=lambda p: p[1])
        told.append(
            f"{one.name}: from {y0:.3g} at {_named(chart, x0)} to {y1:.3g} at {_named(chart, x1)}, "
            f"lowest {y:.3g} at {_named(chart, x)}."
        )
    return " ".join([*told, *notes(chart)])


def notes(chart: Chart) -> list[str]:
    """What the chart can't show: values of 0 on a logarithmic axis, values that aren't finite."""
    found = []
    for one in chart.series:
        zero = sum(chart.x.has(x) and chart.y.log and y == 0 for x, y in one.points)
        endless = sum(not (isfinite(x) and isfinite(y)) for x, y in one.points)
        if zero:
            found.append(f"{one.name}: 0 at {_points(zero)}, for which the axis has no place.")
        if endless:
            found.append(f"{one.name}: not finite at {_points(endless)}.")
    return found


def _points(count: int) -> str:
    return f"{count} points" if count > 1 else "1 point"


def _named(chart: Chart, x: float) -> str:
    return chart.x.names[int(x)] if chart.x.names else f"{x:.3g}"


class _Panel:
    """One chart."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        points = chart.all_shown
        self.x: Scale = scale(chart.x, [x for x, _ in points], MOST_TICKS[0])
        self.y: Scale = scale(chart.y, [y for _, y in points], MOST_TICKS[1])
        self.rows = self.legend_rows()
        self.notes = notes(chart)

    @property
    def height(self) -> float:
        return HEIGHT + LEGEND * (len(self.rows) + len(self.notes)) + 4

    def at(self, point: Point) -> Point:
        """The place of a point, in pixels."""
        x, y = self.x.place(point[0]), self.y.place(point[1])
        return LEFT + x * (WIDTH - LEFT - RIGHT), HEIGHT - BELOW - y * (HEIGHT - TOP - BELOW)

    def whole(self) -> Markup:
        parts = [
            _text(LEFT, 22, self.chart.title, "title"),
            *self.grid(),
            *(self.line(k, one) for k, one in enumerate(self.chart.series)),
            *self.legend(),
            *(_text(LEFT, self.height - LEGEND * k - 8, note, "note") for k, note in enumerate(self.notes)),
        ]
        return Markup("").join(parts)

    def grid(self) -> list[Markup]:
        """Lines at ticks, their values, and what the axes are."""
        bottom, right = HEIGHT - BELOW, WIDTH - RIGHT
        found = []
        for value, label in self.x.ticks:
            x, _ = self.at((value, self.y.low))
            found += [_line(x, TOP, x, bottom), _text(x, bottom + 18, label, "tick")]
        for value, label in self.y.ticks:
            _, y = self.at((self.x.low, value))
            found += [_line(LEFT, y, right, y), _text(LEFT - 8, y + 4, label, "tick left")]
        middle = (TOP + bottom) / 2
        turned = Markup('<text class="axis" transform="translate(16 {}) rotate(-90)">{}</text>').format(
            _number(middle), self.chart.y.label
        )
        return [*found, _text((LEFT + right) / 2, bottom + 40, self.chart.x.label, "axis"), turned]

    def line(self, number: int, one: Series) -> Markup:
        drawn = []
        stretches = self.chart.shown(one)
        for stretch in [] if self.chart.dots else stretches:
            path = "M" + "L".join(_pair(self.at(point)) for point in stretch)
            drawn.append(Markup('<path d="{}"/>').format(path))
        marked = [p for stretch in stretches for p in stretch]
        if self.chart.dots or (self.chart.marks and len(marked) <= MARKED):
            drawn += [_mark(number, *self.at(point)) for point in marked]
        return Markup('<g class="series s{} d{}" data-series="{}">{}</g>').format(
            number % COLOURS, number % MARKS, one.name, Markup("").join(drawn)
        )

    def legend_rows(self) -> list[list[tuple[int, str]]]:
        """The series in rows that fit; none for a single one without a name."""
        rows: list[list[tuple[int, str]]] = []
        room = 0.0
        for number, one in enumerate(self.chart.series):
            taken = 44 + LETTER * len(one.name)
            if not rows or room + taken > WIDTH - LEFT - RIGHT:
                rows.append([])
                room = 0.0
            rows[-1].append((number, one.name))
            room += taken
        return rows

    def legend(self) -> list[Markup]:
        found = []
        for row, entries in enumerate(self.rows):
            x, y = LEFT, HEIGHT + LEGEND * row + 4
            for number, name in entries:
                sample = Markup('<path d="M{},{}h26"/>').format(_number(x), _number(y - 4))
                found.append(
                    Markup('<g class="series s{} d{}">{}{}</g>').format(
                        number % COLOURS, number % MARKS, sample, _mark(number, x + 13, y - 4)
                    )
                )
                found.append(_text(x + 32, y, name, "name"))
                x += 44 + LETTER * len(name)
        return found


def _mark(number: int, x: float, y: float) -> Markup:
    """A circle, a square, a triangle or a diamond."""
    shapes = (
        f"M{_pair((x - 3.5, y))}a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0z",
        f"M{_pair((x - 3, y - 3))}h6v6h-6z",
        f"M{_pair((x, y - 4))}l4,7h-8z",
        f"M{_pair((x, y - 4.5))}l4.5,4.5l-4.5,4.5l-4.5,-4.5z",
    )
    return Markup('<path class="mark" d="{}"/>').format(shapes[number % MARKS])


def _text(x: float, y: float, words: str, classes: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(classes, _number(x), _number(y), words)


def _line(x0: float, y0: float, x1: float, y1: float) -> Markup:
    return Markup('<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        *map(_number, (x0, y0, x1, y1))
    )


def _pair(point: Point) -> str:
    return ",".join(map(_number, point))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
