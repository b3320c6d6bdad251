"""Class weights put into a loss afterwards are those that could have been declared."""

from fractions import Fraction

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError

N, D, K = bp.dim("N"), bp.dim("D", 3), bp.dim("K", 3)
WEIGHTS = [1, 2, 0.25]
LABELS = np.array([0, 1, 1, 2, 2, 0, 2])


def net(ignored=None, penalty=False, **options):
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K, ignored=ignored)
    W = bp.param("W", (D, K))
    z = x @ W
    loss = bp.cross_entropy(z, y, from_logits=True, **options)
    loss = loss + bp.l2_penalty(0.1, W) if penalty else loss
    return bp.Network("net", loss=loss, outputs={"p": bp.softmax(z)}, metrics={"accuracy": bp.accuracy(z, y)})


def found(network, labels=LABELS, target="numpy"):
    draw = np.random.default_rng(0)
    module = bp.compile(network, target=target, optimizer=bp.optim.SGD(0.1))
    data = {"x": draw.normal(size=(len(labels), 3)), "y": labels}
    params = {"W": draw.normal(size=(3, 3))}
    loss, gradients = module.loss_and_gradients(params, **data)
    return loss, gradients["W"], module.evaluate(params, **data)["accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({"penalty": True}, LABELS),
        ({"reduction": "sum"}, LABELS),
        ({"ignored": -1}, np.where(LABELS == 1, -1, LABELS)),
    ],
    ids=["a mean beside a penalty", "a sum", "rows without a label"],
)
def test_weights_are_those_that_a_declaration_has(options, labels):
    declared, put_in = net(weight=WEIGHTS, **options), bp.class_weighted(net(**options), WEIGHTS)
    for ours, theirs in zip(found(put_in, labels), found(declared, labels), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15)
    assert found(net(**options), labels)[0] != pytest.approx(found(declared, labels)[0], rel=1e-3)


@pytest.mark.slow
def test_a_weighted_loss_is_proven_and_compared_with_torch():
    torch = pytest.importorskip("torch")
    assert bp.check(bp.class_weighted(net(), WEIGHTS)).ok
    draw = np.random.default_rng(0)
    x, W = draw.normal(size=(7, 3)), torch.tensor(draw.normal(size=(3, 3)), requires_grad=True)
    weight = torch.tensor(WEIGHTS, dtype=torch.float64)
    loss = torch.nn.functional.cross_entropy(torch.tensor(x) @ W, torch.tensor(LABELS), weight)
    loss.backward()
    ours = found(bp.class_weighted(net(), [Fraction(1), 2, 0.25]))
    assert ours[0] == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(ours[1], W.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_what_has_no_rows_with_a_label_is_refused():
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W = bp.param("W", (D, K))
    each = bp.cross_entropy(x @ W, y, from_logits=True, reduction="none")
    for loss, message in (
        (bp.max(each), "a loss that sums over rows with one label of y each"),
        (bp.cross_entropy(x @ W, y, from_logits=True, weight=WEIGHTS), "sums over rows"),
        (bp.sum(bp.square(x @ W)), "no target that holds labels"),
    ):
        with pytest.raises(UsageError, match=message):
            bp.class_weighted(bp.Network("net", loss=loss), WEIGHTS)
    with pytest.raises(UsageError, match="2 class weights for 3 classes"):
        bp.class_weighted(net(), [1, 2])
    with pytest.raises(UsageError, match="-1 is no class weight"):
        bp.class_weighted(net(), [1, 2, -1])


@pytest.mark.slow
def test_the_loss_at_inference_is_weighted_too():
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W = bp.param("W", (D, K))
    z = bp.nn.Dropout(0.5)(x) @ W
    made = [bp.Network("n", loss=bp.cross_entropy(z, y, from_logits=True, weight=w)) for w in (None, WEIGHTS)]
    values = {"x": np.random.default_rng(0).normal(size=(7, 3)), "y": LABELS}
    params = {"W": np.random.default_rng(1).normal(size=(3, 3))}
    ours, theirs = (
        bp.compile(net, optimizer=bp.optim.SGD(0.1)) for net in (bp.class_weighted(made[0], WEIGHTS), made[1])
    )
    assert ours.evaluate(params, **values)["loss"] == pytest.approx(theirs.evaluate(params, **values)["loss"])
    pair = [module.loss_and_gradients(params, seed=3, **values)[0] for module in (ours, theirs)]
    assert pair[0] == pytest.approx(pair[1], rel=1e-13)


@pytest.mark.parametrize("scale", [1, 300])
def test_weights_of_0_and_1_are_those_of_torch_also_where_nothing_is_in_doubt(scale):
    torch = pytest.importorskip("torch")
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,), facts=["binary"]), bp.param("w", (D,))
    p = bp.sigmoid(x @ w)
    plain = bp.Network("net", loss=bp.binary_cross_entropy(p, y), outputs={"p": p})
    module = bp.compile(bp.class_weighted(plain, [1, 30]), optimizer=bp.optim.SGD(0.1))
    draw = np.random.default_rng(0)
    values, labels = scale * draw.normal(size=(9, 3)), np.arange(9) % 4 == 0
    v = torch.tensor(draw.normal(size=3), requires_grad=True)
    row = torch.where(torch.tensor(labels), 30.0, 1.0).double()
    of_rows = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(values) @ v, torch.tensor(labels).double(), weight=row, reduction="sum"
    )
    (of_rows / row.sum()).backward()
    loss, gradients = module.loss_and_gradients({"w": v.detach().numpy()}, x=values, y=labels.astype(float))
    assert loss == pytest.approx((of_rows / row.sum()).item(), rel=1e-12)
    np.testing.assert_allclose(gradients["w"], v.grad.numpy(), rtol=1e-10, atol=1e-14)
