"""The charts that symbp has a use for.

Enters: records of epochs, errors by step, norms by layer. Leaves: charts. Must not know: how they are drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import floor, inf, log10

from symbp.explain.curves.chart import Axis, Chart, Point, Series, series

HELD_OUT = "validation_"


def by_epoch(records: Sequence[Mapping[str, float]], network: str = "") -> tuple[Chart, ...]:
    """The loss, in training and held out, by epoch; and what else was measured, held out, in a chart of its
    own. Records have `epoch`, `loss`, and `validation_…`."""
    epochs = [record["epoch"] for record in records]
    title = f"{network}: loss by epoch" if network else "Loss by epoch"
    found = [_column(records, epochs, "loss", "training")]
    found.append(_column(records, epochs, f"{HELD_OUT}loss", "held out"))
    charts = [Chart(title, Axis("epoch"), Axis("loss"), tuple(s for s in found if s.points))]
    names = {key: None for record in records for key in record if key.startswith(HELD_OUT)}
    metrics = [name for name in names if name != f"{HELD_OUT}loss"]
    if metrics:
        measured = [_column(records, epochs, name, name.removeprefix(HELD_OUT)) for name in metrics]
        charts.append(Chart("Held out, by epoch", Axis("epoch"), Axis("value"), tuple(measured)))
    return tuple(charts)


def _column(records: Sequence[Mapping[str, float]], epochs: Sequence[float], key: str, name: str) -> Series:
    pairs = [(e, r[key]) for e, r in zip(epochs, records, strict=True) if key in r]
    return series(name, [e for e, _ in pairs], [value for _, value in pairs])


def by_step(errors: Mapping[str, Sequence[Point]], what: str) -> Chart:
    """The relative error of numeric derivatives against their step: a V for each way to form them."""
    return Chart(
        f"Error of numeric derivatives: {what}",
        Axis("step", log=True),
        Axis("relative error", log=True),
        tuple(Series(name, tuple(points)) for name, points in errors.items()),
    )


def histogram(errors: Mapping[str, Sequence[float]], what: str) -> Chart:
    """How many errors lie in each decade, an outline for each method; those of exactly 0, for which a
    logarithmic axis has no place, are counted in the name."""
    return Chart(
        f"Errors of single entries: {what}",
        Axis("relative error", log=True),
        Axis("entries"),
        tuple(_outline(name, values) for name, values in errors.items()),
    )


def _outline(name: str, values: Sequence[float]) -> Series:
    decades = Counter(floor(log10(value)) for value in values if 0 < value < inf)
    none = sum(value == 0 for value in values)
    points: list[Point] = []
    if decades:
        first, last = min(decades), max(decades)
        corners = [(10.0**k, 10.0 ** (k + 1), float(decades[k])) for k in range(first, last + 1)]
        points = [(10.0**first, 0.0)]
        points += [corner for low, high, count in corners for corner in ((low, count), (high, count))]
        points.append((10.0 ** (last + 1), 0.0))
    return Series(f"{name} ({none} of {len(values)} are 0)" if none else name, tuple(points))


def by_layer(layers: Sequence[str], norms: Mapping[str, Sequence[float]], what: str = "Gradients") -> Chart:
    """Norms by layer, a line for each start or activation."""
    places = range(len(layers))
    return Chart(
        f"{what} by layer",
        Axis("layer", names=tuple(layers)),
        Axis("norm", log=True),
        tuple(series(name, places, values) for name, values in norms.items()),
    )
