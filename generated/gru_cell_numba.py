"""gru_cell: a network that trains in Numba.

Derived from the network gru_cell; float64. It reads x(D,), h0(H,), t(H,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[j] = Σ_i Wz[j,i]·x[i]
    (2)   z2[j] = Σ_i Uz[j,i]·h0[i]
    (3)   a2[j] = z1[j] + z2[j]
    (4)   z[j] = 1/(1 + exp(-a2[j]))
    (5)   z3[j] = Σ_i Wr[j,i]·x[i]
    (6)   z4[j] = Σ_i Ur[j,i]·h0[i]
    (7)   a4[j] = z3[j] + z4[j]
    (8)   r[j] = 1/(1 + exp(-a4[j]))
    (9)   z5[j] = Σ_i Wn[j,i]·x[i]
    (10)  u_z6[j] = h0[j]·r[j]
    (11)  z6[j] = Σ_i Un[j,i]·u_z6[i]
    (12)  n[j] = tanh(z5[j] + z6[j])
    (13)  h[j] = (1 - z[j])·h0[j] + n[j]·z[j]
    (14)  s_loss = Σ_j (h[j] - t[j])²
    (15)  loss = s_loss/2
    (16)  dh[j] = h[j] - t[j]
    (17)  dz6[j] = (1 - n[j]²)·dh[j]·z[j]
    (18)  du_z6[j] = Σ_j2 Un[j2,j]·dz6[j2]
    (19)  dUn[j,i] = dz6[j]·u_z6[i]
    (20)  dWn[j,i] = dz6[j]·x[i]
    (21)  da4[j] = (1 - r[j])·du_z6[j]·u_z6[j]
    (22)  dUr[j,i] = da4[j]·h0[i]
    (23)  dWr[j,i] = da4[j]·x[i]
    (24)  da2[j] = (1 - z[j])·dh[j]·(n[j] - h0[j])·z[j]
    (25)  dUz[j,i] = da2[j]·h0[i]
    (26)  dWz[j,i] = da2[j]·x[i]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 2, H = 2.
One training step takes, with each array read and written once per kernel:

    flops      1 + 9·D·H + 11·H² + 40·H
             = 161
    bytes      24 + 48·D·H + 464·H + 48·D + 56·H²
             = 1,464
    workspace  136 bytes
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
NAME = "gru_cell"
SIZES = {"D": D, "H": H}
PARAMETERS = {
    "Wz": ("H", "D"), "Wr": ("H", "D"), "Wn": ("H", "D"), "Uz": ("H", "H"), "Ur": ("H", "H"),
    "Un": ("H", "H"),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("D",), "h0": ("H",), "t": ("H",)}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x", "h0")
FORWARD_GIVEN = ("x", "h0")
OUTPUTS = ("h",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"Wz": "dWz", "Wr": "dWr", "Wn": "dWn", "Uz": "dUz", "Ur": "dUr", "Un": "dUn"}
EQUATIONS = {
    1: "z1", 2: "z2", 3: "a2", 4: "z", 5: "z3", 6: "z4", 7: "a4", 8: "r", 9: "z5", 10: "u_z6", 11: "z6",
    12: "n", 13: "h", 14: "s_loss", 15: "loss", 16: "dh", 17: "dz6", 18: "du_z6", 19: "dUn", 20: "dWn",
    21: "da4", 22: "dUr", 23: "dWr", 24: "da2", 25: "dUz", 26: "dWz",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, h0):
    """The outputs: equations (1) to (13)."""
    Wz = theta[0:4].reshape(H, D)
    Wr = theta[4:8].reshape(H, D)
    Wn = theta[8:12].reshape(H, D)
    Uz = theta[12:16].reshape(H, H)
    Ur = theta[16:20].reshape(H, H)
    Un = theta[20:24].reshape(H, H)
    z1 = work[at[0] : at[0] + 2]
    z2 = work[at[1] : at[1] + 2]
    a2 = work[at[2] : at[2] + 2]
    z = work[at[3] : at[3] + 2]
    z3 = work[at[4] : at[4] + 2]
    z4 = work[at[5] : at[5] + 2]
    a4 = work[at[6] : at[6] + 2]
    r = work[at[7] : at[7] + 2]
    u_z6 = work[at[8] : at[8] + 2]
    z5 = work[at[9] : at[9] + 2]
    z6 = work[at[10] : at[10] + 2]
    n = work[at[11] : at[11] + 2]
    h = work[at[12] : at[12] + 2]
    np.dot(Wz, x, z1)  # (1)
    np.dot(Uz, h0, z2)  # (2)
    _compute_z(a2, z1, z2, z)  # (3), (4)
    np.dot(Wr, x, z3)  # (5)
    np.dot(Ur, h0, z4)  # (6)
    _compute_u_z6(a4, z3, z4, r, u_z6, h0)  # (7), (8), (10)
    np.dot(Wn, x, z5)  # (9)
    np.dot(Un, u_z6, z6)  # (11)
    _compute_h(n, z5, z6, h, z, h0)  # (12), (13)


@kernel
def _loss(theta, work, counts, at, t):
    """The loss: equations (14), (15)."""
    h = work[at[12] : at[12] + 2]
    s_loss = work[at[13] : at[13] + 1]
    loss = work[at[14] : at[14] + 1]
    _compute_s_loss(h, t, s_loss)  # (14)
    loss[0] = s_loss[0] / 2  # (15)


@kernel
def _backward(theta, gradient, work, counts, at, x, h0, t):
    """The gradients: equations (16) to (26)."""
    Un = theta[20:24].reshape(H, H)
    z = work[at[3] : at[3] + 2]
    r = work[at[7] : at[7] + 2]
    u_z6 = work[at[8] : at[8] + 2]
    n = work[at[11] : at[11] + 2]
    h = work[at[12] : at[12] + 2]
    dh = work[at[15] : at[15] + 2]
    dz6 = work[at[16] : at[16] + 2]
    dUn = gradient[20:24].reshape(H, H)
    dWn = gradient[8:12].reshape(H, D)
    da2 = work[at[17] : at[17] + 2]
    dUz = gradient[12:16].reshape(H, H)
    dWz = gradient[0:4].reshape(H, D)
    du_z6 = work[at[18] : at[18] + 2]
    da4 = work[at[19] : at[19] + 2]
    dUr = gradient[16:20].reshape(H, H)
    dWr = gradient[4:8].reshape(H, D)
    _compute_dWz(
        dh, h, t, dz6, n, z, dUn, u_z6, dWn, x, da2, h0, dUz, dWz
    )  # (16), (17), (19), (20), (24) to (26)
    np.dot(Un.T, dz6, du_z6)  # (18)
    _compute_dWr(da4, r, du_z6, u_z6, dUr, h0, dWr, x)  # (21) to (23)


@kernel
def _metrics(theta, work, counts, at):
    """No metrics."""


@kernel
def _compute_z(a2, z1, z2, z):
    """Equations (3), (4)."""
    _disjoint()
    for j in range(H):
        a2[j] = z1[j] + z2[j]  # (3)
        z[j] = _sigmoid(a2[j])  # (4)


@kernel
def _compute_u_z6(a4, z3, z4, r, u_z6, h0):
    """Equations (7), (8), (10)."""
    _disjoint()
    for j in range(H):
        a4[j] = z3[j] + z4[j]  # (7)
        r[j] = _sigmoid(a4[j])  # (8)
        u_z6[j] = h0[j] * r[j]  # (10)


@kernel
def _compute_h(n, z5, z6, h, z, h0):
    """Equations (12), (13)."""
    _disjoint()
    for j in range(H):
        n[j] = _tanh(z5[j] + z6[j])  # (12)
        h[j] = (1 - z[j]) * h0[j] + n[j] * z[j]  # (13)


@kernel
def _compute_s_loss(h, t, s_loss):
    """Equation (14)."""
    _disjoint()
    s_loss_sum = 0.0
    for j in range(H):
        s_loss_sum += (h[j] - t[j]) ** 2  # (14)
    s_loss[0] = s_loss_sum


@kernel
def _compute_dWz(dh, h, t, dz6, n, z, dUn, u_z6, dWn, x, da2, h0, dUz, dWz):
    """Equations (16), (17), (19), (20), (24) to (26)."""
    _disjoint()
    for j in range(H):
        dh[j] = h[j] - t[j]  # (16)
        dz6[j] = (1 - n[j] * n[j]) * dh[j] * z[j]  # (17)
        for i in range(H):
            dUn[j, i] = dz6[j] * u_z6[i]  # (19)
        for i in range(D):
            dWn[j, i] = dz6[j] * x[i]  # (20)
        da2[j] = (1 - z[j]) * dh[j] * (n[j] - h0[j]) * z[j]  # (24)
        for i in range(H):
            dUz[j, i] = da2[j] * h0[i]  # (25)
        for i in range(D):
            dWz[j, i] = da2[j] * x[i]  # (26)


@kernel
def _compute_dWr(da4, r, du_z6, u_z6, dUr, h0, dWr, x):
    """Equations (21) to (23)."""
    _disjoint()
    for j in range(H):
        da4[j] = (1 - r[j]) * du_z6[j] * u_z6[j]  # (21)
        for i in range(H):
            dUr[j, i] = da4[j] * h0[i]  # (22)
        for i in range(D):
            dWr[j, i] = da4[j] * x[i]  # (23)


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
def _evaluate(theta, work, counts, at, x, h0, t):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, h0)
    _loss(theta, work, counts, at, t)
    _metrics(theta, work, counts, at)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, h0, t):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, h0)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, h0, t)
    return work[at[14]]


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, h0, t):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, x, h0)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, h0, t)
    loss = work[at[14]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (H,)),
        "z2": (0, 2, (H,)),
        "a2": (0, 4, (H,)),
        "z": (0, 6, (H,)),
        "z3": (0, 0, (H,)),
        "z4": (0, 2, (H,)),
        "a4": (0, 4, (H,)),
        "r": (0, 8, (H,)),
        "u_z6": (0, 10, (H,)),
        "z5": (0, 0, (H,)),
        "z6": (0, 2, (H,)),
        "n": (0, 4, (H,)),
        "h": (0, 12, (H,)),
        "s_loss": (0, 0, ()),
        "loss": (0, 16, ()),
        "dh": (0, 0, (H,)),
        "dz6": (0, 2, (H,)),
        "da2": (0, 14, (H,)),
        "du_z6": (0, 0, (H,)),
        "da4": (0, 2, (H,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wz": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wr": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wn": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Uz": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Ur": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Un": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
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
