"""Published gradients, derived unaided: the right numbers, and a form that is never worse.

Numbers: ours against the published equations and against the complex step of the declared loss. Form: one
function counts operations and the largest intermediate of both (`measure`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rows_activations
from known import KNOWN_WORSE, KNOWN_WRONG
from published import ROWS, compared, gradient_name
from rows import Published

from symbp.ir.evaluation.vector import run
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.points.sampling import sample_point
from symbp.verify.numeric import complex_step, loss_at
from symbp.verify.report import relative_error

TOLERANCE = 1e-10
MOST_ENTRIES = 24  # of one leaf, against the complex step


def rows(known: dict[str, str]) -> list[Any]:
    """All rows, those of the dictionary expected to fail."""
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=known[name]))
        if name in known
        else name
        for name in ROWS
    ]


def wide_point(row: Published, sizes: dict[str, int], scale: float) -> dict[str, Any]:
    """A random point; leaves without facts are scaled, so that clipped and saturated branches are taken."""
    _, values = sample_point(row.forward, seed=5, sizes=sizes)
    free = {t.name for t in row.forward.leaves if not t.facts and not t.integer}
    return {leaf: np.multiply(value, scale) if leaf in free else value for leaf, value in values.items()}


@pytest.mark.few(fast=12)
@pytest.mark.parametrize("name", rows(KNOWN_WRONG))
def test_numbers(name: str) -> None:
    check_numbers(name, 1)


@pytest.mark.few(fast=4)
@pytest.mark.parametrize("name", [name for name, _ in rows_activations.ROWS])
def test_numbers_beyond_the_kinks(name: str) -> None:
    check_numbers(name, 15)


def check_numbers(name: str, scale: float) -> None:
    """Ours, the published ones and the complex step at one point."""
    row = compared(name)
    forward = row.published.forward
    sizes = {**sample_sizes(row.published.joint), **row.published.sizes}
    values = wide_point(row.published, sizes, scale)
    if not np.isfinite(loss_at(forward, values, sizes)):
        pytest.skip("the loss is not defined at the scaled point")
    ours = run(row.derivation.system, values, sizes, wanted=list(row.derivation.gradients.values()))
    for leaf, gradient in row.derivation.gradients.items():
        theirs = gradient_name(row.published, leaf)
        published = run(row.published.joint, values, sizes, wanted=[theirs])[theirs]
        entries = np.sort(np.random.default_rng(0).permutation(published.size)[:MOST_ENTRIES])
        numeric = complex_step(forward, values, sizes, leaf, entries)
        assert agree(published.ravel()[entries], numeric), f"the published d{leaf} is not the derivative"
        assert ours[gradient].shape == published.shape
        assert agree(ours[gradient], published), f"d{leaf} is not the published one"


def agree(ours: Any, theirs: Any) -> bool:
    """Within the tolerance, and both zero to rounding where one is."""
    return relative_error(ours, theirs) <= TOLERANCE or float(np.max(np.abs(ours - theirs))) <= 1e-14


@pytest.mark.few(fast=12)
@pytest.mark.parametrize("name", rows(KNOWN_WORSE))
def test_form(name: str) -> None:
    row = compared(name)
    shown = "\n".join(map(str, row.derivation.backward))
    assert row.ours.operations <= row.theirs.operations, shown
    assert row.ours.intermediate <= row.theirs.intermediate, shown


def test_every_known_row_exists() -> None:
    assert {*KNOWN_WORSE, *KNOWN_WRONG} <= set(ROWS)
