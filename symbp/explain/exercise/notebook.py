"""A worksheet as a Jupyter notebook: a cell for each answer, graded when it is run.

Enters: a worksheet, code that derives the network as `d`. Leaves: JSON in notebook format 4.5.
Must not know: other formats.
"""

from __future__ import annotations

import json
from typing import Any

from symbp.explain.document import sides
from symbp.explain.exercise.latex import Gapped
from symbp.explain.exercise.text import shape_words
from symbp.explain.exercise.worksheet import Blank, Worksheet
from symbp.explain.latex import notation_for
from symbp.explain.markdown import equation, formula, given, lesson_parts
from symbp.explain.notebook import HEAD, cell
from symbp.explain.text import PageText

GRADED = """

def graded(answer):
    try:
        print(d.grade(answer))
    except FormulaError as error:
        print(error)"""
HINT = "Put the right side in the place of the dots, in indices, in matrices or as NumPy, then run the cell."


def notebook(sheet: Worksheet, *, key: bool = False, code: str = "") -> str:
    """The notebook without a final newline; `code` derives the network as `d`."""
    page = sheet.document
    notation = notation_for(page)
    cells = [cell("title", "markdown", f"# {page.title}: exercise {sheet.seed}\n\n{sheet.task} {HINT}")]
    cells.append(cell("code", "code", f"from symbp.errors import FormulaError\n{code}\n{GRADED}"))
    cells.append(cell("given", "markdown", given(page.given, notation)))
    for section in sheet.sections:
        name = section.title.lower().replace(" ", "-")
        cells.append(cell(f"part-{name}"[:64], "markdown", f"## {section.title}"))
        for shown in section.equations:
            blank = sheet.by_number.get(shown.number)
            if blank is None:
                parts = "\n\n".join(equation(shown, notation))
                cells.append(cell(f"equation-{shown.number}", "markdown", parts))
            else:
                cells += _asked_for(sheet, blank, key)
    found = {"cells": cells, "metadata": HEAD, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(found, indent=1, ensure_ascii=False)


def _asked_for(sheet: Worksheet, blank: Blank, key: bool) -> list[dict[str, Any]]:
    page, number = sheet.document, blank.shown.number
    left, right = sides(blank.partly or blank.shown.line, Gapped(page.reading.symbols))
    asked = formula(left, right if blank.partly else r"\ldots", number)
    plain, _ = sides(blank.shown.line, PageText(page.reading.symbols))
    cells = [
        cell(f"question-{number}", "markdown", f"{asked}\n\n{shape_words(blank)}"),
        cell(f"answer-{number}", "code", f'graded("{plain} = …")'),
    ]
    if key:
        notation = notation_for(page)
        told = lesson_parts(page, blank.lesson) if blank.lesson is not None else []
        answer = [*equation(blank.shown, notation), *told]
        words = ["<details><summary>Answer</summary>", *answer, "</details>"]
        cells.append(cell(f"key-{number}", "markdown", "\n\n".join(words)))
    return cells
