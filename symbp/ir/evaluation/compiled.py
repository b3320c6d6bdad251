"""The closures of one equation: its body, conditions and subscripts as functions of its indices.

Enters: an equation, the `Run` that it is evaluated in. Leaves: the value of each element. Must not know: in
which order equations are evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import mul
from typing import Any, Protocol

import numpy as np
import sympy

from symbp.errors import EvaluationError
from symbp.ir.evaluation.box import AS_THEY_ARE, Conditions
from symbp.ir.evaluation.closures import Closure, Closures, Env
from symbp.ir.evaluation.domains import FLOAT, Domain, Value
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
from symbp.ir.matrices import MatrixLeaf
from symbp.ir.system import FLAT, Equation, System

Array = np.ndarray[Any, Any]


Position = tuple[int, ...]


class Run(Protocol):
    """An evaluation that equations are part of; `judge` is the one that decides conditions and orders."""

    system: System
    domain: Domain
    conditions: Conditions

    @property
    def sizes(self) -> Mapping[Any, Any]:
        """The values of sizes."""

    @property
    def judge(self) -> Run:
        """Itself, where its numbers have an order."""

    def extent(self, e: Expr) -> int:
        """The value of an extent in sizes."""

    def array(self, name: str) -> Array:
        """The array of a tensor."""


class Compiled:
    """The closures of one equation."""

    def __init__(self, run: Run, equation: Equation) -> None:
        self.run, self.equation = run, equation
        self.extents = [range(run.extent(e)) for e in equation.ranges[len(equation.indices) :]]
        self.names = [index.name for index in equation.reduced]
        places = equation.op == "argmax" or equation.leaf is not None
        self.integer = run.system.tensor(equation.target).integer
        integer = self.integer and not places
        closures = _Integers(run, equation) if integer else _Reals(run, equation)
        self.body = closures.value(equation.body)
        self.matrices: dict[Position, Any] = {}
        judge = _Reals(run.judge, equation)
        self.where = [judge.guard(guard) for guard in equation.where]
        if equation.op in ("max", "argmax") or (equation.leaf is not None and equation.leaf.integer):
            self.criterion = judge.value(equation.body)

    def integers(self, e: Expr) -> Callable[[Env], int]:
        """A subscript as a function of the equation's indices."""
        return _Integers(self.run, self.equation).value(e)

    def holds(self, guard: Guard, env: dict[str, int]) -> bool:
        """Whether a condition holds at the equation's indices."""
        return _Reals(self.run.judge, self.equation).guard(guard)(env)

    def element(self, env: dict[str, int]) -> Value:
        """One element of the target, at the plain indices of `env`."""
        op, domain = self.equation.op, self.run.domain
        if op is None:
            return self.body(env)
        if op in ("max", "argmax"):
            return self.maximum(env)
        if self.equation.leaf is not None:
            return self.matrix_leaf(self.equation.leaf, env)
        total = domain.rational(Fraction(int(op == "prod")))
        for inner in self.elements(env):
            value = self.body(inner)
            total = total * value if op == "prod" else total + value
        return total

    def matrix_leaf(self, leaf: MatrixLeaf, env: dict[str, int]) -> Value:
        """One element of a leaf of linear algebra; the whole is computed once for each matrix."""
        result = [index.name for index in self.equation.result]
        batch = tuple(at for name, at in env.items() if name not in result)
        if batch not in self.matrices:
            value: Callable[[Any], Any] = self.ranked if leaf.integer else self.body
            domain = FLOAT if leaf.integer else self.run.domain  # ranked values are in order as they are
            first, *rest = self.extents
            elements: list[Any] = [{**env, self.names[0]: r} for r in first]
            if rest:
                elements = [[value({**at, self.names[1]: c}) for c in rest[0]] for at in elements]
            else:
                elements = [value(at) for at in elements]
            try:
                self.matrices[batch] = leaf.exact(domain, elements)
            except EvaluationError as error:
                details = (str(self.equation), f"at {dict(zip(env, batch, strict=False))}" if batch else "")
                raise EvaluationError(
                    error.what,
                    where=self.equation.origin,
                    details=details[: 1 + bool(batch)],
                    help=error.help,
                ) from None
        whole = self.matrices[batch]
        for name in result:
            if env[name] >= len(whole):  # more singular values than there are
                return self.run.domain.rational(Fraction(0))
            whole = whole[env[name]]
        return whole

    def ranked(self, env: dict[str, int]) -> Any:
        """What an order, or a maximum, compares."""
        return self.run.conditions.order(self.run.judge.domain.order(self.criterion(env)))

    def elements(self, env: dict[str, int]) -> Iterable[dict[str, int]]:
        """The reduced indices' values, in row-major order, where the conditions hold."""
        for at in product(*self.extents):
            inner = {**env, **dict(zip(self.names, at, strict=True))}
            if all(guard(inner) for guard in self.where):
                yield inner

    def place(self, at: dict[str, int]) -> int:
        """The component of a position that an argmax stores."""
        assert self.equation.reduction is not None
        component = self.equation.reduction.component
        if component != FLAT:
            return at[self.names[component]]
        place = 0
        for name, extent in zip(self.names, self.extents, strict=True):
            place = place * len(extent) + at[name]
        return place

    def maximum(self, env: dict[str, int]) -> Value:
        """The first maximum's value, or its index; not a number if one of the elements is none."""
        best, where = None, None
        for inner in self.elements(env):
            value = self.ranked(inner)
            if where is None or value > best or (value != value and best == best):
                best, where = value, inner
        if self.equation.op == "argmax":
            return -1 if where is None else self.place(where)
        return self.run.domain.constant(-sympy.oo) if where is None else self.body(where)


# --- closures
class _Reads:
    """How subscripts, guards and reads compile; one equation's, for the messages."""

    def __init__(self, run: Run, equation: Equation) -> None:
        self.run, self.equation = run, equation

    def integer(self, e: Expr) -> Callable[[Env], int]:
        return _Integers(self.run, self.equation).value(e)

    def guard(self, e: Guard, nan_passes: bool = False) -> Callable[[Env], bool]:
        """Whether a relation holds, or a NaN passes; one between reals is decided by the run that has an
        order."""
        if e.lhs.is_integer and e.rhs.is_integer:
            lhs, rhs = self.integer(e.lhs), self.integer(e.rhs)
            return lambda env: bool(AS_THEY_ARE.holds(e, lhs(env), rhs(env)))
        reals, order = _Reals(self.run.judge, self.equation), self.run.judge.domain.order
        left, right, holds = reals.value(e.lhs), reals.value(e.rhs), self.run.conditions.holds
        if not nan_passes:
            return lambda env: bool(holds(e, order(left(env)), order(right(env))))

        def unless_it_fails(env: Env) -> bool:
            a, b = order(left(env)), order(right(env))
            return bool(holds(e, a, b) or a != a or b != b)  # of NaN neither is equal to itself

        return unless_it_fails

    def read(self, access: Access, outside: Callable[[Env], Any] | None) -> Callable[[Env], Any]:
        """The read of an element, or its outside value."""
        subscripts = [self.integer(s) for s in access.subscripts]
        array = self.run.array(access.name)
        shape = array.shape

        def element(env: Env) -> Any:
            at = tuple([s(env) for s in subscripts])
            for k, n in zip(at, shape, strict=True):
                if not 0 <= k < n:
                    if outside is None:
                        raise self.error(access, at, shape, "is read out of its range")
                    return outside(env)
            value = array[at]
            if value is None:
                raise self.error(access, at, shape, "is read before it has been evaluated")
            return value

        return element

    def error(self, access: Access, at: Position, shape: Position, problem: str) -> EvaluationError:
        return EvaluationError(
            f"{access.name}[{', '.join(map(str, at))}] {problem}",
            where=self.equation.origin,
            details=(f"the read {access} in {self.equation}", f"the shape of {access.name}: {shape}"),
            help="guard the read, or give it a value outside of the range (outside=0)",
        )


class _Reals(Closures):
    """Closures of bodies: accesses are read, guards are lazy factors, integers are lifted."""

    def __init__(self, run: Run, equation: Equation) -> None:
        super().__init__(run.domain)
        self.reads = _Reads(run, equation)

    def extent(self, e: Expr) -> int:
        return self.reads.run.extent(e)

    def guard(self, e: Guard) -> Callable[[Env], bool]:
        return self.reads.guard(e)

    def product(self, e: Expr) -> Closure:
        parts = sympy.Mul.make_args(e)
        rest = [f for f in parts if not isinstance(f, Guard)]
        passes = nan_guards(e)
        guards = [self.reads.guard(g, g in passes) for g in guards_of(parts)]
        factors = [self.value(f) for f in rest]
        if not guards:
            return lambda env: reduce(mul, [factor(env) for factor in factors])
        zero, one = (self.domain.rational(Fraction(k)) for k in (0, 1))

        def lazily(env: Env) -> Value:
            for guard in guards:
                if not guard(env):
                    return zero
            return reduce(mul, [factor(env) for factor in factors]) if factors else one

        return lazily

    def other(self, e: Expr) -> Closure:
        if isinstance(e, Guard):
            return self.product(e)
        if isinstance(e, Access) and not isinstance(e, IntegerAccess):
            return self.reads.read(e, None if e.outside is None else self.value(e.outside))
        if isinstance(e, (Index, Size, IntegerAccess, FloorDiv, Mod)):
            integer, rational = self.reads.integer(e), self.domain.rational
            return lambda env: rational(Fraction(integer(env)))
        return super().other(e)


class _Integers:
    """Closures of subscripts and of integer tensors' bodies: exact, on Python's integers."""

    def __init__(self, run: Run, equation: Equation) -> None:
        self.sizes, self.reads = run.sizes, _Reads(run, equation)

    def value(self, e: Expr) -> Callable[[Env], int]:
        if e.is_Integer or isinstance(e, Size):
            number = int(self.sizes[e] if isinstance(e, Size) else e)
            return lambda env: number  # noqa: ARG005
        if isinstance(e, Index):
            name = e.name
            return lambda env: env[name]
        if isinstance(e, IntegerAccess):
            return self.reads.read(e, None if e.outside is None else self.value(e.outside))
        if isinstance(e, Guard):
            holds = self.reads.guard(e)
            return lambda env: int(holds(env))
        return self.compound(e)

    def compound(self, e: Expr) -> Callable[[Env], int]:
        if e.is_Mul:  # guards first: where one is 0, nothing else is read
            ranked = sorted(e.args, key=lambda factor: not isinstance(factor, Guard))
            factors = [self.value(factor) for factor in ranked]

            def lazily(env: Env) -> int:
                total = 1
                for factor in factors:
                    total *= factor(env)
                    if total == 0:
                        return 0
                return total

            return lazily
        arguments = [self.value(argument) for argument in e.args]
        if e.is_Add:
            return lambda env: sum(argument(env) for argument in arguments)
        if isinstance(e, (FloorDiv, Mod)):
            a, b = arguments
            return (
                (lambda env: a(env) // b(env)) if isinstance(e, FloorDiv) else (lambda env: a(env) % b(env))
            )
        if e.is_Pow and e.exp.is_Integer and e.exp > 0:
            base, exponent = arguments[0], int(e.exp)
            return lambda env: base(env) ** exponent
        raise EvaluationError(
            f"{e} is not made of integers",
            where=self.reads.equation.origin,
            details=(str(self.reads.equation),),
            help="subscripts are sums of indices, sizes and integer tensors, with // and %",
        )
