"""Functions of whole matrices in an answer, and of images: inverses, halves, zeros around, windows.

Enters: values whose last axes are a matrix, or a vector. Leaves: values. Must not know: other parts of
answers, how conditions are decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from symbp.ir.matrices import MATRIX_LEAVES
from symbp.read.grammar.syntax import Tree
from symbp.verify.grading.conditions import largest
from symbp.verify.grading.values import Array, Misfit, Value, bounded, product, summed, together

if TYPE_CHECKING:
    from symbp.verify.grading.evaluation import Meaning

OF_MATRIX = {"inv": "inverse", **{op: op for op in ("inverse", "det", "logdet", "cofactors", "cholesky")}}
WITH_NUMBERS = ("pad", "stride", "maxpool")  # that take a number for each axis, or one for all
IMAGES = (*WITH_NUMBERS, "rot180", "tril", "triu")
TRACES = ("tr", "trace")
NAMES = (*OF_MATRIX, *IMAGES, *TRACES, "solve", "flatten")


def of_matrix(meaning: Meaning, node: Tree, op: str, value: Value) -> Value:
    """An inverse, a determinant and the like, of each matrix of a stack."""
    name = next(key for key, own in OF_MATRIX.items() if own == op)
    _matrix(value, name, node, square=True)
    bounded((value.shape[-1],) * 3)  # so many steps an elimination takes
    leaf, numbers = MATRIX_LEAVES[op], meaning.numbers
    if numbers.native:
        array = leaf.arrays(value.array)
    else:
        lead, rows = value.array.shape[:-2], value.array.reshape((-1, *value.array.shape[-2:]))
        found = [leaf.exact(numbers.domain, [list(row) for row in matrix]) for matrix in rows]
        array = np.empty((len(found), *value.array.shape[-2:][: len(leaf.result)]), dtype=object)
        for k, one in enumerate(found):
            array[k] = one
        array = array.reshape((*lead, *array.shape[1:]))
    fits = value.fits if leaf.result else value.fits[:-2]
    return replace(value, array=numbers.array(array), fits=fits)


def call(meaning: Meaning, node: Tree, name: str, values: Sequence[Value], by: Sequence[int]) -> Value:
    """One of `NAMES` of a value, or of two; `by` are the numbers behind it."""
    value, numbers = values[0], meaning.numbers
    if name == "solve":
        return product(of_matrix(meaning, node, "inverse", value), values[1], node.span, numbers, loose=True)
    if name in OF_MATRIX:
        return of_matrix(meaning, node, OF_MATRIX[name], value)
    if name == "flatten":
        return _flattened(value, node)
    if name in TRACES:
        return summed(diagonal(value, name, node), numbers, (value.rank - 2,))
    if name in ("tril", "triu"):
        _matrix(value, name, node)
        rows, columns = value.shape[-2:]
        below = np.tri(rows, columns, 0 if name == "tril" else -1, dtype=bool)
        mask = meaning.zeros_and_ones(below if name == "tril" else ~below)
        return replace(value, array=numbers.multiply(value.array, mask))
    return _of_image(meaning, node, name, value, by)


def _flattened(value: Value, node: Tree) -> Value:
    """The first axis, and all others as one, in row-major order."""
    if value.rank < 2 or any(value.fits):
        raise Misfit("flatten is that of a tensor with several axes", node.span, (value.shape,))
    lead = value.array.shape[: len(value.index) + 1]
    return replace(value, array=value.array.reshape((*lead, -1)), fits=(False, False))


def diagonal(value: Value, name: str, node: Tree) -> Value:
    """The vector on a matrix's diagonal."""
    _matrix(value, name, node, square=True)
    array = np.diagonal(value.array, axis1=-2, axis2=-1)
    return replace(value, array=array, fits=(*value.fits[:-2], False), row=False)


def correlated(meaning: Meaning, image: Value, kernel: Value, node: Tree) -> Value:
    """Σ image[w + l]·kernel[l], where the kernel fits; of matrices likewise."""
    shapes, axes = (image.shape, kernel.shape), image.rank
    if axes not in (1, 2) or kernel.rank != axes or any(image.fits) or any(kernel.fits):
        raise Misfit("an image is correlated with a kernel of as many axes", node.span, shapes)
    counts = [n - k + 1 for n, k in zip(*shapes, strict=True)]
    if min(counts) < 1:
        raise Misfit("the kernel is larger than the image", node.span, shapes)
    numbers, found = meaning.numbers, None
    for place in np.ndindex(kernel.shape):
        meaning.clock.check()
        window = _last(slice(k, k + n) for k, n in zip(place, counts, strict=True))
        part = replace(image, array=image.array[window])
        weight = replace(kernel, array=kernel.array[_last(place)], fits=())
        left, right, like = together(part, weight, node.span, "this correlation")
        term = replace(like, array=numbers.multiply(left, right))
        found = term if found is None else replace(term, array=numbers.add(found.array, term.array))
    assert found is not None
    return found


def _last(parts: Iterable[Any]) -> tuple[Any, ...]:
    """Subscripts of the last axes."""
    return (..., *parts)


def _matrix(value: Value, name: str, node: Tree, *, square: bool = False) -> None:
    if value.rank < 2 or any(value.fits[-2:]):
        raise Misfit(f"{name} is that of a matrix", node.span, (value.shape,))
    if square and value.shape[-1] != value.shape[-2]:
        raise Misfit(f"{name} is that of a square matrix", node.span, (value.shape,))


def _of_image(meaning: Meaning, node: Tree, name: str, value: Value, by: Sequence[int]) -> Value:
    if value.rank not in (1, 2) or any(value.fits):
        raise Misfit(f"{name} is that of a vector or a matrix", node.span, (value.shape,))
    if name == "rot180":
        return replace(value, array=value.array[_last([slice(None, None, -1)] * value.rank)])
    numbers = list(by) * value.rank if len(by) == 1 else list(by)
    if len(numbers) != value.rank or min(numbers, default=0) < (0 if name == "pad" else 1):
        raise meaning.error(node, f"{name} takes a number for each axis, or one for all")
    return replace(value, array=_IMAGES[name](meaning, value.array, numbers))


def _padded(meaning: Meaning, array: Array, by: Sequence[int]) -> Array:
    zero: Any = meaning.numbers.rational(Fraction(0))
    lengths = [n + 2 * k for n, k in zip(array.shape[-len(by) :], by, strict=True)]
    bounded((*array.shape[: -len(by)], *lengths))
    found = np.empty((*array.shape[: -len(by)], *lengths), dtype=array.dtype)
    found[...] = zero
    found[_last(slice(k, n - k) for k, n in zip(by, lengths, strict=True))] = array
    return found


def _strided(meaning: Meaning, array: Array, by: Sequence[int]) -> Array:  # noqa: ARG001
    return np.asarray(array[_last(slice(None, None, step) for step in by)])


def _pooled(meaning: Meaning, array: Array, by: Sequence[int]) -> Array:
    """The largest element of each window; windows lie side by side."""
    lead, counts = array.shape[: -len(by)], [n // k for n, k in zip(array.shape[-len(by) :], by, strict=True)]
    cut = array[_last(slice(0, n * k) for n, k in zip(counts, by, strict=True))]
    split = cut.reshape((*lead, *(part for pair in zip(counts, by, strict=True) for part in pair)))
    inner = [len(lead) + 2 * k + 1 for k in range(len(by))]
    rows = np.moveaxis(split, inner, range(-len(by), 0)).reshape((*lead, *counts, -1))
    return meaning.numbers.array(largest(meaning, rows))


_IMAGES: Mapping[str, Callable[[Meaning, Array, Sequence[int]], Array]] = {
    "pad": _padded,
    "stride": _strided,
    "maxpool": _pooled,
}


def argmax(meaning: Meaning, rows: Array) -> Array:
    """Where the first maximum of each row stands, as conditions are decided."""
    if meaning.numbers.native:
        places = np.asarray(rows.argmax(axis=-1))
    else:
        conditions, order = meaning.place.point.conditions, meaning.place.point.domain.order
        flat = rows.reshape(-1, rows.shape[-1])
        ranks = [[conditions.order(order(v)) for v in row] for row in flat]
        places = np.array([max(range(len(row)), key=row.__getitem__) for row in ranks], dtype=int)
        places = places.reshape(rows.shape[:-1])
    found = np.empty(places.shape, dtype=object)
    found[...] = places.tolist() if places.ndim else int(places)
    return found
