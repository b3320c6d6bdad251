"""A derivation as a Jupyter notebook: the parts of the Markdown page, a cell each.

Enters: a document, and code as text where the notebook should run some. Leaves: JSON in notebook format 4.5.
Must not know: how an expression is printed, or what the code does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from symbp.explain.document import Document
from symbp.explain.lecture import Steps
from symbp.explain.markdown import parts

HEAD = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook(document: Document, *, steps: Steps = False, code: str | Sequence[str] = "") -> str:
    """The notebook without a final newline; `code` stands below the title, a cell for each text."""
    title, *rest = parts(document, steps=steps)
    texts = [text for text in ([code] if isinstance(code, str) else code) if text]
    cells = [cell("title", "markdown", title)]
    cells += [cell(f"code-{k}" if k > 1 else "code", "code", text) for k, text in enumerate(texts, start=1)]
    cells += [cell(_name(count, part), "markdown", part) for count, part in enumerate(rest, start=1)]
    found = {"cells": cells, "metadata": HEAD, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(found, indent=1, ensure_ascii=False)


def _name(count: int, part: str) -> str:
    """The same for the same part of every notebook: `3-forward`."""
    heading = part.partition("\n")[0].lower()
    words = re.sub(r"[^a-z0-9]+", "-", heading).strip("-") if heading.startswith("#") else "warning"
    return f"{count}-{words}"[:64]


def cell(name: str, kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": source.splitlines(keepends=True)}
