"""Scalars of every role in generated code: inputs, targets, labels, parameters, constants, outputs."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import symbp as bp

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]


def network() -> bp.Network:
    """A scalar of each role, the label as a subscript, the input in and out of a sum."""
    N, K = bp.dim("N"), bp.dim("K", 3)
    x, shift = bp.input("x", (N,)), bp.input("shift", ())
    goal, which = bp.target("goal", ()), bp.labels("which", (), classes=K)
    w, c = bp.param("w", (K,)), bp.param("c", ())
    lam = bp.hyper("lam", 0.5)
    (k,) = bp.indices("k")
    picked = bp.define("picked", [], w[which[()]] * shift)
    q = bp.define("q", [], bp.Sum(w[k] * shift, k) * c)
    u = (x * shift + c).sum() * q * picked
    return bp.Network("scalars", loss=(u - goal) ** 2 + lam * c * c, outputs={"q": q, "u": u})


DATA = {"x": np.array([0.3, -0.2]), "shift": np.array(0.7), "goal": 1.5, "which": np.array(2)}
PARAMS = {"w": np.array([0.5, -1.0, 2.0]), "c": np.array(-0.4)}


def expected() -> tuple[float, dict[str, float]]:
    q = PARAMS["w"].sum() * 0.7 * -0.4
    u = (DATA["x"] * 0.7 - 0.4).sum() * q * 2.0 * 0.7
    return (u - 1.5) ** 2 + 0.5 * 0.16, {"q": q, "u": u}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("target", TARGETS)
def test_training_modules(target: str, dtype: str) -> None:
    net = network()
    module = bp.compile(net, target=target, dtype=dtype, optimizer=bp.optim.SGD(0.1))
    report = bp.check(net, module=module)
    assert report.ok, str(report)
    tolerance = {"float64": 1e-13, "float32": 1e-5}[dtype]
    loss, _ = module.loss_and_gradients(PARAMS, **DATA)
    assert loss == pytest.approx(expected()[0], rel=tolerance)
    outputs = module.forward(PARAMS, x=DATA["x"], shift=0.7, which=2)
    for name, value in expected()[1].items():
        assert outputs[name] == pytest.approx(value, rel=tolerance)
        assert np.shape(outputs[name]) == ()
    state = module.init_state(PARAMS)
    assert module.train_step(state, **DATA) == pytest.approx(loss, rel=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_derivative_modules(target: str) -> None:
    net = network()
    hessian = bp.hessian(net, wrt=["c", "shift"])
    module = bp.compile(hessian, target=target)
    assert bp.check(net, derivation=hessian, module=module).ok
    found = module.derivatives(PARAMS, **DATA)
    assert {np.shape(a) for a in found.values()} == {()}


@pytest.mark.slow
def test_a_label_out_of_range_is_refused() -> None:
    module = bp.compile(network(), optimizer=bp.optim.SGD(0.1))
    with pytest.raises(module.DataError, match="which holds 3"):
        module.loss_and_gradients(PARAMS, **{**DATA, "which": 3})


@pytest.mark.slow
def test_results_are_kept_apart_from_the_workspace() -> None:
    """A second call, of other sizes or the same, leaves the arrays of the first alone."""
    module: ModuleType = bp.compile(bp.derive(network(), wrt=["c", "x"]), target="numba")
    first = module.derivatives(PARAMS, **DATA)
    before = {key: array.copy() for key, array in first.items()}
    module.derivatives(PARAMS, **{**DATA, "shift": 0.1})
    module.derivatives(PARAMS, **{**DATA, "x": np.ones(5)})
    for key, array in first.items():
        np.testing.assert_array_equal(array, before[key])
    assert len(module._KEPT.workspaces) == 2
    again = module.derivatives(PARAMS, **DATA)
    for key, array in again.items():
        np.testing.assert_array_equal(array, before[key])
