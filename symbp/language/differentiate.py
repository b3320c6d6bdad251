"""Derivatives inside a declaration: a gradient penalty, the residual of a differential equation, a force.

Enters: two tensors. Leaves: a tensor that stands for a derivative. Must not know: how it is computed.
"""

from __future__ import annotations

from symbp.errors import DeclarationError
from symbp.ir.system import Role
from symbp.language.naming.frames import here
from symbp.language.node import Node, display, settled
from symbp.language.tensor import Tensor


def grad(u: Tensor, x: Tensor) -> Tensor:
    """∂(Σ u)/∂x, a tensor of the shape of `x`: where each example of `u` rests on its own row of `x` only,
    that is the derivative of each example. It may be read like any other tensor, and differentiated again.
    By the states of a recurrence it is the derivative through all later steps, as of a loss (PyTorch's by
    each state; by a stack of the states, which no step reads, it has the direct part alone).

    Raises DeclarationError: not two real tensors, or a `u` that does not rest on `x`.
    """
    for side in (u, x):
        if not isinstance(side, Tensor) or side.integer:
            found = f"the integer tensor {display(side)}" if isinstance(side, Tensor) else repr(side)
            raise DeclarationError(
                f"bp.grad takes two real tensors, not {found}",
                where=here(),
                help="bp.grad(u, x) is ∂(Σ u)/∂x",
            )
    u, x = settled(u), settled(x)
    if not _rests_on(u, x):
        raise DeclarationError(
            f"{display(u)} does not rest on {display(x)}, so its derivative would be zero",
            where=here(),
            details=(f"{display(u)} declared at {u.origin}", f"{display(x)} declared at {x.origin}"),
            help="differentiate by a tensor that was used to compute it",
        )
    return Tensor.leaf(None, x.shape, Role.HIDDEN, quotient=(u, x))


def _rests_on(u: Node, x: Node) -> bool:
    seen: set[int] = set()
    stack = [u]
    while stack:
        node = stack.pop()
        if node.serial == x.serial:
            return True
        if node.serial not in seen:
            seen.add(node.serial)
            stack += node.operands
    return False
