"""What is unsafe as written is stabilised in whatever way it is written: float32 against 50 digits, far
out."""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np
import pytest
from extreme_formulas import CASES, network
from extreme_ops import judged

from symbp.ir.points.sampling import evaluate_size
from symbp.verify.extremes import Extreme, Judge
from symbp.verify.extremes.points import OPERANDS, single

SIZES = {"N": 4, "K": 3}
SATURATED = "1 − σ of a saved σ: its rounding is 6e-8 beside the slope, which vanishes in every entry here"
MEAN = "the weighted mean that a softmax subtracts is rounded at the size of the values"
NEAR_0 = "open: a term that vanishes with the logits is rounded at the size of those that don't"
EXCEPTIONS = {
    **{
        (name, "scaled 800"): SATURATED
        for name in ("softmax_causal_index", "sigmoid_exp_over", "mse_sigmoid_hand", "tanh_2z")
    },
    **{(name, "small"): NEAR_0 for name in ("entropy", "sech2")},
    ("mixture_lse", "small"): "responsibilities less prior weights, both 1/3 to rounding: the published form",
    ("mse_sigmoid_hand", "saturated 40"): SATURATED,
    ("sigmoid_exp_over", "saturated 40"): SATURATED,
    ("glu_hand", "saturated 40"): SATURATED,
    ("sigmoid_lines", "saturated 40"): SATURATED,
    **{("attention_ctx", f"offset {at}"): MEAN for at in ("1e4", "1e6", "-1e6")},
    **{("attention_ctx_index", f"offset {at}"): MEAN for at in ("1e4", "1e6", "-1e6")},
    **{
        ("gumbel_log", kind): "exp(−exp(−z)) is saved, and multiplies exp(−z): 0·∞"
        for kind in (
            "offset -1e2",
            "offset 1e4",
            "offset -1e6",
            "equal at 1e6",
            "saturated 100",
            "scaled 800",
        )
    },
    ("mixture_lse", "offset 1e6"): "exponents −(x − μ)²/2 of 1e12: what they are rounded by moves the shares",
}
"""What is known to fail, with the reason."""


@cache
def judge(name: str) -> Judge:
    return judged(network(name))


FAST = {
    "softmax_masked_where", "softmax_causal_index", "logsumexp_plus_one", "logaddexp2_lines",
    "sigmoid_exp_over", "bce_formula", "tanh_lines", "noisy_or", "xlogx", "gompertz_loglog", "mixture_lse",
}  # fmt: skip
"""What is tried every time."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_a_formula_keeps_its_digits(name: str) -> None:
    failed: dict[str, str] = {}
    for kind in OPERANDS:
        rng = np.random.default_rng(zlib.crc32(kind.encode()))
        values = {}
        for tensor in judge(name).derivation.declared.leaves:
            normal = rng.normal(size=tuple(evaluate_size(extent, SIZES) for extent in tensor.shape))
            if tensor.integer:
                values[tensor.name] = rng.integers(0, SIZES["K"], normal.shape)
                continue
            if tensor.fact("binary"):
                value = (normal > 0).astype(float)
            elif tensor.fact("positive"):
                value = np.exp(normal)
            else:
                value = normal if tensor.name in "gyx" else OPERANDS[kind](normal)
            values[tensor.name] = single(value)
        if (name, kind) not in EXCEPTIONS:
            _, findings = judge(name).at(Extreme(kind, SIZES, values))
            failed |= {f"{kind}: {f.worst}": str(f) for f in findings}
    assert not failed
