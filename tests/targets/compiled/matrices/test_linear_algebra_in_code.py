"""Leaves of linear algebra in generated code: both targets against the reference interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from target_systems import module_for, outputs

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.expr import Guard
from symbp.ir.system import Role, System
from symbp.lower.lowering import lower

B, N = sizes("B N")
b_, i, j, k, m = indices("b i j k m")
EXTENTS = {"B": 2, "N": 3}
LEAVES = ("inverse", "det", "logdet", "cholesky")


def leaves(batch: bool) -> System:
    """Every leaf of a matrix that is read as it is, and of one that is computed where it is read."""
    b = SystemBuilder()
    lead, extents = ([b_], [B]) if batch else ([], [])
    a, s = b.leaf("A", *extents, N, N), b.leaf("s", *extents, N)
    shifted = (a(*lead, k, m) + a(*lead, m, k)) / 2 + Guard("=", k, m) * s(*lead, k)
    for leaf in LEAVES:
        plain = [*lead, i, j] if leaf in ("inverse", "cholesky") else lead
        b.define(leaf, plain, a(*lead, k, m), leaf, [k, m], role=Role.OUTPUT)
        b.define(f"{leaf}_shifted", plain, shifted, leaf, [k, m], role=Role.OUTPUT)
    names = [name for leaf in LEAVES for name in (leaf, f"{leaf}_shifted")]
    b.define("L", [], a(*lead, k, m), "sum", [*lead, k, m])
    return b.system("L", names)


def values(batch: bool) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    a = rng.normal(size=(2, 3, 3))
    a = a @ a.swapaxes(-1, -2) + np.eye(3) + 0.1 * rng.normal(size=a.shape)
    found = {"A": a, "s": rng.uniform(0.5, 2.0, (2, 3))}
    return found if batch else {name: value[0] for name, value in found.items()}


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(
    ("target", "dtype", "tolerance"),
    [
        ("numpy", "float64", 1e-12),
        ("numpy", "float32", 1e-4),
        pytest.param("numba", "float64", 1e-12, marks=pytest.mark.slow),
        pytest.param("numba", "float32", 1e-4, marks=pytest.mark.slow),
    ],
)
def test_values(target: str, dtype: str, tolerance: float, batch: bool) -> None:
    system, given = leaves(batch), values(batch)
    extents = {name: EXTENTS[name] for name in system.sizes}
    expected = evaluate(system, given, extents)
    found = outputs(module_for(system, target, dtype, extents), given)
    for name in system.outputs:
        assert np.asarray(found[name]).dtype == dtype
        np.testing.assert_allclose(
            found[name], expected[name], rtol=tolerance, atol=tolerance, err_msg=f"{name} in {target}"
        )


def test_the_program_names_the_leaf_and_its_work() -> None:
    program = lower(leaves(False), ["inverse", "logdet_shifted"])
    lines = str(program).splitlines()
    assert "inverse inverse of A[k,m]  (1)" in lines
    assert any(line.startswith("logdet logdet_shifted of logdet_shifted_matrix[k,m]") for line in lines)
    assert program.kernels[0].cost.flops == 2 * N**3
