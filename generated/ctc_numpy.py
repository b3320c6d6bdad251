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
OPEN_SIZES = ("N", "T", "D", "S", "K")
POSITIONS = ("range_", "range_T", "range_N", "range_3", "range_K", "reals_S")
ONES = ("ones_K", "ones_NT", "ones_T", "ones_ST")
H = 32
NAME = "ctc"
SIZES = {"H": H}
PARAMETERS = {"W": ("D", "H"), "U": ("H", "H"), "b": ("H",), "R": ("H", "K"), "c": ("K",)}
INPUTS = {"x": ("N", "T", "D"), "y": ("N", "S"), "length": ("N",)}
INTEGERS = {"y": ("K", None), "length": (lambda s: s["S"] + 1, None)}
FACTS = {}
FORWARD_INPUTS = ("x",)
OUTPUTS, LOSS = ("p",), "loss"
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
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray


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
    c9 = np.array(-np.inf, DTYPE)  # (19)
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
            np.greater(m_alpha[t], -np.inf, out=is_3)  # (14)
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
        np.greater(m_alpha2, c9, out=is_N)  # (19)
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
    padded3_part = padded3[0 : T, :, 0 : 2 * S + 1]
    padded4_part = padded4[0 : T, :, 0 : 2 * S + 1]
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
            np.add(dalpha_all if T == t + 1 else zeros_1, dalpha_1[t], out=dalpha[t])  # (27)
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
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "U": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(H),
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "R": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(K),
    }


# ---- Functions that NumPy lacks ----


def _choose(out: Array, mask: Array, other: Any) -> None:
    """Leaves `out` where the mask is set and puts `other` elsewhere: on the bits, since a branch for each
    element costs most where the mask has no pattern, and 0 times an infinity is a NaN."""
    kind = f"i{out.itemsize}"
    bits = out.view(kind)
    if np.isscalar(other) and other == 0:
        np.multiply(bits, mask, out=bits)
        return
    others = np.asarray(other, out.dtype).view(kind)
    np.bitwise_xor(bits, others, out=bits)
    np.multiply(bits, mask, out=bits)
    np.bitwise_xor(bits, others, out=bits)


def _masked(values: Array, mask: Array, out: Array) -> Array:
    """The values where the mask is set and 0 elsewhere: on the bits, since 0 times an infinity is a NaN."""
    kind = f"i{out.itemsize}"
    np.multiply(values.view(kind), mask, out=out.view(kind))
    return out


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
