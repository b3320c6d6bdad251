"""Formulas typed as LaTeX: what they mean in plain signs, and where one has no meaning."""

import pytest

import symbp as bp
from symbp.errors import FormulaError
from symbp.read.formula.latex import from_latex


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"\frac12 x^\top A x - b^{\top} x", "((1)/(2))·x'·A·x - b'·x"),
        (r"\left\| A x - b \right\|_2^2 + \lambda \|x\|_1", "‖A·x - b‖_2^2 + λ·‖x‖_1"),
        (r"\sum_{i=1}^{N} \log(1 + e^{-y_i z_i})", "Σ_{i} log(1 + exp( - y[i]·z[i]))"),
        (r"\sum_{i,j} A_{ij} (x_i - x_j)^2", "Σ_{i,j} A[i,j]·(x[i] - x[j])^2"),
        (r"\log\det \Sigma + \operatorname{tr}(S \Sigma^{-1})", "log(det(Σ)) + tr(S·Σ^-1)"),
        (r"-\log \sigma\left(\mathbf{u}^T v\right) + \sigma b_0", " - log(sigma(u'·v)) + σ·b_0"),
        (r"\exp\left(-\frac{\|x-y\|^2}{2\sigma^2}\right)", "exp( - ((‖x - y‖^2)/(2·σ^2)))"),
    ],
)
def test_plain_signs(latex, plain):
    assert from_latex(latex) == plain


def test_a_gradient():
    (short,) = bp.grad_of(r"\frac{1}{2}\|X w - y\|_2^2 + \lambda\|w\|^2", wrt="w").short()
    assert short.matrix == "2·lam·w + Xᵀ·(X·w - y)"


@pytest.mark.parametrize(
    ("latex", "what"),
    [
        (r"\foo{x}", r"\\foo has no meaning"),
        (r"\frac{a}{b", "nothing closes this: expected }"),
        (r"a)", "closes nothing"),
        (r"\sum x", "say what it runs over"),
        (r"x_{i+1}", "no index of a sum"),
        (r"\|x", "nothing closes this: expected ‖"),
        (r"\frac", "ends too soon"),
        (r"\log", "what is this taken of"),
    ],
)
def test_errors_point_at_their_place(latex, what):
    with pytest.raises(FormulaError, match=what) as failure:
        from_latex(latex)
    assert "^" in str(failure.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("½·||A*x - b||_2^2", "Aᵀ·(A·x - b)"),
        ("‖x‖₂^2", "2·x"),
        ("‖X‖_F^2", "2·X"),
        ("||x||_1", "[x > 0] - [x < 0]"),
    ],
)
def test_kinds_of_norms(text, shown):
    (short,) = bp.grad_of(text, wrt="X" if "X" in text else "x").short()
    assert short.matrix == shown


@pytest.mark.parametrize("text", ["‖X‖_2^2", "||X||_1"])
def test_norms_of_matrices_that_are_not_sums_of_elements(text):
    with pytest.raises(FormulaError, match="of a vector"):
        bp.grad_of(text, shapes="X:N,D", wrt="X")
