"""Every rewrite that led to the computed equations, as blocks of a page.

Enters: a document. Leaves: for each step its rule, what became what, and why. Must not know: the layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from symbp.derive.derivation import Side
from symbp.explain.document import Document
from symbp.explain.mathml import MathML
from symbp.explain.page.breaks import broken
from symbp.explain.page.equations import display, formula, inline
from symbp.explain.text import PageText

MARK = "\0"


@dataclass(frozen=True)
class StepBlock:
    """A step: the tensor, the rule, what stood before and what stands now, the reason."""

    tensor: Markup
    rule: str
    before: tuple[Markup, ...]
    after: tuple[Markup, ...]
    reason: Markup


def step_blocks(document: Document) -> tuple[StepBlock, ...]:
    """The steps of a derivation in their order."""
    symbols = document.ever
    notation, text = MathML(symbols, PageText(symbols)), PageText(symbols)
    found = []
    for step in document.steps:
        before = list(_side(step.before, notation, text))
        if not step.before and step.differential is not None:
            label, shown = step.spelled(text)[0], step.spelled(notation)[0]
            before = [formula(broken(shown), label)]
        found.append(
            StepBlock(
                inline(notation.tensor(step.target)),
                step.rule,
                tuple(before),
                tuple(_side(step.after, notation, text)),
                _mixed(step.because(_Marked(notation))),
            )
        )
    return tuple(found)


def _side(side: Side, notation: MathML, text: PageText) -> Sequence[Markup]:
    found = []
    for equation in side:
        (left, right), (said, same) = notation.equation(equation), text.equation(equation)
        if equation.target:
            found.append(display(left, right, f"{said} = {same}"))
        else:
            found.append(formula(broken(right), same))
    return found


class _Marked(MathML):
    """A notation whose tensors can be told from the words around them."""

    def __init__(self, plain: MathML) -> None:
        super().__init__(None, plain.like)
        self.symbols, self.plain = plain.symbols, plain

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        return f"{MARK}{self.plain.access(name, subscripts, outside)}{MARK}"


def _mixed(text: str) -> Markup:
    """Words with tensors between marks."""
    pieces = text.split(MARK)
    return Markup("").join(inline(p) if at % 2 else escape(p) for at, p in enumerate(pieces))
