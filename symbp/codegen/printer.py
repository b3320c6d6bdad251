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
    start = head.removeprefix(margin)
    line = f"{head}{_bare(value)}"
    if len(line) + len(numbers) <= WIDTH:
        return [line + numbers]
    lines = _block(start, value, "", margin, len(numbers))
    return [*lines[:-1], lines[-1] + numbers]


def _block(start: str, e: Expression, end: str, margin: str, more: int = 0) -> list[str]:
    """An expression between a start and an end, in as many lines as it needs; `more` columns stay free behind
    the last one."""
    line = f"{margin}{start}{_expression(e)}{end}"
    if len(line) + more <= WIDTH:
        return [line]
    if isinstance(e, (Call, Table, Sequence)):
        return _opened(start, e, end, margin, more)
    if isinstance(e, Subscript) and _level(e.value) == ATOM and isinstance(e.value, (Call, Subscript)):
        items = ", ".join(_item(item) for item in e.items)
        return _block(start, e.value, f"[{items}]{end}", margin, more)
    if isinstance(e, Unary) and _level(e.operand) >= SIGN:
        return _block(f"{start}{e.op}", e.operand, end, margin, more)
    if not isinstance(e, (Binary, Choice)) or (isinstance(e, Binary) and e.op == "**"):
        return [line]
    if isinstance(e, Binary) and e.op in "*/" and not end and not start.endswith("("):
        behind = f") {e.op} {_at(e.right, LEVEL[e.op] + 1)}"
        if _level(e.left) < PRODUCT and len(margin) + len(behind) + more <= WIDTH:
            return [f"{margin}{start}(", *_pieces(e.left, margin + INDENT), f"{margin}{behind}"]
    return [f"{margin}{start}(", *_pieces(e, margin + INDENT), f"{margin}){end}"]


def _opened(start: str, e: Expression, end: str, margin: str, more: int) -> list[str]:
    """A call, a table or a tuple with what stands between its brackets in lines of its own."""
    if isinstance(e, Table):
        pairs = zip(e.keys, e.values, strict=True)
        return _bracketed(f"{start}{{", [(f'"{k}": ', v) for k, v in pairs], f"}}{end}", margin)
    if isinstance(e, Sequence):
        opening, closing = "[]" if e.square else "()"
        *others, last = e.items
        ahead = f"{start}{''.join(f'{_expression(i)}, ' for i in others)}"
        if not end and not e.square and isinstance(last, Table) and len(margin) + len(ahead) < WIDTH:
            return _block(ahead, last, end, margin, more)
        return _bracketed(f"{start}{opening}", [("", i) for i in e.items], f"{closing}{end}", margin)
    assert isinstance(e, Call)
    keywords: list[tuple[str, Expression]] = [(f"{k.name}=", k.value) for k in e.keywords]
    if not e.name.startswith("."):
        return _bracketed(
            f"{start}{e.name}(", [*(("", a) for a in e.arguments), *keywords], f"){end}", margin
        )
    receiver, *others = e.arguments
    items = ", ".join([*map(_expression, others), *(f"{key}{_expression(v)}" for key, v in keywords)])
    behind = f"{e.name}({items}){end}"
    if _level(receiver) == ATOM and not isinstance(receiver, (Call, Subscript)):
        return [f"{margin}{start}{_expression(receiver)}{behind}"]
    if _level(receiver) == ATOM:
        return _block(start, receiver, behind, margin, more)
    return [f"{margin}{start}(", *_pieces(receiver, margin + INDENT), f"{margin}){behind}"]


def _bracketed(start: str, items: Iterable[tuple[str, Expression]], end: str, margin: str) -> list[str]:
    """Items behind each other while they fit, those that are too long in lines of their own."""
    inner = margin + INDENT
    lines: list[str] = []
    items = list(items)
    whole = ", ".join(f"{head}{_expression(item)}" for head, item in items)
    if len(inner) + len(whole) <= WIDTH:
        return [f"{margin}{start}", f"{inner}{whole}", f"{margin}{end}"]
    fresh = True
    for head, item in items:
        piece = f"{head}{_expression(item)},"
        if not fresh and len(lines[-1]) + 1 + len(piece) <= WIDTH:
            lines[-1] += f" {piece}"
        elif len(inner) + len(piece) <= WIDTH:
            lines.append(inner + piece)
            fresh = False
        else:
            split = isinstance(item, Choice) or (isinstance(item, Binary) and item.op != "**")
            own = _pieces(item, inner) if split and not head else None
            lines += _comma(own or _block(head, item, "", inner, 1))
            fresh = True
    return [f"{margin}{start}", *lines, f"{margin}{end}"]


def _comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},"]


def _pieces(e: Expression, margin: str, head: str = "") -> list[str]:
    """An operation within brackets, split at its operators of the lowest level."""
    lines: list[str] = []
    for start, part, least in _operands(e):
        flat = f"{start}{_at(part, least)}"
        if lines and len(lines[-1]) + 1 + len(flat) <= WIDTH:
            lines[-1] += f" {flat}"
        elif len(margin) + len(head) + len(flat) <= WIDTH:
            lines.append(f"{margin}{head}{flat}")
        elif _level(part) >= least and isinstance(part, Binary) and part.op in "*/@":
            lines += _pieces(part, margin, f"{head}{start}")
        elif _level(part) >= least:
            lines += _block(f"{head}{start}", part, "", margin)
        else:
            lines += [f"{margin}{head}{start}(", *_pieces(part, margin + INDENT), f"{margin})"]
        head = ""
    return lines


def _operands(e: Expression) -> list[tuple[str, Expression, int]]:
    """What an operation joins, each with the sign in front of it and how strongly it has to bind."""
    if isinstance(e, Binary) and e.op != "**":
        level = LEVEL[e.op]
        same = isinstance(e.left, Binary) and LEVEL[e.left.op] == level != COMPARE
        left = _operands(e.left) if same else [("", e.left, level + (level == COMPARE))]
        return [*left, (f"{e.op} ", e.right, level + 1)]
    if isinstance(e, Choice):
        then = ("", e.then, CHOICE + 1)
        return [then, ("if ", e.condition, CHOICE + 1), ("else ", e.otherwise, CHOICE)]
    return [("", e, CHOICE)]


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
    inside = ", ".join(_expression(item) for item in e.items)
    if e.square:
        return f"[{inside}]"
    return f"({inside},)" if len(e.items) == 1 else f"({inside})"


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
