"""Finds the templates, packed with the package or beside it in a checkout, and renders them.

Enters: a template's name and its values, escaped where the text is markup. Leaves: text. Must not know: what
the text is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2


def template_folder() -> Path:
    """The folder of templates: `symbp/templates` when installed, `templates` at the top of a checkout."""
    package = Path(str(resources.files("symbp")))
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        "the templates are missing: neither symbp/templates nor templates beside symbp exists"
    )


def render(name: str, values: Mapping[str, Any], *, markup: bool = False) -> str:
    """A template filled in; a value that it names and that is not given is an error. In a template of
    `markup`, values are text that is escaped, unless they are `Markup`."""
    return _environment(markup).get_template(name).render(values)


def block(name: str, part: str) -> str:
    """A block of a template that needs no values, as it stands in what is rendered."""
    template = _environment(markup=True).get_template(name)
    return "".join(template.blocks[part](template.new_context()))


@cache
def _environment(markup: bool) -> jinja2.Environment:
    """One for each kind of template: it keeps those that are compiled."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=markup,
    )
