"""neuron: a network that trains in NumPy.

Derived from the network neuron; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)  s[n] = Σ_i x[n,i]·w[i]
    (2)  a[n] = s[n] + b
    (3)  p[n] = 1/(1 + exp(-a[n]))
    (4)  loss = Σ_n ((1 - y[n])·log(1 + exp(a[n])) + log(1 + exp(-a[n]))·y[n])/N
    (5)  da[n] = (p[n] - y[n])/N
    (6)  dw[i] = Σ_n x[n,i]·da[n]
    (7)  db = Σ_n da[n]
    (8)  accuracy = Σ_n ([p[n] < 1/2]·[y[n] < 1/2] + [p[n] ≥ 1/2]·[y[n] ≥ 1/2])/N

Update of each entry i of the parameters:
SGD, Robbins and Monro 1951, A stochastic approximation method

    (U1)  theta_next[i] = theta[i] - lr·gradient[i]

Sizes: D = 2; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·N + 25·N
             = 33·N
    bytes      16·D·N + 16·D + 96·N + 24
             = 128·N + 56
    workspace  34·rows + 8 bytes
               for a block of rows = 65,536, with 24 for its gradients (up to 196,608: all N at once)
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
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
BLOCKS = {"N": 65536}
CUT = {"x": 1, "y": 1}
FEWEST = 4
D = 2
NAME = "neuron"
SIZES = {"D": D}
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
EQUATIONS = {1: "s", 2: "a", 3: "p", 4: "loss", 5: "da", 6: "dw", 7: "db", 8: "accuracy"}
STOPPED: tuple[str, ...] = ()
MOMENTS: tuple[str, ...] = ()
HYPER = {"lr": 0.5}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, rows, N):
    """The outputs: equations (1) to (3)."""
    w, b = params["w"], params["b"]
    s, a, p = tensors["s"], tensors["a"], tensors["p"]

    def run(data):
        x = data["x"]
        np.dot(x, w, out=s)  # (1)
        np.add(s, b, out=a)  # (2)
        _sigmoid(a, out=p)  # (3)

    return run


def _loss(params, tensors, rows, N):
    """The loss: equation (4)."""
    a, loss = tensors["a"], tensors["loss"]
    t_rows, t_rows2 = tensors["t_rows"], tensors["t_rows2"]
    one = np.array(1, DTYPE)

    def run(data):
        y = data["y"]
        np.subtract(one, y, out=t_rows)  # (4)
        _softplus(a, out=t_rows2)  # (4)
        np.multiply(t_rows, t_rows2, out=t_rows)  # (4)
        np.negative(a, out=t_rows2)  # (4)
        _softplus(t_rows2, out=t_rows2)  # (4)
        np.multiply(t_rows2, y, out=t_rows2)  # (4)
        np.add(t_rows, t_rows2, out=t_rows)  # (4)
        loss[...] = t_rows.sum() / N  # (4)

    return run


def _backward(params, tensors, gradients, rows, N):
    """The gradients: equations (5) to (7)."""
    p, da = tensors["p"], tensors["da"]
    dw, db = gradients["w"], gradients["b"]
    c1 = np.array(N, DTYPE)  # (5)

    def run(data):
        x, y = data["x"], data["y"]
        np.subtract(p, y, out=da)  # (5)
        np.divide(da, c1, out=da)  # (5)
        db[...] = da.sum()  # (7)
        np.dot(x.T, da, out=dw)  # (6)

    return run


def _metrics(params, tensors, rows, N):
    """The metrics: equation (8)."""
    p, accuracy = tensors["p"], tensors["accuracy"]
    t_rows, t_rows2, is_rows = tensors["t_rows"], tensors["t_rows2"], tensors["is_rows"]
    is_rows2 = tensors["is_rows2"]
    c1 = np.array(1 / 2, DTYPE)  # (8)

    def run(data):
        y = data["y"]
        np.less(p, c1, out=is_rows)  # (8)
        np.greater_equal(y, 1 / 2, out=is_rows2)  # (8)
        np.copyto(t_rows2, is_rows2)  # (8)
        np.less(y, c1, out=is_rows2)  # (8)
        np.copyto(t_rows, is_rows2)  # (8)
        _choose(t_rows, is_rows, t_rows2)  # (8)
        accuracy[...] = t_rows.sum() / N  # (8)

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


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "s": (0, 0, (rows,)),
        "a": (0, 0, (rows,)),
        "p": (0, rows, (rows,)),
        "loss": (0, 4 * rows, ()),
        "da": (0, rows, (rows,)),
        "accuracy": (0, 0, ()),
        "t_rows": (0, 2 * rows, (rows,)),
        "t_rows2": (0, 3 * rows, (rows,)),
        "is_rows": (2, 0, (rows,)),
        "is_rows2": (2, rows, (rows,)),
        "t_block": (0, 0, (3,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
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
