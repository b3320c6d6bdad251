"""Whole derivations in matrix notation: every equation of a dense net has one, and its value is right."""

import numpy as np
import pytest

import symbp as bp
from symbp.explain.document import document
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_point
from symbp.read.matrix.value import value


def dense_net(activation):
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.target("y", (N, K))
    W1, b1, W2, b2 = (
        bp.param("W1", (D, H)),
        bp.param("b1", (H,)),
        bp.param("W2", (H, K)),
        bp.param("b2", (K,)),
    )
    h = getattr(bp, activation)(x @ W1 + b1)
    o = h @ W2 + b2
    return bp.Network("dense", loss=bp.mse(o, y) + bp.l2_penalty(0.01, W1, W2), outputs={"o": o})


def logistic_regression():
    N, D = bp.dims("N D")
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    o = x @ bp.param("w", (D,)) + bp.param("b", ())
    return bp.Network("logistic", loss=bp.binary_cross_entropy(o, y, from_logits=True), outputs={"o": o})


def classifier():
    N, D, K = bp.dims("N D K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    p = bp.softmax(x @ bp.param("W", (D, K)) + bp.param("b", (K,)))
    measured = {"accuracy": bp.accuracy(p, y)}
    return bp.Network("classifier", loss=bp.cross_entropy(p, y), outputs={"p": p}, metrics=measured)


NETS = {name: (dense_net, name) for name in ("relu", "leaky_relu", "sigmoid", "softplus", "gelu", "silu")}
NETS |= {"logistic regression": (logistic_regression,), "classifier": (classifier,)}


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("name", NETS)
def test_every_equation_has_a_matrix_form_of_its_value(name):
    declare, *arguments = NETS[name]
    derivation = bp.derive(declare(*arguments))
    sizes, leaves = sample_point(derivation.declared, 3)
    values = {**leaves, **run(derivation.system, leaves, sizes)}
    for shown in document(derivation).equations:
        assert shown.matrix is not None, shown.index_form
        expected = np.asarray(values[shown.equation.target])
        columns = expected.reshape(expected.shape + (1,) * (2 - expected.ndim))
        assert shown.matrix.is_whole
        found = np.broadcast_to(value(shown.matrix.right, values, sizes), columns.shape)
        assert found.shape == columns.shape, shown.matrix_form
        np.testing.assert_allclose(found, columns, rtol=1e-11, atol=1e-13, err_msg=shown.matrix_form)
