"""Views and rearrangements: reads at other subscripts, so that none needs a mechanism of its own.

Enters: tensors. Leaves: tensors with other axes. Must not know: derivatives.

A flattened axis is a mixed-radix number of the axes that it joins, the last running fastest; a concatenation
is a sum of guarded reads. Sizes may stay open throughout.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, FloorDiv, Guard, Index, Mod
from symbp.ir.shapes import Witness
from symbp.ir.sizes.canonical import canonical
from symbp.language.axes import axes, axis_numbers, one_for_each
from symbp.language.naming.frames import here
from symbp.language.node import Hint, counted, display
from symbp.language.notation import formula
from symbp.language.sizes import as_size, is_one, surely_differ, value_of
from symbp.language.tensor import Tensor
from symbp.ops.functions import constant
from symbp.ops.registry import example, op

FAMILY = "shapes"


@op(FAMILY, example("N H D"))
def flatten(x: Tensor, start: int = 1, end: int = -1) -> Tensor:
    """The axes from `start` to `end` as one, the last running fastest: by default all but the first."""
    axis_numbers(x, (start,) if start % x.rank == end % x.rank else (start, end))
    first, last = start % x.rank, end % x.rank
    joined = sympy.Mul(*x.shape[first : last + 1])
    return reshape(x, (*x.shape[:first], joined, *x.shape[last + 1 :]))


@op(
    FAMILY,
    example("N 6", shape=("N", 2, 3)),
    example("N 2 3", shape=("N", 6)),
    example("N 2 3", shape=("N", -1)),
)
def reshape(x: Tensor, shape: Sequence[Any]) -> Tensor:
    """The same elements in row-major order under another shape; one entry may be −1, for what is left.

    Entries are sizes, integers, or the names of sizes of x. A size that is parted by others is their product
    from then on, so a named one must be written so. Raises ShapeError: another number of elements.
    """
    named = {str(s): s for extent in x.shape for s in sorted(extent.free_symbols, key=str)}
    entries = shape if isinstance(shape, (list, tuple)) else (shape,)
    wanted = [named.get(e, e) if isinstance(e, str) else e for e in entries]
    total = sympy.Mul(*x.shape)
    if any(isinstance(e, int) and e == -1 for e in wanted):
        rest = [e for e in wanted if not (isinstance(e, int) and e == -1)]
        if len(rest) + 1 != len(wanted):
            raise ShapeError("reshape finds one −1, not several", where=here())
        left = _quotient(total, sympy.Mul(*map(sympy.sympify, rest)), x)
        wanted = [left if isinstance(e, int) and e == -1 else e for e in wanted]
    extents = [_extent(e, x) for e in wanted]
    if _differ(sympy.Mul(*extents), total):
        raise ShapeError(
            f"{display(x)} has {_shape(x.shape)} elements, which is no shape {_shape(extents)}",
            where=here(),
            help="give a shape with as many elements, or -1 for one of its axes",
        )
    plain = axes(len(extents), "r")
    subscripts: list[Expr] = []
    joined = []
    for old, new in _groups(list(x.shape), extents):
        before, after = (sympy.Mul(*[s[k] for k in run]) for s, run in ((x.shape, old), (extents, new)))
        where = f"{'axis' if len(old) == 1 else 'axes'} {', '.join(map(str, old))} of {display(x)}"
        joined.append((Witness(before, where), Witness(after, "the new shape")))
        place = sympy.S.Zero
        for k in new:
            place = place * extents[k] + plain[k]
        subscripts += _digits(sympy.expand(place), [x.shape[k] for k in old])
    ranges = dict(zip(plain, extents, strict=True))
    return formula(
        plain,
        x.at(*subscripts),
        ranges=ranges,
        parts=plain,
        joined=tuple(joined),
        rule="reshape",
        hint=Hint(),
    )


def _groups(old: Sequence[Expr], new: Sequence[Expr]) -> list[tuple[list[int], list[int]]]:
    """The axes of both shapes in the smallest runs that have as many elements."""
    found: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(old) or j < len(new):
        for a, b in sorted(
            itertools.product(range(i, len(old) + 1), range(j, len(new) + 1)), key=lambda ab: (sum(ab), ab)
        ):
            if (a > i or b > j) and _equal(sympy.Mul(*old[i:a]), sympy.Mul(*new[j:b])):
                run = (list(range(i, a)), list(range(j, b)))
                break
        else:
            run = (list(range(i, len(old))), list(range(j, len(new))))
        found.append(run)
        i, j = i + len(run[0]), j + len(run[1])
    return found


def _digits(place: Expr, extents: Sequence[Expr]) -> list[Expr]:
    """A place among the elements as one subscript for each extent, the last running fastest."""
    digits: list[Expr] = []
    stride = sympy.S.One
    for position, extent in enumerate(reversed(extents)):
        upper = FloorDiv(place, stride)
        digits.append(upper if position == len(extents) - 1 else Mod(upper, extent))
        stride = stride * extent
    return digits[::-1]


def _extent(entry: Any, x: Tensor) -> Expr:
    """An entry of a new shape; an integer that is the value of an axis of x is that axis's own size."""
    if isinstance(entry, sympy.Expr) and not entry.is_Integer:
        return as_size(entry)
    if isinstance(entry, str):
        raise DeclarationError(f"{display(x)} has no size {entry!r}", where=here())
    same = next((e for e in x.shape if value_of(e) == int(entry)), None)
    return as_size(entry) if same is None else same


def _value(e: Expr) -> Expr:
    value = value_of(e)
    return e if value is None else sympy.Integer(value)


def _equal(a: Expr, b: Expr) -> bool:
    """Whether two numbers of elements agree, sizes with a value taken by it."""
    factors = {s: _value(s) for s in (a.free_symbols | b.free_symbols)}
    return bool(sympy.expand((a - b).xreplace(factors)) == 0)


def _differ(a: Expr, b: Expr) -> bool:
    """Whether two numbers of elements can't agree: by their values, or at no sizes."""
    values = value_of(a), value_of(b)
    return surely_differ(a, b) if None in values else values[0] != values[1]


def _quotient(total: Expr, rest: Expr, x: Tensor) -> Expr:
    factors = {s: _value(s) for s in (total.free_symbols | rest.free_symbols)}
    left = sympy.cancel(total / rest)
    if _is_whole(left):
        return left
    valued = sympy.cancel(total.xreplace(factors) / rest.xreplace(factors))
    if valued.is_Integer:
        return as_size(int(valued))
    if _is_whole(valued):
        return valued
    if not valued.is_number:  # a condition, once the shape is known
        return canonical(FloorDiv(total, rest))
    raise ShapeError(
        f"{display(x)} of shape {_shape(x.shape)} can't be parted by {rest}",
        where=here(),
        help="the size -1 stands for is what the others leave",
    )


def _is_whole(e: Expr) -> bool:
    """Whether an expression in sizes is a polynomial with whole coefficients."""
    terms = sympy.Add.make_args(sympy.expand(e))
    return bool(e.is_polynomial()) and all(term.as_coeff_Mul()[0].is_Integer for term in terms)


def _shape(shape: Sequence[Expr]) -> str:
    return f"({', '.join(map(str, shape))})"


@op(FAMILY, example("N H D", order=(2, 0, 1)))
def permute(x: Tensor, order: Sequence[int]) -> Tensor:
    """The axes in another order. Raises ShapeError: not each axis once."""
    numbers = [k % x.rank if -x.rank <= k < x.rank else k for k in order]
    if sorted(numbers) != list(range(x.rank)):
        each = f"each of the {counted(x.rank, 'axis', 'axes')} of {display(x)}"
        raise ShapeError(f"permute needs {each} once, not {tuple(order)}", where=here())
    plain = axes(x.rank)
    return formula([plain[k] for k in numbers], x.at(*plain), rule="permute")


@op(FAMILY, example("N H D", a=0, b=2))
def transpose(x: Tensor, a: int = -2, b: int = -1) -> Tensor:
    """Two axes exchanged."""
    order = list(range(x.rank))
    axis_numbers(x, (a, b))
    order[a], order[b] = order[b], order[a]
    return permute(x, order)


@op(FAMILY, example("N H", axis=1))
def unsqueeze(x: Tensor, axis: int) -> Tensor:
    """A new axis of 1 element."""
    position = axis % (x.rank + 1)
    return formula(
        [*(plain := axes(x.rank))[:position], new := Index("o"), *plain[position:]],
        x.at(*plain),
        ranges={new: as_size(1)},
        rule="new axis",
    )


@op(FAMILY, example("N 1 H", axis=1))
def squeeze(x: Tensor, axis: int) -> Tensor:
    """Without an axis of 1 element. Raises ShapeError: it has more."""
    (position,) = axis_numbers(x, axis)
    if value_of(x.shape[position]) != 1:
        raise ShapeError(
            f"axis {axis} of {display(x)} has {x.shape[position]} elements, not 1", where=here(),
            help="sum, mean or max over it, or read it at one place",
        )  # fmt: skip
    plain = axes(x.rank - 1)
    return formula(plain, x.at(*plain[:position], 0, *plain[position:]), rule="squeeze")


@op(FAMILY, example("N 1 D", shape=("N", 3, "D")), example("D", shape=(4, "D")))
def expand(x: Tensor, shape: Sequence[Any]) -> Tensor:
    """The tensor repeated along axes of 1 element, and along new leading axes."""
    named = {str(s): s for extent in x.shape for s in sorted(extent.free_symbols, key=str)}
    wanted = [named.get(e, e) if isinstance(e, str) else e for e in shape]
    extents = [_extent(e, x) for e in wanted]
    plain = axes(len(extents))
    own = plain[len(plain) - x.rank :]
    read = [0 if is_one(e) else i for i, e in zip(own, x.shape, strict=True)]
    return formula(plain, x.at(*read), ranges=dict(zip(plain, extents, strict=True)), rule="expand")


@op(FAMILY, example("N H", "N D", axis=1), example("N H", "D H", "K H", axis=0))
def concat(*tensors: Tensor, axis: int = -1) -> Tensor:
    """Tensors one after the other along an axis. Raises ShapeError: another number of axes."""
    first = _alike(tensors, "concat")
    plain, (position,) = axes(first.rank), axis_numbers(first, axis)
    along, start, body = plain[position], sympy.S.Zero, sympy.S.Zero
    for number, x in enumerate(tensors):
        stop = start + x.shape[position]
        read = x.at(*[along - start if k == position else i for k, i in enumerate(plain)])
        own = Guard("<", along, stop) if number < len(tensors) - 1 else sympy.S.One
        own *= Guard("<=", start, along) if number else sympy.S.One
        body, start = body + own * read, stop
    return formula(plain, body, ranges={along: start}, parts=[along], rule="concatenation", kept=True)


@op(FAMILY, example("N H", "N H"), example("N H", "N H", "N H", axis=1))
def stack(*tensors: Tensor, axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis."""
    first = _alike(tensors, "stack")
    plain, new = axes(first.rank), Index("q")
    position = axis % (first.rank + 1)
    body = sum(Guard("=", new, k) * x.at(*plain) for k, x in enumerate(tensors))
    return formula(
        [*plain[:position], new, *plain[position:]],
        body,
        ranges={new: as_size(len(tensors))},
        rule="stack",
        kept=True,
    )


def _alike(tensors: Sequence[Tensor], what: str) -> Tensor:
    if not tensors:
        raise DeclarationError(f"{what} needs tensors", where=here())
    for x in tensors:
        if x.rank != tensors[0].rank:
            raise ShapeError(
                f"{what} needs tensors with the same number of axes", where=here(),
                details=tuple(f"{display(t)}: {_shape(t.shape)}" for t in tensors),
            )  # fmt: skip
    return tensors[0]


@op(FAMILY, example("N H", widths=((0, 0), (1, 2))), example("N H", widths=((1, 0), (0, 3)), value=0.5))
def pad(x: Tensor, widths: Sequence[tuple[int, int]], value: Any = 0) -> Tensor:
    """A margin of `value` around the tensor: (before, after) for each axis."""
    if len(widths) != x.rank or any(w < 0 for pair in widths for w in pair):
        each = f"each of the {counted(x.rank, 'axis', 'axes')} of {display(x)}"
        raise ShapeError(f"pad needs (before, after), not negative, for {each}", where=here())
    plain = axes(x.rank)
    ranges = {i: e + a + b for i, e, (a, b) in zip(plain, x.shape, widths, strict=True) if a or b}
    subscripts = [i - a for i, (a, _) in zip(plain, widths, strict=True)]
    read = x.at(*subscripts, outside=constant(value, "pad's value"))
    unpadded = {i: e for i, e in zip(plain, x.shape, strict=True) if i not in ranges}
    return formula(plain, read, ranges={**ranges, **unpadded}, rule="padding", kept=True)


@op(FAMILY, example("N H", axis=1))
def flip(x: Tensor, axis: int) -> Tensor:
    """One axis in reverse order."""
    return _moved(x, axis, lambda i, extent: extent - 1 - i, "flip")


@op(FAMILY, example("N H", shift=2, axis=1), example("N H", shift=-1, axis=1))
def roll(x: Tensor, shift: int, axis: int) -> Tensor:
    """Each element `shift` places further along an axis; what leaves at the end comes in at the start."""
    return _moved(x, axis, lambda i, extent: Mod(i - shift, extent), "roll")


@op(FAMILY, example("N H", times=3, axis=1))
def tile(x: Tensor, times: int, axis: int) -> Tensor:
    """An axis several times over: a b a b."""
    return _moved(x, axis, lambda i, extent: Mod(i, extent), "tile", times)


@op(FAMILY, example("N H", times=3, axis=1))
def repeat(x: Tensor, times: int, axis: int) -> Tensor:
    """Each element of an axis several times: a a b b."""
    return _moved(x, axis, lambda i, _: FloorDiv(i, sympy.Integer(times)), "repeat", times)


def _moved(x: Tensor, axis: int, place: Any, rule: str, times: int = 1) -> Tensor:
    plain, (position,) = axes(x.rank), axis_numbers(x, axis)
    extent = x.shape[position]
    subscripts = [place(i, extent) if k == position else i for k, i in enumerate(plain)]
    return formula(plain, x.at(*subscripts), ranges={plain[position]: times * extent}, rule=rule)


@op(FAMILY, example("K D", "N: labels"), example("D K", "N: labels", axis=1))
def take(x: Tensor, at: Tensor, axis: int = 0) -> Tensor:
    """x[at[n], …]: the rows of x at the given places (an embedding), or its slices along another axis.

    Raises ShapeError: `at` is declared with another number of classes than there are places.
    """
    lead, every, (position,) = axes(at.rank, "n"), axes(x.rank), axis_numbers(x, axis)
    plain = [*every[:position], *lead, *every[position + 1 :]]
    read = [at.at(*lead) if k == position else i for k, i in enumerate(every)]
    rule, joined = "rows" if position == 0 else "slices", one_for_each(at, x, position)
    return formula(plain, x.at(*read), rule=rule, joined=joined, kept=True)


@op(FAMILY, example("N K", "N: labels"))
def pick(x: Tensor, at: Tensor) -> Tensor:
    """x[n, at[n]]: from each row the element at its own place along the last axis."""
    lead = axes(at.rank, "n")
    joined = one_for_each(at, x, x.rank - 1)
    return formula(lead, x.at(*lead, at.at(*lead)), rule="element of each row", joined=joined, kept=True)
