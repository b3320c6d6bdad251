"""Finds the inverses of which nothing but products is needed: these are solved for and never made.

Enters: a system, the equations of a stage, how a sum is split into two operands. Leaves: for each such
inverse the matrix behind it, and whether that is known to be triangular. Must not know: targets.

`Σ_j V[i,j]·b[j]` with V = A⁻¹ is the x with A·x = b. An LU factorisation takes 2/3·n³ operations and the
inverse 2·n³, and x solves its equations more closely (Higham 2002, "Accuracy and Stability of Numerical
Algorithms", section 14.1). An inverse that is read element by element anywhere in the system stays, and so
does one in more products than are worth a factorisation each. A triangular matrix needs none at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from symbp.ir.expr import Access
from symbp.ir.system import Equation, System
from symbp.lower.program import plain_subscripts
from symbp.lower.select.contraction import BilinearSum

MOST_PRODUCTS = 2  # two factorisations take 4/3·n³ operations


@dataclass(frozen=True)
class Inverse:
    """An inverse that stands in `products` and nowhere else: that of tensor `matrix` ("" if the matrix needs
    computing), of its transpose if `turned`; `triangular`: the tensor has zeros above its diagonal."""

    matrix: str
    turned: bool
    triangular: bool
    products: int


def only_multiplied(
    system: System,
    stage: Collection[str],
    inside: Collection[str],
    split: Callable[[Equation], BilinearSum | None],
) -> Mapping[str, Inverse]:
    """The inverses among the targets of a `stage` that are solved for; `inside` are the targets of equations
    in loops, `split` gives the operands of a sum that becomes one product."""
    found = {}
    for equation in system.equations:
        if equation.op != "inverse" or equation.target not in stage:
            continue
        readers = [e for e in system.equations if equation.target in e.read_names]
        inverse = _described(system, equation, len(readers))
        if any(e.target in inside for e in readers) or not readers:
            continue
        if not inverse.triangular and inverse.products > MOST_PRODUCTS:
            continue
        if all(_multiplies(e, equation, split(e)) for e in readers):
            found[equation.target] = inverse
    return found


def _described(system: System, equation: Equation, products: int) -> Inverse:
    """The matrix of an inverse, and what is known of it."""
    body, reduced = equation.body, equation.reduced
    batch = equation.indices[: len(equation.indices) - len(equation.result)]
    subscripts = plain_subscripts(body) if isinstance(body, Access) else None
    if subscripts not in ((*batch, *reduced), (*batch, *reduced[::-1])):
        return Inverse("", False, False, products)
    defining = system.defining.get(body.name)
    triangular = system.tensor(body.name).fact("lower triangular") is not None
    triangular = triangular or (defining is not None and defining.op == "cholesky")
    return Inverse(body.name, subscripts != (*batch, *reduced), triangular, products)


def _multiplies(reader: Equation, inverse: Equation, split: BilinearSum | None) -> bool:
    """Whether the reader is one matrix product in which the inverse is one operand, summed over one axis."""
    if split is None or len(split.summed) != 1:
        return False
    pairs = [(split.left, split.right), (split.right, split.left)]
    found = [(own.array, other) for own, other in pairs if own.array and own.array.name == inverse.target]
    if len(found) != 1 or len([a for a in reader.reads if a.name == inverse.target]) != 1:
        return False
    own, other = found[0]
    axes, batch = own.subscripts[-2:], own.subscripts[:-2]
    vector = set(other.indices) <= {*split.batch, *split.summed}
    if batch != split.batch or (vector and batch and not split.rows):
        return False
    return split.summed[0] in axes and len(set(axes)) == 2
