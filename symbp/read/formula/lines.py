"""A formula in several lines: shapes, definitions, and what they lead to.

Enters: text whose statements stand on lines of their own or between semicolons: shapes (`x: N,D`),
definitions (`h = tanh(x@W)`), and at the end a formula, or the definition that is meant. Leaves: one `Lines`
of syntax trees, each with its place in the whole text. Must not know: what names stand for.

A line goes on where a parenthesis is open, and where it ends with an operator. What stands behind `#` is a
remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbp.language.naming.allowed import problem
from symbp.read.formula.declared import Declared, entries
from symbp.read.grammar import parse_equation, parse_formula
from symbp.read.grammar.places import Span, error_at
from symbp.read.grammar.syntax import Equation, Name, Tree
from symbp.read.grammar.tokens import LONGEST, Token, tokens

MOST_DEFINITIONS = 60
OPENING, CLOSING = "([", ")]"
GOES_ON = "+-*/@·⊙⊘^=,−⋅×∘"
SHAPES = re.compile(r"\s*[^\W\d]\w*\s*:")


@dataclass(frozen=True)
class Definition:
    """`name = body`, or `name[indices] = body` in index notation."""

    name: str
    indices: tuple[str, ...]
    body: Tree
    span: Span


@dataclass(frozen=True)
class Lines:
    """What a text says: the axes of names, definitions in their order, and the formula in the end. If that is
    a definition, it is `named`, too."""

    shapes: Mapping[str, Declared]
    definitions: tuple[Definition, ...]
    last: Tree
    named: Definition | None = None


def read_lines(text: str) -> Lines:
    """The statements of a text. Raises FormulaError: too long, a statement that is none, nothing to
    differentiate."""
    if len(text) > LONGEST:
        span = (LONGEST, LONGEST + 1)
        raise error_at(text, span, f"the formula has {len(text)} characters, more than {LONGEST}")
    shapes: dict[str, Declared] = {}
    found: list[Definition] = []
    statements = list(_statements(text))
    last: Tree | None = None
    for number, span in enumerate(statements):
        if SHAPES.match(text, *span):
            entries(text, span, shapes)
        elif _defines(tokens(text, within=span)):
            found.append(_definition(text, span))
            if len(found) > MOST_DEFINITIONS:
                raise error_at(text, span, f"more than {MOST_DEFINITIONS} definitions")
        elif any(not SHAPES.match(text, *later) for later in statements[number + 1 :]):
            raise error_at(
                text,
                span,
                "a formula that isn't the last one needs a name",
                help="write name = formula; a line goes on in a parenthesis and behind an operator",
            )
        else:
            last = parse_formula(text, within=span)
    if last is None and found:
        return _named_last(text, shapes, found)
    return Lines(shapes, tuple(found), last or parse_formula(""))


def _named_last(text: str, shapes: Mapping[str, Declared], found: list[Definition]) -> Lines:
    """The last definition is what is differentiated."""
    *before, end = found
    if end.indices:
        help = "end with a sum over them, as in loss = sum_n(…), or with a line that is one"
        raise error_at(text, end.span, f"{end.name} has axes, and a gradient is that of a scalar", help=help)
    return Lines(shapes, tuple(before), end.body, end)


def _statements(text: str) -> Iterator[Span]:
    """The places of all statements that aren't empty, remarks left out."""
    start, depth, position, last = 0, 0, 0, ""
    while position <= len(text):
        sign = text[position : position + 1]
        if sign == "#":
            end = text.find("\n", position)
            yield from _nonempty(text, start, position)
            start = position = len(text) if end < 0 else end
            last = ""
            continue
        depth += (sign in OPENING) - (sign in CLOSING) if sign else 0
        if sign in (";", "") or (sign in "\n\r" and depth <= 0 and (not last or last not in GOES_ON)):
            yield from _nonempty(text, start, position)
            start, depth, last = position + 1, 0, ""
        elif not sign.isspace():
            last = sign
        position += 1


def _nonempty(text: str, start: int, stop: int) -> Iterator[Span]:
    inner = text[start:stop].strip()
    if inner:
        first = text.index(inner, start)
        yield first, first + len(inner)


def _defines(words: tuple[Token, ...]) -> bool:
    """Whether a name stands before the first = outside of brackets, with or without subscripts."""
    if words[0].kind != "name":
        return False
    depth = 0
    for position, word in enumerate(words[1:], 1):
        if word.kind == "sign" and word.text == "=" and depth == 0:
            return position == 1 or words[position - 1].text == "]"
        depth += (word.text == "[") - (word.text == "]") if word.kind == "sign" else 0
        if depth == 0 and word.text != "]":
            return False
    return False


def _definition(text: str, span: Span) -> Definition:
    equation = parse_equation(text, within=span)
    name = span[0], span[0] + len(equation.target)
    why = problem(equation.target)
    if why is not None:
        raise error_at(text, name, f"{equation.target} can't be defined: {why}")
    return Definition(equation.target, _indices(text, equation), equation.body, span)


def _indices(text: str, equation: Equation) -> tuple[str, ...]:
    if equation.condition is not None:
        raise error_at(text, equation.condition.span, "a definition holds for all of its indices")
    for subscript in equation.subscripts:
        if not isinstance(subscript, Name):
            raise error_at(text, subscript.span, "what is defined has indices, each a name of its own")
    if len(set(equation.indices)) < len(equation.indices):
        raise error_at(text, equation.span, f"{equation.target} has one index twice")
    return equation.indices
