"""Reductions over axes, and order along one: sorted values, medians, quantiles.

Enters: tensors. Leaves: tensors with fewer axes (with `keepdims` as many, of 1 element), or in another order.
Must not know: derivatives.

An order is an integer tensor, o[n,r] the place of the r-th element; what is sorted is x[n, o[n,r]], and its
gradient goes to the places that it was read at.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, FloorDiv, Guard, Index, Mod
from symbp.language.axes import axes, axis_numbers, reduce_axes, with_axes
from symbp.language.bodies import number
from symbp.language.elsewhere import known_names
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.sizes import as_size, value_of
from symbp.language.tensor import Tensor
from symbp.ops.registry import example, op

FAMILY = "reductions"
Axis = int | Sequence[int] | None
EACH_AXIS = (
    example("N H"),
    example("N H", axis=0),
    example("N H", axis=-1),
    example("N H", axis=1, keepdims=True),
)
STABLE = "of equal elements the first along the axis comes first, and gets what its place gets"
GREATEST = 10**9  # denominator of a quantile's rank: no product of it and an extent leaves 64 bits


@op(FAMILY, *EACH_AXIS)
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ x over the given axes, or over all."""
    return x.sum(axis, keepdims)


@op(FAMILY, *EACH_AXIS)
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ x/n over the given axes, or over all, with n the number of elements."""
    return x.mean(axis, keepdims)


@op(FAMILY, *EACH_AXIS)
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Π x over the given axes, or over all."""
    product = reduce_axes(x, "prod", axis, rule="product over an axis", hint=Hint("q"))
    return with_axes(product, x, axis, keepdims)


@op(FAMILY, *EACH_AXIS, analytic=False, kinks="at a tie the first maximum gets all")
def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The maximum over the given axes, or over all."""
    return x.max(axis, keepdims)


@op(FAMILY, *EACH_AXIS, analytic=False, kinks="at a tie the first minimum gets all")
def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The minimum over the given axes, or over all."""
    result: Tensor = -(-x).max(axis, keepdims)
    return result


@op(FAMILY, *EACH_AXIS, example("N H", axis=-1, correction=0))
def var(x: Tensor, axis: Axis = None, correction: int = 1, keepdims: bool = False) -> Tensor:
    """Σ (x − mean)²/(n − correction) over the given axes, or over all (Bessel 1838)."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    mean = x.mean(axis)
    count = sympy.Mul(*[x.shape[k] for k in over])
    squares = Sum((x.at(*every) - mean.at(*left)) ** 2 / (count - correction), *[every[k] for k in over])
    variance = formula(left, squares, rule="variance", hint=Hint("v", "bare"), kept=True)
    return with_axes(variance, x, axis, keepdims)


@op(FAMILY, *EACH_AXIS, example("N H", axis=-1, correction=0))
def std(x: Tensor, axis: Axis = None, correction: int = 1, keepdims: bool = False) -> Tensor:
    """The square root of the variance."""
    variance = var(x, axis, correction)
    plain = axes(variance.rank)
    root = sympy.sqrt(variance.at(*plain))
    deviation = formula(plain, root, rule="standard deviation", hint=Hint("sd", "bare"))
    return with_axes(deviation, x, axis, keepdims)


@op(FAMILY, *EACH_AXIS, kinks="derivative 0 at x = 0")
def norm(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """√Σ x² over the given axes, or over all; its derivative at 0 is 0."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    squares = Sum(x.at(*every) ** 2, *[every[k] for k in over])
    s = formula(left, squares, rule="sum of squares", hint=Hint("s"), kept=True).at(*left)
    body = Guard(">", s, 0) * sympy.sqrt(s)
    root = formula(left, body, rule="norm", hint=Hint("norm", "bare"), kept=True)
    return with_axes(root, x, axis, keepdims)


@op(FAMILY, example("N H"), example("N H", axis=0), example("N H", axis=None), example("N H", keepdims=True))
def logsumexp(x: Tensor, axis: Axis = -1, keepdims: bool = False) -> Tensor:
    """log Σ eˣ over the given axes."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    exponentials = Sum(sympy.exp(x.at(*every)), *[every[k] for k in over])
    s = formula(left, exponentials, rule="logsumexp: sum of exponentials", hint=Hint("s"), kept=True)
    total = formula(left, sympy.log(s.at(*left)), rule="logsumexp", hint=Hint("lse", "bare"))
    return with_axes(total, x, axis, keepdims)


@op(FAMILY, example("N H"), example("N H", axis=0, descending=True), differentiable=False)
def argsort(x: Tensor, axis: int = -1, descending: bool = False) -> Tensor:
    """o with x[o[0]] ≤ x[o[1]] ≤ … along an axis (≥ if `descending`), equal elements as they stand: an
    integer tensor, without a gradient."""
    order = _Order(x, axis, descending)
    if order.position == x.rank - 1:
        return order.places
    return order.first(x.shape[order.position], "order")


@op(FAMILY, example("N H"), example("N H", axis=0, descending=True), analytic=False, kinks=STABLE)
def sort(x: Tensor, axis: int = -1, descending: bool = False) -> Tensor:
    """The elements along an axis from the smallest, or from the largest if `descending`; equal ones as they
    stand."""
    order = _Order(x, axis, descending)
    return order.elements(x.shape[order.position], "sorted")


@known_names
def topk(x: Tensor, k: Any, axis: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest elements along an axis from the largest (smallest from the smallest if not `largest`),
    and their places: of equal ones the first. Raises ShapeError: more than there are, where that is known."""
    order, count = _Order(x, axis, largest), as_size(k)
    there, wanted = value_of(x.shape[order.position]), value_of(count)
    if there is not None and wanted is not None and wanted > there:
        raise ShapeError(
            f"axis {axis} of {display(x)} has {there} elements, fewer than k={wanted}", where=here()
        )
    return order.elements(count, "first in order"), order.first(count, "first places")


@op(FAMILY, example("N H"), example("N H", axis=0), example("N 4"), analytic=False, kinks=STABLE)
def median(x: Tensor, axis: int = -1) -> Tensor:
    """The element in the middle along an axis, or the mean of the two of an even number, as in NumPy."""
    return _quantile(x, Fraction(1, 2), axis, "median")


@op(
    FAMILY,
    example("N H", q=0.25),
    example("N H", q=0.9, axis=0),
    example("N 4", q=1),
    analytic=False,
    kinks=STABLE,
)
def quantile(x: Tensor, q: Any, axis: int = -1) -> Tensor:
    """The value at q·(n − 1) of the n sorted elements along an axis, 0 ≤ q ≤ 1, linear between two, as in
    NumPy and PyTorch. Raises DeclarationError: q is no such number."""
    value = number(q)
    if value is None or not value.is_Rational or not 0 <= value <= 1:
        raise DeclarationError(f"the quantile of {q!r} is none: q is a number from 0 to 1", where=here())
    return _quantile(x, Fraction(int(value.p), int(value.q)).limit_denominator(GREATEST), axis, "quantile")


def _quantile(x: Tensor, q: Fraction, axis: int, rule: str) -> Tensor:
    """The elements around rank q·(n − 1), weighted by what is left of it."""
    order = _Order(x, axis, False)
    rank = sympy.expand(q.numerator * (x.shape[order.position] - 1))
    below, rest = (kind(rank, sympy.Integer(q.denominator)) for kind in (FloorDiv, Mod))
    body = order.element(below)
    if rest != 0:
        step = Guard("<", 0, rest) * rest / q.denominator
        body = body + step * (order.element(below + 1) - body)
    return formula(order.others, body, rule=rule, hint=Hint("q"), kept=True)


class _Order:
    """The places of the elements of x along an axis, in order: `places[others, r]`."""

    def __init__(self, x: Tensor, axis: int, descending: bool) -> None:
        self.x, self.plain, (self.position,) = x, axes(x.rank), axis_numbers(x, axis)
        self.others = [i for k, i in enumerate(self.plain) if k != self.position]
        self.along = self.plain[self.position]
        body = -x.at(*self.plain) if descending else x.at(*self.plain)
        result = [*self.others, Index("r")]
        self.places = Tensor.defined(
            result, body, "argsort", [self.along], rule="order", hint=Hint("o"), kept=True
        )

    def element(self, rank: Expr) -> Expr:
        """The element of that rank."""
        place = self.places.at(*self.others, rank)
        return self.x.at(*[place if k == self.position else i for k, i in enumerate(self.plain)])

    def elements(self, count: Expr, rule: str) -> Tensor:
        """The first elements in order."""
        ranges, parts = {self.along: count}, self.parts(count)
        body = self.element(self.along)
        return formula(self.plain, body, ranges=ranges, parts=parts, rule=rule, hint=Hint("x"), kept=True)

    def first(self, count: Expr, rule: str) -> Tensor:
        """Their places, along the axis that they stand for."""
        return Tensor.defined(
            self.plain, self.places.at(*self.others, self.along), integer=True, ranges={self.along: count},
            parts=self.parts(count), rule=rule, hint=Hint("o"), kept=True,
        )  # fmt: skip

    def parts(self, count: Expr) -> list[Index]:
        return [] if sympy.expand(count - self.x.shape[self.position]) == 0 else [self.along]
