"""Batch norm in training, with the equations for the next running statistics."""

import numpy as np
import pytest
import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.system import Role

N, D = sizes("N D")
n, j = indices("n j")


def test_batch_norm_with_running_statistics(probe):
    b = SystemBuilder()
    x = b.leaf("x", N, D)
    gain, shift = b.leaf("gain", D, role=Role.PARAMETER), b.leaf("shift", D, role=Role.PARAMETER)
    mean, spread = b.leaf("running_mean", D, role=Role.BUFFER), b.leaf("running_var", D, role=Role.BUFFER)
    momentum, eps = b.leaf("momentum", role=Role.HYPER), b.leaf("eps", role=Role.HYPER)
    mu = b.define("mu", [j], x(n, j) / N, "sum", [n])
    var = b.define("var", [j], (x(n, j) - mu(j)) ** 2 / N, "sum", [n])
    y = b.define("y", [n, j], gain(j) * (x(n, j) - mu(j)) / sympy.sqrt(var(j) + eps()) + shift(j))
    b.declare("next_mean", D, role=Role.NEXT)
    b.define("next_mean", [j], (1 - momentum()) * mean(j) + momentum() * mu(j))
    b.declare("next_var", D, role=Role.NEXT)
    b.define("next_var", [j], (1 - momentum()) * spread(j) + momentum() * var(j) * N / (N - 1))
    b.define("loss", [], sympy.tanh(y(n, j)) * (n + 1), "sum", [n, j])
    system = b.system("loss", updates={"running_mean": "next_mean", "running_var": "next_var"})
    rng = np.random.default_rng(11)
    values = {
        "x": rng.normal(size=(5, 3)),
        "gain": rng.normal(size=3),
        "shift": rng.normal(size=3),
        "running_mean": rng.normal(size=3),
        "running_var": rng.random(3),
        "momentum": 0.1,
        "eps": 1e-5,
    }

    def normalised(x, gain, shift, running_mean, running_var):
        import torch.nn.functional as functional

        return functional.batch_norm(x, running_mean, running_var, gain, shift, True, 0.1, 1e-5)

    def torch_loss(x, gain, shift, running_mean, running_var, momentum, eps):  # noqa: ARG001
        import torch

        y = normalised(x, gain, shift, running_mean.clone(), running_var.clone())
        return (y.tanh() * torch.arange(1, 6)[:, None]).sum()

    checked = probe(system, values, {"N": 5, "D": 3}, ["x", "gain", "shift"], torch_loss)
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: running statistics not compared")
    buffers = [torch.tensor(values[name]) for name in ("running_mean", "running_var")]
    normalised(*(torch.tensor(values[name]) for name in ("x", "gain", "shift")), *buffers)
    np.testing.assert_allclose(checked.tensors["next_mean"], buffers[0], rtol=1e-12)
    np.testing.assert_allclose(checked.tensors["next_var"], buffers[1], rtol=1e-12)
