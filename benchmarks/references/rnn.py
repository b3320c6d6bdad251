"""rnn: h[t] = tanh(x[t] W + h[t−1] U + b); parameters W (D, H), U (H, H), b (H), V (H, K), o (K).

Competent: see `recurrent`; a step forward is a gemm, a sum and a tanh in place, a step backward a gemm and
the product with 1 − h², which is taken for all steps at once before the loop.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.references.recurrent import Recurrent
from benchmarks.references.update import Array, Rule


class Rnn(Recurrent):
    """A plain recurrent layer."""

    def compute(self) -> float:
        a, da, h = self.a, self.da, self.h
        self._project(self.W, self.b)
        for t in range(self.T):
            np.matmul(h[t], self.U, out=self.recurrent)
            self.recurrent += a[t]
            np.tanh(self.recurrent, out=h[t + 1])
        loss = self._read_out()
        np.multiply(h[1:], h[1:], out=da)
        np.subtract(1, da, out=da)
        for t in reversed(range(self.T)):
            da[t] *= self.dh
            np.matmul(da[t], self.U.T, out=self.dh)
        self._weights()
        return loss


def prepare(params: Mapping[str, Array], data: Mapping[str, Array], rule: Rule) -> Rnn:
    return Rnn(params, data, rule)
