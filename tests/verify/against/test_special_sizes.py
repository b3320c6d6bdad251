"""Backward passes that are right but for one example, or where labels don't occur."""

from __future__ import annotations

import numpy as np
import pytest
from derived_once import of_gallery

import symbp as bp


def passes(change):
    """The backward pass of `softmax_regression`, with a change to one gradient."""

    def loss_and_gradients(params, x, y):
        W, b = params["W"], params["b"]
        a = x @ W + b
        p = np.exp(a - a.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        da = (p - np.eye(p.shape[1])[y]) / len(y)
        return -np.log(p[np.arange(len(y)), y]).mean(), {"W": x.T @ da, "b": change(da.sum(0), y)}

    return loss_and_gradients


@pytest.mark.slow
def test_a_batch_of_one_is_asked_for():
    net = bp.gallery.find("softmax_regression").load().net
    derivation = of_gallery("softmax_regression")
    assert bp.check(net, derivation=derivation, against=passes(lambda db, _: db)).ok
    single = passes(lambda db, y: db if len(y) > 1 else 2 * db)
    found = bp.check(net, derivation=derivation, against=single)
    assert not found.ok
    assert found["db"].verdict == "wrong"
