"""A page about a training: curves, norms of gradients, a confusion matrix or residuals, settings.

Enters: options, the state and the data of a training, its records. Leaves: one HTML file without scripts,
written anew after each epoch. Must not know: the target that computes.
"""

from __future__ import annotations

import argparse
import html
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.common.training.calls import loss_and_gradients, predict
from symbp.runtime.common.training.state import State
from symbp.runtime.common.training.whole import _replace_whole
from symbp.runtime.network import BATCH, FORWARD_INPUTS, INPUTS, INTEGERS, NAME, Array

_FEW = 512  # examples over which norms of gradients are measured
_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #8886}"
    "th{text-align:left}svg{width:100%;max-width:46rem;height:auto}svg text{font-size:12px;fill:currentColor}"
    "polyline{fill:none;stroke-width:2}"
)
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def _report_option(train: argparse.ArgumentParser) -> None:
    train.add_argument(
        "--report",
        type=Path,
        metavar="FILE.html",
        help="a page about the training: curves, gradients, confusion matrix or residuals, settings",
    )


def _report_state(options: argparse.Namespace, state: State) -> None:
    """Keeps the state for the page, and how many epochs were before a checkpoint."""
    options.reported, options.before = state, len(state.course.records) if state.course else 0


def _page(options: argparse.Namespace, data: dict[str, Array]) -> Callable[[dict[str, Any]], None]:
    """Writes the page after each epoch, if one is asked for."""
    records: list[dict[str, Any]] = []
    few: dict[str, Any] = {name: a[:_FEW] if INPUTS[name][:1] == (BATCH,) else a for name, a in data.items()}

    def report(record: dict[str, Any]) -> None:
        if not options.report:
            return
        state: State = options.reported
        if record["epoch"] <= options.before:  # whose gradients nobody knows any more
            records.append(record)
            return
        _, gradients = loss_and_gradients(state.params, state.buffers, seed=state.seed, **few)
        norms = {f"norm {name}": float(np.linalg.norm(a)) for name, a in gradients.items()}
        records.append({**record, **norms})
        text = "".join(_sections(options, records, state, few if options.held is None else options.held))
        try:
            _replace_whole(options.report, lambda file: file.write(text.encode()))
        except OSError as failure:  # a training is worth more than its page
            print(f"the report can't be written any more, training goes on: {failure}", file=sys.stderr)
            options.report = None

    return report


def _sections(
    options: argparse.Namespace, records: Sequence[Mapping[str, Any]], state: State, held: Mapping[str, Any]
) -> list[str]:
    title = f"Training of {NAME}"
    kinds = {name: value for name, value in records[-1].items() if isinstance(value, float)}
    losses = [name for name in kinds if name in ("loss", "validation_loss")]
    others = [n for n in kinds if n.startswith("validation_") and n not in losses]
    norms = [name for name in kinds if name.startswith("norm ")]
    shown = [(name, f"{value:.6g}") for name, value in records[-1].items() if name not in norms]
    given = {
        n: v
        for n, v in vars(options).items()
        if isinstance(v, (str, int, float, Path))
        and n not in ("verb", "json", "before")
        and "hyper_" not in n
    }
    settings = {n: Path(v).name if isinstance(v, Path) else v for n, v in {**given, **state.hyper}.items()}
    return [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>',
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1>",
        _table("The last epoch", shown),
        _curves("Loss", records, losses),
        *(_curves(name.removeprefix("validation_"), records, [name]) for name in others),
        _curves(f"Norms of the gradients, over {_FEW} examples at most", records, norms),
        *_judged(state, held, "validation" if options.held is not None else "training"),
        _table("Settings", list(settings.items())),
    ]


def _table(title: str, rows: Sequence[tuple[str, Any]]) -> str:
    cells = "".join(f"<tr><th>{html.escape(n)}</th><td>{html.escape(str(v))}</td></tr>" for n, v in rows)
    return f"<h2>{html.escape(title)}</h2><table>{cells}</table>"


def _curves(title: str, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Values by epoch as lines; on a logarithmic axis where all are positive and far apart."""
    lines = {n: [float(record.get(n, math.nan)) for record in records] for n in names}
    finite = [v for values in lines.values() for v in values if math.isfinite(v)]
    if not finite:
        return ""
    by_log = min(finite) > 0 and max(finite) > 50 * min(finite)

    def height(value: float) -> float:
        return math.log10(value) if by_log else value

    low, high = height(min(finite)), height(max(finite))
    span, last = high - low or 1.0, max(1, len(records) - 1)
    parts = [f'<text x="4" y="18">{max(finite):.4g}</text><text x="4" y="262">{min(finite):.4g}</text>']
    parts.append(f'<text x="70" y="285">epoch 1</text><text x="560" y="285">epoch {len(records)}</text>')
    for k, (name, values) in enumerate(lines.items()):
        colour = _COLOURS[k % len(_COLOURS)]
        points = " ".join(
            f"{70 + 530 * place / last:.1f},{260 - 245 * (height(v) - low) / span:.1f}"
            for place, v in enumerate(values)
            if math.isfinite(v)
        )
        label = html.escape(name.removeprefix("norm "))
        parts.append(f'<polyline points="{points}" stroke="{colour}"/>')
        parts.append(f'<text x="610" y="{20 + 16 * k}" style="fill:{colour}">{label}</text>')
    tall = max(290, 26 + 16 * len(lines))
    what = f"{html.escape(title)}{' (logarithmic)' * by_log}"
    drawn = f'<svg viewBox="0 0 760 {tall}" role="img" aria-label="{what}">{"".join(parts)}</svg>'
    return f"<h2>{what}</h2>{drawn}"


def _judged(state: State, held: Mapping[str, Any], part: str) -> list[str]:
    """A confusion matrix or residuals, where one output predicts one target."""
    targets = [name for name in INPUTS if name not in FORWARD_INPUTS]
    if len(targets) != 1 or INPUTS[targets[0]][:1] != (BATCH,):
        return []
    y = np.asarray(held[targets[0]])
    outputs = predict(state.params, state.buffers, **held)
    for name, found in outputs.items():
        title = f"{name} beside {targets[0]}, on the {part} data after the last epoch"
        if targets[0] in INTEGERS and y.ndim == 1 and found.ndim == 2 and found.shape[1] <= 50:
            return [_confusion(title, y, found.argmax(axis=1), found.shape[1])]
        if targets[0] not in INTEGERS and found.shape == y.shape and y.size:
            left = (found - y).reshape(-1)
            marks = np.quantile(left, (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1))
            names = ("least", "5 %", "25 %", "median", "75 %", "95 %", "largest")
            rows = [("root of the mean square", f"{np.sqrt(np.mean(left**2)):.6g}")]
            rows += [(n, f"{v:.6g}") for n, v in zip(names, marks, strict=True)]
            return [_table(f"Residuals of {title}", rows)]
    return []


def _confusion(title: str, y: Array, guessed: Array, count: int) -> str:
    """How many examples of each class were taken for each."""
    known = (y >= 0) & (y < count)
    found = np.bincount(y[known] * count + guessed[known], minlength=count * count).reshape(count, count)
    head = "".join(f"<td>{k}</td>" for k in range(count))
    rows = "".join(
        f"<tr><th>{k}</th>{''.join(f'<td>{n}</td>' for n in row)}</tr>"
        for k, row in enumerate(found.tolist())
    )
    told = (
        f"<p>Rows are the true classes, columns what they were taken for.</p><table><tr><th></th>{head}</tr>"
    )
    return f"<h2>Confusion matrix: {html.escape(title)}</h2>{told}{rows}</table>"
