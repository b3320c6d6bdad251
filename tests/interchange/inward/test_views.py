"""Views of views in any order, beside NumPy: they are joined, split and moved out of linear maps."""

import random

import numpy as np
import pytest

import symbp as bp
from symbp.interchange.inward.building import arithmetic, shapes
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.writing import Writer
from symbp.ir.evaluation.vector import run

N = 3


class Chain:
    """A tensor as it is declared, and its values."""

    def __init__(self, seed):
        self.choose, self.draw = random.Random(seed), np.random.default_rng(seed)
        extents = [self.choose.choice([1, 2, 3, 4, 6]) for _ in range(self.choose.choice([1, 2, 3]))]
        self.w, self.x = Writer(), self.draw.normal(size=(N, *extents))
        self.n = self.w.size("N")
        self.ours, self.values = self.w.leaf("input", "x", (self.n, *extents)), self.x

    def permute(self):
        order = self.choose.sample(range(self.values.ndim), self.values.ndim)
        self.values, self.ours = self.values.transpose(order), shapes.permuted(self.w, self.ours, order)

    def new_axis(self):
        axis = self.choose.randrange(self.values.ndim + 1)
        self.values = np.expand_dims(self.values, axis)
        self.ours = shapes.with_axes(self.w, self.ours, [axis])

    def squeeze(self):
        ones = [k for k, n in enumerate(self.ours.shape) if n == 1]
        if ones and self.values.ndim > 1:
            axis = self.choose.choice(ones)
            self.values = self.values.squeeze(axis)
            self.ours = shapes.without_axes(self.w, self.ours, [axis])

    def at(self):
        axis = self.choose.randrange(self.values.ndim)
        if self.values.ndim > 2 and isinstance(self.ours.shape[axis], int):
            self.values, self.ours = self.values.take(-1, axis), shapes.at(self.w, self.ours, axis, -1)

    def linear(self):
        if self.values.ndim > 1 and isinstance(self.ours.shape[-1], int):
            weight = self.draw.normal(size=(self.choose.choice([2, 4, 6]), self.values.shape[-1]))
            held = self.w.held(Held(f"W{len(self.w.params)}", weight, "parameter"))
            self.values, self.ours = self.values @ weight.T, arithmetic.linear(self.w, self.ours, held, None)

    def join(self):
        if self.values.ndim > 1:
            k = self.choose.randrange(self.values.ndim - 1)
            old, new = self.values.shape, list(self.ours.shape)
            self.values = self.values.reshape(*old[:k], old[k] * old[k + 1], *old[k + 2 :])
            self.ours = shapes.reshaped(self.w, self.ours, [*new[:k], new[k] * new[k + 1], *new[k + 2 :]])

    def split(self):
        known = [k for k, n in enumerate(self.ours.shape) if isinstance(n, int) and n % 2 == 0]
        if known:
            k = self.choose.choice(known)
            old, new = self.values.shape, list(self.ours.shape)
            parts = self.choose.choice([(2, new[k] // 2), (new[k] // 2, 2)])
            self.values = self.values.reshape(*old[:k], *parts, *old[k + 1 :])
            self.ours = shapes.reshaped(self.w, self.ours, [*new[:k], *parts, *new[k + 1 :]])

    def open_split(self):
        """An axis of 2·N, say, as N and 2."""
        several = [k for k, n in enumerate(self.ours.shape) if not isinstance(n, int) and n.is_Mul]
        for k in several[:1]:
            old, new = self.values.shape, list(self.ours.shape)
            times = old[k] // N
            pairs = [((self.n, times), (N, times)), ((times, self.n), (times, N))]
            ours, theirs = self.choose.choice(pairs)
            self.values = self.values.reshape(*old[:k], *theirs, *old[k + 1 :])
            self.ours = shapes.reshaped(self.w, self.ours, [*new[:k], *ours, *new[k + 1 :]])

    def step(self):
        moves = (self.permute, self.permute, self.new_axis, self.squeeze, self.at, self.linear,
                 self.join, self.split, self.open_split)  # fmt: skip
        self.choose.choice(moves)()
        if not self.ours.named and self.choose.random() < 0.2:
            self.ours = self.w.bound(self.ours, self.w.names.numbered("v"), hidden=self.ours.light)


MANY = pytest.param(range(8, 100), marks=pytest.mark.slow)


@pytest.mark.parametrize("seeds", [range(8), MANY], ids=["few", "many"])
def test_any_chain_of_views_is_what_numpy_has(seeds):
    for seed in seeds:
        chain = Chain(seed)
        for _ in range(chain.choose.randrange(3, 10)):
            chain.step()
        out = (chain.ours.value * 1).named("out")
        net = bp.Network("views", loss=bp.square(out).sum(), outputs={"out": out})
        sizes = {**net.system.bound, "N": N}
        found = run(net.system, {**chain.w.params, "x": chain.x}, sizes, ["out"])["out"]
        assert found.shape == chain.values.shape, seed
        np.testing.assert_allclose(found, chain.values, atol=1e-10, err_msg=str(seed))
