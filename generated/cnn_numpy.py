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
    workspace  8·max(32·N·S², 16 + 16·N·((S - 2)//2)² + 32·N·((S - 2)//2) + 32·N·S² + 19·N + 7·S + K
               + S²) + 8·max(32·N·S², 288·N·((S - 2)//2)² + 576·N·((S - 2)//2)
               + 288·N, 432·N·((S - 2)//2)² + 48·N·S² + 864·N·((S - 2)//2)
               + 432·N, 1,120·N·((S - 2)//2) + 496·N·((S - 2)//2)² + 73·N·S²
               + 752·N, 1,184·N·((S - 2)//2) + 528·N·((S - 2)//2)² + 73·N·S²
               + 784·N, 1,248·N·((S - 2)//2) + 560·N·((S - 2)//2)² + 73·N·S²
               + 816·N, 1,312·N·((S - 2)//2) + 592·N·((S - 2)//2)² + 73·N·S²
               + 848·N, 1,376·N·((S - 2)//2) + 624·N·((S - 2)//2)² + 73·N·S²
               + 880·N, 1,440·N·((S - 2)//2) + 656·N·((S - 2)//2)² + 73·N·S²
               + 912·N, 1,536·N·((S - 2)//2) + 672·N·((S - 2)//2)² + 73·N·S²
               + 1,056·N, 1,568·N·((S - 2)//2) + 688·N·((S - 2)//2)² + 73·N·S²
               + 1,072·N, 1,056·N·((S - 2)//2) + 464·N·((S - 2)//2)² + 4·N·S + 74·N·S²
               + 724·N, 1,600·N·((S - 2)//2) + 4·N·S + 704·N·((S - 2)//2)² + 75·N·S² + 1,092·N, 37,379
               + 1,602·N·((S - 2)//2) + 4·K·N + 4·N·S + 705·N·((S - 2)//2)² + 75·N·S² + 1,100·N + K)
               + max(K·N, 16·N·S² + 2·S + S², 16·N·((S - 2)//2)² + 32·N·((S - 2)//2)
               + 16·N, 32·N·((S - 2)//2)² + 64·N·((S - 2)//2) + 32·N) bytes
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
OPEN_SIZES = ("N", "S", "K")
POSITIONS = ("range_N", "range_K", "range_S", "range_F1")
ONES = ("ones_K", "ones_N", "ones_2S22NNS222N", "ones_NS2")
NEEDED = {
    "(S - D2 + 1)//2 + 1": lambda s: (s["S"] - 2) // 2 + 1,
    "(S - D3 + 1)//2 + 1": lambda s: (s["S"] - 2) // 2 + 1,
    "(S - D2 + 1)//2 - D4 + 4": lambda s: (s["S"] - 2) // 2 + 1,
    "(S - D3 + 1)//2 - D5 + 4": lambda s: (s["S"] - 2) // 2 + 1,
}
D1, F1, D2, D3, F2, D4, D5 = 1, 16, 3, 3, 32, 3, 3
NAME = "cnn"
SIZES = {"D1": D1, "F1": F1, "D2": D2, "D3": D3, "F2": F2, "D4": D4, "D5": D5}
PARAMETERS = {
    "C1": ("F1", "D1", "D2", "D3"), "c1": ("F1",), "C2": ("F2", "F1", "D4", "D5"), "c2": ("F2",),
    "W": (lambda s: ((s["S"] + 1 - s["D2"]) // 2 + 4 - s["D4"]) * ((s["S"] + 1 - s["D3"]) // 2 + 4 - s["D5"]) * s["F2"], "K"),
    "b": ("K",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D1", "S", "S"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS = {"mask2": (("binary", -1),)}
FORWARD_INPUTS = ("x",)
SOLVED: dict[str, Any] = {}
CONDITIONS: dict[str, Any] = {}
SAMPLE = {"N": 5, "S": 5, "K": 5}
RANDOM = {
    "mask2": (("N", lambda s: ((s["S"] + 1 - s["D2"]) // 2 + 4 - s["D4"]) * ((s["S"] + 1 - s["D3"]) // 2 + 4 - s["D5"]) * s["F2"]), "bernoulli", 0.7),
}
RANDOM_AT_INFERENCE: tuple[str, ...] = ()
INFERENCE = {"loss": "loss_infer", "p": "p_infer"}
OUTPUTS = ("p",)
LOSS = "loss"
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
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


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
    x_windows_rows = x_windows.reshape(9 * D1, N * S**2)
    z1_rows = z1.reshape(F1, N * S**2)
    c1_column = c1[:, None, None, None]
    zero = np.array(0, DTYPE)
    h1_2_part = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part2 = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    h1_2_part3 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part4 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    t_1_part = t_1[:, 1 : (S - 2) // 2 + 2, 1 : (S - 2) // 2 + 2, :]
    t_1_windows = _windows(t_1, (F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N), (0, 1, 2, 1, 2, 3))
    C2_rows = C2.reshape(32, 9 * F1)
    h1_windows_rows = h1_windows.reshape(9 * F1, ((S - 2) // 2 + 1) ** 2 * N)
    z2_rows = z2.reshape(32, ((S - 2) // 2 + 1) ** 2 * N)
    c2_column = c2[:, None, None, None]
    h2_rows = h2.reshape(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, N)
    c1_ = np.array(10 / 7, DTYPE)  # (9)
    flat_T = flat.T
    m_a3_column = m_a3[:, None]
    s_p_column = s_p[:, None]

    def run(data):
        x, mask2 = data["x"], data["mask2"]
        padded1.fill(0)  # (1)
        np.copyto(padded1_part, x)  # (1)
        np.copyto(x_windows, padded1_windows)  # (1)
        np.dot(C1_rows, x_windows_rows, out=z1_rows)  # (1)
        np.add(z1, c1_column, out=a1)  # (2)
        np.maximum(a1, zero, out=h1_2)  # (3)
        np.maximum(h1_2_part, h1_2_part2, out=h1)  # (4)
        np.maximum(h1, h1_2_part3, out=h1)  # (4)
        np.maximum(h1, h1_2_part4, out=h1)  # (4)
        t_1.fill(0)  # (5)
        np.copyto(t_1_part, h1)  # (5)
        np.copyto(h1_windows, t_1_windows)  # (5)
        np.dot(C2_rows, h1_windows_rows, out=z2_rows)  # (5)
        np.add(z2, c2_column, out=a2)  # (6)
        np.maximum(a2, zero, out=h2)  # (7)
        np.copyto(u_flat, h2_rows)  # (8)
        _transposed(mask2, out=t_2)  # (9)
        np.multiply(c1_, t_2, out=t_2)  # (9)
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
    t_3, t_F1_32_3_3, t_4, at1 = tensors["t_3"], tensors["t_F1_32_3_3"], tensors["t_4"], tensors["at1"]
    at2, at3, at4, is_F1_S_S_N = tensors["at2"], tensors["at3"], tensors["at4"], tensors["is_F1_S_S_N"]
    at_SS, at_S, at_S2 = tensors["at_SS"], tensors["at_S"], tensors["at_S2"]
    at_F1_S_S_N, at_F1_S_S_N2, is_SS1 = tensors["at_F1_S_S_N"], tensors["at_F1_S_S_N2"], tensors["is_SS1"]
    is_S, is_S2, range_N, range_K = tensors["is_S"], tensors["is_S2"], tensors["range_N"], tensors["range_K"]
    ones_N, ones_2S22NNS222N, range_S = tensors["ones_N"], tensors["ones_2S22NNS222N"], tensors["range_S"]
    range_F1, ones_NS2 = tensors["range_F1"], tensors["ones_NS2"]
    h1_2_part = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part2 = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    h1_2_part3 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    c1_ = np.array(N, DTYPE)  # (19)
    da3_T = da3.T
    zero = np.array(0, DTYPE)
    c2_ = np.array(10 / 7, DTYPE)  # (23)
    dflat_shaped = dflat.reshape(32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)
    c3 = (S - 2) // 2  # (23)
    da2_rows = da2.reshape(32, 2 * ((S - 2) // 2) * N + N + ((S - 2) // 2) ** 2 * N)
    t_3_part = t_3[:, 1 : (S - 2) // 2 + 2, 1 : (S - 2) // 2 + 2, :]
    dh1_windows = _windows(
        t_3[:, 2:, 2:], (32, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N), (0, 1, 2, 1, 2, 3),
        (1, -1, -1, 1, 1, 1),
    )
    C2_turned = C2.transpose(1, 0, 2, 3)
    t_F1_32_3_3_rows = t_F1_32_3_3.reshape(F1, 288)
    t_4_rows = t_4.reshape(288, ((S - 2) // 2 + 1) ** 2 * N)
    dh1_rows = dh1.reshape(F1, ((S - 2) // 2 + 1) ** 2 * N)
    da2_rows2 = da2.reshape(32, ((S - 2) // 2 + 1) ** 2 * N)
    h1_windows_T = h1_windows.reshape(9 * F1, ((S - 2) // 2 + 1) ** 2 * N).T
    dC2_rows = dC2.reshape(32, 9 * F1)
    two = np.array(2, np.int64)
    at_S_column = at_S[:, None]
    c4 = np.array((S - 2) // 2 + 1, np.int64)  # (27)
    range_F1_column = range_F1[:, None, None, None]
    at_S_column2 = at_S[:, None, None]
    at_S2_column = at_S2[:, None]
    c5 = np.array(N, np.int64)  # (27)
    h1_place_flat = h1_place.reshape(-1)
    at_SS_column = at_SS[..., None]
    is_S_column = is_S[:, None, None]
    is_S2_column = is_S2[:, None]
    da1_window_flat = da1_window.reshape(-1)
    da1_rows = da1.reshape(F1, N * S**2)
    x_windows_T = x_windows.reshape(9 * D1, N * S**2).T
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
        np.dot(da2_rows, ones_2S22NNS222N, out=dc2)  # (24)
        t_3.fill(0)  # (25)
        np.copyto(t_3_part, da2)  # (25)
        np.copyto(t_F1_32_3_3, C2_turned)  # (25)
        np.copyto(t_4, dh1_windows)  # (25)
        np.matmul(t_F1_32_3_3_rows, t_4_rows, out=dh1_rows)  # (25)
        np.dot(da2_rows2, h1_windows_T, out=dC2_rows)  # (26)
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
        np.multiply(range_F1_column, c4, out=at_F1_S_S_N2)  # (27)
        np.clip(at1, 0, c3, out=at_S)  # (27)
        np.add(at_F1_S_S_N2, at_S_column2, out=at_F1_S_S_N2)  # (27)
        np.multiply(at_F1_S_S_N2, c4, out=at_F1_S_S_N2)  # (27)
        np.clip(at2, 0, c3, out=at_S2)  # (27)
        np.add(at_F1_S_S_N2, at_S2_column, out=at_F1_S_S_N2)  # (27)
        np.multiply(at_F1_S_S_N2, c5, out=at_F1_S_S_N2)  # (27)
        np.add(at_F1_S_S_N2, range_N, out=at_F1_S_S_N2)  # (27)
        np.take(h1_place_flat, at_F1_S_S_N2, out=at_F1_S_S_N, mode="clip")  # (27)
        np.equal(at_SS_column, at_F1_S_S_N, out=is_F1_S_S_N)  # (27)
        np.right_shift(range_S, 1, out=at_S)  # (27)
        np.less_equal(at_S, c3, out=is_S)  # (27)
        np.right_shift(range_S, 1, out=at_S)  # (27)
        np.less_equal(at_S, c3, out=is_S2)  # (27)
        np.logical_and(is_S_column, is_S2_column, out=is_SS1)  # (27)
        np.logical_and(is_SS1, is_F1_S_S_N, out=is_F1_S_S_N)  # (27)
        np.multiply(range_F1_column, c4, out=at_F1_S_S_N)  # (27)
        np.clip(at3, 0, c3, out=at_S)  # (27)
        np.add(at_F1_S_S_N, at_S_column2, out=at_F1_S_S_N)  # (27)
        np.multiply(at_F1_S_S_N, c4, out=at_F1_S_S_N)  # (27)
        np.clip(at4, 0, c3, out=at_S2)  # (27)
        np.add(at_F1_S_S_N, at_S2_column, out=at_F1_S_S_N)  # (27)
        np.multiply(at_F1_S_S_N, c5, out=at_F1_S_S_N)  # (27)
        np.add(at_F1_S_S_N, range_N, out=at_F1_S_S_N)  # (27)
        np.take(da1_window_flat, at_F1_S_S_N, out=da1, mode="clip")  # (27)
        _choose(da1, is_F1_S_S_N, 0)  # (27)
        np.dot(da1_rows, ones_NS2, out=dc1)  # (29)
        np.dot(da1_rows, x_windows_T, out=dC1_rows)  # (28)

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
    x_windows_rows = x_windows.reshape(9 * D1, N * S**2)
    z1_rows = z1.reshape(F1, N * S**2)
    c1_column = c1[:, None, None, None]
    zero = np.array(0, DTYPE)
    h1_2_part = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part2 = h1_2[:, : 2 * ((S - 2) // 2) + 1 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    h1_2_part3 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, : 2 * ((S - 2) // 2) + 1 : 2]
    h1_2_part4 = h1_2[:, 1 : 2 * ((S - 2) // 2) + 2 : 2, 1 : 2 * ((S - 2) // 2) + 2 : 2]
    t_1_part = t_1[:, 1 : (S - 2) // 2 + 2, 1 : (S - 2) // 2 + 2, :]
    t_1_windows = _windows(t_1, (F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N), (0, 1, 2, 1, 2, 3))
    C2_rows = C2.reshape(32, 9 * F1)
    h1_windows_rows = h1_windows.reshape(9 * F1, ((S - 2) // 2 + 1) ** 2 * N)
    z2_rows = z2.reshape(32, ((S - 2) // 2 + 1) ** 2 * N)
    c2_column = c2[:, None, None, None]
    h2_rows = h2.reshape(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, N)
    u_flat_T = u_flat.T
    m_a3_infer_column = m_a3_infer[:, None]
    s_p_infer_column = s_p_infer[:, None]

    def run(data):
        x = data["x"]
        padded1.fill(0)  # (1)
        np.copyto(padded1_part, x)  # (1)
        np.copyto(x_windows, padded1_windows)  # (1)
        np.dot(C1_rows, x_windows_rows, out=z1_rows)  # (1)
        np.add(z1, c1_column, out=a1)  # (2)
        np.maximum(a1, zero, out=h1_2)  # (3)
        np.maximum(h1_2_part, h1_2_part2, out=h1)  # (4)
        np.maximum(h1, h1_2_part3, out=h1)  # (4)
        np.maximum(h1, h1_2_part4, out=h1)  # (4)
        t_1.fill(0)  # (5)
        np.copyto(t_1_part, h1)  # (5)
        np.copyto(h1_windows, t_1_windows)  # (5)
        np.dot(C2_rows, h1_windows_rows, out=z2_rows)  # (5)
        np.add(z2, c2_column, out=a2)  # (6)
        np.maximum(a2, zero, out=h2)  # (7)
        np.copyto(u_flat, h2_rows)  # (8)
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
        "x_windows": (0, 1056 * ((S - 2) // 2) * N + 464 * ((S - 2) // 2) ** 2 * N + 64 * N * S**2 + 720 * N, (D1, 3, 3, S, S, N)),
        "z1": (0, 0, (F1, S, S, N)),
        "a1": (0, 16 * N * S**2, (F1, S, S, N)),
        "h1_2": (0, 32 * N * S**2 + 432 * N + 432 * ((S - 2) // 2) ** 2 * N + 864 * ((S - 2) // 2) * N, (F1, S, S, N)),
        "h1": (0, 1056 * N + 1536 * ((S - 2) // 2) * N + 672 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2, (F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "h1_windows": (0, 288 * N + 288 * ((S - 2) // 2) ** 2 * N + 576 * ((S - 2) // 2) * N, (F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "z2": (0, 1056 * ((S - 2) // 2) * N + 464 * ((S - 2) // 2) ** 2 * N + 720 * N + 73 * N * S**2, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "a2": (0, 1120 * ((S - 2) // 2) * N + 496 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2 + 752 * N, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "h2": (0, 1184 * ((S - 2) // 2) * N + 528 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2 + 784 * N, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "u_flat": (0, 1248 * ((S - 2) // 2) * N + 560 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2 + 816 * N, (32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, N)),
        "flat": (0, 1248 * ((S - 2) // 2) * N + 560 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2 + 816 * N, (32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, N)),
        "z3": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N, K)),
        "a3": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N, K)),
        "m_a3": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N,)),
        "e_p": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K * N + 37376, (N, K)),
        "s_p": (0, 1094 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N,)),
        "p": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K * N + 37376, (N, K)),
        "loss": (0, 1100 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K + 37376, ()),
        "h1_place": (1, 32 * N * S**2, (F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "da3": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K * N + 37376, (N, K)),
        "dflat": (0, 1312 * ((S - 2) // 2) * N + 592 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2 + 848 * N, (32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, N)),
        "da2": (0, 1184 * ((S - 2) // 2) * N + 528 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2 + 784 * N, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "dh1": (0, 1072 * N + 1568 * ((S - 2) // 2) * N + 688 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2, (F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "da1_window": (0, 1072 * N + 1568 * ((S - 2) // 2) * N + 688 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2, (F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "da1": (0, 0, (F1, S, S, N)),
        "z3_infer": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 2 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N, K)),
        "a3_infer": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 2 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N, K)),
        "m_a3_infer": (0, 1095 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N,)),
        "e_p_infer": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 3 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N, K)),
        "s_p_infer": (0, 1096 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N,)),
        "p_infer": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 3 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (N, K)),
        "loss_infer": (0, 1100 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K + 37377, ()),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 1100 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K + 37378, ()),
        "ones_K": (0, 1097 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 37376, (K,)),
        "range_N": (1, 16 * ((S - 2) // 2) ** 2 * N + 17 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + S**2, (N,)),
        "range_K": (1, 16 * ((S - 2) // 2) ** 2 * N + 18 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + S**2, (K,)),
        "ones_N": (0, 1097 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K + 37376, (N,)),
        "ones_2S22NNS222N": (0, 1092 * N + 1600 * ((S - 2) // 2) * N + 4 * N * S + 704 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2, (2 * ((S - 2) // 2) * N + N + ((S - 2) // 2) ** 2 * N,)),
        "range_S": (1, 16 * ((S - 2) // 2) ** 2 * N + 18 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + K + S**2, (S,)),
        "range_F1": (1, 16 * ((S - 2) // 2) ** 2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 7 * S + K + S**2, (16,)),
        "ones_NS2": (0, 1092 * N + 1600 * ((S - 2) // 2) * N + 4 * N * S + 704 * ((S - 2) // 2) ** 2 * N + 74 * N * S**2, (N * S**2,)),
        "padded1": (0, 1056 * ((S - 2) // 2) * N + 464 * ((S - 2) // 2) ** 2 * N + 720 * N + 73 * N * S**2, (N, 1, S + 2, S + 2)),
        "t_1": (0, 1440 * ((S - 2) // 2) * N + 656 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2 + 912 * N, (16, (S - 2) // 2 + 3, (S - 2) // 2 + 3, N)),
        "t_2": (0, 1376 * ((S - 2) // 2) * N + 624 * ((S - 2) // 2) ** 2 * N + 73 * N * S**2 + 880 * N, (32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, N)),
        "t_N": (0, 1098 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K + 37376, (N,)),
        "at_N": (1, 16 * ((S - 2) // 2) ** 2 * N + 18 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + K + S + S**2, (N,)),
        "t_N2": (0, 1099 * N + 1602 * ((S - 2) // 2) * N + 4 * K * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + K + 37376, (N,)),
        "less": (2, 0, (16, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "is_1": (2, 16 * N + 16 * ((S - 2) // 2) ** 2 * N + 32 * ((S - 2) // 2) * N, (16, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "is_NK": (2, 0, (N, K)),
        "is_2": (2, 0, (32, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "t_3": (0, 432 * N + 432 * ((S - 2) // 2) ** 2 * N + 64 * N * S**2 + 864 * ((S - 2) // 2) * N, (32, (S - 2) // 2 + 3, (S - 2) // 2 + 3, N)),
        "t_F1_32_3_3": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 32768, (16, 32, 3, 3)),
        "t_4": (0, 0, (32, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1, N)),
        "at1": (1, 16 * ((S - 2) // 2) ** 2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + K + S + S**2, (S,)),
        "at2": (1, 16 * ((S - 2) // 2) ** 2 * N + 19 * N + 2 * S + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + K + S**2, (S,)),
        "at3": (1, 16 * ((S - 2) // 2) ** 2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 3 * S + K + S**2, (S,)),
        "at4": (1, 16 * ((S - 2) // 2) ** 2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 4 * S + K + S**2, (S,)),
        "is_F1_S_S_N": (2, 0, (16, S, S, N)),
        "at_SS": (1, 16 * N + 16 * ((S - 2) // 2) ** 2 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2, (S, S)),
        "at_S": (1, 16 * ((S - 2) // 2) ** 2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 5 * S + K + S**2, (S,)),
        "at_S2": (1, 16 * ((S - 2) // 2) ** 2 * N + 19 * N + 32 * ((S - 2) // 2) * N + 32 * N * S**2 + 6 * S + K + S**2, (S,)),
        "at_F1_S_S_N": (1, 0, (16, S, S, N)),
        "at_F1_S_S_N2": (1, 16 * N * S**2, (16, S, S, N)),
        "is_SS1": (2, 16 * N * S**2, (S, S, 1)),
        "is_S": (2, 16 * N * S**2 + S**2, (S,)),
        "is_S2": (2, 16 * N * S**2 + S + S**2, (S,)),
        "is_N": (2, 0, (N,)),
        "t_block": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2, (16384,)),
        "t_block2": (0, 1093 * N + 1602 * ((S - 2) // 2) * N + 4 * N * S + 705 * ((S - 2) // 2) ** 2 * N + 75 * N * S**2 + 16384, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    S = sizes["S"]
    K = sizes["K"]
    return {
        # a rectifier passes half of the variance: weights carry twice as much (He et al. 2015, equation 10)
        "C1": math.sqrt(2 / (D1 * D2 * D3)) * rng.standard_normal((F1, D1, D2, D3)),
        # an offset needs no asymmetry to learn
        "c1": np.zeros(F1),
        # a rectifier passes half of the variance: weights carry twice as much (He et al. 2015, equation 10)
        "C2": math.sqrt(2 / (D4 * D5 * F1)) * rng.standard_normal((F2, F1, D4, D5)),
        # an offset needs no asymmetry to learn
        "c2": np.zeros(F2),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": 2.449489742783178 * math.sqrt(1 / (F2 * ((S + 1 - D2) // 2 - D4 + 4) * ((S + 1 - D3) // 2 - D5 + 4) + K)) * rng.uniform(-1, 1, (((S + 1 - D2) // 2 + 4 - D4) * ((S + 1 - D3) // 2 + 4 - D5) * F2, K)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(K),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _choose, _masked, _transposed, _windows


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_solved.py: _settle, _settle_parameters, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory
# symbp/runtime/common/arrays/keys.py: _key


# ---- Outputs, loss and metrics ----


# symbp/runtime/numpy/outputs_by_mode.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numpy/differentiate.py: _differentiate
# symbp/runtime/numpy/step.py: _Step
# symbp/runtime/numpy/bound.py: _bound, MODERATE
"""The squares of gradients whose sum is below this make no moment overflow in any number of steps."""


# symbp/runtime/numpy/bound.py: _updated, _all_finite
# symbp/runtime/numpy/outside.py: _any_outside
# symbp/runtime/numpy/advance.py: _advance


# ---- What a step is given beside parameters ----


# symbp/runtime/common/given/known_shapes.py: _known_shape, _fitting
# symbp/runtime/common/given/no_buffers.py: init_buffers, _as_buffers
# symbp/runtime/numpy/random.py: _GOLDEN, _BELOW_ONE, _AT_ONCE, _words, _uniform, _draw, _draw_some
# symbp/runtime/common/given/random_tensors.py: _MASK, _given, _drawn, _draw_key


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
