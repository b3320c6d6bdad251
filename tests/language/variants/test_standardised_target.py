"""A target standardised in the loss: outputs and metrics stay in its units, and are saved."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError

N, D = bp.dim("N"), bp.dim("D", 2)
DRAW = np.random.default_rng(1)
X = DRAW.normal(size=(40, 2))


def net(*columns, metrics=True, **more):
    x, y = bp.input("x", (N, D)), bp.target("y", (N, *columns))
    W, b = bp.param("W", (D, *columns)), bp.param("b", columns)
    prediction = x @ W + b
    measured = {"rmse": bp.rmse(prediction, y), "r2": bp.r2(prediction, y)} if metrics else {}
    measured |= {name: make(prediction, y) for name, make in more.items()}
    return bp.Network("prices", loss=bp.mse(prediction, y), outputs={"price": prediction}, metrics=measured)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [(), (bp.dim("M", 3),)], ids=["a number", "columns"])
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_the_loss_is_standardised_and_nothing_else(columns, target, tmp_path):
    y = 1e5 + 2e4 * X @ np.array([1.0, -1.0]) if not columns else 10 + X @ np.diag([1.0, 50.0])[:, [0, 1, 1]]
    changed = bp.standardised_target(net(*columns))
    assert bp.check(changed).ok
    module = bp.compile(changed, target=target, optimizer=bp.optim.Adam(0.1))
    state = module.init_state(module.init_params(0), module.fitted_buffers(x=X, y=y), seed=0)
    module.fit(state, {"x": X, "y": y}, epochs=60, batch_size=20)
    seen = X @ state.params["W"] + state.params["b"]
    found = module.evaluate(state.params, state.buffers, x=X, y=y)
    assert found["loss"] == pytest.approx(np.mean((seen - (y - y.mean(0)) / y.std(0)) ** 2), rel=1e-9)
    price = module.predict(state.params, state.buffers, x=X)["price"]
    np.testing.assert_allclose(price, seen * y.std(0) + y.mean(0), rtol=1e-12)
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean((price - y) ** 2)), rel=1e-9)
    assert found["r2"] > 0.99
    module.save(tmp_path / "p.npz", state)
    again = module.load(tmp_path / "p.npz")
    np.testing.assert_array_equal(module.predict(again.params, again.buffers, x=X)["price"], price)


def test_what_would_mix_units_is_refused():
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w = bp.param("w", (D,))
    prediction = x @ w
    loss = bp.mse(prediction, y)
    for other, message in (
        (bp.Network("n", loss=loss, outputs={"p": prediction}, metrics={"root": bp.sqrt(loss)}), "root of n"),
        (bp.Network("n", loss=loss, outputs={"p": prediction, "q": prediction * 2}), "2 outputs"),
        (bp.Network("n", loss=loss), "no output of the shape of y"),
        (bp.Network("n", loss=bp.mse(x @ w, x @ w * 0.5), outputs={"p": prediction}), "no real target"),
    ):
        with pytest.raises(UsageError, match=message):
            bp.standardised_target(other)


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["dropout", "batch_norm"])
def test_at_inference_predictions_are_in_its_units_too(layer):
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w, b = bp.param("w", (D,)), bp.param("b", ())
    hidden = bp.nn.Dropout(0.5)(x) if layer == "dropout" else bp.nn.BatchNorm()(x)
    prediction = hidden @ w + b
    net = bp.Network(
        "n", loss=bp.mse(prediction, y), outputs={"p": prediction}, metrics={"rmse": bp.rmse(prediction, y)}
    )
    module = bp.compile(bp.standardised_target(net), optimizer=bp.optim.Adam(0.05))
    target = 1e4 + 1e3 * X @ np.array([1.0, -1.0])
    state = module.init_state(module.init_params(0), module.fitted_buffers(x=X, y=target), seed=0)
    module.fit(state, {"x": X, "y": target}, epochs=30, batch_size=20)
    found = module.evaluate(state.params, state.buffers, x=X, y=target)
    off = module.predict(state.params, state.buffers, x=X)["p"] - target
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(off**2)), rel=1e-9)
    assert found["loss"] == pytest.approx(np.mean((off / target.std()) ** 2), rel=1e-9)
    assert found["rmse"] < 700
