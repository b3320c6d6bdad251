"""Another index to sum over: `Σ_a g[a]·w[a − 2i + 1]` as `Σ_k g[2i + k − 1]·w[k]`, if k has fewer values.

Enters: an equation with a sum. Leaves: the same sum over fewer elements. Must not know: convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbp.derive.search.cost import extent
from symbp.ir.expr import Access, Expr, Index, free_indices, parts_of, unused_index
from symbp.ir.system import Equation, Reduction, Tensor


def shorter_sums(equation: Equation, tensors: Mapping[str, Tensor]) -> list[Equation]:
    """The sum with one index replaced by the subscript of a factor, for each with a shorter axis.

    The factor is 0 outside its range; the one other factor with the index reads it plainly, and comes to be 0
    where the index leaves its range.
    """
    found = []
    factors = sympy.Mul.make_args(equation.body)
    for factor in factors:
        if not isinstance(factor, Access) or factor.outside not in (None, 0):
            continue
        for axis, subscript in enumerate(factor.subscripts):
            for index in equation.reduced:
                changed = _over(equation, factor, axis, index, tensors[factor.name].shape[axis])
                if isinstance(subscript, Index) or changed is None:
                    continue
                found.append(changed)
    return found


def _over(equation: Equation, factor: Access, axis: int, index: Index, size: Expr) -> Equation | None:
    subscript = sympy.expand(factor.subscripts[axis])
    slope = subscript.coeff(index, 1)
    rest = sympy.expand(subscript - slope * index)
    if slope not in (1, -1) or index in free_indices(rest) or parts_of(subscript, Access):
        return None
    others = [f for f in sympy.Mul.make_args(equation.body) if f != factor and index in free_indices(f)]
    if len(others) != 1 or not _reads_plainly(others[0], index) or index in _elsewhere(factor, axis):
        return None
    if extent(size) >= extent(equation.extents[index]):
        return None
    short = (
        unused_index(Index("k"), equation.all_indices) if Index("k") in equation.all_indices else Index("k")
    )
    solved = sympy.expand(slope * (short - rest))
    subscripts = list(factor.subscripts)
    subscripts[axis] = short
    other = others[0]
    moved = type(other)(other.name, *[s.xreplace({index: solved}) for s in other.subscripts], outside=0)
    inside = all(isinstance(s, Index) for s in subscripts)  # else another axis may still be left
    read = type(factor)(factor.name, *subscripts, outside=None if inside else factor.outside)
    body = equation.body.xreplace({factor: read, other: moved})
    reduced = tuple(short if i == index else i for i in equation.reduced)
    extents = {**equation.extents, short: size}
    ranges = tuple(extents[i] for i in (*equation.indices, *reduced))
    return equation.with_(body=body, reduction=Reduction("sum", reduced), ranges=ranges)


def _reads_plainly(e: Expr, index: Index) -> bool:
    """A tensor's element with the index as one of its subscripts, and in no other."""
    if not isinstance(e, Access) or e.outside is not None:
        return False
    return [s for s in e.subscripts if index in free_indices(s)] == [index]


def _elsewhere(factor: Access, axis: int) -> frozenset[Index]:
    """The indices of the other subscripts."""
    return frozenset(i for k, s in enumerate(factor.subscripts) if k != axis for i in free_indices(s))
