"""Adjoints through inverses, determinants and Cholesky factors: forms as golden texts, values by the complex
step of the interpreter, which shares no code with the rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.derive import derive
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Guard
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Fact, Role, System
from symbp.ir.validate import validate

B, K, N = sizes("B K N")
b_, c, i, j, k, m, p, q = indices("b c i j k m p q")
P = Role.PARAMETER
STEP = 1e-30


def weighted(leaf: str, *, batch: bool = False, facts: tuple[str, ...] = ()) -> System:
    """Σ w·X² of a leaf X of a matrix A, or of a batch of matrices; nothing about it is linear."""
    b = SystemBuilder()
    lead, extents = ([b_], [B]) if batch else ([], [])
    a = b.leaf("A", *extents, N, N, role=P, facts=[Fact(f) for f in facts])  # type: ignore[arg-type]
    plain = [*lead, i, j] if leaf in ("inverse", "cholesky") else lead
    w = b.leaf("w", *extents, *([N, N] if len(plain) > len(lead) else []))
    x = b.define("X", plain, a(*lead, k, m), leaf, [k, m])
    b.define("L", [], w(*plain) * x(*plain) ** 2, "sum" if plain else None, plain)
    return b.system("L")


def solution() -> System:
    """‖A⁻¹b − y‖²/2: the adjoint of a solution."""
    b = SystemBuilder()
    a, right, y = b.leaf("A", N, N, role=P), b.leaf("b", N, K, role=P), b.leaf("y", N, K)
    v = b.define("V", [i, j], a(k, m), "inverse", [k, m])
    x = b.define("x", [i, c], v(i, j) * right(j, c), "sum", [j])
    b.define("L", [], (x(i, c) - y(i, c)) ** 2 / 2, "sum", [i, c])
    return b.system("L")


def gaussian_process() -> System:
    """The log marginal likelihood of y under a covariance whose elements are the parameters."""
    b = SystemBuilder()
    cov, y = b.leaf("K", N, N, role=P, facts=[Fact("symmetric")]), b.leaf("y", N)
    v = b.define("V", [i, j], cov(k, m), "inverse", [k, m])
    alpha = b.define("alpha", [i], v(i, j) * y(j), "sum", [j])
    fit = b.define("fit", [], y(i) * alpha(i), "sum", [i])
    volume = b.define("volume", [], cov(i, j), "logdet", [i, j])
    b.define("L", [], -(fit() + volume()) / 2)
    return b.system("L")


def structured(kind: str) -> System:
    """log|S| of a matrix that is made of fewer parameters than it has elements."""
    b = SystemBuilder()
    if kind == "diagonal":
        s = b.leaf("s", N, role=P)
        body = Guard("=", i, j) * s(i)
    elif kind == "Toeplitz":
        s = b.leaf("s", 2 * N - 1, role=P)
        body = s(i - j + N - 1)
    else:
        s = b.leaf("s", N, N, role=P)
        body = Guard("<=", j, i) * s(i, j)
        body += Guard("<", i, j) * s(j, i) if kind == "symmetric" else 0
    whole = b.define("S", [i, j], body, ranges={i: N, j: N})
    b.define("L", [], whole(i, j), "logdet", [i, j])
    return b.system("L")


SYSTEMS = {
    **{leaf: weighted(leaf) for leaf in ("inverse", "det", "logdet", "cholesky")},
    **{f"batch_{leaf}": weighted(leaf, batch=True) for leaf in ("inverse", "det", "logdet", "cholesky")},
    "symmetric_inverse": weighted("inverse", facts=("symmetric",)),
    "symmetric_cholesky": weighted("cholesky", facts=("symmetric",)),
    "lower_triangular_inverse": weighted("inverse", facts=("lower triangular",)),
    "solution": solution(),
    "gaussian_process": gaussian_process(),
    **{f"{kind}_parameter": structured(kind) for kind in ("diagonal", "Toeplitz", "symmetric", "triangular")},
}


def slope(system: System, values: dict[str, Any], sizes_: dict[str, int], name: str, of: str) -> Any:
    """∂of/∂name by the complex step, with the axes of `of` behind."""
    rows = []
    for at in np.ndindex(values[name].shape):
        stepped = values[name].astype(complex)
        stepped[at] += STEP * 1j
        rows.append(run(system, {**values, name: stepped}, sizes_, wanted=[of])[of].imag / STEP)
    return np.reshape(rows, (*values[name].shape, *np.shape(rows[0])))


@pytest.mark.few(fast=5)
@pytest.mark.parametrize("name", SYSTEMS)
def test_form_and_value(name: str, golden: Callable[[str, str], None]) -> None:
    system = SYSTEMS[name]
    derivation = derive(system)
    validate(derivation.system)
    golden(f"linear_algebra_{name}.txt", f"{derivation}\n")
    for seed in (3, 4):
        extents, values = sample_point(derivation.system, seed, variant=seed)
        for parameter, gradient in derivation.gradients.items():
            found = run(derivation.system, values, extents, wanted=[gradient])[gradient]
            expected = slope(system, values, extents, parameter, "L")
            assert np.all(np.isfinite(expected))
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "inverse",
        "det",
        "logdet",
        pytest.param("cholesky", marks=pytest.mark.slow),
        "solution",
        "batch_inverse",
    ],
)
def test_second_derivatives(name: str) -> None:
    """A rule is equations over leaves, so it is differentiated like any system."""
    derivation = derive(SYSTEMS[name], order=2)
    validate(derivation.system)
    extents, values = sample_point(derivation.system, 5)
    hessian = run(derivation.system, values, extents, wanted=[derivation.gradients["A,A"]])
    found = next(iter(hessian.values()))
    expected = slope(derivation.system, values, extents, "A", derivation.gradients["A"])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())


def test_the_hessian_of_a_log_determinant() -> None:
    b = SystemBuilder()
    a = b.leaf("A", N, N, role=P)
    b.define("L", [], a(k, m), "logdet", [k, m])
    derivation = derive(b.system("L"), order=2)
    assert str(derivation["A,A"].equation) == "H_A_A[o,p,k,m] = -A_inverse[m,o]·A_inverse[p,k]"


def test_elements_of_a_symmetric_matrix_are_independent() -> None:
    """A fact says what values are, not which of them may change; the declaration says that (Matrix Cookbook
    138: G + Gᵀ − G∘1 for the elements of one triangle)."""
    system, extents = SYSTEMS["symmetric_inverse"], {"N": 3}
    _, values = sample_point(system, 2, sizes=extents)
    derivation = derive(system)
    full = run(derivation.system, values, extents)[derivation.gradients["A"]]
    np.testing.assert_allclose(full, slope(system, values, extents, "A", "L"), rtol=1e-10)
    triangle = derive(SYSTEMS["symmetric_parameter"])
    _, values = sample_point(triangle.system, 2, sizes=extents)
    found = run(triangle.system, values, extents)
    g = np.linalg.inv(found["S"]).T
    np.testing.assert_allclose(
        found[triangle.gradients["s"]], np.tril(g + g.T - np.diag(np.diag(g))), rtol=1e-10
    )


def test_an_inverse_that_is_there_is_not_computed_again() -> None:
    derivation = derive(SYSTEMS["gaussian_process"])
    assert [e.target for e in derivation.system.equations if e.op == "inverse"] == ["V"]


@pytest.mark.slow
def test_in_the_language() -> None:
    (n,) = bp.dims("N")
    a, y = bp.param("A", (n, n)), bp.input("y", (n,))
    x = bp.solve(a @ a.T, y).named("x")
    net = bp.Network("net", loss=bp.sum(x * x) + bp.trace(a) + bp.logdet(a) + bp.cholesky(a @ a.T).sum())
    assert all(row.ok for row in bp.check(net, sizes={"N": 3}).rows)
    assert re.search(r"  (\w+) = A⁻¹\s", bp.derive(net).text())
    assert r"A^{-1}" in bp.derive(net).latex()


@pytest.mark.parametrize("function", [bp.inverse, bp.det, bp.logdet, bp.cholesky, bp.solve, bp.trace])
def test_what_is_no_square_matrix(function: Any) -> None:
    (n,) = bp.dims("N")
    more = (bp.input("y", (n,)),) if function is bp.solve else ()
    with pytest.raises(bp.errors.ShapeError, match="matrix"):
        function(bp.input("v", (n,)), *more)


def test_two_sizes_named_in_one_matrix() -> None:
    n, d = bp.dims("N D")
    with pytest.raises(bp.errors.ShapeError) as error:
        bp.Network("net", loss=bp.det(bp.param("A", (n, d))))
    assert "N" in str(error.value)
    assert "D" in str(error.value)
