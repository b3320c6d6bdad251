"""The largest of a few exponents, element by element: what a sum of exponentials in one body is divided by.

Enters: a system, exponents in one of its equations. Leaves: a read of a new tensor that holds the largest,
and the system with the new equations before those that read them. Must not know: what is divided by it.

Such a tensor counts as a constant, as the maximum does that a sum over an index is shifted by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symbp.derive.stabilise.exclusion import Exclusion
from symbp.derive.stabilise.exponential_sums import largest
from symbp.ir.expr import Access, Expr, Index, IntegerAccess, accesses, free_indices, unused_name
from symbp.ir.system import Equation, Reduction, System, Tensor

RULE = "largest exponent"


@dataclass
class Largest:
    """New equations of a system, each before the equation that asked for it, and equations to `replace`."""

    source: System
    replaced: dict[str, Equation] = field(default_factory=dict)
    before: dict[str, list[Equation]] = field(default_factory=dict)
    known: dict[tuple[Expr, ...], Access] = field(default_factory=dict)
    _excluded: Exclusion | None = None

    def of(self, exponents: Sequence[Expr], equation: Equation) -> Access | None:
        """A read of the largest; None where a read may be out of its range or all may be −∞."""
        if not all(self.anywhere(u, equation) for u in exponents):
            return None
        self._excluded = self._excluded or Exclusion(self.source)
        if all(self._excluded.lowest(u, equation.extents) for u in exponents):
            return None
        ordered = tuple(sorted(exponents, key=sympy.default_sort_key))
        if ordered in self.known:
            return self.known[ordered]
        found: Access = ordered[0]
        rest = ordered[1:]
        for exponent in rest:
            found = self._named(largest(found, exponent), equation)
        self.known[ordered] = Access(found.name, *found.subscripts)
        return self.known[ordered]

    def exponentials(
        self, exponent: Expr, reduced: Sequence[Index], extents: Mapping[Index, Expr], equation: Equation
    ) -> Access:
        """A read of Σ_reduced exp(exponent), of which the exponent and the exponentials are tensors, too."""
        key = (exponent, *reduced)
        if key not in self.known:
            plain = tuple(i for i in equation.all_indices if i in free_indices(exponent))
            inner, ranges = (*plain, *reduced), {**equation.extents, **extents}
            at = self._added("l", equation, inner, exponent, ranges)
            held = self._added("e", equation, inner, sympy.exp(at), ranges)
            self.known[key] = self._added(
                "s", equation, plain, held, ranges, Reduction("sum", tuple(reduced))
            )
        return self.known[key]

    def _added(
        self,
        letter: str,
        equation: Equation,
        indices: tuple[Index, ...],
        body: Expr,
        ranges: Mapping[Index, Expr],
        reduction: Reduction | None = None,
    ) -> Access:
        name = unused_name(f"{letter}_{equation.target}", self._taken)
        every = (*indices, *(reduction.indices if reduction is not None else ()))
        new = Equation(name, indices, body, reduction, (), tuple(ranges[i] for i in every))
        self.before.setdefault(equation.target, []).append(new)
        return Access(name, *indices)

    @property
    def _taken(self) -> set[str]:
        return {*self.source.by_name, *(e.target for own in self.before.values() for e in own)}

    def _read(self) -> dict[str, list[Equation]]:
        """The new equations that are read, by what asked for them: a logarithm that isn't expanded in the end
        leaves some that aren't."""
        rest = [self.replaced.get(e.target, e) for e in self.source.equations]
        kept = {name: list(own) for name, own in self.before.items()}
        while True:
            new = [e for own in kept.values() for e in own]
            read = {name for e in (*rest, *new) for name in e.read_names}
            if all(e.target in read for e in new):
                return kept
            kept = {name: [e for e in own if e.target in read] for name, own in kept.items()}

    def system(self) -> System:
        """The system with all of them in place."""
        self.before = self._read()
        new = [e for own in self.before.values() for e in own]
        equations: list[Equation] = []
        for equation in self.source.equations:
            equations += self.before.get(equation.target, ())
            equations.append(self.replaced.get(equation.target, equation))
        tensors = (*self.source.tensors, *(Tensor(e.target, e.shape) for e in new))
        return self.source.with_(tensors=tensors, equations=tuple(equations))

    def _named(self, body: Expr, equation: Equation) -> Access:
        own = self.before.setdefault(equation.target, [])
        name = unused_name(f"m_{equation.target}", self._taken)
        indices = tuple(i for i in equation.all_indices if i in free_indices(body))
        ranges = tuple(equation.extents[i] for i in indices)
        own.append(Equation(name, indices, body, None, (), ranges, constant=True, rule=RULE))
        return Access(name, *indices)

    def anywhere(self, e: Expr, equation: Equation) -> bool:
        """Whether an exponent has a value wherever the equation is evaluated, brackets or not."""
        return all(
            a.outside is None and all(self._stays(s, n, equation) for s, n in self._axes(a))
            for a in accesses(e)
        )

    def _stays(self, subscript: Expr, extent: Expr | None, equation: Equation) -> bool:
        """Whether a subscript is below the extent of its axis: an index over it, or a label that is."""
        if isinstance(subscript, IntegerAccess):
            tensor = self.source.by_name.get(subscript.name)
            below = None if tensor is None else tensor.fact("below")
            return below is not None and below.bound == extent
        return isinstance(subscript, Index) and equation.extents.get(subscript) == extent

    def _axes(self, access: Access) -> list[tuple[Expr, Expr | None]]:
        tensor = self.source.by_name.get(access.name)
        shape = tensor.shape if tensor is not None else (None,) * len(access.subscripts)
        return list(zip(access.subscripts, shape, strict=True))
