"""The reference semantics once more, vectorised: whole tensors at a time, in NumPy.

Enters: a system, values of its leaves (real or complex), sizes. Leaves: arrays; and the values of further
equations at the same point, in microseconds, for fingerprints of candidate rewrites.
Must not know: how anything is derived or lowered. Where it differs from `interpret`, it is wrong.

An equation is evaluated over the box of its indices (`symbp.ir.evaluation.box`); recurrences loop over
their own axis only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

import numpy as np

from symbp.errors import EvaluationError
from symbp.ir.evaluation.box import AS_THEY_ARE, Box, Conditions, large_sum, maximum
from symbp.ir.evaluation.interpret import leaf_array, length_of, size_values
from symbp.ir.expr import Expr, Index
from symbp.ir.groups import Group, groups
from symbp.ir.matrices import MatrixLeaf, fitted
from symbp.ir.system import Equation, System

MOST_PARTS, SMALL = 4000, 1000  # parts of bodies whose values are kept, elements of each
LARGE = 1 << 20  # elements of a box above which products are contracted instead of filled in


def run(
    system: System,
    values: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    wanted: Iterable[str] | None = None,
) -> dict[str, np.ndarray[Any, Any]]:
    """The value of every tensor of a system, or of those `wanted`, as `interpret.evaluate` defines them:
    float64 (complex128 if a leaf is complex), int64 for integer tensors; the same errors."""
    point = Run(system, values, sizes)
    if wanted is not None:
        return {name: point.tensor(name) for name in wanted}
    return point.everything()


def with_stopped(
    system: System, values: Mapping[str, Any], sizes: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The values of a point with those of all stopped values: they stay what they are where others move."""
    stopped = [e.target for e in system.equations if e.constant]
    return {**values, **(run(system, values, sizes, wanted=stopped) if stopped else {})}


class Run:
    """One point: leaves and sizes have values, tensors are computed when they are first asked for.

    A stopped value (the target of an equation that is `constant`) may be given one, which then counts.
    `value` evaluates an equation that needn't belong to the system; `define` adds a tensor to the point.
    `conditions` decides conditions on real values, and maxima, if the values themselves shall not.
    `box` is the arithmetic of one equation.
    """

    box: type[Box] = Box

    def __init__(
        self,
        system: System,
        values: Mapping[str, Any],
        sizes: Mapping[str, int] | None = None,
        conditions: Conditions = AS_THEY_ARE,
    ) -> None:
        held = {e.target for e in system.equations if e.constant and e.target in values}
        if held:
            left = tuple(e for e in system.equations if e.target not in held)
            system = system.with_(equations=left)
        self.system, self.values, self.conditions = system, values, conditions
        known = size_values(system, sizes or {})
        self.sizes = {size.name: int(value) for size, value in known.items()}
        self._substitution = known
        self._extents: dict[Expr, int] = {}
        self._arrays: dict[str, np.ndarray[Any, Any]] = {}
        self._groups: dict[str, tuple[int, Group]] | None = None  # with the place in the order
        self._ramps: dict[tuple[int, int, int], np.ndarray[Any, Any]] = {}
        self._parts: dict[object, dict[Expr, Any]] = {}  # values of parts of bodies, by the axes of their box
        self._keeping = False
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

    def everything(self, until: Callable[[Any], bool] = lambda _: False) -> dict[str, np.ndarray[Any, Any]]:
        """The arrays of all tensors that can be computed; they are computed now if they weren't before. If
        `until` holds of one, in the order of evaluation, that one alone."""
        for group in groups(self.system):
            for name in group.targets:
                array = self.tensor(name)
                if until(array):
                    return {name: array}
        return {t.name: self.tensor(t.name) for t in self.system.tensors if self.knows(t.name)}

    def knows(self, name: str) -> bool:
        """Whether the tensor has been computed, or is a leaf with a value."""
        return name in self._arrays or name in self.values

    def define(self, name: str, array: Any) -> None:
        """Adds a tensor to the point, readable by `value`."""
        if name in self._arrays:
            self._parts.clear()
        self._arrays[name] = np.asarray(array)

    def value(self, equation: Equation, *, kept: bool = False) -> np.ndarray[Any, Any]:
        """The right-hand side of an equation, an array of its target's shape; nothing is defined. What it has
        in common with others over its box is evaluated once, if that is to be `kept`."""
        if sum(map(len, self._parts.values())) > MOST_PARTS:
            self._parts.clear()
        self._keeping = kept
        try:
            with np.errstate(all="ignore"):
                return self._evaluate(equation, {})
        finally:
            self._keeping = False

    def extent(self, e: Expr) -> int:
        """The value of an extent in sizes."""
        known = self._extents.get(e)
        if known is None:
            known = self._extents[e] = length_of(e, self._substitution)
        return known

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
        axes = tuple((i, n) for i, n in ranges.items() if i not in point)
        box = self.box(self, equation, axes, point)
        if self._keeping and not point and prod(box.shape) <= SMALL:
            box.memo = self._parts.setdefault(axes, box.memo)
        if equation.op in ("max", "argmax"):
            return maximum(box, len(plain))
        if equation.op == "sum" and prod(box.shape) > LARGE:
            return large_sum(box, len(plain))
        mask = box.conjunction(equation.where, None)
        tensor = self.system.by_name.get(equation.target)
        integer = tensor is not None and tensor.integer
        value = box.integer(equation.body, mask) if integer else box.real(equation.body, mask)
        if equation.op == "prod" and mask is not None:
            value = np.where(mask, value, 1)
        whole = value if np.shape(value) == box.shape else np.broadcast_to(value, box.shape)
        if equation.op is None:
            return np.array(whole, dtype=np.int64 if integer else None)
        over = tuple(range(len(plain), len(box.shape)))
        return np.asarray(whole.sum(axis=over) if equation.op == "sum" else whole.prod(axis=over))

    def _matrix_leaf(
        self, equation: Equation, leaf: MatrixLeaf, ranges: Mapping[Index, int], point: Mapping[Index, int]
    ) -> np.ndarray[Any, Any]:
        """A leaf of linear algebra, of the matrices at all batch indices at once."""
        axes = [(i, n) for i, n in ranges.items() if i not in point and i not in equation.result]
        box = self.box(self, equation, axes, point)
        matrices = np.broadcast_to(box.real(equation.body, None), box.shape).astype(self.dtype)
        value = leaf.arrays(self.conditions.order(matrices.real) if leaf.integer else matrices)
        if "value" in leaf.result:
            value = fitted(value, ranges[equation.result[-1]])
        chosen = tuple(point.get(i, slice(None)) for i in equation.result)
        return np.asarray(value[(..., *chosen)] if chosen else value)
