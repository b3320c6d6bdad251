"""word2vec: a network that trains in Numba.

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
    workspace  24·R·rows + 1,024·V + 16·rows + 16 bytes for each chunk of rows examples
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import argparse
import ctypes
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
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("rows", "N", "R", "V")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
D = 32
NAME = "word2vec"
SIZES = {"D": D}
PARAMETERS = {"E": ("V", "D"), "C": ("V", "D")}
INPUTS: dict[str, tuple[Any, ...]] = {"centre": ("N",), "context": ("N",), "others": ("N", "R")}
INTEGERS = {"centre": ("V", None), "context": ("V", None), "others": ("V", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("centre", "context")
FORWARD_GIVEN = ("centre", "context")
OUTPUTS = ("near",)
LOSS = "loss"
METRICS = ("found",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"E": "dE", "C": "dC"}
EQUATIONS = {
    1: "near", 2: "far", 3: "u_h1", 4: "h1", 5: "m_loss", 6: "h1_2", 7: "s_loss", 8: "loss", 9: "du_h1",
    10: "dfar", 11: "dE_1", 12: "dE_2", 13: "dE", 14: "dC_1", 15: "dC_2", 16: "dC", 17: "found",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, centre, context, rows, N, R, V):
    """The outputs: equation (1)."""
    E = theta[0 : 32 * V].reshape(V, D)
    C = theta[32 * V : 64 * V].reshape(V, D)
    near = work[at[0] : at[0] + rows]
    _compute_near(C, context, E, centre, near, rows)  # (1)


@kernel
def _loss(theta, work, counts, at, centre, others, rows, N, R, V):
    """The loss: equations (2) to (7)."""
    E = theta[0 : 32 * V].reshape(V, D)
    C = theta[32 * V : 64 * V].reshape(V, D)
    near = work[at[0] : at[0] + rows]
    far = work[at[1] : at[1] + R * rows].reshape(rows, R)
    u_h1 = work[at[2] : at[2] + rows]
    h1 = work[at[3] : at[3] + rows]
    m_loss = work[at[4] : at[4] + 1]
    h1_2 = work[at[5] : at[5] + R * rows].reshape(rows, R)
    s_loss = work[at[6] : at[6] + 1]
    _compute_s_loss(C, others, E, centre, far, h1_2, u_h1, near, h1, m_loss, s_loss, rows, R, N)  # (2) to (7)


@kernel
def _backward(theta, gradient, work, counts, at, centre, context, others, rows, N, R, V):
    """The gradients: equations (9) to (12), (14), (15)."""
    E = theta[0 : 32 * V].reshape(V, D)
    C = theta[32 * V : 64 * V].reshape(V, D)
    far = work[at[1] : at[1] + R * rows].reshape(rows, R)
    u_h1 = work[at[2] : at[2] + rows]
    du_h1 = work[at[7] : at[7] + rows]
    dfar = work[at[8] : at[8] + R * rows].reshape(rows, R)
    dE_1 = work[at[9] : at[9] + 32 * V].reshape(V, D)
    dE_2 = work[at[10] : at[10] + 32 * V].reshape(V, D)
    dC_1 = work[at[11] : at[11] + 32 * V].reshape(V, D)
    dC_2 = work[at[12] : at[12] + 32 * V].reshape(V, D)
    _compute_dC_2(
        dE_1, dE_2, dC_1, dC_2, du_h1, u_h1, dfar, far, centre, C, context, others, E, rows, N, R, V
    )  # (9) to (12), (14), (15)


@kernel
def _total(theta, work, counts, at, rows, N, R, V):
    """The loss of the whole batch: equation (8)."""
    m_loss = work[at[4] : at[4] + 1]
    s_loss = work[at[6] : at[6] + 1]
    loss = work[at[13] : at[13] + 1]
    loss[0] = m_loss[0] + s_loss[0] / N  # (8)


@kernel
def _finish(theta, gradient, work, counts, at, rows, N, R, V):
    """The gradients of the whole batch: equations (13), (16)."""
    dE_1 = work[at[9] : at[9] + 32 * V].reshape(V, D)
    dE_2 = work[at[10] : at[10] + 32 * V].reshape(V, D)
    dC_1 = work[at[11] : at[11] + 32 * V].reshape(V, D)
    dC_2 = work[at[12] : at[12] + 32 * V].reshape(V, D)
    dE = gradient[0 : 32 * V].reshape(V, D)
    dC = gradient[32 * V : 64 * V].reshape(V, D)
    _compute_dC(dE, dE_1, dE_2, dC, dC_1, dC_2, V)  # (13), (16)


@kernel
def _metrics(theta, work, counts, at, rows, N, R, V):
    """The metrics: equation (17)."""
    near = work[at[0] : at[0] + rows]
    far = work[at[1] : at[1] + R * rows].reshape(rows, R)
    found = work[at[14] : at[14] + 1]
    _compute_found(far, near, found, N, R)  # (17)


@kernel
def _compute_near(C, context, E, centre, near, rows):
    """Equation (1)."""
    _disjoint()
    for n in range(rows):
        near_sum = 0.0
        for i in range(D):
            near_sum += C[context[n], i] * E[centre[n], i]  # (1)
        near[n] = near_sum


@kernel
def _compute_s_loss(C, others, E, centre, far, h1_2, u_h1, near, h1, m_loss, s_loss, rows, R, N):
    """Equations (2) to (7)."""
    _disjoint()
    m_loss_sum = 0.0
    s_loss_sum = 0.0
    for n in range(rows):
        for r in range(R):
            far_sum = 0.0
            for i in range(D):
                far_sum += C[others[n, r], i] * E[centre[n], i]  # (2)
            far[n, r] = far_sum
            h1_2[n, r] = _softplus(far[n, r])  # (6)
            s_loss_sum += h1_2[n, r]  # (7)
        u_h1[n] = -near[n]  # (3)
        h1[n] = _softplus(u_h1[n])  # (4)
        m_loss_sum += h1[n] / N  # (5)
    m_loss[0] = m_loss_sum
    s_loss[0] = s_loss_sum


@kernel
def _compute_dC_2(
    dE_1, dE_2, dC_1, dC_2, du_h1, u_h1, dfar, far, centre, C, context, others, E, rows, N, R, V,
):
    """Equations (9) to (12), (14), (15)."""
    _disjoint()
    dE_1[:, :] = 0.0
    dE_2[:, :] = 0.0
    dC_1[:, :] = 0.0
    dC_2[:, :] = 0.0
    for n in range(rows):
        du_h1[n] = _sigmoid(u_h1[n]) / N  # (9)
        for r in range(R):
            dfar[n, r] = _sigmoid(far[n, r]) / N  # (10)
        for j in range(D):
            if centre[n] + 1 <= V and centre[n] >= 0:
                dE_1[centre[n], j] += -C[context[n], j] * du_h1[n]  # (11)
            for r in range(R):
                if centre[n] + 1 <= V and centre[n] >= 0:
                    dE_2[centre[n], j] += C[others[n, r], j] * dfar[n, r]  # (12)
                if others[n, r] + 1 <= V and others[n, r] >= 0:
                    dC_2[others[n, r], j] += E[centre[n], j] * dfar[n, r]  # (15)
            if context[n] + 1 <= V and context[n] >= 0:
                dC_1[context[n], j] += -E[centre[n], j] * du_h1[n]  # (14)


@kernel
def _compute_dC(dE, dE_1, dE_2, dC, dC_1, dC_2, V):
    """Equations (13), (16)."""
    _disjoint()
    for i in range(V):
        for j in range(D):
            dE[i, j] = dE_1[i, j] + dE_2[i, j]  # (13)
            dC[i, j] = dC_1[i, j] + dC_2[i, j]  # (16)


@kernel
def _compute_found(far, near, found, N, R):
    """Equation (17)."""
    _disjoint()
    found_sum = 0.0
    for n in range(N):
        for r in range(R):
            if far[n, r] < near[n]:
                found_sum += float(1 / (N * R))  # (17)
    found[0] = found_sum


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
def _evaluate(theta, work, counts, at, centre, context, others, rows, N, R, V):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, centre, context, rows, N, R, V)
    _loss(theta, work, counts, at, centre, others, rows, N, R, V)
    _total(theta, work, counts, at, rows, N, R, V)
    _metrics(theta, work, counts, at, rows, N, R, V)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, centre, context, others, rows, N, R, V):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, centre, context, rows, N, R, V)
    _loss(theta, work, counts, at, centre, others, rows, N, R, V)
    _backward(theta, gradient, work, counts, at, centre, context, others, rows, N, R, V)
    _total(theta, work, counts, at, rows, N, R, V)
    _finish(theta, gradient, work, counts, at, rows, N, R, V)
    return work[at[13]]


@kernel
def _train_step(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, centre, context, others, rows, N,
    R, V,
):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(centre, V, 0):
        return math.nan, False, False
    if _any_outside(context, V, 0):
        return math.nan, False, False
    if _any_outside(others, V, 0):
        return math.nan, False, False
    _forward(theta, work, counts, at, centre, context, rows, N, R, V)
    _loss(theta, work, counts, at, centre, others, rows, N, R, V)
    _backward(theta, gradient, work, counts, at, centre, context, others, rows, N, R, V)
    _total(theta, work, counts, at, rows, N, R, V)
    _finish(theta, gradient, work, counts, at, rows, N, R, V)
    loss = work[at[13]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, centre, context, others, N, R, V):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c in prange(len(bounds)):
        first, last = bounds[c, 0], bounds[c, 1]
        _forward(
            theta, work[c], counts[c], at, centre[first:last], context[first:last], last - first, N, R, V
        )
        _loss(theta, work[c], counts[c], at, centre[first:last], others[first:last], last - first, N, R, V)
        _backward(
            theta, gradients[c], work[c], counts[c], at, centre[first:last], context[first:last],
            others[first:last], last - first, N, R, V,
        )


@parallel_kernel
def _add_gradients(gradient, gradients):
    """The gradient by all parameters, from the parts of the chunks."""
    for i in prange(len(gradient)):
        total = gradients[0, i]
        if False:
            for k in range(1, len(gradients)):
                total += gradients[k, i]
        gradient[i] = total


@parallel_kernel
def _moderate_in_chunks(gradient, gradients):
    """Whether no gradient is large, a piece a thread; each notes it in gradients of its own."""
    chunks = len(gradients)
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        gradients[c, 0] = _all_moderate(gradient[first:last])
    moderate = True
    for c in range(chunks):
        moderate &= gradients[c, 0] != 0
    return moderate


@parallel_kernel
def _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, chunks):
    """The update of a piece of the parameters on each thread."""
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        _update(
            theta[first:last], gradient[first:last], m[first:last], v[first:last], step_, lr, beta1, beta2,
            eps,
        )


@kernel
def _train_step_in_chunks(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, centre, context,
    others, N, R, V,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(centre, V, 0):
        return math.nan, False, False
    if _any_outside(context, V, 0):
        return math.nan, False, False
    if _any_outside(others, V, 0):
        return math.nan, False, False
    _chunks(theta, gradients, work, counts, at, bounds, centre, context, others, N, R, V)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[4]] += work[k, at[4]]
    for k in range(1, len(work)):
        work[0, at[6]] += work[k, at[6]]
    for k in range(1, len(work)):
        for i in range(at[9], at[9] + 32 * V):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[10], at[10] + 32 * V):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[11], at[11] + 32 * V):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[12], at[12] + 32 * V):
            work[0, i] += work[k, i]
    _total(theta, work[0], counts[0], at, 0, N, R, V)
    _finish(theta, gradient, work[0], counts[0], at, 0, N, R, V)
    loss = work[0, at[13]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N, R, V):
    """Floating-point operations of one step."""
    return 202 * N * R + 269 * N


def _places(rows, N, R, V):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "near": (0, 2 * R * rows, (rows,)),
        "far": (0, 0, (rows, R)),
        "u_h1": (0, 128 * V + 3 * R * rows + rows, (rows,)),
        "h1": (0, 2 * R * rows + rows, (rows,)),
        "m_loss": (0, 128 * V + 2 * rows + 3 * R * rows, ()),
        "h1_2": (0, R * rows, (rows, R)),
        "s_loss": (0, 128 * V + 2 * rows + 3 * R * rows + 1, ()),
        "du_h1": (0, 128 * V + 2 * R * rows, (rows,)),
        "dfar": (0, R * rows, (rows, R)),
        "dE_1": (0, 2 * R * rows, (V, D)),
        "dE_2": (0, 2 * R * rows + 32 * V, (V, D)),
        "dC_1": (0, 2 * R * rows + 64 * V, (V, D)),
        "dC_2": (0, 2 * R * rows + 96 * V, (V, D)),
        "loss": (0, R * rows, ()),
        "found": (0, 2 * R * rows + rows, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    V = sizes["V"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "E": math.sqrt(6 / (D + V)) * rng.uniform(-1, 1, (V, D)),
        "C": math.sqrt(6 / (D + V)) * rng.uniform(-1, 1, (V, D)),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _any_outside
# symbp/runtime/numba/float64.py: _exp, _log
# symbp/runtime/numba/functions.py: _log1p
# symbp/runtime/numba/float64.py: _power_of_two, _reduced
# symbp/runtime/numba/functions.py: _sigmoid, _softplus


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_shown.py: _settle, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory


# ---- Outputs, loss and metrics ----


# symbp/runtime/numba/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numba/differentiate.py: _differentiate
# symbp/runtime/numba/large.py: _updated
# symbp/runtime/numba/chunks.py: WORTH_A_CHUNK, _Chunks, _key, _advance, _chunk_count, _in_chunks, _blas_threads


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
