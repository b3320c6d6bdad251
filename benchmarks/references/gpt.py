"""gpt: pre-norm blocks of causal attention and a GELU network, tied embeddings, learned positions.

Parameters as `benchmarks.gpt` declares them: of all blocks stacked, norms wa, oa, wb, ob (L, D), Wq, Wk, Wv
(L, D, H, E), bq, bk, bv (L, H, E), Wo (L, H, E, D), bo (L, D), W1 (L, D, F), b1 (L, F), W2 (L, F, D), b2
(L, D), each with `_` behind its name; the last norm's wf_f, of_f (D); We (V, D), Wp (T, D). `data` has tok
and y (N, T).

Competent: see `blocks`. Query, key and value are one matrix, hence one gemm forward and two backward; heads
are strided views of its result, so nothing is transposed or copied; attention's four products are batched
gemms straight into such views; the mask is added once as −∞; the row sums of attention's gradient come from
the output (Dao et al. 2022); tokens scatter through a gemm with their one-hot matrix.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from benchmarks.layouts import fused_attention
from benchmarks.references.blocks import Gelu, LayerNorm
from benchmarks.references.losses import CrossEntropy
from benchmarks.references.update import Arena, Array, Reference, Rule

PARTS = ("Wqkv", "bqkv", "wa", "oa", "Wo", "bo", "wb", "ob", "W1", "b1", "W2", "b2")


class Block:
    """One block and what it keeps for its gradient; `p` and `g` are its parameters and their gradients."""

    def __init__(
        self, p: dict[str, Array], g: dict[str, Array], shape: tuple[int, int, int], mask: Array, gelu: Gelu
    ) -> None:
        (N, T, H), (D, F), dtype = shape, p["W1"].shape, p["W1"].dtype
        rows = N * T
        self.p, self.g, self.mask, self.gelu, self.scale = p, g, mask, gelu, 1 / math.sqrt(D // H)
        self.first, self.second = LayerNorm(rows, D, dtype), LayerNorm(rows, D, dtype)
        self.y1, self.y2 = np.empty((rows, D), dtype), np.empty((rows, D), dtype)
        self.qkv, self.o = np.empty((rows, 3 * D), dtype), np.empty((rows, D), dtype)
        self.q, self.k, self.v = self._heads(self.qkv, N, T, H)
        (self.heads,) = self._heads(self.o, N, T, H)
        self.a = np.empty((N, H, T, T), dtype)
        self.row = np.empty((N, H, T, 1), dtype)
        self.z, self.m = np.empty((rows, F), dtype), np.empty((rows, F), dtype)
        self.s, self.ones = np.empty((rows, D), dtype), np.ones(rows, dtype)

    def _heads(self, a: Array, N: int, T: int, H: int) -> list[Array]:
        """Views (N, H, T, E) of the parts of `a`, which lie beside each other."""
        width = self.p["W1"].shape[0]
        parts = a.reshape(N, T, a.shape[1] // width, H, width // H)
        return [parts[:, :, k].transpose(0, 2, 1, 3) for k in range(parts.shape[2])]

    def forward(self, h: Array) -> None:
        """Adds the block's two contributions to the stream."""
        p, s, a = self.p, self.s, self.a
        np.matmul(self.first.forward(h, p["wa"], p["oa"], out=self.y1), p["Wqkv"], out=self.qkv)
        self.qkv += p["bqkv"]
        np.matmul(self.q, self.k.swapaxes(-1, -2), out=a)
        a *= self.scale
        a += self.mask
        a -= np.max(a, -1, keepdims=True, out=self.row)
        np.exp(a, out=a)
        a /= np.sum(a, -1, keepdims=True, out=self.row)
        np.matmul(a, self.v, out=self.heads)
        np.matmul(self.o, p["Wo"], out=s)
        s += p["bo"]
        h += s
        np.matmul(self.second.forward(h, p["wb"], p["ob"], out=self.y2), p["W1"], out=self.z)
        self.z += p["b1"]
        np.matmul(self.gelu.forward(self.z, out=self.m), p["W2"], out=s)
        s += p["b2"]
        h += s

    def backward(self, d: Array, work: Work) -> None:
        """Turns the gradient by the stream above the block into that below it."""
        p, g, s, ones = self.p, self.g, self.s, self.ones
        np.matmul(self.m.T, d, out=g["W2"])
        np.dot(ones, d, out=g["b2"])
        dm = np.matmul(d, p["W2"].T, out=work.m)
        dm *= self.z
        np.matmul(self.y2.T, dm, out=g["W1"])
        np.dot(ones, dm, out=g["b1"])
        np.matmul(dm, p["W1"].T, out=s)
        d += self.second.backward(s, p["wb"], g["wb"], g["ob"])
        np.matmul(self.o.T, d, out=g["Wo"])
        np.dot(ones, d, out=g["bo"])
        np.matmul(d, p["Wo"].T, out=work.o)
        self._attention(work)
        np.matmul(self.y1.T, work.qkv, out=g["Wqkv"])
        np.dot(ones, work.qkv, out=g["bqkv"])
        np.matmul(work.qkv, p["Wqkv"].T, out=s)
        d += self.first.backward(s, p["wa"], g["wa"], g["oa"])

    def _attention(self, work: Work) -> None:
        """The gradients by query, key and value from that by the heads' output."""
        a, da = self.a, work.a
        N, H, T, _ = a.shape
        (d,) = self._heads(work.o, N, T, H)
        dq, dk, dv = self._heads(work.qkv, N, T, H)
        np.matmul(a.swapaxes(-1, -2), d, out=dv)
        np.matmul(d, self.v.swapaxes(-1, -2), out=da)
        da -= np.einsum("nhte,nhte->nht", d, self.heads)[..., None]
        da *= a
        da *= self.scale
        np.matmul(da, self.k, out=dq)
        np.matmul(da.swapaxes(-1, -2), self.q, out=dk)


class Work:
    """Arrays that the blocks' backward passes share."""

    def __init__(self, block: Block) -> None:
        self.a, self.m = np.empty_like(block.a), np.empty_like(block.m)
        self.qkv, self.o = np.empty_like(block.qkv), np.empty_like(block.o)


class Gpt(Reference):
    """The whole model."""

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        heads = params["Wq_"].shape[2]
        self.layout = fused_attention(heads)
        super().__init__(self.layout.to(params), rule)
        tokens = data["tok"]
        (N, T), (V, D), dtype = tokens.shape, params["We"].shape, params["We"].dtype
        self.depth, self.tokens, rows = len(params["wa_"]), tokens.reshape(-1), N * T
        mask = np.triu(np.full((T, T), -np.inf, dtype), 1)
        gelu = Gelu(dtype)
        self.blocks = [
            Block(self._of(k, self.params), self._of(k, self.gradients), (N, T, heads), mask, gelu)
            for k in range(self.depth)
        ]
        self.work, self.norm = Work(self.blocks[0]), LayerNorm(rows, D, dtype)
        self.h, self.y, self.d = (np.empty((rows, D), dtype) for _ in range(3))
        self.logits = np.empty((rows, V), dtype)
        self.one_hot, self.d_embed = np.empty((rows, V), dtype), np.empty((V, D), dtype)
        self.rows = np.arange(rows)
        self.cross_entropy = CrossEntropy(data["y"], dtype)

    def _of(self, k: int, arena: Arena) -> dict[str, Array]:
        return {name: arena[f"{name}.{k}"] for name in PARTS}

    def compute(self) -> float:
        p, g, h, d = self.params.views, self.gradients.views, self.h, self.d
        T, D = p["Wp"].shape
        np.take(p["We"], self.tokens, axis=0, out=h, mode="clip")
        in_time = h.reshape(-1, T, D)
        in_time += p["Wp"]
        for block in self.blocks:
            block.forward(h)
        y = self.norm.forward(h, p["wf_f"], p["of_f"], out=self.y)
        np.matmul(y, p["We"].T, out=self.logits)
        loss = self.cross_entropy(self.logits)
        np.matmul(self.logits.T, y, out=g["We"])
        np.matmul(self.logits, p["We"], out=d)
        self.norm.backward(d, p["wf_f"], g["wf_f"], g["of_f"])
        for block in reversed(self.blocks):
            block.backward(d, self.work)
        self.one_hot[:] = 0
        self.one_hot[self.rows, self.tokens] = 1
        g["We"] += np.matmul(self.one_hot.T, d, out=self.d_embed)
        np.sum(d.reshape(-1, T, D), 0, out=g["Wp"])
        return loss

    def named(self, arena: Arena) -> dict[str, Array]:
        """The arrays under the row's names, blocks stacked."""
        return self.layout.back(arena.views)


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> Gpt:
    return Gpt(params, data, rule)
