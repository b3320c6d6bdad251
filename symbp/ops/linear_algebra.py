"""Functions of whole matrices: inverse, solution of linear equations, determinant, Cholesky factor, trace,
eigenvalues, singular values.

Enters: tensors whose last two axes are a matrix, a square one but for singular values; further leading axes
are a batch. Leaves: tensors. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symbp.errors import ShapeError
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Expr
from symbp.ir.shapes import Witness
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula, index, indices
from symbp.language.sizes import value_of
from symbp.language.tensor import Tensor, matmul
from symbp.ops.registry import example, op

FAMILY = "linear algebra"


@op(FAMILY, example("N N"), example("B N N"))
def inverse(a: Tensor) -> Tensor:
    """A⁻¹, so that A⁻¹·A = 1."""
    return _leaf(a, "inverse", True, "inverse", Hint("V"))


@op(
    FAMILY,
    example("N N", "N K"),
    example("N N", "N"),
    example("B N N", "B N K"),
    example("B N N", "B N"),
)
def solve(a: Tensor, b: Tensor) -> Tensor:
    """A⁻¹·B, the X with A·X = B; B is a vector (N) or a matrix (N, K), after A's batch axes: as in PyTorch, a
    stack of vectors if its shape is A's without the last axis. Generated code solves for X, in order if A is
    triangular (a Cholesky factor, or stated), and makes no inverse unless its elements are needed."""
    inverted = inverse(a)
    if isinstance(b, Tensor) and a.rank > 2 and _alike(b.shape, a.shape[:-1]):
        (batch, (i, j)) = axes(a.rank - 2), indices("i j")
        body = Sum(inverted.at(*batch, i, j) * b.at(*batch, j), j)
        return formula([*batch, i], body, rule="solution", hint=Hint("x"), kept=True)
    return matmul(inverted, b)


@op(FAMILY, example("N N"), example("B N N"))
def det(a: Tensor) -> Tensor:
    """The determinant. Its gradient are the cofactors, of a singular matrix, too; second derivatives need an
    inverse, and where there is none they are not numbers."""
    return _leaf(a, "det", False, "determinant", Hint("det", "bare"))


@op(FAMILY, example("N N"), example("B N N"))
def logdet(a: Tensor) -> Tensor:
    """log |det A|."""
    return _leaf(a, "logdet", False, "log-determinant", Hint("logdet", "bare"))


@op(FAMILY, example("N N: positive definite"), example("B N N: positive definite"))
def cholesky(a: Tensor) -> Tensor:
    """The lower triangular L with L·Lᵀ = (A + Aᵀ)/2, which must be positive definite."""
    return _leaf(a, "cholesky", True, "Cholesky factor", Hint("L"))


@op(FAMILY, example("N N"), example("B N N"))
def eigvalsh(a: Tensor) -> Tensor:
    """The eigenvalues of the symmetric matrix (A + Aᵀ)/2, from the smallest.

    Where some coincide, derivatives are those of functions that don't tell them apart (a sum of f over all of
    them, a penalty of the largest two); of others, such as the smallest alone, they are one of many. Second
    derivatives are refused.
    """
    batch = _batch(a, "spectrum")
    k, column = indices("k l")
    return Tensor.defined(
        [*batch, index("r", a.shape[-1])],
        a.at(*batch, k, column),
        "eigenvalues",
        [k, column],
        rule="eigenvalues",
        joined=(_square(a),),
        hint=Hint("lam"),
        kept=True,
    )


@op(FAMILY, example("5 3"), example("3 5"), example("B N N"), example("2*N N"))
def svdvals(a: Tensor, tall: bool | None = None) -> Tensor:
    """The singular values of A, from the largest: as many as A has columns if `tall`, else as it has rows.
    Zeros stand behind the last one if that is more than there are. Where it isn't said, the smaller number is
    taken.

    Where some coincide, derivatives are those of functions that don't tell them apart, such as a sum of f
    over all of them (the nuclear norm, penalties of a spectrum); a singular value 0 has the derivative of a
    norm along some direction. Second derivatives are refused. Raises ShapeError: nothing says which of two
    sizes is smaller.
    """
    batch = _batch(a, "spectrum")
    rows, columns = a.shape[-2:]
    if tall is None:
        tall = _is_tall(a)
    k, column = indices("k l")
    return Tensor.defined(
        [*batch, index("r", columns if tall else rows)],
        a.at(*batch, k, column),
        "singular_values",
        [k, column],
        rule="singular values",
        hint=Hint("sigma"),
        kept=True,
    )


def _is_tall(a: Tensor) -> bool:
    """Whether a matrix has at least as many rows as columns. Raises ShapeError: nothing says so."""
    rows, columns = a.shape[-2:]
    counts = value_of(rows), value_of(columns)
    if counts[0] is not None and counts[1] is not None:
        return counts[0] >= counts[1]
    if never_negative(rows - columns, {}):
        return True
    if never_negative(columns - rows, {}):
        return False
    raise ShapeError(
        f"{display(a)} has the smaller of {rows} and {columns} singular values, and nothing says which",
        where=here(),
        help=f"bp.svdvals({display(a)}, tall=True) for {columns} of them, tall=False for {rows}",
    )


@op(FAMILY, example("N N"), example("B N N"))
def trace(a: Tensor) -> Tensor:
    """Σ_i a[i,i]."""
    batch = _batch(a, "trace")
    (i,) = indices("i")
    return formula(batch, Sum(a.at(*batch, i, i), i), rule="trace", hint=Hint("tr", "bare"))


def _alike(one: Sequence[Expr], other: Sequence[Expr]) -> bool:
    """Whether two shapes are known to be the same, as sizes or as numbers."""
    return len(one) == len(other) and all(
        sympy.expand(x - y) == 0 or (value_of(x) is not None and value_of(x) == value_of(y))
        for x, y in zip(one, other, strict=True)
    )


def _leaf(a: Tensor, leaf: Any, gives_matrix: bool, rule: str, hint: Hint) -> Tensor:
    batch = _batch(a, rule)
    k, column = indices("k l")
    result = [index("r", a.shape[-2]), index("s", a.shape[-1])] if gives_matrix else []
    return Tensor.defined(
        [*batch, *result],
        a.at(*batch, k, column),
        leaf,
        [k, column],
        rule=rule,
        joined=(_square(a),),
        hint=hint,
        kept=True,
    )


def _square(a: Tensor) -> tuple[Witness, Witness]:
    """Why both sides of a matrix are equal."""
    first, second = (Witness(a.shape[axis], f"axis {axis} of {display(a)}") for axis in (-2, -1))
    return first, second


def _batch(a: Tensor, rule: str) -> list[Any]:
    """Indices for the leading axes. Raises ShapeError: no matrix."""
    if not isinstance(a, Tensor) or a.rank < 2:
        raise ShapeError(
            f"the {rule} is that of a matrix, but {display(a) if isinstance(a, Tensor) else repr(a)} is none",
            where=here(),
            details=(f"shape: ({', '.join(map(str, a.shape))})",) if isinstance(a, Tensor) else (),
            help="the last two axes must be the rows and the columns",
        )
    return axes(a.rank - 2)
