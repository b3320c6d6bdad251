"""Factors that are floor quotients of sizes: what is 1 at small sizes is no factor of 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.derive import _swept, derive
from symbp.derive.proof.confirm import difference
from symbp.derive.proof.room import SizesSeen, roomy_sizes
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import FloorDiv
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.system import Role, System

N, H, W = sizes("N H W")
n, i, j, k = indices("n i j k")


def halved(divisor: int = 16) -> System:
    """The mean over an image of which one row and column in so many is left, against its own."""
    rows, columns = 1 + FloorDiv(H - 1, divisor), 1 + FloorDiv(W - 1, divisor)
    b = SystemBuilder()
    x, w = b.leaf("x", N, H, W), b.leaf("w", N, role=Role.PARAMETER)
    ranges = {n: N, i: rows, j: columns}
    z = b.define("z", [n, i, j], x(n, divisor * i, divisor * j) * w(n), ranges=ranges)
    m = b.define("m", [n], z(n, i, j) / (rows * columns), "sum", [i, j], ranges=ranges)
    c = b.define("c", [n, i, j], (z(n, i, j) - m(n)) ** 2, ranges=ranges)
    b.define("loss", [], c(n, i, j) / (rows * columns), "sum", [n, i, j], ranges=ranges, role=Role.LOSS)
    return b.system(loss="loss")


def test_sizes_have_room_for_each_quotient() -> None:
    system = halved()
    seen = SizesSeen(system)
    seen.look({"N": 2, "H": 3, "W": 4})
    assert set(seen.stuck.values()) == {0}
    found = roomy_sizes(system, seen.stuck)
    assert found is not None
    assert found["H"] > 16
    assert found["W"] > 16
    assert (found["H"] - 1) // 16 != (found["W"] - 1) // 16


@pytest.mark.parametrize("lost", [1 + FloorDiv(H - 1, 16), 1 + FloorDiv(W - 1, 16)])
def test_a_lost_factor_is_found(lost: FloorDiv) -> None:
    raw = _swept(halved(), None).joint
    cut = tuple(e.with_(body=e.body * lost) if e.target == "dw" else e for e in raw.equations)
    found = difference(raw, raw.with_(equations=cut), {"dw": "dw"})
    assert found is not None
    assert found.run is not None


@pytest.mark.slow
@pytest.mark.parametrize("divisor", [4, 16])
def test_the_gradient_is_right_where_the_quotient_is_2(divisor: int) -> None:
    derivation = derive(halved(divisor))
    rng = np.random.default_rng(3)
    values = {"x": rng.normal(size=(2, 2 * divisor, 3 * divisor)), "w": rng.normal(size=2)}
    known = {"N": 2, "H": 2 * divisor, "W": 3 * divisor}
    found = run(derivation.system, values, known)[derivation.gradients["w"]]
    taken = values["x"][:, ::divisor, ::divisor]
    np.testing.assert_allclose(found, 2 * values["w"] * taken.var(axis=(1, 2)), rtol=1e-10)


def test_sizes_that_never_differed_do() -> None:
    seen = SizesSeen(halved(4))
    for n_, h in ((2, 5), (3, 8)):
        seen.look({"N": n_, "H": h, "W": h})
    assert seen.alike == ("W",)
    found = seen.room()
    assert found is not None
    assert len(set(found.values())) == 3


def test_sizes_are_raised_until_windows_fit() -> None:
    """Five windows of 3 in a row need an image of 11, which small sizes don't reach."""
    b = SystemBuilder()
    w = b.leaf("w", 3, role=Role.PARAMETER)
    z, extent = b.leaf("x", N, H), H
    for layer in range(5):
        extent = extent - 2
        z = b.define(f"z{layer}", [n, i], z(n, i + k) * w(k), "sum", [k], ranges={n: N, i: extent, k: 3})
    b.define("loss", [], z(n, i), "sum", [n, i], ranges={n: N, i: extent}, role=Role.LOSS)
    system = b.system(loss="loss")
    assert sample_sizes(system)["H"] > 10
    assert not derive(system).warnings


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("interleaved", [False, True])
def test_rotary_positions_of_any_width(interleaved: bool) -> None:
    """Every point of the search had a width of 4, where the gradient of neighbours' pairs is another."""
    rows, steps, width = bp.dims("N T D")
    x = bp.param("x", (rows, steps, width))
    turned = bp.rotary(x, interleaved=interleaved) if interleaved else bp.rotary(x)
    derivation = bp.derive(bp.Network("turned", loss=(turned**3).sum()))
    rng = np.random.default_rng(5)
    for size in (4, 6, 10):
        known = {"N": 2, "T": 3, "D": size}
        value, direction = rng.normal(size=(2, 2, 3, size))
        gradient = derivation.gradients["x"]
        found = run(derivation.system, {"x": value}, known, wanted=[gradient])[gradient]

        def loss(step: float, v: Any = value, d: Any = direction, s: Any = known) -> Any:
            at = v + step * 1j * d
            return run(derivation.declared, {"x": at}, s, wanted=["loss"])["loss"]

        assert np.sum(found * direction) == pytest.approx(np.imag(loss(1e-20)) / 1e-20, rel=1e-10)
