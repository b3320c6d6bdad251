"""Sums that are the same with rows and columns exchanged: one operand twice, weighted or not."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, Guard
from symbp.ir.system import Fact
from symbp.lower import Contraction, Program, lower

B, N, D, H = sizes("B N D H")
b, n, i, j, h, g = indices("b n i j h g")
LEAVES: dict[str, tuple[Any, ...]] = {
    "x": (N, D),
    "t": (D, N),
    "u": (N, D),
    "X": (B, N, D),
    "T": (N, D, H),
    "w": (N,),
    "p": (N,),
    "m": (D,),
    "W": (B, N),
}


def read(name: str, *subscripts: Any) -> Any:
    return Access(name, *subscripts)


def program(plain: list[Any], body: Any, over: list[Any]) -> Program:
    builder = SystemBuilder()
    for name, shape in LEAVES.items():
        builder.leaf(name, *shape, facts=[Fact("positive")] if name == "p" else [])
    builder.define("r", plain, body, "sum", over)
    return lower(builder.system(), ["r"])


def product(found: Program) -> Contraction:
    (kernel,) = [k for k in found.kernels if isinstance(k, Contraction)]
    return kernel


x, t, w, p = (lambda *s, n=name: read(n, *s) for name in "xtwp")
SIGMOID = 1 / (1 + sympy.exp(-w(n)))

ONE_OPERAND = {
    "Gram matrix of columns": ([i, j], x(n, i) * x(n, j), [n], "x"),
    "Gram matrix of rows": ([i, j], t(i, n) * t(j, n), [n], "t"),
    "mean": ([i, j], x(n, i) * x(n, j) / N, [n], "x"),
    "covariance": ([i, j], (x(n, i) - read("m", i)) * (x(n, j) - read("m", j)), [n], "r_factor"),
    "positive weight": ([i, j], x(n, i) * p(n) * x(n, j), [n], "r_factor"),
    "square as a weight": ([i, j], x(n, i) * w(n) ** 2 * x(n, j), [n], "r_factor"),
    "logistic regression": ([i, j], x(n, i) * x(n, j) * SIGMOID * (1 - SIGMOID) / N, [n], "r_factor"),
    "rows and exponentials": ([i, j], t(i, n) * t(j, n) * sympy.exp(w(n)), [n], "r_factor"),
    "batches": ([b, i, j], read("X", b, n, i) * read("X", b, n, j), [n], "X"),
    "weighted batches": (
        [b, i, j],
        read("X", b, n, i) * read("X", b, n, j) * read("W", b, n) ** 2,
        [n],
        "r_factor",
    ),
    "groups of axes": ([i, h, j, g], read("T", n, i, h) * read("T", n, j, g), [n], "T"),
}


@pytest.mark.parametrize("name", ONE_OPERAND)
def test_one_operand_stands_on_both_sides(name: str) -> None:
    plain, body, over, operand = ONE_OPERAND[name]
    found = product(program(plain, body, over))
    assert (found.left.name, found.right.name) == (operand, operand)
    assert found.symmetric
    assert found.left_transposed != found.right_transposed or len(found.rows) == 0


UNKNOWN_SIGN = {
    "real weight": x(n, i) * w(n) * x(n, j),
    "difference": x(n, i) * (p(n) - 1) * x(n, j),
    "rows": t(i, n) * t(j, n) * sympy.sin(w(n)),
}


@pytest.mark.parametrize("name", UNKNOWN_SIGN)
def test_a_weight_of_unknown_sign_has_no_root(name: str) -> None:
    found = program([i, j], UNKNOWN_SIGN[name], [n])
    assert product(found).symmetric
    assert "sqrt" not in str(found)


OTHERS = {
    "two operands": x(n, i) * read("u", n, j),
    "transposed operand": x(n, i) * t(j, n),
    "weight on one side": x(n, i) * read("u", n, i) * x(n, j),
    "guarded weight": x(n, i) * x(n, j) * Guard("<", 0, w(n)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_products(name: str) -> None:
    found = program([i, j], OTHERS[name], [n])
    assert not any(k.symmetric for k in found.kernels if isinstance(k, Contraction))


def test_a_weight_is_computed_once() -> None:
    found = str(program([i, j], x(n, i) * x(n, j) * sympy.exp(w(n)), [n]))
    assert "r_weight[n] = exp(w[n])" in found
    assert "sqrt(r_weight[n])" in found
