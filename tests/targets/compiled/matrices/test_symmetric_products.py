"""Products of a matrix with itself in generated code: values, symmetry, and the form that BLAS halves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from target_lines import spelled_out
from target_systems import module_for, outputs

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access
from symbp.ir.system import Role, System

N, D = sizes("N D")
n, i, j = indices("n i j")


def system(weight: Any) -> System:
    builder = SystemBuilder()
    x = builder.leaf("x", N, D)
    builder.leaf("w", N)
    builder.define("r", [i, j], x(n, i) * x(n, j) * weight, "sum", [n])
    builder.define("loss", [], 1, "sum", [n], ranges={n: N}, role=Role.LOSS)
    return builder.system(loss="loss", outputs=["r"])


w = Access("w", n)
CASES = {
    "plain": (sympy.Integer(1), "np.dot(x.T, x, out=r)", lambda w: np.ones_like(w)),
    "root": (sympy.exp(w), "np.dot(r_factor.T, r_factor, out=r)", np.exp),
    "sign unknown": (sympy.sin(w), "_symmetric_product(", np.sin),
}


@pytest.mark.few(fast=5)
@pytest.mark.parametrize("extent", [3, 127, 130, 200])
@pytest.mark.parametrize("name", CASES)
def test_values(name: str, extent: int) -> None:
    weight, text, function = CASES[name]
    rng = np.random.default_rng(extent)
    data = {"x": rng.normal(size=(17, extent)), "w": rng.normal(size=17)}
    module = module_for(system(weight), "numpy")
    r = outputs(module, data)["r"]
    expected = np.einsum("ni,n,nj->ij", data["x"], function(data["w"]), data["x"])
    np.testing.assert_allclose(r, expected, rtol=1e-12, atol=1e-12)
    with open(module.__file__ or "", encoding="utf-8") as file:
        assert text in spelled_out(file.read())


@pytest.mark.parametrize("extent", [1, 128, 191, 256])
def test_blocks_are_mirrored(extent: int) -> None:
    rng = np.random.default_rng(extent)
    x, weight = rng.normal(size=(9, extent)), rng.normal(size=(9, 1))
    found = module_for(system(CASES["sign unknown"][0]), "numpy")._symmetric_product((x * weight).T, x)
    np.testing.assert_allclose(found, (x * weight).T @ x, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found[64:, :64], found[:64, 64:].T)
