"""cnn: a network that trains in NumPy.

Derived from the network cnn; float64. It reads x(N, D1, S, S), y(N,).
Random tensors, drawn in each step: mask2(N, F2*(-D4 + ((-D2 + S + 1)//2) + 4)*(-D5 + ((-D3 + S + 1)//2) + 4)): bernoulli(0.7).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,k,i1,i2] = Σ_i,l,m x[n,i,i1 + l - 1,i2 + m - 1]·C1[k,i,l,m]
    (2)   a1[n,k,i1,i2] = z1[n,k,i1,i2] + c1[k]
    (3)   h1_2[n,k,i1,i2] = [a1[n,k,i1,i2] > 0]·a1[n,k,i1,i2]
    (4)   h1[n,k,i3,i4] = max_i5,i h1_2[n,k,2·i3 + i5,2·i4 + i]
    (5)   z2[n,q,i6,i7] = Σ_k,r,s h1[n,k,i6 + r - 1,i7 + s - 1]·C2[q,k,r,s]
    (6)   a2[n,q,i6,i7] = z2[n,q,i6,i7] + c2[q]
    (7)   h2[n,q,i6,i7] = [a2[n,q,i6,i7] > 0]·a2[n,q,i6,i7]
    (8)   u_flat[n,u] = h2[n,u//(((S - D2 + 1)//2 - D4 + 4)·((S - D3 + 1)//2 - D5 + 4)),(u//((S - D3 + 1)//2 - D5 + 4))%((S - D2 + 1)//2 - D4 + 4),u%((S - D3 + 1)//2 - D5 + 4)]
    (9)   flat[n,u] = 10·mask2[n,u]·u_flat[n,u]/7
    (10)  z3[n,v] = Σ_u flat[n,u]·W[u,v]
    (11)  a3[n,v] = z3[n,v] + b[v]
    (12)  m_a3[n] = max_v a3[n,v]
    (13)  e_p[n,v] = exp(a3[n,v] - m_a3[n])
    (14)  s_p[n] = Σ_v e_p[n,v]
    (15)  p[n,v] = e_p[n,v]/s_p[n]
    (16)  loss = Σ_n (log(s_p[n]) + m_a3[n] - a3[n,y[n]])/N
    (17)  h1_argmax_i5[n,k,i3,i4] = argmax_i5,i h1_2[n,k,2·i3 + i5,2·i4 + i]
    (18)  h1_argmax_i[n,k,i3,i4] = argmax_i5,i h1_2[n,k,2·i3 + i5,2·i4 + i]
    (19)  da3[n,v] = (p[n,v] - [v = y[n]])/N
    (20)  db[v] = Σ_n da3[n,v]
    (21)  dflat[n,u] = Σ_v da3[n,v]·W[u,v]
    (22)  dW[u,v] = Σ_n flat[n,u]·da3[n,v]
    (23)  da2[n,q,i6,i7] = 10·[a2[n,q,i6,i7] > 0]·dflat[n,q·((S - D2 + 1)//2 - D4 + 4)·((S - D3 + 1)//2 - D5 + 4) + i6·((S - D3 + 1)//2 - D5 + 4) + i7]·mask2[n,q·((S - D2 + 1)//2 - D4 + 4)·((S - D3 + 1)//2 - D5 + 4) + i6·((S - D3 + 1)//2 - D5 + 4) + i7]/7
    (24)  dc2[q] = Σ_n,i6,i7 da2[n,q,i6,i7]
    (25)  dh1[n,k,i3,i4] = Σ_q,r,s [i3 + D4 ≤ r + (S - D2 + 1)//2 + 2]·[r ≤ i3 + 1]·[i4 + D5 ≤ s + (S - D3 + 1)//2 + 2]·[s ≤ i4 + 1]·da2[n,q,i3 - r + 1,i4 - s + 1]·C2[q,k,r,s]
    (26)  dC2[q,k,r,s] = Σ_n,i6,i7 da2[n,q,i6,i7]·h1[n,k,i6 + r - 1,i7 + s - 1]
    (27)  da1[n,k,i1,i2] = [a1[n,k,i1,i2] > 0]·[h1_argmax_i5[n,k,i1//2,i2//2] = i1%2]·[h1_argmax_i[n,k,i1//2,i2//2] = i2%2]·[i1//2 ≤ (S - D2 + 1)//2]·[i2//2 ≤ (S - D3 + 1)//2]·dh1[n,k,i1//2,i2//2]
    (28)  dC1[k,i,l,m] = Σ_n,i1,i2 da1[n,k,i1,i2]·x[n,i,i1 + l - 1,i2 + m - 1]
    (29)  dc1[k] = Σ_n,i1,i2 da1[n,k,i1,i2]
    (30)  z3_infer[n,v] = Σ_u u_flat[n,u]·W[u,v]
    (31)  a3_infer[n,v] = z3_infer[n,v] + b[v]
    (32)  m_a3_infer[n] = max_v a3_infer[n,v]
    (33)  e_p_infer[n,v] = exp(a3_infer[n,v] - m_a3_infer[n])
    (34)  s_p_infer[n] = Σ_v e_p_infer[n,v]
    (35)  p_infer[n,v] = e_p_infer[n,v]/s_p_infer[n]
    (36)  loss_infer = Σ_n (log(s_p_infer[n]) + m_a3_infer[n] - a3_infer[n,y[n]])/N
    (37)  c_accuracy[n] = argmax_v p_infer[n,v]
    (38)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D1 = 1, F1 = 16, D2 = 3, D3 = 3, F2 = 32, D4 = 3, D5 = 3; N, S, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      36·D1·F1·N·S² + 10·F1·N·S² + 1,738·F1·N·((S - 2)//2)² + 192·K·N·((S - 2)//2)²
               + 3,476·F1·N·((S - 2)//2) + 384·K·N·((S - 2)//2) + 1,738·F1·N + 206·K·N
               + 320·N·((S - 2)//2)² + 640·N·((S - 2)//2) + 327·N
             = 192·K·N·((S - 2)//2)² + 384·K·N·((S - 2)//2) + 206·K·N + 28,128·N·((S - 2)//2)²
               + 56,256·N·((S - 2)//2) + 736·N·S² + 28,135·N
    bytes      520 + 288·D1·N·S² + 400·F1·N·((S - 2)//2)² + 800·F1·N·((S - 2)//2) + 80·F1·N·S²
               + 112·K·N + 11,776·N·((S - 2)//2)² + 144·D1·F1 + 1,536·K·((S - 2)//2)
               + 23,552·N·((S - 2)//2) + 400·F1·N + 768·K·((S - 2)//2)² + 11,536·F1 + 11,848·N + 784·K
             = 187,400 + 112·K·N + 1,536·K·((S - 2)//2) + 1,568·N·S² + 18,176·N·((S - 2)//2)²
               + 36,352·N·((S - 2)//2) + 768·K·((S - 2)//2)² + 18,248·N + 784·K
    workspace  8·max(32·N·S², 144·N·((S - 2)//2)² + 288·N·((S - 2)//2) + 48·N·S²
               + 144·N, 208·N·((S - 2)//2)² + 544·N·((S - 2)//2) + 73·N·S² + 464·N, 240·N·((S - 2)//2)²
               + 608·N·((S - 2)//2) + 73·N·S² + 496·N, 272·N·((S - 2)//2)² + 672·N·((S - 2)//2)
               + 73·N·S² + 528·N, 304·N·((S - 2)//2)² + 736·N·((S - 2)//2) + 73·N·S²
               + 560·N, 336·N·((S - 2)//2)² + 73·N·S² + 800·N·((S - 2)//2) + 592·N, 368·N·((S - 2)//2)²
               + 73·N·S² + 864·N·((S - 2)//2) + 624·N, 384·N·((S - 2)//2)² + 73·N·S²
               + 960·N·((S - 2)//2) + 768·N, 400·N·((S - 2)//2)² + 73·N·S² + 992·N·((S - 2)//2)
               + 784·N, 176·N·((S - 2)//2)² + 480·N·((S - 2)//2) + 4·N·S + 74·N·S²
               + 436·N, 1,024·N·((S - 2)//2) + 416·N·((S - 2)//2)² + 4·N·S + 75·N·S² + 804·N, 37,379
               + 1,026·N·((S - 2)//2) + 417·N·((S - 2)//2)² + 4·K·N + 4·N·S + 75·N·S² + 812·N + K)
               + 8·max(32·N·S², 16 + 16·N·((S - 2)//2)² + 32·N·((S - 2)//2) + 32·N·S² + 19·N + 7·S + K
               + S²) + max(K·N, 16·N·S² + 2·S + S², 16·N·((S - 2)//2)² + 32·N·((S - 2)//2)
               + 16·N, 32·N·((S - 2)//2)² + 64·N·((S - 2)//2) + 32·N) bytes
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
OPEN_SIZES = ("N", "S", "K")
POSITIONS = ("range_N", "range_K", "range_S", "range_F1")
ONES = ("ones_K", "ones_N", "ones_2S22NNS222N", "ones_NS2")
D1, F1, D2, D3, F2, D4, D5 = 1, 16, 3, 3, 32, 3, 3
NAME = "cnn"
SIZES = {"D1": D1, "F1": F1, "D2": D2, "D3": D3, "F2": F2, "D4": D4, "D5": D5}
PARAMETERS = {
    "C1": ("F1", "D1", "D2", "D3"), "c1": ("F1",), "C2": ("F2", "F1", "D4", "D5"), "c2": ("F2",),
    "W": (lambda s: ((s["S"] + 1 - s["D2"]) // 2 + 4 - s["D4"]) * ((s["S"] + 1 - s["D3"]) // 2 + 4 - s["D5"]) * s["F2"], "K"),
    "b": ("K",),
}
INPUTS = {"x": ("N", "D1", "S", "S"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS = {"mask2": (("binary", -1),)}
FORWARD_INPUTS = ("x",)
SOLVED = {}
CONDITIONS = {}
SAMPLE = {"N": 5, "S": 5, "K": 5}
RANDOM = {
   
    "mask2": (("N", lambda s: ((s["S"] + 1 - s["D2"]) // 2 + 4 - s["D4"]) * ((s["S"] + 1 - s["D3"]) // 2 + 4 - s["D5"]) * s["F2"]), "bernoulli", 0.7),
}
RANDOM_AT_INFERENCE = ()
INFERENCE = {"loss": "loss_infer", "p": "p_infer"}
OUTPUTS, LOSS = ("p",), "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"C1": "dC1", "c1": "dc1", "C2": "dC2", "c2": "dc2", "W": "dW", "b": "db"}
EQUATIONS = {
    1: "z1", 2: "a1", 3: "h1_2", 4: "h1", 5: "z2", 6: "a2", 7: "h2", 8: "u_flat", 9: "flat", 10: "z3",
    11: "a3", 12: "m_a3", 13: "e_p", 14: "s_p", 15: "p", 16: "loss", 17: "h1_argmax_i5", 18: "h1_argmax_i",
    19: "da3", 20: "db", 21: "dflat", 22: "dW", 23: "da2", 24: "dc2", 25: "dh1", 26: "dC2", 27: "da1",
    28: "dC1", 29: "dc1", 30: "z3_infer", 31: "a3_infer", 32: "m_a3_infer", 33: "e_p_infer", 34: "s_p_infer",
    35: "p_infer", 36: "loss_infer", 37: "c_accuracy", 38: "accuracy",
}
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray


# ---- The network ----


def _forward(params, tensors, N, S, K):
    """The outputs: equations (1) to (15)."""
    C1, c1, C2, c2 = params["C1"], params["c1"], params["C2"], params["c2"]
    W, b = params["W"], params["b"]
    x_windows, z1, a1, h1_2 = tensors["x_windows"], tensors["z1"], tensors["a1"], tensors["h1_2"]
    h1, h1_windows, z2, a2 = tensors["h1"], tensors["h1_windows"], tensors["z2"], tensors["a2"]
    h2, u_flat, flat, z3 = tensors["h2"], tensors["u_flat"], tensors["flat"], tensors["z3"]
    a3, m_a3, e_p, s_p = tensors["a3"], tensors["m_a3"], tensors["e_p"], tensors["s_p"]
    p = tensors["p"]
    padded1, t_1, t_2, ones_K = tensors["padded1"], tensors["t_1"], tensors["t_2"], tensors["ones_K"]
    padded1_part = padded1[:, :, 1 : S + 1, 1 : S + 1]
    padded1_windows = _windows(padded1, (D1, 3, 3, S, S, N), (1, 2, 3, 2, 3, 0))
    C1_rows = C1.reshape(F1, 9 * D1)
    c1_ = S ** 2  # (1)
    c1_column = c1[:, None, None, None]
    zero = np.array(0, DTYPE)
    h1_2_part = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part2 = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    h1_2_part3 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part4 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    t_1_part = t_1[:, 1 : (S - 2) // 2 + 2, 1 : (S - 2) // 2 + 2, :]
    t_1_windows = _windows(t_1, (F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N), (0, 1, 2, 1, 2, 3))
    C2_rows = C2.reshape(32, 9 * F1)
    c2_ = ((S - 2) // 2 + 1) ** 2  # (5)
    c2_column = c2[:, None, None, None]
    c3 = 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2)  # (8)
    c4 = np.array(10 / 7, DTYPE)  # (9)
    flat_T = flat.T
    m_a3_column = m_a3[:, None]
    s_p_column = s_p[:, None]

    def run(data):
        x, mask2 = data["x"], data["mask2"]
        padded1.fill(0)  # (1)
        np.copyto(padded1_part, x)  # (1)
        np.copyto(x_windows, padded1_windows)  # (1)
        np.matmul(C1_rows, x_windows.reshape(9 * D1, N * c1_), out=z1.reshape(F1, N * c1_))  # (1)
        np.add(z1, c1_column, out=a1)  # (2)
        np.maximum(a1, zero, out=h1_2)  # (3)
        np.maximum(h1_2_part, h1_2_part2, out=h1)  # (4)
        np.maximum(h1, h1_2_part3, out=h1)  # (4)
        np.maximum(h1, h1_2_part4, out=h1)  # (4)
        t_1.fill(0)  # (5)
        np.copyto(t_1_part, h1)  # (5)
        np.copyto(h1_windows, t_1_windows)  # (5)
        np.matmul(C2_rows, h1_windows.reshape(9 * F1, c2_ * N), out=z2.reshape(32, c2_ * N))  # (5)
        np.add(z2, c2_column, out=a2)  # (6)
        np.maximum(a2, zero, out=h2)  # (7)
        u_flat[...] = h2.reshape(c3 + 32, N)  # (8)
        _transposed(mask2, out=t_2)  # (9)
        np.multiply(c4, t_2, out=t_2)  # (9)
        np.multiply(t_2, u_flat, out=flat)  # (9)
        np.dot(flat_T, W, out=z3)  # (10)
        np.add(z3, b, out=a3)  # (11)
        a3.max(1, out=m_a3)  # (12)
        np.subtract(a3, m_a3_column, out=e_p)  # (13)
        np.exp(e_p, out=e_p)  # (13)
        np.dot(e_p, ones_K, out=s_p)  # (14)
        np.divide(e_p, s_p_column, out=p)  # (15)

    return run


def _loss(params, tensors, N, S, K):
    """The loss: equation (16)."""
    a3, m_a3, s_p, loss = tensors["a3"], tensors["m_a3"], tensors["s_p"], tensors["loss"]
    t_N, at_N, t_N2, range_N = tensors["t_N"], tensors["at_N"], tensors["t_N2"], tensors["range_N"]
    c1_ = np.array(K, np.int64)  # (16)
    a3_flat = a3.reshape(-1)

    def run(data):
        y = data["y"]
        np.multiply(range_N, c1_, out=at_N)  # (16)
        np.add(at_N, y, out=at_N)  # (16)
        np.take(a3_flat, at_N, out=t_N, mode="clip")  # (16)
        np.subtract(m_a3, t_N, out=t_N)  # (16)
        np.log(s_p, out=t_N2)  # (16)
        np.add(t_N, t_N2, out=t_N)  # (16)
        loss[...] = t_N.sum() / N  # (16)

    return run


def _backward(params, tensors, gradients, N, S, K):
    """The gradients: equations (17) to (29)."""
    C2, W = params["C2"], params["W"]
    x_windows, h1_2, h1 = tensors["x_windows"], tensors["h1_2"], tensors["h1"]
    h1_windows, h2, flat, p = tensors["h1_windows"], tensors["h2"], tensors["flat"], tensors["p"]
    h1_place, da3, dflat, da2 = tensors["h1_place"], tensors["da3"], tensors["dflat"], tensors["da2"]
    dh1, da1_window, da1 = tensors["dh1"], tensors["da1_window"], tensors["da1"]
    dC1, dc1, dC2, dc2 = gradients["C1"], gradients["c1"], gradients["C2"], gradients["c2"]
    dW, db = gradients["W"], gradients["b"]
    less, is_1, is_NK, is_2 = tensors["less"], tensors["is_1"], tensors["is_NK"], tensors["is_2"]
    t_3, at1, at2, at3 = tensors["t_3"], tensors["at1"], tensors["at2"], tensors["at3"]
    at4, is_F1_S_S_N, at_SS, at_S = tensors["at4"], tensors["is_F1_S_S_N"], tensors["at_SS"], tensors["at_S"]
    at_S2, at_F1_S_S_N, at_F1_S_S_N2 = tensors["at_S2"], tensors["at_F1_S_S_N"], tensors["at_F1_S_S_N2"]
    is_SS1, is_S, is_S2, range_N = tensors["is_SS1"], tensors["is_S"], tensors["is_S2"], tensors["range_N"]
    range_K, ones_N, ones_2S22NNS222N = tensors["range_K"], tensors["ones_N"], tensors["ones_2S22NNS222N"]
    range_S, range_F1, ones_NS2 = tensors["range_S"], tensors["range_F1"], tensors["ones_NS2"]
    h1_2_part = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part2 = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    h1_2_part3 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    c1_ = np.array(N, DTYPE)  # (19)
    da3_T = da3.T
    zero = np.array(0, DTYPE)
    c2_ = np.array(10 / 7, DTYPE)  # (23)
    dflat_shaped = dflat.reshape(32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)
    c3 = (S - 2) // 2  # (23)
    c4 = 2 * ((S - 2) // 2) * N + N  # (24)
    c5 = ((S - 2) // 2)**2 * N  # (24)
    t_3_part = t_3[:, 1 : (S - 2) // 2 + 2, 1 : (S - 2) // 2 + 2, :]
    dh1_windows = _windows(
        t_3[:, 2:, 2:], (32, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N), (0, 1, 2, 1, 2, 3),
        (1, -1, -1, 1, 1, 1)
    )
    C2_turned = C2.transpose(1, 0, 2, 3)
    c6 = ((S - 2) // 2 + 1) ** 2  # (25)
    dC2_rows = dC2.reshape(32, 9 * F1)
    two = np.array(2, np.int64)
    at_S_column = at_S[:, None]
    c7 = np.array((S - 2) // 2 + 1, np.int64)  # (27)
    range_F1_column = range_F1[:, None, None, None]
    at_S_column2 = at_S[:, None, None]
    at_S2_column = at_S2[:, None]
    c8 = np.array(N, np.int64)  # (27)
    at_SS_column = at_SS[..., None]
    is_S_column = is_S[:, None, None]
    is_S2_column = is_S2[:, None]
    c9 = S**2  # (29)
    dC1_rows = dC1.reshape(F1, 9 * D1)

    def run(data):
        y, mask2 = data["y"], data["mask2"]
        np.less(h1_2_part, h1, out=less)  # (17), (18)
        np.copyto(h1_place, less)  # (17), (18)
        np.less(h1_2_part2, h1, out=is_1)  # (17), (18)
        np.logical_and(less, is_1, out=less)  # (17), (18)
        np.add(h1_place, less, out=h1_place)  # (17), (18)
        np.less(h1_2_part3, h1, out=is_1)  # (17), (18)
        np.logical_and(less, is_1, out=less)  # (17), (18)
        np.add(h1_place, less, out=h1_place)  # (17), (18)
        np.equal(range_K, y[:, None], out=is_NK)  # (19)
        np.subtract(p, is_NK, out=da3)  # (19)
        np.divide(da3, c1_, out=da3)  # (19)
        np.dot(ones_N, da3, out=db)  # (20)
        np.dot(W, da3_T, out=dflat)  # (21)
        np.dot(flat, da3, out=dW)  # (22)
        np.greater(h2, zero, out=is_2)  # (23)
        np.multiply(c2_, dflat_shaped, out=da2)  # (23)
        np.multiply(da2, mask2.reshape(N, 32, c3 + 1, c3 + 1).transpose(1, 2, 3, 0), out=da2)  # (23)
        _choose(da2, is_2, 0)  # (23)
        np.dot(da2.reshape(32, c4 + c5), ones_2S22NNS222N, out=dc2)  # (24)
        t_3.fill(0)  # (25)
        np.copyto(t_3_part, da2)  # (25)
        np.matmul(
            C2_turned.reshape(F1, 288), dh1_windows.reshape(288, c6 * N), out=dh1.reshape(F1, c6 * N)
        )  # (25)
        np.matmul(da2.reshape(32, c6 * N), h1_windows.reshape(9 * F1, c6 * N).T, out=dC2_rows)  # (26)
        np.greater(h1, zero, out=is_1)  # (27)
        _masked(dh1, is_1, out=da1_window)  # (27)
        np.right_shift(range_S, 1, out=at1)  # (27)
        np.right_shift(range_S, 1, out=at2)  # (27)
        np.right_shift(range_S, 1, out=at3)  # (27)
        np.right_shift(range_S, 1, out=at4)  # (27)
        np.bitwise_and(range_S, 1, out=at_S)  # (27)
        np.multiply(two, at_S, out=at_S)  # (27)
        np.bitwise_and(range_S, 1, out=at_S2)  # (27)
        np.add(at_S_column, at_S2, out=at_SS)  # (27)
        np.multiply(range_F1_column, c7, out=at_F1_S_S_N2)  # (27)
        np.clip(at1, 0, c3, out=at_S)  # (27)
        np.add(at_F1_S_S_N2, at_S_column2, out=at_F1_S_S_N2)  # (27)
        np.multiply(at_F1_S_S_N2, c7, out=at_F1_S_S_N2)  # (27)
        np.clip(at2, 0, c3, out=at_S2)  # (27)
        np.add(at_F1_S_S_N2, at_S2_column, out=at_F1_S_S_N2)  # (27)
        np.multiply(at_F1_S_S_N2, c8, out=at_F1_S_S_N2)  # (27)
        np.add(at_F1_S_S_N2, range_N, out=at_F1_S_S_N2)  # (27)
        np.take(h1_place.reshape(-1), at_F1_S_S_N2, out=at_F1_S_S_N, mode="clip")  # (27)
        np.equal(at_SS_column, at_F1_S_S_N, out=is_F1_S_S_N)  # (27)
        np.right_shift(range_S, 1, out=at_S)  # (27)
        np.less_equal(at_S, c3, out=is_S)  # (27)
        np.right_shift(range_S, 1, out=at_S)  # (27)
        np.less_equal(at_S, c3, out=is_S2)  # (27)
        np.logical_and(is_S_column, is_S2_column, out=is_SS1)  # (27)
        np.logical_and(is_SS1, is_F1_S_S_N, out=is_F1_S_S_N)  # (27)
        np.multiply(range_F1_column, c7, out=at_F1_S_S_N)  # (27)
        np.clip(at3, 0, c3, out=at_S)  # (27)
        np.add(at_F1_S_S_N, at_S_column2, out=at_F1_S_S_N)  # (27)
        np.multiply(at_F1_S_S_N, c7, out=at_F1_S_S_N)  # (27)
        np.clip(at4, 0, c3, out=at_S2)  # (27)
        np.add(at_F1_S_S_N, at_S2_column, out=at_F1_S_S_N)  # (27)
        np.multiply(at_F1_S_S_N, c8, out=at_F1_S_S_N)  # (27)
        np.add(at_F1_S_S_N, range_N, out=at_F1_S_S_N)  # (27)
        np.take(da1_window.reshape(-1), at_F1_S_S_N, out=da1, mode="clip")  # (27)
        _choose(da1, is_F1_S_S_N, 0)  # (27)
        np.dot(da1.reshape(F1, N * c9), ones_NS2, out=dc1)  # (29)
        np.matmul(da1.reshape(F1, N * c9), x_windows.reshape(9 * D1, N * c9).T, out=dC1_rows)  # (28)

    return run


def _inference(params, tensors, N, S, K):
    """The outputs at inference: equations (1) to (8), (30) to (35)."""
    C1, c1, C2, c2 = params["C1"], params["c1"], params["C2"], params["c2"]
    W, b = params["W"], params["b"]
    x_windows, z1, a1, h1_2 = tensors["x_windows"], tensors["z1"], tensors["a1"], tensors["h1_2"]
    h1, h1_windows, z2, a2 = tensors["h1"], tensors["h1_windows"], tensors["z2"], tensors["a2"]
    h2, u_flat, z3_infer = tensors["h2"], tensors["u_flat"], tensors["z3_infer"]
    a3_infer, m_a3_infer, e_p_infer = tensors["a3_infer"], tensors["m_a3_infer"], tensors["e_p_infer"]
    s_p_infer, p_infer = tensors["s_p_infer"], tensors["p_infer"]
    padded1, t_1, ones_K = tensors["padded1"], tensors["t_1"], tensors["ones_K"]
    padded1_part = padded1[:, :, 1 : S + 1, 1 : S + 1]
    padded1_windows = _windows(padded1, (D1, 3, 3, S, S, N), (1, 2, 3, 2, 3, 0))
    C1_rows = C1.reshape(F1, 9 * D1)
    c1_ = S ** 2  # (1)
    c1_column = c1[:, None, None, None]
    zero = np.array(0, DTYPE)
    h1_2_part = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part2 = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    h1_2_part3 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part4 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    t_1_part = t_1[:, 1 : (S - 2) // 2 + 2, 1 : (S - 2) // 2 + 2, :]
    t_1_windows = _windows(t_1, (F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N), (0, 1, 2, 1, 2, 3))
    C2_rows = C2.reshape(32, 9 * F1)
    c2_ = ((S - 2) // 2 + 1) ** 2  # (5)
    c2_column = c2[:, None, None, None]
    c3 = 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2)  # (8)
    u_flat_T = u_flat.T
    m_a3_infer_column = m_a3_infer[:, None]
    s_p_infer_column = s_p_infer[:, None]

    def run(data):
        x = data["x"]
        padded1.fill(0)  # (1)
        np.copyto(padded1_part, x)  # (1)
        np.copyto(x_windows, padded1_windows)  # (1)
        np.matmul(C1_rows, x_windows.reshape(9 * D1, N * c1_), out=z1.reshape(F1, N * c1_))  # (1)
        np.add(z1, c1_column, out=a1)  # (2)
        np.maximum(a1, zero, out=h1_2)  # (3)
        np.maximum(h1_2_part, h1_2_part2, out=h1)  # (4)
        np.maximum(h1, h1_2_part3, out=h1)  # (4)
        np.maximum(h1, h1_2_part4, out=h1)  # (4)
        t_1.fill(0)  # (5)
        np.copyto(t_1_part, h1)  # (5)
        np.copyto(h1_windows, t_1_windows)  # (5)
        np.matmul(C2_rows, h1_windows.reshape(9 * F1, c2_ * N), out=z2.reshape(32, c2_ * N))  # (5)
        np.add(z2, c2_column, out=a2)  # (6)
        np.maximum(a2, zero, out=h2)  # (7)
        u_flat[...] = h2.reshape(c3 + 32, N)  # (8)
        np.dot(u_flat_T, W, out=z3_infer)  # (30)
        np.add(z3_infer, b, out=a3_infer)  # (31)
        a3_infer.max(1, out=m_a3_infer)  # (32)
        np.subtract(a3_infer, m_a3_infer_column, out=e_p_infer)  # (33)
        np.exp(e_p_infer, out=e_p_infer)  # (33)
        np.dot(e_p_infer, ones_K, out=s_p_infer)  # (34)
        np.divide(e_p_infer, s_p_infer_column, out=p_infer)  # (35)

    return run


def _metrics(params, tensors, N, S, K):
    """The loss and metrics at inference: equations (36) to (38)."""
    a3_infer, m_a3_infer, s_p_infer = tensors["a3_infer"], tensors["m_a3_infer"], tensors["s_p_infer"]
    p_infer, loss_infer, c_accuracy = tensors["p_infer"], tensors["loss_infer"], tensors["c_accuracy"]
    accuracy = tensors["accuracy"]
    t_N, at_N, t_N2, is_N = tensors["t_N"], tensors["at_N"], tensors["t_N2"], tensors["is_N"]
    range_N = tensors["range_N"]
    c1_ = np.array(K, np.int64)  # (36)
    a3_infer_flat = a3_infer.reshape(-1)

    def run(data):
        y = data["y"]
        np.multiply(range_N, c1_, out=at_N)  # (36)
        np.add(at_N, y, out=at_N)  # (36)
        np.take(a3_infer_flat, at_N, out=t_N, mode="clip")  # (36)
        np.subtract(m_a3_infer, t_N, out=t_N)  # (36)
        np.log(s_p_infer, out=t_N2)  # (36)
        np.add(t_N, t_N2, out=t_N)  # (36)
        loss_infer[...] = t_N.sum() / N  # (36)
        p_infer.argmax(1, out=c_accuracy)  # (37)
        np.equal(c_accuracy, y, out=is_N)  # (38)
        accuracy[...] = DTYPE(is_N.sum()) / N  # (38)

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


def _places(N, S, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x_windows": (0, 176 * ((S - 2) // 2)**2 * N + 432 * N + 480 * ((S - 2) // 2) * N + 64 * N * S**2, (D1, 3, 3, S, S, N)),
        "z1": (0, 0, (F1, S, S, N)),
        "a1": (0, 16 * N * S**2, (F1, S, S, N)),
        "h1_2": (0, 144 * N + 144 * ((S - 2) // 2)**2 * N + 288 * ((S - 2) // 2) * N + 32 * N * S**2, (F1, S, S, N)),
        "h1": (0, 384 * ((S - 2) // 2)**2 * N + 73 * N * S**2 + 768 * N + 960 * ((S - 2) // 2) * N, (F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "h1_windows": (0, 0, (F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "z2": (0, 176 * ((S - 2) // 2)**2 * N + 432 * N + 480 * ((S - 2) // 2) * N + 73 * N * S**2, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "a2": (0, 208 * ((S - 2) // 2)**2 * N + 464 * N + 544 * ((S - 2) // 2) * N + 73 * N * S**2, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "h2": (0, 240 * ((S - 2) // 2)**2 * N + 496 * N + 608 * ((S - 2) // 2) * N + 73 * N * S**2, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "u_flat": (0, 272 * ((S - 2) // 2)**2 * N + 528 * N + 672 * ((S - 2) // 2) * N + 73 * N * S**2, (32 * ((S - 2) // 2)**2 + 64 * ((S - 2) // 2) + 32, N)),
        "flat": (0, 272 * ((S - 2) // 2)**2 * N + 528 * N + 672 * ((S - 2) // 2) * N + 73 * N * S**2, (32 * ((S - 2) // 2)**2 + 64 * ((S - 2) // 2) + 32, N)),
        "z3": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + 37376, (N, K)),
        "a3": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + 37376, (N, K)),
        "m_a3": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 805 * N + 37376, (N,)),
        "e_p": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + K * N + 37376, (N, K)),
        "s_p": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 806 * N + 37376, (N,)),
        "p": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + K * N + 37376, (N, K)),
        "loss": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 812 * N + K + 37376, ()),
        "h1_place": (1, 32 * N * S**2, (F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "da3": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + K * N + 37376, (N, K)),
        "dflat": (0, 304 * ((S - 2) // 2)**2 * N + 560 * N + 736 * ((S - 2) // 2) * N + 73 * N * S**2, (32 * ((S - 2) // 2)**2 + 64 * ((S - 2) // 2) + 32, N)),
        "da2": (0, 240 * ((S - 2) // 2)**2 * N + 496 * N + 608 * ((S - 2) // 2) * N + 73 * N * S**2, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "dh1": (0, 400 * ((S - 2) // 2)**2 * N + 73 * N * S**2 + 784 * N + 992 * ((S - 2) // 2) * N, (F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "da1_window": (0, 400 * ((S - 2) // 2)**2 * N + 73 * N * S**2 + 784 * N + 992 * ((S - 2) // 2) * N, (F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "da1": (0, 0, (F1, S, S, N)),
        "z3_infer": (0, 1026 * ((S - 2) // 2) * N + 2 * K * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + 37376, (N, K)),
        "a3_infer": (0, 1026 * ((S - 2) // 2) * N + 2 * K * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + 37376, (N, K)),
        "m_a3_infer": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 807 * N + 37376, (N,)),
        "e_p_infer": (0, 1026 * ((S - 2) // 2) * N + 3 * K * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + 37376, (N, K)),
        "s_p_infer": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 808 * N + 37376, (N,)),
        "p_infer": (0, 1026 * ((S - 2) // 2) * N + 3 * K * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + 37376, (N, K)),
        "loss_infer": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 812 * N + K + 37377, ()),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 812 * N + K + 37378, ()),
        "ones_K": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 809 * N + 37376, (K,)),
        "range_N": (1, 16 * ((S - 2) // 2)**2 * N + 17 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + S**2, (N,)),
        "range_K": (1, 16 * ((S - 2) // 2)**2 * N + 18 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + S**2, (K,)),
        "ones_N": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 809 * N + K + 37376, (N,)),
        "ones_2S22NNS222N": (0, 1024 * ((S - 2) // 2) * N + 416 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 804 * N, (2 * ((S - 2) // 2) * N + N + ((S - 2) // 2)**2 * N,)),
        "range_S": (1, 16 * ((S - 2) // 2)**2 * N + 18 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + K + S**2, (S,)),
        "range_F1": (1, 16 * ((S - 2) // 2)**2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 7 * S + K + S**2, (16,)),
        "ones_NS2": (0, 1024 * ((S - 2) // 2) * N + 416 * ((S - 2) // 2)**2 * N + 4 * N * S + 74 * N * S**2 + 804 * N, (N * S**2,)),
        "padded1": (0, 176 * ((S - 2) // 2)**2 * N + 432 * N + 480 * ((S - 2) // 2) * N + 73 * N * S**2, (N, 1, S + 2, S + 2)),
        "t_1": (0, 368 * ((S - 2) // 2)**2 * N + 624 * N + 73 * N * S**2 + 864 * ((S - 2) // 2) * N, (16, (S - 2) // 2 + 3, (S - 2) // 2 + 3, N)),
        "t_2": (0, 336 * ((S - 2) // 2)**2 * N + 592 * N + 73 * N * S**2 + 800 * ((S - 2) // 2) * N, (32 * ((S - 2) // 2)**2 + 64 * ((S - 2) // 2) + 32, N)),
        "t_N": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 810 * N + K + 37376, (N,)),
        "at_N": (1, 16 * ((S - 2) // 2)**2 * N + 18 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + K + S + S**2, (N,)),
        "t_N2": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * K * N + 4 * N * S + 75 * N * S**2 + 811 * N + K + 37376, (N,)),
        "less": (2, 0, (16, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "is_1": (2, 16 * N + 16 * ((S - 2) // 2)**2 * N + 32 * ((S - 2) // 2) * N, (16, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "is_NK": (2, 0, (N, K)),
        "is_2": (2, 0, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "t_3": (0, 144 * N + 144 * ((S - 2) // 2)**2 * N + 288 * ((S - 2) // 2) * N, (32, (S - 2) // 2 + 3, (S - 2) // 2 + 3, N)),
        "t_F1_32_3_3": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + 32768, (16, 32, 3, 3)),
        "at1": (1, 16 * ((S - 2) // 2)**2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + K + S + S**2, (S,)),
        "at2": (1, 16 * ((S - 2) // 2)**2 * N + 19 * N + 2 * S + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + K + S**2, (S,)),
        "at3": (1, 16 * ((S - 2) // 2)**2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 3 * S + K + S**2, (S,)),
        "at4": (1, 16 * ((S - 2) // 2)**2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 4 * S + K + S**2, (S,)),
        "is_F1_S_S_N": (2, 0, (16, S, S, N)),
        "at_SS": (1, 16 * N + 16 * ((S - 2) // 2)**2 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2, (S, S)),
        "at_S": (1, 16 * ((S - 2) // 2)**2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 5 * S + K + S**2, (S,)),
        "at_S2": (1, 16 * ((S - 2) // 2)**2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 6 * S + K + S**2, (S,)),
        "at_F1_S_S_N": (1, 0, (16, S, S, N)),
        "at_F1_S_S_N2": (1, 16 * N * S**2, (16, S, S, N)),
        "is_SS1": (2, 16 * N * S**2, (S, S, 1)),
        "is_S": (2, 16 * N * S**2 + S**2, (S,)),
        "is_S2": (2, 16 * N * S**2 + S + S**2, (S,)),
        "is_N": (2, 0, (N,)),
        "t_block": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N, (16384,)),
        "t_block2": (0, 1026 * ((S - 2) // 2) * N + 417 * ((S - 2) // 2)**2 * N + 4 * N * S + 75 * N * S**2 + 805 * N + 16384, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    S = sizes["S"]
    K = sizes["K"]
    return {
        # a rectifier passes half of the variance, so the weights carry twice as much (He et al. 2015, equation 10)
        "C1": math.sqrt(2 / (D1 * D2 * D3)) * rng.standard_normal((F1, D1, D2, D3)),
        # an offset needs no asymmetry to learn
        "c1": np.zeros(F1),
        # a rectifier passes half of the variance, so the weights carry twice as much (He et al. 2015, equation 10)
        "C2": math.sqrt(2 / (D4 * D5 * F1)) * rng.standard_normal((F2, F1, D4, D5)),
        # an offset needs no asymmetry to learn
        "c2": np.zeros(F2),
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "W": 2.449489742783178 * math.sqrt(1 / (F2 * ((S + 1 - D2) // 2 - D4 + 4) * ((S + 1 - D3) // 2 - D5 + 4) + K)) * rng.uniform(-1, 1, (((S + 1 - D2) // 2 + 4 - D4) * ((S + 1 - D3) // 2 + 4 - D5) * F2, K)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(K),
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


def _windows(x: Array, shape: tuple[int, ...], axes: tuple[int, ...], steps: tuple[int, ...] = ()) -> Array:
    """The view of this shape whose k-th index moves along the axis `axes[k]` of x, by `steps[k]` elements
    (by 1 if not given): several indices along one axis are windows."""
    strides = [x.strides[axis] * step for axis, step in zip(axes, steps or (1,) * len(axes), strict=True)]
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


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


def _settle(
    arrays: Mapping[str, Array], shapes: Mapping[str, tuple[Any, ...]], sizes: dict[str, int]
) -> None:
    """Finds the sizes that stand in formulas only, and checks what sizes must obey."""
    for size, (name, axis, found) in SOLVED.items():
        if size not in sizes and name in arrays:
            try:
                sizes[size] = max(found(arrays[name].shape[axis], sizes), 1)
            except KeyError:  # of a size that these arrays don't show
                continue
    for name, array in arrays.items():
        _fit_shape(name, array, shapes[name], sizes)
    for name, shape in PARAMETERS.items():
        for axis, extent in enumerate(shape):
            place, needed = f"{name}[{axis}]", _extent(extent, sizes)
            if needed is None and name in arrays and shapes is PARAMETERS:
                sizes[place] = arrays[name].shape[axis]  # until the data show how much it must be
            elif needed is not None and sizes.get(place, needed) != needed:
                raise DataError(f"axis {axis} of {name} has {sizes[place]} elements, the data need {needed}")
    for text, holds in CONDITIONS.items():
        try:
            kept = holds(sizes)
        except KeyError:
            continue
        if not kept:
            shown = ", ".join(f"{size} = {value}" for size, value in sizes.items() if size in text)
            raise DataError(f"the network needs sizes with {text}, and these have {shown}")


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
    _settle(data, INPUTS, sizes)
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
    _settle({name: np.asarray(params[name]) for name in PARAMETERS}, PARAMETERS, sizes)
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
    params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int], training: bool
) -> dict[str, Array]:
    memory = _memory(sizes)
    stage = _forward if training else _inference
    stage(params, memory.tensors, *memory.sizes)(data)
    shown = {name: name if training else INFERENCE.get(name, name) for name in OUTPUTS}
    return {name: memory.tensors[tensor].copy() for name, tensor in shown.items()}


@np.errstate(all="ignore")
def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes)
    for stage in (_inference, _metrics):
        stage(params, memory.tensors, *memory.sizes)(data)
    return {**memory.tensors, LOSS: memory.tensors[INFERENCE.get(LOSS, LOSS)]}


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


# ---- Arrays that must have known shapes ----


def _known_shape(name: str, shape: tuple[Any, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    extents = [_extent(extent, sizes) for extent in shape]
    if None in extents:
        raise DataError(f"{name} needs the size {shape[extents.index(None)]}, which nothing shows")
    return tuple(extent for extent in extents if extent is not None)


def _fitting(name: str, value: Any, shape: tuple[Any, ...], sizes: Mapping[str, int]) -> Array:
    """An array of the module's dtype, with the shape and the facts that the network needs."""
    array = _as_dtype(name, value)
    _fit_shape(name, array, shape, dict(sizes))
    _check_values(name, array, sizes)
    return array


# ---- No buffers ----


def init_buffers(**sizes: int) -> dict[str, Array]:
    """Running statistics; this network has none."""
    return {}


def _as_buffers(buffers: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> dict[str, Array]:
    if buffers:
        raise DataError(f"{', '.join(buffers)}: the network has no buffers")
    return {}


# ---- Random elements by counting ----


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BELOW_ONE = np.nextafter(DTYPE(1), DTYPE(0))


_AT_ONCE = 16384  # elements drawn at a time: what is between stays in the cache, and small


def _words(key: int, first: int, between: Array) -> Array:
    """The outputs `first` + 1, `first` + 2, … of SplitMix64 started at the key: 64 random bits each."""
    z: Array
    counted, z, shifted = between
    np.add(counted, np.uint64(first + 1), out=z)
    np.multiply(z, _GOLDEN, out=z)
    np.add(z, np.uint64(key), out=z)
    for bits, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        np.right_shift(z, np.uint64(bits), out=shifted)
        np.bitwise_xor(z, shifted, out=z)
        np.multiply(z, np.uint64(factor), out=z)
    return z


def _uniform(key: int, first: int, between: Array) -> Array:
    """The 52 upper bits as the middle of one of 2**52 intervals between 0 and 1."""
    z = _words(key, first, between)
    u: Array = between[2].view(np.float64)
    np.right_shift(z, np.uint64(12), out=z)
    np.copyto(u, z)
    u += 0.5
    u *= 2.0**-52
    return u


def _draw(out: Array, kind: str, p: float, key: int, kept: dict[Any, Array]) -> None:
    """Fills `out` with zeros and ones (1 with probability p), uniform or normal elements; what is between
    them and their count lies in `kept`."""
    if "between" not in kept:
        kept["between"] = np.empty((3, 2 * _AT_ONCE), np.uint64)
        kept["between"][0] = np.arange(2 * _AT_ONCE, dtype=np.uint64)
    for start in range(0, out.size, _AT_ONCE):
        _draw_some(out[start : start + _AT_ONCE], start, kind, p, key, kept["between"])


def _draw_some(out: Array, first: int, kind: str, p: float, key: int, between: Array) -> None:
    """Fills `out` with elements `first`, `first` + 1, … of a random tensor."""
    count = out.size
    if kind == "bernoulli":
        np.less(_words(key, first, between[:, :count]), np.uint64(int(p * 2.0**64)), out=out)
    elif kind == "uniform":
        np.minimum(_uniform(key, first, between[:, :count]), _BELOW_ONE, out=out)
    else:  # Box and Muller (1958), the cosine of each pair
        u = _uniform(key, 2 * first, between[:, : 2 * count])
        radius, angle = between[1].view(np.float64)[: 2 * count].reshape(2, count)
        np.log(u[::2], out=radius)
        np.multiply(-2, radius, out=radius)
        np.sqrt(radius, out=radius)
        np.multiply(2 * np.pi, u[1::2], out=angle)
        np.cos(angle, out=angle)
        np.multiply(radius, angle, out=out)


# ---- What a step is given beside parameters ----


_MASK = 2**64 - 1


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
    """All that the stages read beside parameters; arrays in `kept` are drawn into again."""
    needed = [name for name in RANDOM if training or name in RANDOM_AT_INFERENCE]
    random = _drawn(needed, sizes, seed, step, masks or {}, {} if kept is None else kept)
    return {**data, **_as_buffers(buffers, sizes), **random}


def _drawn(
    needed: list[str],
    sizes: Mapping[str, int],
    seed: int,
    step: int,
    masks: Mapping[str, Any],
    kept: dict[Any, Array],
) -> dict[str, Array]:
    """The random tensors of one step: those of `masks` as they are, the others from the generator."""
    unknown = [name for name in masks if name not in RANDOM]
    if unknown:
        raise DataError(f"{unknown[0]} is no random tensor; the network draws {', '.join(RANDOM) or 'none'}")
    found = {}
    for number, (name, (extents, kind, p)) in enumerate(RANDOM.items()):
        if name not in needed:
            continue
        if name in masks:
            found[name] = _fitting(name, masks[name], extents, sizes)
            continue
        shape = _known_shape(name, extents, sizes)
        if (name, shape) not in kept:
            kept[name, shape] = np.empty(shape, DTYPE)
        found[name] = kept[name, shape]
        _draw(found[name].reshape(-1), kind, p, _draw_key(seed, step, number), kept)
    return found


def _draw_key(seed: int, step: int, number: int) -> int:
    """Where the stream of one tensor in one step starts: element e is output e + 1 of SplitMix64 (Steele, Lea
    and Flood 2014) started here, whatever part of the batch is drawn."""
    key = 0
    for part in (seed, step, number):
        key = (key + part + 0x9E3779B97F4A7C15) & _MASK
        key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & _MASK
        key ^= key >> 31
    return key


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
    shaping += SOLVED
    strange = [name for name in sizes if name not in shaping and name not in SIZES]
    if strange:
        raise DataError(f"the network has no size {strange[0]!r}")
    wrong = [name for name in sizes if name in SIZES and sizes[name] != SIZES[name]]
    needed = [e for shape in PARAMETERS.values() for e in shape if isinstance(e, str) and e not in known]
    needed += [size for size, (name, _, _) in SOLVED.items() if name in PARAMETERS and size not in known]
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
    open_sizes = dict(SAMPLE)
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
    _settle(data, INPUTS, shown := {**SIZES, **shown})
    shaping = {e for shape in PARAMETERS.values() for e in shape if isinstance(e, str)}
    shaping |= {size for size, (name, _, _) in SOLVED.items() if name in PARAMETERS}
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
