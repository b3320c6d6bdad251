"""moe: a network that trains in NumPy.

Derived from the network moe; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·G[i,j]
    (2)   h1[n,j] = tanh(z1[n,j] + g1[j])
    (3)   z2[n,e] = Σ_j h1[n,j]·G2[j,e]
    (4)   a2[n,e] = z2[n,e] + g2[e]
    (5)   m_a2[n] = max_e a2[n,e]
    (6)   e_gate[n,e] = exp(a2[n,e] - m_a2[n])
    (7)   s_gate[n] = Σ_e e_gate[n,e]
    (8)   gate[n,e] = e_gate[n,e]/s_gate[n]
    (9)   z[n,e,j] = Σ_i x[n,i]·W[e,i,j]
    (10)  h[n,e,j] = tanh(z[n,e,j] + b[e,j])
    (11)  o[n,e,k] = Σ_j h[n,e,j]·V[e,j,k]
    (12)  u_expert[n,e,k] = o[n,e,k] + c[e,k]
    (13)  m_u_expert[n,e] = max_k u_expert[n,e,k]
    (14)  e_expert[n,e,k] = exp(u_expert[n,e,k] - m_u_expert[n,e])
    (15)  s_expert[n,e] = Σ_k e_expert[n,e,k]
    (16)  expert[n,e,k] = e_expert[n,e,k]/s_expert[n,e]
    (17)  p[n,k] = Σ_e expert[n,e,k]·gate[n,e]
    (18)  l_loss[n,e] = a2[n,e] + u_expert[n,e,y[n]] - log(s_expert[n,e]) - m_u_expert[n,e] - log(s_gate[n]) - m_a2[n]
    (19)  m_l_loss[n] = max_e l_loss[n,e]
    (20)  e_loss[n,e] = exp(l_loss[n,e] - m_l_loss[n])
    (21)  s_loss[n] = Σ_e e_loss[n,e]
    (22)  loss = Σ_n (-(log(s_loss[n]) + m_l_loss[n])/N)
    (23)  dl_loss[n,e] = -e_loss[n,e]/(N·s_loss[n])
    (24)  du_expert[n,e,k] = dl_loss[n,e]·([k = y[n]] - expert[n,e,k])
    (25)  dc[e,k] = Σ_n du_expert[n,e,k]
    (26)  dh[n,e,j] = Σ_k du_expert[n,e,k]·V[e,j,k]
    (27)  dV[e,j,k] = Σ_n h[n,e,j]·du_expert[n,e,k]
    (28)  dz[n,e,j] = (1 - h[n,e,j]²)·dh[n,e,j]
    (29)  dW[e,i,j] = Σ_n dz[n,e,j]·x[n,i]
    (30)  db[e,j] = Σ_n dz[n,e,j]
    (31)  da2[n,e] = gate[n,e]/N + dl_loss[n,e]
    (32)  dg2[e] = Σ_n da2[n,e]
    (33)  dh1[n,j] = Σ_e da2[n,e]·G2[j,e]
    (34)  dG2[j,e] = Σ_n h1[n,j]·da2[n,e]
    (35)  dz1[n,j] = (1 - h1[n,j]²)·dh1[n,j]
    (36)  dG[i,j] = Σ_n x[n,i]·dz1[n,j]
    (37)  dg1[j] = Σ_n dz1[n,j]
    (38)  c_accuracy[n] = argmax_k p[n,k]
    (39)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: H = 12, E = 6; N, D, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·E·H·N + 6·E·H·K·N + 13·E·H·N + 15·E·K·N + 4·D·H·N + 33·E·N + 7·H·N + 6·N
             = 336·D·N + 522·K·N + 1,224·N
    bytes      136·E·H·N + 168·E·K·N + 24·E·H·K + 48·D·E·H + 16·D·H + 16·E·K + 256·E·N + 32·D·N
               + 40·E·H + 88·H·N + 8·K·N + 112·N + 16·E + 16·H + 8
             = 1,016·K·N + 32·D·N + 12,496·N + 1,824·K + 3,648·D + 3,176
    workspace  153·K·N + 1,152·D + 16·K + 2,576·N + 262,240 bytes
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
OPEN_SIZES = ("N", "D", "K")
POSITIONS = ("range_N", "range_E", "range_K")
ONES = ("ones_E", "ones_K", "ones_N")
NEEDED: dict[str, Any] = {}
H, E = 12, 6
NAME = "moe"
SIZES = {"H": H, "E": E}
PARAMETERS = {
    "G": ("D", "H"), "G2": ("H", "E"), "g1": ("H",), "g2": ("E",), "W": ("E", "D", "H"), "b": ("E", "H"),
    "V": ("E", "H", "K"), "c": ("E", "K"),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p", "gate")
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"G": "dG", "G2": "dG2", "g1": "dg1", "g2": "dg2", "W": "dW", "b": "db", "V": "dV", "c": "dc"}
EQUATIONS = {
    1: "z1", 2: "h1", 3: "z2", 4: "a2", 5: "m_a2", 6: "e_gate", 7: "s_gate", 8: "gate", 9: "z", 10: "h",
    11: "o", 12: "u_expert", 13: "m_u_expert", 14: "e_expert", 15: "s_expert", 16: "expert", 17: "p",
    18: "l_loss", 19: "m_l_loss", 20: "e_loss", 21: "s_loss", 22: "loss", 23: "dl_loss", 24: "du_expert",
    25: "dc", 26: "dh", 27: "dV", 28: "dz", 29: "dW", 30: "db", 31: "da2", 32: "dg2", 33: "dh1", 34: "dG2",
    35: "dz1", 36: "dG", 37: "dg1", 38: "c_accuracy", 39: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, D, K):
    """The outputs: equations (1) to (17)."""
    G, G2, g1, g2 = params["G"], params["G2"], params["g1"], params["g2"]
    W, b, V, c = params["W"], params["b"], params["V"], params["c"]
    z1, h1, z2, a2 = tensors["z1"], tensors["h1"], tensors["z2"], tensors["a2"]
    m_a2, e_gate, s_gate, gate = tensors["m_a2"], tensors["e_gate"], tensors["s_gate"], tensors["gate"]
    z, h, o, u_expert = tensors["z"], tensors["h"], tensors["o"], tensors["u_expert"]
    m_u_expert, e_expert, s_expert = tensors["m_u_expert"], tensors["e_expert"], tensors["s_expert"]
    expert, p = tensors["expert"], tensors["p"]
    t_DEH, t_EKN, ones_E, ones_K = tensors["t_DEH"], tensors["t_EKN"], tensors["ones_E"], tensors["ones_K"]
    m_a2_column = m_a2[:, None]
    s_gate_column = s_gate[:, None]
    W_turned = W.transpose(1, 0, 2)
    t_DEH_rows = t_DEH.reshape(D, E * H)
    z_rows = z.reshape(N, E * H)
    V_T = V.swapaxes(-1, -2)
    h_T = h.transpose(1, 0, 2).swapaxes(-1, -2)
    t_EKN_turned = t_EKN.transpose(2, 0, 1)
    m_u_expert_column = m_u_expert[..., None]
    e_expert_rows = e_expert.reshape(E * N, K)
    s_expert_flat = s_expert.reshape(E * N)
    s_expert_column = s_expert[..., None]
    expert_T = expert.swapaxes(-1, -2)
    gate_column = gate[..., None]
    p_column = p[..., None]

    def run(data):
        x = data["x"]
        np.dot(x, G, out=z1)  # (1)
        np.add(z1, g1, out=h1)  # (2)
        np.tanh(h1, out=h1)  # (2)
        np.dot(h1, G2, out=z2)  # (3)
        np.add(z2, g2, out=a2)  # (4)
        a2.max(1, out=m_a2)  # (5)
        np.subtract(a2, m_a2_column, out=e_gate)  # (6)
        np.exp(e_gate, out=e_gate)  # (6)
        np.dot(e_gate, ones_E, out=s_gate)  # (7)
        np.divide(e_gate, s_gate_column, out=gate)  # (8)
        np.copyto(t_DEH, W_turned)  # (9)
        np.matmul(x, t_DEH_rows, out=z_rows)  # (9)
        np.add(z, b, out=h)  # (10)
        np.tanh(h, out=h)  # (10)
        np.matmul(V_T, h_T, out=t_EKN)  # (11)
        np.copyto(o, t_EKN_turned)  # (11)
        np.add(o, c, out=u_expert)  # (12)
        u_expert.max(2, out=m_u_expert)  # (13)
        np.subtract(u_expert, m_u_expert_column, out=e_expert)  # (14)
        np.exp(e_expert, out=e_expert)  # (14)
        np.dot(e_expert_rows, ones_K, out=s_expert_flat)  # (15)
        np.divide(e_expert, s_expert_column, out=expert)  # (16)
        np.matmul(expert_T, gate_column, out=p_column)  # (17)

    return run


def _loss(params, tensors, N, D, K):
    """The loss: equations (18) to (22)."""
    a2, m_a2, s_gate, u_expert = tensors["a2"], tensors["m_a2"], tensors["s_gate"], tensors["u_expert"]
    m_u_expert, s_expert, l_loss = tensors["m_u_expert"], tensors["s_expert"], tensors["l_loss"]
    m_l_loss, e_loss, s_loss = tensors["m_l_loss"], tensors["e_loss"], tensors["s_loss"]
    loss = tensors["loss"]
    t_NE, at_NE, t_N, ones_E = tensors["t_NE"], tensors["at_NE"], tensors["t_N"], tensors["ones_E"]
    range_N, range_E = tensors["range_N"], tensors["range_E"]
    c1 = np.array(E, np.int64)  # (18)
    range_N_column = range_N[:, None]
    c2 = np.array(K, np.int64)  # (18)
    u_expert_flat = u_expert.reshape(-1)
    m_a2_column = m_a2[:, None]
    t_N_column = t_N[:, None]
    m_l_loss_column = m_l_loss[:, None]

    def run(data):
        y = data["y"]
        np.subtract(a2, m_u_expert, out=l_loss)  # (18)
        np.multiply(range_N_column, c1, out=at_NE)  # (18)
        np.add(at_NE, range_E, out=at_NE)  # (18)
        np.multiply(at_NE, c2, out=at_NE)  # (18)
        np.add(at_NE, y[:, None], out=at_NE)  # (18)
        np.take(u_expert_flat, at_NE, out=t_NE, mode="clip")  # (18)
        np.add(l_loss, t_NE, out=l_loss)  # (18)
        np.subtract(l_loss, m_a2_column, out=l_loss)  # (18)
        np.log(s_expert, out=t_NE)  # (18)
        np.subtract(l_loss, t_NE, out=l_loss)  # (18)
        np.log(s_gate, out=t_N)  # (18)
        np.subtract(l_loss, t_N_column, out=l_loss)  # (18)
        l_loss.max(1, out=m_l_loss)  # (19)
        np.subtract(l_loss, m_l_loss_column, out=e_loss)  # (20)
        np.exp(e_loss, out=e_loss)  # (20)
        np.dot(e_loss, ones_E, out=s_loss)  # (21)
        np.log(s_loss, out=t_N)  # (22)
        np.add(t_N, m_l_loss, out=t_N)  # (22)
        loss[...] = -t_N.sum() / N  # (22)

    return run


def _backward(params, tensors, gradients, N, D, K):
    """The gradients: equations (23) to (37)."""
    G2, V = params["G2"], params["V"]
    h1, gate, h, expert = tensors["h1"], tensors["gate"], tensors["h"], tensors["expert"]
    e_loss, s_loss, dl_loss = tensors["e_loss"], tensors["s_loss"], tensors["dl_loss"]
    du_expert, da2, dh, dz = tensors["du_expert"], tensors["da2"], tensors["dh"], tensors["dz"]
    dh1, dz1 = tensors["dh1"], tensors["dz1"]
    dG, dG2, dg1, dg2 = gradients["G"], gradients["G2"], gradients["g1"], gradients["g2"]
    dW, db, dV, dc = gradients["W"], gradients["b"], gradients["V"], gradients["c"]
    t_NE, t_N1, is_NK, t_EHN = tensors["t_NE"], tensors["t_N1"], tensors["is_NK"], tensors["t_EHN"]
    t_NEH, t_EHD, t_NH, range_K = tensors["t_NEH"], tensors["t_EHD"], tensors["t_NH"], tensors["range_K"]
    ones_N = tensors["ones_N"]
    c1 = np.array(N, DTYPE)  # (23)
    s_loss_column = s_loss[:, None]
    is_NK_row = is_NK[:, None, :]
    dl_loss_column = dl_loss[..., None]
    du_expert_rows = du_expert.reshape(N, E * K)
    dc_flat = dc.reshape(E * K)
    du_expert_T = du_expert.transpose(1, 0, 2).swapaxes(-1, -2)
    t_EHN_turned = t_EHN.transpose(2, 0, 1)
    one = np.array(1, DTYPE)
    dz_rows = dz.reshape(N, E * H)
    db_flat = db.reshape(E * H)
    h_T = h.transpose(1, 0, 2).swapaxes(-1, -2)
    du_expert_turned = du_expert.transpose(1, 0, 2)
    dz_T = dz.reshape(N, E * H).T
    t_EHD_rows = t_EHD.reshape(E * H, D)
    t_EHD_turned = t_EHD.transpose(0, 2, 1)
    G2_T = G2.T
    h1_T = h1.T

    def run(data):
        x, y = data["x"], data["y"]
        np.negative(e_loss, out=dl_loss)  # (23)
        np.multiply(c1, s_loss_column, out=t_N1)  # (23)
        np.divide(dl_loss, t_N1, out=dl_loss)  # (23)
        np.equal(range_K, y[:, None], out=is_NK)  # (24)
        np.subtract(is_NK_row, expert, out=du_expert)  # (24)
        np.multiply(du_expert, dl_loss_column, out=du_expert)  # (24)
        np.dot(ones_N, du_expert_rows, out=dc_flat)  # (25)
        np.divide(gate, c1, out=t_NE)  # (31)
        np.add(dl_loss, t_NE, out=da2)  # (31)
        np.dot(ones_N, da2, out=dg2)  # (32)
        np.matmul(V, du_expert_T, out=t_EHN)  # (26)
        np.copyto(dh, t_EHN_turned)  # (26)
        np.multiply(h, h, out=t_NEH)  # (28)
        np.subtract(one, t_NEH, out=t_NEH)  # (28)
        np.multiply(t_NEH, dh, out=dz)  # (28)
        np.dot(ones_N, dz_rows, out=db_flat)  # (30)
        np.matmul(h_T, du_expert_turned, out=dV)  # (27)
        np.dot(dz_T, x, out=t_EHD_rows)  # (29)
        np.copyto(dW, t_EHD_turned)  # (29)
        np.dot(da2, G2_T, out=dh1)  # (33)
        np.dot(h1_T, da2, out=dG2)  # (34)
        np.multiply(h1, h1, out=t_NH)  # (35)
        np.subtract(one, t_NH, out=t_NH)  # (35)
        np.multiply(t_NH, dh1, out=dz1)  # (35)
        np.dot(ones_N, dz1, out=dg1)  # (37)
        np.dot(x.T, dz1, out=dG)  # (36)

    return run


def _metrics(params, tensors, N, D, K):
    """The metrics: equations (38), (39)."""
    p, c_accuracy, accuracy = tensors["p"], tensors["c_accuracy"], tensors["accuracy"]
    is_N = tensors["is_N"]

    def run(data):
        y = data["y"]
        p.argmax(1, out=c_accuracy)  # (38)
        np.equal(c_accuracy, y, out=is_N)  # (39)
        accuracy[...] = DTYPE(is_N.sum()) / N  # (39)

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


def _places(N, D, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 144 * D + 19 * K * N + 288 * N + 32768, (N, H)),
        "h1": (0, 144 * D + 19 * K * N + 288 * N + 32768, (N, H)),
        "z2": (0, 144 * D + 19 * K * N + 300 * N + 32768, (N, E)),
        "a2": (0, 144 * D + 19 * K * N + 300 * N + 32768, (N, E)),
        "m_a2": (0, 144 * D + 19 * K * N + 312 * N + 32768, (N,)),
        "e_gate": (0, 144 * D + 19 * K * N + 306 * N + 32768, (N, E)),
        "s_gate": (0, 144 * D + 19 * K * N + 313 * N + 32768, (N,)),
        "gate": (0, 144 * D + 19 * K * N + 306 * N + 32768, (N, E)),
        "z": (0, 12 * K * N, (N, E, H)),
        "h": (0, 12 * K * N, (N, E, H)),
        "o": (0, 0, (N, E, K)),
        "u_expert": (0, 0, (N, E, K)),
        "m_u_expert": (0, 13 * K * N + 72 * N, (N, E)),
        "e_expert": (0, 6 * K * N, (N, E, K)),
        "s_expert": (0, 13 * K * N + 78 * N, (N, E)),
        "expert": (0, 6 * K * N, (N, E, K)),
        "p": (0, 12 * K * N + 72 * N, (N, K)),
        "l_loss": (0, 144 * D + 19 * K * N + 300 * N + 32768, (N, E)),
        "m_l_loss": (0, 0, (N,)),
        "e_loss": (0, 144 * D + 19 * K * N + 300 * N + 32768, (N, E)),
        "s_loss": (0, N, (N,)),
        "loss": (0, 144 * D + 19 * K * N + 312 * N + 32768, ()),
        "dl_loss": (0, 144 * D + 19 * K * N + 300 * N + 32768, (N, E)),
        "du_expert": (0, 6 * K * N, (N, E, K)),
        "da2": (0, 144 * D + 19 * K * N + 300 * N + 32768, (N, E)),
        "dh": (0, 12 * K * N + 72 * N, (N, E, H)),
        "dz": (0, 12 * K * N + 72 * N, (N, E, H)),
        "dh1": (0, 0, (N, H)),
        "dz1": (0, 0, (N, H)),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 0, ()),
        "ones_E": (0, 144 * D + 19 * K * N + 315 * N + K + 32768, (6,)),
        "ones_K": (0, 144 * D + 19 * K * N + 314 * N + 32768, (K,)),
        "range_N": (1, 6 * N, (N,)),
        "range_E": (1, 7 * N + K, (6,)),
        "range_K": (1, 7 * N, (K,)),
        "ones_N": (0, 144 * D + 19 * K * N + 314 * N + K + 32768, (N,)),
        "t_DEH": (0, 12 * K * N + 72 * N, (D, 6, 12)),
        "t_EKN": (0, 6 * K * N, (6, K, N)),
        "t_NE": (0, 13 * K * N + 84 * N, (N, 6)),
        "at_NE": (1, 0, (N, 6)),
        "t_N": (0, 13 * K * N + 90 * N, (N,)),
        "t_N1": (0, 0, (N, 1)),
        "is_NK": (2, 0, (N, K)),
        "t_EHN": (0, 12 * K * N + 144 * N, (6, 12, N)),
        "t_NEH": (0, 12 * K * N + 144 * N, (N, 6, 12)),
        "t_EHD": (0, 12 * K * N + 144 * N, (6, 12, D)),
        "t_NH": (0, 12 * N, (N, 12)),
        "is_N": (2, 0, (N,)),
        "t_block": (0, 0, (16384,)),
        "t_block2": (0, 16384, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "G": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "G2": math.sqrt(6 / (E + H)) * rng.uniform(-1, 1, (H, E)),
        # an offset needs no asymmetry to learn
        "g1": np.zeros(H),
        "g2": np.zeros(E),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + E * H)) * rng.uniform(-1, 1, (E, D, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((E, H)),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "V": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (E, H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros((E, K)),
    }


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
