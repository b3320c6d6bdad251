"""Two hundred random systems, eighty of them in the usual run: raw sweep and closed forms, each on its own
against the complex step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from shares import usual

from symbp.derive import adjoints, derive
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.margins import kink_margin
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Expr, FloorDiv, Guard
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Fact, Role, System
from symbp.ir.validate import validate
from symbp.verify.numeric import complex_step

N, K = sizes("N K")
n, k, j = indices("n k j")
MARGIN = 1e-6  # nearer to a kink, the point is drawn again

Reader = Callable[..., Access]


class Draw:
    """Grows a system of matrices (N, K) by random equations, then sums the last one up."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.b = SystemBuilder()
        self.square = self.b.leaf("U", K, K, role=Role.PARAMETER)
        self.vector = self.b.leaf("v", K, role=Role.PARAMETER)
        self.labels = self.b.leaf("y", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])
        self.matrices: list[Reader] = [
            self.b.leaf("x", N, K), self.b.leaf("W", N, K, role=Role.PARAMETER),
        ]  # fmt: skip

    def one(self) -> Access:
        """An element of a random matrix so far, later ones more often."""
        weights = np.arange(1, len(self.matrices) + 1) ** 2.0
        return self.matrices[self.rng.choice(len(weights), p=weights / weights.sum())](n, k)

    def system(self) -> System:
        for step in range(int(self.rng.integers(2, 6))):
            kinds = [
                *(self.map, self.map, self.product, self.statistics, self.softmax),
                *(self.shifted, self.gathered, self.recurrence, self.maximum),
            ]
            self.matrices.append(kinds[self.rng.integers(len(kinds))](f"t{step}"))
        last = self.matrices[-1]
        self.b.define("L", [], last(n, k) ** 2 + self.vector(k) * self.one(), "sum", [n, k])
        return self.b.system("L")

    def map(self, name: str) -> Reader:
        x, y = self.one(), self.one()
        bodies: list[Expr] = [
            sympy.tanh(x + self.vector(k)),
            x / (1 + sympy.exp(-y)),
            where(Guard("<", 0, x), x, y / 3),
            sympy.log(1 + sympy.exp(x)) * y,
            x * y - self.vector(k) / (2 + x**2),
            sympy.sqrt(1 + x**2) + sympy.sin(y),
            Guard("<=", k, n) * x * y,
        ]
        return self.b.define(name, [n, k], bodies[self.rng.integers(len(bodies))])

    def product(self, name: str) -> Reader:
        x = self.one().xreplace({k: j})
        weight = self.square(j, k) if self.rng.random() < 0.5 else self.square(k, j)
        return self.b.define(name, [n, k], x * weight, "sum", [j])

    def statistics(self, name: str) -> Reader:
        x = self.one()
        mean = self.b.define(f"{name}_mean", [n], x / K, "sum", [k])
        centred = self.b.define(f"{name}_c", [n, k], x - mean(n))
        spread = self.b.define(f"{name}_v", [n], centred(n, k) ** 2 / K, "sum", [k])
        scale = self.b.define(f"{name}_r", [n], 1 / sympy.sqrt(spread(n) + sympy.Rational(1, 10)))
        return self.b.define(name, [n, k], centred(n, k) * scale(n) * self.vector(k))

    def softmax(self, name: str) -> Reader:
        e = self.b.define(f"{name}_e", [n, k], sympy.exp(self.one()))
        s = self.b.define(f"{name}_s", [n], e(n, k), "sum", [k])
        p = self.b.define(f"{name}_p", [n, k], e(n, k) / s(n))
        return self.b.define(name, [n, k], p(n, k) * self.one() + sympy.log(p(n, k)) / 7)

    def shifted(self, name: str) -> Reader:
        source = self.one()
        read = Access(source.name, n, k + 1, outside=self.vector(k))
        return self.b.define(name, [n, k], source * read, ranges={n: N, k: K})

    def gathered(self, name: str) -> Reader:
        source = self.one()
        return self.b.define(name, [n, k], source * Access(source.name, n, self.labels(n)) + source)

    def recurrence(self, name: str) -> Reader:
        self.b.declare(name, N, K)
        before = Access(name, n - 1, k, outside=self.vector(k))
        self.b.define(name, [n, k], sympy.tanh(before * self.square(k, k) + self.one()), ranges={n: N, k: K})
        return self.b._tensors[name].at

    def maximum(self, name: str) -> Reader:
        x = self.one()
        m = self.b.define(f"{name}_m", [n], x, "max", [k])
        half = Access(x.name, n, FloorDiv(k, 2))
        return self.b.define(name, [n, k], x - m(n) / 2 + half)


@pytest.mark.few(slow=4)
@pytest.mark.slow
@pytest.mark.parametrize("block", usual(range(20), 8))
def test_raw_and_closed_gradients_are_right(block: int) -> None:
    for seed in range(10 * block, 10 * block + 10):
        system = Draw(seed).system()
        validate(system)
        wrt = [t.name for t in system.parameters]
        raw, closed = adjoints(system, "L", wrt), derive(system)
        validate(closed.system)
        sizes, values = point(system, seed)
        for name in wrt:
            entries = np.arange(values[name].size)
            expected = complex_step(system, values, sizes, name, entries)
            for what, found, gradient in (
                ("raw", raw.system, raw.gradients[name]),
                ("closed", closed.system, closed.gradients[name]),
            ):
                ours = run(found, values, sizes, wanted=[gradient])[gradient].ravel()
                scale = max(float(np.abs(expected).max()), 1e-3)
                error = float(np.abs(ours - expected).max()) / scale
                assert error < 1e-9, f"seed {seed}, {what} d{name}: {error:.1e}\n{system}"


def point(system: System, seed: int) -> tuple[dict[str, int], dict[str, Any]]:
    """Values away from kinks and ties."""
    for attempt in range(20):
        sizes, values = sample_point(system, 1000 * attempt + seed, variant=seed % 2)
        if kink_margin(system, values, sizes) > MARGIN:
            return sizes, values
    raise AssertionError("no point away from kinks was found")
