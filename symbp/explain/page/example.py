"""The worked example that a page shows where nobody gave one.

Enters: a derivation. Leaves: numbers, or none where no small example has any. Must not know: the page.
"""

from __future__ import annotations

from symbp.derive.derivation import Derivation
from symbp.errors import EvaluationError, OutsideDomain
from symbp.read.numbers import Numbers, worked_example
from symbp.read.reading import Style


def small_example(derivation: Derivation, style: Style) -> Numbers | None:
    """A small example's numbers; None for what has no value at small sizes."""
    try:
        return worked_example(derivation, style=style, small=True)
    except (EvaluationError, OutsideDomain):
        return None
