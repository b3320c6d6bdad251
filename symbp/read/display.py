"""Nodes that only a page has: sums within a body, and functions under the names that a textbook gives them.

Enters: SymPy expressions. Leaves: expressions that the one printer spells, and that the rest of a body may
hold. Must not know: equations, how a form is found.

A `Reduced` binds its indices: Σ_j x[n,j]·y[j] stands inside of a larger body. An `Along` is a function of all
values along one index, at that index: softmax_k(a[n,k]), an element for each k. A `Function` of one argument
is elementwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy
from sympy.core.symbol import Str

from symbp.ir.expr import Expr, Guard, Index
from symbp.ir.printer import ATOM, MUL, Notation, Written
from symbp.ir.system import Equation


class Constant(sympy.Symbol):
    """A number that goes by a letter, ε."""

    def __new__(cls, letter: str) -> Constant:
        return super().__new__(cls, letter, positive=True)  # type: ignore[no-any-return]


class sigmoid(sympy.Function):
    """σ(u) = 1/(1 + exp(−u))."""

    is_real = True


class relu(sympy.Function):
    """u where u > 0, else 0."""

    is_real = True


class softplus(sympy.Function):
    """log(1 + exp(u))."""

    is_real = True


class gelu(sympy.Function):
    """u·Φ(u), with the distribution function of the normal distribution."""

    is_real = True


class gelu_slope(sympy.Function):
    """The derivative of gelu."""

    is_real = True


class gelu_tanh(sympy.Function):
    """u·(1 + tanh(√(2/π)·(u + 0.044715·u³)))/2 (Hendrycks and Gimpel 2016)."""

    is_real = True


class gelu_tanh_slope(sympy.Function):
    """The derivative of gelu_tanh."""

    is_real = True


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
