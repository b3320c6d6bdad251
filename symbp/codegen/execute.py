"""The interpreter of trees: a tree is executed as its own text.

Enters: a tree, the functions that its text needs. Leaves: a namespace. Must not know: what the code computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.codegen.printer import text
from symbp.codegen.tree import Node


def execute(tree: Node, names: Mapping[str, Any]) -> dict[str, Any]:
    """What the statements of a tree define, beside the given `names` (arrays, helpers, np)."""
    namespace = dict(names)
    exec(compile(text(tree), "<tree>", "exec"), namespace)
    return namespace
