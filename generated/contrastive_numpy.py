"""contrastive: a network that trains in NumPy.

Derived from the network contrastive; float64. It reads a(N, D), b(N, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,k] = Σ_j a[n,j]·W1[j,k]
    (2)   h1[n,k] = tanh(z1[n,k] + b1[k])
    (3)   z2[n,i] = Σ_k h1[n,k]·W2[k,i]
    (4)   a2[n,i] = z2[n,i] + b2[i]
    (5)   s_norm[n] = Σ_i a2[n,i]²
    (6)   norm[n] = [s_norm[n] > 0]·sqrt(s_norm[n])
    (7)   p[n,i] = a2[n,i]/norm[n]
    (8)   z3[n,k] = Σ_j b[n,j]·W1[j,k]
    (9)   h3[n,k] = tanh(z3[n,k] + b1[k])
    (10)  z4[n,i] = Σ_k h3[n,k]·W2[k,i]
    (11)  a4[n,i] = z4[n,i] + b2[i]
    (12)  s_norm_2[n] = Σ_i a4[n,i]²
    (13)  norm_2[n] = [s_norm_2[n] > 0]·sqrt(s_norm_2[n])
    (14)  q[n,i] = a4[n,i]/norm_2[n]
    (15)  z[n,j] = Σ_i 5·p[n,i]·q[j,i]
    (16)  m_z[n] = max_i z[n,i]
    (17)  s_loss[n] = Σ_i exp(z[n,i] - m_z[n])
    (18)  m_z2[n] = max_i z[i,n]
    (19)  s_loss_2[n] = Σ_i exp(z[i,n] - m_z2[n])
    (20)  loss = Σ_n (log(s_loss[n])/2 + log(s_loss_2[n])/2 + m_z2[n]/2 + m_z[n]/2 - z[n,n])/N
    (21)  dz[n,j] = (exp(z[n,j] - m_z2[j])/(2·s_loss_2[j]) + exp(z[n,j] - m_z[n])/(2·s_loss[n]) - [j = n])/N
    (22)  dq_s1[n,i] = Σ_n2 dz[n2,n]·p[n2,i]
    (23)  dnorm_2_s1_s1[n] = Σ_i dq_s1[n,i]·q[n,i]
    (24)  da4[n,i] = 5·(dq_s1[n,i] - [s_norm_2[n] > 0]·dnorm_2_s1_s1[n]·q[n,i])/norm_2[n]
    (25)  dh3[n,k] = Σ_i da4[n,i]·W2[k,i]
    (26)  dz3[n,k] = (1 - h3[n,k]²)·dh3[n,k]
    (27)  dp_s1[n,i] = Σ_j dz[n,j]·q[j,i]
    (28)  dnorm_s1_s1[n] = Σ_i dp_s1[n,i]·p[n,i]
    (29)  da2[n,i] = 5·(dp_s1[n,i] - [s_norm[n] > 0]·dnorm_s1_s1[n]·p[n,i])/norm[n]
    (30)  db2_1[i] = Σ_n da2[n,i]
    (31)  db2_2[i] = Σ_n da4[n,i]
    (32)  db2[i] = db2_1[i] + db2_2[i]
    (33)  dh1[n,k] = Σ_i da2[n,i]·W2[k,i]
    (34)  dW2_1[k,i] = Σ_n h1[n,k]·da2[n,i]
    (35)  dW2_2[k,i] = Σ_n h3[n,k]·da4[n,i]
    (36)  dW2[k,i] = dW2_1[k,i] + dW2_2[k,i]
    (37)  dz1[n,k] = (1 - h1[n,k]²)·dh1[n,k]
    (38)  dW1_1[j,k] = Σ_n a[n,j]·dz1[n,k]
    (39)  dW1_2[j,k] = Σ_n b[n,j]·dz3[n,k]
    (40)  dW1[j,k] = dW1_1[j,k] + dW1_2[j,k]
    (41)  db1_1[k] = Σ_n (1 - h1[n,k]²)·dh1[n,k]
    (42)  db1_2[k] = Σ_n (1 - h3[n,k]²)·dh3[n,k]
    (43)  db1[k] = db1_1[k] + db1_2[k]
    (44)  cosine[n,m] = Σ_i p[n,i]·q[m,i]
    (45)  own[n] = argmax_i cosine[n,i]
    (46)  found = Σ_n [n = own[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 64, H = 128, C = 16; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      12·C·H·N + 8·D·H·N + 22·H·N + 32·C·N + 6·C·N² + 20·N + 25·N² + C·H + D·H + C + H
             = 10,384 + 121·N² + 93,460·N
    bytes      8 + 192·H·N + 272·C·N + 32·D·N + 56·D·H + 72·C·H + 104·N² + 240·N + 56·C + 56·H
             = 614,280 + 104·N² + 31,216·N
    workspace  332,168 + 32·N² + 7,704·N + max(2·N, N²) bytes
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
OPEN_SIZES = ("N",)
POSITIONS = ("range_N",)
ONES = ("ones_C", "ones_N")
NEEDED: dict[str, Any] = {}
D, H, C = 64, 128, 16
NAME = "contrastive"
SIZES = {"D": D, "H": H, "C": C}
PARAMETERS = {"W1": ("D", "H"), "b1": ("H",), "W2": ("H", "C"), "b2": ("C",)}
INPUTS: dict[str, tuple[Any, ...]] = {"a": ("N", "D"), "b": ("N", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("a", "b")
OUTPUTS = ("p", "q")
LOSS = "loss"
METRICS = ("found",)
BATCH = "N"
GRADIENTS = {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2"}
EQUATIONS = {
    1: "z1", 2: "h1", 3: "z2", 4: "a2", 5: "s_norm", 6: "norm", 7: "p", 8: "z3", 9: "h3", 10: "z4", 11: "a4",
    12: "s_norm_2", 13: "norm_2", 14: "q", 15: "z", 16: "m_z", 17: "s_loss", 18: "m_z2", 19: "s_loss_2",
    20: "loss", 21: "dz", 22: "dq_s1", 23: "dnorm_2_s1_s1", 24: "da4", 25: "dh3", 26: "dz3", 27: "dp_s1",
    28: "dnorm_s1_s1", 29: "da2", 30: "db2_1", 31: "db2_2", 32: "db2", 33: "dh1", 34: "dW2_1", 35: "dW2_2",
    36: "dW2", 37: "dz1", 38: "dW1_1", 39: "dW1_2", 40: "dW1", 41: "db1_1", 42: "db1_2", 43: "db1",
    44: "cosine", 45: "own", 46: "found",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.002, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N):
    """The outputs: equations (1) to (14)."""
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    z1, h1, z2, a2 = tensors["z1"], tensors["h1"], tensors["z2"], tensors["a2"]
    s_norm, norm, p, z3 = tensors["s_norm"], tensors["norm"], tensors["p"], tensors["z3"]
    h3, z4, a4, s_norm_2 = tensors["h3"], tensors["z4"], tensors["a4"], tensors["s_norm_2"]
    norm_2, q = tensors["norm_2"], tensors["q"]
    t_NC, is_N, ones_C = tensors["t_NC"], tensors["is_N"], tensors["ones_C"]
    norm_column = norm[:, None]
    norm_2_column = norm_2[:, None]

    def run(data):
        a, b = data["a"], data["b"]
        np.dot(a, W1, out=z1)  # (1)
        np.add(z1, b1, out=h1)  # (2)
        np.tanh(h1, out=h1)  # (2)
        np.dot(h1, W2, out=z2)  # (3)
        np.add(z2, b2, out=a2)  # (4)
        np.multiply(a2, a2, out=t_NC)  # (5)
        np.dot(t_NC, ones_C, out=s_norm)  # (5)
        np.less_equal(s_norm, 0, out=is_N)  # (6)
        np.logical_not(is_N, out=is_N)  # (6)
        np.sqrt(s_norm, out=norm)  # (6)
        _choose(norm, is_N, 0)  # (6)
        np.divide(a2, norm_column, out=p)  # (7)
        np.dot(b, W1, out=z3)  # (8)
        np.add(z3, b1, out=h3)  # (9)
        np.tanh(h3, out=h3)  # (9)
        np.dot(h3, W2, out=z4)  # (10)
        np.add(z4, b2, out=a4)  # (11)
        np.multiply(a4, a4, out=t_NC)  # (12)
        np.dot(t_NC, ones_C, out=s_norm_2)  # (12)
        np.less_equal(s_norm_2, 0, out=is_N)  # (13)
        np.logical_not(is_N, out=is_N)  # (13)
        np.sqrt(s_norm_2, out=norm_2)  # (13)
        _choose(norm_2, is_N, 0)  # (13)
        np.divide(a4, norm_2_column, out=q)  # (14)

    return run


def _loss(params, tensors, N):
    """The loss: equations (15) to (20)."""
    p, q, z, m_z = tensors["p"], tensors["q"], tensors["z"], tensors["m_z"]
    s_loss_exp, s_loss, m_z2 = tensors["s_loss_exp"], tensors["s_loss"], tensors["m_z2"]
    s_loss_2, loss = tensors["s_loss_2"], tensors["loss"]
    t_NN, t_N, at_N, t_N2 = tensors["t_NN"], tensors["t_N"], tensors["at_N"], tensors["t_N2"]
    ones_N, range_N = tensors["ones_N"], tensors["range_N"]
    q_T = q.T
    c1 = np.array(5, DTYPE)  # (15)
    m_z_column = m_z[:, None]
    c2 = np.array(N, np.int64)  # (20)
    z_flat = z.reshape(-1)
    two = np.array(2, DTYPE)

    def run(data):
        np.dot(p, q_T, out=z)  # (15)
        np.multiply(z, c1, out=z)  # (15)
        z.max(1, out=m_z)  # (16)
        np.subtract(z, m_z_column, out=s_loss_exp)  # (17)
        np.exp(s_loss_exp, out=s_loss_exp)  # (17)
        np.dot(s_loss_exp, ones_N, out=s_loss)  # (17)
        z.max(0, out=m_z2)  # (18)
        np.subtract(z, m_z2, out=t_NN)  # (19)
        np.exp(t_NN, out=t_NN)  # (19)
        np.dot(ones_N, t_NN, out=s_loss_2)  # (19)
        np.multiply(range_N, c2, out=at_N)  # (20)
        np.add(at_N, range_N, out=at_N)  # (20)
        np.take(z_flat, at_N, out=t_N, mode="clip")  # (20)
        np.multiply(two, t_N, out=t_N)  # (20)
        np.subtract(m_z2, t_N, out=t_N)  # (20)
        np.add(t_N, m_z, out=t_N)  # (20)
        np.log(s_loss, out=t_N2)  # (20)
        np.add(t_N, t_N2, out=t_N)  # (20)
        np.log(s_loss_2, out=t_N2)  # (20)
        np.add(t_N, t_N2, out=t_N)  # (20)
        np.divide(t_N, two, out=t_N)  # (20)
        loss[...] = t_N.sum() / N  # (20)

    return run


def _backward(params, tensors, gradients, N):
    """The gradients: equations (21) to (43)."""
    W2 = params["W2"]
    h1, s_norm, norm, p = tensors["h1"], tensors["s_norm"], tensors["norm"], tensors["p"]
    h3, s_norm_2, norm_2, q = tensors["h3"], tensors["s_norm_2"], tensors["norm_2"], tensors["q"]
    z, s_loss_exp, s_loss, m_z2 = tensors["z"], tensors["s_loss_exp"], tensors["s_loss"], tensors["m_z2"]
    s_loss_2, dz, dq_s1 = tensors["s_loss_2"], tensors["dz"], tensors["dq_s1"]
    dnorm_2_s1_s1, da4, db2_2 = tensors["dnorm_2_s1_s1"], tensors["da4"], tensors["db2_2"]
    dh3, dz3, db1_2, dp_s1 = tensors["dh3"], tensors["dz3"], tensors["db1_2"], tensors["dp_s1"]
    dnorm_s1_s1, da2, db2_1, dh1 = tensors["dnorm_s1_s1"], tensors["da2"], tensors["db2_1"], tensors["dh1"]
    dW2_1, dW2_2, dz1, db1_1 = tensors["dW2_1"], tensors["dW2_2"], tensors["dz1"], tensors["db1_1"]
    dW1_1, dW1_2 = tensors["dW1_1"], tensors["dW1_2"]
    dW1, db1, dW2, db2 = gradients["W1"], gradients["b1"], gradients["W2"], gradients["b2"]
    t_NC, is_N, t_NN, is_NN = tensors["t_NC"], tensors["is_N"], tensors["t_NN"], tensors["is_NN"]
    is_N1, t_NH, ones_C, ones_N = tensors["is_N1"], tensors["t_NH"], tensors["ones_C"], tensors["ones_N"]
    range_N = tensors["range_N"]
    s_loss_column = s_loss[:, None]
    range_N_column = range_N[:, None]
    c1 = np.array(2 * N, DTYPE)  # (21)
    dz_T = dz.T
    zero = np.array(0, DTYPE)
    is_N_column = is_N[:, None]
    dnorm_2_s1_s1_column = dnorm_2_s1_s1[:, None]
    c2 = np.array(5, DTYPE)  # (24)
    norm_2_column = norm_2[:, None]
    W2_T = W2.T
    one = np.array(1, DTYPE)
    dnorm_s1_s1_column = dnorm_s1_s1[:, None]
    norm_column = norm[:, None]
    h1_T = h1.T
    h3_T = h3.T

    def run(data):
        a, b = data["a"], data["b"]
        np.divide(s_loss_exp, s_loss_column, out=dz)  # (21)
        np.subtract(z, m_z2, out=t_NN)  # (21)
        np.exp(t_NN, out=t_NN)  # (21)
        np.divide(t_NN, s_loss_2, out=t_NN)  # (21)
        np.add(t_NN, dz, out=dz)  # (21)
        np.equal(range_N, range_N_column, out=is_NN)  # (21)
        np.logical_not(is_NN, out=is_NN)  # (21)
        t_NN.fill(DTYPE(0))  # (21)
        _choose(t_NN, is_NN, 2)  # (21)
        np.subtract(dz, t_NN, out=dz)  # (21)
        np.divide(dz, c1, out=dz)  # (21)
        np.dot(dz_T, p, out=dq_s1)  # (22)
        np.multiply(dq_s1, q, out=t_NC)  # (23)
        np.dot(t_NC, ones_C, out=dnorm_2_s1_s1)  # (23)
        np.greater(s_norm_2, zero, out=is_N)  # (24)
        np.copyto(is_N1, is_N_column)  # (24)
        np.multiply(q, dnorm_2_s1_s1_column, out=t_NC)  # (24)
        _choose(t_NC, is_N1, 0)  # (24)
        np.subtract(dq_s1, t_NC, out=da4)  # (24)
        np.multiply(c2, da4, out=da4)  # (24)
        np.divide(da4, norm_2_column, out=da4)  # (24)
        np.dot(ones_N, da4, out=db2_2)  # (31)
        np.dot(da4, W2_T, out=dh3)  # (25)
        np.multiply(h3, h3, out=dz3)  # (26)
        np.subtract(one, dz3, out=dz3)  # (26)
        np.multiply(dz3, dh3, out=dz3)  # (26)
        np.multiply(h3, h3, out=t_NH)  # (42)
        np.subtract(one, t_NH, out=t_NH)  # (42)
        np.multiply(t_NH, dh3, out=t_NH)  # (42)
        np.dot(ones_N, t_NH, out=db1_2)  # (42)
        np.dot(dz, q, out=dp_s1)  # (27)
        np.multiply(dp_s1, p, out=t_NC)  # (28)
        np.dot(t_NC, ones_C, out=dnorm_s1_s1)  # (28)
        np.greater(s_norm, zero, out=is_N)  # (29)
        np.copyto(is_N1, is_N_column)  # (29)
        np.multiply(p, dnorm_s1_s1_column, out=t_NC)  # (29)
        _choose(t_NC, is_N1, 0)  # (29)
        np.subtract(dp_s1, t_NC, out=da2)  # (29)
        np.multiply(c2, da2, out=da2)  # (29)
        np.divide(da2, norm_column, out=da2)  # (29)
        np.dot(ones_N, da2, out=db2_1)  # (30)
        np.add(db2_1, db2_2, out=db2)  # (32)
        np.dot(da2, W2_T, out=dh1)  # (33)
        np.dot(h1_T, da2, out=dW2_1)  # (34)
        np.dot(h3_T, da4, out=dW2_2)  # (35)
        np.add(dW2_1, dW2_2, out=dW2)  # (36)
        np.multiply(h1, h1, out=dz1)  # (37)
        np.subtract(one, dz1, out=dz1)  # (37)
        np.multiply(dz1, dh1, out=dz1)  # (37)
        np.multiply(h1, h1, out=t_NH)  # (41)
        np.subtract(one, t_NH, out=t_NH)  # (41)
        np.multiply(t_NH, dh1, out=t_NH)  # (41)
        np.dot(ones_N, t_NH, out=db1_1)  # (41)
        np.dot(a.T, dz1, out=dW1_1)  # (38)
        np.dot(b.T, dz3, out=dW1_2)  # (39)
        np.add(dW1_1, dW1_2, out=dW1)  # (40)
        np.add(db1_1, db1_2, out=db1)  # (43)

    return run


def _metrics(params, tensors, N):
    """The metrics: equations (44) to (46)."""
    p, q, cosine, own = tensors["p"], tensors["q"], tensors["cosine"], tensors["own"]
    found = tensors["found"]
    is_N, range_N = tensors["is_N"], tensors["range_N"]
    q_T = q.T

    def run(data):
        np.dot(p, q_T, out=cosine)  # (44)
        cosine.argmax(1, out=own)  # (45)
        np.equal(range_N, own, out=is_N)  # (46)
        found[...] = DTYPE(is_N.sum()) / N  # (46)

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


def _places(N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (N, H)),
        "h1": (0, 0, (N, H)),
        "z2": (0, 3 * N**2 + 896 * N, (N, C)),
        "a2": (0, 3 * N**2 + 896 * N, (N, C)),
        "s_norm": (0, 3 * N**2 + 928 * N, (N,)),
        "norm": (0, 3 * N**2 + 929 * N, (N,)),
        "p": (0, 3 * N**2 + 896 * N, (N, C)),
        "z3": (0, 128 * N, (N, H)),
        "h3": (0, 128 * N, (N, H)),
        "z4": (0, 3 * N**2 + 912 * N, (N, C)),
        "a4": (0, 3 * N**2 + 912 * N, (N, C)),
        "s_norm_2": (0, 4 * N**2 + 944 * N + 41248, (N,)),
        "norm_2": (0, 4 * N**2 + 945 * N + 41248, (N,)),
        "q": (0, 3 * N**2 + 912 * N, (N, C)),
        "z": (0, 256 * N, (N, N)),
        "m_z": (0, 256 * N + N**2, (N,)),
        "s_loss_exp": (0, 896 * N + N**2, (N, N)),
        "s_loss": (0, 257 * N + N**2, (N,)),
        "m_z2": (0, 258 * N + N**2, (N,)),
        "s_loss_2": (0, 259 * N + N**2, (N,)),
        "loss": (0, 4 * N**2 + 961 * N + 41520, ()),
        "dz": (0, 896 * N + N**2, (N, N)),
        "dq_s1": (0, 4 * N**2 + 928 * N + 41248, (N, C)),
        "dnorm_2_s1_s1": (0, 272 * N, (N,)),
        "da4": (0, 4 * N**2 + 928 * N + 41248, (N, C)),
        "db2_2": (0, 640 * N, (C,)),
        "dh3": (0, 256 * N, (N, H)),
        "dz3": (0, 384 * N, (N, H)),
        "db1_2": (0, 4 * N**2 + 960 * N + 41248, (H,)),
        "dp_s1": (0, 4 * N**2 + 944 * N + 41248, (N, C)),
        "dnorm_s1_s1": (0, 272 * N, (N,)),
        "da2": (0, 4 * N**2 + 944 * N + 41248, (N, C)),
        "db2_1": (0, 256 * N, (C,)),
        "dh1": (0, 256 * N, (N, H)),
        "dW2_1": (0, 512 * N, (H, C)),
        "dW2_2": (0, 512 * N + 2048, (H, C)),
        "dz1": (0, 128 * N, (N, H)),
        "db1_1": (0, 4 * N**2 + 960 * N + 41376, (H,)),
        "dW1_1": (0, 512 * N, (D, H)),
        "dW1_2": (0, 512 * N + 8192, (D, H)),
        "cosine": (0, 0, (N, N)),
        "own": (1, 0, (N,)),
        "found": (0, 0, ()),
        "ones_C": (0, 4 * N**2 + 961 * N + 41504, (16,)),
        "ones_N": (0, 4 * N**2 + 960 * N + 41504, (N,)),
        "range_N": (1, N, (N,)),
        "t_NC": (0, 256 * N, (N, 16)),
        "is_N": (2, 0, (N,)),
        "t_NN": (0, 2 * N**2 + 896 * N, (N, N)),
        "t_N": (0, 260 * N + N**2, (N,)),
        "at_N": (1, 0, (N,)),
        "t_N2": (0, 261 * N + N**2, (N,)),
        "is_NN": (2, 0, (N, N)),
        "is_N1": (2, N, (N, 1)),
        "t_NH": (0, 512 * N, (N, 128)),
        "t_block": (0, 0, (10384,)),
        "t_block2": (0, 10384, (10384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(C),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _choose


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
