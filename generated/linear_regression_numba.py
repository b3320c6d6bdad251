"""linear_regression: a network that trains in Numba.

Derived from the network linear_regression; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)  z1[n] = Σ_i x[n,i]·w[i]
    (2)  prediction[n] = z1[n] + b
    (3)  loss = Σ_n (prediction[n] - y[n])²/N
    (4)  dprediction[n] = 2·(prediction[n] - y[n])/N
    (5)  dw[i] = Σ_n x[n,i]·dprediction[n]
    (6)  db = Σ_n dprediction[n]

Update of each entry i of the parameters:
SGD, Robbins and Monro 1951, A stochastic approximation method

    (U1)  theta_next[i] = theta[i] - lr·gradient[i]

Sizes: N, D read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·N + 13·N
    bytes      16·D·N + 16·D + 80·N + 24
    workspace  16·rows + 8 bytes for each chunk of rows examples
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
OPEN_SIZES = ("rows", "N", "D")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
NAME = "linear_regression"
SIZES: dict[str, Any] = {}
PARAMETERS = {"w": ("D",), "b": ()}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("prediction",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"w": "dw", "b": "db"}
EQUATIONS = {1: "z1", 2: "prediction", 3: "loss", 4: "dprediction", 5: "dw", 6: "db"}
STOPPED: tuple[str, ...] = ()
MOMENTS: tuple[str, ...] = ()
HYPER = {"lr": 0.05}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N, D):
    """The outputs: equations (1), (2)."""
    w = theta[0:D]
    b = theta[D : D + 1]
    z1 = work[at[0] : at[0] + rows]
    prediction = work[at[1] : at[1] + rows]
    np.dot(x, w, z1)  # (1)
    _compute_prediction(prediction, z1, b, rows)  # (2)


@kernel
def _loss(theta, work, counts, at, y, rows, N, D):
    """The loss: equation (3)."""
    prediction = work[at[1] : at[1] + rows]
    loss = work[at[2] : at[2] + 1]
    _compute_loss(prediction, y, loss, rows, N)  # (3)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N, D):
    """The gradients: equations (4) to (6)."""
    prediction = work[at[1] : at[1] + rows]
    dprediction = work[at[3] : at[3] + rows]
    db = gradient[D : D + 1]
    dw = gradient[0:D]
    _compute_db(dprediction, prediction, y, db, rows, N)  # (4), (6)
    np.dot(x.T, dprediction, dw)  # (5)


@kernel
def _metrics(theta, work, counts, at, rows, N, D):
    """No metrics."""


@kernel
def _compute_prediction(prediction, z1, b, rows):
    """Equation (2)."""
    _disjoint()
    for n in range(rows):
        prediction[n] = z1[n] + b[0]  # (2)


@kernel
def _compute_loss(prediction, y, loss, rows, N):
    """Equation (3)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        loss_sum += (prediction[n] - y[n]) ** 2 / N  # (3)
    loss[0] = loss_sum


@kernel
def _compute_db(dprediction, prediction, y, db, rows, N):
    """Equations (4), (6)."""
    _disjoint()
    db_sum = 0.0
    for n in range(rows):
        dprediction[n] = 2 / N * (prediction[n] - y[n])  # (4)
        db_sum += dprediction[n]  # (6)
    db[0] = db_sum


@kernel
def _update(theta, gradient, step, lr):
    """SGD: one step over all parameters, in place."""
    _disjoint()
    for i in range(len(theta)):
        theta_next = theta[i] - lr * gradient[i]  # (U1)
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, x, y, rows, N, D):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N, D)
    _loss(theta, work, counts, at, y, rows, N, D)
    _metrics(theta, work, counts, at, rows, N, D)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, rows, N, D):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, rows, N, D)
    _loss(theta, work, counts, at, y, rows, N, D)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, D)
    return work[at[2]]


@kernel
def _train_step(theta, gradient, step_, lr, work, counts, at, x, y, rows, N, D):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, x, rows, N, D)
    _loss(theta, work, counts, at, y, rows, N, D)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, D)
    loss = work[at[2]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, step_, lr)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, N, D):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c in prange(len(bounds)):
        first, last = bounds[c, 0], bounds[c, 1]
        _forward(theta, work[c], counts[c], at, x[first:last], last - first, N, D)
        _loss(theta, work[c], counts[c], at, y[first:last], last - first, N, D)
        _backward(
            theta, gradients[c], work[c], counts[c], at, x[first:last], y[first:last], last - first, N, D
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
def _update_in_chunks(theta, gradient, step_, lr, chunks):
    """The update of a piece of the parameters on each thread."""
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        _update(theta[first:last], gradient[first:last], step_, lr)


@kernel
def _train_step_in_chunks(theta, gradient, step_, lr, gradients, work, counts, at, bounds, x, y, N, D):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    _chunks(theta, gradients, work, counts, at, bounds, x, y, N, D)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[2]] += work[k, at[2]]
    loss = work[0, at[2]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, step_, lr, len(bounds))
    return loss, finite, moderate


def _flops(N, D):
    """Floating-point operations of one step."""
    return 13 * N + 4 * D * N


def _places(rows, N, D):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows,)),
        "prediction": (0, rows, (rows,)),
        "loss": (0, 2 * rows, ()),
        "dprediction": (0, 0, (rows,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "w": math.sqrt(6 / (D + 1)) * rng.uniform(-1, 1, D),
        # an offset needs no asymmetry to learn
        "b": np.zeros(()),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate


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
