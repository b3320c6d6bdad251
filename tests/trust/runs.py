"""Many random nets, one after the other: what was found, and how to see it again.

Enters: a generator's name and seeds. Leaves: printed failures and the sum.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping

import coincidences
import shared_layers
from judge import STOP, Outcome, judge
from programs import Generator

GENERATORS: Mapping[str, Generator] = {
    "shared": shared_layers.program,
    "random": coincidences.program,
}
FINE = ("right", "skipped")
VERDICTS = ("right", "wrong", "ties", "refused", "crashed", "stopped", "slow", "skipped")


def outcome_of(generator: str, seed: int, *, compiled: int = 20, stop: float = STOP) -> Outcome:
    """What becomes of one net; one of every `compiled` nets is compiled, too."""
    program = GENERATORS[generator](seed)
    return judge(program, seed, compiled=bool(compiled) and seed % compiled == 0, stop=stop)


def failure_of(generator: str, seed: int) -> str:
    """What is wrong with one net and its program, or nothing. How often a kink is differentiated, at the
    kink, is a convention, which PyTorch's second derivatives have of their own."""
    found = outcome_of(generator, seed)
    program = GENERATORS[generator](seed)
    twice = found.verdict == "ties" and (program.hvp or "bp.grad(" in program.text)
    if (found.verdict in FINE or twice) and not found.slow:
        return ""
    return shown(generator, seed, found)


def shown(generator: str, seed: int, outcome: Outcome) -> str:
    """A failure with the file that declares the net."""
    head = f"--- {generator} {seed}: {outcome.verdict} after {outcome.seconds:.1f} s of process time"
    return "\n".join([head, outcome.message, GENERATORS[generator](seed).text])


def run_many(
    generator: str, seeds: Iterable[int], *, compiled: int = 20, stop: float = STOP, quiet: bool = False
) -> int:
    """Prints each failure with its program, and the sum; 1 if a net failed."""
    counts: Counter[str] = Counter()
    failed: dict[str, list[int]] = {}
    slowest: list[tuple[float, int]] = []
    started, total = time.process_time(), 0
    for seed in seeds:
        outcome = outcome_of(generator, seed, compiled=compiled, stop=stop)
        total += 1
        counts[outcome.verdict] += 1
        counts["slow"] += outcome.slow
        slowest = sorted([*slowest, (outcome.seconds, seed)], reverse=True)[:10]
        if outcome.verdict not in FINE or outcome.slow:
            failed.setdefault(outcome.verdict, []).append(seed)
            if not quiet:
                print(shown(generator, seed, outcome), flush=True)
    print(f"{generator}: {total} nets: " + ", ".join(f"{counts[name]} {name}" for name in VERDICTS))
    for verdict, numbers in failed.items():
        print(f"  {verdict}: {' '.join(map(str, numbers))}")
    print(f"{time.process_time() - started:.0f} s of process time; the slowest to derive (seconds, seed):")
    print("  " + ", ".join(f"{seconds:.1f} ({seed})" for seconds, seed in slowest), flush=True)
    return int(bool(failed))
