"""mlp: a network that trains in Numba.

Derived from the network mlp; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W1[i,j]
    (2)   h[n,j] = tanh(z1[n,j] + b1[j])
    (3)   z2[n,k] = Σ_j h[n,j]·W2[j,k]
    (4)   a2[n,k] = z2[n,k] + b2[k]
    (5)   m_a2[n] = max_k a2[n,k]
    (6)   e_p[n,k] = exp(a2[n,k] - m_a2[n])
    (7)   s_p[n] = Σ_k e_p[n,k]
    (8)   p[n,k] = e_p[n,k]/s_p[n]
    (9)   loss = Σ_n (log(s_p[n]) + m_a2[n] - a2[n,y[n]])/N
    (10)  da2[n,k] = (p[n,k] - [k = y[n]])/N
    (11)  db2[k] = Σ_n da2[n,k]
    (12)  dh[n,j] = Σ_k da2[n,k]·W2[j,k]
    (13)  dW2[j,k] = Σ_n h[n,j]·da2[n,k]
    (14)  dz1[n,j] = (1 - h[n,j]²)·dh[n,j]
    (15)  dW1[i,j] = Σ_n x[n,i]·dz1[n,j]
    (16)  db1[j] = Σ_n dz1[n,j]
    (17)  c_accuracy[n] = argmax_k p[n,k]
    (18)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 64, H = 64, K = 10; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·H·N + 6·H·K·N + 14·K·N + 7·H·N + 7·N
             = 20,819·N
    bytes      112·K·N + 16·D·H + 16·D·N + 24·H·K + 88·H·N + 16·H + 16·K + 72·N + 8
             = 7,848·N + 82,088
    workspace  1,536·rows + 8·N + 8 bytes for each chunk of rows examples
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import argparse
import ctypes
import glob
import io
import json
import math
import os
import platform
import secrets
import signal
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("rows", "N")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
D, H, K = 64, 64, 10
NAME = "mlp"
SIZES = {"D": D, "H": H, "K": K}
PARAMETERS = {"W1": ("D", "H"), "b1": ("H",), "W2": ("H", "K"), "b2": ("K",)}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2"}
EQUATIONS = {
    1: "z1", 2: "h", 3: "z2", 4: "a2", 5: "m_a2", 6: "e_p", 7: "s_p", 8: "p", 9: "loss", 10: "da2", 11: "db2",
    12: "dh", 13: "dW2", 14: "dz1", 15: "dW1", 16: "db1", 17: "c_accuracy", 18: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


_KERNELS: list[str] = []
_EXACT: list[str] = []
_PARALLEL: list[str] = []
_INTRINSICS: list[Callable[[], dict[str, Any]]] = []
prange = range  # until kernels are compiled


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a function for compilation on first use: importing Numba alone takes most of a second."""
    _KERNELS.append(function.__name__)
    return function


def exact_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that counts on its roundings: no sum is taken in another order."""
    _EXACT.append(function.__name__)
    return kernel(function)


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function whose loops over `prange` run on several threads."""
    _PARALLEL.append(function.__name__)
    return kernel(function)


def intrinsics(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Marks what makes functions that the compiler has or is told how to write, by name."""
    _INTRINSICS.append(make)
    return make


def _disjoint() -> None:
    """Says, in a kernel, that none of its arrays overlaps another one: its loops may run on vectors."""


def _larger(a: float, b: float) -> float:
    """The larger of two numbers, NaN if one is."""
    return b if b > a or math.isnan(b) else a


@intrinsics
def _of_the_compiler() -> dict[str, Any]:
    """`_disjoint` and `_larger` as the compiler's own."""
    from numba import types
    from numba.extending import intrinsic

    ir = import_module("llvmlite.ir")

    def disjoint(_context: Any) -> Any:
        def write(target: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            for argument in builder.function.args:
                if isinstance(argument.type, ir.PointerType) and argument.name.endswith(".4"):  # the data
                    argument.add_attribute("noalias")
            return target.get_dummy_value()

        return types.void(), write

    def larger(_context: Any, a: Any, _b: Any) -> Any:
        def write(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            real = arguments[0].type
            two = ir.FunctionType(real, [real, real])
            return builder.call(builder.module.declare_intrinsic("llvm.maximum", [real], two), arguments)

        return a(a, a), write

    return {"_disjoint": intrinsic(disjoint), "_larger": intrinsic(larger)}


def _compile() -> None:
    """Replaces the kernels by their compiled form, once; the machine code is kept beside this file."""
    if _KERNELS:
        import numba

        globals()["prange"] = numba.prange
        for make in _INTRINSICS:
            globals().update(make())
        # Of the fast-math rewrites, those that assume that no NaN or infinity occurs stay out.
        rewrites = {"contract", "reassoc", "nsz", "arcp", "afn"}
        for name in _KERNELS:
            options: dict[str, Any] = {"parallel": name in _PARALLEL, "forceinline": name in _EXACT}
            options["fastmath"] = {"contract"} if name in _EXACT else rewrites
            globals()[name] = numba.njit(cache=True, error_model="numpy", **options)(globals()[name])
        _KERNELS.clear()


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N):
    """The outputs: equations (1) to (8)."""
    W1 = theta[0:4096].reshape(D, H)
    b1 = theta[4096:4160]
    W2 = theta[4160:4800].reshape(H, K)
    b2 = theta[4800:4810]
    z1 = work[at[0] : at[0] + 64 * rows].reshape(rows, H)
    h = work[at[1] : at[1] + 64 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 10 * rows].reshape(rows, K)
    a2 = work[at[3] : at[3] + 10 * rows].reshape(rows, K)
    m_a2 = work[at[4] : at[4] + rows]
    e_p = work[at[5] : at[5] + 10 * rows].reshape(rows, K)
    s_p = work[at[6] : at[6] + rows]
    p = work[at[7] : at[7] + 10 * rows].reshape(rows, K)
    _product(x, W1, z1)  # (1)
    _compute_h(h, z1, b1, rows)  # (2)
    _product(h, W2, z2)  # (3)
    _compute_p(a2, z2, b2, m_a2, e_p, s_p, p, rows)  # (4) to (8)


@kernel
def _loss(theta, work, counts, at, y, rows, N):
    """The loss: equation (9)."""
    a2 = work[at[3] : at[3] + 10 * rows].reshape(rows, K)
    m_a2 = work[at[4] : at[4] + rows]
    s_p = work[at[6] : at[6] + rows]
    loss = work[at[8] : at[8] + 1]
    _compute_loss(m_a2, a2, y, s_p, loss, rows, N)  # (9)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N):
    """The gradients: equations (10) to (16)."""
    W2 = theta[4160:4800].reshape(H, K)
    h = work[at[1] : at[1] + 64 * rows].reshape(rows, H)
    p = work[at[7] : at[7] + 10 * rows].reshape(rows, K)
    da2 = work[at[9] : at[9] + 10 * rows].reshape(rows, K)
    db2 = gradient[4800:4810]
    dh = work[at[10] : at[10] + 64 * rows].reshape(rows, H)
    dW2 = gradient[4160:4800].reshape(H, K)
    dz1 = work[at[11] : at[11] + 64 * rows].reshape(rows, H)
    db1 = gradient[4096:4160]
    dW1 = gradient[0:4096].reshape(D, H)
    _compute_db2(db2, da2, p, y, rows, N)  # (10), (11)
    _product(da2, W2.T, dh)  # (12)
    _product(h.T, da2, dW2)  # (13)
    _compute_db1(db1, dz1, h, dh, rows)  # (14), (16)
    _product(x.T, dz1, dW1)  # (15)


@kernel
def _metrics(theta, work, counts, at, y, rows, N):
    """The metrics: equations (17), (18)."""
    p = work[at[7] : at[7] + 10 * rows].reshape(rows, K)
    c_accuracy = counts[at[12] : at[12] + N]
    accuracy = work[at[13] : at[13] + 1]
    _compute_accuracy(p, c_accuracy, y, accuracy, N)  # (17), (18)


@kernel
def _compute_h(h, z1, b1, rows):
    """Equation (2)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            h[n, j] = _tanh(z1[n, j] + b1[j])  # (2)


@kernel
def _compute_p(a2, z2, b2, m_a2, e_p, s_p, p, rows):
    """Equations (4) to (8)."""
    _disjoint()
    for n in range(rows):
        m_a2_max = -np.inf
        for k in range(K):
            a2[n, k] = z2[n, k] + b2[k]  # (4)
            m_a2_max = _larger(m_a2_max, a2[n, k])  # (5)
        m_a2[n] = m_a2_max
        s_p_sum = 0.0
        for k in range(K):
            e_p[n, k] = _exp(a2[n, k] - m_a2[n])  # (6)
            s_p_sum += e_p[n, k]  # (7)
        s_p[n] = s_p_sum
        for k in range(K):
            p[n, k] = e_p[n, k] / s_p[n]  # (8)


@kernel
def _compute_loss(m_a2, a2, y, s_p, loss, rows, N):
    """Equation (9)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        loss_sum += (m_a2[n] - a2[n, y[n]] + _log(s_p[n])) / N  # (9)
    loss[0] = loss_sum


@kernel
def _compute_db2(db2, da2, p, y, rows, N):
    """Equations (10), (11)."""
    _disjoint()
    db2[:] = 0.0
    for n in range(rows):
        for k in range(K):
            da2[n, k] = (p[n, k] - (1.0 if k == y[n] else 0.0)) / N  # (10)
            db2[k] += da2[n, k]  # (11)


@kernel
def _compute_db1(db1, dz1, h, dh, rows):
    """Equations (14), (16)."""
    _disjoint()
    db1[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz1[n, j] = (1 - h[n, j] * h[n, j]) * dh[n, j]  # (14)
            db1[j] += dz1[n, j]  # (16)


@kernel
def _compute_accuracy(p, c_accuracy, y, accuracy, N):
    """Equations (17), (18)."""
    _disjoint()
    accuracy_sum = 0.0
    for n in range(N):
        c_accuracy_argmax = -np.inf
        c_accuracy_at = -1
        for k in range(K):
            if c_accuracy_at < 0 or p[n, k] > c_accuracy_argmax:  # (17)
                c_accuracy_argmax, c_accuracy_at = p[n, k], k
        c_accuracy[n] = c_accuracy_at
        if c_accuracy[n] == y[n]:
            accuracy_sum += float(1 / N)  # (18)
    accuracy[0] = accuracy_sum


@kernel
def _update(theta, gradient, m, v, step, lr, beta1, beta2, eps):
    """Adam: one step over all parameters, in place."""
    _disjoint()
    c1 = 1 - beta1  # (U1)
    c2 = 1 - beta2  # (U2)
    c3 = 1 - beta1**step  # (U3)
    c4 = 1 - beta2**step  # (U3)
    for i in range(len(theta)):
        m_next = c1 * gradient[i] + beta1 * m[i]  # (U1)
        v_next = c2 * (gradient[i] * gradient[i]) + beta2 * v[i]  # (U2)
        theta_next = theta[i] - lr * m_next / (c3 * (math.sqrt(v_next / c4) + eps))  # (U3)
        m[i] = m_next
        v[i] = v_next
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, x, y, rows, N):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N)
    _loss(theta, work, counts, at, y, rows, N)
    _metrics(theta, work, counts, at, y, rows, N)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, rows, N):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, rows, N)
    _loss(theta, work, counts, at, y, rows, N)
    _backward(theta, gradient, work, counts, at, x, y, rows, N)
    return work[at[8]]


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, rows, N):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _forward(theta, work, counts, at, x, rows, N)
    _loss(theta, work, counts, at, y, rows, N)
    _backward(theta, gradient, work, counts, at, x, y, rows, N)
    loss = work[at[8]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, N):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c in prange(len(bounds)):
        first, last = bounds[c, 0], bounds[c, 1]
        _forward(theta, work[c], counts[c], at, x[first:last], last - first, N)
        _loss(theta, work[c], counts[c], at, y[first:last], last - first, N)
        _backward(theta, gradients[c], work[c], counts[c], at, x[first:last], y[first:last], last - first, N)


@parallel_kernel
def _add_gradients(gradient, gradients):
    """The gradient by all parameters, from the parts of the chunks."""
    for i in prange(len(gradient)):
        total = gradients[0, i]
        for k in range(1, len(gradients)):
            total += gradients[k, i]
        gradient[i] = total


@parallel_kernel
def _moderate_in_chunks(gradient, gradients):
    """Whether no gradient is large, a piece a thread; each notes it in gradients of its own."""
    chunks = len(gradients)
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        gradients[c, 0] = _all_moderate(gradient[first:last])
    moderate = True
    for c in range(chunks):
        moderate &= gradients[c, 0] != 0
    return moderate


@parallel_kernel
def _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, chunks):
    """The update of a piece of the parameters on each thread."""
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        _update(
            theta[first:last], gradient[first:last], m[first:last], v[first:last], step_, lr, beta1, beta2,
            eps,
        )


@kernel
def _train_step_in_chunks(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, x, y, N,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _chunks(theta, gradients, work, counts, at, bounds, x, y, N)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[8]] += work[k, at[8]]
    loss = work[0, at[8]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N):
    """Floating-point operations of one step."""
    return 20819 * N


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "h": (0, 64 * rows, (rows, H)),
        "z2": (0, 0, (rows, K)),
        "a2": (0, 10 * rows, (rows, K)),
        "m_a2": (0, 40 * rows, (rows,)),
        "e_p": (0, 20 * rows, (rows, K)),
        "s_p": (0, 41 * rows, (rows,)),
        "p": (0, 30 * rows, (rows, K)),
        "loss": (0, 192 * rows, ()),
        "da2": (0, 128 * rows, (rows, K)),
        "dh": (0, 0, (rows, H)),
        "dz1": (0, 128 * rows, (rows, H)),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 0, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(K),
    }


# ---- Functions of one element, and of one matrix ----


@kernel
def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: either makes 0 · value a NaN."""
    total = DTYPE(0)
    for i in range(len(values)):
        total += DTYPE(0) * values[i]
    return bool(total == 0)


@kernel
def _all_moderate(values: Array) -> bool:
    """Whether no value is a NaN, an infinity, or so large that squares of such could overflow in any number
    of steps: the sum of squares, 2⁶⁴ times, is a number."""
    total = DTYPE(0)
    for i in range(len(values)):
        value = DTYPE(2**32) * values[i]
        total += value * value
    return bool(total < DTYPE(np.inf))


@kernel
def _any_outside(values: Array, top: int, ignored: int) -> bool:
    """Whether an integer is neither from 0 to `top` - 1 nor `ignored`: memory of others would be read and
    written at such a place."""
    found = False
    for value in values.flat:
        found |= (value < 0 or value >= top) and value != ignored
    return found


@exact_kernel
def _exp(x: Any) -> Any:
    """exp(x); 2^k in two factors, since it need not be a normal number."""
    x = np.float64(x)
    x = min(x, 710.0)
    x = max(x, -746.0)
    grown, k = _reduced(x)
    half = k >> 1
    return (1.0 + grown) * _power_of_two(half) * _power_of_two(k - half)


@exact_kernel
def _expm1(x: Any) -> Any:
    """exp(x) - 1 = 2^k·(exp(r) - 1) + (2^k - 1), which is exact near 0; halved, since 2^k may overflow."""
    x = np.float64(x)
    x = min(x, 710.0)
    x = max(x, -38.0)
    grown, k = _reduced(x)
    half = _power_of_two(k - 1)
    return 2.0 * (half * grown + (half - 0.5))


@exact_kernel
def _log(x: Any) -> Any:
    """log(x): NaN below 0, -inf at 0; with s = f/(2 + f), log(1 + f) = 2·s + s³·p(s²)."""
    x = np.float64(x)
    tiny = x < 2.2250738585072014e-308
    bits = np.float64(x * 18014398509481984.0 if tiny else x).view(np.int64)
    k = (bits - np.int64(0x3FE6A09E667F3BCD)) >> 52
    f = np.int64(bits - (k << 52)).view(np.float64) - 1.0
    e = np.float64(k) - (54.0 if tiny else 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = 0.22222198476015553 + z * (0.1818356973757315 + z * (0.15313903317481253 + z * 0.1479750689671745))
    p = 0.6666666666666735 + z * (0.3999999999941109 + z * (0.2857142874326258 + z * p))
    half = 0.5 * f * f
    found = e * 0.6931471805596629565 - ((half - (s * (half + z * p) + e * 2.82352905630315771e-13)) - f)
    if x > 0.0:
        return found if x < np.inf else x
    return -np.inf if x == 0.0 else np.float64(np.nan)


@exact_kernel
def _power_of_two(k: Any) -> Any:
    """2^k within the normal numbers."""
    return np.int64((k + 1023) << 52).view(np.float64)


@exact_kernel
def _reduced(x: Any) -> tuple[Any, Any]:
    """exp(r) - 1 and k, where x = k·log(2) + r with |r| ≤ log(2)/2."""
    shifted = x * 1.4426950408889634 + 6755399441055744.0  # the integer k is in the last bits
    k = shifted - 6755399441055744.0
    r = x - k * 0.6931471805596629565 - k * 2.82352905630315771e-13  # log(2) in two parts
    p = 2.75572341000406e-06 + r * (
        2.7557233430795844e-07 + r * (2.511228818672374e-08 + r * 2.092692173894748e-09)
    )
    p = 0.0013888888888858482 + r * (0.00019841269897193756 + r * (2.4801587373657717e-05 + r * p))
    p = 0.16666666666666685 + r * (0.04166666666666673 + r * (0.008333333333316685 + r * p))
    p = 0.5 + r * p
    return r + r * r * p, np.float64(shifted).view(np.int64) - np.int64(0x4338000000000000)


@exact_kernel
def _tanh(x: Any) -> Any:
    """tanh(x) by exp(2·x) - 1, which loses nothing near 0; from 20 on it is 1."""
    a = abs(DTYPE(x))
    grown = _expm1(DTYPE(2) * min(a, DTYPE(20)))
    return math.copysign(grown / (grown + DTYPE(2)), DTYPE(x))


# ---- Matrix products in tiles ----


_ITEM = np.dtype(DTYPE).itemsize
_LANES = 64 // _ITEM  # numbers in a register
_TALL, _WIDE, _DEEP = 8, 2 * _LANES, 256  # rows and columns of a tile, terms at a time


class _Vectors:
    """Writes operations on registers into the function that is being compiled."""

    def __init__(self, builder: Any) -> None:
        ir = import_module("llvmlite.ir")
        self.builder, self.ir = builder, ir
        self.whole, self.short = ir.IntType(64), ir.IntType(32)
        self.real = ir.FloatType() if _ITEM == 4 else ir.DoubleType()
        self.vector, self.lanes = ir.VectorType(self.real, _LANES), ir.VectorType(self.short, _LANES)
        self.zero = ir.Constant(self.vector, [0.0] * _LANES)

    def pointer(self, address: Any) -> Any:
        return self.builder.inttoptr(address, self.ir.IntType(8).as_pointer())

    def load(self, pointer: Any, kind: Any) -> Any:
        return self.builder.load(self.builder.bitcast(pointer, kind.as_pointer()), align=_ITEM)

    def store(self, value: Any, pointer: Any) -> None:
        self.builder.store(value, self.builder.bitcast(pointer, value.type.as_pointer()), align=_ITEM)

    def moved(self, pointer: Any, count: Any, size: Any = 1) -> Any:
        """The pointer `count` times `size` bytes further."""
        count, size = (self.whole(n) if isinstance(n, int) else n for n in (count, size))
        return self.builder.gep(pointer, [self.builder.mul(count, size)])

    def shuffled(self, one: Any, other: Any, places: list[int]) -> Any:
        return self.builder.shuffle_vector(one, other, self.ir.Constant(self.lanes, places))

    def spread(self, value: Any, kind: Any) -> Any:
        """A number in every lane."""
        empty = self.ir.Constant(kind, self.ir.Undefined)
        return self.shuffled(self.builder.insert_element(empty, value, self.whole(0)), empty, [0] * _LANES)

    def masks(self, wide: Any, vectors: int) -> list[Any]:
        """Which lanes of each of some vectors there are."""
        limit = self.spread(self.builder.trunc(wide, self.short), self.lanes)
        numbers = ([j * _LANES + i for i in range(_LANES)] for j in range(vectors))
        return [self.builder.icmp_signed("<", self.ir.Constant(self.lanes, n), limit) for n in numbers]

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        """A function of LLVM for vectors of this kind."""
        from numba.core import cgutils

        kind = self.ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.{name}.v{_LANES}f{8 * _ITEM}{'.p0' if 'masked' in name else ''}"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def masked_load(self, mask: Any, pointer: Any) -> Any:
        """The lanes of a mask; the others are 0."""
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        return self.call("masked.load", self.vector, pointer, self.short(_ITEM), mask, self.zero)

    def masked_store(self, mask: Any, pointer: Any, value: Any) -> None:
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        self.call("masked.store", self.ir.VoidType(), value, pointer, self.short(_ITEM), mask)

    def repeated(self, times: Any, starts: list[Any], body: Callable[[list[Any]], list[Any]]) -> list[Any]:
        """The values after a loop whose body makes new values of those that it is given."""
        builder = self.builder
        before, loop = builder.block, builder.append_basic_block("loop")
        after = builder.append_basic_block("after")
        builder.branch(loop)
        builder.position_at_end(loop)
        starts = [self.whole(0), *starts]
        held = [builder.phi(start.type) for start in starts]
        made = [builder.add(held[0], self.whole(1)), *body(held[1:])]
        for phi, start, value in zip(held, starts, made, strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed("<", made[0], times), loop, after)
        builder.position_at_end(after)
        return made[1:]


def _write_tile(v: _Vectors, vectors: int, arguments: Any) -> None:
    """Rows times columns, summed over the terms; rows past the last one are that again, written twice."""
    a, a0, a1, tall, b, b0, c, row, wide, deep, more = arguments
    a, b, c = v.pointer(a), v.pointer(b), v.pointer(c)
    builder, last, there = v.builder, v.builder.sub(tall, v.whole(1)), v.masks(wide, vectors)
    numbers = [
        builder.select(builder.icmp_signed("<", v.whole(i), last), v.whole(i), last) for i in range(_TALL)
    ]
    lines = [v.moved(a, number, a0) for number in numbers]
    places = [[v.moved(v.moved(c, number, row), j, 64) for j in range(vectors)] for number in numbers]
    none = v.ir.Constant(v.ir.VectorType(v.ir.IntType(1), _LANES), [0] * _LANES)
    held = [builder.select(more, mask, none) for mask in there]
    sums = [v.masked_load(m, place) for line in places for m, place in zip(held, line, strict=True)]

    def term(values: list[Any]) -> list[Any]:
        along, down, *sums = values
        right = [v.load(v.moved(down, j, 64), v.vector) for j in range(vectors)]
        grown = []
        for i, line in enumerate(lines):
            left = v.spread(v.load(v.moved(line, along), v.real), v.vector)
            own = sums[i * vectors : (i + 1) * vectors]
            grown += [v.call("fma", v.vector, left, x, y) for x, y in zip(right, own, strict=True)]
        return [builder.add(along, a1), v.moved(down, b0), *grown]

    _, _, *sums = v.repeated(deep, [v.whole(0), b, *sums], term)
    for i, line in enumerate(places):
        for j, place in enumerate(line):
            v.masked_store(there[j], place, sums[i * vectors + j])


def _write_turn(v: _Vectors, arguments: Any) -> None:
    """As many lines as a register has lanes, exchanged with their columns."""
    to, start, size = v.pointer(arguments[0]), v.pointer(arguments[1]), arguments[2]
    lines = [v.load(v.moved(start, j, size), v.vector) for j in range(_LANES)]
    far = 1
    while far < _LANES:  # blocks of this size change places across the diagonal
        low = [i if not i & far else _LANES + i - far for i in range(_LANES)]
        high = [i + far if not i & far else _LANES + i for i in range(_LANES)]
        for i in range(_LANES):
            if not i & far:
                both = lines[i], lines[i + far]
                lines[i], lines[i + far] = v.shuffled(*both, low), v.shuffled(*both, high)
        far *= 2
    for i, line in enumerate(lines):
        v.store(line, v.moved(to, i, _WIDE * _ITEM))


def _write_row(v: _Vectors, arguments: Any) -> None:
    to, start, wide = v.pointer(arguments[0]), v.pointer(arguments[1]), arguments[2]
    for j, mask in enumerate(v.masks(wide, 2)):
        v.store(v.masked_load(mask, v.moved(start, j, 64)), v.moved(to, j, 64))


def _write_copy(v: _Vectors, arguments: Any) -> None:
    to, start = map(v.pointer, arguments)
    v.store(v.load(start, v.real), to)


def _write_room(v: _Vectors) -> Any:
    """Memory for the columns of a tile, for as long as the function runs."""
    with v.builder.goto_entry_block():
        memory = v.builder.alloca(v.real, size=v.short(_DEEP * _WIDE))
    memory.align = 64
    return v.builder.ptrtoint(memory, v.whole)


def _vector_intrinsics() -> dict[str, Any]:
    """`_tile` and what else there is for whole registers; nothing where the processor's are shorter."""
    from numba import types
    from numba.extending import intrinsic

    if not import_module("llvmlite.binding").get_host_cpu_features().get("avx512f", False):
        return {}

    step = types.intp

    def nothing(write: Callable[..., None]) -> Any:
        def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            write(_Vectors(builder), arguments)
            return target.get_dummy_value()

        return generate

    def tile(vectors: int) -> Any:
        write = nothing(lambda v, arguments: _write_tile(v, vectors, arguments))

        def typed(
            _context: Any, _a: Any, _a0: Any, _a1: Any, _tall: Any, _b: Any, _b0: Any, _c: Any, _row: Any,
            _wide: Any, _deep: Any, _more: Any,
        ) -> Any:  # fmt: skip
            return types.void(*[step] * 10, types.boolean), write

        return intrinsic(typed)

    def turn(_context: Any, _to: Any, _start: Any, _size: Any) -> Any:
        return types.void(step, step, step), nothing(_write_turn)

    def copy_row(_context: Any, _to: Any, _start: Any, _wide: Any) -> Any:
        return types.void(step, step, step), nothing(_write_row)

    def copy(_context: Any, _to: Any, _start: Any) -> Any:
        return types.void(step, step), nothing(_write_copy)

    def room(_context: Any) -> Any:
        return step(), lambda _target, builder, _signature, _arguments: _write_room(_Vectors(builder))

    found = {"_turn": turn, "_copy_row": copy_row, "_copy": copy, "_room": room}
    tiles = {"_tile": tile(2), "_narrow_tile": tile(1)}
    return {**{name: intrinsic(function) for name, function in found.items()}, **tiles}


def _in_registers(*numbers: int) -> int:
    """Stands for what the compiler is told how to write."""
    raise NotImplementedError


_room = _tile = _narrow_tile = _turn = _copy_row = _copy = _in_registers


@kernel
def _product(left: Array, right: Array, target: Array) -> None:
    """target = left · right by the library of matrix products; where there are tiles, they stand for it."""
    np.dot(left, right, target)


@kernel
def _product_in_tiles(left: Array, right: Array, target: Array) -> None:
    """target = left · right; the rows of the target lie one behind the other."""
    rows, columns = target.shape
    summed = left.shape[1]
    if rows * columns * summed < 512:
        for i in range(rows):
            for j in range(columns):
                total = DTYPE(0)
                for k in range(summed):
                    total += left[i, k] * right[k, j]
                target[i, j] = total
        return
    a0, a1 = left.strides
    b0, b1 = right.strides
    a, b, c = left.ctypes.data, right.ctypes.data, target.ctypes.data
    _multiply(a, a0, a1, b, b0, b1, c, rows, summed, columns)


@kernel
def _multiply(
    a: int, a0: int, a1: int, b: int, b0: int, b1: int, c: int, rows: int, summed: int, columns: int
) -> None:
    panel, row = _room(), columns * _ITEM
    for j in range(0, columns, _WIDE):
        wide = min(_WIDE, columns - j)
        as_it_lies = rows <= _TALL and wide == _WIDE and b1 == _ITEM  # used once: not worth a copy
        for k in range(0, summed, _DEEP):
            deep = min(_DEEP, summed - k)
            right, b2 = b + k * b0 + j * b1, b0
            if not as_it_lies:
                _pack(panel, right, b0, b1, deep, wide)
                right, b2 = panel, _WIDE * _ITEM
            for i in range(0, rows, _TALL):
                tall = min(_TALL, rows - i)
                left, tile = a + i * a0 + k * a1, c + i * row + j * _ITEM
                if wide <= _LANES:
                    _narrow_tile(left, a0, a1, tall, right, b2, tile, row, wide, deep, k > 0)
                else:
                    _tile(left, a0, a1, tall, right, b2, tile, row, wide, deep, k > 0)


@kernel
def _pack(panel: int, b: int, b0: int, b1: int, deep: int, wide: int) -> None:
    """Columns of the right matrix, term by term."""
    if b1 == _ITEM:
        for k in range(deep):
            _copy_row(panel + k * _WIDE * _ITEM, b + k * b0, wide)
        return
    first = 0
    if wide == _WIDE and b0 == _ITEM:
        first = deep - deep % _LANES
        for k in range(0, first, _LANES):
            for j in range(0, _WIDE, _LANES):
                _turn(panel + (k * _WIDE + j) * _ITEM, b + k * _ITEM + j * b1, b1)
    for k in range(first, deep):
        for j in range(wide):
            _copy(panel + (k * _WIDE + j) * _ITEM, b + k * b0 + j * b1)


@intrinsics
def _tiles() -> dict[str, Any]:
    """What tiles are made of, and with them the product."""
    found = _vector_intrinsics()
    return {**found, "_product": _product_in_tiles} if found else {}


# ---- Arrays that come in ----


class DataError(ValueError):
    """Arrays do not fit the network; the message says which and what would fit."""


def _extent(extent: Any, sizes: Mapping[str, int]) -> int | None:
    """The value of an extent, or None if a size of it is not known yet."""
    if isinstance(extent, str):
        return sizes.get(extent)
    try:
        return int(extent(sizes) if callable(extent) else extent)
    except KeyError:  # parameters don't show the size of images
        return None


def _shape_text(shape: tuple[Any, ...]) -> str:
    words = [extent if isinstance(extent, (str, int)) else "…" for extent in shape]
    return f"({', '.join(map(str, words))}{',' if len(words) == 1 else ''})"


def _fit_shape(name: str, array: Array, shape: tuple[Any, ...], sizes: dict[str, int]) -> None:
    """Checks a shape and records the open sizes that it shows."""
    known = {size: sizes[size] for e in shape if isinstance(size := e, str) and size in sizes}
    fits = array.ndim == len(shape)
    if fits:
        for axis, extent in enumerate(shape):
            if isinstance(extent, str):
                fits = fits and sizes.setdefault(extent, array.shape[axis]) == array.shape[axis]
        fits = fits and all(
            _extent(extent, sizes) in (None, array.shape[axis])
            for axis, extent in enumerate(shape)
            if callable(extent)
        )
        fits = fits and all(e == array.shape[k] for k, e in enumerate(shape) if isinstance(e, int))
    if not fits:
        sized = ", ".join(f"{size} = {value}" for size, value in known.items())
        raise DataError(
            f"{name} has shape {array.shape}, the network needs {_shape_text(shape)}"
            + (f" with {sized}" if sized else "")
        )


def _settle(
    arrays: Mapping[str, Array], shapes: Mapping[str, tuple[Any, ...]], sizes: dict[str, int]
) -> None:
    """Checks the shapes of arrays; `sizes` gains the open sizes that they show."""
    for name, array in arrays.items():
        _fit_shape(name, array, shapes[name], sizes)


def _sizes_in(shapes: Mapping[str, tuple[Any, ...]]) -> list[str]:
    """The sizes that arrays of these shapes show."""
    return [extent for shape in shapes.values() for extent in shape if isinstance(extent, str)]


def _sample_sizes() -> dict[str, int]:
    """Open sizes at which gradients are checked where no data are given."""
    return {size: 5 for size in _sizes_in({**INPUTS, **PARAMETERS}) if size not in SIZES}


class Arena(MutableMapping[str, Array]):
    """Named arrays that are views of one flat row-major array; assigning to a name copies into its view."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: Any) -> None:
        self._cut(np.zeros(sum(math.prod(shape) for shape in shapes.values()), dtype), shapes)

    def _cut(self, flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.flat = flat
        self._views: dict[str, Array] = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            self._views[name] = self.flat[start:stop].reshape(shape)
            start = stop

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __setitem__(self, name: str, value: Array) -> None:
        self._views[name][...] = value

    def __delitem__(self, name: str) -> None:
        raise TypeError("an arena keeps all its arrays")

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __getstate__(self) -> tuple[Array, dict[str, tuple[int, ...]]]:
        return self.flat, {name: view.shape for name, view in self.items()}

    def __setstate__(self, state: tuple[Array, dict[str, tuple[int, ...]]]) -> None:
        self._cut(*state)

    def like(self) -> Arena:
        """An arena of zeros with the same names and shapes."""
        return Arena({name: view.shape for name, view in self.items()}, self.flat.dtype)

    def copy(self) -> Arena:
        """An arena with the same values."""
        other = self.like()
        other.flat[:] = self.flat
        return other


def _as_dtype(name: str, value: Any) -> Array:
    """The value as a C-contiguous array of reals (or integers, where the network counts with it)."""
    array = np.asarray(value)
    if name in INTEGERS:
        if array.dtype.kind not in "iu":
            raise DataError(f"{name} has dtype {array.dtype}, the network needs integers")
        return np.asarray(array, np.int64, order="C")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} has dtype {array.dtype}, the network needs real numbers")
    return np.asarray(array, DTYPE, order="C")


def _check_values(name: str, array: Array, sizes: Mapping[str, int], first: int = 0) -> None:
    """Refuses values outside what the network states of them; `first` is the row where a piece begins."""
    if name in INTEGERS:
        bound, ignored = INTEGERS[name]
        top = None if bound is None else _extent(bound, sizes)
        array = array if ignored is None else array[array != ignored]
        if top is not None and array.size and not (array.min() >= 0 and array.max() < top):
            wrong = array.min() if array.min() < 0 else array.max()
            besides = "" if ignored is None else f", or be {ignored}"
            raise DataError(f"{name} holds {wrong}; its values must lie from 0 to {top - 1}{besides}")
        return
    if ("mask", -1) in FACTS.get(name, ()):  # of which -∞ passes
        array = np.where(array == -np.inf, 0, array)
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        place = (first + where[0], *where[1:]) if where else where
        raise DataError(f"{name} holds {array[where]} at {place}; every value must be finite")
    _check_facts(name, array)


def _check_facts(name: str, array: Array) -> None:
    """Refuses values without the facts that the gradients rest on."""
    for fact, axis in FACTS.get(name, ()):
        if not _holds(fact, array, axis):
            over = f" over axis {axis}" if fact in ("sums to one", "one hot") else ""
            raise DataError(
                f"{name} must be {fact}{over}" if "sums" not in fact else f"{name} must sum to one{over}"
            )


def _holds(fact: str, array: Array, axis: int) -> bool:
    if fact == "binary":
        return bool(((array == 0) | (array == 1)).all())
    if fact == "positive":
        return bool((array > 0).all())
    if fact == "nonnegative":
        return bool((array >= 0).all())
    if fact == "one hot" and not ((array == 0) | (array == 1)).all():
        return False
    if fact in ("sums to one", "one hot"):
        return bool(np.abs(array.sum(axis) - 1).max(initial=0) < 1e-4)
    if fact == "symmetric":
        skew = np.abs(array - array.swapaxes(-1, -2)).max(initial=0)
        return bool(skew <= 1e-5 * np.abs(array).max(initial=0))
    if fact == "lower triangular":
        return not np.triu(array, 1).any()
    if fact == "upper triangular":
        return not np.tril(array, -1).any()
    return True


def _refuse_names(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Refuses arrays of other names."""
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in INPUTS]
    if missing or unknown:
        what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
        raise DataError(
            f"{what}; the network reads " + ", ".join(f"{n}{_shape_text(INPUTS[n])}" for n in names)
        )


def _checked(
    given: Mapping[str, Any], names: tuple[str, ...], sizes: dict[str, int], *, values: bool = True
) -> dict[str, Array]:
    """The arrays `names` of `given`, checked; `sizes` gains the open sizes that they show."""
    _refuse_names(given, names)
    data = {name: _as_dtype(name, given[name]) for name in names}
    _settle(data, INPUTS, sizes)
    if values:
        for name, array in data.items():
            _check_values(name, array, sizes)
    return data


def _as_arena(params: Mapping[str, Any]) -> tuple[Arena, dict[str, int]]:
    """Parameters as an arena (itself, or copied in) and the sizes that their shapes show."""
    sizes = dict(SIZES)
    missing = [name for name in PARAMETERS if name not in params]
    unknown = [name for name in params if name not in PARAMETERS]
    if missing or unknown:
        what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
        raise DataError(f"parameters: {what}; the network has {', '.join(PARAMETERS) or 'none'}")
    _settle({name: _as_dtype(name, params[name]) for name in PARAMETERS}, PARAMETERS, sizes)
    if isinstance(params, Arena) and params.flat.dtype == DTYPE:
        arena = params
    else:
        arena = Arena({name: np.shape(params[name]) for name in PARAMETERS}, DTYPE)
        for name in PARAMETERS:
            arena[name] = params[name]
    for name, values in arena.items():
        _check_facts(name, values)
    return arena, sizes


def _all_checked(
    data: Mapping[str, Any], sizes: dict[str, int], names: Collection[str] = tuple(INPUTS)
) -> dict[str, Array]:
    """The arrays `names`, those of a training, checked; `sizes` gains the open sizes that they show."""
    return _checked(data, tuple(names), sizes)


def _pieces(array: Array) -> Iterator[Array]:
    """An array in pieces that fit into memory."""
    yield array


def _taken(array: Array, chosen: Array) -> Array:
    """Some rows, in an order."""
    found: Array = array[chosen]
    return found


def _measured(array: Array, measure: str, axes: tuple[int, ...]) -> Array:
    """The mean, or the deviation `std`, along axes."""
    return np.asarray(getattr(array, measure)(axes, dtype=np.float64))


# ---- Workspaces ----


class _Memory:
    """The workspaces for given open sizes: reals, integers, flags, and every array by name. Arrays that are
    not needed at the same time share their memory, unless `apart`."""

    def __init__(self, sizes: tuple[int, ...], *, apart: bool = False) -> None:
        self.sizes = sizes
        _refuse_short(dict(zip(OPEN_SIZES, sizes, strict=False)))
        places, lengths = _places(*sizes), [0, 0, 0]
        starts: dict[str, int] = {}
        for name, (arena, start, shape) in places.items():
            if PARAMETERS and min(shape, default=0) < 0:
                raise DataError(f"{name} would have the shape {shape}: {_SHORT}")
            starts[name] = lengths[arena] if apart else start
            lengths[arena] = max(lengths[arena], starts[name] + math.prod(shape))
        kinds = (DTYPE, np.int64, bool)
        self.arenas: list[Array] = [np.zeros(n, kind) for n, kind in zip(lengths, kinds, strict=True)]
        self.tensors: dict[str, Array] = {}
        for name, (arena, _, shape) in places.items():
            stop = starts[name] + math.prod(shape)
            self.tensors[name] = self.arenas[arena][starts[name] : stop].reshape(shape)
        for name in POSITIONS:
            self.tensors[name][...] = np.arange(len(self.tensors[name]))
        for name in ONES:
            self.tensors[name].fill(1)
        self.arrays = (*self.arenas[:2], np.array(list(starts.values()), np.int64))  # as kernels take them

    @property
    def nbytes(self) -> int:
        """The size of the workspaces."""
        return sum(arena.nbytes for arena in self.arenas)


_SHORT = "an axis of the data is too short for what is read from it, a kernel or a slice"


def _refuse_short(sizes: Mapping[str, int]) -> None:
    """Refuses data without elements, and those of which too little is left for a window or a maximum."""
    if not PARAMETERS:  # an update of none is empty by right
        return
    empty = [name for name, size in sizes.items() if size < 1]
    if empty:  # the rows of a block come first, and are as many as those of the data
        raise DataError(f"the data have no elements along the axis {empty[-1]}")
    for length, value in NEEDED.items():
        if value(sizes) < 1:
            raise DataError(f"{length} is {value(sizes)}: {_SHORT}")


def _held(kept: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """What is kept under a key, made if it isn't there."""
    if key not in kept:
        if len(kept) >= 4:  # a state sees two batch sizes as a rule: the full one and the last
            kept.clear()
        kept[key] = make()
    return kept[key]


def _memory(sizes: Mapping[str, int], kept: dict[Any, Any] | None = None, *, apart: bool = False) -> _Memory:
    """The workspaces for these sizes, from those kept if they are there."""
    key = _key(sizes)
    return _Memory(key, apart=apart) if kept is None else _held(kept, key, lambda: _Memory(key))


# ---- Outputs, loss and metrics ----


def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,
) -> dict[str, Array]:
    _compile()
    memory, given = _memory(sizes), {**params, **data}
    _forward(params.flat, *memory.arrays, *(given[n] for n in FORWARD_GIVEN), *memory.sizes)
    return {name: memory.tensors[name].copy() for name in OUTPUTS}


def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    _compile()
    memory = _memory(sizes)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors


# ---- Gradients and training steps ----


def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    apart: bool = False,
) -> dict[str, Array]:
    """The gradients and the tensors that are left, or all of them where they lie apart."""
    _compile()
    memory = _memory(sizes, apart=apart)
    _loss_and_gradients(params.flat, gradients.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors


def _updated(state: State, own: tuple[Any, ...]) -> bool:
    """One update; taken back, and False returned, if it leaves what is not finite."""
    arenas = [state.params.flat, *(arena.flat for arena in state.moments.values())]
    kept = [arena.copy() for arena in arenas]
    _update(*own)
    if all(np.isfinite(arena).all() for arena in arenas):
        return True
    for arena, before in zip(arenas, kept, strict=True):
        arena[:] = before
    return False


# Floating-point operations; starting threads costs as much as some hundred thousand.
WORTH_A_CHUNK = 2_000_000


class _Chunks:
    """A workspace for each of several chunks of the batch, their rows, and a gradient for each."""

    def __init__(self, sizes: tuple[int, ...], count: int, parameters: int) -> None:
        first = [c * sizes[0] // count for c in range(count + 1)]
        self.bounds = np.array([first[:-1], first[1:]], np.int64).T.copy()  # (count, 2)
        most = int((self.bounds[:, 1] - self.bounds[:, 0]).max())
        reals, integers, at = _Memory((most, *sizes[1:])).arrays
        self.arrays = np.zeros((count, len(reals)), DTYPE), np.zeros((count, len(integers)), np.int64), at
        self.gradients = np.zeros((count, parameters), DTYPE)
        self.sizes = sizes[1:]


def _key(sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The rows of the batch in one piece, then the open sizes; what nothing shows is of another stage."""
    return (sizes.get(CHUNKED, 1), *(sizes.get(name, 1) for name in OPEN_SIZES[1:]))


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite,
    or an integer out of its range."""
    moments = (arena.flat for arena in state.moments.values())
    hyper = (state.hyper[name] for name in HYPER)
    own = (state.params.flat, state.gradients.flat, *moments, state.step + 1, *hyper)
    count = _chunk_count(state.threads, sizes)
    _compile()
    if count == 1:
        memory = _memory(sizes, state.workspace)
        loss, finite, moderate = _train_step(*own, *memory.arrays, *data.values(), *memory.sizes)
    else:
        chunks = _in_chunks(state, sizes, count)
        blas = _blas_threads()
        before = blas[0]()
        blas[1](1)  # each chunk is a thread of its own
        try:
            loss, finite, moderate = _train_step_in_chunks(
                *own, chunks.gradients, *chunks.arrays, chunks.bounds, *data.values(), *chunks.sizes
            )
        finally:
            blas[1](before)
    if finite and not moderate:
        finite = _updated(state, own)
    state.step += bool(finite)
    return float(loss), bool(finite)


def _chunk_count(threads: int | None, sizes: Mapping[str, int]) -> int:
    """As many chunks as threads are wanted; if nothing is said, as there are processors with enough to do."""
    rows, *others = _key(sizes)
    if threads is not None:
        return max(1, min(threads, rows))
    worth = int(_flops(*others)) // WORTH_A_CHUNK
    if worth <= 1:  # to ask the system for its processors takes as long as a small step
        return 1
    return max(1, min(os.cpu_count() or 1, rows, worth))


def _in_chunks(state: State, sizes: Mapping[str, int], count: int) -> _Chunks:
    """The workspaces of the chunks, from those that the state keeps if they are there."""
    key = _key(sizes)
    chunks: _Chunks = _held(
        state.workspace, (*key, "chunks", count), lambda: _Chunks(key, count, len(state.params.flat))
    )
    return chunks


@cache
def _blas_threads() -> tuple[Callable[[], int], Callable[[int], Any]]:
    """How many threads the library of matrix products uses, and how to say how many it shall use; nothing
    happens where the library has another form."""
    found = find_spec("scipy")
    folder = Path(found.origin or "" if found else "").parent
    for path in sorted([*folder.parent.glob("scipy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")]):
        library = ctypes.CDLL(str(path))
        for prefix in ("scipy_openblas", "openblas"):
            for suffix in ("", "64_"):
                get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
                put = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
                if get is not None and put is not None:
                    return get, put
    return (lambda: 1), (lambda count: None)


# ---- What a step is given beside parameters ----


def init_buffers(**sizes: int) -> dict[str, Array]:
    """Running statistics; this network has none."""
    return {}


def _as_buffers(buffers: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> dict[str, Array]:
    if buffers:
        raise DataError(f"{', '.join(buffers)}: the network has no buffers")
    return {}


def _given(
    data: dict[str, Array],
    buffers: Mapping[str, Any] | None,
    sizes: Mapping[str, int],
    seed: int = 0,
    step: int = 0,
    masks: Mapping[str, Any] | None = None,
    kept: dict[Any, Array] | None = None,
    training: bool = True,
) -> dict[str, Array]:
    """All that the stages read beside parameters."""
    if masks:
        raise DataError("the network has no random tensors, so there are no masks to give")
    found = _as_buffers(buffers, sizes)
    return {**data, **found} if found else data


# ---- Parameters and the state of training ----


def init_params(seed: int = 0, **sizes: int) -> Arena:
    """Fresh parameters, drawn with `seed`; sizes that the module leaves open are arguments."""
    known = {**SIZES, **sizes}
    shown = _sizes_in({**PARAMETERS, **INPUTS})
    strange = [name for name in sizes if name not in shown and name not in SIZES]
    if strange:
        raise DataError(f"the network has no size {strange[0]!r}")
    wrong = [name for name in sizes if name in SIZES and sizes[name] != SIZES[name]]
    if wrong:
        raise DataError(f"{wrong[0]} is {SIZES[wrong[0]]} in this module")
    try:
        values = _initial(np.random.default_rng(seed), known)
    except KeyError as needed:
        name = needed.args[0]
        raise DataError(f"{name} is open in this module: call init_params(seed, {name}=…)") from None
    arena = Arena({name: np.shape(values[name]) for name in PARAMETERS}, DTYPE)
    for name, value in values.items():
        arena[name] = value
    return arena


def _moments(params: Arena) -> dict[str, Arena]:
    """The moments, all zero."""
    return {name: params.like() for name in MOMENTS}


@dataclass
class State:
    """What training changes: parameters, buffers, moments, the count of steps; and its settings."""

    params: Arena
    buffers: MutableMapping[str, Array]
    moments: dict[str, Arena]
    gradients: Arena
    sizes: dict[str, int]
    step: int = 0
    seed: int = 0
    threads: int | None = None
    hyper: dict[str, float] = field(default_factory=lambda: dict(HYPER))
    workspace: dict[Any, Any] = field(default_factory=dict)
    accepted: dict[Any, dict[str, int]] = field(default_factory=dict)
    last: tuple[dict[str, Array], dict[str, int]] | None = None  # the arrays of the last step, their sizes
    bound: Any = None  # what the last step ran on
    columns: str = ""  # how those of the training's table were read, where it came from one
    random: dict[Any, Array] = field(default_factory=dict)  # arrays to draw into
    course: Any = None  # how far a training got whose checkpoints are kept

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: nothing that is made for the steps of these very arrays."""
        made: dict[str, Any] = {name: {} for name in ("workspace", "accepted", "random")}
        return {**self.__dict__, **made, "last": None, "bound": None, "course": None}


def init_state(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    threads: int | None = None,
) -> State:
    """A state that starts from a copy of `params` and `buffers`, its moments zero."""
    arena, sizes = _as_arena(params)
    arena, kept = arena.copy(), _as_buffers(buffers, sizes).copy()
    return State(arena, kept, _moments(arena), arena.like(), sizes, 0, seed, threads)


def forward(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    training: bool = False,
    seed: int | None = None,
    **inputs: Any,
) -> dict[str, Array]:
    """The outputs for some inputs (arrays named like the input tensors), in training or at inference."""
    arena, sizes = _as_arena(params)
    data = _checked(inputs, FORWARD_INPUTS, sizes)
    given = _given(data, buffers, sizes, seed=seed or 0, training=training)
    return _outputs(arena, given, sizes, training)


def predict(
    params: Mapping[str, Any], buffers: Mapping[str, Any] | None = None, **inputs: Any
) -> dict[str, Array]:
    """The outputs at inference; arrays that only the loss needs may be given and are not used."""
    return forward(
        params,
        buffers,
        **{name: a for name, a in inputs.items() if name not in INPUTS or name in FORWARD_INPUTS},
    )


def evaluate(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    **data: Any,
) -> dict[str, float]:
    """The loss and the metrics over all of the data at once, at inference."""
    arena, sizes = _as_arena(params)
    checked = _checked(data, tuple(INPUTS), sizes)
    tensors = _values(arena, _given(checked, buffers, sizes, training=False), sizes)
    return {"loss": float(tensors[LOSS]), **{name: float(tensors[name]) for name in METRICS}}


def loss_and_gradients(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    masks: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> tuple[float, Arena]:
    """The loss in training and its gradient by every parameter; changes nothing. Random tensors are those
    of the first step with this seed, or given as `masks`, by name."""
    arena, sizes = _as_arena(params)
    data = _given(_checked(inputs, tuple(INPUTS), sizes), buffers, sizes, seed=seed, masks=masks)
    gradients = arena.like()
    tensors = _differentiate(arena, gradients, data, sizes)
    return float(tensors[LOSS]), gradients


class NotFinite(FloatingPointError):
    """A loss, gradient or buffer is not finite; the step was not taken. `equation` and `tensor` say where."""

    def __init__(self, equation: int | None, tensor: str, text: str) -> None:
        super().__init__(text)
        self.equation, self.tensor = equation, tensor
        self.history: list[dict[str, Any]] = []  # of the epochs before, where `fit` raised it


def _refused(
    state: State, before: Sequence[Array], loss: float, data: Mapping[str, Array], sizes: Mapping[str, int]
) -> NotFinite:
    """Puts buffers back as they were `before`; what wasn't finite.

    Raises DataError: an integer is out of its range, and nothing was computed."""
    for name in INTEGERS:
        _check_values(name, data[name], sizes)
    lost = [name for name, buffer in state.buffers.items() if not np.isfinite(buffer).all()]
    for buffer, kept in zip(state.buffers.values(), before, strict=True):
        buffer[...] = kept
    if lost:
        return NotFinite(None, lost[0], f"the buffer {lost[0]} would not be finite; the step was not taken")
    if np.isfinite(loss) and np.isfinite(state.gradients.flat).all():
        text = "gradients are so large that a moment of the update would not be finite"
        return NotFinite(None, GRADIENTS[_largest(state.gradients)], f"{text}; the step was not taken")
    return _culprit(state.params, data, sizes)


def _largest(gradients: Arena) -> str:
    """The parameter whose gradient has the largest entry."""
    return max(gradients, key=lambda name: np.abs(gradients[name]).max(initial=0))


def _culprit(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> NotFinite:
    """Replays a step and names the first equation whose value is not finite."""
    for kind, arrays in (("the input", data), ("the parameter", params)):
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return NotFinite(None, name, f"{kind} {name} is not finite; the step was not taken")
    gradients = params.like()
    tensors = dict(_differentiate(params, gradients, data, sizes, apart=True))
    tensors.update({tensor: gradients[name] for name, tensor in GRADIENTS.items()})
    for number, tensor in EQUATIONS.items():
        if tensor in tensors and not np.isfinite(tensors[tensor]).all():
            equation = _equation_text(number) or tensor
            text = f"equation ({number}), {equation}, is not finite; the step was not taken"
            return NotFinite(number, tensor, text)
    return NotFinite(None, LOSS, "the loss is not finite; the step was not taken")


def _equation_text(number: int) -> str:
    """The equation as the head of this module states it."""
    start = f"({number}) "
    lines = (line.strip() for line in (__doc__ or "").splitlines())
    return next((line.removeprefix(start).strip() for line in lines if line.startswith(start)), "")


def _step(state: State, data: dict[str, Array], sizes: dict[str, int]) -> float:
    """One update with data that were checked."""
    data = _given(data, state.buffers, sizes, state.seed, state.step, None, state.random)
    before = [buffer.copy() for buffer in state.buffers.values()]
    loss, finite = _advance(state, data, sizes)
    if not finite:
        raise _refused(state, before, loss, data, sizes)
    return loss


def train_step(state: State, **inputs: Any) -> float:
    """One update in place; returns the loss before it. Checks dtype, shape and the range of integers.

    Raises DataError, and NotFinite if the loss, a gradient or a buffer's next value is not finite; the
    state is then as it was.
    """
    return _step(state, *_step_data(state, inputs))


def _step_data(state: State, inputs: dict[str, Any]) -> tuple[dict[str, Array], dict[str, int]]:
    """The arrays of a step and its sizes; arrays that the last step had, and shapes and dtypes that were
    checked before, pass at once."""
    if state.last is not None and len(inputs) == len(INPUTS):
        data, sizes = state.last
        for name, array in inputs.items():
            if data.get(name) is not array:
                break
        else:
            return data, sizes
    key = tuple(
        (name, a.shape, a.dtype.char, a.flags.c_contiguous) if type(a) is np.ndarray else None
        for name, a in inputs.items()
    )
    if key in state.accepted:
        state.last = {name: inputs[name] for name in INPUTS}, state.accepted[key]
        return state.last
    sizes = dict(state.sizes)
    data = _checked(inputs, tuple(INPUTS), sizes, values=False)
    if all(data[name] is inputs[name] for name in INPUTS):
        state.accepted[key] = sizes
    return data, sizes


_MOST, _TIMES = 2**30, 200  # bytes, and times its own length, that a compressed array may take


def _write_whole(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Writes an .npz; a file that is there is replaced whole or not at all, also where the process is killed
    or the power fails. What a process that was killed has left is removed."""
    _replace_whole(path, lambda file: np.savez(file, **arrays))


def _replace_whole(path: str | os.PathLike[str], write: Callable[[Any], object]) -> None:
    """Has a file written beside its place, syncs it, and moves it there."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise DataError(f"{path} is no file that could be replaced")
    _clear(target)
    temporary = target.with_name(f"{_stem(target)}{_here()}-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        _move(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # not every system can do that to a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _stem(target: Path) -> str:
    """How the names of a file's temporary ones begin; file systems have names of some 255 bytes."""
    return f"{target.name[:50]}."


def _clear(target: Path) -> None:
    """Removes what processes have left that were killed: of this machine those that run no more; whether one
    of another runs nobody can tell, but that a file has not been written to for a day."""
    with suppress(OSError):
        for left in target.parent.glob(f"{glob.escape(_stem(target))}*.part"):
            place, _, process = left.name[len(_stem(target)) :].rpartition("-")[0].partition("-")
            if process.isdecimal():
                own = place == _here()
                old = left.stat().st_mtime < time.time() - 86400
                if (own and not _runs(int(process))) or (not own and old):
                    left.unlink(missing_ok=True)


def _here() -> str:
    """Where the numbers of processes are those of this one: on this machine, in this container."""
    counted = ""
    with suppress(OSError):
        counted = os.readlink("/proc/self/ns/pid")
    return f"h{zlib.crc32(f'{platform.node()} {counted}'.encode()):08x}"


def _move(temporary: Path, target: Path) -> None:
    """Puts a file in the place of another. Windows refuses that while anybody reads the other one (a scanner
    does for a moment)."""
    for pause in (0.01, 0.1, 1.0, None):
        try:
            os.replace(temporary, target)
            return
        except PermissionError:
            if os.name != "nt" or pause is None:
                raise
            time.sleep(pause)


def _runs(process: int) -> bool:
    """Whether a process may be running; Windows lets nobody remove what a running one has open."""
    try:
        if os.name != "nt":
            os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return os.name != "nt"


def _read_whole(path: str | os.PathLike[str], wanted: Iterable[str] | None = None) -> dict[str, Array]:
    """The arrays of an .npz, those of `wanted` that it has. Nothing is made that is larger than what is in
    the file, whatever is promised there."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy"): name for name in archive.namelist()}
            chosen = names if wanted is None else [name for name in wanted if name in names]
            return {name: _member(archive, archive.getinfo(names[name])) for name in chosen}
    except OSError:
        raise
    except Exception as failure:  # whatever the readers raise on a file that isn't theirs
        raise DataError(f"{path} is no whole .npz file of arrays: {failure}") from failure


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    """An array of an archive, compressed or not."""
    name, held = member.filename, member.file_size
    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{name} is encrypted, or compressed in a way that NumPy doesn't use")
    if held > _MOST and held > _TIMES * member.compress_size:
        raise DataError(f"{name} would be {held} bytes, out of {member.compress_size}")
    return _array(name, archive.read(member))


def _array(name: str, content: bytes) -> Array:
    """An array as a view of what an .npy file holds."""
    head = io.BytesIO(content)
    shape, by_columns, dtype = _head(name, head)
    _refuse_promises(name, shape, dtype, len(content) - head.tell())
    found = np.frombuffer(content, dtype, offset=head.tell())
    return found.reshape(shape, order="F" if by_columns else "C")


def _head(name: str, file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape, the order and the type that the head of an .npy file tells."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"{name} has version {version}")
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    return read(file)


def _refuse_promises(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], held: int) -> None:
    """Refuses an array that promises more, or less, than is there, or holds records."""
    if dtype.hasobject or dtype.kind == "V":
        raise DataError(f"{name} holds {dtype}, not numbers")
    if min(shape, default=0) < 0 or dtype.itemsize * math.prod(shape) != held:
        raise DataError(f"{name} promises {dtype} of shape {shape}, and has {held} bytes")


def _named(state: State) -> dict[str, Array]:
    """What training changes, by the names that files have for it."""
    moments = {
        f"moments.{moment}.{n}": a for moment, arena in state.moments.items() for n, a in arena.items()
    }
    params = {f"params.{name}": array for name, array in state.params.items()}
    return params | {f"buffers.{name}": array for name, array in state.buffers.items()} | moments


def save(path: str | os.PathLike[str], state: State, **more: Any) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    known = {"step": np.int64(state.step), "seed": np.int64(state.seed), "network": np.array(NAME)}
    columns = {"columns": np.array(state.columns)} if state.columns else {}
    _write_whole(path, {**_named(state), **known, **columns, **more})


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote; a file of parameters alone leaves the moments zero."""
    arrays = _read_whole(path)
    params = {n.removeprefix("params."): a for n, a in arrays.items() if n.startswith("params.")}
    if not params:
        raise DataError(f"{path} holds no parameters (arrays named params.…)")
    if str(arrays.get("network", NAME)) != NAME:
        raise DataError(f"{path} is of the network {str(arrays['network'])[:80]}, not of {NAME}")
    buffers = {n.removeprefix("buffers."): a for n, a in arrays.items() if n.startswith("buffers.")}
    try:
        state = init_state(params, buffers, seed=int(arrays.get("seed", 0)))
        state.step, state.columns = int(arrays.get("step", 0)), str(arrays.get("columns", ""))
        if not (0 <= state.step < 2**62 and state.seed >= 0):
            raise ValueError(f"step {state.step}, seed {state.seed}")
    except (TypeError, ValueError) as failure:
        raise DataError(f"{path}: {failure}") from None
    moments = {name: array for name, array in _named(state).items() if name.startswith("moments.")}
    if any(name in arrays for name in moments):
        _fill(path, moments, arrays)
    return state


def _fill(path: str | os.PathLike[str], into: dict[str, Array], arrays: dict[str, Array]) -> None:
    """Copies arrays of a file; each must be there, and be of the same shape and kind."""
    for name, array in into.items():
        if name not in arrays:
            raise DataError(f"{path} has no {name}")
        found = arrays[name]
        if (found.shape, found.dtype) != (array.shape, array.dtype):
            raise DataError(
                f"{path}: {name} has shape {found.shape} of {found.dtype}, "
                f"this training needs {array.shape} of {array.dtype}"
            )
    for name, array in into.items():
        array[...] = arrays[name]


# ---- Training over epochs ----


class _Stop:
    """Turns the first Ctrl-C, or SIGTERM (from whoever ends jobs), into a flag, so that no update is cut in
    two; the second one interrupts. What was ignored stays so."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        own = threading.current_thread() is threading.main_thread()
        usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if own}
        self._usual = {number: h for number, h in usual.items() if h not in (signal.SIG_IGN, None)}
        for number in self._usual:
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *details: object) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _batches(data: Mapping[str, Array], size: int, order: Array) -> Iterator[dict[str, Array]]:
    """The data in batches of `size` examples in a given order, the last one partial."""
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield {name: a[chosen] if INPUTS[name][:1] == (BATCH,) else a for name, a in data.items()}


def _epoch(state: State, data: Mapping[str, Array], size: int, count: int, stop: _Stop) -> float:
    """One pass over `count` examples in an order drawn anew, or up to a stop; the mean of the loss."""
    total, seen = 0.0, 0
    order = np.random.default_rng([state.seed, state.step]).permutation(count)
    for batch in _batches(data, size, order):
        if stop.asked:
            break
        examples = min(size, count - seen)
        total += _step(state, *_step_data(state, batch)) * examples
        seen += examples
    return total / max(seen, 1)


def _epochs(
    state: State,
    data: Mapping[str, Any],
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None,
    stop: _Stop,
) -> Iterator[dict[str, Any]]:
    """Trains in place and gives a record after each epoch; a stop that is asked for ends it."""
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    sizes = dict(state.sizes)
    whole = _all_checked(data, sizes)
    count = sizes[BATCH] if BATCH is not None else 1
    if not count:
        raise DataError(f"the data have no elements along the axis {BATCH}")
    for number in range(1, epochs + 1):
        started = time.perf_counter()
        record: dict[str, Any] = {"epoch": number, "loss": _epoch(state, whole, batch_size, count, stop)}
        if validation is not None and not stop.asked:
            found = evaluate(state.params, state.buffers, **validation)
            record.update({f"validation_{name}": value for name, value in found.items()})
        record["seconds"] = time.perf_counter() - started
        if stop.asked:
            record["interrupted"] = True
        yield record
        if stop.asked:  # perhaps while the caller looked at the record
            record["interrupted"] = True
            return


def fit(
    state: State,
    data: Mapping[str, Any],
    *,
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], object] | None = None,
) -> list[dict[str, Any]]:
    """Trains in place; returns one record per epoch: epoch, loss, metrics of `validation`, seconds.

    Ctrl-C ends it after the current step, and the last record then says `interrupted`. A step that is not
    finite raises NotFinite; the state keeps the last good parameters. A callback that returns True ends it.
    """
    history: list[dict[str, Any]] = []
    with _Stop() as stop:
        try:
            for record in _epochs(state, data, epochs, batch_size, validation, stop):
                history.append(record)
                if callback is not None and callback(record) is True:
                    break
        except NotFinite as failure:
            failure.history = history
            raise
    return history


def _fresh_state(seed: int, data: Mapping[str, Array], sizes: Mapping[str, int]) -> State:
    """A state with parameters drawn for data with these sizes."""
    return init_state(init_params(seed, **sizes), seed=seed)


# ---- Gradients beside central differences of the loss ----


_ENTRIES = 64  # of a larger parameter, so many entries are tried
_SCALES = (1.0, 3.0, 0.3, 10.0, 0.03, 1.0, 5.0, 0.1)  # of what is drawn, one for each further point
_TRIES = 8  # to find data of which the loss is finite: a mask may hide a whole row
_STEPS = (1.0, 0.03, 1e-3)  # of a difference, the shorter ones where it may reach over a kink
Point = tuple[Arena, dict[str, Array], dict[str, int]]


def _sample_data(
    sizes: Mapping[str, int], rng: np.random.Generator, scale: float = 1.0, density: float = 0.5
) -> dict[str, Array]:
    """Random data that the network accepts; labels in turn, each as often as any other."""
    data: dict[str, Array] = {}
    for name, extents in INPUTS.items():
        shape = tuple(int(_extent(extent, sizes) or 1) for extent in extents)
        if name in INTEGERS:
            bound, _ = INTEGERS[name]
            top = 2 if bound is None else int(_extent(bound, sizes) or 1)
            turn = rng.integers(top) + np.arange(math.prod(shape))
            data[name] = rng.permutation(turn % top).reshape(shape)
            continue
        values: Array = np.asarray(scale * rng.standard_normal(shape))
        for fact, axis in FACTS.get(name, ()):
            if fact == "binary":
                values = np.asarray(rng.random(shape) < density, float)
            elif fact in ("positive", "nonnegative"):
                values = np.exp(values.clip(-3, 3))
            elif fact == "sums to one":
                values = np.exp(values.clip(-3, 3))
                values = values / values.sum(axis, keepdims=True)
            elif fact == "one hot":
                values = np.asarray(values == values.max(axis, keepdims=True), float)
            elif fact == "symmetric":
                values = np.asarray(values + values.swapaxes(-1, -2))
            elif fact in ("lower triangular", "upper triangular"):
                values = np.tril(values) if fact[0] == "l" else np.triu(values)
        data[name] = np.asarray(values, DTYPE)
    return data


def check_gradients(
    params: Mapping[str, Any] | None = None,
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    masks: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> list[dict[str, Any]]:
    """Each gradient beside central differences: parameter, method, max_abs_error, max_rel_error, ok; the
    worst element with its value and the expected one; the sizes; how many entries, and at how many further
    points.

    Random tensors are held fixed: those of the first step with this seed, or the given `masks`. Without
    parameters or inputs, both are drawn at random, at several points. Of a large parameter, 64 entries are
    tried. `max_rel_error` is ‖a − b‖ / max(‖a‖, ‖b‖, 1e-8) over what was tried. A difference within the
    rounding of the loss passes; where a kink lies within the step, nothing is compared.
    Parameters in STOPPED are left out: where they move, so does what counts as a constant.
    """
    rng = np.random.default_rng(0)
    points = _points(params, buffers, seed, masks, inputs, rng)
    arena, data, sizes = next(points)
    gradients = arena.like()
    loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
    if not np.isfinite(loss):
        raise DataError(f"the loss is {loss} for these parameters and data")
    rows = [_check_one(n, (arena, data, sizes), gradients, loss, rng) for n in arena if n not in STOPPED]
    for arena, data, sizes in points:
        gradients = arena.like()
        loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
        if np.isfinite(loss):
            for row in (row for row in rows if row["ok"]):
                _check_along(row, (arena, data, sizes), gradients, loss, rng)
    return rows


def _points(
    params: Mapping[str, Any] | None,
    buffers: Mapping[str, Any] | None,
    seed: int,
    masks: Mapping[str, Any] | None,
    inputs: Mapping[str, Any],
    rng: np.random.Generator,
) -> Iterator[Point]:
    """Where gradients are compared: at what is given; and what isn't given is drawn several times."""
    open_sizes, shown = _sample_sizes(), dict(SIZES)
    if params is None and inputs:
        _checked(inputs, tuple(INPUTS), shown)
    for number, scale in enumerate((1.0, *_SCALES)):
        if number and params is not None and inputs:
            return
        if BATCH in open_sizes and masks is None:
            open_sizes[BATCH] = 5 + number % 4
        for attempt in range(_TRIES):
            drawn = params if params is not None else init_params(number, **{**open_sizes, **shown})
            arena, sizes = _as_arena(drawn)
            arena = arena.copy()
            for name, array in arena.items():  # biases of zero would hide an error
                if params is None and name not in FACTS:
                    array += np.asarray(0.1 * scale * rng.standard_normal(array.shape), DTYPE)
            sizes = {**open_sizes, **sizes} if not inputs else sizes
            sample = inputs or _sample_data(sizes, rng, scale, min(0.5 + attempt / 8, 1.0))
            given = _checked(sample, tuple(INPUTS), sizes)
            data = _given(given, buffers, sizes, seed=seed, masks=masks)
            if np.isfinite(float(_differentiate(arena, arena.like(), data, sizes)[LOSS])):
                break
        yield arena, data, sizes


def _check_one(
    name: str, point: Point, gradients: Arena, loss: float, rng: np.random.Generator
) -> dict[str, Any]:
    """One gradient at one point, entry by entry."""
    values, found = point[0][name].reshape(-1), gradients[name].reshape(-1)
    entries = np.arange(values.size)
    if values.size > _ENTRIES:
        entries = np.sort(rng.choice(values.size, _ENTRIES, replace=False))
    exact = found[entries].astype(float)
    along = [(entries[k : k + 1], np.ones(1)) for k in range(entries.size)]
    allowed = _tolerance() * np.abs(exact[np.isfinite(exact)]).max(initial=0.0)
    compared = [
        _difference(_moving(name, point, *to), g, allowed, loss) for to, g in zip(along, exact, strict=True)
    ]
    numeric, noise, seen = (np.array([c[k] for c in compared]) for k in range(3))
    off = np.where(seen.astype(bool), np.abs(exact - numeric), 0.0)
    scale = max(float(np.linalg.norm(exact)), float(np.linalg.norm(numeric)), 1e-8)
    beyond = np.where(np.isfinite(off), np.maximum(off - noise, 0.0), np.inf)
    worst = int(np.argmax(beyond)) if np.any(beyond) else int(np.argmax(off)) if off.size else 0
    place = np.unravel_index(entries[worst], gradients[name].shape) if off.size else ()
    return {
        "parameter": name,
        "method": "central differences",
        "max_abs_error": float(off.max(initial=0.0)),
        "max_rel_error": float(np.linalg.norm(off)) / scale,
        "ok": bool(np.linalg.norm(beyond) <= _tolerance() * scale),
        "element": [int(k) for k in place],
        "value": float(exact[worst]) if off.size else 0.0,
        "expected": float(numeric[worst]) if off.size else 0.0,
        "rounding": float(noise.max(initial=0.0)),
        "entries": int(seen.sum()),
        "points": 0,
        "sizes": dict(point[2]),
    }


def _check_along(
    row: dict[str, Any], point: Point, gradients: Arena, loss: float, rng: np.random.Generator
) -> None:
    """The same gradient at another point, along a random direction; the row says so if it is wrong there."""
    found = gradients[row["parameter"]].reshape(-1).astype(float)
    direction = rng.standard_normal(found.size)
    direction *= 4 / max(4.0, float(np.linalg.norm(direction)))
    scale = float(np.linalg.norm(found * direction))
    exact = float(found @ direction)
    moving = _moving(row["parameter"], point, np.arange(found.size), direction)
    numeric, noise, seen = _difference(moving, exact, _tolerance() * scale, loss)
    off = abs(exact - numeric)
    row["points"] += int(seen)
    if seen and not off <= _tolerance() * max(scale, abs(numeric)) + noise:
        row |= {"ok": False, "max_abs_error": off, "max_rel_error": off / max(scale, abs(numeric), 1e-8)}
        row |= {"element": "along a random direction", "value": exact, "expected": numeric}
        row |= {"sizes": dict(point[2])}


def _tolerance() -> float:
    return 1e-6 if np.float64 == DTYPE else 2e-2


def _moving(
    name: str, point: Point, entries: Array, direction: Array
) -> Callable[[float], tuple[float, float]]:
    """How far the parameter gets by a step along a direction, with the type's rounding, and the loss
    there."""
    arena, data, sizes = point
    values, scratch = arena[name].reshape(-1), arena.like()
    unit = max(1.0, float(np.abs(values[entries]).mean()) if entries.size else 1.0)

    def loss_at(step: float) -> tuple[float, float]:
        before = values[entries]
        values[entries] = before + np.asarray(step * unit * direction, DTYPE)
        moved = float((values[entries].astype(float) - before) @ direction / (direction @ direction))
        loss = float(_differentiate(arena, scratch, data, sizes)[LOSS])
        values[entries] = before
        return moved, loss

    return loss_at


def _difference(
    loss_at: Callable[[float], tuple[float, float]], exact: float, allowed: float, loss: float
) -> tuple[float, float, bool]:
    """(a central difference, its rounding, whether it says anything). It doesn't if it differs by no more
    than a kink within its reach explains: slopes over one step and two differ then, and so do the slopes to
    both sides."""
    double = np.float64 == DTYPE
    # The loss adds terms up: it is rounded to some units in its last place, never to fewer than those of 1.
    rounding = 32 * float(np.finfo(DTYPE).eps) * max(1.0 if not double else 0.1, abs(loss))
    numeric, noise = 0.0, 0.0
    for share in _STEPS if double else _STEPS[:1]:
        step = share * (3e-5 if double else 8e-3)
        (low, below), (high, above) = loss_at(-step), loss_at(step)
        numeric, noise = (above - below) / (high - low), rounding / (high - low)
        if not abs(exact - numeric) > allowed + noise:
            break
        (lower, far_below), (higher, far_above) = loss_at(-2 * step), loss_at(2 * step)
        farther = (far_above - far_below) / (higher - lower)
        near, far = (above - 2 * loss + below) / high, (far_above - 2 * loss + far_below) / higher
        refined = (4 * numeric - farther) / 3
        reach = abs(numeric - farther) + abs(far - 2 * near)
        if abs(exact - refined) <= allowed + 2 * noise:
            numeric, noise = refined, 2 * noise
            break
        if abs(exact - numeric) > 2 * reach + allowed + 8 * noise:
            break
    else:
        return numeric, noise, False
    return numeric, noise, True


# ---- The command line ----


def _with_axes(name: str, array: Array) -> Array:
    """The array with the axes of length 1 that a file may leave out, such as that of one channel."""
    single = [k for k, extent in enumerate(INPUTS[name]) if SIZES.get(extent, extent) == 1]
    return np.expand_dims(array, single) if array.ndim + len(single) == len(INPUTS[name]) else array


def _archive(path: Path, names: Collection[str]) -> dict[str, Array]:
    """The arrays of a file that carry the names of input tensors."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            return {name: _with_axes(name, file[name]) for name in names if name in file.files}
    except OSError:
        raise
    except Exception as failure:  # whatever NumPy's readers raise on a file that isn't theirs
        raise DataError(f"{path} is no .npz file of arrays: {failure}") from failure


def _stored(path: Path, names: tuple[str, ...], columns: str | None) -> tuple[dict[str, Array], str]:
    """The arrays of a file by the names of input tensors, and what is kept of how it was read."""
    return _archive(path, names), columns or ""


_DATA = "FILE.npz"


def _column_option(parser: argparse.ArgumentParser) -> None:
    """Archives have no columns."""


def _words_in(path: Path, name: str) -> list[str]:
    """The cells of a table's column."""
    raise DataError(f"{name} would be a column of a table: generate this module --with tables")


def _read(
    path: Path,
    names: tuple[str, ...],
    columns: str | None = None,
    options: argparse.Namespace | None = None,
) -> tuple[dict[str, Array], str]:
    """The arrays of a file that carry the names of input tensors, and what is kept of a table's columns."""
    if path.suffix.lower() in (".csv", ".tsv"):
        raise DataError(f"{path}: this module reads .npz files; for tables, generate it --with tables")
    return _stored(path, names, columns)


def _put(path: Path, outputs: dict[str, Any], columns: str = "") -> None:
    """Writes outputs to an archive."""
    if path.suffix.lower() in (".csv", ".tsv"):
        raise DataError(f"{path}: this module writes .npz files; for tables, generate it --with tables")
    _write_whole(path, outputs)


def _parts_options(train: argparse.ArgumentParser) -> None:
    train.add_argument("--validation", type=Path, metavar=_DATA, help="data to evaluate after each epoch")


def _parts(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any] | None, str]:
    """(what to train on, what to evaluate after each epoch, what is kept of a table's columns)"""
    data, columns = _read(options.data, tuple(INPUTS), None, options)
    if options.validation is None:
        return data, None, columns
    return data, _read(options.validation, tuple(INPUTS), columns)[0], columns


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")


def _predicted(state: State, data: dict[str, Any], path: Path) -> dict[str, Array]:
    """The outputs at inference, which go to a path."""
    return predict(state.params, state.buffers, **data)


_COUNTS = {
    "epochs": (20, "passes over the data"),
    "batch-size": (32, "examples in a step"),
    "seed": (0, "of initial values and shuffling"),
}


def _declare_train(train: argparse.ArgumentParser) -> None:
    """The options of `train`."""
    for option, (usual, text) in _COUNTS.items():
        told = f"{text} (default: {usual})"
        train.add_argument(f"--{option}", type=int, default=usual, metavar="INTEGER", help=told)
    for name, value in HYPER.items():
        option, told = name.replace("_", "-"), f"of the update (default: {value})"
        train.add_argument(
            f"--{option}", dest=f"hyper_{name}", type=float, default=value, metavar="NUMBER", help=told
        )
    _parts_options(train)
    _column_option(train)
    for declare in TRAIN_OPTIONS:
        declare(train)
    train.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("params.npz"),
        help="where the parameters go (default: params.npz)",
    )


def _train(options: argparse.Namespace) -> int:
    """Trains and saves, also what was trained until a step was not finite."""
    _refuse_place(options.out)
    data, validation, columns = _parts(options)
    state = _fresh_state(options.seed, data, _open_sizes(data))
    state.columns = columns
    state.hyper.update({name: getattr(options, f"hyper_{name}") for name in HYPER})
    options.held, options.go_on = validation, ""
    for prepare in PREPARE:
        prepare(options, state)
    settings: dict[str, Any] = {name: getattr(options, name) for name in FIT_OPTIONS}
    reports = [make(options, data) for make in REPORTS]

    def report(record: dict[str, Any]) -> None:
        for tell in reports:
            tell(record)

    status, stopped = 0, None
    try:
        history = fit(
            state,
            data,
            epochs=options.epochs,
            batch_size=options.batch_size,
            validation=validation,
            callback=report,
            **settings,
        )
    except NotFinite as failure:
        stopped, status, history = str(failure), 1, failure.history
        print(f"stopped: {failure}", file=sys.stderr)
    trained = bool(state.step or not stopped)  # else it isn't worth another file's place
    if trained:
        options.out, status = _saved(state, options.out, status)
    last = history[-1] if history else {}
    if last.get("interrupted"):
        status = status or 130
        print(f"interrupted: {options.out} has the parameters so far{options.go_on}", file=sys.stderr)
    result = {
        "epochs": len(history),
        "steps": state.step,
        "params": str(options.out) if trained else None,
        **last,
    }
    if stopped:
        result["stopped"] = stopped
    _show(result, options.json)
    return status


def _saved(state: State, path: Path, status: int) -> tuple[Path, int]:
    """Writes what was trained; where the place fails in the end (a disk is full), in the folder for temporary
    files. The place, and the exit status."""
    try:
        save(path, state)
    except OSError as failure:
        rescued = Path(tempfile.gettempdir()) / f"{path.stem}.{os.getpid()}.npz"
        save(rescued, state)
        print(f"error: {path} can't be written: {failure}; the parameters are in {rescued}", file=sys.stderr)
        return rescued, 2
    return path, status


def _refuse_place(path: Path) -> None:
    """Refuses a place where nothing could be written in the end, before anything is trained."""
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        what = "is a folder" if path.is_dir() else f"would be in {folder}, where no folder is"
        raise DataError(f"{path} {what}: name another file for the parameters (--out)")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise DataError(f"{path} can't be written: there is no permission")


def _open_sizes(data: dict[str, Array]) -> dict[str, int]:
    """Sizes that shape parameters and that the data show."""
    shown = dict(SIZES)
    _settle(data, INPUTS, shown)
    return {name: shown[name] for name in _sizes_in(PARAMETERS) if name in shown and name not in SIZES}


def _printed(options: argparse.Namespace, data: dict[str, Array]) -> Callable[[dict[str, Any]], None]:
    """Prints a line for each epoch."""

    def report(record: dict[str, Any]) -> None:
        values = "  ".join(f"{k} {v:.6g}" for k, v in record.items() if isinstance(v, float))
        print(f"epoch {record['epoch']}  {values}", file=sys.stderr)

    return report


def _arguments() -> argparse.ArgumentParser:
    names = ", ".join(INPUTS)
    parser = argparse.ArgumentParser(
        description=f"The network {NAME}: train it, evaluate it, predict with it, check its gradients."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _declare_train(verbs.add_parser("train", help="train and save the parameters"))
    for verb, text in (("evaluate", "loss and metrics on data"), ("predict", "outputs for data")):
        other = verbs.add_parser(verb, help=text)
        other.add_argument(
            "--params", type=Path, default=Path("params.npz"), help="parameters saved by train"
        )
        if verb == "predict":
            other.add_argument(
                "-o", "--out", type=Path, default=Path("outputs.npz"), help=f"where the outputs go: {_DATA}"
            )
    _column_option(verbs.add_parser("check", help="gradients beside central differences"))
    for verb, one in verbs.choices.items():
        one.add_argument(
            "--data", type=Path, required=verb != "check", metavar=_DATA, help=f"arrays named {names}"
        )
        one.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _check(options: argparse.Namespace) -> int:
    data: dict[str, Any] = _read(options.data, tuple(INPUTS), None, options)[0] if options.data else {}
    rows = check_gradients(None, **data)
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            mark = "ok" if row["ok"] else "WRONG"
            errors = f"relative {row['max_rel_error']:.1e}  absolute {row['max_abs_error']:.1e}"
            print(f"{row['parameter']:<12} {errors}  {mark}")
    return 0 if all(row["ok"] for row in rows) else 1


def main(arguments: list[str] | None = None) -> int:
    """Runs a verb; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # names may have letters that a console lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _arguments().parse_args(arguments)
    try:
        if options.verb == "train":
            return _train(options)
        if options.verb == "check":
            return _check(options)
        state = load(options.params)
        data, _ = _read(options.data, tuple(INPUTS), state.columns)
        if options.verb == "evaluate":
            _show(evaluate(state.params, state.buffers, **data), options.json)
        else:
            outputs = _predicted(state, data, options.out)
            _put(options.out, outputs, state.columns)
            _show({name: str(array.shape) for name, array in outputs.items()}, options.json)
    except (DataError, OSError, MemoryError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


# What `train` has beside the essential: its options, those that `fit` takes, who prepares the
# state, who is told of each epoch.
TRAIN_OPTIONS: tuple[Any, ...] = ()
FIT_OPTIONS: tuple[Any, ...] = ()
PREPARE: tuple[Any, ...] = ()
REPORTS: tuple[Any, ...] = (_printed,)


if __name__ == "__main__":
    sys.exit(main())
