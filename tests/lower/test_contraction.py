"""Which sums are matrix products."""

from __future__ import annotations

from typing import Any

import pytest

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.ir.system import System
from symbp.lower import Contraction, Nest, lower

N, D, H, B = sizes("N D H B")
n, d, h, b = indices("n d h b")


def build(plain: list[Any], body: Any, over: list[Any]) -> System:
    builder = SystemBuilder()
    for name, shape in LEAVES.items():
        builder.leaf(name, *shape)
    builder.define("r", plain, body, "sum", over)
    return builder.system()


LEAVES = {
    "x": (N, D),
    "w": (D, H),
    "g": (N, H),
    "v": (D,),
    "u": (N,),
    "X": (B, N, D),
    "G": (B, N, H),
    "W": (B, D, H),
    "T": (H, N, D),
}


def read(name: str, *subscripts: Any) -> Any:
    from symbp.ir.expr import Access

    return Access(name, *subscripts)


def kernels(plain: list[Any], body: Any, over: list[Any]) -> list[Any]:
    return list(lower(build(plain, body, over), ["r"]).kernels)


@pytest.mark.parametrize(
    ("plain", "body", "over", "transposed"),
    [
        ([n, h], read("x", n, d) * read("w", d, h), [d], (False, False)),
        ([d, h], read("x", n, d) * read("g", n, h), [n], (True, False)),
        ([n, d], read("g", n, h) * read("w", d, h), [h], (False, True)),
        ([n], read("x", n, d) * read("v", d), [d], (False, False)),
        ([d], read("x", n, d) * read("u", n), [n], (True, False)),
        ([d, h], read("X", b, n, d) * read("G", b, n, h), [b, n], (True, False)),
        ([b, n, h], read("X", b, n, d) * read("W", b, d, h), [d], (False, False)),
        ([b, d, h], read("X", b, n, d) * read("G", b, n, h), [n], (True, False)),
    ],
)
def test_products(plain: list[Any], body: Any, over: list[Any], transposed: tuple[bool, bool]) -> None:
    (kernel,) = kernels(plain, body, over)
    assert isinstance(kernel, Contraction)
    assert (kernel.left_transposed, kernel.right_transposed) == transposed


@pytest.mark.parametrize(
    ("plain", "body", "over"),
    [
        ([n], read("x", n, d), [d]),
        ([], read("x", n, d) ** 2, [n, d]),
        ([n, h], read("x", n, d) + read("w", d, h), [d]),
        ([n, h], read("x", n, d) * read("w", d, h) * read("T", h, n, d), [d]),
    ],
)
def test_what_is_none(plain: list[Any], body: Any, over: list[Any]) -> None:
    assert all(isinstance(kernel, Nest) for kernel in kernels(plain, body, over))


def test_an_index_of_one_operand_only_is_summed_before() -> None:
    first, second = kernels([h], read("x", n, d) * read("w", d, h), [n, d])
    assert isinstance(first, Nest)
    assert first.targets == ("r_part",)
    assert isinstance(second, Contraction)
    assert second.reads == ("w", "r_part")


def test_what_does_not_depend_on_the_sum_is_multiplied_afterwards() -> None:
    first, second = kernels([n, h], read("x", n, d) * read("w", d, h) * (1 - read("g", n, h) ** 2) / N, [d])
    assert isinstance(first, Contraction)
    (statement,) = second.statements
    assert statement.scaling
    assert statement.number == first.number == 1


def test_an_operand_that_needs_computing_comes_first() -> None:
    first, second = kernels([d, h], read("x", n, d) * (read("g", n, h) - read("u", n)), [n])
    (statement,) = first.statements
    assert statement.inline
    assert statement.equation.indices == (n, h)
    assert second.right.name == statement.target


def test_a_guard_stays_inside_the_sum() -> None:
    body = Guard("<=", n, h) * read("x", n, d) * read("w", d, h)
    found = kernels([n, h], body, [d])
    scaled = [s for k in found if isinstance(k, Nest) for s in k.statements if s.scaling]
    assert not scaled
