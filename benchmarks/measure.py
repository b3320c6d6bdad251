"""One row with all peers: prepare, compare the losses of ten steps, time.

Enters: a row, peers, how to time. Leaves: `Result`. Must not know: tables, files, the command line.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.peers.registry import CannotError, Peer
from benchmarks.rows import Row
from benchmarks.timing import Take, Times, interleaved

STEPS = 10
TOLERANCE = 1e-4
Report = Callable[[str], None]


@dataclass
class Result:
    """What a row gave: the times by peer, why a peer has none, the losses' largest relative difference from
    the reference's, seconds to prepare and to make the first step, whether symbp failed."""

    row: str
    what: str
    times: dict[str, Times] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    prepared: dict[str, float] = field(default_factory=dict)
    first_step: dict[str, float] = field(default_factory=dict)
    failed: bool = False

    @property
    def sound(self) -> bool:
        """Whether the losses agree, and symbp's targets ran."""
        agree = all(difference <= TOLERANCE for difference in self.differences.values())
        return agree and not self.failed

    @classmethod
    def of_json(cls, found: dict[str, Any]) -> Result:
        """The result that `json` wrote down."""
        return cls(
            found["row"],
            found["what"],
            {name: Times(tuple(rounds)) for name, rounds in found["rounds"].items()},
            found["absent"],
            found["loss_difference"],
            found["prepare_seconds"],
            found["first_step_seconds"],
            found["failed"],
        )

    def json(self) -> dict[str, Any]:
        """The figures as plain data."""
        return {
            "row": self.row,
            "what": self.what,
            "seconds": {name: times.median for name, times in self.times.items()},
            "spread": {name: times.spread for name, times in self.times.items()},
            "rounds": {name: list(times.rounds) for name, times in self.times.items()},
            "loss_difference": self.differences,
            "prepare_seconds": self.prepared,
            "first_step_seconds": self.first_step,
            "absent": self.absent,
            "failed": self.failed,
        }


def measure(
    row: Row,
    peers: Sequence[Peer],
    *,
    threads: int,
    rounds: int,
    seconds: float,
    report: Report,
    at: Report = lambda _: None,
) -> Result:
    """The row's result; a peer whose losses differ is reported and not timed. `at` is told the name of each
    peer before it runs."""
    result = Result(row.name, row.what)
    steps: dict[str, Take] = {}
    losses: dict[str, list[float]] = {}
    for peer in peers:
        report(f"{peer.name}: prepare")
        at(peer.name)
        try:
            steps[peer.name], losses[peer.name] = _first_steps(row, peer, threads, result)
        except CannotError as error:
            result.absent[peer.name] = str(error)
        except Exception as error:  # a peer that fails on a row is a result, too
            result.absent[peer.name] = f"{type(error).__name__}: {_first_line(error)}"
            result.failed |= peer.ours
    yardstick = next((losses[name] for name in ("numpy", "torch", *losses) if name in losses), [])
    for name, found in losses.items():
        result.differences[name] = difference(found, yardstick, signed=row.signed)
        if result.differences[name] > TOLERANCE:
            result.absent[name] = f"losses differ by {result.differences[name]:.1e}"
            del steps[name]
    result.times = interleaved(steps, rounds, seconds, report, at)
    return result


def _first_steps(row: Row, peer: Peer, threads: int, result: Result) -> tuple[Take, list[float]]:
    start = time.perf_counter()
    step = peer.prepare(row, "float32", threads)
    ready = time.perf_counter()
    losses = [step.take()]
    result.prepared[peer.name] = ready - start
    result.first_step[peer.name] = time.perf_counter() - ready
    return step.take, losses + [step.take() for _ in range(STEPS - 1)]


def difference(found: Sequence[float], expected: Sequence[float], *, signed: bool = False) -> float:
    """The largest relative difference of two runs' losses, each over its own size; over the size of the
    largest where losses are `signed`, sums whose terms cancel. Infinite where one isn't finite."""
    if not all(map(math.isfinite, found)):
        return math.inf
    least = max(abs(value) for value in expected) if signed else 1e-30
    return max(abs(a - b) / max(abs(b), least, 1e-30) for a, b in zip(found, expected, strict=True))


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else "")[:160]
