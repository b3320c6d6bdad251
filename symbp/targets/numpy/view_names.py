"""Names for views of arrays: `W2_T` for `W2.T`, `h_t` for `h[t]`, `h_before` for `h[t - 1]`.

Enters: views. Leaves: words. Must not know: what else has a name.
"""

from __future__ import annotations

from symbp.codegen.printer import text
from symbp.codegen.tree import Attribute, Call, Choice, Constant, Expression, Name, NewAxis, Subscript

NEIGHBOURS = {"{} - 1": "before", "{} + 1": "after"}
RANKS = {1: "flat", 2: "rows"}


def view_name(node: Expression, step: str | None = None) -> str:
    """What a view is called; `step` is the name of a loop's step, by which it may be taken."""
    words: list[str] = []
    while isinstance(node, (Choice, Attribute, Subscript, Call)):
        word, node = _outermost(node, step)
        words.append(word)
    base = node.id.rstrip("_") if isinstance(node, Name) else "number"  # spread out over a shape
    by_step = [w for w in reversed(words) if w in (step, *NEIGHBOURS.values()) or w.isdecimal()]
    last = [w for w in words if w][:1]
    return "_".join([base, *dict.fromkeys([*by_step, *last])])


def _outermost(node: Expression, step: str | None) -> tuple[str, Expression]:
    """The word for what a view does last, and what it does it to."""
    if isinstance(node, Choice):
        varies = isinstance(node.then, Name)
        return (step or "chosen") if varies else "", node.then
    if isinstance(node, Attribute):
        return node.name, node.value
    if isinstance(node, Subscript):
        return _subscript(node, step), node.value
    assert isinstance(node, Call)
    if node.name == ".reshape":
        return RANKS.get(len(node.arguments) - 1, "shaped"), node.arguments[0]
    if node.name.startswith("."):
        return "T" if node.name == ".swapaxes" else "turned", node.arguments[0]
    return node.name.strip("_").rpartition(".")[2].removesuffix("_to"), node.arguments[0]


def _subscript(node: Subscript, step: str | None) -> str:
    if any(isinstance(item, NewAxis) for item in node.items):
        return "column" if isinstance(node.items[-1], NewAxis) else "row"
    positions = [text(item) for item in node.items if isinstance(item, Expression)]
    if step is not None:
        if step in positions:
            return step
        for pattern, word in NEIGHBOURS.items():
            if pattern.format(step) in positions:
                return word
    first = node.items[0]
    if isinstance(first, Expression) and text(first).endswith(" - 1"):
        return "last"
    numbers = [item.text for item in node.items if isinstance(item, Constant)]
    return numbers[0] if len(numbers) == len(node.items) == 1 else "part"
