"""The leaves: functions of a whole matrix, or of a whole vector, that no scalar body can express.

Enters: a matrix or vector of elements of any domain, or arrays of them. Leaves: its inverse, determinant,
cofactors, logarithm of |determinant|, Cholesky factor, eigenvalues or singular values with their vectors; the
order of a vector. Must not know: systems, derivatives (their adjoints:
`symbp.derive.sweep.matrix_adjoints`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from symbp.ir.evaluation.domains import Domain, Value
from symbp.ir.matrices import elimination, spectra
from symbp.ir.matrices.elimination import SINGULAR, Array

__all__ = ["MATRIX_LEAVES", "SINGULAR", "MatrixLeaf", "fitted"]


@dataclass(frozen=True)
class MatrixLeaf:
    """One function of a matrix, or of a vector (`axes` = 1). `exact` takes m × n elements of a domain,
    `arrays` an array (…, m, n) of floats or complex numbers. `result` names the axes of what both give: as
    long as a "row" index of the matrix runs, or a "column", or one "value" after the other, as many as there
    are. `square`: m = n; `integer`: what it gives are places, decided by the values' order."""

    result: tuple[Literal["row", "column", "value"], ...]
    exact: Callable[[Domain, Any], Any]
    arrays: Callable[[Array], Array]
    square: bool = True
    axes: int = 2
    integer: bool = False


def fitted(value: Array, count: int) -> Array:
    """As many singular values, or vectors, as are asked for: zeros behind the last one there is."""
    missing = count - value.shape[-1]
    if missing > 0:
        return np.pad(value, [(0, 0)] * (value.ndim - 1) + [(0, missing)])
    return np.asarray(value[..., :count])


def _order(domain: Domain, elements: Sequence[Value]) -> list[int]:
    """The places of the elements from the smallest, equal ones as they stand."""
    return sorted(range(len(elements)), key=lambda k: domain.order(elements[k]))


MATRIX_LEAVES: Mapping[str, MatrixLeaf] = {
    "inverse": MatrixLeaf(("row", "column"), elimination.inverse, elimination.inverse_arrays),
    "det": MatrixLeaf((), elimination.det, lambda a: np.asarray(np.linalg.det(a))),
    "cofactors": MatrixLeaf(("row", "column"), elimination.cofactors, elimination.cofactors_arrays),
    "logdet": MatrixLeaf((), elimination.logdet, elimination.logdet_arrays),
    "cholesky": MatrixLeaf(("row", "column"), elimination.cholesky, elimination.cholesky_arrays),
    "eigenvalues": MatrixLeaf(("row",), spectra.eigenvalues, lambda a: spectra.eigen_arrays(a)[0]),
    "eigenvectors": MatrixLeaf(("row", "column"), spectra.eigenvectors, lambda a: spectra.eigen_arrays(a)[1]),
    "singular_values": MatrixLeaf(
        ("value",), spectra.singular_values, lambda a: spectra.singular_arrays(a)[1], False
    ),
    "argsort": MatrixLeaf(
        ("row",), _order, lambda a: np.argsort(a.real, -1, kind="stable"), False, axes=1, integer=True
    ),
    "left_vectors": MatrixLeaf(
        ("row", "value"), spectra.left_vectors, lambda a: spectra.singular_arrays(a)[0], False
    ),
    "right_vectors": MatrixLeaf(
        ("column", "value"), spectra.right_vectors, lambda a: spectra.singular_arrays(a)[2], False
    ),
}
"""Every leaf by its name, which is also the `op` of its `Reduction`."""
