"""Recognises matrix products: sums over a product of two dense operands.

Enters: an equation, the shapes of what it reads, the indices that loops around it fix. Leaves: `BilinearSum`,
the two operands, the grouping of the indices, and the factor that does not depend on what is summed; or None.
Must not know: targets, or anything but the equation's form.

A factor that mentions no summed index leaves the sum. What remains falls into two operands by index sets:
factors whose indices are contained in another's join it, so that `Σ_k W[j,k]·(p[n,k] − y[n,k])/N` is
`(p − y)·Wᵀ`, divided by N afterwards. An index that a loop around fixes counts as a number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, accesses, free_indices, product
from symbp.ir.machine import CALL
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation
from symbp.lower.program import leading_positions, plain_subscripts
from symbp.lower.select.windows import nominal


@dataclass(frozen=True)
class Side:
    """An operand: an expression over distinct indices, in the order of its axes."""

    body: Expr
    indices: tuple[Index, ...]
    array: Access | None = None  # the access that this operand is, if it needs no computing


@dataclass(frozen=True)
class BilinearSum:
    """`scale · Σ_summed left · right`, with the indices grouped as a matrix product needs them. Plain indices
    on which neither operand depends are in `scale` only, or nowhere."""

    scale: Expr
    left: Side
    right: Side
    batch: tuple[Index, ...]
    rows: tuple[Index, ...]
    summed: tuple[Index, ...]
    columns: tuple[Index, ...]

    @property
    def plain(self) -> tuple[Index, ...]:
        return self.batch + self.rows + self.columns


def split_scale(equation: Equation) -> tuple[Expr, list[Expr]]:
    """The factors of a sum's body without summed indices (multiplied), and the others in a stable order."""
    scale: list[Expr] = []
    inner: list[Expr] = []
    guards: list[Expr] = []
    for factor in sympy.Mul.make_args(equation.body):
        outside = not free_indices(factor) & set(equation.reduced)
        if isinstance(factor, Guard):
            guards.append(factor)
        else:
            (scale if outside else inner).append(factor)
    for guard in guards:
        # A guard stays beside what it excludes, which must not be evaluated.
        met = any(free_indices(guard) & free_indices(factor) for factor in inner)
        alone = not met and not free_indices(guard) & set(equation.reduced)
        (scale if alone else inner).append(guard)
    if any(isinstance(factor, Guard) for factor in inner):
        inner += [factor for factor in scale if factor.atoms(Access)]
        scale = [factor for factor in scale if not factor.atoms(Access)]
    return product(scale), sorted(inner, key=expression_text)


def match(
    equation: Equation, shapes: Mapping[str, tuple[Expr, ...]], fixed: Collection[Index] = ()
) -> BilinearSum | None:
    """The matrix product that the equation is, in the grouping that copies least, or None."""
    if equation.op != "sum":
        return None
    scale, factors = split_scale(equation)
    frame = _Frame(equation, frozenset(fixed), shapes)
    sides = _two_sides(factors, frame)
    if sides is None:
        return None
    found = [
        split
        for left, right in (sides, sides[::-1])
        for batch in _batches(frame, left, right)
        if (split := _grouped(frame, scale, left, right, batch)) is not None
    ]
    return min(found, key=lambda split: _effort(split, frame), default=None)


@dataclass(frozen=True)
class _Frame:
    """An equation and the indices that loops around it fix."""

    equation: Equation
    fixed: frozenset[Index]
    shapes: Mapping[str, tuple[Expr, ...]]

    @property
    def plain(self) -> tuple[Index, ...]:
        return tuple(i for i in self.equation.indices if i not in self.fixed)

    def free(self, e: Expr) -> frozenset[Index]:
        return free_indices(e) - self.fixed

    def subscripts(self, e: Expr) -> tuple[Index, ...] | None:
        """The indices of an access to a whole array, or to one at fixed leading positions, else None."""
        if not isinstance(e, Access) or isinstance(e, IntegerAccess):
            return None
        first = leading_positions(e, self.fixed)
        extents, shape = self.equation.extents, self.shapes[e.name]
        found = plain_subscripts(e, first)
        if not found or set(found) & self.fixed:
            return None
        positions = zip(e.subscripts[:first], shape[:first], strict=True)
        if any(within(s, extent, extents) for s, extent in positions):
            return None
        covers = zip(found, shape[first:], strict=True)
        return found if all(sympy.expand(extents[i] - extent) == 0 for i, extent in covers) else None


def _two_sides(factors: Sequence[Expr], frame: _Frame) -> tuple[Expr, Expr] | None:
    """The factors multiplied into two operands."""
    sets = [frame.free(factor) for factor in factors]
    largest = [s for k, s in enumerate(sets) if not any(s < t for t in sets) and s not in sets[:k]]
    if len(largest) == 2:
        first = [f for f, s in zip(factors, sets, strict=True) if s <= largest[0]]
        second = [f for f, s in zip(factors, sets, strict=True) if not s <= largest[0]]
        return _operands(first, second)
    if len(largest) == 1 and frame.plain:
        return _matrix_and_vector(factors, sets, frame)
    return None


def _matrix_and_vector(
    factors: Sequence[Expr], sets: Sequence[frozenset[Index]], frame: _Frame
) -> tuple[Expr, Expr] | None:
    """A matrix and a vector over what is summed; for each index of a batch, where both are plain reads."""
    summed = frozenset(frame.equation.reduced)
    whole = frozenset().union(*sets)
    small = [f for f, s in zip(factors, sets, strict=True) if s <= summed]
    if frozenset().union(*[frame.free(f) for f in small]) != summed:
        small = [f for f, s in zip(factors, sets, strict=True) if s != whole]
        if len(factors) != 2 or len(small) != 1 or not all(map(frame.subscripts, factors)):
            return None
        if not summed <= frame.free(small[0]):
            return None
    return _operands([f for f in factors if f not in small], small)


def _operands(first: Sequence[Expr], second: Sequence[Expr]) -> tuple[Expr, Expr] | None:
    """Two operands from their factors; None if one would hold zeros and ones, since sums under a guard need
    only visit what it selects."""
    if any(all(isinstance(f, Guard) for f in side) for side in (first, second)):
        return None
    return product(_with_guards(first, second)), product(_with_guards(second, first))


def _with_guards(own: Sequence[Expr], others: Sequence[Expr]) -> list[Expr]:
    """The factors of an operand with the guards that bear on them, those that stand in the other one too: a
    guard is its own square, and what it excludes is not evaluated in either."""
    values = [f for f in own if not isinstance(f, Guard)]
    met = frozenset().union(*[free_indices(f) for f in values])
    every = [f for f in (*own, *others) if isinstance(f, Guard)]
    bearing = [g for g in every if free_indices(g) & met and free_indices(g) <= met]
    elsewhere = [free_indices(f) for f in others if not isinstance(f, Guard)]
    kept = [g for g in own if isinstance(g, Guard) and not any(free_indices(g) <= s for s in elsewhere)]
    return [*values, *dict.fromkeys([*kept, *bearing])]


def _batches(frame: _Frame, left: Expr, right: Expr) -> list[tuple[Index, ...]]:
    """The indices to loop over: those that both operands carry, or, so that the product has the target's own
    order, all before the last run of one operand's indices and the run of the other's before it."""
    in_left, in_right = frame.free(left), frame.free(right)
    plain = [i for i in frame.plain if i in in_left | in_right]
    shared = tuple(i for i in plain if i in in_left & in_right)
    before = list(plain)
    for own, other in ((in_right, in_left), (in_left, in_right)):
        while before and before[-1] in own and before[-1] not in other:
            before.pop()
    return list(dict.fromkeys([shared, *([tuple(before)] if set(shared) <= set(before) else [])]))


def _grouped(
    frame: _Frame, scale: Expr, left: Expr, right: Expr, batch: tuple[Index, ...]
) -> BilinearSum | None:
    """The grouping with `left` giving rows and `right` columns, in loops over `batch`."""
    in_left, in_right, summed = frame.free(left), frame.free(right), frame.equation.reduced
    plain = tuple(i for i in frame.plain if i in in_left | in_right and i not in batch)
    if not set(summed) <= in_left & in_right:
        return None
    rows, columns = (tuple(i for i in plain if i in own) for own in (in_left, in_right))
    if not rows:  # a vector is always the right operand, so that the product is one of a matrix
        return None
    order = _summed_order((left, right), frame)
    sides = [
        _side(frame, body, tuple(i for i in batch if i in own), free, order)
        for body, own, free in ((left, in_left, rows), (right, in_right, columns))
    ]
    if sides[0] is None or sides[1] is None:
        return None
    return BilinearSum(scale, sides[0], sides[1], batch, rows, order, columns)


def _effort(split: BilinearSum, frame: _Frame) -> float:
    """Elements copied to bring operands and target into order, and the calls that the batch costs."""
    extents = frame.equation.extents

    def count(indices: Collection[Index]) -> float:
        return float(nominal(product(extents[i] for i in indices)))

    copied = sum(count(side.indices) for side in (split.left, split.right) if side.array is None)
    own = tuple(i for i in frame.plain if i in split.plain)
    turned = 0 if split.plain == own else count(split.plain)
    return copied + turned + CALL * count(split.batch)


def _summed_order(bodies: Sequence[Expr], frame: _Frame) -> tuple[Index, ...]:
    for body in bodies:
        subscripts = frame.subscripts(body)
        if subscripts:
            return tuple(i for i in subscripts if i in frame.equation.reduced)
    return frame.equation.reduced


def _side(
    frame: _Frame, body: Expr, batch: tuple[Index, ...], free: tuple[Index, ...], summed: tuple[Index, ...]
) -> Side | None:
    if isinstance(body, IntegerAccess):
        return None
    fitting = (batch + free + summed, batch + summed + free)
    subscripts = frame.subscripts(body)
    if subscripts in fitting:
        return Side(body, fitting[fitting.index(subscripts)], body)
    # An operand that needs computing takes the layout of what it reads, if that serves; what is read in
    # another order, or at windows, has its last axis last.
    reads = sorted(accesses(body), key=lambda a: (-len(free_indices(a)), expression_text(a)))
    for access in reads:
        found = plain_subscripts(access)
        if found in fitting:
            return Side(body, found)
    last = _innermost(reads[0], frame) if reads else None
    return Side(body, fitting[1] if last in free else fitting[0])


def _innermost(access: Access, frame: _Frame) -> Index | None:
    """The index that moves furthest along the last axis of an access."""
    moving = frame.free(access.subscripts[-1]) if access.subscripts else frozenset()
    extents = frame.equation.extents
    return max(sorted(moving, key=lambda i: i.name), key=lambda i: nominal(extents[i]), default=None)
