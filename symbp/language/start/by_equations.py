"""How parameters start whose author doesn't say: by what the equations do with them.

Enters: a system. Leaves: `symbp.ir.training.Initial`, with the reason. Must not know: ops and layers by name.

A weight is a factor of a sum over some of its indices. These are what it takes in, however many axes it has;
what it gives out are its other indices, and those by which the other factor is shifted (a kernel's window).

Anything else would start at 0, and is tried there: where an equation that reads it then divides by 0 or has
no slope, where all that the equation passes on is lost, or a product with another such parameter, it starts
at 1.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbp.ir.expr import Access, Expr, Index, IntegerAccess, accesses, free_indices, value_accesses
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.ir.training import Initial
from symbp.language.start import distributions

FAR = 6  # standard deviations: a rectifier is about 0 on one side, about the identity on the other
NEAR = 0.1
UNDEFINED = (sympy.zoo, sympy.nan, sympy.oo, sympy.S.NegativeInfinity)
AWAY = "what is divided by, or whose logarithm or root is taken, starts away from 0"


def start(system: System, parameter: Tensor) -> Initial:
    """He's for a weight into a rectifier, Glorot's for any other; 1 for what must be positive, what is
    divided by and a factor of everything, else zeros; the last two axes of what is none of these count as a
    matrix."""
    name, shape = parameter.name, parameter.shape
    reading = [e for e in system.equations if name in e.read_names]
    if any(parameter.fact(kind) for kind in ("positive", "nonnegative")):
        return distributions.ones(shape, "it must be positive")
    found = _weight(system, name)
    if found is not None:
        inputs, outputs, target = found
        rectified = _is_rectified(system, target)
        return (distributions.he_normal if rectified else distributions.glorot_uniform)((inputs, outputs))
    if any(_is_near_a_pole(e.body, name, sympy.S.Zero) for e in reading):
        return distributions.ones(shape, AWAY)
    if reading and all(_is_added(equation, name) for equation in reading):
        return distributions.zeros(shape)
    if len(shape) > 1:  # it wouldn't start at 0, and as a table must not be all alike
        scaling = [e for e in reading if e.op is None and _is_plain(e, name)]
        reasons = [_lost(system, e, name, _with(e.body, name, sympy.S.Zero)) for e in scaling]
        why = next((reason for reason in reasons if reason), "")
    else:
        why = _against(system, name, sympy.S.Zero, frozenset())
    return distributions.ones(shape, why) if why else distributions.default(shape)


def kind(system: System, parameter: Tensor) -> str:
    """What a parameter is: a `weight`, which enters a sum of products, an `offset`, which is added only, or a
    `scale`, an elementwise factor; what is none of these counts as a weight."""
    name = parameter.name
    reading = [e for e in system.equations if name in e.read_names]
    if not reading or _weight(system, name) is not None:
        return "weight"
    if all(_is_added(equation, name) for equation in reading):
        return "offset"
    return "scale" if all(e.op is None and _is_plain(e, name) for e in reading) else "weight"


def fans_of(system: System, name: str) -> tuple[Expr, Expr] | None:
    """How many inputs reach an output, and how many outputs an input reaches, of a weight."""
    found = _weight(system, name)
    return None if found is None else found[:2]


def _is_plain(equation: Equation, name: str) -> bool:
    """Whether the tensor is read there element by element, not as a table."""
    return all(isinstance(s, Index) for a in equation.reads if a.name == name for s in a.subscripts)


def _with(body: Expr, name: str, value: Expr) -> Expr:
    """The body where all of a tensor has this value."""
    return body.xreplace({a: value for a in accesses(body) if a.name == name})


def _weight(system: System, name: str, seen: frozenset[str] = frozenset()) -> tuple[Expr, Expr, str] | None:
    """(how many inputs reach an output, how many outputs an input reaches, which tensor holds the outputs),
    where the tensor is a weight, or one of the same shape is that is made of its elements one by one."""
    for equation in (e for e in system.equations if name in e.read_names):
        fans = _fans(equation, name)
        if fans is not None:
            return *fans, equation.target
    shape = system.tensor(name).shape
    for equation in (e for e in system.equations if name in e.read_names and e.target not in seen):
        if equation.op is None and equation.shape == shape and len(shape) > 1:
            found = _weight(system, equation.target, seen | {equation.target})
            if found is not None:
                return found
    return None


def _against(system: System, name: str, value: Expr, seen: frozenset[str]) -> str:
    """Why the tensor may not have this value everywhere; nothing if it may. What is made of it alone is
    followed."""
    for equation in system.equations:
        if name not in equation.read_names or equation.target in seen or equation.leaf is not None:
            continue
        there = _with(equation.body, name, value)
        if there.has(*UNDEFINED) or _is_near_a_pole(equation.body, name, value):
            return AWAY
        why = _lost(system, equation, name, there)
        alone = not value_accesses(there) and not equation.where
        if not why and alone and (equation.op is None or (equation.op == "sum" and there == 0)):
            why = _against(system, equation.target, there, seen | {equation.target})
        if why:
            return why
    return ""


def _lost(system: System, equation: Equation, name: str, there: Expr) -> str:
    """Why it matters what an equation no longer reads once the tensor has its value; nothing if it
    doesn't."""
    others = {a.name for a in value_accesses(equation.body)} - {name}
    lost = others - {a.name for a in value_accesses(there)}
    lost = {other for other in lost if _leaves(system, other) - {name}}
    if not lost:
        return ""
    if any(_is_factor_too(system, equation, other) for other in lost):
        return "a factor of another one: if both were 0, neither would learn"
    kept = {a.name for a in value_accesses(there) if not _is_factor_too(system, equation, a.name)}
    gone, stays = ({leaf for other in names for leaf in _leaves(system, other)} for names in (lost, kept))
    for role in (Role.PARAMETER, Role.INPUT):  # what others learn, or else the data: a target isn't passed on
        if any(system.tensor(leaf).role is role for leaf in gone):
            left = any(system.tensor(leaf).role is role for leaf in stays)
            return "" if left else "a factor of all that it meets: 0 would pass nothing on"
    return ""


def _leaves(system: System, name: str) -> set[str]:
    """The leaves that a tensor rests on."""
    return {other for other in system.ancestors(name) if other not in system.defining}


def _is_factor_too(system: System, equation: Equation, name: str) -> bool:
    """Whether it is a parameter that isn't a weight here: it might start at 0 itself."""
    return system.tensor(name).role is Role.PARAMETER and _fans(equation, name) is None


def _is_near_a_pole(body: Expr, name: str, value: Expr) -> bool:
    """Whether something is divided by, or a logarithm or a root taken of, a number next to 0."""
    for e in sympy.preorder_traversal(body):
        inside = e.args[0] if isinstance(e, sympy.log) else None
        if e.is_Pow and not (e.exp.is_Integer and e.exp > 0) and e.exp.is_number:
            inside = e.base
        if inside is not None and any(a.name == name for a in accesses(inside)):
            number = _with(inside, name, value)
            if number.is_number and abs(sympy.N(number)) < NEAR:
                return True
    return False


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
