"""resnet_mlp: a network that trains in NumPy.

Derived from the network resnet_mlp; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W0[i,j]
    (2)   first[n,j] = tanh(z1[n,j] + b0[j])
    (3)   z[l,n,j] = Σ_i h[l - 1,n,i | first[n,i]]·W[l,i,j]
    (4)   h[l,n,j] = h[l - 1,n,j | first[n,j]] + tanh(z[l,n,j] + b[l,j])
    (5)   top[n,j] = h[L - 1,n,j]
    (6)   z2[n,k] = Σ_j top[n,j]·V[j,k]
    (7)   a2[n,k] = z2[n,k] + c[k]
    (8)   m_a2[n] = max_k a2[n,k]
    (9)   e_p[n,k] = exp(a2[n,k] - m_a2[n])
    (10)  s_p[n] = Σ_k e_p[n,k]
    (11)  p[n,k] = e_p[n,k]/s_p[n]
    (12)  loss = Σ_n (log(s_p[n]) + m_a2[n] - a2[n,y[n]])/N
    (13)  da2[n,k] = (p[n,k] - [k = y[n]])/N
    (14)  dc[k] = Σ_n da2[n,k]
    (15)  dtop[n,j] = Σ_k da2[n,k]·V[j,k]
    (16)  dV[j,k] = Σ_n top[n,j]·da2[n,k]
    (17)  dh_1[l,n,j] = Σ_j2 [l < L - 1]·dz[l + 1,n,j2]·W[l + 1,j,j2]
    (18)  dh[l,n,j] = [l < L - 1]·dh[l + 1,n,j] + [l = L - 1]·dtop[n,j] + dh_1[l,n,j]
    (19)  dz[l,n,j] = (1 - tanh(z[l,n,j] + b[l,j])²)·dh[l,n,j]
    (20)  dW[l,i,j] = Σ_n h[l - 1,n,i | first[n,i]]·dz[l,n,j]
    (21)  db[l,j] = Σ_n dz[l,n,j]
    (22)  dfirst_1[n,j] = Σ_j2 dz[0,n,j2]·W[0,j,j2]
    (23)  dz1[n,j] = (1 - first[n,j]²)·(dfirst_1[n,j] + dh[0,n,j])
    (24)  dW0[i,j] = Σ_n x[n,i]·dz1[n,j]
    (25)  db0[j] = Σ_n dz1[n,j]
    (26)  c_accuracy[n] = argmax_k p[n,k]
    (27)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: H = 32, L = 6; N, D, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      16·H·L·N + 4·D·H·N + 6·H·K·N + 6·L·N·H² + 14·K·N + 2·L·H² + 2·N·H² + 8·H·N + 7·N
             = 128·D·N + 206·K·N + 42,247·N + 12,288
    bytes      8 + 232·H·L·N + 112·K·N + 168·H·N + 16·D·H + 16·D·N + 16·H·L + 24·H·K + 40·L·H² + 16·H
               + 16·K + 72·N + 8·H²
             = 112·K·N + 16·D·N + 49,992·N + 512·D + 784·K + 257,544
    workspace  17·K·N + 10,008·N + 16·K + 262,152 bytes
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
OPEN_SIZES = ("N", "D", "K")
POSITIONS = ("range_N", "range_K")
ONES = ("ones_K", "ones_N")
NEEDED: dict[str, Any] = {}
H, L = 32, 6
NAME = "resnet_mlp"
SIZES = {"H": H, "L": L}
PARAMETERS = {
    "W0": ("D", "H"), "b0": ("H",), "W": ("L", "H", "H"), "b": ("L", "H"), "V": ("H", "K"), "c": ("K",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"W0": "dW0", "b0": "db0", "W": "dW", "b": "db", "V": "dV", "c": "dc"}
EQUATIONS = {
    1: "z1", 2: "first", 3: "z", 4: "h", 5: "top", 6: "z2", 7: "a2", 8: "m_a2", 9: "e_p", 10: "s_p", 11: "p",
    12: "loss", 13: "da2", 14: "dc", 15: "dtop", 16: "dV", 17: "dh_1", 18: "dh", 19: "dz", 20: "dW", 21: "db",
    22: "dfirst_1", 23: "dz1", 24: "dW0", 25: "db0", 26: "c_accuracy", 27: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, D, K):
    """The outputs: equations (1) to (11)."""
    W0, b0, W, b = params["W0"], params["b0"], params["W"], params["b"]
    V, c = params["V"], params["c"]
    z1, first, z, h_tanh = tensors["z1"], tensors["first"], tensors["z"], tensors["h_tanh"]
    h, top, z2, a2 = tensors["h"], tensors["top"], tensors["z2"], tensors["a2"]
    m_a2, e_p, s_p, p = tensors["m_a2"], tensors["e_p"], tensors["s_p"], tensors["p"]
    ones_K = tensors["ones_K"]
    steps = [(h[l_ - 1] if l_ >= 1 else first, W[l_], z[l_], b[l_], h_tanh[l_], h[l_]) for l_ in range(L)]
    h_last = h[L - 1]
    m_a2_column = m_a2[:, None]
    s_p_column = s_p[:, None]

    def run(data):
        x = data["x"]
        np.dot(x, W0, out=z1)  # (1)
        np.add(z1, b0, out=first)  # (2)
        np.tanh(first, out=first)  # (2)
        for h_before, W_l_, z_l_, b_l_, h_tanh_l_, h_l_ in steps:
            np.dot(h_before, W_l_, out=z_l_)  # (3)
            np.add(z_l_, b_l_, out=h_tanh_l_)  # (4)
            np.tanh(h_tanh_l_, out=h_tanh_l_)  # (4)
            np.add(h_before, h_tanh_l_, out=h_l_)  # (4)
        np.copyto(top, h_last)  # (5)
        np.dot(top, V, out=z2)  # (6)
        np.add(z2, c, out=a2)  # (7)
        a2.max(1, out=m_a2)  # (8)
        np.subtract(a2, m_a2_column, out=e_p)  # (9)
        np.exp(e_p, out=e_p)  # (9)
        np.dot(e_p, ones_K, out=s_p)  # (10)
        np.divide(e_p, s_p_column, out=p)  # (11)

    return run


def _loss(params, tensors, N, D, K):
    """The loss: equation (12)."""
    a2, m_a2, s_p, loss = tensors["a2"], tensors["m_a2"], tensors["s_p"], tensors["loss"]
    t_N, at_N, t_N2, range_N = tensors["t_N"], tensors["at_N"], tensors["t_N2"], tensors["range_N"]
    c1 = np.array(K, np.int64)  # (12)
    a2_flat = a2.reshape(-1)

    def run(data):
        y = data["y"]
        np.multiply(range_N, c1, out=at_N)  # (12)
        np.add(at_N, y, out=at_N)  # (12)
        np.take(a2_flat, at_N, out=t_N, mode="clip")  # (12)
        np.subtract(m_a2, t_N, out=t_N)  # (12)
        np.log(s_p, out=t_N2)  # (12)
        np.add(t_N, t_N2, out=t_N)  # (12)
        loss[...] = t_N.sum() / N  # (12)

    return run


def _backward(params, tensors, gradients, N, D, K):
    """The gradients: equations (13) to (25)."""
    W, V = params["W"], params["V"]
    first, h_tanh, h, top = tensors["first"], tensors["h_tanh"], tensors["h"], tensors["top"]
    p, da2, dtop, dz_all = tensors["p"], tensors["da2"], tensors["dtop"], tensors["dz_all"]
    dh_1, dh, dz, dfirst_1 = tensors["dh_1"], tensors["dh"], tensors["dz"], tensors["dfirst_1"]
    dz1 = tensors["dz1"]
    dW0, db0, dW, db = gradients["W0"], gradients["b0"], gradients["W"], gradients["b"]
    dV, dc = gradients["V"], gradients["c"]
    is_NK, t_NH, range_K, ones_N = tensors["is_NK"], tensors["t_NH"], tensors["range_K"], tensors["ones_N"]
    zeros_NH = tensors["zeros_NH"]
    c1 = np.array(N, DTYPE)  # (13)
    V_T = V.T
    top_T = top.T
    one = np.array(1, DTYPE)
    steps = [
        (
            l_, dh[l_ + 1] if l_ + 2 <= L else zeros_NH, dtop if l_ + 1 == L else zeros_NH, dh[l_], dh_1[l_],
            dz_all[l_], dz[l_], dz[l_ + 1] if l_ + 2 <= L else None, W[l_ + 1].T if l_ + 2 <= L else None,
        )
        for l_ in reversed(range(L))
    ]
    first_T = first.T
    dz_0 = dz[0]
    dW_0 = dW[0]
    h_T = h[: L - 1].swapaxes(-1, -2)
    dz_part = dz[1:]
    dW_part = dW[1:]
    W_0_T = W[0].T
    dh_0 = dh[0]

    def run(data):
        x, y = data["x"], data["y"]
        np.equal(range_K, y[:, None], out=is_NK)  # (13)
        np.subtract(p, is_NK, out=da2)  # (13)
        np.divide(da2, c1, out=da2)  # (13)
        np.dot(ones_N, da2, out=dc)  # (14)
        np.dot(da2, V_T, out=dtop)  # (15)
        np.dot(top_T, da2, out=dV)  # (16)
        np.multiply(h_tanh, h_tanh, out=dz_all)  # (19)
        np.subtract(one, dz_all, out=dz_all)  # (19)
        for l_, dh_after, dtop_l_, dh_l_, dh_1_l_, dz_all_l_, dz_l_, dz_after, W_after_T in steps:
            if l_ + 2 <= L:  # (17)
                np.dot(dz_after, W_after_T, out=dh_1_l_)  # (17)
            else:  # (17)
                dh_1_l_.fill(0)  # (17)
            np.add(dh_after, dtop_l_, out=dh_l_)  # (18)
            np.add(dh_l_, dh_1_l_, out=dh_l_)  # (18)
            np.multiply(dh_l_, dz_all_l_, out=dz_l_)  # (19)
        np.dot(first_T, dz_0, out=dW_0)  # (20)
        np.matmul(h_T, dz_part, out=dW_part)  # (20)
        np.matmul(ones_N, dz, out=db)  # (21)
        np.dot(dz_0, W_0_T, out=dfirst_1)  # (22)
        np.add(dfirst_1, dh_0, out=dz1)  # (23)
        np.multiply(first, first, out=t_NH)  # (23)
        np.subtract(one, t_NH, out=t_NH)  # (23)
        np.multiply(t_NH, dz1, out=dz1)  # (23)
        np.dot(ones_N, dz1, out=db0)  # (25)
        np.dot(x.T, dz1, out=dW0)  # (24)

    return run


def _metrics(params, tensors, N, D, K):
    """The metrics: equations (26), (27)."""
    p, c_accuracy, accuracy = tensors["p"], tensors["c_accuracy"], tensors["accuracy"]
    is_N = tensors["is_N"]

    def run(data):
        y = data["y"]
        p.argmax(1, out=c_accuracy)  # (26)
        np.equal(c_accuracy, y, out=is_N)  # (27)
        accuracy[...] = DTYPE(is_N.sum()) / N  # (27)

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


def _places(N, D, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 1152 * N + 2 * K * N + 32768, (N, H)),
        "first": (0, 1152 * N + 2 * K * N + 32768, (N, H)),
        "z": (0, 0, (L, N, H)),
        "h_tanh": (0, 192 * N, (L, N, H)),
        "h": (0, 384 * N, (L, N, H)),
        "top": (0, 0, (N, H)),
        "z2": (0, 576 * N, (N, K)),
        "a2": (0, 576 * N, (N, K)),
        "m_a2": (0, 32 * N, (N,)),
        "e_p": (0, 576 * N + K * N, (N, K)),
        "s_p": (0, 33 * N, (N,)),
        "p": (0, 576 * N + K * N, (N, K)),
        "loss": (0, 1249 * N + 2 * K * N + K + 32768, ()),
        "da2": (0, 576 * N + K * N, (N, K)),
        "dtop": (0, 1184 * N + 2 * K * N + 32768, (N, H)),
        "dz_all": (0, 192 * N, (L, N, H)),
        "dh_1": (0, 0, (L, N, H)),
        "dh": (0, 576 * N, (L, N, H)),
        "dz": (0, 768 * N, (L, N, H)),
        "dfirst_1": (0, 0, (N, H)),
        "dz1": (0, 0, (N, H)),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 0, ()),
        "ones_K": (0, 1248 * N + 2 * K * N + 32768, (K,)),
        "range_N": (1, N, (N,)),
        "range_K": (1, 2 * N, (K,)),
        "ones_N": (0, 1248 * N + 2 * K * N + K + 32768, (N,)),
        "zeros_NH": (0, 1216 * N + 2 * K * N + 32768, (N, 32)),
        "t_N": (0, 34 * N, (N,)),
        "at_N": (1, 0, (N,)),
        "t_N2": (0, 35 * N, (N,)),
        "is_NK": (2, 0, (N, K)),
        "t_NH": (0, 32 * N, (N, 32)),
        "is_N": (2, 0, (N,)),
        "t_block": (0, 0, (16384,)),
        "t_block2": (0, 16384, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W0": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b0": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(3 / H) * rng.uniform(-1, 1, (L, H, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((L, H)),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "V": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(K),
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
