"""Networks whose loss holds a derivative: PyTorch's double backward, and training in both targets."""

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_point

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]
SIZES = {"N": 6, "D": 3, "H": 5}


def critic():
    """The gradient penalty (‖∂u/∂x‖ − 1)² (Gulrajani et al. 2017)."""
    N, D, H = bp.dims("N D H")
    x = bp.input("x", (N, D))
    W, c = bp.param("W", (D, H)), bp.param("c", (H,))
    v = bp.param("v", (H,), init=bp.optim.initial.constant(0.5))  # a norm of 0 has no direction
    u = bp.tanh(x @ W + c) @ v
    slope = bp.grad(u, x)
    penalty = ((bp.sqrt((slope * slope).sum(1)) - 1) ** 2).mean()
    return bp.Network("critic", loss=penalty + u.mean(), outputs={"u": u})


def oscillator():
    """The residual u″ + u of a network of one input (Raissi et al. 2019)."""
    N, H, one = bp.dim("N"), bp.dim("H"), bp.dim("D", 1)
    t = bp.input("t", (N, one))
    W, c, v = bp.param("W", (one, H)), bp.param("c", (H,)), bp.param("v", (H, one))
    u = bp.tanh(t @ W + c) @ v
    u_t = bp.grad(u, t)
    u_tt = bp.grad(u_t, t)
    return bp.Network("oscillator", loss=((u_tt + u) ** 2).mean(), outputs={"u": u, "u_t": u_t})


def sobolev():
    """Values and slopes fitted together (Czarnecki et al. 2017)."""
    N, D, H = bp.dims("N D H")
    x, y, s = bp.input("x", (N, D)), bp.target("y", (N,)), bp.target("s", (N, D))
    W, c, v = bp.param("W", (D, H)), bp.param("c", (H,)), bp.param("v", (H,))
    u = bp.sigmoid(x @ W + c) @ v
    return bp.Network("sobolev", loss=bp.mse(u, y) + bp.mse(bp.grad(u, x), s), outputs={"u": u})


def torch_slope(u, x):
    import torch

    return torch.autograd.grad(u.sum(), [x], create_graph=True)[0]


def torch_critic(x, W, c, v):
    u = (x @ W + c).tanh() @ v
    return ((torch_slope(u, x).square().sum(1).sqrt() - 1) ** 2).mean() + u.mean()


def torch_oscillator(t, W, c, v):
    u = (t @ W + c).tanh() @ v
    return (torch_slope(torch_slope(u, t), t) + u).square().mean()


def torch_sobolev(x, y, s, W, c, v):
    u = (x @ W + c).sigmoid() @ v
    return (u - y).square().mean() + (torch_slope(u, x) - s).square().mean()


CASES = {
    "critic": (critic, torch_critic),
    "oscillator": (oscillator, torch_oscillator),
    "sobolev": (sobolev, torch_sobolev),
}


def sizes_of(net):
    return {name: {**SIZES, **net.system.bound}[name] for name in net.system.sizes}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_double_backward(name):
    torch = pytest.importorskip("torch")
    declare, reference = CASES[name]
    net = declare()
    derivation = bp.derive(net)
    chosen, values = sample_point(derivation.declared, 8, sizes=sizes_of(net))
    found = run(derivation.system, values, chosen)
    given = {n: torch.tensor(np.asarray(a), requires_grad=True) for n, a in values.items()}
    loss = reference(**given)
    loss.backward()
    assert float(found["loss"]) == pytest.approx(loss.item(), rel=1e-12)
    for parameter, gradient in derivation.gradients.items():
        theirs = given[parameter].grad.numpy()
        scale = max(np.linalg.norm(theirs), 1e-8)
        assert np.linalg.norm(found[gradient] - theirs) / scale < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_generated_modules_train(name, target):
    net = CASES[name][0]()
    derivation = bp.derive(net)
    sizes = {k: v for k, v in sizes_of(net).items() if k != "N"}
    module = bp.compile(net, target=target, optimizer=bp.optim.Adam(1e-2), derivation=derivation, sizes=sizes)
    report = bp.check(net, derivation=derivation, module=module, sizes=sizes)
    assert report.ok, report
    chosen, values = sample_point(derivation.declared, 4, sizes=sizes_of(net))
    data = {n: values[n] for n in module.INPUTS}
    state = module.init_state(module.init_params(0))
    losses = [module.train_step(state, **data) for _ in range(30)]
    assert losses[-1] < losses[0]
    assert np.isfinite(losses).all()
    outputs = module.predict(state.params, **data)
    expected = run(derivation.system, {**values, **state.params}, chosen)
    for output in module.OUTPUTS:
        np.testing.assert_allclose(outputs[output], expected[output], rtol=1e-10, atol=1e-12)
