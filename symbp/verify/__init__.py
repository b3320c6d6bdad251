"""Proof that a derivation and the code made from it are right: against numeric and exact derivatives.

Enters: a derivation, sizes. Leaves: a `Report`, one row for each gradient and method.
Must not know: ops, layers, or how a gradient was found.

At one point entries are compared one by one; at further ones, of other sizes and scales, each result is
compared along a random direction, in which all of its elements take part (`symbp.verify.fresh` says which
points). Steps and tolerances follow from the arithmetic (`symbp.verify.numeric`); rounding is measured where
results differ (`rounding`), a difference then formed with as many steps as it takes (`ridders`), and what has
a kink there counted and left out. Where a result is wrong, `localise` names the first wrong equation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbp.derive.derivation import Derivation
from symbp.ir.points.fitting import least_sizes
from symbp.ir.system import System
from symbp.verify import exact, taylor
from symbp.verify.blocks import blocks, described
from symbp.verify.coverage import Coverage
from symbp.verify.directions import ALONG, Findings, at_fresh_points, direction_rows, worst_of
from symbp.verify.entries import entry_rows, main_point
from symbp.verify.fresh import fresh_points
from symbp.verify.inner import inner_rows
from symbp.verify.localise import first_wrong
from symbp.verify.methods import Numeric
from symbp.verify.points import Drawer, Point, all_sizes, domains_of
from symbp.verify.report import Report, Row, compare, relative_error

__all__ = ["DEFAULT", "METHODS", "Report", "Row", "check_derivation", "compare", "relative_error"]

METHODS = (*Numeric.methods, taylor.METHOD, ALONG, *exact.METHODS)
DEFAULT = ("central differences", "complex step", taylor.METHOD, "exact")
CHOICES = 6  # of sizes


def check_derivation(
    derivation: Derivation,
    *,
    sizes: Mapping[str, int] | None = None,
    methods: tuple[str, ...] = DEFAULT,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
    declared: System | None = None,
) -> Report:
    """Compares every derived result (gradients, Hessians, products with them, Jacobians) with each method, at
    random points that obey the leaves' facts.

    `sizes` overrides the sizes bound in the declaration, and holds at every point; those still open are
    small, and others at each further point. The exact method chooses its own tiny sizes. `hyper` gives
    constants their values; others are drawn. `declared` is the system before derivatives inside the
    declaration were replaced by their equations, which are then checked, too.
    """
    system, wanted = derivation.declared, blocks(derivation)
    of = sorted({block.of for block in wanted})
    drawer = Drawer(system, of, hyper or {})
    choices = all_sizes(system, sizes or {}, CHOICES)
    drawer.domains = domains_of(drawer, choices[0], seed)
    main, step = main_point(derivation, drawer, choices[0], seed)
    findings: Findings = {}
    rows = entry_rows(derivation, wanted, main, step, methods)
    if any(method in Numeric.methods for method in methods):
        points = fresh_points(drawer, choices, Coverage(system, of), seed)
        findings = at_fresh_points(derivation, wanted, points, methods)
        rows = [worst_of(row, findings.get((row.parameter, row.method), ())) for row in rows]
        rows += inner_rows(declared, system, [main, *points])
    if taylor.METHOD in methods:
        rows += taylor.taylor_rows(derivation, wanted, main, step)
    if ALONG in methods:
        rows += direction_rows(derivation, wanted, main, step)
    inside = [method for method in exact.METHODS if method in methods]
    rows += exact.exact_rows(derivation, seed=seed, hyper=hyper, methods=inside) if inside else []
    rows = _compared(_by_parameter(rows, list(derivation.gradients)))
    located = None
    if not all(row.ok for row in rows):  # some slips show only at the sizes of the exact method
        least = drawer.draw(least_sizes(system), seed)
        located = first_wrong(derivation, [*_wrong(findings), main, *([least] if least else [])])
    return Report(derivation.name, tuple(rows), dict(main.sizes), seed, described(derivation), located)


def _wrong(findings: Findings) -> list[Point]:
    """The points at which a result is wrong, each once."""
    found = (one.point for ones in findings.values() for one in ones if one.row is not None)
    return list({id(point): point for point in found if point is not None}.values())


def _by_parameter(rows: list[Row], names: list[str]) -> list[Row]:
    order = {name: k for k, name in enumerate(names)}
    return sorted(rows, key=lambda row: order.get(row.parameter, len(names)))


def _compared(rows: list[Row]) -> list[Row]:
    """The rows; of a result that no method could compare, no row is right."""
    some = {row.parameter for row in rows if not row.is_empty}
    return [row if row.parameter in some else replace(row, ok=False) for row in rows]
