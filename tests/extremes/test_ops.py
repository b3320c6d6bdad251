"""Each op of the registry far out: gradients in float32 against 50 digits at the same float32 inputs.

Where the loss has lost less than 1e-4, no gradient is off by more than 1e-3 of its largest entry, and none
isn't a number where the true one is. What is known to fail is listed with its reason.
"""

from __future__ import annotations

from typing import Any

import pytest
from extreme_ops import cases, judge, point

from symbp.verify.extremes.points import OPERANDS

FAST = {
    "binary_cross_entropy", "cross_entropy", "focal", "glu", "huber", "kl_div", "layer_norm", "log_softmax",
    "logsumexp", "maxout", "norm", "pairwise_distance", "power", "sigmoid", "silu", "softmax", "softplus",
    "tanh", "triplet",
}  # fmt: skip
"""Ops whose first example is tried every time; the rest takes minutes."""

SCORES = "scores are sums of products of 1e2 and more, dp of as many: what they are rounded by, and no more"
MEAN = "the mean is rounded at the size of the values, and is subtracted from values near it"
SATURATED = (
    "1 − h² and 1 − p of saved values: rounded by 6e-8 beside a slope that vanishes in every entry here"
)
SQUARES = "squares underflow in float32, and something is divided by them"
NEARLY_PARALLEL = (
    "the vectors are nearly parallel, and what is subtracted from the one is its part along the other"
)
TIE = (
    "the two distances differ by less than float32 holds: another branch is taken, both are right to rounding"
)
COINCIDING = "values that coincide have no gradients of their own; only invariant functions of them do"
FAR = ("offset 1e4", "offset 1e6", "offset -1e6")
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("std", "offset 1e4"): MEAN,
    ("softmax", "scaled 800"): SATURATED,
    ("sigmoid", "saturated 40"): SATURATED,
    **{
        ("scaled_dot_product_attention", kind): SCORES
        for kind in ("offset 1e2", "offset -1e2", "offset 1e6", "offset -1e6", "equal at 1e6")
    },
    **{
        ("nll", kind): "the loss is a quotient of sums, and the weights' gradient their difference"
        for kind in ("offset 1e6", "offset -1e6", "equal at 1e6")
    },
    ("nll", "saturated 100"): "weights of both signs add up to 0",
    ("det", "offset -1e6"): "the determinant of a matrix that float32 cannot tell from a singular one",
    ("det", "denormal"): SQUARES,
    ("weight_norm", "denormal"): SQUARES,
    ("gaussian_nll", "denormal"): SQUARES,
    ("cosine_embedding", "denormal"): SQUARES,
    ("rnn", "saturated 100"): SATURATED,
    ("poisson_nll", "offset 1e6"): "1 − t/x where t and x agree to 1e-6: the quotient is rounded",
    **{("cosine_similarity", kind): NEARLY_PARALLEL for kind in FAR},
    **{("cosine_embedding", kind): NEARLY_PARALLEL for kind in FAR},
    **{
        (name, kind): COINCIDING
        for name in ("eigvalsh", "svdvals")
        for kind in OPERANDS
        if kind != "ordinary"
    },
    ("instance_norm", "offset 1e4"): MEAN,
    ("lstm", "saturated 40"): SATURATED,
    ("triplet", "saturated 40"): TIE,
    ("triplet", "denormal"): SQUARES,
}
"""What fails by the nature of the published form or of float32."""


def parameters() -> list[Any]:
    return [
        case if case in {f"{name}-0" for name in FAST} else pytest.param(case, marks=pytest.mark.slow)
        for case in cases()
    ]


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("case", parameters())
def test_an_op_keeps_its_digits(case: str) -> None:
    name = case.rpartition("-")[0]
    failed: dict[str, str] = {}
    for kind in OPERANDS:
        if (name, kind) not in EXCEPTIONS:
            _, findings = judge(case).at(point(case, kind))
            failed |= {f"{kind}: {f.worst}": str(f) for f in findings}
    assert not failed


def test_every_exception_is_of_an_op() -> None:
    known = {case.rpartition("-")[0] for case in cases()}
    assert {name for name, _ in EXCEPTIONS} | FAST <= known
