"""attention: a network that trains in NumPy.

Derived from the network attention; float64. It reads x(T, D), y(T, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   q[n,i] = Σ_j x[n,j]·Wq[j,i]
    (2)   k[n,i] = Σ_j x[n,j]·Wk[j,i]
    (3)   v[n,i] = Σ_j x[n,j]·Wv[j,i]
    (4)   z4[n,j] = Σ_i q[n,i]·k[j,i]
    (5)   s[n,i] = z4[n,i]/sqrt(D)
    (6)   m_s[n] = max_i s[n,i]
    (7)   e_p[n,i] = exp(s[n,i] - m_s[n])
    (8)   s_p[n] = Σ_i e_p[n,i]
    (9)   p[n,i] = e_p[n,i]/s_p[n]
    (10)  o[n,i] = Σ_j p[n,j]·v[j,i]
    (11)  s_loss = Σ_n,i (o[n,i] - y[n,i])²
    (12)  loss = s_loss/2
    (13)  do[n,i] = o[n,i] - y[n,i]
    (14)  dp[n,i] = Σ_i2 do[n,i2]·v[i,i2]
    (15)  ds_p_s1[n] = Σ_i dp[n,i]·p[n,i]
    (16)  dz4[n,j] = (dp[n,j] - ds_p_s1[n])·p[n,j]/sqrt(D)
    (17)  dv[n,i] = Σ_n2 p[n2,n]·do[n2,i]
    (18)  dWv[j,i] = Σ_n x[n,j]·dv[n,i]
    (19)  dk[n,i] = Σ_n2 dz4[n2,n]·q[n2,i]
    (20)  dWk[j,i] = Σ_n x[n,j]·dk[n,i]
    (21)  dq[n,i] = Σ_j dz4[n,j]·k[j,i]
    (22)  dWq[j,i] = Σ_n x[n,j]·dq[n,i]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: T = 3, D = 2.
One training step takes, with each array read and written once per kernel:

    flops      1 + 12·D·T² + 12·T·D² + 4·D·T + 16·T²
             = 529
    bytes      24 + 240·D·T + 152·T² + 48·D² + 48·T
             = 3,168
    workspace  416 bytes
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
ONES = ("ones_T",)
NEEDED: dict[str, Any] = {}
T, D = 3, 2
NAME = "attention"
SIZES = {"T": T, "D": D}
PARAMETERS = {"Wq": ("D", "D"), "Wk": ("D", "D"), "Wv": ("D", "D")}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("T", "D"), "y": ("T", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p", "o")
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"Wq": "dWq", "Wk": "dWk", "Wv": "dWv"}
EQUATIONS = {
    1: "q", 2: "k", 3: "v", 4: "z4", 5: "s", 6: "m_s", 7: "e_p", 8: "s_p", 9: "p", 10: "o", 11: "s_loss",
    12: "loss", 13: "do", 14: "dp", 15: "ds_p_s1", 16: "dz4", 17: "dv", 18: "dWv", 19: "dk", 20: "dWk",
    21: "dq", 22: "dWq",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors):
    """The outputs: equations (1) to (10)."""
    Wq, Wk, Wv = params["Wq"], params["Wk"], params["Wv"]
    q, k, v, z4 = tensors["q"], tensors["k"], tensors["v"], tensors["z4"]
    s, m_s, e_p, s_p = tensors["s"], tensors["m_s"], tensors["e_p"], tensors["s_p"]
    p, o = tensors["p"], tensors["o"]
    ones_T = tensors["ones_T"]
    k_T = k.T
    c1 = np.array(math.sqrt(D), DTYPE)  # (5)
    m_s_column = m_s[:, None]
    s_p_column = s_p[:, None]

    def run(data):
        x = data["x"]
        np.dot(x, Wq, out=q)  # (1)
        np.dot(x, Wk, out=k)  # (2)
        np.dot(x, Wv, out=v)  # (3)
        np.dot(q, k_T, out=z4)  # (4)
        np.divide(z4, c1, out=s)  # (5)
        s.max(1, out=m_s)  # (6)
        np.subtract(s, m_s_column, out=e_p)  # (7)
        np.exp(e_p, out=e_p)  # (7)
        np.dot(e_p, ones_T, out=s_p)  # (8)
        np.divide(e_p, s_p_column, out=p)  # (9)
        np.dot(p, v, out=o)  # (10)

    return run


def _loss(params, tensors):
    """The loss: equations (11), (12)."""
    o, o_minus_y, s_loss, loss = tensors["o"], tensors["o_minus_y"], tensors["s_loss"], tensors["loss"]

    def run(data):
        y = data["y"]
        np.subtract(o, y, out=o_minus_y)  # (11)
        s_loss[...] = np.vdot(o_minus_y, o_minus_y)  # (11)
        loss[...] = s_loss / 2  # (12)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (13) to (22)."""
    q, k, v, p = tensors["q"], tensors["k"], tensors["v"], tensors["p"]
    o_minus_y, do, dp, ds_p_s1 = tensors["o_minus_y"], tensors["do"], tensors["dp"], tensors["ds_p_s1"]
    dz4, dv, dk, dq = tensors["dz4"], tensors["dv"], tensors["dk"], tensors["dq"]
    dWq, dWk, dWv = gradients["Wq"], gradients["Wk"], gradients["Wv"]
    t_TT, ones_T = tensors["t_TT"], tensors["ones_T"]
    v_T = v.T
    ds_p_s1_column = ds_p_s1[:, None]
    c1 = np.array(math.sqrt(D), DTYPE)  # (16)
    p_T = p.T
    dz4_T = dz4.T

    def run(data):
        x = data["x"]
        np.copyto(do, o_minus_y)  # (13)
        np.dot(do, v_T, out=dp)  # (14)
        np.multiply(dp, p, out=t_TT)  # (15)
        np.dot(t_TT, ones_T, out=ds_p_s1)  # (15)
        np.subtract(dp, ds_p_s1_column, out=dz4)  # (16)
        np.multiply(dz4, p, out=dz4)  # (16)
        np.divide(dz4, c1, out=dz4)  # (16)
        np.dot(p_T, do, out=dv)  # (17)
        np.dot(x.T, dv, out=dWv)  # (18)
        np.dot(dz4_T, q, out=dk)  # (19)
        np.dot(x.T, dk, out=dWk)  # (20)
        np.dot(dz4, k, out=dq)  # (21)
        np.dot(x.T, dq, out=dWq)  # (22)

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
        "q": (0, 27, (T, D)),
        "k": (0, 33, (T, D)),
        "v": (0, 18, (T, D)),
        "z4": (0, 0, (T, T)),
        "s": (0, 0, (T, T)),
        "m_s": (0, 9, (T,)),
        "e_p": (0, 0, (T, T)),
        "s_p": (0, 9, (T,)),
        "p": (0, 0, (T, T)),
        "o": (0, 39, (T, D)),
        "o_minus_y": (0, 39, (T, D)),
        "s_loss": (0, 9, ()),
        "loss": (0, 51, ()),
        "do": (0, 39, (T, D)),
        "dp": (0, 9, (T, T)),
        "ds_p_s1": (0, 45, (T,)),
        "dz4": (0, 9, (T, T)),
        "dv": (0, 18, (T, D)),
        "dk": (0, 0, (T, D)),
        "dq": (0, 0, (T, D)),
        "ones_T": (0, 48, (3,)),
        "t_TT": (0, 18, (3, 3)),
        "t_block": (0, 0, (12,)),
        "t_block2": (0, 12, (12,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wq": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        "Wk": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        "Wv": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
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
