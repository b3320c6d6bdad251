"""Pairs of expressions that agree at most small samples, side by side in one net: none is merged."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from planted_pairs import PAIRS, available, outcome, told_apart


def test_there_are_enough() -> None:
    assert len(available()) >= 40


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("name", available())
def test_neither_is_taken_for_the_other(name: str) -> None:
    assert told_apart(name), "the points don't tell the two apart"
    found = outcome(name)
    assert found.verdict == "right", f"{PAIRS[name].one} beside {PAIRS[name].other}\n{found.message}"
