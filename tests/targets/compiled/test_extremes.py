"""float32 modules far out: no overflow, no NaN, and the digits of a 50-digit evaluation, in both targets."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from modules_by_name import generate_source
from target_extremes import FUNCTIONS, PARTS, together
from target_nets import sgd

from symbp.derive import Derivation, adjoints, derive
from symbp.derive.stabilise.safe_shapes import stabilise
from symbp.ir.evaluation.domains import HIGH
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import System, Tensor
from symbp.targets.loading import load

EXTENTS = {"N": 4, "M": 4, "K": 5, "D": 3, "T": 4, "S": 3, "V": 4}
RECURRENT = ("crf", "ctc")
ROWS = tuple(name for name in PARTS if name not in FUNCTIONS and name not in RECURRENT)
LOGITS = ("bce", "bce_of_logits", "log_sigmoid", "softplus", "cross_entropy", "log_softmax")
GROUPS: dict[str, tuple[str, ...]] = {
    "elementwise": tuple(FUNCTIONS),
    "rows": ROWS,
    "chains": RECURRENT,
    "logits": LOGITS,
}
CASES = [(name, scale) for name in ("elementwise", "rows", "chains") for scale in (1.0, 30.0, 1e4)]
CASES.append(("logits", 1e9))
EPS = float(np.finfo(np.float32).eps)


@cache
def derived(group: str) -> Derivation:
    return derive(together(GROUPS[group]), name=group)


@cache
def reference(group: str) -> tuple[System, dict[str, str]]:
    """The raw sweep of the same forward system: no closed form is in it."""
    forward, *_ = stabilise(together(GROUPS[group]))
    swept = adjoints(forward, "L", [p.name for p in forward.parameters])
    return swept.system, dict(swept.gradients)


@cache
def module(group: str, target: str, dtype: str = "float32") -> Any:
    source = generate_source(derived(group), target=target, dtype=dtype, update=sgd(), initial={}, sizes={})
    return load(source, f"extreme_{group}")


def leaf(tensor: Tensor, scale: float, rng: np.random.Generator) -> Any:
    """Values up to ±scale, some exactly 0 and some at the ends; masks that exclude whole rows."""
    shape = tuple(evaluate_size(extent, EXTENTS) for extent in tensor.shape)
    if tensor.name == "length_attention":
        return np.asarray(2)
    if tensor.integer:
        bound = tensor.fact("below")
        assert bound is not None
        return rng.integers(0, evaluate_size(bound.bound, EXTENTS), shape)
    if tensor.fact("binary"):
        mask = rng.integers(0, 2, shape).astype(np.float32)
        if tensor.name.startswith("mask"):
            mask[0] = 0
            mask[1, 0] = 1
        return mask
    if tensor.fact("sums to one"):
        return np.eye(shape[-1], dtype=np.float32)[rng.integers(0, shape[-1], shape[:-1])]
    if tensor.name.startswith("g_"):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    values = scale * rng.uniform(-1, 1, shape)
    values.flat[:3] = (0, scale, -scale)
    if len(shape) > 1:
        values[1] = 0
    return (np.abs(values) if tensor.fact("nonnegative") else values).astype(np.float32)


def point(group: str, scale: float, seed: int = 3) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and data."""
    rng = np.random.default_rng(seed)
    system = derived(group).declared
    params = {t.name for t in system.parameters}
    values = {t.name: leaf(t, scale, rng) for t in system.leaves}
    return (
        {n: v for n, v in values.items() if n in params},
        {n: v for n, v in values.items() if n not in params},
    )


def compare(group: str, target: str, scale: float) -> None:
    params, data = point(group, scale)
    built = module(group, target)
    found = built.loss_and_gradients(params, **data)[1]
    system, gradients = reference(group)
    exact = {
        n: np.asarray(v, dtype=float) if v.dtype.kind == "f" else v for n, v in {**params, **data}.items()
    }
    outputs = [name for name in system.outputs if name in system.defining]
    expected = evaluate(system, exact, EXTENTS, HIGH, wanted=[*gradients.values(), *outputs])
    values = built.forward(params, **{n: v for n, v in data.items() if n in built.FORWARD_INPUTS})
    for name in outputs:
        wanted = expected[name].astype(float)
        assert np.all(np.abs(values[name] - wanted) <= 1e-5 * np.abs(wanted) + 8 * EPS), name
    for name, gradient in gradients.items():
        wanted = expected[gradient].astype(float)
        assert np.isfinite(wanted).all(), name
        error = np.abs(found[name].astype(float) - wanted)
        # What is made of saved values such as 1 − σ(z) has their rounding; nothing else may add to it.
        assert np.all(error <= 1e-5 * np.abs(wanted) + 8 * EPS * max(1.0, _terms(name, params))), name


def _terms(name: str, params: dict[str, Any]) -> float:
    """The largest of what a gradient adds up, for those that add products of the inputs."""
    products = {"qattention": "kattention", "kattention": "qattention", "vattention": "vattention"}
    return float(np.abs(params[products[name]]).max()) ** 2 if name in products else 1.0


@pytest.mark.slow
@pytest.mark.few(slow=5)
@pytest.mark.parametrize(
    ("group", "scale"),
    [pytest.param(*case, marks=pytest.mark.slow if case[0] in ("rows", "chains") else ()) for case in CASES],
)
def test_numpy_far_out(group: str, scale: float) -> None:
    compare(group, "numpy", scale)


@pytest.mark.few(slow=4)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "scale"),
    [pytest.param(*case, marks=pytest.mark.long if case[0] == "chains" else ()) for case in CASES],
)
def test_numba_far_out(group: str, scale: float) -> None:
    compare(group, "numba", scale)
