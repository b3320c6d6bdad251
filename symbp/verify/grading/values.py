"""Arrays with named and with plain axes, over any domain of numbers, and what answers do with them.

Enters: arrays of elements, a domain. Leaves: arrays, or `Misfit` where shapes don't fit.
Must not know: trees, names of tensors, systems.

An element in index notation has one axis for each of its free indices, so that a whole tensor is computed at
once; what stands without subscripts has plain axes. Named axes come first. Plain axes follow NumPy's rules:
aligned from the right, one element stands for many. A `row` is a transposed vector.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symbp.errors import EvaluationError
from symbp.ir.evaluation.domains import FLOAT, Domain

Array = np.ndarray[Any, Any]
LARGEST_ARGUMENT, LARGEST_POWER = 20, 20_000  # binary digits before the point, in 50 digits
MOST_ELEMENTS = 40_000  # of one value


class Misfit(Exception):
    """An operation whose operands don't fit: what it is, its place in the text, the shapes."""

    def __init__(self, what: str, span: tuple[int, int], shapes: tuple[tuple[int, ...], ...] = ()) -> None:
        super().__init__(what)
        self.what, self.span, self.shapes = what, span, shapes


class TooMuch(Exception):
    """The time, or the number of elements, of a grading is used up."""


@dataclass(frozen=True)
class Clock:
    """The moment at which grading ends."""

    end: float

    @classmethod
    def of(cls, seconds: float) -> Clock:
        return cls(time.monotonic() + seconds)

    def check(self) -> None:
        if time.monotonic() > self.end:
            raise TooMuch("the time for it is used up")


@dataclass(frozen=True)
class Value:
    """The named axes are called `index`; `fits` says of each plain axis whether it is as long as needed (that
    of 𝟏). `integer`: whole numbers of Python's own, for subscripts; `labels`: the tensor of labels that this
    is, which stands for rows of zeros and a 1 where it is calculated with."""

    array: Array
    index: tuple[str, ...] = ()
    fits: tuple[bool, ...] = ()
    row: bool = False
    integer: bool = False
    labels: str | None = None

    @property
    def rank(self) -> int:
        return len(self.fits)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the plain axes."""
        return tuple(int(length) for length in self.array.shape[len(self.index) :])

    def named(self, index: Sequence[str]) -> Array:
        """The array with these named axes first, one element along those that it hasn't."""
        own = [self.index.index(name) for name in index if name in self.index]
        array = np.transpose(self.array, [*own, *range(len(self.index), self.array.ndim)])
        for place, name in enumerate(index):
            if name not in self.index:
                array = np.expand_dims(array, place)
        return array


def plain(array: Array, **more: Any) -> Value:
    """A tensor without subscripts."""
    return Value(array, (), (False,) * array.ndim, **more)


class Numbers:
    """The arithmetic of a domain on arrays: at once where NumPy has it, else element by element."""

    def __init__(self, domain: Domain) -> None:
        self.domain, self.native = domain, domain is FLOAT

    def array(self, elements: Any) -> Array:
        if self.native:
            return np.asarray(elements, dtype=np.float64)
        if isinstance(elements, np.ndarray):
            return elements
        found = np.empty(np.shape(elements), dtype=object)
        found[...] = elements
        return found

    def rational(self, value: Fraction) -> Array:
        return self.array(self.domain.rational(value))

    def lifted(self, value: Value) -> Value:
        """Whole numbers as elements of the domain."""
        if not value.integer:
            return value
        array = self.each(lambda v: self.domain.rational(Fraction(int(v))), value.array)
        return replace(value, array=array, integer=False)

    def each(self, function: Callable[..., Any], *arrays: Array) -> Array:
        """A function of each element."""
        return self.array(np.frompyfunc(function, len(arrays), 1)(*arrays))

    def apply(self, function: Any, *arrays: Array) -> Array:
        """A function by its class of SymPy. Raises EvaluationError: an argument that is too large."""
        if self.native:
            return self.array(self.domain.apply(function, arrays))
        most = None if function in (sympy.log, sympy.atan) else LARGEST_ARGUMENT
        return self.each(lambda *xs: self.domain.apply(function, [self.small(x, most) for x in xs]), *arrays)

    def power(self, array: Array, exponent: Fraction) -> Array:
        if self.native:
            return self.array(self.domain.power(array, exponent))
        return self.each(lambda x: self.small(self.domain.power(x, exponent), LARGEST_POWER), array)

    def small(self, value: Any, most: int | None) -> Any:
        """The value, unless it has more binary digits before the point than is allowed: a tower of powers in
        50 digits would need more memory than there is."""
        if most is not None and hasattr(value, "_mpf_") and value:
            mantissa, exponent, bits = value._mpf_[1:]
            if mantissa and exponent + bits > most:
                raise EvaluationError("a value is too large")
        return value

    def add(self, a: Array, b: Array) -> Array:
        return self.array(a + b)

    def subtract(self, a: Array, b: Array) -> Array:
        return self.array(a + b * self.rational(Fraction(-1)))

    def multiply(self, a: Array, b: Array) -> Array:
        return self.array(a * b)

    def divide(self, a: Array, b: Array) -> Array:
        if self.native:
            return self.array(a / b)
        return self.array(a * self.power(b, Fraction(-1)))

    def total(self, array: Array, axes: tuple[int, ...]) -> Array:
        return self.array(array.sum(axis=axes)) if axes else array


def bounded(shape: Sequence[int]) -> None:
    """Raises TooMuch for an array of so many elements."""
    if math.prod(shape) > MOST_ELEMENTS:
        raise TooMuch("its values are too many")


def together(a: Value, b: Value, span: tuple[int, int], what: str) -> tuple[Array, Array, Value]:
    """Both arrays with equal numbers of axes, and what a value made of both is, the array aside."""
    index = (*a.index, *(name for name in b.index if name not in a.index))
    rank = max(a.rank, b.rank)
    arrays, fits, shapes = [], [], []
    for value in (a, b):
        array = value.named(index)
        lead, missing = array.shape[: len(index)], rank - value.rank
        arrays.append(array.reshape((*lead, *(1,) * missing, *array.shape[len(index) :])))
        fits.append((True,) * missing + value.fits)
        shapes.append((1,) * missing + value.shape)
    for one, other in zip(*shapes, strict=True):
        if one != other and 1 not in (one, other):
            raise Misfit(what, span, (a.shape, b.shape))
    bounded(np.broadcast_shapes(arrays[0].shape, arrays[1].shape))
    both = tuple(x and y for x, y in zip(*fits, strict=True))
    vectors = [value for value in (a, b) if value.rank == 1]
    row = rank == 1 and all(value.row for value in vectors)
    return arrays[0], arrays[1], Value(arrays[0], index, both, row)


def turned(value: Value) -> Value:
    """The transpose: of a vector a row, of more than two axes the last two exchanged."""
    if value.rank < 2:
        return replace(value, row=not value.row) if value.rank else value
    fits = (*value.fits[:-2], value.fits[-1], value.fits[-2])
    return replace(value, array=np.swapaxes(value.array, -1, -2), fits=fits)


def moved(value: Value, order: Sequence[int]) -> Value:
    """The plain axes in another order."""
    named = len(value.index)
    array = np.transpose(value.array, [*range(named), *(named + k for k in order)])
    return replace(value, array=array, fits=tuple(value.fits[k] for k in order))


def product(a: Value, b: Value, span: tuple[int, int], numbers: Numbers, *, loose: bool) -> Value:
    """The product of matrices and vectors; of stacks of matrices, one for each. `loose` as NumPy is, for
    which a vector is neither a row nor a column."""
    if not a.rank or not b.rank:
        one, other, like = together(a, b, span, "this product")
        return replace(like, array=numbers.multiply(one, other), row=(a if a.rank else b).row)
    if a.rank == b.rank == 1 and not a.row and b.row:
        return _outer(a, b, span, numbers)
    wrong = (a.rank == 1 and not a.row and a.fits != (True,)) or (b.rank == 1 and b.row)
    if wrong and not loose and a.rank + b.rank > 2:
        raise Misfit("a vector stands on the wrong side of this product", span, (a.shape, b.shape))
    left = replace(a, array=a.array[..., None, :], fits=(False, *a.fits)) if a.rank == 1 else a
    right = replace(b, array=b.array[..., :, None], fits=(*b.fits, False)) if b.rank == 1 else b
    found = _contracted(left, right, span, numbers, (a.shape, b.shape))
    if b.rank == 1:
        found = replace(found, array=found.array[..., 0], fits=found.fits[:-1])
    if a.rank == 1:
        axis = found.array.ndim - (1 if b.rank == 1 else 2)
        fits = found.fits[:-1] if b.rank == 1 else (*found.fits[:-2], found.fits[-1])
        found = replace(found, array=np.take(found.array, 0, axis=axis), fits=fits)
    array = numbers.array(found.array)
    return replace(found, array=array, row=a.rank == 1 and b.rank == 2)


def _outer(a: Value, b: Value, span: tuple[int, int], numbers: Numbers) -> Value:
    """The product of a column and a row."""
    left = replace(a, array=a.array[..., None], fits=(*a.fits, False))
    right = replace(b, array=b.array[..., None, :], fits=(False, *b.fits))
    one, other, like = together(left, right, span, "this product")
    fits = (a.fits[0], b.fits[0])
    return replace(like, array=numbers.multiply(one, other), fits=fits, row=False)


def _contracted(
    a: Value, b: Value, span: tuple[int, int], numbers: Numbers, shapes: tuple[tuple[int, ...], ...]
) -> Value:
    """The product over the last axis of one and the last but one of the other."""
    n, m = a.shape[-1], b.shape[-2]
    if a.fits[-1] and b.fits[-2]:
        raise Misfit("nothing says how many elements are summed over", span, shapes)
    if n != m and not (a.fits[-1] or b.fits[-2]):
        raise Misfit("this product of matrices", span, shapes)
    # x[..., i, k, 1]·y[..., 1, k, j], summed over k
    x = replace(a, array=a.array[..., None], fits=(*a.fits, True))
    y = replace(b, array=b.array[..., None, :, :], fits=(*b.fits[:-2], True, *b.fits[-2:]))
    left, right, like = together(x, y, span, "this product of matrices")
    array = numbers.total(numbers.multiply(left, right), (-2,))
    fits = (*like.fits[:-3], a.fits[-2], b.fits[-1])
    return replace(like, array=array, fits=fits, row=False)


def summed(value: Value, numbers: Numbers, axes: Sequence[int], *, keep: bool = False) -> Value:
    """The sum over some of the plain axes."""
    places = tuple(len(value.index) + k for k in axes)
    array = numbers.total(value.array, places)
    return _without(value, array, axes, keep)


def _without(value: Value, array: Array, axes: Sequence[int], keep: bool) -> Value:
    if keep:
        places = tuple(sorted(len(value.index) + k for k in axes))
        return replace(value, array=np.expand_dims(array, places), fits=value.fits)
    fits = tuple(f for k, f in enumerate(value.fits) if k not in axes)
    return replace(value, array=array, fits=fits, row=False)


def over(value: Value, name: str) -> Value:
    """The value with a named axis as its last plain one."""
    place = value.index.index(name)
    index = tuple(other for other in value.index if other != name)
    return replace(value, array=np.moveaxis(value.array, place, -1), index=index, fits=(*value.fits, False))


def reduced(
    value: Value, axes: Sequence[int], reduce: Callable[[Array], Array], *, keep: bool = False
) -> Value:
    """Another reduction over plain axes: `reduce` takes an array and reduces its last axis."""
    places = [len(value.index) + k for k in axes]
    array = np.moveaxis(value.array, places, range(-len(places), 0))
    array = array.reshape((*array.shape[: array.ndim - len(places)], -1))
    return _without(value, reduce(array), axes, keep)
