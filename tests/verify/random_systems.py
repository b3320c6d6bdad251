"""Random networks: matrices (N, K), each made of ones before by a random op, summed up in the end.

They have what feed-forward nets of layers don't: values that are read many times, products of what came
from the same value, shifts, gathers, maxima, prefix sums, recurrences, sums over either axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import symbp as bp

N, K = bp.dims("N K")
Make = Callable[[], Any]


class Draw:
    """Grows one network from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng, self.seed = np.random.default_rng(seed), seed
        self.square, self.vector = bp.param("U", (K, K)), bp.param("v", (K,))
        self.labels = bp.labels("y", (N,), classes=K)
        self.matrices = [bp.input("x", (N, K)), bp.param("W", (N, K))]
        self.count = 0

    def network(self) -> bp.Network:
        makers = [
            *(self.elementwise, self.elementwise, self.gated, self.product, self.statistics, self.softmax),
            *(self.shifted, self.gathered, self.recurrence, self.maximum, self.prefix, self.gram),
            *(self.joined, self.pooled, self.indexed),
        ]
        for _ in range(int(self.rng.integers(2, 7))):
            self.matrices.append(makers[self.rng.integers(len(makers))]())
        last = self.matrices[-1]
        losses = [
            lambda: (last**2).mean() + (last * self.one()).sum() / 5,
            lambda: bp.cross_entropy(last, self.labels, from_logits=True),
            lambda: bp.huber(last, self.one() * self.vector),
            lambda: bp.logsumexp(last).sum() + (self.vector * last).mean(),
            lambda: bp.sqrt(1 + (last @ self.vector) ** 2).sum(),
        ]
        loss = losses[self.rng.integers(len(losses))]()
        kept = (self.square**2).sum() + (self.vector**2).sum() + (self.matrices[1] ** 2).sum()
        return bp.Network(f"drawn_{self.seed}", loss=loss + kept / 100)

    def one(self) -> Any:
        """A matrix so far, later ones more often."""
        weights = np.arange(1, len(self.matrices) + 1) ** 2.0
        return self.matrices[self.rng.choice(len(weights), p=weights / weights.sum())]

    def of(self, *choices: Make) -> Any:
        return choices[self.rng.integers(len(choices))]()

    def elementwise(self) -> Any:
        x, y = self.one(), self.one()
        return self.of(
            lambda: bp.tanh(x + self.vector),
            lambda: x * bp.sigmoid(y),
            lambda: bp.softplus(x) * y,
            lambda: x * y - self.vector / (2 + x**2),
            lambda: bp.sqrt(1 + x**2) + bp.sin(y),
            lambda: bp.gelu(x) - y / 3,
            lambda: bp.atan(x) * bp.exp(-(y**2)),
        )

    def gated(self) -> Any:
        x, y = self.one(), self.one()
        return self.of(
            lambda: bp.relu(x) - y / 3,
            lambda: bp.leaky_relu(x, 0.2) * bp.tanh(y),
            lambda: bp.maximum(x, y * y - 0.3),
            lambda: bp.clamp(x, -0.5, 0.5) + bp.abs(y),
            lambda: bp.elu(x) * y,
        )

    def product(self) -> Any:
        x = self.one()
        weight = self.of(lambda: self.square, lambda: bp.transpose(self.square), lambda: self.square**2 / 2)
        return x @ weight

    def statistics(self) -> Any:
        x = self.one()
        return self.of(
            lambda: bp.layer_norm(x, self.vector, self.vector**2),
            lambda: (x - x.mean(axis=0)) / bp.sqrt(0.1 + bp.var(x, axis=0)),
            lambda: bp.rms_norm(x, self.vector),
        )

    def softmax(self) -> Any:
        x, y = self.one(), self.one()
        return self.of(
            lambda: bp.softmax(x) * y,
            lambda: bp.log_softmax(x) / 7 + y,
            lambda: bp.softmax(x, axis=0) @ self.square,
        )

    def shifted(self) -> Any:
        x, y = self.one(), self.one()
        return self.of(lambda: x * bp.roll(y, 1, axis=1), lambda: bp.flip(x, axis=0) + x * y)

    def gathered(self) -> Any:
        x, y = self.one(), self.one()
        return self.of(
            lambda: x * bp.unsqueeze(bp.pick(y, self.labels), 1),
            lambda: x + bp.embedding(self.labels, self.square) * y,
        )

    def recurrence(self) -> Any:
        """Along the examples, taken for time."""
        x = bp.unsqueeze(self.one(), 0)
        return bp.squeeze(bp.rnn(x, self.square, self.square, self.vector), 0)

    def maximum(self) -> Any:
        x = self.one()
        axis = int(self.rng.integers(2))
        return x - bp.unsqueeze(bp.max(x, axis=axis), axis) / 2

    def prefix(self) -> Any:
        return bp.cumsum(self.one(), axis=int(self.rng.integers(2))) / 3

    def gram(self) -> Any:
        x, y = self.one(), self.one()
        return self.of(
            lambda: x @ (bp.transpose(x) @ y) / 4,
            lambda: bp.softmax(x @ bp.transpose(y)) @ x,
        )

    def joined(self) -> Any:
        x, y = self.one(), self.one()
        both = bp.stack(x, bp.tanh(y), axis=2)
        return (both * both).sum(axis=2) - both.mean(axis=2)

    def pooled(self) -> Any:
        x, y = self.one(), self.one()
        return self.of(
            lambda: x * y.mean(axis=0),
            lambda: x + bp.unsqueeze(bp.logsumexp(y), 1),
            lambda: x * (y @ self.vector).mean(),
        )

    def indexed(self) -> Any:
        """In index notation: a window, and what stands below the diagonal."""
        self.count += 1
        x, y = self.one(), self.one()
        n, k, j = bp.indices("n k j")
        ranges = {n: N, k: K}
        name = f"t{self.count}"
        return self.of(
            lambda: bp.define(name, [n, k], bp.Sum(x[n, j] * self.square[j, k] * y[n, j], j), ranges=ranges),
            lambda: bp.define(name, [n, k], bp.Sum(x[n, j] * self.square[k, j], j) * y[n, k], ranges=ranges),
        )


def network(seed: int) -> bp.Network:
    return Draw(seed).network()
