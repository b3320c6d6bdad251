"""A builder for systems written by hand, in index notation, tensor by tensor.

Enters: leaves with shapes, definitions with bodies. Leaves: a `System` with inferred ranges.
Must not know: the user's language (`symbp.language` lowers to this), ops, derivation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from symbp.errors import Origin
from symbp.ir.expr import Access, Expr, Guard, Index, Size
from symbp.ir.labels import Differential, Label
from symbp.ir.points.random import Draw
from symbp.ir.shapes import infer_ranges
from symbp.ir.system import Equation, Fact, Reduction, ReductionOp, Role, System, Tensor

Reader = Callable[..., Access]


def indices(names: str) -> tuple[Index, ...]:
    """`indices("n i j")` → three indices."""
    return tuple(Index(name) for name in names.split())


def sizes(names: str) -> tuple[Size, ...]:
    """`sizes("N D H")` → three sizes."""
    return tuple(Size(name) for name in names.split())


class SystemBuilder:
    """Collects tensors and equations in order; `leaf` and `define` return readers, `x(n, i)` → `x[n, i]`.

    A tensor that is read before its equation (a recurrence) is announced by `declare`.
    """

    def __init__(self) -> None:
        self._tensors: dict[str, Tensor] = {}
        self._equations: list[Equation] = []

    def leaf(
        self,
        name: str,
        *shape: Expr,
        role: Role = Role.INPUT,
        integer: bool = False,
        facts: Iterable[Fact] = (),
        draw: Draw | None = None,
    ) -> Reader:
        """An input, target, parameter, buffer, random tensor or hyperparameter."""
        return self._add(
            Tensor(name, _shape(shape), role, integer, frozenset(facts), draw, label=_given(name))
        )

    def declare(self, name: str, *shape: Expr, role: Role = Role.HIDDEN, integer: bool = False) -> Reader:
        """Announces a tensor whose equation comes later."""
        return self._add(Tensor(name, _shape(shape), role, integer, label=_given(name)))

    def define(
        self,
        name: str,
        plain: Sequence[Index],
        body: Expr,
        reduce: ReductionOp | None = None,
        over: Sequence[Index] = (),
        *,
        where: Iterable[Expr] = (),
        ranges: Mapping[Index, Expr] | None = None,
        component: int = 0,
        role: Role = Role.HIDDEN,
        constant: bool = False,
        rule: str = "definition",
        origin: Origin | None = None,
        differential: Differential | None = None,
    ) -> Reader:
        """`name[plain] = reduce over `over`, where the guards hold, of body`; ranges are inferred where
        a plain subscript tells them and taken from `ranges` where not."""
        reduction = Reduction(reduce, tuple(over), component) if reduce else None
        body = sympy.sympify(body)
        conditions = [g for g in (sympy.sympify(w) for w in where) if g != 1]
        if reduce == "sum" or reduction is None:
            body, conditions = sympy.Mul(body, *conditions), []
        draft = Equation(
            name,
            tuple(plain),
            body,
            reduction,
            tuple(conditions),
            constant=constant,
            rule=rule,
            origin=origin,
        )
        equation = infer_ranges(
            draft, self._tensors, {i: sympy.sympify(e) for i, e in (ranges or {}).items()}
        )
        self._equations.append(equation)
        if name in self._tensors:
            return self._tensors[name].at
        places = reduce == "argmax" or (equation.leaf is not None and equation.leaf.integer)
        label = None if differential else _given(name)
        return self._add(Tensor(name, equation.shape, role, places, label=label, differential=differential))

    def system(
        self,
        loss: str | None = None,
        outputs: Iterable[str] = (),
        metrics: Iterable[str] = (),
        bound: Mapping[str, int] | None = None,
        updates: Mapping[str, str] | None = None,
        inference: Mapping[str, str] | None = None,
    ) -> System:
        """The finished system."""
        tensors = tuple(t if t.name != loss else replace(t, role=Role.LOSS) for t in self._tensors.values())
        return System(
            tensors, tuple(self._equations), dict(bound or {}), loss, tuple(outputs), tuple(metrics),
            dict(updates or {}), dict(inference or {}),
        )  # fmt: skip

    def _add(self, tensor: Tensor) -> Reader:
        if tensor.name in self._tensors:
            raise ValueError(f"{tensor.name!r} is already declared")
        self._tensors[tensor.name] = tensor
        return tensor.at


def _shape(shape: Sequence[Expr]) -> tuple[Expr, ...]:
    return tuple(sympy.sympify(extent) for extent in shape)


def both(*guards: Guard) -> Expr:
    """The bracket of a conjunction."""
    return sympy.Mul(*guards)


def where(condition: Expr, yes: Expr, no: Expr = 0) -> Expr:
    """`yes` where the condition (a guard or a product of guards) holds, else `no`, as disjoint lazy terms."""
    guards = sympy.Mul.make_args(sympy.sympify(condition))
    total, so_far = sympy.Mul(yes, *guards), sympy.Integer(1)
    for guard in guards:
        complement = 1 - guard if guard.is_number else guard.complement()  # a relation may be decided
        total += so_far * complement * no
        so_far *= guard
    return total


@dataclass(frozen=True)
class Brackets:
    """A condition as products of brackets of which one at most is 1: where it holds, and where it doesn't."""

    yes: tuple[Expr, ...]
    no: tuple[Expr, ...]

    @classmethod
    def of(cls, bracket: Expr) -> Brackets:
        """That of one relation, or of one that is decided already, 0 or 1."""
        if bracket.is_number:
            return cls((sympy.S.One,), ()) if bracket == 1 else cls((), (sympy.S.One,))
        return cls((bracket,), (bracket.complement(),))

    def both(self, other: Brackets) -> Brackets:
        """Where this one holds and the other, too."""
        return Brackets(_products(self.yes, other.yes), (*self.no, *_products(self.yes, other.no)))

    def either(self, other: Brackets) -> Brackets:
        """Where this one holds or the other, or both."""
        return Brackets((*self.yes, *_products(self.no, other.yes)), _products(self.no, other.no))

    def __invert__(self) -> Brackets:
        return Brackets(self.no, self.yes)

    def choose(self, yes: Expr, no: Expr) -> Expr:
        """One of two values, as lazy terms of which one is taken."""
        terms = [*(sympy.Mul(yes, g) for g in self.yes), *(sympy.Mul(no, g) for g in self.no)]
        return sympy.Add(*terms)


def _given(name: str) -> Label:
    return Label(name, given=True)


def _products(first: Sequence[Expr], second: Sequence[Expr]) -> tuple[Expr, ...]:
    products = (sympy.Mul(a, b) for a in first for b in second)
    return tuple(p for p in products if p != 0)
