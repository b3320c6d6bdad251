"""The reference semantics once more, vectorised: whole tensors at a time, in NumPy.

Enters: a system, values of its leaves (real or complex), sizes. Leaves: arrays; and the values of further
equations at the same point, in microseconds, for fingerprints of candidate rewrites.
Must not know: how anything is derived or lowered. Where it differs from `symbp.ir.interpret`, it is wrong.

An equation is evaluated over the box of its indices: every index is an axis, every subexpression an array
that broadcasts in the box. What a guard excludes may be computed, but it never reaches the result and is
never read out of range. Recurrences loop over their own axis only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, reduce
from math import prod
from operator import add, mul
from typing import Any

import numpy as np
import sympy

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.domains import REFUSED, elementwise, float_power
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, IntegerAccess, Mod, Size, guards_of
from symbp.ir.groups import Group, groups
from symbp.ir.interpret import leaf_array, size_values
from symbp.ir.matrices import MatrixLeaf
from symbp.ir.system import Equation, System

LARGE = 1 << 20  # elements of a box above which products are contracted instead of filled in
Array = Any  # an array that broadcasts in the box, or a scalar
Mask = Any  # a boolean array that broadcasts in the box; None where every element counts


def run(
    system: System,
    values: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    wanted: Iterable[str] | None = None,
) -> dict[str, np.ndarray[Any, Any]]:
    """The value of every tensor of a system, or of those `wanted`, as `symbp.ir.interpret.evaluate` defines
    them: float64 (complex128 if a leaf is complex), int64 for integer tensors; the same errors."""
    point = Run(system, values, sizes)
    if wanted is not None:
        return {name: point.tensor(name) for name in wanted}
    for group in groups(system):
        for name in group.targets:
            point.tensor(name)
    return {t.name: point.tensor(t.name) for t in system.tensors if point.knows(t.name)}


class Run:
    """One point: leaves and sizes have values, tensors are computed when they are first asked for.

    `value` evaluates an equation that needn't belong to the system; `define` adds a tensor to the point.
    """

    def __init__(
        self, system: System, values: Mapping[str, Any], sizes: Mapping[str, int] | None = None
    ) -> None:
        self.system, self.values = system, values
        known = size_values(system, sizes or {})
        self.sizes = {size.name: int(value) for size, value in known.items()}
        self._substitution = known
        self._extents: dict[Expr, int] = {}
        self._arrays: dict[str, np.ndarray[Any, Any]] = {}
        self._groups: dict[str, tuple[int, Group]] | None = None  # with the place in the order
        self._ramps: dict[tuple[int, int, int], np.ndarray[Any, Any]] = {}
        self.is_complex = any(np.iscomplexobj(value) for value in values.values())
        self.dtype = np.complex128 if self.is_complex else np.float64

    # --- tensors
    def tensor(self, name: str) -> np.ndarray[Any, Any]:
        """The array of a tensor; it and what it rests on are computed now if they weren't before."""
        if name not in self._arrays:
            if name in self.system.defining:
                self._compute(name)
            else:
                self._arrays[name] = self._leaf(name)
        return self._arrays[name]

    def knows(self, name: str) -> bool:
        """Whether the tensor has been computed, or is a leaf with a value."""
        return name in self._arrays or name in self.values

    def define(self, name: str, array: Any) -> None:
        """Adds a tensor to the point, readable by `value`."""
        self._arrays[name] = np.asarray(array)

    def value(self, equation: Equation) -> np.ndarray[Any, Any]:
        """The right-hand side of an equation, an array of its target's shape; nothing is defined."""
        with np.errstate(all="ignore"):
            return self._evaluate(equation, {})

    def extent(self, e: Expr) -> int:
        """The value of an extent in sizes."""
        if e not in self._extents:
            value = e.xreplace(self._substitution)
            if not value.is_Integer:
                raise EvaluationError(f"the extent {e} is not an integer", details=(f"it is {value}",))
            self._extents[e] = int(value)
        return self._extents[e]

    def ramp(self, axis: int, extent: int, rank: int) -> np.ndarray[Any, Any]:
        """0, 1, …, extent − 1 along one axis of a box."""
        key = (axis, extent, rank)
        if key not in self._ramps:
            self._ramps[key] = np.arange(extent).reshape([-1 if k == axis else 1 for k in range(rank)])
        return self._ramps[key]

    def _leaf(self, name: str) -> np.ndarray[Any, Any]:
        tensor = self.system.tensor(name)
        if name not in self.values:
            raise EvaluationError(
                f"{name} has no value", where=tensor.origin, details=(str(tensor),), help="pass one in values"
            )
        array = leaf_array(tensor, self.values[name], tuple(self.extent(e) for e in tensor.shape))
        if tensor.integer:
            return array.astype(np.int64)
        return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)

    def _compute(self, name: str) -> None:
        """Evaluates the missing groups that a tensor needs, in their order."""
        if self._groups is None:
            order = enumerate(groups(self.system))
            self._groups = {target: (k, group) for k, group in order for target in group.targets}
        needed: dict[str, None] = {}
        stack = [name]
        while stack:
            target = stack.pop()
            if target not in needed and target not in self._arrays and target in self._groups:
                for member in self._groups[target][1].equations:
                    needed[member.target] = None
                    stack += member.read_names
        with np.errstate(all="ignore"):
            missing = dict(self._groups[target] for target in needed)
            for place in sorted(missing):
                self._group(missing[place], {})

    def _group(self, group: Group, fixed: Mapping[str, Mapping[int, int]]) -> None:
        """A group at the given positions of the loops around it (`fixed[target][axis]`)."""
        if group.loop is None:
            equation = group.equations[0]
            at = fixed.get(equation.target, {})
            value = self._evaluate(equation, at)
            if not at:
                self._arrays[equation.target] = value
            else:
                rank = len(equation.indices)
                self._arrays[equation.target][tuple(at.get(k, slice(None)) for k in range(rank))] = value
            return
        for equation in group.equations:
            if equation.target not in self._arrays:
                shape = tuple(self.extent(e) for e in equation.shape)
                integer = self.system.tensor(equation.target).integer
                self._arrays[equation.target] = np.zeros(shape, np.int64 if integer else self.dtype)
        axis = group.loop.axis
        length = {e.target: self.extent(e.ranges[axis[e.target]]) for e in group.equations}
        steps = range(max(length.values()))
        for t in steps if group.loop.step > 0 else reversed(steps):
            inside = {n: {**fixed.get(n, {}), axis[n]: t} for n in group.targets}
            for inner in group.inner:
                if all(t < length[name] for name in inner.targets):
                    self._group(inner, inside)

    # --- one equation
    def _evaluate(self, equation: Equation, fixed: Mapping[int, int]) -> np.ndarray[Any, Any]:
        """The elements of the target at fixed positions of some axes: an array over the other axes."""
        ranges = {i: self.extent(e) for i, e in zip(equation.all_indices, equation.ranges, strict=True)}
        point = {equation.indices[k]: at for k, at in fixed.items()}
        plain = tuple(n for i, n in list(ranges.items())[: len(equation.indices)] if i not in point)
        if equation.leaf is not None:
            return self._matrix_leaf(equation, equation.leaf, ranges, point)
        box = _Box(self, equation, [(i, n) for i, n in ranges.items() if i not in point], point)
        if equation.op in ("max", "argmax"):
            return _maximum(box, len(plain))
        if equation.op == "sum" and prod(box.shape) > LARGE:
            return _large_sum(box, len(plain))
        mask = box.conjunction(equation.where, None)
        tensor = self.system.by_name.get(equation.target)
        integer = tensor is not None and tensor.integer
        value = box.integer(equation.body, mask) if integer else box.real(equation.body, mask)
        if equation.op == "prod" and mask is not None:
            value = np.where(mask, value, 1)
        whole = np.broadcast_to(value, box.shape)
        axes = tuple(range(len(plain), len(box.shape)))
        if equation.op is None:
            return np.array(whole, dtype=np.int64 if integer else None)
        return np.asarray(whole.sum(axis=axes) if equation.op == "sum" else whole.prod(axis=axes))

    def _matrix_leaf(
        self, equation: Equation, leaf: MatrixLeaf, ranges: Mapping[Index, int], point: Mapping[Index, int]
    ) -> np.ndarray[Any, Any]:
        """A leaf of linear algebra, of the matrices at all batch indices at once."""
        axes = [(i, n) for i, n in ranges.items() if i not in point and i not in equation.result]
        box = _Box(self, equation, axes, point)
        matrices = np.broadcast_to(box.real(equation.body, None), box.shape).astype(self.dtype)
        value = leaf.arrays(matrices)
        chosen = tuple(point.get(i, slice(None)) for i in equation.result)
        return np.asarray(value[(..., *chosen)] if chosen else value)


def _large_sum(box: _Box, rank: int) -> np.ndarray[Any, Any]:
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


def _maximum(box: _Box, rank: int) -> np.ndarray[Any, Any]:
    """The maximum over the axes from `rank` on, or the index of the first one."""
    equation = box.equation
    mask = box.conjunction(equation.where, None)
    plain, reduced = box.shape[:rank], box.shape[rank:]
    flat = (*plain, prod(reduced))
    value = np.broadcast_to(box.real(equation.body, mask), box.shape).reshape(flat)
    chosen = np.broadcast_to(True if mask is None else mask, box.shape).reshape(flat)
    if flat[-1] == 0:
        return np.full(plain, -1) if equation.op == "argmax" else np.full(plain, -np.inf)
    order = np.where(chosen, value.real, -np.inf)
    first = order.argmax(axis=-1)
    lowest = np.take_along_axis(order, first[..., None], -1)[..., 0] == -np.inf
    first = np.where(lowest, chosen.argmax(axis=-1), first)  # an excluded element is no maximum
    empty = ~chosen.any(axis=-1)
    if equation.op == "argmax":
        assert equation.reduction is not None
        return np.where(empty, -1, np.unravel_index(first, reduced)[equation.reduction.component])
    best = np.take_along_axis(value, first[..., None], -1)[..., 0]
    return np.asarray(np.where(empty, -np.inf, best))


class _Box:
    """The box of an equation's indices, some of them fixed, and the arrays of subexpressions in it."""

    def __init__(
        self, run: Run, equation: Equation, axes: Sequence[tuple[Index, int]], fixed: Mapping[Index, int]
    ) -> None:
        self.run, self.equation, self.fixed = run, equation, fixed
        self.axis = {index: k for k, (index, _) in enumerate(axes)}
        self.shape = tuple(extent for _, extent in axes)
        self.memo: dict[Expr, Array] = {}  # of values that no mask restricts

    # --- bodies
    def real(self, e: Expr, mask: Mask) -> Array:
        """The value of a real expression where the mask holds (anything elsewhere)."""
        if mask is None and e in self.memo:
            return self.memo[e]
        value = self._real(e, mask)
        if mask is None:
            self.memo[e] = value
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
            return float_power(self.real(e.base, mask), Fraction(int(e.exp.p), int(e.exp.q)))
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
        factors = e.args if e.is_Mul else (e,)
        guards = [factor for factor in factors if isinstance(factor, Guard)]
        rest = [factor for factor in factors if not isinstance(factor, Guard)]
        if not guards:
            return reduce(mul, [self.real(factor, mask) for factor in rest])
        holds = self.conjunction(guards, mask)
        if not np.any(holds):
            return 0.0
        if not rest:
            return holds * 1.0
        inside = holds if mask is None else holds & mask
        return np.where(holds, reduce(mul, [self.real(factor, inside) for factor in rest]), 0.0)

    def conjunction(self, guards: Sequence[Expr], mask: Mask) -> Mask:
        """Where all the guards hold; None if there are none."""
        holds = None
        for guard in guards_of(guards):
            inside = mask if holds is None else holds if mask is None else holds & mask
            one = self._holds(guard, inside)
            holds = one if holds is None else holds & one
        return holds

    def _holds(self, e: Guard, mask: Mask) -> Array:
        if e.lhs.is_integer and e.rhs.is_integer:
            lhs, rhs = self.integer(e.lhs, mask), self.integer(e.rhs, mask)
        else:
            lhs, rhs = np.real(self.real(e.lhs, mask)), np.real(self.real(e.rhs, mask))
        return np.asarray(_COMPARE[e.op](lhs, rhs))

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
            factors = e.args if e.is_Mul else (e,)
            holds = self.conjunction([f for f in factors if isinstance(f, Guard)], mask)
            inside = mask if holds is None else holds if mask is None else holds & mask
            value = reduce(mul, [self.integer(f, inside) for f in factors if not isinstance(f, Guard)], 1)
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
        plain = all(isinstance(s, Index) for s in subscripts) and len(set(subscripts)) == len(subscripts)
        if plain and all(self._extent(s) <= n for s, n in zip(subscripts, array.shape, strict=True)):
            return self._plain(array, subscripts)
        at = [self.integer(s, mask) for s in subscripts]
        missed: Any = False
        for k, n in zip(at, array.shape, strict=True):
            missed = missed | (k < 0) | (k >= n)
        if not np.any(missed):
            return array[tuple(at)]
        if access.outside is None:
            wrong = missed if mask is None else missed & mask
            if np.any(wrong):
                raise self._out_of_range(access, at, wrong)
        if array.size == 0:
            inside: Any = array.dtype.type(0)
        else:
            inside = array[tuple([np.clip(k, 0, n - 1) for k, n in zip(at, array.shape, strict=True)])]
        if access.outside is None:
            return inside
        return np.where(missed, evaluate(access.outside, missed if mask is None else missed & mask), inside)

    def _extent(self, index: Index) -> int:
        """How far an index runs here (one past its position if it is fixed)."""
        return self.fixed[index] + 1 if index in self.fixed else self.shape[self.axis[index]]

    def _plain(self, array: Any, subscripts: Sequence[Index]) -> Array:
        """A read at distinct plain indices: a view, with its axes in the order of the box."""
        view = array[
            tuple([self.fixed[s] if s in self.fixed else slice(self._extent(s)) for s in subscripts])
        ]
        axes = [self.axis[s] for s in subscripts if s not in self.fixed]
        order = sorted(range(len(axes)), key=axes.__getitem__)
        shape = [1] * len(self.shape)
        for k in axes:
            shape[k] = self.shape[k]
        return view.transpose(order).reshape(shape) if axes else view

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


_COMPARE = {"=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal}


@lru_cache(maxsize=1024)
def _number(e: Expr) -> float:
    """π, e, ∞ and other numbers as floats."""
    return float(e)
