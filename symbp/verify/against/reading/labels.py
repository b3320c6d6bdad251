"""What a function calls the parts of what it returns: `return loss, dW2, dW1` says more than an order.

Enters: a function, what it returned. Leaves: the same, a mapping where its names tell what each part is.
Must not know: values.

Names count only if they are those of all gradients, each once; else the order of the parts does.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from symbp.verify.against.returned import GRADIENTS, LOSSES
from symbp.verify.against.returned.arrays import as_mapping, number
from symbp.verify.against.spelled import Spelled

Labels = str | tuple[Any, ...]  # a name, none where an expression has none, or those of the parts
Pass = ast.FunctionDef | ast.AsyncFunctionDef


def labelled(function: Callable[..., Any], value: Any, spelled: Spelled) -> Any:
    """What a function returned, its parts under the names that it has for them, if these tell all."""
    if not isinstance(value, (tuple, list)) or as_mapping(value) is not None:
        return value
    labels = _labels(function)
    return value if isinstance(labels, str) else _named(value, labels, spelled)


def _named(value: Any, labels: tuple[Any, ...], spelled: Spelled) -> Any:
    if len(value) != len(labels):
        return value
    parts = {}
    for k, (label, part) in enumerate(zip(labels, value, strict=True)):
        inner = isinstance(label, tuple) and isinstance(part, (tuple, list))
        parts[label if isinstance(label, str) and label else f"result[{k}]"] = (
            _named(part, label, spelled) if inner else part
        )
    if len(parts) == len(value) and _tells(parts, spelled):
        return parts
    return type(value)(parts.values()) if len(parts) == len(value) else value


def _tells(parts: dict[str, Any], spelled: Spelled) -> bool:
    """Whether names say which part is which gradient; the loss goes by one of its own, if none has it."""
    reference = spelled.reference
    meant = [t for name in parts for t in spelled.derivatives(name)[:1] if reference.is_parameter(t)]
    promised = [t for t in map(reference.adjoint, reference.derivation.gradients) if t]
    if sorted(meant) != sorted(promised):
        return len([name for name in parts if name in GRADIENTS]) == 1 and any(n in parts for n in LOSSES)
    first = next(iter(parts))
    named = any(name in parts for name in LOSSES) or bool(spelled.derivatives(first))
    if not named and number(parts[first]) is not None:  # under whatever name, it comes first
        parts["loss"] = parts.pop(first)
    return True


# --- names in a text
def _labels(function: Callable[..., Any]) -> Labels:
    """The names in what a function returns, the same in all its returns of tuples; "" if there are none."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return ""
    made = next((node for node in tree.body if isinstance(node, Pass)), None)
    if made is None:
        return ""
    nodes = [*_own(made)]
    once = _assigned(nodes)
    found = {_label(n.value, once) for n in nodes if isinstance(n, ast.Return) and n.value is not None}
    tuples = [labels for labels in found if isinstance(labels, tuple)]
    return tuples[0] if len(tuples) == 1 else ""


def _own(made: Pass) -> Iterator[ast.AST]:
    """The nodes of a function that belong to no function inside."""
    waiting: list[ast.AST] = [*made.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def _assigned(nodes: list[ast.AST]) -> dict[str, ast.expr]:
    """What names stand for that are assigned a tuple or a list, and nothing else."""
    found: dict[str, list[ast.expr | None]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, [])
    stored = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return {
        name: values[0]
        for name, values in found.items()
        if len(values) == 1 and stored.count(name) == 1 and isinstance(values[0], (ast.Tuple, ast.List))
    }


def _label(node: ast.expr, once: dict[str, ast.expr]) -> Labels:
    if isinstance(node, ast.Name):
        return _label(once[node.id], {}) if node.id in once else node.id
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(_label(part, once) for part in node.elts)
    return ""
