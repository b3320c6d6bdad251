"""autoencoder: a network that trains in NumPy.

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
    workspace  2,376·rows + 113,288 bytes
               for a block of rows = 2,048, with 56,640 for its gradients (up to 6,144: all N at once)
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
POSITIONS: tuple[str, ...] = ()
ONES = ("ones_rows",)
NEEDED: dict[str, Any] = {}
BLOCKS = {"N": 2048}
CUT = {"x": 1}
FEWEST = 4
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
OUTPUTS = ("code", "shown")
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH = "N"
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


# ---- The network ----


def _forward(params, tensors, rows, N):
    """The outputs: equations (1) to (9)."""
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    W3, b3, W4, b4 = params["W3"], params["b3"], params["W4"], params["b4"]
    z1, h1, z2, code = tensors["z1"], tensors["h1"], tensors["z2"], tensors["code"]
    z3, h3, z4, a4 = tensors["z3"], tensors["h3"], tensors["z4"], tensors["a4"]
    shown = tensors["shown"]

    def run(data):
        x = data["x"]
        np.dot(x, W1, out=z1)  # (1)
        np.add(z1, b1, out=h1)  # (2)
        np.tanh(h1, out=h1)  # (2)
        np.dot(h1, W2, out=z2)  # (3)
        np.add(z2, b2, out=code)  # (4)
        np.dot(code, W3, out=z3)  # (5)
        np.add(z3, b3, out=h3)  # (6)
        np.tanh(h3, out=h3)  # (6)
        np.dot(h3, W4, out=z4)  # (7)
        np.add(z4, b4, out=a4)  # (8)
        _sigmoid(a4, out=shown)  # (9)

    return run


def _loss(params, tensors, rows, N):
    """The loss: equation (10)."""
    shown, loss = tensors["shown"], tensors["loss"]
    u1 = tensors["u1"]
    c1 = D * N  # (10)

    def run(data):
        x = data["x"]
        np.subtract(shown, x, out=u1)  # (10)
        loss[...] = np.vdot(u1, u1) / c1  # (10)

    return run


def _backward(params, tensors, gradients, rows, N):
    """The gradients: equations (11) to (24)."""
    W2, W3, W4 = params["W2"], params["W3"], params["W4"]
    h1, code, h3, shown = tensors["h1"], tensors["code"], tensors["h3"], tensors["shown"]
    da4, dh3, dz3, dcode = tensors["da4"], tensors["dh3"], tensors["dz3"], tensors["dcode"]
    dh1, dz1 = tensors["dh1"], tensors["dz1"]
    dW1, db1, dW2, db2 = gradients["W1"], gradients["b1"], gradients["W2"], gradients["b2"]
    dW3, db3, dW4, db4 = gradients["W3"], gradients["b3"], gradients["W4"], gradients["b4"]
    t_rows_D, t_rows_D2, t_rows_H = tensors["t_rows_D"], tensors["t_rows_D2"], tensors["t_rows_H"]
    ones_rows = tensors["ones_rows"]
    one = np.array(1, DTYPE)
    c1 = np.array(2 / (D * N), DTYPE)  # (11)
    W4_T = W4.T
    h3_T = h3.T
    W3_T = W3.T
    code_T = code.T
    W2_T = W2.T
    h1_T = h1.T

    def run(data):
        x = data["x"]
        np.subtract(shown, x, out=t_rows_D)  # (11)
        np.subtract(one, shown, out=t_rows_D2)  # (11)
        np.multiply(c1, t_rows_D2, out=t_rows_D2)  # (11)
        np.multiply(t_rows_D2, shown, out=da4)  # (11)
        np.multiply(da4, t_rows_D, out=da4)  # (11)
        np.dot(ones_rows, da4, out=db4)  # (12)
        np.dot(da4, W4_T, out=dh3)  # (13)
        np.dot(h3_T, da4, out=dW4)  # (14)
        np.multiply(h3, h3, out=t_rows_H)  # (15)
        np.subtract(one, t_rows_H, out=t_rows_H)  # (15)
        np.multiply(t_rows_H, dh3, out=dz3)  # (15)
        np.dot(ones_rows, dz3, out=db3)  # (16)
        np.dot(dz3, W3_T, out=dcode)  # (17)
        np.dot(code_T, dz3, out=dW3)  # (18)
        np.dot(ones_rows, dcode, out=db2)  # (19)
        np.dot(dcode, W2_T, out=dh1)  # (20)
        np.dot(h1_T, dcode, out=dW2)  # (21)
        np.multiply(h1, h1, out=t_rows_H)  # (22)
        np.subtract(one, t_rows_H, out=t_rows_H)  # (22)
        np.multiply(t_rows_H, dh1, out=dz1)  # (22)
        np.dot(ones_rows, dz1, out=db1)  # (24)
        np.dot(x.T, dz1, out=dW1)  # (23)

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
        "z1": (0, 192 * rows, (rows, H)),
        "h1": (0, 192 * rows, (rows, H)),
        "z2": (0, 288 * rows, (rows, C)),
        "code": (0, 288 * rows, (rows, C)),
        "z3": (0, 240 * rows, (rows, H)),
        "h3": (0, 240 * rows, (rows, H)),
        "z4": (0, 0, (rows, D)),
        "a4": (0, 0, (rows, D)),
        "shown": (0, 0, (rows, D)),
        "loss": (0, 297 * rows + 14160, ()),
        "da4": (0, 0, (rows, D)),
        "dh3": (0, 64 * rows, (rows, H)),
        "dz3": (0, 64 * rows, (rows, H)),
        "dcode": (0, 48 * rows, (rows, C)),
        "dh1": (0, 0, (rows, H)),
        "dz1": (0, 0, (rows, H)),
        "ones_rows": (0, 296 * rows + 14160, (rows,)),
        "u1": (0, 64 * rows, (rows, 64)),
        "t_rows_D": (0, 64 * rows, (rows, 64)),
        "t_rows_D2": (0, 128 * rows, (rows, 64)),
        "t_rows_H": (0, 112 * rows, (rows, 48)),
        "t_block": (0, 0, (7080,)),
        "t_block2": (0, 7080, (7080,)),
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


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _sigmoid


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
