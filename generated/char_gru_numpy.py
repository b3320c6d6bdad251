"""char_gru: a network that trains in NumPy.

Derived from the network char_gru; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   x1[n,i,k] = table[x[n,i],k]
    (2)   z1[n,i,l,m] = Σ_k x1[n,i,k]·W[k,l,m]
    (3)   a1[n,i,l,m] = z1[n,i,l,m] + b[l,m]
    (4)   r_a1_2[n,i,l,m] = Σ_j h[n,i - 1,j]·U[j,l,m]
    (5)   a1_2[n,i,l,m] = r_a1_2[n,i,l,m] + d[l,m]
    (6)   r_h[n,i,m] = 1/(1 + exp(-a1[n,i,0,m] - a1_2[n,i,0,m]))
    (7)   u_h[n,i,m] = 1/(1 + exp(-a1[n,i,1,m] - a1_2[n,i,1,m]))
    (8)   n_h[n,i,m] = tanh(a1_2[n,i,2,m]·r_h[n,i,m] + a1[n,i,2,m])
    (9)   h[n,i,m] = (1 - u_h[n,i,m])·n_h[n,i,m] + h[n,i - 1,m]·u_h[n,i,m]
    (10)  z2[n,i,j] = Σ_m h[n,i,m]·R[m,j]
    (11)  a2[n,i,j] = z2[n,i,j] + c[j]
    (12)  m_a2[n,i] = max_j a2[n,i,j]
    (13)  e_p[n,i,j] = exp(a2[n,i,j] - m_a2[n,i])
    (14)  s_p[n,i] = Σ_j e_p[n,i,j]
    (15)  p[n,i,j] = e_p[n,i,j]/s_p[n,i]
    (16)  loss = Σ_n,i (log(s_p[n,i]) + m_a2[n,i] - a2[n,i,y[n,i]])/(N·T)
    (17)  da2[n,i,j] = (p[n,i,j] - [j = y[n,i]])/(N·T)
    (18)  dc[j] = Σ_n,i da2[n,i,j]
    (19)  dh_3[n,i,m] = Σ_j da2[n,i,j]·R[m,j]
    (20)  dh_1[n,i,m] = Σ_l,m2 [i < T - 1]·da1_2[n,i + 1,l,m2]·U[m,l,m2]
    (21)  dh[n,i,m] = [i < T - 1]·dh[n,i + 1,m]·u_h[n,i + 1,m] + dh_1[n,i,m] + dh_3[n,i,m]
    (22)  dn_h[n,i,m] = (1 - u_h[n,i,m])·dh[n,i,m]
    (23)  dr_h[n,i,m] = (1 - n_h[n,i,m]²)·a1_2[n,i,2,m]·dn_h[n,i,m]
    (24)  da1_2[n,i,l,m] = [l = 0]·(1 - r_h[n,i,m])·dr_h[n,i,m]·r_h[n,i,m] + [l = 1]·dn_h[n,i,m]·(h[n,i - 1,m] - n_h[n,i,m])·u_h[n,i,m] + [l = 2]·(1 - n_h[n,i,m]²)·dn_h[n,i,m]·r_h[n,i,m]
    (25)  dU[j,l,m] = Σ_n,i h[n,i - 1,j]·da1_2[n,i,l,m]
    (26)  dR[m,j] = Σ_n,i h[n,i,m]·da2[n,i,j]
    (27)  dd[l,m] = Σ_n,i da1_2[n,i,l,m]
    (28)  da1[n,i,l,m] = [l = 0]·(1 - r_h[n,i,m])·dr_h[n,i,m]·r_h[n,i,m] + [l = 1]·dn_h[n,i,m]·(h[n,i - 1,m] - n_h[n,i,m])·u_h[n,i,m] + [l = 2]·(1 - n_h[n,i,m]²)·dn_h[n,i,m]
    (29)  db[l,m] = Σ_n,i da1[n,i,l,m]
    (30)  dx1[n,i,k] = Σ_l,m da1[n,i,l,m]·W[k,l,m]
    (31)  dtable[i,j] = Σ_n,i2 [i = x[n,i2]]·dx1[n,i2,j]
    (32)  dW[k,l,m] = Σ_n,i x1[n,i,k]·da1[n,i,l,m]
    (33)  c_accuracy[n,i] = argmax_j p[n,i,j]
    (34)  accuracy = Σ_n,i [c_accuracy[n,i] = y[n,i]]/(N·T)

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

    flops      18·E·H·N·T + 6·H·N·T·V + 154·H·N·T + 16·N·T·V + 18·N·T·H² + 9·N·T + E·N·T
             = 400·N·T·V + 120,489·N·T
    bytes      8 + 112·N·T·V + 48·E·N·T + 928·H·N·T + 24·H·V + 32·H·N + 48·T·H² + 72·E·H + 80·N·T
               + 8·E·V + 16·V + 24·H² + 96·H
             = 112·N·T·V + 61,008·N·T + 1,808·V + 196,608·T + 2,048·N + 251,912
    workspace  33·N·T·V + 16,672·N·T + 16·V + 2,568·N + 8·T + 393,224 bytes
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("N", "T", "V")
POSITIONS = ("range_T", "range_N", "range_V", "range_")
ONES = ("ones_V", "ones_NT")
E, H = 32, 64
NAME = "char_gru"
SIZES = {"E": E, "H": H}
PARAMETERS = {
    "table": ("V", "E"), "W": ("E", 3, "H"), "U": ("H", 3, "H"), "b": (3, "H"), "d": (3, "H"),
    "R": ("H", "V"), "c": ("V",),
}
INPUTS = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("V", None)}
FACTS = {}
FORWARD_INPUTS = ("x",)
OUTPUTS, LOSS = ("p",), "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"table": "dtable", "W": "dW", "U": "dU", "b": "db", "d": "dd", "R": "dR", "c": "dc"}
EQUATIONS = {
    1: "x1", 2: "z1", 3: "a1", 4: "r_a1_2", 5: "a1_2", 6: "r_h", 7: "u_h", 8: "n_h", 9: "h", 10: "z2",
    11: "a2", 12: "m_a2", 13: "e_p", 14: "s_p", 15: "p", 16: "loss", 17: "da2", 18: "dc", 19: "dh_3",
    20: "dh_1", 21: "dh", 22: "dn_h", 23: "dr_h", 24: "da1_2", 25: "dU", 26: "dR", 27: "dd", 28: "da1",
    29: "db", 30: "dx1", 31: "dtable", 32: "dW", 33: "c_accuracy", 34: "accuracy",
}
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08, "clip_norm": 1.0}
Array = np.ndarray


# ---- The network ----


def _forward(params, tensors, N, T, V):
    """The outputs: equations (1) to (15)."""
    table, W, U, b = params["table"], params["W"], params["U"], params["b"]
    d, R, c = params["d"], params["R"], params["c"]
    x1, z1, a1, r_h_all = tensors["x1"], tensors["z1"], tensors["a1"], tensors["r_h_all"]
    u_h_all, r_a1_2, a1_2, r_h = tensors["u_h_all"], tensors["r_a1_2"], tensors["a1_2"], tensors["r_h"]
    u_h, n_h, h, z2 = tensors["u_h"], tensors["n_h"], tensors["h"], tensors["z2"]
    a2, m_a2, e_p, s_p = tensors["a2"], tensors["m_a2"], tensors["e_p"], tensors["s_p"]
    p = tensors["p"]
    at_TN, t_NH, t_NT, zeros_NH = tensors["at_TN"], tensors["t_NH"], tensors["t_NT"], tensors["zeros_NH"]
    ones_V = tensors["ones_V"]
    x1_rows = x1.reshape(N * T, E)
    W_rows = W.reshape(E, 3 * H)
    z1_rows = z1.reshape(N * T, 3 * H)
    a1_part = a1[:, :, 0]
    a1_part2 = a1[:, :, 1]
    U_rows = U.reshape(H, 3 * H)
    steps = [
        (
            h[i - 1] if i >= 1 else zeros_NH, r_a1_2[i].reshape(N, 3 * H), r_a1_2[i], a1_2[i], a1_2[i, :, 0],
            r_h_all[i], r_h[i], a1_2[i, :, 1], u_h_all[i], u_h[i], a1_2[i, :, 2], n_h[i], a1[i, :, 2], h[i],
        )
        for i in range(T)
    ]
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
        np.add(z1, b, out=a1)  # (3)
        np.copyto(r_h_all, a1_part)  # (6)
        np.copyto(u_h_all, a1_part2)  # (7)
        for (
            h_before, r_a1_2_i_rows, r_a1_2_i, a1_2_i, a1_2_i2, r_h_all_i, r_h_i, a1_2_i3, u_h_all_i, u_h_i,
            a1_2_i4, n_h_i, a1_i, h_i,
        ) in steps:
            np.dot(h_before, U_rows, out=r_a1_2_i_rows)  # (4)
            np.add(r_a1_2_i, d, out=a1_2_i)  # (5)
            np.add(a1_2_i2, r_h_all_i, out=r_h_i)  # (6)
            _sigmoid(r_h_i, out=r_h_i)  # (6)
            np.add(a1_2_i3, u_h_all_i, out=u_h_i)  # (7)
            _sigmoid(u_h_i, out=u_h_i)  # (7)
            np.multiply(a1_2_i4, r_h_i, out=n_h_i)  # (8)
            np.add(a1_i, n_h_i, out=n_h_i)  # (8)
            np.tanh(n_h_i, out=n_h_i)  # (8)
            np.multiply(h_before, u_h_i, out=h_i)  # (9)
            np.subtract(1, u_h_i, out=t_NH)  # (9)
            np.multiply(t_NH, n_h_i, out=t_NH)  # (9)
            np.add(t_NH, h_i, out=h_i)  # (9)
        np.dot(h_rows, R, out=z2_rows)  # (10)
        np.add(z2, c, out=a2)  # (11)
        a2.max(2, out=m_a2)  # (12)
        np.subtract(a2, m_a2_column, out=e_p)  # (13)
        np.exp(e_p, out=e_p)  # (13)
        np.dot(e_p_rows, ones_V, out=s_p_flat)  # (14)
        _transposed(s_p, out=t_NT)  # (15)
        np.divide(e_p_turned, t_NT_column, out=p)  # (15)

    return run


def _loss(params, tensors, N, T, V):
    """The loss: equation (16)."""
    a2, m_a2, s_p, loss = tensors["a2"], tensors["m_a2"], tensors["s_p"], tensors["loss"]
    at_TN, t_TN, at_TN2, t_TN2 = tensors["at_TN"], tensors["t_TN"], tensors["at_TN2"], tensors["t_TN2"]
    range_T, range_N = tensors["range_T"], tensors["range_N"]
    c1 = np.array(N, np.int64)  # (16)
    range_T_column = range_T[:, None]
    c2 = np.array(V, np.int64)  # (16)
    a2_flat = a2.reshape(-1)
    c3 = N * T  # (16)

    def run(data):
        y = data["y"]
        np.multiply(range_T_column, c1, out=at_TN)  # (16)
        np.add(at_TN, range_N, out=at_TN)  # (16)
        np.multiply(at_TN, c2, out=at_TN)  # (16)
        _transposed(y, out=at_TN2)  # (16)
        np.add(at_TN, at_TN2, out=at_TN)  # (16)
        np.take(a2_flat, at_TN, out=t_TN, mode="clip")  # (16)
        np.subtract(m_a2, t_TN, out=t_TN)  # (16)
        np.log(s_p, out=t_TN2)  # (16)
        np.add(t_TN, t_TN2, out=t_TN)  # (16)
        loss[...] = t_TN.sum() / c3  # (16)

    return run


def _backward(params, tensors, gradients, N, T, V):
    """The gradients: equations (17) to (32)."""
    W, U, R = params["W"], params["U"], params["R"]
    x1, a1_2, r_h, u_h = tensors["x1"], tensors["a1_2"], tensors["r_h"], tensors["u_h"]
    n_h, h, p, da2 = tensors["n_h"], tensors["h"], tensors["p"], tensors["da2"]
    da1_2_all, da1_2_all2, da1_2_all3 = tensors["da1_2_all"], tensors["da1_2_all2"], tensors["da1_2_all3"]
    dn_h_all, dr_h_all, dh_3 = tensors["dn_h_all"], tensors["dr_h_all"], tensors["dh_3"]
    dh_1, dh, dn_h, dr_h = tensors["dh_1"], tensors["dh"], tensors["dn_h"], tensors["dr_h"]
    da1_2, da1, dx1 = tensors["da1_2"], tensors["da1"], tensors["dx1"]
    dtable, dW, dU, db = gradients["table"], gradients["W"], gradients["U"], gradients["b"]
    dd, dR, dc = gradients["d"], gradients["R"], gradients["c"]
    at_TN, is_TNV, padded1, order = tensors["at_TN"], tensors["is_TNV"], tensors["padded1"], tensors["order"]
    ordered, range_V, ones_NT = tensors["ordered"], tensors["range_V"], tensors["ones_NT"]
    zeros_N3H, range_ = tensors["zeros_N3H"], tensors["range_"]
    at_TN_column = at_TN[..., None]
    p_turned = p.transpose(1, 0, 2)
    c1 = np.array(N * T, DTYPE)  # (17)
    da2_rows = da2.reshape(N * T, V)
    one = np.array(1, DTYPE)
    padded1_part = padded1[1 : T + 1, :, :]
    padded1_part2 = padded1[:T]
    a1_2_part = a1_2[:, :, 2]
    R_T = R.T
    dh_3_rows = dh_3.reshape(N * T, H)
    U_T = U.reshape(H, 3 * H).T
    steps = [
        (
            i, da1_2[i + 1] if i + 2 <= T else zeros_N3H, dh_1[i], dh[i], dh_3[i], dn_h_all[i], dn_h[i],
            dr_h_all[i], dr_h[i], da1_2_all2[i], da1_2[i, :, 0], da1_2_all3[i], da1_2[i, :, 1], da1_2_all[i],
            da1_2[i, :, 2], dh[i + 1] if i + 2 <= T else None, u_h[i + 1] if i + 2 <= T else None,
        )
        for i in reversed(range(T))
    ]
    padded1_T = padded1[:T].reshape(N * T, H).T
    da1_2_rows = da1_2.reshape(N * T, 3 * H)
    dU_rows = dU.reshape(H, 3 * H)
    h_T = h.reshape(N * T, H).T
    dd_flat = dd.reshape(3 * H)
    da1_part = da1[:, :, 0]
    da1_part2 = da1[:, :, 1]
    da1_part3 = da1[:, :, 2]
    da1_rows = da1.reshape(N * T, 3 * H)
    db_flat = db.reshape(3 * H)
    W_T = W.reshape(E, 3 * H).T
    dx1_rows = dx1.reshape(N * T, E)
    x1_T = x1.reshape(N * T, E).T
    dW_rows = dW.reshape(E, 3 * H)

    def run(data):
        x, y = data["x"], data["y"]
        _transposed(y, out=at_TN)  # (17)
        np.equal(range_V, at_TN_column, out=is_TNV)  # (17)
        np.subtract(p_turned, is_TNV, out=da2)  # (17)
        np.divide(da2, c1, out=da2)  # (17)
        np.dot(ones_NT, da2_rows, out=dc)  # (18)
        np.multiply(n_h, n_h, out=da1_2_all)  # (24)
        np.subtract(one, da1_2_all, out=da1_2_all)  # (24)
        np.multiply(da1_2_all, r_h, out=da1_2_all)  # (24)
        np.subtract(one, r_h, out=da1_2_all2)  # (24)
        np.multiply(da1_2_all2, r_h, out=da1_2_all2)  # (24)
        padded1[:1] = 0  # (24)
        np.copyto(padded1_part, h)  # (24)
        np.subtract(padded1_part2, n_h, out=da1_2_all3)  # (24)
        np.multiply(da1_2_all3, u_h, out=da1_2_all3)  # (24)
        np.subtract(one, u_h, out=dn_h_all)  # (22)
        np.multiply(n_h, n_h, out=dr_h_all)  # (23)
        np.subtract(one, dr_h_all, out=dr_h_all)  # (23)
        np.multiply(dr_h_all, a1_2_part, out=dr_h_all)  # (23)
        np.dot(da2_rows, R_T, out=dh_3_rows)  # (19)
        for (
            i, da1_2_after, dh_1_i, dh_i, dh_3_i, dn_h_all_i, dn_h_i, dr_h_all_i, dr_h_i, da1_2_all2_i,
            da1_2_i, da1_2_all3_i, da1_2_i2, da1_2_all_i, da1_2_i3, dh_after, u_h_after,
        ) in steps:
            dh_1_left = da1_2_after  # (20)
            np.dot(dh_1_left.reshape(N, 3 * H), U_T, out=dh_1_i)  # (20)
            if i + 2 <= T:  # (21)
                np.multiply(dh_after, u_h_after, out=dh_i)  # (21)
            else:  # (21)
                dh_i.fill(0)  # (21)
            np.add(dh_i, dh_1_i, out=dh_i)  # (21)
            np.add(dh_i, dh_3_i, out=dh_i)  # (21)
            np.multiply(dh_i, dn_h_all_i, out=dn_h_i)  # (22)
            np.multiply(dn_h_i, dr_h_all_i, out=dr_h_i)  # (23)
            np.multiply(da1_2_all2_i, dr_h_i, out=da1_2_i)  # (24)
            np.multiply(da1_2_all3_i, dn_h_i, out=da1_2_i2)  # (24)
            np.multiply(da1_2_all_i, dn_h_i, out=da1_2_i3)  # (24)
        padded1[:1] = 0  # (25)
        np.copyto(padded1_part, h)  # (25)
        np.dot(padded1_T, da1_2_rows, out=dU_rows)  # (25)
        np.dot(h_T, da2_rows, out=dR)  # (26)
        np.dot(ones_NT, da1_2_rows, out=dd_flat)  # (27)
        np.subtract(one, r_h, out=da1_part)  # (28)
        np.multiply(da1_part, dr_h, out=da1_part)  # (28)
        np.multiply(da1_part, r_h, out=da1_part)  # (28)
        padded1[:1] = 0  # (28)
        np.copyto(padded1_part, h)  # (28)
        np.subtract(padded1_part2, n_h, out=da1_part2)  # (28)
        np.multiply(dn_h, da1_part2, out=da1_part2)  # (28)
        np.multiply(da1_part2, u_h, out=da1_part2)  # (28)
        np.multiply(n_h, n_h, out=da1_part3)  # (28)
        np.subtract(one, da1_part3, out=da1_part3)  # (28)
        np.multiply(da1_part3, dn_h, out=da1_part3)  # (28)
        np.dot(ones_NT, da1_rows, out=db_flat)  # (29)
        np.dot(da1_rows, W_T, out=dx1_rows)  # (30)
        _transposed(x, out=at_TN)  # (31)
        _add_rows(dtable, at_TN, dx1, range_, order, ordered)  # (31)
        np.dot(x1_T, da1_rows, out=dW_rows)  # (32)

    return run


def _metrics(params, tensors, N, T, V):
    """The metrics: equations (33) to (34)."""
    p, c_accuracy, accuracy = tensors["p"], tensors["c_accuracy"], tensors["accuracy"]
    is_NT = tensors["is_NT"]
    c1 = N * T  # (34)

    def run(data):
        y = data["y"]
        p.argmax(2, out=c_accuracy)  # (33)
        np.equal(c_accuracy, y, out=is_NT)  # (34)
        accuracy[...] = DTYPE(is_NT.sum()) / c1  # (34)

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
        g_scale[...] = (clip_norm / g_norm if clip_norm < g_norm else 1.0)  # (U3)
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
        "x1": (0, 2048 * N * T + 4 * N * T * V + 64 * N, (T, N, E)),
        "z1": (0, 0, (T, N, 3, H)),
        "a1": (0, 0, (T, N, 3, H)),
        "r_h_all": (0, 576 * N * T, (T, N, H)),
        "u_h_all": (0, 640 * N * T, (T, N, H)),
        "r_a1_2": (0, 192 * N * T, (T, N, 3, H)),
        "a1_2": (0, 384 * N * T, (T, N, 3, H)),
        "r_h": (0, 704 * N * T, (T, N, H)),
        "u_h": (0, 768 * N * T, (T, N, H)),
        "n_h": (0, 832 * N * T, (T, N, H)),
        "h": (0, 896 * N * T, (T, N, H)),
        "z2": (0, 960 * N * T, (T, N, V)),
        "a2": (0, 960 * N * T, (T, N, V)),
        "m_a2": (0, 0, (T, N)),
        "e_p": (0, 960 * N * T + N * T * V, (T, N, V)),
        "s_p": (0, N * T, (T, N)),
        "p": (0, 2 * N * T * V + 960 * N * T, (N, T, V)),
        "loss": (0, 2081 * N * T + 320 * N + 4 * N * T * V + V + 49152, ()),
        "da2": (0, 960 * N * T, (T, N, V)),
        "da1_2_all": (0, 256 * N * T + 64 * N, (T, N, H)),
        "da1_2_all2": (0, 576 * N * T, (T, N, H)),
        "da1_2_all3": (0, 640 * N * T, (T, N, H)),
        "dn_h_all": (0, 192 * N * T, (T, N, H)),
        "dr_h_all": (0, 960 * N * T + N * T * V, (T, N, H)),
        "dh_3": (0, 320 * N * T + 64 * N, (T, N, H)),
        "dh_1": (0, 384 * N * T + 64 * N, (T, N, H)),
        "dh": (0, 448 * N * T + 64 * N, (T, N, H)),
        "dn_h": (0, 1024 * N * T + N * T * V, (T, N, H)),
        "dr_h": (0, 1088 * N * T + N * T * V, (T, N, H)),
        "da1_2": (0, 0, (T, N, 3, H)),
        "da1": (0, 0, (T, N, 3, H)),
        "dx1": (0, 192 * N * T, (T, N, E)),
        "c_accuracy": (1, 0, (N, T)),
        "accuracy": (0, 0, ()),
        "zeros_NH": (0, 2080 * N * T + 256 * N + 4 * N * T * V + 49152, (N, 64)),
        "ones_V": (0, 2081 * N * T + 320 * N + 4 * N * T * V + 49152, (V,)),
        "range_T": (1, 3 * N * T, (T,)),
        "range_N": (1, 3 * N * T + T, (N,)),
        "range_V": (1, 3 * N * T + N + T, (V,)),
        "ones_NT": (0, 2080 * N * T + 320 * N + 4 * N * T * V + 49152, (N * T,)),
        "zeros_N3H": (0, 2080 * N * T + 4 * N * T * V + 64 * N + 49152, (N, 3, 64)),
        "range_": (1, N * T, (N * T,)),
        "at_TN": (1, 0, (T, N)),
        "t_NH": (0, 960 * N * T, (N, 64)),
        "t_NT": (0, 2 * N * T, (N, T)),
        "t_TN": (0, 2 * N * T, (T, N)),
        "at_TN2": (1, 2 * N * T, (T, N)),
        "t_TN2": (0, 3 * N * T, (T, N)),
        "is_TNV": (2, 0, (T, N, V)),
        "padded1": (0, 192 * N * T, (T + 1, N, 64)),
        "order": (1, 2 * N * T, (N * T,)),
        "ordered": (0, 224 * N * T, (T, N, 32)),
        "is_NT": (2, 0, (N, T)),
        "g_clipped": (0, 0, (16384,)),
        "t_block": (0, 16384, (16384,)),
        "t_block2": (0, 32768, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    V = sizes["V"]
    return {
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "table": math.sqrt(6 / (E + V)) * rng.uniform(-1, 1, (V, E)),
        "W": math.sqrt(6 / (3 * H + E)) * rng.uniform(-1, 1, (E, 3, H)),
        "U": math.sqrt(3 / (2 * H)) * rng.uniform(-1, 1, (H, 3, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((3, H)),
        "d": np.zeros((3, H)),
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "R": math.sqrt(6 / (H + V)) * rng.uniform(-1, 1, (H, V)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(V),
    }


# ---- Functions that NumPy lacks ----


def _add_rows(target: Array, rows: Array, values: Array, count_up: Array, at: Array, ordered: Array) -> None:
    """target[r] = the sum of the values whose row is r. Where most rows repeat they are sorted first, beside
    their positions (`count_up` is 0, 1, 2, …), so that each sum is made in one go; `at` and `ordered` have
    room for that."""
    rows, values, sums = rows.reshape(-1), values.reshape(rows.size, -1), target.reshape(len(target), -1)
    count = rows.size
    if 2 * len(sums) > count:
        sums.fill(0)
        for k in range(values.shape[1]):
            np.add.at(sums[:, k], rows, values[:, k])
        return
    np.multiply(rows, count, out=at)
    np.add(at, count_up, out=at)
    at.sort()
    np.remainder(at, count, out=at)
    np.take(values, at, 0, out=ordered.reshape(values.shape), mode="clip")
    # What `at` held is read: here follow where each row's values start, and which rows have none.
    starts, absent = at[: len(sums)], at[len(sums) :].view(bool)[: len(sums)]
    starts.fill(0)
    np.add.at(starts, rows, 1)
    np.equal(starts, 0, out=absent)
    np.cumsum(starts, out=starts)
    starts[1:], starts[0] = starts[:-1], 0
    here = slice(0, int(rows.max()) + 1)  # rows behind the last one would start behind all values
    np.add.reduceat(ordered.reshape(values.shape), starts[here], axis=0, out=sums[here])
    np.copyto(sums, 0, where=absent[:, None])


def _sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-x)); the exponential of a large -x is infinite, and its inverse 0."""
    out = np.empty(np.shape(x), DTYPE) if out is None else out
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1, out=out)
    return np.reciprocal(out, out=out)


def _transposed(x: Array, out: Array | None = None) -> Array:
    """x.T as a copy, made in panels: NumPy reads x.T beside other arrays against the order of memory."""
    out = np.empty(x.shape[::-1], x.dtype) if out is None else out
    for k in range(0, len(x), 16):
        out[:, k : k + 16] = x[k : k + 16].T
    return out


# ---- Arrays that come in ----


class DataError(ValueError):
    """Arrays do not fit the network; the message says which and what would fit."""


class Arena(MutableMapping[str, Array]):
    """Named arrays that are views of one flat row-major array; assigning to a name copies into its view."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: Any) -> None:
        self._cut(np.zeros(sum(math.prod(shape) for shape in shapes.values()), dtype), shapes)

    def _cut(self, flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.flat = flat
        self._views: dict[str, Array] = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            self._views[name] = self.flat[start:stop].reshape(shape)
            start = stop

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __setitem__(self, name: str, value: Array) -> None:
        self._views[name][...] = value

    def __delitem__(self, name: str) -> None:
        raise TypeError("an arena keeps all its arrays")

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __getstate__(self) -> tuple[Array, dict[str, tuple[int, ...]]]:
        return self.flat, {name: view.shape for name, view in self.items()}

    def __setstate__(self, state: tuple[Array, dict[str, tuple[int, ...]]]) -> None:
        self._cut(*state)

    def like(self) -> Arena:
        """An arena of zeros with the same names and shapes."""
        return Arena({name: view.shape for name, view in self.items()}, self.flat.dtype)

    def copy(self) -> Arena:
        """An arena with the same values."""
        other = self.like()
        other.flat[:] = self.flat
        return other


def _extent(extent: Any, sizes: Mapping[str, int]) -> int | None:
    """The value of an extent, or None if a size of it is not known yet."""
    if isinstance(extent, str):
        return sizes.get(extent)
    try:
        return int(extent(sizes) if callable(extent) else extent)
    except KeyError:  # parameters don't show the size of images
        return None


def _shape_text(shape: tuple[Any, ...]) -> str:
    words = [extent if isinstance(extent, (str, int)) else "…" for extent in shape]
    return f"({', '.join(map(str, words))}{',' if len(words) == 1 else ''})"


def _fit_shape(name: str, array: Array, shape: tuple[Any, ...], sizes: dict[str, int]) -> None:
    """Checks a shape and records the open sizes that it shows."""
    known = {size: sizes[size] for e in shape if isinstance(size := e, str) and size in sizes}
    fits = array.ndim == len(shape)
    if fits:
        for axis, extent in enumerate(shape):
            if isinstance(extent, str):
                fits = fits and sizes.setdefault(extent, array.shape[axis]) == array.shape[axis]
        fits = fits and all(
            _extent(extent, sizes) in (None, array.shape[axis])
            for axis, extent in enumerate(shape)
            if callable(extent)
        )
        fits = fits and all(e == array.shape[k] for k, e in enumerate(shape) if isinstance(e, int))
    if not fits:
        sized = ", ".join(f"{size} = {value}" for size, value in known.items())
        raise DataError(
            f"{name} has shape {array.shape}, the network needs {_shape_text(shape)}"
            + (f" with {sized}" if sized else "")
        )


def _as_dtype(name: str, value: Any) -> Array:
    """The value as a C-contiguous array of reals (or integers, where the network counts with it)."""
    array = np.asarray(value)
    if name in INTEGERS:
        if array.dtype.kind not in "iu":
            raise DataError(f"{name} has dtype {array.dtype}, the network needs integers")
        return np.asarray(array, np.int64, order="C")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} has dtype {array.dtype}, the network needs real numbers")
    return np.asarray(array, DTYPE, order="C")


def _check_values(name: str, array: Array, sizes: Mapping[str, int]) -> None:
    """Refuses values outside what the network states of them."""
    if name in INTEGERS:
        bound, ignored = INTEGERS[name]
        top = None if bound is None else _extent(bound, sizes)
        array = array if ignored is None else array[array != ignored]
        if top is not None and array.size and not (array.min() >= 0 and array.max() < top):
            wrong = array.min() if array.min() < 0 else array.max()
            besides = "" if ignored is None else f", or be {ignored}"
            raise DataError(f"{name} holds {wrong}; its values must lie from 0 to {top - 1}{besides}")
        return
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{name} holds {array[where]} at {where}; every value must be finite")
    _check_facts(name, array)


def _check_facts(name: str, array: Array) -> None:
    """Refuses values without the facts that the gradients rest on."""
    for fact, axis in FACTS.get(name, ()):
        if not _holds(fact, array, axis):
            over = f" over axis {axis}" if fact in ("sums to one", "one hot") else ""
            raise DataError(
                f"{name} must be {fact}{over}" if "sums" not in fact else f"{name} must sum to one{over}"
            )


def _holds(fact: str, array: Array, axis: int) -> bool:
    if fact == "binary":
        return bool(((array == 0) | (array == 1)).all())
    if fact == "positive":
        return bool((array > 0).all())
    if fact == "nonnegative":
        return bool((array >= 0).all())
    if fact == "one hot" and not ((array == 0) | (array == 1)).all():
        return False
    if fact in ("sums to one", "one hot"):
        return bool(np.abs(array.sum(axis) - 1).max(initial=0) < 1e-4)
    if fact == "symmetric":
        skew = np.abs(array - array.swapaxes(-1, -2)).max(initial=0)
        return bool(skew <= 1e-5 * np.abs(array).max(initial=0))
    if fact == "lower triangular":
        return not np.triu(array, 1).any()
    if fact == "upper triangular":
        return not np.tril(array, -1).any()
    return True


def _checked(
    given: Mapping[str, Any], names: tuple[str, ...], sizes: dict[str, int], *, values: bool = True
) -> dict[str, Array]:
    """The arrays `names` of `given`, checked; `sizes` gains the open sizes that they show."""
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in INPUTS]
    if missing or unknown:
        what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
        raise DataError(
            f"{what}; the network reads " + ", ".join(f"{n}{_shape_text(INPUTS[n])}" for n in names)
        )
    data = {name: _as_dtype(name, given[name]) for name in names}
    for name, array in data.items():
        _fit_shape(name, array, INPUTS[name], sizes)
    if values:
        for name, array in data.items():
            _check_values(name, array, sizes)
    return data


def _as_arena(params: Mapping[str, Any]) -> tuple[Arena, dict[str, int]]:
    """Parameters as an arena (itself, or copied in) and the sizes that their shapes show."""
    sizes = dict(SIZES)
    missing = [name for name in PARAMETERS if name not in params]
    unknown = [name for name in params if name not in PARAMETERS]
    if missing or unknown:
        what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
        raise DataError(f"parameters: {what}; the network has {', '.join(PARAMETERS) or 'none'}")
    for name, shape in PARAMETERS.items():
        _fit_shape(name, np.asarray(params[name]), shape, sizes)
    if isinstance(params, Arena) and params.flat.dtype == DTYPE:
        arena = params
    else:
        arena = Arena({name: np.shape(params[name]) for name in PARAMETERS}, DTYPE)
        for name in PARAMETERS:
            arena[name] = params[name]
    for name, values in arena.items():
        _check_facts(name, values)
    return arena, sizes


# ---- The workspaces of a step ----


class _Memory:
    """The workspaces for given open sizes: reals, integers, flags, and every array by name. Arrays that are
    not needed at the same time share their memory, unless `apart`."""

    def __init__(self, sizes: tuple[int, ...], *, apart: bool = False) -> None:
        self.sizes = sizes
        places, lengths = _places(*sizes), [0, 0, 0]
        starts: dict[str, int] = {}
        for name, (arena, start, shape) in places.items():
            if PARAMETERS and min(shape, default=1) < 1:  # the update of no parameter is empty by right
                raise DataError(
                    f"{name} would have the shape {shape}: an axis of the data is too short for what is read "
                    "from it, a kernel or a slice"
                )
            starts[name] = lengths[arena] if apart else start
            lengths[arena] = max(lengths[arena], starts[name] + math.prod(shape))
        kinds = (DTYPE, np.int64, bool)
        self.arenas: list[Array] = [np.zeros(n, kind) for n, kind in zip(lengths, kinds, strict=True)]
        self.tensors: dict[str, Array] = {}
        for name, (arena, _, shape) in places.items():
            stop = starts[name] + math.prod(shape)
            self.tensors[name] = self.arenas[arena][starts[name] : stop].reshape(shape)
        for name in POSITIONS:
            self.tensors[name][...] = np.arange(len(self.tensors[name]))
        for name in ONES:
            self.tensors[name].fill(1)
        self.arrays = (*self.arenas[:2], np.array(list(starts.values()), np.int64))  # as kernels take them

    @property
    def nbytes(self) -> int:
        """The size of the workspaces."""
        return sum(arena.nbytes for arena in self.arenas)


def _key(sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The open sizes in their order; what nothing shows is of another stage."""
    return tuple([sizes.get(name, 1) for name in OPEN_SIZES])


def _held(kept: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """What is kept under a key, made if it isn't there."""
    if key not in kept:
        if len(kept) >= 4:  # a state sees two batch sizes as a rule: the full one and the last
            kept.clear()
        kept[key] = make()
    return kept[key]


def _memory(sizes: Mapping[str, int], kept: dict[Any, Any] | None = None, *, apart: bool = False) -> _Memory:
    """The workspaces for these sizes, from those kept if they are there."""
    key = _key(sizes)
    return _Memory(key, apart=apart) if kept is None else _held(kept, key, lambda: _Memory(key))


# ---- How the NumPy target runs its stages ----


@np.errstate(all="ignore")
def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,
) -> dict[str, Array]:
    memory = _memory(sizes)
    _forward(params, memory.tensors, *memory.sizes)(data)
    return {name: memory.tensors[name].copy() for name in OUTPUTS}


@np.errstate(all="ignore")
def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes)
    for stage in (_forward, _loss, _metrics):
        stage(params, memory.tensors, *memory.sizes)(data)
    return memory.tensors


@np.errstate(all="ignore")
def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    apart: bool = False,
) -> dict[str, Array]:
    """The gradients and the tensors that are left, or all of them where they lie apart."""
    memory = _memory(sizes, apart=apart)
    for stage in (_forward, _loss):
        stage(params, memory.tensors, *memory.sizes)(data)
    _backward(params, memory.tensors, gradients, *memory.sizes)(data)
    return memory.tensors


class _Step:
    """A training step over the arrays of a state, which stay in their places, and a workspace."""

    def __init__(self, state: State, sizes: Mapping[str, int]) -> None:
        memory = self.memory = _memory(sizes)
        self.sizes = sizes
        self.params, self.gradients, self.moments = state.params, state.gradients, state.moments
        moments = {name: arena.flat for name, arena in state.moments.items()}
        self.forward = _forward(state.params, memory.tensors, *memory.sizes)
        self.loss = _loss(state.params, memory.tensors, *memory.sizes)
        self.backward = _backward(state.params, memory.tensors, state.gradients, *memory.sizes)
        self.update = _update(memory.tensors, state.params.flat, state.gradients.flat, **moments)
        self.value, self.gradient = memory.tensors[LOSS], state.gradients.flat

    @property
    def nbytes(self) -> int:
        """The size of the workspace."""
        return self.memory.nbytes

    def serves(self, state: State) -> bool:
        """Whether the state still has the arrays of this step."""
        same = self.params is state.params and self.gradients is state.gradients
        return same and self.moments is state.moments

    def differentiate(self, data: Mapping[str, Array]) -> float:
        """Fills the gradients; returns the loss."""
        self.forward(data)
        self.loss(data)
        self.backward(data)
        return float(self.value)


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    step = state.bound
    if step is None or step.sizes is not sizes or not step.serves(state):
        step = state.bound = _bound(state, sizes)
    loss = step.differentiate(data)
    if not (math.isfinite(loss) and _all_finite(step.gradient)):
        return loss, False
    state.step += 1
    step.update(state.step, **state.hyper)
    return loss, True


def _bound(state: State, sizes: Mapping[str, int]) -> _Step:
    """The step of a state for these sizes, from those kept if it is there."""
    key = _key(sizes)
    if key in state.workspace and not state.workspace[key].serves(state):
        state.workspace.clear()
    step: _Step = _held(state.workspace, key, lambda: _Step(state, sizes))
    step.sizes = sizes
    return step


def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: their squares' sum or, if it overflows, both ends show it."""
    if math.isfinite(values.dot(values)):
        return True
    return math.isfinite(values.max(initial=0)) and math.isfinite(values.min(initial=0))


# ---- No buffers ----


def init_buffers(**sizes: int) -> dict[str, Array]:
    """Running statistics; this network has none."""
    return {}


def _as_buffers(buffers: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> dict[str, Array]:
    if buffers:
        raise DataError(f"{', '.join(buffers)}: the network has no buffers")
    return {}


# ---- What a step is given beside parameters ----


def _given(
    data: dict[str, Array],
    buffers: Mapping[str, Any] | None,
    sizes: Mapping[str, int],
    seed: int = 0,
    step: int = 0,
    masks: Mapping[str, Any] | None = None,
    kept: dict[Any, Array] | None = None,
    training: bool = True,
) -> dict[str, Array]:
    """All that the stages read beside parameters."""
    if buffers or masks:
        _as_buffers(buffers, sizes)
        raise DataError("the network has no random tensors, so there are no masks to give")
    return data


# ---- Parameters, the state of training, and the functions that need no training ----


class NotFinite(FloatingPointError):
    """A step's loss or gradient is not finite; the step was not taken. `equation` and `tensor` say where."""

    def __init__(self, equation: int | None, tensor: str, text: str) -> None:
        super().__init__(text)
        self.equation, self.tensor = equation, tensor
        self.history: list[dict[str, Any]] = []  # of the epochs before, where `fit` raised it


@dataclass
class State:
    """What training changes: parameters, buffers, moments, the count of steps; and its settings."""

    params: Arena
    buffers: MutableMapping[str, Array]
    moments: dict[str, Arena]
    gradients: Arena
    sizes: dict[str, int]
    step: int = 0
    seed: int = 0
    threads: int | None = None
    hyper: dict[str, float] = field(default_factory=lambda: dict(HYPER))
    workspace: dict[Any, Any] = field(default_factory=dict)
    accepted: dict[Any, dict[str, int]] = field(default_factory=dict)
    last: tuple[dict[str, Array], dict[str, int]] | None = None  # the arrays of the last step, their sizes
    bound: Any = None  # what the last step ran on
    random: dict[Any, Array] = field(default_factory=dict)  # arrays to draw into

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: nothing that is made for the steps of these very arrays."""
        made: dict[str, Any] = {name: {} for name in ("workspace", "accepted", "random")}
        return {**self.__dict__, **made, "last": None, "bound": None}


def init_params(seed: int = 0, **sizes: int) -> Arena:
    """Fresh parameters, drawn with `seed`; sizes that the module leaves open are arguments."""
    known = {**SIZES, **sizes}
    shaping = [e for shape in (*PARAMETERS.values(), *INPUTS.values()) for e in shape]
    strange = [name for name in sizes if name not in shaping and name not in SIZES]
    if strange:
        raise DataError(f"the network has no size {strange[0]!r}")
    wrong = [name for name in sizes if name in SIZES and sizes[name] != SIZES[name]]
    needed = [e for shape in PARAMETERS.values() for e in shape if isinstance(e, str) and e not in known]
    if wrong or needed:
        raise DataError(
            f"{wrong[0]} is {SIZES[wrong[0]]} in this module"
            if wrong
            else f"{needed[0]} is open in this module: call init_params(seed, {needed[0]}=…)"
        )
    shapes = {n: tuple(int(_extent(e, known) or 0) for e in shape) for n, shape in PARAMETERS.items()}
    arena = Arena(shapes, DTYPE)
    for name, value in _initial(np.random.default_rng(seed), known).items():
        arena[name] = value
    return arena


def forward(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    training: bool = False,
    seed: int | None = None,
    **inputs: Any,
) -> dict[str, Array]:
    """The outputs for some inputs (arrays named like the input tensors), in training or at inference."""
    arena, sizes = _as_arena(params)
    data = _checked(inputs, FORWARD_INPUTS, sizes)
    given = _given(data, buffers, sizes, seed=seed or 0, training=training)
    return _outputs(arena, given, sizes, training)


def predict(
    params: Mapping[str, Any], buffers: Mapping[str, Any] | None = None, **inputs: Any
) -> dict[str, Array]:
    """The outputs at inference; arrays that only the loss needs may be given and are not used."""
    return forward(
        params,
        buffers,
        **{name: a for name, a in inputs.items() if name not in INPUTS or name in FORWARD_INPUTS},
    )


def evaluate(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    **data: Any,
) -> dict[str, float]:
    """The loss and the metrics over all of the data at once, at inference."""
    arena, sizes = _as_arena(params)
    checked = _checked(data, tuple(INPUTS), sizes)
    tensors = _values(arena, _given(checked, buffers, sizes, training=False), sizes)
    return {"loss": float(tensors[LOSS]), **{name: float(tensors[name]) for name in METRICS}}


def loss_and_gradients(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    masks: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> tuple[float, Arena]:
    """The loss in training and its gradient by every parameter; changes nothing. Random tensors are those
    of the first step with this seed, or given as `masks`, by name."""
    arena, sizes = _as_arena(params)
    data = _given(_checked(inputs, tuple(INPUTS), sizes), buffers, sizes, seed=seed, masks=masks)
    gradients = arena.like()
    tensors = _differentiate(arena, gradients, data, sizes)
    return float(tensors[LOSS]), gradients


def init_state(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    threads: int | None = None,
) -> State:
    """A state that starts from a copy of `params` and `buffers`, its moments zero."""
    arena, sizes = _as_arena(params)
    arena, kept = arena.copy(), _as_buffers(buffers, sizes).copy()
    moments = {name: arena.like() for name in MOMENTS}
    return State(arena, kept, moments, arena.like(), sizes, 0, seed, threads)


def train_step(state: State, **inputs: Any) -> float:
    """One update in place; returns the loss before it. Checks dtype and shape only.

    Raises NotFinite, with the state as it was, if the loss or a gradient is not finite.
    """
    data, sizes = _step_data(state, inputs)
    data = _given(data, state.buffers, sizes, state.seed, state.step, None, state.random)
    loss, finite = _advance(state, data, sizes)
    if not finite:
        raise _culprit(state.params, data, sizes)
    return loss


def _step_data(state: State, inputs: dict[str, Any]) -> tuple[dict[str, Array], dict[str, int]]:
    """The arrays of a step and its sizes; arrays that the last step had, and shapes and dtypes that were
    checked before, pass at once."""
    if state.last is not None and len(inputs) == len(INPUTS):
        data, sizes = state.last
        for name, array in inputs.items():
            if data.get(name) is not array:
                break
        else:
            return data, sizes
    key = tuple(
        (name, a.shape, a.dtype.char, a.flags.c_contiguous) if type(a) is np.ndarray else None
        for name, a in inputs.items()
    )
    if key in state.accepted:
        state.last = {name: inputs[name] for name in INPUTS}, state.accepted[key]
        return state.last
    sizes = dict(state.sizes)
    data = _checked(inputs, tuple(INPUTS), sizes, values=False)
    if all(data[name] is inputs[name] for name in INPUTS):
        state.accepted[key] = sizes
    return data, sizes


def _culprit(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> NotFinite:
    """Replays a step and names the first equation whose value is not finite."""
    for kind, arrays in (("the input", data), ("the parameter", params)):
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return NotFinite(None, name, f"{kind} {name} is not finite; the step was not taken")
    gradients = params.like()
    tensors = dict(_differentiate(params, gradients, data, sizes, apart=True))
    tensors.update({tensor: gradients[name] for name, tensor in GRADIENTS.items()})
    for number, tensor in EQUATIONS.items():
        if tensor in tensors and not np.isfinite(tensors[tensor]).all():
            equation = _equation_text(number) or tensor
            text = f"equation ({number}), {equation}, is not finite; the step was not taken"
            return NotFinite(number, tensor, text)
    return NotFinite(None, LOSS, "the loss is not finite; the step was not taken")


def _equation_text(number: int) -> str:
    """The equation as the head of this module states it."""
    found = re.search(rf"^ *\({number}\) +(.*)$", __doc__ or "", re.MULTILINE)
    return found.group(1) if found else ""


def save(path: str | os.PathLike[str], state: State) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    arrays: dict[str, Any] = {f"params.{name}": array for name, array in state.params.items()}
    arrays.update({f"buffers.{name}": array for name, array in state.buffers.items()})
    for moment, arena in state.moments.items():
        arrays.update({f"moments.{moment}.{name}": array for name, array in arena.items()})
    arrays.update({"step": np.int64(state.step), "seed": np.int64(state.seed), "network": np.array(NAME)})
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.absolute().parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    params = {n.removeprefix("params."): a for n, a in arrays.items() if n.startswith("params.")}
    if not params:
        raise DataError(f"{path} holds no parameters (arrays named params.…)")
    buffers = {n.removeprefix("buffers."): a for n, a in arrays.items() if n.startswith("buffers.")}
    state = init_state(params, buffers, seed=int(arrays.get("seed", 0)))
    state.step = int(arrays.get("step", 0))
    for moment, arena in state.moments.items():
        for name in arena:
            if f"moments.{moment}.{name}" in arrays:
                arena[name] = arrays[f"moments.{moment}.{name}"]
    return state


# ---- Training over epochs ----


class _Stop:
    """Turns the first Ctrl-C into a flag, so that no update is cut in two; the second one interrupts."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> _Stop:
        self._previous: Any = None
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *details: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _batches(data: Mapping[str, Array], size: int, order: Array) -> Iterator[dict[str, Array]]:
    """The data in batches of `size` examples in a given order, the last one partial."""
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield {name: a[chosen] if INPUTS[name][:1] == (BATCH,) else a for name, a in data.items()}


def fit(
    state: State,
    data: Mapping[str, Any],
    *,
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], object] | None = None,
) -> list[dict[str, Any]]:
    """Trains in place; returns one record per epoch: epoch, loss, metrics of `validation`, seconds.

    Ctrl-C ends it after the current step, and the last record then says `interrupted`. A step that is not
    finite raises NotFinite; the state keeps the last good parameters. A callback that returns True ends it.
    """
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    sizes = dict(state.sizes)
    whole = _checked(data, tuple(INPUTS), sizes)
    count = sizes[BATCH] if BATCH is not None else 1
    history: list[dict[str, Any]] = []
    with _Stop() as stop:
        for epoch in range(1, epochs + 1):
            started, total, seen = time.perf_counter(), 0.0, 0
            order = np.random.default_rng([state.seed, state.step]).permutation(count)
            for batch in _batches(whole, batch_size, order):
                if stop.asked:
                    break
                examples = min(batch_size, count - seen)
                try:
                    total += train_step(state, **batch) * examples
                except NotFinite as failure:
                    failure.history = history
                    raise
                seen += examples
            record: dict[str, Any] = {"epoch": epoch, "loss": total / max(seen, 1)}
            if validation is not None and not stop.asked:
                found = evaluate(state.params, state.buffers, **validation)
                record.update({f"validation_{k}": v for k, v in found.items()})
            record["seconds"] = time.perf_counter() - started
            if stop.asked:
                record["interrupted"] = True
            history.append(record)
            if (callback is not None and callback(record) is True) or stop.asked:
                break
    return history


# ---- The module's gradients beside central differences of its own loss ----


_ENTRIES = 64  # of a larger parameter, so many entries are tried
_SCALES = (1.0, 3.0, 0.3, 10.0, 0.03, 1.0, 5.0, 0.1)  # of what is drawn, one for each further point
_TRIES = 8  # to find data of which the loss is finite: a mask may hide a whole row
_STEPS = (1.0, 0.03, 1e-3)  # of a difference, the shorter ones where it may reach over a kink

Point = tuple[Arena, dict[str, Array], dict[str, int]]


def _sample_data(
    sizes: Mapping[str, int], rng: np.random.Generator, scale: float = 1.0, density: float = 0.5
) -> dict[str, Array]:
    """Random data that the network accepts; labels in turn, each as often as any other."""
    data: dict[str, Array] = {}
    for name, extents in INPUTS.items():
        shape = tuple(int(_extent(extent, sizes) or 1) for extent in extents)
        if name in INTEGERS:
            bound, _ = INTEGERS[name]
            top = 2 if bound is None else int(_extent(bound, sizes) or 1)
            turn = rng.integers(top) + np.arange(math.prod(shape))
            data[name] = rng.permutation(turn % top).reshape(shape)
            continue
        values: Array = np.asarray(scale * rng.standard_normal(shape))
        for fact, axis in FACTS.get(name, ()):
            if fact == "binary":
                values = np.asarray(rng.random(shape) < density, float)
            elif fact in ("positive", "nonnegative"):
                values = np.exp(values.clip(-3, 3))
            elif fact == "sums to one":
                values = np.exp(values.clip(-3, 3))
                values = values / values.sum(axis, keepdims=True)
            elif fact == "one hot":
                values = np.asarray(values == values.max(axis, keepdims=True), float)
            elif fact == "symmetric":
                values = np.asarray(values + values.swapaxes(-1, -2))
            elif fact in ("lower triangular", "upper triangular"):
                values = np.tril(values) if fact[0] == "l" else np.triu(values)
        data[name] = np.asarray(values, DTYPE)
    return data


def check_gradients(
    params: Mapping[str, Any] | None = None,
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    masks: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> list[dict[str, Any]]:
    """Each gradient beside central differences: parameter, method, max_abs_error, max_rel_error, ok; the
    worst element with its value and the expected one; the sizes; how many entries, and at how many further
    points.

    Random tensors are held fixed: those of the first step with this seed, or the given `masks`. Without
    parameters or inputs, both are drawn at random, at several points. Of a large parameter, 64 entries are
    tried. `max_rel_error` is ‖a − b‖ / max(‖a‖, ‖b‖, 1e-8) over what was tried. A difference within the
    rounding of the loss passes; where a kink lies within the step, nothing is compared.
    """
    rng = np.random.default_rng(0)
    points = _points(params, buffers, seed, masks, inputs, rng)
    arena, data, sizes = next(points)
    gradients = arena.like()
    loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
    if not np.isfinite(loss):
        raise DataError(f"the loss is {loss} for these parameters and data")
    rows = [_check_one(name, (arena, data, sizes), gradients, loss, rng) for name in arena]
    for arena, data, sizes in points:
        gradients = arena.like()
        loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
        if np.isfinite(loss):
            for row in (row for row in rows if row["ok"]):
                _check_along(row, (arena, data, sizes), gradients, loss, rng)
    return rows


def _points(
    params: Mapping[str, Any] | None,
    buffers: Mapping[str, Any] | None,
    seed: int,
    masks: Mapping[str, Any] | None,
    inputs: Mapping[str, Any],
    rng: np.random.Generator,
) -> Iterator[Point]:
    """Where gradients are compared: at what is given; and what isn't given is drawn several times."""
    shapes = (*INPUTS.values(), *PARAMETERS.values())
    open_sizes = {e: 5 for shape in shapes for e in shape if isinstance(e, str) and e not in SIZES}
    shown = dict(SIZES)
    if params is None and inputs:
        _checked(inputs, tuple(INPUTS), shown)
    for number, scale in enumerate((1.0, *_SCALES)):
        if number and params is not None and inputs:
            return
        if BATCH in open_sizes and masks is None:
            open_sizes[BATCH] = 5 + number % 4
        for attempt in range(_TRIES):
            drawn = params if params is not None else init_params(number, **{**open_sizes, **shown})
            arena, sizes = _as_arena(drawn)
            arena = arena.copy()
            for name, array in arena.items():  # biases of zero would hide an error
                if params is None and name not in FACTS:
                    array += np.asarray(0.1 * scale * rng.standard_normal(array.shape), DTYPE)
            sizes = {**open_sizes, **sizes} if not inputs else sizes
            sample = inputs or _sample_data(sizes, rng, scale, min(0.5 + attempt / 8, 1.0))
            given = _checked(sample, tuple(INPUTS), sizes)
            data = _given(given, buffers, sizes, seed=seed, masks=masks)
            if np.isfinite(float(_differentiate(arena, arena.like(), data, sizes)[LOSS])):
                break
        yield arena, data, sizes


def _check_one(
    name: str, point: Point, gradients: Arena, loss: float, rng: np.random.Generator
) -> dict[str, Any]:
    """One gradient at one point, entry by entry."""
    values, found = point[0][name].reshape(-1), gradients[name].reshape(-1)
    entries = np.arange(values.size)
    if values.size > _ENTRIES:
        entries = np.sort(rng.choice(values.size, _ENTRIES, replace=False))
    exact = found[entries].astype(float)
    along = [(entries[k : k + 1], np.ones(1)) for k in range(entries.size)]
    allowed = _tolerance() * np.abs(exact[np.isfinite(exact)]).max(initial=0.0)
    compared = [
        _difference(_moving(name, point, *to), g, allowed, loss) for to, g in zip(along, exact, strict=True)
    ]
    numeric, noise, seen = (np.array([c[k] for c in compared]) for k in range(3))
    off = np.where(seen.astype(bool), np.abs(exact - numeric), 0.0)
    scale = max(float(np.linalg.norm(exact)), float(np.linalg.norm(numeric)), 1e-8)
    beyond = np.where(np.isfinite(off), np.maximum(off - noise, 0.0), np.inf)
    worst = int(np.argmax(beyond)) if np.any(beyond) else int(np.argmax(off)) if off.size else 0
    place = np.unravel_index(entries[worst], gradients[name].shape) if off.size else ()
    return {
        "parameter": name,
        "method": "central differences",
        "max_abs_error": float(off.max(initial=0.0)),
        "max_rel_error": float(np.linalg.norm(off)) / scale,
        "ok": bool(np.linalg.norm(beyond) <= _tolerance() * scale),
        "element": [int(k) for k in place],
        "value": float(exact[worst]) if off.size else 0.0,
        "expected": float(numeric[worst]) if off.size else 0.0,
        "rounding": float(noise.max(initial=0.0)),
        "entries": int(seen.sum()),
        "points": 0,
        "sizes": dict(point[2]),
    }


def _check_along(
    row: dict[str, Any], point: Point, gradients: Arena, loss: float, rng: np.random.Generator
) -> None:
    """The same gradient at another point, along a random direction; the row says so if it is wrong there."""
    found = gradients[row["parameter"]].reshape(-1).astype(float)
    direction = rng.standard_normal(found.size)
    direction *= 4 / max(4.0, float(np.linalg.norm(direction)))
    scale = float(np.linalg.norm(found * direction))
    exact = float(found @ direction)
    moving = _moving(row["parameter"], point, np.arange(found.size), direction)
    numeric, noise, seen = _difference(moving, exact, _tolerance() * scale, loss)
    off = abs(exact - numeric)
    row["points"] += int(seen)
    if seen and not off <= _tolerance() * max(scale, abs(numeric)) + noise:
        row |= {"ok": False, "max_abs_error": off, "max_rel_error": off / max(scale, abs(numeric), 1e-8)}
        row |= {"element": "along a random direction", "value": exact, "expected": numeric}
        row |= {"sizes": dict(point[2])}


def _tolerance() -> float:
    return 1e-6 if np.float64 == DTYPE else 2e-2


def _moving(
    name: str, point: Point, entries: Array, direction: Array
) -> Callable[[float], tuple[float, float]]:
    """How far the parameter gets by a step along a direction, with the type's rounding, and the loss
    there."""
    arena, data, sizes = point
    values, scratch = arena[name].reshape(-1), arena.like()
    unit = max(1.0, float(np.abs(values[entries]).mean()) if entries.size else 1.0)

    def loss_at(step: float) -> tuple[float, float]:
        before = values[entries]
        values[entries] = before + np.asarray(step * unit * direction, DTYPE)
        moved = float((values[entries].astype(float) - before) @ direction / (direction @ direction))
        loss = float(_differentiate(arena, scratch, data, sizes)[LOSS])
        values[entries] = before
        return moved, loss

    return loss_at


def _difference(
    loss_at: Callable[[float], tuple[float, float]], exact: float, allowed: float, loss: float
) -> tuple[float, float, bool]:
    """(a central difference, its rounding, whether it says anything). It doesn't if it differs by no more
    than a kink within its reach explains: slopes over one step and two differ then, and so do the slopes to
    both sides."""
    double = np.float64 == DTYPE
    # The loss adds terms up: it is rounded to some units in its last place, never to fewer than those of 1.
    rounding = 32 * float(np.finfo(DTYPE).eps) * max(1.0 if not double else 0.1, abs(loss))
    numeric, noise = 0.0, 0.0
    for share in _STEPS if double else _STEPS[:1]:
        step = share * (3e-5 if double else 8e-3)
        (low, below), (high, above) = loss_at(-step), loss_at(step)
        numeric, noise = (above - below) / (high - low), rounding / (high - low)
        if not abs(exact - numeric) > allowed + noise:
            break
        (lower, far_below), (higher, far_above) = loss_at(-2 * step), loss_at(2 * step)
        farther = (far_above - far_below) / (higher - lower)
        near, far = (above - 2 * loss + below) / high, (far_above - 2 * loss + far_below) / higher
        refined = (4 * numeric - farther) / 3
        reach = abs(numeric - farther) + abs(far - 2 * near)
        if abs(exact - refined) <= allowed + 2 * noise:
            numeric, noise = refined, 2 * noise
            break
        if abs(exact - numeric) > 2 * reach + allowed + 8 * noise:
            break
    else:
        return numeric, noise, False
    return numeric, noise, True


# ---- The command line of a generated module ----


def _arguments() -> argparse.ArgumentParser:
    names = ", ".join(INPUTS)
    parser = argparse.ArgumentParser(
        description=f"The network {NAME}: train it, evaluate it, predict with it, check its gradients."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    train = verbs.add_parser("train", help="train and save the parameters")
    train.add_argument("--epochs", type=int, default=20)
    train.add_argument("--batch-size", type=int, default=32)
    train.add_argument("--seed", type=int, default=0)
    for name, value in HYPER.items():
        train.add_argument(f"--{name.replace('_', '-')}", dest=f"hyper_{name}", type=float, default=value)
    train.add_argument(
        "--validation", type=Path, metavar="FILE.npz", help="data to evaluate after each epoch"
    )
    train.add_argument("-o", "--out", type=Path, default=Path("params.npz"), help="where the parameters go")
    for verb, text in (("evaluate", "loss and metrics on data"), ("predict", "outputs for data")):
        other = verbs.add_parser(verb, help=text)
        other.add_argument(
            "--params", type=Path, default=Path("params.npz"), help="parameters saved by train"
        )
        if verb == "predict":
            other.add_argument(
                "-o", "--out", type=Path, default=Path("outputs.npz"), help="where the outputs go"
            )
    verbs.add_parser("check", help="gradients beside central differences")
    for verb, one in verbs.choices.items():
        one.add_argument(
            "--data", type=Path, required=verb != "check", metavar="FILE.npz", help=f"arrays named {names}"
        )
        one.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """The arrays of a file that carry the names of input tensors."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in names if name in file.files}


def _open_sizes(data: dict[str, Array]) -> dict[str, int]:
    """Sizes that shape parameters and that the data show."""
    shown: dict[str, int] = {}
    for name, array in data.items():
        for extent, value in zip(INPUTS[name], array.shape, strict=False):
            if isinstance(extent, str):
                shown[extent] = value
    shaping = {e for shape in PARAMETERS.values() for e in shape if isinstance(e, str)}
    return {name: value for name, value in shown.items() if name in shaping and name not in SIZES}


def _train(options: argparse.Namespace) -> int:
    data = _read(options.data, tuple(INPUTS))
    validation = _read(options.validation, tuple(INPUTS)) if options.validation else None
    state = init_state(init_params(options.seed, **_open_sizes(data)), seed=options.seed)
    state.hyper.update({name: getattr(options, f"hyper_{name}") for name in HYPER})

    def report(record: dict[str, Any]) -> None:
        values = "  ".join(f"{k} {v:.6g}" for k, v in record.items() if isinstance(v, float))
        print(f"epoch {record['epoch']}  {values}", file=sys.stderr)

    status, stopped = 0, None
    history: list[dict[str, Any]] = []
    try:
        history = fit(
            state,
            data,
            epochs=options.epochs,
            batch_size=options.batch_size,
            validation=validation,
            callback=report,
        )
    except NotFinite as failure:
        stopped, status, history = str(failure), 1, failure.history
        print(f"stopped: {failure}", file=sys.stderr)
    save(options.out, state)
    last = history[-1] if history else {}
    result = {"epochs": len(history), "steps": state.step, "params": str(options.out), **last}
    if stopped:
        result["stopped"] = stopped
    _show(result, options.json)
    return status


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")


def _check(options: argparse.Namespace) -> int:
    data: dict[str, Any] = _read(options.data, tuple(INPUTS)) if options.data else {}
    rows = check_gradients(None, **data)
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            mark = "ok" if row["ok"] else "WRONG"
            errors = f"relative {row['max_rel_error']:.1e}  absolute {row['max_abs_error']:.1e}"
            print(f"{row['parameter']:<12} {errors}  {mark}")
    return 0 if all(row["ok"] for row in rows) else 1


def main(arguments: list[str] | None = None) -> int:
    """Runs a verb; returns the exit status."""
    options = _arguments().parse_args(arguments)
    try:
        if options.verb == "train":
            return _train(options)
        if options.verb == "check":
            return _check(options)
        state = load(options.params)
        data = _read(options.data, tuple(INPUTS))
        if options.verb == "evaluate":
            _show(evaluate(state.params, state.buffers, **data), options.json)
        else:
            outputs: dict[str, Any] = predict(state.params, state.buffers, **data)
            with options.out.open("wb") as file:
                np.savez(file, **outputs)
            _show({name: str(array.shape) for name, array in outputs.items()}, options.json)
    except (DataError, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
