"""The exact check: derived results against the derivatives of the scalar expansion.

Enters: the declared system and the derivation. Leaves: a row for each result.
Must not know: the chain rule over indices. The reference interpreter expands what was declared element by
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
from symbp.ir.fitting import least_sizes
from symbp.ir.interpret import evaluate
from symbp.ir.sampling import rational_point
from symbp.ir.vector import run
from symbp.verify.blocks import Block, blocks
from symbp.verify.report import FLOOR, Row

HIGH_TOLERANCE = 1e-40
MOST_ENTRIES = {1: 24, 2: 8}  # of one result, by order
TRIES = 20


def exact_rows(
    derivation: Derivation, *, seed: int = 0, hyper: Mapping[str, float] | None = None
) -> list[Row]:
    """One row for each result, at sizes 2 and 3 if they fit; tolerance 0 over the rationals, else 1e-40."""
    system = derivation.declared
    sizes = least_sizes(system)
    values = _where_finite(derivation, seed, sizes)
    for name, value in (hyper or {}).items():
        if name in values:
            values[name] = np.array(Fraction(repr(float(value))), dtype=object)
    try:
        return _rows(derivation, values, sizes, EXACT, "exact (rationals)", 0.0)
    except OutsideDomain:
        return _rows(derivation, values, sizes, HIGH, "exact (50 digits)", HIGH_TOLERANCE)


def _where_finite(derivation: Derivation, seed: int, sizes: Mapping[str, int]) -> dict[str, Any]:
    """The first random point at which what is differentiated is finite: of labels that don't fit into the
    time there is, the loss is infinite, and has no differences to compare. The first one if none is."""
    system = derivation.declared
    wanted = {block.of for block in blocks(derivation)}
    points = (rational_point(system, seed + 1000 * attempt, sizes) for attempt in range(TRIES))
    first = None
    for values in points:
        first = first or values
        real = {
            name: np.asarray(array, np.int64 if system.tensor(name).integer else float)
            for name, array in values.items()
        }
        with np.errstate(all="ignore"):
            found = run(system, real, sizes, wanted=sorted(wanted))
        if all(np.isfinite(value).all() for value in found.values()):
            return values
    assert first is not None
    return first


def _rows(
    derivation: Derivation,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    domain: Domain,
    method: str,
    tolerance: float,
) -> list[Row]:
    wanted = blocks(derivation)
    ours = evaluate(derivation.system, values, sizes, domain, wanted=[block.tensor for block in wanted])
    rows = []
    for block in wanted:
        whole = ours[block.tensor]
        chosen = block.entries(whole.size, MOST_ENTRIES[block.order], whole.size)
        theirs = [_directional(derivation, values, sizes, domain, block, entry) for entry in chosen]
        mine = [whole.flat[entry] for entry in chosen]
        rows.append(_row(block.key, method, mine, theirs, tolerance, whole.size))
    return rows


def _directional(
    derivation: Derivation,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    domain: Domain,
    block: Block,
    entry: int,
) -> Any:
    """One entry of a block by dual numbers through the declared function; a second derivative by dual numbers
    whose parts are dual numbers."""
    row, directions = block.at(entry, values, Fraction(1))
    moved, domains = dict(values), [domain]
    names = {name for direction in directions for name in direction}
    for direction in reversed(directions):
        for name in sorted(names):
            still = np.full(np.shape(values[name]), Fraction(0))
            moved[name] = dual(moved[name], direction.get(name, still))
        domains.append(DUAL(domains[-1]))
    found = evaluate(derivation.declared, moved, sizes, domains[-1], wanted=[block.of])[block.of]
    for below in reversed(domains[:-1]):
        found = tangent(found, below)
    return found.flat[row]


def _row(
    name: str, method: str, ours: Sequence[Any], theirs: Sequence[Any], tolerance: float, size: int
) -> Row:
    differences = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
    largest = max(differences, default=0)
    scale = max([float(abs(x)) for x in (*ours, *theirs)] + [FLOOR])
    relative = float(largest) / scale
    return Row(name, method, float(largest), relative, relative <= tolerance, tolerance, len(ours), size)
