"""What all kinds of repairs need: the tensor that was answered wrong, what is like what, slopes of activations.

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

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, Size, accesses, value_accesses
from symbp.ir.printer import TEXT, expression_text
from symbp.ir.system import Equation, Reduction, Role
from symbp.verify.against.repairs.bench import BACKWARD, Bench
from symbp.verify.against.repairs.monomials import Monomial, Recogniser

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Activation:
    """`target[indices] = f(before)`, elementwise: its slope by what stands `before`, and, if there is such a
    form, by its own value."""

    target: str
    indices: tuple[Index, ...]
    before: Expr
    by_before: Expr
    by_value: Expr | None

    def at(self, form: Expr, subscripts: tuple[Expr, ...]) -> Expr:
        """A form at subscripts."""
        return form.xreplace(dict(zip(self.indices, subscripts, strict=True)))

    @property
    def value(self) -> Expr:
        return Access(self.target, *self.indices)


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

    # --- constants
    @cached_property
    def recogniser(self) -> Recogniser:
        known = {name: [float(p.sizes[name]) for p in self.bench.points] for name in self.bench.points[0].sizes}
        less = {f"({name} - 1)": [v - 1 for v in values] for name, values in known.items()}
        return Recogniser({**known, **self.constants, **less})

    def expression(self, form: Monomial) -> Expr:
        """A constant in an equation."""
        found = sympy.Rational(form.number.numerator, form.number.denominator)
        for name, power in form.powers:
            if name.startswith("("):
                base = Size(name[1 : name.index(" ")]) - 1
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
            if not t.integer and t.role not in skipped and t.shape and (t.name in needed or t.role in BACKWARD):
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
                for subscript, length in zip(
                    access.subscripts, self.bench.system.tensor(access.name).shape, strict=True
                ):
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
                activation = _activation(equation)
                if activation is not None:
                    found[equation.target] = activation
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
        whole = equation.with_(body=term)
        return TEXT.equation(whole)[1] if equation.reduction and equation.body != term else expression_text(term)

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
            elif what is not None:
                names.append(what.by)
        return ", ".join(dict.fromkeys(filter(None, names)))


def is_step(subscript: Expr) -> bool:
    """Whether a subscript is that before or after an index."""
    inner = [i for i in subscript.free_symbols if isinstance(i, Index)]
    return len(inner) == 1 and abs(subscript - inner[0]) == 1


def _activation(equation: Equation) -> Activation | None:
    """The equation as a function of one argument, if it is that: of a sum or of one read."""
    body = equation.body
    reads = [a for a in value_accesses(body) if not isinstance(a, IntegerAccess)]
    if not reads or isinstance(body, Access):
        return None
    argument = _argument(body, reads)
    if argument is None:
        return None
    first = next(t for t in sympy.Add.make_args(argument) if isinstance(t, Access))
    symbol = sympy.Dummy("u", real=True)
    inner = body.xreplace({first: symbol - (argument - first)})
    conditions = any(not (g.lhs.is_integer and g.rhs.is_integer) for g in inner.atoms(Guard))
    if inner.atoms(Access) or (inner.is_polynomial(symbol) and not conditions):
        return None
    if any(g.lhs.is_integer and g.rhs.is_integer for g in inner.atoms(Guard)):
        return None
    slope = sympy.diff(inner, symbol)
    if slope == 0:
        return None
    value = sympy.Dummy("h", real=True)
    own = _by_value(inner, slope, symbol, value)
    access = Access(equation.target, *equation.indices)
    return Activation(
        equation.target,
        equation.indices,
        argument,
        slope.xreplace({symbol: argument}),
        None if own is None else own.xreplace({value: access}),
    )


def _argument(body: Expr, reads: list[Access]) -> Expr | None:
    """The sum of all that is read, one read alone in it with the factor 1, or the only read."""
    if len(reads) == 1:
        return reads[0]
    for total in sorted((e for e in body.atoms(sympy.Add) if {*reads} <= e.atoms(Access)), key=sympy.count_ops):
        parts = [sympy.Mul.make_args(t) for t in total.args]
        if not all(isinstance(f, Access) or f.is_number for part in parts for f in part):
            continue
        for term in total.args:
            factor, rest = term.as_coeff_Mul()
            if isinstance(rest, Access):
                return sympy.expand(total / factor)
    return None


def _by_value(inner: Expr, slope: Expr, symbol: Expr, value: Expr) -> Expr | None:
    """The slope by the function's own value: 1 − h² of tanh, h·(1 − h) of 1/(1 + exp(−u)), [h > 0]."""
    if inner.atoms(Guard):
        guards = {g: g.xreplace({symbol: value}) for g in slope.atoms(Guard)}
        found = slope.xreplace(guards)
        return found if symbol not in found.free_symbols else None
    kernels = [e for e in inner.atoms(sympy.Function, sympy.exp, sympy.Pow) if symbol in e.free_symbols]
    kernels = [e for e in kernels if not any(e is not other and other.has(e) for other in kernels)] or kernels
    for kernel in sorted({*kernels, *inner.atoms(sympy.Function, sympy.exp)}, key=sympy.count_ops):
        stand = sympy.Dummy("k", positive=True)
        plain = inner.xreplace({kernel: stand})
        if symbol in plain.free_symbols:
            continue
        solved = sympy.solve(plain - value, stand)
        if len(solved) == 1:
            found = sympy.cancel(slope.xreplace({kernel: stand}).xreplace({stand: solved[0]}))
            if symbol not in found.free_symbols:
                return _with_factor(found, value)
    return None


def _with_factor(form: Expr, value: Expr) -> Expr:
    """`h − h²` as `h·(1 − h)`."""
    form = sympy.expand(form)
    if form.is_Add and form.is_polynomial(value) and form.xreplace({value: sympy.Integer(0)}) == 0:
        return value * sympy.expand(form / value)
    return form


# --- parts of bodies
def inside(e: Expr) -> Iterator[Expr]:
    """An expression and its parts that have a value, functions' arguments included; no subscripts, no guards."""
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
