"""ctc: a network that trains in NumPy.

Derived from the network ctc; float64. It reads x(N, T, D), y(N, S), length(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,t,j] = Σ_i x[n,t,i]·W[i,j]
    (2)   r_h1[n,t,j] = Σ_i h1[n,t - 1,i]·U[i,j]
    (3)   h1[n,t,j] = tanh(r_h1[n,t,j] + z1[n,t,j] + b[j])
    (4)   z2[n,t,k] = Σ_j h1[n,t,j]·R[j,k]
    (5)   z[n,t,k] = z2[n,t,k] + c[k]
    (6)   m_z[n,t] = max_k z[n,t,k]
    (7)   e_p[n,t,k] = exp(z[n,t,k] - m_z[n,t])
    (8)   s_p[n,t] = Σ_k e_p[n,t,k]
    (9)   p[n,t,k] = e_p[n,t,k]/s_p[n,t]
    (10)  s_lse[n,t] = Σ_k exp(z[n,t,k] - m_z[n,t])
    (11)  log_p[n,t,k] = z[n,t,k] - log(s_lse[n,t]) - m_z[n,t]
    (12)  e[n,t,l] = [l%2 = 1]·log_p[n,t,y[n,l//2]] + log_p[n,t,0]·(1 - [l%2 = 1])
    (13)  m_alpha[n,t,l] = max_m alpha[n,t - 1,l - m | -∞·[l ≠ m]] where [m ≤ 1 + [y[n,l//2 - 1 | -1] ≠ y[n,l//2 | -1]]·[l%2 = 1]]
    (14)  m_alpha_finite[n,t,l] = [m_alpha[n,t,l] > -∞]·m_alpha[n,t,l]
    (15)  s_alpha_sum[n,t,l] = Σ_m [m ≤ 1 + [y[n,l//2 - 1 | -1] ≠ y[n,l//2 | -1]]·[l%2 = 1]]·exp(alpha[n,t - 1,l - m | -∞·[l ≠ m]] - m_alpha_finite[n,t,l])
    (16)  s_alpha[n,t,l] = [s_alpha_sum[n,t,l] = 0] + s_alpha_sum[n,t,l]
    (17)  alpha[n,t,l] = e[n,t,l] + log(s_alpha[n,t,l]) + m_alpha[n,t,l]
    (18)  m_alpha2[n] = max_q alpha[n,T - 1,2·length[n] - q | -∞·[q ≠ 2·length[n]]]
    (19)  m_alpha2_finite[n] = [m_alpha2[n] > -∞]·m_alpha2[n]
    (20)  s_nll_sum[n] = Σ_q exp(alpha[n,T - 1,2·length[n] - q | -∞·[q ≠ 2·length[n]]] - m_alpha2_finite[n])
    (21)  s_nll[n] = [s_nll_sum[n] = 0] + s_nll_sum[n]
    (22)  nll[n] = -log(s_nll[n]) - m_alpha2[n]
    (23)  loss = Σ_n nll[n]/(N·([length[n] = 0] + length[n]))
    (24)  ds_nll[n] = -1/(N·([length[n] = 0] + length[n])·s_nll[n])
    (25)  dalpha_2_s1[n,l] = Σ_q [l + q = 2·length[n]]·exp(alpha[n,T - 1,2·length[n] - q | -∞·[q ≠ 2·length[n]]] - m_alpha2_finite[n])
    (26)  dalpha_1[n,t,l] = Σ_m [m ≤ 1 + [y[n,(l + m)//2 - 1 | -1] ≠ y[n,(l + m)//2 | -1]]·[(l + m)%2 = 1]]·[t < T - 1]·[l + m ≤ 2·S]·ds_alpha[n,t + 1,l + m]·exp(alpha[n,t,l] - m_alpha_finite[n,t + 1,l + m])
    (27)  dalpha[n,t,l] = [t = T - 1]·ds_nll[n]·dalpha_2_s1[n,l] + dalpha_1[n,t,l]
    (28)  ds_alpha[n,t,l] = dalpha[n,t,l]/s_alpha[n,t,l]
    (29)  dlog_p_1_s1[n,t] = Σ_l dalpha[n,t,l]·(1 - [l%2 = 1])
    (30)  dlog_p_2[n,t,k] = Σ_l [k = y[n,l//2]]·[l%2 = 1]·dalpha[n,t,l]
    (31)  dlog_p[n,t,k] = [k = 0]·dlog_p_1_s1[n,t] + dlog_p_2[n,t,k]
    (32)  ds_lse_s1[n,t] = Σ_k dlog_p[n,t,k]
    (33)  dz[n,t,k] = dlog_p[n,t,k] - ds_lse_s1[n,t]·p[n,t,k]
    (34)  dc[k] = Σ_n,t dz[n,t,k]
    (35)  dh1_2[n,t,j] = Σ_k dz[n,t,k]·R[j,k]
    (36)  dh1_1[n,t,j] = Σ_j2 [t < T - 1]·dr_h1[n,t + 1,j2]·U[j,j2]
    (37)  dr_h1[n,t,j] = (1 - h1[n,t,j]²)·(dh1_1[n,t,j] + dh1_2[n,t,j])
    (38)  dU[i,j] = Σ_n,t h1[n,t - 1,i]·dr_h1[n,t,j]
    (39)  dR[j,k] = Σ_n,t h1[n,t,j]·dz[n,t,k]
    (40)  db[j] = Σ_n,t dr_h1[n,t,j]
    (41)  dW[i,j] = Σ_n,t x[n,t,i]·dr_h1[n,t,j]
    (42)  best[n,t] = argmax_k p[n,t,k]
    (43)  heard[n,t] = [best[n,t] ≠ 0]·[best[n,t] ≠ best[n,t - 1]]
    (44)  place[n,t] = Σ_i [i ≤ t]·heard[n,i]
    (45)  errors[n] = Σ_t,s [best[n,t] ≠ y[n,s]]·[s = place[n,t] - 1]·heard[n,t]
    (46)  letters[n] = place[n,T - 1]
    (47)  exact = Σ_n [errors[n] = 0]·[letters[n] = length[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: H = 32; N, T, D, S, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      3 + 4·D·H·N·T + 6·H·K·N·T + 11·H·N·T + 156·N·S·T + 25·K·N·T + 6·N·T·H² + 16·N·S + 78·N·T
               + 41·N + 6·S
             = 128·D·N·T + 156·N·S·T + 217·K·N·T + 16·N·S + 6,574·N·T + 41·N + 6·S + 3
    bytes      24 + 176·K·N·T + 248·H·N·T + 32·D·N·T + 576·N·S·T + 16·D·H + 16·H·N + 16·T·H² + 24·H·K
               + 256·N·S + 392·N·T + 16·H + 16·K + 320·N + 32·S + 8·H²
             = 176·K·N·T + 32·D·N·T + 576·N·S·T + 256·N·S + 8,328·N·T + 16,384·T + 32·S + 512·D + 784·K
               + 832·N + 8,728
    workspace  262,272 + 232·N·S·T + 40·K·N·T + 8·D·N·T + 128·N·S + 1,448·N·T + 8·N·T² + 8·S·T + 16·K
               + 16·T + 216·S + 616·N + max(K, T², 2·N·S·T, 8·N·S + 18·S + 4·N + 9) bytes
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
OPEN_SIZES = ("N", "T", "D", "S", "K")
POSITIONS = ("range_", "range_T", "range_N", "range_3", "range_K", "reals_S")
ONES = ("ones_K", "ones_NT", "ones_T", "ones_ST")
NEEDED: dict[str, Any] = {}
H = 32
NAME = "ctc"
SIZES = {"H": H}
PARAMETERS = {"W": ("D", "H"), "U": ("H", "H"), "b": ("H",), "R": ("H", "K"), "c": ("K",)}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T", "D"), "y": ("N", "S"), "length": ("N",)}
INTEGERS = {"y": ("K", None), "length": (lambda s: s["S"] + 1, None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("exact",)
BATCH = "N"
GRADIENTS = {"W": "dW", "U": "dU", "b": "db", "R": "dR", "c": "dc"}
EQUATIONS = {
    1: "z1", 2: "r_h1", 3: "h1", 4: "z2", 5: "z", 6: "m_z", 7: "e_p", 8: "s_p", 9: "p", 10: "s_lse",
    11: "log_p", 12: "e", 13: "m_alpha", 14: "m_alpha_finite", 15: "s_alpha_sum", 16: "s_alpha", 17: "alpha",
    18: "m_alpha2", 19: "m_alpha2_finite", 20: "s_nll_sum", 21: "s_nll", 22: "nll", 23: "loss", 24: "ds_nll",
    25: "dalpha_2_s1", 26: "dalpha_1", 27: "dalpha", 28: "ds_alpha", 29: "dlog_p_1_s1", 30: "dlog_p_2",
    31: "dlog_p", 32: "ds_lse_s1", 33: "dz", 34: "dc", 35: "dh1_2", 36: "dh1_1", 37: "dr_h1", 38: "dU",
    39: "dR", 40: "db", 41: "dW", 42: "best", 43: "heard", 44: "place", 45: "errors", 46: "letters",
    47: "exact",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, T, D, S, K):
    """The outputs: equations (1) to (9)."""
    W, U, b, R = params["W"], params["U"], params["b"], params["R"]
    c = params["c"]
    x_turned, z1, h1_all, r_h1 = tensors["x_turned"], tensors["z1"], tensors["h1_all"], tensors["r_h1"]
    h1, z2, z, m_z = tensors["h1"], tensors["z2"], tensors["z"], tensors["m_z"]
    e_p, s_p, p = tensors["e_p"], tensors["s_p"], tensors["p"]
    t_NT, zeros_NH, ones_K = tensors["t_NT"], tensors["zeros_NH"], tensors["ones_K"]
    x_turned_rows = x_turned.reshape(N * T, D)
    z1_rows = z1.reshape(N * T, H)
    steps = [(h1[t - 1] if t >= 1 else zeros_NH, r_h1[t], h1_all[t], h1[t]) for t in range(T)]
    h1_rows = h1.reshape(N * T, H)
    z2_rows = z2.reshape(N * T, K)
    m_z_column = m_z[..., None]
    e_p_rows = e_p.reshape(N * T, K)
    s_p_flat = s_p.reshape(N * T)
    e_p_turned = e_p.transpose(1, 0, 2)
    t_NT_column = t_NT[..., None]

    def run(data):
        x = data["x"]
        np.copyto(x_turned, x.transpose(1, 0, 2))  # (1)
        np.dot(x_turned_rows, W, out=z1_rows)  # (1)
        np.add(z1, b, out=h1_all)  # (3)
        for h1_before, r_h1_t, h1_all_t, h1_t in steps:
            np.dot(h1_before, U, out=r_h1_t)  # (2)
            np.add(h1_all_t, r_h1_t, out=h1_t)  # (3)
            np.tanh(h1_t, out=h1_t)  # (3)
        np.dot(h1_rows, R, out=z2_rows)  # (4)
        np.add(z2, c, out=z)  # (5)
        z.max(2, out=m_z)  # (6)
        np.subtract(z, m_z_column, out=e_p)  # (7)
        np.exp(e_p, out=e_p)  # (7)
        np.dot(e_p_rows, ones_K, out=s_p_flat)  # (8)
        _transposed(s_p, out=t_NT)  # (9)
        np.divide(e_p_turned, t_NT_column, out=p)  # (9)

    return run


def _loss(params, tensors, N, T, D, S, K):
    """The loss: equations (10) to (23)."""
    z, m_z, s_lse, log_p = tensors["z"], tensors["m_z"], tensors["s_lse"], tensors["log_p"]
    e, m_alpha, m_alpha_finite = tensors["e"], tensors["m_alpha"], tensors["m_alpha_finite"]
    s_alpha_sum, s_alpha, alpha = tensors["s_alpha_sum"], tensors["s_alpha"], tensors["alpha"]
    m_alpha2, m_alpha2_finite = tensors["m_alpha2"], tensors["m_alpha2_finite"]
    s_nll_sum, s_nll, nll, loss = tensors["s_nll_sum"], tensors["s_nll"], tensors["nll"], tensors["loss"]
    t_TNK, t_TN, at1, at2 = tensors["t_TNK"], tensors["t_TN"], tensors["at1"], tensors["at2"]
    at_1, t_1, is_1, t_2 = tensors["at_1"], tensors["t_1"], tensors["is_1"], tensors["t_2"]
    at_2, at_3, at4, t_3 = tensors["at_2"], tensors["at_3"], tensors["at4"], tensors["t_3"]
    is_2, at_4, is_3, at_5 = tensors["is_2"], tensors["at_4"], tensors["is_3"], tensors["at_5"]
    is_4, is_5, at_6, is_6 = tensors["is_4"], tensors["is_5"], tensors["at_6"], tensors["is_6"]
    is_7, t_4, at_7, at_8 = tensors["is_7"], tensors["t_4"], tensors["at_7"], tensors["at_8"]
    t_5, at_9, is_8, at_N = tensors["t_5"], tensors["at_9"], tensors["is_8"], tensors["at_N"]
    t_N, is_N, is_N2, t_N2 = tensors["t_N"], tensors["is_N"], tensors["is_N2"], tensors["t_N2"]
    at_N2, at_N3, ones_K, range_ = tensors["at_N2"], tensors["at_N3"], tensors["ones_K"], tensors["range_"]
    range_T, range_N, range_3 = tensors["range_T"], tensors["range_N"], tensors["range_3"]
    m_z_column = m_z[..., None]
    t_TNK_rows = t_TNK.reshape(N * T, K)
    s_lse_flat = s_lse.reshape(N * T)
    t_TN_column = t_TN[..., None]
    c1 = S - 1  # (12)
    one = np.array(1, np.int64)
    one2 = np.array(1, DTYPE)
    log_p_column = log_p[:, :, 0][..., None]
    c2 = np.array(N, np.int64)  # (12)
    range_T_column = range_T[:, None, None]
    range_N_column = range_N[:, None]
    c3 = np.array(K, np.int64)  # (12)
    c4 = K - 1  # (12)
    log_p_flat = log_p.reshape(-1)
    range_column = range_[:, None]
    c5 = np.array(S, np.int64)  # (13)
    at_3_column = at_3[..., None]
    c6 = np.array(2 * S + 1, np.int64)  # (13)
    c7 = T - 1  # (13)
    range_N_column2 = range_N[:, None, None]
    c8 = 2 * S  # (13)
    alpha_flat = alpha.reshape(-1)
    two = np.array(2, np.int64)
    zero = np.array(0, DTYPE)
    zero2 = np.array(0, np.int64)

    def run(data):
        y, length = data["y"], data["length"]
        np.subtract(z, m_z_column, out=t_TNK)  # (10)
        np.exp(t_TNK, out=t_TNK)  # (10)
        np.dot(t_TNK_rows, ones_K, out=s_lse_flat)  # (10)
        np.subtract(z, m_z_column, out=log_p)  # (11)
        np.log(s_lse, out=t_TN)  # (11)
        np.subtract(log_p, t_TN_column, out=log_p)  # (11)
        np.right_shift(range_, 1, out=at1)  # (12)
        np.clip(at1, 0, c1, out=at_1)  # (12)
        np.take(y, at_1, 1, out=at2, mode="clip")  # (12)
        np.bitwise_and(range_, 1, out=at_1)  # (12)
        np.equal(at_1, one, out=is_1)  # (12)
        np.copyto(t_1, is_1)  # (12)
        np.subtract(one2, t_1, out=t_1)  # (12)
        np.multiply(log_p_column, t_1, out=e)  # (12)
        np.bitwise_and(range_, 1, out=at_1)  # (12)
        np.equal(at_1, one, out=is_1)  # (12)
        np.multiply(range_T_column, c2, out=at_2)  # (12)
        np.add(at_2, range_N_column, out=at_2)  # (12)
        np.multiply(at_2, c3, out=at_2)  # (12)
        np.clip(at2, 0, c4, out=at_3)  # (12)
        np.add(at_2, at_3, out=at_2)  # (12)
        np.take(log_p_flat, at_2, out=t_2, mode="clip")  # (12)
        _choose(t_2, is_1, 0)  # (12)
        np.add(e, t_2, out=e)  # (12)
        for t in range(T):
            np.right_shift(range_, 1, out=at1)  # (13)
            np.subtract(at1, one, out=at1)  # (13)
            np.right_shift(range_, 1, out=at_1)  # (13)
            at3 = t - 1  # (13)
            np.subtract(range_column, range_3, out=at4)  # (13)
            np.bitwise_and(range_, 1, out=at_4)  # (13)
            np.equal(at_4, one, out=is_1)  # (13)
            np.less_equal(0, at1, out=is_4)  # (13)
            np.less(at1, c5, out=is_5)  # (13)
            np.logical_and(is_4, is_5, out=is_4)  # (13)
            np.clip(at1, 0, c1, out=at_4)  # (13)
            np.take(y, at_4, 1, out=at_5, mode="clip")  # (13)
            _choose(at_5, is_4, -1)  # (13)
            np.less_equal(0, at_1, out=is_4)  # (13)
            np.less(at_1, c5, out=is_5)  # (13)
            np.logical_and(is_4, is_5, out=is_4)  # (13)
            np.clip(at_1, 0, c1, out=at_4)  # (13)
            np.take(y, at_4, 1, out=at_6, mode="clip")  # (13)
            _choose(at_6, is_4, -1)  # (13)
            np.not_equal(at_5, at_6, out=is_3)  # (13)
            np.multiply(is_1, is_3, out=at_3)  # (13)
            np.add(at_3, one, out=at_3)  # (13)
            np.less_equal(range_3, at_3_column, out=is_2)  # (13)
            np.less_equal(0, at4, out=is_6)  # (13)
            np.less(at4, c6, out=is_7)  # (13)
            np.logical_and(is_6, is_7, out=is_6)  # (13)
            np.logical_and((0 <= at3) & (at3 < T), is_6, out=is_6)  # (13)
            np.not_equal(range_column, range_3, out=is_7)  # (13)
            np.logical_not(is_7, out=is_7)  # (13)
            t_4.fill(DTYPE(0))  # (13)
            _choose(t_4, is_7, DTYPE(-np.inf))  # (13)
            np.multiply(np.clip(at3, 0, c7), N, out=at_7)  # (13)
            np.add(at_7, range_N_column2, out=at_7)  # (13)
            np.multiply(at_7, c6, out=at_7)  # (13)
            np.clip(at4, 0, c8, out=at_8)  # (13)
            np.add(at_7, at_8, out=at_7)  # (13)
            np.take(alpha_flat, at_7, out=t_3, mode="clip")  # (13)
            _choose(t_3, is_6, t_4)  # (13)
            _choose(t_3, is_2, -np.inf)  # (13)
            t_3.max(2, out=m_alpha[t])  # (13)
            np.less_equal(m_alpha[t], -np.inf, out=is_3)  # (14)
            np.logical_not(is_3, out=is_3)  # (14)
            _masked(m_alpha[t], is_3, out=m_alpha_finite[t])  # (14)
            s_alpha_sum[t].fill(0)  # (15)
            for m in range(3):
                np.right_shift(range_, 1, out=at1)  # (15)
                np.subtract(at1, one, out=at1)  # (15)
                np.right_shift(range_, 1, out=at_1)  # (15)
                at3 = t - 1  # (15)
                np.subtract(range_, m, out=at_4)  # (15)
                np.bitwise_and(range_, 1, out=at_9)  # (15)
                np.equal(at_9, one, out=is_1)  # (15)
                np.less_equal(0, at1, out=is_4)  # (15)
                np.less(at1, c5, out=is_5)  # (15)
                np.logical_and(is_4, is_5, out=is_4)  # (15)
                np.clip(at1, 0, c1, out=at_9)  # (15)
                np.take(y, at_9, 1, out=at_5, mode="clip")  # (15)
                _choose(at_5, is_4, -1)  # (15)
                np.less_equal(0, at_1, out=is_4)  # (15)
                np.less(at_1, c5, out=is_5)  # (15)
                np.logical_and(is_4, is_5, out=is_4)  # (15)
                np.clip(at_1, 0, c1, out=at_9)  # (15)
                np.take(y, at_9, 1, out=at_6, mode="clip")  # (15)
                _choose(at_6, is_4, -1)  # (15)
                np.not_equal(at_5, at_6, out=is_8)  # (15)
                np.multiply(is_1, is_8, out=at_3)  # (15)
                np.add(at_3, one, out=at_3)  # (15)
                np.less_equal(m, at_3, out=is_3)  # (15)
                np.less_equal(0, at_4, out=is_1)  # (15)
                np.less(at_4, c6, out=is_4)  # (15)
                np.logical_and(is_1, is_4, out=is_1)  # (15)
                np.logical_and((0 <= at3) & (at3 < T), is_1, out=is_1)  # (15)
                np.not_equal(range_, m, out=is_4)  # (15)
                np.logical_not(is_4, out=is_4)  # (15)
                t_1.fill(DTYPE(0))  # (15)
                _choose(t_1, is_4, DTYPE(-np.inf))  # (15)
                np.multiply(np.clip(at3, 0, c7), N, out=at_3)  # (15)
                np.add(at_3, range_N_column, out=at_3)  # (15)
                np.multiply(at_3, c6, out=at_3)  # (15)
                np.clip(at_4, 0, c8, out=at_9)  # (15)
                np.add(at_3, at_9, out=at_3)  # (15)
                np.take(alpha_flat, at_3, out=t_5, mode="clip")  # (15)
                _choose(t_5, is_1, t_1)  # (15)
                np.subtract(t_5, m_alpha_finite[t], out=t_5)  # (15)
                np.exp(t_5, out=t_5)  # (15)
                _choose(t_5, is_3, 0)  # (15)
                s_alpha_sum[t] += t_5  # (15)
            np.equal(s_alpha_sum[t], 0, out=is_3)  # (16)
            np.add(is_3, s_alpha_sum[t], out=s_alpha[t])  # (16)
            np.log(s_alpha[t], out=alpha[t])  # (17)
            np.add(e[t], alpha[t], out=alpha[t])  # (17)
            np.add(alpha[t], m_alpha[t], out=alpha[t])  # (17)
        m_alpha2.fill(-np.inf)  # (18)
        for q in range(2):
            np.multiply(two, length, out=at_N)  # (18)
            np.subtract(at_N, q, out=at_N)  # (18)
            np.less_equal(0, at_N, out=is_N)  # (18)
            np.less(at_N, c6, out=is_N2)  # (18)
            np.logical_and(is_N, is_N2, out=is_N)  # (18)
            np.multiply(two, length, out=at_N2)  # (18)
            np.not_equal(q, at_N2, out=is_N2)  # (18)
            np.logical_not(is_N2, out=is_N2)  # (18)
            t_N2.fill(DTYPE(0))  # (18)
            _choose(t_N2, is_N2, DTYPE(-np.inf))  # (18)
            np.multiply(c7, N, out=at_N2)  # (18)
            np.add(at_N2, range_N, out=at_N2)  # (18)
            np.multiply(at_N2, c6, out=at_N2)  # (18)
            np.clip(at_N, 0, c8, out=at_N3)  # (18)
            np.add(at_N2, at_N3, out=at_N2)  # (18)
            np.take(alpha_flat, at_N2, out=t_N, mode="clip")  # (18)
            _choose(t_N, is_N, t_N2)  # (18)
            np.maximum(m_alpha2, t_N, out=m_alpha2)  # (18)
        np.less_equal(m_alpha2, -np.inf, out=is_N)  # (19)
        np.logical_not(is_N, out=is_N)  # (19)
        _masked(m_alpha2, is_N, out=m_alpha2_finite)  # (19)
        s_nll_sum.fill(0)  # (20)
        for q in range(2):
            np.multiply(two, length, out=at_N)  # (20)
            np.subtract(at_N, q, out=at_N)  # (20)
            np.less_equal(0, at_N, out=is_N)  # (20)
            np.less(at_N, c6, out=is_N2)  # (20)
            np.logical_and(is_N, is_N2, out=is_N)  # (20)
            np.multiply(two, length, out=at_N2)  # (20)
            np.not_equal(q, at_N2, out=is_N2)  # (20)
            np.logical_not(is_N2, out=is_N2)  # (20)
            t_N2.fill(DTYPE(0))  # (20)
            _choose(t_N2, is_N2, DTYPE(-np.inf))  # (20)
            np.multiply(c7, N, out=at_N2)  # (20)
            np.add(at_N2, range_N, out=at_N2)  # (20)
            np.multiply(at_N2, c6, out=at_N2)  # (20)
            np.clip(at_N, 0, c8, out=at_N3)  # (20)
            np.add(at_N2, at_N3, out=at_N2)  # (20)
            np.take(alpha_flat, at_N2, out=t_N, mode="clip")  # (20)
            _choose(t_N, is_N, t_N2)  # (20)
            np.subtract(t_N, m_alpha2_finite, out=t_N)  # (20)
            np.exp(t_N, out=t_N)  # (20)
            np.add(s_nll_sum, t_N, out=s_nll_sum)  # (20)
        np.equal(s_nll_sum, zero, out=is_N)  # (21)
        np.add(is_N, s_nll_sum, out=s_nll)  # (21)
        np.log(s_nll, out=t_N)  # (22)
        np.negative(t_N, out=t_N)  # (22)
        np.subtract(t_N, m_alpha2, out=nll)  # (22)
        np.equal(length, zero2, out=is_N)  # (23)
        np.copyto(t_N, is_N)  # (23)
        np.copyto(t_N2, length)  # (23)
        np.add(t_N, t_N2, out=t_N)  # (23)
        np.divide(nll, t_N, out=t_N)  # (23)
        loss[...] = t_N.sum() / N  # (23)

    return run


def _backward(params, tensors, gradients, N, T, D, S, K):
    """The gradients: equations (24) to (41)."""
    U, R = params["U"], params["R"]
    x_turned, h1, p = tensors["x_turned"], tensors["h1"], tensors["p"]
    m_alpha_finite, s_alpha, alpha = tensors["m_alpha_finite"], tensors["s_alpha"], tensors["alpha"]
    m_alpha2_finite, s_nll, ds_nll = tensors["m_alpha2_finite"], tensors["s_nll"], tensors["ds_nll"]
    dalpha_2_s1, dalpha_all = tensors["dalpha_2_s1"], tensors["dalpha_all"]
    ds_alpha_all, dr_h1_all, dalpha_1 = tensors["ds_alpha_all"], tensors["dr_h1_all"], tensors["dalpha_1"]
    dalpha, ds_alpha, dlog_p_1_s1 = tensors["dalpha"], tensors["ds_alpha"], tensors["dlog_p_1_s1"]
    dlog_p_2, dlog_p, ds_lse_s1 = tensors["dlog_p_2"], tensors["dlog_p"], tensors["ds_lse_s1"]
    dz, dh1_2, dh1_1, dr_h1 = tensors["dz"], tensors["dh1_2"], tensors["dh1_1"], tensors["dr_h1"]
    dW, dU, db, dR = gradients["W"], gradients["U"], gradients["b"], gradients["R"]
    dc = gradients["c"]
    t_TNK, at1, at_1, t_1 = tensors["t_TNK"], tensors["at1"], tensors["at_1"], tensors["t_1"]
    is_1, at_3, at_4, is_3 = tensors["is_1"], tensors["at_3"], tensors["at_4"], tensors["is_3"]
    at_5, is_4, is_5, at_6 = tensors["at_5"], tensors["is_4"], tensors["is_5"], tensors["at_6"]
    t_5, is_8, at_N, t_N = tensors["t_5"], tensors["is_8"], tensors["at_N"], tensors["t_N"]
    is_N, t_N2, padded3, padded4 = tensors["is_N"], tensors["t_N2"], tensors["padded3"], tensors["padded4"]
    at_10, at_11, t_6, is_9 = tensors["at_10"], tensors["at_11"], tensors["t_6"], tensors["is_9"]
    is_K, padded1, zeros_NH = tensors["is_K"], tensors["padded1"], tensors["zeros_NH"]
    ones_K, range_, range_T = tensors["ones_K"], tensors["range_"], tensors["range_T"]
    range_N, zeros_1, range_K = tensors["range_N"], tensors["zeros_1"], tensors["range_K"]
    ones_NT = tensors["ones_NT"]
    zero = np.array(0, np.int64)
    c1 = np.array(N, DTYPE)  # (24)
    c2 = np.array(-1, DTYPE)  # (24)
    one = np.array(1, np.int64)
    two = np.array(2, np.int64)
    at_N_column = at_N[:, None]
    alpha_last = alpha[T - 1]
    m_alpha2_finite_column = m_alpha2_finite[:, None]
    ds_nll_column = ds_nll[:, None]
    one2 = np.array(1, DTYPE)
    padded3_part = padded3[0:T, :, 0 : 2 * S + 1]
    padded4_part = padded4[0:T, :, 0 : 2 * S + 1]
    steps = [[
        (
            m, dalpha_1[t], alpha[t] if t + 2 <= T else None,
            padded4[t + 1, :, m : 2 * S + m + 1] if t + 2 <= T else None,
            padded3[t + 1, :, m : 2 * S + m + 1] if t + 2 <= T else None,
        )
        for m in range(3)
    ] for t in range(T)]
    dalpha_rows = dalpha.reshape(N * T, 2 * S + 1)
    dlog_p_1_s1_flat = dlog_p_1_s1.reshape(N * T)
    c3 = np.array(N, np.int64)  # (30)
    range_T_column = range_T[:, None]
    c4 = np.array(K, np.int64)  # (30)
    c5 = S - 1  # (30)
    at_11_row = at_11[:, None, :]
    is_1_column = is_1[:, None, None]
    dalpha_turned = dalpha.transpose(2, 0, 1)
    dlog_p_2_flat = dlog_p_2.reshape(-1)
    at_10_flat = at_10.reshape(-1)
    t_6_flat = t_6.reshape(-1)
    dlog_p_1_s1_column = dlog_p_1_s1[..., None]
    dlog_p_rows = dlog_p.reshape(N * T, K)
    ds_lse_s1_flat = ds_lse_s1.reshape(N * T)
    p_turned = p.transpose(1, 0, 2)
    ds_lse_s1_column = ds_lse_s1[..., None]
    dz_rows = dz.reshape(N * T, K)
    R_T = R.T
    dh1_2_rows = dh1_2.reshape(N * T, H)
    U_T = U.T
    steps2 = [
        (dr_h1[t + 1] if t + 2 <= T else zeros_NH, dh1_1[t], dh1_2[t], dr_h1[t], dr_h1_all[t])
        for t in reversed(range(T))
    ]
    padded1_part = padded1[1 : T + 1, :, :]
    padded1_T = padded1[:T].reshape(N * T, H).T
    dr_h1_rows = dr_h1.reshape(N * T, H)
    h1_T = h1.reshape(N * T, H).T
    x_turned_T = x_turned.reshape(N * T, D).T

    def run(data):
        y, length = data["y"], data["length"]
        np.equal(length, zero, out=is_N)  # (24)
        np.copyto(t_N, is_N)  # (24)
        np.copyto(t_N2, length)  # (24)
        np.add(t_N, t_N2, out=t_N)  # (24)
        np.multiply(c1, t_N, out=t_N)  # (24)
        np.multiply(t_N, s_nll, out=ds_nll)  # (24)
        np.divide(c2, ds_nll, out=ds_nll)  # (24)
        np.add(range_, one, out=at_1)  # (25)
        np.multiply(two, length, out=at_N)  # (25)
        np.greater_equal(at_1, at_N_column, out=is_3)  # (25)
        np.multiply(two, length, out=at_N)  # (25)
        np.less_equal(range_, at_N_column, out=is_8)  # (25)
        np.logical_and(is_3, is_8, out=is_3)  # (25)
        np.subtract(alpha_last, m_alpha2_finite_column, out=dalpha_2_s1)  # (25)
        np.exp(dalpha_2_s1, out=dalpha_2_s1)  # (25)
        _choose(dalpha_2_s1, is_3, 0)  # (25)
        np.multiply(dalpha_2_s1, ds_nll_column, out=dalpha_all)  # (27)
        np.divide(one2, s_alpha, out=ds_alpha_all)  # (28)
        np.multiply(h1, h1, out=dr_h1_all)  # (37)
        np.subtract(one2, dr_h1_all, out=dr_h1_all)  # (37)
        for t in reversed(range(T)):
            dalpha_1[t].fill(0)  # (26)
            padded3.fill(0)  # (26)
            np.copyto(padded3_part, ds_alpha)  # (26)
            padded4.fill(0)  # (26)
            np.copyto(padded4_part, m_alpha_finite)  # (26)
            for m, dalpha_1_part, alpha_part, padded4_part2, padded3_part2 in steps[t]:
                np.add(range_, m, out=at1)  # (26)
                np.right_shift(at1, 1, out=at1)  # (26)
                np.subtract(at1, one, out=at1)  # (26)
                np.add(range_, m, out=at_1)  # (26)
                np.right_shift(at_1, 1, out=at_1)  # (26)
                if t + 2 <= T:  # (26)
                    np.add(range_, m, out=at_4)  # (26)
                    np.bitwise_and(at_4, 1, out=at_4)  # (26)
                    np.equal(at_4, 1, out=is_1)  # (26)
                    np.less_equal(0, at1, out=is_4)  # (26)
                    np.less(at1, S, out=is_5)  # (26)
                    np.logical_and(is_4, is_5, out=is_4)  # (26)
                    np.clip(at1, 0, S - 1, out=at_4)  # (26)
                    np.take(y, at_4, 1, out=at_5, mode="clip")  # (26)
                    _choose(at_5, is_4, -1)  # (26)
                    np.less_equal(0, at_1, out=is_4)  # (26)
                    np.less(at_1, S, out=is_5)  # (26)
                    np.logical_and(is_4, is_5, out=is_4)  # (26)
                    np.clip(at_1, 0, S - 1, out=at_4)  # (26)
                    np.take(y, at_4, 1, out=at_6, mode="clip")  # (26)
                    _choose(at_6, is_4, -1)  # (26)
                    np.not_equal(at_5, at_6, out=is_8)  # (26)
                    np.multiply(is_1, is_8, out=at_3)  # (26)
                    np.add(at_3, 1, out=at_3)  # (26)
                    np.less_equal(m, at_3, out=is_3)  # (26)
                    np.add(range_, m, out=at_4)  # (26)
                    np.less_equal(at_4, 2 * S, out=is_1)  # (26)
                    np.logical_and(is_1, is_3, out=is_3)  # (26)
                    np.subtract(alpha_part, padded4_part2, out=t_5)  # (26)
                    np.exp(t_5, out=t_5)  # (26)
                    np.multiply(padded3_part2, t_5, out=t_5)  # (26)
                    _choose(t_5, is_3, 0)  # (26)
                else:  # (26)
                    t_5.fill(0)  # (26)
                dalpha_1_part += t_5  # (26)
            np.add(dalpha_all if t + 1 == T else zeros_1, dalpha_1[t], out=dalpha[t])  # (27)
            np.multiply(dalpha[t], ds_alpha_all[t], out=ds_alpha[t])  # (28)
        np.bitwise_and(range_, 1, out=at_1)  # (29)
        np.equal(at_1, one, out=is_1)  # (29)
        np.copyto(t_1, is_1)  # (29)
        np.subtract(one2, t_1, out=t_1)  # (29)
        np.dot(dalpha_rows, t_1, out=dlog_p_1_s1_flat)  # (29)
        dlog_p_2.fill(0)  # (30)
        np.right_shift(range_, 1, out=at1)  # (30)
        np.multiply(range_T_column, c3, out=at_10)  # (30)
        np.add(at_10, range_N, out=at_10)  # (30)
        np.multiply(at_10, c4, out=at_10)  # (30)
        np.clip(at1, 0, c5, out=at_1)  # (30)
        np.take(y, at_1, 1, out=at_3, mode="clip")  # (30)
        _transposed(at_3, out=at_11)  # (30)
        np.add(at_10, at_11_row, out=at_10)  # (30)
        np.bitwise_and(range_, 1, out=at_1)  # (30)
        np.equal(at_1, one, out=is_1)  # (30)
        np.copyto(is_9, is_1_column)  # (30)
        _masked(dalpha_turned, is_9, out=t_6)  # (30)
        np.add.at(dlog_p_2_flat, at_10_flat, t_6_flat)  # (30)
        np.equal(range_K, zero, out=is_K)  # (31)
        _masked(dlog_p_1_s1_column, is_K, out=t_TNK)  # (31)
        np.add(t_TNK, dlog_p_2, out=dlog_p)  # (31)
        np.dot(dlog_p_rows, ones_K, out=ds_lse_s1_flat)  # (32)
        np.multiply(p_turned, ds_lse_s1_column, out=t_TNK)  # (33)
        np.subtract(dlog_p, t_TNK, out=dz)  # (33)
        np.dot(ones_NT, dz_rows, out=dc)  # (34)
        np.dot(dz_rows, R_T, out=dh1_2_rows)  # (35)
        for dr_h1_after, dh1_1_t, dh1_2_t, dr_h1_t, dr_h1_all_t in steps2:
            np.dot(dr_h1_after, U_T, out=dh1_1_t)  # (36)
            np.add(dh1_1_t, dh1_2_t, out=dr_h1_t)  # (37)
            np.multiply(dr_h1_t, dr_h1_all_t, out=dr_h1_t)  # (37)
        padded1[:1] = 0  # (38)
        np.copyto(padded1_part, h1)  # (38)
        np.dot(padded1_T, dr_h1_rows, out=dU)  # (38)
        np.dot(h1_T, dz_rows, out=dR)  # (39)
        np.dot(ones_NT, dr_h1_rows, out=db)  # (40)
        np.dot(x_turned_T, dr_h1_rows, out=dW)  # (41)

    return run


def _metrics(params, tensors, N, T, D, S, K):
    """The metrics: equations (42) to (47)."""
    p, best, heard, place = tensors["p"], tensors["best"], tensors["heard"], tensors["place"]
    errors, letters, exact = tensors["errors"], tensors["letters"], tensors["exact"]
    is_N, is_N2, at_12, is_NT = tensors["is_N"], tensors["is_N2"], tensors["at_12"], tensors["is_NT"]
    is_NT2, t_NTT, is_TT, t_NTS = tensors["is_NT2"], tensors["t_NTT"], tensors["is_TT"], tensors["t_NTS"]
    is_NTS, is_NTS2, t_S, range_T = tensors["is_NTS"], tensors["is_NTS2"], tensors["t_S"], tensors["range_T"]
    ones_T, reals_S, ones_ST = tensors["ones_T"], tensors["reals_S"], tensors["ones_ST"]
    at_12_part = at_12[:, 1 : T + 1]
    at_12_part2 = at_12[:, :T]
    range_T_column = range_T[:, None]
    heard_row = heard[:, None, :]
    t_NTT_rows = t_NTT.reshape(N * T, T)
    place_flat = place.reshape(N * T)
    best_column = best[..., None]
    one = np.array(1, DTYPE)
    place_column = place[..., None]
    heard_column = heard[..., None]
    t_NTS_rows = t_NTS.reshape(N, S * T)
    place_part = place[:, T - 1]
    zero = np.array(0, DTYPE)

    def run(data):
        y, length = data["y"], data["length"]
        p.argmax(2, out=best)  # (42)
        at_12[:, :1] = 0  # (43)
        np.copyto(at_12_part, best)  # (43)
        np.not_equal(best, 0, out=is_NT)  # (43)
        np.not_equal(best, at_12_part2, out=is_NT2)  # (43)
        np.logical_and(is_NT, is_NT2, out=is_NT)  # (43)
        np.copyto(heard, is_NT)  # (43)
        np.less_equal(range_T, range_T_column, out=is_TT)  # (44)
        _masked(heard_row, is_TT, out=t_NTT)  # (44)
        np.dot(t_NTT_rows, ones_T, out=place_flat)  # (44)
        np.not_equal(best_column, y[:, None, :], out=is_NTS)  # (45)
        np.add(reals_S, one, out=t_S)  # (45)
        np.equal(t_S, place_column, out=is_NTS2)  # (45)
        np.logical_and(is_NTS, is_NTS2, out=is_NTS)  # (45)
        _masked(heard_column, is_NTS, out=t_NTS)  # (45)
        np.dot(t_NTS_rows, ones_ST, out=errors)  # (45)
        np.copyto(letters, place_part)  # (46)
        np.equal(errors, zero, out=is_N)  # (47)
        np.equal(letters, length, out=is_N2)  # (47)
        np.logical_and(is_N, is_N2, out=is_N)  # (47)
        exact[...] = DTYPE(is_N.sum()) / N  # (47)

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


def _places(N, T, D, S, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x_turned": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N, (T, N, D)),
        "z1": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T, (T, N, H)),
        "h1_all": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T, (T, N, H)),
        "r_h1": (0, 16 * N * S * T + 44 * N * T + 4 * N * S + 6 * N + D * N * T, (T, N, H)),
        "h1": (0, 113 * N * T + 27 * N * S * T + 38 * N + 4 * N * S + 5 * K * N * T + D * N * T + N * T**2, (T, N, H)),
        "z2": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T, (T, N, K)),
        "z": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T, (T, N, K)),
        "m_z": (0, 0, (T, N)),
        "e_p": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T + K * N * T, (T, N, K)),
        "s_p": (0, N * T, (T, N)),
        "p": (0, 12 * N * T + 16 * N * S * T + 2 * K * N * T + 4 * N * S + 6 * N + D * N * T, (N, T, K)),
        "s_lse": (0, N * T, (T, N)),
        "log_p": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T, (T, N, K)),
        "e": (0, 0, (T, N, 2 * S + 1)),
        "m_alpha": (0, 2 * N * S * T + N * T, (T, N, 2 * S + 1)),
        "m_alpha_finite": (0, 4 * N * S + 4 * N * S * T + 6 * N + 6 * N * T, (T, N, 2 * S + 1)),
        "s_alpha_sum": (0, 4 * N * S + 6 * N + 6 * N * S * T + 7 * N * T, (T, N, 2 * S + 1)),
        "s_alpha": (0, 4 * N * S + 6 * N + 8 * N * S * T + 8 * N * T, (T, N, 2 * S + 1)),
        "alpha": (0, 10 * N * S * T + 4 * N * S + 6 * N + 9 * N * T, (T, N, 2 * S + 1)),
        "m_alpha2": (0, 0, (N,)),
        "m_alpha2_finite": (0, N, (N,)),
        "s_nll_sum": (0, 2 * N, (N,)),
        "s_nll": (0, 2 * N, (N,)),
        "nll": (0, 0, (N,)),
        "loss": (0, 180 * N * T + 27 * N * S * T + 5 * K * N * T + 6 * N * S + 71 * N + D * N * T + N * T**2 + S * T + 32768, ()),
        "ds_nll": (0, 2 * N, (N,)),
        "dalpha_2_s1": (0, 16 * N * S * T + 3 * K * N * T + 44 * N * T + 4 * N * S + 6 * N + D * N * T, (N, 2 * S + 1)),
        "dalpha_all": (0, 16 * N * S * T + 3 * K * N * T + 44 * N * T + 4 * N * S + 6 * N + D * N * T, (N, 2 * S + 1)),
        "ds_alpha_all": (0, 4 * N * S + 6 * N + 8 * N * S * T + 8 * N * T, (T, N, 2 * S + 1)),
        "dr_h1_all": (0, 12 * N * T + 16 * N * S * T + 3 * K * N * T + 4 * N * S + 6 * N + D * N * T, (T, N, H)),
        "dalpha_1": (0, 4 * N * S + 6 * N + 6 * N * S * T + 7 * N * T, (T, N, 2 * S + 1)),
        "dalpha": (0, 10 * N * T + 12 * N * S * T + 4 * N * S + 6 * N, (T, N, 2 * S + 1)),
        "ds_alpha": (0, 11 * N * T + 14 * N * S * T + 4 * N * S + 6 * N, (T, N, 2 * S + 1)),
        "dlog_p_1_s1": (0, 2 * N * S * T + N * T, (T, N)),
        "dlog_p_2": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T, (T, N, K)),
        "dlog_p": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T, (T, N, K)),
        "ds_lse_s1": (0, 0, (T, N)),
        "dz": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T, (T, N, K)),
        "dh1_2": (0, 16 * N * S * T + 3 * K * N * T + 44 * N * T + 4 * N * S + 6 * N + D * N * T, (T, N, H)),
        "dh1_1": (0, 16 * N * S * T + 3 * K * N * T + 4 * N * S + 6 * N + 76 * N * T + D * N * T, (T, N, H)),
        "dr_h1": (0, 145 * N * T + 27 * N * S * T + 38 * N + 4 * N * S + 5 * K * N * T + D * N * T + N * T**2, (T, N, H)),
        "best": (1, N + N * T, (N, T)),
        "heard": (0, 177 * N * T + 27 * N * S * T + 39 * N + 5 * K * N * T + 6 * N * S + D * N * T + N * T**2 + 32768, (N, T)),
        "place": (0, 178 * N * T + 27 * N * S * T + 39 * N + 5 * K * N * T + 6 * N * S + D * N * T + N * T**2 + 32768, (N, T)),
        "errors": (0, N * S * T, (N,)),
        "letters": (0, 0, (N,)),
        "exact": (0, N + N * S * T, ()),
        "zeros_NH": (0, 180 * N * T + 27 * N * S * T + 39 * N + 5 * K * N * T + 6 * N * S + D * N * T + N * T**2 + S * T + 32768, (N, 32)),
        "ones_K": (0, 180 * N * T + 27 * N * S * T + 5 * K * N * T + 6 * N * S + 6 * S + 71 * N + D * N * T + N * T**2 + S * T + 32771, (K,)),
        "range_": (1, 10 * N * S + 12 * S + 2 * N * S * T + 5 * N + N * T + 6, (2 * S + 1,)),
        "range_T": (1, 10 * N * S + 20 * S + 2 * N * S * T + 5 * N + N * T + 10, (T,)),
        "range_N": (1, 10 * N * S + 20 * S + 2 * N * S * T + 5 * N + N * T + T + 10, (N,)),
        "range_3": (1, 10 * N * S + 20 * S + 2 * N * S * T + 6 * N + K + N * T + T + 10, (3,)),
        "zeros_1": (0, 177 * N * T + 27 * N * S * T + 38 * N + 4 * N * S + 5 * K * N * T + D * N * T + N * T**2 + 32768, (N, 2 * S + 1)),
        "range_K": (1, 10 * N * S + 20 * S + 2 * N * S * T + 6 * N + N * T + T + 10, (K,)),
        "ones_NT": (0, 179 * N * T + 27 * N * S * T + 39 * N + 5 * K * N * T + 6 * N * S + D * N * T + N * T**2 + 32768, (N * T,)),
        "ones_T": (0, 180 * N * T + 27 * N * S * T + 5 * K * N * T + 6 * N * S + 6 * S + 71 * N + D * N * T + K + N * T**2 + S * T + 32771, (T,)),
        "reals_S": (0, 180 * N * T + 27 * N * S * T + 5 * K * N * T + 6 * N * S + 6 * S + 71 * N + D * N * T + K + N * T**2 + S * T + T + 32771, (S,)),
        "ones_ST": (0, 180 * N * T + 27 * N * S * T + 39 * N + 5 * K * N * T + 6 * N * S + D * N * T + N * T**2 + 32768, (S * T,)),
        "t_NT": (0, 2 * N * T, (N, T)),
        "t_TNK": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T + K * N * T, (T, N, K)),
        "t_TN": (0, 2 * N * T, (T, N)),
        "at1": (1, 10 * N * S + 14 * S + 2 * N * S * T + 5 * N + N * T + 7, (2 * S + 1,)),
        "at2": (1, 2 * N * S * T + N * T, (N, 2 * S + 1)),
        "at_1": (1, 10 * N * S + 16 * S + 2 * N * S * T + 5 * N + N * T + 8, (2 * S + 1,)),
        "t_1": (0, 2 * N * T + 4 * N * S * T, (2 * S + 1,)),
        "is_1": (2, 12 * S + 4 * N + 8 * N * S + 6, (2 * S + 1,)),
        "t_2": (0, 2 * N * S * T + N * T, (T, N, 2 * S + 1)),
        "at_2": (1, 0, (T, N, 2 * S + 1)),
        "at_3": (1, 2 * N * S * T + 4 * N + 8 * N * S + N * T, (N, 2 * S + 1)),
        "at4": (1, 10 * N * S + 2 * N * S * T + 5 * N + N * T, (2 * S + 1, 3)),
        "t_3": (0, 12 * N * T + 16 * N * S * T + 3 * K * N * T + 4 * N * S + 6 * N + D * N * T, (N, 2 * S + 1, 3)),
        "is_2": (2, 0, (N, 2 * S + 1, 3)),
        "at_4": (1, 10 * N * S + 18 * S + 2 * N * S * T + 5 * N + N * T + 9, (2 * S + 1,)),
        "is_3": (2, 3 * N + 6 * N * S, (N, 2 * S + 1)),
        "at_5": (1, 3 * N + 6 * N * S, (N, 2 * S + 1)),
        "is_4": (2, 14 * S + 4 * N + 8 * N * S + 7, (2 * S + 1,)),
        "is_5": (2, 16 * S + 4 * N + 8 * N * S + 8, (2 * S + 1,)),
        "at_6": (1, 4 * N + 8 * N * S, (N, 2 * S + 1)),
        "is_6": (2, 4 * N + 8 * N * S, (2 * S + 1, 3)),
        "is_7": (2, 4 * N + 6 * S + 8 * N * S + 3, (2 * S + 1, 3)),
        "t_4": (0, 180 * N * T + 27 * N * S * T + 5 * K * N * T + 6 * N * S + 71 * N + D * N * T + N * T**2 + S * T + 32768, (2 * S + 1, 3)),
        "at_7": (1, 0, (N, 2 * S + 1, 3)),
        "at_8": (1, 10 * N * S + 2 * N * S * T + 5 * N + 6 * S + N * T + 3, (2 * S + 1, 3)),
        "t_5": (0, 16 * N * S * T + 3 * K * N * T + 44 * N * T + 6 * N * S + 7 * N + D * N * T, (N, 2 * S + 1)),
        "at_9": (1, 0, (2 * S + 1,)),
        "is_8": (2, 0, (N, 2 * S + 1)),
        "at_N": (1, 0, (N,)),
        "t_N": (0, 3 * N, (N,)),
        "is_N": (2, 0, (N,)),
        "is_N2": (2, N, (N,)),
        "t_N2": (0, 4 * N, (N,)),
        "at_N2": (1, N, (N,)),
        "at_N3": (1, 2 * N, (N,)),
        "padded3": (0, 0, (T + 1, N, 2 * S + 3)),
        "padded4": (0, 2 * N * S + 2 * N * S * T + 3 * N + 3 * N * T, (T + 1, N, 2 * S + 3)),
        "at_10": (1, 0, (2 * S + 1, T, N)),
        "at_11": (1, 2 * N * S * T + N * T, (2 * S + 1, N)),
        "t_6": (0, 0, (2 * S + 1, T, N)),
        "is_9": (2, 0, (2 * S + 1, 1, 1)),
        "is_K": (2, 0, (K,)),
        "padded1": (0, 12 * N * T + 16 * N * S * T + 4 * N * S + 6 * N + D * N * T + K * N * T, (T + 1, N, 32)),
        "at_12": (1, 0, (N, T + 1)),
        "is_NT": (2, 0, (N, T)),
        "is_NT2": (2, N * T, (N, T)),
        "t_NTT": (0, 0, (N, T, T)),
        "is_TT": (2, 0, (T, T)),
        "t_NTS": (0, 0, (N, T, S)),
        "is_NTS": (2, 0, (N, T, S)),
        "is_NTS2": (2, N * S * T, (N, T, S)),
        "t_S": (0, N + N * S * T, (S,)),
        "t_block": (0, 0, (16384,)),
        "t_block2": (0, 16384, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "U": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "R": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(K),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _choose, _masked, _transposed


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
