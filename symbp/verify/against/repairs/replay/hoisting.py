"""Recurrences that are run again and again, quickly: what doesn't change from one run to the next, once.

Enters: an equation of a backward pass. Leaves: the same equation as a sum of adjoints, each times a leaf, and
what these leaves are. Must not know: points, slips.

An adjoint is linear in those that it reads. Their factors rest on the forward pass alone, so a loop over time
needn't evaluate them step by step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symbp.ir.expr import Access, Expr, Index, accesses, free_indices
from symbp.ir.system import Equation, Tensor

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Hoisted:
    """An equation that reads leaves, `equations` that give them their values, the leaves, and which adjoint
    each of them multiplies."""

    equation: Equation
    equations: tuple[Equation, ...]
    tensors: tuple[Tensor, ...]
    adjoints: tuple[Access | None, ...]

    def parts(self, known: Mapping[str, Array]) -> list[tuple[Array, tuple[Index, ...], Access | None]]:
        """Each factor, its indices, the adjoint."""
        both = zip(self.equations, self.adjoints, strict=True)
        return [(known[part.target], part.indices, adjoint) for part, adjoint in both]


def hoisted(equation: Equation, adjoints: Collection[str], prefix: str) -> Hoisted | None:
    """The equation with its factors as leaves, called so; None if it isn't of that form."""
    if equation.op not in (None, "sum") or equation.where:
        return None
    parts = _linear(equation.body, adjoints)
    if parts is None or not parts or any(a is not None and not _plain(a) for a in parts):
        return None
    total: Expr = sympy.Integer(0)
    equations, tensors = list[Equation](), list[Tensor]()
    for access, terms in parts.items():
        factor = sympy.Add(*[sympy.Mul(*factors) for factors in terms])
        free = free_indices(factor)
        indices = tuple(i for i in equation.all_indices if i in free)
        leaf = Tensor(f"{prefix} {len(tensors)}", tuple(equation.extents[i] for i in indices))
        tensors.append(leaf)
        equations.append(Equation(leaf.name, indices, factor, ranges=leaf.shape))
        read: Expr = leaf.at(*indices)
        total += read if access is None else read * access.with_(outside=sympy.Integer(0))
    return Hoisted(equation.with_(body=total), tuple(equations), tuple(tensors), tuple(parts))


Linear = dict[Access | None, list[tuple[Expr, ...]]]
"""For each adjoint that is read, and for what reads none, terms as tuples of factors."""


def _linear(e: Expr, adjoints: Collection[str]) -> Linear | None:
    """An expression by the adjoints in it; None if it isn't linear in them."""
    if not any(a.name in adjoints for a in accesses(e)):
        return {None: [(e,)]}
    if isinstance(e, Access):
        return {e: [(sympy.Integer(1),)]}
    if e.is_Add:
        found: Linear = {}
        for term in e.args:
            inner = _linear(term, adjoints)
            if inner is None:
                return None
            for access, terms in inner.items():
                found.setdefault(access, []).extend(terms)
        return found
    if not e.is_Mul:
        return None
    passing = [f for f in e.args if any(a.name in adjoints for a in accesses(f))]
    inner = _linear(passing[0], adjoints) if len(passing) == 1 else None
    if inner is None:
        return None
    rest = tuple(f for f in e.args if f is not passing[0])
    return {access: [(*rest, *factors) for factors in terms] for access, terms in inner.items()}


def _plain(access: Access) -> bool:
    """Whether a read has no subscript that reads, and nothing outside but 0."""
    return access.outside in (None, 0) and not any(s.atoms(Access) for s in access.subscripts)
