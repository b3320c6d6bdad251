"""A full training step of each row, symbp beside its peers.

    python -m benchmarks [ROW ...] [--peers NAME ...] [--rounds 7] [--threads 2] [--json FILE] [--svg FILE]

All peers start from the same parameters and data; those whose losses differ over ten steps are named and not
timed. The command starts itself again in a process whose libraries all have the given number of threads.
The table goes to stdout, progress to stderr; exit 0, or 1 where losses differed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

AGAIN = "SYMBP_BENCHMARKS_THREADS"
LIMITS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    found.add_argument(
        "rows", nargs="*", metavar="ROW", help="rows to measure (default: all); --list names them"
    )
    found.add_argument("--list", action="store_true", help="name the rows and the peers, and stop")
    found.add_argument(
        "--peers", nargs="+", metavar="NAME", help="peers to measure (default: all that are here)"
    )
    found.add_argument("--rounds", type=int, default=7, help="rounds over all peers (default: 7)")
    found.add_argument("--seconds", type=float, default=0.2, help="of one peer in one round (default: 0.2)")
    found.add_argument("--threads", type=int, default=2, help="threads of every peer (default: 2)")
    found.add_argument("--quick", action="store_true", help="3 rounds of 0.05 seconds")
    found.add_argument(
        "--compile", action="store_true", help="time to the first step of Numba modules instead"
    )
    found.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    found.add_argument("--svg", type=Path, metavar="FILE", help="write a picture of the ratios")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parser().parse_args(given)
    if os.environ.get(AGAIN) != str(options.threads):
        return _again(given, options.threads)
    return _run(options)


def _again(arguments: Sequence[str], threads: int) -> int:
    """The same command in a process where every library finds its number of threads before it is imported."""
    environment = {**os.environ, AGAIN: str(threads), **dict.fromkeys(LIMITS, str(threads))}
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def _run(options: argparse.Namespace) -> int:
    from benchmarks.peers.registry import PEERS
    from benchmarks.rows import ROWS

    if hasattr(os, "sched_setaffinity"):  # for libraries that count processors
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    if options.list:
        print("\n".join(f"{row.name:18} {row.what}" for row in ROWS.values()))
        print("peers: " + ", ".join(PEERS))
        return 0
    unknown = [name for name in options.rows if name not in ROWS]
    unknown += [name for name in options.peers or () if name not in PEERS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; --list names rows and peers", file=sys.stderr)
        return 2
    warnings.simplefilter("ignore")
    chosen = options.rows or list(ROWS)
    return _compile(chosen) if options.compile else _measure(chosen, options)


def _measure(chosen: Sequence[str], options: argparse.Namespace) -> int:
    from benchmarks import plot
    from benchmarks.machine import figures
    from benchmarks.measure import Result, measure
    from benchmarks.peers.registry import PEERS
    from benchmarks.report import table
    from benchmarks.rows import ROWS

    peers = _present([PEERS[name] for name in options.peers or PEERS])
    rounds, seconds = (3, 0.05) if options.quick else (options.rounds, options.seconds)
    machine = figures(options.threads)
    machine["versions"] = {peer.package: peer.version() for peer in peers}
    say(f"{machine['processor']}: {machine['gemm_gflops']} GFLOP/s, {machine['copy_gb_per_s']} GB/s")
    results: list[Result] = []
    for name in chosen:
        result = measure(
            ROWS[name], peers, threads=options.threads, rounds=rounds, seconds=seconds,
            report=lambda text, name=name: say(f"{name}: {text}"),
        )  # fmt: skip
        results.append(result)
        if options.json:
            content = {"machine": machine, "rows": [r.json() for r in results]}
            options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    names = [peer.name for peer in peers]
    print(table(results, names))
    print(f"\nthe machine with {options.threads} threads: {machine['gemm_gflops']} GFLOP/s in a float32 gemm")
    print(f"of 1024, {machine['copy_gb_per_s']} GB/s in a copy")
    if options.svg:
        options.svg.write_text(plot.svg(results, names), encoding="utf-8")
    return 0 if all(result.agree for result in results) else 1


def _present(peers: Sequence[Any]) -> list[Any]:
    """The peers that can be imported; the others are named."""
    found = []
    for peer in peers:
        missing = peer.missing()
        if missing:
            say(f"skipped: {peer.name} ({missing})")
        else:
            found.append(peer)
    return found


def _compile(chosen: Sequence[str]) -> int:
    from benchmarks.compile_times import compile_time
    from benchmarks.rows import ROWS

    print(f"{'to the first step':18} {'compiling':>10} {'cached':>8}")
    for name in chosen:
        say(f"{name}: compile")
        found = compile_time(ROWS[name])
        print(f"{name:18} {found.cold:8.1f} s {found.cached:6.2f} s", flush=True)
    return 0


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
