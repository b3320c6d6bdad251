"""softmax_regression: a network that trains in Numba.

Derived from the network softmax_regression; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W[i,j]
    (2)   a1[n,j] = z1[n,j] + b[j]
    (3)   m_a1[n] = max_j a1[n,j]
    (4)   e_p[n,j] = exp(a1[n,j] - m_a1[n])
    (5)   s_p[n] = Σ_j e_p[n,j]
    (6)   p[n,j] = e_p[n,j]/s_p[n]
    (7)   loss = Σ_n (log(s_p[n]) + m_a1[n] - a1[n,y[n]])/N
    (8)   da1[n,j] = (p[n,j] - [j = y[n]])/N
    (9)   dW[i,j] = Σ_n x[n,i]·da1[n,j]
    (10)  db[j] = Σ_n da1[n,j]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 2, K = 3; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·K·N + 14·K·N + 7·N
             = 73·N
    bytes      16·D·K + 16·D·N + 40·K·N + 16·K + 16·N + 8
             = 168·N + 152
    workspace  112·rows + 32 bytes for each chunk of rows examples
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
D, K = 2, 3
NAME = "softmax_regression"
SIZES = {"D": D, "K": K}
PARAMETERS = {"W": ("D", "K"), "b": ("K",)}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"W": "dW", "b": "db"}
EQUATIONS = {1: "z1", 2: "a1", 3: "m_a1", 4: "e_p", 5: "s_p", 6: "p", 7: "loss", 8: "da1", 9: "dW", 10: "db"}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N):
    """The outputs: equations (1) to (6)."""
    W = theta[0:6].reshape(D, K)
    b = theta[6:9]
    z1 = work[at[0] : at[0] + 3 * rows].reshape(rows, K)
    a1 = work[at[1] : at[1] + 3 * rows].reshape(rows, K)
    m_a1 = work[at[2] : at[2] + rows]
    e_p = work[at[3] : at[3] + 3 * rows].reshape(rows, K)
    s_p = work[at[4] : at[4] + rows]
    p = work[at[5] : at[5] + 3 * rows].reshape(rows, K)
    _product(x, W, z1)  # (1)
    _compute_p(a1, z1, b, m_a1, e_p, s_p, p, rows)  # (2) to (6)


@kernel
def _loss(theta, work, counts, at, y, rows, N):
    """The loss: equation (7)."""
    a1 = work[at[1] : at[1] + 3 * rows].reshape(rows, K)
    m_a1 = work[at[2] : at[2] + rows]
    s_p = work[at[4] : at[4] + rows]
    loss = work[at[6] : at[6] + 1]
    _compute_loss(m_a1, a1, y, s_p, loss, rows, N)  # (7)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N):
    """The gradients: equations (8) to (10)."""
    p = work[at[5] : at[5] + 3 * rows].reshape(rows, K)
    da1 = work[at[7] : at[7] + 3 * rows].reshape(rows, K)
    db = gradient[6:9]
    dW = gradient[0:6].reshape(D, K)
    _compute_db(db, da1, p, y, rows, N)  # (8), (10)
    _product(x.T, da1, dW)  # (9)


@kernel
def _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N):
    """The loss and its gradients: equations (1) to (10)."""
    W = theta[0:6].reshape(D, K)
    b = theta[6:9]
    z1 = work[at[0] : at[0] + 3 * rows].reshape(rows, K)
    loss = work[at[6] : at[6] + 1]
    da1 = work[at[7] : at[7] + 3 * rows].reshape(rows, K)
    db = gradient[6:9]
    dW = gradient[0:6].reshape(D, K)
    a1_row = work[at[8] : at[8] + 3]
    e_p_row = work[at[9] : at[9] + 3]
    _product(x, W, z1)  # (1)
    _compute_db_2(db, a1_row, z1, b, e_p_row, da1, y, loss, rows, N)  # (2) to (8), (10)
    _product(x.T, da1, dW)  # (9)


@kernel
def _metrics(theta, work, counts, at, rows, N):
    """No metrics."""


@kernel
def _compute_p(a1, z1, b, m_a1, e_p, s_p, p, rows):
    """Equations (2) to (6)."""
    _disjoint()
    for n in range(rows):
        m_a1_max = -np.inf
        for j in range(K):
            a1[n, j] = z1[n, j] + b[j]  # (2)
            m_a1_max = _larger(m_a1_max, a1[n, j])  # (3)
        m_a1[n] = m_a1_max
        s_p_sum = 0.0
        for j in range(K):
            e_p[n, j] = _exp(a1[n, j] - m_a1[n])  # (4)
            s_p_sum += e_p[n, j]  # (5)
        s_p[n] = s_p_sum
        for j in range(K):
            p[n, j] = e_p[n, j] / s_p[n]  # (6)


@kernel
def _compute_loss(m_a1, a1, y, s_p, loss, rows, N):
    """Equation (7)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        loss_sum += (m_a1[n] - a1[n, y[n]] + _log(s_p[n])) / N  # (7)
    loss[0] = loss_sum


@kernel
def _compute_db(db, da1, p, y, rows, N):
    """Equations (8), (10)."""
    _disjoint()
    db[:] = 0.0
    for n in range(rows):
        for j in range(K):
            da1[n, j] = (p[n, j] - (1.0 if j == y[n] else 0.0)) / N  # (8)
            db[j] += da1[n, j]  # (10)


@kernel
def _compute_db_2(db, a1_row, z1, b, e_p_row, da1, y, loss, rows, N):
    """Equations (2) to (8), (10)."""
    _disjoint()
    loss_sum = 0.0
    db[:] = 0.0
    for n in range(rows):
        m_a1 = -np.inf
        for j in range(K):
            a1_row[j] = z1[n, j] + b[j]  # (2)
            m_a1 = _larger(m_a1, a1_row[j])  # (3)
        s_p = 0.0
        for j in range(K):
            e_p_row[j] = _exp(a1_row[j] - m_a1)  # (4)
            s_p += e_p_row[j]  # (5)
        for j in range(K):
            p = e_p_row[j] / s_p  # (6)
            da1[n, j] = (p - (1.0 if j == y[n] else 0.0)) / N  # (8)
            db[j] += da1[n, j]  # (10)
        loss_sum += (m_a1 - a1_row[y[n]] + _log(s_p)) / N  # (7)
    loss[0] = loss_sum


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
    _metrics(theta, work, counts, at, rows, N)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, rows, N):
    """The loss, and its gradient by all parameters."""
    _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N)
    return work[at[6]]


@kernel
def _replay(theta, gradient, work, counts, at, x, y, rows, N):
    """The loss and the gradients, with every tensor on the way."""
    _forward(theta, work, counts, at, x, rows, N)
    _loss(theta, work, counts, at, y, rows, N)
    _backward(theta, gradient, work, counts, at, x, y, rows, N)


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, rows, N):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N)
    loss = work[at[6]]
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
        _forward_and_backward(
            theta, gradients[c], work[c], counts[c], at, x[first:last], y[first:last], last - first, N
        )


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
        work[0, at[6]] += work[k, at[6]]
    loss = work[0, at[6]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N):
    """Floating-point operations of one step."""
    return 73 * N


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, K)),
        "a1": (0, 3 * rows, (rows, K)),
        "m_a1": (0, 12 * rows, (rows,)),
        "e_p": (0, 6 * rows, (rows, K)),
        "s_p": (0, 13 * rows, (rows,)),
        "p": (0, 9 * rows, (rows, K)),
        "loss": (0, 14 * rows + 3, ()),
        "da1": (0, 3 * rows, (rows, K)),
        "a1_row": (0, 6 * rows, (K,)),
        "e_p_row": (0, 14 * rows, (K,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + K)) * rng.uniform(-1, 1, (D, K)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(K),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _any_outside
# symbp/runtime/numba/float64.py: _exp, _log, _power_of_two, _reduced


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


# symbp/runtime/numba/differentiate_apart.py: _differentiate
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
