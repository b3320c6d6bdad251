"""Gradients against those that PyTorch, JAX and TensorFlow find on their own.

Enters: a derivation, names of frameworks, sizes. Leaves: a row for each gradient and framework, and notes.
Must not know: how a framework differentiates, or how a gradient was derived.

The loss as it was declared is written as code of the framework; nothing of the derivation's forms, stabilised
or closed, reaches it. Its value is compared first: where that differs, the code is wrong and not a gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.derive.sweep.reverse import AdjointSystem, adjoints
from symbp.errors import EvaluationError, GenerationError, UsageError, choose
from symbp.ir.evaluation.margins import kink_margin
from symbp.ir.evaluation.vector import run
from symbp.ir.system import Role, System
from symbp.targets.frameworks import FRAMEWORKS, named
from symbp.targets.frameworks.module import module
from symbp.verify.entries import element
from symbp.verify.frameworks.perturbed import perturbed
from symbp.verify.frameworks.runners import RUNNERS, FrameworkFailed, Loss
from symbp.verify.generated import ILL, STYLES
from symbp.verify.points import Drawer, Point, Style, all_sizes, domains_of
from symbp.verify.report import Report, Row, compare, failed
from symbp.verify.rounding import Evaluate, Values, rounding

__all__ = ["FRAMEWORKS", "framework_report", "framework_rows"]

TOLERANCE = 1e-9
MARGIN = 1e-6  # how far points are from every kink
LARGEST = 1e60  # of a value in between: frameworks square it, and aren't to overflow
ROUNDING = 1e-11  # of the loss, relative: where rounding moves it further, gradients have no nine digits
TRIES = 6
Array = np.ndarray[Any, Any]


def framework_rows(
    derivation: Derivation,
    names: Sequence[str],
    *,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
) -> tuple[list[Row], list[str]]:
    """One row for each gradient and framework, the worst of some random points away from kinks, and in words
    what was left out. `sizes` overrides those bound in the declaration; open ones are small.

    Raises UsageError: an unknown framework, none that is installed and can run the network, a derivation
    without gradients; EvaluationError: no point at which the loss has a value.
    """
    for name in names:
        if name not in FRAMEWORKS:
            raise UsageError(f"there is no framework {name!r}", help=choose(name, FRAMEWORKS))
    wanted, notes = _gradients(derivation)
    system, extra = perturbed(derivation.declared, wanted)
    checked = _Checked(derivation, system, wanted, extra, dict(hyper or {}))
    chosen = all_sizes(derivation.declared, sizes or {}, 1)[0]
    rows: list[Row] = []
    points: list[Point] = []
    for name in dict.fromkeys(names):
        if find_spec(name) is None:
            notes.append(f"{name} isn't installed and was left out")
            continue
        points = points or _points(checked, chosen, seed)
        try:
            loss = checked.loss(name, chosen)
            rows += _worst([checked.rows(loss, point) for point in points])
        except (GenerationError, FrameworkFailed) as failure:
            notes.append(f"{name} was left out: {failure.what}")
    if not rows:
        raise UsageError(
            "no framework is left to compare with", details=tuple(notes), help="install one, or name another"
        )
    return rows, notes


def framework_report(
    derivation: Derivation,
    names: Sequence[str],
    *,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
) -> Report:
    """What `framework_rows` finds, as a report."""
    rows, notes = framework_rows(derivation, names, sizes=sizes, seed=seed, hyper=hyper)
    return Report(derivation.name, tuple(rows), dict(rows[0].sizes), seed, notes=tuple(notes))


def _worst(points: Sequence[Sequence[Row]]) -> list[Row]:
    """One row for each result: a wrong one if there is, else the one farthest off, of those that needed no
    allowance for rounding if there are any. What was compared nowhere isn't right."""
    found: dict[str, list[Row]] = {}
    for row in (row for rows in points for row in rows):
        found.setdefault(row.parameter, []).append(row)

    def rank(row: Row) -> tuple[bool, bool, bool, float]:
        error = row.max_rel_error
        return not row.ok, not row.is_empty, error <= row.tolerance, error

    worst = []
    for rows in found.values():
        row, others = max(rows, key=rank), sum(not r.is_empty for r in rows) - 1
        worst.append(replace(row, ok=row.ok and not row.is_empty, points=max(row.points, others)))
    return worst


def _gradients(derivation: Derivation) -> tuple[dict[str, str], list[str]]:
    """The first derivatives of the loss, and a note of what else there is."""
    if derivation.of is not None or derivation.directions:
        raise UsageError(
            "frameworks are asked for gradients of the loss alone",
            details=("this derivation holds a Jacobian, or products with a Hessian",),
            help="leave frameworks out, or check the gradients",
        )
    first = {key: tensor for key, tensor in derivation.gradients.items() if "," not in key}
    second = [key for key in derivation.gradients if key not in first]
    notes = ["frameworks are asked for gradients alone; second derivatives were left out"] if second else []
    return first, notes


@dataclass(frozen=True)
class _Checked:
    """What is checked: the gradients `wanted` (by ↦ tensor), against the loss of a system in which each
    tensor that isn't a leaf has a leaf that is added to it (`extra`)."""

    derivation: Derivation
    system: System
    wanted: Mapping[str, str]
    extra: Mapping[str, str]
    hyper: Mapping[str, float]

    def loss(self, framework: str, sizes: Mapping[str, int]) -> Loss:
        """The loss as a framework's own function."""
        here = named(framework)
        bound = self.system.with_(bound={**self.system.bound, **sizes})
        made = module(bound, here, self.constants, f"The loss of {self.derivation.name}.")
        return Loss(framework, here.library, made.text, made.arguments, RUNNERS[framework])

    @property
    def constants(self) -> dict[str, float]:
        """The network's constants, 1 where one has no value."""
        return {**{t.name: 1.0 for t in self.system.with_role(Role.HYPER)}, **self.hyper}

    def values(self, point: Point) -> dict[str, Array]:
        """The leaves of a point, those that are added to others 0."""
        found = {**point.values, **{n: np.asarray(v) for n, v in self.constants.items()}}
        shapes = run(self.derivation.declared, found, point.sizes, wanted=list(self.extra))
        return found | {leaf: np.zeros_like(shapes[name]) for name, leaf in self.extra.items()}

    def rows(self, loss: Loss, point: Point) -> list[Row]:
        """One row for each gradient at a point; the loss alone, if it isn't the declared one."""
        values, sizes = self.values(point), point.sizes
        by = {key: self.extra.get(key, key) for key in self.wanted}
        value, found = loss.gradients(values, list(by.values()))
        name = self.system.loss or ""
        rows = [_loss_row(self.system, name, loss.library, value, values, sizes)]
        if not rows[0].ok:
            return rows
        shown = [t for t in self.wanted.values() if t in self.derivation.system.by_name]
        ours = run(self.derivation.system, values, sizes, wanted=shown)
        return [
            self._row(loss, key, found[by[key]], ours.get(t), values, sizes) for key, t in self.wanted.items()
        ]

    def _row(
        self,
        loss: Loss,
        key: str,
        theirs: Array,
        ours: Array | None,
        values: Values,
        sizes: Mapping[str, int],
    ) -> Row:
        if ours is None or ours.shape != theirs.shape:
            reason = "it is missing from the derivation" if ours is None else f"its shape is {ours.shape}"
            return failed(key, loss.library, reason, sizes, theirs.size)
        row = compare(key, loss.library, ours, theirs, TOLERANCE, sizes=sizes)
        if row.ok:
            return _at_element(row, ours.shape)
        by = self.extra.get(key, key)
        forms = ((self.derivation.system, self.wanted[key]), (self.raw.system, self.raw.gradients[by]))
        noise = np.sum([rounding(partial(_at, form, values, sizes)) for form in forms], axis=0)
        blind = ~(noise <= ILL * max(float(np.max(np.abs(ours), initial=0.0)), 1e-30))
        row = compare(key, loss.library, ours, theirs, TOLERANCE, noise=noise, sizes=sizes, blind=blind)
        return _at_element(row, ours.shape)

    @cached_property
    def raw(self) -> AdjointSystem:
        """The chain rule applied to the loss as it is declared, as frameworks apply it: for its rounding."""
        by = [self.extra.get(key, key) for key in self.wanted]
        return adjoints(self.system, self.system.loss or "", by)


def _at_element(row: Row, shape: tuple[int, ...]) -> Row:
    """The row with the subscripts of its worst element."""
    return replace(row, element=element(shape, int(row.element))) if row.element else row


def _at(form: tuple[System, str], values: Values, sizes: Mapping[str, int], tensors: Evaluate) -> Array:
    system, tensor = form
    return tensors(system, values, sizes, [tensor])[tensor]


def _loss_row(
    system: System,
    name: str,
    library: str,
    value: float,
    values: Values,
    sizes: Mapping[str, int],
) -> Row:
    """The loss that a framework computes against the declared one."""
    declared = run(system, values, sizes, wanted=[name])[name]
    row = compare(name, library, declared, [value], TOLERANCE, sizes=sizes)
    if row.ok and np.isfinite(value):
        return row

    def evaluate(tensors: Evaluate) -> Array:
        return tensors(system, values, sizes, [name])[name]

    row = compare(name, library, declared, [value], TOLERANCE, noise=rounding(evaluate), sizes=sizes)
    if row.ok and np.isfinite(value):
        return row
    reason = f"the loss itself is {value:.9g} there, and {float(declared):.9g} as it is declared"
    return failed(name, library, reason, sizes, 1)


def _points(checked: _Checked, sizes: Mapping[str, int], seed: int) -> list[Point]:
    """One point in each style at which the declared loss keeps its digits, away from kinks as far as one is
    found."""
    declared = checked.derivation.declared
    assert declared.loss is not None
    drawer = Drawer(declared, [declared.loss], checked.constants)
    drawer.domains = domains_of(drawer, sizes, seed)
    found = [_best(drawer, sizes, seed + 31 * k, style) for k, style in enumerate(STYLES)]
    ranked = sorted((f for f in found if f is not None), key=lambda f: f[0], reverse=True)
    tame = [point for (is_tame, _), point in ranked if is_tame]
    if not ranked:
        raise EvaluationError(
            "no random point was found at which the loss has a value", help="give other sizes or another seed"
        )
    return tame or [point for _, point in ranked[:1]]


def _best(
    drawer: Drawer, sizes: Mapping[str, int], seed: int, style: Style
) -> tuple[tuple[bool, float], Point] | None:
    best: tuple[tuple[bool, float], Point] | None = None
    for attempt in range(TRIES):
        point = drawer.draw(sizes, seed + 104_729 * attempt, style)
        if point is None:
            continue
        margin = kink_margin(drawer.system, point.values, sizes, drawer.wanted)
        rank = (_is_tame(drawer.system, point), margin)
        if best is None or rank > best[0]:
            best = rank, point
        if best[0][0] and best[0][1] > MARGIN:
            break
    return best


def _is_tame(system: System, point: Point) -> bool:
    """Whether a loss as it is declared, in no form that is safer, keeps its digits."""
    name = system.loss or ""
    values = run(system, point.values, point.sizes, wanted=system.ancestors(name))
    if any(np.max(np.abs(v), initial=0.0, where=np.isfinite(v)) > LARGEST for v in values.values()):
        return False
    noise = rounding(lambda tensors: tensors(system, point.values, point.sizes, [name])[name])
    return bool(noise <= ROUNDING * abs(values[name]))
