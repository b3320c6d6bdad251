"""The grammar: what trees text becomes, what errors point at, and what is refused at once."""

import math
import time
from fractions import Fraction

import numpy as np
import pytest

from symbp.errors import FormulaError
from symbp.read.grammar import elements, evaluate, parse_equation, parse_formula, plain
from symbp.read.grammar.syntax import Name, Number, Power, Product, Read, Reduction, Total, Transpose
from symbp.read.grammar.values import FUNCTIONS

rng = np.random.default_rng(0)
A, x = rng.standard_normal((3, 3)) + 2 * np.eye(3), rng.standard_normal(3)


def shown(tree):
    """A tree as nested text, without places."""
    match tree:
        case Number(value=value):
            return str(value)
        case Name(name=name):
            return name
        case Total(terms=terms):
            return "(" + "".join(("-" if minus else "+") + shown(term) for minus, term in terms) + ")"
        case Product(op=op, left=left, right=right):
            return f"({shown(left)}{op}{shown(right)})"
        case Power(base=base, exponent=exponent, elementwise=elementwise):
            return f"({shown(base)}{'.^' if elementwise else '^'}{shown(exponent)})"
        case Transpose(operand=operand):
            return f"{shown(operand)}'"
        case Read(tensor=tensor, subscripts=subscripts):
            return f"{shown(tensor)}[{','.join(map(shown, subscripts))}]"
        case Reduction(op=op, indices=indices, body=body):
            return f"{op}_{','.join(indices)}({shown(body)})"
        case _:
            children = ",".join(map(shown, tree.children()))
            return f"{getattr(tree, 'function', type(tree).__name__)}({children})"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b*c", "(+a+(b*c))"),
        ("a - b - c", "(+a-b-c)"),
        ("a/b*c", "((a/b)*c)"),
        ("-x^2", "(-(x^2))"),
        ("2^-x", "(2^(-x))"),
        ("a^b^c", "(a^(b^c))"),
        ("a**2", "(a.^2)"),
        ("x²", "(x^2)"),
        ("A⁻¹", "(A^-1)"),
        ("a .* b ./ c .^ 2", "((a⊙b)⊘(c.^2))"),
        ("w'*A.T*Bᵀ·C^T", "(((w'*A')*B')·C')"),
        ("A'^2", "(A'^2)"),
        ("x.^3'", "(x.^3)'"),
        ("x^y[0]'*z", "((x^y[0])'*z)"),
        ("(a + b)'", "(+a+b)'"),
        ("a − b·c", "(+a-(b·c))"),
        ("1.5e-3*x", "(3/2000*x)"),
        ("1.*x", "(1⊙x)"),
        ("λ*σ(x)", "(lam*sigma(x))"),
        ("θ₁ + x_1", "(+theta1+x_1)"),
        ("Σ_i x[i]·y[i] + 1", "(+sum_i((x[i]·y[i]))+1)"),
        ("sum_i(x[i])^2", "(sum_i(x[i])^2)"),
        ("Σ_i (x[i])^2", "sum_i((x[i]^2))"),
        ("sum_{i, j} x[i,j]", "sum_i,j(x[i,j])"),
        ("2*max_k z[n,k]", "(2*max_k(z[n,k]))"),
        ("max(a, b)", "max(a,b)"),
        ("‖x‖² + |y|", "(+(norm(x)^2)+abs(y))"),
        ("[i < j]·x[i + 1,2*j]", "(Bracket(Relation(i,j))·x[(+i+1),(2*j)])"),
        ("x[k - 1 | y[0]]", "x[(+k-1)]"),
        ("√(x + 1)", "sqrt((+x+1))"),
        ("Sigma*Σ", "(Sigma*Sigma)"),
        ("sum(x)", "sum(x)"),
        ("sum_of_x", "sum_of_x"),
    ],
)
def test_trees(text, tree):
    assert shown(parse_formula(text)) == tree


def test_places_are_those_of_the_text():
    text = "a + (b*cc)"
    (_, _), (_, product) = parse_formula(text).terms
    assert text[slice(*product.span)] == "b*cc"
    assert text[slice(*product.right.span)] == "cc"


def test_numbers_are_exact():
    assert parse_formula("0.1").value == Fraction(1, 10)


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("", 0, "expected a number, a name"),
        ("a +", 3, "too early"),
        ("(a + b", 0, "never closed"),
        ("exp(a", 3, "never closed"),
        ("a + * b", 4, "'*' can't stand here"),
        ("a b", 2, "expected an operator"),
        ("2x", 0, "write * between"),
        ("x[i", 3, "expected ]"),
        ("x ? y", 2, "no meaning"),
        ("[a]", 2, "one of = ≠"),
        ("‖x", 2, "at the other end"),
        ("a)", 1, "')' can't stand here"),
        ("x^99999", 2, "exponent"),
        ("x²³⁴⁵⁶", 1, "exponent"),
        ("9^9^9", 2, "exponent"),
        ("exp()", 4, "what exp is taken of"),
        ("1e999999999", 0, "too large"),
        ("3[i]", 1, "no elements"),
        ("__import__('os')", 0, "no meaning"),
        ("x; y", 1, "no meaning"),
        ("lambda: 0", 6, "no meaning"),
    ],
)
def test_errors_point_at_the_place(text, column, what):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    message = str(caught.value)
    assert what in message
    line, carets = caught.value.details
    assert line == text
    assert carets.index("^") == column, message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "(" * 3000 + "x" + ")" * 3000,
        "-" * 9000 + "x",
        "x" + "'" * 9000,
        "x" + "^x" * 4000,
        "x*" * 4000 + "x",
        "exp(" * 2000 + "x" + ")" * 2000,
        "x[" * 3000,
        "Σ_i " * 2000 + "x[i]",
        "[x < " * 2000,
        "‖" * 5000,
        "|" * 5000,
        "√" * 5000 + "x",
        "x + " * 5000,
        "9" * 5000,
        "x" * 20000,
        "1e" + "9" * 5000,
        "x^" + "9" * 5000,
        "((2^200)^200)^200^200",
        "\x00",
        "a\u202eb",
        "𝕏 + 1",
    ],
)
def test_hostile_text_is_refused_at_once(text):
    start = time.perf_counter()
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert time.perf_counter() - start < 1
    assert len(str(caught.value)) < 600


def test_long_sums_are_fine():
    assert len(parse_formula(" + ".join(["x"] * 2000)).terms) == 2000


def test_equations():
    equation = parse_equation("dW2[i,j] = Σ_n h[n,i]·da2[n,j]")
    assert (equation.target, equation.indices) == ("dW2", ("i", "j"))
    with pytest.raises(FormulaError, match="expected ="):
        parse_equation("a[i] + 1")
    assert parse_equation("a[2,j] = x[j] for 2 ≤ j").indices == ("j",)
    with pytest.raises(FormulaError, match="a number, a name"):
        parse_equation("a[,j] = 1")
    with pytest.raises(FormulaError, match="one of ="):
        parse_equation("a[j] = 1 for j")


def test_elements_of_a_case():
    """Of subscripts that are fixed, and where a condition holds."""
    found = dict(elements(parse_equation("y[2,N - 1,j] = x[j] for 1 ≤ j"), {"x": x}, {"N": 3}))
    assert found == {(2, 2, 1): x[1], (2, 2, 2): x[2]}


def test_functions_along_an_index():
    below = np.tril(np.exp(A))
    for text, expected in (
        ("y[i,j] = softmax_j(A[i,j] where [j ≤ i])", below / below.sum(1)[:, None]),
        ("y[i] = logsumexp_j(A[i,j]) - relu(-x[i])", np.log(np.exp(A).sum(1)) - np.maximum(-x, 0)),
        ("y[i] = σ(x[i]) + softplus(x[i])", 1 / (1 + np.exp(-x)) + np.log1p(np.exp(x))),
    ):
        found = evaluate(parse_equation(text), {"A": A, "x": x}, {"N": 3}, dict.fromkeys("ijkl", 3))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y[i] = Σ_j A[i,j]·x[j]", A @ x),
        ("y = Σ_i,j A[i,j]²/(2·N)", (A**2).sum() / 6),
        ("y[i] = max_j A[i,j] where [j ≤ i]", [A[i, : i + 1].max() for i in range(3)]),
        ("y[i] = argmax_j A[i,j]", A.argmax(1)),
        ("y[i] = x[i - 1 | 7]", [7, x[0], x[1]]),
        ("y[i] = x[i + 1]", [x[1], x[2], 0]),
        ("y[i] = [x[i] > 100]·sqrt(-1) + x[i]", x),
        ("y[i] = x[i//2] - x[i%2]", x[[0, 0, 1]] - x[[0, 1, 0]]),
        ("y[i,j] = (inverse_k,l A[k,l])[i,j]", np.linalg.inv(A)),
        ("y = log|det|_k,l A[k,l]", np.linalg.slogdet(A)[1]),
        ("y = digamma(2.5) + erf(0.5)", 0.7031566406452432 + 0.5204998778130465),
        ("y = -∞·[N = 2] + e^π", np.e**np.pi),
    ],
)
def test_values(text, expected):
    equation = parse_equation(text)
    found = evaluate(equation, {"A": A, "x": x}, {"N": 3}, dict.fromkeys("ijkl", 3))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


SYMBOLS = {"W_{1}": "W1", "x": "x", "i": "i", "j": "j", "k_{2}": "k2", r"\beta ": "beta", "N": "N", "L": "L"}


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\sum_{i, k_{2}} (W_{1})_{ij} \, x_{i, k_{2}}", "Σ_i,k2 W1[i,j]·x[i,k2]"),
        (r"\max_{i \,:\, \left[ i \le j \right]} x_{i}", "max_i x[i] where [i ≤ j]"),
        (r"\left( x_{i - 1} \mid {\beta _{i}}^{2} \right)", "x[i - 1 | (beta[i])^(2)]"),
        (r"\frac{\partial L}{\partial (W_{1})_{ij}} = \frac{\beta _{i}}{N}", "dW1[i,j] = ((beta[i])/(N))"),
        (r"\frac{\partial^{2} L}{\partial x_{i} \, \partial x_{j}}", "H[i,j]"),
        (r"\left\lfloor \frac{i}{2} \right\rfloor + i \bmod 2", "((i)//(2)) + i%2"),
        (r"\operatorname{erf}\left( \sqrt{\pi } \right)", "erf(sqrt(π))"),
    ],
)
def test_latex(latex, text):
    derivatives = {("L", "W1"): "dW1", ("L", "x", "x"): "H"}
    assert plain(latex, SYMBOLS, derivatives) == text


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{x}{",
        r"\input{file}",
        r"\left( x",
        "}",
        r"\left(" * 500,
        "{" * 5000,
        r"\frac{\partial N}{\partial x}",
        r"\sqrt{" * 300 + "x" + "}" * 300,
        "x" * 100_000,
        "x_{" * 300,
    ],
)
def test_latex_that_is_none(latex):
    with pytest.raises(FormulaError):
        plain(latex, SYMBOLS)


@pytest.mark.parametrize("text", ["y = z", "y = x[0,0]", "y = elu(1)", "y[m] = 1", "y = A'", "y = x@x"])
def test_what_has_no_value_is_an_error(text):
    with pytest.raises(FormulaError):
        evaluate(parse_equation(text), {"x": np.ones(3), "A": np.ones((3, 3))})


def test_exp_is_finite_up_to_the_largest_double():
    assert FUNCTIONS["exp"](709.5) == pytest.approx(math.exp(709.5), rel=1e-13)
    assert FUNCTIONS["exp"](710.0) == math.inf
