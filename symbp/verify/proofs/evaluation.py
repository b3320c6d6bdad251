"""A system at one point, and further right-hand sides beside it; comparing what they give.

Enters: a system, a point. Leaves: arrays of elements of the point's domain, the first element that differs.
Must not know: steps, or where equations come from. The reference interpreter does the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from symbp.errors import InvalidSystem
from symbp.ir.evaluation.domains import Domain, Residue
from symbp.ir.evaluation.dual import DUAL, DualNumber, dual, tangent
from symbp.ir.evaluation.interpret import Interpreter
from symbp.ir.groups import groups
from symbp.ir.system import Equation, System, Tensor
from symbp.verify.proofs.points import Point, is_refusal
from symbp.verify.proofs.report import Mismatch

SIDE = "a side of a step"
TOLERANCE = 10**-36  # of 50 digits, relative to the largest element and to 1
SLOPE_TOLERANCE = 10**-30

Array = np.ndarray[Any, Any]
_ZERO = Fraction(0)


class Refused(Exception):
    """The point can't tell: a value is missing there."""


class Evaluation:
    """The tensors of a system at a point; what has no value there is refused where it is asked for."""

    def __init__(self, system: System, point: Point, wanted: Iterable[str] | None = None) -> None:
        self.system, self.point = system, point
        self.run = _interpreter(system, point, point.domain, point.values)
        _run(self.run, groups(system, None if wanted is None else tuple(wanted)))

    def tensor(self, name: str) -> Array:
        """The elements of a tensor."""
        try:
            array = self.run.array(name)
        except Exception as error:
            raise _refused(error) from None
        if any(value is None for value in array.flat):
            raise Refused(f"{name} has no value in {self.point.domain.name}")
        return array

    def value(self, equation: Equation) -> Array:
        """The right-hand side of an equation, for each of its indices."""
        known = self.system.by_name.get(equation.target)
        tensor = Tensor(SIDE, equation.shape, integer=known is not None and known.integer)
        run = _interpreter(
            self.system.with_(tensors=(*self.system.tensors, tensor)), self.point, self.point.domain, {}
        )
        run.values, run.arrays = self.run.values, dict(self.run.arrays)
        own = equation.with_(target=SIDE)
        try:
            with np.errstate(all="ignore"):
                run.allocate(own)
                run.equation(own, {})
        except Exception as error:
            raise _refused(error) from None
        return run.arrays[SIDE]


def slope(system: System, point: Point, of: str, along: str | None, moved: Mapping[str, Array]) -> Any:
    """The derivative of `Σ of`, or of `Σ of·along`, where tensors of the system, leaves or not, move along
    directions: by dual numbers, without any rule of symbp's own."""
    domain = DUAL(point.domain)
    leaves = {name: dual(point.values[name], at) for name, at in moved.items() if name in point.values}
    inner = {name: at for name, at in moved.items() if name not in point.values}
    run = _Moving(system, {**point.values, **leaves}, _sizes(system, point), domain, point.conditions)
    run.moved = inner
    try:
        with np.errstate(all="ignore"):
            run.run(groups(system, (of,)))
            moving = tangent(run.array(of), point.domain)
            weights: Any = None if along is None else run.array(along)
    except Exception as error:
        raise _refused(error) from None
    total = point.domain.rational(_ZERO)
    for at in np.ndindex(moving.shape):
        total = total + (moving[at] if weights is None else moving[at] * weights[at].value)
    return total


def dot(array: Array, direction: Array, domain: Domain) -> Any:
    """The sum of the products of two arrays' elements."""
    total = domain.rational(_ZERO)
    for at in np.ndindex(array.shape):
        total = total + array[at] * direction[at]
    return total


class _Moving(Interpreter):
    """An interpreter over dual numbers, in which tensors move by what `moved` says beside their equations."""

    moved: Mapping[str, Array] = {}

    def equation(self, equation: Equation, fixed: Mapping[int, int]) -> None:
        super().equation(equation, fixed)
        direction = self.moved.get(equation.target)
        if direction is None:
            return
        array = self.arrays[equation.target]
        for at in product(*[[fixed[k]] if k in fixed else range(n) for k, n in enumerate(array.shape)]):
            still = self.domain.lift(0)
            array[at] = array[at] + DualNumber(still.value, direction[at])


def directions(point: Point, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """A random direction for each array, of its shape."""
    rng = np.random.default_rng(len(arrays))
    found = {}
    for name, array in arrays.items():
        direction = np.empty(array.shape, dtype=object)
        for at in np.ndindex(direction.shape):
            direction[at] = point.domain.lift(int(rng.integers(1, 1 << 30)))
        found[name] = direction
    return found


def mismatch(
    what: str, left: Array, right: Array, point: Point, *, rounded: Any = TOLERANCE
) -> Mismatch | None:
    """The first element in which two arrays differ; where the left one is no number, nothing does."""
    if left.shape != right.shape:
        return Mismatch(what, "", f"shape {left.shape}", f"shape {right.shape}", point.sizes)
    bound: Any = 0
    if not point.exact:
        sizes = [abs(v) for v in left.flat if v == v and abs(v) != np.inf]
        bound = rounded * (max(sizes, default=0) + 1)
    for at in np.ndindex(left.shape):
        a, b = left[at], right[at]
        if a != a or _equal(a, b, bound, point.exact):
            continue
        element = f"[{','.join(map(str, at))}]" if at else ""
        return Mismatch(what, element, as_text(a), as_text(b), point.sizes)
    return None


def _equal(a: Any, b: Any, bound: Any, exact: bool) -> bool:
    if exact or a == b:
        return bool(a == b)
    return bool(abs(a - b) <= bound)


def as_text(value: Any) -> str:
    """A value for a message."""
    return str(value) if isinstance(value, (int, np.integer, Residue)) else f"{value!s:.24}"


def _interpreter(system: System, point: Point, domain: Domain, values: Mapping[str, Any]) -> Interpreter:
    return Interpreter(system, values, _sizes(system, point), domain, point.conditions)


def _sizes(system: System, point: Point) -> dict[str, int]:
    return {**system.bound, **point.sizes}


def _run(run: Interpreter, order: Iterable[Any]) -> None:
    """Evaluates what can be; what can't stays without a value, and so does what reads it."""
    with np.errstate(all="ignore"):
        for group in order:
            try:
                run.group(group, {})
            except Exception as error:
                if not is_refusal(error):
                    raise


def _refused(error: Exception) -> Exception:
    known = is_refusal(error) or isinstance(error, InvalidSystem)  # a step that reads what there isn't
    return Refused(str(error).splitlines()[0]) if known else error
