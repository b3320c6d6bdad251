"""`symbp grad`: a formula in, its gradient out, checked."""

import importlib.util
import json

import numpy as np
import pytest

from symbp.cli.main import main
from symbp.verify import Report

LOGISTIC = "mean(log(1 + exp(-y*(X@w)))) + lam*norm2(w)^2"


def run(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    try:
        status = main(["grad", *arguments])
    except SystemExit as stop:
        status = stop.code
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_text(capsys):
    status, out, err = run(capsys, LOGISTIC, "--shapes", "X:N,D w:D y:N", "--wrt", "w")
    assert status == 0
    assert err.startswith("checked by central differences: relative error ")
    lines = out.splitlines()
    assert lines[0] == LOGISTIC
    assert lines[2] == "  ∂loss/∂w = 2·lam·w - Xᵀ·(y ⊙ σ(-y ⊙ (X·w)))/N"
    assert "dw[i] = 2·lam·w[i] + Σ_n X[n,i]·dz1[n]" in out
    assert "m = Σ_n softplus(-y[n]·z1[n])/N" in out
    assert "Start" not in out


def test_without_shapes_with_the_hessian_and_steps(capsys):
    status, out, _ = run(capsys, "norm2(A*w - b)^2/2", "--wrt", "w", "--order", "2", "--steps")
    assert status == 0
    assert "∂loss/∂w = Aᵀ·(A·w - b)" in out
    assert "∂²loss/∂w∂w = Aᵀ·A" in out
    assert "\nSteps\n" in out


def test_a_formula_may_start_with_a_minus(capsys):
    status, out, _ = run(capsys, "-x'*x")
    assert status == 0
    assert out.startswith("-x'*x\n")
    assert "∂loss/∂x = -2·x" in out


def test_formats(capsys, tmp_path):
    arguments = ("exp(a'*x)", "--wrt", "x")
    found = json.loads(run(capsys, *arguments, "--format", "json")[1])
    assert found["formula"] == arguments[0]
    assert found["short"]["x"]["matrix"] == "exp(aᵀ·x)·a"
    assert r"\begin{document}" in run(capsys, *arguments, "--format", "latex")[1]
    path = tmp_path / "grad.py"
    status, out, err = run(capsys, *arguments, "--format", "numpy", "-o", str(path))
    assert (status, out) == (0, "")
    assert f"wrote {path}" in err
    spec = importlib.util.spec_from_file_location("grad_of_exp", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    a, x = np.array([0.5, -1.0]), np.array([1.0, 2.0])
    np.testing.assert_allclose(module.derivatives({"x": x}, a=a)["x"], np.exp(a @ x) * a)
    assert run(capsys, *arguments, "--format", "numpy", "-o", str(path))[0] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("log(X@w", "--wrt", "w"),
            "symbp grad: this '(' is never closed: expected a comma or )\n  log(X@w\n     ^",
        ),
        (("sum(expp(w))",), "\n  sum(expp(w))\n      ^^^^\n  help: did you mean exp"),
        (("sum(w)", "--wrt", "v"), "no 'v' to differentiate by"),
        (("a'*b",), "help: --wrt NAME"),
        (("x*y*z", "--wrt", "x"), "--shapes"),
        (("sum(w)", "--shapes", "w:N:posit"), "did you mean positive"),
    ],
)
def test_errors(capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_a_failed_check_is_a_status(capsys, monkeypatch):
    monkeypatch.setattr(Report, "ok", property(lambda _: False))
    status, _, err = run(capsys, "sum(w^2)")
    assert status == 1
    assert "central differences" in err
