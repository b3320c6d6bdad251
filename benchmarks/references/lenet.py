"""lenet: convolution 1→8 5×5, relu, pool 2, convolution 8→16 5×5, relu, pool 2, dense 10.

Images x (N, 1, 28, 28), labels y (N).
Parameters K1 (8, 1, 5, 5), c1 (8), K2 (16, 8, 5, 5), c2 (16), W (256, 10), b (10).

Competent because arrays lie as (channel, row, column, example), so that the copy of a window's 25 shifted
slices (im2col), the pooling's four slices and every elementwise operation run over contiguous stretches of
at least a batch; each convolution is one gemm, and so are its gradients by kernel and by input; rectifying is
left until after the pooling, where there is a quarter of the elements to rectify; the images get no gradient.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.references.losses import CrossEntropy
from benchmarks.references.update import Array, Reference, Rule


class Convolution:
    """A valid convolution by a square kernel, then max-pooling 2 × 2, then a rectifier."""

    def __init__(self, channels: int, side: int, kernel: Array, count: int, *, first: bool) -> None:
        filters, size = kernel.shape[0], kernel.shape[-1]
        out, dtype = side - size + 1, kernel.dtype
        self.size, self.out = size, out
        self.columns = np.empty((channels, size, size, out, out, count), dtype)
        self.z = np.empty((filters, out, out, count), dtype)
        self.dz = np.empty_like(self.z)
        self.h = np.empty((filters, out // 2, out // 2, count), dtype)
        self.winner = np.empty(self.h.shape, bool)
        self.y = np.empty_like(self.h)
        self.ones = np.ones(out * out * count, dtype)
        if not first:
            self.d_columns = np.empty_like(self.columns)
            self.dx = np.empty((channels, side, side, count), dtype)

    def _windows(self, image: Array) -> list[Array]:
        """The parts of an image (C, H, W, N) that the kernel's cells meet, row by row."""
        reach = range(self.size)
        return [image[:, p : p + self.out, q : q + self.out] for p in reach for q in reach]

    def _quarters(self, a: Array) -> tuple[Array, ...]:
        """The four cells of each pooling window, in row-major order."""
        return a[:, ::2, ::2], a[:, ::2, 1::2], a[:, 1::2, ::2], a[:, 1::2, 1::2]

    def _flat(self, columns: Array) -> Array:
        return columns.reshape(columns.shape[0] * self.size**2, -1)

    def forward(self, x: Array, kernel: Array, offset: Array) -> Array:
        cells = [self.columns[:, p, q] for p in range(self.size) for q in range(self.size)]
        for cell, window in zip(cells, self._windows(x), strict=True):
            cell[...] = window
        filters = len(kernel)
        np.matmul(kernel.reshape(filters, -1), self._flat(self.columns), out=self.z.reshape(filters, -1))
        a, b, c, d = self._quarters(self.z)
        np.maximum(a, b, out=self.h)
        np.maximum(self.h, c, out=self.h)
        np.maximum(self.h, d, out=self.h)
        # `h` stays as the largest cell without the offset, which moves all four alike
        np.add(self.h, offset[:, None, None, None], out=self.y)
        return np.maximum(self.y, 0, out=self.y)

    def backward(self, d: Array, kernel: Array, d_kernel: Array, d_offset: Array) -> Array | None:
        """`d`, the gradient by the result, is used up; the gradient by the input, if that has one."""
        filters = len(kernel)
        d *= np.greater(self.y, 0, out=self.winner)
        np.dot(d.reshape(filters, -1), self.ones[: d.size // filters], out=d_offset)
        zs, dzs = self._quarters(self.z), self._quarters(self.dz)
        for z, dz in zip(zs, dzs, strict=True):  # the first largest cell takes it all
            np.multiply(d, np.equal(z, self.h, out=self.winner), out=dz)
            d -= dz
        dz = self.dz.reshape(filters, -1)
        np.matmul(dz, self._flat(self.columns).T, out=d_kernel.reshape(filters, -1))
        if not hasattr(self, "dx"):
            return None
        np.matmul(kernel.reshape(filters, -1).T, dz, out=self._flat(self.d_columns))
        self.dx[:] = 0
        cells = [self.d_columns[:, p, q] for p in range(self.size) for q in range(self.size)]
        for window, cell in zip(self._windows(self.dx), cells, strict=True):
            window += cell
        return self.dx


class Lenet(Reference):
    """Two convolutions and a dense layer."""

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, rule)
        x, K1, K2 = data["x"], params["K1"], params["K2"]
        count, side = len(x), x.shape[-1]
        self.x = x
        self.image = np.empty((1, side, side, count), x.dtype)
        self.first = Convolution(1, side, K1, count, first=True)
        inner = self.first.out // 2
        self.second = Convolution(len(K1), inner, K2, count, first=False)
        self.dh = np.empty_like(self.second.h)
        self.logits = np.empty((count, params["W"].shape[1]), x.dtype)
        self.cross_entropy = CrossEntropy(data["y"], x.dtype)
        self.ones = np.ones(count, x.dtype)

    def compute(self) -> float:
        p, g = self.params.views, self.gradients.views
        self.image[...] = self.x.transpose(1, 2, 3, 0)
        h1 = self.first.forward(self.image, p["K1"], p["c1"])
        h2 = self.second.forward(h1, p["K2"], p["c2"])
        flat = h2.reshape(-1, len(self.x))  # (256, N)
        np.matmul(flat.T, p["W"], out=self.logits)
        self.logits += p["b"]
        loss = self.cross_entropy(self.logits)
        np.matmul(flat, self.logits, out=g["W"])
        np.dot(self.ones, self.logits, out=g["b"])
        np.matmul(p["W"], self.logits.T, out=self.dh.reshape(flat.shape))
        d1 = self.second.backward(self.dh, p["K2"], g["K2"], g["c2"])
        assert d1 is not None
        self.first.backward(d1, p["K1"], g["K1"], g["c1"])
        return loss


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> Lenet:
    return Lenet(params, data, rule)
