"""The ends of networks: cross-entropy of logits and the mean squared error, with their gradients in place."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


class CrossEntropy:
    """The mean of −log softmax(a)[row, y[row]] over the rows of `a`; leaves its gradient by `a` in `a`.

    Competent because logits, exponentials, probabilities and gradient share one array, the mean's 1/N rides
    on the rows' totals, and only the label's element of each row is read and corrected.
    """

    def __init__(self, y: Array, dtype: np.dtype) -> None:
        self.y, self.rows = np.ravel(y), np.arange(y.size)
        self.top = np.empty((y.size, 1), dtype)
        self.total = np.empty((y.size, 1), dtype)

    def __call__(self, a: Array) -> float:
        count = len(a)
        np.max(a, 1, out=self.top, keepdims=True)
        a -= self.top
        chosen = a[self.rows, self.y].sum()
        np.exp(a, out=a)
        np.sum(a, 1, out=self.total, keepdims=True)
        loss = (np.log(self.total).sum() - chosen) / count
        self.total *= count
        a /= self.total
        a[self.rows, self.y] -= 1 / count
        return float(loss)


def mean_squared_error(a: Array, target: Array) -> float:
    """The mean of (a − target)²; leaves its gradient by `a` in `a`."""
    a -= target
    flat = a.reshape(-1)
    loss = float(flat @ flat) / a.size
    a *= 2 / a.size
    return loss
