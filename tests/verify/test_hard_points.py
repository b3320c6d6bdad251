"""Checks where differences are hard to form: beside kinks, with a metric at a kink, of infinite losses."""

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.margins import kink_margin
from symbp.verify.numeric import LEAST_STEP, STEP, central_differences


def rectified():
    """A loss with so many rectifiers that some always stand close to their kink, and a metric at its own."""
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, c, V = bp.param("W", (D, H)), bp.param("c", (H,)), bp.param("V", (H, K))
    z = bp.relu(x @ W + c) @ V
    n = bp.indices("n")[0]
    wrong = bp.define("wrong", [n], bp.unequal(z.argmax(1)[n], y[n]))
    none = bp.define("none", [], bp.Sum(bp.equal(wrong[n], 0) / N, n))
    loss = bp.cross_entropy(z, y, from_logits=True)
    return bp.Network("rectified", loss=loss, metrics={"none": none})


@pytest.mark.slow
def test_differences_keep_to_one_side_of_kinks():
    report = bp.check(rectified(), sizes={"N": 20, "D": 3, "H": 300, "K": 3}, methods=["central differences"])
    assert report.ok, str(report)


def test_what_is_not_differentiated_has_no_kinks():
    net = rectified()
    sizes = {"N": 2, "D": 1, "H": 1, "K": 2}
    values = {"x": np.ones((2, 1)), "y": np.zeros(2, int), "W": np.ones((1, 1)), "c": np.ones(1)}
    values["V"] = np.array([[2.0, 1.0]])
    assert kink_margin(net.system, values, sizes) == 0
    assert kink_margin(net.system, values, sizes, [net.system.loss]) == 2


def test_both_steps_are_near_a_known_derivative():
    for step, error in ((STEP, 1e-11), (LEAST_STEP, 1e-8)):
        found = central_differences(
            lambda at: np.sin(at["x"]), {"x": np.array(0.7)}, {"x": np.array(1.0)}, step
        )
        assert abs(found - np.cos(0.7)) < error


@pytest.mark.slow
def test_words_that_do_not_fit_into_their_time_are_left_out_of_the_exact_check():
    N, T, S, K = bp.dims("N T S K")
    x, y = bp.input("x", (N, T, K)), bp.labels("y", (N, S), classes=K)
    w = bp.param("w", (K,))
    net = bp.Network("words", loss=bp.ctc(x * w, y, from_logits=True))
    report = bp.check(net, methods=["exact"])
    assert report.ok, str(report)
