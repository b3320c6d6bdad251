"""The cost of equations in operations and in memory, one and the same count for ours and for published ones.

Operations: in each equation, every +, -, ·, / and function counts once for each element of the box of the
indices it depends on, a bracket like a function; a reduction adds one for each element of its own box.
A subexpression that occurs twice in a body counts once; signs, expressions in sizes and indices alone are
free, and so are brackets between indices, which only bound loops (as the outside value of a read does).
The largest intermediate is the largest tensor that isn't a requested gradient; what a contraction only runs
through isn't stored. All sizes are about 16 and pairwise different.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, free_indices
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import Equation


@dataclass(frozen=True)
class Cost:
    """Operations, and the elements of the largest intermediate."""

    operations: int
    intermediate: int


def nominal_sizes(names: Iterable[str], special: Mapping[str, int] | None = None) -> dict[str, int]:
    """16, 17, 18, … in the order of the names, but for those that a row needs otherwise."""
    return {name: 16 + k for k, name in enumerate(sorted(names))} | dict(special or {})


def measure(equations: Sequence[Equation], requested: Collection[str], sizes: Mapping[str, int]) -> Cost:
    """The cost of a list of equations whose results `requested` are wanted."""
    stored = [_volume(e, e.indices, sizes) for e in equations if e.target not in requested]
    return Cost(sum(_operations(e, sizes) for e in equations), max(stored, default=0))


def _volume(equation: Equation, indices: Iterable[Index], sizes: Mapping[str, int]) -> int:
    return math.prod(evaluate_size(equation.extents[i], sizes) for i in indices)


def _operations(equation: Equation, sizes: Mapping[str, int]) -> int:
    count = _Count(equation, sizes)
    for part in (equation.body, *equation.where):
        count.walk(part)
    reduced = _volume(equation, equation.all_indices, sizes) if equation.reduction else 0
    return count.total + reduced


class _Count:
    """One walk over the distinct subexpressions of a body."""

    def __init__(self, equation: Equation, sizes: Mapping[str, int]) -> None:
        self.equation, self.sizes = equation, sizes
        self.seen: set[Expr] = set()
        self.total = 0

    def box(self, indices: Iterable[Index]) -> int:
        return _volume(self.equation, indices, self.sizes)

    def walk(self, e: Expr) -> None:
        if e in self.seen or not e.args or isinstance(e, Access) or not _varies(e):
            return
        self.seen.add(e)
        if isinstance(e, Guard):
            self.total += self.box(free_indices(e))
            return
        here = self.box(free_indices(e))
        if e.is_Add or e.is_Mul:
            for argument in e.args:
                self.walk(_positive_power(argument) if e.is_Mul else argument)
            self._chain(e)
        elif e.is_Pow and e.exp.is_Integer:
            self.walk(e.base)
            self.total += here * (_multiplications(abs(int(e.exp))) + (1 if e.exp < 0 else 0))
        elif e.is_Pow and not isinstance(e, sympy.exp):
            self.walk(e.base)
            self.walk(e.exp)
            self.total += here * (2 if e.exp.could_extract_minus_sign() else 1)
        else:
            for argument in e.args:
                self.walk(argument)
            self.total += here

    def _chain(self, e: Expr) -> None:
        """n terms or factors take n − 1 operations, those on few indices first; constants count as one."""
        constants = [x for x in e.args if not _varies(x)]
        operands = [free_indices(x) for x in e.args if _varies(x)]
        operands.sort(key=lambda indices: (self.box(indices), sorted(i.name for i in indices)))
        inverse = e.is_Mul and all(_is_inverse(x) for x in e.args if _varies(x))
        constants = [x for x in constants if not isinstance(x, Guard)]
        number = sympy.Mul(*constants) if e.is_Mul else sympy.Add(*constants)
        if (constants and number not in (1, -1)) or inverse:
            operands.insert(0, frozenset())
        joined = operands[0]
        for indices in operands[1:]:
            joined = joined | indices
            self.total += self.box(joined)


def _varies(e: Expr) -> bool:
    """Whether it reads a tensor: constants are computed once and for all, brackets of indices bound loops."""
    return bool(e.atoms(Access))


def _is_inverse(e: Expr) -> bool:
    return bool(e.is_Pow and not isinstance(e, sympy.exp) and e.exp.is_number and e.exp.is_negative)


def _positive_power(e: Expr) -> Expr:
    """A factor to a negative power is divided by, which the chain counts."""
    return 1 / e if _is_inverse(e) else e


def _multiplications(exponent: int) -> int:
    """Of a power by repeated squaring."""
    return max(exponent.bit_length() - 1, 0) + max(bin(exponent).count("1") - 1, 0)
