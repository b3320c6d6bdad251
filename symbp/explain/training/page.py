"""The page of a training: one file without scripts, that loads nothing.

Enters: a `Training`. Leaves: HTML. Must not know: how a network is trained or judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, sqrt

from markupsafe import Markup

from symbp.explain.curves import by_epoch, svg
from symbp.explain.curves.chart import Axis, Chart, Series, series
from symbp.explain.training.judged import Confusion, Residuals
from symbp.rendering import render

LINES = 6  # in one chart of norms: as many as there are colours
DOTS = 1000  # residuals that are drawn
CELLS = 20  # classes of a matrix that a page has room for
MISTAKES = 20  # confusions that are listed where it has none


@dataclass(frozen=True)
class Training:
    """One training: settings and results by name; a record of each epoch; the norm of the gradient by each
    parameter, after each epoch over `examples` examples; what the predictions are worth on the held-out part,
    and remarks."""

    network: str
    settings: Mapping[str, str]
    results: Mapping[str, object]
    records: Sequence[Mapping[str, float]]
    norms: Mapping[str, Sequence[float]]
    examples: int
    judged: Sequence[Confusion | Residuals] = ()
    notes: Sequence[str] = ()


def page(training: Training) -> str:
    """The training as a page."""
    return render(
        "training.html.j2",
        {
            "title": f"{training.network}: a training",
            "results": [
                (name.replace("_", " "), _shown(value))
                for name, value in training.results.items()
                if name not in training.settings
            ],
            "settings": training.settings,
            "curves": _svg(by_epoch(training.records), "curves") if training.records else "",
            "gradients": _svg(_norms(training), "gradients") if training.records else "",
            "examples": training.examples,
            "judged": [_section(k, one) for k, one in enumerate(training.judged)],
            "notes": training.notes,
            "log": _log(training.records),
        },
        markup=True,
    )


def _svg(charts: Sequence[Chart], name: str) -> Markup:
    return svg(charts, name=name, alone=False)


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _norms(training: Training) -> list[Chart]:
    """The norm of the gradient by each parameter, some parameters to a chart, in the network's order; of the
    last epochs, where a training went on from a checkpoint."""
    names = list(training.norms)
    measured = len(training.norms[names[0]]) if names else 0
    epochs = [record["epoch"] for record in training.records[len(training.records) - measured :]]
    charts = []
    for start in range(0, len(names), LINES):
        some = names[start : start + LINES]
        title = "Norm of the gradient" + (f": {some[0]} to {some[-1]}" if len(names) > LINES else "")
        lines = tuple(series(name, epochs, training.norms[name]) for name in some)
        charts.append(Chart(title, Axis("epoch"), Axis("norm", log=True), lines))
    return charts


def _log(records: Sequence[Mapping[str, float]]) -> tuple[list[str], list[list[str]]]:
    """All records as a table: (names of columns, rows)."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return names, [[_shown(record[n]) if n in record else "" for n in names] for record in records]


def _section(number: int, one: Confusion | Residuals) -> dict[str, object]:
    """What the template shows of a target's predictions."""
    if isinstance(one, Residuals):
        charts = _svg([_scatter(one), _histogram(one)], f"residuals{number}")
        drawn = min(len(one.actual), DOTS)
        return {"kind": "residuals", "one": one, "charts": charts, "spread": _spread(one), "drawn": drawn}
    rows = [
        {
            "name": name,
            "cells": [(count, _shade(count, sum(counts))) for count in counts],
            **_of_class(one, k),
        }
        for k, (name, counts) in enumerate(zip(one.names, one.counts, strict=True))
    ]
    mistakes = [
        (count, one.names[k], one.names[j])
        for k, counts in enumerate(one.counts)
        for j, count in enumerate(counts)
        if j != k and count
    ]
    mistakes = sorted(mistakes, key=lambda mistake: -mistake[0])[:MISTAKES]
    wide = len(one.names) > CELLS
    return {"kind": "confusion", "one": one, "rows": rows, "wide": wide, "mistakes": mistakes}


def _shade(count: int, of: int) -> str:
    """How much of a row a cell has, as a share that the page's style mixes."""
    return f"{round(100 * count / of) if of else 0}%"


def _of_class(one: Confusion, k: int) -> dict[str, str]:
    """Precision and recall of a class; a dash where nothing is shared."""
    found, there = one.counts[k][k], sum(one.counts[k])
    said = sum(counts[k] for counts in one.counts)
    return {
        "there": str(there),
        "precision": f"{found / said:.3f}" if said else "–",
        "recall": f"{found / there:.3f}" if there else "–",
    }


def _scatter(one: Residuals) -> Chart:
    """Residuals beside predictions, of many every so manieth."""
    every = ceil(len(one.actual) / DOTS)
    pairs = list(zip(one.predicted, one.actual, strict=True))[::every]
    dots = series("target − prediction", [p for p, _ in pairs], [t - p for p, t in pairs])
    title = f"Residuals of {one.target}"
    return Chart(title, Axis(f"predicted {one.target}"), Axis("residual"), (dots,), dots=True)


def _histogram(one: Residuals) -> Chart:
    """How many residuals lie where, in √n bins of the same width."""
    left = [t - p for p, t in zip(one.predicted, one.actual, strict=True)]
    low, high = min(left), max(left)
    bins = max(1, min(40, round(sqrt(len(left)))))
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in left:
        counts[min(bins - 1, int((value - low) / width))] += 1
    points = [(low, 0.0)]
    for k, count in enumerate(counts):
        points += [(low + k * width, float(count)), (low + (k + 1) * width, float(count))]
    points.append((low + bins * width, 0.0))
    outline = Series("how many", tuple(points))
    return Chart("How residuals are spread", Axis("residual"), Axis("examples"), (outline,), marks=False)


def _spread(one: Residuals) -> list[tuple[str, str]]:
    """Mean and deviation of the residuals, and their order: smallest, quarters, largest."""
    left = sorted(t - p for p, t in zip(one.predicted, one.actual, strict=True))
    mean = sum(left) / len(left)
    deviation = sqrt(sum((value - mean) ** 2 for value in left) / len(left))
    places = [
        ("smallest", 0.0),
        ("quarter", 0.25),
        ("median", 0.5),
        ("three quarters", 0.75),
        ("largest", 1.0),
    ]
    ranked = [(name, _between(left, q)) for name, q in places]
    found = [("mean", mean), ("deviation", deviation), *ranked]
    return [(name, f"{value:.4g}") for name, value in found if isfinite(value)]


def _between(ordered: Sequence[float], q: float) -> float:
    """The quantile at rank q·(n − 1), linear between two."""
    rank = q * (len(ordered) - 1)
    k = int(rank)
    above = ordered[min(k + 1, len(ordered) - 1)]
    return ordered[k] + (rank - k) * (above - ordered[k])
