"""What a plain module's functions take."""

import numpy as np

import symbp as bp


def test_the_loss_takes_every_declared_input_as_in_other_targets():
    N, D = bp.dims("N D")
    x, y, t = bp.param("x", (N, D)), bp.input("y", (N, D)), bp.target("t", (N,))
    net = bp.Network("net", loss=((y - y) * x + x * x).sum() + 0 * t.sum())
    point = {"x": np.ones((2, 2))}
    for target in ("plain", "numpy"):
        module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
        loss, gradients = module.loss_and_gradients(point, y=np.ones((2, 2)), t=np.ones(2))
        assert loss == 4
        np.testing.assert_array_equal(gradients["x"], 2 * point["x"])
    module = bp.compile(net, target="plain", optimizer=bp.optim.SGD(0.25))
    trained = module.train(point, y=np.ones((2, 2)), t=np.ones(2), epochs=1, batch=1)
    np.testing.assert_array_equal(trained["x"], np.full((2, 2), 0.5))


def test_what_is_zero_throughout_has_its_shape():
    N, D = bp.dims("N D")
    x, y = bp.param("x", (N, D)), bp.input("y", (N, D))
    net = bp.Network("net", loss=(bp.sign(0 * y) * x * x).sum())
    module = bp.compile(net, target="plain", optimizer=bp.optim.SGD(0.1))
    loss, gradients = module.loss_and_gradients({"x": np.ones((2, 3))}, y=np.ones((2, 3)))
    assert loss == 0
    np.testing.assert_array_equal(gradients["x"], np.zeros((2, 3)))
