"""Modules that compute derivatives and don't train, beside the reference semantics."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import sympy
from modules_by_name import generate_derivatives

import symbp as bp
from symbp.derive import Derivation, derive, hvp, jacobian
from symbp.errors import GenerationError
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Fact, Role, System
from symbp.targets.loading import load

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]
N, D, H, K = sizes("N D H K")
n, i, j, k = indices("n i j k")
P = Role.PARAMETER


def quadratic() -> System:
    b = SystemBuilder()
    a, x = b.leaf("A", N, N), b.leaf("x", N, role=P)
    b.define("L", [], x(i) * a(i, j) * x(j), "sum", [i, j])
    return b.system("L")


def logistic() -> System:
    b = SystemBuilder()
    x, y = b.leaf("X", N, D), b.leaf("y", N, role=Role.TARGET)
    w, lam = b.leaf("w", D, role=P), b.leaf("lam", role=Role.HYPER)
    z = b.define("z", [n], x(n, i) * w(i), "sum", [i])
    p = b.define("p", [n], 1 / (1 + sympy.exp(-z(n))), role=Role.OUTPUT)
    nll = b.define("nll", [], -(y(n) * sympy.log(p(n)) + (1 - y(n)) * sympy.log(1 - p(n))), "sum", [n])
    s = b.define("s", [], w(i) ** 2, "sum", [i])
    b.define("L", [], nll() + lam() * s())
    return b.system("L", ["p"])


def two_layers() -> System:
    b = SystemBuilder()
    x, y = b.leaf("x", N, D), b.leaf("y", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])
    w, v = b.leaf("W", D, H, role=P), b.leaf("V", H, K, role=P)
    z = b.define("z", [n, j], x(n, i) * w(i, j), "sum", [i])
    h = b.define("h", [n, j], sympy.tanh(z(n, j)))
    a = b.define("a", [n, k], h(n, j) * v(j, k), "sum", [j])
    e = b.define("e", [n, k], sympy.exp(a(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n), role=Role.OUTPUT)
    b.define("L", [], -sympy.log(p(n, y(n))) / N, "sum", [n], ranges={n: N})
    return b.system("L", ["p"])


def masked() -> System:
    """Rows of a softmax from which all may be excluded."""
    b = SystemBuilder()
    z, g = b.leaf("z", N, K, role=P), b.leaf("g", N, K)
    mask = b.leaf("mask", N, K, facts=[Fact("binary")])
    e = b.define("e", [n, k], mask(n, k) * sympy.exp(z(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n), role=Role.OUTPUT)
    b.define("L", [], g(n, k) * p(n, k) ** 2, "sum", [n, k])
    return b.system("L", ["p"])


CASES: dict[str, Callable[[], Derivation]] = {
    "masked": lambda: derive(masked(), name="masked", order=2),
    "quadratic": lambda: derive(quadratic(), name="quadratic", order=2),
    "logistic": lambda: derive(logistic(), name="logistic", order=2),
    "two_layers": lambda: derive(two_layers(), name="two layers", order=2),
    "product": lambda: hvp(two_layers(), name="product"),
    "jacobian": lambda: jacobian(two_layers(), "p", name="jacobian", wrt=["V", "x"]),
    "gradient": lambda: derive(two_layers(), name="gradient", wrt=["x"]),
}
CASES = {name: cache(make) for name, make in CASES.items()}
HYPER = {"lam": 0.3}


def text_of(derivation: Derivation, target: str, dtype: str = "float64", **bound: int) -> str:
    return generate_derivatives(derivation, target=target, dtype=dtype, sizes=bound, hyper=HYPER)


def made(name: str, target: str, dtype: str = "float64") -> tuple[Derivation, ModuleType]:
    derivation = CASES[name]()
    return derivation, load(text_of(derivation, target, dtype), f"derivatives_{name}_{target}")


def point(derivation: Derivation) -> tuple[dict[str, int], dict, dict, dict]:
    chosen, values = sample_point(derivation.declared, 6)
    values |= {name: np.array(v) for name, v in HYPER.items() if name in values}
    if "mask" in values:
        values["mask"][0] = 0
    system = derivation.declared
    params = {t.name: values[t.name] for t in system.with_role(P)}
    data = {t.name: values[t.name] for t in system.with_role(Role.INPUT, Role.TARGET)}
    return chosen, values, params, data


SLOW = ("two_layers",)  # to derive; "product" and "jacobian" are of the same system
EACH = [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CASES]


@pytest.mark.slow
@pytest.mark.few(slow=5)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", EACH)
def test_values_are_those_of_the_equations(name: str, target: str) -> None:
    derivation, module = made(name, target)
    chosen, values, params, data = point(derivation)
    expected = run(derivation.system, values, chosen)
    needed = {name: data[name] for name in module.DERIVATIVE_INPUTS}
    found = module.derivatives(params, **needed)
    assert list(found) == list(derivation.gradients)
    for key, tensor in derivation.gradients.items():
        np.testing.assert_allclose(found[key], expected[tensor], rtol=1e-12, atol=1e-14)
        assert found[key].shape == expected[tensor].shape
    if derivation.system.outputs:
        outputs = module.forward(params, **{name: data[name] for name in module.FORWARD_INPUTS})
        np.testing.assert_allclose(outputs["p"], expected["p"], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_float32(target: str) -> None:
    derivation, module = made("product", target, "float32")
    chosen, values, params, data = point(derivation)
    expected = run(derivation.system, values, chosen)
    found = module.derivatives(params, **data)
    for key, tensor in derivation.gradients.items():
        assert found[key].dtype == np.float32
        np.testing.assert_allclose(found[key], expected[tensor], rtol=1e-3, atol=1e-5)


def test_only_what_is_asked_for() -> None:
    text = text_of(CASES["quadratic"](), "numpy")
    for absent in ("train", "def fit", "Update", "def forward", "evaluate", "State"):
        assert absent not in text, absent
    assert "_transposed(A, out=H_x_x)  # (" in text
    assert "np.add(H_x_x, A, out=H_x_x)  # (" in text
    assert "One call takes" in text


def test_large_transposes() -> None:
    _, module = made("quadratic", "numpy")
    for size in (255, 256, 300):
        a = np.random.default_rng(size).normal(size=(size, size))
        found = module.derivatives({"x": np.ones(size)}, A=a)
        np.testing.assert_array_equal(found["x,x"], a + a.T)


@pytest.mark.slow
def test_data_that_no_derivative_reads_may_be_left_out() -> None:
    _, module = made("jacobian", "numpy")
    assert module.DERIVATIVE_INPUTS == ("x",)
    with pytest.raises(module.DataError, match="x missing"):
        module.derivatives({"W": np.ones((2, 3)), "V": np.ones((3, 2))})


@pytest.mark.slow
@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_each_line_names_its_equation(name: str, target: str) -> None:
    derivation = CASES[name]()
    text = text_of(derivation, target)
    for tensor in derivation.gradients.values():
        assert f"# ({derivation.numbers[tensor]})" in text or f"({derivation.numbers[tensor]})" in text


def test_sizes_may_be_bound() -> None:
    module = load(text_of(CASES["quadratic"](), "numpy", N=3), "quadratic_bound")
    with pytest.raises(module.DataError, match="needs"):
        module.derivatives({"x": np.ones(4)}, A=np.ones((4, 4)))


def test_a_constant_without_a_value_is_named() -> None:
    with pytest.raises(GenerationError, match="lam has no value"):
        generate_derivatives(CASES["logistic"](), target="numpy", dtype="float64", sizes={})


def run_file(path: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(path), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_the_command_line(tmp_path: Path) -> None:
    derivation = CASES["logistic"]()
    script = tmp_path / "logistic.py"
    script.write_text(text_of(derivation, "numpy"), encoding="utf-8")
    chosen, values, params, data = point(derivation)
    np.savez(tmp_path / "data.npz", **data)
    np.savez(tmp_path / "params.npz", **{f"params.{n}": a for n, a in params.items()})
    given = ("derivatives", "--data", tmp_path / "data.npz", "--params", tmp_path / "params.npz")
    done = run_file(script, *given, "-o", tmp_path / "out.npz", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"w": [chosen["D"]], "w,w": [chosen["D"]] * 2}
    expected = run(derivation.system, values, chosen)
    with np.load(tmp_path / "out.npz") as out:
        np.testing.assert_allclose(out["w,w"], expected[derivation.gradients["w,w"]], rtol=1e-12)
    wrong = run_file(script, "derivatives", "--data", tmp_path / "data.npz", "-o", tmp_path / "x.npz")
    assert (wrong.returncode, "w missing" in wrong.stderr) == (2, True)
    (tmp_path / "bad.npz").write_bytes(b"PK no archive")
    before = (tmp_path / "out.npz").read_bytes()
    bad = run_file(script, "derivatives", "--data", tmp_path / "bad.npz", "-o", tmp_path / "out.npz")
    assert (bad.returncode, bad.stderr.count("\n"), "no whole .npz" in bad.stderr) == (2, 1, True)
    assert (tmp_path / "out.npz").read_bytes() == before
    helped = run_file(script, "derivatives", "--help")
    assert helped.returncode == 0
    assert "w,w" in helped.stdout


def test_an_array_that_is_read_for_a_size_alone_is_an_input() -> None:
    """Of a factor N/(N + 1) no gradient reads what has N elements."""
    rows, width = bp.dim("N"), bp.dim("D", 2)
    x, w = bp.input("x", (rows,)), bp.param("w", (width,))
    loss = bp.mean(w**2) * (rows / (rows + 1)) + bp.sum(x)
    module = bp.compile(bp.derive(bp.Network("net", loss=loss)), target="numpy")
    assert module.DERIVATIVE_INPUTS == ("x",)
    np.testing.assert_allclose(module.derivatives({"w": np.ones(2)}, x=np.zeros(4))["w"], 0.8)
