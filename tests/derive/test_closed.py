"""Closed forms: golden texts of what comes out, checked in value by methods that share no code with it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import sympy

from symbp.derive import adjoints, derive
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Expr, Guard
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Fact, Role, System
from symbp.ir.validate import validate
from symbp.verify import check_derivation


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


systems = _load("systems")
N, D, K = sizes("N D K")
n, i, k = indices("n i k")


def layer(function: Callable[[Expr], Expr]) -> System:
    """One dense layer with an elementwise function and mean squared error."""
    b = SystemBuilder()
    x = b.leaf("x", N, D)
    w = b.leaf("W", D, K, role=Role.PARAMETER)
    c = b.leaf("b", K, role=Role.PARAMETER)
    y = b.leaf("y", N, K, role=Role.TARGET)
    z = b.define("z", [n, k], x(n, i) * w(i, k), "sum", [i])
    a = b.define("a", [n, k], z(n, k) + c(k))
    h = b.define("h", [n, k], function(a(n, k)))
    b.define("L", [], (h(n, k) - y(n, k)) ** 2 / (N * K), "sum", [n, k])
    return b.system("L")


def tanh_gelu(v: Expr) -> Expr:
    inner = sympy.sqrt(2 / sympy.pi) * (v + sympy.Rational("0.044715") * v**3)
    return v * (1 + sympy.tanh(inner)) / 2


FUNCTIONS: dict[str, Callable[[Expr], Expr]] = {
    "tanh": sympy.tanh,
    "sigmoid": lambda v: 1 / (1 + sympy.exp(-v)),
    "softplus": lambda v: sympy.log(1 + sympy.exp(v)),
    "silu": lambda v: v / (1 + sympy.exp(-v)),
    "gelu": lambda v: v * (1 + sympy.erf(v / sympy.sqrt(2))) / 2,
    "gelu_tanh": tanh_gelu,
    "relu": lambda v: where(Guard("<", 0, v), v, 0),
    "leaky_relu": lambda v: where(Guard("<", 0, v), v, v / 100),
    "exp": sympy.exp,
    "sin": sympy.sin,
    "tan": sympy.tan,
    "atan": sympy.atan,
    "root": lambda v: sympy.sqrt(1 + v**2),
    "reciprocal": lambda v: 1 / (2 + v**2),
}

CASES: dict[str, Callable[[], System]] = {
    "softmax_cross_entropy_labels": lambda: systems.softmax_cross_entropy("labels"),
    "softmax_cross_entropy_simplex": lambda: systems.softmax_cross_entropy("simplex"),
    "softmax_cross_entropy_any": lambda: systems.softmax_cross_entropy("any"),
    "binary_cross_entropy": systems.binary_cross_entropy,
    "mlp_1": lambda: systems.mlp(1),
    "mlp_3": lambda: systems.mlp(3),
    **{f"layer_{name}": lambda f=f: layer(f) for name, f in FUNCTIONS.items()},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_form_and_value(name: str, golden: Callable[[str, str], None]) -> None:
    derivation = derive(CASES[name](), name=name)
    validate(derivation.system)
    report = check_derivation(derivation)
    assert report.ok, str(report)
    golden(f"{name}.txt", f"{derivation}\n")


def test_published_forms() -> None:
    """Bishop (PRML, 4.109) for softmax with cross-entropy, and its binary case."""
    form = {name: str(derive(CASES[name]())["z"].equation) for name in CASES if "entropy" in name}
    assert form["softmax_cross_entropy_labels"] == "dz[n,k] = (p[n,k] - [k = y[n]])/N"
    assert form["softmax_cross_entropy_simplex"] == "dz[n,k] = (p[n,k] - y[n,k])/N"
    assert form["binary_cross_entropy"] == "dz[n] = (p[n] - y[n])/N"


def test_every_rewrite_is_a_step() -> None:
    derivation = derive(CASES["softmax_cross_entropy_simplex"]())
    rules = {step.rule for step in derivation.steps}
    assert {"logarithm of exponentials", "shift of a sum of exponentials", "chain rule"} <= rules
    assert {"value of a sum", "saved value", "substitution"} <= rules
    assert all(step.reason and all(step.spelled()) for step in derivation.steps)
    lemma = next(step for step in derivation.steps if step.rule == "value of a sum")
    assert lemma.spelled()[1] == "1"
    assert "sums to one" in lemma.because()


@pytest.mark.slow
def test_declaration_order_and_equal_blocks_do_not_change_the_form() -> None:
    shallow, deep = derive(systems.mlp(2)), derive(systems.mlp(6))
    assert str(deep["W7"].equation).replace("7", "3").replace("6", "2") == str(shallow["W3"].equation)
    assert len(deep.system.equations) - len(shallow.system.equations) == 4 * 6


def test_ties_survive_the_search_by_value() -> None:
    """max(h, t) against a binary t: at h = t the gradient is halved, and no sampled value shows it."""
    b = SystemBuilder()
    h = b.leaf("h", N, role=Role.PARAMETER)
    t = b.leaf("t", N, role=Role.TARGET, facts=[Fact("binary")])
    higher, equal, lower = Guard("<", t(n), h(n)), Guard("=", t(n), h(n)), Guard("<", h(n), t(n))
    m = b.define("m", [n], higher * h(n) + lower * t(n) + equal * (h(n) + t(n)) / 2)
    b.define("L", [], (m(n) - t(n) + 1) ** 2, "sum", [n])
    derivation = derive(b.system("L"))
    at = {"h": np.array([2.0, 1.0, 0.5]), "t": np.array([1.0, 1.0, 1.0])}
    assert run(derivation.system, at, {"N": 3}, wanted=["dh"])["dh"].tolist() == [4.0, 1.0, 0.0]


def test_a_recurrence_over_lengths_is_not_judged_by_short_ones() -> None:
    """Where all lengths are 1, the state is never passed on, and its adjoint would look like zero."""
    length = Role.INPUT
    b = SystemBuilder()
    steps, wide = sizes("T H")
    t, j, m = indices("t j m")
    x, u = b.leaf("x", N, steps, wide), b.leaf("u", wide, wide, role=Role.PARAMETER)
    until = b.leaf("until", N, role=length, integer=True)
    h = b.declare("h", N, steps, wide)
    before = Access("h", n, t - 1, m, outside=0)
    s = b.define("s", [n, t, j], before * u(m, j), "sum", [m], ranges={n: N, t: steps, m: wide, j: wide})
    kept = Access("h", n, t - 1, j, outside=0)
    b.define("h", [n, t, j], where(Guard("<", t, until(n)), sympy.tanh(x(n, t, j) + s(n, t, j)), kept))
    b.define("L", [], h(n, t, j) ** 2, "sum", [n, t, j])
    system = b.system("L")
    raw, closed = adjoints(system, "L", ["u"]), derive(system)
    bound = {"N": 3, "T": 4, "H": 2}
    _, at = sample_point(system, 1, sizes=bound)
    at["until"] = np.array([4, 2, 3])
    expected = run(raw.system, at, bound, wanted=["du"])["du"]
    np.testing.assert_allclose(run(closed.system, at, bound, wanted=["du"])["du"], expected, rtol=1e-12)
    assert np.abs(expected).max() > 0.1


@pytest.mark.slow
def test_a_read_at_a_gates_number_stays_under_its_guard() -> None:
    """`e[0, j]` may become `e[i, j]` only where [i = 0] guards it, for i runs along `w`, longer than `e`."""
    L, T, B = sizes("L T B")
    layer, t, j = indices("l t j")
    b = SystemBuilder()
    x, w = b.leaf("x", T, B), b.leaf("w", sympy.Integer(5), B, role=Role.PARAMETER)
    e = b.leaf("e", sympy.Integer(1), B, role=Role.PARAMETER)
    h, over = b.declare("h", L, T, B), {layer: L, t: T, j: B}
    below = h(layer - 1, t, j, outside=x(t, j) * e(0, j))
    b.define("h", [layer, t, j], sympy.tanh(below * w(0, j)) + sympy.sin(below * w(1, j)), ranges=over)
    b.define("L1", [], h(L - 1, t, j) ** 2, "sum", [t, j])
    system = b.system("L1")
    bound = {"L": 2, "T": 3, "B": 2}
    _, at = sample_point(system, 3, sizes=bound)
    raw, closed = adjoints(system, "L1", ["w", "e"]), derive(system)
    for name in ("w", "e"):
        wanted, found = raw.gradients[name], closed.gradients[name]
        expected = run(raw.system, at, bound, wanted=[wanted])[wanted]
        np.testing.assert_allclose(run(closed.system, at, bound, wanted=[found])[found], expected, rtol=1e-10)


@pytest.mark.slow
def test_among_many_sizes_none_is_taken_for_another() -> None:
    """Two of more than six sizes share a small value at a point, but not at both: else 1/H becomes 1/N."""
    b = SystemBuilder()
    H, *others = sizes("H A1 A2 A3 A4 A5")
    m, i = indices("m i")
    b.leaf("rows", N)
    terms = [b.leaf(f"a{k}", size, role=Role.PARAMETER) for k, size in enumerate(others)]
    x, g = b.leaf("x", N, H, role=Role.PARAMETER), b.leaf("g", N, H)
    mean = b.define("mean", [n], x(n, i) / H, "sum", [i])
    c = b.define("c", [n, i], x(n, i) - mean(n))
    v = b.define("v", [n], c(n, i) ** 2 / H, "sum", [i])
    r = b.define("r", [n], 1 / sympy.sqrt(v(n) + sympy.Rational(1, 100000)))
    y = b.define("y", [n, i], r(n) * c(n, i))
    parts = [b.define("part", [], g(n, i) * y(n, i), "sum", [n, i])]
    parts += [b.define(f"part{k}", [], a(m) ** 2, "sum", [m]) for k, a in enumerate(terms)]
    b.define("L", [], sympy.Add(*[part() for part in parts]))
    system = b.system("L")
    raw, closed = adjoints(system, "L", ["x"]), derive(system)
    for rows, columns in ((3, 4), (5, 2)):
        bound = {"N": rows, "H": columns, "A1": 2, "A2": 3, "A3": 4, "A4": 5, "A5": 6}
        _, at = sample_point(system, 1, sizes=bound)
        expected = run(raw.system, at, bound, wanted=["dx"])["dx"]
        np.testing.assert_allclose(run(closed.system, at, bound, wanted=["dx"])["dx"], expected, rtol=1e-9)
