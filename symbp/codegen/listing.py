"""A tree as lines of text, each with the numbers of the equations that it computes, for pages beside code.

Enters: a statement. Leaves: lines. Must not know: how a statement is spelled, which the printer knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from symbp.codegen.printer import INDENT, text
from symbp.codegen.tree import Assign, Define, Effect, For, If, Statement


@dataclass(frozen=True)
class Listed:
    """A line of code; `numbers` are the equations that it computes, or a part of them."""

    text: str
    numbers: tuple[int, ...] = ()


def listing(statement: Statement, depth: int = 0) -> tuple[Listed, ...]:
    """The lines of a statement, those within it too."""
    return tuple(_lines(statement, depth))


def _lines(s: Statement, depth: int) -> Iterator[Listed]:
    if isinstance(s, (For, Define)):
        yield from _plain(replace(s, body=()), depth)
        for inner in s.body:
            yield from _lines(inner, depth + 1)
    elif isinstance(s, If):
        yield from _plain(replace(s, body=(), otherwise=()), depth)
        for inner in s.body:
            yield from _lines(inner, depth + 1)
        if s.otherwise:
            yield Listed(f"{depth * INDENT}else:")
        for inner in s.otherwise:
            yield from _lines(inner, depth + 1)
    else:
        yield from _plain(s, depth)


def _plain(s: Statement, depth: int) -> Iterator[Listed]:
    numbers = s.equations if isinstance(s, (Assign, Effect)) else ()
    for line in text(s, depth).splitlines():
        yield Listed(line, numbers)
