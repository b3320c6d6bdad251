"""word2vec: a network that trains in NumPy.

Derived from the network word2vec; float64. It reads centre(N,), context(N,), others(N, R).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   near[n] = Σ_i C[context[n],i]·E[centre[n],i]
    (2)   far[n,r] = Σ_i C[others[n,r],i]·E[centre[n],i]
    (3)   u_h1[n] = -near[n]
    (4)   h1[n] = log(1 + exp(u_h1[n]))
    (5)   m_loss = Σ_n h1[n]/N
    (6)   h1_2[n,r] = log(1 + exp(far[n,r]))
    (7)   s_loss = Σ_n,r h1_2[n,r]
    (8)   loss = s_loss/N + m_loss
    (9)   du_h1[n] = 1/(N·(1 + exp(-u_h1[n])))
    (10)  dfar[n,r] = 1/(N·(1 + exp(-far[n,r])))
    (11)  dE_1[i,j] = Σ_n (-[i = centre[n]]·C[context[n],j]·du_h1[n])
    (12)  dE_2[i,j] = Σ_n,r [i = centre[n]]·C[others[n,r],j]·dfar[n,r]
    (13)  dE[i,j] = dE_1[i,j] + dE_2[i,j]
    (14)  dC_1[i,j] = Σ_n (-[i = context[n]]·E[centre[n],j]·du_h1[n])
    (15)  dC_2[i,j] = Σ_n,r [i = others[n,r]]·E[centre[n],j]·dfar[n,r]
    (16)  dC[i,j] = dC_1[i,j] + dC_2[i,j]
    (17)  found = Σ_n,r [far[n,r] < near[n]]/(N·R)

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 32; N, R, V read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      6·D·N·R + 10·N·R + 2·D·V + 8·D·N + 13·N + 3
             = 202·N·R + 269·N + 64·V + 3
    bytes      16·D·N·R + 48·D·N + 80·D·V + 80·N·R + 128·N + 40
             = 592·N·R + 1,664·N + 2,560·V + 40
    workspace  545·N·R + 1,024·V + 272·N + 262,408 bytes
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
OPEN_SIZES = ("N", "R", "V")
POSITIONS = ("range_N", "range_")
ONES = ("ones_D",)
NEEDED: dict[str, Any] = {}
D = 32
NAME = "word2vec"
SIZES = {"D": D}
PARAMETERS = {"E": ("V", "D"), "C": ("V", "D")}
INPUTS: dict[str, tuple[Any, ...]] = {"centre": ("N",), "context": ("N",), "others": ("N", "R")}
INTEGERS = {"centre": ("V", None), "context": ("V", None), "others": ("V", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("centre", "context")
OUTPUTS = ("near",)
LOSS = "loss"
METRICS = ("found",)
BATCH = "N"
GRADIENTS = {"E": "dE", "C": "dC"}
EQUATIONS = {
    1: "near", 2: "far", 3: "u_h1", 4: "h1", 5: "m_loss", 6: "h1_2", 7: "s_loss", 8: "loss", 9: "du_h1",
    10: "dfar", 11: "dE_1", 12: "dE_2", 13: "dE", 14: "dC_1", 15: "dC_2", 16: "dC", 17: "found",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, R, V):
    """The outputs: equation (1)."""
    E, C = params["E"], params["C"]
    near = tensors["near"]
    t_ND, t_ND2, ones_D = tensors["t_ND"], tensors["t_ND2"], tensors["ones_D"]

    def run(data):
        centre, context = data["centre"], data["context"]
        np.take(C, context, 0, out=t_ND, mode="clip")  # (1)
        np.take(E, centre, 0, out=t_ND2, mode="clip")  # (1)
        np.multiply(t_ND, t_ND2, out=t_ND)  # (1)
        np.dot(t_ND, ones_D, out=near)  # (1)

    return run


def _loss(params, tensors, N, R, V):
    """The loss: equations (2) to (8)."""
    E, C = params["E"], params["C"]
    near, far, u_h1, h1 = tensors["near"], tensors["far"], tensors["u_h1"], tensors["h1"]
    m_loss, h1_2, s_loss, loss = tensors["m_loss"], tensors["h1_2"], tensors["s_loss"], tensors["loss"]
    t_ND, t_NRD, ones_D = tensors["t_ND"], tensors["t_NRD"], tensors["ones_D"]
    t_ND_row = t_ND[:, None, :]
    t_NRD_rows = t_NRD.reshape(N * R, D)
    far_flat = far.reshape(N * R)

    def run(data):
        centre, others = data["centre"], data["others"]
        np.take(C, others, 0, out=t_NRD, mode="clip")  # (2)
        np.take(E, centre, 0, out=t_ND, mode="clip")  # (2)
        np.multiply(t_NRD, t_ND_row, out=t_NRD)  # (2)
        np.dot(t_NRD_rows, ones_D, out=far_flat)  # (2)
        np.negative(near, out=u_h1)  # (3)
        _softplus(u_h1, out=h1)  # (4)
        m_loss[...] = h1.sum() / N  # (5)
        _softplus(far, out=h1_2)  # (6)
        s_loss[...] = h1_2.sum()  # (7)
        loss[...] = m_loss + s_loss / N  # (8)

    return run


def _backward(params, tensors, gradients, N, R, V):
    """The gradients: equations (9) to (16)."""
    E, C = params["E"], params["C"]
    far, u_h1, du_h1, dfar = tensors["far"], tensors["u_h1"], tensors["du_h1"], tensors["dfar"]
    dE_1, dE_2, dC_1, dC_2 = tensors["dE_1"], tensors["dE_2"], tensors["dC_1"], tensors["dC_2"]
    dE, dC = gradients["E"], gradients["C"]
    t_ND, t_NRD, order, ordered = tensors["t_ND"], tensors["t_NRD"], tensors["order"], tensors["ordered"]
    at_1, at_NR, t_NRD2, range_N = tensors["at_1"], tensors["at_NR"], tensors["t_NRD2"], tensors["range_N"]
    range_ = tensors["range_"]
    c1 = np.array(N, DTYPE)  # (9)
    du_h1_column = du_h1[:, None]
    dfar_column = dfar[..., None]
    t_ND_row = t_ND[:, None, :]

    def run(data):
        centre, context, others = data["centre"], data["context"], data["others"]
        _sigmoid(u_h1, out=du_h1)  # (9)
        np.divide(du_h1, c1, out=du_h1)  # (9)
        _sigmoid(far, out=dfar)  # (10)
        np.divide(dfar, c1, out=dfar)  # (10)
        np.take(C, context, 0, out=t_ND, mode="clip")  # (11)
        np.negative(t_ND, out=t_ND)  # (11)
        np.multiply(t_ND, du_h1_column, out=t_ND)  # (11)
        _add_rows(dE_1, centre, t_ND, range_N, order, ordered)  # (11)
        np.copyto(at_NR, np.broadcast_to(centre[:, None], (N, R)))  # (12)
        np.take(C, others, 0, out=t_NRD2, mode="clip")  # (12)
        np.multiply(t_NRD2, dfar_column, out=t_NRD2)  # (12)
        _add_rows(dE_2, at_NR, t_NRD2, range_, at_1, t_NRD)  # (12)
        np.take(E, centre, 0, out=t_ND, mode="clip")  # (14)
        np.negative(t_ND, out=t_ND)  # (14)
        np.multiply(t_ND, du_h1_column, out=t_ND)  # (14)
        _add_rows(dC_1, context, t_ND, range_N, order, ordered)  # (14)
        np.take(E, centre, 0, out=t_ND, mode="clip")  # (15)
        np.multiply(t_ND_row, dfar_column, out=t_NRD2)  # (15)
        _add_rows(dC_2, others, t_NRD2, range_, at_1, t_NRD)  # (15)
        np.add(dE_1, dE_2, out=dE)  # (13)
        np.add(dC_1, dC_2, out=dC)  # (16)

    return run


def _metrics(params, tensors, N, R, V):
    """The metrics: equation (17)."""
    near, far, found = tensors["near"], tensors["far"], tensors["found"]
    is_NR = tensors["is_NR"]
    near_column = near[:, None]
    c1 = N * R  # (17)

    def run(data):
        np.less(far, near_column, out=is_NR)  # (17)
        found[...] = DTYPE(is_NR.sum()) / c1  # (17)

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


def _places(N, R, V):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "near": (0, 32 * N * R, (N,)),
        "far": (0, 64 * N * R, (N, R)),
        "u_h1": (0, 128 * V + 32 * N + 65 * N * R, (N,)),
        "h1": (0, 0, (N,)),
        "m_loss": (0, N * R, ()),
        "h1_2": (0, 0, (N, R)),
        "s_loss": (0, N * R + 1, ()),
        "loss": (0, 128 * V + 33 * N + 65 * N * R + 32800, ()),
        "du_h1": (0, 128 * V + 32 * N + 65 * N * R, (N,)),
        "dfar": (0, 64 * N * R, (N, R)),
        "dE_1": (0, 65 * N * R, (V, D)),
        "dE_2": (0, 32 * V + 65 * N * R, (V, D)),
        "dC_1": (0, 64 * V + 65 * N * R, (V, D)),
        "dC_2": (0, 65 * N * R + 96 * V, (V, D)),
        "found": (0, 0, ()),
        "ones_D": (0, 128 * V + 33 * N + 65 * N * R + 32768, (32,)),
        "range_N": (1, 3 * N * R, (N,)),
        "range_": (1, 0, (N * R,)),
        "t_ND": (0, 128 * V + 65 * N * R, (N, 32)),
        "t_ND2": (0, 0, (N, 32)),
        "t_NRD": (0, 0, (N, R, 32)),
        "order": (1, N * R, (N,)),
        "ordered": (0, 0, (N, 32)),
        "at_1": (1, N * R, (N * R,)),
        "at_NR": (1, 2 * N * R, (N, R)),
        "t_NRD2": (0, 32 * N * R, (N, R, 32)),
        "is_NR": (2, 0, (N, R)),
        "t_block": (0, 0, (16384,)),
        "t_block2": (0, 16384, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    V = sizes["V"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "E": math.sqrt(6 / (D + V)) * rng.uniform(-1, 1, (V, D)),
        "C": math.sqrt(6 / (D + V)) * rng.uniform(-1, 1, (V, D)),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _add_rows, _sigmoid, _softplus


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
