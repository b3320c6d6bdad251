"""attention: softmax(q kᵀ/√E) v for each example and head, forward and backward; the loss is Σ o·g.

Parameters q, k, v (N, H, T, E), updated with the gradients that attention gives them; `data` has g like them.
The result stays in `o`.

Competent because it goes head by head: one head's T × T weights (1 MB at T = 512) stay in the cache from the
product that makes them to the three that use them, where all heads together would move 64 MB a pass; products
are gemms without a transpose or a copy; the row sums of the gradient come from the output (Dao et al. 2022).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from benchmarks.references.update import Array, Reference, Rule


class Attention(Reference):
    """Scaled dot-product attention without a mask."""

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, rule)
        T, E = params["q"].shape[2:]
        self.g, dtype = data["g"], params["q"].dtype
        self.o = np.empty_like(self.g)
        self.scale = 1 / math.sqrt(E)
        self.a, self.da = np.empty((T, T), dtype), np.empty((T, T), dtype)
        self.scaled, self.row = np.empty((T, E), dtype), np.empty((T, 1), dtype)

    def compute(self) -> float:
        names = ("q", "k", "v")
        arrays = [*(self.params[n] for n in names), *(self.gradients[n] for n in names), self.g, self.o]
        heads = [array.reshape(-1, *array.shape[2:]) for array in arrays]
        return sum(self._head(*parts) for parts in zip(*heads, strict=True))

    def _head(
        self, q: Array, k: Array, v: Array, dq: Array, dk: Array, dv: Array, g: Array, o: Array
    ) -> float:
        a, da, row = self.a, self.da, self.row
        scaled = np.multiply(q, self.scale, out=self.scaled)
        np.matmul(scaled, k.T, out=a)
        a -= np.max(a, 1, keepdims=True, out=row)
        np.exp(a, out=a)
        a /= np.sum(a, 1, keepdims=True, out=row)
        np.matmul(a, v, out=o)
        np.matmul(a.T, g, out=dv)
        np.matmul(g, v.T, out=da)
        along = np.einsum("te,te->t", g, o)
        da -= along[:, None]
        da *= a
        np.matmul(da.T, scaled, out=dk)
        np.matmul(da, k, out=dq)
        dq *= self.scale
        return float(along.sum())


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> Attention:
    return Attention(params, data, rule)
