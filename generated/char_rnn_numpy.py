"""char_rnn: a network that trains in NumPy.

Derived from the network char_rnn; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   x1[n,i,k] = table[x[n,i],k]
    (2)   z1[n,i,l] = Σ_k x1[n,i,k]·W[k,l]
    (3)   r_h[n,i,l] = Σ_j h[n,i - 1,j]·U[j,l]
    (4)   h[n,i,l] = tanh(r_h[n,i,l] + z1[n,i,l] + b[l])
    (5)   z2[n,i,j] = Σ_l h[n,i,l]·R[l,j]
    (6)   a2[n,i,j] = z2[n,i,j] + c[j]
    (7)   m_a2[n,i] = max_j a2[n,i,j]
    (8)   e_p[n,i,j] = exp(a2[n,i,j] - m_a2[n,i])
    (9)   s_p[n,i] = Σ_j e_p[n,i,j]
    (10)  p[n,i,j] = e_p[n,i,j]/s_p[n,i]
    (11)  loss = Σ_n,i (log(s_p[n,i]) + m_a2[n,i] - a2[n,i,y[n,i]])/(N·T)
    (12)  da2[n,i,j] = (p[n,i,j] - [j = y[n,i]])/(N·T)
    (13)  dc[j] = Σ_n,i da2[n,i,j]
    (14)  dh_2[n,i,l] = Σ_j da2[n,i,j]·R[l,j]
    (15)  dh_1[n,i,l] = Σ_l2 [i < T - 1]·dr_h[n,i + 1,l2]·U[l,l2]
    (16)  dr_h[n,i,l] = (1 - h[n,i,l]²)·(dh_1[n,i,l] + dh_2[n,i,l])
    (17)  dU[j,l] = Σ_n,i h[n,i - 1,j]·dr_h[n,i,l]
    (18)  dR[l,j] = Σ_n,i h[n,i,l]·da2[n,i,j]
    (19)  db[l] = Σ_n,i dr_h[n,i,l]
    (20)  dx1[n,i,k] = Σ_l dr_h[n,i,l]·W[k,l]
    (21)  dtable[i,j] = Σ_n,i2 [i = x[n,i2]]·dx1[n,i2,j]
    (22)  dW[k,l] = Σ_n,i x1[n,i,k]·dr_h[n,i,l]
    (23)  c_accuracy[n,i] = argmax_j p[n,i,j]
    (24)  accuracy = Σ_n,i [c_accuracy[n,i] = y[n,i]]/(N·T)

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  g_squares = Σ_i gradient[i]²
    (U2)  g_norm = sqrt(g_squares)
    (U3)  g_scale = [clip_norm < g_norm]·clip_norm/g_norm + [g_norm ≤ clip_norm]
    (U4)  g_clipped[i] = g_scale·gradient[i]
    (U5)  m_next[i] = (1 - beta1)·g_clipped[i] + beta1·m[i]
    (U6)  v_next[i] = (1 - beta2)·g_clipped[i]² + beta2·v[i]
    (U7)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: E = 32, H = 64; N, T, V read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      6·E·H·N·T + 6·H·N·T·V + 11·H·N·T + 16·N·T·V + 6·N·T·H² + 9·N·T + E·N·T
             = 400·N·T·V + 37,609·N·T
    bytes      8 + 112·N·T·V + 256·H·N·T + 48·E·N·T + 16·H·N + 16·T·H² + 24·E·H + 24·H·V + 80·N·T
               + 8·E·V + 16·H + 16·V + 8·H²
             = 112·N·T·V + 18,000·N·T + 1,024·N + 1,808·V + 65,536·T + 82,952
    workspace  33·N·T·V + 4,384·N·T + 16·V + 520·N + 8·T + 393,224 bytes
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
OPEN_SIZES = ("N", "T", "V")
POSITIONS = ("range_T", "range_N", "range_V", "range_")
ONES = ("ones_V", "ones_NT")
NEEDED: dict[str, Any] = {}
E, H = 32, 64
NAME = "char_rnn"
SIZES = {"E": E, "H": H}
PARAMETERS = {
    "table": ("V", "E"), "W": ("E", "H"), "U": ("H", "H"), "b": ("H",), "R": ("H", "V"), "c": ("V",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("V", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"table": "dtable", "W": "dW", "U": "dU", "b": "db", "R": "dR", "c": "dc"}
EQUATIONS = {
    1: "x1", 2: "z1", 3: "r_h", 4: "h", 5: "z2", 6: "a2", 7: "m_a2", 8: "e_p", 9: "s_p", 10: "p", 11: "loss",
    12: "da2", 13: "dc", 14: "dh_2", 15: "dh_1", 16: "dr_h", 17: "dU", 18: "dR", 19: "db", 20: "dx1",
    21: "dtable", 22: "dW", 23: "c_accuracy", 24: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08, "clip_norm": 1.0}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, T, V):
    """The outputs: equations (1) to (10)."""
    table, W, U, b = params["table"], params["W"], params["U"], params["b"]
    R, c = params["R"], params["c"]
    x1, z1, h_all, r_h = tensors["x1"], tensors["z1"], tensors["h_all"], tensors["r_h"]
    h, z2, a2, m_a2 = tensors["h"], tensors["z2"], tensors["a2"], tensors["m_a2"]
    e_p, s_p, p = tensors["e_p"], tensors["s_p"], tensors["p"]
    at_TN, t_NT, zeros_NH, ones_V = tensors["at_TN"], tensors["t_NT"], tensors["zeros_NH"], tensors["ones_V"]
    x1_rows = x1.reshape(N * T, E)
    z1_rows = z1.reshape(N * T, H)
    steps = [(h[i - 1] if i >= 1 else zeros_NH, r_h[i], h_all[i], h[i]) for i in range(T)]
    h_rows = h.reshape(N * T, H)
    z2_rows = z2.reshape(N * T, V)
    m_a2_column = m_a2[..., None]
    e_p_rows = e_p.reshape(N * T, V)
    s_p_flat = s_p.reshape(N * T)
    e_p_turned = e_p.transpose(1, 0, 2)
    t_NT_column = t_NT[..., None]

    def run(data):
        x = data["x"]
        _transposed(x, out=at_TN)  # (1)
        np.take(table, at_TN, 0, out=x1, mode="clip")  # (1)
        np.dot(x1_rows, W, out=z1_rows)  # (2)
        np.add(z1, b, out=h_all)  # (4)
        for h_before, r_h_i, h_all_i, h_i in steps:
            np.dot(h_before, U, out=r_h_i)  # (3)
            np.add(h_all_i, r_h_i, out=h_i)  # (4)
            np.tanh(h_i, out=h_i)  # (4)
        np.dot(h_rows, R, out=z2_rows)  # (5)
        np.add(z2, c, out=a2)  # (6)
        a2.max(2, out=m_a2)  # (7)
        np.subtract(a2, m_a2_column, out=e_p)  # (8)
        np.exp(e_p, out=e_p)  # (8)
        np.dot(e_p_rows, ones_V, out=s_p_flat)  # (9)
        _transposed(s_p, out=t_NT)  # (10)
        np.divide(e_p_turned, t_NT_column, out=p)  # (10)

    return run


def _loss(params, tensors, N, T, V):
    """The loss: equation (11)."""
    a2, m_a2, s_p, loss = tensors["a2"], tensors["m_a2"], tensors["s_p"], tensors["loss"]
    at_TN, t_TN, at_TN2, t_TN2 = tensors["at_TN"], tensors["t_TN"], tensors["at_TN2"], tensors["t_TN2"]
    range_T, range_N = tensors["range_T"], tensors["range_N"]
    c1 = np.array(N, np.int64)  # (11)
    range_T_column = range_T[:, None]
    c2 = np.array(V, np.int64)  # (11)
    a2_flat = a2.reshape(-1)
    c3 = N * T  # (11)

    def run(data):
        y = data["y"]
        np.multiply(range_T_column, c1, out=at_TN)  # (11)
        np.add(at_TN, range_N, out=at_TN)  # (11)
        np.multiply(at_TN, c2, out=at_TN)  # (11)
        _transposed(y, out=at_TN2)  # (11)
        np.add(at_TN, at_TN2, out=at_TN)  # (11)
        np.take(a2_flat, at_TN, out=t_TN, mode="clip")  # (11)
        np.subtract(m_a2, t_TN, out=t_TN)  # (11)
        np.log(s_p, out=t_TN2)  # (11)
        np.add(t_TN, t_TN2, out=t_TN)  # (11)
        loss[...] = t_TN.sum() / c3  # (11)

    return run


def _backward(params, tensors, gradients, N, T, V):
    """The gradients: equations (12) to (22)."""
    W, U, R = params["W"], params["U"], params["R"]
    x1, h, p, da2 = tensors["x1"], tensors["h"], tensors["p"], tensors["da2"]
    dr_h_all, dh_2, dh_1, dr_h = tensors["dr_h_all"], tensors["dh_2"], tensors["dh_1"], tensors["dr_h"]
    dx1 = tensors["dx1"]
    dtable, dW, dU, db = gradients["table"], gradients["W"], gradients["U"], gradients["b"]
    dR, dc = gradients["R"], gradients["c"]
    at_TN, is_TNV, padded1, order = tensors["at_TN"], tensors["is_TNV"], tensors["padded1"], tensors["order"]
    ordered, zeros_NH, range_V = tensors["ordered"], tensors["zeros_NH"], tensors["range_V"]
    ones_NT, range_ = tensors["ones_NT"], tensors["range_"]
    at_TN_column = at_TN[..., None]
    p_turned = p.transpose(1, 0, 2)
    c1 = np.array(N * T, DTYPE)  # (12)
    da2_rows = da2.reshape(N * T, V)
    one = np.array(1, DTYPE)
    R_T = R.T
    dh_2_rows = dh_2.reshape(N * T, H)
    U_T = U.T
    steps = [
        (dr_h[i + 1] if i + 2 <= T else zeros_NH, dh_1[i], dh_2[i], dr_h[i], dr_h_all[i])
        for i in reversed(range(T))
    ]
    padded1_part = padded1[1 : T + 1, :, :]
    padded1_T = padded1[:T].reshape(N * T, H).T
    dr_h_rows = dr_h.reshape(N * T, H)
    h_T = h.reshape(N * T, H).T
    W_T = W.T
    dx1_rows = dx1.reshape(N * T, E)
    x1_T = x1.reshape(N * T, E).T

    def run(data):
        x, y = data["x"], data["y"]
        _transposed(y, out=at_TN)  # (12)
        np.equal(range_V, at_TN_column, out=is_TNV)  # (12)
        np.subtract(p_turned, is_TNV, out=da2)  # (12)
        np.divide(da2, c1, out=da2)  # (12)
        np.dot(ones_NT, da2_rows, out=dc)  # (13)
        np.multiply(h, h, out=dr_h_all)  # (16)
        np.subtract(one, dr_h_all, out=dr_h_all)  # (16)
        np.dot(da2_rows, R_T, out=dh_2_rows)  # (14)
        for dr_h_after, dh_1_i, dh_2_i, dr_h_i, dr_h_all_i in steps:
            np.dot(dr_h_after, U_T, out=dh_1_i)  # (15)
            np.add(dh_1_i, dh_2_i, out=dr_h_i)  # (16)
            np.multiply(dr_h_i, dr_h_all_i, out=dr_h_i)  # (16)
        padded1[:1] = 0  # (17)
        np.copyto(padded1_part, h)  # (17)
        np.dot(padded1_T, dr_h_rows, out=dU)  # (17)
        np.dot(h_T, da2_rows, out=dR)  # (18)
        np.dot(ones_NT, dr_h_rows, out=db)  # (19)
        np.dot(dr_h_rows, W_T, out=dx1_rows)  # (20)
        _transposed(x, out=at_TN)  # (21)
        _add_rows(dtable, at_TN, dx1, range_, order, ordered)  # (21)
        np.dot(x1_T, dr_h_rows, out=dW)  # (22)

    return run


def _metrics(params, tensors, N, T, V):
    """The metrics: equations (23), (24)."""
    p, c_accuracy, accuracy = tensors["p"], tensors["c_accuracy"], tensors["accuracy"]
    is_NT = tensors["is_NT"]
    c1 = N * T  # (24)

    def run(data):
        y = data["y"]
        p.argmax(2, out=c_accuracy)  # (23)
        np.equal(c_accuracy, y, out=is_NT)  # (24)
        accuracy[...] = DTYPE(is_NT.sum()) / c1  # (24)

    return run


def _update(tensors, theta, gradient, m, v):
    """Adam: one step over all parameters, in place."""
    blocks = []
    for start in range(0, len(theta), 16384):
        block = [arena[start : start + 16384] for arena in (theta, gradient, m, v)]
        blocks.append((*block, tensors["g_clipped"][: len(block[0])], tensors["t_block"][: len(block[0])], tensors["t_block2"][: len(block[0])]))
    g_scale, c1, c2, c3, c4, beta1_array, beta2_array = [np.empty((), DTYPE) for _ in range(7)]

    def run(step, lr, beta1, beta2, eps, clip_norm):
        g_squares = float(np.dot(gradient, gradient))  # (U1)
        g_norm = math.sqrt(g_squares)  # (U2)
        g_scale[...] = 1.0 if g_norm <= clip_norm else clip_norm / g_norm  # (U3)
        c1[...] = 1 - beta1  # (U5)
        c2[...] = 1 - beta2  # (U6)
        c3[...] = lr * math.sqrt(1 - beta2**step) / (1 - beta1**step)  # (U7)
        c4[...] = eps * math.sqrt(1 - beta2**step)  # (U7)
        beta1_array[...] = beta1
        beta2_array[...] = beta2
        for theta_block, gradient_block, m_block, v_block, g_clipped, t_block, t_block2 in blocks:
            np.multiply(g_scale, gradient_block, out=g_clipped)  # (U4)
            np.multiply(beta1_array, m_block, out=m_block)  # (U5)
            np.multiply(c1, g_clipped, out=t_block)  # (U5)
            np.add(m_block, t_block, out=m_block)  # (U5)
            np.multiply(beta2_array, v_block, out=v_block)  # (U6)
            np.multiply(g_clipped, g_clipped, out=t_block)  # (U6)
            np.multiply(c2, t_block, out=t_block)  # (U6)
            np.add(v_block, t_block, out=v_block)  # (U6)
            np.multiply(c3, m_block, out=t_block)  # (U7)
            np.sqrt(v_block, out=t_block2)  # (U7)
            np.add(t_block2, c4, out=t_block2)  # (U7)
            np.divide(t_block, t_block2, out=t_block)  # (U7)
            np.subtract(theta_block, t_block, out=theta_block)  # (U7)

    return run


def _places(N, T, V):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x1": (0, 4 * N * T * V + 512 * N * T, (T, N, E)),
        "z1": (0, 0, (T, N, H)),
        "h_all": (0, 0, (T, N, H)),
        "r_h": (0, 64 * N * T, (T, N, H)),
        "h": (0, 128 * N * T, (T, N, H)),
        "z2": (0, 192 * N * T, (T, N, V)),
        "a2": (0, 192 * N * T, (T, N, V)),
        "m_a2": (0, 0, (T, N)),
        "e_p": (0, 192 * N * T + N * T * V, (T, N, V)),
        "s_p": (0, N * T, (T, N)),
        "p": (0, 192 * N * T + 2 * N * T * V, (N, T, V)),
        "loss": (0, 4 * N * T * V + 545 * N * T + 64 * N + V + 49152, ()),
        "da2": (0, 192 * N * T, (T, N, V)),
        "dr_h_all": (0, 0, (T, N, H)),
        "dh_2": (0, 64 * N * T, (T, N, H)),
        "dh_1": (0, 192 * N * T + N * T * V, (T, N, H)),
        "dr_h": (0, 256 * N * T + N * T * V, (T, N, H)),
        "dx1": (0, 0, (T, N, E)),
        "c_accuracy": (1, 0, (N, T)),
        "accuracy": (0, 0, ()),
        "zeros_NH": (0, 4 * N * T * V + 544 * N * T + 49152, (N, 64)),
        "ones_V": (0, 4 * N * T * V + 545 * N * T + 64 * N + 49152, (V,)),
        "range_T": (1, 3 * N * T, (T,)),
        "range_N": (1, 3 * N * T + T, (N,)),
        "range_V": (1, 3 * N * T + N + T, (V,)),
        "ones_NT": (0, 4 * N * T * V + 544 * N * T + 64 * N + 49152, (N * T,)),
        "range_": (1, N * T, (N * T,)),
        "at_TN": (1, 0, (T, N)),
        "t_NT": (0, 2 * N * T, (N, T)),
        "t_TN": (0, 2 * N * T, (T, N)),
        "at_TN2": (1, 2 * N * T, (T, N)),
        "t_TN2": (0, 3 * N * T, (T, N)),
        "is_TNV": (2, 0, (T, N, V)),
        "padded1": (0, 0, (T + 1, N, 64)),
        "order": (1, 2 * N * T, (N * T,)),
        "ordered": (0, 32 * N * T, (T, N, 32)),
        "is_NT": (2, 0, (N, T)),
        "g_clipped": (0, 0, (16384,)),
        "t_block": (0, 16384, (16384,)),
        "t_block2": (0, 32768, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    V = sizes["V"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "table": math.sqrt(6 / (E + V)) * rng.uniform(-1, 1, (V, E)),
        "W": math.sqrt(6 / (E + H)) * rng.uniform(-1, 1, (E, H)),
        "U": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "R": math.sqrt(6 / (H + V)) * rng.uniform(-1, 1, (H, V)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(V),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _add_rows, _transposed


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
