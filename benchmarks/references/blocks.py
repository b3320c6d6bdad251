"""Layer normalisation and GELU, forward and backward, over preallocated arrays.

Competent because means and mean products are BLAS or einsum reductions without a temporary, and GELU goes in
blocks that stay in the cache and computes its slope in the same pass, which makes its backward one product.
"""

from __future__ import annotations

import math

import numpy as np

Array = np.ndarray
BLOCK = 1 << 14
EPS = 1e-5


class LayerNorm:
    """y = (x − mean)/√(variance + 1e-5)·w + b, over each row; keeps what the gradient needs."""

    def __init__(self, rows: int, width: int, dtype: np.dtype) -> None:
        self.mean = np.full(width, 1 / width, dtype)
        self.ones = np.ones(rows, dtype)
        self.unit, self.scratch = np.empty((rows, width), dtype), np.empty((rows, width), dtype)
        self.r, self.s = np.empty(rows, dtype), np.empty(rows, dtype)

    def forward(self, x: Array, w: Array, b: Array, out: Array) -> Array:
        unit, r = self.unit, self.r
        np.subtract(x, np.dot(x, self.mean, out=self.s)[:, None], out=unit)
        np.einsum("nc,nc->n", unit, unit, out=r)
        r /= x.shape[1]
        r += EPS
        np.sqrt(r, out=r)
        np.reciprocal(r, out=r)
        unit *= r[:, None]
        np.multiply(unit, w, out=out)
        out += b
        return out

    def backward(self, dy: Array, w: Array, dw: Array, db: Array) -> Array:
        """`dy` is used up: it becomes the gradient by x."""
        unit, s = self.unit, self.scratch
        np.dot(self.ones, dy, out=db)
        np.dot(self.ones, np.multiply(dy, unit, out=s), out=dw)
        dy *= w
        along = np.einsum("nc,nc->n", dy, unit, out=self.s)
        along /= dy.shape[1]
        dy -= np.dot(dy, self.mean)[:, None]
        dy -= np.multiply(unit, along[:, None], out=s)
        dy *= self.r[:, None]
        return dy


class Gelu:
    """½ z (1 + tanh(√(2/π)(z + 0.044715 z³))) and its slope, elementwise."""

    def __init__(self, dtype: np.dtype) -> None:
        self.t, self.q = np.empty(BLOCK, dtype), np.empty(BLOCK, dtype)

    def forward(self, z: Array, out: Array) -> Array:
        """The values in `out`; the slopes take the place of z. Both are contiguous."""
        flat, result = z.reshape(-1), out.reshape(-1)
        for start in range(0, flat.size, BLOCK):
            self._block(flat[start : start + BLOCK], result[start : start + BLOCK])
        return out

    def _block(self, z: Array, y: Array) -> None:
        k, cubic = math.sqrt(2 / math.pi), 0.044715
        t, q = self.t[: z.size], self.q[: z.size]
        np.multiply(z, z, out=q)
        np.multiply(q, k * cubic, out=t)
        t += k
        t *= z
        np.tanh(t, out=t)
        q *= 1.5 * k * cubic
        q += 0.5 * k  # half of the inner derivative
        q *= z
        np.multiply(t, t, out=y)
        np.subtract(1, y, out=y)
        q *= y
        t *= 0.5
        t += 0.5
        np.multiply(z, t, out=y)
        np.add(t, q, out=z)
