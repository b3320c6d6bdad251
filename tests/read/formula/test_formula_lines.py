"""Formulas with definitions before them: what they mean, and where errors point."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import FormulaError
from symbp.ir.evaluation.vector import run
from symbp.read.formula import read_formula
from symbp.read.formula.lines import read_lines

RNG = np.random.default_rng(2)
SIZES = {"N": 4, "D": 3, "K": 2}
X, W, b = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2)), RNG.standard_normal(2)
Y = RNG.standard_normal((4, 2))
GIVEN = "x: N,D   y: N,K\nW: D,K  b: K\n"


def values(text, wrt="W"):
    """(loss, names of the tensors) of a text over the arrays above."""
    system = read_formula(text, None, wrt).network.system
    given = {t.name: {"x": X, "y": Y, "W": W, "b": b}[t.name] for t in system.leaves}
    return float(run(system, given, SIZES)[system.loss]), set(system.by_name)


def squares(h):
    return ((h - Y) ** 2).mean()


@pytest.mark.parametrize(
    ("text", "expected", "named"),
    [
        ("h = tanh(x@W + b)\nmean((h - y)^2)", squares(np.tanh(X @ W + b)), {"h", "loss"}),
        ("h = tanh(x@W + b); J = mean((h - y)^2)", squares(np.tanh(X @ W + b)), {"h", "J"}),
        (
            "# a remark\nz = x@W + b # one; more\nh = exp(z)\n\n mean((h - y)^2) ;",
            squares(np.exp(X @ W + b)),
            {"z", "h"},
        ),
        ("z[n,k] = Σ_i x[n,i]*W[i,k] + b[k]\nmean((z - y)^2)", squares(X @ W + b), {"z"}),
        (
            "z[n,k] = b[k] + sum_i(x[n,i]*W[i,k])\nJ = mean_n(sum_k(z[n,k]*y[n,k]))",
            ((X @ W + b) * Y).sum(1).mean(),
            {"z", "J"},
        ),
        ("e = x@W +\n b - y\nsum(e*e)", ((X @ W + b - Y) ** 2).sum(), {"e"}),
        ("e = (x@W\n+ b)\nmean((e - y)^2)", squares(X @ W + b), {"e"}),
        ("c = 2\nh = c*(x@W) + b\nmean((h - y)^2)", squares(2 * X @ W + b), {"h"}),
        ("h = x@W + b\ng = h\nmean((g - y)^2)", squares(X @ W + b), {"g", "h"}),
        ("r = mean(x@W + b)\ns = sum(y)\nr*s", (X @ W + b).mean() * Y.sum(), {"r", "s"}),
    ],
)
def test_values_and_names(text, expected, named):
    loss, names = values(GIVEN + text)
    assert loss == pytest.approx(expected, rel=1e-12)
    assert named <= names


@pytest.mark.parametrize(
    "shapes",
    [
        "x:N,D y:N,K W:D,K b:K",
        "x: N,D\ny: N, K\nW: D , K; b : K",
        "x: N,D y: N,K W: D,K b: K",
        "x:N,D;y:N,K;W:D,K;b:K",
    ],
)
def test_shapes_may_have_spaces(shapes):
    assert values(f"{shapes}\nmean((x@W + b - y)^2)")[0] == pytest.approx(squares(X @ W + b))


def test_facts_and_scalars_behind_spaces():
    lines = read_lines("A: N,N : symmetric\ny: N:below=K  lam: w: N\nsum(A) + lam*sum(w) + y[0]")
    shapes = {name: (entry.extents, entry.facts, entry.below) for name, entry in lines.shapes.items()}
    assert shapes == {
        "A": (("N", "N"), ("symmetric",), None),
        "y": (("N",), (), "K"),
        "lam": ((), (), None),
        "w": (("N",), (), None),
    }


def test_without_shapes_ranks_come_from_all_lines():
    system = read_formula("r = A*w - b\nr'*r/2", None, "w").network.system
    assert {t.name: len(t.shape) for t in system.leaves} == {"A": 2, "w": 1, "b": 1}


def test_shapes_of_both_kinds_and_the_gradient_by_its_name():
    d = bp.grad_of("X: N,D\nr = X@w - y\nloss = norm2(r)^2", shapes="w:D y:N", wrt="w")
    assert [str(form) for form in d.short()] == ["∂loss/∂w = 2·Xᵀ·(X·w - y)"]
    with pytest.raises(FormulaError, match="w has a shape in the formula and in --shapes"):
        bp.grad_of("w: D\nsum(w)", shapes="w:D", wrt="w")


def test_functions_inside_each_other_are_counted_through_definitions():
    text = "h0 = x\n" + "\n".join(f"h{k + 1} = tanh(h{k})" for k in range(20)) + "\nsum(h20)"
    with pytest.raises(FormulaError, match="more than 12 functions"):
        read_formula(text, None, "x")
    chain = "h0 = x\n" + "\n".join(f"h{k + 1} = h{k} + x" for k in range(40)) + "\nsum(h40)"
    assert "h40" in read_formula(chain, None, "x").network.system.by_name


@pytest.mark.parametrize(
    ("text", "what", "shown"),
    [
        ("h = tanh(q)\nq = 2*x\nsum(h)", "q is read before it is defined", "  h = tanh(q)\n           ^"),
        ("x = x", "x is read before it is defined", "  x = x\n      ^"),
        ("h = x\nh = 2*x\nsum(h)", "h is defined already", "  h = 2*x\n  ^"),
        ("x: N\nx = 2\nsum(x)", "x has a shape, so it is given", "  x = 2\n  ^"),
        ("x: N\nN = 2\nsum(x)", "N has a shape", "  N = 2\n  ^"),
        ("x: N\nx: N\nsum(x)", "x has a shape already", "  x: N\n  ^^^^"),
        ("sum(x)\nsum(x)", "a formula that isn't the last one needs a name", "  sum(x)\n  ^^^^^^"),
        ("h[n] = 2*x[n]", "h has axes", "  h[n] = 2*x[n]\n  ^^^^^^^^^^^^^"),
        ("h[n,n] = x[n]\nsum(h)", "one index twice", None),
        ("h[2*n] = x[n]\nsum(h)", "each a name of its own", "  h[2*n] = x[n]\n    ^^^"),
        ("h[n] = x[n] for [n > 0]\nsum(h)", None, None),
        ("h[n] = x[n] for n > 0\nsum(h)", "holds for all of its indices", None),
        ("x: N\nh[n] = x\nsum(h)", "is an element, and this has the shape", "  h[n] = x\n         ^"),
        ("h[n] = x[n-1] + h[n-1]\nsum(h)", "h is read before it is defined", None),
        (
            "import = x\nsum(x)",
            "import can't be defined: it is a word of Python's own",
            "  import = x\n  ^^^^^^",
        ),
        ("h = tanh(x\nsum(h)", "expected an operator, or a comma or )", "  sum(h)\n  ^^^"),
        ("sum(x +\n  expp(x))", "no function is called expp", "    expp(x))\n    ^^^^"),
        ("dx = 3*x\nsum(dx)", "dx is the name of x's gradient", None),
        ("x: N,D", "the formula ends too early", None),
        ("  # nothing", "the formula ends too early", None),
        (";;\n;", "the formula ends too early", None),
        ("\n".join(f"h{k} = x" for k in range(70)), "more than 60 definitions", None),
        ("x" * 10_001, "10001 characters", None),
    ],
)
def test_errors_point_at_the_line(text, what, shown):
    with pytest.raises(FormulaError) as error:
        read_formula(text, None, "x")
    assert what is None or what in str(error.value)
    assert shown is None or shown in str(error.value)
    assert "test_formula_lines" not in str(error.value)
