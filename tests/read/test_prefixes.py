"""A function along an index is of all values along it: of some of them it has no name, and pages say so."""

from types import SimpleNamespace

import pytest
from test_read_back import in_latex, in_text, read_back

import symbp as bp

N, H, K = bp.dim("N"), bp.dim("H", 4), bp.dim("K", 5)


def masked(z, m):
    return bp.where(m > 0.3, z, -float("inf"))


LOSSES = {
    "logsumexp of the first": lambda v: bp.mean(v.z[:, 0] - bp.logsumexp(v.z[:, :3], 1)),
    "logsumexp of the first, of all": lambda v: bp.mean(
        (v.z - bp.logsumexp(v.z[:, :3], 1, keepdims=True)) ** 2
    ),
    "logsumexp of the last": lambda v: bp.mean((v.z - bp.logsumexp(v.z[:, 2:], 1, keepdims=True)) ** 2),
    "softmax of the first": lambda v: bp.mean((v.z[:, :3] * bp.softmax(v.z[:, :3], 1)).sum(1) ** 2),
    "log_softmax of the first": lambda v: bp.mean((bp.log_softmax(v.z[:, :3], 1) * v.z[:, 1:4]).sum(1)),
    "two of different lengths": lambda v: bp.mean(bp.logsumexp(v.z[:, :3], 1) * bp.logsumexp(v.z, 1)),
    "what is left by a mask": lambda v: bp.mean(bp.exp(bp.logsumexp(masked(v.z, v.m), 1))),
    "the first by a mask": lambda v: bp.mean(
        bp.exp(bp.logsumexp(masked(v.z[:, :3], v.m[:, :3]), 1)) * v.z[:, 4]
    ),
    "a mean of the first": lambda v: bp.mean((v.z - v.z[:, :3].mean(1, keepdims=True)) ** 2),
}


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_equation_is_true(loss):
    x, m, w = bp.input("x", (N, H)), bp.input("m", (N, K)), bp.param("W", (H, K))
    net = bp.Network("prefix", loss=LOSSES[loss](SimpleNamespace(z=(x @ w).named("z"), m=m)))
    derivation = bp.derive(net)
    for reading in (in_text, in_latex):
        for seed in (3, 4):
            assert read_back(derivation, seed=seed, reading=reading, style="textbook") > 3


def test_an_index_that_runs_further_has_no_softmax():
    x, w = bp.input("x", (N, H)), bp.param("W", (H, K))
    net = bp.Network("prefix", loss=LOSSES["logsumexp of the first"](SimpleNamespace(z=(x @ w).named("z"))))
    page = bp.derive(net).text()
    assert "logsumexp" in page
    assert "softmax" not in page
