"""Whole Hessians by generated NumPy beside JAX's `hessian`, jitted, in one interleaved run.

    python -m benchmarks.hessians [--rounds 15] [--threads 1]

Prints medians with their spread, and how many times faster the generated module is. Before anything is timed,
both results are compared. The generated module's time includes its checks of the arrays, and the gradient,
which it returns beside the Hessian. Both run on the same processors, one by default (on Linux; elsewhere all
that they take). Without JAX, its rows are left out and the run says so. OpenBLAS chooses its kernels by the
name of the processor; on one that it doesn't know, OPENBLAS_CORETYPE=SkylakeX gives those for AVX-512.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import symbp as bp

Array = np.ndarray[Any, Any]
Run = Callable[[], Array]
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}


@dataclass(frozen=True)
class Row:
    """One Hessian: the network, the parameter, its data, and the same loss for JAX."""

    title: str
    net: bp.Network
    by: str
    arrays: Mapping[str, Array]
    loss: Callable[..., Any]  # (jax.numpy, parameter, **data)


def quadratic(n: int = 2048) -> Row:
    """xᵀAx, whose Hessian is A + Aᵀ."""
    N = bp.dim("N")
    A, x = bp.input("A", (N, N)), bp.param("x", (N,))
    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=n), "A": rng.normal(size=(n, n))}
    net = bp.Network("quadratic", loss=(x * (A @ x)).sum())
    return Row(f"xᵀAx, n = {n}", net, "x", arrays, lambda _, x, A: x @ (A @ x))


def logistic(d: int = 256, examples: int = 1024) -> Row:
    """Logistic regression, whose Hessian is Xᵀ diag(p(1 − p)) X."""
    N, D = bp.dims("N D")
    X, y = bp.input("X", (N, D)), bp.target("y", (N,), facts=["binary"])
    w = bp.param("w", (D,))
    rng = np.random.default_rng(1)
    arrays = {
        "w": 0.1 * rng.normal(size=d),
        "X": rng.normal(size=(examples, d)),
        "y": (rng.random(examples) < 0.5).astype(float),
    }
    net = bp.Network("logistic", loss=(bp.softplus(X @ w) - y * (X @ w)).sum())

    def loss(jnp: Any, w: Any, X: Any, y: Any) -> Any:
        z = X @ w
        return (jnp.logaddexp(0, z) - y * z).sum()

    return Row(f"logistic regression, d = {d}, {examples} examples", net, "w", arrays, loss)


def ours(row: Row, dtype: str) -> Run:
    """The generated NumPy module's Hessian."""
    module = bp.compile(bp.hessian(row.net, wrt=[row.by]), dtype=dtype)
    arrays = {name: array.astype(dtype) for name, array in row.arrays.items()}
    params = {row.by: arrays.pop(row.by)}
    data = {name: arrays[name] for name in module.DERIVATIVE_INPUTS}
    key = f"{row.by},{row.by}"

    def run() -> Array:
        found: dict[str, Array] = module.derivatives(params, **data)
        return found[key]

    return run


def jax_hessian(row: Row, dtype: str) -> Run | None:
    """JAX's, jitted; None where JAX isn't installed."""
    try:
        jax: Any = importlib.import_module("jax")
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    given = {name: jax.numpy.asarray(array.astype(dtype)) for name, array in row.arrays.items()}
    point = given.pop(row.by)
    compiled = jax.jit(jax.hessian(lambda p, data: row.loss(jax.numpy, p, **data)))

    def run() -> Array:
        found: Array = compiled(point, given).block_until_ready()
        return found

    return run


def interleaved(runs: Mapping[str, Run], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round, after one that isn't counted."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for count in range(rounds + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if count:
                times[name].append(time.perf_counter() - started)
        print(f"\r  round {count}/{rounds}", end="", file=sys.stderr, flush=True)
    print("\r", end="", file=sys.stderr)
    return times


def shown(times: list[float]) -> str:
    """Median and quartiles in milliseconds."""
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{middle * 1e3:8.2f} ms ({low * 1e3:.2f} to {high * 1e3:.2f})"


def _confined(threads: int) -> bool:
    """Confines this process and those that it starts to as many processors; whether that changed anything."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, allowed[:threads])
    return len(allowed) > threads


def _same(options: argparse.Namespace) -> list[str]:
    return ["--rounds", str(options.rounds), "--threads", str(options.threads)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Hessians by generated NumPy beside JAX.")
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    parser.add_argument("--threads", type=int, default=1, help="processors for both (default: 1)")
    options = parser.parse_args(arguments)
    if _confined(options.threads):  # the libraries count processors when they are imported
        command = [sys.executable, "-m", "benchmarks.hessians", *map(str, _same(options))]
        return subprocess.run(command, check=False).returncode
    rounds = max(options.rounds, 2)
    print(f"NumPy {np.__version__}, {options.threads} threads, {rounds} rounds, interleaved")
    for row in (quadratic(), logistic()):
        for dtype in ("float32", "float64"):
            print(f"{row.title}, {dtype}")
            mine, theirs = ours(row, dtype), jax_hessian(row, dtype)
            runs = {"generated NumPy": mine, **({"JAX": theirs} if theirs else {})}
            if theirs is not None:
                a, b = np.asarray(mine(), float), np.asarray(theirs(), float)
                apart = float(np.linalg.norm(a - b) / np.linalg.norm(b))
                print(f"  relative difference {apart:.1e}")
                if not apart <= TOLERANCE[dtype]:
                    print("  the results disagree; nothing was timed")
                    return 1
            times = interleaved(runs, rounds)
            for name, taken in times.items():
                print(f"  {name:16} {shown(taken)}")
            if theirs is None:
                print("  JAX              not installed; left out")
            else:
                ratio = statistics.median(times["JAX"]) / statistics.median(times["generated NumPy"])
                print(f"  {ratio:.1f} times faster")
    return 0


if __name__ == "__main__":
    sys.exit(main())
