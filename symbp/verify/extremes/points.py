"""Extreme points: far off, saturated, tied, near-equal, constant, zero, denormal, right and wrong answers.

Enters: a derivation, sizes. Leaves: `Extreme`s, with the values of all leaves. Must not know: how anything is
derived, or judged.

All values are float32 numbers, held in float64: a reference of many digits sees exactly what float32 sees.
A network is tried with its data, its targets and its parameters moved; a formula that has no data, with all
that it is of. What leaves are known to be (labels, masks, positive, rows that sum to one) they stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.points.sampling import CENTRED, Spread, draws, evaluate_size, sample_leaf
from symbp.ir.system import Role, Tensor
from symbp.verify.extremes.answers import Answers, answered
from symbp.verify.points import ABOVE_ONE, UNIT, Drawer, domains_of

Array = np.ndarray[Any, Any]
Change = Callable[[Array], Array]  # of standard normal numbers
LEAST = 1e-30  # what is positive stays so


@dataclass(frozen=True)
class Extreme:
    """A point, and what is extreme about it."""

    kind: str
    sizes: Mapping[str, int]
    values: Mapping[str, Array]


def _same(r: Array) -> Array:
    return r


@dataclass(frozen=True)
class Kind:
    """What becomes of standard normal numbers: as parameters, as data, as targets; and which answers stand
    beside them."""

    parameters: Change = _same
    data: Change = _same
    targets: Change = _same
    answers: Answers = "drawn"

    def of(self, tensor: Tensor) -> Change:
        """What becomes of the numbers of a leaf."""
        if tensor.role is Role.PARAMETER:
            return self.parameters
        return self.targets if tensor.role is Role.TARGET else self.data


OPERANDS: Mapping[str, Change] = {
    "ordinary": _same,
    "offset 1e2": lambda r: r + 1e2,
    "offset -1e2": lambda r: r - 1e2,
    "offset 1e4": lambda r: r + 1e4,
    "offset 1e6": lambda r: np.round(r) + 1e6,
    "offset -1e6": lambda r: np.round(r) - 1e6,
    "equal at 1e6": lambda r: 0 * r + 1e6,
    "saturated 40": lambda r: 40 * np.sign(r),
    "saturated 100": lambda r: 100 * np.sign(r),
    "scaled 800": lambda r: 800 * r,
    "constant": lambda r: 0 * r + 0.5,
    "tied": np.round,
    "zero": lambda r: 0 * r,
    "small": lambda r: 1e-6 * r,
    "denormal": lambda r: 1e-40 * r,
}
"""What a formula is of."""

_FAR, _LARGE = 1e4, 30.0
NETWORKS: Mapping[str, Kind] = {
    "ordinary": Kind(),
    "data + 1e2": Kind(data=lambda r: r + 1e2),
    "data + 1e4": Kind(data=lambda r: r + _FAR),
    "data − 1e4": Kind(data=lambda r: r - _FAR),
    "data × 100": Kind(data=lambda r: 100 * r),
    "data nearly constant": Kind(data=lambda r: 0.5 + 1e-4 * r),
    "data constant": Kind(data=lambda r: 0 * r + 0.5),
    "data tied": Kind(data=np.round),
    "data zero": Kind(data=lambda r: 0 * r),
    "data denormal": Kind(data=lambda r: 1e-40 * r),
    "targets + 1e4": Kind(targets=lambda r: r + _FAR),
    "targets near outputs": Kind(answers="near"),
    "parameters zero": Kind(parameters=lambda r: 0 * r),
    "parameters equal": Kind(parameters=lambda r: 0 * r + 0.5),
    "parameters × 1e-3": Kind(parameters=lambda r: 1e-3 * r),
    "parameters × 30": Kind(parameters=lambda r: _LARGE * r),
    "parameters × 30, right answers": Kind(parameters=lambda r: _LARGE * r, answers="right"),
    "parameters × 30, wrong answers": Kind(parameters=lambda r: _LARGE * r, answers="wrong"),
}
"""What a network meets. What isn't said is standard normal."""
EVERYWHERE: Mapping[str, Kind] = {name: Kind(f, f, f) for name, f in OPERANDS.items()}


def extreme_points(derivation: Derivation, sizes: Mapping[str, int], seed: int = 0) -> Iterator[Extreme]:
    """The points of a derivation's network, but for those that would be another one again."""
    system, constants = derivation.declared, derivation.constants
    trained = any(t.role is Role.PARAMETER for t in system.leaves)
    kinds = NETWORKS if trained and any(map(_is_data, system.leaves)) else EVERYWHERE
    drawer = Drawer(system, [system.loss] if system.loss else [], constants)
    domains = domains_of(drawer, sizes, seed)
    seen: set[bytes] = set()
    for name, kind in kinds.items():
        rng = np.random.default_rng(seed)  # the same numbers at each, so that one thing alone is extreme
        values = {t.name: _leaf(t, kind.of(t), domains.get(t.name), sizes, rng) for t in system.leaves}
        values |= draws(system, sizes, seed)
        values |= {key: np.asarray(value, float) for key, value in constants.items() if key in values}
        values = answered(derivation.system, values, sizes, kind.answers, rng)
        values = {key: single(value) for key, value in values.items()}
        text = b"".join(np.ascontiguousarray(values[t.name]).tobytes() for t in system.leaves)
        if text not in seen:
            seen.add(text)
            yield Extreme(name, sizes, values)


def single(value: Any) -> Array:
    """Integers as they are, real numbers rounded to float32 and held in float64."""
    array = np.asarray(value)
    return array if array.dtype.kind in "iub" else array.astype(np.float32).astype(float)


def _leaf(
    tensor: Tensor, change: Change, domain: Spread | None, sizes: Mapping[str, int], rng: np.random.Generator
) -> Array:
    """The value of a leaf: changed numbers, as far as what is known of it allows."""
    shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
    normal = rng.normal(size=shape)
    if not _is_free(tensor):
        return np.asarray(sample_leaf(tensor, sizes, rng, domain or CENTRED))
    if tensor.fact("positive") or tensor.fact("nonnegative"):
        return np.maximum(np.abs(change(np.exp(normal))), LEAST if tensor.fact("positive") else 0)
    if domain == UNIT:
        return 1 / (1 + np.exp(-_inside(change(normal))))
    if domain == ABOVE_ONE:
        return 1 + np.maximum(np.abs(change(np.exp(normal))), LEAST)
    if domain is not None:
        return np.asarray(sample_leaf(tensor, sizes, rng, domain))
    return np.asarray(change(normal))


def _inside(logits: Array) -> Array:
    """Numbers whose logistic values float32 tells from 0 and 1."""
    return np.clip(logits, -30, 15)


def _is_free(tensor: Tensor) -> bool:
    known = {fact.kind for fact in tensor.facts} - {"positive", "nonnegative"}
    return not tensor.integer and tensor.draw is None and not known


def _is_data(tensor: Tensor) -> bool:
    return tensor.role in (Role.INPUT, Role.TARGET)
