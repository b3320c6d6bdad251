"""Systems from NumPy expressions: the same text that NumPy evaluates, run on arrays that write equations.

Enters: an expression over named arrays with symbolic shapes. Leaves: a reader of its value in a builder.
An elementwise expression stays in its reader's body; every sum, product of matrices and maximum becomes an
equation.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from rows import size_of

from symbp.ir.build import SystemBuilder, where
from symbp.ir.expr import Expr, FloorDiv, Guard, Index, Mod, Size

SIZES = {"n": Size("N"), "m": Size("M"), "p": Size("P")}
PLAIN, SUMMED = "ijkl", "abcd"


def number(value: Any) -> Expr:
    """A constant as the rational that was written, an expression as it is."""
    if isinstance(value, float):
        short = Fraction(value).limit_denominator(10**6)
        exact = short if abs(float(short) - value) < 1e-15 else Fraction(str(value))
        return sympy.Rational(exact.numerator, exact.denominator)
    return sympy.sympify(value)


class Array:
    """A shape and the element at given subscripts; NumPy's operators and methods, as far as they are used."""

    __array_priority__ = 1.0

    def __init__(self, b: SystemBuilder, shape: Sequence[Expr], at: Callable[..., Expr]) -> None:
        self.b, self.shape, self.at = b, tuple(sympy.sympify(s) for s in shape), at

    # --- elementwise
    def _with(self, other: Any, combine: Callable[[Expr, Expr], Expr]) -> Array:
        if not isinstance(other, Array):
            constant = number(other)
            return Array(self.b, self.shape, lambda *at: combine(self.at(*at), constant))
        rank = max(len(self.shape), len(other.shape))
        shapes = [(1,) * (rank - len(x.shape)) + x.shape for x in (self, other)]
        shape = [right if left == 1 else left for left, right in zip(*shapes, strict=True)]
        return Array(self.b, shape, lambda *at: combine(_spread(self, at), _spread(other, at)))

    def map(self, f: Callable[[Expr], Expr]) -> Array:
        return Array(self.b, self.shape, lambda *at: f(self.at(*at)))

    def __add__(self, other: Any) -> Array:
        return self._with(other, lambda x, y: x + y)

    def __sub__(self, other: Any) -> Array:
        return self._with(other, lambda x, y: x - y)

    def __mul__(self, other: Any) -> Array:
        return self._with(other, lambda x, y: x * y)

    def __truediv__(self, other: Any) -> Array:
        return self._with(other, lambda x, y: x / y)

    def __pow__(self, other: Any) -> Array:
        return self._with(other, lambda x, y: x**y)

    def __rsub__(self, other: Any) -> Array:
        return self._with(other, lambda x, y: y - x)

    def __rtruediv__(self, other: Any) -> Array:
        return self._with(other, lambda x, y: y / x)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Array:
        return self.map(lambda x: -x)

    def __le__(self, other: Any) -> Array:
        return self._with(other, lambda x, y: Guard("<=", x, y))

    # --- structure
    @property
    def T(self) -> Array:
        return Array(self.b, self.shape[::-1], lambda *at: self.at(*at[::-1]))

    def __getitem__(self, first: int) -> Array:
        return Array(self.b, self.shape[1:], lambda *at: self.at(first, *at))

    def reshape(self, *shape: Any) -> Array:
        """A flat array in rows."""
        columns = shape[1]
        return Array(self.b, shape, lambda row, column: self.at(columns * row + column))

    # --- reductions, each an equation
    def _reduced(self, op: Any, axis: int | None, keepdims: bool = False) -> Array:
        gone = range(len(self.shape)) if axis is None else (axis,)
        kept = [k for k in range(len(self.shape)) if k not in gone]
        result = reduced(self.b, self.shape, self.at, kept, op)
        if not keepdims:
            return result
        shape = [sympy.Integer(1) if k in gone else s for k, s in enumerate(self.shape)]
        return Array(self.b, shape, lambda *at: result.at(*[at[k] for k in kept]))

    def sum(self, axis: int | None = None, keepdims: bool = False) -> Array:
        return self._reduced("sum", axis, keepdims)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> Array:
        count = sympy.Mul(*self.shape) if axis is None else self.shape[axis]
        mean: Array = (self / count).sum(axis, keepdims)
        return mean

    def max(self, axis: int | None = None) -> Array:
        return self._reduced("max", axis)

    def __matmul__(self, other: Array) -> Array:
        """NumPy's product: the last axis of the left with the first of the right."""
        left, right = len(self.shape) - 1, len(other.shape) - 1
        shape = (*self.shape[:left], *other.shape[1:], self.shape[-1])

        def at(*subs: Expr) -> Expr:
            return self.at(*subs[:left], subs[-1]) * other.at(subs[-1], *subs[left : left + right])

        return reduced(self.b, shape, at, range(left + right), "sum")


def _spread(x: Array, at: Sequence[Expr]) -> Expr:
    """The element of an array that is broadcast to more or longer axes."""
    own = at[len(at) - len(x.shape) :]
    return x.at(*[sympy.Integer(0) if s == 1 else a for a, s in zip(own, x.shape, strict=True)])


def define(b: SystemBuilder, shape: Sequence[Expr], at: Callable[..., Expr], name: str = "") -> Array:
    """The array as a tensor with an equation of its own."""
    return reduced(b, shape, at, range(len(shape)), None, name)


def reduced(
    b: SystemBuilder,
    shape: Sequence[Expr],
    at: Callable[..., Expr],
    kept: Sequence[int],
    op: Any,
    name: str = "",
) -> Array:
    """An equation that keeps some axes of a box and reduces the others."""
    letters, others = iter(PLAIN), iter(SUMMED)
    index = [Index(next(letters) if k in kept else next(others)) for k in range(len(shape))]
    over = [i for k, i in enumerate(index) if k not in kept]
    plain = [index[k] for k in kept]
    name = name or _name(b)
    ranges = dict(zip(index, shape, strict=True))
    reader = b.define(name, plain, at(*index), op if over else None, over, ranges=ranges)
    return Array(b, [shape[k] for k in kept], reader)


def _name(b: SystemBuilder) -> str:
    return f"t{len(b._equations) + 1}"


def _elementwise(f: Callable[[Expr], Expr]) -> Callable[[Any], Any]:
    return lambda x: x.map(f) if isinstance(x, Array) else f(number(x))


class _LinearAlgebra:
    """`np.linalg`: powers of a matrix, its inverse and determinant."""

    @staticmethod
    def matrix_power(x: Array, power: int) -> Array:
        result = x
        for _ in range(power - 1):
            result = result @ x
        return result

    @staticmethod
    def inv(x: Array) -> Array:
        row, column = Index("a"), Index("b")
        body, ranges = x.at(row, column), {row: x.shape[0], column: x.shape[1]}
        plain, over = [Index("i"), Index("j")], [row, column]
        return Array(x.b, x.shape, x.b.define(_name(x.b), plain, body, "inverse", over, ranges=ranges))

    @staticmethod
    def det(x: Array) -> Array:
        return reduced(x.b, x.shape, x.at, (), "det")


class Numpy:
    """The functions of `np` that the expressions call."""

    linalg, pi = _LinearAlgebra, sympy.pi
    exp, log, sin, cos = (_elementwise(f) for f in (sympy.exp, sympy.log, sympy.sin, sympy.cos))
    tanh, cosh, sqrt, arctan = (_elementwise(f) for f in (sympy.tanh, sympy.cosh, sympy.sqrt, sympy.atan))
    abs = _elementwise(size_of)

    @staticmethod
    def maximum(low: float, x: Array) -> Array:
        return x.map(lambda e: where(Guard("<", low, e), e, low))

    @staticmethod
    def where(condition: Array, yes: Array, no: Array) -> Array:
        return Array(yes.b, yes.shape, lambda *at: where(condition.at(*at), yes.at(*at), no.at(*at)))

    @staticmethod
    def outer(x: Array, y: Array) -> Array:
        return Array(x.b, (*x.shape, *y.shape), lambda i, j: x.at(i) * y.at(j))

    @staticmethod
    def diag(x: Array) -> Array:
        return Array(x.b, x.shape[:1], lambda i: x.at(i, i))

    @staticmethod
    def trace(x: Array) -> Array:
        return Numpy.diag(x).sum()

    @staticmethod
    def kron(x: Array, y: Array) -> Array:
        rows, columns = y.shape
        shape = (x.shape[0] * rows, x.shape[1] * columns)
        return Array(
            x.b,
            shape,
            lambda i, j: x.at(FloorDiv(i, rows), FloorDiv(j, columns)) * y.at(Mod(i, rows), Mod(j, columns)),
        )

    @staticmethod
    def cross(x: Array, y: Array) -> Array:
        def at(i: Expr) -> Expr:
            one, two = Mod(i + 1, 3), Mod(i + 2, 3)
            return x.at(one) * y.at(two) - x.at(two) * y.at(one)

        return Array(x.b, (3,), at)

    @staticmethod
    def array(items: Sequence[Array]) -> Array:
        return Array(
            items[0].b,
            (len(items),),
            lambda i: sum(Guard("=", i, k) * x.at() for k, x in enumerate(items)),
        )

    @staticmethod
    def einsum(spec: str, *operands: Array) -> Array:
        inputs, output = spec.split("->")
        subscripts = inputs.split(",")
        found = {
            s: e
            for part, x in zip(subscripts, operands, strict=True)
            for s, e in zip(part, x.shape, strict=True)
        }
        letters = [*output, *sorted(set(found) - set(output))]

        def at(*subs: Expr) -> Expr:
            value = dict(zip(letters, subs, strict=True))
            parts = zip(subscripts, operands, strict=True)
            return sympy.Mul(*[x.at(*[value[s] for s in part]) for part, x in parts])

        return reduced(operands[0].b, [found[s] for s in letters], at, range(len(output)), "sum")


class _Exact(ast.NodeTransformer):
    """Decimal constants become the rationals that they were meant as."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, float):
            return node
        call = ast.Call(ast.Name("number", ast.Load()), [node], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))


def translate(text: str, inputs: dict[str, Array]) -> Array:
    """The value of the expression as an array over the builder's tensors."""
    scope = {
        "np": Numpy,
        "number": number,
        "erf": _elementwise(sympy.erf),
        "gammaln": _elementwise(sympy.loggamma),
        **SIZES,
        **inputs,
    }
    tree = _Exact().visit(ast.parse(text, mode="eval"))
    return eval(compile(tree, "identity", "eval"), scope)  # type: ignore[no-any-return]
