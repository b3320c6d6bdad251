"""diagonal lstm: GradBench's and ADBench's: each gate has one weight a unit; the loss of a sequence of bits.

Two of a cell's gates read its input, two its own last state: with x below, h and c the cell's last states,

    f = σ(x·w₀ + b₀), i = σ(h·w₁ + b₁), o = σ(x·w₂ + b₂), g = tanh(h·w₃ + b₃), c ← c·f + i·g, h ← o·tanh c

The first layer reads s[t]·e₀; the last one's state makes p[t] = h·e₁ + e₂, and the loss is minus the mean of
after[t]·(p[t] − log(2 + Σ exp p[t])) over all steps and all B bits. Parameters: weight (L, 4, B),
bias (L, 4, B), extra (3, B), the initial states hidden (L, B) and cell (L, B); `data` has s and after,
both (T, B).

Competent because a layer runs over all steps before the next one begins, so that the gates that read only the
layer below are computed for all steps at once; with few bits a call costs more than what it computes, so the
loop over time makes as few calls as there can be: one for both gates and one tanh (the sigmoid's is halved).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.references.update import Array, Reference, Rule


class Layer:
    """One layer over all steps."""

    def __init__(self, steps: int, bits: int, dtype: np.dtype) -> None:
        self.outer = np.empty((steps, 2, bits), dtype)  # the gates that read the input: f, o
        self.inner = np.empty((steps, 2, bits), dtype)  # the gates that read the state: i, g
        self.h, self.c = np.empty((steps + 1, bits), dtype), np.empty((steps + 1, bits), dtype)
        self.tanh_c = np.empty((steps, bits), dtype)
        self.d_inner, self.d_outer = np.empty_like(self.inner), np.empty_like(self.outer)
        self.dc, self.s = np.empty((steps, bits), dtype), np.empty(bits, dtype)
        self.dh, self.dc_last = np.empty(bits, dtype), np.empty(bits, dtype)
        self.scale = np.array([[0.5], [1.0]], dtype)

    def forward(self, x: Array, w: Array, b: Array, h0: Array, c0: Array) -> Array:
        """The states of all steps, from the inputs of all steps (T, B)."""
        self.x, self.w = x, w
        h, c, outer, inner, s = self.h, self.c, self.outer, self.inner, self.s
        h[0], c[0] = h0, c0
        np.multiply(x[:, None], w[::2] * 0.5, out=outer)
        outer += b[::2] * 0.5
        np.tanh(outer, out=outer)
        outer *= 0.5
        outer += 0.5
        weight, offset = w[1::2] * self.scale, b[1::2] * self.scale
        for t in range(len(x)):
            a = inner[t]
            np.multiply(h[t], weight, out=a)
            a += offset
            np.tanh(a, out=a)
            i = a[0]
            i *= 0.5
            i += 0.5
            now = np.multiply(c[t], outer[t, 0], out=c[t + 1])
            now += np.multiply(i, a[1], out=s)
            np.multiply(np.tanh(now, out=self.tanh_c[t]), outer[t, 1], out=h[t + 1])
        return h[1:]

    def backward(self, dy: Array, dw: Array, db: Array, dh0: Array, dc0: Array, dx: Array) -> None:
        """From the gradients by all states (used up) those by weights, offsets, first states and inputs."""
        f, o = self.outer[:, 0], self.outer[:, 1]
        i, g = self.inner[:, 0], self.inner[:, 1]
        slope = self.tanh_c * self.tanh_c
        np.subtract(1, slope, out=slope)
        slope *= o  # ∂h/∂c
        d_inner, d_outer = self.d_inner, self.d_outer
        np.multiply(i * (1 - i), g, out=d_inner[:, 0])
        np.multiply(1 - g * g, i, out=d_inner[:, 1])
        through = self.w[1::2] * d_inner  # ∂c/∂(last h), gate by gate
        through = through.sum(1)
        dh, dc = self.dh, self.dc_last
        dh[:], dc[:] = 0, 0
        s = self.s
        for t in reversed(range(len(dy))):
            now = dy[t]
            now += dh
            dc += np.multiply(now, slope[t], out=s)
            self.dc[t] = dc
            np.multiply(dc, through[t], out=dh)
            dc *= f[t]
        dh0[:], dc0[:] = dh, dc
        d_inner *= self.dc[:, None]
        np.multiply(self.dc * self.c[:-1], f * (1 - f), out=d_outer[:, 0])
        np.multiply(dy * self.tanh_c, o * (1 - o), out=d_outer[:, 1])
        d_inner.sum(0, out=db[1::2])
        d_outer.sum(0, out=db[::2])
        np.einsum("tgb,tb->gb", d_inner, self.h[:-1], out=dw[1::2])
        np.einsum("tgb,tb->gb", d_outer, self.x, out=dw[::2])
        np.einsum("tgb,gb->tb", d_outer, self.w[::2], out=dx)


class DiagonalLstm(Reference):
    """Layers of cells with diagonal weights."""

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, rule)
        self.s, self.after = data["s"], data["after"]
        steps, (layers, bits), dtype = len(self.s), params["hidden"].shape, self.s.dtype
        self.layers = [Layer(steps, bits, dtype) for _ in range(layers)]
        self.x, self.d = np.empty((steps, bits), dtype), np.empty((steps, bits), dtype)
        self.dx, self.e = np.empty((steps, bits), dtype), np.empty((steps, bits), dtype)

    def compute(self) -> float:
        p, g = self.params.views, self.gradients.views
        below = np.multiply(self.s, p["extra"][0], out=self.x)
        for number, layer in enumerate(self.layers):
            below = layer.forward(below, *(p[name][number] for name in ("weight", "bias", "hidden", "cell")))
        loss = self._loss(below, p["extra"], g["extra"])
        d, dx = self.d, self.dx
        for number, layer in reversed(list(enumerate(self.layers))):
            layer.backward(d, *(g[name][number] for name in ("weight", "bias", "hidden", "cell")), dx)
            d, dx = dx, d
        np.einsum("tb,tb->b", d, self.s, out=g["extra"][0])
        return loss

    def _loss(self, h: Array, extra: Array, d_extra: Array) -> float:
        """The loss of the last layer's states; leaves its gradient by them in `d`."""
        totals = self.after.sum(1, keepdims=True)
        p = np.multiply(h, extra[1], out=self.e)
        p += extra[2]
        count, likely = p.size, np.vdot(self.after, p)
        np.exp(p, out=p)
        total = p.sum(1, keepdims=True)
        total += 2
        loss = (float(np.vdot(totals, np.log(total))) - float(likely)) / count
        p *= totals / total
        p -= self.after
        p /= count
        np.einsum("tb,tb->b", p, h, out=d_extra[1])
        p.sum(0, out=d_extra[2])
        np.multiply(p, extra[1], out=self.d)
        return loss


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> DiagonalLstm:
    return DiagonalLstm(params, data, rule)
