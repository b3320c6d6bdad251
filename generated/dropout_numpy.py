"""dropout: a network that trains in NumPy.

Derived from the network dropout; float64. It reads x(N, D), t(N,).
Random tensors, drawn in each step: mask1(N, H): bernoulli(0.75).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W[i,j]
    (2)   h[n,j] = tanh(z1[n,j])
    (3)   k[n,j] = 4·h[n,j]·mask1[n,j]/3
    (4)   y[n] = Σ_j k[n,j]·v[j]
    (5)   loss = Σ_n (y[n] - t[n])²/N
    (6)   dy[n] = 2·(y[n] - t[n])/N
    (7)   dv[j] = Σ_n k[n,j]·dy[n]
    (8)   dz1[n,j] = 4·dy[n]·(1 - h[n,j]²)·mask1[n,j]·v[j]/3
    (9)   dW[i,j] = Σ_n x[n,i]·dz1[n,j]
    (10)  y_infer[n] = Σ_j h[n,j]·v[j]
    (11)  loss_infer = Σ_n (y_infer[n] - t[n])²/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: N = 2, D = 2, H = 4.
One training step takes, with each array read and written once per kernel:

    flops      4·D·H·N + 14·H·N + 11·N
             = 198
    bytes      16·D·H + 16·D·N + 96·H·N + 24·H + 64·N + 8
             = 1,192
    workspace  200 bytes
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
N, D, H = 2, 2, 4
NAME = "dropout"
SIZES = {"N": N, "D": D, "H": H}
PARAMETERS = {"W": ("D", "H"), "v": ("H",)}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "t": ("N",)}
INTEGERS: dict[str, Any] = {}
FACTS = {"mask1": (("binary", -1),)}
FORWARD_INPUTS = ("x",)
RANDOM = {"mask1": (("N", "H"), "bernoulli", 0.75)}
RANDOM_AT_INFERENCE: tuple[str, ...] = ()
INFERENCE = {"loss": "loss_infer", "y": "y_infer"}
OUTPUTS = ("y",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"W": "dW", "v": "dv"}
EQUATIONS = {
    1: "z1", 2: "h", 3: "k", 4: "y", 5: "loss", 6: "dy", 7: "dv", 8: "dz1", 9: "dW", 10: "y_infer",
    11: "loss_infer",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors):
    """The outputs: equations (1) to (4)."""
    W, v = params["W"], params["v"]
    z1, h, k, y = tensors["z1"], tensors["h"], tensors["k"], tensors["y"]
    c1 = np.array(4 / 3, DTYPE)  # (3)

    def run(data):
        x, mask1 = data["x"], data["mask1"]
        np.dot(x, W, out=z1)  # (1)
        np.tanh(z1, out=h)  # (2)
        np.multiply(c1, h, out=k)  # (3)
        np.multiply(k, mask1, out=k)  # (3)
        np.dot(k, v, out=y)  # (4)

    return run


def _loss(params, tensors):
    """The loss: equation (5)."""
    y, loss = tensors["y"], tensors["loss"]
    u1 = tensors["u1"]

    def run(data):
        t = data["t"]
        np.subtract(y, t, out=u1)  # (5)
        loss[...] = np.vdot(u1, u1) / N  # (5)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (6) to (9)."""
    v = params["v"]
    h, k, y, dy = tensors["h"], tensors["k"], tensors["y"], tensors["dy"]
    dz1 = tensors["dz1"]
    dW, dv = gradients["W"], gradients["v"]
    c1 = np.array(2 / N, DTYPE)  # (6)
    one = np.array(1, DTYPE)
    c2 = np.array(4 / 3, DTYPE)  # (8)
    dy_column = dy[:, None]
    k_T = k.T

    def run(data):
        x, t, mask1 = data["x"], data["t"], data["mask1"]
        np.subtract(y, t, out=dy)  # (6)
        np.multiply(c1, dy, out=dy)  # (6)
        np.multiply(h, h, out=dz1)  # (8)
        np.subtract(one, dz1, out=dz1)  # (8)
        np.multiply(c2, dz1, out=dz1)  # (8)
        np.multiply(dz1, mask1, out=dz1)  # (8)
        np.multiply(dz1, dy_column, out=dz1)  # (8)
        np.multiply(dz1, v, out=dz1)  # (8)
        np.dot(k_T, dy, out=dv)  # (7)
        np.dot(x.T, dz1, out=dW)  # (9)

    return run


def _inference(params, tensors):
    """The outputs at inference: equations (1), (2), (10)."""
    W, v = params["W"], params["v"]
    z1, h, y_infer = tensors["z1"], tensors["h"], tensors["y_infer"]

    def run(data):
        x = data["x"]
        np.dot(x, W, out=z1)  # (1)
        np.tanh(z1, out=h)  # (2)
        np.dot(h, v, out=y_infer)  # (10)

    return run


def _metrics(params, tensors):
    """The loss and metrics at inference: equation (11)."""
    y_infer, loss_infer = tensors["y_infer"], tensors["loss_infer"]
    u1 = tensors["u1"]

    def run(data):
        t = data["t"]
        np.subtract(y_infer, t, out=u1)  # (11)
        loss_infer[...] = np.vdot(u1, u1) / N  # (11)

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
        "z1": (0, 0, (N, H)),
        "h": (0, 8, (N, H)),
        "k": (0, 0, (N, H)),
        "y": (0, 16, (N,)),
        "loss": (0, 24, ()),
        "dy": (0, 16, (N,)),
        "dz1": (0, 8, (N, H)),
        "y_infer": (0, 0, (N,)),
        "loss_infer": (0, 2, ()),
        "u1": (0, 18, (2,)),
        "t_block": (0, 0, (12,)),
        "t_block2": (0, 12, (12,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "v": math.sqrt(6 / (H + 1)) * rng.uniform(-1, 1, H),
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


# symbp/runtime/numpy/outputs_by_mode.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numpy/differentiate.py: _differentiate
# symbp/runtime/numpy/step.py: _Step
# symbp/runtime/numpy/bound.py: _bound, MODERATE
"""The squares of gradients whose sum is below this make no moment overflow in any number of steps."""


# symbp/runtime/numpy/bound.py: _updated, _all_finite
# symbp/runtime/numpy/outside.py: _any_outside
# symbp/runtime/numpy/advance.py: _advance


# ---- What a step is given beside parameters ----


# symbp/runtime/common/given/known_shapes.py: _known_shape, _fitting
# symbp/runtime/common/given/no_buffers.py: init_buffers, _as_buffers
# symbp/runtime/numpy/random.py: _GOLDEN, _BELOW_ONE, _AT_ONCE, _words, _uniform, _draw, _draw_some
# symbp/runtime/common/given/random_tensors.py: _MASK, _given, _drawn, _draw_key


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
