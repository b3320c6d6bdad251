"""The reference semantics: any system over any domain, element by element, in plain loops.

Enters: a system, values of its leaves, sizes, a domain. Leaves: an array for every tensor wanted.
Must not know: how anything is derived, lowered or made fast. Slow, short and obviously right, it is the
meaning of everything else.

Guards are lazy: where one is 0, its product is 0 and nothing else of it is evaluated. A domain without an
order (residues) asks a companion run of 50 digits which branch is taken and where a maximum lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import sympy

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.box import AS_THEY_ARE, Conditions
from symbp.ir.evaluation.compiled import Compiled
from symbp.ir.evaluation.domains import FLOAT, HIGH, Domain, Residue
from symbp.ir.evaluation.dual import DualNumber
from symbp.ir.expr import (
    Expr,
    Size,
)
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, System, Tensor

Array = np.ndarray[Any, Any]


def evaluate(
    system: System,
    values: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    domain: Domain = FLOAT,
    wanted: Iterable[str] | None = None,
    conditions: Conditions = AS_THEY_ARE,
) -> dict[str, Array]:
    """The value of every tensor of a system, or of those `wanted`; leaves are included.

    `values` maps each leaf that is read to an array-like of its shape, `sizes` each size to an integer
    (`system.bound` gives defaults). Arrays have the domain's dtype: float64, complex128, or object.
    `conditions` decides conditions on real values, and maxima, if the values themselves shall not.

    Raises EvaluationError: a missing leaf or size, a wrong shape, a read out of range, a value that depends
    on itself. Raises OutsideDomain: a body that the domain cannot represent.
    """
    names = None if wanted is None else tuple(wanted)
    run = Interpreter(system, values, {**system.bound, **(sizes or {})}, domain, conditions)
    with np.errstate(all="ignore"):
        run.run(groups(system, names))
    shown = [t.name for t in system.tensors if t.name in run.arrays or t.name in values]
    return {name: run.result(name) for name in (shown if names is None else names)}


def length_of(extent: Expr, sizes: Mapping[Expr, Expr]) -> int:
    """How many elements an axis has. Raises EvaluationError: a quotient with a rest, less than none."""
    value = sympy.sympify(extent).xreplace(sizes)
    if not value.is_Integer:
        raise EvaluationError(f"the extent {extent} is not an integer", details=(f"it is {value}",))
    if value < 0:
        raise EvaluationError(
            f"the extent {extent} is {value}: an axis is too short for what is read from it, "
            "a kernel or a slice"
        )
    return int(value)


def size_values(system: System, sizes: Mapping[str, int]) -> dict[Expr, sympy.Integer]:
    """The substitution of a system's sizes. Raises EvaluationError for one that has no value."""
    known = {**system.bound, **sizes}
    missing = [name for name in system.sizes if name not in known]
    if missing:
        raise EvaluationError(f"size {missing[0]} has no value", help=f"pass sizes={{{missing[0]!r}: …}}")
    return {Size(name): sympy.Integer(int(value)) for name, value in known.items()}


def leaf_array(tensor: Tensor, value: Any, shape: tuple[int, ...]) -> Array:
    """The value of a leaf as an array of its shape. Raises EvaluationError if the shape is another."""
    array = np.asarray(value)
    if array.shape != shape:
        raise EvaluationError(
            f"the value of {tensor.name} has the wrong shape",
            where=tensor.origin,
            details=(f"declared: {tensor.shape} = {shape}", f"given: {array.shape}"),
        )
    return array


class Interpreter:
    """One evaluation of a system at one point; `arrays` fills group by group."""

    def __init__(
        self,
        system: System,
        values: Mapping[str, Any],
        sizes: Mapping[str, int],
        domain: Domain,
        conditions: Conditions = AS_THEY_ARE,
    ) -> None:
        self.system, self.values, self.domain, self.conditions = system, values, domain, conditions
        self.sizes = size_values(system, sizes)
        self.arrays: dict[str, Array] = {}
        self.compiled: dict[str, Compiled] = {}
        self.judge = self if domain.ordered else Interpreter(system, _primal(values), sizes, HIGH, conditions)

    def run(self, order: Sequence[Group]) -> None:
        """Evaluates the groups in their order, those of the companion first."""
        if self.judge is not self:
            self.judge.run(order)
        for group in order:
            self.group(group, {})

    def result(self, name: str) -> Array:
        """The array of a tensor, in the domain's dtype."""
        array = self.array(name)
        return array.astype(np.int64 if self.system.tensor(name).integer else self.domain.dtype)

    def extent(self, e: Expr) -> int:
        """The value of an extent in sizes."""
        return length_of(e, self.sizes)

    def array(self, name: str) -> Array:
        """The array of a tensor, made of its leaf's value on the first read."""
        if name not in self.arrays:
            tensor = self.system.tensor(name)
            if name not in self.values:
                raise EvaluationError(
                    f"{name} has no value",
                    where=tensor.origin,
                    details=(str(tensor),),
                    help="pass one in values",
                )
            given = leaf_array(tensor, self.values[name], tuple(self.extent(e) for e in tensor.shape))
            array = np.empty(given.shape, dtype=object)
            for at in np.ndindex(given.shape):
                array[at] = int(given[at]) if tensor.integer else self.domain.lift(given[at])
            self.arrays[name] = array
        return self.arrays[name]

    # --- equations
    def group(self, group: Group, fixed: Mapping[str, Mapping[int, int]]) -> None:
        """A group at the given positions of the loops around it (`fixed[target][axis]`)."""
        for equation in group.equations:
            self.allocate(equation)
        if group.loop is None:
            equation = group.equations[0]
            self.equation(equation, fixed.get(equation.target, {}))
            return
        axis = group.loop.axis
        length = {e.target: self.extent(e.ranges[axis[e.target]]) for e in group.equations}
        steps = range(max(length.values()))
        for t in steps if group.loop.step > 0 else reversed(steps):
            inside = {n: {**fixed.get(n, {}), axis[n]: t} for n in group.targets}
            for inner in group.inner:
                if all(t < length[name] for name in inner.targets):
                    self.group(inner, inside)

    def allocate(self, equation: Equation) -> None:
        """An array for the target, of elements that are None until they are evaluated."""
        if equation.target not in self.arrays:
            shape = tuple(self.extent(e) for e in equation.shape)
            self.arrays[equation.target] = np.full(shape, None, dtype=object)

    def equation(self, equation: Equation, fixed: Mapping[int, int]) -> None:
        """Every element of an equation's target, at fixed positions of the axes that are looped over."""
        if equation.target not in self.compiled:
            self.compiled[equation.target] = Compiled(self, equation)
        array, compiled = self.arrays[equation.target], self.compiled[equation.target]
        axes = [[fixed[k]] if k in fixed else range(n) for k, n in enumerate(array.shape)]
        names = [index.name for index in equation.indices]
        still = self.domain.still if equation.constant and not compiled.integer else None
        try:
            for at in product(*axes):
                value = compiled.element(dict(zip(names, at, strict=True)))
                array[at] = value if still is None else still(value)
        except OutsideDomain as refusal:
            raise OutsideDomain(
                refusal.what, where=equation.origin, details=(str(equation),), help=refusal.help
            ) from None


def _primal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the companion run: dual numbers without their tangents, residues as integers."""

    def plain(value: Any) -> Any:
        while isinstance(value, (DualNumber, Residue)):
            value = value.value
        return value

    everywhere = np.vectorize(plain, otypes=[object])
    return {name: everywhere(np.asarray(value, dtype=object)) for name, value in values.items()}
