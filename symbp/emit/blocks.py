"""Pieces of source text that the templates lay out.

Enters: names and lines. Leaves: `Function`s and wrapped lines. Must not know: equations, targets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH = 110


@dataclass(frozen=True)
class Function:
    """A function of the generated module; the lines of its body are relative to its own indentation."""

    name: str
    arguments: tuple[str, ...]
    doc: str
    body: tuple[str, ...]
    decorators: tuple[str, ...] = ()

    @property
    def header(self) -> list[str]:
        """The line that begins the function, over several if it is long."""
        return wrapped(f"def {self.name}(", self.arguments, "):", 0)

    @property
    def lines(self) -> list[str]:
        """The body with long lines folded."""
        return [part for line in self.body for part in folded(line)]


def note(*numbers: int, prefix: str = "") -> str:
    """The trailing comment that names equations: `  # (2), (3)`."""
    return "  # " + ", ".join(f"({prefix}{number})" for number in numbers)


def equations_of(line: str) -> tuple[int, ...]:
    """The numbers of the equations that a line's comment lists."""
    return tuple(int(number) for number in re.findall(r"\((\d+)\)", line.partition("  # ")[2]))


def listed(numbers: Sequence[int]) -> str:
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
        first, second, *_, last = (f"({r[0]}) to ({r[-1]})" if len(r) > 1 else f"({r[0]})" for r in runs)
        return f"{first}, {second} … {last}"
    parts: list[str] = []
    for run in runs:
        parts += [f"({run[0]}) to ({run[-1]})"] if len(run) > 2 else [f"({number})" for number in run]
    return ", ".join(parts)


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


def folded(line: str, indent: int = 4) -> list[str]:
    """A long assignment over several lines, broken before operators as few brackets deep as possible; a long
    call after the commas between its arguments."""
    code, _, comment = line.partition("  # ")
    margin = code[: len(code) - len(code.lstrip())]
    if len(line) + indent <= WIDTH:
        return [line]
    call = re.match(r"(\s*(?:[^=]+ [-+*/]?= )?[\w.]+\()(.*)\)$", code)
    if call is not None and _closes_last(call.group(2)):
        parts = _filled(_arguments(call.group(2)), WIDTH - len(margin) - indent - 4)
        closing = f"{margin})  # {comment}" if comment else f"{margin})"
        if len(parts) > 1 or len(margin + parts[0]) + indent + 4 <= WIDTH:
            return [call.group(1), *(f"{margin}    {part}" for part in parts), closing]
    found = re.match(r"(.*?) ([-+*/]?=) (.*)", code)
    if found is None:
        return [line]
    target, sign, value = found.groups()
    parts = _broken(value, WIDTH - len(margin) - indent - 4)
    if len(parts) < 2:
        return [line]
    closing = f"{margin})  # {comment}" if comment else f"{margin})"
    return [f"{target} {sign} (", *(f"{margin}    {part}" for part in parts), closing]


def _closes_last(inside: str) -> bool:
    """Whether the text between the outermost brackets of a call is balanced by itself."""
    depth = 0
    for character in inside:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _arguments(inside: str) -> list[str]:
    """The arguments of a call, each with the comma behind it."""
    parts, depth, start = [], 0, 0
    for k, character in enumerate(inside):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append(inside[start : k + 1].strip())
            start = k + 1
    return [*parts, inside[start:].strip()]


def _filled(pieces: Sequence[str], width: int) -> list[str]:
    """Pieces on as few lines of a width as they need."""
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) + 1 <= width:
            lines[-1] += " " + piece
        else:
            lines.append(piece)
    return lines


def _broken(value: str, width: int) -> list[str]:
    """Text cut before operators, as few brackets deep as has any, and filled to a width."""
    cuts: dict[int, list[int]] = {}
    depth = 0
    for k, character in enumerate(value):
        depth += (character in "([{") - (character in ")]}")
        if character == " " and value[k + 1 : k + 3] in ("+ ", "- ", "* ", "/ ", "@ "):
            cuts.setdefault(depth, []).append(k)
    for deepest in sorted(cuts):
        places = sorted(place for level in cuts if level <= deepest for place in cuts[level])
        pieces = [value[a:b].strip() for a, b in zip([0, *places], [*places, len(value)], strict=True)]
        lines = _filled(pieces, width)
        if all(len(line) <= width for line in lines):
            return lines
    return [value]
