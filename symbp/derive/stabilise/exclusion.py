"""Which sums of exponentials may be left without a term, and which values may be −∞.

Enters: a system. Leaves: answers that are True unless the opposite is proven from brackets and ranges.
Must not know: what is done about it (that is `symbp.derive.stabilise.shifts`).

A row is proven to keep an element if, at one position of the reduced indices (the first, the last, or that of
a plain index), every bracket holds for all values of the others: `[j ≤ i]` holds at j = 0 and at j = i.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import sympy

from symbp.derive.definitions import map_body
from symbp.derive.stabilise.factors import bracket_of, exponential_factor
from symbp.ir.bounds import never_negative, simplify_guard, within
from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.system import Equation, System

DEPTH = 4  # maps that are looked through behind a read
Place = Mapping[Index, Expr]  # where some indices stand


class Exclusion:
    """The tensors of a system that may be −∞, and its sums of exponentials that may be empty."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.lowest_names: set[str] = set()
        self.empty_names: set[str] = set()
        news = True
        while news:
            news = False
            for equation in system.equations:
                news |= self._visit(equation)

    def empty(self, total: Equation) -> bool:
        """Whether a sum of exponentials may have no term, or only terms exp(−∞)."""
        found = exponential_factor(total.body, self.system)
        if found is None:
            return False
        body = total.body
        if found[1] is not None:
            body = body * (map_body(found[1], self.system) or 1)
        factors = sympy.Mul.make_args(body)
        brackets = [bracket_of(factor, self.system) for factor in factors]
        guards = [bracket for bracket in brackets if bracket is not None]
        return not self._kept(total, guards, found[0])

    def lowest(self, e: Expr, extents: Mapping[Index, Expr], at: Place | None = None, depth: int = 0) -> bool:
        """Whether `e` may be −∞, with some indices at given places."""
        at = at or {}
        if e in (-sympy.oo, sympy.nan):
            return True
        if isinstance(e, Access):
            return self._lowest_read(e, extents, at, depth)
        if e.is_Mul:
            guards = [f for f in e.args if isinstance(f, Guard)]
            if any(simplify_guard(g.xreplace(dict(at)), extents) == 0 for g in guards):
                return False
            above = {g.rhs for g in guards if g.op == "<" and g.lhs == -sympy.oo}
            return any(self.lowest(a, extents, at, depth) for a in e.args if a not in above)
        if e.is_Add:
            return any(self.lowest(a, extents, at, depth) for a in e.args)
        if isinstance(e, sympy.log):
            return self._may_be_zero(e.args[0])
        if e.is_Pow and not isinstance(e, sympy.exp):
            return bool(e.exp.is_positive) and self.lowest(e.base, extents, at, depth)
        return False

    # --- inside
    def _visit(self, equation: Equation) -> bool:
        """Adds an equation's target where it belongs; whether that is news."""
        name, before = equation.target, len(self.lowest_names) + len(self.empty_names)
        if equation.op == "sum" and self.empty(equation):
            self.empty_names.add(name)
        if equation.op == "max":
            if not self._kept(equation, equation.where, equation.body):
                self.lowest_names.add(name)
        elif equation.op in (None, "sum", "prod") and self.lowest(equation.body, equation.extents):
            self.lowest_names.add(name)
        return len(self.lowest_names) + len(self.empty_names) > before

    def _kept(self, equation: Equation, guards: Sequence[Expr], value: Expr) -> bool:
        """Whether one element always survives: its brackets hold, and it is not −∞."""
        if not guards and not self.lowest(value, equation.extents):
            return True
        return any(
            all(simplify_guard(g.xreplace(dict(at)), equation.extents) == 1 for g in guards)
            and not self.lowest(value, equation.extents, at)
            for at in _places(equation)
        )

    def _lowest_read(self, access: Access, extents: Mapping[Index, Expr], at: Place, depth: int) -> bool:
        if access.outside is not None:
            subscripts = [s.xreplace(dict(at)) for s in access.subscripts]
            shape = self.system.tensor(access.name).shape
            leaves = any(within(s, n, extents) for s, n in zip(subscripts, shape, strict=True))
            if leaves and self.lowest(access.outside, extents, at, depth):
                return True
        if access.name not in self.lowest_names:
            return False
        body = map_body(access, self.system) if depth < DEPTH else None
        return body is None or self.lowest(body, extents, at, depth + 1)

    def _may_be_zero(self, e: Expr) -> bool:
        """Whether something made of exponentials may be 0."""
        if isinstance(e, Access):
            return e.name in self.empty_names
        if e.is_Mul:
            return any(isinstance(f, Guard) or self._may_be_zero(f) for f in e.args)
        return bool(e.is_Pow and e.exp.is_positive) and self._may_be_zero(e.base)


def _places(equation: Equation) -> Iterator[Place]:
    """Positions of the reduced indices to try: first, last, and those of plain indices that stay in range."""
    choices = []
    for index in equation.reduced:
        extent = equation.extents[index]
        own: list[Expr] = [sympy.Integer(0), extent - 1]
        own += [i for i in equation.indices if never_negative(extent - 1 - i, equation.extents)]
        choices.append(own)
    for chosen in itertools.product(*choices):
        yield dict(zip(equation.reduced, chosen, strict=True))
