"""The text of a loss: readable, whole arrays, nothing written to."""

import pytest

from symbp.gallery import GALLERY
from symbp.targets.frameworks import FRAMEWORKS, named
from symbp.targets.frameworks.module import module

CHAR_RNN = '''"""The loss of char_rnn.

torch.autograd.grad(loss(...), tensors) differentiates it.
"""

import torch

H = 64


def loss(params, x, y):
    """The loss."""
    table, W, U, b, R = params["table"], params["W"], params["U"], params["b"], params["R"]
    c = params["c"]
    N, T = x.shape
    x1 = table[x]
    z1 = x1 @ W
    h = [None] * T
    for i in range(T):
        r_h = (h[i - 1] if i > 0 else torch.zeros((N, H), dtype=torch.float64)) @ U
        h[i] = torch.tanh(r_h + z1[:, i] + b)
    h = torch.stack(h, dim=1)
    z2 = h @ R
    a2 = z2 + c
    e_p = torch.exp(a2)
    s_p = e_p.sum(-1)
    p = e_p / s_p[..., None]
    loss = -torch.log(p[torch.arange(N)[:, None], torch.arange(T), y]).mean()
    return loss
'''


def text(name, framework):
    net = GALLERY[name].load().net
    return module(net.system, named(framework), net.hyper, f"The loss of {name}.").text


def test_a_recurrence_reads_like_one():
    assert text("char_rnn", "torch") == CHAR_RNN


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_it_is_written_where_the_framework_is_missing(framework):
    for name in ("mlp", "resnet_mlp", "cnn", "ctc"):
        source = text(name, framework)
        compile(source, name, "exec")
        assert "np." not in source.replace("jnp.", "")
