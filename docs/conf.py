"""How the documentation is built: `sphinx-build docs build/docs` (after `pip install -e ".[docs]"`).

The pages of commands and of the gallery are written into `docs/made/` first, from the parser of the command
line and from `generated/`, so that they say what is there.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
MADE = DOCS / "made"
sys.path.insert(0, str(ROOT))

project = "symbp"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
exclude_patterns = ["made/README.md"]
html_theme = "furo"
html_title = "symbp"
templates_path: list[str] = []
autodoc_typehints = "description"
autodoc_member_order = "bysource"
myst_heading_anchors = 3


def commands() -> str:
    """The help of every command, as the command line prints it."""
    from symbp.cli.main import parser

    whole = parser()
    (actions,) = (a for a in whole._actions if isinstance(a, argparse._SubParsersAction))
    parts = ["# The command line\n", _literal(whole.format_help())]
    parts += [f"## symbp {name}\n\n{_literal(sub.format_help())}" for name, sub in actions.choices.items()]
    return "\n".join(parts)


def networks() -> str:
    """Every network of the gallery: its declaration, and its page."""
    from symbp import gallery

    parts = [
        "# The gallery\n",
        "Each is a file as one would write it, and the page that `symbp derive` makes of it.\n",
    ]
    here = Path(gallery.__file__).parents[1]
    for name, entry in gallery.GALLERY.items():
        file = entry.file.relative_to(here).as_posix()
        parts.append(
            f"## {name}\n\n{entry.shows[0].upper()}{entry.shows[1:]}.\n\n"
            f"```{{literalinclude}} ../../symbp/{file}\n:language: python\n```\n\n"
            f"```{{literalinclude}} ../../generated/{name}.txt\n:language: text\n```\n"
        )
    return "\n".join(parts)


def _literal(text: str) -> str:
    return f"```text\n{text}```\n"


def as_written(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Docstrings are plain English with code between single backticks, and bars are absolute values."""
    text = "\n".join(lines)
    code = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)
    pieces = re.split(r"(``[^`]*``)", code)
    pieces[::2] = [piece.replace("|", r"\|").replace("*", r"\*") for piece in pieces[::2]]
    lines[:] = "".join(pieces).splitlines()


def setup(app: Any) -> None:
    """Writes what is made before the pages are read."""
    app.connect("autodoc-process-docstring", as_written)
    MADE.mkdir(exist_ok=True)
    for name, text in {"commands.md": commands(), "gallery.md": networks()}.items():
        (MADE / name).write_text(text, encoding="utf-8")
