"""Brackets are numbers: in NumPy True + True is True, and a matrix product of truth values is one of them."""

from types import SimpleNamespace

import pytest
from plain_values import TARGET, agree, called, module, point

import symbp as bp
from symbp.api import order
from symbp.ir.evaluation.vector import run

N, K, M = bp.dims("N K M")


def step(tensor):
    return bp.where(tensor > 0, 1.0, 0.0)


def saved_and_added(v):
    one, other = step(v.a).named("one"), step(v.c).named("other")
    return bp.sum((one + other) * (one + other) * v.a) * bp.sum(v.w) + bp.sum(one * other * v.w)


def compared_twice(v):
    chosen = bp.where(v.c > 0.5, v.a * v.c, 1)
    return bp.sum(bp.where(bp.unequal(chosen, 0.5), v.w * v.w, 0) * v.c)


def gradients_of_hinges(v):
    scores = (v.a @ v.b).sum(1)
    margins = (bp.relu(1 - scores * v.w.sum() + k * v.c.sum(1)) for k in range(3))
    return sum((m.sum() for m in margins), bp.sum(v.w))


LOSSES = {
    "a saved bracket added to another": saved_and_added,
    "a real value that is compared in several lines": compared_twice,
    "gradients that are brackets": gradients_of_hinges,
    "a product of brackets": lambda v: bp.sum((step(v.a) @ step(v.b)) ** 2) * bp.sum(v.w),
    "functions of brackets": lambda v: bp.sum(bp.tanh(step(v.a)) * bp.sqrt(step(v.c)) * bp.exp(v.w)),
    "the logistic function of one": lambda v: bp.sum(bp.sigmoid(step(v.a)) * v.w + bp.gelu(step(v.c))),
    "softmax of brackets": lambda v: bp.sum(bp.softmax(step(v.a), 1) * v.w) + bp.logsumexp(step(v.w), 0),
    "powers of brackets": lambda v: bp.sum((step(v.a) + 1e-3) ** -0.5 * v.w) + bp.sum(2.0 ** step(v.c)),
    "a mean, a norm": lambda v: bp.mean(step(v.a)) * bp.sum(v.w) + bp.norm(step(v.c), 1).sum(),
    "a negative bracket": lambda v: bp.sum(bp.exp(-step(v.a)) * v.w),
    "a bracket below the line": lambda v: bp.sum(step(v.a) * v.w) / (1 + bp.sum(step(v.c))),
    "the larger bracket": lambda v: bp.sum(bp.maximum(step(v.a), step(v.c)) * v.w),
}


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_values(loss):
    a, b, c = bp.input("a", (N, K)), bp.input("b", (K, M)), bp.input("c", (N, K))
    w = bp.param("w", (K,))
    net = bp.Network("brackets", loss=LOSSES[loss](SimpleNamespace(a=a, b=b, c=c, w=w)))
    made = order(net, optimizer=bp.optim.SGD(0.1))
    functions, system = module(TARGET.source(made)), made.derivation.system
    for seed in range(4):
        _, values = point(made, seed)
        expected = run(system, values, point(made, seed)[0])
        found, gradients = called(functions["loss_and_gradients"], values)
        agree(found, expected[system.loss], "the loss")
        agree(gradients["w"], expected[made.derivation.gradients["w"]], "the gradient")
