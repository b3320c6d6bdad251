"""ssm: a network that trains in NumPy.

Derived from the network ssm; float64. It reads x(N, T, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   u_rate[j] = -exp(decay[j])
    (2)   rate[j] = exp(u_rate[j])
    (3)   real[j] = cos(turn[j])·rate[j]
    (4)   imag[j] = rate[j]·sin(turn[j])
    (5)   u[n,t,j] = Σ_i x[n,t,i]·B[i,j]
    (6)   re[n,t,j] = re[n,t - 1,j]·real[j] + u[n,t,j] - im[n,t - 1,j]·imag[j]
    (7)   im[n,t,j] = im[n,t - 1,j]·real[j] + re[n,t - 1,j]·imag[j]
    (8)   size[n,j] = im[n,T - 1,j]² + re[n,T - 1,j]²
    (9)   z1[n,k] = Σ_j size[n,j]·W[j,k]
    (10)  a1[n,k] = z1[n,k] + b[k]
    (11)  h1[n,k] = [a1[n,k] > 0]·a1[n,k]
    (12)  z2[n,l] = Σ_k h1[n,k]·V[k,l]
    (13)  a2[n,l] = z2[n,l] + c[l]
    (14)  m_a2[n] = max_l a2[n,l]
    (15)  e_p[n,l] = exp(a2[n,l] - m_a2[n])
    (16)  s_p[n] = Σ_l e_p[n,l]
    (17)  p[n,l] = e_p[n,l]/s_p[n]
    (18)  loss = Σ_n (log(s_p[n]) + m_a2[n] - a2[n,y[n]])/N
    (19)  da2[n,l] = (p[n,l] - [l = y[n]])/N
    (20)  dc[l] = Σ_n da2[n,l]
    (21)  dh1[n,k] = Σ_l da2[n,l]·V[k,l]
    (22)  dV[k,l] = Σ_n h1[n,k]·da2[n,l]
    (23)  da1[n,k] = [a1[n,k] > 0]·dh1[n,k]
    (24)  db[k] = Σ_n da1[n,k]
    (25)  dsize[n,j] = Σ_k da1[n,k]·W[j,k]
    (26)  dW[j,k] = Σ_n size[n,j]·da1[n,k]
    (27)  dim[n,t,j] = 2·[t = T - 1]·dsize[n,j]·im[n,T - 1,j] + [t < T - 1]·dim[n,t + 1,j]·real[j] - [t < T - 1]·dre[n,t + 1,j]·imag[j]
    (28)  dre[n,t,j] = 2·[t = T - 1]·dsize[n,j]·re[n,T - 1,j] + [t < T - 1]·dim[n,t + 1,j]·imag[j] + [t < T - 1]·dre[n,t + 1,j]·real[j]
    (29)  dB[i,j] = Σ_n,t x[n,t,i]·dre[n,t,j]
    (30)  dimag_1[j] = Σ_n,t (-dre[n,t,j]·im[n,t - 1,j])
    (31)  dimag_2[j] = Σ_n,t dim[n,t,j]·re[n,t - 1,j]
    (32)  dreal_1[j] = Σ_n,t dre[n,t,j]·re[n,t - 1,j]
    (33)  dreal_2[j] = Σ_n,t dim[n,t,j]·im[n,t - 1,j]
    (34)  dreal[j] = dreal_1[j] + dreal_2[j]
    (35)  dturn[j] = (dimag_1[j] + dimag_2[j])·real[j] - dreal[j]·imag[j]
    (36)  ddecay[j] = ((dimag_1[j] + dimag_2[j])·imag[j] + dreal[j]·real[j])·u_rate[j]
    (37)  c_accuracy[n] = argmax_l p[n,l]
    (38)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: S = 16, H = 32; N, T, D, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·N·S·T + 40·N·S·T + 6·H·K·N + 6·H·N·S + 14·K·N + 5·N·S + 6·H·N + 18·S + 7·N
             = 64·D·N·T + 206·K·N + 640·N·T + 3,351·N + 288
    bytes      184·N·S·T + 32·D·N·T + 112·H·N + 112·K·N + 112·N·S + 16·D·S + 24·H·K + 24·H·S + 16·H
               + 16·K + 304·S + 72·N + 8
             = 32·D·N·T + 112·K·N + 2,944·N·T + 256·D + 5,448·N + 784·K + 17,672
    workspace  262,536 + 8·D·N·T + 16·K·N + 904·N·T + 16·K + 280·N + max(32·N, K·N) bytes
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
OPEN_SIZES = ("N", "T", "D", "K")
POSITIONS = ("range_N", "range_K")
ONES = ("ones_K", "ones_N", "ones_NT")
NEEDED: dict[str, Any] = {}
S, H = 16, 32
NAME = "ssm"
SIZES = {"S": S, "H": H}
PARAMETERS = {
    "decay": ("S",), "turn": ("S",), "B": ("D", "S"), "W": ("S", "H"), "b": ("H",), "V": ("H", "K"),
    "c": ("K",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"decay": "ddecay", "turn": "dturn", "B": "dB", "W": "dW", "b": "db", "V": "dV", "c": "dc"}
EQUATIONS = {
    1: "u_rate", 2: "rate", 3: "real", 4: "imag", 5: "u", 6: "re", 7: "im", 8: "size", 9: "z1", 10: "a1",
    11: "h1", 12: "z2", 13: "a2", 14: "m_a2", 15: "e_p", 16: "s_p", 17: "p", 18: "loss", 19: "da2", 20: "dc",
    21: "dh1", 22: "dV", 23: "da1", 24: "db", 25: "dsize", 26: "dW", 27: "dim", 28: "dre", 29: "dB",
    30: "dimag_1", 31: "dimag_2", 32: "dreal_1", 33: "dreal_2", 34: "dreal", 35: "dturn", 36: "ddecay",
    37: "c_accuracy", 38: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, N, T, D, K):
    """The outputs: equations (1) to (17)."""
    decay, turn, B, W = params["decay"], params["turn"], params["B"], params["W"]
    b, V, c = params["b"], params["V"], params["c"]
    u_rate, rate, real, imag = tensors["u_rate"], tensors["rate"], tensors["real"], tensors["imag"]
    x_turned, u, re, im = tensors["x_turned"], tensors["u"], tensors["re"], tensors["im"]
    size, z1, a1, h1 = tensors["size"], tensors["z1"], tensors["a1"], tensors["h1"]
    z2, a2, m_a2, e_p = tensors["z2"], tensors["a2"], tensors["m_a2"], tensors["e_p"]
    s_p, p = tensors["s_p"], tensors["p"]
    t_S, t_NS, zeros_NS, ones_K = tensors["t_S"], tensors["t_NS"], tensors["zeros_NS"], tensors["ones_K"]
    x_turned_rows = x_turned.reshape(N * T, D)
    u_rows = u.reshape(N * T, S)
    steps = [
        (re[t - 1] if t >= 1 else zeros_NS, re[t], u[t], im[t - 1] if t >= 1 else zeros_NS, im[t])
        for t in range(T)
    ]
    im_last = im[T - 1]
    re_last = re[T - 1]
    zero = np.array(0, DTYPE)
    m_a2_column = m_a2[:, None]
    s_p_column = s_p[:, None]

    def run(data):
        x = data["x"]
        np.exp(decay, out=u_rate)  # (1)
        np.negative(u_rate, out=u_rate)  # (1)
        np.exp(u_rate, out=rate)  # (2)
        np.cos(turn, out=real)  # (3)
        np.multiply(real, rate, out=real)  # (3)
        np.sin(turn, out=t_S)  # (4)
        np.multiply(rate, t_S, out=imag)  # (4)
        np.copyto(x_turned, x.transpose(1, 0, 2))  # (5)
        np.dot(x_turned_rows, B, out=u_rows)  # (5)
        for re_before, re_t, u_t, im_before, im_t in steps:
            np.multiply(re_before, real, out=re_t)  # (6)
            np.add(re_t, u_t, out=re_t)  # (6)
            np.multiply(im_before, imag, out=t_NS)  # (6)
            np.subtract(re_t, t_NS, out=re_t)  # (6)
            np.multiply(im_before, real, out=im_t)  # (7)
            np.multiply(re_before, imag, out=t_NS)  # (7)
            np.add(t_NS, im_t, out=im_t)  # (7)
        np.multiply(im_last, im_last, out=size)  # (8)
        np.multiply(re_last, re_last, out=t_NS)  # (8)
        np.add(size, t_NS, out=size)  # (8)
        np.dot(size, W, out=z1)  # (9)
        np.add(z1, b, out=a1)  # (10)
        np.maximum(a1, zero, out=h1)  # (11)
        np.dot(h1, V, out=z2)  # (12)
        np.add(z2, c, out=a2)  # (13)
        a2.max(1, out=m_a2)  # (14)
        np.subtract(a2, m_a2_column, out=e_p)  # (15)
        np.exp(e_p, out=e_p)  # (15)
        np.dot(e_p, ones_K, out=s_p)  # (16)
        np.divide(e_p, s_p_column, out=p)  # (17)

    return run


def _loss(params, tensors, N, T, D, K):
    """The loss: equation (18)."""
    a2, m_a2, s_p, loss = tensors["a2"], tensors["m_a2"], tensors["s_p"], tensors["loss"]
    t_N, at_N, t_N2, range_N = tensors["t_N"], tensors["at_N"], tensors["t_N2"], tensors["range_N"]
    c1 = np.array(K, np.int64)  # (18)
    a2_flat = a2.reshape(-1)

    def run(data):
        y = data["y"]
        np.multiply(range_N, c1, out=at_N)  # (18)
        np.add(at_N, y, out=at_N)  # (18)
        np.take(a2_flat, at_N, out=t_N, mode="clip")  # (18)
        np.subtract(m_a2, t_N, out=t_N)  # (18)
        np.log(s_p, out=t_N2)  # (18)
        np.add(t_N, t_N2, out=t_N)  # (18)
        loss[...] = t_N.sum() / N  # (18)

    return run


def _backward(params, tensors, gradients, N, T, D, K):
    """The gradients: equations (19) to (36)."""
    W, V = params["W"], params["V"]
    u_rate, real, imag, x_turned = tensors["u_rate"], tensors["real"], tensors["imag"], tensors["x_turned"]
    re, im, size, h1 = tensors["re"], tensors["im"], tensors["size"], tensors["h1"]
    p, da2, dh1, da1 = tensors["p"], tensors["da2"], tensors["dh1"], tensors["da1"]
    dsize, dim_all, dre_all, dim = tensors["dsize"], tensors["dim_all"], tensors["dre_all"], tensors["dim"]
    dre, dimag_1, dimag_2 = tensors["dre"], tensors["dimag_1"], tensors["dimag_2"]
    dreal_1, dreal_2, dreal = tensors["dreal_1"], tensors["dreal_2"], tensors["dreal"]
    ddecay, dturn, dB, dW = gradients["decay"], gradients["turn"], gradients["B"], gradients["W"]
    db, dV, dc = gradients["b"], gradients["V"], gradients["c"]
    t_S, t_NS, is_NK, is_NH = tensors["t_S"], tensors["t_NS"], tensors["is_NK"], tensors["is_NH"]
    t_NS2, padded1, t_TNS = tensors["t_NS2"], tensors["padded1"], tensors["t_TNS"]
    range_K, ones_N, ones_NT = tensors["range_K"], tensors["ones_N"], tensors["ones_NT"]
    c1 = np.array(N, DTYPE)  # (19)
    V_T = V.T
    h1_T = h1.T
    zero = np.array(0, DTYPE)
    W_T = W.T
    size_T = size.T
    im_last = im[T - 1]
    re_last = re[T - 1]
    steps = [
        (t, dim[t], dre[t], dim[t + 1] if t + 2 <= T else None, dre[t + 1] if t + 2 <= T else None)
        for t in reversed(range(T))
    ]
    x_turned_T = x_turned.reshape(N * T, D).T
    dre_rows = dre.reshape(N * T, S)
    padded1_part = padded1[1 : T + 1, :, :]
    padded1_part2 = padded1[:T]
    t_TNS_rows = t_TNS.reshape(N * T, S)

    def run(data):
        y = data["y"]
        np.equal(range_K, y[:, None], out=is_NK)  # (19)
        np.subtract(p, is_NK, out=da2)  # (19)
        np.divide(da2, c1, out=da2)  # (19)
        np.dot(ones_N, da2, out=dc)  # (20)
        np.dot(da2, V_T, out=dh1)  # (21)
        np.dot(h1_T, da2, out=dV)  # (22)
        np.greater(h1, zero, out=is_NH)  # (23)
        _masked(dh1, is_NH, out=da1)  # (23)
        np.dot(ones_N, da1, out=db)  # (24)
        np.dot(da1, W_T, out=dsize)  # (25)
        np.dot(size_T, da1, out=dW)  # (26)
        np.multiply(dsize, im_last, out=dim_all)  # (27)
        np.multiply(dsize, re_last, out=dre_all)  # (28)
        for t, dim_t, dre_t, dim_after, dre_after in steps:
            if t + 2 <= T:  # (27)
                np.multiply(dim_after, real, out=dim_t)  # (27)
            else:  # (27)
                dim_t.fill(0)  # (27)
            if t + 1 == T:  # (27)
                np.multiply(2, dim_all, out=t_NS)  # (27)
            else:  # (27)
                t_NS.fill(0)  # (27)
            np.add(t_NS, dim_t, out=dim_t)  # (27)
            if t + 2 <= T:  # (27)
                np.multiply(dre_after, imag, out=t_NS)  # (27)
            else:  # (27)
                t_NS.fill(0)  # (27)
            np.subtract(dim_t, t_NS, out=dim_t)  # (27)
            if t + 2 <= T:  # (28)
                np.multiply(dre_after, real, out=dre_t)  # (28)
            else:  # (28)
                dre_t.fill(0)  # (28)
            if t + 1 == T:  # (28)
                np.multiply(2, dre_all, out=t_NS)  # (28)
            else:  # (28)
                t_NS.fill(0)  # (28)
            if t + 2 <= T:  # (28)
                np.multiply(dim_after, imag, out=t_NS2)  # (28)
            else:  # (28)
                t_NS2.fill(0)  # (28)
            np.add(t_NS, t_NS2, out=t_NS)  # (28)
            np.add(t_NS, dre_t, out=dre_t)  # (28)
        np.dot(x_turned_T, dre_rows, out=dB)  # (29)
        padded1[:1] = 0  # (30)
        np.copyto(padded1_part, im)  # (30)
        np.multiply(dre, padded1_part2, out=t_TNS)  # (30)
        np.dot(ones_NT, t_TNS_rows, out=dimag_1)  # (30)
        np.negative(dimag_1, out=dimag_1)  # (30)
        padded1[:1] = 0  # (31)
        np.copyto(padded1_part, re)  # (31)
        np.multiply(dim, padded1_part2, out=t_TNS)  # (31)
        np.dot(ones_NT, t_TNS_rows, out=dimag_2)  # (31)
        padded1[:1] = 0  # (32)
        np.copyto(padded1_part, re)  # (32)
        np.multiply(dre, padded1_part2, out=t_TNS)  # (32)
        np.dot(ones_NT, t_TNS_rows, out=dreal_1)  # (32)
        padded1[:1] = 0  # (33)
        np.copyto(padded1_part, im)  # (33)
        np.multiply(dim, padded1_part2, out=t_TNS)  # (33)
        np.dot(ones_NT, t_TNS_rows, out=dreal_2)  # (33)
        np.add(dreal_1, dreal_2, out=dreal)  # (34)
        np.add(dimag_1, dimag_2, out=dturn)  # (35)
        np.multiply(dturn, real, out=dturn)  # (35)
        np.multiply(dreal, imag, out=t_S)  # (35)
        np.subtract(dturn, t_S, out=dturn)  # (35)
        np.add(dimag_1, dimag_2, out=ddecay)  # (36)
        np.multiply(ddecay, imag, out=ddecay)  # (36)
        np.multiply(dreal, real, out=t_S)  # (36)
        np.add(ddecay, t_S, out=ddecay)  # (36)
        np.multiply(ddecay, u_rate, out=ddecay)  # (36)

    return run


def _metrics(params, tensors, N, T, D, K):
    """The metrics: equations (37), (38)."""
    p, c_accuracy, accuracy = tensors["p"], tensors["c_accuracy"], tensors["accuracy"]
    is_N = tensors["is_N"]

    def run(data):
        y = data["y"]
        p.argmax(1, out=c_accuracy)  # (37)
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


def _places(N, T, D, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "u_rate": (0, 113 * N * T + 2 * K * N + 33 * N + D * N * T + K + 32768, (S,)),
        "rate": (0, 113 * N * T + 2 * K * N + 33 * N + D * N * T + K + 32784, (S,)),
        "real": (0, 113 * N * T + 2 * K * N + 33 * N + D * N * T + K + 32800, (S,)),
        "imag": (0, 113 * N * T + 2 * K * N + 33 * N + D * N * T + K + 32784, (S,)),
        "x_turned": (0, 0, (T, N, D)),
        "u": (0, D * N * T, (T, N, S)),
        "re": (0, 16 * N + 32 * N * T + D * N * T, (T, N, S)),
        "im": (0, 16 * N + 48 * N * T + D * N * T, (T, N, S)),
        "size": (0, 32 * N + D * N * T, (N, S)),
        "z1": (0, D * N * T, (N, H)),
        "a1": (0, D * N * T, (N, H)),
        "h1": (0, D * N * T, (N, H)),
        "z2": (0, 16 * N + 64 * N * T + D * N * T, (N, K)),
        "a2": (0, 16 * N + 64 * N * T + D * N * T, (N, K)),
        "m_a2": (0, 16 * N + 2 * K * N + 64 * N * T + D * N * T, (N,)),
        "e_p": (0, 16 * N + 64 * N * T + D * N * T + K * N, (N, K)),
        "s_p": (0, 17 * N + 2 * K * N + 64 * N * T + D * N * T, (N,)),
        "p": (0, 16 * N + 64 * N * T + D * N * T + K * N, (N, K)),
        "loss": (0, 113 * N * T + 2 * K * N + 33 * N + D * N * T + K + 32816, ()),
        "da2": (0, 16 * N + 64 * N * T + D * N * T + K * N, (N, K)),
        "dh1": (0, 16 * N + 2 * K * N + 64 * N * T + D * N * T, (N, H)),
        "da1": (0, 16 * N + 2 * K * N + 64 * N * T + D * N * T, (N, H)),
        "dsize": (0, D * N * T, (N, S)),
        "dim_all": (0, 16 * N + D * N * T, (N, S)),
        "dre_all": (0, D * N * T, (N, S)),
        "dim": (0, 16 * N + 64 * N * T + D * N * T, (T, N, S)),
        "dre": (0, 16 * N + 80 * N * T + D * N * T, (T, N, S)),
        "dimag_1": (0, 16 * N + 96 * N * T + D * N * T, (S,)),
        "dimag_2": (0, 16 * N + 96 * N * T + D * N * T + 16, (S,)),
        "dreal_1": (0, 16 * N + 96 * N * T + D * N * T + 32, (S,)),
        "dreal_2": (0, 16 * N + 32 * N * T, (S,)),
        "dreal": (0, 16 * N + 96 * N * T + D * N * T + 32, (S,)),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 0, ()),
        "zeros_NS": (0, 113 * N * T + 16 * N + 2 * K * N + D * N * T + 32768, (N, 16)),
        "ones_K": (0, 113 * N * T + 2 * K * N + 32 * N + D * N * T + 32768, (K,)),
        "range_N": (1, N, (N,)),
        "range_K": (1, 2 * N, (K,)),
        "ones_N": (0, 113 * N * T + 2 * K * N + 32 * N + D * N * T + K + 32768, (N,)),
        "ones_NT": (0, 112 * N * T + 16 * N + 2 * K * N + D * N * T + 32768, (N * T,)),
        "t_S": (0, 0, (16,)),
        "t_NS": (0, 16 * N + 96 * N * T + D * N * T, (N, 16)),
        "t_N": (0, 18 * N + 2 * K * N + 64 * N * T + D * N * T, (N,)),
        "at_N": (1, 0, (N,)),
        "t_N2": (0, 19 * N + 2 * K * N + 64 * N * T + D * N * T, (N,)),
        "is_NK": (2, 0, (N, K)),
        "is_NH": (2, 0, (N, 32)),
        "t_NS2": (0, 32 * N + D * N * T, (N, 16)),
        "padded1": (0, 0, (T + 1, N, 16)),
        "t_TNS": (0, 16 * N + 16 * N * T, (T, N, 16)),
        "is_N": (2, 0, (N,)),
        "t_block": (0, 0, (16384,)),
        "t_block2": (0, 16384, (16384,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # the author's choice
        "decay": np.full(S, -2),
        "turn": rng.standard_normal(S),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "B": math.sqrt(6 / (D + S)) * rng.uniform(-1, 1, (D, S)),
        # a rectifier passes half of the variance: weights carry twice as much (He et al. 2015, equation 10)
        "W": math.sqrt(2 / S) * rng.standard_normal((S, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "V": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(K),
    }


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _masked


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
