"""How parameters start whose author doesn't say: by what the equations do with them.

Enters: a system. Leaves: `symbp.ir.training.Initial`, with the reason. Must not know: ops and layers by name.

A weight is a factor of a sum over some of its indices. These are what it takes in, however many axes it has;
what it gives out are its other indices, and those by which the other factor is shifted (a kernel's window).
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbp.ir.expr import Access, Expr, IntegerAccess, accesses, free_indices, value_accesses
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.ir.training import Initial
from symbp.language import initial

FAR = 6  # standard deviations: a rectifier is about 0 on one side, about the identity on the other
NEAR = 0.1


def start(system: System, parameter: Tensor) -> Initial:
    """He's for a weight into a rectifier, Glorot's for any other, zeros for what is only added; the last two
    axes of what is neither count as a matrix."""
    reading = [e for e in system.equations if parameter.name in e.read_names]
    for equation in reading:
        found = _fans(equation, parameter.name)
        if found is not None:
            rectified = _is_rectified(system, equation.target)
            return (initial.he_normal if rectified else initial.glorot_uniform)(found)
    if reading and all(_is_added(equation, parameter.name) for equation in reading):
        return initial.zeros(parameter.shape)
    return initial.default(parameter.shape)


def _fans(equation: Equation, name: str) -> tuple[Expr, Expr] | None:
    """(how many inputs reach an output, how many outputs an input reaches), where the tensor is a weight."""
    if equation.op != "sum":
        return None
    for weight, others in _products(equation.body, name):
        own, summed = free_indices(weight), set(equation.reduced)
        shared = own & summed & {i for other in others for i in free_indices(other)}
        if not shared or any(accesses(s) for s in weight.subscripts):
            continue
        alone = {
            i
            for other in others
            for s in other.subscripts
            if len(free_indices(s)) == 1
            for i in free_indices(s)
        }
        into = sympy.Mul(*[equation.extents[i] for i in equation.reduced if i in own])
        out = sympy.Mul(*[equation.extents[i] for i in equation.all_indices if i in own and i not in alone])
        return into, out
    return None


def _products(body: Expr, name: str) -> Iterator[tuple[Access, list[Access]]]:
    """(the tensor's access, the other factors that are accesses) of each product that it is a factor of."""
    for product in sympy.preorder_traversal(body):
        if product.is_Mul:
            factors = [f for f in product.args if isinstance(f, Access)]
            for factor in factors:
                if factor.name == name:
                    yield factor, [f for f in factors if f is not factor]


def _is_added(equation: Equation, name: str) -> bool:
    """Whether the tensor is a term by itself wherever the body holds it."""
    sums = [e for e in sympy.preorder_traversal(equation.body) if e.is_Add]
    terms = [a for e in sums for a in e.args if isinstance(a, Access) and a.name == name]
    everywhere = [
        a for a in sympy.preorder_traversal(equation.body) if isinstance(a, Access) and a.name == name
    ]
    return bool(terms) and len(terms) == len(everywhere)


def _is_rectified(system: System, name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether an equation passes about half of the tensor's values on, the offsets being 0."""
    for equation in system.equations:
        if name not in equation.read_names or equation.op is not None or equation.target in seen:
            continue
        above, below = (_response(system, equation, name, sympy.Integer(sign * FAR)) for sign in (1, -1))
        if above is None or below is None or abs(above - FAR) > NEAR * FAR:
            continue
        if abs(below) <= NEAR * FAR:
            return True
        same = abs(below + FAR) <= NEAR * FAR
        if same and _is_rectified(system, equation.target, seen | {name, equation.target}):
            return True
    return False


def _response(system: System, equation: Equation, name: str, value: Expr) -> float | None:
    """What a pointwise equation gives where the tensor has this value and all parameters are 0; None where it
    reads anything else."""
    given: dict[Expr, Expr] = {}
    for access in value_accesses(equation.body):
        if access.name == name and access.subscripts == equation.indices:
            given[access] = value
        elif system.tensor(access.name).role is Role.PARAMETER and not isinstance(access, IntegerAccess):
            given[access] = sympy.S.Zero
        else:
            return None
    found = equation.body.xreplace(given).evalf()
    return float(found) if found.is_Float or found.is_Number else None
