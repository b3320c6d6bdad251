"""A range test of the learning rate (Smith 2017): it rises from step to step, and the loss tells.

Enters: a setting. Leaves: a frozen `RangeTest`. Must not know: why anybody asks.

The rate rises exponentially. The same few batches come again and again, so that each loss can be compared
with that of the same batch at the start: what is left is what training changed, not what batches differ by.
It is smoothed by a running mean. The test ends where the loss has left what it started from.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, log

from symbp.verify.health.records import RangeTest
from symbp.verify.health.setting import RATE, Setting, unscheduled
from symbp.verify.health.training import first_losses, moments

LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 100
MEMORY = 0.8  # of the running mean: it lags by about five steps
PERIOD = 8  # batches
REACH = 3  # steps to each side over which the slope of the loss is taken
FLOOR = 0.05  # of the whole fall: so close to the lowest loss it counts as lowest
BELOW = 4  # times below the rate of the lowest loss a rate is that can be trusted for long
FALLS = 0.01  # of the first loss: less is no fall


def range_test(
    setting: Setting, *, low: float = LOWEST, high: float = HIGHEST, steps: int = STEPS
) -> RangeTest | None:
    """The test, from the start of a setting, with its optimizer; None for one without a rate. A schedule is
    left out."""
    if RATE not in setting.rule.hyper:
        return None
    growth = (high / low) ** (1 / (steps - 1))
    rates, losses, smooth = [], [], []
    plain = replace(setting, rule=unscheduled(setting.rule))
    start = first_losses(plain, PERIOD)
    level, mean, rises = sum(start) / len(start), 0.0, False
    if not isfinite(level):
        return RangeTest((), (), (), None, None, True)
    for moment in moments(plain, lambda number: low * growth ** (number - 1), PERIOD):
        if moment.step is None:
            rises = True
            break
        number, loss = moment.step.number, moment.step.loss
        mean = MEMORY * mean + (1 - MEMORY) * (loss - start[(number - 1) % PERIOD])
        rates.append(low * growth ** (number - 1))
        losses.append(loss)
        smooth.append(level + mean)
        if _has_left(smooth):
            rises = True
            break
        if number == steps:
            break
    suggested, lowest = _chosen(rates, smooth)
    return RangeTest(tuple(rates), tuple(losses), tuple(smooth), suggested, lowest, rises)


def _has_left(smooth: list[float]) -> bool:
    """Whether the loss is as far above its start as it had fallen below it, or half of the start."""
    first, best = smooth[0], min(smooth)
    return not isfinite(smooth[-1]) or smooth[-1] > first + max(first - best, abs(first) / 2, 1e-12)


def _chosen(rates: list[float], smooth: list[float]) -> tuple[float | None, float | None]:
    """(the rate of the steepest fall, well below that of the lowest loss; the rate of the lowest loss);
    nothing where the loss doesn't fall."""
    deepest = min(smooth)
    if not smooth[0] - deepest > FALLS * max(abs(smooth[0]), 1e-12):
        return None, None
    end = max(k for k, loss in enumerate(smooth) if loss - deepest <= FLOOR * (smooth[0] - deepest))
    slopes = {}
    for k in range(end + 1):
        before, after = max(0, k - REACH), min(end, k + REACH)
        if after > before:
            slopes[k] = (smooth[after] - smooth[before]) / log(rates[after] / rates[before])
    steepest = min(slopes, key=slopes.__getitem__)
    return min(rates[steepest], rates[end] / BELOW), rates[end]
