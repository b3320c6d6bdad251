"""Networks that take raw data: what stands before their first equation, and what it starts from."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.ir.validate import validate

N, D, H = bp.dims("N D H")


def regression():
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    return bp.Network("r", loss=bp.mse(x @ bp.param("w", (D,)) + bp.param("b", ()), y))


def test_columns_have_a_mean_and_a_scale_each():
    net = bp.standardised(regression())
    validate(net.system)
    page = bp.derive(net).text()
    assert "standard_x[n,i] = (x[n,i] - mean_x[i])/scale_x[i]" in page
    assert "Σ_i standard_x[n,i]·w[i]" in page
    assert "mean_x: mean of x over the training data" in page
    assert bp.check(net).ok


@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("shape", "axis"), [((2, 5, 4), 1), ((7, 3), 2), ((), None)])
def test_each_feature_has_its_own(target, shape, axis):
    """Channels of images, the last axis of sequences; one number needs no more."""
    x = bp.input("x", (N, *shape))
    net = bp.standardised(bp.Network("f", loss=(bp.param("a", ()) * x).mean()))
    validate(net.system)
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    values = np.random.default_rng(0).normal(size=(6, *shape)) + np.arange(shape[-1] if shape else 1)
    values = values.reshape(6, *shape) if shape else values[:6]
    fitted = module.fitted_buffers(x=values)
    others = tuple(k for k in range(values.ndim) if k != axis)
    np.testing.assert_allclose(fitted["mean_x"], values.mean(others))
    np.testing.assert_allclose(fitted["scale_x"], values.std(others))
    state = module.init_state(module.init_params(0), fitted)
    assert abs(module.train_step(state, x=values)) < 1e-12


@pytest.mark.slow
def test_derivatives_by_an_input_stay_those_by_the_input():
    t = bp.input("t", (N, D))
    u = bp.tanh(t @ bp.param("w", (D,)))
    net = bp.standardised(bp.Network("slope", loss=(bp.grad(u, t) ** 2).mean()))
    assert list(net.system.derivatives.values()) == [("u", "t")]
    assert bp.check(net).ok


def test_labels_and_inputs_of_which_facts_are_known_stay_as_they_are():
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=D)
    m = bp.input("m", (N, D), facts="binary")
    net = bp.standardised(bp.Network("m", loss=bp.cross_entropy(bp.softmax(x * m), y)))
    assert [t.name for t in net.system.tensors if t.name.startswith("mean_")] == ["mean_x"]
    z = bp.tokens("z", (N,), vocabulary=D)
    table = bp.Network("t", loss=bp.embedding(z, bp.param("E", (D, H))).mean())
    with pytest.raises(UsageError, match="no real input to standardise"):
        bp.standardised(table)


@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_a_module_fits_saves_and_applies_them(target, tmp_path):
    module = bp.compile(
        bp.standardised(regression()), target=target, optimizer=bp.optim.SGD(0.1), sizes={"D": 3}
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 3)) * [1, 100, 0] + [5, -70, 4]
    y = x @ [1, 0.02, 0] + 3
    fitted = module.fitted_buffers(x=x, y=y)
    np.testing.assert_allclose(fitted["mean_x"], x.mean(0))
    np.testing.assert_allclose(fitted["scale_x"], [*x.std(0)[:2], 1])
    state = module.init_state(module.init_params(0), fitted)
    module.fit(state, {"x": x, "y": y}, epochs=30, batch_size=10)
    np.testing.assert_array_equal(state.buffers["mean_x"], fitted["mean_x"])
    module.save(tmp_path / "s.npz", state)
    again = module.load(tmp_path / "s.npz")
    assert module.evaluate(again.params, again.buffers, x=x, y=y)["loss"] < 1e-6
    assert module.evaluate(again.params, x=x, y=y)["loss"] > 1


def test_a_module_has_them_only_when_asked_for():
    from symbp.api import source

    plain, asked = (
        source(net, optimizer=bp.optim.SGD(0.1)) for net in (regression(), bp.standardised(regression()))
    )
    assert "fitted_buffers" in asked
    assert "FITTED" in asked
    assert "fitted_buffers" not in plain
    assert "FITTED" not in plain
