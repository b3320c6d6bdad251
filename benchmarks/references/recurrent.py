"""What the recurrent references share: time-major arrays, the products outside the loop, the read-out.

Competent because only what depends on the previous state stays inside the loop over time: the inputs'
projections for all steps are one gemm before it, the gradients by the weights one gemm each after it (the
states lie in one array with the initial state in front, so "all previous states" is a view of it), and a step
is one gemm for all gates beside each other, each elementwise call working on all gates that it can.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.references.losses import CrossEntropy
from benchmarks.references.update import Array, Reference, Rule


class Recurrent(Reference):
    """A recurrent layer from zero states, then softmax and cross-entropy on the last step's state.

    `data`: x (N, T, D), labels y (N); parameters W (D, …), U (H, …), b (…) and the read-out V (H, K), o (K).
    """

    gates = 1

    def __init__(self, params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> None:
        super().__init__(params, rule)
        x = self.x = data["x"]
        self.N, self.T, self.D = x.shape
        self.H, dtype = params["U"].shape[0], x.dtype
        width = self.gates * self.H
        self.W, self.U, self.b = self._matrices(self.params.views)
        self.dW, self.dU, self.db = self._matrices(self.gradients.views)
        self.xs = np.empty((self.T, self.N, self.D), dtype)
        self.a = np.empty((self.T, self.N, width), dtype)  # before the activations, then after them
        self.da = np.empty_like(self.a)
        self.h = np.zeros((self.T + 1, self.N, self.H), dtype)  # h[t] is the state before step t
        self.recurrent = np.empty((self.N, width), dtype)
        self.dh = np.empty((self.N, self.H), dtype)
        self.logits = np.empty((self.N, params["V"].shape[1]), dtype)
        self.cross_entropy = CrossEntropy(data["y"], dtype)
        self.ones = np.ones(self.T * self.N, dtype)

    def _matrices(self, p: Mapping[str, Array]) -> tuple[Array, Array, Array]:
        """W (D, gates·H), U (H, gates·H) and b (gates·H): views."""
        return p["W"].reshape(self.D, -1), p["U"].reshape(self.H, -1), p["b"].reshape(-1)

    def _project(self, W: Array, b: Array) -> None:
        """a[t] = x[t] W + b for all steps."""
        self.xs[...] = self.x.transpose(1, 0, 2)
        np.matmul(self.xs.reshape(-1, self.D), W, out=self.a.reshape(len(self.ones), -1))
        self.a += b

    def _read_out(self) -> float:
        """The loss; leaves its gradient by the last state in `dh`."""
        p, g = self.params.views, self.gradients.views
        last = self.h[-1]
        np.matmul(last, p["V"], out=self.logits)
        self.logits += p["o"]
        loss = self.cross_entropy(self.logits)
        np.matmul(last.T, self.logits, out=g["V"])
        np.dot(self.ones[: self.N], self.logits, out=g["o"])
        np.matmul(self.logits, p["V"].T, out=self.dh)
        return loss

    def _weights(self) -> None:
        """The gradients of W, U and b from `da`, all steps at once."""
        da = self.da.reshape(len(self.ones), -1)
        np.matmul(self.xs.reshape(-1, self.D).T, da, out=self.dW)
        np.matmul(self.h[:-1].reshape(-1, self.H).T, da, out=self.dU)
        np.dot(self.ones, da, out=self.db)
