"""Results as an SVG picture: for each row a bar for each peer, as long as its time over symbp's best.

Enters: results. Leaves: SVG text, without any library. Must not know: how anything was measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks.measure import Result
from benchmarks.report import OURS, duration

COLOURS = ("#1b6ca8", "#0b3c5d", "#888888", "#d95f02", "#e6ab02", "#7570b3", "#66a61e", "#a6761d")
LEFT, WIDTH, BAR, GAP, TOP = 150, 620, 11, 12, 60


def svg(results: Sequence[Result], peers: Sequence[str]) -> str:
    """The whole picture; the scale is logarithmic, the line at 1 is the better one of symbp's targets."""
    drawn = [r for r in results if any(name in r.times for name in OURS)]
    shown = [name for name in peers if any(name in r.times for r in drawn)]
    ratios = [{name: _over_ours(r, name) for name in shown if name in r.times} for r in drawn]
    low, high = _range([value for row in ratios for value in row.values()])
    parts = [_legend(shown)]
    y = TOP
    for result, row in zip(drawn, ratios, strict=True):
        parts.append(_text(LEFT - 8, y + BAR * len(row) / 2 + 4, result.row, anchor="end"))
        for name, value in row.items():
            parts.append(_bar(y, name, value, shown, (low, high), duration(result.times[name].median)))
            y += BAR
        y += GAP
    parts.append(_grid(low, high, y))
    size = f'width="{LEFT + WIDTH + 110}" height="{y + 30:.0f}"'
    style = 'font-family="sans-serif" font-size="11"'
    title = "<title>Time of a training step, over that of symbp's better target</title>"
    body = "\n".join([title, '<rect width="100%" height="100%" fill="white"/>', *parts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{body}\n</svg>\n'


def _over_ours(result: Result, name: str) -> float:
    best = min((o for o in OURS if o in result.times), key=lambda o: result.times[o].median)
    return result.times[name].over(result.times[best])


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Powers of two around all values and 1."""
    least, most = min([1.0, *values]), max([2.0, *values])
    return 2.0 ** math.floor(math.log2(least)), 2.0 ** math.ceil(math.log2(most))


def _x(value: float, scale: tuple[float, float]) -> float:
    low, high = scale
    return LEFT + WIDTH * math.log(value / low) / math.log(high / low)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _bar(
    y: float, name: str, value: float, shown: Sequence[str], scale: tuple[float, float], label: str
) -> str:
    start, end = sorted((_x(1.0, scale), _x(value, scale)))
    colour = COLOURS[shown.index(name) % len(COLOURS)]
    width = max(end - start, 1.5)
    bar = f'<rect x="{start:.1f}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{colour}">'
    told = f"<title>{escape(name)}: {label}, {value:.2f}</title></rect>"
    return bar + told + _text(max(end, start + 1.5) + 4, y + BAR - 3, f"{value:.2f}")


def _legend(shown: Sequence[str]) -> str:
    parts = [
        _text(LEFT, 18, "Time of a training step / symbp's better target; longer is slower; logarithmic")
    ]
    x = LEFT
    for k, name in enumerate(shown):
        parts.append(f'<rect x="{x}" y="30" width="10" height="10" fill="{COLOURS[k % len(COLOURS)]}"/>')
        parts.append(_text(x + 14, 39, name))
        x += 30 + 7 * len(name)
    return "\n".join(parts)


def _grid(low: float, high: float, bottom: float) -> str:
    lines = []
    for power in range(round(math.log2(low)), round(math.log2(high)) + 1):
        x, strong = _x(2.0**power, (low, high)), power == 0
        colour = "#000000" if strong else "#dddddd"
        lines.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="{colour}"/>')
        lines.append(_text(x, bottom + 14, f"{2.0**power:g}", anchor="middle"))
    return "\n".join(lines)
