"""sigmoid_2_2_2: a network that trains in NumPy.

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


# ---- The network ----


def _forward(params, tensors):
    """The outputs: equations (1) to (6)."""
    W1, W2 = params["W1"], params["W2"]
    z1, a1, h, z2 = tensors["z1"], tensors["a1"], tensors["h"], tensors["z2"]
    a2, o = tensors["a2"], tensors["o"]
    b1 = constant_b1
    b2 = constant_b2
    c1 = np.array(b1, DTYPE)  # (2)
    c2 = np.array(b2, DTYPE)  # (5)

    def run(data):
        x = data["x"]
        np.dot(W1, x, out=z1)  # (1)
        np.add(z1, c1, out=a1)  # (2)
        _sigmoid(a1, out=h)  # (3)
        np.dot(W2, h, out=z2)  # (4)
        np.add(z2, c2, out=a2)  # (5)
        _sigmoid(a2, out=o)  # (6)

    return run


def _loss(params, tensors):
    """The loss: equations (7), (8)."""
    o, s_loss, loss = tensors["o"], tensors["s_loss"], tensors["loss"]
    u1 = tensors["u1"]

    def run(data):
        t = data["t"]
        np.subtract(t, o, out=u1)  # (7)
        s_loss[...] = np.vdot(u1, u1)  # (7)
        loss[...] = s_loss / 2  # (8)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (9) to (13)."""
    W2 = params["W2"]
    h, o, da2, dh = tensors["h"], tensors["o"], tensors["da2"], tensors["dh"]
    da1 = tensors["da1"]
    dW1, dW2 = gradients["W1"], gradients["W2"]
    t_K, t_K2, t_H = tensors["t_K"], tensors["t_K2"], tensors["t_H"]
    one = np.array(1, DTYPE)
    da2_column = da2[:, None]
    W2_T = W2.T
    da1_column = da1[:, None]

    def run(data):
        x, t = data["x"], data["t"]
        np.subtract(o, t, out=t_K)  # (9)
        np.subtract(one, o, out=t_K2)  # (9)
        np.multiply(t_K2, o, out=da2)  # (9)
        np.multiply(da2, t_K, out=da2)  # (9)
        np.multiply(da2_column, h, out=dW2)  # (11)
        np.dot(W2_T, da2, out=dh)  # (10)
        np.subtract(one, h, out=t_H)  # (12)
        np.multiply(t_H, dh, out=da1)  # (12)
        np.multiply(da1, h, out=da1)  # (12)
        np.multiply(da1_column, x, out=dW1)  # (13)

    return run


def _metrics(params, tensors):
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


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (H,)),
        "a1": (0, 0, (H,)),
        "h": (0, 0, (H,)),
        "z2": (0, 2, (K,)),
        "a2": (0, 2, (K,)),
        "o": (0, 2, (K,)),
        "s_loss": (0, 6, ()),
        "loss": (0, 16, ()),
        "da2": (0, 2, (K,)),
        "dh": (0, 4, (H,)),
        "da1": (0, 4, (H,)),
        "u1": (0, 4, (2,)),
        "t_K": (0, 4, (2,)),
        "t_K2": (0, 6, (2,)),
        "t_H": (0, 2, (2,)),
        "t_block": (0, 0, (8,)),
        "t_block2": (0, 8, (8,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "W2": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (K, H)),
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
# symbp/runtime/common/arrays/keys.py: _key


# ---- Outputs, loss and metrics ----


# symbp/runtime/numpy/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numpy/differentiate.py: _differentiate
# symbp/runtime/numpy/step.py: _Step
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
