"""The evaluator of matrix notation: what it takes, and what has no value on a blackboard either."""

import numpy as np
import pytest

from symbp.errors import FormulaError
from symbp.read.grammar import Facts, evaluate_matrix, parse_equation, parse_matrix_equation, plain
from symbp.read.grammar.axes import Subscript, standing

DRAW = np.random.default_rng(5)
A, B, S = DRAW.normal(size=(3, 4)), DRAW.normal(size=(4, 2)), DRAW.normal(size=(3, 3))
u, v = DRAW.normal(size=3), DRAW.normal(size=4)
h = DRAW.normal(size=(5, 3, 4))
y = np.array([1, 0, 3])
ARRAYS = {"A": A, "B": B, "S": S, "u": u, "v": v, "h": h, "y": y, "c": np.array(2.5)}
FACTS = Facts(
    sizes={"T": 5, "N": 3, "D": 4},
    indices={"t": ("T", 5), "n": ("N", 3)},
    shapes={"A": ("N", "D"), "B": ("D", "2"), "S": ("N", "N"), "h": ("T", "N", "D")},
    bounds={"y": ("D", 4)},
)  # fmt: skip


def evaluated(text, shape):
    arrays = ARRAYS | {"r": np.zeros(shape)}
    return evaluate_matrix(parse_matrix_equation(text), arrays, FACTS)


VALUES = [
    ("r = A·B", A @ B),
    ("r = Aᵀ·u", A.T @ u),
    ("r = uᵀ·A·v", u @ A @ v),
    ("r = A + u·𝟏ᵀ", A + u[:, None]),
    ("r = A + 𝟏·vᵀ", A + v),
    ("r = 1 - A ⊙ A", 1 - A * A),
    ("r = A·𝟏", A.sum(1)),
    ("r = 𝟏ᵀ·A·𝟏", A.sum()),
    ("r = diag(u)⁻¹·A", A / u[:, None]),
    ("r = S - I", S - np.eye(3)),
    ("r = (S - 2·I)⁻¹", np.linalg.inv(S - 2 * np.eye(3))),
    ("r = I - u·𝟏ᵀ", np.eye(3) - u[:, None]),
    ("r = tril(S)", np.tril(S)),
    ("r = triu(𝟏·𝟏ᵀ)·A", np.triu(np.ones((3, 3))) @ A),
    ("r = rowmax(tril(S, -∞))", np.where(np.tri(3, dtype=bool), S, -np.inf).max(1)),
    ("r = colsum(A)", A.sum(0)),
    ("r = ‖A‖²", (A * A).sum()),
    ("r = onehot(y)", np.eye(4)[y]),
    ("r = B[y]", B[y]),
    ("r = h_{0}", h[0]),
    ("r = h_{T-1}", h[4]),
    ("r = h_{:,:,2}", h[:, :, 2]),
    ("r = Σ_t h_{t}", h.sum(0)),
    ("r = Σ_t h_{t-1}ᵀ·h_{t}", sum(h[k - 1].T @ h[k] for k in range(1, 5))),
    ("r = Σ_t h_{t-1 | A}", A + h[:4].sum(0)),
    ("r = Σ_n h_{n}", h.sum(1)),
    ("r = Σ_t [t ≥ 2]·h_{t}", h[2:].sum(0)),
    ("r = A ⊘ A", np.ones((3, 4))),
    ("r = [A > 0] ⊙ log(A)", np.where(A > 0, np.log(np.abs(A)), 0)),
    ("r = softmax(A)", np.exp(A) / np.exp(A).sum(1)[:, None]),
    ("r = pad(S, 1) ⋆ B", sum(B[k, 0] * np.pad(S, 1)[k : k + 2, :4] for k in range(4))
     + sum(B[k, 1] * np.pad(S, 1)[k : k + 2, 1:] for k in range(4))),
    ("r = u^∘3", u**3),
    ("r = stride(S, 2)", S[::2, ::2]),
    ("r = [u > 9]·∞ + u", u),
    ("r = -∞·[u > 9] + u", u),
    ("r = range(N)", np.arange(3.0)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_value(text, expected):
    np.testing.assert_allclose(evaluated(text, np.shape(expected)), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("r = A·A", (3, 4)),  # columns and rows don't fit
        ("r = A·u", (3,)),  # a lost transpose
        ("r = A + u", (3, 4)),  # a vector beside a matrix
        ("r = A + Aᵀ", (3, 4)),
        ("r = u·A", (4,)),
        ("r = A + 𝟏·v", (3, 4)),
        ("r = A/u", (3, 4)),
        ("r = A²", (3, 4)),  # powers of matrices are no powers of elements
        ("r = 𝟏ᵀ·𝟏", ()),  # nothing says how long 𝟏 is
        ("r = tr(I)", ()),
        ("r = h", (3, 4)),  # three axes are no matrix
        ("r = h_{0,0,0,0}", ()),
        ("r = h_{:,0}", (3, 4)),
        ("r = h_{A}", (3, 4)),
        ("r = A_{T-1}", (4,)),  # A has no axis of that length
        ("r = onehot(u)", (3, 4)),
        ("r = B[u]", (3, 2)),  # labels are below 4, and not negative
        ("r = f(A)", (3, 4)),
        ("r = rowmax(A, A)", (3,)),
        ("r = Σ_k A", (3, 4)),
        ("r = uᵀ", (3,)),
        ("r = A", (4, 3)),
        ("r_{t} = A", (3, 4)),
    ],
)
def test_no_value(text, shape):
    with pytest.raises(FormulaError):
        evaluated(text, shape)


@pytest.mark.parametrize(
    "text",
    [
        "r = h_{",
        "r = h_{}",
        "r = h_{t",
        "r_{t} h",
        "r = 2_{t}",
        "A·B = r",
        "r = h_{t |}",
        "r = A ⋆",
    ],
)
def test_what_is_no_matrix_notation(text):
    with pytest.raises(FormulaError):
        parse_matrix_equation(text)


@pytest.mark.parametrize("text", ["r[i] = h_{i}", "r[i] = A ⋆ B", "r[i] = x[:]"])
def test_index_notation_has_none_of_it(text):
    with pytest.raises(FormulaError):
        parse_equation(text)


def test_subscripts_on_the_left():
    arrays = ARRAYS | {"r": np.zeros((5, 3, 4))}
    found = evaluate_matrix(parse_matrix_equation("r_{t} = h_{t} ⊙ A"), arrays, FACTS_R)
    np.testing.assert_allclose(found, h * A)
    found = evaluate_matrix(parse_matrix_equation("r_{0} = A"), arrays, FACTS_R)
    np.testing.assert_allclose(found[0], A)
    assert np.isnan(found[1:]).all()


FACTS_R = Facts(FACTS.sizes, FACTS.indices, {**FACTS.shapes, "r": ("T", "N", "D")}, FACTS.bounds)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"h_{t-1} \, U^{\top}", "h_{t - 1}·Uᵀ"),
        (r"\mathbf{1} \, b^{\top}", "𝟏·bᵀ"),
        (r"\frac{\partial L}{\partial h_{t}} \odot h_{t}", "dh_{t} ⊙ h_{t}"),
        (r"\left( h_{t-1} \mid b \right)", "h_{t - 1 | b}"),
        (r"\left\lVert U \right\rVert^{2}", "‖U‖^(2)"),
        (r"{h_{t}}^{\circ 3}", "(h_{t})^∘(3)"),
        (r"h_{:, 0}", "h_{:,0}"),
        (r"U \otimes I_{H}", "U ⊗ I_{H}"),
    ],
)
def test_latex(latex, text):
    symbols = {name: name for name in ("h", "U", "b", "t", "H", "L")}
    assert plain(latex, symbols, {("L", "h"): "dh"}, matrices=True) == text


T, N, NUMBER = Subscript(frozenset({"T"})), Subscript(frozenset({"N"})), Subscript()


@pytest.mark.parametrize(
    ("subscripts", "axes", "expected"),
    [
        ([T], ["N", "T", "H"], (1,)),
        ([T, NUMBER], ["N", "T", "4", "H"], (1, 2)),
        ([NUMBER], ["N", "4", "H"], (1,)),  # where an axis has a number of elements
        ([NUMBER, N], ["L", "N", "T"], (0, 1)),
        ([NUMBER], ["L", "N"], (0,)),
        ([N, T], ["T", "N"], None),  # in the order of the axes
        ([Subscript(sizes=frozenset({"T"}))], ["N", "T"], (1,)),
        ([T], ["N", "H"], None),
        ([T], ["T", "T"], (0,)),
    ],
)
def test_where_subscripts_stand(subscripts, axes, expected):
    assert standing(subscripts, axes) == expected


def test_a_form_for_some_subscripts_only():
    """Elsewhere it says nothing, and its condition is about subscripts."""
    equation = parse_matrix_equation("r_{t,:,:} = h_{t+1} for t < T - 1")
    found = evaluate_matrix(equation, ARRAYS | {"r": np.zeros(h.shape)}, FACTS)
    np.testing.assert_array_equal(found[:-1], h[1:])
    assert np.isnan(found[-1]).all()
    with pytest.raises(FormulaError, match="about its subscripts"):
        evaluated("r_{t,:,:} = h_{t} for A < 2", h.shape)
