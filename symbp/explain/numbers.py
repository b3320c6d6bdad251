"""The numbers of a page, equation by equation, as text and as JSON.

Enters: `Numbers`. Leaves: text, plain values. Must not know: how a number was found, other formats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.explain.arrays import Array, beside, blocks, number
from symbp.explain.document import sides
from symbp.explain.text import PageText
from symbp.explain.wrapping import WIDTH, columns, equation_lines
from symbp.ir.expr import Expr
from symbp.ir.printer import TEXT
from symbp.read.display import Constant
from symbp.read.numbers import Numbers, Row
from symbp.read.numbers.descent import Descent

DIGITS = 6
DIFFERENCES = "central differences: "


@dataclass(frozen=True)
class ShownNumbers(Numbers):
    """Numbers that show themselves."""

    def text(self, *, digits: int = DIGITS) -> str:
        """Each equation with the value of what it defines, matrices as matrices, in so many significant
        digits, and each derivative's central difference beside it; long axes shortened."""
        return text(self, digits)

    def json(self) -> dict[str, Any]:
        """All numbers in full, as plain values: `docs/json.md` describes them."""
        return plain(self)

    def _repr_markdown_(self) -> str:
        return f"```text\n{self.text()}\n```"

    def __str__(self) -> str:
        return self.text()


def shown(found: Numbers) -> ShownNumbers:
    """The same numbers, able to show themselves."""
    return ShownNumbers(
        found.reading, found.sizes, found.values, found.differences, found.drawn, found.whole, found.elements
    )


# --- text
def text(found: Numbers, digits: int = DIGITS) -> str:
    """The page of numbers as text, without a final newline."""
    notation = PageText(found.reading.symbols)
    rows = {row.number: row for row in found.rows}
    parts = [_head(found), "\n".join(["Given", *_given(found, notation, digits)])]
    for part in found.reading.parts:
        lines = [line for r in found.reading.of(part) for line in _row(rows[r.number], notation, digits)]
        parts.append("\n".join([part.title, *lines]))
    if found.whole is not None:
        parts.append("\n".join(["Values and derivatives", *_circuit(found, notation, digits)]))
    return "\n\n".join(parts)


def _head(found: Numbers) -> str:
    sizes = ", ".join(f"{name} = {extent}" for name, extent in found.sizes.items())
    return f"{found.name}, in numbers" + (f" ({sizes})" if sizes else "")


def _given(found: Numbers, notation: PageText, digits: int) -> list[str]:
    lines: list[str] = []
    for name, array in found.leaves.items():
        lines += _valued(_given_label(notation.symbols.text[name]), array, None, digits, "  ")
    for constant, value in _constants(found).items():
        lines.append(f"  {notation.symbol(constant)} = {number(float(value), digits)}")
    drawn = [notation.symbols.text[name] for name in found.leaves if name in found.drawn]
    if drawn and len(drawn) < len(found.leaves):
        lines.append(f"  (an example's: {', '.join(drawn)})")
    return lines


def _constants(found: Numbers) -> dict[Constant, Expr]:
    """The numbers that go by a letter in an equation."""
    bodies = [part for row in found.rows for part in (row.line.equation.body, *row.line.equation.where)]
    used = {constant for body in bodies for constant in body.atoms(Constant)}
    return {constant: value for constant, value in found.reading.constants.items() if constant in used}


def _circuit(found: Numbers, notation: PageText, digits: int) -> list[str]:
    """Each quantity of a page of scalars with its value and the derivative by it, as a circuit is drawn."""
    system, symbols = found.reading.derivation.system, notation.symbols.text
    slopes = {t.differential.by: t.name for t in system.tensors if t.differential is not None}
    table = [["", "value", "derivative"]]
    for name in (*found.leaves, *(e.target for e in system.equations if e.target not in slopes.values())):
        slope = found[slopes[name]][()] if name in slopes else None
        own = number(found[name][()], digits)
        table.append([symbols[name], own, "" if slope is None else number(slope, digits)])
    widths = [max(columns(row[k]) for row in table) for k in range(3)]
    return [
        "  "
        + "  ".join(cell + " " * (w - columns(cell)) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _given_label(symbol: str) -> Label:
    return lambda leading: f"{symbol}[{','.join([*map(str, leading), ':', ':'])}]" if leading else symbol


def _row(row: Row, notation: PageText, digits: int) -> list[str]:
    left, right = sides(row.line, notation)
    head = f"{f'({row.number})':>6}  "
    margin = " " * len(head)
    broken = equation_lines(f"{left} = {right}", WIDTH - len(head))
    lines = [head + broken[0], *(margin + rest for rest in broken[1:])]
    if row.value.ndim == 0:
        written = number(row.value[()], digits)
        other = "" if row.difference is None else f"   {DIFFERENCES}{number(row.difference[()], digits)}"
        for tail in (f" = {written}{other}", f" = {written}"):
            if columns(lines[-1]) + columns(tail) <= WIDTH and (
                tail.endswith(other) or row.difference is None
            ):
                return [*lines[:-1], lines[-1] + tail]
    label = _label(row, notation)
    return lines + _valued(label, row.value, row.difference, digits, margin + "  ")


Label = Callable[[tuple[int, ...]], str]


def _label(row: Row, notation: PageText) -> Label:
    """What is printed before a matrix: the tensor's symbol and, if the line doesn't define all of it or it
    has more axes, the subscripts of the matrix."""
    symbol, indices, fixed = notation.symbols.text[row.name], row.line.equation.indices, row.line.fixed

    def label(leading: tuple[int, ...]) -> str:
        rest = iter(leading)
        free = [":" if index in fixed else next(rest, ":") for index in indices]
        places = [str(fixed.get(i, place)) for i, place in zip(indices, free, strict=True)]
        return f"{symbol}[{','.join(places)}]" if fixed or leading else symbol

    return label


def _valued(label: Label, value: Array, difference: Array | None, digits: int, margin: str) -> list[str]:
    """`label = value`, with the central difference beside it, or below it where that doesn't fit."""
    others = blocks(difference, digits) if difference is not None else []
    lines: list[str] = []
    for k, (leading, block) in enumerate(blocks(value, digits)):
        head = f"{label(leading)} = "
        own = _headed(head, block)
        other = _headed(DIFFERENCES, others[k][1]) if others else []
        joined = beside(own, other, "   ") if other else own
        if other and len(margin) + max(map(columns, joined)) > WIDTH:
            shift = " " * max(0, columns(head) - len(DIFFERENCES))
            joined = [*own, *_headed(shift + DIFFERENCES, others[k][1])]
        lines += [(margin + line).rstrip() for line in joined]
    return lines


def _headed(head: str, block: Sequence[str]) -> list[str]:
    """A block behind a word, which stands beside its first line."""
    return [f"{head if k == 0 else ' ' * columns(head)}{line}" for k, line in enumerate(block)]


def descent_text(found: Numbers, descent: Descent, digits: int = DIGITS) -> str:
    """Steps of gradient descent as text: the parameters after them, and losses."""
    symbols = found.reading.symbols.text
    many = "one step" if descent.steps == 1 else f"{descent.steps:,} steps"
    lines = [f"After {many} of gradient descent at the rate {descent.rate:g}"]
    for name, array in descent.after.items():
        lines += _valued(_given_label(symbols[name]), array, None, digits, "  ")
    table = [["step", *(symbols.get(name, name) for name in descent.measured[0])]]
    for step, measured in descent.measured.items():
        table.append([f"{step:,}", *(number(value, digits) for value in measured.values())])
    steps, *rest = ([row[k] for row in table] for k in range(len(table[0])))
    widths = [max(map(columns, column)) for column in rest]
    lines.append("")
    for first, *cells in table:
        padded = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)]
        lines.append("  ".join([f"  {first:>{max(map(len, steps))}}", *padded]).rstrip())
    return "\n".join(lines)


# --- JSON
def descent_plain(descent: Descent) -> dict[str, Any]:
    """Steps of gradient descent as plain values."""
    return {
        "rate": descent.rate,
        "steps": descent.steps,
        "parameters": {name: values(array) for name, array in descent.after.items()},
        "measured": [{"step": k} | {n: _plain(v) for n, v in m.items()} for k, m in descent.measured.items()],
    }


def plain(found: Numbers) -> dict[str, Any]:
    """Dictionaries, lists, strings and numbers; what isn't a number is null, and infinity a string."""
    symbols, system = found.reading.symbols, found.reading.derivation.system
    given = [
        {
            "name": name,
            "symbol": symbols.text[name],
            "role": system.tensor(name).role.value,
            "value": values(array),
            "example": name in found.drawn,
        }
        for name, array in found.leaves.items()
    ]
    notation = PageText(symbols)
    equations = [
        {
            "number": row.number,
            "name": row.name,
            "symbol": symbols.text[row.name],
            "equation": " = ".join(sides(row.line, notation)),
            "index_form": " = ".join(sides(row.line, TEXT)),
            "value": values(row.value),
            "differences": None if row.difference is None else values(row.difference),
        }
        for row in found.rows
    ]
    return {
        "name": found.name,
        "reading": found.reading.style,
        "sizes": dict(found.sizes),
        "given": given,
        "constants": {constant.name: float(value) for constant, value in _constants(found).items()},
        "equations": equations,
        "gradients": dict(found.reading.derivation.gradients),
    }


def values(array: Array) -> Any:
    """An array as nested lists."""
    if array.dtype.kind in "iu":
        return array.tolist()
    return _plain(np.asarray(array, float).tolist())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
