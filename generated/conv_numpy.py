"""conv: a network that trains in NumPy.

Derived from the network conv; float64. It reads t(-F + S + 1, -F + S + 1).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)  y[r,c] = Σ_i,j x[i + r,c + j]·k[i,j]
    (2)  s_loss = Σ_r,i (y[r,i] - t[r,i])²
    (3)  loss = s_loss/2
    (4)  dy[r,c] = y[r,c] - t[r,c]
    (5)  dx[i,j] = Σ_i2,j2 [i + F ≤ i2 + S]·[i2 ≤ i]·[j + F ≤ j2 + S]·[j2 ≤ j]·dy[i - i2,j - j2]·k[i2,j2]
    (6)  dk[i,j] = Σ_r,c x[i + r,c + j]·dy[r,c]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: S = 3, F = 2.
One training step takes, with each array read and written once per kernel:

    flops      113
    bytes      992
    workspace  216 bytes
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
S, F = 3, 2
NAME = "conv"
SIZES = {"S": S, "F": F}
PARAMETERS = {"x": ("S", "S"), "k": ("F", "F")}
INPUTS: dict[str, tuple[Any, ...]] = {"t": (lambda s: s["S"] + 1 - s["F"], lambda s: s["S"] + 1 - s["F"])}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS: tuple[str, ...] = ()
OUTPUTS = ("y",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"x": "dx", "k": "dk"}
EQUATIONS = {1: "y", 2: "s_loss", 3: "loss", 4: "dy", 5: "dx", 6: "dk"}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors):
    """The outputs: equation (1)."""
    x, k = params["x"], params["k"]
    x_windows, y = tensors["x_windows"], tensors["y"]
    x_windows_ = _windows(x, (2, 2, 2, 2), (0, 1, 0, 1))
    x_windows_T = x_windows.reshape(4, 4).T
    k_flat = k.reshape(4)
    y_flat = y.reshape(4)

    def run(data):
        np.copyto(x_windows, x_windows_)  # (1)
        np.dot(x_windows_T, k_flat, out=y_flat)  # (1)

    return run


def _loss(params, tensors):
    """The loss: equations (2), (3)."""
    y, y_minus_t, s_loss, loss = tensors["y"], tensors["y_minus_t"], tensors["s_loss"], tensors["loss"]

    def run(data):
        t = data["t"]
        np.subtract(y, t, out=y_minus_t)  # (2)
        s_loss[...] = np.vdot(y_minus_t, y_minus_t)  # (2)
        loss[...] = s_loss / 2  # (3)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (4) to (6)."""
    k = params["k"]
    x_windows, y_minus_t, dy = tensors["x_windows"], tensors["y_minus_t"], tensors["dy"]
    dx, dk = gradients["x"], gradients["k"]
    t_22 = tensors["t_22"]
    steps = [(i3, j3, dx[i3 : i3 + 2, j3 : j3 + 2]) for i3, j3 in np.ndindex(2, 2)]
    x_windows_rows = x_windows.reshape(4, 4)
    dy_flat = dy.reshape(4)
    dk_flat = dk.reshape(4)

    def run(data):
        np.copyto(dy, y_minus_t)  # (4)
        dx.fill(0)  # (5)
        for i3, j3, dx_part in steps:
            np.multiply(dy[i3, j3], k, out=t_22)  # (5)
            dx_part += t_22  # (5)
        np.dot(x_windows_rows, dy_flat, out=dk_flat)  # (6)

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
        "x_windows": (0, 0, (2, 2, 2, 2)),
        "y": (0, 16, (2, 2)),
        "y_minus_t": (0, 16, (2, 2)),
        "s_loss": (0, 20, ()),
        "loss": (0, 26, ()),
        "dy": (0, 16, (2, 2)),
        "t_22": (0, 20, (2, 2)),
        "t_block": (0, 0, (13,)),
        "t_block2": (0, 13, (13,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "x": math.sqrt(6 / ((S - F + 1) ** 2 + F * F)) * rng.uniform(-1, 1, (S, S)),
        "k": math.sqrt(3 / (F * F)) * rng.uniform(-1, 1, (F, F)),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _windows


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
