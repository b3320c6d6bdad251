"""gru: Cho et al.'s with the reset gate after the product, as PyTorch and cuDNN have it; gates r, z, n.

    r, z = σ(x W + b + h U + c),  n = tanh(x W + b + r·(h U + c)),  h ← n + z·(h − n)

Parameters W (D, 3, H), U (H, 3, H), b (3, H), c (3, H), V (H, K), o (K).

Competent: see `recurrent`. As in `lstm`, a sigmoid is the tanh of halved weights, and the slopes are taken
for all steps at once; the recurrent product of the three gates is one gemm, and so is its gradient.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.references.recurrent import Recurrent
from benchmarks.references.update import Array, Rule


class Gru(Recurrent):
    """A gated recurrent layer."""

    gates = 3

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, data, rule)
        dtype = self.x.dtype
        self.c, self.d_offset = self.params["c"].reshape(-1), self.gradients["c"].reshape(-1)
        self.half = np.ones(3 * self.H, dtype)
        self.half[: 2 * self.H] = 0.5
        self.halved = [np.empty_like(m) for m in (self.W, self.U, self.b, self.c)]
        self.product = np.empty_like(self.a)  # h U + c; in its first two gates halved
        self.d_product = np.empty_like(self.a)
        self.s = np.empty((self.N, self.H), dtype)

    def compute(self) -> float:
        for half, matrix in zip(self.halved, (self.W, self.U, self.b, self.c), strict=True):
            np.multiply(matrix, self.half, out=half)
        self._project(self.halved[0], self.halved[2])
        self._forward()
        loss = self._read_out()
        self._backward()
        self._weights()
        d_product, previous = self.d_product.reshape(len(self.ones), -1), self.h[:-1].reshape(-1, self.H)
        np.matmul(previous.T, d_product, out=self.dU)
        np.dot(self.ones, d_product, out=self.d_offset)
        return loss

    def _forward(self) -> None:
        H, h, s, (_, U, _, c) = self.H, self.h, self.s, self.halved
        for t in range(self.T):
            a, product = self.a[t], self.product[t]
            np.matmul(h[t], U, out=product)
            product += c
            sigmoids, new = a[:, : 2 * H], a[:, 2 * H :]
            sigmoids += product[:, : 2 * H]
            np.tanh(sigmoids, out=sigmoids)
            sigmoids *= 0.5
            sigmoids += 0.5
            new += np.multiply(a[:, :H], product[:, 2 * H :], out=s)
            np.tanh(new, out=new)
            np.subtract(h[t], new, out=s)
            s *= a[:, H : 2 * H]
            np.add(new, s, out=h[t + 1])

    def _slopes(self) -> None:
        """For all steps, in `da`: ∂h/∂z and ∂h/∂n before activation, and ∂n/∂r, all before activation."""
        H, a, da = self.H, self.a, self.da
        np.subtract(1, a[..., : 2 * H], out=da[..., : 2 * H])
        new, slope = a[..., 2 * H :], da[..., 2 * H :]
        np.multiply(new, new, out=slope)
        np.subtract(1, slope, out=slope)
        slope *= da[..., H : 2 * H]  # 1 − z
        da[..., : 2 * H] *= a[..., : 2 * H]
        da[..., :H] *= self.product[..., 2 * H :]
        before = np.subtract(self.h[:-1], new, out=self.d_product[..., :H])
        da[..., H : 2 * H] *= before

    def _backward(self) -> None:
        """The gradients by the gates before their activations, and by the recurrent products."""
        self._slopes()
        H, dh, s, Ut = self.H, self.dh, self.s, self.U.T
        gates = self.da.reshape(self.T, self.N, 3, H)
        reset, update = self.a[..., :H], self.a[..., H : 2 * H]
        for t in reversed(range(self.T)):
            d = gates[t]
            d[:, 1:] *= dh[:, None]
            d[:, 0] *= d[:, 2]
            product = self.d_product[t]
            product[:, : 2 * H] = self.da[t, :, : 2 * H]
            np.multiply(d[:, 2], reset[t], out=product[:, 2 * H :])
            np.multiply(dh, update[t], out=s)
            np.matmul(product, Ut, out=dh)
            dh += s


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> Gru:
    return Gru(params, data, rule)
