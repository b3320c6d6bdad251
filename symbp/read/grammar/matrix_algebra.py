"""Matrices, vectors and numbers whose shapes are as strict as on a blackboard, and what is done with them.

Enters: values. Leaves: values, or FormulaError for shapes that don't fit. Must not know: text, trees, names.

Each side of a value is one element (of a vector, or a number), a number of elements, or as many as fit beside
𝟏: matrices are added only to matrices of their shape, and a product needs equal lengths where it sums, so
that a transpose too few has no value. A number stands for itself at each element.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from symbp.errors import FormulaError
from symbp.read.grammar.values import FUNCTIONS

Side = Literal["one", "all", "any"]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Value:
    """An array with two axes, and what its sides are. A matrix that is as large as fits, such as I, is made
    by `square` for a number of rows, and has no array."""

    array: Array
    rows: Side = "one"
    columns: Side = "one"
    square: Callable[[int], Array] | None = None

    @property
    def is_number(self) -> bool:
        return self.rows == self.columns == "one"

    @property
    def is_vector(self) -> bool:
        return self.columns == "one" and not self.is_number

    @property
    def turned(self) -> Value:
        made = self.square
        square = None if made is None else lambda n: made(n).T
        return Value(self.array.T, self.columns, self.rows, square)

    def sized(self, rows: int) -> Value:
        """The matrix with that many rows, if it is as large as fits."""
        return self if self.square is None else Value(self.square(rows), "all", "all")


# --- shapes
def laid(value: Value, shape: tuple[int, ...]) -> Array:
    """The value as an array of a shape: a number, and what fits beside 𝟏, at each element."""
    if len(shape) == 4:
        value, rows = full(value), shape[0] * shape[1]
        if value.array.shape != (rows, shape[2] * shape[3]):
            raise FormulaError(f"a matrix of the shape {value.array.shape} for a tensor of the shape {shape}")
        return value.array.reshape(shape)
    if len(shape) > 2:
        raise FormulaError("a tensor with more than two axes is defined as a matrix")
    if value.square is not None and len(shape) == 2:
        value = value.sized(shape[0])
    if value.is_number:
        return np.broadcast_to(value.array[0, 0], shape)
    sides = [value.rows, value.columns][: len(shape)]
    if not shape or (len(shape) == 1 and value.columns != "one") or "one" in sides:
        raise FormulaError(f"a value of the shape {value.array.shape} for elements of the shape {shape}")
    for side, length, given in zip(sides, shape, value.array.shape, strict=False):
        if side == "all" and length != given:
            raise FormulaError(f"{given} elements where there are {length}")
    return np.broadcast_to(value.array.reshape(value.array.shape[: len(shape)]), shape)


def full(value: Value) -> Value:
    if value.rows != "all" or value.columns != "all" or value.square is not None:
        raise FormulaError("nothing says how large a matrix is")
    return value


# --- what two values make
def _paired(a: Side, b: Side, one: int, other: int) -> Side:
    if (a == "one") != (b == "one"):
        raise FormulaError("a vector stands beside a matrix, or a row beside a column")
    if a == b == "all" and one != other:
        raise FormulaError(f"{one} elements stand beside {other}")
    return "all" if "all" in (a, b) else a


def elementwise(function: Callable[[Any, Any], Any], a: Value, b: Value) -> Value:
    """A function of elements at the same place; a number stands at each."""
    if a.square is not None or b.square is not None:
        return _of_squares(function, a, b)
    if a.is_number or b.is_number:
        shape = b if a.is_number else a
        return Value(function(a.array, b.array), shape.rows, shape.columns)
    rows = _paired(a.rows, b.rows, len(a.array), len(b.array))
    columns = _paired(a.columns, b.columns, a.array.shape[1], b.array.shape[1])
    return Value(function(a.array, b.array), rows, columns)


def _of_squares(function: Callable[[Any, Any], Any], a: Value, b: Value) -> Value:
    """A function of elements where one matrix at least is as large as fits."""
    known = set[int]()
    for beside in (a, b):
        if beside.square is None and not beside.is_number:
            sides = zip((beside.rows, beside.columns), beside.array.shape, strict=True)
            known |= {-1 if side == "one" else count for side, count in sides if side != "any"}
    if len(known) > 1 or -1 in known:
        raise FormulaError("a matrix that is square stands beside what isn't")
    if known:
        (rows,) = known
        return elementwise(function, a.sized(rows), b.sized(rows))
    return square(lambda n: np.broadcast_to(function(a.sized(n).array, b.sized(n).array), (n, n)))


def square(made: Callable[[int], Array]) -> Value:
    return Value(np.ones((1, 1)), "all", "all", made)


def _times(a: Value, b: Value) -> Value:
    """The product of matrices, vectors and numbers."""
    if a.is_number or b.is_number:
        return elementwise(np.multiply, a, b)
    if a.square is not None and b.square is not None:
        return square(lambda n: a.sized(n).array @ b.sized(n).array)
    if (a.square is not None and b.rows == "any") or (b.square is not None and a.columns == "any"):
        raise FormulaError("nothing says how many elements are summed over")
    a, b = a.sized(b.array.shape[0]), b.sized(a.array.shape[1])
    if (a.columns == "one") != (b.rows == "one"):
        raise FormulaError("a vector is multiplied from the wrong side: a transpose is missing")
    left, right = a.array, b.array
    if a.columns == b.rows == "any":
        raise FormulaError("nothing says how many elements are summed over")
    if a.columns == "any":
        left = np.broadcast_to(left, (left.shape[0], right.shape[0]))
    if b.rows == "any":
        right = np.broadcast_to(right, (left.shape[1], right.shape[1]))
    if left.shape[1] != right.shape[0]:
        raise FormulaError(f"{left.shape[1]} columns are multiplied with {right.shape[0]} rows")
    return Value(left @ right, a.rows, b.columns)


def _divided(a: Value, b: Value) -> Value:
    if not b.is_number:
        raise FormulaError("only a number divides with /")
    return elementwise(np.divide, a, b)


def _correlated(a: Value, b: Value) -> Value:
    """Σ a[w + l]·b[l], where b fits."""
    if (a.rows, a.columns) != (b.rows, b.columns) or "any" in (a.rows, a.columns):
        raise FormulaError("an image is correlated with a kernel of as many axes")
    if any(n < k for n, k in zip(a.array.shape, b.array.shape, strict=True)):
        raise FormulaError("the kernel is larger than the image")
    windows = np.lib.stride_tricks.sliding_window_view(a.array, b.array.shape)
    return Value(np.einsum("walm,lm->wa", windows, b.array), a.rows, a.columns)


def _kronecker(a: Value, b: Value) -> Value:
    return Value(np.asarray(np.kron(full(a).array, full(b).array), float), "all", "all")


OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "·": _times, "*": _times, "@": _times, "/": _divided, "⋆": _correlated, "⊗": _kronecker,
    "⊙": lambda a, b: elementwise(np.multiply, a, b), "⊘": lambda a, b: elementwise(np.divide, a, b),
    "//": lambda a, b: elementwise(np.floor_divide, a, b), "%": lambda a, b: elementwise(np.mod, a, b),
}  # fmt: skip
COMPARED = {
    "=": np.equal, "≠": np.not_equal, "<": np.less, "≤": np.less_equal, ">": np.greater,
    "≥": np.greater_equal,
}  # fmt: skip


# --- functions of matrices
def _log_of_sum(rows: Array) -> Array:
    most = np.asarray(rows.max(axis=1, keepdims=True))
    return np.asarray(most + np.log(np.exp(rows - most).sum(axis=1, keepdims=True)))


REDUCED: dict[str, Callable[[Array], Any]] = {
    "max": lambda rows: rows.max(axis=1, keepdims=True),
    "argmax": lambda rows: rows.argmax(axis=1)[:, None].astype(float),
    "sum": lambda rows: rows.sum(axis=1, keepdims=True),
    "mean": lambda rows: rows.mean(axis=1, keepdims=True),
    "logsumexp": _log_of_sum,
}


def _reduced(op: str, value: Value) -> Value:
    """A number for each row, of a vector one number."""
    if value.is_vector:
        value = value.turned
    if value.columns != "all":
        raise FormulaError("nothing says how many elements a row has")
    return Value(np.asarray(REDUCED[op](value.array)), value.rows, "one")


def _of_rows(op: str) -> Callable[[Value], Value]:
    def found(value: Value) -> Value:
        if value.columns == "one":
            raise FormulaError("a vector has no rows")
        return _reduced(op, value)

    return found


def _of_columns(op: str) -> Callable[[Value], Value]:
    return lambda value: _of_rows(op)(value.turned)


def _soft(value: Value, logarithm: bool) -> Value:
    rows = value.turned if value.is_vector else value
    found = rows.array - _log_of_sum(rows.array)
    soft = Value(found if logarithm else np.exp(found), rows.rows, rows.columns)
    return soft.turned if value.is_vector else soft


def _diagonal(value: Value) -> Value:
    if value.is_vector and value.rows == "all":
        return Value(np.diagflat(value.array), "all", "all")
    return Value(np.diag(full(value).array)[:, None], "all", "one")


def _triangle(lower: bool) -> Callable[..., Value]:
    def found(value: Value, fill: Value | None = None) -> Value:
        other = 0.0 if fill is None else fill.array[0, 0]

        def cut(matrix: Array) -> Array:
            rows, columns = matrix.shape
            below = np.tri(rows, columns, 0 if lower else -1, dtype=bool)
            return np.where(below if lower else ~below, matrix, other)

        if value.rows == value.columns == "any":  # of 𝟏·𝟏ᵀ
            return square(lambda n: cut(np.broadcast_to(value.array, (n, n))))
        return replace(full(value), array=cut(value.array))

    return found


def _of_axes(value: Value, numbers: Sequence[Value], none: int) -> list[int]:
    """A number for each axis, of which one may be said for all; `none` for the second one of a vector."""
    found = [round(float(number.array[0, 0])) for number in numbers]
    axes = 1 if value.is_vector else 2
    found = (found * 2)[:axes] if len(found) == 1 else found
    if len(found) != axes:
        raise FormulaError("a number for each axis is needed, or one for all")
    return found + [none] * (2 - axes)


def _strided(value: Value, *steps: Value) -> Value:
    rows, columns = _of_axes(value, steps, 1)
    if min(rows, columns) < 1:
        raise FormulaError("a step is 1 or more")
    return replace(value, array=value.array[::rows, ::columns])


def _padded(value: Value, *by: Value) -> Value:
    numbers = _of_axes(value, by, 0)
    found = np.pad(value.array, [(max(n, 0),) * 2 for n in numbers])
    return replace(value, array=found[tuple(slice(-n, n) if n < 0 else slice(None) for n in numbers)])


def _pooled(value: Value, *window: Value) -> Value:
    step = _of_axes(value, window, 1)
    if min(step) < 1:
        raise FormulaError("a window has elements")
    rows, columns = (n // k for n, k in zip(value.array.shape, step, strict=True))
    cut = value.array[: rows * step[0], : columns * step[1]]
    return replace(value, array=cut.reshape(rows, step[0], columns, step[1]).max(axis=(1, 3)))


def _of_matrix(function: Callable[[Array], Any], rank: int) -> Callable[[Value], Value]:
    def found(value: Value) -> Value:
        result = np.asarray(function(full(value).array), dtype=float)
        return Value(result, "all", "all") if rank else Value(result.reshape(1, 1))

    return found


MATRIX_FUNCTIONS: dict[str, Callable[..., Value]] = {
    **{f"row{op}": _of_rows(op) for op in REDUCED},
    **{f"col{op}": _of_columns(op) for op in REDUCED}, "max": lambda v: _reduced("max", v),
    "argmax": lambda v: _reduced("argmax", v), "sum": lambda v: _reduced("sum", v),
    "mean": lambda v: _reduced("mean", v), "logsumexp": lambda v: _reduced("logsumexp", v),
    "softmax": lambda v: _soft(v, False), "log_softmax": lambda v: _soft(v, True), "diag": _diagonal,
    "tril": _triangle(True), "triu": _triangle(False), "pad": _padded, "stride": _strided, "maxpool": _pooled,
    "rot180": lambda v: replace(v, array=v.array[::-1, ::-1]), "tr": _of_matrix(np.trace, 0),
    "norm": lambda v: Value(np.sqrt(np.sum((v if v.is_vector else full(v)).array ** 2)).reshape(1, 1)),
    "eigenvalues": lambda v: of_array(np.linalg.eigvalsh((full(v).array + full(v).array.T) / 2)),
    "det": _of_matrix(np.linalg.det, 0), "logdet": _of_matrix(lambda a: np.linalg.slogdet(a)[1], 0),
    "cholesky": _of_matrix(lambda a: np.linalg.cholesky((a + a.T) / 2), 2),
    "cofactors": _of_matrix(lambda a: np.linalg.det(a) * np.linalg.inv(a).T, 2),
}  # fmt: skip


SEVERAL = ("tril", "triu", "pad", "maxpool", "stride")  # what else may be given, behind a comma


# --- making values
def of_each(function: str, array: Array) -> Array:
    """A function of each element, nan where it has no value."""

    def found(element: float) -> float:
        try:
            return float(FUNCTIONS[function](element))
        except (ValueError, OverflowError):
            return math.nan

    return np.asarray(np.vectorize(found, otypes=[float])(array))


def number(value: float) -> Value:
    return Value(np.full((1, 1), float(value)))


def of_array(array: NDArray[Any]) -> Value:
    if array.ndim > 2:
        raise FormulaError("a tensor with more than two axes is no matrix: it needs subscripts")
    columns = np.asarray(array, dtype=float).reshape(array.shape + (1,) * (2 - array.ndim))
    return Value(columns, "all" if array.ndim else "one", "all" if array.ndim == 2 else "one")
