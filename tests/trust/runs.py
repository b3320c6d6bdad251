"""Many random nets, one after the other: what was found, and how to see it again.

Enters: a generator's name and seeds. Leaves: printed failures and the sum.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping

from tests.trust import coincidences, shared_layers
from tests.trust.judge import STOP, Outcome, judge
from tests.trust.programs import Generator

GENERATORS: Mapping[str, Generator] = {
    "shared": shared_layers.program,
    "random": coincidences.program,
}


def outcome_of(
    generator: str, seed: int, *, compiled: int = 0, stop: float = STOP
) -> Outcome:
    """What becomes of one net; `compiled` says that one of so many is compiled, too."""
    program = GENERATORS[generator](seed)
    return judge(program, seed, compiled=bool(compiled) and seed % compiled == 0, stop=stop)


def run_many(
    generator: str, seeds: Iterable[int], *, compiled: int = 20, stop: float = STOP, quiet: bool = False
) -> int:
    """Prints each failure with its program, and the sum; 1 if a net failed."""
    counts: Counter[str] = Counter()
    slowest: list[tuple[float, int]] = []
    started = time.process_time()
    for seed in seeds:
        outcome = outcome_of(generator, seed, compiled=compiled, stop=stop)
        counts[outcome.verdict] += 1
        counts["slow"] += outcome.slow
        slowest = sorted([*slowest, (outcome.seconds, seed)], reverse=True)[:10]
        if outcome.verdict not in ("right", "skipped") and not quiet:
            print(f"--- {generator} {seed}: {outcome.verdict} after {outcome.seconds:.1f} s")
            print(outcome.message)
            print(GENERATORS[generator](seed).text, flush=True)
    names = ("right", "wrong", "ties", "refused", "crashed", "stopped", "slow", "skipped")
    figures = ", ".join(f"{counts[name]} {name}" for name in names)
    print(f"{generator}: {sum(counts.values()) - counts['slow']} nets: {figures}")
    print(f"{time.process_time() - started:.0f} s of process time; the slowest to derive (seconds, seed):")
    print("  " + ", ".join(f"{seconds:.1f} ({seed})" for seconds, seed in slowest), flush=True)
    return int(any(counts[name] for name in names[1:7]))
