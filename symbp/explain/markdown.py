"""A derivation as Markdown with formulas in LaTeX, as GitHub, GitLab and notebooks show them.

Enters: a document. Leaves: Markdown text. Must not know: other formats' layout, or how to print an
expression.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbp.explain.document import Document, NumberedEquation, Section, sides
from symbp.explain.latex import Latex, matrix_latex, notation_for
from symbp.explain.lecture import Sentence, Steps, rows
from symbp.explain.text import computed_as
from symbp.ir.printer import Notation
from symbp.ir.system import Tensor
from symbp.read.legend import Named, Piece


def markdown(document: Document, *, steps: Steps = False) -> str:
    """The page without a final newline; with `steps`, how each derivative comes about."""
    return "\n\n".join(parts(document, steps=steps))


def parts(document: Document, *, steps: Steps = False) -> list[str]:
    """The parts of the page in order, each with its heading: the title, what is given, and so on."""
    notation = notation_for(document)
    found = [f"# {document.title}", _given(document.given, notation)]
    if document.starts:
        starts = []
        for start in document.starts:
            kind, scale = start.words(notation, r"\pm ")
            names = ", ".join(f"${notation.tensor(name)}$" for name in start.names)
            why = f"; {start.initial.reason}" if start.initial.reason else ""
            starts.append(f"- {names}: {f'{kind} ${scale}$' if scale else kind}{why}")
        found.append("\n".join(["## Start", "", *starts]))
    if document.reading.legend:
        told = [f"- {_spelled(entry.pieces, notation)}" for entry in document.reading.legend]
        found.append("\n".join(["## Legend", "", *told]))
    found += [_section(section, notation) for section in document.sections]
    if steps and steps != "computed" and document.lecture.lessons:
        found.append(_lecture(document))
    found += [f"> **Warning.** {warning}" for warning in document.warnings]
    return found


def _given(tensors: Sequence[Tensor], notation: Latex) -> str:
    lines = ["## Given", ""]
    for tensor in tensors:
        shape = r" \times ".join(map(notation.show, tensor.shape)) or "1"
        domain = r"\mathbb{Z}" if tensor.integer else r"\mathbb{R}"
        facts = "".join(f", {fact}" for fact in sorted(map(str, tensor.facts)))
        where = rf"${notation.tensor(tensor.name)} \in {domain}^{{{shape}}}$"
        lines.append(f"- {where}: {tensor.role.value}{facts}")
    return "\n".join(lines)


def _section(section: Section, notation: Latex) -> str:
    parts = [f"## {section.title}"]
    if section.pairs:
        pairs = (f"${notation.tensor(a)}$ {section.verb} ${notation.tensor(b)}$" for a, b in section.pairs)
        parts.append(", ".join(pairs) + ".")
    for shown in section.equations:
        parts += _equation(shown, notation)
    return "\n\n".join(parts)


def equation(shown: NumberedEquation, notation: Latex) -> str:
    """One numbered equation in its forms."""
    return "\n\n".join(_equation(shown, notation))


def _equation(shown: NumberedEquation, notation: Latex) -> list[str]:
    left, right = sides(shown.line, notation)
    found = [_formula(left, right, shown.number)]
    matrix = matrix_latex(shown, notation)
    if matrix is not None:
        found.append(_formula(*matrix))
    if note := computed_as(shown):
        found.append(f"*{note}*")
    return found


def _formula(left: str, right: str, number: int | None = None) -> str:
    tag = "" if number is None else rf" \tag{{{number}}}"
    return f"$${left} = {right}{tag}$$"


def _lecture(document: Document) -> str:
    """One numbered part for each lesson."""
    notation = Latex(document.lecture.symbols)
    parts = ["## Steps"]
    for count, lesson in enumerate(document.lecture.lessons, start=1):
        head = f"**{count}.** "
        for row in rows(document, lesson, notation):
            if isinstance(row, Sentence):
                parts.append(head + _spelled(row.pieces, notation))
                head = ""
            else:
                parts.append(_formula(row.left, row.right, row.number))
    return "\n\n".join(parts)


def _spelled(pieces: Sequence[Piece], notation: Notation) -> str:
    spelled = []
    for piece in pieces:
        if isinstance(piece, str):
            spelled.append(piece.replace("*", r"\*").replace("_", r"\_"))
        else:
            named = isinstance(piece, Named)
            spelled.append(f"${notation.access(piece.name, [], None) if named else notation.show(piece)}$")
    return "".join(spelled)
