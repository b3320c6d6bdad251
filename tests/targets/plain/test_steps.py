"""What loops read at their steps."""

import numpy as np
from plain_values import agree

import symbp as bp
from symbp.ir.evaluation.vector import run

N, T, D = bp.dims("N T D")
n, t, i = bp.indices("n t i")
SIZES = {"N": 2, "T": 3, "D": 2}


def scan(u, body):
    h = bp.recurrent("h", u.shape)
    return bp.define(h, [n, t, i], body(u[n, t, i], h.at(n, t - 1, i, outside=0)))


def agrees(loss, **values):
    net = bp.Network("net", loss=loss)
    derivation = bp.derive(net)
    expected = run(derivation.system, values, {**SIZES, **net.system.bound})
    module = bp.compile(net, target="plain", optimizer=bp.optim.SGD(0.1), derivation=derivation)
    parameters = {p.name: values[p.name] for p in net.system.parameters}
    data = {name: array for name, array in values.items() if name not in parameters}
    found, gradients = module.loss_and_gradients(parameters, **data)
    agree(found, expected[net.system.loss], "the loss")
    for key, name in derivation.gradients.items():
        agree(gradients[key], expected[name], key)


def test_a_softmax_over_time_in_a_recurrence():
    x = bp.param("x", (N, T, D))
    share = bp.softmax(x, axis=1)
    h = scan(share, lambda u, before: u + bp.tanh(before))
    agrees((h * x).sum(), x=np.random.default_rng(0).normal(size=(2, 3, 2)))


def test_the_row_of_a_table_at_the_next_step():
    x, table = bp.param("x", (N, T, D)), bp.param("table", (4, D))
    letters = bp.labels("letters", (N, T), classes=4)
    positive = table[letters[n, t], i] > 0
    h = scan(x, lambda u, before: bp.where(positive, before * u, u))
    rng = np.random.default_rng(1)
    agrees(
        (h * x).sum(),
        x=rng.normal(size=(2, 3, 2)),
        table=rng.normal(size=(4, 2)),
        letters=rng.integers(0, 4, (2, 3)),
    )
