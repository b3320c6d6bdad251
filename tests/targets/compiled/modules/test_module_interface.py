"""The interface of a generated module, the same in each target."""

from __future__ import annotations

import copy
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from target_nets import GRADIENTS, SIZES, mlp_module, mlp_system

from symbp.ir.evaluation.interpret import evaluate

N = 7


def reference(params: Any, data: dict[str, Any]) -> dict[str, Any]:
    return evaluate(mlp_system(), {**dict(params), **data}, {"N": len(data["x"]), **SIZES})


def test_values_and_gradients_are_those_of_the_interpreter(module: ModuleType, data: dict[str, Any]) -> None:
    params = module.init_params(2)
    expected = reference(params, data)
    loss, gradients = module.loss_and_gradients(params, **data)
    assert loss == pytest.approx(float(expected["L"]), rel=1e-13)
    for name, tensor in GRADIENTS.items():
        np.testing.assert_allclose(
            gradients[name], np.asarray(expected[tensor], float), rtol=1e-12, atol=1e-14
        )
    np.testing.assert_allclose(
        module.forward(params, x=data["x"])["p"], np.asarray(expected["p"], float), rtol=1e-13
    )
    found = module.evaluate(params, **data)
    assert found["accuracy"] == pytest.approx(float(expected["accuracy"]), rel=1e-13)
    assert list(module.predict(params, **data)) == ["p"]


def test_parameters_are_views_of_one_arena_in_declared_order(module: ModuleType) -> None:
    params = module.init_params(0)
    assert list(params) == ["W1", "b1", "W2", "b2"]
    assert params.flat.shape == (5 * 4 + 4 + 4 * 3 + 3,)
    params["W2"] = np.full((4, 3), 7.0)
    assert (params.flat[24:36] == 7).all()
    np.testing.assert_array_equal(module.init_params(3).flat, module.init_params(3).flat)
    assert not np.array_equal(module.init_params(3).flat, module.init_params(4).flat)


def test_any_mapping_serves_as_parameters(module: ModuleType, data: dict[str, Any]) -> None:
    params = module.init_params(1)
    plain = {name: np.asfortranarray(array).astype(np.float32) for name, array in params.items()}
    assert module.loss_and_gradients(plain, **data)[0] == pytest.approx(
        module.loss_and_gradients(params, **data)[0]
    )


def test_loss_and_gradients_is_pure(module: ModuleType, data: dict[str, Any]) -> None:
    params = module.init_params(1)
    before, x = params.flat.copy(), data["x"].copy()
    first = module.loss_and_gradients(params, **data)
    second = module.loss_and_gradients(params, **data)
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1].flat, second[1].flat)
    np.testing.assert_array_equal(params.flat, before)
    np.testing.assert_array_equal(data["x"], x)


def test_a_step_is_adams(module: ModuleType, data: dict[str, Any]) -> None:
    params = module.init_params(1)
    state = module.init_state(params)
    m = v = np.zeros_like(params.flat)
    theta = params.flat.copy()
    for step in range(1, 4):
        loss, gradients = module.loss_and_gradients(dict(state.params), **data)
        m = 0.9 * m + 0.1 * gradients.flat
        v = 0.999 * v + 0.001 * gradients.flat**2
        theta = theta - 0.01 * m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        assert module.train_step(state, **data) == pytest.approx(loss, rel=1e-13)
        assert state.step == step
        np.testing.assert_allclose(state.params.flat, theta, rtol=1e-12)
    np.testing.assert_allclose(state.moments["m"].flat, m, rtol=1e-12)
    assert (params.flat == module.init_params(1).flat).all(), "the state works on a copy"


def test_fit_shuffles_by_seed_and_takes_the_last_partial_batch(
    module: ModuleType, data: dict[str, Any]
) -> None:
    def train(seed: int) -> tuple[Any, Any]:
        state = module.init_state(module.init_params(0), seed=seed)
        return state, module.fit(state, data, epochs=3, batch_size=3, validation=data)

    state, history = train(0)
    again, same = train(0)
    other, _ = train(1)
    assert state.step == 9
    np.testing.assert_array_equal(state.params.flat, again.params.flat)
    assert not np.array_equal(state.params.flat, other.params.flat)
    assert [r["epoch"] for r in history] == [1, 2, 3]
    assert set(history[0]) == {"epoch", "loss", "validation_loss", "validation_accuracy", "seconds"}
    assert [r["loss"] for r in history] == [r["loss"] for r in same]
    assert history[-1]["validation_loss"] == module.evaluate(state.params, **data)["loss"]


def test_training_lowers_the_loss(module: ModuleType, data: dict[str, Any]) -> None:
    state = module.init_state(module.init_params(0))
    history = module.fit(state, data, epochs=200, batch_size=7)
    assert history[-1]["loss"] < 0.2 * history[0]["loss"]


def test_a_callback_may_end_training(module: ModuleType, data: dict[str, Any]) -> None:
    state = module.init_state(module.init_params(0))
    history = module.fit(state, data, epochs=50, batch_size=7, callback=lambda r: r["epoch"] == 4)
    assert len(history) == 4


def test_ctrl_c_keeps_what_is_trained(module: ModuleType, data: dict[str, Any]) -> None:
    import _thread

    state = module.init_state(module.init_params(0))
    module.train_step(state, **data)
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    history = module.fit(state, data, epochs=10**9, batch_size=7)
    timer.join()
    assert history[-1]["interrupted"] is True
    assert np.isfinite(state.params.flat).all()
    assert state.step > 1


def test_ctrl_c_between_two_epochs_is_told_too(module: ModuleType, data: dict[str, Any]) -> None:
    """While a callback draws or writes a record, that record is made already."""
    import signal

    state = module.init_state(module.init_params(0))

    def drawing(record: dict[str, Any]) -> None:
        if record["epoch"] == 2:
            signal.raise_signal(signal.SIGINT)

    history = module.fit(state, data, epochs=50, batch_size=7, callback=drawing)
    assert [r.get("interrupted", False) for r in history] == [False, True]


def test_save_and_load_continue_as_if_nothing_had_happened(
    module: ModuleType, data: dict[str, Any], tmp_path: Path
) -> None:
    state = module.init_state(module.init_params(0), seed=5)
    module.fit(state, data, epochs=2, batch_size=3)
    module.save(tmp_path / "state.npz", state)
    other = module.load(tmp_path / "state.npz")
    assert (other.step, other.seed) == (state.step, 5)
    for one in (state, other):
        module.fit(one, data, epochs=2, batch_size=3)
    np.testing.assert_array_equal(state.params.flat, other.params.flat)
    assert [p.name for p in tmp_path.iterdir()] == ["state.npz"]


def test_check_gradients_reports_each_parameter(module: ModuleType, data: dict[str, Any]) -> None:
    for rows in (module.check_gradients(), module.check_gradients(module.init_params(4), **data)):
        assert [row["parameter"] for row in rows] == ["W1", "b1", "W2", "b2"]
        assert all(row["ok"] and row["max_rel_error"] < 1e-7 for row in rows)
        assert {"method", "max_abs_error"} <= set(rows[0])


def test_check_gradients_finds_a_wrong_gradient(
    module: ModuleType, data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = module._differentiate

    def wrong(params: Any, gradients: Any, *rest: Any) -> Any:
        tensors = right(params, gradients, *rest)
        gradients["b1"][1] *= 1.001
        return tensors

    monkeypatch.setattr(module, "_differentiate", wrong)
    rows = {row["parameter"]: row["ok"] for row in module.check_gradients(None, **data)}
    assert rows == {"W1": True, "b1": False, "W2": True, "b2": True}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((7, 4))}, r"x has shape \(7, 4\), the network needs \(N, D\) with D = 5"),
        ({"x": np.zeros(5)}, r"x has shape \(5,\), the network needs \(N, D\)"),
        ({"y": np.zeros(6, int)}, r"y has shape \(6,\), the network needs \(N,\) with N = 7"),
        ({"y": np.zeros(7)}, "y has dtype float64, the network needs integers"),
        ({"y": np.full(7, 3)}, "y holds 3; its values must lie from 0 to 2"),
        ({"y": np.full(7, -1)}, "y holds -1; its values must lie from 0 to 2"),
        ({"x": np.full((7, 5), np.nan)}, r"x holds nan at \(0, 0\); every value must be finite"),
        ({"x": np.full((7, 5), "a")}, "x has dtype <U1, the network needs real numbers"),
        ({"z": np.zeros(3)}, r"z unknown; the network reads x\(N, D\), y\(N,\)"),
        ({"y": None}, "y has dtype object"),
    ],
)
def test_data_that_do_not_fit_are_refused(
    module: ModuleType, data: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    params = module.init_params(0)
    with pytest.raises(module.DataError, match=message):
        module.loss_and_gradients(params, **{**data, **change})
    with pytest.raises(ValueError, match=message):
        module.fit(module.init_state(params), {**data, **change}, epochs=1, batch_size=2)


def test_missing_data_and_parameters_are_named(module: ModuleType, data: dict[str, Any]) -> None:
    params = module.init_params(0)
    with pytest.raises(module.DataError, match="y missing"):
        module.evaluate(params, x=data["x"])
    with pytest.raises(module.DataError, match="b2 missing"):
        module.forward({k: v for k, v in params.items() if k != "b2"}, x=data["x"])
    with pytest.raises(module.DataError, match=r"W1 has shape \(2, 2\)"):
        module.forward({**params, "W1": np.zeros((2, 2))}, x=data["x"])
    with pytest.raises(module.DataError, match="D is 5 in this module"):
        module.init_params(0, D=6)
    with pytest.raises(module.DataError, match="no size 'Q'"):
        module.init_params(0, Q=6)


def test_a_step_that_is_not_finite_is_refused_and_explained(module: ModuleType, data: dict[str, Any]) -> None:
    state = module.init_state(module.init_params(0))
    state.params["W2"] = 1e308
    before = state.params.flat.copy()
    with pytest.raises(
        module.NotFinite, match=r"equation \(3\), z2\[n,k\] = Σ_j h\[n,j\]·W2\[j,k\]"
    ) as caught:
        module.train_step(state, **{**data, "x": 100 * np.ones((7, 5))})
    assert (caught.value.equation, caught.value.tensor) == (3, "z2")
    np.testing.assert_array_equal(state.params.flat, before)
    assert state.step == 0


def test_bad_input_in_a_step_is_named_as_the_culprit(module: ModuleType, data: dict[str, Any]) -> None:
    state = module.init_state(module.init_params(0))
    with pytest.raises(FloatingPointError, match="the input x is not finite"):
        module.train_step(state, **{**data, "x": np.full((7, 5), np.inf) * np.array([1, -1, 1, -1, 1])})
    assert state.step == 0


@pytest.mark.few(slow=4)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, -1])
def test_any_value_that_is_not_finite_stops_the_step(
    module: ModuleType, data: dict[str, Any], value: float, where: int
) -> None:
    state = module.init_state(module.init_params(0))
    state.params["W2"][where, where] = value
    with pytest.raises(module.NotFinite, match="the parameter W2"):
        module.train_step(state, **data)
    assert state.step == 0
    if hasattr(module, "_all_finite"):  # the gradients' own test, past what one vector register holds
        values = np.ones(1001)
        assert module._all_finite(values)
        values[where] = value
        assert not module._all_finite(values)


def test_targets_agree_over_many_steps(data: dict[str, Any]) -> None:
    ends = []
    for target in ("numpy", "numba"):
        made = mlp_module(target)
        if target == "numba" and made._KERNELS:
            made._compile = lambda: None
        state = made.init_state(made.init_params(0))
        made.fit(state, data, epochs=34, batch_size=3)
        ends.append(state.params.flat)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12, atol=1e-13)


def test_a_step_runs_on_the_arrays_that_the_state_has_now(module: ModuleType, data: dict[str, Any]) -> None:
    """Parameters, moments and settings may be others before any step; what was bound to the old ones goes."""
    state, other = (module.init_state(module.init_params(k)) for k in (0, 1))
    module.train_step(state, **data)
    state.params, state.moments, state.gradients = other.params.copy(), other.moments, other.gradients.copy()
    state.step, state.moments = 0, {name: arena.copy() for name, arena in other.moments.items()}
    assert module.train_step(state, **data) == module.train_step(other, **data)
    np.testing.assert_array_equal(state.params.flat, other.params.flat)
    state.hyper["lr"] = other.hyper["lr"] = 0.5
    module.train_step(state, **data)
    module.train_step(other, **data)
    np.testing.assert_array_equal(state.params.flat, other.params.flat)


def test_arrays_that_pass_at_once_are_read_anew(module: ModuleType, data: dict[str, Any]) -> None:
    """The same arrays with other values, then others, then the first ones again."""
    state, fresh = (module.init_state(module.init_params(0)) for _ in range(2))
    more = {name: array[:3].copy() for name, array in data.items()}
    same = {name: array.copy() for name, array in data.items()}
    for scale, given in ((1.0, same), (2.0, same), (1.0, more), (0.5, same)):
        given["x"] *= scale
        found = module.train_step(state, **given)
        assert found == module.train_step(fresh, **{name: array.copy() for name, array in given.items()})
    with pytest.raises(module.DataError, match="missing"):
        module.train_step(state, x=same["x"])
    with pytest.raises(module.DataError, match="shape"):
        module.train_step(state, **{**same, "x": same["x"].T})


def test_a_copy_of_a_state_trains_by_itself(module: ModuleType, data: dict[str, Any]) -> None:
    state = module.init_state(module.init_params(0))
    module.train_step(state, **data)
    other = copy.deepcopy(state)
    before = state.params.flat.copy()
    assert module.train_step(other, **data) < module.loss_and_gradients(state.params, **data)[0] + 1e-12
    np.testing.assert_array_equal(state.params.flat, before)
    assert not np.array_equal(other.params.flat, before)
    assert all(np.shares_memory(view, other.params.flat) for view in other.params.values())
    module.train_step(state, **data)
    np.testing.assert_array_equal(state.params.flat, other.params.flat)
    np.testing.assert_array_equal(state.moments["m"].flat, other.moments["m"].flat)
