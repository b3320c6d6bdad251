"""Sums over three and more factors, taken apart into sums over two in the order that costs least.

Enters: a sum of a product. Leaves: the parts to be computed before, and the sum that is left.
Must not know: targets, buffers, which of the sums become matrix products.

`Σ_b,c A[a,b]·B[b,c]·C[c,d]` is `Σ_c (Σ_b A[a,b]·B[b,c])·C[c,d]` or `Σ_b A[a,b]·(Σ_c B[b,c]·C[c,d])`; the
number of operations, a polynomial in the sizes, decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from symbp.ir.expr import Access, Expr, Guard, Index, accesses, free_indices, product
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation
from symbp.lower.select.contraction import split_scale
from symbp.lower.select.windows import nominal


@dataclass(frozen=True)
class _Factor:
    """Factors multiplied into one, and the indices that no loop around fixes."""

    body: Expr
    indices: frozenset[Index]


def associated(
    equation: Equation, fixed: Collection[Index], buffer: Callable[[tuple[Index, ...]], str]
) -> tuple[list[Equation], Equation]:
    """Equations for parts of a product, each a sum over two factors, and the equation that reads them;
    `buffer` names the tensor of a part with these indices."""
    parts: list[Equation] = []
    while equation.op == "sum":
        scale, inner = split_scale(equation)
        if any(f.atoms(Guard) or not f.atoms(Access) for f in inner):
            break
        factors = _joined([_Factor(f, free_indices(f) - set(fixed)) for f in inner])
        wanted = frozenset(equation.indices) - set(fixed)
        alone = _alone(factors, wanted)
        if alone is not None:
            part, equation = _taken(equation, scale, factors, (alone,), wanted, buffer)
            parts.append(part)
            continue
        if len(factors) < 3:
            break
        direct = _count(frozenset().union(*(f.indices for f in factors)), equation.extents)
        cost, pair = _cheapest(factors, wanted, equation.extents)
        if pair is None or cost >= direct * (len(factors) - 1):
            break
        part, equation = _taken(equation, scale, factors, pair, wanted, buffer)
        parts.append(part)
    return parts, equation


def _joined(factors: Sequence[_Factor]) -> list[_Factor]:
    """Factors whose indices are contained in another's multiplied into it."""
    ordered = sorted(factors, key=lambda f: (-len(f.indices), expression_text(f.body)))
    found: list[_Factor] = []
    for factor in ordered:
        for k, other in enumerate(found):
            if factor.indices <= other.indices:
                found[k] = _Factor(other.body * factor.body, other.indices)
                break
        else:
            found.append(factor)
    return found


def _alone(factors: Sequence[_Factor], wanted: frozenset[Index]) -> _Factor | None:
    """A factor, beside others, that is summed over an index of its own: by itself, before it meets them."""
    for factor in factors:
        others = [f for f in factors if f is not factor]
        if others and factor.indices - _kept((factor,), others, wanted):
            return factor
    return None


def _count(indices: Collection[Index], extents: Mapping[Index, Expr]) -> int:
    return nominal(product(extents[i] for i in indices))


def _kept(taken: Sequence[_Factor], others: Sequence[_Factor], wanted: frozenset[Index]) -> frozenset[Index]:
    """The indices that the product of some factors still needs."""
    needed = wanted.union(*(f.indices for f in others))
    return frozenset().union(*(f.indices for f in taken)) & needed


def _cheapest(
    factors: Sequence[_Factor], wanted: frozenset[Index], extents: Mapping[Index, Expr]
) -> tuple[int, tuple[_Factor, _Factor] | None]:
    """The operations of the best order, and the two factors that it multiplies first."""
    if len(factors) < 3:
        return _count(frozenset().union(*(f.indices for f in factors)), extents), None
    best: tuple[int, tuple[_Factor, _Factor] | None] = (0, None)
    for pair in combinations(factors, 2):
        others = [f for f in factors if f not in pair]
        kept = _kept(pair, others, wanted)
        union = pair[0].indices | pair[1].indices
        if kept == union:
            continue  # nothing is summed yet
        later, _ = _cheapest([*others, _Factor(pair[0].body * pair[1].body, kept)], wanted, extents)
        cost = _count(union, extents) + later
        if best[1] is None or cost < best[0]:
            best = (cost, pair)
    if best[1] is None:
        return _count(frozenset().union(*(f.indices for f in factors)), extents) * (len(factors) - 1), None
    return best


def _taken(
    equation: Equation,
    scale: Expr,
    factors: Sequence[_Factor],
    taken: Sequence[_Factor],
    wanted: frozenset[Index],
    buffer: Callable[[tuple[Index, ...]], str],
) -> tuple[Equation, Equation]:
    """The sum over one or two factors, and the equation with it in their place."""
    assert equation.reduction is not None
    others = [f for f in factors if f not in taken]
    kept = _kept(taken, others, wanted)
    met_here = frozenset().union(*(f.indices for f in taken))
    read = [s for f in taken for access in accesses(f.body) for s in access.subscripts]
    met = [i for i in dict.fromkeys(read) if i in kept]  # in the order of what is read
    axes = (*met, *(i for i in equation.all_indices if i in kept and i not in met))
    summed = tuple(i for i in equation.reduced if i in met_here - kept)
    extents = equation.extents
    part = Equation(
        buffer(axes),
        axes,
        product(f.body for f in taken),
        replace(equation.reduction, indices=summed),
        ranges=tuple(extents[i] for i in (*axes, *summed)),
        origin=equation.origin,
    )
    left = tuple(i for i in equation.reduced if i not in summed)
    body = scale * product(f.body for f in others) * Access(part.target, *axes)
    reduction = replace(equation.reduction, indices=left) if left else None
    rest = equation.with_(
        body=body, reduction=reduction, ranges=tuple(extents[i] for i in (*equation.indices, *left))
    )
    return part, rest
