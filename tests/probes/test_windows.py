"""Convolution with stride, padding and dilation; max-pooling with padding and ties."""

import numpy as np
import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import FloorDiv
from symbp.ir.system import Role

N, C, F, H, W, K = sizes("N C F H W K")
n, c, f, i, j, p, q = indices("n c f i j p q")


def windows(extent, kernel, stride, padding, dilation):
    """How many windows there are along an axis."""
    return FloorDiv(extent + 2 * padding - dilation * (kernel - 1) - 1, stride) + 1


def test_convolution_with_stride_padding_and_dilation(probe):
    b = SystemBuilder()
    x = b.leaf("x", N, C, H, W)
    w, bias = b.leaf("w", F, C, K, K, role=Role.PARAMETER), b.leaf("bias", F, role=Role.PARAMETER)
    rows, columns = windows(H, K, 2, 1, 2), windows(W, K, 2, 2, 1)
    pixel = x(n, c, 2 * i + 2 * p - 1, 2 * j + q - 2, outside=0)
    y = b.define(
        "y",
        [n, f, i, j],
        pixel * w(f, c, p, q),
        "sum",
        [c, p, q],
        ranges={i: rows, j: columns, c: C, p: K, q: K},
    )
    b.define("loss", [], sympy.tanh(y(n, f, i, j) + bias(f)) ** 2 / N, "sum", [n, f, i, j])
    rng = np.random.default_rng(1)
    values = {
        "x": rng.normal(size=(2, 2, 7, 6)),
        "w": rng.normal(size=(3, 2, 3, 3)) / 3,
        "bias": rng.normal(size=3),
    }

    def torch_loss(x, w, bias):
        import torch.nn.functional as functional

        z = functional.conv2d(x, w, bias, stride=(2, 2), padding=(1, 2), dilation=(2, 1))
        return (z.tanh() ** 2).sum() / 2

    extents = {"N": 2, "C": 2, "F": 3, "H": 7, "W": 6, "K": 3}
    checked = probe(b.system("loss"), values, extents, ["x", "w", "bias"], torch_loss)
    assert checked.tensors["y"].shape == (2, 3, 3, 4)


def test_max_pooling_with_padding_and_ties(probe):
    b = SystemBuilder()
    x = b.leaf("x", N, H, W)
    rows, columns = windows(H, 3, 2, 1, 1), windows(W, 3, 2, 1, 1)
    weight = b.leaf("weight", N, rows, columns)
    m = b.define(
        "m",
        [n, i, j],
        x(n, 2 * i + p - 1, 2 * j + q - 1, outside=-sympy.oo),
        "max",
        [p, q],
        ranges={n: N, i: rows, j: columns, p: 3, q: 3},
    )
    b.define("loss", [], sympy.exp(m(n, i, j)) * weight(n, i, j), "sum", [n, i, j])
    rng = np.random.default_rng(2)
    values = {
        "x": rng.integers(-2, 2, (3, 5, 6)) / 2.0,  # most windows have ties
        "weight": rng.normal(size=(3, 3, 3)),
    }

    def torch_loss(x, weight):
        import torch.nn.functional as functional

        return (functional.max_pool2d(x, 3, stride=2, padding=1).exp() * weight).sum()

    probe(b.system("loss"), values, {"N": 3, "H": 5, "W": 6}, ["x", "weight"], torch_loss)
