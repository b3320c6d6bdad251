"""A derivative by an input inside a loss: a gradient penalty, differentiated once and twice more."""

import numpy as np
import sympy

from symbp.derive.sweep.reverse import adjoints
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.system import Equation, Reduction, Role, Tensor

N, D, H = sizes("N D H")
n, i, j = indices("n i j")


def gradient_penalty():
    """loss = Σ u + Σ_n (‖∂u/∂x_n‖ − 1)², with u a perceptron of one hidden layer."""
    b = SystemBuilder()
    x = b.leaf("x", N, D)
    w, bias, out = (
        b.leaf(a, *s, role=Role.PARAMETER) for a, s in (("w", (D, H)), ("bias", (H,)), ("out", (H,)))
    )
    z = b.define("z", [n, j], x(n, i) * w(i, j), "sum", [i])
    u = b.define("u", [n], sympy.tanh(z(n, j) + bias(j)) * out(j), "sum", [j])
    b.define("total", [], u(n), "sum", [n])
    inner = adjoints(b.system(), "total", ["x"])
    slope = inner.system.at(inner.gradients["x"], n, i)
    norm, total = Tensor("norm", (N,)), inner.system.at("total")
    penalty, loss = Tensor("penalty", ()), Tensor("loss", (), Role.LOSS)
    return inner.system.extended(
        (norm, penalty, loss),
        (
            Equation("norm", (n,), slope**2, Reduction("sum", (i,)), (), (N, D)),
            Equation("penalty", (), (sympy.sqrt(norm.at(n)) - 1) ** 2, Reduction("sum", (n,)), (), (N,)),
            Equation("loss", (), total + penalty.at()),
        ),
    ).with_(loss="loss")


def test_a_gradient_penalty(probe):
    rng = np.random.default_rng(12)
    shapes = {"x": (4, 3), "w": (3, 5), "bias": (5,), "out": (5,)}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def torch_loss(x, w, bias, out):
        import torch

        u = (x @ w + bias).tanh() @ out
        (slope,) = torch.autograd.grad(u.sum(), [x], create_graph=True)
        return u.sum() + ((slope**2).sum(1).sqrt() - 1).square().sum()

    probe(gradient_penalty(), values, {"N": 4, "D": 3, "H": 5}, list(shapes), torch_loss)
