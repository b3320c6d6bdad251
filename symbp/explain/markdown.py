"""A derivation as Markdown with formulas in LaTeX, as GitHub, GitLab and notebooks show them.

Enters: a document. Leaves: Markdown text. Must not know: other formats' layout, or how to print an
expression.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symbp.explain.document import Document, NumberedEquation, Section, sides
from symbp.explain.latex import MARK, Latex, Marked, matrix_latex, notation_for
from symbp.explain.lecture import Sentence, Steps, rows
from symbp.explain.text import computed_as
from symbp.ir.printer import Notation
from symbp.ir.system import Tensor
from symbp.read.lecture import Lesson
from symbp.read.legend import Named, Piece


def markdown(document: Document, *, steps: Steps = False) -> str:
    """The page without a final newline; with `steps`, how each derivative comes about, or every rewrite
    that led to the `computed` equations."""
    return "\n\n".join(parts(document, steps=steps))


def parts(document: Document, *, steps: Steps = False) -> list[str]:
    """The parts of the page in order, each with its heading: the title, what is given, and so on."""
    notation = notation_for(document)
    found = [f"# {document.title}", given(document.given, notation)]
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
    elif steps == "computed" and document.steps:
        found.append(_steps(document))
    found += [f"> **Warning.** {warning}" for warning in document.warnings]
    return [MATH.sub(lambda formula: _everywhere(formula[0]), part) for part in found]


MATH = re.compile(r"\$\$[^$]+\$\$|\$[^$\n]+\$")
COMMANDS = (
    (r"\\operatorname\*\{((?:[^{}\\]|\\_|\\ )*)\}", r"\\mathop{\\mathrm{\1}}\\limits "),
    (r"\\operatorname\{((?:[^{}\\]|\\_|\\ )*)\}", r"\\mathrm{\1}"),
    (r"\\, ?", r"\\thinspace "),
    (r"\\; ?", r"\\thickspace "),
    (r"\\!", r"\\negthinspace "),
    (r"\\_", r"\\underline{\\thickspace}"),
    (r"\\\{", r"\\lbrace "),
    (r"\\\}", r"\\rbrace "),
    (r"\\\|", r"\\Vert "),
)
"""GitHub takes the backslash away before a sign that isn't a letter (`\\,` becomes a comma), and
has no operatorname."""


def _everywhere(formula: str) -> str:
    """A formula in commands that GitHub, GitLab and notebooks all show."""
    for pattern, spelling in COMMANDS:
        formula = re.sub(pattern, spelling, formula)
    return formula


def given(tensors: Sequence[Tensor], notation: Latex) -> str:
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
        parts += equation(shown, notation)
    return "\n\n".join(parts)


def whole_equation(shown: NumberedEquation, notation: Latex) -> str:
    """One numbered equation in its forms."""
    return "\n\n".join(equation(shown, notation))


def equation(shown: NumberedEquation, notation: Latex) -> list[str]:
    left, right = sides(shown.line, notation)
    found = [formula(left, right, shown.number)]
    matrix = matrix_latex(shown, notation) if shown.beside is not None else None
    if matrix is not None:
        found.append(formula(*matrix))
    if note := computed_as(shown):
        found.append(f"*{note}*")
    return found


def formula(left: str, right: str, number: int | None = None) -> str:
    tag = "" if number is None else rf" \tag{{{number}}}"
    return f"$${left} = {right}{tag}$$"


def _lecture(document: Document) -> str:
    """One numbered part for each lesson."""
    lessons = enumerate(document.lecture.told, start=1)
    found = [part for count, lesson in lessons for part in lesson_parts(document, lesson, f"**{count}.** ")]
    return "\n\n".join(["## Steps", *found])


def lesson_parts(document: Document, lesson: Lesson, head: str = "") -> list[str]:
    """How one derivative comes about; `head` stands before the first sentence."""
    notation, found = Latex(document.lecture.symbols), list[str]()
    for row in rows(document, lesson, notation):
        if isinstance(row, Sentence):
            found.append(head + _spelled(row.pieces, notation))
            head = ""
        else:
            found.append(formula(row.left, row.right, row.number))
    return found


def _steps(document: Document) -> str:
    """Every rewrite: its rule, what stood before and what stands after it, and why."""
    notation, marked = Latex(document.ever), Marked(document.ever)
    parts = ["## Steps"]
    for count, step in enumerate(document.steps, start=1):
        pieces = step.because(marked).split(MARK)
        reason = "".join(f"${p}$" if at % 2 else _words(p) for at, p in enumerate(pieces))
        parts.append(f"**{count}.** *{_words(step.rule)}* in ${notation.tensor(step.target)}$. {reason}")
        if not step.before and step.differential is not None:
            parts.append(f"$${step.spelled(notation)[0]}$$")
        for arrow, side in (("", step.before), (r"\to \quad ", step.after)):
            for equation in side:
                left, right = notation.equation(equation)
                parts.append(f"$${arrow}{f'{left} = {right}' if equation.target else right}$$")
    return "\n\n".join(parts)


def _words(text: str) -> str:
    return text.replace("*", r"\*").replace("_", r"\_")


def _spelled(pieces: Sequence[Piece], notation: Notation) -> str:
    spelled = []
    for piece in pieces:
        if isinstance(piece, str):
            spelled.append(_words(piece))
        else:
            named = isinstance(piece, Named)
            spelled.append(f"${notation.access(piece.name, [], None) if named else notation.show(piece)}$")
    return "".join(spelled)
