"""Order along an axis: sorted values, places, medians and quantiles, beside NumPy and PyTorch, with ties."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.evaluation.domains import EXACT, HIGH, MODULAR
from symbp.ir.evaluation.interpret import evaluate

torch = pytest.importorskip("torch", reason="PyTorch is not installed: gradients not compared")

N, D, T = bp.dims("N D T")
n, t, i, r = bp.indices("n t i r")
TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]
Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def sorted_by(x: Any, axis: int = -1, descending: bool = False) -> Any:
    return torch.sort(x, dim=axis, descending=descending, stable=True).values


def middle(x: Any) -> Any:
    return sorted_by(x)[:, [(x.shape[1] - 1) // 2, x.shape[1] // 2]].mean(-1)


FUNCTIONS: dict[str, Pair] = {
    "sort": (bp.sort, sorted_by),
    "sort, descending, along the first axis": (
        lambda x: bp.sort(x, 0, descending=True), lambda x: sorted_by(x, 0, True)
    ),
    "sort of a function": (lambda x: bp.sort(bp.tanh(x) * x), lambda x: sorted_by(x.tanh() * x)),
    "topk": (lambda x: bp.topk(x, 2)[0], lambda x: sorted_by(x, -1, True)[:, :2]),
    "topk, smallest": (lambda x: bp.topk(x, 2, 0, largest=False)[0], lambda x: sorted_by(x, 0)[:2]),
    "median": (bp.median, middle),
    "first quantile": (lambda x: bp.quantile(x, 0.25), lambda x: torch.quantile(x, 0.25, -1)),
    "ninth quantile, first axis": (lambda x: bp.quantile(x, 0.9, 0), lambda x: torch.quantile(x, 0.9, 0)),
    "quantile of a third": (lambda x: bp.quantile(x, 1 / 3), lambda x: torch.quantile(x, 1 / 3, -1)),
    "ends": (lambda x: bp.quantile(x, 1) - 2 * bp.quantile(x, 0.0), lambda x: x.amax(-1) - 2 * x.amin(-1)),
    "trimmed mean": (lambda x: bp.sort(x)[:, 1:-1].mean(-1), lambda x: sorted_by(x)[:, 1:-1].mean(-1)),
}  # fmt: skip
NO_TIES = {"ends"}  # PyTorch splits them


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_those_of_torch(name: str, target: str) -> None:
    ours, theirs = FUNCTIONS[name]
    result = ours(bp.param("x", (N, D)))
    net = bp.Network("ordered", loss=(bp.exp(result) * result).sum(), outputs={"result": result})
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(0)
    for shape in ((3, 4), (4, 5), (2, 3), (6, 11)):
        for ties in (False, True):
            x = rng.normal(size=shape)
            x = np.round(x) if ties else x
            loss, gradients = module.loss_and_gradients({"x": x})
            leaf = torch.tensor(x, requires_grad=True)
            expected = theirs(leaf)
            total = (expected.exp() * expected).sum()
            total.backward()
            found = module.forward({"x": x})["result"]
            np.testing.assert_allclose(found, expected.detach(), rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(loss, total.item(), rtol=1e-11)
            if not ties or not ("quantile" in name or name in NO_TIES):
                np.testing.assert_allclose(gradients["x"], leaf.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_places(target: str) -> None:
    """Integer tensors: outputs, and subscripts of other tensors; equal elements as they stand."""
    x, y = bp.param("x", (N, D)), bp.input("y", (N, D))
    order, (_, best) = bp.argsort(x, 0), bp.topk(x, 2)
    carried = bp.define("carried", [n, r], y[n, best[n, r]])
    net = bp.Network(
        "places",
        loss=(carried**2).sum() + (x * x).sum(),
        outputs={"order": order, "best": best, "c": carried},
    )
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(1)
    x_, y_ = np.round(rng.normal(size=(5, 4))), rng.normal(size=(5, 4))
    found = module.forward({"x": x_}, y=y_)
    assert found["order"].dtype == found["best"].dtype == np.int64
    np.testing.assert_array_equal(found["order"], np.argsort(x_, 0, kind="stable"))
    expected = np.argsort(-x_, 1, kind="stable")[:, :2]
    np.testing.assert_array_equal(found["best"], expected)
    np.testing.assert_allclose(found["c"], np.take_along_axis(y_, expected, 1))
    np.testing.assert_allclose(module.loss_and_gradients({"x": x_}, y=y_)[1]["x"], 2 * x_)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_order_in_a_recurrence(target: str) -> None:
    """Each step keeps the sorted mixture of the one before: an order of every step, batch by batch."""
    x, h = bp.param("x", (N, T, D)), bp.recurrent("h", (N, T, D))
    mixed = bp.define("m", [n, t, i], h.at(n, t - 1, i, outside=0) / 2 + x[n, t, i])
    places = bp.argsort(mixed)
    h = bp.define(h, [n, t, r], bp.tanh(mixed[n, t, places[n, t, r]]))
    net = bp.Network("sorter", loss=(h**3).sum() + (h[:, :, 0] * h[:, :, 1]).sum())
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    value = np.random.default_rng(4).normal(size=(2, 3, 4))
    loss, gradients = module.loss_and_gradients({"x": value})
    leaf = torch.tensor(value, requires_grad=True)
    state, total = torch.zeros(2, 4, dtype=leaf.dtype), 0
    for step in leaf.unbind(1):
        state = torch.sort(state / 2 + step, -1).values.tanh()
        total = total + (state**3).sum() + (state[:, 0] * state[:, 1]).sum()
    total.backward()
    np.testing.assert_allclose(loss, total.item(), rtol=1e-11)
    np.testing.assert_allclose(gradients["x"], leaf.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_second_derivatives() -> None:
    x = bp.param("x", (D,))
    net = bp.Network("cubes", loss=(bp.sort(x)[:2] ** 3).sum())
    derivation = bp.derive(net, order=2)
    value = np.array([0.5, -1.0, 2.0, -0.5])
    hessian = derivation.gradients["x,x"]
    found = evaluate(derivation.system, {"x": value}, {"D": 4}, wanted=[hessian])[hessian]
    np.testing.assert_allclose(found, np.diag([0, -6.0, 0, -3.0]))


@pytest.mark.parametrize(
    "make", [bp.sort, bp.median, lambda x: bp.topk(x, 2)[0], lambda x: bp.quantile(x, 0.3)]
)
def test_the_checker_agrees(make: Any) -> None:
    report = bp.check(bp.Network("ordered", loss=(bp.sin(make(bp.param("x", (N, D)))) ** 2).sum()))
    assert report.ok, str(report)


def test_orders_over_every_domain() -> None:
    """Rationals, residues (whose companion has an order) and 50 digits: the same places."""
    net = bp.Network("ordered", loss=(bp.argsort(bp.input("x", (D,))) * bp.input("w", (D,))).sum())
    x, w = np.array([0.5, -1.0, 0.5, -0.25]), np.array([1.0, 10.0, 100.0, 1000.0])
    (order,) = (e.target for e in net.system.equations if e.op == "argsort")
    for domain in (EXACT, HIGH, MODULAR(101)):
        found = evaluate(net.system, {"x": x, "w": w}, {"D": 4}, domain)
        assert list(found[order]) == [1, 3, 0, 2]
        assert found[net.system.loss or ""].item() == domain.rational(Fraction(2031))


def test_a_derivation_shows_the_order() -> None:
    text = bp.derive(bp.Network("ordered", loss=(bp.sort(bp.param("x", (N, D))) ** 3).sum())).text()
    assert "(argsort_" in text
    assert "= o[" in text


def test_what_is_no_order() -> None:
    x = bp.input("x", (3, 4))
    with pytest.raises(ShapeError, match="fewer than k=5"):
        bp.topk(x, 5)
    for q in (-0.1, 1.5, "half"):
        with pytest.raises(DeclarationError, match="from 0 to 1"):
            bp.quantile(x, q)
    with pytest.raises(ShapeError, match="axis=2"):
        bp.sort(x, 2)
