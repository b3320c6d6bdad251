"""Folding: subexpressions that equal a saved value are read back instead of computed again.

Enters: a body, the values of the system. Leaves: a body of the same value that costs less, and what was
folded. Must not know: which tensors are activations; `1 − tanh(z)²` becomes `1 − h²` because values agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import sympy

from symbp.derive.proof.fingerprints import Values, sum_of
from symbp.derive.rules.algebra import expand
from symbp.derive.search.cost import body_cost, volume
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices, parts_of, value_accesses
from symbp.ir.machine import READ
from symbp.ir.system import Equation

HIGHEST_ROOT = 24  # values tell a root from 1 while it is no higher
MANY, MOST = 6, 16  # factors or terms above which only pairs, or neighbouring pairs, are tried


@dataclass
class Search:
    """Where one equation may look for values: earlier tensors only, so that no cycle arises."""

    values: Values
    indices: tuple[Index, ...]
    extents: Mapping[Index, Expr]
    allowed: Callable[[str], bool]
    found: list[tuple[Expr, Expr]] = field(default_factory=list)

    def without(self, names: Collection[str]) -> Search:
        """The same search, blind to some tensors: what was just replaced must not be read back."""
        return replace(self, allowed=lambda name: name not in names and self.allowed(name), found=[])

    def over(self, equation: Equation) -> Search:
        """The same search for another equation."""
        return replace(self, indices=equation.all_indices, extents=equation.extents, found=[])

    def lookup(self, e: Expr, reduced: Sequence[Index] = ()) -> Expr | None:
        """0, a constant, or c·tensor with the value of `Σ_reduced e`."""
        free = free_indices(e)
        indices = tuple(i for i in self.indices if i in free and i not in reduced)
        value = self.values.of(e, indices, self.extents, reduced)
        found = self.values.find(value, indices, self.extents, self.allowed, lambda: self.scale(e, reduced))
        if found is None or self._untried(e):
            return None
        equation = sum_of(e, indices, self.extents, reduced)
        return found if self.values.witnessed(equation, found) else None

    def _untried(self, e: Expr) -> bool:
        """Whether a term under a bracket that reads tensors is 0 at all points, which says nothing."""
        if not any(parts_of(guard, Access) for guard in parts_of(e, Guard)):
            return False
        for term in sympy.Add.make_args(expand(e)):
            if any(parts_of(guard, Access) for guard in parts_of(term, Guard)):
                free = free_indices(term)
                value = self.values.of(term, tuple(i for i in self.indices if i in free), self.extents)
                if value is None or not any(np.any(v) for v in value):
                    return True
        return False

    def scale(self, e: Expr, reduced: Sequence[Index] = ()) -> float:
        """The largest of the terms that `Σ_reduced e` adds up; 0 if it adds nothing."""
        terms = sympy.Add.make_args(e)
        if len(terms) == 1 and not reduced:
            return 0.0
        largest = 0.0
        for term in terms:
            free = free_indices(term)
            indices = tuple(i for i in self.indices if i in free)
            largest = max(largest, self.values.largest(term, indices, self.extents))
        return largest


def fold(e: Expr, search: Search) -> Expr:
    """`e` with each subexpression, sub-product or sub-sum that equals a saved value read back."""
    if isinstance(e, Access) and not all(isinstance(s, Index) for s in e.subscripts):
        return _cheaper(e, search) or e
    if not e.args or isinstance(e, (Access, Guard)) or not value_accesses(e):
        return e
    whole = _cheaper(e, search)
    if whole is not None:
        return whole
    if e.is_Mul or e.is_Add:
        for part, rest in _parts(e):
            replacement = _cheaper(part, search)
            if replacement is not None:
                if parts_of(part, Guard) and e.is_Mul and not _has_value(replacement * rest, search):
                    continue  # the bracket kept the rest from being evaluated where it has no value
                return e.func(replacement, fold(rest, search))
    if e.is_Pow and e.exp.is_Integer and e.exp < -1:
        inverse = _cheaper(1 / e.base, search)
        if inverse is not None:
            return inverse**-e.exp
    if e.is_Pow and e.exp.is_Rational and 1 < e.exp.q <= HIGHEST_ROOT:  # of a root, or of its reciprocal
        for part in (sympy.Rational(1, e.exp.q), -sympy.Rational(1, e.exp.q)):
            root = _cheaper(e.base**part, search)
            if root is not None:
                return root ** (e.exp / part)
    if e.is_Pow and e.exp.is_number and not isinstance(e, sympy.exp):
        return fold(e.base, search) ** e.exp
    return e.func(*[fold(a, search) for a in e.args])


def _parts(e: Expr) -> list[tuple[Expr, Expr]]:
    """Sub-products of a product, sub-sums of a sum, each with the rest: larger ones first, in a stable order.
    A square below the line is two factors: `a/n²` holds `a/n`."""
    args = sorted(e.args, key=sympy.default_sort_key)
    if e.is_Mul:
        args = [part for a in args for part in ([1 / a.base] * 2 if a.is_Pow and a.exp == -2 else [a])]
    if len(args) > MOST:
        chosen = [{k, k + 1} for k in range(len(args) - 1)]
    else:
        counts = (2,) if len(args) > MANY else range(len(args) - 1, 1, -1)
        chosen = [set(c) for count in counts for c in itertools.combinations(range(len(args)), count)]
    parts = [
        (e.func(*[args[k] for k in sorted(own)]), e.func(*[a for k, a in enumerate(args) if k not in own]))
        for own in chosen
    ]
    return [(part, rest) for part, rest in parts if value_accesses(part)]


def _has_value(e: Expr, search: Search) -> bool:
    """Whether an expression is finite at all points."""
    indices = tuple(i for i in search.indices if i in free_indices(e))
    return search.values.of(e, indices, search.extents) is not None


def _cheaper(e: Expr, search: Search) -> Expr | None:
    extents = search.extents
    cost = body_cost(e, extents)
    if cost <= READ * volume(free_indices(e), extents) * 1.01:
        return None
    found = search.lookup(e)
    if found is None or found == e or body_cost(found, extents) >= cost:
        return None
    search.found.append((e, found))
    return found
