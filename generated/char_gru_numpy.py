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
NAME = "char_gru"
SIZES = {"E": E, "H": H}
PARAMETERS = {
    "table": ("V", "E"), "W": ("E", 3, "H"), "U": ("H", 3, "H"), "b": (3, "H"), "d": (3, "H"),
    "R": ("H", "V"), "c": ("V",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("V", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"table": "dtable", "W": "dW", "U": "dU", "b": "db", "d": "dd", "R": "dR", "c": "dc"}
EQUATIONS = {
    1: "x1", 2: "z1", 3: "a1", 4: "r_a1_2", 5: "a1_2", 6: "r_h", 7: "u_h", 8: "n_h", 9: "h", 10: "z2",
    11: "a2", 12: "m_a2", 13: "e_p", 14: "s_p", 15: "p", 16: "loss", 17: "da2", 18: "dc", 19: "dh_3",
    20: "dh_1", 21: "dh", 22: "dn_h", 23: "dr_h", 24: "da1_2", 25: "dU", 26: "dR", 27: "dd", 28: "da1",
    29: "db", 30: "dx1", 31: "dtable", 32: "dW", 33: "c_accuracy", 34: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08, "clip_norm": 1.0}
Array = np.ndarray[Any, Any]


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
    """The metrics: equations (33), (34)."""
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
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "table": math.sqrt(6 / (E + V)) * rng.uniform(-1, 1, (V, E)),
        "W": math.sqrt(6 / (3 * H + E)) * rng.uniform(-1, 1, (E, 3, H)),
        "U": math.sqrt(3 / (2 * H)) * rng.uniform(-1, 1, (H, 3, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((3, H)),
        "d": np.zeros((3, H)),
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
