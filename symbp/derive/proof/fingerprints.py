"""Fingerprints: the values of tensors and of candidate expressions at random points, and a pool to search.

Enters: a system; expressions over its tensors. Leaves: "this equals 0, a constant, or c times that tensor",
as a proposal that float64 supports at two points and at a third one of other sizes, where conditions are free
(`free`); the finished derivation is confirmed at more of them (`confirm`).
Must not know: which rewrite asks.

Points have small sizes and leaves sampled by their facts; shapes are matched symbolically, never by the
sizes that a point happens to have. Nothing is concluded from what no point reaches: a condition that went one
way only, a label that did not occur, a condition on real values where it could not be drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import sympy
from numpy.typing import NDArray

from symbp.derive.proof.fixed import kinds_of
from symbp.derive.proof.free import FreeConditions, is_decided_freely
from symbp.derive.proof.points import free_runs, wide_run
from symbp.derive.proof.value import Value, orders
from symbp.errors import EvaluationError
from symbp.ir.evaluation.seen import conditions, labels_seen, labels_wanted, ways_taken, ways_wanted
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, Expr, Index
from symbp.ir.system import Equation, Reduction, Role, System

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]  # a new value beside the old one
Key = tuple[object, ...]
DRAWS = 6  # of each condition, at all points of a search together
TOLERANCE = 1e-9
ROUNDING = 1e-15  # a difference that says nothing: of values that would be 0, a singular determinant's
LAST_DIGITS = 1e-6  # relative: a form that differs by less may be the one that has more digits
MAY_BE_ROUNDING = 1e-3  # a value that is larger is one, whatever was added up: 1e-11 of less than 1e8
WITNESS, LARGEST_OF_WITNESS = 500, 13  # what the seed of the third point is more; the largest of its sizes


class Values:
    """The values of a growing system at two points or more, with a search by value; `beside` are further
    points, at which an earlier search was found wrong."""

    def __init__(self, system: System, seed: int = 7, beside: Sequence[Run] = ()) -> None:
        self.system = system
        self.kinds = kinds_of(system)
        self.shapes = {tensor.name: tensor.shape for tensor in system.tensors}
        self.runs = [*free_runs(system, self.kinds, seed, least=2, draws=DRAWS), *beside]
        self.sizes = [run.sizes for run in self.runs]
        self._witness = wide_run(system, self.kinds, seed + WITNESS, LARGEST_OF_WITNESS)
        self._later: list[Equation] = []  # what the witness hasn't been told of
        self.pool: dict[Key, list[str]] = {}
        self._memo: dict[object, Value | None] = {}
        self._coverage: dict[Expr, bool] = {}
        self._drawn = all(isinstance(run.conditions, FreeConditions) for run in self.runs)
        self.unproven: set[str] = self._unseen_labels()
        self.unproven = self._find_unproven()
        self.constants = self._constant_table()

    # --- evaluating
    def of(
        self,
        body: Expr,
        indices: Sequence[Index],
        extents: Mapping[Index, Expr],
        reduced: Sequence[Index] = (),
    ) -> Value | None:
        """The value of `Σ_reduced body` over the indices; None where it is not finite."""
        key = (body, *indices, *reduced, len(reduced), *[extents[i] for i in (*indices, *reduced)])
        if key not in self._memo:
            equation = sum_of(body, indices, extents, reduced)
            try:
                self._memo[key] = self.of_equation(equation) if self.proves(equation) else None
            except EvaluationError:  # without its guard, a factor may read out of range
                self._memo[key] = None
        return self._memo[key]

    def largest(self, body: Expr, indices: Sequence[Index], extents: Mapping[Index, Expr]) -> float:
        """The largest absolute value of an expression, whatever its points prove; 0 where it has no value."""
        try:
            value = self.of_equation(sum_of(body, indices, extents))
        except EvaluationError:
            return 0.0
        return 0.0 if value is None else value.largest

    def proves(self, equation: Equation) -> bool:
        """Whether the points say something about an equation: each of its conditions held and failed at some
        of them, those on real values by a draw, and it reads no tensor about which they say nothing."""
        if any(name in self.unproven for name in equation.read_names):
            return False
        if not self._drawn and is_decided_freely(equation, self.kinds):
            return False
        return all(
            self._covered(key, c, equation) for key, c in conditions(equation.body, equation.where).items()
        )

    def _covered(self, key: Expr, condition: Expr, equation: Equation) -> bool:
        if key not in self._coverage:
            found: set[bool] = set()
            for run in self.runs:
                found |= ways_taken(run, condition, equation, self.shapes)
            self._coverage[key] = ways_wanted(condition) <= found
        return self._coverage[key]

    def _unseen_labels(self) -> set[str]:
        """The integer leaves of which some value that matters did not occur."""
        return {
            name
            for name, wanted in labels_wanted(self.system).items()
            if not wanted <= frozenset[int]().union(*(labels_seen(run, name) for run in self.runs))
        }

    def _find_unproven(self) -> set[str]:
        """The tensors with a condition that goes one way at all points, and all that depend on them."""
        readers: dict[str, list[str]] = {}
        for equation in self.system.equations:
            for name in equation.read_names:
                readers.setdefault(name, []).append(equation.target)
        stack = [e.target for e in self.system.equations if not self.proves(e)]
        found: set[str] = set()
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack += readers.get(name, ())
        return found

    def of_equation(self, equation: Equation) -> Value | None:
        value = Value(np.asarray(run.value(equation, kept=True)) for run in self.runs)
        return value if all(np.all(np.isfinite(v)) for v in value) else None

    def tensor(self, name: str) -> Value:
        return Value(np.asarray(run.tensor(name), dtype=float) for run in self.runs)

    def define(self, equation: Equation) -> None:
        """Adds a new tensor, with its value."""
        self.shapes[equation.target] = equation.shape
        if not self.proves(equation):
            self.unproven.add(equation.target)
        for run in self.runs:
            run.define(equation.target, run.value(equation))
        self._later.append(equation)

    def witnessed(self, equation: Equation, found: Expr) -> bool:
        """Whether a right-hand side equals what was found for it at other sizes, too, where these say
        anything: some sizes, products of sizes, or extents such as D − K + 1 agree at two points by
        accident."""
        witness = self._witness
        try:
            for defined in self._later:
                witness.define(defined.target, witness.value(defined))
            self._later.clear()
            other = witness.value(sum_of(found, equation.indices, equation.extents))
            value = witness.value(equation)
        except EvaluationError:
            return True
        if not (np.all(np.isfinite(value)) and np.all(np.isfinite(other))):
            return True
        largest = float(np.max(np.abs(value), initial=0.0))
        return bool(np.max(np.abs(value - other), initial=0.0) <= 1e-6 * largest + 1e-9)

    # --- searching
    def remember(self, name: str) -> None:
        """Lets searches find this tensor, in any order of its axes."""
        for key in self._keys(self.shapes[name], self.tensor(name))[:1]:
            self.pool.setdefault(key, []).append(name)

    def find(
        self,
        value: Value | None,
        indices: Sequence[Index],
        extents: Mapping[Index, Expr],
        allowed: Callable[[str], bool],
        scale: Callable[[], float] = lambda: 0.0,
    ) -> Expr | None:
        """0, a constant, or c·tensor[…] with this value; `scale` gives the size of what was added up, against
        which rounding is told from a value (0 if nothing was: then only an exact zero is one)."""
        if value is None:
            return None
        if value.largest <= MAY_BE_ROUNDING and value.largest <= 1e-11 * scale():
            return sympy.Integer(0)
        if value.is_constant:
            constant = self._constant([float(v.flat[0]) for v in value])
            if constant is not None:
                return constant
        shape = tuple(extents[i] for i in indices)
        for key in self._keys(shape, value):
            for name in self.pool.get(key, ()):
                if not allowed(name):
                    continue
                for order in orders(self.shapes[name], shape):
                    ratio = self._ratio(value, Value(np.transpose(v, order) for v in self.tensor(name)))
                    if ratio is not None:
                        subscripts = [indices[order.index(axis)] for axis in range(len(indices))]
                        return ratio * Access(name, *subscripts)
        return None

    def key(self, value: Value, indices: Sequence[Index], extents: Mapping[Index, Expr]) -> Key | None:
        """What values that agree up to a factor and the order of their axes have in common; those that differ
        by rounding only may miss each other."""
        found: list[object] = [*sorted(str(extents[i]) for i in indices)]
        for v in value:
            peak = float(np.max(np.abs(v), initial=0.0))
            if peak == 0.0:
                return None
            unit = v.ravel() / peak
            found += [float(f"{abs(np.sum(unit)):.5g}"), float(f"{abs(np.sum(unit**3)):.5g}")]
        return tuple(found)

    def read_as(
        self,
        value: Value,
        indices: Sequence[Index],
        extents: Mapping[Index, Expr],
        definition: Equation,
        defined: Value,
    ) -> Expr | None:
        """The value as a number times a read of a tensor that is not there yet; None if it isn't that."""
        for order in orders([extents[i] for i in indices], definition.shape):
            ratio = self._ratio(Value(np.transpose(v, order) for v in value), defined)
            if ratio is not None:
                return ratio * Access(definition.target, *[indices[k] for k in order])
        return None

    def equal(self, a: Value | None, b: Value | None, scale: float = 0.0) -> bool:
        """Whether two values agree to rounding; `scale` is the size of what was added up on the way."""
        if a is None or b is None:
            return a is b
        for x, y in zip(a, b, strict=True):
            largest = float(np.max(np.abs(y), initial=0.0))
            bound = TOLERANCE * largest + 1e-11 * scale
            if x.shape != y.shape or float(np.max(np.abs(x - y), initial=0.0)) > bound:
                return False
        return True

    def same(self, equation: Equation, scale: float = 0.0) -> bool:
        """Whether another right-hand side has the value that its tensor has, wherever that is finite."""
        pairs = self._beside(equation)
        if pairs is None or not _has_values(pairs):
            return False
        for new, old in pairs:
            finite = np.isfinite(old)
            rounding = float(np.max(np.abs(new - old), initial=0.0, where=finite)) <= ROUNDING
            if not rounding and not self.equal(Value((new[finite],)), Value((old[finite],)), scale):
                return False
        return True

    def undecided(self, equation: Equation) -> bool:
        """Whether another right-hand side only has no value where its tensor has one (it divides by what is
        0), or differs from it in its last digits: nothing says then that it is wrong."""
        pairs = self._beside(equation)
        if pairs is None:
            return False
        return not _has_values(pairs) or all(_gap(pair) <= LAST_DIGITS for pair in pairs)

    def _beside(self, equation: Equation) -> list[Pair] | None:
        try:
            return [(run.value(equation), run.tensor(equation.target)) for run in self.runs]
        except EvaluationError:
            return None

    # --- inside
    def _keys(self, shape: tuple[Expr, ...], value: Value) -> list[Key]:
        """Hash keys of a value up to a scalar factor and the order of its axes."""
        axes = frozenset(Counter(shape).items())
        return [(axes, *key) for key in value.invariants]

    def _ratio(self, value: Value, other: Value) -> Expr | None:
        """c with value = c·other; a point where both are 0 says nothing, and one point alone only c = 1."""
        ratios: list[float | None] = []
        for x, y in zip(value, other, strict=True):
            if x.shape != y.shape or y.size == 0:
                return None
            at = int(np.argmax(np.abs(y)))
            if y.flat[at] == 0:
                if np.any(x):
                    return None
                ratios.append(None)
                continue
            ratio = float(x.flat[at]) / float(y.flat[at])
            if float(np.max(np.abs(x - ratio * y))) > TOLERANCE * (float(np.max(np.abs(x))) + 1e-300):
                return None
            ratios.append(ratio)
        found = self._constant(ratios)
        return found if found == 1 or len(ratios) - ratios.count(None) > 1 else None

    def _constant(self, values: Sequence[float | None]) -> Expr | None:
        """The named constant with these values at the points (None: any): a small rational times a power of
        a size."""
        first, known = next(((k, v) for k, v in enumerate(values) if v is not None), (0, 0.0))
        for bucket in dict.fromkeys((_bucket(known * (1 - TOLERANCE)), _bucket(known * (1 + TOLERANCE)))):
            for candidate, at_points in self.constants[first].get(bucket, ()):
                pairs = zip(at_points, values, strict=True)
                if all(y is None or abs(x - y) <= TOLERANCE * abs(x) for x, y in pairs):
                    return candidate
        return None

    def _constant_table(self) -> list[dict[float, list[tuple[Expr, tuple[float, ...]]]]]:
        """The named constants by their value at each point."""
        numbers = [sympy.Rational(*pq) for pq in ((1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2))]
        table: list[Expr] = list(numbers)
        for name in self.system.sizes:
            size = sympy.Symbol(name)
            table += [factor * k for factor in (size, 1 / size) for k in numbers[:4]]
        symbols = {s.name: s for s in _size_symbols(self.system)}
        rows: list[dict[float, list[tuple[Expr, tuple[float, ...]]]]] = [{} for _ in self.sizes]
        for candidate in table:
            named = candidate.xreplace({s: symbols.get(s.name, s) for s in candidate.free_symbols})
            at_points = tuple(
                float(candidate.xreplace({s: sympy.Integer(sizes[s.name]) for s in candidate.free_symbols}))
                for sizes in self.sizes
            )
            for row, value in zip(rows, at_points, strict=True):
                row.setdefault(_bucket(value), []).append((named, at_points))
        return rows


def sum_of(
    body: Expr, indices: Sequence[Index], extents: Mapping[Index, Expr], reduced: Sequence[Index] = ()
) -> Equation:
    """`Σ_reduced body` over the indices, of no tensor."""
    reduction = Reduction("sum", tuple(reduced)) if reduced else None
    ranges = tuple(extents[i] for i in (*indices, *reduced))
    return Equation("_", tuple(indices), body, reduction, (), ranges)


def _bucket(value: float) -> float:
    """Values that agree to seven digits share a bucket, or lie in neighbouring ones."""
    return float(f"{value:.7e}")


def _size_symbols(system: System) -> Iterator[Expr]:
    from symbp.ir.expr import free_sizes

    for extents in [t.shape for t in system.tensors] + [e.ranges for e in system.equations]:
        for extent in extents:
            yield from free_sizes(extent)


def searchable(system: System) -> list[str]:
    """The tensors whose values may be read back: real, and not a leaf of zeros and ones."""
    return [
        t.name
        for t in system.tensors
        if not t.integer
        and t.fact("binary") is None
        and t.fact("one hot") is None
        and t.role is not Role.HYPER
    ]


def _has_values(pairs: Sequence[Pair]) -> bool:
    """Whether the first is finite wherever the second is."""
    return all(bool(np.all(np.isfinite(new[np.isfinite(old)]))) for new, old in pairs)


def _gap(pair: Pair) -> float:
    """How far the first is from the second, by the largest entry, where the second is finite."""
    new, old = pair
    finite = np.isfinite(old)
    largest = float(np.max(np.abs(old), initial=0.0, where=finite))
    return float(np.max(np.abs(new - old), initial=0.0, where=finite)) / (largest or 1.0)
