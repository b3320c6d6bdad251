"""Operations element by element, reductions and products, on terms, numbers and what is known.

Enters: values, and what an operation means. Leaves: values. Must not know: foreign operations.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from symbp.interchange.inward.building.shapes import permuted, reshaped
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.values import (
    Filled,
    binary,
    condition,
    known,
    operand,
    refuse,
    shape_of,
    tensor,
    tidy,
)
from symbp.interchange.inward.writing import Term, Writer

KNOWN: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "**": operator.pow,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "=": operator.eq, "!=": operator.ne, "&": operator.and_, "|": operator.or_,
    "min": np.minimum, "max": np.maximum,
}  # fmt: skip
WHOLE = "iubO"
NAMED = {"=": "equal", "!=": "unequal", "max": "maximum", "min": "minimum"}


def all_known(*values: Any) -> list[Any] | None:
    """The arrays, if all are known."""
    found = [known(v) for v in values]
    return None if any(f is None for f in found) else found


def infix(w: Writer, op: str, a: Any, b: Any) -> Any:
    """a op b, broadcast from the last axis."""
    pair = all_known(a, b)
    if pair is not None:
        return tidy(_quotient(*pair) if op == "/" else KNOWN[op](*pair))
    masked = _masked(w, op, a, b)
    if masked is not None:
        return masked
    _check_ranks(a, b)
    left, right = operand(w, a), operand(w, b)
    if not isinstance(left, Term) and not isinstance(right, Term):
        refuse("two tensors of one number everywhere are combined")
    _check_filled(a, b)
    if op in NAMED:
        return w.call(NAMED[op], left, right)
    return w.infix(op, left, right)


def logical(w: Writer, op: str, a: Any, b: Any) -> Any:
    """Conditions joined by & or |."""
    pair = all_known(a, b)
    return tidy(KNOWN[op](*pair)) if pair is not None else w.infix(op, condition(w, a), condition(w, b))


def opposite(w: Writer, a: Any) -> Any:
    """Where a condition doesn't hold."""
    array = known(a)
    if isinstance(array, np.ndarray):
        return np.logical_not(array)
    return w.opposite(condition(w, a))


def chosen(w: Writer, where: Any, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`."""
    arrays = all_known(where, yes, no)
    if arrays is not None:
        return tidy(np.where(arrays[0].astype(bool), arrays[1], arrays[2]))
    if isinstance(where, Filled):
        return yes if where.number else no
    _check_ranks(where, yes, no)
    _check_filled(where, yes, no)
    return w.call("where", condition(w, where), operand(w, yes), operand(w, no))


def unary(w: Writer, function: str, a: Any, on_known: Callable[[Any], Any] | None = None, **more: Any) -> Any:
    """A function of one tensor."""
    array = known(a)
    if array is not None and on_known is not None:
        return tidy(on_known(array))
    return w.call(function, tensor(w, a), **more)


def negative(w: Writer, a: Any) -> Any:
    array = known(a)
    return w.negative(tensor(w, a)) if array is None else tidy(-array)


def reduced(w: Writer, function: str, a: Any, axes: Sequence[int] | None, keep: bool, **more: Any) -> Any:
    """A reduction over axes, all if none are named."""
    x = tensor(w, a)
    over = None if axes is None else tuple(k % x.rank for k in axes)
    if over is not None and len(set(over)) != len(over):
        refuse("an axis is reduced twice")
    if over == ():
        return x
    axis: Any = None if over is None or len(over) == x.rank else over[0] if len(over) == 1 else over
    return w.call(function, x, axis=axis, keepdims=keep, **more)


def product(w: Writer, a: Any, b: Any) -> Term:
    """A matrix product; leading axes are batches and broadcast."""
    x, y = tensor(w, a), tensor(w, b)
    if x.rank > 2 and y.rank > 2:
        x, y = _batched(w, x, y), _batched(w, y, x)
    return w.infix("@", x, y)


def _batched(w: Writer, x: Term, other: Term) -> Term:
    """x without the leading axes of 1 that the other one has more of."""
    subscripts: list[Any] = []
    extra = x.rank - other.rank
    for k in range(x.rank - 2):
        beside = other.shape[k - extra] if k >= extra else None
        alone = x.shape[k] == 1 and beside not in (1, None)
        if alone and any(s == slice(None) for s in subscripts):
            refuse("an axis of 1 element within the batches of a matrix product is repeated")
        subscripts.append(0 if alone else slice(None))
    return w.part(x, subscripts)


def linear(w: Writer, x: Term, weight: Term, bias: Term | None, turned: bool = True) -> Term:
    """x·Wᵀ + b over the last axis, or x·W + b."""
    own = w.turned(weight) if turned else weight
    if x.rank == 0 or own.rank != 2:
        refuse("a linear map takes a tensor with axes and a matrix")
    given = [] if bias is None else [bias]
    if x.seen is not None and x.seen[1][-1] == x.rank - 1:  # the other axes stay in the order that they had
        base, order = x.seen
        first = linear(w, base, weight, bias, turned)
        first = first if first.named or first.light else w.bound(first, w.names.numbered("linear"))
        placed: Term = permuted(w, first, order)
        return placed
    apart = _rows_apart(w, x)
    if apart is not None:  # rows that were joined for it: the map goes over the last axis of any tensor
        found = linear(w, apart, weight, bias, turned)
        found = found if found.named or found.light else w.bound(found, w.names.numbered("linear"))
        joined: Term = reshaped(w, found, (*x.shape[:-1], found.shape[-1]))
        return joined
    return w.call("dense", x, own, *given)


def _rows_apart(w: Writer, x: Term) -> Term | None:
    """What was reshaped to rows (R, D), with its leading axes as they were; None if that isn't so."""
    if x.flat is None or x.rank != 2:
        return None
    before = x.flat.shape
    for k in range(2, len(before)):
        if sympy.expand(sympy.Mul(*before[:k]) - x.shape[0]) == 0:
            found: Term = reshaped(w, x.flat, (*before[:k], x.shape[1]))
            return found
    return None


def _quotient(a: Any, b: Any) -> Any:
    if a.dtype.kind in WHOLE and b.dtype.kind in WHOLE:
        return a // b
    return a / b


def _masked(w: Writer, op: str, a: Any, b: Any) -> Term | None:
    """x + m with a held m of zeros and −∞: x where it is finite."""
    for x, m in ((a, b), (b, a)):
        if op == "+" and isinstance(m, Held) and m.array.dtype.kind == "f" and m.array.ndim:
            infinite = np.isneginf(m.array)
            if infinite.any() and m.kind != "parameter":
                if m.array[~infinite].any():
                    refuse(f"{m.name} holds −∞ beside other numbers than 0")
                seen = w.infix(">", binary(w, m, ~infinite), 0)
                return w.call("where", seen, tensor(w, x), -float("inf"))
    return None


def _check_ranks(*values: Any) -> None:
    """A single number with many axes would give the others new ones."""
    ranks = [len(shape_of(v)) for v in values if isinstance(v, Term)]
    alone = [len(array.shape) for v in values if (array := known(v)) is not None and array.size == 1]
    if ranks and max(alone, default=0) > max(ranks):
        refuse("a single number with more axes than the tensor beside it would give this new axes")


def _check_filled(*values: Any) -> None:
    """One number everywhere may stand for a tensor only where another one has its axes."""
    for one in (v for v in values if isinstance(v, Filled)):
        others = [shape_of(v) for v in values if isinstance(v, Term)]
        for k, extent in enumerate(reversed(one.shape), start=1):
            if extent != 1 and not any(len(s) >= k and s[-k] == extent for s in others):
                refuse("a tensor of one number everywhere has more elements than what stands beside it")
