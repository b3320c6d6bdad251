"""The value of a matrix expression, computed with NumPy.

Enters: a tree, arrays by name, sizes, and which values subscripts have. Leaves: an array with two axes.
Must not know: how a tree is found or spelled. What is printed is judged by another evaluator, that of
`symbp.read.grammar`, which reads the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import product as places
from typing import Any

import numpy as np
import sympy

from symbp.ir.expr import Access, Expr
from symbp.ir.matrices import MATRIX_LEAVES
from symbp.read.matrix.tree import (
    Bracket,
    Correlation,
    Diagonal,
    DiagonalOf,
    Elementwise,
    Flattened,
    Hadamard,
    Identity,
    Kronecker,
    MaxPool,
    Named,
    Node,
    Number,
    OfMatrix,
    OfRows,
    OneHot,
    Ones,
    Power,
    Product,
    Range,
    Rows,
    Rowwise,
    Scale,
    SquaredNorm,
    Strided,
    Summed,
    Total,
    Trace,
    Transpose,
    Triangle,
    Turned,
    Whole,
)

Array = Any  # a NumPy array with two axes: (rows, columns), (rows, 1) or (1, 1)


def value(
    node: Node,
    tensors: Mapping[str, Array],
    sizes: Mapping[str, int],
    subscripts: Mapping[str, int] | None = None,
) -> Array:
    """The node's value as an array with two axes; `tensors` maps names to arrays, `subscripts` the indices
    that the left-hand side has to their values."""
    with np.errstate(all="ignore"):
        return _Evaluator(tensors, {**sizes, **(subscripts or {})}).value(node)


class _Evaluator:
    def __init__(self, tensors: Mapping[str, Array], numbers: Mapping[str, int]) -> None:
        self.tensors = tensors
        self.names = dict(numbers)

    def number(self, expr: Expr) -> Expr:
        """An expression of sizes, subscripts and labels at subscripts."""
        reads = {a: self.element(a) for a in expr.atoms(Access)}
        expr = expr.xreplace(reads)
        return expr.xreplace({s: sympy.Integer(self.names[s.name]) for s in expr.free_symbols})

    def element(self, access: Access) -> Expr:
        at = tuple(int(self.number(s)) for s in access.subscripts)
        array = np.asarray(self.tensors[access.name])
        inside = all(0 <= k < n for k, n in zip(at, array.shape, strict=True))
        if not inside:
            return sympy.Integer(0) if access.outside is None else self.number(access.outside)
        return sympy.Integer(int(array[at]))

    def value(self, node: Node) -> Array:
        match node:
            case Named():
                return self.named(node)
            case Number(expr):
                return np.full((1, 1), float(self.number(expr)))
            case Ones(extent):
                return np.ones((int(self.number(extent)), 1))
            case Range(extent):
                return np.arange(float(self.number(extent)))[:, None]
            case Identity(extent):
                return np.eye(int(self.number(extent)))
            case Product(factors):
                result = self.value(factors[0])
                for factor in factors[1:]:
                    result = result @ self.value(factor)
                return result
            case Scale(over, under, body):
                return self.scale(over, under, body)
            case Total(terms):
                return sum(-self.value(term) if negative else self.value(term) for negative, term in terms)
            case Hadamard(over, under):
                return self.hadamard(over, under)
            case Summed(indices, body):
                return self.summed([(i.name, int(self.number(n))) for i, n in indices], body)
            case _:
                return self.unary(node)

    def named(self, node: Named) -> Array:
        array = np.asarray(self.tensors[node.name], dtype=float)
        if node.subscripts:
            at = [None if s is None else int(self.number(s)) for s in node.subscripts]
            beyond = any(k is not None and not 0 <= k < n for k, n in zip(at, array.shape, strict=True))
            if beyond and node.outside is not None:
                return self.value(node.outside)
            if beyond:
                shape = [n for k, n in zip(at, array.shape, strict=True) if k is None]
                array = np.zeros(shape)
            else:
                array = array[tuple(slice(None) if k is None else k for k in at)]
        return array.reshape(array.shape + (1,) * (2 - node.rank))

    def summed(self, indices: list[tuple[str, int]], body: Node) -> Array:
        found: Array = np.zeros((1, 1))
        before = dict(self.names)
        for place in places(*(range(n) for _, n in indices)):
            self.names = before | dict(zip((name for name, _ in indices), place, strict=True))
            found = found + self.value(body)
        self.names = before
        return found

    def scale(self, over: tuple[Node, ...], under: tuple[Node, ...], body: Node | None) -> Array:
        return self.hadamard((*over, *([] if body is None else [body])), under)

    def hadamard(self, over: tuple[Node, ...], under: tuple[Node, ...]) -> Array:
        """A bracket is lazy here too: where it is 0, the other factors don't count."""
        mask: Array = np.ones((1, 1), dtype=bool)
        result: Array = np.ones((1, 1))
        for factor in over:
            factor_value = self.value(factor)
            if isinstance(factor, Bracket):
                mask = mask & (factor_value != 0)
            result = result * factor_value
        for factor in under:
            result = result / self.value(factor)
        return np.where(mask, result, 0.0)

    def unary(self, node: Node) -> Array:
        match node:
            case Transpose(inner):
                return self.value(inner).T
            case Elementwise(function, inner):
                return _function(function)(self.value(inner))
            case Whole(op, left, right):
                return (np.floor_divide if op == "//" else np.mod)(self.value(left), self.value(right))
            case Power(base, exponent):
                return self.value(base) ** float(exponent)
            case Diagonal(vector, inverted):
                entries = self.value(vector)
                return np.diagflat(1.0 / entries if inverted else entries)
            case DiagonalOf(matrix):
                return np.diag(self.value(matrix))[:, None]
            case Triangle(inner, upper, fill):
                matrix = self.value(inner)
                rows, columns = matrix.shape
                below = np.tri(rows, columns, -1 if upper else 0, dtype=bool)
                kept = ~below if upper else below
                return np.where(kept, matrix, 0.0 if fill is None else float(fill))
            case Trace(matrix):
                return np.trace(self.value(matrix)).reshape(1, 1)
            case OfMatrix(op, matrix):
                found = MATRIX_LEAVES[op].arrays(self.value(matrix))
                return found if node.rank == 2 else found.reshape(-1, 1)
            case SquaredNorm(inner):
                return np.sum(self.value(inner) ** 2).reshape(1, 1)
            case Bracket(op, lhs, rhs):
                compare = {"=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal}[op]
                return compare(self.value(lhs), self.value(rhs)).astype(float)
            case _:
                return self.whole(node)

    def whole(self, node: Node) -> Array:
        """Functions of rows, of labels, of windows."""
        match node:
            case OneHot(labels, classes):
                columns = np.arange(int(self.number(classes)))
                found = (self.value(labels) == columns).astype(float)
                return found if labels.rank else found.T
            case Rows(matrix, labels):
                return self.value(matrix)[self.value(labels)[:, 0].astype(int)]
            case OfRows(op, inner):
                rows = self.value(inner) if inner.rank == 2 else self.value(inner).T
                return _OF_ROWS[op](rows)[:, None]
            case Rowwise(op, inner):
                rows = self.value(inner) if inner.rank == 2 else self.value(inner).T
                found = rows - _log_of_sum(rows)[:, None]
                found = found if op == "log_softmax" else np.exp(found)
                return found if inner.rank == 2 else found.T
            case Strided(inner, steps):
                by = [int(self.number(n)) for n in steps] + [1] * (2 - len(steps))
                return self.value(inner)[:: by[0], :: by[1]]
            case Turned(inner):
                return self.value(inner)[::-1, ::-1]
            case Correlation(image, kernel, pads):
                by = [int(self.number(pad)) for pad in pads] + [0] * (2 - len(pads))
                return _correlation(_padded(self.value(image), by), self.value(kernel))
            case MaxPool(inner, window):
                step = [int(self.number(n)) for n in window] + [1] * (2 - len(window))
                return _pooled(self.value(inner), step)
            case Flattened(name):
                array = np.asarray(self.tensors[name])
                return array.reshape(len(array), -1)
            case Kronecker(left, right):
                return np.kron(self.value(left), self.value(right))
            case _:
                raise TypeError(f"no value for {type(node).__name__}")


def _log_of_sum(rows: Array) -> Array:
    most = rows.max(axis=1)
    return most + np.log(np.exp(rows - most[:, None]).sum(axis=1))


_OF_ROWS: Mapping[str, Any] = {
    "max": lambda rows: rows.max(axis=1),
    "argmax": lambda rows: rows.argmax(axis=1),
    "sum": lambda rows: rows.sum(axis=1),
    "mean": lambda rows: rows.mean(axis=1),
    "logsumexp": _log_of_sum,
}


def _padded(matrix: Array, by: list[int]) -> Array:
    found = np.pad(matrix, [(max(n, 0),) * 2 for n in by])
    return found[tuple(slice(-n, n) if n < 0 else slice(None) for n in by)]


def _correlation(image: Array, kernel: Array) -> Array:
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("walm,lm->wa", windows, kernel)


def _pooled(matrix: Array, step: list[int]) -> Array:
    rows, columns = (n // k for n, k in zip(matrix.shape, step, strict=True))
    cut = matrix[: rows * step[0], : columns * step[1]]
    return cut.reshape(rows, step[0], columns, step[1]).max(axis=(1, 3))


@lru_cache(maxsize=256)
def _function(name: str) -> Any:
    own = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "relu": lambda x: np.maximum(x, 0.0)}
    own["abs"] = np.abs
    own["softplus"] = lambda x: np.logaddexp(0.0, x)
    if name in own:
        return own[name]
    x = sympy.Symbol("x")
    return sympy.lambdify(x, getattr(sympy, name)(x), modules=["scipy", "numpy"])
