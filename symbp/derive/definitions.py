"""Looking through definitions: the body behind a read, and names for new ones.

Enters: a system, reads of its tensors. Leaves: expressions. Must not know: what they are looked at for.
"""

from __future__ import annotations

from symbp.ir.expr import Access, Expr
from symbp.ir.system import Equation, System


def inline(equation: Equation, access: Access) -> Expr:
    """The body of a map at the subscripts of a read."""
    return equation.body.xreplace(dict(zip(equation.indices, access.subscripts, strict=True)))


def map_body(access: Access, system: System) -> Expr | None:
    """What a read of a map stands for; None for leaves, reductions, and reads with an outside value."""
    equation = system.defining.get(access.name)
    if equation is None or equation.reduction is not None or access.outside is not None:
        return None
    return inline(equation, access)


def fresh_name(system: System, base: str) -> str:
    """`base`, `base2`, `base3`, …: the first that no tensor has."""
    name, count = base, 1
    while name in system.by_name:
        count += 1
        name = f"{base}{count}"
    return name
