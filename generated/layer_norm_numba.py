"""layer_norm: a network that trains in Numba.

Derived from the network layer_norm; float64. It reads x(N, D), t(N, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z[n,i] = Σ_j x[n,j]·W[j,i]
    (2)   mu[n] = Σ_i z[n,i]/D
    (3)   var[n] = Σ_i (z[n,i] - mu[n])²/D
    (4)   sigma[n] = sqrt(var[n] + eps)
    (5)   z_hat[n,i] = (z[n,i] - mu[n])/sigma[n]
    (6)   y[n,i] = z_hat[n,i]·gamma[i] + beta[i]
    (7)   s_loss = Σ_n,i (y[n,i] - t[n,i])²
    (8)   loss = s_loss/2
    (9)   dy[n,i] = y[n,i] - t[n,i]
    (10)  dz_hat[n,i] = dy[n,i]·gamma[i]
    (11)  dgamma[i] = Σ_n dy[n,i]·z_hat[n,i]
    (12)  dbeta[i] = Σ_n dy[n,i]
    (13)  dsigma_s1[n] = Σ_i dz_hat[n,i]·z_hat[n,i]
    (14)  dmu_2_s1[n] = Σ_i dz_hat[n,i]
    (15)  dz[n,i] = (dz_hat[n,i] + dsigma_s1[n]·mu[n]/(D·sigma[n]) - dsigma_s1[n]·z[n,i]/(D·sigma[n]) - dmu_2_s1[n]/D)/sigma[n]
    (16)  dW[j,i] = Σ_n x[n,j]·dz[n,i]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: N = 2, D = 3.
One training step takes, with each array read and written once per kernel:

    flops      1 + 47·D·N + 4·N·D² + 2·N
             = 359
    bytes      32 + 88·D·N + 16·D² + 40·D
             = 824
    workspace  352 bytes
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
N, D = 2, 3
NAME = "layer_norm"
SIZES = {"N": N, "D": D}
constant_eps = 1e-05
CONSTANTS = {"eps": constant_eps}
PARAMETERS = {"W": ("D", "D"), "gamma": ("D",), "beta": ("D",)}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "t": ("N", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("y",)
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"W": "dW", "gamma": "dgamma", "beta": "dbeta"}
EQUATIONS = {
    1: "z", 2: "mu", 3: "var", 4: "sigma", 5: "z_hat", 6: "y", 7: "s_loss", 8: "loss", 9: "dy", 10: "dz_hat",
    11: "dgamma", 12: "dbeta", 13: "dsigma_s1", 14: "dmu_2_s1", 15: "dz", 16: "dW",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x):
    """The outputs: equations (1) to (6)."""
    W = theta[0:9].reshape(D, D)
    gamma = theta[9:12]
    beta = theta[12:15]
    z = work[at[0] : at[0] + 6].reshape(N, D)
    mu = work[at[1] : at[1] + 2]
    var = work[at[2] : at[2] + 2]
    sigma = work[at[3] : at[3] + 2]
    z_hat = work[at[4] : at[4] + 6].reshape(N, D)
    y = work[at[5] : at[5] + 6].reshape(N, D)
    eps = constant_eps
    _product(x, W, z)  # (1)
    _compute_y(z, mu, var, sigma, z_hat, y, gamma, beta, eps)  # (2) to (6)


@kernel
def _loss(theta, work, counts, at, t):
    """The loss: equations (7), (8)."""
    y = work[at[5] : at[5] + 6].reshape(N, D)
    s_loss = work[at[6] : at[6] + 1]
    loss = work[at[7] : at[7] + 1]
    _compute_s_loss(y, t, s_loss)  # (7)
    loss[0] = s_loss[0] / 2  # (8)


@kernel
def _backward(theta, gradient, work, counts, at, x, t):
    """The gradients: equations (9) to (16)."""
    gamma = theta[9:12]
    z = work[at[0] : at[0] + 6].reshape(N, D)
    mu = work[at[1] : at[1] + 2]
    sigma = work[at[3] : at[3] + 2]
    z_hat = work[at[4] : at[4] + 6].reshape(N, D)
    y = work[at[5] : at[5] + 6].reshape(N, D)
    dy = work[at[8] : at[8] + 6].reshape(N, D)
    dz_hat = work[at[9] : at[9] + 6].reshape(N, D)
    dgamma = gradient[9:12]
    dbeta = gradient[12:15]
    dsigma_s1 = work[at[10] : at[10] + 2]
    dmu_2_s1 = work[at[11] : at[11] + 2]
    dz = work[at[12] : at[12] + 6].reshape(N, D)
    dW = gradient[0:9].reshape(D, D)
    _compute_dz(
        dgamma, dbeta, dy, y, t, dz_hat, gamma, z_hat, dsigma_s1, dmu_2_s1, dz, z, sigma, mu
    )  # (9) to (15)
    _product(x.T, dz, dW)  # (16)


@kernel
def _forward_and_backward(theta, gradient, work, counts, at, x, t):
    """The loss and its gradients: equations (1) to (16)."""
    W = theta[0:9].reshape(D, D)
    gamma = theta[9:12]
    beta = theta[12:15]
    z = work[at[0] : at[0] + 6].reshape(N, D)
    s_loss = work[at[6] : at[6] + 1]
    loss = work[at[7] : at[7] + 1]
    dgamma = gradient[9:12]
    dbeta = gradient[12:15]
    dz = work[at[12] : at[12] + 6].reshape(N, D)
    dW = gradient[0:9].reshape(D, D)
    dz_hat_row = work[at[13] : at[13] + 3]
    eps = constant_eps
    _product(x, W, z)  # (1)
    _compute_dz_2(dgamma, dbeta, z, gamma, beta, t, dz_hat_row, dz, s_loss, eps)  # (2) to (7), (9) to (15)
    loss[0] = s_loss[0] / 2  # (8)
    _product(x.T, dz, dW)  # (16)


@kernel
def _metrics(theta, work, counts, at):
    """No metrics."""


@kernel
def _compute_y(z, mu, var, sigma, z_hat, y, gamma, beta, eps):
    """Equations (2) to (6)."""
    _disjoint()
    for n in range(N):
        mu_sum = 0.0
        for i in range(D):
            mu_sum += z[n, i] / D  # (2)
        mu[n] = mu_sum
        var_sum = 0.0
        for i in range(D):
            var_sum += (z[n, i] - mu[n]) ** 2 / D  # (3)
        var[n] = var_sum
        sigma[n] = math.sqrt(var[n] + eps)  # (4)
        for i in range(D):
            z_hat[n, i] = (z[n, i] - mu[n]) / sigma[n]  # (5)
            y[n, i] = z_hat[n, i] * gamma[i] + beta[i]  # (6)


@kernel
def _compute_s_loss(y, t, s_loss):
    """Equation (7)."""
    _disjoint()
    s_loss_sum = 0.0
    for n in range(N):
        for i in range(D):
            s_loss_sum += (y[n, i] - t[n, i]) ** 2  # (7)
    s_loss[0] = s_loss_sum


@kernel
def _compute_dz(dgamma, dbeta, dy, y, t, dz_hat, gamma, z_hat, dsigma_s1, dmu_2_s1, dz, z, sigma, mu):
    """Equations (9) to (15)."""
    _disjoint()
    dgamma[:] = 0.0
    dbeta[:] = 0.0
    for n in range(N):
        dsigma_s1_sum = 0.0
        dmu_2_s1_sum = 0.0
        for i in range(D):
            dy[n, i] = y[n, i] - t[n, i]  # (9)
            dz_hat[n, i] = dy[n, i] * gamma[i]  # (10)
            dgamma[i] += dy[n, i] * z_hat[n, i]  # (11)
            dbeta[i] += dy[n, i]  # (12)
            dsigma_s1_sum += dz_hat[n, i] * z_hat[n, i]  # (13)
            dmu_2_s1_sum += dz_hat[n, i]  # (14)
        dsigma_s1[n] = dsigma_s1_sum
        dmu_2_s1[n] = dmu_2_s1_sum
        for i in range(D):
            dz[n, i] = (
                dz_hat[n, i] - z[n, i] * dsigma_s1[n] / (D * sigma[n]) + dsigma_s1[n] * mu[n] / (D * sigma[n])
                - dmu_2_s1[n] / D
            ) / sigma[n]  # (15)


@kernel
def _compute_dz_2(dgamma, dbeta, z, gamma, beta, t, dz_hat_row, dz, s_loss, eps):
    """Equations (2) to (7), (9) to (15)."""
    _disjoint()
    s_loss_sum = 0.0
    dgamma[:] = 0.0
    dbeta[:] = 0.0
    for n in range(N):
        mu = 0.0
        for i in range(D):
            mu += z[n, i] / D  # (2)
        var = 0.0
        for i in range(D):
            var += (z[n, i] - mu) ** 2 / D  # (3)
        sigma = math.sqrt(var + eps)  # (4)
        dsigma_s1 = 0.0
        dmu_2_s1 = 0.0
        for i in range(D):
            z_hat = (z[n, i] - mu) / sigma  # (5)
            y = z_hat * gamma[i] + beta[i]  # (6)
            s_loss_sum += (y - t[n, i]) ** 2  # (7)
            dy = y - t[n, i]  # (9)
            dz_hat_row[i] = dy * gamma[i]  # (10)
            dgamma[i] += dy * z_hat  # (11)
            dbeta[i] += dy  # (12)
            dsigma_s1 += dz_hat_row[i] * z_hat  # (13)
            dmu_2_s1 += dz_hat_row[i]  # (14)
        for i in range(D):
            dz[n, i] = (
                dz_hat_row[i] - z[n, i] * dsigma_s1 / (D * sigma) + dsigma_s1 * mu / (D * sigma)
                - dmu_2_s1 / D
            ) / sigma  # (15)
    s_loss[0] = s_loss_sum


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
    _forward(theta, work, counts, at, x)
    _loss(theta, work, counts, at, t)
    _metrics(theta, work, counts, at)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, t):
    """The loss, and its gradient by all parameters."""
    _forward_and_backward(theta, gradient, work, counts, at, x, t)
    return work[at[7]]


@kernel
def _replay(theta, gradient, work, counts, at, x, t):
    """The loss and the gradients, with every tensor on the way."""
    _forward(theta, work, counts, at, x)
    _loss(theta, work, counts, at, t)
    _backward(theta, gradient, work, counts, at, x, t)


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps_, work, counts, at, x, t):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward_and_backward(theta, gradient, work, counts, at, x, t)
    loss = work[at[7]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps_)
    return loss, finite, moderate


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z": (0, 0, (N, D)),
        "mu": (0, 33, (N,)),
        "var": (0, 35, (N,)),
        "sigma": (0, 37, (N,)),
        "z_hat": (0, 6, (N, D)),
        "y": (0, 12, (N, D)),
        "s_loss": (0, 43, ()),
        "loss": (0, 0, ()),
        "dy": (0, 18, (N, D)),
        "dz_hat": (0, 0, (N, D)),
        "dsigma_s1": (0, 39, (N,)),
        "dmu_2_s1": (0, 41, (N,)),
        "dz": (0, 24, (N, D)),
        "dz_hat_row": (0, 30, (D,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        # a factor of all that it meets: 0 would pass nothing on
        "gamma": np.full(D, 1),
        # an offset needs no asymmetry to learn
        "beta": np.zeros(D),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate


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


# symbp/runtime/numba/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numba/differentiate_apart.py: _differentiate
# symbp/runtime/numba/large.py: _updated
# symbp/runtime/numba/advance.py: _advance


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
