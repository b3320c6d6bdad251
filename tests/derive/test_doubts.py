"""What is in doubt is said by the derivation, wherever on the way it was found."""

from dataclasses import replace
from importlib import import_module

import pytest

import symbp as bp
from symbp.derive.declared import derivatives
from symbp.errors import DoubtfulRewrite


def penalty():
    x, w = bp.input("x", (bp.dim("N"), 2)), bp.param("w", (2,))
    slope = bp.grad(bp.tanh(x @ w), x)
    return bp.Network("penalty", loss=(slope**2).mean())


def test_a_form_of_a_derivative_inside_the_loss(monkeypatch):
    confirmed = derivatives.close_confirmed

    def doubting(joint, wanted):
        return replace(confirmed(joint, wanted), doubtful=tuple(wanted))

    monkeypatch.setattr(derivatives, "close_confirmed", doubting)
    for derive in (bp.derive, bp.hvp):
        with pytest.warns(DoubtfulRewrite, match="a shorter form of slope could not be confirmed"):
            derivation = derive(penalty())
        assert sum("a shorter form of slope" in warning for warning in derivation.warnings) == 1


def test_a_form_in_which_nothing_overflows(monkeypatch):
    def stumbles(_):
        raise ZeroDivisionError

    monkeypatch.setattr(import_module("symbp.derive"), "stabilise", stumbles)
    with pytest.warns(DoubtfulRewrite, match="no form of the forward pass"):
        derivation = bp.derive(penalty())
    assert any("no form of the forward pass" in warning for warning in derivation.warnings)
