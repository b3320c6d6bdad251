"""Loops in loops of a NumPy module: their views are made once, also those under a choice."""

from __future__ import annotations

import re

import pytest

from benchmarks.peers import symbp_peer
from benchmarks.rows import ROWS


def inner_loops(text: str) -> list[str]:
    """The lines of the loops over the steps of one layer."""
    return re.findall(r" in steps\d*\[l_\]:\n((?:^ {16}.*\n)+)", text, re.MULTILINE)


@pytest.mark.slow
def test_inner_loops_run_over_views_that_are_there() -> None:
    text = symbp_peer.source(ROWS["diagonal"], "numpy", "float32")
    forward, backward = inner_loops(text)
    for loop in (forward, backward):
        assert "[l_, t" not in loop
        assert "np.multiply(" in loop
    assert "if t + 2 <= T:" in backward
    made = re.findall(r"dmemory\[l_, t \+ 1\] if t \+ 2 <= T else None", text)
    assert len(made) == 1
