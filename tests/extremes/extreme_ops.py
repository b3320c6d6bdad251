"""Each op of the registry as a network of its own, and its extreme points.

An op's operands say what values make sense for them (`symbp.ops.Sample`), which a network's leaves don't.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

import symbp as bp
from symbp.ir.points.sampling import evaluate_size
from symbp.ops import REGISTRY, Sample
from symbp.verify.extremes import Extreme, Judge
from symbp.verify.extremes.points import OPERANDS, single

SIZES = {"N": 4, "H": 4, "D": 2, "K": 3, "B": 2, "T": 5}
POSITIVE = {
    "offset 1e2": lambda r: 1e2 + np.exp(r),
    "offset 1e4": lambda r: 1e4 + np.exp(r),
    "offset 1e6": lambda r: 1e6 + np.round(np.exp(r)),
    "small": lambda r: 1e-6 * np.exp(r),
    "denormal": lambda r: 1e-30 * np.exp(r),
    "constant": lambda r: 0 * r + 0.5,
    "scaled 800": lambda r: np.exp(4 * r),
}
NEAR = {"saturated 40": 1e-6, "saturated 100": 2.0**-23, "scaled 800": 1e-3}  # of a probability to 0 and 1
LOGITS = {"saturated 40": 10, "scaled 800": 3}  # times what rows that sum to one are made of


def cases() -> Iterator[str]:
    """`name-k` for the k-th example of each op that has a gradient and draws nothing at random."""
    for op in REGISTRY.values():
        if op.differentiable and op.family != "random":
            yield from (f"{op.name}-{k}" for k in range(len(op.examples)))


def judged(network: Any) -> Judge:
    """A network in generated code of float32."""
    derivation = bp.derive(network)
    module = bp.compile(network, dtype="float32", optimizer=bp.optim.SGD(0.1), derivation=derivation)
    return Judge(derivation, module)


@cache
def judge(case: str) -> Judge:
    name, _, k = case.rpartition("-")
    return judged(REGISTRY[name].network(REGISTRY[name].examples[int(k)]))


def point(case: str, kind: str) -> Extreme:
    """The op at one extreme point; the gradient that comes in is ordinary."""
    name, _, k = case.rpartition("-")
    samples = REGISTRY[name].examples[int(k)].operands
    declared = judge(case).derivation.declared
    sizes = {**SIZES, **declared.bound}
    rng = np.random.default_rng(zlib.crc32(f"{case} {kind}".encode()))
    values = {}
    for tensor in declared.leaves:
        shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
        normal = rng.normal(size=shape)
        position = int(tensor.name[1:] or 1) - 1 if tensor.name.startswith("x") else None
        value = normal if position is None else operand(samples[position], kind, normal, rng)
        values[tensor.name] = single(value)
    return Extreme(kind, sizes, values)


def operand(sample: Sample, kind: str, normal: Any, rng: np.random.Generator) -> Any:
    """An operand at a kind of extreme point, from standard normal numbers."""
    if sample.values == "real":
        return OPERANDS[kind](normal)
    if sample.values in ("positive", "above one"):
        return (sample.values == "above one") + POSITIVE.get(kind, np.exp)(normal)
    if sample.values in ("unit", "probability"):
        near = NEAR.get(kind)
        inside = 1 / (1 + np.exp(-normal)) if near is None else np.where(normal > 0, 1 - near, near)
        return 2 * inside - 1 if sample.values == "unit" else inside
    shape = normal.shape
    if sample.values in ("simplex", "distribution"):
        logits = LOGITS.get(kind, 1) if sample.values == "simplex" else 1
        e = np.exp(np.clip((rng.normal(size=shape) if logits == 1 else logits * normal), -60, 60))
        return e / e.sum(axis=-1, keepdims=True) if shape else e
    if sample.values == "positive definite":
        root = rng.normal(size=shape)
        return root @ root.swapaxes(-1, -2) + np.eye(shape[-1])
    return {
        "binary": lambda: rng.integers(0, 2, shape).astype(float),
        "sign": lambda: rng.choice([-1.0, 1.0], shape),
        "labels": lambda: rng.integers(0, SIZES["K"], shape),
        "letters": lambda: rng.integers(1, SIZES["K"], shape),
        "lengths": lambda: rng.integers(SIZES["T"] // 2, SIZES["T"] + 1, shape),
    }[sample.values]()
