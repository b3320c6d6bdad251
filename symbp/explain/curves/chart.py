"""A chart before it is drawn: series of points, two axes.

Enters: numbers. Leaves: frozen charts. Must not know: pixels, colours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from math import isfinite

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """Points from left to right, under a name."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Axis:
    """What is along it; a `log` one has powers of ten at equal distances; one of `names` has a name at each
    integer."""

    label: str
    log: bool = False
    names: tuple[str, ...] = ()

    def has(self, value: float) -> bool:
        """Whether the axis has a place for a value: a logarithmic one has none for 0."""
        return isfinite(value) and (value > 0 or not self.log)


@dataclass(frozen=True)
class Chart:
    """Series over the same two axes: lines, with marks where there are few points unless `marks` says no, or
    `dots` alone."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    dots: bool = False
    marks: bool = True

    def shown(self, series: Series) -> list[list[Point]]:
        """The points that have a place, in stretches without a gap."""
        runs = groupby(series.points, key=self.has)
        return [list(points) for has, points in runs if has]

    def has(self, point: Point) -> bool:
        return self.x.has(point[0]) and self.y.has(point[1])

    @property
    def all_shown(self) -> list[Point]:
        return [point for one in self.series for stretch in self.shown(one) for point in stretch]


def series(name: str, xs: Iterable[float], ys: Iterable[float]) -> Series:
    """A series of two columns of the same length."""
    return Series(name, tuple((float(x), float(y)) for x, y in zip(xs, ys, strict=True)))
