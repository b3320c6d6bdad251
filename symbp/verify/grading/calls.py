"""Functions in an answer: of each element, of rows, of axes, of pairs.

Enters: a call, the meaning of an answer. Leaves: a `Value`. Must not know: other parts of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from symbp.errors import meant
from symbp.read.grammar.syntax import Call, Keyword, Name, Number, Product, Read, Total, Tree
from symbp.verify.grading import functions, made, matrices
from symbp.verify.grading.conditions import constant
from symbp.verify.grading.reductions import reduce, softmax
from symbp.verify.grading.values import Misfit, Value, moved, product, together, turned

if TYPE_CHECKING:
    from symbp.verify.grading.evaluation import Meaning

Scope = Mapping[str, int]
COUNTS = {1: "one argument", 2: "two arguments"}


def call(meaning: Meaning, node: Call, scope: Scope) -> Value:
    """The value of a function. Raises FormulaError: unknown, or with other arguments."""
    name, function = node.function, meaning.functions.of(node.function)
    given = [a for a in node.arguments if not isinstance(a, Keyword)]
    if function is not None:
        value = meaning.real(_one(meaning, node, given), scope)
        return replace(value, array=np.broadcast_to(function(value.array), value.array.shape))
    if name in (*functions.REDUCING, *functions.ALONG):
        return _along(meaning, node, given, scope)
    if name in functions.OF_ROWS:
        side, op = functions.OF_ROWS[name]
        value = meaning.real(_one(meaning, node, given), scope)
        if value.rank < 2:
            raise Misfit(f"{name} is that of a matrix", node.span, (value.shape,))
        return reduce(meaning, node, op, value, (value.rank - (1 if side == "row" else 2),))
    if name in functions.PAIRS:
        return _pair(meaning, node, given, scope)
    if name in functions.OTHERS:
        return _other(meaning, node, given, scope)
    if name in made.NAMES:
        return made.call(meaning, node, _count(meaning, _one(meaning, node, given), scope))
    if name in matrices.NAMES:
        return _matrix(meaning, node, given, scope)
    known = [
        *functions.formulas(),
        *functions.REDUCING,
        *functions.ALONG,
        *functions.PAIRS,
        *functions.OTHERS,
        *matrices.NAMES,
        *made.NAMES,
    ]
    start = node.span[0]
    tensor = name in meaning.names.tensors
    help = (
        f"write {name}*(…)"
        if tensor
        else meant(name, known) or f"known functions: {', '.join(sorted(known))}"
    )
    what = f"{name} is a tensor, and no function" if tensor else f"no function is called {name}"
    raise meaning.error(Name((start, start + len(name)), name), what, help)


def _one(meaning: Meaning, node: Call, given: list[Tree]) -> Tree:
    if len(given) != 1 or len(node.arguments) != 1:
        raise meaning.error(node, f"{node.function} takes one argument")
    return given[0]


def _along(meaning: Meaning, node: Call, given: list[Tree], scope: Scope) -> Value:
    """`sum(x)`, `sum(x, 0)`, `mean(x, axis=-1, keepdims=True)`, `softmax(x)` of rows."""
    if node.function == "max" and len(given) == 2 and isinstance(given[0], Number):  # max(0, z)
        return _pair(meaning, replace(node, function="maximum"), given, scope)
    value = meaning.real(given[0], scope)
    keywords = {a.name: a.value for a in node.arguments if isinstance(a, Keyword)}
    if len(given) == 2 and "axis" not in keywords:
        keywords["axis"] = given[1]
    if len(given) > 2 or (len(given) == 2 and keywords.get("axis") is not given[1]):
        raise meaning.error(node, f"{node.function} takes a tensor and an axis")
    soft = node.function in ("softmax", "log_softmax")
    if not value.rank:
        if soft or (node.function != "sum" and value.index):
            raise Misfit(f"{node.function} is that of a vector or a matrix", node.span, (value.shape,))
        if value.index:
            raise meaning.error(node, f"say over which index: {node.function}_{value.index[-1]}(…)")
        return value
    axis = _axis(meaning, keywords.get("axis"), value.rank)
    if soft:
        return softmax(
            meaning, value, value.rank - 1 if axis is None else axis, logarithm=node.function == "log_softmax"
        )
    if axis is None and node.function == "logsumexp":
        axis = value.rank - 1
    keep = isinstance(k := keywords.get("keepdims"), Name) and k.name == "True"
    axes = tuple(range(value.rank)) if axis is None else (axis,)
    return reduce(meaning, node, node.function, value, axes, keep=keep)


def _axis(meaning: Meaning, written: Tree | None, rank: int) -> int | None:
    if written is None or (isinstance(written, Name) and written.name == "None"):
        return None
    negative = isinstance(written, Total) and len(written.terms) == 1 and written.terms[0][0]
    inner = written.terms[0][1] if negative and isinstance(written, Total) else written
    number = inner.value if isinstance(inner, Number) else None
    axis = -number if negative and number is not None else number
    if axis is None or axis.denominator != 1:
        raise meaning.error(written, "an axis is a whole number")
    if not -rank <= axis < rank:
        raise Misfit(f"there is no axis {axis} of a tensor with {rank} axes", written.span)
    return int(axis) % rank


def _pair(meaning: Meaning, node: Call, given: list[Tree], scope: Scope) -> Value:
    if len(given) != 2 or len(node.arguments) != 2:
        raise meaning.error(node, f"{node.function} takes two arguments")
    name = node.function
    ops = {"multiply": "⊙", "divide": "⊘", "dot": "@", "matmul": "@"}
    if name in ops:
        return meaning.value(Product(node.span, ops[name], *given), scope)
    if name in ("add", "subtract"):
        return meaning.value(Total(node.span, ((False, given[0]), (name == "subtract", given[1]))), scope)
    a, b = (meaning.real(argument, scope) for argument in given)
    if name == "outer":
        if a.rank != 1 or b.rank != 1:
            raise Misfit("outer is that of two vectors", node.span, (a.shape, b.shape))
        return product(replace(a, row=False), replace(b, row=True), node.span, meaning.numbers, loose=True)
    left, right, like = together(a, b, node.span, f"this {name}")
    difference = meaning.numbers.subtract(left, right)
    above = meaning.functions.positive(difference)
    chosen = (left, right) if name == "maximum" else (right, left)
    return replace(like, array=meaning.numbers.array(np.where(above, *chosen)))


def _other(meaning: Meaning, node: Call, given: list[Tree], scope: Scope) -> Value:
    name = node.function
    if name in ("onehot", "one_hot"):
        value = meaning.value(given[0], scope)
        if value.labels is None:
            raise meaning.error(node, f"{name} is that of labels")
        return meaning.one_hot(value, node, said=True)
    if name in ("len", "shape"):
        operand = given[0] if name == "shape" and len(given) == 2 else _one(meaning, node, given)
        shape = meaning.value(operand, scope).shape
        if not shape:
            raise Misfit("a number has no length", node.span)
        axis = _axis(meaning, given[1], len(shape)) if name == "shape" else 0
        return meaning.number(Fraction(shape[axis or 0]))
    if name == "size":
        return meaning.number(Fraction(prod(meaning.value(_one(meaning, node, given), scope).shape)))
    if name == "reshape":
        return _reshaped(meaning, node, given, scope)
    if name == "norm":
        squares = meaning.total_of_squares(_one(meaning, node, given), scope)
        return replace(squares, array=meaning.numbers.power(squares.array, Fraction(1, 2)))
    if name == "transpose":
        return _transposed(meaning, node, given, scope)
    if name == "where":
        if len(given) != 3:
            raise meaning.error(node, "where takes a condition and two values")
        mask, one, other = (meaning.real(argument, scope) for argument in given)
        kept = Product(node.span, "⊙", given[0], given[1])
        zero = Total(node.span, ((False, Number(node.span, Fraction(1))), (True, given[0])))
        del mask, one, other
        return meaning.value(
            Total(node.span, ((False, kept), (False, Product(node.span, "⊙", zero, given[2])))), scope
        )
    value = meaning.real(_one(meaning, node, given), scope)
    if name in ("ones_like", "zeros_like"):
        number = meaning.numbers.rational(Fraction(int(name == "ones_like")))
        return replace(value, array=meaning.numbers.array(np.broadcast_to(number, value.array.shape)))
    if name == "diag" and value.rank == 2:
        return matrices.diagonal(value, name, node)
    if name == "diag" and value.rank == 1:
        eye = meaning.zeros_and_ones(np.eye(value.shape[0], dtype=bool))
        array = meaning.numbers.multiply(value.array[..., None], eye)
        return replace(value, array=array, fits=(False, False), row=False)
    raise meaning.error(node, f"{name} isn't taken of this")


def _reshaped(meaning: Meaning, node: Call, given: list[Tree], scope: Scope) -> Value:
    """`v.reshape(-1, 1)` is `v[:, None]`, `v.reshape(1, -1)` is `v[None, :]`."""
    numbers = [constant(a) for a in given[1:]]
    if numbers not in ([-1, 1], [1, -1]):
        raise meaning.error(node, "a vector is reshaped with (-1, 1) or (1, -1), and nothing else is")
    value = meaning.value(given[0], scope)
    if value.rank != 1:
        raise Misfit("reshape is only that of a vector here", node.span, (value.shape,))
    axes = (":", "None") if numbers[0] == -1 else ("None", ":")
    return meaning.value(Read(node.span, given[0], tuple(Name(node.span, s) for s in axes)), scope)


def _matrix(meaning: Meaning, node: Call, given: list[Tree], scope: Scope) -> Value:
    """`inv(A)`, `solve(A, b)`, `tril(A)`; `pad(x, 1)`, with a number for each axis or one for all."""
    name, count = node.function, 2 if node.function == "solve" else 1
    numbered = name in matrices.WITH_NUMBERS
    if len(given) != len(node.arguments) or not (len(given) > 1 if numbered else len(given) == count):
        raise meaning.error(node, f"{name} takes {'a tensor and numbers' if numbered else COUNTS[count]}")
    values = [meaning.real(argument, scope) for argument in given[:count]]
    by = [_count(meaning, argument, scope) for argument in given[count:]]
    return matrices.call(meaning, node, name, values, by)


def _count(meaning: Meaning, node: Tree, scope: Scope) -> int:
    value = meaning.value(node, scope)
    if not value.integer or value.rank or value.index:
        raise meaning.error(node, "this is a whole number")
    return int(value.array)


def _transposed(meaning: Meaning, node: Call, given: list[Tree], scope: Scope) -> Value:
    value = meaning.real(given[0], scope)
    axes = [_axis(meaning, a, value.rank) for a in given[1:]]
    if not axes:
        return turned(value)
    if sorted(k for k in axes if k is not None) != list(range(value.rank)):
        raise meaning.error(node, "transpose takes each axis once")
    return moved(value, [k for k in axes if k is not None])
