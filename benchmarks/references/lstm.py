"""lstm: Hochreiter and Schmidhuber's with a forget gate; gates in the order candidate, input, forget, output.

Parameters W (D, 4, H), U (H, 4, H), b (4, H), V (H, K), o (K).

Competent: see `recurrent`. With the sigmoid as ½ + ½ tanh(½ z), and the ½ inside taken into copies of the
weights once a step, one tanh serves all four gates. Backwards, everything that doesn't need the gradient of
the state (the slopes of gates and cell) is computed for all steps at once, before the loop.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.references.recurrent import Recurrent
from benchmarks.references.update import Array, Rule


class Lstm(Recurrent):
    """A long short-term memory layer."""

    gates = 4

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, data, rule)
        dtype = self.x.dtype
        self.half = np.ones(4 * self.H, dtype)
        self.half[self.H :] = 0.5
        self.halved = [np.empty_like(m) for m in (self.W, self.U, self.b)]
        self.c = np.zeros((self.T + 1, self.N, self.H), dtype)
        self.tanh_c = np.empty((self.T, self.N, self.H), dtype)
        self.s, self.dc = np.empty((self.N, self.H), dtype), np.empty((self.N, self.H), dtype)
        self.slopes = np.empty_like(self.tanh_c)

    def compute(self) -> float:
        for half, matrix in zip(self.halved, (self.W, self.U, self.b), strict=True):
            np.multiply(matrix, self.half, out=half)
        self._project(self.halved[0], self.halved[2])
        self._forward()
        loss = self._read_out()
        self._backward()
        self._weights()
        return loss

    def _forward(self) -> None:
        H, c, h, U = self.H, self.c, self.h, self.halved[1]
        for t in range(self.T):
            a = self.a[t]
            a += np.matmul(h[t], U, out=self.recurrent)
            np.tanh(a, out=a)
            sigmoids = a[:, H:]
            sigmoids *= 0.5
            sigmoids += 0.5
            np.multiply(a[:, 2 * H : 3 * H], c[t], out=c[t + 1])
            c[t + 1] += np.multiply(a[:, :H], a[:, H : 2 * H], out=self.s)
            np.tanh(c[t + 1], out=self.tanh_c[t])
            np.multiply(a[:, 3 * H :], self.tanh_c[t], out=h[t + 1])

    def _slopes(self) -> None:
        """For all steps: ∂c/∂(gates before activation) and, for the output gate, ∂h; in `da`; ∂h/∂c."""
        H, a, da = self.H, self.a, self.da
        new, into, _, out = (a[..., k * H : (k + 1) * H] for k in range(4))
        np.multiply(new, new, out=da[..., :H])
        np.subtract(1, da[..., :H], out=da[..., :H])
        da[..., :H] *= into
        np.subtract(1, a[..., H:], out=da[..., H:])
        da[..., H:] *= a[..., H:]
        da[..., H : 2 * H] *= new
        da[..., 2 * H : 3 * H] *= self.c[:-1]
        da[..., 3 * H :] *= self.tanh_c
        np.multiply(self.tanh_c, self.tanh_c, out=self.slopes)
        np.subtract(1, self.slopes, out=self.slopes)
        self.slopes *= out

    def _backward(self) -> None:
        """The gradient by the gates, before their activations, in `da`."""
        self._slopes()
        H, dh, dc, Ut = self.H, self.dh, self.dc, self.U.T
        gates = self.da.reshape(self.T, self.N, 4, H)
        keep = self.a[..., 2 * H : 3 * H]
        dc[:] = 0
        for t in reversed(range(self.T)):
            dc += np.multiply(dh, self.slopes[t], out=self.s)
            gates[t, :, :3] *= dc[:, None]
            gates[t, :, 3] *= dh
            np.matmul(self.da[t], Ut, out=dh)
            dc *= keep[t]


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> Lstm:
    return Lstm(params, data, rule)
