"""No moment takes an infinity from finite gradients: such a step is refused, and the state is as it was."""

import numpy as np
import pytest

import symbp as bp

N, D = bp.dim("N"), bp.dim("D", 2)


def module_of(target, rule, pieces=None):
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w, b = bp.param("w", (D,)), bp.param("b", ())
    net = bp.Network("line", loss=bp.mse(x @ w + b, y))
    return bp.compile(
        net, target=target, optimizer=rule, **({"pieces": pieces} if pieces is not None else {})
    )


@pytest.mark.parametrize(
    ("target", "pieces"),
    [("numpy", ()), ("numpy", ("checkpoints",)), pytest.param("numba", None, marks=pytest.mark.slow)],
)
def test_a_second_moment_that_overflows_is_kept_out(target, pieces):
    module = module_of(target, bp.optim.Adam(1e-2), pieces)
    data = {"x": np.ones((4, 2)), "y": np.array([1.0, 2, 3, 4])}
    state = module.init_state(module.init_params(0))
    module.train_step(state, **data)
    before = [np.array(a) for arrays in (state.params, *state.moments.values()) for a in arrays.values()]
    far = {"x": np.array([[1e80, 0], [1, 1], [1, 1], [1, 1]]), "y": np.array([1e76, 1, 1, 1])}
    loss, gradients = module.loss_and_gradients(state.params, **far)
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() for g in gradients.values())
    assert max(np.abs(g).max() for g in gradients.values()) > 1e154
    with pytest.raises(module.NotFinite, match=r"gradients .*so large"):
        module.train_step(state, **far)
    after = [np.array(a) for arrays in (state.params, *state.moments.values()) for a in arrays.values()]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    module.train_step(state, **data)
    assert state.step == 2
    if target == "numba":
        assert_moderate_is_told(module._all_moderate)


def assert_moderate_is_told(compiled):
    """One strange entry among many, wherever it comes in a vector of the processor."""
    values = np.random.default_rng(0).normal(size=5003)
    assert compiled(values)
    for k, strange in enumerate((1e146, -1e146, 1e300, np.inf, -np.inf, np.nan)):
        far = values.copy()
        far[2500 + k] = strange
        assert not compiled(far), strange


def test_a_step_with_large_gradients_is_taken_where_nothing_overflows():
    """Beside the same step by the equations: SGD has no moment at all, and 1e160 is a number."""
    module = module_of("numpy", bp.optim.SGD(1e-170), ("checkpoints",))
    data = {"x": np.array([[1e80, 0], [1, 1]]), "y": np.array([1e76, 1])}
    state = module.init_state(module.init_params(0))
    before = np.array(state.params["w"])
    _, gradients = module.loss_and_gradients(state.params, **data)
    module.train_step(state, **data)
    np.testing.assert_array_equal(state.params["w"], before - 1e-170 * gradients["w"])
    assert state.step == 1
