"""Values through which no gradient flows: never taken for what they equal, in any derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.vector import Run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: gradients not compared")

N, H, K = bp.dims("N H K")
SIZES = {"N": 3, "H": 4, "K": 5}
SG = bp.stop_gradient


def stop(x: Any) -> Any:
    return x.detach()


def arrays(**shapes: tuple[int, ...]) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def gradients(net: bp.Network, values: dict[str, Any]) -> dict[str, Any]:
    """The gradients as the derived system has them, and as modules of both targets compute them."""
    derivation = bp.derive(net)
    assert not any("could not be confirmed" in warning for warning in derivation.warnings)
    sizes = {name: SIZES[name] for name in derivation.system.sizes}
    run = Run(derivation.system, values, sizes)
    found = {name: run.tensor(tensor) for name, tensor in derivation.gradients.items()}
    params = {t.name: values[t.name] for t in net.system.parameters}
    data = {name: value for name, value in values.items() if name not in params}
    module = bp.compile(derivation, target="numpy")
    for name, gradient in module.derivatives(params, **data).items():
        if name in found:
            np.testing.assert_allclose(gradient, found[name], rtol=1e-10, atol=1e-12)
    report = bp.check(net, derivation=derivation, sizes=sizes)
    assert report.ok, str(report)
    return found


def compare(net: bp.Network, values: dict[str, Any], loss: Any) -> None:
    """`loss` computes the same of PyTorch's tensors."""
    tensors = {name: torch.tensor(value) for name, value in values.items()}
    for leaf in net.system.parameters:
        tensors[leaf.name].requires_grad_()
    loss(**tensors).backward()
    for name, gradient in gradients(net, values).items():
        grad = tensors[name].grad
        expected = np.zeros(tensors[name].shape) if grad is None else grad.numpy()
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.slow
def test_the_same_expression_stopped_and_not() -> None:
    x = bp.param("x", (N, H))
    a = bp.tanh(x)
    net = bp.Network("n", loss=(a * SG(a) * a + SG(bp.tanh(x)) * x).sum())
    compare(net, arrays(x=(3, 4)), lambda x: (x.tanh() ** 2 * stop(x.tanh()) + stop(x.tanh()) * x).sum())


def test_a_stopped_leaf_is_not_the_leaf() -> None:
    x = bp.param("x", (N, H))
    net = bp.Network("n", loss=(x**3 * SG(x) - x * SG(x * x)).sum())
    compare(net, arrays(x=(3, 4)), lambda x: (x**3 * stop(x) - x * stop(x * x)).sum())


def test_a_difference_with_the_stopped_value_is_not_zero() -> None:
    x = bp.param("x", (N,))
    net = bp.Network("n", loss=(bp.exp(x) - SG(bp.exp(x))).sum() + ((x - SG(x)) * 3).sum())
    compare(net, arrays(x=(3,)), lambda x: (x.exp() - stop(x.exp()) + 3 * (x - stop(x))).sum())


def test_straight_through() -> None:
    x, w = bp.param("x", (N, H)), bp.param("w", (H, K))
    q = x + SG(bp.round(x) - x)
    compare(
        bp.Network("n", loss=((q @ w) ** 2).sum()),
        arrays(x=(3, 4), w=(4, 5)),
        lambda x, w: (((x + stop(x.round() - x)) @ w) ** 2).sum(),
    )


@pytest.mark.slow
def test_vector_quantisation() -> None:
    z, e = bp.param("z", (N, H)), bp.param("e", (K, H))
    n, k, h = bp.indices("n k h")
    distance = bp.define("distance", [n, k], bp.Sum((z[n, h] - e[k, h]) ** 2, h))
    code = (-distance).argmax(axis=1)
    q = bp.take(e, code)
    out = z + SG(q - z)
    loss = (out**2).sum() + ((SG(z) - q) ** 2).sum() + 0.25 * ((z - SG(q)) ** 2).sum()

    def theirs(z: Any, e: Any) -> Any:
        q = e[((z[:, None] - e) ** 2).sum(-1).argmin(-1)]
        out = z + stop(q - z)
        return (out**2).sum() + ((stop(z) - q) ** 2).sum() + 0.25 * ((z - stop(q)) ** 2).sum()

    compare(bp.Network("n", loss=loss), arrays(z=(3, 4), e=(5, 4)), theirs)


@pytest.mark.slow
def test_gradient_reversal() -> None:
    x, w = bp.param("x", (N, H)), bp.param("w", (H,))
    reverse = -0.7 * x + SG(1.7 * x)
    compare(
        bp.Network("n", loss=(bp.sigmoid(reverse @ w)).sum()),
        arrays(x=(3, 4), w=(4,)),
        lambda x, w: torch.sigmoid((-0.7 * x + stop(1.7 * x)) @ w).sum(),
    )


@pytest.mark.slow
def test_target_network_and_stopped_softmax() -> None:
    x, w = bp.input("x", (N, H)), bp.param("w", (H, K))
    p = bp.softmax(x @ w)
    loss = (
        bp.cross_entropy(x @ w * 2, SG(p), from_logits=True) + (p * SG(bp.logsumexp(x @ w, -1)).sum()).mean()
    )

    def theirs(x: Any, w: Any) -> Any:
        z = x @ w
        own = -(stop(z.softmax(-1)) * (2 * z).log_softmax(-1)).sum(-1).mean()
        return own + (z.softmax(-1) * stop(z.logsumexp(-1)).sum()).mean()

    compare(bp.Network("n", loss=loss), arrays(x=(3, 4), w=(4, 5)), theirs)


def test_a_stopped_softmax_stays_stable() -> None:
    z = bp.param("z", (N, K))
    p = SG(bp.softmax(z))
    net = bp.Network("n", loss=(p * z).sum() + (SG(bp.logsumexp(z, -1)) * z.sum(-1)).sum())
    derivation = bp.derive(net)
    value = np.array([[800.0, 0.0, -800.0, 1.0, 799.0]])
    (found,) = (Run(derivation.system, {"z": value}, {"N": 1, "K": 5}).tensor("dz"),)
    e = np.exp(value - 800)
    np.testing.assert_allclose(found, e / e.sum() + 800 + np.log(e.sum()), rtol=1e-12)


@pytest.mark.slow
def test_second_derivatives_see_no_stopped_value() -> None:
    x = bp.param("x", (N,))
    net = bp.Network("n", loss=(x**3 + x**2 * SG(x) + x * SG(bp.tanh(x)) + SG(x) ** 2 * x).sum())
    value = arrays(x=(3,))["x"]
    hessian = bp.derive(net, order=2)
    run = Run(hessian.system, {"x": value}, {"N": 3})
    np.testing.assert_allclose(
        run.tensor(hessian.gradients["x,x"]), np.diag(6 * value + 2 * value), rtol=1e-12
    )
    product = bp.hvp(net)
    direction = np.array([1.0, -2.0, 0.5])
    run = Run(product.system, {"x": value, "v_x": direction}, {"N": 3})
    np.testing.assert_allclose(run.tensor(product.gradients["x"]), 8 * value * direction, rtol=1e-12)
    assert bp.check(net, derivation=hessian).ok
    assert bp.check(net, derivation=product).ok
    found = bp.compile(product).derivatives({"x": value}, v_x=direction)
    np.testing.assert_allclose(found["x"], 8 * value * direction, rtol=1e-12)


def test_a_second_derivative_does_not_look_through_what_was_stopped() -> None:
    x = bp.param("x", (N,))
    product = bp.hvp(bp.Network("n", loss=(x**3 * SG(bp.exp(x))).sum()))
    value, direction = np.array([1.0, -2.0, 0.5]), np.array([1.0, 2.0, -1.0])
    found = bp.compile(product).derivatives({"x": value}, v_x=direction)
    np.testing.assert_allclose(found["x"], 6 * value * np.exp(value) * direction, rtol=1e-12)


@pytest.mark.slow
def test_blocks_that_are_repeated() -> None:
    def block(x: Any) -> Any:
        h = bp.tanh(x @ bp.param("W", (H, H)))
        return x + h + SG(bp.round(2 * h) - h)

    x = bp.input("x", (N, H))
    net = bp.Network("n", loss=(bp.nn.Repeat(block, 3)(x) ** 2).sum())
    (leaf,) = net.system.parameters
    values = arrays(x=(2, 3), W=(3, 3, 3))
    weights, state = torch.tensor(values["W"], requires_grad=True), torch.tensor(values["x"])
    for w in weights:
        h = (state @ w).tanh()
        state = state + h + stop((2 * h).round() - h)
    (state**2).sum().backward()
    found = bp.compile(bp.derive(net)).derivatives({leaf.name: values["W"]}, x=values["x"])
    np.testing.assert_allclose(found[leaf.name], weights.grad.numpy(), rtol=1e-9)


@pytest.mark.slow
def test_both_modes_and_a_buffer() -> None:
    x, w = bp.input("x", (N, H)), bp.param("w", (H,))
    h = x * w
    q = bp.mode(train=h + SG(bp.round(h) - h), infer=bp.round(h))
    mean = bp.buffer("mean", (H,))
    mean = bp.update(mean, 0.9 * mean + 0.1 * SG(q).mean(0))
    net = bp.Network(
        "n", loss=((q - mean) ** 2).sum(), outputs={"q": q, "c": SG(h)}, metrics={"e": SG(q).mean()}
    )
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    values, weights = arrays(x=(2, 3))["x"], np.array([1.0, 2.0, 0.5])
    rounded = np.round(values * weights)
    _, found = module.loss_and_gradients({"w": weights}, x=values)
    np.testing.assert_allclose(found["w"], (2 * rounded * values).sum(0), rtol=1e-12)
    np.testing.assert_array_equal(module.forward({"w": weights}, x=values)["c"], values * weights)
    measured = module.evaluate({"w": weights}, module.init_buffers(H=3), x=values)
    assert measured["e"] == pytest.approx(rounded.mean())


@pytest.mark.slow
def test_two_branches_of_one_encoder_of_which_each_is_stopped_once() -> None:
    a, b, w = bp.input("a", (N, H)), bp.input("b", (N, H)), bp.param("w", (H, H))
    one, two = (bp.l2_normalize(bp.relu(x @ w)) for x in (a, b))
    loss = -(one * SG(two)).sum(-1).mean() / 2 - (two * SG(one)).sum(-1).mean() / 2

    def theirs(a: Any, b: Any, w: Any) -> Any:
        one, two = (torch.nn.functional.normalize((x @ w).relu(), dim=-1) for x in (a, b))
        return -(one * stop(two)).sum(-1).mean() / 2 - (two * stop(one)).sum(-1).mean() / 2

    compare(bp.Network("n", loss=loss), arrays(a=(3, 4), b=(3, 4), w=(4, 4)), theirs)


@pytest.mark.slow
def test_derivatives_in_a_declaration() -> None:
    x, w = bp.input("x", (N, H)), bp.param("w", (H,))
    u = bp.tanh(x @ w) ** 2 * SG(bp.tanh(x @ w))
    du = bp.grad(u, x)
    net = bp.Network(
        "n", loss=(du**2).sum() + (SG(du) * du).sum() + (SG(du**2) * bp.unsqueeze(x @ w, 1)).sum()
    )

    def theirs(x: Any, w: Any) -> Any:
        x = x.clone().requires_grad_()
        a = (x @ w).tanh()
        (du,) = torch.autograd.grad((a**2 * stop(a)).sum(), x, create_graph=True)
        return (du**2 + stop(du) * du + stop(du**2) * (x @ w)[:, None]).sum()

    compare(net, arrays(x=(3, 4), w=(4,)), theirs)


def test_a_derivative_by_a_stopped_value_is_that_of_the_other_factor() -> None:
    x = bp.param("x", (N,))
    c = SG(bp.sin(x))
    net = bp.Network("n", loss=(bp.grad(c * c * x, c) * x).sum())
    compare(net, arrays(x=(3,)), lambda x: (2 * stop(x.sin()) * x * x).sum())


@pytest.mark.slow
def test_truncated_recurrence() -> None:
    n, t, j = bp.indices("n t j")
    T = bp.dim("T")
    x, w = bp.input("x", (N, T, H)), bp.param("w", (H,))
    h = bp.recurrent("h", (N, T, H))
    past = SG(h.at(n, t - 1, j, outside=0))
    h = bp.define(h, [n, t, j], bp.tanh(w[j] * past + x[n, t, j] * w[j]))
    net = bp.Network("n", loss=(h**2).sum())
    value = arrays(x=(3, 4, 2), w=(2,))

    def theirs(x: Any, w: Any) -> Any:
        state, total = torch.zeros(3, 2), 0
        for step in range(4):
            state = (w * stop(state) + x[:, step] * w).tanh()
            total = total + (state**2).sum()
        return total

    tensors = {name: torch.tensor(v, requires_grad=name == "w") for name, v in value.items()}
    theirs(**tensors).backward()
    derivation = bp.derive(net)
    run = Run(derivation.system, value, {"N": 3, "T": 4, "H": 2})
    np.testing.assert_allclose(run.tensor("dw"), tensors["w"].grad.numpy(), rtol=1e-10)
    for target in ("numpy",):
        module = bp.compile(derivation, target=target)
        found = module.derivatives({"w": value["w"]}, x=value["x"])
        np.testing.assert_allclose(found["w"], tensors["w"].grad.numpy(), rtol=1e-10)
    assert bp.check(net, derivation=derivation).ok


def test_steps_have_no_slope_but_values() -> None:
    x = bp.param("x", (N, H))
    loss = (bp.floor(3 * x) * x + bp.ceil(x) + (x % 0.7) ** 2 + (x // 0.3) * x**2 + bp.round(x) * x).sum()
    compare(
        bp.Network("n", loss=loss),
        arrays(x=(3, 4)),
        lambda x: (
            (3 * x).floor() * x + x.ceil() + x.remainder(0.7) ** 2 + (x / 0.3).floor() * x**2 + x.round() * x
        ).sum(),
    )


def test_a_floor_is_not_the_mask_that_it_equals_near_zero() -> None:
    x = bp.param("x", (N,))
    loss = (bp.floor(x) * x**2 + bp.where(x < 0, x, 0) + bp.relu(x) * bp.ceil(x)).sum()
    compare(
        bp.Network("n", loss=loss),
        {"x": np.array([2.5, -3.25, 0.5])},
        lambda x: (x.floor() * x**2 + x * (x < 0) + x.relu() * x.ceil()).sum(),
    )


def test_a_loss_that_is_stopped_has_no_gradient() -> None:
    x = bp.param("x", (N,))
    derivation = bp.derive(bp.Network("n", loss=SG((x**2).sum())))
    assert derivation.warnings == ("the loss does not depend on x: its gradient is zero",)
    assert str(derivation["x"].equation) == "dx[i] = 0"


def test_a_module_checks_what_differences_can_tell() -> None:
    x, w = bp.param("x", (2, 3)), bp.param("w", (3,))
    net = bp.Network("n", loss=(x * SG(x) * w + bp.floor(w)).sum())
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    assert [row["parameter"] for row in module.check_gradients()] == ["w"]
    assert all(row["ok"] for row in module.check_gradients())


def test_in_index_notation_and_in_numbers() -> None:
    x = bp.param("x", (N,))
    n = bp.index("n")
    y = bp.define("y", [n], x[n] * SG(x[n] ** 2) + SG(2))
    compare(bp.Network("n", loss=y.sum()), arrays(x=(3,)), lambda x: (x * stop(x**2) + 2).sum())
