"""lstm_cell: a network that trains in NumPy.

Derived from the network lstm_cell; float64. It reads x(D,), h0(H,), c0(H,), t(H,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n] = Σ_j Wi[n,j]·x[j]
    (2)   z2[n] = Σ_j Ui[n,j]·h0[j]
    (3)   a2[n] = z1[n] + z2[n]
    (4)   i[n] = 1/(1 + exp(-a2[n]))
    (5)   z3[n] = Σ_j Wf[n,j]·x[j]
    (6)   z4[n] = Σ_j Uf[n,j]·h0[j]
    (7)   a4[n] = z3[n] + z4[n]
    (8)   f[n] = 1/(1 + exp(-a4[n]))
    (9)   z5[n] = Σ_j Wg[n,j]·x[j]
    (10)  z6[n] = Σ_j Ug[n,j]·h0[j]
    (11)  g[n] = tanh(z5[n] + z6[n])
    (12)  z7[n] = Σ_j Wo[n,j]·x[j]
    (13)  z8[n] = Σ_j Uo[n,j]·h0[j]
    (14)  a8[n] = z7[n] + z8[n]
    (15)  o[n] = 1/(1 + exp(-a8[n]))
    (16)  c[n] = c0[n]·f[n] + g[n]·i[n]
    (17)  m[n] = tanh(c[n])
    (18)  h[n] = m[n]·o[n]
    (19)  s_loss = Σ_n (h[n] - t[n])²
    (20)  loss = s_loss/2
    (21)  dh[n] = h[n] - t[n]
    (22)  dc[n] = (1 - m[n]²)·dh[n]·o[n]
    (23)  da8[n] = (1 - o[n])·dh[n]·h[n]
    (24)  dUo[n,j] = da8[n]·h0[j]
    (25)  dWo[n,j] = da8[n]·x[j]
    (26)  dz6[n] = (1 - g[n]²)·dc[n]·i[n]
    (27)  dUg[n,j] = dz6[n]·h0[j]
    (28)  dWg[n,j] = dz6[n]·x[j]
    (29)  da4[n] = (1 - f[n])·c0[n]·dc[n]·f[n]
    (30)  dUf[n,j] = da4[n]·h0[j]
    (31)  dWf[n,j] = da4[n]·x[j]
    (32)  da2[n] = (1 - i[n])·dc[n]·g[n]·i[n]
    (33)  dUi[n,j] = da2[n]·h0[j]
    (34)  dWi[n,j] = da2[n]·x[j]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 2, H = 2.
One training step takes, with each array read and written once per kernel:

    flops      1 + 12·D·H + 12·H² + 52·H
             = 201
    bytes      24 + 64·D·H + 616·H + 64·D + 64·H²
             = 1,896
    workspace  520 bytes
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
NAME = "lstm_cell"
SIZES = {"D": D, "H": H}
PARAMETERS = {
    "Wi": ("H", "D"), "Wf": ("H", "D"), "Wg": ("H", "D"), "Wo": ("H", "D"), "Ui": ("H", "H"),
    "Uf": ("H", "H"), "Ug": ("H", "H"), "Uo": ("H", "H"),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("D",), "h0": ("H",), "c0": ("H",), "t": ("H",)}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x", "h0", "c0")
OUTPUTS = ("h", "c")
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {
    "Wi": "dWi", "Wf": "dWf", "Wg": "dWg", "Wo": "dWo", "Ui": "dUi", "Uf": "dUf", "Ug": "dUg", "Uo": "dUo",
}
EQUATIONS = {
    1: "z1", 2: "z2", 3: "a2", 4: "i", 5: "z3", 6: "z4", 7: "a4", 8: "f", 9: "z5", 10: "z6", 11: "g",
    12: "z7", 13: "z8", 14: "a8", 15: "o", 16: "c", 17: "m", 18: "h", 19: "s_loss", 20: "loss", 21: "dh",
    22: "dc", 23: "da8", 24: "dUo", 25: "dWo", 26: "dz6", 27: "dUg", 28: "dWg", 29: "da4", 30: "dUf",
    31: "dWf", 32: "da2", 33: "dUi", 34: "dWi",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors):
    """The outputs: equations (1) to (18)."""
    Wi, Wf, Wg, Wo = params["Wi"], params["Wf"], params["Wg"], params["Wo"]
    Ui, Uf, Ug, Uo = params["Ui"], params["Uf"], params["Ug"], params["Uo"]
    z1, z2, a2, i = tensors["z1"], tensors["z2"], tensors["a2"], tensors["i"]
    z3, z4, a4, f = tensors["z3"], tensors["z4"], tensors["a4"], tensors["f"]
    z5, z6, g, c = tensors["z5"], tensors["z6"], tensors["g"], tensors["c"]
    m, z7, z8, a8 = tensors["m"], tensors["z7"], tensors["z8"], tensors["a8"]
    o, h = tensors["o"], tensors["h"]
    t_H = tensors["t_H"]

    def run(data):
        x, h0, c0 = data["x"], data["h0"], data["c0"]
        np.dot(Wi, x, out=z1)  # (1)
        np.dot(Ui, h0, out=z2)  # (2)
        np.add(z1, z2, out=a2)  # (3)
        _sigmoid(a2, out=i)  # (4)
        np.dot(Wf, x, out=z3)  # (5)
        np.dot(Uf, h0, out=z4)  # (6)
        np.add(z3, z4, out=a4)  # (7)
        _sigmoid(a4, out=f)  # (8)
        np.dot(Wg, x, out=z5)  # (9)
        np.dot(Ug, h0, out=z6)  # (10)
        np.add(z5, z6, out=g)  # (11)
        np.tanh(g, out=g)  # (11)
        np.multiply(c0, f, out=c)  # (16)
        np.multiply(g, i, out=t_H)  # (16)
        np.add(c, t_H, out=c)  # (16)
        np.tanh(c, out=m)  # (17)
        np.dot(Wo, x, out=z7)  # (12)
        np.dot(Uo, h0, out=z8)  # (13)
        np.add(z7, z8, out=a8)  # (14)
        _sigmoid(a8, out=o)  # (15)
        np.multiply(m, o, out=h)  # (18)

    return run


def _loss(params, tensors):
    """The loss: equations (19), (20)."""
    h, s_loss, loss = tensors["h"], tensors["s_loss"], tensors["loss"]
    u1 = tensors["u1"]

    def run(data):
        t = data["t"]
        np.subtract(h, t, out=u1)  # (19)
        s_loss[...] = np.vdot(u1, u1)  # (19)
        loss[...] = s_loss / 2  # (20)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (21) to (34)."""
    i, f, g, m = tensors["i"], tensors["f"], tensors["g"], tensors["m"]
    o, h, dh, dc = tensors["o"], tensors["h"], tensors["dh"], tensors["dc"]
    da8, dz6, da4, da2 = tensors["da8"], tensors["dz6"], tensors["da4"], tensors["da2"]
    dWi, dWf, dWg, dWo = gradients["Wi"], gradients["Wf"], gradients["Wg"], gradients["Wo"]
    dUi, dUf, dUg, dUo = gradients["Ui"], gradients["Uf"], gradients["Ug"], gradients["Uo"]
    t_H = tensors["t_H"]
    one = np.array(1, DTYPE)
    da8_column = da8[:, None]
    dz6_column = dz6[:, None]
    da4_column = da4[:, None]
    da2_column = da2[:, None]

    def run(data):
        x, h0, c0, t = data["x"], data["h0"], data["c0"], data["t"]
        np.subtract(h, t, out=dh)  # (21)
        np.multiply(m, m, out=dc)  # (22)
        np.subtract(one, dc, out=dc)  # (22)
        np.multiply(dc, dh, out=dc)  # (22)
        np.multiply(dc, o, out=dc)  # (22)
        np.subtract(one, o, out=t_H)  # (23)
        np.multiply(t_H, dh, out=da8)  # (23)
        np.multiply(da8, h, out=da8)  # (23)
        np.multiply(da8_column, h0, out=dUo)  # (24)
        np.multiply(da8_column, x, out=dWo)  # (25)
        np.multiply(g, g, out=dz6)  # (26)
        np.subtract(one, dz6, out=dz6)  # (26)
        np.multiply(dz6, dc, out=dz6)  # (26)
        np.multiply(dz6, i, out=dz6)  # (26)
        np.multiply(dz6_column, h0, out=dUg)  # (27)
        np.multiply(dz6_column, x, out=dWg)  # (28)
        np.subtract(one, f, out=t_H)  # (29)
        np.multiply(t_H, c0, out=t_H)  # (29)
        np.multiply(t_H, dc, out=t_H)  # (29)
        np.multiply(t_H, f, out=da4)  # (29)
        np.multiply(da4_column, h0, out=dUf)  # (30)
        np.multiply(da4_column, x, out=dWf)  # (31)
        np.subtract(one, i, out=t_H)  # (32)
        np.multiply(t_H, dc, out=da2)  # (32)
        np.multiply(da2, g, out=da2)  # (32)
        np.multiply(da2, i, out=da2)  # (32)
        np.multiply(da2_column, h0, out=dUi)  # (33)
        np.multiply(da2_column, x, out=dWi)  # (34)

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
        "i": (0, 0, (H,)),
        "z3": (0, 2, (H,)),
        "z4": (0, 4, (H,)),
        "a4": (0, 2, (H,)),
        "f": (0, 2, (H,)),
        "z5": (0, 4, (H,)),
        "z6": (0, 6, (H,)),
        "g": (0, 4, (H,)),
        "c": (0, 6, (H,)),
        "m": (0, 8, (H,)),
        "z7": (0, 10, (H,)),
        "z8": (0, 12, (H,)),
        "a8": (0, 10, (H,)),
        "o": (0, 10, (H,)),
        "h": (0, 12, (H,)),
        "s_loss": (0, 14, ()),
        "loss": (0, 64, ()),
        "dh": (0, 6, (H,)),
        "dc": (0, 8, (H,)),
        "da8": (0, 6, (H,)),
        "dz6": (0, 6, (H,)),
        "da4": (0, 2, (H,)),
        "da2": (0, 8, (H,)),
        "t_H": (0, 14, (2,)),
        "u1": (0, 6, (2,)),
        "t_block": (0, 0, (32,)),
        "t_block2": (0, 32, (32,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wi": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wf": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wg": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wo": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Ui": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Uf": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Ug": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Uo": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
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
