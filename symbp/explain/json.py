"""A derivation as JSON, for programs: equations in every notation, gradients, steps and warnings.

Enters: a document. Leaves: a dictionary of plain values, or its text. Must not know: other formats' layout.
"""

from __future__ import annotations

import json
from typing import Any

from symbp.explain.document import Document, sides
from symbp.explain.latex import matrix_latex, notation_for
from symbp.explain.steps import rests
from symbp.explain.text import PageText, index_form, legend_lines, matrix_form
from symbp.ir.printer import TEXT
from symbp.read.lecture import Lesson


def plain(document: Document) -> dict[str, Any]:
    """The document as dictionaries, lists, strings and numbers, as docs/json.md describes them."""
    notation, symbols = notation_for(document), document.reading.symbols
    in_text, options = PageText(symbols), document.reading.options
    equations = [
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
    steps = [
        {
            "rule": step.rule,
            "reason": step.because(),
            "target": step.target,
            "before": before,
            "after": after,
            "rests_on": rests(step, TEXT),
        }
        for step, (before, after) in ((step, step.spelled()) for step in document.steps)
    ]
    return {
        "name": document.title,
        "reading": document.reading.style,
        "options": {"notation": options.notation, "layout": options.layout, "origin": options.origin},
        "start": [
            {
                "parameters": list(start.names),
                "distribution": start.initial.distribution,
                "scale": str(start.initial.scale),
                "shift": str(start.initial.shift),
                "reason": start.initial.reason,
            }
            for start in document.starts
        ],
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
        "equations": equations,
        "gradients": dict(document.gradients),
        "stand_for": {section.title: dict(section.pairs) for section in document.sections if section.pairs},
        "lessons": [_lesson(lesson, document) for lesson in document.lecture.lessons],
        "steps": steps,
        "warnings": list(document.warnings),
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
