"""linear_regression: a network that trains in NumPy.

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
    workspace  8·max(16,400, 2·N + 16) bytes
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
OPEN_SIZES = ("N", "D")
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
OUTPUTS = ("prediction",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH = "N"
GRADIENTS = {"w": "dw", "b": "db"}
EQUATIONS = {1: "z1", 2: "prediction", 3: "loss", 4: "dprediction", 5: "dw", 6: "db"}
STOPPED: tuple[str, ...] = ()
MOMENTS: tuple[str, ...] = ()
HYPER = {"lr": 0.05}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, D):
    """The outputs: equations (1), (2)."""
    w, b = params["w"], params["b"]
    z1, prediction = tensors["z1"], tensors["prediction"]

    def run(data):
        x = data["x"]
        np.dot(x, w, out=z1)  # (1)
        np.add(z1, b, out=prediction)  # (2)

    return run


def _loss(params, tensors, N, D):
    """The loss: equation (3)."""
    prediction, loss = tensors["prediction"], tensors["loss"]
    u1 = tensors["u1"]

    def run(data):
        y = data["y"]
        np.subtract(prediction, y, out=u1)  # (3)
        loss[...] = np.vdot(u1, u1) / N  # (3)

    return run


def _backward(params, tensors, gradients, N, D):
    """The gradients: equations (4) to (6)."""
    prediction, dprediction = tensors["prediction"], tensors["dprediction"]
    dw, db = gradients["w"], gradients["b"]
    c1 = np.array(2 / N, DTYPE)  # (4)

    def run(data):
        x, y = data["x"], data["y"]
        np.subtract(prediction, y, out=dprediction)  # (4)
        np.multiply(c1, dprediction, out=dprediction)  # (4)
        db[...] = dprediction.sum()  # (6)
        np.dot(x.T, dprediction, out=dw)  # (5)

    return run


def _metrics(params, tensors, N, D):
    """No metrics."""

    def run(data):
        pass

    return run


def _update(tensors, theta, gradient):
    """SGD: one step over all parameters, in place."""
    blocks = []
    for start in range(0, len(theta), 16384):
        block = [arena[start : start + 16384] for arena in (theta, gradient)]
        blocks.append((*block, tensors["t_block"][: len(block[0])]))
    lr_array = np.empty((), DTYPE)

    def run(step, lr):
        lr_array[...] = lr
        for theta_block, gradient_block, t_block in blocks:
            np.multiply(lr_array, gradient_block, out=t_block)  # (U1)
            np.subtract(theta_block, t_block, out=theta_block)  # (U1)

    return run


def _places(N, D):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 16, (N,)),
        "prediction": (0, 16, (N,)),
        "loss": (0, 0, ()),
        "dprediction": (0, 16, (N,)),
        "u1": (0, N + 16, (N,)),
        "t_block": (0, 16, (16384,)),
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
