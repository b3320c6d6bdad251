"""What all kinds of repairs need: the tensor that was answered wrong, what is like what, activations.

Enters: a bench, what was answered. Leaves: lists of tensors, activations, parts of equations, words.
Must not know: any one slip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, Size, accesses
from symbp.ir.printer import TEXT, expression_text
from symbp.ir.system import Equation, Reduction, Role
from symbp.verify.against.repairs.activations import Activation, activation
from symbp.verify.against.repairs.constants.monomials import Monomial, Recogniser
from symbp.verify.against.repairs.replay.bench import BACKWARD, Bench, holders

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Shop:
    """A tensor on the bench, with what was `answered` for it at each point."""

    bench: Bench
    answered: tuple[Array, ...]
    theirs: str
    constants: Mapping[str, tuple[float, ...]]
    check: Callable[[], None]  # raises when the time is used up

    @property
    def own(self) -> Equation | None:
        """The equation of the tensor, if it has one."""
        return self.bench.backward.get(self.bench.target)

    @cached_property
    def held(self) -> dict[str, str]:
        """The tensor that holds the derivative of the loss by each other one."""
        return holders(self.bench.system)

    # --- constants
    @cached_property
    def recogniser(self) -> Recogniser:
        points = self.bench.points
        known = {name: [float(p.sizes[name]) for p in points] for name in points[0].sizes}
        counts = {
            name: [float(self.bench.base(k).extent(e)) for k in range(len(points))]
            for name, e in self.lengths.items()
        }
        return Recogniser({**known, **self.constants, **counts})

    @cached_property
    def lengths(self) -> dict[str, Expr]:
        """What a constant may be of beside sizes: one less than a size, and lengths made of several."""
        less = [Size(name) - 1 for name in self.bench.points[0].sizes]
        lengths = dict.fromkeys(e for t in self.bench.system.tensors for e in t.shape)
        made = [e for e in lengths if not isinstance(e, Size) and e.free_symbols]
        return {f"({expression_text(e)})": e for e in (*less, *made)}

    def expression(self, form: Monomial) -> Expr:
        """A constant in an equation."""
        found = sympy.Rational(form.number.numerator, form.number.denominator)
        for name, power in form.powers:
            if name in self.lengths:
                base = self.lengths[name]
            elif name[0].isdigit():
                base = sympy.Rational(name)
            else:
                base = Access(name) if name in self.constants else Size(name)
            found *= base ** sympy.Rational(power.numerator, power.denominator)
        return found

    # --- tensors
    @cached_property
    def adjoints(self) -> frozenset[str]:
        return frozenset(t.name for t in self.bench.system.tensors if t.role in BACKWARD)

    def passes(self, e: Expr) -> bool:
        """Whether an expression reads an adjoint."""
        return any(access.name in self.adjoints for access in accesses(e))

    @cached_property
    def _by_shape(self) -> dict[tuple[Any, ...], list[str]]:
        found: dict[tuple[Any, ...], list[str]] = {}
        skipped = (Role.NEXT, Role.METRIC, Role.HYPER)
        needed = self.bench.system.ancestors(self.bench.target)
        for t in self.bench.system.tensors:
            there = t.name in needed or t.role in BACKWARD
            if there and t.shape and not t.integer and t.role not in skipped:
                found.setdefault((t.shape, t.role in BACKWARD), []).append(t.name)
        return found

    def alike(self, name: str) -> list[str]:
        """Other tensors of the same shape: of the forward pass for one of the forward pass, else adjoints."""
        tensor = self.bench.system.tensor(name)
        found = self._by_shape.get((tensor.shape, tensor.role in BACKWARD), [])
        return [other for other in found if other != name]

    def of_shape(self, shape: tuple[Any, ...]) -> list[str]:
        """All tensors of a shape."""
        return [*self._by_shape.get((shape, False), []), *self._by_shape.get((shape, True), [])]

    @cached_property
    def steps(self) -> frozenset[Any]:
        """The lengths of axes along which something is read a step before or after."""
        found = set[Any]()
        for equation in self.bench.system.equations:
            for access in equation.reads:
                shape = self.bench.system.tensor(access.name).shape
                for subscript, length in zip(access.subscripts, shape, strict=True):
                    if is_step(subscript) and self._is_recurrent(equation, access):
                        found.add(length)
        return frozenset(found)

    def _is_recurrent(self, equation: Equation, access: Access) -> bool:
        return equation.target in self.bench.system.ancestors(access.name)

    # --- activations
    @cached_property
    def activations(self) -> dict[str, Activation]:
        """The activations of the forward pass, by their names."""
        found = {}
        for equation in self.bench.system.equations:
            if equation.target not in self.adjoints and equation.op is None:
                one = activation(equation)
                if one is not None:
                    found[equation.target] = one
        return found

    # --- words
    def said(self, name: str) -> str:
        """What a tensor is called: one of several summands of an adjoint like the whole."""
        if name == self.bench.target:
            return self.theirs
        what = self.bench.system.tensor(name).differential
        return f"d{what.by}" if what is not None and what.part else name

    def term(self, equation: Equation, term: Expr) -> str:
        """One term of an equation as a reader expects it, its sum with it."""
        if isinstance(term, Access) and term.name in self.bench.backward and equation.reduction is None:
            inner = self.bench.backward[term.name]
            what = self.bench.system.tensor(term.name).differential
            if what is not None and what.part:
                return TEXT.equation(inner)[1]
        if equation.reduction is None or equation.body == term:
            return expression_text(term)
        return TEXT.equation(equation.with_(body=term))[1]

    def element(self, equation: Equation) -> str:
        """The left-hand side: `dh[n,t,j]`."""
        name = self.said(equation.target)
        return f"{name}[{','.join(i.name for i in equation.indices)}]" if equation.indices else name

    def of(self, equation: Equation) -> str:
        """Which tensor a hint is about, if it isn't the one that was answered."""
        return "" if equation.target == self.bench.target else f"in {self.said(equation.target)}, "

    def readers(self, term: Expr) -> str:
        """The tensors through which a term comes back."""
        names = []
        for access in accesses(term):
            inner = self.bench.backward.get(access.name)
            what = self.bench.system.tensor(access.name).differential
            if what is not None and what.part and inner is not None:
                names += [self.readers(inner.body)]
            elif what is not None and what.by in self.bench.system.defining:
                names.append(what.by)
        return ", ".join(dict.fromkeys(filter(None, names)))


def is_step(subscript: Expr) -> bool:
    """Whether a subscript is that before or after an index."""
    inner = [i for i in subscript.free_symbols if isinstance(i, Index)]
    return len(inner) == 1 and abs(subscript - inner[0]) == 1


# --- parts of bodies
def inside(e: Expr) -> Iterator[Expr]:
    """An expression and its parts that have a value, arguments of functions too; no subscripts, no guards."""
    yield e
    if not isinstance(e, (Access, Guard)):
        for argument in e.args:
            yield from inside(argument)


def sums_in(shop: Shop, equation: Equation) -> list[Expr]:
    """The sums whose terms are terms of the backward pass."""
    seed = not shop.passes(equation.body)
    alone = [e for t in sympy.Add.make_args(equation.body) if not shop.passes(t) for e in inside(t)]
    found = [e for e in dict.fromkeys(inside(equation.body)) if e.is_Add]
    return [e for e in found if seed or shop.passes(e) or e in alone]


def with_body(equation: Equation, body: Expr) -> Equation:
    return equation.with_(body=body)


def with_total(equation: Equation, body: Expr, reduced: dict[Index, Expr]) -> Equation:
    """The equation with a body and other indices that are summed over."""
    plain = equation.ranges[: len(equation.indices)]
    reduction = Reduction("sum", tuple(reduced)) if reduced else None
    return equation.with_(body=body, reduction=reduction, ranges=(*plain, *reduced.values()))
