"""Every op that has kinks, exactly at them: the derivatives that PyTorch has there, op by op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from samples import draw, sizes_of
from test_against_torch import Case, agree

from symbp.ops import REGISTRY

Arrays = list[Any]


def points(*values: float) -> Callable[..., Arrays]:
    """The first operand at these points; the others as they are."""
    return lambda x, *rest: [np.resize(np.array(values, float), x.shape), *rest]


def apart(*values: float) -> Callable[..., Arrays]:
    """Prediction and target at these distances."""
    return lambda x, y: [np.resize(np.array(values, float), x.shape), np.zeros_like(y)]


def equal(x: Any, *rest: Any) -> Arrays:
    """All elements the same: a tie everywhere."""
    return [np.ones_like(x), *(np.ones_like(other) for other in rest)]


def zero(x: Any, *rest: Any) -> Arrays:
    return [np.zeros_like(x), *rest]


def met(_: Any, y: Any) -> Arrays:
    """Scores that just keep a margin of 1."""
    return [y * 1.0, y]


def met_by_all(x: Any, y: Any) -> Arrays:
    """The label's score is larger than the others by the margin."""
    return [1.0 * (np.arange(x.shape[1]) == y[:, None]), y]


def rectangular(a: Any, b: Any, y: Any) -> Arrays:
    """Pairs at a right angle, whose cosine is the margin."""
    a, b = np.zeros_like(a), np.zeros_like(b)
    a[:, 0], b[:, -1] = 1, 1
    return [a, b, -np.ones_like(y)]


AT: dict[str, Callable[..., Arrays]] = {
    "floor": points(-1, 0, 1), "ceil": points(-1, 0, 1), "round": points(-0.5, 0.5, 1.5),
    "mod": lambda _, d: [2 * d, d],
    "abs": zero, "sign": zero, "clamp": points(-0.5, 0.5), "relu": zero, "relu6": points(0, 6),
    "squared_relu": zero, "leaky_relu": zero, "elu": zero, "selu": zero, "celu": zero,
    "hardtanh": points(-1, 1), "hardsigmoid": points(-3, 3), "hardswish": points(-3, 3),
    "hardshrink": points(-0.5, 0.5), "softshrink": points(-0.5, 0.5), "threshold": zero, "softsign": zero,
    "prelu": zero, "maximum": equal, "minimum": equal, "reglu": zero, "maxout": equal,
    "max": equal, "min": equal, "norm": zero, "l2_normalize": zero,
    "sort": equal, "median": equal, "quantile": equal,
    **{f"{kind}{n}d": equal for kind in ("max_pool", "adaptive_max_pool") for n in (1, 2, 3)},
    **{f"lp_pool{n}d": zero for n in (1, 2, 3)},
    "global_max_pool": equal,
    "mae": apart(0), "huber": apart(-1, 0, 1), "smooth_l1": apart(-1, 0, 1), "pinball": apart(0),
    "hinge": met, "squared_hinge": met, "multi_margin": met_by_all,
    "margin_ranking": lambda a, _, y: [a, a, y],
    "hinge_embedding": lambda d, y: [np.ones_like(d), -np.ones_like(y)],
    "cosine_embedding": rectangular,
}  # fmt: skip
UNREACHED = {"triplet"}  # the distances are rounded, so that no margin is met exactly
NAN_IN_PYTORCH = {"lp_pool1d", "lp_pool2d", "lp_pool3d"}  # a root at 0, times 0


def test_every_op_that_has_kinks_is_here() -> None:
    assert set(AT) | UNREACHED == {op.name for op in REGISTRY.values() if op.kinks and op.differentiable}


SLOW = {f"{kind}{n}d" for kind in ("adaptive_max_pool", "lp_pool", "max_pool") for n in (2, 3)} - {
    "max_pool2d"
}


@pytest.mark.slow
@pytest.mark.few(slow=20)
@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in AT])
def test_gradient_at_the_kink(name: str) -> None:
    op, rng, sizes = REGISTRY[name], np.random.default_rng(4), sizes_of(name)
    example = op.examples[0]
    drawn = [np.asarray(draw(sample, rng, sizes)) for sample in example.operands]
    names = [tensor.name or "" for tensor in op.declare(example)[0]]
    case = Case(op, example, dict(zip(names, AT[name](*drawn), strict=True)), seed=name)
    derivation = case.derivation
    expected = (0.0, {"x": np.zeros_like(drawn[0])}) if name in NAN_IN_PYTORCH else case.expected()
    agree(case.interpreted(derivation), expected, "interpreted")
    agree(case.computed("numpy", derivation), expected, "numpy")
    agree(case.computed("numba", derivation, compiled=False), expected, "loops")
