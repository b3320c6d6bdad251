"""dropout: a network that trains in Numba.

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
    workspace  232 bytes
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
from importlib import import_module
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
FORWARD_GIVEN = ("x", "mask1")
INFERENCE_GIVEN = ("x",)
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


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, mask1):
    """The outputs: equations (1) to (4)."""
    W = theta[0:8].reshape(D, H)
    v = theta[8:12]
    z1 = work[at[0] : at[0] + 8].reshape(N, H)
    h = work[at[1] : at[1] + 8].reshape(N, H)
    k = work[at[2] : at[2] + 8].reshape(N, H)
    y = work[at[3] : at[3] + 2]
    _product(x, W, z1)  # (1)
    _compute_k(h, z1, k, mask1)  # (2), (3)
    np.dot(k, v, y)  # (4)


@kernel
def _loss(theta, work, counts, at, t):
    """The loss: equation (5)."""
    y = work[at[3] : at[3] + 2]
    loss = work[at[4] : at[4] + 1]
    _compute_loss(y, t, loss)  # (5)


@kernel
def _backward(theta, gradient, work, counts, at, x, t, mask1):
    """The gradients: equations (6) to (9)."""
    v = theta[8:12]
    h = work[at[1] : at[1] + 8].reshape(N, H)
    k = work[at[2] : at[2] + 8].reshape(N, H)
    y = work[at[3] : at[3] + 2]
    dy = work[at[5] : at[5] + 2]
    dz1 = work[at[6] : at[6] + 8].reshape(N, H)
    dv = gradient[8:12]
    dW = gradient[0:8].reshape(D, H)
    _compute_dz1(dy, y, t, dz1, h, mask1, v)  # (6), (8)
    np.dot(k.T, dy, dv)  # (7)
    _product(x.T, dz1, dW)  # (9)


@kernel
def _inference(theta, work, counts, at, x):
    """The outputs at inference: equations (1), (2), (10)."""
    W = theta[0:8].reshape(D, H)
    v = theta[8:12]
    z1 = work[at[0] : at[0] + 8].reshape(N, H)
    h = work[at[1] : at[1] + 8].reshape(N, H)
    y_infer = work[at[7] : at[7] + 2]
    _product(x, W, z1)  # (1)
    _compute_h(h, z1)  # (2)
    np.dot(h, v, y_infer)  # (10)


@kernel
def _metrics(theta, work, counts, at, t):
    """The loss and metrics at inference: equation (11)."""
    y_infer = work[at[7] : at[7] + 2]
    loss_infer = work[at[8] : at[8] + 1]
    _compute_loss(y_infer, t, loss_infer)  # (11)


@kernel
def _compute_k(h, z1, k, mask1):
    """Equations (2), (3)."""
    _disjoint()
    for n in range(N):
        for j in range(H):
            h[n, j] = _tanh(z1[n, j])  # (2)
            k[n, j] = 4 / 3 * h[n, j] * mask1[n, j]  # (3)


@kernel
def _compute_loss(y, t, loss):
    """Equations (5), (11)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(N):
        loss_sum += (y[n] - t[n]) ** 2 / N  # (5), (11)
    loss[0] = loss_sum


@kernel
def _compute_dz1(dy, y, t, dz1, h, mask1, v):
    """Equations (6), (8)."""
    _disjoint()
    for n in range(N):
        dy[n] = 2 / N * (y[n] - t[n])  # (6)
        for j in range(H):
            dz1[n, j] = 4 / 3 * (1 - h[n, j] * h[n, j]) * mask1[n, j] * dy[n] * v[j]  # (8)


@kernel
def _compute_h(h, z1):
    """Equation (2)."""
    _disjoint()
    for n in range(N):
        for j in range(H):
            h[n, j] = _tanh(z1[n, j])  # (2)


@kernel
def _update(theta, gradient, m, v, step, lr, beta1, beta2, eps):
    """Adam: one step over all parameters, in place."""
    _disjoint()
    c1 = 1 - beta1  # (U1)
    c2 = 1 - beta2  # (U2)
    c3 = 1 - beta1**step  # (U3)
    c4 = 1 - beta2**step  # (U3)
    for i in range(len(theta)):
        m_next = c1 * gradient[i] + beta1 * m[i]  # (U1)
        v_next = c2 * (gradient[i] * gradient[i]) + beta2 * v[i]  # (U2)
        theta_next = theta[i] - lr * m_next / (c3 * (math.sqrt(v_next / c4) + eps))  # (U3)
        m[i] = m_next
        v[i] = v_next
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, x, t):
    """Outputs, loss and metrics."""
    _inference(theta, work, counts, at, x)
    _metrics(theta, work, counts, at, t)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, t, mask1):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, mask1)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, t, mask1)
    return work[at[4]]


@kernel
def _train_step(theta, gradient, m, v_, step_, lr, beta1, beta2, eps, work, counts, at, x, t, mask1):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, x, mask1)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, t, mask1)
    loss = work[at[4]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v_, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (N, H)),
        "h": (0, 8, (N, H)),
        "k": (0, 16, (N, H)),
        "y": (0, 24, (N,)),
        "loss": (0, 28, ()),
        "dy": (0, 26, (N,)),
        "dz1": (0, 0, (N, H)),
        "y_infer": (0, 0, (N,)),
        "loss_infer": (0, 2, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "v": math.sqrt(6 / (H + 1)) * rng.uniform(-1, 1, H),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate
# symbp/runtime/numba/float64.py: _expm1, _power_of_two, _reduced
# symbp/runtime/numba/functions.py: _tanh


# ---- Matrix products in tiles ----


# symbp/runtime/numba/vectors.py: _ITEM, _LANES, _TALL, _WIDE, _DEEP, _Vectors, _write_tile, _write_turn, _write_row, _write_copy, _write_room, _vector_intrinsics
# symbp/runtime/numba/products.py: _in_registers, _room, _tile, _narrow_tile, _turn, _copy_row, _copy, _product, _product_in_tiles, _multiply, _pack, _tiles


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_shown.py: _settle, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory
# symbp/runtime/common/arrays/keys.py: _key


# ---- Outputs, loss and metrics ----


# symbp/runtime/numba/outputs_by_mode.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numba/differentiate.py: _differentiate
# symbp/runtime/numba/large.py: _updated
# symbp/runtime/numba/advance.py: _advance


# ---- What a step is given beside parameters ----


# symbp/runtime/common/given/known_shapes.py: _known_shape, _fitting
# symbp/runtime/common/given/no_buffers.py: init_buffers, _as_buffers
# symbp/runtime/numba/random.py: _GOLDEN, _FIRST, _SECOND, _BELOW_ONE, _word, _uniform, _draw_bernoulli, _draw_uniform, _draw_normal, _draw
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
