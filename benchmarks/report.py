"""Results as a table for people.

Enters: results. Leaves: text. Must not know: how anything was measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Result

OURS = ("symbp-numpy", "symbp-numba")


def duration(seconds: float) -> str:
    """Three digits and a unit: `12.3 µs`."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale or unit == "µs":
            value = seconds / scale
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
    raise AssertionError("unreachable")


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = []
    for row in rows:
        right = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        cells = [row[0].ljust(widths[0]), *right]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def table(results: Sequence[Result], peers: Sequence[str]) -> str:
    """A step's time by peer, with the spread; then how many times as long the others take as ours."""
    shown = [name for name in peers if any(name in r.times for r in results)]
    head = ["a training step", *shown]
    body = [[r.row, *(_cell(r, name) for name in shown)] for r in results]
    parts = [_aligned([head, *body])]
    for ours in OURS:
        others = [name for name in shown if name != ours]
        if ours in shown and others:
            ratios = [[r.row, *(_ratio(r, name, ours) for name in others)] for r in results]
            parts.append(_aligned([[f"time / {ours}", *others], *ratios]))
    absent = [f"{r.row}: no {name or 'peer'}: {why}" for r in results for name, why in r.absent.items()]
    return "\n\n".join([*parts, *(["\n".join(absent)] if absent else [])])


def _cell(result: Result, name: str) -> str:
    times = result.times.get(name)
    return "–" if times is None else f"{duration(times.median)} ±{100 * times.spread:.0f} %"


def _ratio(result: Result, name: str, ours: str) -> str:
    if name not in result.times or ours not in result.times:
        return "–"
    return f"{result.times[name].over(result.times[ours]):.2f}"
