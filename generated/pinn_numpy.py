"""pinn: a network that trains in NumPy.

Derived from the network pinn; float64. It reads t(N, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i t[n,i]·W1[i,j]
    (2)   h1[n,j] = tanh(z1[n,j] + b1[j])
    (3)   z2[n,j] = Σ_i h1[n,i]·W2[i,j]
    (4)   h2[n,j] = tanh(z2[n,j] + b2[j])
    (5)   z3[n,i] = Σ_j h2[n,j]·W3[j,i]
    (6)   v[n,i] = z3[n,i] + b3[i]
    (7)   u[n,i] = 1 + t[n,i]²·v[n,i]
    (8)   du_dv[n,i] = t[n,i]²
    (9)   du_dh2[n,j] = Σ_i du_dv[n,i]·W3[j,i]
    (10)  du_dz2[n,j] = (1 - h2[n,j]²)·du_dh2[n,j]
    (11)  du_dh1[n,j] = Σ_j2 du_dz2[n,j2]·W2[j,j2]
    (12)  d2u_ddz1[n,j] = Σ_i W1[i,j]
    (13)  d2u_ddh1[n,j] = (1 - h1[n,j]²)·d2u_ddz1[n,j]
    (14)  d2u_ddz2[n,j] = Σ_j3 d2u_ddh1[n,j3]·W2[j3,j]
    (15)  d2u_ddh2[n,j] = (1 - h2[n,j]²)·d2u_ddz2[n,j]
    (16)  d2u_ddv[n,i] = Σ_j d2u_ddh2[n,j]·W3[j,i]
    (17)  d2u_dh2_1[n,j] = Σ_i 2·t[n,i]·W3[j,i]
    (18)  d2u_dz2[n,j] = (1 - h2[n,j]²)·(d2u_dh2_1[n,j] - 2·d2u_ddz2[n,j]·du_dh2[n,j]·h2[n,j])
    (19)  d2u_dh1_1[n,j] = Σ_j2 d2u_dz2[n,j2]·W2[j,j2]
    (20)  d2u_dz1[n,j] = (1 - h1[n,j]²)·(d2u_dh1_1[n,j] - 2·d2u_ddz1[n,j]·du_dh1[n,j]·h1[n,j])
    (21)  d2u_dt_1[n,i] = Σ_j d2u_dz1[n,j]·W1[i,j]
    (22)  u_tt[n,i] = 2·d2u_ddv[n,i]·t[n,i] + 2·v[n,i] + d2u_dt_1[n,i]
    (23)  loss = Σ_n,i (u[n,i] + u_tt[n,i])²/(D·N)
    (24)  du_tt[n,i] = 2·(u[n,i] + u_tt[n,i])/(D·N)
    (25)  dd2u_dz1[n,j] = Σ_i du_tt[n,i]·W1[i,j]
    (26)  dd2u_dh1_1_t1[n,j] = h1[n,j]²
    (27)  dd2u_dh1_1[n,j] = (1 - dd2u_dh1_1_t1[n,j])·dd2u_dz1[n,j]
    (28)  dd2u_dz2[n,j] = Σ_j3 dd2u_dh1_1[n,j3]·W2[j3,j]
    (29)  dd2u_dh2_1_t1[n,j] = h2[n,j]²
    (30)  dd2u_dh2_1[n,j] = (1 - dd2u_dh2_1_t1[n,j])·dd2u_dz2[n,j]
    (31)  dd2u_ddv[n,i] = 2·du_tt[n,i]·t[n,i]
    (32)  dd2u_ddh2[n,j] = Σ_i dd2u_ddv[n,i]·W3[j,i]
    (33)  dd2u_ddz2_t1[n,j] = dd2u_dz2[n,j]·h2[n,j]
    (34)  dd2u_ddz2[n,j] = (1 - dd2u_dh2_1_t1[n,j])·(dd2u_ddh2[n,j] - 2·dd2u_ddz2_t1[n,j]·du_dh2[n,j])
    (35)  dd2u_ddh1[n,j] = Σ_j2 dd2u_ddz2[n,j2]·W2[j,j2]
    (36)  ddu_dh1_t1[n,j] = dd2u_dz1[n,j]·h1[n,j]
    (37)  ddu_dh1[n,j] = -2·d2u_ddh1[n,j]·ddu_dh1_t1[n,j]
    (38)  ddu_dz2[n,j] = Σ_j3 ddu_dh1[n,j3]·W2[j3,j]
    (39)  ddu_dh2[n,j] = (2·d2u_ddz2[n,j]·dd2u_ddz2_t1[n,j] - ddu_dz2[n,j])·(dd2u_dh2_1_t1[n,j] - 1)
    (40)  dv[n,i] = (2 + du_dv[n,i])·du_tt[n,i]
    (41)  db3[i] = Σ_n dv[n,i]
    (42)  dh2_1[n,j] = Σ_i dv[n,i]·W3[j,i]
    (43)  dW3_1[j,i] = Σ_n h2[n,j]·dv[n,i]
    (44)  dW3_2[j,i] = Σ_n ddu_dh2[n,j]·du_dv[n,i]
    (45)  dW3_3[j,i] = Σ_n d2u_ddh2[n,j]·dd2u_ddv[n,i]
    (46)  dW3_4[j,i] = Σ_n 2·dd2u_dh2_1[n,j]·t[n,i]
    (47)  dW3[j,i] = dW3_1[j,i] + dW3_2[j,i] + dW3_3[j,i] + dW3_4[j,i]
    (48)  dz2[n,j] = (1 - dd2u_dh2_1_t1[n,j])·(2·(3·d2u_ddz2[n,j]·dd2u_ddz2_t1[n,j]·du_dh2[n,j] - d2u_ddz2[n,j]·dd2u_ddh2[n,j] - d2u_dh2_1[n,j]·dd2u_dz2[n,j] - ddu_dz2[n,j]·du_dh2[n,j])·h2[n,j] + dh2_1[n,j] - 2·d2u_ddz2[n,j]·dd2u_dz2[n,j]·du_dh2[n,j])
    (49)  db2[j] = Σ_n dz2[n,j]
    (50)  dh1_1[n,j] = Σ_j2 dz2[n,j2]·W2[j,j2]
    (51)  dW2_1[i,j] = Σ_n h1[n,i]·dz2[n,j]
    (52)  dW2_2[i,j] = Σ_n ddu_dh1[n,i]·du_dz2[n,j]
    (53)  dW2_3[i,j] = Σ_n d2u_ddh1[n,i]·dd2u_ddz2[n,j]
    (54)  dW2_4[i,j] = Σ_n dd2u_dh1_1[n,i]·d2u_dz2[n,j]
    (55)  dW2[i,j] = dW2_1[i,j] + dW2_2[i,j] + dW2_3[i,j] + dW2_4[i,j]
    (56)  dz1[n,j] = (1 - dd2u_dh1_1_t1[n,j])·(2·(3·dd2u_dh1_1_t1[n,j]·dd2u_dz1[n,j]·du_dh1[n,j] - dd2u_ddh1[n,j]·h1[n,j] - dd2u_dz1[n,j]·du_dh1[n,j])·d2u_ddz1[n,j] + dh1_1[n,j] - 2·d2u_dh1_1[n,j]·ddu_dh1_t1[n,j])
    (57)  dW1_1[i,j] = Σ_n t[n,i]·dz1[n,j]
    (58)  dW1_2[i,j] = Σ_n (1 - dd2u_dh1_1_t1[n,j])·(dd2u_ddh1[n,j] - 2·ddu_dh1_t1[n,j]·du_dh1[n,j])
    (59)  dW1_3[i,j] = Σ_n du_tt[n,i]·d2u_dz1[n,j]
    (60)  dW1[i,j] = dW1_1[i,j] + dW1_2[i,j] + dW1_3[i,j]
    (61)  db1[j] = Σ_n dz1[n,j]
    (62)  error = Σ_n,i (u[n,i] - cos(t[n,i]))²/(D·N)

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  rate = [step ≤ 2399]·(1/2 + cos(π·step/2400)/2)·lr
    (U2)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U3)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U4)  theta_next[i] = theta[i] - rate·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 1, H = 24; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      38·D·H·N + 24·N·H² + 28·D·N + 5·D·H + 98·H·N + 3·H²
             = 17,116·N + 1,848
    bytes      8 + 216·D·H + 312·D·N + 960·H·N + 136·H² + 16·D + 32·H
             = 23,352·N + 84,312
    workspace  6,744·rows + 29,216 bytes
               for a block of rows = 2,048, with 5,384 for its gradients (up to 6,144: all N at once)
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import argparse
import glob
import io
import itertools
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
OPEN_SIZES = ("rows", "N")
POSITIONS: tuple[str, ...] = ()
ONES = ("ones_D", "ones_rows")
NEEDED: dict[str, Any] = {}
BLOCKS = {"N": 2048}
CUT = {"t": 1}
FEWEST = 4
D, H = 1, 24
NAME = "pinn"
SIZES = {"D": D, "H": H}
PARAMETERS = {"W1": ("D", "H"), "b1": ("H",), "W2": ("H", "H"), "b2": ("H",), "W3": ("H", "D"), "b3": ("D",)}
INPUTS: dict[str, tuple[Any, ...]] = {"t": ("N", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("t",)
OUTPUTS = ("u",)
LOSS = "loss"
METRICS = ("error",)
BATCH = "N"
GRADIENTS = {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2", "W3": "dW3", "b3": "db3"}
EQUATIONS = {
    1: "z1", 2: "h1", 3: "z2", 4: "h2", 5: "z3", 6: "v", 7: "u", 8: "du_dv", 9: "du_dh2", 10: "du_dz2",
    11: "du_dh1", 12: "d2u_ddz1", 13: "d2u_ddh1", 14: "d2u_ddz2", 15: "d2u_ddh2", 16: "d2u_ddv",
    17: "d2u_dh2_1", 18: "d2u_dz2", 19: "d2u_dh1_1", 20: "d2u_dz1", 21: "d2u_dt_1", 22: "u_tt", 23: "loss",
    24: "du_tt", 25: "dd2u_dz1", 26: "dd2u_dh1_1_t1", 27: "dd2u_dh1_1", 28: "dd2u_dz2", 29: "dd2u_dh2_1_t1",
    30: "dd2u_dh2_1", 31: "dd2u_ddv", 32: "dd2u_ddh2", 33: "dd2u_ddz2_t1", 34: "dd2u_ddz2", 35: "dd2u_ddh1",
    36: "ddu_dh1_t1", 37: "ddu_dh1", 38: "ddu_dz2", 39: "ddu_dh2", 40: "dv", 41: "db3", 42: "dh2_1",
    43: "dW3_1", 44: "dW3_2", 45: "dW3_3", 46: "dW3_4", 47: "dW3", 48: "dz2", 49: "db2", 50: "dh1_1",
    51: "dW2_1", 52: "dW2_2", 53: "dW2_3", 54: "dW2_4", 55: "dW2", 56: "dz1", 57: "dW1_1", 58: "dW1_2",
    59: "dW1_3", 60: "dW1", 61: "db1", 62: "error",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, rows, N):
    """The outputs: equations (1) to (7)."""
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    W3, b3 = params["W3"], params["b3"]
    z1, h1, z2, h2 = tensors["z1"], tensors["h1"], tensors["z2"], tensors["h2"]
    z3, v, u = tensors["z3"], tensors["v"], tensors["u"]
    one = np.array(1, DTYPE)

    def run(data):
        t = data["t"]
        np.dot(t, W1, out=z1)  # (1)
        np.add(z1, b1, out=h1)  # (2)
        np.tanh(h1, out=h1)  # (2)
        np.dot(h1, W2, out=z2)  # (3)
        np.add(z2, b2, out=h2)  # (4)
        np.tanh(h2, out=h2)  # (4)
        np.dot(h2, W3, out=z3)  # (5)
        np.add(z3, b3, out=v)  # (6)
        np.multiply(t, t, out=u)  # (7)
        np.multiply(u, v, out=u)  # (7)
        np.add(u, one, out=u)  # (7)

    return run


def _loss(params, tensors, rows, N):
    """The loss: equations (8) to (23)."""
    W1, W2, W3 = params["W1"], params["W2"], params["W3"]
    h1, h2, v, u = tensors["h1"], tensors["h2"], tensors["v"], tensors["u"]
    du_dv, d2u_ddz1, d2u_ddh1 = tensors["du_dv"], tensors["d2u_ddz1"], tensors["d2u_ddh1"]
    du_dh2, du_dz2, du_dh1 = tensors["du_dh2"], tensors["du_dz2"], tensors["du_dh1"]
    d2u_ddz2, d2u_ddh2, d2u_ddv = tensors["d2u_ddz2"], tensors["d2u_ddh2"], tensors["d2u_ddv"]
    d2u_dh2_1, d2u_dz2, d2u_dh1_1 = tensors["d2u_dh2_1"], tensors["d2u_dz2"], tensors["d2u_dh1_1"]
    d2u_dz1, d2u_dt_1, u_tt, loss = tensors["d2u_dz1"], tensors["d2u_dt_1"], tensors["u_tt"], tensors["loss"]
    t_H, t_HD, t_rows_H, t_rows_D = tensors["t_H"], tensors["t_HD"], tensors["t_rows_H"], tensors["t_rows_D"]
    u1, ones_D = tensors["u1"], tensors["ones_D"]
    one = np.array(1, DTYPE)
    W3_T = W3.T
    W2_T = W2.T
    two = np.array(2, DTYPE)
    W1_T = W1.T
    c1 = D * N  # (23)

    def run(data):
        t = data["t"]
        np.multiply(t, t, out=du_dv)  # (8)
        _transposed(W1, out=t_HD)  # (12)
        np.dot(t_HD, ones_D, out=t_H)  # (12)
        np.copyto(d2u_ddz1, t_H)  # (12)
        np.multiply(h1, h1, out=d2u_ddh1)  # (13)
        np.subtract(one, d2u_ddh1, out=d2u_ddh1)  # (13)
        np.multiply(d2u_ddh1, d2u_ddz1, out=d2u_ddh1)  # (13)
        np.dot(du_dv, W3_T, out=du_dh2)  # (9)
        np.multiply(h2, h2, out=du_dz2)  # (10)
        np.subtract(one, du_dz2, out=du_dz2)  # (10)
        np.multiply(du_dz2, du_dh2, out=du_dz2)  # (10)
        np.dot(du_dz2, W2_T, out=du_dh1)  # (11)
        np.dot(d2u_ddh1, W2, out=d2u_ddz2)  # (14)
        np.multiply(h2, h2, out=d2u_ddh2)  # (15)
        np.subtract(one, d2u_ddh2, out=d2u_ddh2)  # (15)
        np.multiply(d2u_ddh2, d2u_ddz2, out=d2u_ddh2)  # (15)
        np.dot(d2u_ddh2, W3, out=d2u_ddv)  # (16)
        np.dot(t, W3_T, out=d2u_dh2_1)  # (17)
        np.multiply(d2u_dh2_1, two, out=d2u_dh2_1)  # (17)
        np.multiply(h2, h2, out=d2u_dz2)  # (18)
        np.subtract(one, d2u_dz2, out=d2u_dz2)  # (18)
        np.multiply(two, d2u_ddz2, out=t_rows_H)  # (18)
        np.multiply(t_rows_H, du_dh2, out=t_rows_H)  # (18)
        np.multiply(t_rows_H, h2, out=t_rows_H)  # (18)
        np.subtract(d2u_dh2_1, t_rows_H, out=t_rows_H)  # (18)
        np.multiply(d2u_dz2, t_rows_H, out=d2u_dz2)  # (18)
        np.dot(d2u_dz2, W2_T, out=d2u_dh1_1)  # (19)
        np.multiply(h1, h1, out=d2u_dz1)  # (20)
        np.subtract(one, d2u_dz1, out=d2u_dz1)  # (20)
        np.multiply(two, d2u_ddz1, out=t_rows_H)  # (20)
        np.multiply(t_rows_H, du_dh1, out=t_rows_H)  # (20)
        np.multiply(t_rows_H, h1, out=t_rows_H)  # (20)
        np.subtract(d2u_dh1_1, t_rows_H, out=t_rows_H)  # (20)
        np.multiply(d2u_dz1, t_rows_H, out=d2u_dz1)  # (20)
        np.dot(d2u_dz1, W1_T, out=d2u_dt_1)  # (21)
        np.multiply(two, d2u_ddv, out=u_tt)  # (22)
        np.multiply(u_tt, t, out=u_tt)  # (22)
        np.multiply(two, v, out=t_rows_D)  # (22)
        np.add(u_tt, t_rows_D, out=u_tt)  # (22)
        np.add(u_tt, d2u_dt_1, out=u_tt)  # (22)
        np.add(u, u_tt, out=u1)  # (23)
        loss[...] = np.vdot(u1, u1) / c1  # (23)

    return run


def _backward(params, tensors, gradients, rows, N):
    """The gradients: equations (24) to (61)."""
    W1, W2, W3 = params["W1"], params["W2"], params["W3"]
    h1, h2, u, du_dv = tensors["h1"], tensors["h2"], tensors["u"], tensors["du_dv"]
    d2u_ddz1, d2u_ddh1, du_dh2 = tensors["d2u_ddz1"], tensors["d2u_ddh1"], tensors["du_dh2"]
    du_dz2, du_dh1, d2u_ddz2 = tensors["du_dz2"], tensors["du_dh1"], tensors["d2u_ddz2"]
    d2u_ddh2, d2u_dh2_1, d2u_dz2 = tensors["d2u_ddh2"], tensors["d2u_dh2_1"], tensors["d2u_dz2"]
    d2u_dh1_1, d2u_dz1, u_tt = tensors["d2u_dh1_1"], tensors["d2u_dz1"], tensors["u_tt"]
    du_tt, dd2u_dh1_1_t1, dd2u_dh2_1_t1 = tensors["du_tt"], tensors["dd2u_dh1_1_t1"], tensors["dd2u_dh2_1_t1"]
    dd2u_ddv, dv, dd2u_dz1 = tensors["dd2u_ddv"], tensors["dv"], tensors["dd2u_dz1"]
    dd2u_dh1_1, ddu_dh1_t1, ddu_dh1 = tensors["dd2u_dh1_1"], tensors["ddu_dh1_t1"], tensors["ddu_dh1"]
    dd2u_dz2, dd2u_dh2_1, dd2u_ddz2_t1 = tensors["dd2u_dz2"], tensors["dd2u_dh2_1"], tensors["dd2u_ddz2_t1"]
    dd2u_ddh2, dd2u_ddz2, dd2u_ddh1 = tensors["dd2u_ddh2"], tensors["dd2u_ddz2"], tensors["dd2u_ddh1"]
    ddu_dz2, ddu_dh2, dh2_1 = tensors["ddu_dz2"], tensors["ddu_dh2"], tensors["dh2_1"]
    dW3_1, dW3_2, dW3_3, dW3_4 = tensors["dW3_1"], tensors["dW3_2"], tensors["dW3_3"], tensors["dW3_4"]
    dz2, dh1_1, dW2_1, dW2_2 = tensors["dz2"], tensors["dh1_1"], tensors["dW2_1"], tensors["dW2_2"]
    dW2_3, dW2_4, dz1, dW1_1 = tensors["dW2_3"], tensors["dW2_4"], tensors["dz1"], tensors["dW1_1"]
    dW1_2, dW1_3 = tensors["dW1_2"], tensors["dW1_3"]
    dW1, db1, dW2, db2 = gradients["W1"], gradients["b1"], gradients["W2"], gradients["b2"]
    dW3, db3 = gradients["W3"], gradients["b3"]
    t_H, t_rows_H, t_rows_H2 = tensors["t_H"], tensors["t_rows_H"], tensors["t_rows_H2"]
    t_H_rows, t_H_rows2, t_H_rows3 = tensors["t_H_rows"], tensors["t_H_rows2"], tensors["t_H_rows3"]
    t_H_rows4, ones_rows = tensors["t_H_rows4"], tensors["ones_rows"]
    c1 = np.array(2 / (D * N), DTYPE)  # (24)
    two = np.array(2, DTYPE)
    one = np.array(1, DTYPE)
    c2 = np.array(-2, DTYPE)  # (37)
    W3_T = W3.T
    W2_T = W2.T
    h2_T = h2.T
    ddu_dh2_T = ddu_dh2.T
    d2u_ddh2_T = d2u_ddh2.T
    dd2u_dh2_1_T = dd2u_dh2_1.T
    c3 = np.array(3, DTYPE)  # (48)
    h1_T = h1.T
    ddu_dh1_T = ddu_dh1.T
    d2u_ddh1_T = d2u_ddh1.T
    dd2u_dh1_1_T = dd2u_dh1_1.T
    du_tt_T = du_tt.T

    def run(data):
        t = data["t"]
        np.add(u, u_tt, out=du_tt)  # (24)
        np.multiply(c1, du_tt, out=du_tt)  # (24)
        np.multiply(h1, h1, out=dd2u_dh1_1_t1)  # (26)
        np.multiply(h2, h2, out=dd2u_dh2_1_t1)  # (29)
        np.multiply(two, du_tt, out=dd2u_ddv)  # (31)
        np.multiply(dd2u_ddv, t, out=dd2u_ddv)  # (31)
        np.add(du_dv, two, out=dv)  # (40)
        np.multiply(dv, du_tt, out=dv)  # (40)
        np.dot(ones_rows, dv, out=db3)  # (41)
        np.dot(du_tt, W1, out=dd2u_dz1)  # (25)
        np.subtract(one, dd2u_dh1_1_t1, out=dd2u_dh1_1)  # (27)
        np.multiply(dd2u_dh1_1, dd2u_dz1, out=dd2u_dh1_1)  # (27)
        np.multiply(dd2u_dz1, h1, out=ddu_dh1_t1)  # (36)
        np.multiply(c2, d2u_ddh1, out=ddu_dh1)  # (37)
        np.multiply(ddu_dh1, ddu_dh1_t1, out=ddu_dh1)  # (37)
        np.dot(dd2u_dh1_1, W2, out=dd2u_dz2)  # (28)
        np.subtract(one, dd2u_dh2_1_t1, out=dd2u_dh2_1)  # (30)
        np.multiply(dd2u_dh2_1, dd2u_dz2, out=dd2u_dh2_1)  # (30)
        np.multiply(dd2u_dz2, h2, out=dd2u_ddz2_t1)  # (33)
        np.dot(dd2u_ddv, W3_T, out=dd2u_ddh2)  # (32)
        np.subtract(one, dd2u_dh2_1_t1, out=dd2u_ddz2)  # (34)
        np.multiply(two, dd2u_ddz2_t1, out=t_rows_H)  # (34)
        np.multiply(t_rows_H, du_dh2, out=t_rows_H)  # (34)
        np.subtract(dd2u_ddh2, t_rows_H, out=t_rows_H)  # (34)
        np.multiply(dd2u_ddz2, t_rows_H, out=dd2u_ddz2)  # (34)
        np.dot(dd2u_ddz2, W2_T, out=dd2u_ddh1)  # (35)
        np.dot(ddu_dh1, W2, out=ddu_dz2)  # (38)
        np.multiply(two, d2u_ddz2, out=ddu_dh2)  # (39)
        np.multiply(ddu_dh2, dd2u_ddz2_t1, out=ddu_dh2)  # (39)
        np.subtract(ddu_dh2, ddu_dz2, out=ddu_dh2)  # (39)
        np.subtract(dd2u_dh2_1_t1, one, out=t_rows_H)  # (39)
        np.multiply(ddu_dh2, t_rows_H, out=ddu_dh2)  # (39)
        np.dot(dv, W3_T, out=dh2_1)  # (42)
        np.dot(h2_T, dv, out=dW3_1)  # (43)
        np.dot(ddu_dh2_T, du_dv, out=dW3_2)  # (44)
        np.dot(d2u_ddh2_T, dd2u_ddv, out=dW3_3)  # (45)
        np.dot(dd2u_dh2_1_T, t, out=dW3_4)  # (46)
        np.multiply(dW3_4, two, out=dW3_4)  # (46)
        np.add(dW3_1, dW3_2, out=dW3)  # (47)
        np.add(dW3, dW3_3, out=dW3)  # (47)
        np.add(dW3, dW3_4, out=dW3)  # (47)
        np.multiply(two, d2u_ddz2, out=t_rows_H)  # (48)
        np.multiply(t_rows_H, dd2u_dz2, out=t_rows_H)  # (48)
        np.multiply(t_rows_H, du_dh2, out=t_rows_H)  # (48)
        np.multiply(d2u_ddz2, dd2u_ddh2, out=t_rows_H2)  # (48)
        np.multiply(c3, d2u_ddz2, out=dz2)  # (48)
        np.multiply(dz2, dd2u_ddz2_t1, out=dz2)  # (48)
        np.multiply(dz2, du_dh2, out=dz2)  # (48)
        np.subtract(dz2, t_rows_H2, out=dz2)  # (48)
        np.multiply(d2u_dh2_1, dd2u_dz2, out=t_rows_H2)  # (48)
        np.subtract(dz2, t_rows_H2, out=dz2)  # (48)
        np.multiply(ddu_dz2, du_dh2, out=t_rows_H2)  # (48)
        np.subtract(dz2, t_rows_H2, out=dz2)  # (48)
        np.multiply(two, dz2, out=dz2)  # (48)
        np.multiply(dz2, h2, out=dz2)  # (48)
        np.add(dz2, dh2_1, out=dz2)  # (48)
        np.subtract(dz2, t_rows_H, out=dz2)  # (48)
        np.subtract(one, dd2u_dh2_1_t1, out=t_rows_H)  # (48)
        np.multiply(t_rows_H, dz2, out=dz2)  # (48)
        np.dot(ones_rows, dz2, out=db2)  # (49)
        np.dot(dz2, W2_T, out=dh1_1)  # (50)
        np.dot(h1_T, dz2, out=dW2_1)  # (51)
        np.dot(ddu_dh1_T, du_dz2, out=dW2_2)  # (52)
        np.dot(d2u_ddh1_T, dd2u_ddz2, out=dW2_3)  # (53)
        np.dot(dd2u_dh1_1_T, d2u_dz2, out=dW2_4)  # (54)
        np.add(dW2_1, dW2_2, out=dW2)  # (55)
        np.add(dW2, dW2_3, out=dW2)  # (55)
        np.add(dW2, dW2_4, out=dW2)  # (55)
        np.multiply(c3, dd2u_dh1_1_t1, out=t_rows_H)  # (56)
        np.multiply(t_rows_H, dd2u_dz1, out=t_rows_H)  # (56)
        np.multiply(t_rows_H, du_dh1, out=t_rows_H)  # (56)
        np.multiply(dd2u_ddh1, h1, out=t_rows_H2)  # (56)
        np.subtract(t_rows_H, t_rows_H2, out=t_rows_H)  # (56)
        np.multiply(dd2u_dz1, du_dh1, out=t_rows_H2)  # (56)
        np.subtract(t_rows_H, t_rows_H2, out=t_rows_H)  # (56)
        np.multiply(two, t_rows_H, out=t_rows_H)  # (56)
        np.multiply(t_rows_H, d2u_ddz1, out=dz1)  # (56)
        np.add(dz1, dh1_1, out=dz1)  # (56)
        np.multiply(two, d2u_dh1_1, out=t_rows_H)  # (56)
        np.multiply(t_rows_H, ddu_dh1_t1, out=t_rows_H)  # (56)
        np.subtract(dz1, t_rows_H, out=dz1)  # (56)
        np.subtract(one, dd2u_dh1_1_t1, out=t_rows_H)  # (56)
        np.multiply(t_rows_H, dz1, out=dz1)  # (56)
        np.dot(ones_rows, dz1, out=db1)  # (61)
        np.dot(t.T, dz1, out=dW1_1)  # (57)
        _transposed(dd2u_dh1_1_t1, out=t_H_rows)  # (58)
        np.subtract(one, t_H_rows, out=t_H_rows)  # (58)
        _transposed(dd2u_ddh1, out=t_H_rows2)  # (58)
        _transposed(ddu_dh1_t1, out=t_H_rows3)  # (58)
        np.multiply(two, t_H_rows3, out=t_H_rows3)  # (58)
        _transposed(du_dh1, out=t_H_rows4)  # (58)
        np.multiply(t_H_rows3, t_H_rows4, out=t_H_rows3)  # (58)
        np.subtract(t_H_rows2, t_H_rows3, out=t_H_rows2)  # (58)
        np.multiply(t_H_rows, t_H_rows2, out=t_H_rows)  # (58)
        np.dot(t_H_rows, ones_rows, out=t_H)  # (58)
        np.copyto(dW1_2, t_H)  # (58)
        np.dot(du_tt_T, d2u_dz1, out=dW1_3)  # (59)
        np.add(dW1_1, dW1_2, out=dW1)  # (60)
        np.add(dW1, dW1_3, out=dW1)  # (60)

    return run


def _metrics(params, tensors, rows, N):
    """The metrics: equation (62)."""
    u, error = tensors["u"], tensors["error"]
    u1 = tensors["u1"]
    c1 = D * N  # (62)

    def run(data):
        t = data["t"]
        np.cos(t, out=u1)  # (62)
        np.subtract(u, u1, out=u1)  # (62)
        error[...] = np.vdot(u1, u1) / c1  # (62)

    return run


def _update(tensors, theta, gradient, m, v):
    """Adam: one step over all parameters, in place."""
    blocks = []
    for start in range(0, len(theta), 16384):
        block = [arena[start : start + 16384] for arena in (theta, gradient, m, v)]
        blocks.append((*block, tensors["t_block"][: len(block[0])], tensors["t_block2"][: len(block[0])]))
    c1, c2, c3, c4, beta1_array, beta2_array = [np.empty((), DTYPE) for _ in range(6)]

    def run(step, lr, beta1, beta2, eps):
        rate = (math.cos(0.0013089969389957472 * step) + 1) * lr / 2 if step <= 2399 else 0.0  # (U1)
        c1[...] = 1 - beta1  # (U2)
        c2[...] = 1 - beta2  # (U3)
        c3[...] = rate * math.sqrt(1 - beta2**step) / (1 - beta1**step)  # (U4)
        c4[...] = eps * math.sqrt(1 - beta2**step)  # (U4)
        beta1_array[...] = beta1
        beta2_array[...] = beta2
        for theta_block, gradient_block, m_block, v_block, t_block, t_block2 in blocks:
            np.multiply(beta1_array, m_block, out=m_block)  # (U2)
            np.multiply(c1, gradient_block, out=t_block)  # (U2)
            np.add(m_block, t_block, out=m_block)  # (U2)
            np.multiply(beta2_array, v_block, out=v_block)  # (U3)
            np.multiply(gradient_block, gradient_block, out=t_block)  # (U3)
            np.multiply(c2, t_block, out=t_block)  # (U3)
            np.add(v_block, t_block, out=v_block)  # (U3)
            np.multiply(c3, m_block, out=t_block)  # (U4)
            np.sqrt(v_block, out=t_block2)  # (U4)
            np.add(t_block2, c4, out=t_block2)  # (U4)
            np.divide(t_block, t_block2, out=t_block)  # (U4)
            np.subtract(theta_block, t_block, out=theta_block)  # (U4)

    return run


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "h1": (0, 0, (rows, H)),
        "z2": (0, 24 * rows, (rows, H)),
        "h2": (0, 24 * rows, (rows, H)),
        "z3": (0, 312 * rows, (rows, D)),
        "v": (0, 312 * rows, (rows, D)),
        "u": (0, 841 * rows + 3650, (rows, D)),
        "du_dv": (0, 696 * rows, (rows, D)),
        "d2u_ddz1": (0, 48 * rows, (rows, H)),
        "d2u_ddh1": (0, 72 * rows, (rows, H)),
        "du_dh2": (0, 96 * rows, (rows, H)),
        "du_dz2": (0, 120 * rows, (rows, H)),
        "du_dh1": (0, 144 * rows, (rows, H)),
        "d2u_ddz2": (0, 168 * rows, (rows, H)),
        "d2u_ddh2": (0, 192 * rows, (rows, H)),
        "d2u_ddv": (0, 313 * rows, (rows, D)),
        "d2u_dh2_1": (0, 216 * rows, (rows, H)),
        "d2u_dz2": (0, 240 * rows, (rows, H)),
        "d2u_dh1_1": (0, 264 * rows, (rows, H)),
        "d2u_dz1": (0, 288 * rows, (rows, H)),
        "d2u_dt_1": (0, 314 * rows, (rows, D)),
        "u_tt": (0, 313 * rows, (rows, D)),
        "loss": (0, 843 * rows + 3650, ()),
        "du_tt": (0, 841 * rows + 3650, (rows, D)),
        "dd2u_dh1_1_t1": (0, 312 * rows, (rows, H)),
        "dd2u_dh2_1_t1": (0, 336 * rows, (rows, H)),
        "dd2u_ddv": (0, 697 * rows, (rows, D)),
        "dv": (0, 698 * rows, (rows, D)),
        "dd2u_dz1": (0, 360 * rows, (rows, H)),
        "dd2u_dh1_1": (0, 384 * rows, (rows, H)),
        "ddu_dh1_t1": (0, 408 * rows, (rows, H)),
        "ddu_dh1": (0, 432 * rows, (rows, H)),
        "dd2u_dz2": (0, 456 * rows, (rows, H)),
        "dd2u_dh2_1": (0, 480 * rows, (rows, H)),
        "dd2u_ddz2_t1": (0, 504 * rows, (rows, H)),
        "dd2u_ddh2": (0, 528 * rows, (rows, H)),
        "dd2u_ddz2": (0, 552 * rows, (rows, H)),
        "dd2u_ddh1": (0, 576 * rows, (rows, H)),
        "ddu_dz2": (0, 600 * rows, (rows, H)),
        "ddu_dh2": (0, 624 * rows, (rows, H)),
        "dh2_1": (0, 648 * rows, (rows, H)),
        "dW3_1": (0, 672 * rows, (H, D)),
        "dW3_2": (0, 698 * rows, (H, D)),
        "dW3_3": (0, 624 * rows, (H, D)),
        "dW3_4": (0, 192 * rows, (H, D)),
        "dz2": (0, 168 * rows, (rows, H)),
        "dh1_1": (0, 24 * rows, (rows, H)),
        "dW2_1": (0, 600 * rows, (H, H)),
        "dW2_2": (0, 600 * rows + 576, (H, H)),
        "dW2_3": (0, 600 * rows + 1152, (H, H)),
        "dW2_4": (0, 600 * rows + 1728, (H, H)),
        "dz1": (0, 48 * rows, (rows, H)),
        "dW1_1": (0, 96 * rows, (D, H)),
        "dW1_2": (0, 96 * rows + 24, (D, H)),
        "dW1_3": (0, 0, (D, H)),
        "error": (0, 0, ()),
        "ones_D": (0, 843 * rows + 3651, (1,)),
        "ones_rows": (0, 842 * rows + 3650, (rows,)),
        "t_H": (0, 168 * rows, (24,)),
        "t_HD": (0, 72 * rows, (24, 1)),
        "t_rows_H": (0, 672 * rows, (rows, 24)),
        "t_rows_D": (0, 315 * rows, (rows, 1)),
        "u1": (0, 312 * rows, (rows, 1)),
        "t_rows_H2": (0, 192 * rows, (rows, 24)),
        "t_H_rows": (0, 0, (24, rows)),
        "t_H_rows2": (0, 24 * rows, (24, rows)),
        "t_H_rows3": (0, 48 * rows, (24, rows)),
        "t_H_rows4": (0, 72 * rows, (24, rows)),
        "t_block": (0, 0, (673,)),
        "t_block2": (0, 673, (673,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W3": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        # an offset needs no asymmetry to learn
        "b3": np.zeros(D),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _transposed


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_shown.py: _settle, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory


# ---- Outputs, loss and metrics ----


# symbp/runtime/numpy/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numpy/differentiate.py: _differentiate
# symbp/runtime/numpy/blocks.py: _key, _Step, _Block, _rows, _cut
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
