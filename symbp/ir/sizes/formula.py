"""Formulas in sizes, whose values are remembered: sizes are looked for among a few small values.

Enters: an expression, values of sizes by name. Leaves: values.
Must not know: tensors, equations, what the values are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy

from symbp.ir.expr import Expr, Size, free_sizes


@dataclass(frozen=True)
class Formula:
    """An expression in sizes, or in sizes and indices."""

    expr: Expr

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its sizes, in alphabetical order."""
        return tuple(sorted(size.name for size in free_sizes(self.expr)))

    @cached_property
    def _known(self) -> dict[tuple[int | None, ...], Expr]:
        return {}

    def at(self, sizes: Mapping[str, int]) -> Expr:
        """The expression with numbers for those of its sizes that have a value."""
        point = tuple([sizes.get(name) for name in self.names])
        if point not in self._known:
            values = {
                Size(name): sympy.Integer(value)
                for name, value in zip(self.names, point, strict=True)
                if value is not None
            }
            self._known[point] = self.expr.xreplace(values)
        return self._known[point]


def formulas(pairs: Iterable[tuple[Expr, Expr]]) -> tuple[tuple[Formula, Formula], ...]:
    """Pairs of expressions as pairs of formulas."""
    return tuple((Formula(one), Formula(other)) for one, other in pairs)
