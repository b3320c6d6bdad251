"""One equation over the box of its indices: every index is an axis, every subexpression an array in the box.

Enters: an equation, the point that gives tensors their arrays. Leaves: arrays that broadcast in the box.
Must not know: systems, groups, recurrences. What a guard excludes may be computed, but it never reaches the
result and is never read out of range.
"""

from __future__ import annotations

import operator
from collections.abc import Container, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, reduce
from math import prod
from operator import add, le, mul
from typing import Any, Protocol

import numpy as np
import sympy

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.domains import REFUSED, elementwise, float_power
from symbp.ir.expr import (
    Access,
    Expr,
    FloorDiv,
    Guard,
    Index,
    IntegerAccess,
    Mod,
    Size,
    guards_of,
    nan_guards,
)
from symbp.ir.system import FLAT, Equation

Array = Any  # an array that broadcasts in the box, or a scalar
Mask = Any  # a boolean array that broadcasts in the box; None where every element counts


class Conditions(Protocol):
    """Who decides conditions on real values, and which of them is a maximum; `drawn` counts the elements that
    were decided by chance, by condition."""

    @property
    def drawn(self) -> Mapping[object, int]: ...

    def holds(self, guard: Guard, lhs: Array, rhs: Array) -> Array:
        """Where a relation between real values holds; the arrays (or numbers) of its sides broadcast."""

    def order(self, values: Array) -> Array:
        """Numbers, not −∞ unless the value is, by which a maximum is chosen among the values."""


class AsTheyAre:
    """Conditions decided by the values, which is what they mean."""

    @property
    def drawn(self) -> Mapping[object, int]:
        return {}

    def holds(self, guard: Guard, lhs: Array, rhs: Array) -> Array:
        return _COMPARE[guard.op](lhs, rhs)

    def order(self, values: Array) -> Array:
        return values


AS_THEY_ARE = AsTheyAre()


class Point(Protocol):
    """What a box needs of the point at which it is evaluated."""

    sizes: dict[str, int]
    is_complex: bool
    conditions: Conditions

    def tensor(self, name: str) -> Any:
        """The array of a tensor."""

    def ramp(self, axis: int, extent: int, rank: int) -> Any:
        """0, 1, …, extent − 1 along one axis of a box."""


class Box:
    """The box of an equation's indices, some of them fixed, and the arrays of subexpressions in it."""

    def __init__(
        self, run: Point, equation: Equation, axes: Sequence[tuple[Index, int]], fixed: Mapping[Index, int]
    ) -> None:
        self.run, self.equation, self.fixed = run, equation, fixed
        self.axis = {index: k for k, (index, _) in enumerate(axes)}
        self.shape = tuple(extent for _, extent in axes)
        self.memo: dict[Expr, Array] = {}  # of values that no mask restricts

    # --- bodies
    def real(self, e: Expr, mask: Mask) -> Array:
        """The value of a real expression where the mask holds (anything elsewhere)."""
        if mask is not None:
            return self._real(e, mask)
        value = self.memo.get(e)
        if value is None:
            value = self.memo[e] = self._real(e, mask)
        return value

    def _real(self, e: Expr, mask: Mask) -> Array:
        if isinstance(e, Access):
            if isinstance(e, IntegerAccess):
                return self.integer(e, mask) * 1.0
            return self.read(e, mask, self.real)
        if e.is_Mul or isinstance(e, Guard):
            return self._product(e, mask)
        if e.is_Add:
            return reduce(add, [self.real(term, mask) for term in e.args])
        if e.is_Rational:
            return e.p / e.q
        if e.is_Pow and e.exp.is_Rational:
            return float_power(self.real(e.base, mask), _fraction(e.exp))
        if isinstance(e, (Index, Size, FloorDiv, Mod)):
            return self.integer(e, mask) * 1.0
        name = type(e).__name__
        if name in REFUSED or not (e.is_Function or e.is_Pow or e.is_number):
            raise OutsideDomain(
                f"{name} cannot be evaluated: {e}", where=self.equation.origin, details=(str(self.equation),)
            )
        if e.is_Function or e.is_Pow:
            arguments = [self.real(argument, mask) for argument in e.args]
            return elementwise(name, self.run.is_complex)(*arguments)
        return _number(e)

    def _product(self, e: Expr, mask: Mask) -> Array:
        """Guards first; the other factors count only where they hold."""
        guards, rest = _apart(e)
        if not guards:
            return reduce(mul, [self.real(factor, mask) for factor in rest])
        holds = self.conjunction(guards, mask, nan_guards(e))
        if not holds.any():
            return 0.0
        if not rest:
            return holds * 1.0
        inside = holds if mask is None else holds & mask
        return np.where(holds, reduce(mul, [self.real(factor, inside) for factor in rest]), 0.0)

    def conjunction(self, guards: Sequence[Expr], mask: Mask, nan_passes: Container[Expr] = ()) -> Mask:
        """Where all the guards hold, or a NaN passes; None if there are none."""
        holds = None
        for guard in guards_of(guards):
            inside = mask if holds is None else holds if mask is None else holds & mask
            one = self._holds(guard, inside, guard in nan_passes)
            holds = one if holds is None else holds & one
        return holds

    def _holds(self, e: Guard, mask: Mask, nan_passes: bool) -> Array:
        if e.lhs.is_integer and e.rhs.is_integer:
            return np.asarray(_COMPARE[e.op](self.integer(e.lhs, mask), self.integer(e.rhs, mask)))
        lhs, rhs = np.real(self.real(e.lhs, mask)), np.real(self.real(e.rhs, mask))
        held = np.asarray(self.run.conditions.holds(e, lhs, rhs))
        return held | np.isnan(lhs) | np.isnan(rhs) if nan_passes else held

    # --- subscripts
    def integer(self, e: Expr, mask: Mask) -> Array:
        """The value of an integer expression where the mask holds."""
        if isinstance(e, Index):
            if e in self.fixed:
                return self.fixed[e]
            axis = self.axis[e]
            return self.run.ramp(axis, self.shape[axis], len(self.shape))
        if e.is_Integer:
            return int(e)
        if isinstance(e, Size):
            return self.run.sizes[e.name]
        if isinstance(e, IntegerAccess):
            return self.read(e, mask, self.integer)
        if isinstance(e, (FloorDiv, Mod)):
            a, b = self.integer(e.args[0], mask), self.integer(e.args[1], mask)
            return a // b if isinstance(e, FloorDiv) else a % b
        if e.is_Add:
            return reduce(add, [self.integer(term, mask) for term in e.args])
        if e.is_Mul or isinstance(e, Guard):
            guards, rest = _apart(e)
            holds = self.conjunction(guards, mask)
            inside = mask if holds is None else holds if mask is None else holds & mask
            value = reduce(mul, [self.integer(f, inside) for f in rest], 1)
            return value if holds is None else np.where(holds, value, 0)
        if e.is_Pow and e.exp.is_Integer and e.exp > 0:
            return self.integer(e.base, mask) ** int(e.exp)
        raise EvaluationError(
            f"{e} is not made of integers", where=self.equation.origin, details=(str(self.equation),)
        )

    # --- reads
    def read(self, access: Access, mask: Mask, evaluate: Any) -> Array:
        """The elements that an access reads, or their outside values."""
        array, subscripts = self.run.tensor(access.name), access.subscripts
        if _is_plain(access):
            extents = [self._extent(s) for s in subscripts]
            if all(map(le, extents, array.shape)):
                return self._plain(array, subscripts, extents)
        at = [self.integer(s, mask) for s in subscripts]
        missed: Any = False
        for k, n in zip(at, array.shape, strict=True):
            missed = missed | (k < 0) | (k >= n)
        if not (missed if isinstance(missed, bool) else missed.any()):
            return array[tuple(at)]
        if access.outside is None:
            wrong = missed if mask is None else missed & mask
            if np.any(wrong):
                raise self._out_of_range(access, at, wrong)
        if array.size == 0:
            inside: Any = array.dtype.type(0)
        else:
            inside = array[
                tuple([np.minimum(np.maximum(k, 0), n - 1) for k, n in zip(at, array.shape, strict=True)])
            ]
        if access.outside is None:
            return inside
        return np.where(missed, evaluate(access.outside, missed if mask is None else missed & mask), inside)

    def _extent(self, index: Index) -> int:
        """How far an index runs here (one past its position if it is fixed)."""
        return self.fixed[index] + 1 if index in self.fixed else self.shape[self.axis[index]]

    def _plain(self, array: Any, subscripts: Sequence[Index], extents: Sequence[int]) -> Array:
        """A read at distinct plain indices that run so far: a view, with its axes in the order of the box."""
        fixed = self.fixed
        pairs = zip(subscripts, extents, strict=True)
        view = array[tuple([fixed[s] if s in fixed else slice(n) for s, n in pairs])]
        axes = [self.axis[s] for s in subscripts if s not in fixed]
        if not axes:
            return view
        order = sorted(range(len(axes)), key=axes.__getitem__)
        shape = [1] * len(self.shape)
        for k in axes:
            shape[k] = self.shape[k]
        return view.transpose(order).reshape(shape)

    def _out_of_range(self, access: Access, at: Sequence[Array], wrong: Any) -> EvaluationError:
        where = tuple(k[0] for k in np.nonzero(wrong))
        element = [int(np.broadcast_to(k, np.shape(wrong) or ())[where]) for k in at]
        return EvaluationError(
            f"{access.name}[{', '.join(map(str, element))}] is read out of its range",
            where=self.equation.origin,
            details=(
                f"the read {access} in {self.equation}",
                f"the shape of {access.name}: {self.run.tensor(access.name).shape}",
            ),
            help="guard the read, or give it a value outside of the range (outside=0)",
        )


@lru_cache(maxsize=1024)
def _fraction(e: Expr) -> Fraction:
    """A rational number, as Python's."""
    return Fraction(int(e.p), int(e.q))


@lru_cache(maxsize=65536)
def _apart(e: Expr) -> tuple[tuple[Guard, ...], tuple[Expr, ...]]:
    """The guards of a product and its other factors; of a guard alone, it and nothing."""
    factors = e.args if e.is_Mul else (e,)
    return (
        tuple(f for f in factors if isinstance(f, Guard)),
        tuple(f for f in factors if not isinstance(f, Guard)),
    )


@lru_cache(maxsize=65536)
def _is_plain(access: Access) -> bool:
    """Whether an access is at plain indices, each once."""
    subscripts = access.subscripts
    return all(isinstance(s, Index) for s in subscripts) and len(set(subscripts)) == len(subscripts)


_COMPARE = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le}


@lru_cache(maxsize=1024)
def _number(e: Expr) -> float:
    """π, e, ∞ and other numbers as floats."""
    return float(e)


def large_sum(box: Box, rank: int) -> np.ndarray[Any, Any]:
    """A sum over the axes from `rank` on, term by term; products contract without filling the box."""
    total: Any = np.zeros(box.shape[:rank])
    axes = tuple(range(rank, len(box.shape)))
    for term in sympy.Add.make_args(box.equation.body):
        factors = sympy.Mul.make_args(term)
        if any(isinstance(factor, Guard) for factor in factors):
            total = total + np.broadcast_to(box.real(term, None), box.shape).sum(axis=axes)
            continue
        operands: list[Any] = []
        missing = dict.fromkeys(axes)
        for factor in factors:
            value = np.asarray(box.real(factor, None))
            kept = [k for k, extent in enumerate(value.shape) if extent == box.shape[k]]
            operands += [value.reshape([value.shape[k] for k in kept]), kept]
            missing = {k: None for k in missing if k not in kept}
        count = prod(box.shape[k] for k in missing)
        out = sorted({k for kept in operands[1::2] for k in kept if k < rank})
        value = np.einsum(*operands, out, optimize=True) * count
        total = total + value.reshape([box.shape[k] if k in out else 1 for k in range(rank)])
    return np.asarray(total)


def maximum(box: Box, rank: int) -> np.ndarray[Any, Any]:
    """The maximum over the axes from `rank` on, or the index of the first one."""
    equation = box.equation
    mask = box.conjunction(equation.where, None)
    plain, reduced = box.shape[:rank], box.shape[rank:]
    flat = (*plain, prod(reduced))
    value = np.broadcast_to(box.real(equation.body, mask), box.shape).reshape(flat)
    chosen = np.broadcast_to(True if mask is None else mask, box.shape).reshape(flat)
    if flat[-1] == 0:
        return np.full(plain, -1) if equation.op == "argmax" else np.full(plain, -np.inf)
    order = np.where(chosen, box.run.conditions.order(value.real), -np.inf)
    first = order.argmax(axis=-1)
    lowest = np.take_along_axis(order, first[..., None], -1)[..., 0] == -np.inf
    first = np.where(lowest, chosen.argmax(axis=-1), first)  # an excluded element is no maximum
    empty = ~chosen.any(axis=-1)
    if equation.op == "argmax":
        assert equation.reduction is not None
        component = equation.reduction.component
        places = first if component == FLAT else np.unravel_index(first, reduced)[component]
        return np.where(empty, -1, places)
    best = np.take_along_axis(value, first[..., None], -1)[..., 0]
    return np.asarray(np.where(empty, -np.inf, best))
