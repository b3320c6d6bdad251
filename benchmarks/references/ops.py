"""ops: layer norm, softmax and GELU on one matrix, forward and backward; the loss is Σ y·g with a given g.

The matrix x (N, D) is a parameter, updated with the gradient that the op gives it; layer norm has w (D) and
b (D), too. `data` has g (N, D). The result stays in `y`.

Competent because everything happens in blocks of rows that stay in the cache: once a block's forward pass has
run, its part of the loss and its backward pass follow while the block is still there, so each of x, g, y and
the gradient moves between memory and processor once. Row sums are BLAS or einsum reductions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from benchmarks.references.blocks import Gelu, LayerNorm
from benchmarks.references.update import Array, Reference, Rule

ROWS = 32


class Op(Reference):
    """What the three share: the walk over blocks."""

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, rule)
        self.x, self.dx, self.g = self.params["x"], self.gradients["x"], data["g"]
        self.y = np.empty_like(self.x)
        self.s = np.empty((ROWS, self.x.shape[1]), self.x.dtype)
        assert len(self.x) % ROWS == 0

    def blocks(self) -> Iterator[slice]:
        """Slices of as many rows as stay in the cache."""
        return (slice(start, start + ROWS) for start in range(0, len(self.x), ROWS))

    def compute(self) -> float:
        return sum(self.block(self.x[r], self.g[r], self.y[r], self.dx[r]) for r in self.blocks())

    def block(self, x: Array, g: Array, y: Array, dx: Array) -> float:
        """The loss of some rows; fills y and dx."""
        raise NotImplementedError


class LayerNormOp(Op):
    """Layer normalisation of each row, with weights and offsets."""

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, data, rule)
        self.norm = LayerNorm(ROWS, self.x.shape[1], self.x.dtype)
        self.dw, self.db = self.gradients["w"], self.gradients["b"]
        self.parts = np.empty_like(self.dw), np.empty_like(self.db)

    def compute(self) -> float:
        self.dw[:], self.db[:] = 0, 0
        return super().compute()

    def block(self, x: Array, g: Array, y: Array, dx: Array) -> float:
        w = self.params["w"]
        self.norm.forward(x, w, self.params["b"], out=y)
        dx[:] = g
        self.norm.backward(dx, w, *self.parts)
        self.dw += self.parts[0]
        self.db += self.parts[1]
        return float(np.vdot(y, g))


class SoftmaxOp(Op):
    """The softmax of each row."""

    def block(self, x: Array, g: Array, y: Array, dx: Array) -> float:
        np.subtract(x, x.max(1, keepdims=True), out=y)
        np.exp(y, out=y)
        y /= y.sum(1, keepdims=True)
        along = np.einsum("nd,nd->n", y, g)
        np.subtract(g, along[:, None], out=dx)
        dx *= y
        return float(along.sum())


class GeluOp(Op):
    """GELU of each element."""

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, data, rule)
        self.gelu = Gelu(self.x.dtype)

    def block(self, x: Array, g: Array, y: Array, dx: Array) -> float:
        dx[:] = x
        self.gelu.forward(dx, out=y)
        dx *= g
        return float(np.vdot(y, g))


OPS = {"layernorm": LayerNormOp, "softmax": SoftmaxOp, "gelu": GeluOp}


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule, op: str) -> Op:
    return OPS[op](params, data, rule)
