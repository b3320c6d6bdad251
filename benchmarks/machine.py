"""What the machine itself can do: gemm rate and memory bandwidth, measured with NumPy in this process.

    python -m benchmarks.machine

also measures, in half a minute, what the constants of `symbp/ir/machine.py` stand for, each beside its value.
Enters: nothing. Leaves: figures to set a row's times against.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from symbp.ir import machine


def _best(run: Callable[[], Any], repeats: int = 5) -> float:
    """The least of several times, in seconds."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def gemm_rate(size: int = 1024) -> float:
    """GFLOP/s of a float32 product of two square matrices."""
    a = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    out = np.empty_like(a)
    return 2e-9 * size**3 / _best(lambda: np.matmul(a, a, out=out))


def bandwidth(megabytes: int = 256) -> float:
    """GB/s of a copy larger than the caches, counting what is read and what is written."""
    a = np.ones(megabytes << 18, np.float32)
    b = np.empty_like(a)
    return 2e-9 * a.nbytes / _best(lambda: np.copyto(b, a))


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def figures(threads: int) -> dict[str, Any]:
    """All of it."""
    return {
        "processor": processor(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": threads,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "gemm_gflops": round(gemm_rate(), 1),
        "copy_gb_per_s": round(bandwidth(), 1),
    }


def seconds(run: Callable[[], Any], calls: int) -> float:
    """The least time of one of many calls in a row."""

    def repeated() -> None:
        for _ in range(calls):
            run()

    return _best(repeated) / calls


def passes(size: int = machine.BLOCK) -> dict[str, float]:
    """Nanoseconds for each element of a pass whose operands stay in the cache."""
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0.5, 1.5, size).astype(np.float32) for _ in range(2))
    out, truth, places = np.empty_like(a), np.empty(size, bool), rng.permutation(size)
    runs: dict[str, Callable[[], Any]] = {
        "add": lambda: np.add(a, b, out=out),
        "copy": lambda: np.copyto(out, a),
        "gather": lambda: np.take(a, places, out=out, mode="clip"),
        "compare": lambda: np.less(a, b, out=truth),
        "divide": lambda: np.divide(a, b, out=out),
        "root": lambda: np.sqrt(a, out=out),
        "exp": lambda: np.exp(a, out=out),
        "log": lambda: np.log(a, out=out),
        "tanh": lambda: np.tanh(a, out=out),
    }
    return {name: 1e9 * seconds(run, 200) / size for name, run in runs.items()}


def by_size() -> dict[int, float]:
    """Nanoseconds for each element of an addition, by the number of elements, as powers of 2."""
    found = {}
    for power in range(6, 25, 2):
        a = np.ones(1 << power, np.float32)
        out = np.empty_like(a)
        calls = max(1, (1 << 18) >> power)
        found[power] = 1e9 * seconds(lambda a=a, out=out: np.add(a, a, out=out), calls) / a.size
    return found


def main() -> None:
    gemm, copy = gemm_rate(), bandwidth()
    print(f"{processor()}: {gemm:.0f} GFLOP/s in a product, {copy:.1f} GB/s in a copy\n")
    balance = gemm / (copy / 4)
    print(f"BALANCE {machine.BALANCE}: {balance:.0f} operations while one element goes to memory or back")
    tiny = np.ones((2, 2), np.float32)
    out = np.empty_like(tiny)
    element = passes()
    start = 1e9 * seconds(lambda: np.dot(tiny, tiny, out=out), 10_000)
    print(f"CALL {machine.CALL}: {start / (8 / copy):.0f} elements copied in memory while a product starts")
    sizes = by_size()
    least = min(sizes.values())
    print("\na pass in the cache, in an addition with its reads and store:")
    print("  " + ", ".join(f"{name} {time / element['add']:.1f}" for name, time in element.items()))
    told = {"READ": machine.READ, "STORE": machine.STORE, "GATHER": machine.GATHER, "GUARD": machine.GUARD}
    told |= {"DIVIDE": machine.DIVIDE, "ROOT": machine.ROOT, "FUNCTION": machine.FUNCTION}
    whole = 1 + 2 * machine.READ + machine.STORE
    print(f"  constants, with an addition of {whole:.1f}: " + ", ".join(f"{k} {v}" for k, v in told.items()))
    print("\nan addition by its number of elements, in the least time of an element:")
    print("  " + ", ".join(f"2^{power} {time / least:.1f}" for power, time in sizes.items()))
    names = ("SMALL", "BLOCK", "WORTH_A_CALL", "CACHED")
    print("  " + ", ".join(f"{name} 2^{getattr(machine, name).bit_length() - 1}" for name in names))
    if "SC_LEVEL1_DCACHE_LINESIZE" in os.sysconf_names:
        print(
            f"\nLINE {machine.LINE}: {os.sysconf('SC_LEVEL1_DCACHE_LINESIZE') // 4} elements in a cache line"
        )


if __name__ == "__main__":
    main()
