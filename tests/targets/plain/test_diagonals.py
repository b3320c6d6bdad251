"""A softmax that is read on the diagonal, along either axis: softmax_n(a[n,n]) could be both."""

import numpy as np
import pytest
from plain_values import module

import symbp as bp


def test_the_loss_of_pairs_takes_rows_and_columns():
    N, D = bp.dims("N D")
    x, W = bp.input("x", (N, D)), bp.param("W", (D, N))
    scores = x @ W
    pairs = bp.diag(bp.log_softmax(scores)) + bp.diag(bp.log_softmax(scores, axis=0))
    net = bp.Network("pairs", loss=-pairs.mean())
    functions = module(bp.source(net, target="plain", optimizer=bp.optim.SGD(0.1)))
    rng = np.random.default_rng(1)
    values, params = rng.normal(size=(3, 2)), {"W": rng.normal(size=(2, 3))}
    loss, _ = functions["loss_and_gradients"](params, values)
    s = np.exp(values @ params["W"])
    expected = -(np.log(np.diag(s) / s.sum(1)) + np.log(np.diag(s) / s.sum(0))).mean()
    assert loss == pytest.approx(expected)
