"""Nodes that only a page has: sums within a body, and functions under the names that a textbook gives them.

Enters: SymPy expressions. Leaves: expressions that the one printer spells, the reference interpreter
evaluates, and the rest of a body may hold. Must not know: equations, how a form is found.

A `Reduced` binds its indices: Σ_j x[n,j]·y[j] stands inside of a larger body. An `Along` is a function of all
values along one index, at that index: softmax_k(a[n,k]), an element for each k. A `Function` of one argument
is elementwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import add, mul
from typing import Any

import sympy
from sympy.core.symbol import Str

from symbp.errors import OutsideDomain
from symbp.ir.evaluation.closures import Closure, Closures, Env
from symbp.ir.evaluation.domains import Domain, Value
from symbp.ir.expr import Expr, Guard, Index
from symbp.ir.printer import ATOM, MUL, Notation, Written
from symbp.ir.system import Equation


class Constant(sympy.Symbol):
    """A number that goes by a letter, ε."""

    def __new__(cls, letter: str) -> Constant:
        return super().__new__(cls, letter, positive=True)  # type: ignore[no-any-return]


class Place(sympy.Expr):
    """A `number` along an axis whose places go by names, those of tensors: f in a[n,t,f,m]."""

    is_commutative = True
    is_integer = True
    is_real = True

    def __new__(cls, name: str | Str, number: Any) -> Place:
        label = name if isinstance(name, Str) else Str(name)
        return sympy.Expr.__new__(cls, label, sympy.sympify(number))  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def number(self) -> Expr:
        return self.args[1]

    def spelled(self, notation: Notation, order: tuple[Index, ...]) -> Written:  # noqa: ARG002
        return notation.access(self.name, [], None), ATOM


class Named(sympy.Function):
    """An elementwise function of one argument, `definition` by its name."""

    is_real = True

    @property
    def definition(self) -> Expr:
        """Its value in terms of what every stage knows."""
        raise NotImplementedError

    def closure(self, closures: Closures) -> Closure:
        return closures.value(self.definition)


class sigmoid(Named):
    """σ(u) = 1/(1 + exp(−u))."""

    @property
    def definition(self) -> Expr:
        return 1 / (1 + sympy.exp(-self.args[0]))


class relu(Named):
    """u where u > 0, else 0."""

    @property
    def definition(self) -> Expr:
        return Guard("<", sympy.Integer(0), self.args[0]) * self.args[0]


class abs(Named):
    """|u|."""

    @property
    def definition(self) -> Expr:
        (u,) = self.args
        return Guard("<", sympy.Integer(0), u) * u - Guard("<", u, sympy.Integer(0)) * u


class softplus(Named):
    """log(1 + exp(u))."""

    @property
    def definition(self) -> Expr:
        return sympy.log(1 + sympy.exp(self.args[0]))


class gelu(Named):
    """u·Φ(u), with the distribution function of the normal distribution."""

    @property
    def definition(self) -> Expr:
        (u,) = self.args
        return u * (1 + sympy.erf(u / sympy.sqrt(2))) / 2


class gelu_slope(Named):
    """The derivative of gelu."""

    @property
    def definition(self) -> Expr:
        return gelu(_ARGUMENT).definition.diff(_ARGUMENT).xreplace({_ARGUMENT: self.args[0]})


class gelu_tanh(Named):
    """u·(1 + tanh(√(2/π)·(u + 0.044715·u³)))/2 (Hendrycks and Gimpel 2016)."""

    @property
    def definition(self) -> Expr:
        (u,) = self.args
        inner = sympy.sqrt(2 / sympy.pi) * (u + sympy.Rational(44715, 10**6) * u**3)
        return u * (1 + sympy.tanh(inner)) / 2


class gelu_tanh_slope(Named):
    """The derivative of gelu_tanh."""

    @property
    def definition(self) -> Expr:
        return gelu_tanh(_ARGUMENT).definition.diff(_ARGUMENT).xreplace({_ARGUMENT: self.args[0]})


_ARGUMENT = sympy.Symbol("u", real=True)


class Reduced(sympy.Expr):
    """A sum, product or maximum over indices of its own, where conditions hold; or a logsumexp."""

    is_commutative = True
    is_real = True

    def __new__(cls, op: str | Str, body: Expr, indices: Any, extents: Any, where: Any = ()) -> Reduced:
        label = op if isinstance(op, Str) else Str(op)
        parts = [sympy.Tuple(*part) for part in (indices, extents, where)]
        return sympy.Expr.__new__(cls, label, sympy.sympify(body), *parts)  # type: ignore[no-any-return]

    @property
    def op(self) -> str:
        return str(self.args[0].name)

    @property
    def body(self) -> Expr:
        return self.args[1]

    @property
    def indices(self) -> tuple[Index, ...]:
        return tuple(self.args[2])

    @property
    def extents(self) -> dict[Index, Expr]:
        """How far each of its indices runs."""
        return dict(zip(self.indices, self.args[3], strict=True))

    @property
    def where(self) -> tuple[Guard, ...]:
        return tuple(self.args[4])

    @property
    def free_symbols(self) -> set[Expr]:
        found: set[Expr] = set()
        for part in (self.body, *self.args[3], *self.where):
            found |= part.free_symbols
        return found - set(self.indices)

    def spelled(self, notation: Notation, order: tuple[Index, ...]) -> Written:
        """As in an equation, in a parenthesis beside what it doesn't hold."""
        inner = (*order, *self.indices)
        conditions = [notation.show(guard, inner) for guard in self.where]
        body = notation.written(self.body, inner)
        indices = [notation.symbol(index) for index in self.indices]
        if self.op in notation.reduce_names:
            return notation.reduction(self.op, indices, conditions, body), MUL - 1
        return notation.along(self.op, indices, body[0], conditions), ATOM

    def closure(self, closures: Closures) -> Closure:
        body, domain, op = closures.value(self.body), closures.domain, self.op
        places = _places(self.indices, list(self.extents.values()), self.where, closures)
        if op == "logsumexp":
            return lambda env: _logsumexp([body(at) for at in places(env)], domain)
        if op == "max":
            least = closures.constant(-sympy.oo)
            return lambda env: max([body(at) for at in places(env)], key=domain.order, default=least(env))
        if op not in ("sum", "prod"):
            raise OutsideDomain(f"{op} within a body cannot be evaluated: {self}")
        start, join = domain.rational(Fraction(int(op == "prod"))), mul if op == "prod" else add
        return lambda env: reduce(join, [body(at) for at in places(env)], start)


class Along(sympy.Expr):
    """A function of all values along an index, at that index: `softmax`, `log_softmax`; where conditions hold
    that may depend on the index, and 0 elsewhere."""

    is_commutative = True
    is_real = True

    def __new__(cls, function: str | Str, body: Expr, index: Index, extent: Expr, where: Any = ()) -> Along:
        label = function if isinstance(function, Str) else Str(function)
        return sympy.Expr.__new__(cls, label, sympy.sympify(body), index, extent, sympy.Tuple(*where))  # type: ignore[no-any-return]

    @property
    def function(self) -> str:
        return str(self.args[0].name)

    @property
    def body(self) -> Expr:
        return self.args[1]

    @property
    def index(self) -> Index:
        return self.args[2]  # type: ignore[no-any-return]

    @property
    def extent(self) -> Expr:
        return self.args[3]

    @property
    def where(self) -> tuple[Guard, ...]:
        return tuple(self.args[4])

    def spelled(self, notation: Notation, order: tuple[Index, ...]) -> Written:
        body = notation.show(self.body, order)
        conditions = [notation.show(guard, order) for guard in self.where]
        return notation.along(self.function, [notation.symbol(self.index)], body, conditions), ATOM

    def closure(self, closures: Closures) -> Closure:
        body, domain = closures.value(self.body), closures.domain
        places = _places((self.index,), [self.extent], self.where, closures)
        inside = [closures.guard(guard) for guard in self.where]
        minus, exp = domain.rational(Fraction(-1)), self.function == "softmax"
        zero, least = domain.rational(Fraction(0)), closures.constant(-sympy.oo)

        def share(env: Env) -> Value:
            if not all(guard(env) for guard in inside):
                return zero if exp else least(env)
            logarithm = body(env) + minus * _logsumexp([body(at) for at in places(env)], domain)
            return domain.apply(sympy.exp, [logarithm]) if exp else logarithm

        return share


def _places(
    indices: Sequence[Index], extents: Sequence[Expr], where: Sequence[Guard], closures: Closures
) -> Callable[[Env], Iterator[Env]]:
    """The places of indices of a node's own, beside those of the equation around it, where conditions
    hold."""
    names = [index.name for index in indices]
    ranges = [range(closures.extent(extent)) for extent in extents]
    guards = [closures.guard(guard) for guard in where]

    def places(env: Env) -> Iterator[Env]:
        for place in product(*ranges):
            at = {**env, **dict(zip(names, place, strict=True))}
            if all(guard(at) for guard in guards):
                yield at

    return places


def _logsumexp(values: Sequence[Value], domain: Domain) -> Value:
    """log Σ exp, which doesn't overflow; −∞ of nothing."""
    most = max(values, key=domain.order, default=None)
    if most is None or domain.order(most) == -math.inf:
        return domain.constant(-sympy.oo) if most is None else most
    minus = domain.rational(Fraction(-1)) * most
    total = reduce(add, [domain.apply(sympy.exp, [value + minus]) for value in values])
    return most + domain.apply(sympy.log, [total])


def bound(equation: Equation) -> dict[Index, Expr]:
    """Every index of an equation, those bound within its body too, with its extent."""
    found = dict(equation.extents)
    for part in (equation.body, *equation.where):
        for node in sorted(part.atoms(Reduced), key=sympy.default_sort_key):
            found |= {i: e for i, e in node.extents.items() if i not in found}
    return found


def unused(taken: Iterable[Index], like: Index) -> Index:
    """An index that isn't taken."""
    names = {i.name for i in taken}
    count = 2
    while f"{like.name}{count}" in names:
        count += 1
    return Index(f"{like.name}{count}")
