"""circuit: a network that trains in Numba.

Derived from the network circuit; float64. It reads .
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)  q = x + y
    (2)  f = q·z
    (3)  dx = z
    (4)  dy = z
    (5)  dz = q

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: .
One training step takes, with each array read and written once per kernel:

    flops      2
    bytes      96
    workspace  16 bytes
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
NAME = "circuit"
SIZES: dict[str, Any] = {}
PARAMETERS = {"x": (), "y": (), "z": ()}
INPUTS: dict[str, Any] = {}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS: tuple[str, ...] = ()
FORWARD_GIVEN: tuple[str, ...] = ()
OUTPUTS: tuple[str, ...] = ()
LOSS = "f"
METRICS: tuple[str, ...] = ()
BATCH: str | None = None
GRADIENTS = {"x": "dx", "y": "dy", "z": "dz"}
EQUATIONS = {1: "q", 2: "f", 3: "dx", 4: "dy", 5: "dz"}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at):
    """No outputs."""


@kernel
def _loss(theta, work, counts, at):
    """The loss: equations (1), (2)."""
    x = theta[0:1]
    y = theta[1:2]
    z = theta[2:3]
    q = work[at[0] : at[0] + 1]
    f = work[at[1] : at[1] + 1]
    q[0] = x[0] + y[0]  # (1)
    f[0] = q[0] * z[0]  # (2)


@kernel
def _backward(theta, gradient, work, counts, at):
    """The gradients: equations (3) to (5)."""
    z = theta[2:3]
    q = work[at[0] : at[0] + 1]
    dx = gradient[0:1]
    dy = gradient[1:2]
    dz = gradient[2:3]
    dx[0] = z[0]  # (3)
    dy[0] = z[0]  # (4)
    dz[0] = q[0]  # (5)


@kernel
def _metrics(theta, work, counts, at):
    """No metrics."""


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
def _evaluate(theta, work, counts, at):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at)
    _loss(theta, work, counts, at)
    _metrics(theta, work, counts, at)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at)
    _loss(theta, work, counts, at)
    _backward(theta, gradient, work, counts, at)
    return work[at[1]]


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at)
    _loss(theta, work, counts, at)
    _backward(theta, gradient, work, counts, at)
    loss = work[at[1]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "q": (0, 0, ()),
        "f": (0, 1, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # the author's choice
        "x": rng.standard_normal(()),
        "y": rng.standard_normal(()),
        "z": rng.standard_normal(()),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate


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


# symbp/runtime/numba/differentiate.py: _differentiate
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
