"""What the machine itself can do: gemm rate and memory bandwidth, measured with NumPy in this process.

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
