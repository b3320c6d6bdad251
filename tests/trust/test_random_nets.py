"""Random nets that tempt to take two values for one: each gradient is PyTorch's.

Any run takes 60 of them, SYMBP_LONG=1 takes 300, and `TRUST_NETS=2000` so many of each generator; figures:
`python tests/trust run shared`.
"""

from __future__ import annotations

import os

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from runs import GENERATORS, failure_of

BATCH = 5
WANTED = os.environ.get("TRUST_NETS")
COUNT = int(WANTED) if WANTED else 150  # of each generator, 300 in all
IN_ANY_RUN = COUNT if WANTED else 12  # batches: a net takes seconds


@pytest.mark.few(slow=IN_ANY_RUN)
@pytest.mark.slow
@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("first", range(0, COUNT, BATCH))
def test_gradients_are_pytorchs(generator: str, first: int) -> None:
    found = [failure_of(generator, seed) for seed in range(first, min(first + BATCH, COUNT))]
    failures = [text for text in found if text]
    assert not failures, "\n\n".join([f"{len(failures)} nets failed", *failures])
