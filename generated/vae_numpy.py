"""vae: a network that trains in NumPy.

Derived from the network vae; float64. It reads x(N, D).
Random tensors, drawn in each step: eps(N, C): normal.
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W1[i,j]
    (2)   h[n,j] = tanh(z1[n,j] + b1[j])
    (3)   z2[n,k] = Σ_j h[n,j]·Wm[j,k]
    (4)   mu[n,k] = z2[n,k] + bm[k]
    (5)   z3[n,k] = Σ_j h[n,j]·Wv[j,k]
    (6)   log_var[n,k] = z3[n,k] + bv[k]
    (7)   u_z[n,k] = log_var[n,k]/2
    (8)   z[n,k] = eps[n,k]·exp(u_z[n,k]) + mu[n,k]
    (9)   z4[n,j] = Σ_k z[n,k]·W2[k,j]
    (10)  h4[n,j] = tanh(z4[n,j] + b2[j])
    (11)  z5[n,i] = Σ_j h4[n,j]·W3[j,i]
    (12)  a5[n,i] = z5[n,i] + b3[i]
    (13)  shown[n,i] = 1/(1 + exp(-a5[n,i]))
    (14)  binary_cross_entropy = Σ_n,i ((1 - x[n,i])·log(1 + exp(a5[n,i])) + log(1 + exp(-a5[n,i]))·x[n,i])
    (15)  bits = binary_cross_entropy/N
    (16)  kl = Σ_n,k (exp(log_var[n,k])/2 + mu[n,k]²/2 - 1/2 - log_var[n,k]/2)/N
    (17)  loss = bits + kl
    (18)  da5[n,i] = (shown[n,i] - x[n,i])/N
    (19)  db3[i] = Σ_n da5[n,i]
    (20)  dh4[n,j] = Σ_i da5[n,i]·W3[j,i]
    (21)  dW3[j,i] = Σ_n h4[n,j]·da5[n,i]
    (22)  dz4[n,j] = (1 - h4[n,j]²)·dh4[n,j]
    (23)  db2[j] = Σ_n dz4[n,j]
    (24)  dz[n,k] = Σ_j dz4[n,j]·W2[k,j]
    (25)  dW2[k,j] = Σ_n z[n,k]·dz4[n,j]
    (26)  dlog_var[n,k] = dz[n,k]·eps[n,k]·exp(u_z[n,k])/2 + (exp(log_var[n,k]) - 1)/(2·N)
    (27)  dbv[k] = Σ_n dlog_var[n,k]
    (28)  dmu[n,k] = mu[n,k]/N + dz[n,k]
    (29)  dbm[k] = Σ_n dmu[n,k]
    (30)  dh_1[n,j] = Σ_k dmu[n,k]·Wm[j,k]
    (31)  dh_2[n,j] = Σ_k dlog_var[n,k]·Wv[j,k]
    (32)  dWm[j,k] = Σ_n h[n,j]·dmu[n,k]
    (33)  dWv[j,k] = Σ_n h[n,j]·dlog_var[n,k]
    (34)  dz1[n,j] = (1 - h[n,j]²)·(dh_1[n,j] + dh_2[n,j])
    (35)  dW1[i,j] = Σ_n x[n,i]·dz1[n,j]
    (36)  db1[j] = Σ_n dz1[n,j]
    (37)  z4_infer[n,j] = Σ_k mu[n,k]·W2[k,j]
    (38)  h4_infer[n,j] = tanh(z4_infer[n,j] + b2[j])
    (39)  z5_infer[n,i] = Σ_j h4_infer[n,j]·W3[j,i]
    (40)  a5_infer[n,i] = z5_infer[n,i] + b3[i]
    (41)  shown_infer[n,i] = 1/(1 + exp(-a5_infer[n,i]))
    (42)  binary_cross_entropy_infer = Σ_n,i ((1 - x[n,i])·log(1 + exp(a5_infer[n,i])) + log(1 + exp(-a5_infer[n,i]))·x[n,i])
    (43)  bits_infer = binary_cross_entropy_infer/N
    (44)  loss_infer = bits_infer + kl

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 64, H = 48, C = 4; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      10·D·H·N + 18·C·H·N + 15·H·N + 23·D·N + 31·C·N + 3
             = 36,492·N + 3
    bytes      120·D·N + 216·H·N + 264·C·N + 40·D·H + 72·C·H + 16·D + 32·C + 32·H + 56
             = 19,104·N + 139,448
    workspace  2,952·rows + 110,216 bytes
               for a block of rows = 2,048, with 55,104 for its gradients (up to 6,144: all N at once)
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
ONES = ("ones_rows",)
NEEDED: dict[str, Any] = {}
BLOCKS = {"N": 2048}
CUT = {"x": 1, "eps": 1}
FEWEST = 4
D, H, C = 64, 48, 4
NAME = "vae"
SIZES = {"D": D, "H": H, "C": C}
PARAMETERS = {
    "W1": ("D", "H"), "b1": ("H",), "Wm": ("H", "C"), "bm": ("C",), "Wv": ("H", "C"), "bv": ("C",),
    "W2": ("C", "H"), "b2": ("H",), "W3": ("H", "D"), "b3": ("D",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
RANDOM = {"eps": (("N", "C"), "normal", 0.5)}
RANDOM_AT_INFERENCE: tuple[str, ...] = ()
INFERENCE = {"loss": "loss_infer", "shown": "shown_infer"}
OUTPUTS = ("mu", "shown")
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH = "N"
GRADIENTS = {
    "W1": "dW1", "b1": "db1", "Wm": "dWm", "bm": "dbm", "Wv": "dWv", "bv": "dbv", "W2": "dW2", "b2": "db2",
    "W3": "dW3", "b3": "db3",
}
EQUATIONS = {
    1: "z1", 2: "h", 3: "z2", 4: "mu", 5: "z3", 6: "log_var", 7: "u_z", 8: "z", 9: "z4", 10: "h4", 11: "z5",
    12: "a5", 13: "shown", 14: "binary_cross_entropy", 15: "bits", 16: "kl", 17: "loss", 18: "da5", 19: "db3",
    20: "dh4", 21: "dW3", 22: "dz4", 23: "db2", 24: "dz", 25: "dW2", 26: "dlog_var", 27: "dbv", 28: "dmu",
    29: "dbm", 30: "dh_1", 31: "dh_2", 32: "dWm", 33: "dWv", 34: "dz1", 35: "dW1", 36: "db1", 37: "z4_infer",
    38: "h4_infer", 39: "z5_infer", 40: "a5_infer", 41: "shown_infer", 42: "binary_cross_entropy_infer",
    43: "bits_infer", 44: "loss_infer",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, rows, N):
    """The outputs: equations (1) to (13)."""
    W1, b1, Wm, bm = params["W1"], params["b1"], params["Wm"], params["bm"]
    Wv, bv, W2, b2 = params["Wv"], params["bv"], params["W2"], params["b2"]
    W3, b3 = params["W3"], params["b3"]
    z1, h, z2, mu = tensors["z1"], tensors["h"], tensors["z2"], tensors["mu"]
    z3, log_var, u_z, z_exp = tensors["z3"], tensors["log_var"], tensors["u_z"], tensors["z_exp"]
    z, z4, h4, z5 = tensors["z"], tensors["z4"], tensors["h4"], tensors["z5"]
    a5, shown = tensors["a5"], tensors["shown"]
    two = np.array(2, DTYPE)

    def run(data):
        x, eps = data["x"], data["eps"]
        np.dot(x, W1, out=z1)  # (1)
        np.add(z1, b1, out=h)  # (2)
        np.tanh(h, out=h)  # (2)
        np.dot(h, Wm, out=z2)  # (3)
        np.add(z2, bm, out=mu)  # (4)
        np.dot(h, Wv, out=z3)  # (5)
        np.add(z3, bv, out=log_var)  # (6)
        np.divide(log_var, two, out=u_z)  # (7)
        np.exp(u_z, out=z_exp)  # (8)
        np.multiply(eps, z_exp, out=z)  # (8)
        np.add(z, mu, out=z)  # (8)
        np.dot(z, W2, out=z4)  # (9)
        np.add(z4, b2, out=h4)  # (10)
        np.tanh(h4, out=h4)  # (10)
        np.dot(h4, W3, out=z5)  # (11)
        np.add(z5, b3, out=a5)  # (12)
        _sigmoid(a5, out=shown)  # (13)

    return run


def _loss(params, tensors, rows, N):
    """The loss: equations (14) to (17)."""
    mu, log_var, a5 = tensors["mu"], tensors["log_var"], tensors["a5"]
    binary_cross_entropy, kl, bits = tensors["binary_cross_entropy"], tensors["kl"], tensors["bits"]
    loss = tensors["loss"]
    t_rows_D, t_rows_D2, t_rows_C = tensors["t_rows_D"], tensors["t_rows_D2"], tensors["t_rows_C"]
    t_rows_C2 = tensors["t_rows_C2"]
    one = np.array(1, DTYPE)
    two = np.array(2, DTYPE)

    def run(data):
        x = data["x"]
        np.subtract(one, x, out=t_rows_D)  # (14)
        _softplus(a5, out=t_rows_D2)  # (14)
        np.multiply(t_rows_D, t_rows_D2, out=t_rows_D)  # (14)
        np.negative(a5, out=t_rows_D2)  # (14)
        _softplus(t_rows_D2, out=t_rows_D2)  # (14)
        np.multiply(t_rows_D2, x, out=t_rows_D2)  # (14)
        np.add(t_rows_D, t_rows_D2, out=t_rows_D)  # (14)
        binary_cross_entropy[...] = t_rows_D.sum()  # (14)
        np.exp(log_var, out=t_rows_C)  # (16)
        np.subtract(t_rows_C, log_var, out=t_rows_C)  # (16)
        np.multiply(mu, mu, out=t_rows_C2)  # (16)
        np.add(t_rows_C, t_rows_C2, out=t_rows_C)  # (16)
        np.subtract(t_rows_C, one, out=t_rows_C)  # (16)
        np.divide(t_rows_C, two, out=t_rows_C)  # (16)
        kl[...] = t_rows_C.sum() / N  # (16)
        bits[...] = binary_cross_entropy / N  # (15)
        loss[...] = bits + kl  # (17)

    return run


def _backward(params, tensors, gradients, rows, N):
    """The gradients: equations (18) to (36)."""
    Wm, Wv, W2, W3 = params["Wm"], params["Wv"], params["W2"], params["W3"]
    h, mu, log_var, z_exp = tensors["h"], tensors["mu"], tensors["log_var"], tensors["z_exp"]
    z, h4, shown, da5 = tensors["z"], tensors["h4"], tensors["shown"], tensors["da5"]
    dh4, dz4, dz, dlog_var = tensors["dh4"], tensors["dz4"], tensors["dz"], tensors["dlog_var"]
    dmu, dh_1, dh_2, dz1 = tensors["dmu"], tensors["dh_1"], tensors["dh_2"], tensors["dz1"]
    dW1, db1, dWm, dbm = gradients["W1"], gradients["b1"], gradients["Wm"], gradients["bm"]
    dWv, dbv, dW2, db2 = gradients["Wv"], gradients["bv"], gradients["W2"], gradients["b2"]
    dW3, db3 = gradients["W3"], gradients["b3"]
    t_rows_C, t_rows_H, ones_rows = tensors["t_rows_C"], tensors["t_rows_H"], tensors["ones_rows"]
    c1 = np.array(N, DTYPE)  # (18)
    W3_T = W3.T
    h4_T = h4.T
    one = np.array(1, DTYPE)
    W2_T = W2.T
    z_T = z.T
    two = np.array(2, DTYPE)
    Wm_T = Wm.T
    Wv_T = Wv.T
    h_T = h.T

    def run(data):
        x, eps = data["x"], data["eps"]
        np.subtract(shown, x, out=da5)  # (18)
        np.divide(da5, c1, out=da5)  # (18)
        np.dot(ones_rows, da5, out=db3)  # (19)
        np.dot(da5, W3_T, out=dh4)  # (20)
        np.dot(h4_T, da5, out=dW3)  # (21)
        np.multiply(h4, h4, out=t_rows_H)  # (22)
        np.subtract(one, t_rows_H, out=t_rows_H)  # (22)
        np.multiply(t_rows_H, dh4, out=dz4)  # (22)
        np.dot(ones_rows, dz4, out=db2)  # (23)
        np.dot(dz4, W2_T, out=dz)  # (24)
        np.dot(z_T, dz4, out=dW2)  # (25)
        np.expm1(log_var, out=dlog_var)  # (26)
        np.divide(dlog_var, c1, out=dlog_var)  # (26)
        np.multiply(dz, eps, out=t_rows_C)  # (26)
        np.multiply(t_rows_C, z_exp, out=t_rows_C)  # (26)
        np.add(dlog_var, t_rows_C, out=dlog_var)  # (26)
        np.divide(dlog_var, two, out=dlog_var)  # (26)
        np.dot(ones_rows, dlog_var, out=dbv)  # (27)
        np.divide(mu, c1, out=t_rows_C)  # (28)
        np.add(dz, t_rows_C, out=dmu)  # (28)
        np.dot(ones_rows, dmu, out=dbm)  # (29)
        np.dot(dmu, Wm_T, out=dh_1)  # (30)
        np.dot(dlog_var, Wv_T, out=dh_2)  # (31)
        np.dot(h_T, dmu, out=dWm)  # (32)
        np.dot(h_T, dlog_var, out=dWv)  # (33)
        np.add(dh_1, dh_2, out=dz1)  # (34)
        np.multiply(h, h, out=t_rows_H)  # (34)
        np.subtract(one, t_rows_H, out=t_rows_H)  # (34)
        np.multiply(t_rows_H, dz1, out=dz1)  # (34)
        np.dot(ones_rows, dz1, out=db1)  # (36)
        np.dot(x.T, dz1, out=dW1)  # (35)

    return run


def _inference(params, tensors, rows, N):
    """The outputs at inference: equations (1) to (4), (37) to (41)."""
    W1, b1, Wm, bm = params["W1"], params["b1"], params["Wm"], params["bm"]
    W2, b2, W3, b3 = params["W2"], params["b2"], params["W3"], params["b3"]
    z1, h, z2, mu = tensors["z1"], tensors["h"], tensors["z2"], tensors["mu"]
    z4_infer, h4_infer, z5_infer = tensors["z4_infer"], tensors["h4_infer"], tensors["z5_infer"]
    a5_infer, shown_infer = tensors["a5_infer"], tensors["shown_infer"]

    def run(data):
        x = data["x"]
        np.dot(x, W1, out=z1)  # (1)
        np.add(z1, b1, out=h)  # (2)
        np.tanh(h, out=h)  # (2)
        np.dot(h, Wm, out=z2)  # (3)
        np.add(z2, bm, out=mu)  # (4)
        np.dot(mu, W2, out=z4_infer)  # (37)
        np.add(z4_infer, b2, out=h4_infer)  # (38)
        np.tanh(h4_infer, out=h4_infer)  # (38)
        np.dot(h4_infer, W3, out=z5_infer)  # (39)
        np.add(z5_infer, b3, out=a5_infer)  # (40)
        _sigmoid(a5_infer, out=shown_infer)  # (41)

    return run


def _metrics(params, tensors, rows, N):
    """The loss and metrics at inference: equations (5), (6), (16), (42) to (44)."""
    Wv, bv = params["Wv"], params["bv"]
    h, mu, z3, log_var = tensors["h"], tensors["mu"], tensors["z3"], tensors["log_var"]
    kl, a5_infer = tensors["kl"], tensors["a5_infer"]
    binary_cross_entropy_infer, bits_infer = tensors["binary_cross_entropy_infer"], tensors["bits_infer"]
    loss_infer = tensors["loss_infer"]
    t_rows_D, t_rows_D2, t_rows_C = tensors["t_rows_D"], tensors["t_rows_D2"], tensors["t_rows_C"]
    t_rows_C2 = tensors["t_rows_C2"]
    one = np.array(1, DTYPE)
    two = np.array(2, DTYPE)

    def run(data):
        x = data["x"]
        np.dot(h, Wv, out=z3)  # (5)
        np.add(z3, bv, out=log_var)  # (6)
        np.exp(log_var, out=t_rows_C)  # (16)
        np.subtract(t_rows_C, log_var, out=t_rows_C)  # (16)
        np.multiply(mu, mu, out=t_rows_C2)  # (16)
        np.add(t_rows_C, t_rows_C2, out=t_rows_C)  # (16)
        np.subtract(t_rows_C, one, out=t_rows_C)  # (16)
        np.divide(t_rows_C, two, out=t_rows_C)  # (16)
        kl[...] = t_rows_C.sum() / N  # (16)
        np.subtract(one, x, out=t_rows_D)  # (42)
        _softplus(a5_infer, out=t_rows_D2)  # (42)
        np.multiply(t_rows_D, t_rows_D2, out=t_rows_D)  # (42)
        np.negative(a5_infer, out=t_rows_D2)  # (42)
        _softplus(t_rows_D2, out=t_rows_D2)  # (42)
        np.multiply(t_rows_D2, x, out=t_rows_D2)  # (42)
        np.add(t_rows_D, t_rows_D2, out=t_rows_D)  # (42)
        binary_cross_entropy_infer[...] = t_rows_D.sum()  # (42)
        bits_infer[...] = binary_cross_entropy_infer / N  # (43)
        loss_infer[...] = bits_infer + kl  # (44)

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


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "h": (0, 256 * rows, (rows, H)),
        "z2": (0, 0, (rows, C)),
        "mu": (0, 352 * rows, (rows, C)),
        "z3": (0, 64 * rows, (rows, C)),
        "log_var": (0, 356 * rows, (rows, C)),
        "u_z": (0, 360 * rows, (rows, C)),
        "z_exp": (0, 360 * rows, (rows, C)),
        "z": (0, 364 * rows, (rows, C)),
        "z4": (0, 304 * rows, (rows, H)),
        "h4": (0, 304 * rows, (rows, H)),
        "z5": (0, 0, (rows, D)),
        "a5": (0, 0, (rows, D)),
        "shown": (0, 64 * rows, (rows, D)),
        "binary_cross_entropy": (0, 368 * rows, ()),
        "kl": (0, 368 * rows + 1, ()),
        "bits": (0, 0, ()),
        "loss": (0, 369 * rows + 13776, ()),
        "da5": (0, 64 * rows, (rows, D)),
        "dh4": (0, 0, (rows, H)),
        "dz4": (0, 0, (rows, H)),
        "dz": (0, 96 * rows, (rows, C)),
        "dlog_var": (0, 356 * rows, (rows, C)),
        "dmu": (0, 96 * rows, (rows, C)),
        "dh_1": (0, 0, (rows, H)),
        "dh_2": (0, 48 * rows, (rows, H)),
        "dz1": (0, 0, (rows, H)),
        "z4_infer": (0, 64 * rows, (rows, H)),
        "h4_infer": (0, 64 * rows, (rows, H)),
        "z5_infer": (0, 0, (rows, D)),
        "a5_infer": (0, 0, (rows, D)),
        "shown_infer": (0, 64 * rows, (rows, D)),
        "binary_cross_entropy_infer": (0, 64 * rows, ()),
        "bits_infer": (0, 0, ()),
        "loss_infer": (0, 1, ()),
        "ones_rows": (0, 368 * rows + 13776, (rows,)),
        "t_rows_D": (0, 128 * rows, (rows, 64)),
        "t_rows_D2": (0, 192 * rows, (rows, 64)),
        "t_rows_C": (0, 128 * rows, (rows, 4)),
        "t_rows_C2": (0, 132 * rows, (rows, 4)),
        "t_rows_H": (0, 96 * rows, (rows, 48)),
        "t_block": (0, 0, (6888,)),
        "t_block2": (0, 6888, (6888,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wm": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)),
        # an offset needs no asymmetry to learn
        "bm": np.zeros(C),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wv": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)),
        # an offset needs no asymmetry to learn
        "bv": np.zeros(C),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (C, H)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W3": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        # an offset needs no asymmetry to learn
        "b3": np.zeros(D),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _sigmoid, _softplus


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_shown.py: _settle, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory


# ---- Outputs, loss and metrics ----


# symbp/runtime/numpy/outputs_by_mode.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numpy/differentiate.py: _differentiate
# symbp/runtime/numpy/blocks.py: _key, _Step, _Block, _rows, _cut
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
