"""The vectorised evaluator against the reference: random systems, and what a point can do besides."""

import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import exp, log, tanh

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.domains import COMPLEX, FLOAT
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import Run, run
from symbp.ir.expr import FloorDiv, Guard, Mod
from symbp.ir.system import Equation, System

N, T, K = sizes("N T K")
n, t, k, s = indices("n t k s")
SHIFTS = st.integers(-2, 2)


@dataclass(frozen=True)
class Case:
    """A system with a point to evaluate it at."""

    system: System
    values: dict[str, Any]
    sizes: dict[str, int]


class Growing:
    """A random system that grows by one equation over (N, T) at a time; all its tensors but the leaves `w`,
    `tok` and `lengths` have that shape."""

    def __init__(self, draw):
        self.draw, self.builder = draw, SystemBuilder()
        self.w = self.builder.leaf("w", T, K)
        self.tok = self.builder.leaf("tok", N, T, integer=True)
        self.lengths = self.builder.leaf("lengths", N, integer=True)
        self.known = [self.builder.leaf("x", N, T)]

    def pick(self):
        return self.draw(st.sampled_from(self.known))

    def add(self):
        kinds = (
            self.map,
            self.shift,
            self.gather,
            self.contraction,
            self.reduction,
            self.maximum,
            self.recurrence,
        )
        self.draw(st.sampled_from(kinds))(f"y{len(self.known)}")

    def define(self, name, body, *rest, **options):
        options.setdefault("ranges", {n: N, t: T})
        self.known.append(self.builder.define(name, [n, t], body, *rest, **options))

    def map(self, name):
        a, b = self.pick()(n, t), self.pick()(n, t)
        bodies = (
            a * b - a / 3, tanh(a) + b**2, a / (1 + b**2), where(Guard("<", a, b), a, exp(-(b**2))),
            where(Guard("<", 0, a), log(a), b), Guard("<", t, self.lengths(n)) * a * (b + n),
            sympy.sqrt(1 + a**2) + sympy.erf(b), where(Guard("<", t, K) * Guard("<=", a, 0), t * a, b / N),
        )  # fmt: skip
        self.define(name, self.draw(st.sampled_from(bodies)))

    def shift(self, name):
        a, b, by = self.pick(), self.pick(), self.draw(SHIFTS)
        bodies = (
            a(n, t + by, outside=0), a(n, t + by, outside=b(n, t)) * b(n, t), a(n, 2 * t - by, outside=1),
            Guard("<", t + 1, T) * a(n, t + 1), Guard("<=", 1, t) * b(n, t - 1) + a(n, T - 1 - t),
            a(FloorDiv(n, 2), Mod(t + 2, T)) + a(n, FloorDiv(t, 2)),
        )  # fmt: skip
        self.define(name, self.draw(st.sampled_from(bodies)))

    def gather(self, name):
        a, b = self.pick(), self.pick()
        past = Guard("<=", 0, self.tok(n, t) - 1) * a(n, self.tok(n, t) - 1)
        bodies = (a(n, self.tok(n, t)) * b(n, t), past, a(n, self.tok(n, t) + 1, outside=b(n, t)))
        self.define(name, self.draw(st.sampled_from(bodies)))

    def contraction(self, name):
        u = self.builder.define(f"{name}_u", [n, k], self.pick()(n, t) * self.w(t, k), "sum", [t])
        self.define(name, u(n, k) * self.w(t, k), "sum", [k])

    def reduction(self, name):
        a, b = self.pick(), self.pick()
        op = self.draw(st.sampled_from(["sum", "prod"]))
        guard = self.draw(
            st.sampled_from([Guard("<=", s, t), Guard("<", s, t), Guard("<", b(n, s), b(n, t))])
        )
        self.define(name, a(n, s), op, [s], where=[guard], ranges={n: N, t: T, s: T})

    def maximum(self, name):
        a, b = self.pick(), self.pick()
        first = self.builder.define(
            f"{name}_at", [n, t], a(n, s) * b(n, t), "argmax", [s], where=[Guard("<=", s, t)]
        )
        highest = self.builder.define(
            f"{name}_max", [n, t], a(n, s) * b(n, t), "max", [s], where=[Guard("<=", s, t)]
        )
        self.define(name, a(n, first(n, t)) - highest(n, t))

    def recurrence(self, name):
        step = self.draw(st.sampled_from([-1, 1, -2]))
        a, b = self.pick(), self.pick()
        h = self.builder.declare(name, N, T)
        mixed = self.builder.define(
            f"{name}_r", [t, n], h(n, t + step, outside=b(n, t)) / 2, ranges={n: N, t: T}
        )
        self.define(name, Guard("<", t, self.lengths(n)) * tanh(a(n, t) + mixed(t, n)))


@st.composite
def cases(draw):
    growing = Growing(draw)
    for _ in range(draw(st.integers(1, 5))):
        growing.add()
    extent = {name: draw(st.integers(1, 4)) for name in ("N", "T", "K")}
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    grid = draw(st.booleans())  # values on a coarse grid have ties and zeros
    draw_values = (
        (lambda *shape: rng.integers(-2, 3, shape) / 2.0) if grid else (lambda *shape: rng.normal(size=shape))
    )
    values = {
        "x": draw_values(extent["N"], extent["T"]),
        "w": draw_values(extent["T"], extent["K"]),
        "tok": rng.integers(0, extent["T"], (extent["N"], extent["T"])),
        "lengths": rng.integers(0, extent["T"] + 1, extent["N"]),
    }
    return Case(growing.builder.system(), values, extent)


def agree(case, domain, values):
    expected = evaluate(case.system, values, case.sizes, domain)
    found = run(case.system, values, case.sizes)
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype or domain is COMPLEX
        np.testing.assert_allclose(
            found[name], value, rtol=1e-12, atol=1e-13, err_msg=f"{name} in {case.system}"
        )


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(cases())
def test_random_systems_agree_with_the_interpreter(case):
    agree(case, FLOAT, case.values)


@settings(max_examples=50, deadline=None)
@given(cases())
def test_random_systems_agree_over_the_complex_numbers(case):
    agree(case, COMPLEX, {**case.values, "x": case.values["x"] + 1e-20j})


def small():
    b = SystemBuilder()
    x, w = b.leaf("x", N, K), b.leaf("w", K, T)
    z = b.define("z", [n, t], x(n, k) * w(k, t), "sum", [k])
    b.define("y", [n], exp(z(n, t)), "sum", [t])
    rng = np.random.default_rng(0)
    values = {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=(4, 2))}
    return b.system(), values, {"N": 3, "T": 2, "K": 4}


def test_tensors_are_computed_when_they_are_asked_for():
    system, values, extent = small()
    point = Run(system, values, extent)
    assert not point.knows("z")
    expected = values["x"] @ values["w"]
    np.testing.assert_allclose(point.tensor("y"), np.exp(expected).sum(1), rtol=1e-14)
    np.testing.assert_allclose(point.tensor("z"), expected, rtol=1e-14)


def test_an_equation_of_no_system_is_evaluated_at_the_point_and_can_be_defined():
    system, values, extent = small()
    point = Run(system, values, extent)
    candidate = Equation("c", (t, n), system.at("z", n, t) / system.at("y", n) * N, ranges=(T, N))
    value = point.value(candidate)
    assert not point.knows("c")
    np.testing.assert_allclose(value, (3 * point.tensor("z") / point.tensor("y")[:, None]).T, rtol=1e-14)
    point.define("c", value)
    twice = Equation("d", (n,), candidate.with_(target="c").body * 0 + sympy.Integer(2), ranges=(N,))
    assert point.value(twice).tolist() == [2, 2, 2]
    assert point.tensor("c") is value


def test_wanted_tensors_need_only_their_own_leaves():
    system, values, extent = small()
    assert set(run(system, values, extent, ["z"])) == {"z"}
    with pytest.raises(EvaluationError, match="w has no value"):
        run(system, {"x": values["x"]}, extent, ["z"])


def test_a_read_out_of_range_names_the_access_the_element_and_the_shape():
    b = SystemBuilder()
    b.define("y", [t], b.leaf("x", T)(t + 1), ranges={t: T})
    with pytest.raises(EvaluationError) as caught:
        run(b.system(), {"x": np.zeros(3)}, {"T": 3})
    assert "x[3] is read out of its range" in str(caught.value)
    assert "x[t + 1]" in str(caught.value)
    assert "(3,)" in str(caught.value)


def test_kinks_that_are_not_guards_are_refused():
    b = SystemBuilder()
    b.define("y", [t], sympy.Heaviside(b.leaf("x", T)(t)))
    with pytest.raises(OutsideDomain, match="Heaviside"):
        run(b.system(), {"x": np.zeros(3)}, {"T": 3})


def test_large_sums_are_contracted_to_the_same_values(monkeypatch):
    b = SystemBuilder()
    x, w, v = b.leaf("x", N, K), b.leaf("w", K, T), b.leaf("v", N)
    body = x(n, k) * w(k, t) / 3 - w(k, t) ** 2 * Guard("<", k, n) + v(n) * exp(x(n, s)) + 2
    b.define("y", [n, t], body, "sum", [k, s], ranges={n: N, s: K})
    b.define("z", [n, t], v(n) ** 2, "sum", [k], ranges={t: T, k: K})
    rng = np.random.default_rng(0)
    values = {"x": rng.normal(size=(5, 4)), "w": rng.normal(size=(4, 3)), "v": rng.normal(size=5)}
    expected = run(b.system(), values, {"N": 5, "T": 3, "K": 4})
    monkeypatch.setattr("symbp.ir.evaluation.vector.LARGE", 0)
    found = run(b.system(), values, {"N": 5, "T": 3, "K": 4})
    for name in ("y", "z"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-13)


def test_a_product_of_large_matrices_does_not_fill_the_box():
    b = SystemBuilder()
    x, w = b.leaf("x", N, K), b.leaf("w", K, T)
    b.define("y", [n, t], x(n, k) * w(k, t), "sum", [k])
    x_value, w_value = np.ones((512, 1024)), np.ones((1024, 512))
    tracemalloc.start()
    run(b.system(), {"x": x_value, "w": w_value}, {"N": 512, "K": 1024, "T": 512})
    assert tracemalloc.get_traced_memory()[1] < 50e6  # the box has 268 million elements
    tracemalloc.stop()


def test_an_axis_of_less_than_no_elements_is_refused_by_both() -> None:
    """A slice that begins two places behind the end, say; one without elements is fine."""
    b = SystemBuilder()
    x = b.leaf("x", N)
    y = b.define("y", [t], x(t + 3) ** 2, ranges={t: N - 3})
    b.define("total", [], y(t), "sum", [t])
    system = b.system()
    for evaluated in (run, evaluate):
        assert evaluated(system, {"x": np.ones(3)}, {"N": 3})["total"] == 0
        with pytest.raises(EvaluationError, match="the extent N - 3 is -1: an axis is too short"):
            evaluated(system, {"x": np.ones(2)}, {"N": 2})
