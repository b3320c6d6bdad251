"""A derivation as one HTML file that needs no network and no JavaScript, formulas in MathML.

Enters: a document; the numbers of a worked example, and code, where the page shows some. Leaves: the page,
which is well-formed XML too. Must not know: other formats' layout, or how to print an expression. How the
page looks is in its templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

from symbp.errors import UsageError
from symbp.explain.document import Document, NumberedEquation
from symbp.explain.drawing import caption, drawing
from symbp.explain.lecture import Steps
from symbp.explain.mathml import MathML, operator, row
from symbp.explain.page.equations import Blocks, CodeLine, Links, inline, notation_of, slug, spelled_out
from symbp.explain.page.flow import flow_block
from symbp.explain.page.gradients import gradient_table
from symbp.explain.page.guide import guide
from symbp.explain.page.numbers import numbers_block, small_values
from symbp.explain.page.steps import step_blocks
from symbp.explain.starts import Start
from symbp.ir.system import Tensor
from symbp.read.flow import Flow
from symbp.read.numbers import Numbers
from symbp.rendering import render, template_folder

FEW, STEPS = 30, 3  # equations of a net whose recurrence is drawn once more, with so many steps


@dataclass(frozen=True)
class GivenRow:
    """A tensor that is given: its symbol, its name in code, what it is, its shape."""

    symbol: Markup
    name: str
    meaning: str
    shape: Markup


@dataclass(frozen=True)
class StartRow:
    """Parameters, how they start, and why."""

    names: Markup
    how: Markup
    reason: str


def html(
    document: Document,
    *,
    steps: Steps = True,
    fragment: bool = False,
    numbers: Numbers | None = None,
    code: Sequence[CodeLine] = (),
    flow: Flow | None = None,
    about: str = "",
) -> str:
    """The page; with `steps`, below each derivative how it comes about, folded away, or every rewrite that
    led to the `computed` equations; as a `fragment`, what stands in another page, with names of its own for
    the places that links lead to. `numbers` are those of a worked example, `code` the lines of a
    module, `flow` how the net's gradients travel, `about` what the net
    is, in a few words."""
    prefix = f"{slug(document.title)}-" if fragment else ""
    notation = notation_of(document.reading.symbols)
    lessons = document.lecture.lessons if steps and steps != "computed" else ()
    links = Links(frozenset(line.number for line in document.reading.lines), prefix)
    blocks = Blocks(
        document,
        links,
        {lesson.line.number: lesson for lesson in lessons},
        {} if numbers is None else {shown.number: shown for shown in numbers.rows},
        {} if numbers is None else numbers.places,
        code,
    )
    values = {
        "title": document.title,
        "about": about,
        "prefix": prefix,
        "given": [given(tensor, notation) for tensor in document.given],
        "guide": guide(document, links) if lessons else (),
        "legend": [spelled_out(entry.pieces, notation, links) for entry in document.reading.legend],
        "starts": _starts(document.starts, notation),
        "gradients": gradient_table(document),
        "sections": [blocks.section(section) for section in document.sections],
        "steps": step_blocks(document) if steps == "computed" else (),
        "numbers": None if numbers is None else numbers_block(numbers, notation),
        "code": code,
        "flow": None if flow is None else flow_block(flow, notation, prefix),
        "drawing": drawing(document, prefix, values=None if numbers is None else small_values(numbers)),
        "drawing_key": caption(document, prefix),
        "unrolled": None if fragment else _unrolled(document, prefix),
        "warnings": document.warnings,
    }
    if fragment:
        return render("page_fragment.html.j2", values, markup=True)
    own = {
        "style": part_as_written("page.css"),
        "script": part_as_written("page.js"),
        "arithmetic": part_as_written("page_arithmetic.js"),
    }
    return render("page.html.j2", values | own, markup=True)


def formulas(shown: NumberedEquation, document: Document) -> tuple[Markup, ...]:
    """One equation of a document in its forms."""
    return Blocks(document, Links(frozenset(), "")).equation(shown).forms


def _unrolled(document: Document, prefix: str) -> Markup | None:
    """The picture of a small recurrence, some steps side by side."""
    if len(document.derivation.declared.equations) > FEW:
        return None
    try:
        return drawing(document, prefix, unrolled=STEPS, name="unrolled")
    except UsageError:
        return None


def part_as_written(name: str) -> Markup:
    """A part of the page that is written as it stands."""
    return Markup((template_folder() / name).read_text(encoding="utf-8"))


def given(tensor: Tensor, notation: MathML) -> GivenRow:
    """A row of what is given."""
    shape = operator("×").join(map(notation.show, tensor.shape))
    drawn = [str(tensor.draw)] if tensor.draw else []
    kind = f"{tensor.role.value}, integers" if tensor.integer and tensor.shape else tensor.role.value
    meaning = ", ".join([kind, *drawn, *sorted(map(str, tensor.facts))])
    symbol = inline(notation.tensor(tensor.name))
    return GivenRow(symbol, tensor.name, meaning, inline(shape) if shape else Markup("scalar"))


def _starts(starts: Sequence[Start], notation: MathML) -> list[StartRow]:
    """How parameters start; a reason stands where it is given first."""
    found: list[StartRow] = []
    for start in starts:
        row = _start(start, notation)
        told = any(row.reason == other.reason for other in found)
        found.append(replace(row, reason="") if told else row)
    return found


def _start(start: Start, notation: MathML) -> StartRow:
    kind, scale = start.words(notation, operator("±"))
    names = Markup(", ").join(inline(notation.tensor(name)) for name in start.names)
    how = Markup(" ").join([*([escape(kind)] if kind else []), *([inline(row(scale))] if scale else [])])
    return StartRow(names, how, start.initial.reason)
