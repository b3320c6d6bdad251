"""Equations over elements: indices become numbers, sums are written out, conditions on places are decided.

Enters: the equations of a page, values of its sizes and its integers, names of elements. Leaves: a system of
scalars in the order of evaluation. Must not know: derivatives.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from symbp.errors import UsageError
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, IntegerAccess, Mod, Size
from symbp.ir.labels import Label
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.read.display import Along, Reduced

Array = np.ndarray[Any, Any]
Place = tuple[int, ...]
MOST_OF_A_MAXIMUM = 6


@dataclass(frozen=True)
class Shares:
    """exp(u_k) = p_k·S for the elements p of a softmax, with S the `total` of the exponentials; `of` maps
    u_k to p_k."""

    total: Expr
    of: Mapping[Expr, Expr]

    def within(self, e: Expr) -> Expr:
        """An expression in the exponentials, of degree 0 in all of them, in terms of the elements."""
        total = sympy.Dummy("S", positive=True)

        def written(exponent: Expr) -> Expr:
            parts = exponent.as_coefficients_dict()
            if not parts.keys() <= self.of.keys():
                return sympy.exp(exponent)
            return sympy.Mul(*[(self.of[u] * total) ** count for u, count in parts.items()])

        found = sympy.factor_terms(e.xreplace({self.total: total}).replace(sympy.exp, written))
        return e if found.has(total) else found


@dataclass(frozen=True)
class Elements:
    """A page at one point, and the names of its elements."""

    page: System
    values: Mapping[str, Array]
    sizes: Mapping[str, int]
    names: Mapping[str, Mapping[Place, str]]

    @cached_property
    def by_place(self) -> dict[tuple[str, Place], str]:
        """The name of each element by tensor and place."""
        return {(tensor, at): name for tensor, places in self.names.items() for at, name in places.items()}

    def scalars(self, equation: Equation) -> list[Equation]:
        """An equation for each element of the target. Raises UsageError: no formula for an element."""
        if equation.op == "argmax" or equation.leaf is not None:
            raise UsageError(
                f"{equation.target} can't be written out element by element: it is the {equation.op} of "
                "what it reads",
                help="trace the net without --scalar",
            )
        ranges = [range(evaluate_size(extent, self.sizes)) for extent in equation.shape]
        found = []
        for at in itertools.product(*ranges):
            env = dict(zip(equation.indices, at, strict=True))
            body = self.reduced(equation, env)
            origin = equation.origin
            found.append(
                Equation(
                    self.by_place[equation.target, at], (), body, constant=equation.constant, origin=origin
                )
            )
        return found

    def reduced(self, equation: Equation, env: Mapping[Index, int]) -> Expr:
        """The right-hand side of one element."""
        if equation.op is None:
            return self.at(equation.body, env)
        extents = [equation.extents[i] for i in equation.reduced]
        return self.over(equation.op, equation.body, equation.reduced, extents, equation.where, env)

    def over(
        self,
        op: str,
        body: Expr,
        indices: Sequence[Index],
        extents: Sequence[Expr],
        where: Sequence[Guard],
        env: Mapping[Index, int],
    ) -> Expr:
        """A reduction, written out."""
        ranges = [range(evaluate_size(extent, self.sizes)) for extent in extents]
        terms = []
        for place in itertools.product(*ranges):
            inner = {**env, **dict(zip(indices, place, strict=True))}
            if all(self.at(guard, inner) == 1 for guard in where):
                terms.append(self.at(body, inner))
        if op == "sum":
            return sympy.Add(*terms)
        if op == "prod":
            return sympy.Mul(*terms)
        if op == "logsumexp":
            return sympy.log(sympy.Add(*map(sympy.exp, terms)))
        if op == "max" and len(terms) <= MOST_OF_A_MAXIMUM:
            return _largest(terms)
        raise UsageError(f"a {op} of {len(terms)} elements isn't written out", help="trace without --scalar")

    def at(self, e: Expr, env: Mapping[Index, int]) -> Expr:
        """The expression with a number for each index and each size."""
        if isinstance(e, Index):
            return sympy.Integer(env[e])
        if isinstance(e, Size):
            return sympy.Integer(self.sizes[e.name])
        if isinstance(e, Access):
            return self.access(e, env)
        if isinstance(e, Guard):
            return Guard(e.op, self.at(e.lhs, env), self.at(e.rhs, env))
        if isinstance(e, (FloorDiv, Mod)):
            return e.func(*[self.at(a, env) for a in e.args])
        if isinstance(e, Reduced):
            return self.over(e.op, e.body, e.indices, list(e.extents.values()), e.where, env)
        if isinstance(e, Along):
            return self.along(e, env)
        if e.is_Mul:  # where a bracket is 0, nothing else is read
            factors = sorted(e.args, key=lambda factor: not isinstance(factor, Guard))
            found = []
            for factor in factors:
                found.append(self.at(factor, env))
                if found[-1] == 0 and isinstance(factor, Guard):
                    return sympy.Integer(0)
            return sympy.Mul(*found)
        return e.func(*[self.at(a, env) for a in e.args]) if e.args else e

    def access(self, e: Access, env: Mapping[Index, int]) -> Expr:
        """The element's name, the number that an integer is, or what holds outside the range."""
        at = tuple(int(self.at(s, env)) for s in e.subscripts)
        array = self.values[e.name]
        if not all(0 <= k < n for k, n in zip(at, array.shape, strict=True)):
            if e.outside is None:
                raise UsageError(f"{e.name}[{', '.join(map(str, at))}] is read out of its range")
            return self.at(e.outside, env)
        if isinstance(e, IntegerAccess):
            return sympy.Integer(int(array[at]))
        return Access(self.by_place[e.name, at])

    def along(self, e: Along, env: Mapping[Index, int]) -> Expr:
        """A softmax, or its logarithm, as the quotient that it is."""
        if any(self.at(guard, env) == 0 for guard in e.where):
            return sympy.Integer(0) if e.function == "softmax" else -sympy.oo
        total = self.over("sum", sympy.exp(e.body), (e.index,), (e.extent,), e.where, env)
        own = self.at(e.body, env)
        return sympy.exp(own) / total if e.function == "softmax" else own - sympy.log(total)

    def shares(self, equation: Equation) -> dict[str, Shares]:
        """For each element of a softmax of plain quantities, what its exponentials are in terms of all of its
        elements."""
        node = equation.body
        if not isinstance(node, Along) or node.function != "softmax" or node.index not in equation.indices:
            return {}
        axis, found = equation.indices.index(node.index), dict[str, Shares]()
        ranges = [range(evaluate_size(extent, self.sizes)) for extent in equation.shape]
        for at in itertools.product(*ranges):
            env = dict(zip(equation.indices, at, strict=True))
            own: dict[Expr, Expr] = {}
            for k in ranges[axis]:
                name = self.by_place[equation.target, (*at[:axis], k, *at[axis + 1 :])]
                own[self.at(node.body, {**env, node.index: k})] = Access(name)
            total = self.over("sum", sympy.exp(node.body), (node.index,), (node.extent,), node.where, env)
            if all(isinstance(u, Access) for u in own):
                found[self.by_place[equation.target, at]] = Shares(total, own)
        return found


def _largest(terms: Sequence[Expr]) -> Expr:
    """The first maximum by brackets: each term where it is larger than those before, and not less than those
    after it."""
    found = []
    for k, term in enumerate(terms):
        before = [Guard("<", other, term) for other in terms[:k]]
        after = [Guard("<=", other, term) for other in terms[k + 1 :]]
        found.append(sympy.Mul(*before, *after, term))
    return sympy.Add(*found)


def scalar_system(elements: Elements, equations: Sequence[Equation], wanted: Sequence[str]) -> System:
    """The system of scalars: leaves in their order, then equations in the order of evaluation."""
    page = elements.page
    written = [e for equation in equations if _is_real(page, equation) for e in elements.scalars(equation)]
    written = _in_order(written)
    read = {name for e in written for name in e.read_names}
    targets = {e.target for e in written}
    tensors = []
    for (tensor, _), name in elements.by_place.items():
        if name in read or name in targets:
            known = page.tensor(tensor)
            role = known.role if name not in targets or known.role is not Role.PARAMETER else Role.HIDDEN
            tensors.append(Tensor(name, (), role, origin=known.origin, label=Label(name, given=True)))
    assert page.loss is not None
    (loss,) = elements.names[page.loss].values()
    outputs = tuple(n for o in wanted if o != page.loss for n in elements.names.get(o, {}).values())
    return System(tuple(tensors), tuple(written), loss=loss, outputs=outputs)


def _is_real(page: System, equation: Equation) -> bool:
    """Whether the target holds real numbers; integers are known."""
    return not page.tensor(equation.target).integer


def _in_order(equations: Sequence[Equation]) -> list[Equation]:
    """The equations so that each comes after those that it reads, else as they are."""
    by_name, done = {e.target: e for e in equations}, dict[str, Equation]()

    def visit(equation: Equation) -> None:
        stack = [(equation, iter(equation.read_names))]
        while stack:
            current, reads = stack[-1]
            name = next((n for n in reads if n in by_name and n not in done), None)
            if name is None:
                done[current.target] = current
                stack.pop()
            else:
                stack.append((by_name[name], iter(by_name[name].read_names)))

    for equation in equations:
        if equation.target not in done:
            visit(equation)
    return list(done.values())
