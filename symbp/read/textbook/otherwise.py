"""Which tensors the computation reads otherwise than the declaration does.

Enters: a derivation. Leaves: the names of tensors whose adjoints aren't derivatives of the declared loss.
Must not know: pages, how the computation came about.

An adjoint of the computed system is the derivative of its loss by a tensor. The declaration may have other
readers of it: where log p is computed as a − logsumexp a, or where of two tensors of equal value only one is
computed, the derivatives differ. They are equal if the loss is the same function of the tensor in both,
whatever stands in its place; so another value is put there, at points of several sizes and spreads. It
is a test, no proof: conditions are as they are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.derive.proof.fixed import kinds_of
from symbp.derive.proof.points import wide_run
from symbp.errors import EvaluationError
from symbp.ir.evaluation.vector import Run
from symbp.ir.labels import Differential
from symbp.ir.points.sampling import CENTRED, WIDE
from symbp.ir.system import System

SEED = 11
POINTS = 4
LARGEST = 6  # value of a size there
CLOSE = 1e-6  # of what a change of the tensor changes
ROUNDING = 1e-12
Array = np.ndarray[Any, Any]


def read_otherwise(derivation: Derivation, known: Mapping[str, Differential]) -> frozenset[str]:
    """The tensors by which one of the `known` derivatives isn't that of the declaration."""
    declared, system = derivation.declared, derivation.system
    computed = system.with_(equations=derivation.forward)
    pairs = {(d.of, d.by) for d in known.values()}
    common = {(of, by) for of, by in pairs if _is_hidden(declared, by) and of in declared.defining}
    if not common or _equations(declared, common) == _equations(computed, common):
        return frozenset()
    kinds, wrong = kinds_of(declared), set[tuple[str, str]]()
    for k in range(POINTS):
        try:
            point = wide_run(system, kinds, SEED + k, LARGEST, free=False, first=(CENTRED, WIDE)[k % 2])
        except EvaluationError:
            return frozenset(by for _, by in common)
        first, second = (
            (s, Run(s, point.values, point.sizes, point.conditions)) for s in (declared, computed)
        )
        wrong |= {(of, by) for of, by in sorted(common - wrong) if not _agree(first, second, of, by)}
    return frozenset(by for _, by in wrong)


def _is_hidden(declared: System, name: str) -> bool:
    return name in declared.defining and not declared.tensor(name).integer


def _equations(system: System, pairs: set[tuple[str, str]]) -> set[object]:
    """All that the loss rests on."""
    wanted = system.resting(of for of, _ in pairs)
    return {e for e in system.equations if e.target in wanted}


def _agree(declared: tuple[System, Run], computed: tuple[System, Run], of: str, by: str) -> bool:
    """Whether a tensor, and in a recurrence its own next step, is the same function of another in both."""
    try:
        before = declared[1].tensor(by)
        other = _moved(before)
        first, second = (_at(system, run, of, by, other) for system, run in (declared, computed))
        unmoved = [declared[1].tensor(of), before]
    except EvaluationError:
        return False  # outside a domain: nothing is known of it
    for a, b, start in zip(first, second, unmoved, strict=True):
        finite = np.isfinite(a) & np.isfinite(b)
        a, b, start = a[finite], b[finite], start[finite]
        change, apart = (np.abs(a - x).max(initial=0.0) for x in (start, b))
        if apart > CLOSE * change + ROUNDING * np.abs(a).max(initial=0.0):
            return False
    return True


def _moved(value: Array) -> Array:
    """A little nearer to 0, each element by another part, so that no domain is left."""
    part = np.random.default_rng(SEED).uniform(0.02, 0.1, value.shape)
    return value * (1 - part) if np.any(value) else value + part


def _at(system: System, run: Run, of: str, by: str, other: Array) -> list[Array]:
    """The value of a tensor, and what defines the other one, where that has another value."""
    equation = system.defining[by]
    open_ = system.with_(equations=tuple(e for e in system.equations if e.target != by))
    moved = Run(open_, {**run.values, by: other}, run.sizes, run.conditions)
    return [moved.tensor(of), moved.value(equation)]
