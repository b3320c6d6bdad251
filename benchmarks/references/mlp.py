"""Dense networks of any depth: tiny, simplechains, digits, mnist, wide, scale.

Parameters W1 (D0, D1), b1 (D1), W2, b2, …, or equal layers stacked, W (L, D, D) and b (L, D), and then
V (D, K), c (K); the last layer is linear. `data` has `x` (N, D0) and either labels
`y` (N), for cross-entropy, or targets `t` (N, K), for the mean squared error.

Competent because each layer is one gemm into a preallocated array and the activation works there in place;
activations turn into their own derivatives where they lie, once their last reader has run; offsets' gradients
are matrix-vector products; the first layer's input gets no gradient. A batch much longer than the layers are
wide goes through in blocks of rows whose activations stay in the cache.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.references.losses import CrossEntropy, mean_squared_error
from benchmarks.references.update import Arena, Array, Reference, Rule

CACHED = 1 << 18  # elements of activations that a block of rows may have: 1 MB in float32


class Mlp(Reference):
    """A dense network; `activation` is "tanh" or "relu"."""

    def __init__(
        self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule, activation: str
    ) -> None:
        super().__init__(params, rule)
        self.relu = activation == "relu"
        self.W, self.b = zip(*self.layers(self.params), strict=True)
        self.dW, self.db = zip(*self.layers(self.gradients), strict=True)
        self.depth = len(self.W)
        self._layout(data)

    def layers(self, arena: Arena) -> list[tuple[Array, Array]]:
        """Each layer's weights and offsets, as views."""
        if "W" not in arena.views:
            return [(arena[f"W{k}"], arena[f"b{k}"]) for k in range(1, len(arena.views) // 2 + 1)]
        return [*zip(arena["W"], arena["b"], strict=True), (arena["V"], arena["c"])]

    def _layout(self, data: Mapping[str, Array]) -> None:
        self.x = data["x"]
        dtype, count = self.x.dtype, len(self.x)
        widths = [W.shape[1] for W in self.W]
        self.rows = min(count, max(256, CACHED // sum(widths))) if "t" in data else count
        self.ones = np.ones(self.rows, dtype)
        self.h = [np.empty((self.rows, width), dtype) for width in widths]
        self.d = [np.empty((self.rows, width), dtype) for width in widths[:-1]]
        self.positive = [np.empty(a.shape, bool) for a in self.d]
        self.target = data.get("t")
        self.cross_entropy = CrossEntropy(data["y"], dtype) if self.target is None else None
        if self.rows < count:
            self.total = np.empty_like(self.gradients.flat)

    def compute(self) -> float:
        count = len(self.x)
        if self.rows == count:
            return self._block(self.x, self.target, count)
        loss = 0.0
        self.total[:] = 0
        for start in range(0, count, self.rows):
            rows = slice(start, start + self.rows)
            assert self.target is not None
            loss += self._block(self.x[rows], self.target[rows], count)
            self.total += self.gradients.flat
        self.gradients.flat[:] = self.total
        return loss

    def _block(self, x: Array, target: Array | None, count: int) -> float:
        """Forward and backward of so many rows; their part of the loss."""
        rows = len(x)
        h = [a[:rows] for a in self.h]
        below = x
        for k in range(self.depth):
            np.matmul(below, self.W[k], out=h[k])
            h[k] += self.b[k]
            if k + 1 < self.depth:
                np.maximum(h[k], 0, out=h[k]) if self.relu else np.tanh(h[k], out=h[k])
            below = h[k]
        if self.cross_entropy is not None:
            loss = self.cross_entropy(below)
        else:
            assert target is not None
            loss = mean_squared_error(below, target) * rows / count
            if rows < count:
                below *= rows / count
        self._backward(x, h, below)
        return loss

    def _backward(self, x: Array, h: list[Array], dz: Array) -> None:
        ones = self.ones[: len(x)]
        for k in reversed(range(self.depth)):
            below = h[k - 1] if k else x
            np.matmul(below.T, dz, out=self.dW[k])
            np.dot(ones, dz, out=self.db[k])
            if not k:
                return
            d = np.matmul(dz, self.W[k].T, out=self.d[k - 1][: len(x)])
            if self.relu:
                d *= np.greater(below, 0, out=self.positive[k - 1][: len(x)])
            else:  # 1 − h², in h's own place: nothing reads h any more
                np.multiply(below, below, out=below)
                np.subtract(1, below, out=below)
                d *= below
            dz = d


def prepare(
    params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule, activation: str = "tanh"
) -> Mlp:
    return Mlp(params, data, rule, activation)
