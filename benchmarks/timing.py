"""Timing steps beside each other: rounds over all peers, each a batch of steps long enough to time.

Enters: named steps. Leaves: seconds a step, by peer and round. Must not know: rows, frameworks.

A shared machine's speed changes from second to second, so only what ran close together is compared: each
round visits every peer, in an order that rotates, and ratios are taken round by round.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Take = Callable[[], float]
SETTLE = 0.05  # seconds before a batch: the threads of the peer before go on spinning for a while


@dataclass(frozen=True)
class Times:
    """Seconds a step, round by round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> float:
        """Half of what lies between the quartiles, as a part of the median."""
        if len(self.rounds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.rounds, n=4, method="inclusive")
        return (high - low) / 2 / self.median

    def over(self, other: Times) -> float:
        """How many times as long these steps take: the median of the rounds' ratios."""
        return statistics.median(a / b for a, b in zip(self.rounds, other.rounds, strict=True))


def steps_in(take: Take, seconds: float) -> int:
    """How many steps take about so long."""
    count = 1
    while True:
        taken = batch(take, count) * count
        if taken >= seconds / 4 or count >= 1 << 16:
            return max(1, min(1 << 16, round(count * seconds / max(taken, 1e-9))))
        count *= 4


def batch(take: Take, count: int) -> float:
    """Seconds a step, over `count` steps."""
    start = time.perf_counter()
    for _ in range(count):
        take()
    return (time.perf_counter() - start) / count


def interleaved(
    steps: Mapping[str, Take],
    rounds: int,
    seconds: float,
    report: Callable[[str], None],
    at: Callable[[str], None] = lambda _: None,
) -> dict[str, Times]:
    """The times of all peers in `rounds` rounds, each peer's batch lasting about `seconds`; `at` is told the
    name of each before its batch."""
    counts = {}
    for name, take in steps.items():
        at(name)
        counts[name] = steps_in(take, seconds)
    found: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            report(f"round {number + 1} of {rounds}")
            for name in _rotated(names, number):
                at(name)
                time.sleep(SETTLE)
                steps[name]()  # wakes the peer's threads and brings its data into the cache
                found[name].append(batch(steps[name], counts[name]))
    finally:
        gc.enable()
    return {name: Times(tuple(times)) for name, times in found.items()}


def _rotated(names: Sequence[str], by: int) -> list[str]:
    by %= len(names) or 1
    return [*names[by:], *names[:by]]
