"""lstm_cell: a network that trains in Numba.

Derived from the network lstm_cell; float64. It reads x(D,), h0(H,), c0(H,), t(H,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n] = Σ_j Wi[n,j]·x[j]
    (2)   z2[n] = Σ_j Ui[n,j]·h0[j]
    (3)   a2[n] = z1[n] + z2[n]
    (4)   i[n] = 1/(1 + exp(-a2[n]))
    (5)   z3[n] = Σ_j Wf[n,j]·x[j]
    (6)   z4[n] = Σ_j Uf[n,j]·h0[j]
    (7)   a4[n] = z3[n] + z4[n]
    (8)   f[n] = 1/(1 + exp(-a4[n]))
    (9)   z5[n] = Σ_j Wg[n,j]·x[j]
    (10)  z6[n] = Σ_j Ug[n,j]·h0[j]
    (11)  g[n] = tanh(z5[n] + z6[n])
    (12)  z7[n] = Σ_j Wo[n,j]·x[j]
    (13)  z8[n] = Σ_j Uo[n,j]·h0[j]
    (14)  a8[n] = z7[n] + z8[n]
    (15)  o[n] = 1/(1 + exp(-a8[n]))
    (16)  c[n] = c0[n]·f[n] + g[n]·i[n]
    (17)  m[n] = tanh(c[n])
    (18)  h[n] = m[n]·o[n]
    (19)  s_loss = Σ_n (h[n] - t[n])²
    (20)  loss = s_loss/2
    (21)  dh[n] = h[n] - t[n]
    (22)  dc[n] = (1 - m[n]²)·dh[n]·o[n]
    (23)  da8[n] = (1 - o[n])·dh[n]·h[n]
    (24)  dUo[n,j] = da8[n]·h0[j]
    (25)  dWo[n,j] = da8[n]·x[j]
    (26)  dz6[n] = (1 - g[n]²)·dc[n]·i[n]
    (27)  dUg[n,j] = dz6[n]·h0[j]
    (28)  dWg[n,j] = dz6[n]·x[j]
    (29)  da4[n] = (1 - f[n])·c0[n]·dc[n]·f[n]
    (30)  dUf[n,j] = da4[n]·h0[j]
    (31)  dWf[n,j] = da4[n]·x[j]
    (32)  da2[n] = (1 - i[n])·dc[n]·g[n]·i[n]
    (33)  dUi[n,j] = da2[n]·h0[j]
    (34)  dWi[n,j] = da2[n]·x[j]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 2, H = 2.
One training step takes, with each array read and written once per kernel:

    flops      1 + 12·D·H + 12·H² + 52·H
             = 201
    bytes      24 + 64·D·H + 616·H + 64·D + 64·H²
             = 1,896
    workspace  200 bytes
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
D, H = 2, 2
NAME = "lstm_cell"
SIZES = {"D": D, "H": H}
PARAMETERS = {
    "Wi": ("H", "D"), "Wf": ("H", "D"), "Wg": ("H", "D"), "Wo": ("H", "D"), "Ui": ("H", "H"),
    "Uf": ("H", "H"), "Ug": ("H", "H"), "Uo": ("H", "H"),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("D",), "h0": ("H",), "c0": ("H",), "t": ("H",)}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x", "h0", "c0")
FORWARD_GIVEN = ("x", "h0", "c0")
OUTPUTS = ("h", "c")
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {
    "Wi": "dWi", "Wf": "dWf", "Wg": "dWg", "Wo": "dWo", "Ui": "dUi", "Uf": "dUf", "Ug": "dUg", "Uo": "dUo",
}
EQUATIONS = {
    1: "z1", 2: "z2", 3: "a2", 4: "i", 5: "z3", 6: "z4", 7: "a4", 8: "f", 9: "z5", 10: "z6", 11: "g",
    12: "z7", 13: "z8", 14: "a8", 15: "o", 16: "c", 17: "m", 18: "h", 19: "s_loss", 20: "loss", 21: "dh",
    22: "dc", 23: "da8", 24: "dUo", 25: "dWo", 26: "dz6", 27: "dUg", 28: "dWg", 29: "da4", 30: "dUf",
    31: "dWf", 32: "da2", 33: "dUi", 34: "dWi",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, h0, c0):
    """The outputs: equations (1) to (18)."""
    Wi = theta[0:4].reshape(H, D)
    Wf = theta[4:8].reshape(H, D)
    Wg = theta[8:12].reshape(H, D)
    Wo = theta[12:16].reshape(H, D)
    Ui = theta[16:20].reshape(H, H)
    Uf = theta[20:24].reshape(H, H)
    Ug = theta[24:28].reshape(H, H)
    Uo = theta[28:32].reshape(H, H)
    z1 = work[at[0] : at[0] + 2]
    z2 = work[at[1] : at[1] + 2]
    a2 = work[at[2] : at[2] + 2]
    i = work[at[3] : at[3] + 2]
    z3 = work[at[4] : at[4] + 2]
    z4 = work[at[5] : at[5] + 2]
    a4 = work[at[6] : at[6] + 2]
    f = work[at[7] : at[7] + 2]
    z5 = work[at[8] : at[8] + 2]
    z6 = work[at[9] : at[9] + 2]
    g = work[at[10] : at[10] + 2]
    c = work[at[11] : at[11] + 2]
    m = work[at[12] : at[12] + 2]
    z7 = work[at[13] : at[13] + 2]
    z8 = work[at[14] : at[14] + 2]
    a8 = work[at[15] : at[15] + 2]
    o = work[at[16] : at[16] + 2]
    h = work[at[17] : at[17] + 2]
    np.dot(Wi, x, z1)  # (1)
    np.dot(Ui, h0, z2)  # (2)
    _compute_i(a2, z1, z2, i)  # (3), (4)
    np.dot(Wf, x, z3)  # (5)
    np.dot(Uf, h0, z4)  # (6)
    _compute_i(a4, z3, z4, f)  # (7), (8)
    np.dot(Wg, x, z5)  # (9)
    np.dot(Ug, h0, z6)  # (10)
    _compute_m(g, z5, z6, c, c0, f, i, m)  # (11), (16), (17)
    np.dot(Wo, x, z7)  # (12)
    np.dot(Uo, h0, z8)  # (13)
    _compute_h(a8, z7, z8, o, h, m)  # (14), (15), (18)


@kernel
def _loss(theta, work, counts, at, t):
    """The loss: equations (19), (20)."""
    h = work[at[17] : at[17] + 2]
    s_loss = work[at[18] : at[18] + 1]
    loss = work[at[19] : at[19] + 1]
    _compute_s_loss(h, t, s_loss)  # (19)
    loss[0] = s_loss[0] / 2  # (20)


@kernel
def _backward(theta, gradient, work, counts, at, x, h0, c0, t):
    """The gradients: equations (21) to (34)."""
    i = work[at[3] : at[3] + 2]
    f = work[at[7] : at[7] + 2]
    g = work[at[10] : at[10] + 2]
    m = work[at[12] : at[12] + 2]
    o = work[at[16] : at[16] + 2]
    h = work[at[17] : at[17] + 2]
    dh = work[at[20] : at[20] + 2]
    dc = work[at[21] : at[21] + 2]
    da8 = work[at[22] : at[22] + 2]
    dUo = gradient[28:32].reshape(H, H)
    dWo = gradient[12:16].reshape(H, D)
    dz6 = work[at[23] : at[23] + 2]
    dUg = gradient[24:28].reshape(H, H)
    dWg = gradient[8:12].reshape(H, D)
    da4 = work[at[24] : at[24] + 2]
    dUf = gradient[20:24].reshape(H, H)
    dWf = gradient[4:8].reshape(H, D)
    da2 = work[at[25] : at[25] + 2]
    dUi = gradient[16:20].reshape(H, H)
    dWi = gradient[0:4].reshape(H, D)
    _compute_dWi(
        dh, h, t, dc, m, o, da8, dUo, h0, dWo, x, dz6, g, i, dUg, dWg, da4, f, c0, dUf, dWf, da2, dUi, dWi
    )  # (21) to (34)


@kernel
def _metrics(theta, work, counts, at):
    """No metrics."""


@kernel
def _compute_i(a2, z1, z2, i):
    """Equations (3), (4), (7), (8)."""
    _disjoint()
    for n in range(H):
        a2[n] = z1[n] + z2[n]  # (3), (7)
        i[n] = _sigmoid(a2[n])  # (4), (8)


@kernel
def _compute_m(g, z5, z6, c, c0, f, i, m):
    """Equations (11), (16), (17)."""
    _disjoint()
    for n in range(H):
        g[n] = _tanh(z5[n] + z6[n])  # (11)
        c[n] = c0[n] * f[n] + g[n] * i[n]  # (16)
        m[n] = _tanh(c[n])  # (17)


@kernel
def _compute_h(a8, z7, z8, o, h, m):
    """Equations (14), (15), (18)."""
    _disjoint()
    for n in range(H):
        a8[n] = z7[n] + z8[n]  # (14)
        o[n] = _sigmoid(a8[n])  # (15)
        h[n] = m[n] * o[n]  # (18)


@kernel
def _compute_s_loss(h, t, s_loss):
    """Equation (19)."""
    _disjoint()
    s_loss_sum = 0.0
    for n in range(H):
        s_loss_sum += (h[n] - t[n]) ** 2  # (19)
    s_loss[0] = s_loss_sum


@kernel
def _compute_dWi(
    dh, h, t, dc, m, o, da8, dUo, h0, dWo, x, dz6, g, i, dUg, dWg, da4, f, c0, dUf, dWf, da2, dUi, dWi,
):
    """Equations (21) to (34)."""
    _disjoint()
    for n in range(H):
        dh[n] = h[n] - t[n]  # (21)
        dc[n] = (1 - m[n] * m[n]) * dh[n] * o[n]  # (22)
        da8[n] = (1 - o[n]) * dh[n] * h[n]  # (23)
        for j in range(H):
            dUo[n, j] = da8[n] * h0[j]  # (24)
        for j in range(D):
            dWo[n, j] = da8[n] * x[j]  # (25)
        dz6[n] = (1 - g[n] * g[n]) * dc[n] * i[n]  # (26)
        for j in range(H):
            dUg[n, j] = dz6[n] * h0[j]  # (27)
        for j in range(D):
            dWg[n, j] = dz6[n] * x[j]  # (28)
        da4[n] = (1 - f[n]) * c0[n] * dc[n] * f[n]  # (29)
        for j in range(H):
            dUf[n, j] = da4[n] * h0[j]  # (30)
        for j in range(D):
            dWf[n, j] = da4[n] * x[j]  # (31)
        da2[n] = (1 - i[n]) * dc[n] * g[n] * i[n]  # (32)
        for j in range(H):
            dUi[n, j] = da2[n] * h0[j]  # (33)
        for j in range(D):
            dWi[n, j] = da2[n] * x[j]  # (34)


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
def _evaluate(theta, work, counts, at, x, h0, c0, t):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, h0, c0)
    _loss(theta, work, counts, at, t)
    _metrics(theta, work, counts, at)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, h0, c0, t):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, h0, c0)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, h0, c0, t)
    return work[at[19]]


@kernel
def _train_step(theta, gradient, m_, v, step_, lr, beta1, beta2, eps, work, counts, at, x, h0, c0, t):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, x, h0, c0)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, h0, c0, t)
    loss = work[at[19]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m_, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (H,)),
        "z2": (0, 2, (H,)),
        "a2": (0, 4, (H,)),
        "i": (0, 6, (H,)),
        "z3": (0, 0, (H,)),
        "z4": (0, 2, (H,)),
        "a4": (0, 4, (H,)),
        "f": (0, 8, (H,)),
        "z5": (0, 0, (H,)),
        "z6": (0, 2, (H,)),
        "g": (0, 4, (H,)),
        "c": (0, 10, (H,)),
        "m": (0, 12, (H,)),
        "z7": (0, 0, (H,)),
        "z8": (0, 2, (H,)),
        "a8": (0, 14, (H,)),
        "o": (0, 16, (H,)),
        "h": (0, 18, (H,)),
        "s_loss": (0, 0, ()),
        "loss": (0, 24, ()),
        "dh": (0, 0, (H,)),
        "dc": (0, 2, (H,)),
        "da8": (0, 10, (H,)),
        "dz6": (0, 14, (H,)),
        "da4": (0, 20, (H,)),
        "da2": (0, 22, (H,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wi": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wf": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wg": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wo": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Ui": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Uf": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Ug": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Uo": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate
# symbp/runtime/numba/float64.py: _exp, _expm1, _power_of_two, _reduced
# symbp/runtime/numba/functions.py: _sigmoid, _tanh


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
