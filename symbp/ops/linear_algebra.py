"""Functions of whole matrices: inverse, solution of linear equations, determinant, Cholesky factor, trace.

Enters: tensors whose last two axes are a square matrix; further leading axes are a batch.
Leaves: tensors. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symbp.errors import ShapeError
from symbp.ir.expr import Expr
from symbp.ir.shapes import Witness
from symbp.language.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula, index, indices
from symbp.language.sizes import value_of
from symbp.language.tensor import Tensor, axes, matmul
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
    """The determinant. Its gradient goes through the inverse: of a singular matrix it is not a number, and a
    training step is refused with the equation that failed."""
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
    square = [Witness(a.shape[axis], f"axis {axis} of {display(a)}") for axis in (-2, -1)]
    return Tensor.defined(
        [*batch, *result],
        a.at(*batch, k, column),
        leaf,
        [k, column],
        rule=rule,
        joined=((square[0], square[1]),),
        hint=hint,
        kept=True,
    )


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
