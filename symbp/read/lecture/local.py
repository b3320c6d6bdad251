"""Local derivatives: what an equation's value changes by with one element that it reads.

Enters: an equation with nested sums and named functions, the name of a tensor. Leaves: for each read of it,
the derivative as an expression. Must not know: the chain rule, letters, how anything is spelled.

The derivative of softmax is p_k([k = j] − p_j), that of its logarithm [k = j] − p_j, that of a logsumexp is
the softmax; all others are SymPy's.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.partial import partial
from symbp.ir.system import Equation
from symbp.read.display import (
    Along,
    Reduced,
    abs,
    bound,
    gelu,
    gelu_slope,
    gelu_tanh,
    gelu_tanh_slope,
    relu,
    sigmoid,
    softplus,
    unused,
)


class NoLocalDerivative(Exception):
    """A read through a maximum, a matrix function or the like, whose derivative is no formula of its own."""


@dataclass(frozen=True)
class Read:
    """One read of a tensor: the access, the derivative by it, and the indices summed over within the body,
    with their extents."""

    access: Access
    slope: Expr
    within: dict[Index, Expr]


def reads(equation: Equation, name: str) -> tuple[Read, ...]:
    """Every read of the tensor in the equation. Raises NoLocalDerivative."""
    if equation.op not in (None, "sum") or equation.where or equation.constant:
        raise NoLocalDerivative
    within = {i: equation.extents[i] for i in equation.reduced}
    walk = _Walk(name, set(bound(equation)))
    walk.into(equation.body, sympy.Integer(1), within)
    return tuple(walk.found)


class _Walk:
    def __init__(self, name: str, taken: set[Index]) -> None:
        self.name, self.taken, self.found = name, taken, list[Read]()

    def reads(self, e: Expr) -> bool:
        return any(a.name == self.name for a in e.atoms(Access))

    def into(self, e: Expr, outer: Expr, within: dict[Index, Expr]) -> None:
        """Finds the reads in e, whose own derivative so far is `outer`."""
        if not isinstance(e, sympy.Expr) or not self.reads(e):
            return
        if isinstance(e, Access):
            self.access(e, outer, within)
        elif isinstance(e, Guard):
            return  # a condition is constant
        elif isinstance(e, Reduced):
            self.reduced(e, outer, within)
        elif isinstance(e, Along):
            self.along(e, outer, within)
        elif e.is_Add:
            for term in e.args:
                self.into(term, outer, within)
        elif e.is_Mul:
            for factor in e.args:
                rest = sympy.Mul(*[f for f in e.args if f is not factor])
                self.into(factor, outer * rest, within)
        else:
            for argument in e.args:
                if self.reads(argument):
                    self.into(argument, outer * _slope(e, argument), within)

    def access(self, e: Access, outer: Expr, within: dict[Index, Expr]) -> None:
        inside = [*e.subscripts, *([] if e.outside is None else [e.outside])]
        if e.name != self.name:
            if e.outside is not None and self.reads(e.outside):
                raise NoLocalDerivative
            return
        if any(self.reads(part) for part in inside) or e.outside not in (None, 0):
            raise NoLocalDerivative
        self.found.append(Read(e, outer, within))

    def reduced(self, e: Reduced, outer: Expr, within: dict[Index, Expr]) -> None:
        if e.op not in ("sum", "logsumexp") or (e.op == "sum" and e.where):
            raise NoLocalDerivative
        inner = {i: self.unused(i) for i in e.indices}
        body = e.body.xreplace(inner)
        more = {inner[i]: extent for i, extent in e.extents.items()}
        if e.op == "logsumexp":
            (index,) = more
            where = [g.xreplace(inner) for g in e.where]
            outer = outer * Along("softmax", body, index, more[index], where)
        self.into(body, outer, within | more)

    def along(self, e: Along, outer: Expr, within: dict[Index, Expr]) -> None:
        if e.function == "log_softmax" and e.where:
            raise NoLocalDerivative
        other = self.unused(e.index)
        there = {e.index: other}
        body, where = e.body.xreplace(there), [g.xreplace(there) for g in e.where]
        share = Guard("=", e.index, other) - Along("softmax", body, other, e.extent, where)
        value = e if e.function == "softmax" else sympy.Integer(1)
        self.into(body, outer * value * share, within | {other: e.extent})

    def unused(self, index: Index) -> Index:
        found = unused(self.taken, index)
        self.taken.add(found)
        return found


def _slope(e: Expr, argument: Expr) -> Expr:
    """∂e/∂argument, which is one of its arguments."""
    if isinstance(e, sigmoid):
        return e * (1 - e)
    if isinstance(e, relu):
        return Guard("<", sympy.Integer(0), argument)
    if isinstance(e, abs):
        return Guard("<", sympy.Integer(0), argument) - Guard("<", argument, sympy.Integer(0))
    if isinstance(e, softplus):
        return sigmoid(argument)
    for function, slope in ((gelu, gelu_slope), (gelu_tanh, gelu_tanh_slope)):
        if isinstance(e, function):
            return slope(argument)
    stand_in = Access("__argument")
    if e.is_Function or e.is_Pow:
        args = [stand_in if a is argument else a for a in e.args]
        return partial(e.func(*args), stand_in).xreplace({stand_in: argument})
    raise NoLocalDerivative
