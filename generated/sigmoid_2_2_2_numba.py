"""sigmoid_2_2_2: a network that trains in Numba.

Derived from the network sigmoid_2_2_2; float64. It reads x(D,), t(K,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[j] = Σ_i W1[j,i]·x[i]
    (2)   a1[j] = z1[j] + b1
    (3)   h[j] = 1/(1 + exp(-a1[j]))
    (4)   z2[n] = Σ_j W2[n,j]·h[j]
    (5)   a2[n] = z2[n] + b2
    (6)   o[n] = 1/(1 + exp(-a2[n]))
    (7)   s_loss = Σ_n (t[n] - o[n])²
    (8)   loss = s_loss/2
    (9)   da2[n] = (1 - o[n])·o[n]·(o[n] - t[n])
    (10)  dh[j] = Σ_n W2[n,j]·da2[n]
    (11)  dW2[n,j] = da2[n]·h[j]
    (12)  da1[j] = (1 - h[j])·dh[j]·h[j]
    (13)  dW1[j,i] = da1[j]·x[i]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 2, K = 2, H = 2.
One training step takes, with each array read and written once per kernel:

    flops      3·D·H + 5·H·K + 15·K + 9·H + 1
             = 81
    bytes      16·D·H + 24·H·K + 16·D + 96·H + 96·K + 40
             = 616
    workspace  72 bytes
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
D, K, H = 2, 2, 2
NAME = "sigmoid_2_2_2"
SIZES = {"D": D, "K": K, "H": H}
constant_b1 = 0.35
constant_b2 = 0.6
CONSTANTS = {"b1": constant_b1, "b2": constant_b2}
PARAMETERS = {"W1": ("H", "D"), "W2": ("K", "H")}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("D",), "t": ("K",)}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("o",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"W1": "dW1", "W2": "dW2"}
EQUATIONS = {
    1: "z1", 2: "a1", 3: "h", 4: "z2", 5: "a2", 6: "o", 7: "s_loss", 8: "loss", 9: "da2", 10: "dh", 11: "dW2",
    12: "da1", 13: "dW1",
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
    """The outputs: equations (1) to (6)."""
    W1 = theta[0:4].reshape(H, D)
    W2 = theta[4:8].reshape(K, H)
    z1 = work[at[0] : at[0] + 2]
    a1 = work[at[1] : at[1] + 2]
    h = work[at[2] : at[2] + 2]
    z2 = work[at[3] : at[3] + 2]
    a2 = work[at[4] : at[4] + 2]
    o = work[at[5] : at[5] + 2]
    b1 = constant_b1
    b2 = constant_b2
    np.dot(W1, x, z1)  # (1)
    _compute_h(a1, z1, h, b1)  # (2), (3)
    np.dot(W2, h, z2)  # (4)
    _compute_o(a2, z2, o, b2)  # (5), (6)


@kernel
def _loss(theta, work, counts, at, t):
    """The loss: equations (7), (8)."""
    o = work[at[5] : at[5] + 2]
    s_loss = work[at[6] : at[6] + 1]
    loss = work[at[7] : at[7] + 1]
    _compute_s_loss(t, o, s_loss)  # (7)
    loss[0] = s_loss[0] / 2  # (8)


@kernel
def _backward(theta, gradient, work, counts, at, x, t):
    """The gradients: equations (9) to (13)."""
    W2 = theta[4:8].reshape(K, H)
    h = work[at[2] : at[2] + 2]
    o = work[at[5] : at[5] + 2]
    da2 = work[at[8] : at[8] + 2]
    dW2 = gradient[4:8].reshape(K, H)
    dh = work[at[9] : at[9] + 2]
    da1 = work[at[10] : at[10] + 2]
    dW1 = gradient[0:4].reshape(H, D)
    _compute_dW2(da2, o, t, dW2, h)  # (9), (11)
    np.dot(W2.T, da2, dh)  # (10)
    _compute_dW1(da1, h, dh, dW1, x)  # (12), (13)


@kernel
def _metrics(theta, work, counts, at):
    """No metrics."""


@kernel
def _compute_h(a1, z1, h, b1):
    """Equations (2), (3)."""
    _disjoint()
    for j in range(H):
        a1[j] = z1[j] + b1  # (2)
        h[j] = _sigmoid(a1[j])  # (3)


@kernel
def _compute_o(a2, z2, o, b2):
    """Equations (5), (6)."""
    _disjoint()
    for n in range(K):
        a2[n] = z2[n] + b2  # (5)
        o[n] = _sigmoid(a2[n])  # (6)


@kernel
def _compute_s_loss(t, o, s_loss):
    """Equation (7)."""
    _disjoint()
    s_loss_sum = 0.0
    for n in range(K):
        s_loss_sum += (t[n] - o[n]) ** 2  # (7)
    s_loss[0] = s_loss_sum


@kernel
def _compute_dW2(da2, o, t, dW2, h):
    """Equations (9), (11)."""
    _disjoint()
    for n in range(K):
        da2[n] = (1 - o[n]) * o[n] * (o[n] - t[n])  # (9)
        for j in range(H):
            dW2[n, j] = da2[n] * h[j]  # (11)


@kernel
def _compute_dW1(da1, h, dh, dW1, x):
    """Equations (12), (13)."""
    _disjoint()
    for j in range(H):
        da1[j] = (1 - h[j]) * dh[j] * h[j]  # (12)
        for i in range(D):
            dW1[j, i] = da1[j] * x[i]  # (13)


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
def _evaluate(theta, work, counts, at, x, t):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x)
    _loss(theta, work, counts, at, t)
    _metrics(theta, work, counts, at)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, t):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, t)
    return work[at[7]]


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, t):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, x)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, t)
    loss = work[at[7]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (H,)),
        "a1": (0, 2, (H,)),
        "h": (0, 4, (H,)),
        "z2": (0, 0, (K,)),
        "a2": (0, 2, (K,)),
        "o": (0, 6, (K,)),
        "s_loss": (0, 0, ()),
        "loss": (0, 8, ()),
        "da2": (0, 0, (K,)),
        "dh": (0, 2, (H,)),
        "da1": (0, 0, (H,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "W2": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (K, H)),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate
# symbp/runtime/numba/float64.py: _exp, _power_of_two, _reduced
# symbp/runtime/numba/functions.py: _sigmoid


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
