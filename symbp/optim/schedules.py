"""Learning rates over time: each is a factor of the learning rate as a formula of the step.

Enters: hyperparameters. Leaves: `Schedule`, which an optimizer multiplies its learning rate with.
Must not know: optimizers, targets. Steps count from 1.

PyTorch's schedulers count from 0: `step_decay`, `exponential`, `one_cycle` and the warm-up have at step t the
value that theirs have after t − 1 calls; `cosine` and `linear` that after t calls, so that the last step is
at `final`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from symbp.errors import UsageError, choose
from symbp.ir.expr import Access, Expr, FloorDiv, Guard
from symbp.ir.training import Follow
from symbp.optim.names import SCHEDULES
from symbp.optim.plateau import SHARE, plateau_equations


@dataclass(frozen=True)
class Schedule:
    """A factor as a formula: `factor(step)`, scalar, and what it is called; it may read numbers that `follow`
    the loss from epoch to epoch."""

    name: str
    factor: Callable[[Expr], Expr]
    follow: Follow | None = None

    def after(self, warmup: int) -> Schedule:
        """A linear rise over the first `warmup` steps (Goyal et al. 2017, section 2.2), then the schedule,
        from its first step on."""
        _count(warmup=warmup)

        def factor(step: Expr) -> Expr:
            rising = Guard("<=", step, warmup)
            return rising * step / warmup + rising.complement() * self.factor(step - warmup)

        return Schedule(f"{self.name} after {warmup} steps of warm-up", factor, self.follow)


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
        left = Guard("<", step, span)
        wave = lowest + (1 - lowest) * (1 + sympy.cos(sympy.pi * step / span)) / 2
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
        left = Guard("<", step, span)
        return left * (1 - (1 - lowest) * step / span) + left.complement() * lowest

    found = Schedule("linear", factor)
    return found.after(warmup) if warmup else found


def exponential(factor: float) -> Schedule:
    """The learning rate times `factor` after each step; PyTorch's ExponentialLR. Raises UsageError: factor
    not in (0, 1]."""
    base = _share("factor", factor)
    if base == 0:
        raise UsageError(
            "factor must be above 0, not 0", help="a rate of 0 changes nothing: train fewer steps"
        )
    return Schedule("exponential", lambda step: base ** (step - 1))


def one_cycle(
    steps: int, pct_start: float = 0.3, div_factor: float = 25.0, final_div_factor: float = 1e4
) -> Schedule:
    """Half a cosine wave up from 1/div_factor to 1 over the share `pct_start` of the steps, half a wave down
    to 1/(div_factor·final_div_factor) over the rest, then that (Smith and Topin 2018, section 4); PyTorch's
    OneCycleLR, without its cycle of the momentum.

    Raises UsageError: fewer than 2 steps, pct_start outside [0, 1], a factor below 1.
    """
    _count(steps=steps)
    share, last = _share("pct_start", pct_start), steps - 1
    start = 1 / _at_least_1("div_factor", div_factor)
    lowest = start / _at_least_1("final_div_factor", final_div_factor)
    peak = share * steps - 1
    if not 0 < peak < last:
        raise UsageError(
            f"{pct_start} of {steps} steps leave none to rise in, or none to fall in",
            help="the rise takes pct_start·steps − 1 steps: give more steps, or a share between",
        )

    def wave(a: Expr, b: Expr, done: Expr) -> Expr:
        return b + (a - b) * (1 + sympy.cos(sympy.pi * done)) / 2

    def factor(step: Expr) -> Expr:
        past = step - 1
        rising, ended = Guard("<=", past, sympy.floor(peak)), Guard("<", last, past)
        falling = rising.complement() * ended.complement()
        up, down = (
            wave(start, sympy.S.One, past / peak),
            wave(sympy.S.One, lowest, (past - peak) / (last - peak)),
        )
        return rising * up + falling * down + ended * lowest

    return Schedule("one cycle", factor)


def plateau(
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    cooldown: int = 0,
    final: float = 0.0,
) -> Schedule:
    """The learning rate times `factor` once more than `patience` epochs were no better than the best so far
    by the share `threshold`, but not below the share `final`; then `cooldown` epochs don't count. The loss is
    that of the validation data, else that of training. PyTorch's ReduceLROnPlateau, whose least rate and eps
    are rates. `fit` tells the epochs.

    Raises UsageError: a factor or share outside [0, 1), a count that is no integer from 0 up.
    """
    for word, value in (("patience", patience), ("cooldown", cooldown)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UsageError(f"{word} must be an integer from 0 up, not {value!r}")
    if factor == 1:
        raise UsageError("factor must be below 1: a plateau is to change something")
    shares = (_share(n, v) for n, v in (("factor", factor), ("threshold", threshold), ("final", final)))
    scale, least_gain, lowest = shares
    follow = plateau_equations(scale, patience, least_gain, cooldown, lowest)
    return Schedule("plateau", lambda _: Access(SHARE), follow)


def over(name: str, steps: int | None = None, warmup: int = 0) -> Schedule:
    """The schedule of a name, of `symbp.optim.names.SCHEDULES`, over so many steps: `step` to a tenth after
    each third, `exponential` down to a hundredth, the others to their default; the warm-up is part of them,
    and `one-cycle` rises by itself.

    Raises UsageError: an unknown name, no number of steps where one is needed, a warm-up that leaves none.
    """
    if name not in SCHEDULES:
        raise UsageError(f"there is no schedule {name!r}", help=choose(name, SCHEDULES))
    if name == "plateau":
        return plateau().after(warmup) if warmup else plateau()
    if name == "constant":
        return constant().after(warmup) if warmup else constant()
    if steps is None:
        raise UsageError(
            f"a {name} schedule runs over a number of steps", help="give it: --steps 1000 (epochs · batches)"
        )
    if name in ("cosine", "linear"):
        return (cosine if name == "cosine" else linear)(steps, warmup=warmup)
    if name == "one-cycle":
        if warmup:
            raise UsageError("a one-cycle schedule rises by itself", help="leave the warm-up out")
        return one_cycle(steps)
    left = steps - warmup
    if left < 1:
        raise UsageError(f"a warm-up of {warmup} steps leaves none of {steps} for the schedule")
    plain = (
        step_decay(max(1, left // 3)) if name == "step" else exponential(float(f"{0.01 ** (1 / left):.12g}"))
    )
    return plain.after(warmup) if warmup else plain


def _count(**values: int) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(f"{name} must be a positive integer, not {value!r}")


def _at_least_1(name: str, value: float) -> Expr:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value < float("inf"):
        raise UsageError(f"{name} must be at least 1, not {value!r}")
    return sympy.Rational(repr(float(value)))


def _share(name: str, value: float) -> Expr:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise UsageError(f"{name} must be between 0 and 1, not {value!r}")
    return sympy.Rational(repr(float(value)))
