"""A worksheet as a LaTeX document that compiles as it is.

Enters: a worksheet. Leaves: LaTeX text. Must not know: other formats.
"""

from __future__ import annotations

from symbp.explain.document import sides
from symbp.explain.exercise.text import shape_words
from symbp.explain.exercise.worksheet import GAP, Blank, Worksheet
from symbp.explain.latex import HEAD, TAIL, Latex, aligned, given, lesson_rows
from symbp.ir.expr import Expr
from symbp.read.spelling import escaped

LINE = r"\underline{\hspace{7cm}}"
SPACE = r"\vspace{1.2cm}"  # for working


class Gapped(Latex):
    """LaTeX with an empty box in the place of a factor."""

    def symbol(self, symbol: Expr) -> str:
        return r"\boxed{\phantom{W_{1} + W_{2}}}" if symbol == GAP else super().symbol(symbol)


def latex(sheet: Worksheet, *, key: bool = False) -> str:
    """The worksheet; with its key, on a page of its own."""
    page = sheet.document
    notation = Gapped(page.reading.symbols)
    found = [HEAD, rf"\section*{{{escaped(page.title)}: exercise {sheet.seed}}}", given(page.given, notation)]
    for section in sheet.sections:
        found.append(rf"\subsection*{{{section.title}}}")
        for shown in section.equations:
            blank = sheet.by_number.get(shown.number)
            found += aligned(shown, notation) if blank is None else _asked_for(blank, notation)
    found += [r"\bigskip", rf"\noindent {sheet.task}"]
    if sheet.command:
        found.append(rf"\\ Is it right? \texttt{{{_typed(sheet.command)}}}")
    if key:
        found += [r"\newpage", r"\subsection*{Key}"]
        for blank in sheet.blanks:
            found += aligned(blank.shown, Latex(page.reading.symbols))
            found += lesson_rows(page, blank.lesson, r"\noindent ") if blank.lesson is not None else []
    return "\n".join([*found, TAIL])


def _asked_for(blank: Blank, notation: Latex) -> list[str]:
    left, right = sides(blank.partly or blank.shown.line, notation)
    body = right if blank.partly else LINE
    hint = rf"\quad \text{{\small {escaped(shape_words(blank))}}}"
    row = rf"  {left} &= {body} {hint} \tag{{{blank.shown.number}}}"
    return [r"\begin{align*}", row, r"\end{align*}", "" if blank.partly else SPACE]


def _typed(text: str) -> str:
    """A command line in letters of one width."""
    return escaped(text.replace("…", "...")).replace("'", r"\textquotesingle{}")
