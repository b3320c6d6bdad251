"""The value of a printed equation in matrix notation at given arrays.

Enters: the tree of an equation, arrays by name, what a page says of indices, axes and labels. Leaves: an
array. Must not know: where an equation comes from, or how its value is computed elsewhere.

Shapes are as strict as on a blackboard. Each side of a value is one element (of a vector, or a number), a
number of elements, or as many as fit beside 𝟏: matrices are added only to matrices of their shape, and a
product needs equal lengths where it sums, so that a transpose too few has no value. A number stands for
itself at each element. Where a bracket is 0, what it multiplies isn't looked at; beyond the range of a
subscript is what stands behind `|`, else 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbp.errors import FormulaError
from symbp.read.grammar.axes import Subscript, standing
from symbp.read.grammar.syntax import (
    Bracket,
    Call,
    MatrixEquation,
    Name,
    Number,
    Ones,
    Power,
    Product,
    Read,
    Reduction,
    Subscripted,
    Total,
    Transpose,
    Tree,
)
from symbp.read.grammar.values import CONSTANTS, FUNCTIONS

Side = Literal["one", "all", "any"]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    """What a page says: `sizes`; of each of the `indices` its length, as text and as a number; the lengths of
    the axes of tensors, as text, in `shapes`; what labels are below, as text and as a number, in `bounds`."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    indices: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    shapes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bounds: Mapping[str, tuple[str, int]] = field(default_factory=dict)


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


def evaluate_matrix(equation: MatrixEquation, arrays: Mapping[str, ArrayLike], facts: Facts) -> Array:
    """The array that the equation defines, nan where it defines nothing: a subscript may be a number.

    Raises FormulaError: shapes that don't fit, a name without a value, a function that isn't evaluated.
    """
    values = _Values({name: np.asarray(array) for name, array in arrays.items()}, facts)
    left = equation.left
    name = left.name if isinstance(left, Name) else left.tensor.name
    if name not in values.arrays:
        raise FormulaError(f"nothing says which shape {name} has")
    found = np.full(values.arrays[name].shape, math.nan)
    with np.errstate(all="ignore"):
        if isinstance(left, Name):
            found[...] = _laid(values.value(equation.body), found.shape)
            return found
        for at in values.everywhere(left):
            values.at = at
            place = values.place(left)
            part = found[tuple(slice(None) if k is None else k for k in place)]
            found[tuple(slice(None) if k is None else k for k in place)] = _laid(
                values.value(equation.body), np.shape(part)
            )
    return found


def _laid(value: Value, shape: tuple[int, ...]) -> Array:
    """The value as an array of a shape: a number, and what fits beside 𝟏, at each element."""
    if len(shape) == 4:
        value, rows = _full(value), shape[0] * shape[1]
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


def _full(value: Value) -> Value:
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


def _elementwise(function: Callable[[Any, Any], Any], a: Value, b: Value) -> Value:
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
    for beside in (a, b):
        if beside.square is None and not beside.is_number:
            if beside.array.shape[0] != beside.array.shape[1]:
                raise FormulaError("a matrix that is square stands beside what isn't")
            rows = len(_full(beside).array)
            return _elementwise(function, a.sized(rows), b.sized(rows))
    return _square(lambda n: np.asarray(function(a.sized(n).array, b.sized(n).array)))


def _square(made: Callable[[int], Array]) -> Value:
    return Value(np.ones((1, 1)), "all", "all", made)


def _times(a: Value, b: Value) -> Value:
    """The product of matrices, vectors and numbers."""
    if a.is_number or b.is_number:
        return _elementwise(np.multiply, a, b)
    if a.square is not None and b.square is not None:
        return _square(lambda n: a.sized(n).array @ b.sized(n).array)
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
    return _elementwise(np.divide, a, b)


def _correlated(a: Value, b: Value) -> Value:
    """Σ a[w + l]·b[l], where b fits."""
    if (a.rows, a.columns) != (b.rows, b.columns) or "any" in (a.rows, a.columns):
        raise FormulaError("an image is correlated with a kernel of as many axes")
    if any(n < k for n, k in zip(a.array.shape, b.array.shape, strict=True)):
        raise FormulaError("the kernel is larger than the image")
    windows = np.lib.stride_tricks.sliding_window_view(a.array, b.array.shape)
    return Value(np.einsum("walm,lm->wa", windows, b.array), a.rows, a.columns)


def _kronecker(a: Value, b: Value) -> Value:
    return Value(np.kron(_full(a).array, _full(b).array), "all", "all")


OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "·": _times, "*": _times, "@": _times, "/": _divided, "⋆": _correlated, "⊗": _kronecker,
    "⊙": lambda a, b: _elementwise(np.multiply, a, b), "⊘": lambda a, b: _elementwise(np.divide, a, b),
    "//": lambda a, b: _elementwise(np.floor_divide, a, b), "%": lambda a, b: _elementwise(np.mod, a, b),
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


def _soft(value: Value, logarithm: bool) -> Value:
    rows = value.turned if value.is_vector else value
    found = rows.array - _log_of_sum(rows.array)
    soft = Value(found if logarithm else np.exp(found), rows.rows, rows.columns)
    return soft.turned if value.is_vector else soft


def _diagonal(value: Value) -> Value:
    if value.is_vector and value.rows == "all":
        return Value(np.diagflat(value.array), "all", "all")
    return Value(np.diag(_full(value).array)[:, None], "all", "one")


def _triangle(lower: bool) -> Callable[..., Value]:
    def found(value: Value, fill: Value | None = None) -> Value:
        other = 0.0 if fill is None else fill.array[0, 0]

        def cut(matrix: Array) -> Array:
            below = np.tri(*matrix.shape, 0 if lower else -1, dtype=bool)
            return np.where(below if lower else ~below, matrix, other)

        if value.rows == value.columns == "any":  # of 𝟏·𝟏ᵀ
            return _square(lambda n: cut(np.broadcast_to(value.array, (n, n))))
        return replace(_full(value), array=cut(value.array))

    return found


def _padded(value: Value, *by: Value) -> Value:
    numbers = [round(float(b.array[0, 0])) for b in by]
    axes = 1 if value.is_vector else 2
    numbers = (numbers * 2)[:axes] if len(numbers) == 1 else numbers
    if len(numbers) != axes:
        raise FormulaError("a number of zeros for each axis, or one for all")
    numbers += [0] * (2 - axes)
    found = np.pad(value.array, [(max(n, 0),) * 2 for n in numbers])
    return replace(value, array=found[tuple(slice(-n, n) if n < 0 else slice(None) for n in numbers)])


def _pooled(value: Value, *window: Value) -> Value:
    step = [round(float(w.array[0, 0])) for w in window]
    axes = 1 if value.is_vector else 2
    step = [*((step * 2)[:axes] if len(step) == 1 else step), *([1] * (2 - axes))]
    rows, columns = (n // k for n, k in zip(value.array.shape, step, strict=True))
    cut = value.array[: rows * step[0], : columns * step[1]]
    return replace(value, array=cut.reshape(rows, step[0], columns, step[1]).max(axis=(1, 3)))


def _of_matrix(function: Callable[[Array], Any], rank: int) -> Callable[[Value], Value]:
    def found(value: Value) -> Value:
        result = np.asarray(function(_full(value).array), dtype=float)
        return Value(result, "all", "all") if rank else Value(result.reshape(1, 1))

    return found


MATRIX_FUNCTIONS: dict[str, Callable[..., Value]] = {
    **{f"row{op}": _of_rows(op) for op in REDUCED}, "max": lambda v: _reduced("max", v),
    "argmax": lambda v: _reduced("argmax", v), "sum": lambda v: _reduced("sum", v),
    "mean": lambda v: _reduced("mean", v), "logsumexp": lambda v: _reduced("logsumexp", v),
    "softmax": lambda v: _soft(v, False), "log_softmax": lambda v: _soft(v, True), "diag": _diagonal,
    "tril": _triangle(True), "triu": _triangle(False), "pad": _padded, "maxpool": _pooled,
    "rot180": lambda v: replace(v, array=v.array[::-1, ::-1]), "tr": _of_matrix(np.trace, 0),
    "norm": lambda v: Value(np.sqrt(np.sum(v.array**2)).reshape(1, 1)),
    "det": _of_matrix(np.linalg.det, 0), "logdet": _of_matrix(lambda a: np.linalg.slogdet(a)[1], 0),
    "cholesky": _of_matrix(lambda a: np.linalg.cholesky((a + a.T) / 2), 2),
    "cofactors": _of_matrix(lambda a: np.linalg.det(a) * np.linalg.inv(a).T, 2),
}  # fmt: skip


# --- trees
class _Values:
    def __init__(self, arrays: Mapping[str, NDArray[Any]], facts: Facts) -> None:
        self.arrays, self.facts = arrays, facts
        self.at: dict[str, int] = {}

    def everywhere(self, left: Subscripted) -> Iterator[dict[str, int]]:
        """All values of the indices on the left."""
        names = [s.name for s in left.subscripts if isinstance(s, Name) and s.name in self.facts.indices]
        for place in itertools.product(*(range(self.facts.indices[name][1]) for name in names)):
            yield dict(zip(names, place, strict=True))

    def value(self, node: Tree) -> Value:
        match node:
            case Number(value=value):
                return _number(float(value))
            case Name(name=name):
                return self.name(name)
            case Subscripted():
                return self.subscripted(node)
            case Ones():
                return Value(np.ones((1, 1)), "any", "one")
            case Total(terms=terms):
                return self.total(terms)
            case Product():
                return self.product(node)
            case Transpose(operand=operand):
                return self.value(operand).turned
            case Power(base=base, exponent=exponent, elementwise=elementwise):
                return self.power(self.value(base), self.value(exponent), elementwise)
            case Bracket(relation=relation):
                function = COMPARED[relation.op]
                found = _elementwise(function, self.value(relation.left), self.value(relation.right))
                return replace(found, array=found.array.astype(float))
            case Reduction(op="sum"):
                return self.summed(node)
            case Read():
                return self.read(node)
            case Call(function=function, arguments=arguments):
                return self.call(function, arguments)
            case _:
                raise FormulaError(f"{type(node).__name__} has no value in matrix notation: {node}")

    def number(self, node: Tree) -> int:
        value = self.value(node)
        if not value.is_number:
            raise FormulaError("a subscript is a number")
        return round(float(value.array[0, 0]))

    def name(self, name: str) -> Value:
        if name in self.at:
            return _number(self.at[name])
        if name in self.facts.sizes:
            return _number(self.facts.sizes[name])
        if name in self.arrays:
            return _of_array(self.arrays[name])
        if name == "I":
            return _square(np.eye)
        if name in CONSTANTS:
            return _number(CONSTANTS[name])
        raise FormulaError(f"{name} has no value here")

    def total(self, terms: Sequence[tuple[bool, Tree]]) -> Value:
        found: Value | None = None
        for negative, term in terms:
            value = self.value(term)
            value = _elementwise(np.multiply, _number(-1), value) if negative else value
            found = value if found is None else _elementwise(np.add, found, value)
        assert found is not None
        return found

    def product(self, node: Product) -> Value:
        """Where a bracket that is a number is 0, nothing else is looked at."""
        factors: list[tuple[str, Tree]] = []
        first: Tree = node
        while isinstance(first, Product):
            factors.append((first.op, first.right))
            first = first.left
        over = [first, *(right for op, right in factors if op in ("·", "*", "⊙"))]
        for bracket in (f for f in over if isinstance(f, Bracket)):
            value = self.value(bracket)
            if value.is_number and not value.array[0, 0]:
                return _number(0.0)
        found, mask = self.value(first), isinstance(first, Bracket)
        for op, right in reversed(factors):
            value = self.value(right)
            combined = OPERATIONS[op](found, value)
            for bracket, given in ((found, mask), (value, isinstance(right, Bracket))):
                if given and op in ("⊙", "⊘") and not bracket.is_number:
                    combined = replace(combined, array=np.where(bracket.array != 0, combined.array, 0.0))
            found, mask = combined, mask and op in ("⊙", "⊘") and isinstance(right, Bracket)
        return found

    def power(self, base: Value, exponent: Value, elementwise: bool) -> Value:
        if not exponent.is_number:
            raise FormulaError("an exponent is a number")
        power = float(exponent.array[0, 0])
        made = base.square
        if made is not None and power == -1 and not elementwise:
            return _square(lambda n: np.asarray(np.linalg.inv(made(n))))
        if base.is_number or elementwise:
            return replace(base, array=np.power(base.array, power))
        if power == -1:
            return Value(np.linalg.inv(_full(base).array), "all", "all")
        raise FormulaError("a matrix has no power but its inverse here")

    def summed(self, node: Reduction) -> Value:
        before, found = self.at, _number(0.0)
        if node.conditions:
            raise FormulaError("a sum over subscripts has no conditions here")
        missing = [name for name in node.indices if name not in self.facts.indices]
        if missing:
            raise FormulaError(f"nothing says how far the index {missing[0]} runs")
        first = True
        for place in itertools.product(*(range(self.facts.indices[name][1]) for name in node.indices)):
            self.at = before | dict(zip(node.indices, place, strict=True))
            value = self.value(node.body)
            found, first = value if first else _elementwise(np.add, found, value), False
        self.at = before
        return found

    # --- tensors
    def place(self, node: Subscripted) -> tuple[int | None, ...]:
        """A subscript, or None, for each axis of the tensor."""
        name = node.tensor.name
        if name not in self.arrays:
            raise FormulaError(f"{name} has no value here")
        rank = self.arrays[name].ndim
        if None in node.subscripts or len(node.subscripts) == rank:
            if len(node.subscripts) != rank:
                raise FormulaError(f"{len(node.subscripts)} subscripts of a tensor with {rank} axes")
            return tuple(None if s is None else self.number(s) for s in node.subscripts)
        subscripts = [s for s in node.subscripts if s is not None]
        axes = standing([self.described(s) for s in subscripts], self.facts.shapes[name])
        if axes is None:
            raise FormulaError(f"the subscripts of {name} fit none of its axes")
        found: list[int | None] = [None] * rank
        for axis, subscript in zip(axes, subscripts, strict=True):
            found[axis] = self.number(subscript)
        return tuple(found)

    def described(self, node: Tree) -> Subscript:
        """What a reader sees of a subscript: which lengths its indices have, a label's values counted as
        those, and which sizes are in it."""
        lengths, sizes = set[str](), set[str]()

        def look(tree: Tree) -> None:
            if isinstance(tree, (Subscripted, Read)) and isinstance(tree.tensor, Name):
                bound = self.facts.bounds.get(tree.tensor.name)
                lengths.update([bound[0]] if bound is not None else [])
                return
            if isinstance(tree, Name) and tree.name in self.facts.indices:
                lengths.add(self.facts.indices[tree.name][0])
            elif isinstance(tree, Name) and tree.name in self.facts.sizes:
                sizes.add(tree.name)
            for child in tree.children():
                look(child)

        look(node)
        return Subscript(frozenset(lengths), frozenset(sizes))

    def subscripted(self, node: Subscripted) -> Value:
        if node.tensor.name == "I" and "I" not in self.arrays:
            (size,) = node.subscripts
            return Value(np.eye(self.number(size) if size is not None else 0), "all", "all")
        array, place = self.arrays.get(node.tensor.name), self.place(node)
        assert array is not None
        beyond = any(k is not None and not 0 <= k < n for k, n in zip(place, array.shape, strict=True))
        if beyond and node.outside is not None:
            return self.value(node.outside)
        if beyond:
            left = [n for k, n in zip(place, array.shape, strict=True) if k is None]
            return _of_array(np.zeros(left))
        return _of_array(array[tuple(slice(None) if k is None else k for k in place)])

    def read(self, node: Read) -> Value:
        """`y[n,t]`, an element, or `E[y]`, the rows that labels select."""
        if len(node.subscripts) == 1 and self.value(node.subscripts[0]).is_vector:
            labels = self.value(node.subscripts[0]).array[:, 0].round().astype(int)
            matrix = _full(self.value(node.tensor))
            if labels.min() < 0 or labels.max() >= len(matrix.array):
                raise FormulaError("a label selects no row")
            return replace(matrix, array=matrix.array[labels])
        if not isinstance(node.tensor, Name):
            raise FormulaError("only a tensor has elements")
        return self.subscripted(Subscripted(node.span, node.tensor, node.subscripts, node.outside))

    def call(self, function: str, arguments: Sequence[Tree]) -> Value:
        first = arguments[0]
        if function == "range":
            return Value(np.arange(float(self.number(first)))[:, None], "all", "one")
        if function == "flatten" and isinstance(first, Name):
            array = np.asarray(self.arrays[first.name], dtype=float)
            return Value(array.reshape(len(array), -1), "all", "all")
        if function == "onehot":
            return self.one_hot(first)
        values = [self.value(argument) for argument in arguments]
        if function in MATRIX_FUNCTIONS:
            return MATRIX_FUNCTIONS[function](*values)
        if function not in FUNCTIONS or len(values) > 1:
            raise FormulaError(f"{function} is no function that is evaluated")
        of_each = np.vectorize(FUNCTIONS[function], otypes=[float])
        return replace(values[0], array=of_each(values[0].array))

    def one_hot(self, labels: Tree) -> Value:
        """A row for each label that is 1 at it; of one label a vector."""
        tensor = labels.tensor if isinstance(labels, Subscripted) else labels
        if not isinstance(tensor, Name) or tensor.name not in self.facts.bounds:
            raise FormulaError("nothing says what these labels are below")
        value = self.value(labels)
        found = (value.array == np.arange(self.facts.bounds[tensor.name][1])).astype(float)
        if value.is_number:
            return Value(found.T, "all", "one")
        if not value.is_vector:
            raise FormulaError("labels are a vector, or one number")
        return Value(found, "all", "all")


def _number(value: float) -> Value:
    return Value(np.full((1, 1), float(value)))


def _of_array(array: NDArray[Any]) -> Value:
    if array.ndim > 2:
        raise FormulaError("a tensor with more than two axes is no matrix: it needs subscripts")
    sides: list[Side] = ["all"] * array.ndim + ["one"] * (2 - array.ndim)
    return Value(np.asarray(array, dtype=float).reshape(array.shape + (1,) * (2 - array.ndim)), *sides)
