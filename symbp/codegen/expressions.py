"""The text of expressions: precedence, brackets where they are needed, slices spaced as their parts need it.

Enters: an expression. Leaves: text on one line. Must not know: statements, widths.
"""

from __future__ import annotations

from symbp.codegen import tree

NAMED, CHOICE, EITHER, BOTH, COMPARE, OR, AND, SUM, QUOTIENT, PRODUCT, SIGN, POWER, ATOM = range(13)
LEVEL = {
    ":=": NAMED, "or": EITHER, "and": BOTH, **dict.fromkeys(("<", "<=", "==", "!=", ">", ">="), COMPARE),
    "|": OR, "&": AND, "+": SUM, "-": SUM, "//": QUOTIENT, "%": QUOTIENT, "*": PRODUCT, "/": PRODUCT,
    "@": PRODUCT, "**": POWER,
}  # fmt: skip
"""How strongly operators bind. To Python `//` and `%` are products; here they stand in brackets beside one,
as `-(a // b)` isn't `-a // b`."""


def level_of(e: tree.Node) -> int:
    """How strongly an expression binds."""
    if isinstance(e, tree.Binary):
        return LEVEL[e.op]
    if isinstance(e, tree.Between):
        return COMPARE
    if isinstance(e, tree.Unary):
        return SIGN if e.op != "not " else BOTH
    if isinstance(e, tree.Choice):
        return CHOICE
    if isinstance(e, tree.Constant) and e.text.startswith("-"):
        return SIGN
    return ATOM


def at_least(e: tree.Node, least: int) -> str:
    """In parentheses where it binds less than its surroundings."""
    return expression_text(e) if level_of(e) >= least else f"({expression_text(e)})"


def bare(e: tree.Expression) -> str:
    """A tuple without parentheses, where they aren't needed."""
    if isinstance(e, tree.Sequence) and not e.square and len(e.items) > 1:
        return ", ".join(expression_text(item) for item in e.items)
    return expression_text(e)


def expression_text(e: tree.Node) -> str:
    if isinstance(e, tree.Name):
        return e.id
    if isinstance(e, tree.Constant):
        return e.text
    if isinstance(e, tree.Unary):
        return f"{e.op}{at_least(e.operand, SIGN if e.op != 'not ' else COMPARE)}"
    if isinstance(e, tree.Binary):
        return _binary(e)
    if isinstance(e, tree.Between):
        low, value, high = (at_least(part, SUM) for part in (e.low, e.value, e.high))
        return f"{low} <= {value} < {high}"
    if isinstance(e, tree.Comprehension):
        inside = f"{expression_text(e.item)} for {bare(e.variable)} in {expression_text(e.over)}"
        return f"[{inside}]" if e.square else inside
    if isinstance(e, tree.Choice):
        then, condition = at_least(e.then, CHOICE + 1), at_least(e.condition, CHOICE + 1)
        return f"{then} if {condition} else {at_least(e.otherwise, CHOICE)}"
    if isinstance(e, tree.Attribute):
        return f"{at_least(e.value, ATOM)}.{e.name}"
    if isinstance(e, tree.Call):
        name, items = _call(e)
        return f"{name}({', '.join(items)})"
    if isinstance(e, tree.Subscript):
        return f"{at_least(e.value, ATOM)}[{', '.join(item_text(item) for item in e.items)}]"
    if isinstance(e, tree.Table):
        return f"{{{', '.join(_entries(e))}}}"
    assert isinstance(e, tree.Sequence)
    inside = ", ".join(expression_text(item) for item in e.items)
    if e.square:
        return f"[{inside}]"
    return f"({inside},)" if len(e.items) == 1 else f"({inside})"


def _binary(e: tree.Binary) -> str:
    level = LEVEL[e.op]
    if e.op == "**":  # binds to the right, and less than a sign behind it
        close = isinstance(e.left, tree.Name) and isinstance(e.right, (tree.Name, tree.Constant))
        return f"{at_least(e.left, ATOM)}{'**' if close else ' ** '}{at_least(e.right, SIGN)}"
    low, high = _operand_levels(e.op)
    left, right = at_least(e.left, low), at_least(e.right, high)
    right = f"({right})" if right.startswith("-") and level > COMPARE else right
    left = f"({left})" if left.startswith("-") and level == QUOTIENT else left
    return f"{left} {e.op} {right}"


def _operand_levels(op: str) -> tuple[int, int]:
    """How strongly the operands of an operator have to bind."""
    level = LEVEL[op]
    if level == QUOTIENT:
        return SIGN, SIGN
    if op == "@":
        return POWER, POWER
    return level + (level == COMPARE), level + 1


def _call(e: tree.Call) -> tuple[str, list[str]]:
    """What is called, and its arguments."""
    arguments = list(e.arguments)
    name = e.name
    if name.startswith("."):
        name = f"{at_least(arguments.pop(0), ATOM)}{name}"
    return name, [*map(expression_text, arguments), *map(_keyword, e.keywords)]


def _keyword(k: tree.Keyword) -> str:
    return f"{k.name}={expression_text(k.value)}"


def _entries(e: tree.Table) -> list[str]:
    return [f'"{key}": {expression_text(value)}' for key, value in zip(e.keys, e.values, strict=True)]


def item_text(item: tree.Node) -> str:
    if isinstance(item, tree.NewAxis):
        return "None"
    if isinstance(item, tree.Rest):
        return "..."
    if isinstance(item, tree.Slice):
        start, stop, step = (
            "" if part is None else expression_text(part) for part in (item.start, item.stop, item.step)
        )
        return spaced(start, stop, step)
    return expression_text(item)


def spaced(start: str, stop: str, step: str = "") -> str:
    """A slice, spaced as its parts need it."""
    parts = [start, stop, *([step] if step else [])]
    if all(part == "" or part.lstrip("-").isalnum() for part in parts):
        return ":".join(parts)
    return " : ".join(parts).strip().replace(" :  : ", " :: ")


def operands(e: tree.Expression) -> list[tuple[str, tree.Expression, int]]:
    """What an operation joins, each with the sign in front of it and how strongly it has to bind."""
    if isinstance(e, tree.Binary) and e.op != "**":
        level = LEVEL[e.op]
        same = isinstance(e.left, tree.Binary) and LEVEL[e.left.op] == level not in (COMPARE, QUOTIENT)
        low, high = _operand_levels(e.op)
        left = operands(e.left) if same and e.op != "@" else [("", e.left, low)]
        return [*left, (f"{e.op} ", e.right, high)]
    if isinstance(e, tree.Choice):
        then = ("", e.then, CHOICE + 1)
        return [then, ("if ", e.condition, CHOICE + 1), ("else ", e.otherwise, CHOICE)]
    return [("", e, CHOICE)]
