"""Pieces of source text that the templates lay out.

Enters: names and lines. Leaves: `Function`s and wrapped lines. Must not know: equations, targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 110


@dataclass(frozen=True)
class Function:
    """A function of the generated module; the lines of its body are relative to its own indentation."""

    name: str
    arguments: tuple[str, ...]
    doc: str
    body: tuple[str, ...]
    decorators: tuple[str, ...] = ()


def note(*numbers: int, prefix: str = "") -> str:
    """The trailing comment that names equations: `  # (2), (3)`."""
    return "  # " + ", ".join(f"({prefix}{number})" for number in numbers)


def wrapped(opening: str, entries: Sequence[str], closing: str, indent: int = 4) -> list[str]:
    """A bracketed list on one line if it fits, else filled over several."""
    one = f"{opening}{', '.join(entries)}{closing}"
    if len(one) + indent <= WIDTH:
        return [one]
    lines, line = [opening], "   "
    for entry in entries:
        if len(line) + len(entry) + 2 + indent > WIDTH:
            lines.append(line)
            line = "   "
        line += f" {entry},"
    return [*lines, line, closing]
