"""Random nets that tempt to take two values for one: each gradient is PyTorch's.

Any run takes some of any length of each generator, and some of 300 short ones with shared layers, in CI all
of these; SYMBP_LONG=1 takes all short ones and 150 of each generator, `TRUST_NETS=2000` so many of each;
figures: `python tests/trust run shared`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from itertools import count, islice

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from runs import GENERATORS, failure_of

BATCH = 5
WANTED = os.environ.get("TRUST_NETS")
COUNT = int(WANTED) if WANTED else 150  # of each generator, 300 in all
IN_ANY_RUN = COUNT if WANTED else 4  # batches: a net takes seconds
SHORT, SHORT_ONES, SHORT_BATCH = 13, 300, 15  # lines at most; nets; of a batch
SHORT_IN_ANY_RUN = SHORT_ONES if os.environ.get("CI") else 5  # batches: fifteen nets take some twenty seconds


@cache
def short_ones() -> tuple[int, ...]:
    """The first seeds whose nets with shared layers have few lines."""
    few = (seed for seed in count() if len(GENERATORS["shared"](seed).lines) <= SHORT)
    return tuple(islice(few, SHORT_ONES))


@pytest.mark.few(slow=SHORT_IN_ANY_RUN)
@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SHORT_ONES, SHORT_BATCH))
def test_gradients_of_short_nets_are_pytorchs(first: int) -> None:
    check("shared", short_ones()[first : first + SHORT_BATCH])


@pytest.mark.few(slow=IN_ANY_RUN)
@pytest.mark.slow
@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("first", range(0, COUNT, BATCH))
def test_gradients_are_pytorchs(generator: str, first: int) -> None:
    check(generator, range(first, min(first + BATCH, COUNT)))


def check(generator: str, seeds: Sequence[int]) -> None:
    failures = [text for text in (failure_of(generator, seed) for seed in seeds) if text]
    assert not failures, "\n\n".join([f"{len(failures)} nets failed", *failures])
