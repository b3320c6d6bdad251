"""Elementwise functions of the forward pass, and their slopes in both forms that people write.

Enters: an equation. Leaves: the activation that it is, if it is one. Must not know: functions by their names.

tanh'(u) is 1 − tanh(u)² by what it takes and 1 − h² by what it gives: the first is SymPy's derivative, in the
second the function's value stands for the function.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, value_accesses
from symbp.ir.system import Equation


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


def activation(equation: Equation) -> Activation | None:
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
    sums = [e for e in body.atoms(sympy.Add) if {*reads} <= e.atoms(Access)]
    for total in sorted(sums, key=sympy.count_ops):
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
        try:
            solved = sympy.solve(plain - value, stand)
        except NotImplementedError:
            continue
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
