"""Process time and memory of deriving a net, each in a process of its own, so that one that doesn't end is
stopped and none warms another's caches.

Enters: names of `SLOW` or `ARCHITECTURES`. Leaves: one line each, or the profile of one.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import resource
import subprocess
import sys
import time
from pathlib import Path

CAP = 400  # seconds of process time


def figures(name: str, cap: int = CAP, *, profile: bool = False) -> str:
    """Derives a net in another process; its figures, or why there are none."""
    command = [
        sys.executable,
        str(Path(__file__).parent),
        "derive",
        name,
        *(["--profile"] if profile else []),
    ]
    limit = (cap, cap + 5)
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit),
    )
    if done.returncode == 0:
        return done.stdout.rstrip()
    if done.returncode < 0:
        return f"{name:22s} stopped by signal {-done.returncode} (cap {cap} s of process time)\n{done.stdout}"
    tail = " | ".join(line.strip() for line in done.stderr.strip().splitlines()[-6:])
    return f"{name:22s} refused or crashed: {tail[:600]}"


def derive_here(name: str, *, profile: bool = False) -> str:
    """Derives a net in this process: declaring, deriving, equations, peak memory; with the hot functions."""
    from architectures import ARCHITECTURES
    from slow_nets import SLOW

    import symbp as bp

    started = time.process_time()
    net = SLOW[name]() if name in SLOW else ARCHITECTURES[name].declare()
    declared = time.process_time()
    watch = cProfile.Profile()
    if profile:
        watch.enable()
    derivation = bp.derive(net)
    watch.disable()
    ended = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = (
        f"{name:22s} declared {declared - started:6.1f} s, derived {ended - declared:7.1f} s, "
        f"{len(net.system.equations):4d} equations to {len(derivation.system.equations):4d}, {peak:6.0f} MB"
    )
    return line + "\n" + hot(watch) if profile else line


def hot(watch: cProfile.Profile, count: int = 45) -> str:
    """The functions with the most time in them and below them, and those with the most of their own."""
    out = io.StringIO()
    stats = pstats.Stats(watch, stream=out)
    stats.sort_stats("cumulative").print_stats("symbp/", count)
    stats.sort_stats("tottime").print_stats(25)
    return out.getvalue()
