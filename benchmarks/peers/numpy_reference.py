"""The hand-written NumPy references as a peer."""

from __future__ import annotations

import importlib

from benchmarks.peers.step import Step
from benchmarks.rows import Row


def prepare(row: Row, dtype: str, threads: int) -> Step:  # noqa: ARG001
    """The reference of the row."""
    params, data = row.arrays(dtype)
    module = importlib.import_module(f"benchmarks.references.{row.reference}")
    step = module.prepare(params, data, row.rule, **row.choice)
    return Step(step, lambda: step.named(step.gradients))
