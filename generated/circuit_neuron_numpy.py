"""circuit_neuron: a network that trains in NumPy.

Derived from the network circuit_neuron; float64. It reads .
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   u = w0·x0
    (2)   v = w1·x1
    (3)   s = u + v
    (4)   a = s + w2
    (5)   m = -a
    (6)   f = 1/(1 + exp(m))
    (7)   dm = -f/(1 + exp(-m))
    (8)   dw2 = -dm
    (9)   dw1 = -dm·x1
    (10)  dx1 = -dm·w1
    (11)  dw0 = -dm·x0
    (12)  dx0 = -dm·w0

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: .
One training step takes, with each array read and written once per kernel:

    flops      23
    bytes      264
    workspace  88 bytes
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
NAME = "circuit_neuron"
SIZES: dict[str, Any] = {}
PARAMETERS = {"w0": (), "w1": (), "w2": (), "x0": (), "x1": ()}
INPUTS: dict[str, Any] = {}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS: tuple[str, ...] = ()
OUTPUTS: tuple[str, ...] = ()
LOSS = "f"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"w0": "dw0", "w1": "dw1", "w2": "dw2", "x0": "dx0", "x1": "dx1"}
EQUATIONS = {
    1: "u", 2: "v", 3: "s", 4: "a", 5: "m", 6: "f", 7: "dm", 8: "dw2", 9: "dw1", 10: "dx1", 11: "dw0",
    12: "dx0",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors):
    """No outputs."""

    def run(data):
        pass

    return run


def _loss(params, tensors):
    """The loss: equations (1) to (6)."""
    w0, w1, w2, x0 = params["w0"], params["w1"], params["w2"], params["x0"]
    x1 = params["x1"]
    u, v, s, a = tensors["u"], tensors["v"], tensors["s"], tensors["a"]
    m, f = tensors["m"], tensors["f"]

    def run(data):
        u[...] = w0 * x0  # (1)
        v[...] = w1 * x1  # (2)
        s[...] = u + v  # (3)
        a[...] = s + w2  # (4)
        m[...] = -a  # (5)
        f[...] = _sigmoid(-m)  # (6)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (7) to (12)."""
    w0, w1, x0, x1 = params["w0"], params["w1"], params["x0"], params["x1"]
    m, f, dm = tensors["m"], tensors["f"], tensors["dm"]
    dw0, dw1, dw2, dx0 = gradients["w0"], gradients["w1"], gradients["w2"], gradients["x0"]
    dx1 = gradients["x1"]

    def run(data):
        dm[...] = -_sigmoid(m) * f  # (7)
        dw2[...] = -dm  # (8)
        dw1[...] = -dm * x1  # (9)
        dx1[...] = -dm * w1  # (10)
        dw0[...] = -dm * x0  # (11)
        dx0[...] = -dm * w0  # (12)

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
        "u": (0, 0, ()),
        "v": (0, 1, ()),
        "s": (0, 2, ()),
        "a": (0, 0, ()),
        "m": (0, 1, ()),
        "f": (0, 10, ()),
        "dm": (0, 0, ()),
        "t_block": (0, 0, (5,)),
        "t_block2": (0, 5, (5,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # a factor of another one: if both were 0, neither would learn
        "w0": np.full((), 1),
        "w1": np.full((), 1),
        # an offset needs no asymmetry to learn
        "w2": np.zeros(()),
        # a factor of another one: if both were 0, neither would learn
        "x0": np.full((), 1),
        "x1": np.full((), 1),
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
