"""Which inverses are solved for instead of made."""

from __future__ import annotations

from typing import Any

import pytest

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, Guard
from symbp.ir.system import Fact
from symbp.lower import Contraction, Program, lower
from symbp.lower.program import MatrixKernel

B, N, K = sizes("B N K")
b_, i, j, k, m, c, e = indices("b i j k m c e")


def program(*uses: tuple[str, list[Any], Any, list[Any]], body: Any = None, wanted: Any = None) -> Program:
    """V = inverse of A (or of another body), and what is computed of it."""
    b = SystemBuilder()
    b.leaf("A", N, N)
    b.leaf("T", N, N, facts=[Fact("lower triangular")])
    b.leaf("b", N, K)
    b.leaf("v", N)
    b.define("V", [i, j], Access("A", k, m) if body is None else body, "inverse", [k, m])
    for name, plain, term, over in uses:
        b.define(name, plain, term, "sum" if over else None, over)
    return lower(b.system(), wanted or [name for name, *_ in uses])


def read(name: str, *subscripts: Any) -> Any:
    return Access(name, *subscripts)


V, b, v = (lambda *s, n=name: read(n, *s) for name in "Vbv")
COLUMNS = ("x", [i, c], V(i, j) * b(j, c), [j])
VECTOR = ("y", [i], V(i, j) * v(j), [j])
TURNED = ("z", [j, c], V(i, j) * b(i, c), [i])


def made(found: Program) -> bool:
    return any(isinstance(kernel, MatrixKernel) for kernel in found.kernels)


def solutions(found: Program) -> list[Contraction]:
    return [k for k in found.kernels if isinstance(k, Contraction) and k.inverses]


@pytest.mark.parametrize("use", [COLUMNS, VECTOR, TURNED], ids=["columns", "vector", "transposed"])
def test_one_product_is_a_solution(use: Any) -> None:
    found = program(use)
    assert not made(found)
    (kernel,) = solutions(found)
    assert kernel.numbers == (1, 2)
    assert (kernel.left.name, kernel.left.inverted) == ("A", "general")
    assert kernel.left_transposed == (use is TURNED)
    assert "inverse(A)" in str(found)
    assert [t.name for t in found.buffers] == [use[0]]


def test_from_the_right() -> None:
    (kernel,) = solutions(program(("x", [c, j], b(i, c) * V(i, j), [i])))
    assert (kernel.right.name, kernel.right.inverted) == ("A", "general")


def test_two_products_are_solved_and_three_share_the_inverse() -> None:
    assert len(solutions(program(COLUMNS, VECTOR))) == 2
    found = program(COLUMNS, VECTOR, TURNED)
    assert made(found)
    assert not solutions(found)


def test_a_triangular_matrix_is_always_solved_for() -> None:
    found = program(COLUMNS, VECTOR, TURNED, body=read("T", k, m))
    assert not made(found)
    assert [kernel.left.inverted for kernel in solutions(found)] == ["lower"] * 3
    (kernel,) = solutions(program(VECTOR, body=read("T", m, k)))  # the inverse of the transpose
    assert (kernel.left.name, kernel.left_transposed) == ("T", True)


def test_a_cholesky_factor_is_triangular() -> None:
    b = SystemBuilder()
    a, right = b.leaf("A", N, N), b.leaf("v", N)
    low = b.define("L", [i, j], a(k, m), "cholesky", [k, m])
    inverse = b.define("V", [i, j], low(k, m), "inverse", [k, m])
    b.define("y", [i], inverse(i, j) * right(j), "sum", [j])
    (kernel,) = solutions(lower(b.system(), ["y"]))
    assert (kernel.left.name, kernel.left.inverted) == ("L", "lower")


OTHER_USES = {
    "element by element": [COLUMNS, ("w", [i, j], V(i, j) ** 2, [])],
    "its trace": [("t", [], V(i, i), [i])],
    "with itself": [("q", [i, e], V(i, j) * V(j, e), [j])],
    "weighted": [("q", [i, c], V(i, j) * read("A", i, j) * b(j, c), [j])],
    "selected": [("q", [i], V(i, j) * v(j) * Guard("=", i, j), [j])],
    "both sums": [("q", [c], V(i, j) * v(i) * v(j) * b(i, c), [i, j])],
}


@pytest.mark.parametrize("name", OTHER_USES)
def test_other_uses_need_the_inverse(name: str) -> None:
    found = program(*OTHER_USES[name])
    assert made(found)
    assert not solutions(found)


def test_a_use_in_another_stage_keeps_the_inverse() -> None:
    """What is read element by element later would have to be made then."""
    found = program(COLUMNS, ("w", [i, j], V(i, j) ** 2, []), wanted=["x"])
    assert made(found)


def test_a_wanted_inverse_is_made() -> None:
    found = program(COLUMNS, wanted=["V", "x"])
    assert made(found)
    assert not solutions(found)


def test_a_computed_matrix_is_written_where_it_is_used() -> None:
    shifted = read("A", k, m) + Guard("=", k, m)
    found = program(COLUMNS, body=shifted)
    assert not made(found)
    assert found.inlined == {"V_matrix"}
    assert not program(COLUMNS, TURNED, body=shifted).inlined


def test_operations() -> None:
    (general,) = solutions(program(COLUMNS))
    assert general.cost.flops.expand() == (2 * N**3 / 3 + 2 * N**2 * K).expand()
    (triangular,) = solutions(program(COLUMNS, body=read("T", k, m)))
    assert triangular.cost.flops == N**2 * K
