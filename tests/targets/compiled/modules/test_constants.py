"""A network's own constants in generated modules: values, names, float32, a missing value."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from modules_by_name import generate_source
from target_nets import sgd

from symbp.derive import Derivation, derive
from symbp.errors import GenerationError
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.system import Role
from symbp.targets.loading import load

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]
N, D = sizes("N D")
n, i = indices("n i")


def ridge(constant: str = "lam") -> Derivation:
    """Σ_n (x_n·w − y_n)² + lam·Σ w²."""
    b = SystemBuilder()
    x, y = b.leaf("x", N, D), b.leaf("y", N, role=Role.TARGET)
    w, lam = b.leaf("w", D, role=Role.PARAMETER), b.leaf(constant, role=Role.HYPER)
    p = b.define("p", [n], x(n, i) * w(i), "sum", [i], role=Role.OUTPUT)
    fit = b.define("fit", [], (p(n) - y(n)) ** 2, "sum", [n])
    size = b.define("size", [], w(i) ** 2, "sum", [i])
    b.define("L", [], fit() + lam() * size(), role=Role.LOSS)
    return derive(b.system("L", ["p"]), name="ridge")


def module(derivation: Derivation, target: str, dtype: str, hyper: dict[str, float]) -> ModuleType:
    text = generate_source(
        derivation, target=target, dtype=dtype, update=sgd(), initial={}, sizes={}, hyper=hyper
    )
    return load(text, f"ridge_{target}")


@pytest.mark.few(fast=3, slow=3)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("constant", ["lam", "fit_", "math", "constant_lam"])
def test_constants_have_their_values(target: str, dtype: str, tolerance: float, constant: str) -> None:
    derivation = ridge(constant)
    made = module(derivation, target, dtype, {constant: 0.3})
    assert dict(made.CONSTANTS) == {constant: 0.3}
    rng = np.random.default_rng(2)
    params, data = {"w": rng.normal(size=3)}, {"x": rng.normal(size=(5, 3)), "y": rng.normal(size=5)}
    loss, gradients = made.loss_and_gradients(params, **data)
    values = {**params, **data, constant: 0.3}
    expected = run(derivation.system, values, {"N": 5, "D": 3})
    np.testing.assert_allclose(loss, expected["L"], rtol=tolerance)
    np.testing.assert_allclose(gradients["w"], expected["dw"], rtol=tolerance)
    assert gradients["w"].dtype == np.dtype(dtype)


def test_a_constant_without_a_value_is_named() -> None:
    with pytest.raises(GenerationError, match="hyperparameter lam has no value"):
        module(ridge(), "numpy", "float64", {"other": 1.0})


def test_a_module_without_constants_says_nothing_of_them() -> None:
    from target_nets import SIZES, mlp, mlp_initial

    text = generate_source(
        mlp(), target="numpy", dtype="float64", update=sgd(), initial=mlp_initial(), sizes=SIZES
    )
    assert "CONSTANTS" not in text
