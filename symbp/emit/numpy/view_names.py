"""Names for views of arrays: `W2_T` for `W2.T`, `h_t` for `h[t]`, `h_before` for `h[t - 1]`.

Enters: syntax trees of views. Leaves: words. Must not know: what else has a name.
"""

from __future__ import annotations

import ast

NEIGHBOURS = {"{} - 1": "before", "{} + 1": "after"}
RANKS = {1: "flat", 2: "rows"}


def view_name(node: ast.expr, step: str | None = None) -> str:
    """What a view is called; `step` is the name of a loop's step, by which it may be taken."""
    words: list[str] = []
    while isinstance(node, (ast.IfExp, ast.Attribute, ast.Subscript, ast.Call)):
        word, node = _outermost(node, step)
        words.append(word)
    base = node.id.rstrip("_") if isinstance(node, ast.Name) else "number"  # spread out over a shape
    by_step = [w for w in reversed(words) if w in (step, *NEIGHBOURS.values()) or w.isdecimal()]
    last = [w for w in words if w][:1]
    return "_".join([base, *dict.fromkeys([*by_step, *last])])


def _outermost(node: ast.expr, step: str | None) -> tuple[str, ast.expr]:
    """The word for what a view does last, and what it does it to."""
    if isinstance(node, ast.IfExp):
        varies = isinstance(node.body, ast.Name)
        return (step or "chosen") if varies else "", node.body
    if isinstance(node, ast.Attribute):
        return node.attr, node.value
    if isinstance(node, ast.Subscript):
        return _subscript(node, step), node.value
    assert isinstance(node, ast.Call)
    if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) != "np":
        return _method(node.func.attr, node.args), node.func.value
    return ast.unparse(node.func).strip("_").rpartition(".")[2].removesuffix("_to"), node.args[0]


def _method(name: str, arguments: list[ast.expr]) -> str:
    if name == "reshape":
        return RANKS.get(len(arguments), "shaped")
    return "T" if name == "swapaxes" else "turned"


def _subscript(node: ast.Subscript, step: str | None) -> str:
    given = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if any(isinstance(part, ast.Constant) and part.value is None for part in given):
        return "column" if ast.unparse(given[-1]) == "None" else "row"
    if step is not None:
        texts = [ast.unparse(part) for part in given]
        if step in texts:
            return step
        for pattern, word in NEIGHBOURS.items():
            if pattern.format(step) in texts:
                return word
    if ast.unparse(given[0]).endswith(" - 1"):
        return "last"
    numbers = [str(part.value) for part in given if isinstance(part, ast.Constant) and part.value is not ...]
    return numbers[0] if len(numbers) == len(given) == 1 else "part"
