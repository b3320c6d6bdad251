"""The factors of what a sum of exponentials adds up: the exponential, brackets, masks.

Enters: a body. Leaves: what is asked of it. Must not know: what is done about it.
"""

from __future__ import annotations

import sympy

from symbp.derive.definitions import map_body
from symbp.ir.expr import Access, Expr, Guard, accesses, parts_of
from symbp.ir.system import System


def exponential_factor(body: Expr, system: System) -> tuple[Expr, Access | None] | None:
    """(u, the map that holds exp(u), or None) if the body is exp(u) times something without exponentials;
    beside a map that holds it, only brackets and binary leaves."""
    factors = sympy.Mul.make_args(body)
    own = [f for f in factors if isinstance(f, sympy.exp)]
    if len(own) == 1 and not sympy.Mul(*[f for f in factors if f is not own[0]]).has(sympy.exp):
        return own[0].args[0], None
    rest = [f for f in factors if bracket_of(f, system) is None]
    if len(rest) == 1 and isinstance(rest[0], Access) and rest[0].outside is None:
        inner = map_body(rest[0], system)
        found = None if inner is None else exponential_factor(inner, system)
        if found is not None and found[1] is None:
            return found[0], rest[0]
    return None


def bracket_of(factor: Expr, system: System) -> Guard | None:
    """The bracket that says where a factor is not 0, if it is made of brackets and leaves of zeros and ones;
    else None."""
    if isinstance(factor, Guard):
        return factor
    if is_mask(factor, system):
        return Guard("=", factor, 1)  # type: ignore[no-any-return]
    reads = accesses(factor)
    chosen = bool(parts_of(factor, Guard)) or any(is_mask(a, system) for a in reads)
    if factor.has(sympy.exp) or not chosen or not all(is_mask(a, system) or a.is_integer for a in reads):
        return None
    found = Guard("!=", factor, 0)
    return found if isinstance(found, Guard) else None


def is_mask(factor: Expr, system: System) -> bool:
    """A read of a leaf of zeros and ones."""
    if not isinstance(factor, Access) or factor.outside is not None:
        return False
    tensor = system.by_name.get(factor.name)
    return tensor is not None and tensor.fact("binary") is not None
