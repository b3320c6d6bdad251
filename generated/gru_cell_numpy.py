"""gru_cell: a network that trains in NumPy.

Derived from the network gru_cell; float64. It reads x(D,), h0(H,), t(H,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[j] = Σ_i Wz[j,i]·x[i]
    (2)   z2[j] = Σ_i Uz[j,i]·h0[i]
    (3)   a2[j] = z1[j] + z2[j]
    (4)   z[j] = 1/(1 + exp(-a2[j]))
    (5)   z3[j] = Σ_i Wr[j,i]·x[i]
    (6)   z4[j] = Σ_i Ur[j,i]·h0[i]
    (7)   a4[j] = z3[j] + z4[j]
    (8)   r[j] = 1/(1 + exp(-a4[j]))
    (9)   z5[j] = Σ_i Wn[j,i]·x[i]
    (10)  u_z6[j] = h0[j]·r[j]
    (11)  z6[j] = Σ_i Un[j,i]·u_z6[i]
    (12)  n[j] = tanh(z5[j] + z6[j])
    (13)  h[j] = (1 - z[j])·h0[j] + n[j]·z[j]
    (14)  s_loss = Σ_j (h[j] - t[j])²
    (15)  loss = s_loss/2
    (16)  dh[j] = h[j] - t[j]
    (17)  dz6[j] = (1 - n[j]²)·dh[j]·z[j]
    (18)  du_z6[j] = Σ_j2 Un[j2,j]·dz6[j2]
    (19)  dUn[j,i] = dz6[j]·u_z6[i]
    (20)  dWn[j,i] = dz6[j]·x[i]
    (21)  da4[j] = (1 - r[j])·du_z6[j]·u_z6[j]
    (22)  dUr[j,i] = da4[j]·h0[i]
    (23)  dWr[j,i] = da4[j]·x[i]
    (24)  da2[j] = (1 - z[j])·dh[j]·(n[j] - h0[j])·z[j]
    (25)  dUz[j,i] = da2[j]·h0[i]
    (26)  dWz[j,i] = da2[j]·x[i]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 2, H = 2.
One training step takes, with each array read and written once per kernel:

    flops      1 + 9·D·H + 11·H² + 40·H
             = 161
    bytes      24 + 48·D·H + 464·H + 48·D + 56·H²
             = 1,464
    workspace  392 bytes
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
D, H = 2, 2
NAME = "gru_cell"
SIZES = {"D": D, "H": H}
PARAMETERS = {
    "Wz": ("H", "D"), "Wr": ("H", "D"), "Wn": ("H", "D"), "Uz": ("H", "H"), "Ur": ("H", "H"),
    "Un": ("H", "H"),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("D",), "h0": ("H",), "t": ("H",)}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x", "h0")
OUTPUTS = ("h",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"Wz": "dWz", "Wr": "dWr", "Wn": "dWn", "Uz": "dUz", "Ur": "dUr", "Un": "dUn"}
EQUATIONS = {
    1: "z1", 2: "z2", 3: "a2", 4: "z", 5: "z3", 6: "z4", 7: "a4", 8: "r", 9: "z5", 10: "u_z6", 11: "z6",
    12: "n", 13: "h", 14: "s_loss", 15: "loss", 16: "dh", 17: "dz6", 18: "du_z6", 19: "dUn", 20: "dWn",
    21: "da4", 22: "dUr", 23: "dWr", 24: "da2", 25: "dUz", 26: "dWz",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors):
    """The outputs: equations (1) to (13)."""
    Wz, Wr, Wn, Uz = params["Wz"], params["Wr"], params["Wn"], params["Uz"]
    Ur, Un = params["Ur"], params["Un"]
    z1, z2, a2, z = tensors["z1"], tensors["z2"], tensors["a2"], tensors["z"]
    z3, z4, a4, r = tensors["z3"], tensors["z4"], tensors["a4"], tensors["r"]
    u_z6, z5, z6, n = tensors["u_z6"], tensors["z5"], tensors["z6"], tensors["n"]
    h = tensors["h"]
    t_H = tensors["t_H"]
    one = np.array(1, DTYPE)

    def run(data):
        x, h0 = data["x"], data["h0"]
        np.dot(Wz, x, out=z1)  # (1)
        np.dot(Uz, h0, out=z2)  # (2)
        np.add(z1, z2, out=a2)  # (3)
        _sigmoid(a2, out=z)  # (4)
        np.dot(Wr, x, out=z3)  # (5)
        np.dot(Ur, h0, out=z4)  # (6)
        np.add(z3, z4, out=a4)  # (7)
        _sigmoid(a4, out=r)  # (8)
        np.multiply(h0, r, out=u_z6)  # (10)
        np.dot(Wn, x, out=z5)  # (9)
        np.dot(Un, u_z6, out=z6)  # (11)
        np.add(z5, z6, out=n)  # (12)
        np.tanh(n, out=n)  # (12)
        np.subtract(one, z, out=h)  # (13)
        np.multiply(h, h0, out=h)  # (13)
        np.multiply(n, z, out=t_H)  # (13)
        np.add(h, t_H, out=h)  # (13)

    return run


def _loss(params, tensors):
    """The loss: equations (14), (15)."""
    h, s_loss, loss = tensors["h"], tensors["s_loss"], tensors["loss"]
    u1 = tensors["u1"]

    def run(data):
        t = data["t"]
        np.subtract(h, t, out=u1)  # (14)
        s_loss[...] = np.vdot(u1, u1)  # (14)
        loss[...] = s_loss / 2  # (15)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (16) to (26)."""
    Un = params["Un"]
    z, r, u_z6, n = tensors["z"], tensors["r"], tensors["u_z6"], tensors["n"]
    h, dh, dz6, da2 = tensors["h"], tensors["dh"], tensors["dz6"], tensors["da2"]
    du_z6, da4 = tensors["du_z6"], tensors["da4"]
    dWz, dWr, dWn, dUz = gradients["Wz"], gradients["Wr"], gradients["Wn"], gradients["Uz"]
    dUr, dUn = gradients["Ur"], gradients["Un"]
    t_H = tensors["t_H"]
    one = np.array(1, DTYPE)
    dz6_column = dz6[:, None]
    da2_column = da2[:, None]
    Un_T = Un.T
    da4_column = da4[:, None]

    def run(data):
        x, h0, t = data["x"], data["h0"], data["t"]
        np.subtract(h, t, out=dh)  # (16)
        np.multiply(n, n, out=dz6)  # (17)
        np.subtract(one, dz6, out=dz6)  # (17)
        np.multiply(dz6, dh, out=dz6)  # (17)
        np.multiply(dz6, z, out=dz6)  # (17)
        np.multiply(dz6_column, u_z6, out=dUn)  # (19)
        np.multiply(dz6_column, x, out=dWn)  # (20)
        np.subtract(one, z, out=t_H)  # (24)
        np.multiply(t_H, dh, out=da2)  # (24)
        np.subtract(n, h0, out=t_H)  # (24)
        np.multiply(da2, t_H, out=da2)  # (24)
        np.multiply(da2, z, out=da2)  # (24)
        np.multiply(da2_column, h0, out=dUz)  # (25)
        np.multiply(da2_column, x, out=dWz)  # (26)
        np.dot(Un_T, dz6, out=du_z6)  # (18)
        np.subtract(one, r, out=t_H)  # (21)
        np.multiply(t_H, du_z6, out=da4)  # (21)
        np.multiply(da4, u_z6, out=da4)  # (21)
        np.multiply(da4_column, h0, out=dUr)  # (22)
        np.multiply(da4_column, x, out=dWr)  # (23)

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
        "z2": (0, 2, (H,)),
        "a2": (0, 0, (H,)),
        "z": (0, 0, (H,)),
        "z3": (0, 2, (H,)),
        "z4": (0, 4, (H,)),
        "a4": (0, 2, (H,)),
        "r": (0, 2, (H,)),
        "u_z6": (0, 4, (H,)),
        "z5": (0, 6, (H,)),
        "z6": (0, 8, (H,)),
        "n": (0, 6, (H,)),
        "h": (0, 8, (H,)),
        "s_loss": (0, 12, ()),
        "loss": (0, 48, ()),
        "dh": (0, 8, (H,)),
        "dz6": (0, 10, (H,)),
        "da2": (0, 8, (H,)),
        "du_z6": (0, 0, (H,)),
        "da4": (0, 0, (H,)),
        "t_H": (0, 12, (2,)),
        "u1": (0, 10, (2,)),
        "t_block": (0, 0, (24,)),
        "t_block2": (0, 24, (24,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wz": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wr": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wn": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Uz": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Ur": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Un": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
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
