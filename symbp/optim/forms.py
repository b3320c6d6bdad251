"""The same update for a matrix: equations of an entry by row and column, and a bound on what a unit weighs.

Enters: the equations of entries. Leaves: those of a matrix. Must not know: which optimizers exist, targets.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from symbp.ir.build import where
from symbp.ir.expr import Access, Expr, Guard, Index, Size
from symbp.ir.system import Equation, Reduction, Role, System, Tensor
from symbp.ir.training import THETA

ROW, COLUMN = Index("r"), Index("c")
R, C = Size("R"), Size("C")
ENTRY = Index("i")


def lifted(system: System) -> System:
    """Equations of one entry, `theta[i]` or `theta[k,i]`, as those of a matrix `theta[r,c]`. What is computed
    once for all parameters becomes a leaf."""
    theta = system.tensor(THETA).shape
    count = theta[0] if len(theta) > 1 else None
    shared = {
        e.target
        for e in system.equations
        if not e.indices and (e.reduction or not {i for a in e.reads for i in a.subscripts})
    }
    read = {name for e in system.equations if e.target not in shared for name in e.read_names}
    equations = tuple(_lifted(e, count) for e in system.equations if e.target not in shared)
    kept = {t.name for t in system.tensors} - (shared - read)
    tensors = tuple(_shaped(t, theta, count, t.name in shared) for t in system.tensors if t.name in kept)
    return system.with_(tensors=tensors, equations=equations)


def _shaped(tensor: Tensor, theta: tuple[Expr, ...], count: Expr | None, leaf: bool) -> Tensor:
    if tensor.shape == theta:
        return replace(tensor, shape=(R, C))
    if count is not None and tensor.shape == (count,):
        return replace(tensor, shape=())
    return replace(tensor, role=Role.INPUT) if leaf else tensor


def _lifted(equation: Equation, count: Expr | None) -> Equation:
    """One equation over rows and columns in place of entries, without the index that tells parameters
    apart."""
    extents = equation.extents
    which = {i for i in equation.all_indices if count is not None and extents[i] == count}

    def along(indices: tuple[Index, ...]) -> tuple[Index, ...]:
        kept = [i for i in indices if i not in which]
        return tuple(j for i in kept for j in ((ROW, COLUMN) if i == ENTRY else (i,)))

    reads = {
        a: type(a)(a.name, *along(tuple(a.subscripts)))  # plain subscripts: an update reads its own entry
        for a in equation.reads
        if a.subscripts
    }
    reduction = equation.reduction and Reduction(equation.reduction.op, along(equation.reduction.indices))
    indices = along(equation.indices)
    ranges = tuple({ROW: R, COLUMN: C}[i] for i in (*indices, *(reduction.indices if reduction else ())))
    return equation.with_(
        indices=indices, body=equation.body.xreplace(reads), reduction=reduction, ranges=ranges
    )


def constrained(system: System, over: Index) -> System:
    """The equations with a bound on norms behind the step: of columns, where the sum is over rows, or of
    rows. Where gradients are accumulated, behind the step that they become together."""
    target = f"{THETA}_new" if f"{THETA}_new" in system.defining else f"{THETA}_next"
    kept = COLUMN if over == ROW else ROW
    extents = {ROW: R, COLUMN: C}
    free, squares, share = (Access(n, *at) for n, at in (
        ("theta_free", (ROW, COLUMN)), ("unit_squares", (kept,)), ("unit_share", (kept,))
    ))  # fmt: skip
    most, length = Access("max_norm"), sympy.sqrt(squares)
    longest = where(Guard("<", most, length), length, most)
    added = (
        Equation(
            "unit_squares", (kept,), free**2, Reduction("sum", (over,)), (), (extents[kept], extents[over]),
            rule="‖what a unit is weighted with‖²",
        ),
        Equation(
            "unit_share", (kept,), most / longest, None, (), (extents[kept],),
            rule="at most max_norm",
        ),
        Equation(target, (ROW, COLUMN), share * free, None, (), (R, C), rule="step, its norms bounded"),
    )  # fmt: skip
    equations: list[Equation] = []
    for equation in system.equations:
        equations.append(equation.with_(target="theta_free") if equation.target == target else equation)
        equations += added if equation.target == target else ()
    tensors = (
        *system.tensors,
        Tensor("theta_free", (R, C)),
        Tensor("unit_squares", (extents[kept],)),
        Tensor("unit_share", (extents[kept],)),
    )
    return system.with_(tensors=tensors, equations=tuple(equations))


__all__ = ["COLUMN", "ENTRY", "ROW", "C", "R", "constrained", "lifted"]
