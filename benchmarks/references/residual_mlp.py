"""residual mlp: h ← h + gelu(norm(h) W + b) U + c, block by block; then cross-entropy of h V + o.

Parameters, all blocks stacked: w (L, D), g (L, D) of the norm, W (L, D, F), b (L, F), U (L, F, D), c (L, D);
V (D, K), o (K). `data`: x (N, D), labels y (N).

Competent: see `blocks`; the stream h is added to in place, forward and backward, so a residual connection
costs one sum; the input gets no gradient beyond the first norm's parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.references.blocks import Gelu, LayerNorm
from benchmarks.references.losses import CrossEntropy
from benchmarks.references.update import Array, Reference, Rule


class ResidualMlp(Reference):
    """Equal residual blocks of two dense layers."""

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, rule)
        self.x = data["x"]
        (rows, width), dtype = self.x.shape, self.x.dtype
        self.depth, _, inner = params["W"].shape
        self.norms = [LayerNorm(rows, width, dtype) for _ in range(self.depth)]
        self.gelu = Gelu(dtype)
        self.y = [np.empty((rows, width), dtype) for _ in range(self.depth)]
        self.z = [np.empty((rows, inner), dtype) for _ in range(self.depth)]
        self.a = [np.empty((rows, inner), dtype) for _ in range(self.depth)]
        self.h, self.s, self.d = (np.empty((rows, width), dtype) for _ in range(3))
        self.da = np.empty((rows, inner), dtype)
        self.logits = np.empty((rows, params["V"].shape[1]), dtype)
        self.cross_entropy, self.ones = CrossEntropy(data["y"], dtype), np.ones(rows, dtype)

    def compute(self) -> float:
        p, g = self.params.views, self.gradients.views
        h, s = self.h, self.s
        h[:] = self.x
        for k in range(self.depth):
            y = self.norms[k].forward(h, p["w"][k], p["g"][k], out=self.y[k])
            np.matmul(y, p["W"][k], out=self.z[k])
            self.z[k] += p["b"][k]
            np.matmul(self.gelu.forward(self.z[k], out=self.a[k]), p["U"][k], out=s)
            s += p["c"][k]
            h += s
        np.matmul(h, p["V"], out=self.logits)
        self.logits += p["o"]
        loss = self.cross_entropy(self.logits)
        np.matmul(h.T, self.logits, out=g["V"])
        np.dot(self.ones, self.logits, out=g["o"])
        np.matmul(self.logits, p["V"].T, out=self.d)
        for k in reversed(range(self.depth)):
            self._backward(k)
        return loss

    def _backward(self, k: int) -> None:
        p, g, d, da, s = self.params.views, self.gradients.views, self.d, self.da, self.s
        np.matmul(self.a[k].T, d, out=g["U"][k])
        np.dot(self.ones, d, out=g["c"][k])
        np.matmul(d, p["U"][k].T, out=da)
        da *= self.z[k]  # GELU's slope
        np.matmul(self.y[k].T, da, out=g["W"][k])
        np.dot(self.ones, da, out=g["b"][k])
        np.matmul(da, p["W"][k].T, out=s)
        d += self.norms[k].backward(s, p["w"][k], g["w"][k], g["g"][k])


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> ResidualMlp:
    return ResidualMlp(params, data, rule)
