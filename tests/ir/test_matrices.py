"""The leaves of linear algebra over every domain, against NumPy, SymPy and their definitions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.errors import EvaluationError, InvalidSystem, OutsideDomain, ShapeError
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.domains import COMPLEX, EXACT, FLOAT, HIGH, MODULAR
from symbp.ir.evaluation.dual import DUAL, dual, tangent
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run
from symbp.ir.groups import groups
from symbp.ir.matrices import MATRIX_LEAVES, SINGULAR
from symbp.ir.system import Reduction, System
from symbp.ir.validate import validate

B, M, N, T = sizes("B M N T")
b_, i, j, k, m, t = indices("b i j k m t")

NUMPY = {
    "inverse": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda a: np.linalg.slogdet(a)[1],
    "cholesky": lambda a: np.linalg.cholesky((a + a.swapaxes(-1, -2)) / 2),
    "cofactors": lambda a: np.linalg.det(a)[..., None, None] * np.linalg.inv(a).swapaxes(-1, -2),
    "eigenvalues": lambda a: np.linalg.eigvalsh((a + a.swapaxes(-1, -2)) / 2),
    "singular_values": lambda a: np.linalg.svd(a)[1],
}
VECTORS = {"eigenvectors", "left_vectors", "right_vectors"}
VALUES = sorted(name for name, leaf in MATRIX_LEAVES.items() if not leaf.integer and name not in VECTORS)


def system(leaf: str, shift: int = 0) -> System:
    """The leaf of `A[b] + shift·1`, for a batch of matrices."""
    b = SystemBuilder()
    a = b.leaf("A", B, N, N)
    body = a(b_, k, m) + shift * sympy.sympify(_delta(k, m))
    plain = [b_, *[i, j][: len(MATRIX_LEAVES[leaf].result)]]
    b.define("X", plain, body, leaf, [k, m], ranges=dict.fromkeys(plain[1:], N))
    return b.system()


def _delta(left: Any, right: Any) -> Any:
    from symbp.ir.expr import Guard

    return Guard("=", left, right)


def positive_definite(seed: int, n: int = 3, count: int = 2) -> np.ndarray[Any, Any]:
    a = np.random.default_rng(seed).normal(size=(count, n, n))
    return a @ a.swapaxes(-1, -2) + np.eye(n)


@pytest.mark.parametrize("leaf", VALUES)
def test_both_evaluators_agree_with_numpy(leaf: str) -> None:
    values, extents = {"A": positive_definite(1) + 0.1}, {"B": 2, "N": 3}
    expected = NUMPY[leaf](values["A"] + 2 * np.eye(3))
    declared = system(leaf, 2)
    validate(declared)
    for found in (evaluate(declared, values, extents, FLOAT), run(declared, values, extents)):
        np.testing.assert_allclose(found["X"], expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("leaf", ["inverse", "det", "logdet", "cofactors", "singular_values"])
def test_a_negative_determinant(leaf: str) -> None:
    values = {"A": np.array([[[0.0, 2.0], [3.0, 1.0]]])}
    for found in (
        evaluate(system(leaf), values, {"B": 1, "N": 2}),
        run(system(leaf), values, {"B": 1, "N": 2}),
    ):
        np.testing.assert_allclose(found["X"], NUMPY[leaf](values["A"]), rtol=1e-14)


@given(st.lists(st.integers(-3, 3), min_size=9, max_size=9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_rationals_and_residues_are_exact(entries: list[int]) -> None:
    rows = np.array(entries, dtype=object).reshape(3, 3)
    matrix = sympy.Matrix(3, 3, entries)
    leaf = MATRIX_LEAVES["det"].exact
    lifted = [[Fraction(int(x)) for x in row] for row in rows]
    assert leaf(EXACT, lifted) == int(matrix.det())
    prime = MODULAR(101)
    residues = [[prime.rational(x) for x in row] for row in lifted]
    assert int(leaf(prime, residues)) == int(matrix.det()) % 101
    if matrix.det() == 0:
        with pytest.raises(EvaluationError, match="singular"):
            MATRIX_LEAVES["inverse"].exact(EXACT, lifted)
    minors = sympy.Matrix(MATRIX_LEAVES["cofactors"].exact(EXACT, lifted))
    assert matrix.adjugate() == minors.T
    if matrix.det() != 0:
        found = MATRIX_LEAVES["inverse"].exact(EXACT, lifted)
        assert sympy.Matrix(found) == matrix.inv()


def test_fifty_digits_and_no_root_of_a_rational() -> None:
    a = positive_definite(2, count=1)
    factor = evaluate(system("cholesky"), {"A": a}, {"B": 1, "N": 3}, HIGH)["X"][0]
    product = factor @ factor.T
    assert max(abs(product[r, c] - HIGH.lift(a[0, r, c])) for r in range(3) for c in range(r + 1)) < 1e-15
    symmetric = [[(HIGH.lift(a[0, r, c]) + HIGH.lift(a[0, c, r])) / 2 for c in range(3)] for r in range(3)]
    assert max(abs(product[r, c] - symmetric[r][c]) for r in range(3) for c in range(3)) < 1e-45
    with pytest.raises(OutsideDomain):
        evaluate(system("cholesky"), {"A": a}, {"B": 1, "N": 3}, EXACT)


@pytest.mark.parametrize("leaf", VALUES)
def test_dual_numbers_and_the_complex_step_agree(leaf: str) -> None:
    rng = np.random.default_rng(3)
    a, direction = positive_definite(3) + 0.2, rng.normal(size=(2, 3, 3))
    extents = {"B": 2, "N": 3}
    exact = evaluate(system(leaf), {"A": dual(a, direction)}, extents, DUAL(FLOAT))["X"]
    forward = np.asarray(tangent(exact), float)
    stepped = a + 1e-30j * direction
    for found in (
        evaluate(system(leaf), {"A": stepped}, extents, COMPLEX),
        run(system(leaf), {"A": stepped}, extents),
    ):
        np.testing.assert_allclose(np.imag(found["X"]) / 1e-30, forward, rtol=1e-11, atol=1e-12)


def spectrum(kind: str, n: int) -> Any:
    """A matrix with equal eigenvalues: 1, 1, 2, 2, 3, …, or 0 some of them."""
    rng = np.random.default_rng(6)
    q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    values = np.array([(k // 2) + (kind == "equal") for k in range(n)], float)
    return q @ np.diag(values) @ q.T, np.sort(values)


@pytest.mark.parametrize("kind", ["equal", "with zeros"])
@pytest.mark.parametrize("domain", [FLOAT, HIGH])
def test_vectors_belong_to_their_values(domain: Any, kind: str) -> None:
    """M·v = λ·v, M·v = σ·u and Mᵀ·u = σ·v, orthonormal, also where values coincide."""
    matrix, expected = spectrum(kind, 4)
    values, extents = {"A": matrix[None]}, {"B": 1, "N": 4}

    def found(leaf: str) -> list[Any]:
        arrays = [
            evaluate(system(leaf), values, extents, domain)["X"][0],
            run(system(leaf), values, extents)["X"][0],
        ]
        return [np.asarray(a, float) for a in arrays]

    for lam, v in zip(found("eigenvalues"), found("eigenvectors"), strict=True):
        np.testing.assert_allclose(lam, expected, atol=1e-13)
        np.testing.assert_allclose(matrix @ v, v * lam, atol=1e-13)
        np.testing.assert_allclose(v.T @ v, np.eye(4), atol=1e-13)
    for s, u, v in zip(*map(found, ("singular_values", "left_vectors", "right_vectors")), strict=True):
        np.testing.assert_allclose(s, expected[::-1], atol=1e-13)
        np.testing.assert_allclose(matrix @ v, u * s, atol=1e-13)
        np.testing.assert_allclose(matrix.T @ u, v * s, atol=1e-13)


def test_eigenvalues_have_fifty_digits() -> None:
    """Σ λ and Σ λ² are the traces of M and M², Π λ the determinant."""
    a = positive_definite(2, 4, 1)[0]
    rows = [[HIGH.lift((a[r, c] + a[c, r]) / 2) for c in range(4)] for r in range(4)]
    lam = MATRIX_LEAVES["eigenvalues"].exact(HIGH, rows)
    squares = [sum(rows[r][c] * rows[c][r] for c in range(4)) for r in range(4)]
    product = lam[0] * lam[1] * lam[2] * lam[3]
    assert abs(sum(lam) - sum(rows[r][r] for r in range(4))) < 1e-47
    assert abs(sum(x**2 for x in lam) - sum(squares)) < 1e-46
    assert abs(product - MATRIX_LEAVES["det"].exact(HIGH, rows)) < 1e-45
    sigma = MATRIX_LEAVES["singular_values"].exact(HIGH, [row[:2] for row in rows])
    gram = [[sum(row[c] * row[d] for row in rows) for d in range(2)] for c in range(2)]
    exact = MATRIX_LEAVES["eigenvalues"].exact(HIGH, gram)
    assert max(abs(x**2 - y) for x, y in zip(sigma, exact[::-1], strict=True)) < 1e-46


@pytest.mark.parametrize("shape", [(2, 4), (4, 2), (3, 3)])
def test_more_singular_values_than_there_are_are_zeros(shape: tuple[int, int]) -> None:
    b = SystemBuilder()
    a = b.leaf("A", M, N)
    b.define("X", [i], a(k, m), "singular_values", [k, m], ranges={i: T})
    b.define("U", [i, j], a(k, m), "left_vectors", [k, m], ranges={j: T})
    declared = b.system()
    validate(declared)
    matrix = np.random.default_rng(1).normal(size=shape)
    extents = {"M": shape[0], "N": shape[1], "T": 3}
    expected = np.zeros(3)
    expected[: min(3, *shape)] = np.linalg.svd(matrix)[1][:3]
    for found in (evaluate(declared, {"A": matrix}, extents), run(declared, {"A": matrix}, extents)):
        np.testing.assert_allclose(found["X"], expected, rtol=1e-12)
        assert found["U"].shape == (shape[0], 3)
        assert not np.any(found["U"][:, min(shape) :])


def test_eigenvalues_need_an_order_and_roots() -> None:
    prime = MODULAR(101)
    with pytest.raises(OutsideDomain, match="eigenvalues"):
        MATRIX_LEAVES["eigenvalues"].exact(prime, [[prime.rational(Fraction(1))]])
    with pytest.raises(OutsideDomain):
        MATRIX_LEAVES["eigenvalues"].exact(EXACT, [[Fraction(1), Fraction(2)], [Fraction(2), Fraction(1)]])
    moved = evaluate(
        system("eigenvalues"),
        {"A": dual(np.ones((1, 1, 1)), np.ones((1, 1, 1)))},
        {"B": 1, "N": 1},
        DUAL(FLOAT),
    )
    assert tangent(moved["X"])[0, 0] == 1
    with pytest.raises(EvaluationError, match="not differentiated"):
        evaluate(
            system("eigenvectors"),
            {"A": dual(np.eye(2)[None], np.ones((1, 2, 2)))},
            {"B": 1, "N": 2},
            DUAL(FLOAT),
        )


def test_an_inverse_inside_a_recurrence() -> None:
    b = SystemBuilder()
    q, p = b.leaf("Q", T, N, N), b.declare("P", T, N, N)
    before = b.define("S", [t, i, j], q(t, i, j) + p(t - 1, i, j, outside=0), ranges={t: T})
    b.define("P", [t, i, j], before(t, k, m), "inverse", [k, m])
    declared = b.system()
    validate(declared)
    assert [group.loop is not None for group in groups(declared)] == [True]
    values, extents = {"Q": positive_definite(5, 2, 4)}, {"T": 4, "N": 2}
    expected, last = [], np.zeros((2, 2))
    for matrix in values["Q"]:
        last = np.linalg.inv(matrix + last)
        expected.append(last)
    for found in (evaluate(declared, values, extents), run(declared, values, extents)):
        np.testing.assert_allclose(found["P"], expected, rtol=1e-12)


def test_what_cannot_be_inverted_or_factored() -> None:
    singular = {"A": np.ones((1, 2, 2))}
    with pytest.raises(EvaluationError, match="singular") as error:
        evaluate(system("inverse"), singular, {"B": 1, "N": 2})
    assert "X[b,i,j] = (inverse_k,m A[b,k,m])[i,j]" in str(error.value)
    assert "'b': 0" in str(error.value)
    assert np.all(np.isnan(run(system("inverse"), singular, {"B": 1, "N": 2})["X"]))
    nearly = {"A": np.array([[[1.0, 1.0], [1.0, 1.0 + 1 / SINGULAR]]])}
    assert np.all(np.isnan(run(system("inverse"), nearly, {"B": 1, "N": 2})["X"]))
    with pytest.raises(EvaluationError, match="not positive definite"):
        evaluate(system("cholesky"), {"A": -np.ones((1, 2, 2))}, {"B": 1, "N": 2})
    assert evaluate(system("det"), singular, {"B": 1, "N": 2}, EXACT)["X"][0] == 0


def test_only_square_matrices() -> None:
    b = SystemBuilder()
    a = b.leaf("A", M, N)
    with pytest.raises(ShapeError, match="not square") as error:
        b.define("X", [i, j], a(k, m), "inverse", [k, m])
    assert "axis 0 of A: M" in str(error.value)
    assert "axis 1 of A: N" in str(error.value)


def test_the_validator_knows_the_shape_of_a_leaf() -> None:
    declared = system("inverse")
    (equation,) = declared.equations
    wrong = {
        "mentions the row or the column": equation.with_(body=declared.at("A", b_, i, j)),
        "not a row and a column": equation.with_(reduction=Reduction("inverse", (k,)), ranges=(B, N, N, N)),
        "not square": equation.with_(ranges=(B, N, N, N, M)),
    }
    for message, changed in wrong.items():
        with pytest.raises(InvalidSystem, match=message):
            validate(declared.with_(equations=(changed,)))
