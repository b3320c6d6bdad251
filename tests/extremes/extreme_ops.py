"""Each op of the registry as a network of its own, and its extreme points."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from extreme_errors import Judge, Judged
from extreme_points import FREE, operand

from symbp.ir.points.sampling import evaluate_size
from symbp.ops import REGISTRY, Sample

SIZES = {"N": 4, "H": 4, "D": 2, "K": 3, "B": 2, "T": 5}


def cases() -> Iterator[str]:
    """`name-k` for the k-th example of each op that has a gradient and draws nothing at random."""
    for op in REGISTRY.values():
        if op.differentiable and op.family != "random":
            yield from (f"{op.name}-{k}" for k in range(len(op.examples)))


@cache
def judge(case: str) -> Judge:
    name, _, k = case.rpartition("-")
    op = REGISTRY[name]
    return Judge(op.network(op.examples[int(k)]))


def at(case: str, kind: str) -> Judged:
    """The op at one extreme point; the gradient that comes in is ordinary."""
    name, _, k = case.rpartition("-")
    samples = REGISTRY[name].examples[int(k)].operands
    known = judge(case)
    sizes = {**SIZES, **known.derivation.declared.bound}
    rng = np.random.default_rng(zlib.crc32(f"{case} {kind}".encode()))
    values: dict[str, Any] = {}
    for tensor in known.derivation.declared.leaves:
        shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
        position = int(tensor.name[1:] or 1) - 1 if tensor.name.startswith("x") else None
        normal = rng.normal(size=shape)
        if position is None:
            values[tensor.name] = np.asarray(normal, dtype=np.float32).astype(float)
        else:
            sample = samples[position]
            values[tensor.name] = operand(
                sample.values, kind, normal, lambda s=sample, n=shape: _ordinary(s, n, rng)
            )
    return known.at(values, sizes)


def _ordinary(sample: Sample, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    e = np.exp(rng.normal(size=shape))
    simplex = e / e.sum(axis=-1, keepdims=True) if shape else e
    return {
        "simplex": lambda: simplex,
        "distribution": lambda: simplex,
        "positive definite": lambda: _definite(shape, rng),
        "binary": lambda: rng.integers(0, 2, shape).astype(float),
        "sign": lambda: rng.choice([-1.0, 1.0], shape),
        "labels": lambda: rng.integers(0, SIZES["K"], shape),
        "letters": lambda: rng.integers(1, SIZES["K"], shape),
        "lengths": lambda: rng.integers(SIZES["T"] // 2, SIZES["T"] + 1, shape),
    }[sample.values]()


def _definite(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    root = rng.normal(size=shape)
    return root @ root.swapaxes(-1, -2) + np.eye(shape[-1])


KINDS = tuple(FREE)
