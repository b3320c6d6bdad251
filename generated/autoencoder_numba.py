"""autoencoder: a network that trains in Numba.

Derived from the network autoencoder; float64. It reads x(N, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W1[i,j]
    (2)   h1[n,j] = tanh(z1[n,j] + b1[j])
    (3)   z2[n,k] = Σ_j h1[n,j]·W2[j,k]
    (4)   code[n,k] = z2[n,k] + b2[k]
    (5)   z3[n,j] = Σ_k code[n,k]·W3[k,j]
    (6)   h3[n,j] = tanh(z3[n,j] + b3[j])
    (7)   z4[n,i] = Σ_j h3[n,j]·W4[j,i]
    (8)   a4[n,i] = z4[n,i] + b4[i]
    (9)   shown[n,i] = 1/(1 + exp(-a4[n,i]))
    (10)  loss = Σ_n,i (shown[n,i] - x[n,i])²/(D·N)
    (11)  da4[n,i] = 2·(1 - shown[n,i])·shown[n,i]·(shown[n,i] - x[n,i])/(D·N)
    (12)  db4[i] = Σ_n da4[n,i]
    (13)  dh3[n,j] = Σ_i da4[n,i]·W4[j,i]
    (14)  dW4[j,i] = Σ_n h3[n,j]·da4[n,i]
    (15)  dz3[n,j] = (1 - h3[n,j]²)·dh3[n,j]
    (16)  db3[j] = Σ_n dz3[n,j]
    (17)  dcode[n,k] = Σ_j dz3[n,j]·W3[k,j]
    (18)  dW3[k,j] = Σ_n code[n,k]·dz3[n,j]
    (19)  db2[k] = Σ_n dcode[n,k]
    (20)  dh1[n,j] = Σ_k dcode[n,k]·W2[j,k]
    (21)  dW2[j,k] = Σ_n h1[n,j]·dcode[n,k]
    (22)  dz1[n,j] = (1 - h1[n,j]²)·dh1[n,j]
    (23)  dW1[i,j] = Σ_n x[n,i]·dz1[n,j]
    (24)  db1[j] = Σ_n dz1[n,j]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 64, H = 48, C = 8; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      10·D·H·N + 12·C·H·N + 14·H·N + 25·D·N + 2·C·N
             = 37,616·N
    bytes      120·D·N + 184·H·N + 40·D·H + 48·C·H + 72·C·N + 16·C + 16·D + 32·H + 8
             = 17,088·N + 144,008
    workspace  2,368·rows bytes for each chunk of rows examples
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
D, H, C = 64, 48, 8
NAME = "autoencoder"
SIZES = {"D": D, "H": H, "C": C}
PARAMETERS = {
    "W1": ("D", "H"), "b1": ("H",), "W2": ("H", "C"), "b2": ("C",), "W3": ("C", "H"), "b3": ("H",),
    "W4": ("H", "D"), "b4": ("D",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("code", "shown")
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {
    "W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2", "W3": "dW3", "b3": "db3", "W4": "dW4", "b4": "db4",
}
EQUATIONS = {
    1: "z1", 2: "h1", 3: "z2", 4: "code", 5: "z3", 6: "h3", 7: "z4", 8: "a4", 9: "shown", 10: "loss",
    11: "da4", 12: "db4", 13: "dh3", 14: "dW4", 15: "dz3", 16: "db3", 17: "dcode", 18: "dW3", 19: "db2",
    20: "dh1", 21: "dW2", 22: "dz1", 23: "dW1", 24: "db1",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N):
    """The outputs: equations (1) to (9)."""
    W1 = theta[0:3072].reshape(D, H)
    b1 = theta[3072:3120]
    W2 = theta[3120:3504].reshape(H, C)
    b2 = theta[3504:3512]
    W3 = theta[3512:3896].reshape(C, H)
    b3 = theta[3896:3944]
    W4 = theta[3944:7016].reshape(H, D)
    b4 = theta[7016:7080]
    z1 = work[at[0] : at[0] + 48 * rows].reshape(rows, H)
    h1 = work[at[1] : at[1] + 48 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 8 * rows].reshape(rows, C)
    code = work[at[3] : at[3] + 8 * rows].reshape(rows, C)
    z3 = work[at[4] : at[4] + 48 * rows].reshape(rows, H)
    h3 = work[at[5] : at[5] + 48 * rows].reshape(rows, H)
    z4 = work[at[6] : at[6] + 64 * rows].reshape(rows, D)
    a4 = work[at[7] : at[7] + 64 * rows].reshape(rows, D)
    shown = work[at[8] : at[8] + 64 * rows].reshape(rows, D)
    _product(x, W1, z1)  # (1)
    _compute_h1(h1, z1, b1, rows)  # (2)
    _product(h1, W2, z2)  # (3)
    _compute_code(code, z2, b2, rows)  # (4)
    _product(code, W3, z3)  # (5)
    _compute_h1(h3, z3, b3, rows)  # (6)
    _product(h3, W4, z4)  # (7)
    _compute_shown(a4, z4, b4, shown, rows)  # (8), (9)


@kernel
def _loss(theta, work, counts, at, x, rows, N):
    """The loss: equation (10)."""
    shown = work[at[8] : at[8] + 64 * rows].reshape(rows, D)
    loss = work[at[9] : at[9] + 1]
    _compute_loss(shown, x, loss, rows, N)  # (10)


@kernel
def _backward(theta, gradient, work, counts, at, x, rows, N):
    """The gradients: equations (11) to (24)."""
    W2 = theta[3120:3504].reshape(H, C)
    W3 = theta[3512:3896].reshape(C, H)
    W4 = theta[3944:7016].reshape(H, D)
    h1 = work[at[1] : at[1] + 48 * rows].reshape(rows, H)
    code = work[at[3] : at[3] + 8 * rows].reshape(rows, C)
    h3 = work[at[5] : at[5] + 48 * rows].reshape(rows, H)
    shown = work[at[8] : at[8] + 64 * rows].reshape(rows, D)
    da4 = work[at[10] : at[10] + 64 * rows].reshape(rows, D)
    db4 = gradient[7016:7080]
    dh3 = work[at[11] : at[11] + 48 * rows].reshape(rows, H)
    dW4 = gradient[3944:7016].reshape(H, D)
    dz3 = work[at[12] : at[12] + 48 * rows].reshape(rows, H)
    db3 = gradient[3896:3944]
    dcode = work[at[13] : at[13] + 8 * rows].reshape(rows, C)
    dW3 = gradient[3512:3896].reshape(C, H)
    db2 = gradient[3504:3512]
    dh1 = work[at[14] : at[14] + 48 * rows].reshape(rows, H)
    dW2 = gradient[3120:3504].reshape(H, C)
    dz1 = work[at[15] : at[15] + 48 * rows].reshape(rows, H)
    db1 = gradient[3072:3120]
    dW1 = gradient[0:3072].reshape(D, H)
    _compute_db4(db4, da4, shown, x, rows, N)  # (11), (12)
    _product(da4, W4.T, dh3)  # (13)
    _product(h3.T, da4, dW4)  # (14)
    _compute_db3(db3, dz3, h3, dh3, rows)  # (15), (16)
    _product(dz3, W3.T, dcode)  # (17)
    _product(code.T, dz3, dW3)  # (18)
    _compute_db2(db2, dcode, rows)  # (19)
    _product(dcode, W2.T, dh1)  # (20)
    _product(h1.T, dcode, dW2)  # (21)
    _compute_db3(db1, dz1, h1, dh1, rows)  # (22), (24)
    _product(x.T, dz1, dW1)  # (23)


@kernel
def _metrics(theta, work, counts, at, rows, N):
    """No metrics."""


@kernel
def _compute_h1(h1, z1, b1, rows):
    """Equations (2), (6)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            h1[n, j] = _tanh(z1[n, j] + b1[j])  # (2), (6)


@kernel
def _compute_code(code, z2, b2, rows):
    """Equation (4)."""
    _disjoint()
    for n in range(rows):
        for k in range(C):
            code[n, k] = z2[n, k] + b2[k]  # (4)


@kernel
def _compute_shown(a4, z4, b4, shown, rows):
    """Equations (8), (9)."""
    _disjoint()
    for n in range(rows):
        for i in range(D):
            a4[n, i] = z4[n, i] + b4[i]  # (8)
            shown[n, i] = _sigmoid(a4[n, i])  # (9)


@kernel
def _compute_loss(shown, x, loss, rows, N):
    """Equation (10)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        for i in range(D):
            loss_sum += (shown[n, i] - x[n, i]) ** 2 / (D * N)  # (10)
    loss[0] = loss_sum


@kernel
def _compute_db4(db4, da4, shown, x, rows, N):
    """Equations (11), (12)."""
    _disjoint()
    db4[:] = 0.0
    for n in range(rows):
        for i in range(D):
            da4[n, i] = 2 / (D * N) * (1 - shown[n, i]) * shown[n, i] * (shown[n, i] - x[n, i])  # (11)
            db4[i] += da4[n, i]  # (12)


@kernel
def _compute_db3(db3, dz3, h3, dh3, rows):
    """Equations (15), (16), (22), (24)."""
    _disjoint()
    db3[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz3[n, j] = (1 - h3[n, j] * h3[n, j]) * dh3[n, j]  # (15), (22)
            db3[j] += dz3[n, j]  # (16), (24)


@kernel
def _compute_db2(db2, dcode, rows):
    """Equation (19)."""
    _disjoint()
    db2[:] = 0.0
    for n in range(rows):
        for k in range(C):
            db2[k] += dcode[n, k]  # (19)


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
def _evaluate(theta, work, counts, at, x, rows, N):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N)
    _loss(theta, work, counts, at, x, rows, N)
    _metrics(theta, work, counts, at, rows, N)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, rows, N):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, rows, N)
    _loss(theta, work, counts, at, x, rows, N)
    _backward(theta, gradient, work, counts, at, x, rows, N)
    return work[at[9]]


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, rows, N):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, x, rows, N)
    _loss(theta, work, counts, at, x, rows, N)
    _backward(theta, gradient, work, counts, at, x, rows, N)
    loss = work[at[9]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, N):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c in prange(len(bounds)):
        first, last = bounds[c, 0], bounds[c, 1]
        _forward(theta, work[c], counts[c], at, x[first:last], last - first, N)
        _loss(theta, work[c], counts[c], at, x[first:last], last - first, N)
        _backward(theta, gradients[c], work[c], counts[c], at, x[first:last], last - first, N)


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
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, x, N,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    _chunks(theta, gradients, work, counts, at, bounds, x, N)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[9]] += work[k, at[9]]
    loss = work[0, at[9]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N):
    """Floating-point operations of one step."""
    return 37616 * N


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "h1": (0, 192 * rows, (rows, H)),
        "z2": (0, 0, (rows, C)),
        "code": (0, 288 * rows, (rows, C)),
        "z3": (0, 0, (rows, H)),
        "h3": (0, 240 * rows, (rows, H)),
        "z4": (0, 0, (rows, D)),
        "a4": (0, 64 * rows, (rows, D)),
        "shown": (0, 128 * rows, (rows, D)),
        "loss": (0, 112 * rows, ()),
        "da4": (0, 0, (rows, D)),
        "dh3": (0, 64 * rows, (rows, H)),
        "dz3": (0, 0, (rows, H)),
        "dcode": (0, 48 * rows, (rows, C)),
        "dh1": (0, 0, (rows, H)),
        "dz1": (0, 48 * rows, (rows, H)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(C),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W3": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (C, H)),
        # an offset needs no asymmetry to learn
        "b3": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W4": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        # an offset needs no asymmetry to learn
        "b4": np.zeros(D),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate
# symbp/runtime/numba/float64.py: _exp, _expm1, _power_of_two, _reduced
# symbp/runtime/numba/functions.py: _sigmoid, _tanh


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


# ---- Outputs, loss and metrics ----


# symbp/runtime/numba/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numba/differentiate.py: _differentiate
# symbp/runtime/numba/large.py: _updated
# symbp/runtime/numba/chunks.py: WORTH_A_CHUNK, _Chunks, _key, _advance, _chunk_count, _in_chunks, _blas_threads


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
