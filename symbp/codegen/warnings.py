"""Whether running code would warn of values that it never takes.

Enters: a tree. Leaves: yes or no. Must not know: targets, what the code computes.
"""

from __future__ import annotations

from symbp.codegen.tree import Binary, Call, Constant, Node

RISKY = frozenset(
    ("/", "**", "np.exp", "np.log", "np.sqrt", "np.arcsin", "np.arccos", "np.arctanh", "np.tan")
)
SAFE = frozenset(("softmax", "np.logaddexp.reduce", ".max"))
"""Functions of what may be -inf, by design."""


def warns(node: Node, untaken: bool = False) -> bool:
    """Whether NumPy may warn of what is computed and not taken, or of an infinity that is meant."""
    word = node.name if isinstance(node, Call) else node.op if isinstance(node, Binary) else ""
    if isinstance(node, Binary) and (
        not node.right.shape or (node.op == "**" and isinstance(node.right, Constant))
    ):
        word = ""
    if untaken and word in RISKY:
        return True
    if isinstance(node, Constant):
        return "np.inf" in node.text
    if isinstance(node, Call) and word in SAFE and isinstance(node.arguments[0], Call):
        masked = node.arguments[0]
        if masked.name == "np.where":
            return any(warns(n, True) for n in masked.arguments[:2])
    inside = untaken or word in ("np.where", "taken")
    return any(warns(child, inside) for child in node.children)
