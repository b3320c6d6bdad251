"""The exact check: derived results against the derivatives of the scalar expansion.

Enters: the declared system and the derivation. Leaves: a row for each result.
Must not know: the chain rule over indices. The reference interpreter expands what was declared element by
element, in rational arithmetic where the bodies are rational and in 50 digits where not, and carries dual
numbers along; SymPy differentiates nothing but elementwise functions of one scalar there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import OutsideDomain
from symbp.ir.evaluation.domains import EXACT, FLOAT, HIGH, MODULAR, Domain, Residue
from symbp.ir.evaluation.dual import DUAL, dual, tangent
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.points.fitting import least_sizes
from symbp.ir.points.sampling import as_fractions
from symbp.verify.appeal import as_float, work
from symbp.verify.blocks import DerivativeBlock, Directions, blocks, contracted
from symbp.verify.entries import element, expected_shape, results
from symbp.verify.numeric import EPSILON, LOST
from symbp.verify.points import Drawer, Style, domains_of
from symbp.verify.report import FLOOR, Row, failed, left_out

PRIME = 2**31 - 1  # two different residues agree by chance once in so many

MOST_ENTRIES = {1: 24, 2: 8}  # of one result, by order
LEAST_ENTRIES, MOST_WORK = 3, 400_000  # of one result; elements evaluated for all of them, some seconds
TRIES = 20


@dataclass(frozen=True)
class Arithmetic:
    """A domain, what differences are let pass in it, relative and absolute."""

    name: str
    domain: Domain
    tolerance: float = 0.0
    noise: float = 0.0


RATIONALS = Arithmetic("rationals", EXACT)
RESIDUES = Arithmetic("mod p", MODULAR(PRIME))
DIGITS = Arithmetic("50 digits", HIGH, 1e-30, 1e-40)  # a matrix that is nearly singular costs some of them
FLOATS = Arithmetic("dual numbers", FLOAT, LOST * EPSILON, LOST * EPSILON)
METHODS = {
    "dual numbers": (FLOATS,),
    "exact": (RATIONALS, DIGITS),
    "rationals": (RATIONALS,),
    "mod p": (RESIDUES,),
    "50 digits": (DIGITS,),
}
"""The arithmetics of each method: the first in which the net can be evaluated counts."""


def exact_rows(
    derivation: Derivation,
    *,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
    methods: Sequence[str] = ("exact",),
) -> list[Row]:
    """One row for each result and method, at sizes 2 and 3 if they fit; a tolerance of 0 over the rationals
    and modulo a prime."""
    system = derivation.declared
    sizes, rows = least_sizes(system), []
    values = _where_finite(derivation, seed, sizes, hyper or {})
    if isinstance(values, str):
        wanted = blocks(derivation)
        return [failed(block.key, method, values, sizes) for method in methods for block in wanted]
    for name, value in (hyper or {}).items():
        if name in values:
            values[name] = np.array(Fraction(repr(float(value))), dtype=object)
    for method in methods:
        rows += _first_possible(derivation, values, sizes, method)
    return rows


def _first_possible(
    derivation: Derivation, values: Mapping[str, Any], sizes: Mapping[str, int], method: str
) -> list[Row]:
    reason = ""
    for arithmetic in METHODS[method]:
        name = f"{method} ({arithmetic.name})" if len(METHODS[method]) > 1 else method
        try:
            return _rows(derivation, values, sizes, arithmetic, name)
        except OutsideDomain as refusal:
            reason = refusal.what
    shapes = [expected_shape(derivation, block, sizes) for block in blocks(derivation)]
    return [
        left_out(block.key, method, reason, sizes, math.prod(shape))
        for block, shape in zip(blocks(derivation), shapes, strict=True)
    ]


def _where_finite(
    derivation: Derivation, seed: int, sizes: Mapping[str, int], hyper: Mapping[str, float]
) -> dict[str, Any] | str:
    """The first random point at which what is differentiated and its derivatives are finite: of labels that
    don't fit into the time there is, the loss is infinite, and has no differences to compare. The first
    point if none is; why there is none if the results can't be evaluated."""
    system, wanted = derivation.declared, sorted({block.of for block in blocks(derivation)})
    drawer = Drawer(system, wanted, hyper)
    drawer.domains = domains_of(drawer, sizes, seed)
    best, first = None, as_fractions(system, drawer.attempt(sizes, seed, far=False).values)
    for attempt in range(TRIES):
        style = Style(density=min(0.5 + attempt / 10, 1))
        drawn = drawer.attempt(sizes, seed + 1000 * attempt, style, far=attempt % 2 == 0)
        values = as_fractions(system, drawn.values)
        real = {
            name: np.asarray(array, np.int64 if system.tensor(name).integer else float)
            for name, array in values.items()
        }
        if not drawer.is_finite(replace(drawn, values={**drawn.values, **real})):
            continue
        ours = results(derivation, real, sizes)
        if isinstance(ours, str):
            return ours
        if all(np.isfinite(value).all() for value in ours.values()):
            return values
        best = best or values
    return best or first


def _rows(
    derivation: Derivation,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    arithmetic: Arithmetic,
    method: str,
) -> list[Row]:
    domain = arithmetic.domain
    wanted = blocks(derivation)
    ours = evaluate(derivation.system, values, sizes, domain, wanted=[block.tensor for block in wanted])
    rows = []
    affordable = max(LEAST_ENTRIES, MOST_WORK // (work(derivation.declared, sizes) * max(len(wanted), 1)))
    for block in wanted:
        whole, shape = ours[block.tensor], expected_shape(derivation, block, sizes)
        if whole.shape != shape:
            rows.append(
                failed(block.key, method, f"its shape is {whole.shape}, not {shape}", sizes, whole.size)
            )
            continue
        chosen = block.entries(whole.size, min(MOST_ENTRIES[block.order], affordable), whole.size)
        at = [block.at(entry, values, Fraction(1)) for entry in chosen]
        theirs = [_along(derivation, values, sizes, domain, block, to).flat[row] for row, to in at]
        mine = [whole.flat[entry] for entry in chosen]
        elements = [element(whole.shape, entry) for entry in chosen]
        if len(chosen) < whole.size:  # the others, all at once
            directions = _direction(block, values)
            mine += list(contracted(whole, block, directions).ravel())
            theirs += list(_along(derivation, values, sizes, domain, block, directions).ravel())
            elements += ["along a random direction"] * (len(mine) - len(chosen))
        row = _row(block.key, method, mine, theirs, arithmetic, whole.size, sizes, tuple(elements))
        rows.append(
            replace(row, entries=len(chosen), points=int(len(chosen) < whole.size), shape=whole.shape)
        )
    return rows


def _direction(block: DerivativeBlock, values: Mapping[str, Any]) -> Directions:
    """A random direction of small fractions, none of them 0, in what a block is differentiated by."""
    rng = np.random.default_rng(len(block.key))
    moved: list[Mapping[str, Any]] = []
    for name in block.by:
        parts = np.full(np.shape(values[name]), Fraction(0))
        for at in np.ndindex(parts.shape):
            parts[at] = Fraction(int(rng.choice([-1, 1]) * rng.integers(1, 64)), 16)
        moved.append({name: parts})
    if block.vector:
        moved.append({name: values[leaf] for name, leaf in block.vector.items()})
    return tuple(moved)


def _along(
    derivation: Derivation,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    domain: Domain,
    block: DerivativeBlock,
    directions: Directions,
) -> Any:
    """What a block differentiates, along directions, by dual numbers through the declared function; a second
    derivative by dual numbers whose parts are dual numbers."""
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
    return found


def _row(
    name: str,
    method: str,
    ours: Sequence[Any],
    theirs: Sequence[Any],
    arithmetic: Arithmetic,
    size: int,
    sizes: Mapping[str, int],
    elements: tuple[str, ...],
) -> Row:
    known = [(a, b, at) for a, b, at in zip(ours, theirs, elements, strict=True) if _is_finite(b)]
    off = [_distance(a, b) for a, b, _ in known]
    largest = max(off, default=0)
    scale = max([abs(as_float(x)) for a, b, _ in known for x in (a, b) if _is_finite(x)] + [FLOOR])
    a, b, at = known[off.index(largest)] if known else (0, 0, "")
    left = len(ours) - len(known)
    ok = float(largest) <= arithmetic.tolerance * scale + arithmetic.noise
    return Row(
        name, method, float(largest), float(largest) / scale, ok, arithmetic.tolerance, len(known), size,
        dict(sizes), at, as_float(a), as_float(b), note=f"{left} without a value" if left else "",
        errors=tuple(float(x) / scale for x in off),
    )  # fmt: skip


def _distance(a: Any, b: Any) -> Any:
    """How far a result is off; of residues all that can be said is whether it is."""
    if isinstance(b, Residue):
        return 0 if a == b else math.inf
    return abs(a - b) if _is_finite(a) else math.inf


def _is_finite(value: Any) -> bool:
    return math.isfinite(as_float(value))
