"""Brackets that are added, beside reals or alone: NumPy's booleans neither subtract nor count up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from target_systems import module_for, outputs

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Guard
from symbp.ir.system import Role

(N,) = sizes("N")
(n,) = indices("n")
POINTS = np.array([-2.0, -0.5, 0.5, 2.0, 3.0])


def above(e: Any, bound: int) -> Guard:
    return Guard("<", bound, e)


SUMS: dict[str, Callable[[Any], Any]] = {
    "difference": lambda e: above(e, 0) - above(-e, 0) - e,
    "count": lambda e: above(e, 0) + above(e, 1) + e,
    "count of three": lambda e: above(e, 0) + above(e, 1) + above(e, -1) - 2 * e,
    "less than nothing": lambda e: -above(e, 0) - above(e, 1) - e,
    "no reals": lambda e: above(e, 0) + above(e, 1),
    "square": lambda e: (above(e, 0) + above(e, 1) - e) ** 2,
    "with a position": lambda e: n * above(e, 0) + above(e, 1) + e,
}


@pytest.mark.few(fast=10, slow=5)
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize("name", SUMS)
def test_brackets_count_as_numbers(name: str, reduced: bool, target: str) -> None:
    b = SystemBuilder()
    x = b.leaf("x", N)
    over = ("sum", [n]) if reduced else ()
    plain = [] if reduced else [n]
    y = b.define("y", plain, SUMS[name](x(n)), *over)
    b.define("loss", [], y(*plain) * x(n), "sum", [n], role=Role.LOSS)
    system = b.system(loss="loss", outputs=["y"])
    found = outputs(module_for(system, target), {"x": POINTS})["y"]
    np.testing.assert_allclose(found, run(system, {"x": POINTS}, {"N": POINTS.size})["y"], rtol=1e-15)
