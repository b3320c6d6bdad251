"""Learning rates over time: each is a factor of the learning rate as a formula of the step.

Enters: hyperparameters. Leaves: `Schedule`, which an optimizer multiplies its learning rate with.
Must not know: optimizers, targets. Steps count from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from symbp.errors import UsageError
from symbp.ir.expr import Expr, FloorDiv, Guard


@dataclass(frozen=True)
class Schedule:
    """A factor as a formula: `factor(step)`, scalar, and what it is called."""

    name: str
    factor: Callable[[Expr], Expr]

    def after(self, warmup: int) -> Schedule:
        """The same after a linear rise over the first `warmup` steps (Goyal et al. 2017, section 2.2)."""
        _count(warmup=warmup)

        def factor(step: Expr) -> Expr:
            rising = Guard("<", step, warmup)
            return rising * step / warmup + rising.complement() * self.factor(step)

        return Schedule(f"{self.name} after {warmup} steps of warm-up", factor)


def constant() -> Schedule:
    """1 at every step."""
    return Schedule("constant", lambda _: sympy.S.One)


def cosine(steps: int, final: float = 0.0, warmup: int = 0) -> Schedule:
    """Half a cosine wave from 1 down to `final` over the steps after the warm-up, then `final`
    (Loshchilov and Hutter 2017, equation 5). Raises UsageError: no steps, final outside [0, 1]."""
    _count(steps=steps)
    lowest = _share("final", final)
    span = steps - warmup
    if span < 1:
        raise UsageError(f"a warm-up of {warmup} steps leaves none of {steps} for the cosine")

    def factor(step: Expr) -> Expr:
        left = Guard("<", step, steps)
        wave = lowest + (1 - lowest) * (1 + sympy.cos(sympy.pi * (step - warmup) / span)) / 2
        return left * wave + left.complement() * lowest

    found = Schedule("cosine", factor)
    return found.after(warmup) if warmup else found


def step_decay(every: int, factor: float = 0.1) -> Schedule:
    """The learning rate times `factor` after each `every` steps. Raises UsageError: not positive."""
    _count(every=every)
    base = _share("factor", factor)
    return Schedule("steps", lambda step: base ** FloorDiv(step - 1, sympy.Integer(every)))


def linear(steps: int, final: float = 0.0, warmup: int = 0) -> Schedule:
    """A straight line from 1 down to `final` over the steps after the warm-up, then `final`."""
    _count(steps=steps)
    lowest = _share("final", final)
    span = steps - warmup
    if span < 1:
        raise UsageError(f"a warm-up of {warmup} steps leaves none of {steps} for the line")

    def factor(step: Expr) -> Expr:
        left = Guard("<", step, steps)
        return left * (1 - (1 - lowest) * (step - warmup) / span) + left.complement() * lowest

    found = Schedule("linear", factor)
    return found.after(warmup) if warmup else found


def _count(**values: int) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(f"{name} must be a positive integer, not {value!r}")


def _share(name: str, value: float) -> Expr:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise UsageError(f"{name} must be between 0 and 1, not {value!r}")
    return sympy.Rational(repr(float(value)))
