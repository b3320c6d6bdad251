"""softmax_regression: a network that trains in NumPy.

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
    bytes      104·K·N + 16·D·K + 16·D·N + 16·K + 72·N + 8
             = 416·N + 152
    workspace  107·rows + 200 bytes
               for a block of rows = 32,768, with 72 for its gradients (up to 98,304: all N at once)
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import argparse
import glob
import io
import itertools
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
from pathlib import Path
from typing import Any, Self

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("rows", "N")
POSITIONS = ("range_rows", "range_K")
ONES = ("ones_K", "ones_rows")
NEEDED: dict[str, Any] = {}
BLOCKS = {"N": 32768}
CUT = {"x": 1, "y": 1}
FEWEST = 4
D, K = 2, 3
NAME = "softmax_regression"
SIZES = {"D": D, "K": K}
PARAMETERS = {"W": ("D", "K"), "b": ("K",)}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH = "N"
GRADIENTS = {"W": "dW", "b": "db"}
EQUATIONS = {1: "z1", 2: "a1", 3: "m_a1", 4: "e_p", 5: "s_p", 6: "p", 7: "loss", 8: "da1", 9: "dW", 10: "db"}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, rows, N):
    """The outputs: equations (1) to (6)."""
    W, b = params["W"], params["b"]
    z1, a1, m_a1, e_p = tensors["z1"], tensors["a1"], tensors["m_a1"], tensors["e_p"]
    s_p, p = tensors["s_p"], tensors["p"]
    ones_K = tensors["ones_K"]
    m_a1_column = m_a1[:, None]
    s_p_column = s_p[:, None]

    def run(data):
        x = data["x"]
        np.dot(x, W, out=z1)  # (1)
        np.add(z1, b, out=a1)  # (2)
        a1.max(1, out=m_a1)  # (3)
        np.subtract(a1, m_a1_column, out=e_p)  # (4)
        np.exp(e_p, out=e_p)  # (4)
        np.dot(e_p, ones_K, out=s_p)  # (5)
        np.divide(e_p, s_p_column, out=p)  # (6)

    return run


def _loss(params, tensors, rows, N):
    """The loss: equation (7)."""
    a1, m_a1, s_p, loss = tensors["a1"], tensors["m_a1"], tensors["s_p"], tensors["loss"]
    t_rows, at_rows, t_rows2 = tensors["t_rows"], tensors["at_rows"], tensors["t_rows2"]
    range_rows = tensors["range_rows"]
    c1 = np.array(K, np.int64)  # (7)
    a1_flat = a1.reshape(-1)

    def run(data):
        y = data["y"]
        np.multiply(range_rows, c1, out=at_rows)  # (7)
        np.add(at_rows, y, out=at_rows)  # (7)
        np.take(a1_flat, at_rows, out=t_rows, mode="clip")  # (7)
        np.subtract(m_a1, t_rows, out=t_rows)  # (7)
        np.log(s_p, out=t_rows2)  # (7)
        np.add(t_rows, t_rows2, out=t_rows)  # (7)
        loss[...] = t_rows.sum() / N  # (7)

    return run


def _backward(params, tensors, gradients, rows, N):
    """The gradients: equations (8) to (10)."""
    p, da1 = tensors["p"], tensors["da1"]
    dW, db = gradients["W"], gradients["b"]
    is_rows_K, range_K, ones_rows = tensors["is_rows_K"], tensors["range_K"], tensors["ones_rows"]
    c1 = np.array(N, DTYPE)  # (8)

    def run(data):
        x, y = data["x"], data["y"]
        np.equal(range_K, y[:, None], out=is_rows_K)  # (8)
        np.subtract(p, is_rows_K, out=da1)  # (8)
        np.divide(da1, c1, out=da1)  # (8)
        np.dot(ones_rows, da1, out=db)  # (10)
        np.dot(x.T, da1, out=dW)  # (9)

    return run


def _metrics(params, tensors, rows, N):
    """No metrics."""

    def run(data):
        pass

    return run


def _update(tensors, theta, gradient, m, v):
    """Adam: one step over all parameters, in place."""
    blocks = []
    for start in range(0, len(theta), 16384):
        block = [arena[start : start + 16384] for arena in (theta, gradient, m, v)]
        blocks.append((*block, tensors["t_block"][: len(block[0])], tensors["t_block2"][: len(block[0])]))
    c1, c2, c3, c4, beta1_array, beta2_array = [np.empty((), DTYPE) for _ in range(6)]

    def run(step, lr, beta1, beta2, eps):
        c1[...] = 1 - beta1  # (U1)
        c2[...] = 1 - beta2  # (U2)
        c3[...] = lr * math.sqrt(1 - beta2**step) / (1 - beta1**step)  # (U3)
        c4[...] = eps * math.sqrt(1 - beta2**step)  # (U3)
        beta1_array[...] = beta1
        beta2_array[...] = beta2
        for theta_block, gradient_block, m_block, v_block, t_block, t_block2 in blocks:
            np.multiply(beta1_array, m_block, out=m_block)  # (U1)
            np.multiply(c1, gradient_block, out=t_block)  # (U1)
            np.add(m_block, t_block, out=m_block)  # (U1)
            np.multiply(beta2_array, v_block, out=v_block)  # (U2)
            np.multiply(gradient_block, gradient_block, out=t_block)  # (U2)
            np.multiply(c2, t_block, out=t_block)  # (U2)
            np.add(v_block, t_block, out=v_block)  # (U2)
            np.multiply(c3, m_block, out=t_block)  # (U3)
            np.sqrt(v_block, out=t_block2)  # (U3)
            np.add(t_block2, c4, out=t_block2)  # (U3)
            np.divide(t_block, t_block2, out=t_block)  # (U3)
            np.subtract(theta_block, t_block, out=theta_block)  # (U3)

    return run


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, K)),
        "a1": (0, 0, (rows, K)),
        "m_a1": (0, 6 * rows, (rows,)),
        "e_p": (0, 3 * rows, (rows, K)),
        "s_p": (0, 7 * rows, (rows,)),
        "p": (0, 3 * rows, (rows, K)),
        "loss": (0, 11 * rows + 21, ()),
        "da1": (0, 3 * rows, (rows, K)),
        "ones_K": (0, 11 * rows + 18, (3,)),
        "range_rows": (1, 0, (rows,)),
        "range_K": (1, 2 * rows, (3,)),
        "ones_rows": (0, 8 * rows, (rows,)),
        "t_rows": (0, 9 * rows, (rows,)),
        "at_rows": (1, rows, (rows,)),
        "t_rows2": (0, 10 * rows, (rows,)),
        "is_rows_K": (2, 0, (rows, 3)),
        "t_block": (0, 9 * rows, (9,)),
        "t_block2": (0, 9 * rows + 9, (9,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + K)) * rng.uniform(-1, 1, (D, K)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(K),
    }


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_shown.py: _settle, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory


# ---- Outputs, loss and metrics ----


# symbp/runtime/numpy/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numpy/differentiate.py: _differentiate
# symbp/runtime/numpy/blocks.py: _key, _Step, _Block, _rows, _cut
# symbp/runtime/numpy/bound.py: _bound, MODERATE
"""The squares of gradients whose sum is below this make no moment overflow in any number of steps."""


# symbp/runtime/numpy/bound.py: _updated, _all_finite
# symbp/runtime/numpy/outside.py: _any_outside
# symbp/runtime/numpy/advance.py: _advance


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
