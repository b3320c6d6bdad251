"""How long deriving takes: by depth, by the values of the sizes, from a cold start.

    python -m benchmarks.deriving

Prints seconds and their growth from depth to depth; nothing is asserted, since machines differ.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import symbp as bp

ACTIVATIONS = (bp.tanh, bp.sigmoid, bp.softplus, bp.relu, bp.silu, bp.leaky_relu, bp.gelu)
ROUNDS = 3


def net(depth: int, width: int | None = None) -> bp.Network:
    """`depth` dense layers that differ in activation and, without `width`, in size."""
    n = bp.dim("N")
    widths = [width or 3 + k % 11 for k in range(depth + 1)]
    h = bp.input("x", (n, widths[0]))
    y = bp.labels("y", (n,), classes=widths[-1])
    for k in range(depth):
        weight = bp.param(f"W{k + 1}", (widths[k], widths[k + 1]))
        offset = bp.param(f"b{k + 1}", (widths[k + 1],))
        h = h @ weight + offset
        if k + 1 < depth:
            h = ACTIVATIONS[k % len(ACTIVATIONS)](h)
    return bp.Network(f"depth_{depth}", loss=bp.cross_entropy(bp.softmax(h), y))


def seconds(network: bp.Network) -> float:
    """The median time of a derivation."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        bp.derive(network)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def cold_start() -> float:
    """A whole process that imports symbp, declares and derives three layers."""
    code = "from benchmarks.deriving import net; import symbp as bp; bp.derive(net(3))"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main() -> None:
    print("depth   seconds   seconds a layer")
    for depth in (3, 6, 12, 25, 50, 100):
        taken = seconds(net(depth))
        print(f"{depth:5d}   {taken:7.2f}   {taken / depth:.4f}")
    for width in (4, 4096):
        derivation = bp.derive(net(3, width))
        print(f"3 layers of width {width}: {seconds(net(3, width)):.2f} s, {len(str(derivation))} characters")
    print(f"a new process, import included, 3 layers: {cold_start():.2f} s")


if __name__ == "__main__":
    main()
