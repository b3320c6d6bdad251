"""The text of a tree: precedence, indentation, lines of at most 100 columns, equation numbers at their ends.

Enters: a tree. Leaves: text. Must not know: what the code computes.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbp.codegen.tree import (
    Assign,
    Attribute,
    Binary,
    Blank,
    Call,
    Choice,
    Comment,
    Constant,
    Define,
    Effect,
    Expression,
    For,
    If,
    Keyword,
    Module,
    Name,
    NewAxis,
    Node,
    Rest,
    Return,
    Sequence,
    Slice,
    Statement,
    Subscript,
    Table,
    Unary,
)

WIDTH = 100
INDENT = "    "
CHOICE, COMPARE, OR, AND, SUM, PRODUCT, SIGN, POWER, ATOM = 0, 3, 4, 5, 6, 7, 8, 9, 10
LEVEL = {
    **dict.fromkeys(("<", "<=", "==", "!=", ">", ">="), COMPARE),
    "|": OR, "&": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT,
    "@": PRODUCT, "**": POWER,
}  # fmt: skip


def text(node: Node, depth: int = 0) -> str:
    """A module, a statement or an expression as text; statements end with a newline, and stand at a depth."""
    if isinstance(node, Module):
        return _joined(_module(node.body))
    if isinstance(node, Statement):
        return _joined(_statement(node, depth * INDENT))
    return _expression(node)


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _module(body: Iterable[Statement]) -> list[str]:
    """Two empty lines around each function."""
    lines: list[str] = []
    before: Statement | None = None
    for statement in body:
        if before is not None and (isinstance(statement, Define) or isinstance(before, Define)):
            lines += ["", ""]
        lines += _statement(statement, "")
        before = statement
    return lines


# --- statements
def _statement(s: Statement, margin: str) -> list[str]:
    if isinstance(s, Blank):
        return [""]
    if isinstance(s, Comment):
        return [f"{margin}# {s.text}"]
    if isinstance(s, Assign):
        target = _bare(s.target)
        return _ended(f"{margin}{target} {s.op}= ", s.value, margin, s.equations)
    if isinstance(s, Effect):
        return _ended(margin, s.call, margin, s.equations)
    if isinstance(s, Return):
        return _ended(f"{margin}return ", s.value, margin, ())
    if isinstance(s, For):
        head = f"{margin}for {_bare(s.variable)} in {_expression(s.over)}:"
        return [head, *_body(s.body, margin)]
    if isinstance(s, If):
        lines = [f"{margin}if {_expression(s.condition)}:", *_body(s.body, margin)]
        return [*lines, f"{margin}else:", *_body(s.otherwise, margin)] if s.otherwise else lines
    assert isinstance(s, Define)
    return _define(s, margin)


def _define(s: Define, margin: str) -> list[str]:
    above = [f"{margin}@{_expression(s.decorator)}"] if s.decorator is not None else []
    head = f"{margin}def {s.name}({', '.join(a.id for a in s.arguments)}):"
    if len(head) > WIDTH:
        lines = _filled([a.id for a in s.arguments], margin + INDENT)
        head = "\n".join([f"{margin}def {s.name}(", *lines, f"{margin}):"])
    inner = margin + INDENT
    words: list[str] = []
    if len(s.doc) == 1:
        words = [f'{inner}"""{s.doc[0]}"""']
    elif s.doc:
        words = [f'{inner}"""{s.doc[0]}', *(f"{inner}{line}" if line else "" for line in s.doc[1:])]
        words.append(f'{inner}"""')
    return [*above, head, *words, *_body(s.body, margin)]


def _body(body: Iterable[Statement], margin: str) -> list[str]:
    return [line for statement in body for line in _statement(statement, margin + INDENT)]


def _filled(items: Iterable[str], margin: str) -> list[str]:
    """Items with commas in as few lines as hold them."""
    lines = [margin]
    for item in items:
        piece = f"{item}, "
        if len(lines[-1]) + len(piece) > WIDTH and lines[-1] != margin:
            lines.append(margin)
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _ended(head: str, value: Expression, margin: str, equations: tuple[int, ...]) -> list[str]:
    """A statement with its numbers behind it, over several lines where one is too short."""
    numbers = f"  # {', '.join(f'({k})' for k in equations)}" if equations else ""
    line = f"{head}{_bare(value)}"
    if len(line) + len(numbers) <= WIDTH:
        return [line + numbers]
    lines = _broken(head, value, margin, len(numbers))
    return [*lines[:-1], lines[-1] + numbers]


def _broken(head: str, value: Expression, margin: str, more: int) -> list[str]:
    """A long value: a call or a table by its items, a sum by its terms, a product by its factors."""
    inner = margin + INDENT
    opened = _opened(value)
    if opened is not None:
        start, items, end = opened
        whole = f"{inner}{', '.join(items)}"
        lines = [whole] if len(whole) <= WIDTH else _filled(items, inner)
        if all(len(line) <= WIDTH for line in lines):
            return [f"{head}{start}", *lines, f"{margin}{end}"]
    pieces = _pieces(value)
    lines = [f"{inner}{pieces[0]}"]
    for piece in pieces[1:]:
        if len(lines[-1]) + 1 + len(piece) + more <= WIDTH:
            lines[-1] += f" {piece}"
        else:
            lines.append(f"{inner}{piece}")
    return [f"{head}(", *lines, f"{margin})"]


def _opened(value: Expression) -> tuple[str, list[str], str] | None:
    """What can be laid out between its brackets: the opening, the items, the closing."""
    if isinstance(value, Call):
        called, items = _call(value)
        return f"{called}(", items, ")"
    if isinstance(value, Table):
        return "{", _entries(value), "}"
    if isinstance(value, Sequence):
        start, end = "[]" if value.square else "()"
        return start, [_expression(i) for i in value.items], end
    return None


def _pieces(value: Expression) -> list[str]:
    """An operation split at its operators of the lowest level, again where a piece is too long by itself."""
    if isinstance(value, Binary) and value.op != "**":
        level, right = LEVEL[value.op], _at(value.right, LEVEL[value.op] + 1)
        parts = _pieces(value.left) if _level(value.left) >= level else [_at(value.left, level)]
        return [*parts, f"{value.op} {right}"]
    if isinstance(value, Choice):
        return [
            *_pieces_of(value.then, CHOICE + 1),
            f"if {_at(value.condition, CHOICE + 1)}",
            f"else {_at(value.otherwise, CHOICE)}",
        ]
    return [_expression(value)]


def _pieces_of(value: Expression, least: int) -> list[str]:
    return _pieces(value) if _level(value) >= least else [_at(value, least)]


# --- expressions
def _level(e: Node) -> int:
    if isinstance(e, Binary):
        return LEVEL[e.op]
    if isinstance(e, Unary):
        return SIGN
    if isinstance(e, Choice):
        return CHOICE
    if isinstance(e, Constant) and e.text.startswith("-"):
        return SIGN
    return ATOM


def _at(e: Node, least: int) -> str:
    """In parentheses where it binds less than its surroundings."""
    return _expression(e) if _level(e) >= least else f"({_expression(e)})"


def _bare(e: Expression) -> str:
    """A tuple without parentheses, where they aren't needed."""
    if isinstance(e, Sequence) and not e.square and len(e.items) > 1:
        return ", ".join(_expression(item) for item in e.items)
    return _expression(e)


def _expression(e: Node) -> str:
    if isinstance(e, Name):
        return e.id
    if isinstance(e, Constant):
        return e.text
    if isinstance(e, Unary):
        return f"{e.op}{_at(e.operand, SIGN)}"
    if isinstance(e, Binary):
        return _binary(e)
    if isinstance(e, Choice):
        then, condition = _at(e.then, CHOICE + 1), _at(e.condition, CHOICE + 1)
        return f"{then} if {condition} else {_at(e.otherwise, CHOICE)}"
    if isinstance(e, Attribute):
        return f"{_at(e.value, ATOM)}.{e.name}"
    if isinstance(e, Call):
        name, items = _call(e)
        return f"{name}({', '.join(items)})"
    if isinstance(e, Subscript):
        return f"{_at(e.value, ATOM)}[{', '.join(_item(item) for item in e.items)}]"
    if isinstance(e, Table):
        return f"{{{', '.join(_entries(e))}}}"
    assert isinstance(e, Sequence)
    items = ", ".join(_expression(item) for item in e.items)
    if e.square:
        return f"[{items}]"
    return f"({items},)" if len(e.items) == 1 else f"({items})"


def _binary(e: Binary) -> str:
    level = LEVEL[e.op]
    if e.op == "**":  # binds to the right, and less than a sign behind it
        close = isinstance(e.left, Name) and isinstance(e.right, (Name, Constant))
        return f"{_at(e.left, ATOM)}{'**' if close else ' ** '}{_at(e.right, SIGN)}"
    least = level + 1 if level == COMPARE else level
    return f"{_at(e.left, least)} {e.op} {_at(e.right, level + 1)}"


def _call(e: Call) -> tuple[str, list[str]]:
    """What is called, and its arguments."""
    arguments = list(e.arguments)
    name = e.name
    if name.startswith("."):
        name = f"{_at(arguments.pop(0), ATOM)}{name}"
    return name, [*map(_expression, arguments), *map(_keyword, e.keywords)]


def _keyword(k: Keyword) -> str:
    return f"{k.name}={_expression(k.value)}"


def _entries(e: Table) -> list[str]:
    return [f'"{key}": {_expression(value)}' for key, value in zip(e.keys, e.values, strict=True)]


def _item(item: Node) -> str:
    if isinstance(item, NewAxis):
        return "None"
    if isinstance(item, Rest):
        return "..."
    if isinstance(item, Slice):
        start, stop, step = (
            "" if part is None else _expression(part) for part in (item.start, item.stop, item.step)
        )
        return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
    return _expression(item)
