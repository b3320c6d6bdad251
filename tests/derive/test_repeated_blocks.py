"""A GPT's blocks as one recurrence over the layer index, beside the same blocks as separate equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.gpt import gpt
from symbp.derive import derive
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_point
from symbp.ir.validate import validate

SIZES = {"N": 2, "T": 3, "H": 2, "E": 2, "F": 3, "V": 5, "L": 2}


@pytest.mark.slow
def test_repeated_and_separate_blocks_have_the_same_gradients() -> None:
    repeated, separate = derive(gpt(None)), derive(gpt(2))
    validate(repeated.system)
    _, values = sample_point(repeated.declared, 3, sizes=SIZES)
    own: dict[str, Any] = {}
    for name, value in values.items():
        if name.endswith("_"):
            own |= {f"{name}{number + 1}": value[number] for number in range(SIZES["L"])}
        else:
            own[name] = value
    ours = run(repeated.system, values, SIZES, wanted=list(repeated.gradients.values()))
    theirs = run(separate.system, own, SIZES, wanted=list(separate.gradients.values()))
    for name, gradient in repeated.gradients.items():
        found = ours[gradient]
        if not name.endswith("_"):
            expected = theirs[separate.gradients[name]]
        else:
            expected = np.stack([theirs[separate.gradients[f"{name}{k + 1}"]] for k in range(SIZES["L"])])
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14, err_msg=name)


@pytest.mark.slow
def test_the_published_forms_are_found_inside_a_block() -> None:
    """The row sum of attention as Σ A·dA, whose terms are as small as what they are taken from, which Σ dO·O
    (Dao et al. 2022) aren't where A is saturated; and a key's offset without any effect."""
    form = {e.target: str(e) for e in derive(gpt(None)).backward}
    assert form["dZ__s1"] == "dZ__s1[l,n,h,t] = Σ_s A_[l,n,h,t,s]·dA_[l,n,h,t,s]"
    assert form["dbk_"] == "dbk_[l,h,e] = 0"
