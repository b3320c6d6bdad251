"""logistic_regression: a network that trains in NumPy.

Derived from the network logistic_regression; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)  z1[n] = Σ_i x[n,i]·w[i]
    (2)  a1[n] = z1[n] + b
    (3)  p[n] = 1/(1 + exp(-a1[n]))
    (4)  loss = Σ_n ((1 - y[n])·log(1 + exp(a1[n])) + log(1 + exp(-a1[n]))·y[n])/N
    (5)  da1[n] = (p[n] - y[n])/N
    (6)  dw[i] = Σ_n x[n,i]·da1[n]
    (7)  db = Σ_n da1[n]
    (8)  accuracy = Σ_n ([p[n] < 1/2]·[y[n] < 1/2] + [p[n] ≥ 1/2]·[y[n] ≥ 1/2])/N

Update of each entry i of the parameters:
SGD, Robbins and Monro 1951, A stochastic approximation method

    (U1)  theta_next[i] = theta[i] - lr·gradient[i]

Sizes: N, D read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·N + 25·N
    bytes      16·D·N + 16·D + 96·N + 24
    workspace  2·N + 8·max(16,400, 4·N + 16) bytes
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
NAME = "logistic_regression"
SIZES: dict[str, Any] = {}
PARAMETERS = {"w": ("D",), "b": ()}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS: dict[str, Any] = {}
FACTS = {"y": (("binary", -1),)}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"w": "dw", "b": "db"}
EQUATIONS = {1: "z1", 2: "a1", 3: "p", 4: "loss", 5: "da1", 6: "dw", 7: "db", 8: "accuracy"}
STOPPED: tuple[str, ...] = ()
MOMENTS: tuple[str, ...] = ()
HYPER = {"lr": 0.1}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, D):
    """The outputs: equations (1) to (3)."""
    w, b = params["w"], params["b"]
    z1, a1, p = tensors["z1"], tensors["a1"], tensors["p"]

    def run(data):
        x = data["x"]
        np.dot(x, w, out=z1)  # (1)
        np.add(z1, b, out=a1)  # (2)
        _sigmoid(a1, out=p)  # (3)

    return run


def _loss(params, tensors, N, D):
    """The loss: equation (4)."""
    a1, loss = tensors["a1"], tensors["loss"]
    t_N, t_N2 = tensors["t_N"], tensors["t_N2"]
    one = np.array(1, DTYPE)

    def run(data):
        y = data["y"]
        np.subtract(one, y, out=t_N)  # (4)
        _softplus(a1, out=t_N2)  # (4)
        np.multiply(t_N, t_N2, out=t_N)  # (4)
        np.negative(a1, out=t_N2)  # (4)
        _softplus(t_N2, out=t_N2)  # (4)
        np.multiply(t_N2, y, out=t_N2)  # (4)
        np.add(t_N, t_N2, out=t_N)  # (4)
        loss[...] = t_N.sum() / N  # (4)

    return run


def _backward(params, tensors, gradients, N, D):
    """The gradients: equations (5) to (7)."""
    p, da1 = tensors["p"], tensors["da1"]
    dw, db = gradients["w"], gradients["b"]
    c1 = np.array(N, DTYPE)  # (5)

    def run(data):
        x, y = data["x"], data["y"]
        np.subtract(p, y, out=da1)  # (5)
        np.divide(da1, c1, out=da1)  # (5)
        db[...] = da1.sum()  # (7)
        np.dot(x.T, da1, out=dw)  # (6)

    return run


def _metrics(params, tensors, N, D):
    """The metrics: equation (8)."""
    p, accuracy = tensors["p"], tensors["accuracy"]
    t_N, t_N2, is_N, is_N2 = tensors["t_N"], tensors["t_N2"], tensors["is_N"], tensors["is_N2"]
    c1 = np.array(1 / 2, DTYPE)  # (8)

    def run(data):
        y = data["y"]
        np.less(p, c1, out=is_N)  # (8)
        np.greater_equal(y, 1 / 2, out=is_N2)  # (8)
        np.copyto(t_N2, is_N2)  # (8)
        np.less(y, c1, out=is_N2)  # (8)
        np.copyto(t_N, is_N2)  # (8)
        _choose(t_N, is_N, t_N2)  # (8)
        accuracy[...] = t_N.sum() / N  # (8)

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
        "a1": (0, 16, (N,)),
        "p": (0, N + 16, (N,)),
        "loss": (0, 0, ()),
        "da1": (0, N + 16, (N,)),
        "accuracy": (0, 1, ()),
        "t_N": (0, 2 * N + 16, (N,)),
        "t_N2": (0, 3 * N + 16, (N,)),
        "is_N": (2, 0, (N,)),
        "is_N2": (2, N, (N,)),
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


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _choose, _sigmoid, _softplus


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
