"""The text of a tree: precedence, indentation, lines of at most 100 columns, equation numbers at their ends.

Enters: a tree. Leaves: text. Must not know: what the code computes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from symbp.codegen import tree
from symbp.codegen.expressions import (
    ATOM,
    LEVEL,
    PRODUCT,
    SIGN,
    at_least,
    bare,
    expression_text,
    item_text,
    level_of,
    operands,
)  # fmt: skip

WIDTH = 100
INDENT = "    "


def text(node: tree.Node, depth: int = 0) -> str:
    """A module, a statement or an expression as text; statements end with a newline, and stand at a depth."""
    if isinstance(node, tree.Module):
        return _joined(Layout().module(node.body))
    if isinstance(node, tree.Statement):
        return _joined(Layout().statement(node, depth * INDENT))
    return expression_text(node)


def one_line(node: tree.Node) -> str:
    """A statement without a body as one line, however long."""
    return (
        Layout(width=sys.maxsize).statement(node, "")[0] if isinstance(node, tree.Statement) else text(node)
    )


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},"]


@dataclass(frozen=True)
class Layout:
    """Statements as lines of at most `width` columns; `prefix` stands before the numbers of equations."""

    width: int = WIDTH
    prefix: str = ""

    def _numbers(self, equations: tuple[int, ...]) -> str:
        return f"  # {listed(equations, self.prefix)}" if equations else ""

    def module(self, body: Iterable[tree.Statement]) -> list[str]:
        """Two empty lines around each function."""
        lines: list[str] = []
        before: tree.Statement | None = None
        for statement in body:
            if before is not None and (isinstance(statement, tree.Define) or isinstance(before, tree.Define)):
                lines += ["", ""]
            lines += self.statement(statement, "")
            before = statement
        return lines

    def statement(self, s: tree.Statement, margin: str) -> list[str]:
        if isinstance(s, tree.Blank):
            return [""]
        if isinstance(s, tree.Laid):
            return [margin + line for line in s.lines]
        if isinstance(s, tree.Pass):
            return [f"{margin}pass{self._numbers(s.equations)}"]
        if isinstance(s, tree.Comment):
            return [f"{margin}# {s.text}"]
        if isinstance(s, tree.Assign):
            target = bare(s.target)
            return self._ended(f"{margin}{target} {s.op}= ", s.value, margin, s.equations)
        if isinstance(s, tree.Effect):
            return self._ended(margin, s.call, margin, s.equations)
        if isinstance(s, tree.Return):
            return self._ended(f"{margin}return ", s.value, margin, s.equations)
        if isinstance(s, tree.For):
            return [*self._loop(s, margin), *self._body(s.body, margin)]
        if isinstance(s, tree.If):
            head = f"{margin}if {expression_text(s.condition)}:{self._numbers(s.equations)}"
            lines = [head, *self._body(s.body, margin)]
            below = f"{margin}else:{self._numbers(s.equations)}"
            return [*lines, below, *self._body(s.otherwise, margin)] if s.otherwise else lines
        assert isinstance(s, tree.Define)
        return self._define(s, margin)

    def _loop(self, s: tree.For, margin: str) -> list[str]:
        """The head of a loop, over several lines where its variables are many."""
        head = f"{margin}for {bare(s.variable)} in {expression_text(s.over)}:"
        if len(head) <= self.width or not isinstance(s.variable, tree.Sequence):
            return [head]
        names = self._filled(map(expression_text, s.variable.items), margin + INDENT)
        return [f"{margin}for (", *names, f"{margin}) in {expression_text(s.over)}:"]

    def _define(self, s: tree.Define, margin: str) -> list[str]:
        above = [f"{margin}@{expression_text(s.decorator)}"] if s.decorator is not None else []
        head = f"{margin}def {s.name}({', '.join(a.id for a in s.arguments)}):"
        if len(head) > self.width:
            lines = self._filled([a.id for a in s.arguments], margin + INDENT)
            head = "\n".join([f"{margin}def {s.name}(", *lines, f"{margin}):"])
        inner = margin + INDENT
        words: list[str] = []
        if len(s.doc) == 1:
            words = [f'{inner}"""{s.doc[0]}"""']
        elif s.doc:
            words = [f'{inner}"""{s.doc[0]}', *(f"{inner}{line}" if line else "" for line in s.doc[1:])]
            words.append(f'{inner}"""')
        return [*above, head, *words, *self._body(s.body, margin)]

    def _body(self, body: Iterable[tree.Statement], margin: str) -> list[str]:
        return [line for statement in body for line in self.statement(statement, margin + INDENT)]

    def _filled(self, items: Iterable[str], margin: str) -> list[str]:
        """Items with commas in as few lines as hold them."""
        lines = [margin]
        for item in items:
            piece = f"{item}, "
            if len(lines[-1]) + len(piece) > self.width and lines[-1] != margin:
                lines.append(margin)
            lines[-1] += piece
        return [line.rstrip() for line in lines]

    def _ended(self, head: str, value: tree.Expression, margin: str, equations: tuple[int, ...]) -> list[str]:
        """A statement with its numbers behind it, over several lines where one is too short."""
        numbers = self._numbers(equations)
        start = head.removeprefix(margin)
        line = f"{head}{bare(value)}"
        if len(line) + len(numbers) <= self.width:
            return [line + numbers]
        lines = self._block(start, value, "", margin, len(numbers))
        return [*lines[:-1], lines[-1] + numbers]

    def _block(self, start: str, e: tree.Expression, end: str, margin: str, more: int = 0) -> list[str]:
        """An expression between a start and an end, in as many lines as it needs; `more` columns stay free
        behind the last one."""
        line = f"{margin}{start}{expression_text(e)}{end}"
        if len(line) + more <= self.width:
            return [line]
        if isinstance(e, (tree.Call, tree.Table, tree.Sequence)):
            return self._opened(start, e, end, margin, more)
        if isinstance(e, tree.Comprehension) and e.square:
            return self._listed(start, e, end, margin)
        if (
            isinstance(e, tree.Subscript)
            and level_of(e.value) == ATOM
            and isinstance(e.value, (tree.Call, tree.Subscript))
        ):
            items = ", ".join(item_text(item) for item in e.items)
            return self._block(start, e.value, f"[{items}]{end}", margin, more)
        if isinstance(e, tree.Unary) and level_of(e.operand) >= SIGN:
            return self._block(f"{start}{e.op}", e.operand, end, margin, more)
        if not isinstance(e, (tree.Binary, tree.Choice)) or (isinstance(e, tree.Binary) and e.op == "**"):
            return [line]
        if isinstance(e, tree.Binary) and e.op in "*/" and not end and not start.endswith("("):
            behind = f") {e.op} {at_least(e.right, LEVEL[e.op] + 1)}"
            if level_of(e.left) < PRODUCT and len(margin) + len(behind) + more <= self.width:
                return [f"{margin}{start}(", *self._pieces(e.left, margin + INDENT), f"{margin}{behind}"]
        return [f"{margin}{start}(", *self._pieces(e, margin + INDENT), f"{margin}){end}"]

    def _listed(self, start: str, e: tree.Comprehension, end: str, margin: str) -> list[str]:
        """A list of values, or the only argument of a call, its values and the loop in lines of their own; of
        lists, the innermost one's."""
        clause = f"for {bare(e.variable)} in {expression_text(e.over)}"
        if isinstance(e.item, tree.Comprehension):
            return self._listed(f"{start}[", e.item, f" {clause}]{end}", margin)
        inner, (opening, closing) = margin + INDENT, "[]" if e.square else "()"
        lines = [*self._block("", e.item, "", inner), inner + clause]
        return [f"{margin}{start}{opening}", *lines, f"{margin}{closing}{end}"]

    def _opened(self, start: str, e: tree.Expression, end: str, margin: str, more: int) -> list[str]:
        """A call, a table or a tuple with what stands between its brackets in lines of its own."""
        if isinstance(e, tree.Table):
            pairs = zip(e.keys, e.values, strict=True)
            return self._bracketed(f"{start}{{", [(f'"{k}": ', v) for k, v in pairs], f"}}{end}", margin)
        if isinstance(e, tree.Sequence):
            opening, closing = "[]" if e.square else "()"
            *others, last = e.items
            ahead = f"{start}{''.join(f'{expression_text(i)}, ' for i in others)}"
            if (
                not end
                and not e.square
                and isinstance(last, tree.Table)
                and len(margin) + len(ahead) < self.width
            ):
                return self._block(ahead, last, end, margin, more)
            return self._bracketed(f"{start}{opening}", [("", i) for i in e.items], f"{closing}{end}", margin)
        assert isinstance(e, tree.Call)
        keywords: list[tuple[str, tree.Expression]] = [(f"{k.name}=", k.value) for k in e.keywords]
        alone = e.arguments[0] if e.arguments else None
        if isinstance(alone, tree.Comprehension) and not alone.square:
            return self._listed(f"{start}{e.name}", alone, end, margin)  # no comma may stand behind it
        if not e.name.startswith("."):
            return self._bracketed(
                f"{start}{e.name}(", [*(("", a) for a in e.arguments), *keywords], f"){end}", margin
            )
        receiver, *others = e.arguments
        items = ", ".join(
            [*map(expression_text, others), *(f"{key}{expression_text(v)}" for key, v in keywords)]
        )
        behind = f"{e.name}({items}){end}"
        if level_of(receiver) == ATOM and not isinstance(receiver, (tree.Call, tree.Subscript)):
            return [f"{margin}{start}{expression_text(receiver)}{behind}"]
        if level_of(receiver) == ATOM:
            return self._block(start, receiver, behind, margin, more)
        return [f"{margin}{start}(", *self._pieces(receiver, margin + INDENT), f"{margin}){behind}"]

    def _bracketed(
        self, start: str, items: Iterable[tuple[str, tree.Expression]], end: str, margin: str
    ) -> list[str]:
        """Items behind each other while they fit, those that are too long in lines of their own."""
        inner = margin + INDENT
        lines: list[str] = []
        items = list(items)
        whole = ", ".join(f"{head}{expression_text(item)}" for head, item in items)
        if len(inner) + len(whole) <= self.width:
            return [f"{margin}{start}", f"{inner}{whole}", f"{margin}{end}"]
        fresh = True
        for head, item in items:
            piece = f"{head}{expression_text(item)},"
            if not fresh and len(lines[-1]) + 1 + len(piece) <= self.width:
                lines[-1] += f" {piece}"
            elif len(inner) + len(piece) <= self.width:
                lines.append(inner + piece)
                fresh = False
            else:
                split = isinstance(item, tree.Choice) or (isinstance(item, tree.Binary) and item.op != "**")
                own = self._pieces(item, inner) if split and not head else None
                lines += _comma(own or self._block(head, item, "", inner, 1))
                fresh = True
        return [f"{margin}{start}", *lines, f"{margin}{end}"]

    def _pieces(self, e: tree.Expression, margin: str, head: str = "") -> list[str]:
        """An operation within brackets, split at its operators of the lowest level."""
        lines: list[str] = []
        for start, part, least in operands(e):
            flat = f"{start}{at_least(part, least)}"
            if lines and len(lines[-1]) + 1 + len(flat) <= self.width:
                lines[-1] += f" {flat}"
            elif len(margin) + len(head) + len(flat) <= self.width:
                lines.append(f"{margin}{head}{flat}")
            elif level_of(part) >= least and isinstance(part, tree.Binary) and part.op in "*/@":
                lines += self._pieces(part, margin, f"{head}{start}")
            elif level_of(part) >= least:
                lines += self._block(f"{head}{start}", part, "", margin)
            else:
                lines += [f"{margin}{head}{start}(", *self._pieces(part, margin + INDENT), f"{margin})"]
            head = ""
        return lines


def listed(numbers: Iterable[int], prefix: str = "") -> str:
    """Rising numbers of equations: `(3) to (8), (11)`, with runs of at least three as ranges. More than four
    runs of one length in equal steps, as equal layers have, are cut short: `(3), (6) … (24)`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    steps = {b[0] - a[0] for a, b in pairwise(runs)}
    if len(runs) > 4 and len(steps) == len({len(run) for run in runs}) == 1:
        ends = [f"({prefix}{r[0]}) to ({prefix}{r[-1]})" if len(r) > 1 else f"({prefix}{r[0]})" for r in runs]
        return f"{ends[0]}, {ends[1]} … {ends[-1]}"
    parts: list[str] = []
    for run in runs:
        ends = [f"({prefix}{number})" for number in run]
        parts += [f"{ends[0]} to {ends[-1]}"] if len(run) > 2 else ends
    return ", ".join(parts)
