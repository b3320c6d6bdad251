"""A curve in letters, for terminals.

Enters: points, both axes as they are to be drawn. Leaves: lines of text. Must not know: what is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log10

WIDTH, HEIGHT = 56, 9


def curve(xs: Sequence[float], ys: Sequence[float], marks: Sequence[float] = ()) -> list[str]:
    """A logarithmic axis to the right, the mean of each column's values upwards; columns with one of the
    `marks` have a line."""
    known = [(log10(x), y) for x, y in zip(xs, ys, strict=True) if x > 0 and isfinite(y)]
    if len(known) < 2:
        return []
    (left, right), low = (known[0][0], known[-1][0]), min(y for _, y in known)
    high = max(y for _, y in known)
    room = (high - low) or 1.0

    def column(x: float) -> int:
        return round((x - left) / (right - left) * (WIDTH - 1)) if right > left else 0

    columns: dict[int, list[float]] = {}
    for x, y in known:
        columns.setdefault(column(x), []).append(y)
    canvas = [[" "] * WIDTH for _ in range(HEIGHT)]
    for mark in marks:
        for line in canvas:
            line[column(log10(mark))] = "┊"
    for at, values in columns.items():
        mean = sum(values) / len(values)
        canvas[HEIGHT - 1 - round((mean - low) / room * (HEIGHT - 1))][at] = "•"
    edge = max(len(f"{value:.3g}") for value in (low, high))
    labels = [f"{high:.3g}", *[""] * (HEIGHT - 2), f"{low:.3g}"]
    lines = [f"{label:>{edge}} ┤{''.join(line).rstrip()}" for label, line in zip(labels, canvas, strict=True)]
    ends = f"{10**left:.0e}", f"{10**right:.2g}"
    lines.append(f"{'':{edge}} └{'─' * WIDTH}")
    lines.append(f"{'':{edge}}  {ends[0]:<{WIDTH // 2}}{ends[1]:>{WIDTH // 2}}")
    return lines
