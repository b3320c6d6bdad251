"""A full training step of each row, symbp beside its peers.

    python -m benchmarks [ROW ...] [--peers NAME ...] [--rounds 7] [--threads 2] [--json FILE] [--svg FILE]

All peers start from the same parameters and data; those whose losses differ over ten steps are named and not
timed. Each row is measured in a process of its own, in which every library finds the number of threads before
it is imported; a peer that crashes there is named, and the row measured without it. The table goes to stdout,
progress to stderr; exit 0, or 1 where losses differed, or a row or symbp failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.measure import Result
    from benchmarks.peers.registry import Peer
    from benchmarks.rows import Row

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
    found.add_argument("--measure", type=Path, metavar="FILE", help=argparse.SUPPRESS)  # in the row's process
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    warnings.simplefilter("ignore")
    if options.measure:
        return _in_own_process(options)
    from benchmarks.peers.registry import PEERS
    from benchmarks.rows import ROWS

    if options.list:
        print("\n".join(f"{row.name:18} {row.what}" for row in ROWS.values()))
        print("peers: " + ", ".join(PEERS))
        return 0
    unknown = [name for name in options.rows if name not in ROWS]
    unknown += [name for name in options.peers or () if name not in PEERS]
    if unknown:
        say(f"unknown: {', '.join(unknown)}; --list names rows and peers")
        return 2
    chosen = options.rows or list(ROWS)
    if options.compile:
        return _compile(chosen, options.threads)
    peers = _present([PEERS[name] for name in options.peers or PEERS])
    return _compare(chosen, peers, options)


def _compare(chosen: Sequence[str], peers: Sequence[Peer], options: argparse.Namespace) -> int:
    """All rows, each in its process; table, figures and picture."""
    from benchmarks import plot
    from benchmarks.report import table
    from benchmarks.rows import ROWS

    names = [peer.name for peer in peers]
    machine = {**_measured([], [], options), "versions": {peer.package: peer.version() for peer in peers}}
    say(f"{machine['processor']}: {machine['gemm_gflops']} GFLOP/s, {machine['copy_gb_per_s']} GB/s")
    results: list[Result] = []
    for name in chosen:
        results.append(_surviving(ROWS[name], peers, options))
        if options.json:
            content = {"machine": machine, "rows": [r.json() for r in results]}
            options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(table(results, names))
    print(f"\nthe machine with {options.threads} threads: {machine['gemm_gflops']} GFLOP/s in a float32 gemm")
    print(f"of 1024, {machine['copy_gb_per_s']} GB/s in a copy")
    if options.svg:
        options.svg.write_text(plot.svg(results, names), encoding="utf-8")
    return 0 if all(result.sound for result in results) else 1


def _surviving(row: Row, peers: Sequence[Peer], options: argparse.Namespace) -> Result:
    """A row's result; a peer that takes the row's process with it is named, and the row begun anew."""
    from benchmarks.measure import Result

    died: dict[str, str] = {}
    while True:
        found = _measured([row.name], [p.name for p in peers if p.name not in died], options)
        if "died" not in found:
            result = Result.of_json(found)
            break
        died[found["at"]] = found["died"]
        if not found["at"] or len(died) == len(peers):
            result = Result(row.name, row.what)
            break
    result.absent |= died
    result.failed |= any(name == "" or p.ours for name in died for p in peers if name in ("", p.name))
    return result


def _measured(rows: Sequence[str], peers: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """What a process of its own measures: a row, or without one the machine."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found.json"
        numbers = {"--rounds": options.rounds, "--seconds": options.seconds, "--threads": options.threads}
        command = [sys.executable, "-m", "benchmarks", *rows, "--measure", str(file)]
        command += [part for name, value in numbers.items() for part in (name, str(value))]
        command += ["--quick"] * options.quick + (["--peers", *peers] if peers else [])
        status = subprocess.run(command, env=environment(options.threads), check=False).returncode
        if status or not file.exists():
            ended = f"signal {-status}" if status < 0 else f"status {status}"
            at = file.with_suffix(".at")
            peer = at.read_text(encoding="utf-8") if at.exists() else ""
            say(f"{' '.join(rows)}: its process ended with {ended}{f', at {peer}' if peer else ''}")
            return {"died": f"the row's process ended with {ended}", "at": peer}
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found


def environment(threads: int) -> dict[str, str]:
    """This environment, with every library held to so many threads."""
    return {**os.environ, **dict.fromkeys(LIMITS, str(threads))}


def _in_own_process(options: argparse.Namespace) -> int:
    """One row, or the machine; the figures go to the file."""
    if hasattr(os, "sched_setaffinity"):  # for libraries that count processors
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    found = _row(options) if options.rows else _machine(options.threads)
    options.measure.write_text(json.dumps(found), encoding="utf-8")
    return 0


def _machine(threads: int) -> dict[str, Any]:
    from benchmarks.machine import figures

    return figures(threads)


def _row(options: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.measure import measure
    from benchmarks.peers.registry import PEERS
    from benchmarks.rows import ROWS

    (name,) = options.rows
    rounds, seconds = (3, 0.05) if options.quick else (options.rounds, options.seconds)
    return measure(
        ROWS[name],
        [PEERS[peer] for peer in options.peers],
        threads=options.threads,
        rounds=rounds,
        seconds=seconds,
        report=lambda text: say(f"{name}: {text}"),
        at=lambda peer: _note(options.measure.with_suffix(".at"), peer),
    ).json()


def _note(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def _present(peers: Sequence[Peer]) -> list[Peer]:
    """The peers that can be imported; the others are named."""
    found = []
    for peer in peers:
        missing = peer.missing()
        if missing:
            say(f"skipped: {peer.name} ({missing})")
        else:
            found.append(peer)
    return found


def _compile(chosen: Sequence[str], threads: int) -> int:
    from benchmarks.compile_times import compile_time
    from benchmarks.rows import ROWS

    print(f"{'to the first step':18} {'compiling':>10} {'cached':>8}")
    for name in chosen:
        say(f"{name}: compile")
        found = compile_time(ROWS[name], environment(threads))
        print(f"{name:18} {found.cold:8.1f} s {found.cached:6.2f} s", flush=True)
    return 0


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
