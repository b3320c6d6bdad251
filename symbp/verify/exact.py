"""The exact check: the derived gradient against the derivative of the loss's scalar expansion.

Enters: the declared system and the derivation. Leaves: a row for each gradient.
Must not know: the chain rule over indices. The reference interpreter expands the declared loss element by
element, in rational arithmetic where the bodies are rational and in 50 digits where not, and carries dual
numbers along; SymPy differentiates nothing but elementwise functions of one scalar there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import OutsideDomain
from symbp.ir.domains import EXACT, HIGH, Domain
from symbp.ir.dual import DUAL, dual, tangent
from symbp.ir.interpret import evaluate
from symbp.ir.sampling import rational_point, sample_sizes
from symbp.verify.report import FLOOR, Row

HIGH_TOLERANCE = 1e-40
MOST_ENTRIES = 24


def exact_rows(
    derivation: Derivation, *, seed: int = 0, hyper: Mapping[str, float] | None = None
) -> list[Row]:
    """One row for each gradient, at sizes 2 and 3; the tolerance is 0 over the rationals, 1e-40 else."""
    system = derivation.declared
    sizes = {name: 2 + k % 2 for k, name in enumerate(sample_sizes(system))}
    values = rational_point(system, seed, sizes)
    for name, value in (hyper or {}).items():
        if name in values:
            values[name] = np.array(Fraction(repr(float(value))), dtype=object)
    try:
        return _rows(derivation, values, sizes, EXACT, "exact (rationals)", 0.0)
    except OutsideDomain:
        return _rows(derivation, values, sizes, HIGH, "exact (50 digits)", HIGH_TOLERANCE)


def _rows(
    derivation: Derivation,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    domain: Domain,
    method: str,
    tolerance: float,
) -> list[Row]:
    ours = evaluate(derivation.system, values, sizes, domain, wanted=list(derivation.gradients.values()))
    rows = []
    for name, gradient in derivation.gradients.items():
        size = int(values[name].size)
        rng = np.random.default_rng(size)
        chosen = sorted(rng.permutation(size)[:MOST_ENTRIES].tolist())
        theirs = [_directional(derivation, values, sizes, domain, name, entry) for entry in chosen]
        mine = [ours[gradient].flat[entry] for entry in chosen]
        rows.append(_row(name, method, mine, theirs, tolerance, size))
    return rows


def _directional(
    derivation: Derivation,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    domain: Domain,
    name: str,
    entry: int,
) -> Any:
    """∂ loss / ∂ one entry, by dual numbers through the declared loss."""
    system = derivation.declared
    assert system.loss is not None
    direction = np.full(values[name].shape, Fraction(0), dtype=object)
    direction.flat[entry] = Fraction(1)
    moved = {**values, name: dual(values[name], direction)}
    result = evaluate(system, moved, sizes, DUAL(domain), wanted=[system.loss])[system.loss]
    return tangent(result, domain).flat[0]


def _row(
    name: str, method: str, ours: Sequence[Any], theirs: Sequence[Any], tolerance: float, size: int
) -> Row:
    differences = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
    largest = max(differences, default=0)
    scale = max([float(abs(x)) for x in (*ours, *theirs)] + [FLOOR])
    relative = float(largest) / scale
    return Row(name, method, float(largest), relative, relative <= tolerance, tolerance, len(ours), size)
