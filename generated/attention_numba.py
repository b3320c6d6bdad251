"""attention: a network that trains in Numba.

Derived from the network attention; float64. It reads x(T, D), y(T, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   q[n,i] = Σ_j x[n,j]·Wq[j,i]
    (2)   k[n,i] = Σ_j x[n,j]·Wk[j,i]
    (3)   v[n,i] = Σ_j x[n,j]·Wv[j,i]
    (4)   z4[n,j] = Σ_i q[n,i]·k[j,i]
    (5)   s[n,i] = z4[n,i]/sqrt(D)
    (6)   m_s[n] = max_i s[n,i]
    (7)   e_p[n,i] = exp(s[n,i] - m_s[n])
    (8)   s_p[n] = Σ_i e_p[n,i]
    (9)   p[n,i] = e_p[n,i]/s_p[n]
    (10)  o[n,i] = Σ_j p[n,j]·v[j,i]
    (11)  s_loss = Σ_n,i (o[n,i] - y[n,i])²
    (12)  loss = s_loss/2
    (13)  do[n,i] = o[n,i] - y[n,i]
    (14)  dp[n,i] = Σ_i2 do[n,i2]·v[i,i2]
    (15)  ds_p_s1[n] = Σ_i dp[n,i]·p[n,i]
    (16)  dz4[n,j] = (dp[n,j] - ds_p_s1[n])·p[n,j]/sqrt(D)
    (17)  dv[n,i] = Σ_n2 p[n2,n]·do[n2,i]
    (18)  dWv[j,i] = Σ_n x[n,j]·dv[n,i]
    (19)  dk[n,i] = Σ_n2 dz4[n2,n]·q[n2,i]
    (20)  dWk[j,i] = Σ_n x[n,j]·dk[n,i]
    (21)  dq[n,i] = Σ_j dz4[n,j]·k[j,i]
    (22)  dWq[j,i] = Σ_n x[n,j]·dq[n,i]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: T = 3, D = 2.
One training step takes, with each array read and written once per kernel:

    flops      1 + 12·D·T² + 12·T·D² + 6·D·T + 16·T²
             = 541
    bytes      24 + 232·D·T + 152·T² + 48·D² + 48·T
             = 3,120
    workspace  480 bytes
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import argparse
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
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np

DTYPE = np.float64
OPEN_SIZES: tuple[str, ...] = ()
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
T, D = 3, 2
NAME = "attention"
SIZES = {"T": T, "D": D}
PARAMETERS = {"Wq": ("D", "D"), "Wk": ("D", "D"), "Wv": ("D", "D")}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("T", "D"), "y": ("T", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("p", "o")
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"Wq": "dWq", "Wk": "dWk", "Wv": "dWv"}
EQUATIONS = {
    1: "q", 2: "k", 3: "v", 4: "z4", 5: "s", 6: "m_s", 7: "e_p", 8: "s_p", 9: "p", 10: "o", 11: "s_loss",
    12: "loss", 13: "do", 14: "dp", 15: "ds_p_s1", 16: "dz4", 17: "dv", 18: "dWv", 19: "dk", 20: "dWk",
    21: "dq", 22: "dWq",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x):
    """The outputs: equations (1) to (10)."""
    Wq = theta[0:4].reshape(D, D)
    Wk = theta[4:8].reshape(D, D)
    Wv = theta[8:12].reshape(D, D)
    q = work[at[0] : at[0] + 6].reshape(T, D)
    k = work[at[1] : at[1] + 6].reshape(T, D)
    v = work[at[2] : at[2] + 6].reshape(T, D)
    z4 = work[at[3] : at[3] + 9].reshape(T, T)
    s = work[at[4] : at[4] + 9].reshape(T, T)
    m_s = work[at[5] : at[5] + 3]
    e_p = work[at[6] : at[6] + 9].reshape(T, T)
    s_p = work[at[7] : at[7] + 3]
    p = work[at[8] : at[8] + 9].reshape(T, T)
    o = work[at[9] : at[9] + 6].reshape(T, D)
    _product(x, Wq, q)  # (1)
    _product(x, Wk, k)  # (2)
    _product(x, Wv, v)  # (3)
    _product(q, k.T, z4)  # (4)
    _compute_p(s, z4, m_s, e_p, s_p, p)  # (5) to (9)
    _product(p, v, o)  # (10)


@kernel
def _loss(theta, work, counts, at, y):
    """The loss: equations (11), (12)."""
    o = work[at[9] : at[9] + 6].reshape(T, D)
    s_loss = work[at[10] : at[10] + 1]
    loss = work[at[11] : at[11] + 1]
    _compute_s_loss(o, y, s_loss)  # (11)
    loss[0] = s_loss[0] / 2  # (12)


@kernel
def _backward(theta, gradient, work, counts, at, x, y):
    """The gradients: equations (13) to (22)."""
    q = work[at[0] : at[0] + 6].reshape(T, D)
    k = work[at[1] : at[1] + 6].reshape(T, D)
    v = work[at[2] : at[2] + 6].reshape(T, D)
    p = work[at[8] : at[8] + 9].reshape(T, T)
    o = work[at[9] : at[9] + 6].reshape(T, D)
    do = work[at[12] : at[12] + 6].reshape(T, D)
    dp = work[at[13] : at[13] + 9].reshape(T, T)
    ds_p_s1 = work[at[14] : at[14] + 3]
    dz4 = work[at[15] : at[15] + 9].reshape(T, T)
    dv = work[at[16] : at[16] + 6].reshape(T, D)
    dWv = gradient[8:12].reshape(D, D)
    dk = work[at[17] : at[17] + 6].reshape(T, D)
    dWk = gradient[4:8].reshape(D, D)
    dq = work[at[18] : at[18] + 6].reshape(T, D)
    dWq = gradient[0:4].reshape(D, D)
    _compute_do(do, o, y)  # (13)
    _product(do, v.T, dp)  # (14)
    _compute_dz4(dp, p, ds_p_s1, dz4)  # (15), (16)
    _product(p.T, do, dv)  # (17)
    _product(x.T, dv, dWv)  # (18)
    _product(dz4.T, q, dk)  # (19)
    _product(x.T, dk, dWk)  # (20)
    _product(dz4, k, dq)  # (21)
    _product(x.T, dq, dWq)  # (22)


@kernel
def _metrics(theta, work, counts, at):
    """No metrics."""


@kernel
def _compute_p(s, z4, m_s, e_p, s_p, p):
    """Equations (5) to (9)."""
    _disjoint()
    for n in range(T):
        m_s_max = -np.inf
        for i in range(T):
            s[n, i] = z4[n, i] / math.sqrt(D)  # (5)
            m_s_max = _larger(m_s_max, s[n, i])  # (6)
        m_s[n] = m_s_max
        s_p_sum = 0.0
        for i in range(T):
            e_p[n, i] = _exp(s[n, i] - m_s[n])  # (7)
            s_p_sum += e_p[n, i]  # (8)
        s_p[n] = s_p_sum
        for i in range(T):
            p[n, i] = e_p[n, i] / s_p[n]  # (9)


@kernel
def _compute_s_loss(o, y, s_loss):
    """Equation (11)."""
    _disjoint()
    s_loss_sum = 0.0
    for n in range(T):
        for i in range(D):
            s_loss_sum += (o[n, i] - y[n, i]) ** 2  # (11)
    s_loss[0] = s_loss_sum


@kernel
def _compute_do(do, o, y):
    """Equation (13)."""
    _disjoint()
    for n in range(T):
        for i in range(D):
            do[n, i] = o[n, i] - y[n, i]  # (13)


@kernel
def _compute_dz4(dp, p, ds_p_s1, dz4):
    """Equations (15), (16)."""
    _disjoint()
    for n in range(T):
        ds_p_s1_sum = 0.0
        for i in range(T):
            ds_p_s1_sum += dp[n, i] * p[n, i]  # (15)
        ds_p_s1[n] = ds_p_s1_sum
        for j in range(T):
            dz4[n, j] = (dp[n, j] - ds_p_s1[n]) * p[n, j] / math.sqrt(D)  # (16)


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
def _evaluate(theta, work, counts, at, x, y):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x)
    _loss(theta, work, counts, at, y)
    _metrics(theta, work, counts, at)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x)
    _loss(theta, work, counts, at, y)
    _backward(theta, gradient, work, counts, at, x, y)
    return work[at[11]]


@kernel
def _train_step(theta, gradient, m, v_, step_, lr, beta1, beta2, eps, work, counts, at, x, y):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, x)
    _loss(theta, work, counts, at, y)
    _backward(theta, gradient, work, counts, at, x, y)
    loss = work[at[11]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v_, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "q": (0, 36, (T, D)),
        "k": (0, 42, (T, D)),
        "v": (0, 48, (T, D)),
        "z4": (0, 0, (T, T)),
        "s": (0, 9, (T, T)),
        "m_s": (0, 54, (T,)),
        "e_p": (0, 18, (T, T)),
        "s_p": (0, 57, (T,)),
        "p": (0, 27, (T, T)),
        "o": (0, 0, (T, D)),
        "s_loss": (0, 6, ()),
        "loss": (0, 54, ()),
        "do": (0, 18, (T, D)),
        "dp": (0, 0, (T, T)),
        "ds_p_s1": (0, 24, (T,)),
        "dz4": (0, 9, (T, T)),
        "dv": (0, 0, (T, D)),
        "dk": (0, 0, (T, D)),
        "dq": (0, 0, (T, D)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wq": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        "Wk": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        "Wv": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate
# symbp/runtime/numba/float64.py: _exp, _power_of_two, _reduced


# ---- Matrix products in tiles ----


# symbp/runtime/numba/vectors.py: _ITEM, _LANES, _TALL, _WIDE, _DEEP, _Vectors, _write_tile, _write_turn, _write_row, _write_copy, _write_room, _vector_intrinsics
# symbp/runtime/numba/products.py: _in_registers, _room, _tile, _narrow_tile, _turn, _copy_row, _copy, _product, _product_in_tiles, _multiply, _pack, _tiles


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_shown.py: _settle, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory
# symbp/runtime/common/arrays/keys.py: _key


# ---- Outputs, loss and metrics ----


# symbp/runtime/numba/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numba/differentiate.py: _differentiate
# symbp/runtime/numba/large.py: _updated
# symbp/runtime/numba/advance.py: _advance


# ---- What a step is given beside parameters ----


# symbp/runtime/common/given/no_buffers.py: init_buffers, _as_buffers
# symbp/runtime/common/given/data.py: _given


# ---- Parameters and the state of training ----


# symbp/runtime/common/training/parameters.py: init_params
# symbp/runtime/common/training/moments.py: _moments
# symbp/runtime/common/training/state.py: State, init_state
# symbp/runtime/common/training/calls.py: forward, predict, evaluate, loss_and_gradients
# symbp/runtime/common/steps/refusing.py: NotFinite, _refused, _largest, _culprit, _equation_text
# symbp/runtime/common/steps/stepping.py: _step
# symbp/runtime/common/steps/steps.py: train_step, _step_data
# symbp/runtime/common/training/whole.py: _MOST, _TIMES, _write_whole, _replace_whole, _stem, _clear, _here, _move, _runs, _read_whole, _member, _array, _head, _refuse_promises
# symbp/runtime/common/training/saving.py: _named, save, load, _fill


# ---- Training over epochs ----


# symbp/runtime/common/training/stopping.py: _Stop, _batches
# symbp/runtime/common/training/epochs.py: _epoch, _epochs
# symbp/runtime/common/training/fit.py: fit
# symbp/runtime/common/training/starting.py: _fresh_state


# ---- Gradients beside central differences of the loss ----


# symbp/runtime/common/training/checking.py: _ENTRIES, _SCALES, _TRIES, _STEPS, Point, _sample_data, check_gradients, _points, _check_one, _check_along, _tolerance, _moving, _difference


# ---- The command line ----


# symbp/runtime/common/reading/axes.py: _with_axes
# symbp/runtime/common/reading/loading.py: _archive
# symbp/runtime/common/reading/stored.py: _stored
# symbp/runtime/common/reading/archives.py: _DATA, _column_option, _words_in, _read, _put
# symbp/runtime/common/reading/parts.py: _parts_options, _parts
# symbp/runtime/common/command/showing.py: _show
# symbp/runtime/common/command/predicting.py: _predicted
# symbp/runtime/common/command/train.py: _COUNTS, _declare_train, _train, _saved, _refuse_place, _open_sizes
# symbp/runtime/common/command/printed.py: _printed
# symbp/runtime/common/command/main.py: _arguments, _check, main


# What `train` has beside the essential: its options, those that `fit` takes, who prepares the
# state, who is told of each epoch.
TRAIN_OPTIONS: tuple[Any, ...] = ()
FIT_OPTIONS: tuple[Any, ...] = ()
PREPARE: tuple[Any, ...] = ()
REPORTS: tuple[Any, ...] = (_printed,)


if __name__ == "__main__":
    sys.exit(main())
