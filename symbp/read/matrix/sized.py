"""Whether a reader can tell how long everything in a matrix expression is.

Enters: a tree. Leaves: yes or no. Must not know: how a tree is found, printed or evaluated.

𝟏 and I are as long as fits beside them. Where nothing beside them has a length, as in 𝟏ᵀ·tril(𝟏·𝟏ᵀ)·𝟏, an
expression says nothing, and an equation has no matrix form.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from symbp.read.matrix.tree import (
    Bracket,
    Diagonal,
    DiagonalOf,
    Elementwise,
    Hadamard,
    Identity,
    Kronecker,
    Named,
    Node,
    Number,
    OfMatrix,
    OfRows,
    Ones,
    Power,
    Product,
    Rowwise,
    Scale,
    SquaredNorm,
    Summed,
    Total,
    Trace,
    Transpose,
    Triangle,
    Whole,
)

Side = Literal["one", "all", "any", "square"]  # "square": any, but as many as on the other side
Sides = tuple[Side, Side]
SQUARE: Sides = ("square", "square")
SCALAR: Sides = ("one", "one")
MATRIX: Sides = ("all", "all")
VECTOR: Sides = ("all", "one")


class _Unsized(Exception):
    """Nothing says how long something is, or things beside each other don't fit."""


def is_sized(node: Node) -> bool:
    """Whether all lengths that are summed over, or that a function needs, are known; and shapes fit."""
    try:
        _sides(node)
    except _Unsized:
        return False
    return True


def _sides(node: Node) -> Sides:
    match node:
        case Number():
            return SCALAR
        case Ones():
            return "any", "one"
        case Identity(sized=False):
            return SQUARE
        case Transpose(inner):
            rows, columns = _sides(inner)
            return columns, rows
        case Product(factors):
            return _product(factors)
        case Scale(over, under, body):
            parts = (*over, *under, *([] if body is None else [body]))
            return _together(map(_sides, parts))
        case Hadamard(over, under):
            return _together(map(_sides, (*over, *under)))
        case Total(terms):
            return _together(_sides(term) for _, term in terms)
        case Bracket(_, left, right) | Whole(_, left, right):
            return _together((_sides(left), _sides(right)))
        case Summed(_, inner) | Elementwise(_, inner) | Power(inner, _):
            return _sides(inner)
        case _:
            return _of_function(node)


def _of_function(node: Node) -> Sides:
    """What needs to know how long its argument is; and tensors."""
    match node:
        case Diagonal(vector):
            _needed(_sides(vector))
            return MATRIX
        case Triangle(inner):
            sides = _sides(inner)
            return SQUARE if sides in (SQUARE, ("any", "any")) else _needed(sides)
        case OfRows(_, inner) | Rowwise(_, inner):
            rows, columns = _sides(inner)
            _needed((rows, "all") if columns == "one" else ("all", columns))
            if isinstance(node, Rowwise):
                return rows, columns
            return SCALAR if columns == "one" else (rows, "one")
        case DiagonalOf(matrix) | Trace(matrix) | OfMatrix(_, matrix) | SquaredNorm(matrix):
            _needed(_sides(matrix))
        case Kronecker(left, right):
            _needed(_sides(left))
            _needed(_sides(right))
        case Named(outside=outside) if outside is not None:
            _sides(outside)
        case _:
            pass
    return {0: SCALAR, 1: VECTOR}.get(node.rank, MATRIX)


def _needed(sides: Sides) -> Sides:
    if "any" in sides or "square" in sides:
        raise _Unsized
    return sides


def _together(several: Iterable[Sides]) -> Sides:
    """Elements at the same place; a number stands at each."""
    found = SCALAR
    for sides in several:
        if found == SCALAR or sides == SCALAR:
            found = sides if found == SCALAR else found
            continue
        if SQUARE in (found, sides):
            other = sides if found == SQUARE else found
            if "one" in other:
                raise _Unsized
            found = MATRIX if "all" in other else SQUARE
            continue
        if any((a == "one") != (b == "one") for a, b in zip(found, sides, strict=True)):
            raise _Unsized
        rows, columns = ("all" if "all" in pair else pair[0] for pair in zip(found, sides, strict=True))
        found = rows, columns
    return found


def _product(factors: Iterable[Node]) -> Sides:
    found = SCALAR
    for factor in factors:
        sides = _sides(factor)
        if found == SCALAR or sides == SCALAR:
            found = sides if found == SCALAR else found
            continue
        between = {found[1], sides[0]}
        if between in ({"any"}, {"any", "square"}) or (found[1] == "one") != (sides[0] == "one"):
            raise _Unsized
        found = (
            sides if found == SQUARE else found if sides == SQUARE else (found[0], sides[1])
        )  # what is as large as fits has the size of what stands beside it
    return found
