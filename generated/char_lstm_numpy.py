"""char_lstm: a network that trains in NumPy.

Derived from the network char_lstm; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   x1[n,i,k] = table[x[n,i],k]
    (2)   z1[n,i,l,m] = Σ_k x1[n,i,k]·W[k,l,m]
    (3)   r_a1[n,i,l,m] = Σ_j h[n,i - 1,j]·U[j,l,m]
    (4)   a1[n,i,l,m] = r_a1[n,i,l,m] + z1[n,i,l,m] + b[l,m]
    (5)   i_c1[n,i,m] = 1/(1 + exp(-a1[n,i,0,m]))
    (6)   f_c1[n,i,m] = 1/(1 + exp(-a1[n,i,1,m]))
    (7)   g_c1[n,i,m] = tanh(a1[n,i,2,m])
    (8)   c1[n,i,m] = c1[n,i - 1,m]·f_c1[n,i,m] + g_c1[n,i,m]·i_c1[n,i,m]
    (9)   o_h[n,i,m] = 1/(1 + exp(-a1[n,i,3,m]))
    (10)  h[n,i,m] = o_h[n,i,m]·tanh(c1[n,i,m])
    (11)  z2[n,i,j] = Σ_m h[n,i,m]·R[m,j]
    (12)  a2[n,i,j] = z2[n,i,j] + c[j]
    (13)  m_a2[n,i] = max_j a2[n,i,j]
    (14)  e_p[n,i,j] = exp(a2[n,i,j] - m_a2[n,i])
    (15)  s_p[n,i] = Σ_j e_p[n,i,j]
    (16)  p[n,i,j] = e_p[n,i,j]/s_p[n,i]
    (17)  loss = Σ_n,i (log(s_p[n,i]) + m_a2[n,i] - a2[n,i,y[n,i]])/(N·T)
    (18)  da2[n,i,j] = (p[n,i,j] - [j = y[n,i]])/(N·T)
    (19)  dc[j] = Σ_n,i da2[n,i,j]
    (20)  dh_2[n,i,m] = Σ_j da2[n,i,j]·R[m,j]
    (21)  dh_1[n,i,m] = Σ_l,m2 [i < T - 1]·da1[n,i + 1,l,m2]·U[m,l,m2]
    (22)  dh[n,i,m] = dh_1[n,i,m] + dh_2[n,i,m]
    (23)  dc1[n,i,m] = (1 - tanh(c1[n,i,m])²)·dh[n,i,m]·o_h[n,i,m] + [i < T - 1]·dc1[n,i + 1,m]·f_c1[n,i + 1,m]
    (24)  da1[n,i,l,m] = [l = 0]·(1 - i_c1[n,i,m])·dc1[n,i,m]·g_c1[n,i,m]·i_c1[n,i,m] + [l = 1]·(1 - f_c1[n,i,m])·c1[n,i - 1,m]·dc1[n,i,m]·f_c1[n,i,m] + [l = 2]·(1 - g_c1[n,i,m]²)·dc1[n,i,m]·i_c1[n,i,m] + [l = 3]·(1 - o_h[n,i,m])·dh[n,i,m]·h[n,i,m]
    (25)  dU[j,l,m] = Σ_n,i h[n,i - 1,j]·da1[n,i,l,m]
    (26)  dR[m,j] = Σ_n,i h[n,i,m]·da2[n,i,j]
    (27)  db[l,m] = Σ_n,i da1[n,i,l,m]
    (28)  dx1[n,i,k] = Σ_l,m da1[n,i,l,m]·W[k,l,m]
    (29)  dtable[i,j] = Σ_n,i2 [i = x[n,i2]]·dx1[n,i2,j]
    (30)  dW[k,l,m] = Σ_n,i x1[n,i,k]·da1[n,i,l,m]
    (31)  c_accuracy[n,i] = argmax_j p[n,i,j]
    (32)  accuracy = Σ_n,i [c_accuracy[n,i] = y[n,i]]/(N·T)

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

    flops      24·E·H·N·T + 6·H·N·T·V + 123·H·N·T + 16·N·T·V + 24·N·T·H² + 9·N·T + E·N·T
             = 400·N·T·V + 155,369·N·T
    bytes      8 + 112·N·T·V + 48·E·N·T + 976·H·N·T + 24·H·V + 40·H·N + 64·T·H² + 80·N·T + 8·E·V
               + 96·E·H + 16·V + 32·H² + 64·H
             = 112·N·T·V + 64,080·N·T + 1,808·V + 2,560·N + 262,144·T + 331,784
    workspace  25·N·T·V + 10,016·N·T + 16·V + 3,080·N + 8·T + 393,216 bytes
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
NAME = "char_lstm"
SIZES = {"E": E, "H": H}
PARAMETERS = {
    "table": ("V", "E"), "W": ("E", 4, "H"), "U": ("H", 4, "H"), "b": (4, "H"), "R": ("H", "V"), "c": ("V",),
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
    1: "x1", 2: "z1", 3: "r_a1", 4: "a1", 5: "i_c1", 6: "f_c1", 7: "g_c1", 8: "c1", 9: "o_h", 10: "h",
    11: "z2", 12: "a2", 13: "m_a2", 14: "e_p", 15: "s_p", 16: "p", 17: "loss", 18: "da2", 19: "dc",
    20: "dh_2", 21: "dh_1", 22: "dh", 23: "dc1", 24: "da1", 25: "dU", 26: "dR", 27: "db", 28: "dx1",
    29: "dtable", 30: "dW", 31: "c_accuracy", 32: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08, "clip_norm": 1.0}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, T, V):
    """The outputs: equations (1) to (16)."""
    table, W, U, b = params["table"], params["W"], params["U"], params["b"]
    R, c = params["R"], params["c"]
    x1, z1, a1_all, r_a1 = tensors["x1"], tensors["z1"], tensors["a1_all"], tensors["r_a1"]
    a1, i_c1, f_c1, g_c1 = tensors["a1"], tensors["i_c1"], tensors["f_c1"], tensors["g_c1"]
    c1, o_h, h_tanh, h = tensors["c1"], tensors["o_h"], tensors["h_tanh"], tensors["h"]
    z2, a2, m_a2, e_p = tensors["z2"], tensors["a2"], tensors["m_a2"], tensors["e_p"]
    s_p, p = tensors["s_p"], tensors["p"]
    at_TN, t_NH, t_NT, zeros_NH = tensors["at_TN"], tensors["t_NH"], tensors["t_NT"], tensors["zeros_NH"]
    ones_V = tensors["ones_V"]
    x1_rows = x1.reshape(N * T, E)
    W_rows = W.reshape(E, 4 * H)
    z1_rows = z1.reshape(N * T, 4 * H)
    U_rows = U.reshape(H, 4 * H)
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
        np.dot(x1_rows, W_rows, out=z1_rows)  # (2)
        np.add(z1, b, out=a1_all)  # (4)
        for i in range(T):
            np.dot(h[i - 1] if i >= 1 else zeros_NH, U_rows, out=r_a1[i].reshape(N, 4 * H))  # (3)
            np.add(a1_all[i], r_a1[i], out=a1[i])  # (4)
            _sigmoid(a1[i, :, 0], out=i_c1[i])  # (5)
            _sigmoid(a1[i, :, 1], out=f_c1[i])  # (6)
            np.tanh(a1[i, :, 2], out=g_c1[i])  # (7)
            np.multiply(c1[i - 1] if i >= 1 else zeros_NH, f_c1[i], out=c1[i])  # (8)
            np.multiply(g_c1[i], i_c1[i], out=t_NH)  # (8)
            np.add(c1[i], t_NH, out=c1[i])  # (8)
            _sigmoid(a1[i, :, 3], out=o_h[i])  # (9)
            np.tanh(c1[i], out=h_tanh[i])  # (10)
            np.multiply(h_tanh[i], o_h[i], out=h[i])  # (10)
        np.dot(h_rows, R, out=z2_rows)  # (11)
        np.add(z2, c, out=a2)  # (12)
        a2.max(2, out=m_a2)  # (13)
        np.subtract(a2, m_a2_column, out=e_p)  # (14)
        np.exp(e_p, out=e_p)  # (14)
        np.dot(e_p_rows, ones_V, out=s_p_flat)  # (15)
        _transposed(s_p, out=t_NT)  # (16)
        np.divide(e_p_turned, t_NT_column, out=p)  # (16)

    return run


def _loss(params, tensors, N, T, V):
    """The loss: equation (17)."""
    a2, m_a2, s_p, loss = tensors["a2"], tensors["m_a2"], tensors["s_p"], tensors["loss"]
    at_TN, t_TN, at_TN2, t_TN2 = tensors["at_TN"], tensors["t_TN"], tensors["at_TN2"], tensors["t_TN2"]
    range_T, range_N = tensors["range_T"], tensors["range_N"]
    c1_ = np.array(N, np.int64)  # (17)
    range_T_column = range_T[:, None]
    c2 = np.array(V, np.int64)  # (17)
    a2_flat = a2.reshape(-1)
    c3 = N * T  # (17)

    def run(data):
        y = data["y"]
        np.multiply(range_T_column, c1_, out=at_TN)  # (17)
        np.add(at_TN, range_N, out=at_TN)  # (17)
        np.multiply(at_TN, c2, out=at_TN)  # (17)
        _transposed(y, out=at_TN2)  # (17)
        np.add(at_TN, at_TN2, out=at_TN)  # (17)
        np.take(a2_flat, at_TN, out=t_TN, mode="clip")  # (17)
        np.subtract(m_a2, t_TN, out=t_TN)  # (17)
        np.log(s_p, out=t_TN2)  # (17)
        np.add(t_TN, t_TN2, out=t_TN)  # (17)
        loss[...] = t_TN.sum() / c3  # (17)

    return run


def _backward(params, tensors, gradients, N, T, V):
    """The gradients: equations (18) to (30)."""
    W, U, R = params["W"], params["U"], params["R"]
    x1, i_c1, f_c1, g_c1 = tensors["x1"], tensors["i_c1"], tensors["f_c1"], tensors["g_c1"]
    c1, o_h, h_tanh, h = tensors["c1"], tensors["o_h"], tensors["h_tanh"], tensors["h"]
    p, da2, da1_all, da1_all2 = tensors["p"], tensors["da2"], tensors["da1_all"], tensors["da1_all2"]
    da1_all3, da1_all4, dc1_all = tensors["da1_all3"], tensors["da1_all4"], tensors["dc1_all"]
    dh_2, dh_1, dh, dc1 = tensors["dh_2"], tensors["dh_1"], tensors["dh"], tensors["dc1"]
    da1, dx1 = tensors["da1"], tensors["dx1"]
    dtable, dW, dU, db = gradients["table"], gradients["W"], gradients["U"], gradients["b"]
    dR, dc = gradients["R"], gradients["c"]
    at_TN, t_NH, is_TNV, padded1 = tensors["at_TN"], tensors["t_NH"], tensors["is_TNV"], tensors["padded1"]
    t_TNH, order, ordered = tensors["t_TNH"], tensors["order"], tensors["ordered"]
    range_V, ones_NT, zeros_N4H = tensors["range_V"], tensors["ones_NT"], tensors["zeros_N4H"]
    range_ = tensors["range_"]
    at_TN_column = at_TN[..., None]
    p_turned = p.transpose(1, 0, 2)
    c1_ = np.array(N * T, DTYPE)  # (18)
    da2_rows = da2.reshape(N * T, V)
    one = np.array(1, DTYPE)
    padded1_part = padded1[1 : T + 1, :, :]
    padded1_part2 = padded1[:T]
    R_T = R.T
    dh_2_rows = dh_2.reshape(N * T, H)
    U_T = U.reshape(H, 4 * H).T
    steps = [
        (
            i, (da1[i + 1] if i + 2 <= T else zeros_N4H).reshape(N, 4 * H), dh_1[i], dh_2[i], dh[i],
            dc1_all[i], dc1[i], da1_all4[i], da1[i, :, 0], da1_all3[i], da1[i, :, 1], da1_all[i],
            da1[i, :, 2], da1_all2[i], da1[i, :, 3], dc1[i + 1] if i + 2 <= T else None,
            f_c1[i + 1] if i + 2 <= T else None,
        )
        for i in reversed(range(T))
    ]
    padded1_T = padded1[:T].reshape(N * T, H).T
    da1_rows = da1.reshape(N * T, 4 * H)
    dU_rows = dU.reshape(H, 4 * H)
    h_T = h.reshape(N * T, H).T
    db_flat = db.reshape(4 * H)
    W_T = W.reshape(E, 4 * H).T
    dx1_rows = dx1.reshape(N * T, E)
    x1_T = x1.reshape(N * T, E).T
    dW_rows = dW.reshape(E, 4 * H)

    def run(data):
        x, y = data["x"], data["y"]
        _transposed(y, out=at_TN)  # (18)
        np.equal(range_V, at_TN_column, out=is_TNV)  # (18)
        np.subtract(p_turned, is_TNV, out=da2)  # (18)
        np.divide(da2, c1_, out=da2)  # (18)
        np.dot(ones_NT, da2_rows, out=dc)  # (19)
        np.multiply(g_c1, g_c1, out=da1_all)  # (24)
        np.subtract(one, da1_all, out=da1_all)  # (24)
        np.multiply(da1_all, i_c1, out=da1_all)  # (24)
        np.subtract(one, o_h, out=da1_all2)  # (24)
        np.multiply(da1_all2, h, out=da1_all2)  # (24)
        padded1[:1] = 0  # (24)
        np.copyto(padded1_part, c1)  # (24)
        np.subtract(one, f_c1, out=da1_all3)  # (24)
        np.multiply(da1_all3, padded1_part2, out=da1_all3)  # (24)
        np.multiply(da1_all3, f_c1, out=da1_all3)  # (24)
        np.subtract(one, i_c1, out=t_TNH)  # (24)
        np.multiply(t_TNH, g_c1, out=da1_all4)  # (24)
        np.multiply(da1_all4, i_c1, out=da1_all4)  # (24)
        np.multiply(h_tanh, h_tanh, out=dc1_all)  # (23)
        np.subtract(one, dc1_all, out=dc1_all)  # (23)
        np.multiply(dc1_all, o_h, out=dc1_all)  # (23)
        np.dot(da2_rows, R_T, out=dh_2_rows)  # (20)
        for (
            i, da1_after_rows, dh_1_i, dh_2_i, dh_i, dc1_all_i, dc1_i, da1_all4_i, da1_i, da1_all3_i, da1_i2,
            da1_all_i, da1_i3, da1_all2_i, da1_i4, dc1_after, f_c1_after,
        ) in steps:
            np.dot(da1_after_rows, U_T, out=dh_1_i)  # (21)
            np.add(dh_1_i, dh_2_i, out=dh_i)  # (22)
            if i + 2 <= T:  # (23)
                np.multiply(dc1_after, f_c1_after, out=dc1_i)  # (23)
            else:  # (23)
                dc1_i.fill(0)  # (23)
            np.multiply(dc1_all_i, dh_i, out=t_NH)  # (23)
            np.add(dc1_i, t_NH, out=dc1_i)  # (23)
            np.multiply(da1_all4_i, dc1_i, out=da1_i)  # (24)
            np.multiply(da1_all3_i, dc1_i, out=da1_i2)  # (24)
            np.multiply(da1_all_i, dc1_i, out=da1_i3)  # (24)
            np.multiply(da1_all2_i, dh_i, out=da1_i4)  # (24)
        padded1[:1] = 0  # (25)
        np.copyto(padded1_part, h)  # (25)
        np.dot(padded1_T, da1_rows, out=dU_rows)  # (25)
        np.dot(h_T, da2_rows, out=dR)  # (26)
        np.dot(ones_NT, da1_rows, out=db_flat)  # (27)
        np.dot(da1_rows, W_T, out=dx1_rows)  # (28)
        _transposed(x, out=at_TN)  # (29)
        _add_rows(dtable, at_TN, dx1, range_, order, ordered)  # (29)
        np.dot(x1_T, da1_rows, out=dW_rows)  # (30)

    return run


def _metrics(params, tensors, N, T, V):
    """The metrics: equations (31), (32)."""
    p, c_accuracy, accuracy = tensors["p"], tensors["c_accuracy"], tensors["accuracy"]
    is_NT = tensors["is_NT"]
    c1_ = N * T  # (32)

    def run(data):
        y = data["y"]
        p.argmax(2, out=c_accuracy)  # (31)
        np.equal(c_accuracy, y, out=is_NT)  # (32)
        accuracy[...] = DTYPE(is_NT.sum()) / c1_  # (32)

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
        "x1": (0, 1216 * N * T + 3 * N * T * V, (T, N, E)),
        "z1": (0, 0, (T, N, 4, H)),
        "a1_all": (0, 0, (T, N, 4, H)),
        "r_a1": (0, 256 * N * T, (T, N, 4, H)),
        "a1": (0, 512 * N * T, (T, N, 4, H)),
        "i_c1": (0, 768 * N * T, (T, N, H)),
        "f_c1": (0, 832 * N * T, (T, N, H)),
        "g_c1": (0, 896 * N * T, (T, N, H)),
        "c1": (0, 960 * N * T, (T, N, H)),
        "o_h": (0, 1024 * N * T, (T, N, H)),
        "h_tanh": (0, 1088 * N * T, (T, N, H)),
        "h": (0, 1152 * N * T, (T, N, H)),
        "z2": (0, 1216 * N * T, (T, N, V)),
        "a2": (0, 1216 * N * T, (T, N, V)),
        "m_a2": (0, 0, (T, N)),
        "e_p": (0, 1216 * N * T + N * T * V, (T, N, V)),
        "s_p": (0, N * T, (T, N)),
        "p": (0, 1216 * N * T + 2 * N * T * V, (N, T, V)),
        "loss": (0, 1216 * N * T + N * T * V, ()),
        "da2": (0, 1216 * N * T, (T, N, V)),
        "da1_all": (0, 320 * N * T + 64 * N, (T, N, H)),
        "da1_all2": (0, 384 * N * T + 64 * N, (T, N, H)),
        "da1_all3": (0, 448 * N * T + 64 * N, (T, N, H)),
        "da1_all4": (0, 896 * N * T, (T, N, H)),
        "dc1_all": (0, 1088 * N * T, (T, N, H)),
        "dh_2": (0, 256 * N * T, (T, N, H)),
        "dh_1": (0, 512 * N * T + 64 * N, (T, N, H)),
        "dh": (0, 576 * N * T + 64 * N, (T, N, H)),
        "dc1": (0, 640 * N * T + 64 * N, (T, N, H)),
        "da1": (0, 0, (T, N, 4, H)),
        "dx1": (0, 256 * N * T, (T, N, E)),
        "c_accuracy": (1, 0, (N, T)),
        "accuracy": (0, 0, ()),
        "zeros_NH": (0, 1248 * N * T + 256 * N + 3 * N * T * V + 49152, (N, 64)),
        "ones_V": (0, 1249 * N * T + 384 * N + 3 * N * T * V + 49152, (V,)),
        "range_T": (1, 3 * N * T, (T,)),
        "range_N": (1, 3 * N * T + T, (N,)),
        "range_V": (1, 3 * N * T + N + T, (V,)),
        "ones_NT": (0, 1248 * N * T + 320 * N + 3 * N * T * V + 49152, (N * T,)),
        "zeros_N4H": (0, 1248 * N * T + 3 * N * T * V, (N, 4, 64)),
        "range_": (1, N * T, (N * T,)),
        "at_TN": (1, 0, (T, N)),
        "t_NH": (0, 1249 * N * T + 320 * N + 3 * N * T * V + 49152, (N, 64)),
        "t_NT": (0, 2 * N * T, (N, T)),
        "t_TN": (0, 2 * N * T, (T, N)),
        "at_TN2": (1, 2 * N * T, (T, N)),
        "t_TN2": (0, 3 * N * T, (T, N)),
        "is_TNV": (2, 0, (T, N, V)),
        "padded1": (0, 256 * N * T, (T + 1, N, 64)),
        "t_TNH": (0, 0, (T, N, 64)),
        "order": (1, 2 * N * T, (N * T,)),
        "ordered": (0, 288 * N * T, (T, N, 32)),
        "is_NT": (2, 0, (N, T)),
        "g_clipped": (0, 1248 * N * T + 256 * N + 3 * N * T * V, (16384,)),
        "t_block": (0, 1248 * N * T + 256 * N + 3 * N * T * V + 16384, (16384,)),
        "t_block2": (0, 1248 * N * T + 256 * N + 3 * N * T * V + 32768, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    V = sizes["V"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "table": math.sqrt(6 / (E + V)) * rng.uniform(-1, 1, (V, E)),
        "W": math.sqrt(6 / (4 * H + E)) * rng.uniform(-1, 1, (E, 4, H)),
        "U": math.sqrt(6 / (5 * H)) * rng.uniform(-1, 1, (H, 4, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((4, H)),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "R": math.sqrt(6 / (H + V)) * rng.uniform(-1, 1, (H, V)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(V),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _add_rows, _sigmoid, _transposed


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
