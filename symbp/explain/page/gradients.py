"""The gradients of a page in a table: symbol, equation, shape, operations and bytes.

Enters: a document. Leaves: rows of markup. Must not know: how an equation is computed in code.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from markupsafe import Markup

from symbp.explain.document import Document
from symbp.explain.mathml import operator
from symbp.explain.page.breaks import ROOM, broken
from symbp.explain.page.equations import inline, joined, notation_of, tall
from symbp.explain.page.work import Work, work
from symbp.ir.expr import Expr

CELL = 11.0  # em; the width of a column


@dataclass(frozen=True)
class GradientRow:
    """A derivative that was asked for; what it takes, and what all up to it together take."""

    words: str
    symbol: Markup
    number: int
    shape: Markup
    operations: Markup
    bytes: Markup


@dataclass(frozen=True)
class GradientTable:
    """The rows, and what the forward and the backward pass take as a whole."""

    rows: tuple[GradientRow, ...]
    passes: tuple[tuple[str, Markup, Markup], ...]


def gradient_table(document: Document) -> GradientTable:
    """A row for each derivative that was asked for."""
    page, notation = document.reading.derivation, notation_of(document.reading.symbols)
    system, number = page.system, document.reading.numbers
    lengths = document.reading.lengths

    def shown(e: Expr, room: float = CELL) -> Markup:
        return joined(broken(notation.show(sympy.factor_terms(e.xreplace(lengths))), room, room))

    words = {tensor: said for said, tensor in document.results}
    rows = []
    for name, tensor in document.gradients.items():
        if tensor not in system.defining:
            continue
        found = work(system.defining[tensor], system.by_name)
        shape = operator("×").join(notation.show(e.xreplace(lengths)) for e in system.tensor(tensor).shape)
        rows.append(
            GradientRow(
                words.get(tensor, name),
                tall(notation.tensor(tensor)),
                number[tensor],
                inline(shape) if shape else Markup("scalar"),
                shown(found.operations),
                shown(found.bytes),
            )
        )
    passes = []
    for title in ("Forward", "Backward"):
        targets = {e.line.target for s in document.sections if s.title == title for e in s.equations}
        works = [work(e, system.by_name) for e in system.equations if e.target in targets]
        if works:
            total = _total(works)
            passes.append((f"{title} pass", shown(total.operations, ROOM), shown(total.bytes, ROOM)))
    return GradientTable(tuple(rows), tuple(passes))


def _total(works: list[Work]) -> Work:
    return Work(
        sympy.expand(sympy.Add(*[w.operations for w in works])),
        sympy.expand(sympy.Add(*[w.bytes for w in works])),
    )
