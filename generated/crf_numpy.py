"""crf: a network that trains in NumPy.

Derived from the network crf; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   scores[n,t,k] = W[x[n,t],k]
    (2)   m_s_alpha[n,t,k] = max_j (alpha[n,t - 1,j] + A[j,k])
    (3)   s_alpha[n,t,k] = Σ_j exp(alpha[n,t - 1,j] + A[j,k] - m_s_alpha[n,t,k])
    (4)   alpha[n,t,k] = [t ≥ 1]·(log(s_alpha[n,t,k]) + m_s_alpha[n,t,k]) + scores[n,t,k]
    (5)   m_alpha[n] = max_k alpha[n,T - 1,k]
    (6)   s_total[n] = Σ_k exp(alpha[n,T - 1,k] - m_alpha[n])
    (7)   dtotal_dalpha_1[n,t,k] = Σ_k2 [t < T - 1]·exp(alpha[n,t,k] + A[k,k2] - m_s_alpha[n,t + 1,k2])·marginal[n,t + 1,k2]/s_alpha[n,t + 1,k2]
    (8)   marginal[n,t,k] = [t = T - 1]·exp(alpha[n,T - 1,k] - m_alpha[n])/s_total[n] + dtotal_dalpha_1[n,t,k]
    (9)   steps[n] = Σ_t [t ≥ 1]·A[y[n,t - 1],y[n,t]]
    (10)  words[n] = Σ_t scores[n,t,y[n,t]]
    (11)  loss = Σ_n (log(s_total[n]) + m_alpha[n] - steps[n] - words[n])/N
    (12)  ds_alpha[n,t,k] = [t ≥ 1]·marginal[n,t,k]/(N·s_alpha[n,t,k])
    (13)  dA_1[j,k] = Σ_n,t exp(alpha[n,t - 1,j] + A[j,k] - m_s_alpha[n,t,k])·ds_alpha[n,t,k]
    (14)  dA_2[j,k] = Σ_n,t (-[j = y[n,t - 1]]·[k = y[n,t]]·[t ≥ 1]/N)
    (15)  dA[j,k] = dA_1[j,k] + dA_2[j,k]
    (16)  dscores[n,t,k] = (marginal[n,t,k] - [k = y[n,t]])/N
    (17)  dW[i,j] = Σ_n,t [i = x[n,t]]·dscores[n,t,j]
    (18)  c_accuracy[n,t] = argmax_k marginal[n,t,k]
    (19)  accuracy = Σ_n,t [c_accuracy[n,t] = y[n,t]]/(N·T)

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: N, T, V, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      20·K·N·T + 23·N·T·K² + 7·K·N + 9·N·T + 9·N + K²
    bytes      8 + 216·K·N·T + 56·K·N + 56·N·T + 8·K·V + 72·K² + 80·N
    workspace  262,152 + 64·K·N·T + 8·N·T·K² + 24·K·N + 40·N·T + 8·N·K² + 16·K + 16·K² + 16·N + 8·T
               + max(K·N·T, 2·N·T + T) bytes
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
OPEN_SIZES = ("N", "T", "V", "K")
POSITIONS = ("range_N", "range_T", "range_K", "range_")
ONES = ("ones_K", "ones_NT")
NEEDED: dict[str, Any] = {}
NAME = "crf"
SIZES: dict[str, Any] = {}
PARAMETERS = {"W": ("V", "K"), "A": ("K", "K")}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("marginal",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"W": "dW", "A": "dA"}
EQUATIONS = {
    1: "scores", 2: "m_s_alpha", 3: "s_alpha", 4: "alpha", 5: "m_alpha", 6: "s_total", 7: "dtotal_dalpha_1",
    8: "marginal", 9: "steps", 10: "words", 11: "loss", 12: "ds_alpha", 13: "dA_1", 14: "dA_2", 15: "dA",
    16: "dscores", 17: "dW", 18: "c_accuracy", 19: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.02, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, T, V, K):
    """The outputs: equations (1) to (8)."""
    W, A = params["W"], params["A"]
    scores, m_s_alpha, s_alpha = tensors["scores"], tensors["m_s_alpha"], tensors["s_alpha"]
    alpha, m_alpha, s_total_exp = tensors["alpha"], tensors["m_alpha"], tensors["s_total_exp"]
    s_total, marginal_all = tensors["s_total"], tensors["marginal_all"]
    dtotal_dalpha_1, marginal = tensors["dtotal_dalpha_1"], tensors["marginal"]
    at_TN, t_NKK, t_KK, zeros_NK = tensors["at_TN"], tensors["t_NKK"], tensors["t_KK"], tensors["zeros_NK"]
    ones_K = tensors["ones_K"]
    t_NKK_rows = t_NKK.reshape(K * N, K)
    steps_ = [
        (
            t, (alpha[t - 1] if t >= 1 else zeros_NK)[:, None, :], m_s_alpha[t], m_s_alpha[t][..., None],
            s_alpha[t].reshape(K * N), alpha[t], scores[t], s_alpha[t] if t >= 1 else None,
        )
        for t in range(T)
    ]
    alpha_last = alpha[T - 1]
    m_alpha_column = m_alpha[:, None]
    s_total_column = s_total[:, None]
    steps2 = [
        (
            t, dtotal_dalpha_1[t].reshape(K * N), marginal_all if t + 1 == T else zeros_NK,
            dtotal_dalpha_1[t], marginal[:, t], alpha[t][..., None] if t + 2 <= T else None,
            m_s_alpha[t + 1][:, None, :] if t + 2 <= T else None,
            marginal[:, t + 1][:, None, :] if t + 2 <= T else None,
            s_alpha[t + 1][:, None, :] if t + 2 <= T else None,
        )
        for t in reversed(range(T))
    ]

    def run(data):
        x = data["x"]
        _transposed(x, out=at_TN)  # (1)
        np.take(W, at_TN, 0, out=scores, mode="clip")  # (1)
        for (
            t, alpha_before_row, m_s_alpha_t, m_s_alpha_t_column, s_alpha_t_flat, alpha_t, scores_t,
            s_alpha_t,
        ) in steps_:
            _transposed(A, out=t_KK)  # (2)
            np.add(alpha_before_row, t_KK, out=t_NKK)  # (2)
            t_NKK.max(2, out=m_s_alpha_t)  # (2)
            _transposed(A, out=t_KK)  # (3)
            np.add(alpha_before_row, t_KK, out=t_NKK)  # (3)
            np.subtract(t_NKK, m_s_alpha_t_column, out=t_NKK)  # (3)
            np.exp(t_NKK, out=t_NKK)  # (3)
            np.dot(t_NKK_rows, ones_K, out=s_alpha_t_flat)  # (3)
            if t >= 1:  # (4)
                np.log(s_alpha_t, out=alpha_t)  # (4)
                np.add(alpha_t, m_s_alpha_t, out=alpha_t)  # (4)
            else:  # (4)
                alpha_t.fill(0)  # (4)
            np.add(alpha_t, scores_t, out=alpha_t)  # (4)
        alpha_last.max(1, out=m_alpha)  # (5)
        np.subtract(alpha_last, m_alpha_column, out=s_total_exp)  # (6)
        np.exp(s_total_exp, out=s_total_exp)  # (6)
        np.dot(s_total_exp, ones_K, out=s_total)  # (6)
        np.divide(s_total_exp, s_total_column, out=marginal_all)  # (8)
        for (
            t, dtotal_dalpha_1_t_flat, marginal_all_t, dtotal_dalpha_1_t, marginal_t, alpha_t_column,
            m_s_alpha_after_row, marginal_after_row, s_alpha_after_row,
        ) in steps2:
            if t + 2 <= T:  # (7)
                np.add(alpha_t_column, A, out=t_NKK)  # (7)
                np.subtract(t_NKK, m_s_alpha_after_row, out=t_NKK)  # (7)
                np.exp(t_NKK, out=t_NKK)  # (7)
                np.multiply(t_NKK, marginal_after_row, out=t_NKK)  # (7)
                np.divide(t_NKK, s_alpha_after_row, out=t_NKK)  # (7)
            else:  # (7)
                t_NKK.fill(0)  # (7)
            np.dot(t_NKK_rows, ones_K, out=dtotal_dalpha_1_t_flat)  # (7)
            np.add(marginal_all_t, dtotal_dalpha_1_t, out=marginal_t)  # (8)

    return run


def _loss(params, tensors, N, T, V, K):
    """The loss: equations (9) to (11)."""
    A = params["A"]
    scores, m_alpha, s_total = tensors["scores"], tensors["m_alpha"], tensors["s_total"]
    steps, words, loss = tensors["steps"], tensors["words"], tensors["loss"]
    t_N, at_N, t_N2, range_N = tensors["t_N"], tensors["at_N"], tensors["t_N2"], tensors["range_N"]
    c1 = np.array(K, np.int64)  # (10)
    scores_flat = scores.reshape(-1)

    def run(data):
        y = data["y"]
        steps.fill(0)  # (9)
        for t in range(T):
            if t >= 1:  # (9)
                np.multiply(y[:, t - 1], K, out=at_N)  # (9)
                np.add(at_N, y[:, t], out=at_N)  # (9)
                np.take(A.reshape(-1), at_N, out=t_N, mode="clip")  # (9)
            else:  # (9)
                t_N.fill(0)  # (9)
            np.add(steps, t_N, out=steps)  # (9)
        words.fill(0)  # (10)
        for t in range(T):
            np.multiply(t, N, out=at_N)  # (10)
            np.add(at_N, range_N, out=at_N)  # (10)
            np.multiply(at_N, c1, out=at_N)  # (10)
            np.add(at_N, y[:, t], out=at_N)  # (10)
            np.take(scores_flat, at_N, out=t_N, mode="clip")  # (10)
            np.add(words, t_N, out=words)  # (10)
        np.subtract(m_alpha, steps, out=t_N)  # (11)
        np.subtract(t_N, words, out=t_N)  # (11)
        np.log(s_total, out=t_N2)  # (11)
        np.add(t_N, t_N2, out=t_N)  # (11)
        loss[...] = t_N.sum() / N  # (11)

    return run


def _backward(params, tensors, gradients, N, T, V, K):
    """The gradients: equations (12) to (17)."""
    A = params["A"]
    m_s_alpha, s_alpha, alpha = tensors["m_s_alpha"], tensors["s_alpha"], tensors["alpha"]
    marginal, ds_alpha, dA_1 = tensors["marginal"], tensors["ds_alpha"], tensors["dA_1"]
    dA_2, dscores = tensors["dA_2"], tensors["dscores"]
    dW, dA = gradients["W"], gradients["A"]
    is_T11, is_T, padded1, t_KKNT = tensors["is_T11"], tensors["is_T"], tensors["padded1"], tensors["t_KKNT"]
    at_1, at_NT, at_NT2, t_NT = tensors["at_1"], tensors["at_NT"], tensors["at_NT2"], tensors["t_NT"]
    is_NT, is_NT2, is_NTK, order = tensors["is_NT"], tensors["is_NT2"], tensors["is_NTK"], tensors["order"]
    ordered, range_T, ones_NT = tensors["ordered"], tensors["range_T"], tensors["ones_NT"]
    range_K, range_ = tensors["range_K"], tensors["range_"]
    is_T_column = is_T[:, None, None]
    c1 = np.array(N, DTYPE)  # (12)
    marginal_turned = marginal.transpose(1, 0, 2)
    padded1_part = padded1[1 : T + 1, :, :]
    padded1_row = padded1[:T].transpose(2, 1, 0)[:, None, :, :]
    A_column = A[..., None, None]
    m_s_alpha_turned = m_s_alpha.transpose(2, 1, 0)
    ds_alpha_turned = ds_alpha.transpose(2, 1, 0)
    t_KKNT_rows = t_KKNT.reshape(K**2, N * T)
    dA_1_flat = dA_1.reshape(K**2)
    at_1_part = at_1[:, 1 : T + 1]
    at_1_part2 = at_1[:, :T]
    c2 = K - 1  # (14)
    c3 = np.array(K, np.int64)  # (14)
    dA_2_flat = dA_2.reshape(-1)
    at_NT_flat = at_NT.reshape(-1)
    t_NT_flat = t_NT.reshape(-1)

    def run(data):
        x, y = data["x"], data["y"]
        np.greater_equal(range_T, 1, out=is_T)  # (12)
        np.copyto(is_T11, is_T_column)  # (12)
        np.multiply(c1, s_alpha, out=ds_alpha)  # (12)
        np.divide(marginal_turned, ds_alpha, out=ds_alpha)  # (12)
        _choose(ds_alpha, is_T11, 0)  # (12)
        padded1[:1] = 0  # (13)
        np.copyto(padded1_part, alpha)  # (13)
        np.add(padded1_row, A_column, out=t_KKNT)  # (13)
        np.subtract(t_KKNT, m_s_alpha_turned, out=t_KKNT)  # (13)
        np.exp(t_KKNT, out=t_KKNT)  # (13)
        np.multiply(t_KKNT, ds_alpha_turned, out=t_KKNT)  # (13)
        np.dot(t_KKNT_rows, ones_NT, out=dA_1_flat)  # (13)
        dA_2.fill(0)  # (14)
        at_1[:, :1] = 0  # (14)
        np.copyto(at_1_part, y)  # (14)
        np.clip(at_1_part2, 0, c2, out=at_NT2)  # (14)
        np.multiply(at_NT2, c3, out=at_NT)  # (14)
        np.add(at_NT, y, out=at_NT)  # (14)
        np.less_equal(0, at_1_part2, out=is_NT)  # (14)
        np.less(at_1_part2, c3, out=is_NT2)  # (14)
        np.logical_and(is_NT, is_NT2, out=is_NT)  # (14)
        np.greater_equal(range_T, 1, out=is_T)  # (14)
        np.logical_not(is_T, out=is_T)  # (14)
        t_NT.fill(DTYPE(0))  # (14)
        _choose(t_NT, is_T, DTYPE(-1 / N))  # (14)
        _choose(t_NT, is_NT, 0)  # (14)
        np.add.at(dA_2_flat, at_NT_flat, t_NT_flat)  # (14)
        np.equal(range_K, y[..., None], out=is_NTK)  # (16)
        np.subtract(marginal, is_NTK, out=dscores)  # (16)
        np.divide(dscores, c1, out=dscores)  # (16)
        _add_rows(dW, x, dscores, range_, order, ordered)  # (17)
        np.add(dA_1, dA_2, out=dA)  # (15)

    return run


def _metrics(params, tensors, N, T, V, K):
    """The metrics: equations (18), (19)."""
    marginal, c_accuracy, accuracy = tensors["marginal"], tensors["c_accuracy"], tensors["accuracy"]
    is_NT = tensors["is_NT"]
    c1 = N * T  # (19)

    def run(data):
        y = data["y"]
        marginal.argmax(2, out=c_accuracy)  # (18)
        np.equal(c_accuracy, y, out=is_NT)  # (19)
        accuracy[...] = DTYPE(is_NT.sum()) / c1  # (19)

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


def _places(N, T, V, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "scores": (0, 0, (T, N, K)),
        "m_s_alpha": (0, K * N + K * N * T + K**2 * N * T, (T, N, K)),
        "s_alpha": (0, 2 * K * N * T + K * N + K**2 * N * T, (T, N, K)),
        "alpha": (0, 3 * K * N * T + K * N + K**2 * N * T, (T, N, K)),
        "m_alpha": (0, 2 * K * N + 5 * K * N * T + K**2 * N * T, (N,)),
        "s_total_exp": (0, 5 * K * N * T + K * N + K**2 * N * T, (N, K)),
        "s_total": (0, 2 * K * N + 5 * K * N * T + N + K**2 * N * T, (N,)),
        "marginal_all": (0, 5 * K * N * T + K * N + K**2 * N * T, (N, K)),
        "dtotal_dalpha_1": (0, K * N * T, (T, N, K)),
        "marginal": (0, 4 * K * N * T + K * N + K**2 * N * T, (N, T, K)),
        "steps": (0, K * N * T, (N,)),
        "words": (0, K * N * T + N, (N,)),
        "loss": (0, 2 * K**2 + 3 * K * N + 8 * K * N * T + K + K**2 * N + N * T + K**2 * N * T + 32768, ()),
        "ds_alpha": (0, 2 * K * N * T + K * N + K**2 * N * T, (T, N, K)),
        "dA_1": (0, 5 * K * N * T + K * N + K**2 * N * T, (K, K)),
        "dA_2": (0, K * N * T, (K, K)),
        "dscores": (0, 4 * K * N * T + K * N + K**2 * N * T, (N, T, K)),
        "c_accuracy": (1, 0, (N, T)),
        "accuracy": (0, 0, ()),
        "zeros_NK": (0, 2 * K**2 + 2 * K * N + 8 * K * N * T + K**2 * N + K**2 * N * T + 32768, (N, K)),
        "ones_K": (0, 2 * K**2 + 3 * K * N + 8 * K * N * T + K**2 * N + N * T + K**2 * N * T + 32768, (K,)),
        "range_N": (1, 4 * N * T + N, (N,)),
        "range_T": (1, 2 * N + 4 * N * T, (T,)),
        "ones_NT": (0, 2 * K**2 + 3 * K * N + 8 * K * N * T + K**2 * N + K**2 * N * T + 32768, (N * T,)),
        "range_K": (1, 2 * N + 4 * N * T + T, (K,)),
        "range_": (1, N + N * T, (N * T,)),
        "at_TN": (1, 0, (T, N)),
        "t_NKK": (0, 2 * K * N * T, (N, K, K)),
        "t_KK": (0, 4 * K * N * T + K * N + K**2 * N * T, (K, K)),
        "t_N": (0, 5 * K * N * T + K * N + K**2 * N * T, (N,)),
        "at_N": (1, 0, (N,)),
        "t_N2": (0, 0, (N,)),
        "is_T11": (2, 0, (T, 1, 1)),
        "is_T": (2, 2 * N * T, (T,)),
        "padded1": (0, K**2 * N * T, (T + 1, N, K)),
        "t_KKNT": (0, 0, (K, K, N, T)),
        "at_1": (1, 0, (N, T + 1)),
        "at_NT": (1, 2 * N * T + N, (N, T)),
        "at_NT2": (1, 3 * N * T + N, (N, T)),
        "t_NT": (0, 0, (N, T)),
        "is_NT": (2, 0, (N, T)),
        "is_NT2": (2, N * T, (N, T)),
        "is_NTK": (2, 0, (N, T, K)),
        "order": (1, 0, (N * T,)),
        "ordered": (0, 0, (N, T, K)),
        "t_block": (0, 0, (16384,)),
        "t_block2": (0, 16384, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    V = sizes["V"]
    K = sizes["K"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (K + V)) * rng.uniform(-1, 1, (V, K)),
        "A": math.sqrt(3 / K) * rng.uniform(-1, 1, (K, K)),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _add_rows, _choose, _transposed


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
