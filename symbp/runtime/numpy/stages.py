"""The stages of the network that stands in, as the NumPy target has them; no module takes them.

Enters: parameters, tensors, sizes, once. Leaves: functions of data that fill the tensors. Must not know: how
they are run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from symbp.runtime.network import Array

Arrays = Mapping[str, Array]
Stage = Callable[[Arrays], None]


def _forward(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    w, b, p = params["w"], params["b"], tensors["p"]

    def run(data: Arrays) -> None:
        np.dot(data["x"] - data["mean"], w, out=p)
        np.add(p, b, out=p)

    return run


_inference = _forward


def _loss(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    p, loss = tensors["p"], tensors["loss"]

    def run(data: Arrays) -> None:
        loss[...] = np.dot(data["keep"], (p - data["y"]) ** 2) / sizes[-1]

    return run


def _metrics(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    p, error = tensors["p"], tensors["error"]

    def run(data: Arrays) -> None:
        error[...] = np.abs(p - data["y"]).sum() / sizes[-1]

    return run


def _buffers(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    def run(data: Arrays) -> None:
        data["mean"][...] = 0.5 * data["mean"] + 0.5 * data["x"].mean(0)

    return run


def _derivatives(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    def run(data: Arrays) -> None:
        tensors["slope"][...] = data["x"].sum(0)

    return run


def _backward(params: Arrays, tensors: Arrays, gradients: Arrays, *sizes: int) -> Stage:
    p, dp, dw, db, ones = tensors["p"], tensors["dp"], gradients["w"], gradients["b"], tensors["ones"]

    def run(data: Arrays) -> None:
        np.multiply(data["keep"], p - data["y"], out=dp)
        np.multiply(dp, 2 / sizes[-1], out=dp)
        np.dot(dp, data["x"] - data["mean"], out=dw)
        db[...] = np.dot(dp, ones)

    return run


def _update(tensors: Arrays, theta: Array, gradient: Array, **moments: Array) -> Callable[..., None]:
    m = moments["m"]

    def run(step: int, lr: float, momentum: float) -> None:
        np.multiply(m, momentum, out=m)
        np.add(m, gradient, out=m)
        np.subtract(theta, lr * m, out=theta)

    return run
