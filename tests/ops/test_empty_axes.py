"""Axes without elements: where nothing is added up the sum is 0, and so is its gradient."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import GenerationError

N, H, D = bp.dims("N H D")
TARGETS = ["numpy", "plain", pytest.param("numba", marks=pytest.mark.slow)]


def compiled(loss, target, **sizes):
    return bp.compile(bp.Network("net", loss=loss), target=target, optimizer=bp.optim.SGD(0.1), sizes=sizes)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_differences_along_an_axis_of_one_element_are_none(target):
    h, w = bp.param("h", (N, H)), bp.param("w", (H, D))
    d = h[:, 1:] - h[:, :-1]
    terms = [abs(d).sum(), (bp.exp(d) * d).sum(), bp.tanh(h @ w)[1:].sum(), bp.sort(d, axis=1).sum()]
    module = compiled(sum(terms) + (h * h).sum(), target)
    loss, gradients = module.loss_and_gradients({"h": np.array([[3.0]]), "w": np.ones((1, 2))})
    assert loss == 9
    np.testing.assert_array_equal(gradients["h"], [[6.0]])
    np.testing.assert_array_equal(gradients["w"], [[0.0, 0.0]])


@pytest.mark.parametrize("target", TARGETS)
def test_shifted_labels_of_texts_of_one_letter_are_none(target):
    letters, table = bp.labels("letters", (N, H), classes=3), bp.param("table", (3, 2))
    change = table[letters][:, 1:] - table[letters][:, :-1]
    module = compiled((change**2).sum(), target)
    loss, gradients = module.loss_and_gradients({"table": np.ones((3, 2))}, letters=np.array([[2], [1]]))
    assert loss == 0
    assert not np.any(gradients["table"])


def test_a_maximum_of_nothing_is_refused_by_the_module():
    h = bp.param("h", (N, H))
    module = compiled(h[:, 1:].max(axis=1).sum(), "numpy")
    with pytest.raises(module.DataError, match="H - 1 is 0: an axis of the data is too short"):
        module.loss_and_gradients({"h": np.ones((2, 1))})
    with pytest.raises(module.DataError, match="no elements along the axis N"):
        module.loss_and_gradients({"h": np.ones((0, 3))})


def test_a_mean_of_nothing_is_refused_by_the_module():
    h = bp.param("h", (N, H))
    spread = ((h - h.mean(axis=0, keepdims=True)) ** 2).sum() / (N - 1)
    module = compiled((h[:, 1:].mean(axis=1) ** 2).sum() + spread, "numpy")
    with pytest.raises(module.DataError, match="H - 1 is 0: an axis of the data is too short"):
        module.loss_and_gradients({"h": np.ones((2, 1))})
    with pytest.raises(module.DataError, match=r"is 0: an axis of the data is too short"):
        module.loss_and_gradients({"h": np.ones((1, 2))})


def test_a_mean_of_nothing_is_refused_where_sizes_say_so():
    h = bp.param("h", (N, H))
    with pytest.raises(GenerationError, match="H = 1 something is divided by 0, as in a mean of no elements"):
        compiled((h[:, 1:] ** 2).mean(), "numpy", N=2, H=1)


def test_no_examples_are_refused_by_every_call():
    """A step ended in a traceback, and epochs over nothing had a loss of 0."""
    x, y, w = bp.input("x", (N, 2)), bp.labels("y", (N,), classes=3), bp.param("w", (2, 3))
    net = bp.Network("net", loss=bp.cross_entropy(bp.softmax(x @ w), y))
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    state, nothing = module.init_state({"w": np.ones((2, 3))}), {"x": np.ones((0, 2)), "y": np.ones(0, int)}
    calls = (
        lambda: module.loss_and_gradients(state.params, **nothing),
        lambda: module.train_step(state, **nothing),
        lambda: module.fit(state, nothing, epochs=1, batch_size=4),
    )
    for call in calls:
        with pytest.raises(module.DataError, match="no elements along the axis N"):
            call()
