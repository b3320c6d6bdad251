"""Labels that are no class: losses leave them out, modules accept them and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError

torch = pytest.importorskip("torch", reason="PyTorch is not installed: losses not compared")
F = torch.nn.functional
N, K = bp.dims("N K")
LABELS = np.array([1, -100, 0, 2, -100])


def net(**options):
    z, y = bp.param("z", (N, K)), bp.labels("y", (N,), classes=K, ignored=-100)
    weight = bp.input("weight", (K,), "positive")
    return bp.Network("net", loss=bp.cross_entropy(z, y, from_logits=True, weight=weight, **options))


@pytest.mark.few(fast=2)
@pytest.mark.parametrize(
    "options", [{}, {"reduction": "sum"}, {"label_smoothing": 0.1}, {"ignore_index": 2}], ids=str
)
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_as_pytorch_has_it(options, target):
    rng = np.random.default_rng(1)
    values, weight = rng.normal(size=(5, 3)), np.array([0.5, 1.0, 2.0])
    module = bp.compile(net(**options), target=target, optimizer=bp.optim.SGD(0.1))
    loss, gradients = module.loss_and_gradients({"z": values}, y=LABELS, weight=weight)
    z, y = torch.tensor(values, requires_grad=True), torch.tensor(LABELS)
    rest = dict(options)
    y[y == rest.pop("ignore_index", -100)] = -100
    expected = torch.nn.functional.cross_entropy(z, y, torch.tensor(weight), **rest)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(gradients["z"], z.grad.numpy(), rtol=1e-10, atol=1e-14)


OTHERS = {
    "nll": (lambda z, y: bp.nll(bp.log_softmax(z), y), lambda z, y: F.nll_loss(z.log_softmax(-1), y)),
    "weighted nll": (
        lambda z, y: bp.nll(z, y, bp.input("weight", (K,)), ignore_index=2),
        lambda z, y, w: F.nll_loss(z[y != 2], y[y != 2], w),
    ),
    "multi_margin": (bp.multi_margin, F.multi_margin_loss),
    "poly_loss": (
        lambda z, y: bp.poly_loss(bp.softmax(z), y),
        lambda z, y: F.cross_entropy(z, y) + (1 - z.softmax(-1)[torch.arange(len(y)), y]).mean(),
    ),
}


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_rows_without_a_label_count_as_nothing(name, target):
    """The same as without these rows."""
    ours, theirs = OTHERS[name]
    z, y = bp.param("z", (N, K)), bp.labels("y", (N,), classes=K, ignored=-100)
    module = bp.compile(bp.Network("net", loss=ours(z, y)), target=target, optimizer=bp.optim.SGD(0.1))
    data = {"weight": np.array([0.5, 1.0, 2.0])} if name == "weighted nll" else {}
    values = np.random.default_rng(3).normal(size=(5, 3))
    loss, gradients = module.loss_and_gradients({"z": values}, y=LABELS, **data)
    given, rows = torch.tensor(values, requires_grad=True), torch.tensor(LABELS) != -100
    expected = theirs(given[rows], torch.tensor(LABELS)[rows], *map(torch.tensor, data.values()))
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(gradients["z"], given.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_accuracy_is_that_of_rows_with_a_label():
    z, y = bp.param("z", (N, K)), bp.labels("y", (N,), classes=K, ignored=-100)
    loss = bp.cross_entropy(z, y, from_logits=True)
    declared = bp.Network("net", loss=loss, metrics={"accuracy": bp.accuracy(z, y)})
    module = bp.compile(declared, optimizer=bp.optim.SGD(0.1))
    values = np.eye(3)[[1, 0, 0, 0, 2]]  # right, no label, right, wrong, no label
    assert module.evaluate({"z": values}, y=LABELS)["accuracy"] == pytest.approx(2 / 3)


def test_a_module_refuses_other_labels():
    module = bp.compile(net(), target="numpy", optimizer=bp.optim.SGD(0.1))
    data = {"weight": np.ones(3), "y": np.array([0, -1])}
    with pytest.raises(ValueError, match="y holds -1; its values must lie from 0 to 2, or be -100"):
        module.fit(module.init_state(module.init_params(N=2, K=3)), data, epochs=1, batch_size=2)


def test_a_module_checks_itself():
    assert bp.check(net()).ok
    module = bp.compile(net(), target="numpy", optimizer=bp.optim.SGD(0.1))
    assert module.INTEGERS == {"y": ("K", -100)}
    assert "FAIL" not in str(module.check_gradients())


def test_the_fact_is_needed():
    """A negative label that nobody declared would be refused by the module, so it is refused at once."""
    z, y = bp.param("z", (N, K)), bp.labels("y", (N,), classes=K)
    with pytest.raises(DeclarationError, match="ignored=-100"):
        bp.cross_entropy(z, y, from_logits=True, ignore_index=-100)
