"""Numbers, and nested lists of them, that stand in a declaration.

Enters: what a user wrote beside tensors. Leaves: exact numbers by their places. Must not know: tensors.
"""

from __future__ import annotations

from typing import Any

from symbp.errors import DeclarationError
from symbp.ir.expr import Expr
from symbp.language.bodies import number
from symbp.language.naming.frames import here


def entries(given: Any) -> tuple[tuple[int, ...], dict[tuple[int, ...], Expr]]:
    """The shape of nested lists, and their numbers by place."""
    if not isinstance(given, (list, tuple)):
        return (), {(): constant(given)}
    parts = [entries(part) for part in given]
    if len({shape for shape, _ in parts}) > 1:
        raise DeclarationError("the rows of an array have different lengths", where=here())
    inner = parts[0][0] if parts else ()
    found = {(k, *place): entry for k, (_, own) in enumerate(parts) for place, entry in own.items()}
    return (len(parts), *inner), found


def constant(operand: Any) -> Expr:
    """A number, exactly. Raises DeclarationError: anything else."""
    value = number(operand)
    if value is None:
        raise DeclarationError(
            f"a network is made of tensors and numbers, not of {type(operand).__name__}",
            where=here(),
            help='declare data with bp.input("x", shape) and give the arrays when training',
        )
    return value
