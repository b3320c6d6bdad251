"""A closed form that shows itself in a notebook: the gradient's equation and those that it rests on.

Enters: a closed form, the derivation that it belongs to. Leaves: HTML, LaTeX, Markdown of these equations.
Must not know: how a page of a derivation is laid out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from markupsafe import Markup

from symbp.derive.derivation import ClosedForm, Derivation
from symbp.explain import latex, markdown
from symbp.explain.document import Document, NumberedEquation, document
from symbp.explain.html import formulas
from symbp.explain.latex import notation_for


@dataclass(frozen=True)
class ShownForm(ClosedForm):
    """A gradient in closed form, with the numbers that its equations have where they are computed."""

    derivation: Derivation = field(repr=False, compare=False)

    @cached_property
    def _page(self) -> Document:
        return document(self.derivation)

    @property
    def _shown(self) -> list[NumberedEquation]:
        numbers = {number for number, _ in self.equations}
        return [shown for shown in self._page.equations if shown.number in numbers]

    def _repr_html_(self) -> str:
        rows = [
            Markup("<tr><td>({})</td><td>{}</td></tr>").format(shown.number, Markup("").join(forms))
            for shown in self._shown
            for forms in [formulas(shown, self._page)]
        ]
        return str(Markup("<table>{}</table>").format(Markup("").join(rows)))

    def _repr_latex_(self) -> str:
        notation = notation_for(self._page)
        return "\n".join(latex.equation(shown, notation) for shown in self._shown)

    def _repr_markdown_(self) -> str:
        notation = notation_for(self._page)
        return "\n\n".join(markdown.whole_equation(shown, notation) for shown in self._shown)
