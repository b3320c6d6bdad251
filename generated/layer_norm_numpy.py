"""layer_norm: a network that trains in NumPy.

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

    flops      1 + 45·D·N + 4·N·D² + 2·N
             = 347
    bytes      32 + 216·D·N + 104·N + 16·D² + 40·D
             = 1,800
    workspace  320 bytes
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
ONES = ("ones_D", "ones_N")
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


# ---- The network ----


def _forward(params, tensors):
    """The outputs: equations (1) to (6)."""
    W, gamma, beta = params["W"], params["gamma"], params["beta"]
    z, mu, var, sigma = tensors["z"], tensors["mu"], tensors["var"], tensors["sigma"]
    z_hat, y = tensors["z_hat"], tensors["y"]
    t_ND, ones_D = tensors["t_ND"], tensors["ones_D"]
    eps = constant_eps
    c1 = np.array(D, DTYPE)  # (2)
    mu_column = mu[:, None]
    c2 = np.array(eps, DTYPE)  # (4)
    sigma_column = sigma[:, None]

    def run(data):
        x = data["x"]
        np.dot(x, W, out=z)  # (1)
        np.dot(z, ones_D, out=mu)  # (2)
        np.divide(mu, c1, out=mu)  # (2)
        np.subtract(z, mu_column, out=t_ND)  # (3)
        np.square(t_ND, out=t_ND)  # (3)
        np.dot(t_ND, ones_D, out=var)  # (3)
        np.divide(var, c1, out=var)  # (3)
        np.add(var, c2, out=sigma)  # (4)
        np.sqrt(sigma, out=sigma)  # (4)
        np.subtract(z, mu_column, out=z_hat)  # (5)
        np.divide(z_hat, sigma_column, out=z_hat)  # (5)
        np.multiply(z_hat, gamma, out=y)  # (6)
        np.add(y, beta, out=y)  # (6)

    return run


def _loss(params, tensors):
    """The loss: equations (7), (8)."""
    y, y_minus_t, s_loss, loss = tensors["y"], tensors["y_minus_t"], tensors["s_loss"], tensors["loss"]

    def run(data):
        t = data["t"]
        np.subtract(y, t, out=y_minus_t)  # (7)
        s_loss[...] = np.vdot(y_minus_t, y_minus_t)  # (7)
        loss[...] = s_loss / 2  # (8)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (9) to (16)."""
    gamma = params["gamma"]
    z, mu, sigma, z_hat = tensors["z"], tensors["mu"], tensors["sigma"], tensors["z_hat"]
    y_minus_t, dy, dz_hat = tensors["y_minus_t"], tensors["dy"], tensors["dz_hat"]
    dsigma_s1, dmu_2_s1, dz = tensors["dsigma_s1"], tensors["dmu_2_s1"], tensors["dz"]
    dW, dgamma, dbeta = gradients["W"], gradients["gamma"], gradients["beta"]
    t_ND, t_N1, t_N, t_N2 = tensors["t_ND"], tensors["t_N1"], tensors["t_N"], tensors["t_N2"]
    ones_D, ones_N = tensors["ones_D"], tensors["ones_N"]
    dsigma_s1_column = dsigma_s1[:, None]
    c1 = np.array(D, DTYPE)  # (15)
    sigma_column = sigma[:, None]
    t_N_column = t_N[:, None]

    def run(data):
        x = data["x"]
        np.copyto(dy, y_minus_t)  # (9)
        np.multiply(dy, gamma, out=dz_hat)  # (10)
        np.multiply(dy, z_hat, out=t_ND)  # (11)
        np.dot(ones_N, t_ND, out=dgamma)  # (11)
        np.dot(ones_N, dy, out=dbeta)  # (12)
        np.multiply(dz_hat, z_hat, out=t_ND)  # (13)
        np.dot(t_ND, ones_D, out=dsigma_s1)  # (13)
        np.dot(dz_hat, ones_D, out=dmu_2_s1)  # (14)
        np.multiply(z, dsigma_s1_column, out=t_ND)  # (15)
        np.multiply(c1, sigma_column, out=t_N1)  # (15)
        np.divide(t_ND, t_N1, out=t_ND)  # (15)
        np.subtract(dz_hat, t_ND, out=dz)  # (15)
        np.multiply(dsigma_s1, mu, out=t_N)  # (15)
        np.multiply(c1, sigma, out=t_N2)  # (15)
        np.divide(t_N, t_N2, out=t_N)  # (15)
        np.add(dz, t_N_column, out=dz)  # (15)
        np.divide(dmu_2_s1, c1, out=t_N)  # (15)
        np.subtract(dz, t_N_column, out=dz)  # (15)
        np.divide(dz, sigma_column, out=dz)  # (15)
        np.dot(x.T, dz, out=dW)  # (16)

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
        "z": (0, 0, (N, D)),
        "mu": (0, 33, (N,)),
        "var": (0, 35, (N,)),
        "sigma": (0, 35, (N,)),
        "z_hat": (0, 6, (N, D)),
        "y": (0, 12, (N, D)),
        "y_minus_t": (0, 12, (N, D)),
        "s_loss": (0, 18, ()),
        "loss": (0, 39, ()),
        "dy": (0, 12, (N, D)),
        "dz_hat": (0, 18, (N, D)),
        "dsigma_s1": (0, 12, (N,)),
        "dmu_2_s1": (0, 6, (N,)),
        "dz": (0, 18, (N, D)),
        "ones_D": (0, 30, (3,)),
        "ones_N": (0, 37, (2,)),
        "t_ND": (0, 24, (2, 3)),
        "t_N1": (0, 8, (2, 1)),
        "t_N": (0, 10, (2,)),
        "t_N2": (0, 14, (2,)),
        "t_block": (0, 0, (15,)),
        "t_block2": (0, 15, (15,)),
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
