"""Reads solved for their indices: the elements found are those that a search over all of them finds."""

from __future__ import annotations

from itertools import product

import pytest
import sympy

from symbp.derive.sweep.inverted_reads import Inverse, invert
from symbp.ir.build import indices, sizes
from symbp.ir.expr import Expr, FloorDiv, Index, Mod

i, j, k, u = indices("i j k u")
A, B, C = sizes("A B C")
SPARE = indices("p q r s t")


def digits(*read: Expr, shape: tuple[Expr, ...], extent: Expr) -> Inverse:
    return invert(read, (i, j, k)[: len(read)], shape, (u,), {u: extent}, SPARE)


def number(e: Expr, at: dict[Expr, int]) -> int:
    return int(sympy.sympify(e).xreplace({s: sympy.Integer(v) for s, v in at.items()}))


def pairs(inverse: Inverse, axes: tuple[Index, ...], shape: tuple[int, ...]) -> set[tuple[int, ...]]:
    """(axes…, u) that the solution says, by all values of the axes and of the new indices."""
    found = set()
    for where in product(*map(range, shape), *[range(number(inverse.extents[n], {})) for n in inverse.left]):
        at = dict(zip((*axes, *inverse.left), where, strict=True))
        if all(number(g, at) for g in inverse.guards):
            found.add((*where[: len(axes)], number(inverse.solution.get(u, u), at)))
    return found


def test_all_digits_make_up_the_element() -> None:
    read = (FloorDiv(u, B * C), Mod(FloorDiv(u, C), B), Mod(u, C))
    found = digits(*read, shape=(A, B, C), extent=A * B * C)
    assert sympy.expand(found.solution[u] - (i * B * C + j * C + k)) == 0
    assert found.left == ()
    assert found.guards == ()


def test_sizes_that_are_sums_are_digits_too() -> None:
    side = 4 + FloorDiv(1 + A - B, 2) - C  # of an image after a convolution and a pooling
    read = (FloorDiv(u, side * side), Mod(FloorDiv(u, side), side), Mod(u, side))
    found = digits(*read, shape=(A, side, side), extent=A * side * side)
    assert sympy.expand(found.solution[u] - (i * side * side + j * side + k)) == 0
    assert (found.left, found.guards) == ((), ())


@pytest.mark.parametrize(
    ("read", "shape", "extent"),
    [
        pytest.param((FloorDiv(u, 6), Mod(FloorDiv(u, 3), 2), Mod(u, 3)), (4, 2, 3), 24, id="all of them"),
        pytest.param((FloorDiv(u, 6), Mod(FloorDiv(u, 3), 2), Mod(u, 3)), (4, 2, 3), 20, id="cut short"),
        pytest.param((FloorDiv(u, 6), Mod(FloorDiv(u, 3), 2), Mod(u, 3)), (5, 3, 4), 24, id="longer axes"),
        pytest.param((Mod(FloorDiv(u, 3), 2), Mod(u, 3)), (2, 3), 6, id="the top one by remainder"),
        pytest.param((Mod(FloorDiv(u, 3), 2), Mod(u, 3)), (2, 3), 18, id="without the top one"),
        pytest.param((FloorDiv(u, 6), Mod(u, 3)), (4, 3), 24, id="without the middle one"),
        pytest.param((FloorDiv(u, 6), Mod(FloorDiv(u, 3), 2)), (4, 2), 24, id="without the lowest"),
        pytest.param((Mod(u, 3), FloorDiv(u, 3), Mod(u, 3)), (3, 4, 3), 12, id="one twice"),
        pytest.param((u, Mod(u, 3)), (7, 3), 7, id="with the element itself"),
    ],
)
def test_they_are_what_a_search_finds(read: tuple[Expr, ...], shape: tuple[int, ...], extent: int) -> None:
    axes = (i, j, k)[: len(read)]
    found = digits(*read, shape=tuple(map(sympy.Integer, shape)), extent=sympy.Integer(extent))
    places = [tuple(number(e, {u: element}) for e in read) for element in range(extent)]
    expected = {
        (*place, element)
        for element, place in enumerate(places)
        if all(at < size for at, size in zip(place, shape, strict=True))
    }
    assert pairs(found, axes, shape) == expected
