"""A derivation as JSON, for programs: equations in every notation, gradients, steps and warnings.

Enters: a document. Leaves: a dictionary of plain values, or its text. Must not know: other formats' layout.
"""

from __future__ import annotations

import json
from typing import Any

from symbp.derive.derivation import Step
from symbp.explain.document import Document, sides
from symbp.explain.latex import matrix_latex, notation_for
from symbp.explain.starts import Start
from symbp.explain.steps import rests
from symbp.explain.text import PageText, index_form, legend_lines, matrix_form
from symbp.ir.printer import TEXT
from symbp.read.lecture import Lesson


def plain(document: Document) -> dict[str, Any]:
    """The document as dictionaries, lists, strings and numbers, as docs/json.md describes them."""
    symbols, options = document.reading.symbols, document.reading.options
    return {
        "name": document.title,
        "reading": document.reading.style,
        "options": {"notation": options.notation, "layout": options.layout, "origin": options.origin},
        "start": [_start(start) for start in document.starts],
        "symbols": {
            name: {"text": symbols.text[name], "latex": symbols.latex[name]} for name in symbols.symbols
        },
        "sizes": dict(document.reading.sizes),
        "places": [
            {"tensor": tensor, "axis": axis, "names": list(names)}
            for (tensor, axis), names in sorted(document.reading.places.axes.items())
        ],
        "legend": [
            {"about": entry.kind, "text": line}
            for entry, line in zip(document.reading.legend, legend_lines(document), strict=True)
        ],
        "equations": _equations(document),
        "gradients": dict(document.gradients),
        "stand_for": {section.title: dict(section.pairs) for section in document.sections if section.pairs},
        "lessons": [_lesson(lesson, document) for lesson in document.lecture.lessons],
        "steps": [_step(step) for step in document.steps],
        "warnings": list(document.warnings),
    }


def _start(start: Start) -> dict[str, Any]:
    initial = start.initial
    return {
        "parameters": list(start.names),
        "distribution": initial.distribution,
        "scale": str(initial.scale),
        "shift": str(initial.shift),
        "reason": initial.reason,
    }


def _equations(document: Document) -> list[dict[str, Any]]:
    notation, in_text = notation_for(document), PageText(document.reading.symbols)
    return [
        {
            "number": shown.number,
            "target": shown.equation.target,
            "index_form": shown.index_form,
            "matrix_form": shown.matrix_form,
            "text": index_form(shown, in_text),
            "matrix_text": matrix_form(shown, in_text),
            "latex": " = ".join(sides(shown.line, notation)),
            "matrix_latex": " = ".join(matrix) if (matrix := matrix_latex(shown, notation)) else None,
            "computed": list(shown.line.computed),
            "rule": shown.rule,
        }
        for shown in document.equations
    ]


def _step(step: Step) -> dict[str, Any]:
    before, after = step.spelled()
    return {
        "rule": step.rule,
        "reason": step.because(),
        "target": step.target,
        "before": before,
        "after": after,
        "rests_on": rests(step, TEXT),
    }


def _lesson(lesson: Lesson, document: Document) -> dict[str, Any]:
    """A lesson, formulas as text with the symbols of the page."""
    notation = PageText(document.lecture.symbols)
    local = [
        [notation.slope(notation.show(part.of), notation.show(part.by)), notation.show(part.slope)]
        for part in lesson.parts
        if part.slope is not None
    ]
    return {
        "number": lesson.line.number,
        "by": lesson.by,
        "readers": list(lesson.readers),
        "local": local,
        "sum": None if lesson.sum is None else " = ".join(notation.equation(lesson.sum)),
        "between": [_lesson(inner, document) for inner in lesson.between],
    }


def text(document: Document) -> str:
    """The JSON text, indented, without a final newline."""
    return json.dumps(plain(document), indent=2, ensure_ascii=False)
