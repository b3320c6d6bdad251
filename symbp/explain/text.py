"""A derivation as plain text: numbered equations in index notation with the matrix notation beside them.

Enters: a document. Leaves: text for a terminal. Must not know: other formats, or how to print an expression.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbp.derive.derivation import Step
from symbp.explain.document import Document, NumberedEquation, Section
from symbp.explain.starts import Start
from symbp.ir.printer import Notation

WIDEST = 56  # an index form beyond this width has its matrix form on the next line


def text(document: Document, *, steps: bool = False) -> str:
    """The page as text without a final newline; with `steps`, every rewrite with its reason."""
    blocks = [document.title]
    blocks.append("\n".join(["Given", *(f"  {tensor}" for tensor in document.given)]))
    if document.starts:
        blocks.append(_starts(document.starts))
    shown = [e for section in document.sections for e in section.equations]
    widths = [len(e.index_form) for e in shown]
    column = max((width for width in widths if width <= WIDEST), default=0)
    digits = len(str(len(shown)))
    blocks += [_section(section, column, digits) for section in document.sections]
    if document.results:
        width = max(len(words) for words, _ in document.results)
        number = {e.equation.target: e.number for e in document.equations}
        rows = [f"  {words:<{width}}  {name}, equation ({number[name]})" for words, name in document.results]
        blocks.append("\n".join(["Derivatives", *rows]))
    if steps:
        blocks.append(steps_text(document.steps))
    blocks += [f"warning: {warning}" for warning in document.warnings]
    return "\n\n".join(blocks)


def _starts(starts: Sequence[Start]) -> str:
    """Where parameters start, and why."""
    lines = ["Start"]
    for start in starts:
        kind, scale = start.words(Notation())
        lines.append(f"  {', '.join(start.names)}: {f'{kind} {scale}'.strip()}")
        lines += [f"      {start.initial.reason}"] if start.initial.reason else []
    return "\n".join(lines)


def _section(section: Section, column: int, digits: int) -> str:
    lines = [section.title, *([f"  {section.note}"] if section.note else [])]
    for equation in section.equations:
        lines += _equation(equation, column, digits)
    return "\n".join(lines)


def _equation(shown: NumberedEquation, column: int, digits: int) -> list[str]:
    number = f"({shown.number})".rjust(digits + 2)
    margin = " " * (digits + 6)
    lines = [f"  {number}  {shown.index_form}"]
    if shown.matrix_form is not None and len(shown.index_form) <= column:
        lines = [f"  {number}  {shown.index_form:<{column}}   {shown.matrix_form}"]
    elif shown.matrix_form is not None:
        lines.append(f"{margin}{'':<{column}}   {shown.matrix_form}")
    return lines + [f"{margin}{line}" for line in shown.code]


def steps_text(steps: Sequence[Step]) -> str:
    """Every rewrite: its rule, what it changed, why, and what it rests on."""
    lines = ["Steps"]
    for count, step in enumerate(steps, start=1):
        rests = f" (by {', '.join(step.rests_on)})" if step.rests_on else ""
        lines += [
            f"  {count}. {step.target}: {step.rule}",
            f"       {step.before}",
            f"    ⟶  {step.after}",
            f"       {step.reason}{rests}",
        ]
    return "\n".join(lines if steps else [*lines, "  none: every equation stands as it was first derived"])
