"""Code for tests: statements of Python as nodes, read from text as an author writes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from symbp.codegen import infer
from symbp.codegen.printer import Layout
from symbp.codegen.tree import (
    Assign,
    Attribute,
    Binary,
    Call,
    Choice,
    Effect,
    Expression,
    For,
    If,
    NewAxis,
    Node,
    Rest,
    Slice,
    Statement,
    Subscript,
    Unary,
)

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.FloorDiv: "//", ast.Mod: "%",
    ast.MatMult: "@", ast.BitAnd: "&", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
}  # fmt: skip


def code(text: str) -> list[Statement]:
    """Statements; the numbers in a comment `# (3), (4)` are those of a line's equations."""
    comments = [re.findall(r"\((\d+)\)", line.partition("  # ")[2]) for line in text.splitlines()]
    numbers = [tuple(map(int, found)) for found in comments]
    return [_statement(s, numbers) for s in ast.parse(text).body]


def expression(text: str) -> Expression:
    return _expression(ast.parse(text, mode="eval").body)


def lines(statements: Sequence[Statement]) -> list[str]:
    return [line for s in statements for line in Layout().statement(s, "")]


def _statement(s: ast.stmt, numbers: Sequence[tuple[int, ...]]) -> Statement:
    own = numbers[s.lineno - 1]
    if isinstance(s, ast.For):
        body = tuple(_statement(inner, numbers) for inner in s.body)
        return For(_expression(s.target), _expression(s.iter), body)
    if isinstance(s, ast.If):
        body, rest = (tuple(_statement(inner, numbers) for inner in part) for part in (s.body, s.orelse))
        return If(_expression(s.test), body, rest, own)
    if isinstance(s, ast.Assign):
        return Assign(_expression(s.targets[0]), _expression(s.value), "", own)
    if isinstance(s, ast.AugAssign):
        return Assign(_expression(s.target), _expression(s.value), OPERATORS[type(s.op)], own)
    assert isinstance(s, ast.Expr)
    call = _expression(s.value)
    assert isinstance(call, Call)
    return Effect(call, own)


def _expression(e: ast.expr) -> Expression:
    if isinstance(e, ast.Name):
        return infer.name(e.id)
    if isinstance(e, ast.Constant):
        return infer.quoted(e.value) if isinstance(e.value, str) else infer.python_number(str(e.value))
    if isinstance(e, ast.UnaryOp):
        return Unary((), "real", "-", _expression(e.operand))
    if isinstance(e, ast.BinOp):
        return Binary((), "real", OPERATORS[type(e.op)], _expression(e.left), _expression(e.right))
    if isinstance(e, ast.Compare):
        (right,) = e.comparators
        return Binary((), "real", OPERATORS[type(e.ops[0])], _expression(e.left), _expression(right))
    if isinstance(e, ast.IfExp):
        return Choice((), "real", *map(_expression, (e.body, e.test, e.orelse)))
    if isinstance(e, ast.Tuple):
        return infer.tuple_of(*map(_expression, e.elts))
    if isinstance(e, ast.Subscript):
        items = e.slice.elts if isinstance(e.slice, ast.Tuple) else [e.slice]
        return Subscript((), "real", _expression(e.value), tuple(map(_item, items)))
    if isinstance(e, ast.Attribute):
        return Attribute((), "real", _expression(e.value), e.attr)
    assert isinstance(e, ast.Call)
    more = {str(k.arg): _expression(k.value) for k in e.keywords}
    given = list(map(_expression, e.args))
    name = ast.unparse(e.func)
    if isinstance(e.func, ast.Attribute) and not name.startswith(("np.", "math.")):
        given, name = [_expression(e.func.value), *given], f".{e.func.attr}"
    return infer.call(name, *given, shape=(), more=more)


def _item(e: ast.expr) -> Node:
    if isinstance(e, ast.Slice):
        return Slice(*(None if part is None else _expression(part) for part in (e.lower, e.upper, e.step)))
    if isinstance(e, ast.Constant) and e.value is None:
        return NewAxis()
    return Rest() if isinstance(e, ast.Constant) and e.value is Ellipsis else _expression(e)
