"""What a page shows where nobody said what: a small worked example, and how gradients travel.

Enters: a derivation. Leaves: numbers, a flow; or none, where there are none. Must not know: the page.
"""

from __future__ import annotations

from symbp.derive.derivation import Derivation
from symbp.errors import EvaluationError, OutsideDomain
from symbp.read.flow import Flow, StepBound, flow
from symbp.read.numbers import Numbers, worked_example
from symbp.read.reading import Style

FEW = 30  # equations of a forward pass whose flow is quickly found


def small_example(derivation: Derivation, style: Style) -> Numbers | None:
    """A small example's numbers; None for what has no value at small sizes."""
    try:
        return worked_example(derivation, style=style, small=True)
    except (EvaluationError, OutsideDomain):
        return None


def own_flow(derivation: Derivation, bound: StepBound | None, asked: bool | None) -> Flow | None:
    """The flow of a net's gradients: of a small net, or where it was asked for."""
    is_small = len(derivation.declared.equations) <= FEW
    if not derivation.is_gradient or asked is False or not (asked or is_small):
        return None
    return flow(derivation, bound)
