"""Values of another step read back: where `h[t, n] = tanh(u[t−1, n]·w[n])`, `tanh(u[t, n]·w[n]) = h[t+1, n]`.

Enters: the forward maps of recurrences. Leaves: bodies with such expressions replaced, under the bracket that
keeps the step in range. Must not know: which function it is, or whether the new body is cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy

from symbp.derive.sweep.ranges import Shape, within_ranges
from symbp.ir.affine import affine
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, Guard, Index, parts_of, value_accesses
from symbp.ir.system import Equation

Neighbours = Mapping[tuple[str, ...], tuple[Equation, ...]]
"""Maps that read another step, by the names of the tensors that they read."""


def neighbours(forward: Sequence[Equation]) -> Neighbours:
    """The forward maps that read something at a shifted subscript; folding finds the others."""
    found: dict[tuple[str, ...], tuple[Equation, ...]] = {}
    for equation in forward:
        reads = parts_of(equation.body, Access)
        shifted = any(not isinstance(s, Index) for a in reads for s in a.subscripts)
        if equation.reduction is None and shifted and not isinstance(equation.body, Access):
            found[_names(equation.body)] = (*found.get(_names(equation.body), ()), equation)
    return found


def at_other_steps(
    e: Expr,
    known: Neighbours,
    extents: Mapping[Index, Expr],
    shape: Shape,
    allowed: Callable[[str], bool],
) -> Expr:
    """`e` with each subexpression that a map has at another step replaced by a read of that step."""
    if not known:
        return e
    terms = []
    for term in sympy.Add.make_args(e):
        guards = [f for f in sympy.Mul.make_args(term) if isinstance(f, Guard)]
        found: dict[Expr, Expr] = {}
        for part in sympy.preorder_traversal(term):
            for equation in known.get(_names(part), ()) if part.args else ():
                if part.func is equation.body.func and part not in found and allowed(equation.target):
                    change = _steps_apart(equation, part, shape, extents)
                    if change is not None and _in_range(equation, change, guards, extents):
                        found[part] = Access(equation.target, *[change[i] for i in equation.indices])
        terms.append(term.xreplace(found) if found else term)
    return sympy.Add(*terms)


def _steps_apart(
    equation: Equation, part: Expr, shape: Shape, extents: Mapping[Index, Expr]
) -> dict[Index, Expr] | None:
    """The change of indices, each by another and a number of steps, that makes the map's body the part."""
    change: dict[Index, Expr] = {}
    theirs = {a.name: a for a in value_accesses(part)}
    for access in value_accesses(equation.body):
        for mine, its in zip(access.subscripts, theirs[access.name].subscripts, strict=True):
            form = affine(mine)
            if form is not None and len(form.weights) == 1 and 1 in form.weights.values():
                change.setdefault(next(iter(form.weights)), its - form.offset)
    if set(change) != set(equation.indices) or all(isinstance(to, Index) for to in change.values()):
        return None
    moved = equation.body.xreplace(change)
    return change if part in (moved, within_ranges(moved, shape, extents)) else None


def _in_range(
    equation: Equation, change: Mapping[Index, Expr], guards: Sequence[Expr], extents: Mapping[Index, Expr]
) -> bool:
    """Whether brackets or ranges say that the other step is there."""
    for index, to in change.items():
        last = equation.extents[index] - 1
        for low, high in ((sympy.Integer(0), to), (to, last)):
            within = Guard("<=", low, high)
            if within != 1 and within not in guards and not never_negative(high - low, extents):
                return False
    return True


def _names(e: Expr) -> tuple[str, ...]:
    return tuple(sorted({a.name for a in value_accesses(e)}))
