"""How parameters start whose author doesn't say: by what the equations do with them.

Enters: a system. Leaves: `symbp.ir.training.Initial`, with the reason. Must not know: ops and layers by name.

A weight is a factor of a sum over some of its indices. These are what it takes in, however many axes it has;
what it gives out are its other indices, and those by which the other factor is shifted (a kernel's window).
"""

from __future__ import annotations

from collections.abc import Container, Iterator

import sympy

from symbp.ir.expr import Access, Expr, IntegerAccess, accesses, free_indices, value_accesses
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.ir.training import Initial
from symbp.language import initial

FAR = 6  # standard deviations: a rectifier is about 0 on one side, about the identity on the other
NEAR = 0.1


def start(system: System, parameter: Tensor) -> Initial:
    """He's for a weight into a rectifier, Glorot's for any other; 1 for what must not be 0, and for what
    multiplies that which other parameters make; zeros for what is only added; the last two axes of what is
    none of these count as a matrix."""
    reading = [e for e in system.equations if parameter.name in e.read_names]
    for equation in reading:
        found = _fans(equation, parameter.name)
        if found is not None:
            rectified = _is_rectified(system, equation.target)
            return (initial.he_normal if rectified else initial.glorot_uniform)(found)
    if parameter.fact("positive") or any(_away_from_zero(e.body, parameter.name) for e in reading):
        return initial.ones(parameter.shape, "at 0 something would be divided by it, or its logarithm taken")
    learned = {t.name for t in system.parameters} - {parameter.name}
    resting = {e.target for e in system.equations if system.ancestors(e.target) & learned}
    scales = all(_is_factor(equation.body, parameter.name, learned | resting) for equation in reading)
    if reading and scales and len(parameter.shape) < 2:  # a matrix of ones would be all alike
        return initial.ones(parameter.shape)
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


def _away_from_zero(body: Expr, name: str) -> bool:
    """Whether a body divides by the tensor, or takes its logarithm, by itself or as a factor."""
    for e in sympy.preorder_traversal(body):
        power = e.is_Pow and not isinstance(e, sympy.exp) and e.exp.could_extract_minus_sign()
        inside = e.base if power else e.args[0] if isinstance(e, sympy.log) else None
        factors = () if inside is None else sympy.Mul.make_args(inside)
        if any(isinstance(f.as_base_exp()[0], Access) and f.as_base_exp()[0].name == name for f in factors):
            return True
    return False


def _is_factor(body: Expr, name: str, learned: Container[str]) -> bool:
    """Whether the tensor multiplies, wherever it stands, something that other parameters make: at 0 their
    gradients would be 0 with it."""
    everywhere = [a for a in sympy.preorder_traversal(body) if isinstance(a, Access) and a.name == name]
    beside = 0
    for product in sympy.preorder_traversal(body):
        if product.is_Mul:
            own = [f for f in product.args if isinstance(f, Access) and f.name == name]
            others = [a.name for f in product.args if f not in own for a in value_accesses(f)]
            beside += len(own) if any(other in learned for other in others) else 0
    return 0 < beside == len(everywhere)


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
