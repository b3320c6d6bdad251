"""Numerical health: gradients in float32 at extreme points, against 50 digits, and what loses their digits.

Enters: a derivation of gradients; if wanted, a module made of it. Leaves: `Extremes`, which names the
equation that loses a gradient's digits though the loss keeps its own. Must not know: ops, layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import EvaluationError, UsageError
from symbp.ir.points.fitting import constraints, sample_sizes
from symbp.read.matrix.recognise import BySymbols
from symbp.read.reading import Reading, reading
from symbp.verify.extremes.blame import Culprit, culprit
from symbp.verify.extremes.errors import LARGEST, error_of, loss_error
from symbp.verify.extremes.points import Extreme, extreme_points
from symbp.verify.extremes.report import Extremes, Finding, Tried, WrongElement
from symbp.verify.extremes.runs import Runner, by_equations, by_module
from symbp.verify.extremes.truth import Right, Truth

Array = np.ndarray[Any, Any]

LEAST_SIZE = 4

__all__ = ["Extreme", "Extremes", "Finding", "Judge", "Tried", "extremes", "small_sizes"]


def extremes(
    derivation: Derivation,
    *,
    module: ModuleType | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    points: Iterable[Extreme] | None = None,
) -> Extremes:
    """The gradients of a derivation at extreme points (those of its network, if none are given): computed in
    float32 by its equations, or by a training `module` of that precision and these sizes (`small_sizes`).

    Raises UsageError: other derivatives than gradients; a module of another precision.
    """
    chosen = small_sizes(derivation, sizes or {})
    judge = Judge(derivation, module)
    found = points or extreme_points(derivation, chosen, seed)
    results = [judge.at(point) for point in found]
    findings = tuple(finding for _, found in results for finding in found)
    return Extremes(derivation.name, chosen, judge.computed, tuple(tried for tried, _ in results), findings)


def small_sizes(derivation: Derivation, given: Mapping[str, int]) -> dict[str, int]:
    """The given sizes; the others are small, whatever their declaration says: digits are lost at any. They
    are no less than 4 where that may be: of two values without their mean one is the other, and normalised
    both are ±1."""
    system = derivation.declared
    chosen = {**sample_sizes(system), **given}
    needed = constraints(system)
    for name in system.sizes:
        larger = {**chosen, name: max(chosen[name], LEAST_SIZE)}
        if name not in given and needed.hold(larger):
            chosen = larger
    return {name: chosen[name] for name in system.sizes}


class Judge:
    """One derivation, with what is right and what computes it."""

    def __init__(self, derivation: Derivation, module: ModuleType | None = None) -> None:
        if not derivation.is_gradient:
            raise UsageError("extremes are tried with gradients", help="derive them: bp.derive(net)")
        if module is not None and getattr(module, "DTYPE", np.float32) is not np.float32:
            raise UsageError("extremes are tried in float32", help='compile it with dtype="float32"')
        self.derivation, self.truth = derivation, Truth(derivation)
        self.runner: Runner = by_equations(derivation) if module is None else by_module(module)
        self.computed = "the equations" if module is None else "the generated module"
        self.usual = 0.0  # the largest entry of all gradients at the ordinary point, which is the first

    def at(self, point: Extreme, *, blame: bool = True) -> tuple[Tried, tuple[Finding, ...]]:
        """How far off the loss and each gradient are at a point; what loses them, unless nobody asks."""
        try:
            right = self.truth.at(point)
        except EvaluationError as error:  # a singular matrix has no inverse to compare with
            return Tried(point.kind, refused=str(error).splitlines()[0]), ()
        if not abs(right.loss) < LARGEST:
            return Tried(point.kind, loss_holds=False), ()
        self.usual = self.usual or max(map(_largest, right.gradients.values()), default=0.0)
        found = self.runner(point)
        errors = {name: error_of(found.gradients[name], g) for name, g in right.gradients.items()}
        tried = Tried(point.kind, loss_error(found.loss, right.loss), errors)
        return tried, self._findings(point, right, tried) if blame else ()

    def _findings(self, point: Extreme, right: Right, tried: Tried) -> tuple[Finding, ...]:
        """What is lost, by the equation that loses it."""
        errors = tried.errors or {}
        culprits: dict[str, Culprit] = {
            name: culprit(self.truth, point, name, right.gradients[name]) for name in tried.lost
        }
        of: dict[tuple[str, str], list[str]] = {}
        for name, one in culprits.items():
            of.setdefault((one.how, one.target), []).append(name)
        plain = self.truth.in_single(point) if tried.lost else {}
        chain = {name: error_of(array, right.gradients[name]) for name, array in plain.items()}
        largest = {name: _largest(gradient) for name, gradient in right.gradients.items()}
        usual = max(self.usual, *largest.values())
        return tuple(
            self._finding(point, tried.loss, {n: errors[n] for n in names}, chain, largest, usual, culprits)
            for names in of.values()
        )

    def _finding(
        self,
        point: Extreme,
        loss: float,
        errors: Mapping[str, float],
        chain: Mapping[str, float],
        largest: Mapping[str, float],
        usual: float,
        culprits: Mapping[str, Culprit],
    ) -> Finding:
        """One equation and the gradients that it loses."""
        worst = max(errors, key=lambda name: errors[name])
        one = culprits[worst]
        by = tuple(self.page.symbols.text[name] for name in one.by)
        own = {name: chain[name] for name in errors}
        return Finding(point.kind, errors, loss, own, largest[worst], usual, one.how, self._place(one), by)

    @cached_property
    def page(self) -> Reading:
        """The page of computed equations."""
        return reading(self.derivation, style="computed")

    def _place(self, one: Culprit) -> WrongElement | None:
        """An equation as the computed page has it."""
        if not one.target:
            return None
        symbols = self.page.symbols.text
        line = next(line for line in self.page.lines if line.target == one.target)
        text = " = ".join(BySymbols(symbols).equation(line.equation))
        return WrongElement(line.number, text, symbols[one.target], one.at, one.ours, one.true)


def _largest(gradient: Array) -> float:
    """The largest entry that float32 can hold."""
    known = gradient[np.isfinite(gradient) & (np.abs(gradient) < LARGEST)]
    return float(np.max(np.abs(known), initial=0.0))
