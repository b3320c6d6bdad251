"""Sums, maxima and the like in an answer, over indices, over axes, over letters of einsum; softmax of axes.

Enters: reductions, the meaning of an answer. Leaves: values. Must not know: other parts of answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import sympy

from symbp.read.grammar.syntax import Einsum, Name, Read, Reduction, Subscripted, Tree
from symbp.verify.grading.conditions import bracket, largest
from symbp.verify.grading.matrices import OF_MATRIX, argmax, of_matrix
from symbp.verify.grading.values import Misfit, Numbers, Value, over, reduced, summed, together

if TYPE_CHECKING:
    from symbp.verify.grading.evaluation import Meaning

Scope = Mapping[str, int]
MARK = "·"  # before a letter of einsum, which is no index of the page


def reduction(meaning: Meaning, node: Reduction, scope: Scope) -> Value:
    inner = {**scope, **{name: extent(meaning, name, node) for name in node.indices}}
    for name, count in zip(node.indices, node.counts, strict=False):
        _runs_as_written(meaning, name, inner[name], count)
    value = meaning.real(node.body, inner)
    if node.conditions:
        if node.op != "sum":
            raise meaning.error(node, f"{node.op} takes no conditions in an answer")
        for condition in node.conditions:
            left, right, like = together(value, bracket(meaning, condition, inner), node.span, "this sum")
            value = replace(like, array=meaning.numbers.multiply(left, right))
    if node.op in ("softmax", "log_softmax"):
        return along(meaning, node, value)
    for name in node.indices:
        if name not in value.index:  # the same term so often
            like = Value(meaning.numbers.array(np.ones(inner[name], dtype=int)), (name,), integer=True)
            left, right, whole = together(value, meaning.numbers.lifted(like), node.span, "this sum")
            value = replace(whole, array=meaning.numbers.multiply(left, right))
        value = over(value, name)
    axes = range(value.rank - len(node.indices), value.rank)
    if node.op in OF_MATRIX.values() and len(node.indices) == 2:
        return of_matrix(meaning, node, node.op, value)
    found = reduce(meaning, node, node.op, value, tuple(axes))
    return found if node.op != "argmax" or len(axes) == 1 else _component(meaning, node, found, inner)


def _runs_as_written(meaning: Meaning, name: str, length: int, count: Tree) -> None:
    """Raises Misfit where `Σ_{n=1}^{K}` says another number of terms than there are."""
    written = meaning.value(count, {})
    if not written.integer or written.rank or int(written.array) != length:
        what = f"the index {name} doesn't run as far as is written at its sum"
        raise Misfit(what, count.span, ((length,), (int(written.array),)) if written.integer else ())


def _component(meaning: Meaning, node: Reduction, places: Value, extents: Scope) -> Value:
    """One of the indices of a place among several."""
    if node.component is None:
        raise meaning.error(node, "of several indices say which: (argmax_i,j …)_i")
    axis = node.indices.index(node.component)
    behind = math.prod(extents[name] for name in node.indices[axis + 1 :])
    array = np.asarray(places.array // behind % extents[node.component], dtype=object)
    return replace(places, array=array)


def along(meaning: Meaning, node: Reduction, value: Value) -> Value:
    (name,) = node.indices
    if name not in value.index:
        raise meaning.error(node, f"what it is taken of doesn't depend on {name}")
    last = over(value, name)
    soft = softmax(meaning, last, last.rank - 1, logarithm=node.op == "log_softmax")
    place = len(soft.index) + soft.rank - 1
    array = np.moveaxis(soft.array, place, len(soft.index))
    return Value(array, (*soft.index, name), soft.fits[:-1])


def softmax(meaning: Meaning, value: Value, axis: int, *, logarithm: bool = False) -> Value:
    exp = meaning.numbers.apply(sympy.exp, value.array)
    total = summed(replace(value, array=exp), meaning.numbers, (axis,), keep=True)
    if not logarithm:
        return replace(value, array=meaning.numbers.divide(exp, total.array))
    log = meaning.numbers.apply(sympy.log, total.array)
    return replace(value, array=meaning.numbers.subtract(value.array, log))


def reduce(
    meaning: Meaning, node: Tree, op: str, value: Value, axes: tuple[int, ...], *, keep: bool = False
) -> Value:
    """A reduction over plain axes."""
    if any(value.fits[k] for k in axes):
        raise Misfit("nothing says how many elements are reduced", node.span, (value.shape,))
    if op in ("sum", "mean"):
        found = summed(value, meaning.numbers, axes, keep=keep)
        if op == "sum":
            return found
        count = meaning.numbers.rational(
            Fraction(int(np.prod([value.shape[k] for k in axes], dtype=int)) or 1)
        )
        return replace(found, array=meaning.numbers.divide(found.array, count))
    if op in ("var", "std"):
        return _spread(meaning, node, op, value, axes, keep=keep)
    if op == "logsumexp":
        exp = replace(value, array=meaning.numbers.apply(sympy.exp, value.array))
        found = summed(exp, meaning.numbers, axes, keep=keep)
        return replace(found, array=meaning.numbers.apply(sympy.log, found.array))
    if op == "argmax":
        places = reduced(value, axes, lambda rows: argmax(meaning, rows), keep=keep)
        return replace(places, integer=True)
    if op in ("max", "prod"):
        apply = partial(largest, meaning) if op == "max" else lambda rows: np.multiply.reduce(rows, axis=-1)
        return reduced(value, axes, lambda rows: meaning.numbers.array(apply(rows)), keep=keep)
    raise meaning.error(node, f"{op} has no meaning in an answer")


def _spread(
    meaning: Meaning, node: Tree, op: str, value: Value, axes: tuple[int, ...], *, keep: bool
) -> Value:
    """The mean of the squares of what is left without the mean, or its root."""
    middle = reduce(meaning, node, "mean", value, axes, keep=True)
    left = meaning.numbers.subtract(value.array, middle.array)
    squares = replace(value, array=meaning.numbers.multiply(left, left))
    found = reduce(meaning, node, "mean", squares, axes, keep=keep)
    if op == "var":
        return found
    return replace(found, array=meaning.numbers.power(found.array, Fraction(1, 2)))


def extent(meaning: Meaning, name: str, node: Reduction | Tree) -> int:
    """How far an index runs: as the axis at which it stands alone does; of the page, as there."""
    body = node.body if isinstance(node, Reduction) else node
    for inner in _free(body, name):
        tensor = inner.tensor
        if isinstance(tensor, Name) and tensor.name in meaning.names.tensors:
            shape = meaning.place.tensor(meaning.names.tensors[tensor.name]).shape
            if len(inner.subscripts) == len(shape):
                for subscript, length in zip(inner.subscripts, shape, strict=True):
                    if isinstance(subscript, Name) and subscript.name == name:
                        return int(length)
    known = {meaning.place.number(extent) for extent in meaning.names.ranges.get(name, ())}
    if len(known) == 1:
        return known.pop()
    raise meaning.error(node, f"nothing says how far the index {name} runs")


def _free(node: Tree, name: str) -> list[Read | Subscripted]:
    """Reads in which an index is free."""
    if isinstance(node, Reduction) and name in node.indices:
        return []
    own: list[Read | Subscripted] = [node] if isinstance(node, (Read, Subscripted)) else []
    return own + [found for child in node.children() for found in _free(child, name)]


def einsum(node: Einsum, operands: Sequence[Value], numbers: Numbers) -> Value:
    """`einsum("ni,nj->ij", h, da2)`: summed over the letters that the result hasn't. Raises Misfit: letters
    that don't fit the operands, or one another."""
    before, _, result = node.letters.partition("->")
    letters = before.split(",")
    shapes = tuple(value.shape for value in operands)
    if len(letters) != len(operands):
        raise Misfit(f"{len(letters)} groups of letters for {len(operands)} operands", node.span, shapes)
    lengths: dict[str, int] = {}
    for group, value in zip(letters, operands, strict=True):
        if len(group) != value.rank or len({*group}) < len(group) or any(value.fits):
            raise Misfit(f"the letters {group} of this operand", node.span, (value.shape,))
        for letter, length in zip(group, value.shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                raise Misfit(f"the letter {letter} runs along axes of other lengths", node.span, shapes)
    if len({*result}) < len(result) or not {*result} <= {*lengths}:
        raise Misfit(f"the letters {result} of the result", node.span, shapes)
    found = _product([_lettered(g, v) for g, v in zip(letters, operands, strict=True)], node, numbers)
    for letter in (*lengths.keys() - {*result}, *result):
        found = over(found, MARK + letter)
    return summed(found, numbers, range(found.rank - len(result)))


def _lettered(group: str, value: Value) -> Value:
    """The value with a named axis for each of its own."""
    named = (*value.index, *(MARK + letter for letter in group))
    return replace(value, index=named, fits=(), row=False)


def _product(values: Sequence[Value], node: Einsum, numbers: Numbers) -> Value:
    found, *rest = values
    for value in rest:
        left, right, like = together(found, value, node.span, "this product")
        found = replace(like, array=numbers.multiply(left, right))
    return found
