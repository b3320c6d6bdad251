"""moe: a network that trains in Numba.

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

    flops      4·D·E·H·N + 6·E·H·K·N + 13·E·H·N + 13·E·K·N + 4·D·H·N + 33·E·N + 7·H·N + 6·N
             = 336·D·N + 510·K·N + 1,224·N
    bytes      120·E·H·N + 24·E·H·K + 48·D·E·H + 48·E·K·N + 16·D·H + 16·E·K + 32·D·N + 40·E·H + 88·H·N
               + 96·E·N + 16·E + 16·H + 64·N + 8
             = 288·K·N + 32·D·N + 10,336·N + 1,824·K + 3,648·D + 3,176
    workspace  240·K·rows + 3,024·rows + 576·D + 64·K + 8·N + 8 bytes for each chunk of rows examples
"""

from __future__ import annotations

import argparse
import ctypes
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
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("rows", "N", "D", "K")
POSITIONS = ()
ONES = ()
H, E = 12, 6
NAME = "moe"
SIZES = {"H": H, "E": E}
PARAMETERS = {
    "G": ("D", "H"), "G2": ("H", "E"), "g1": ("H",), "g2": ("E",), "W": ("E", "D", "H"), "b": ("E", "H"),
    "V": ("E", "H", "K"), "c": ("E", "K"),
}
INPUTS = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS, LOSS = ("p", "gate"), "loss"
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
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray


_KERNELS: list[str] = []
_EXACT: list[str] = []
_PARALLEL: list[str] = []
_INTRINSICS: list[Callable[[], dict[str, Any]]] = []
prange = range  # until kernels are compiled


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a function for compilation on first use: importing Numba alone takes most of a second."""
    _KERNELS.append(function.__name__)
    return function


def exact_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that counts on its roundings: no sum is taken in another order."""
    _EXACT.append(function.__name__)
    return kernel(function)


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function whose loops over `prange` run on several threads."""
    _PARALLEL.append(function.__name__)
    return kernel(function)


def intrinsics(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Marks what makes functions that the compiler has or is told how to write, by name."""
    _INTRINSICS.append(make)
    return make


def _disjoint() -> None:
    """Says, in a kernel, that none of its arrays overlaps another one: its loops may run on vectors."""


def _larger(a: float, b: float) -> float:
    """The larger of two numbers, NaN if one is."""
    return b if b > a or b != b else a


@intrinsics
def _of_the_compiler() -> dict[str, Any]:
    """`_disjoint` and `_larger` as the compiler's own."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    def disjoint(_context: Any) -> Any:
        def write(target: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            for argument in builder.function.args:
                if isinstance(argument.type, ir.PointerType) and argument.name.endswith(".4"):  # the data
                    argument.add_attribute("noalias")
            return target.get_dummy_value()

        return types.void(), write

    def larger(_context: Any, a: Any, _b: Any) -> Any:
        def write(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            real = arguments[0].type
            two = ir.FunctionType(real, [real, real])
            return builder.call(builder.module.declare_intrinsic("llvm.maximum", [real], two), arguments)

        return a(a, a), write

    return {"_disjoint": intrinsic(disjoint), "_larger": intrinsic(larger)}


def _compile() -> None:
    """Replaces the kernels by their compiled form, once; the machine code is kept beside this file."""
    if _KERNELS:
        import numba

        globals()["prange"] = numba.prange
        for make in _INTRINSICS:
            globals().update(make())
        # Of the fast-math rewrites, those that assume that no NaN or infinity occurs stay out.
        rewrites = {"contract", "reassoc", "nsz", "arcp", "afn"}
        for name in _KERNELS:
            options: dict[str, Any] = {"parallel": name in _PARALLEL, "forceinline": name in _EXACT}
            options["fastmath"] = {"contract"} if name in _EXACT else rewrites
            globals()[name] = numba.njit(cache=True, error_model="numpy", **options)(globals()[name])
        _KERNELS.clear()


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N, D, K):
    """The outputs: equations (1) to (17)."""
    G = theta[0 : 12 * D].reshape(D, H)
    G2 = theta[12 * D : 12 * D + 72].reshape(H, E)
    g1 = theta[12 * D + 72 : 12 * D + 84]
    g2 = theta[12 * D + 84 : 12 * D + 90]
    W = theta[12 * D + 90 : 84 * D + 90].reshape(E, D, H)
    b = theta[84 * D + 90 : 84 * D + 162].reshape(E, H)
    V = theta[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    c = theta[72 * K + 84 * D + 162 : 78 * K + 84 * D + 162].reshape(E, K)
    z1 = work[at[0] : at[0] + 12 * rows].reshape(rows, H)
    h1 = work[at[1] : at[1] + 12 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 6 * rows].reshape(rows, E)
    a2 = work[at[3] : at[3] + 6 * rows].reshape(rows, E)
    m_a2 = work[at[4] : at[4] + rows]
    e_gate = work[at[5] : at[5] + 6 * rows].reshape(rows, E)
    s_gate = work[at[6] : at[6] + rows]
    gate = work[at[7] : at[7] + 6 * rows].reshape(rows, E)
    z_right = work[at[8] : at[8] + 72 * D].reshape(D, E, H)
    z = work[at[9] : at[9] + 72 * rows].reshape(rows, E, H)
    h = work[at[10] : at[10] + 72 * rows].reshape(rows, E, H)
    o_right = work[at[11] : at[11] + 72 * rows].reshape(E, rows, H)
    o_product = work[at[12] : at[12] + 6 * K * rows].reshape(E, K, rows)
    o = work[at[13] : at[13] + 6 * K * rows].reshape(rows, E, K)
    u_expert = work[at[14] : at[14] + 6 * K * rows].reshape(rows, E, K)
    m_u_expert = work[at[15] : at[15] + 6 * rows].reshape(rows, E)
    e_expert = work[at[16] : at[16] + 6 * K * rows].reshape(rows, E, K)
    s_expert = work[at[17] : at[17] + 6 * rows].reshape(rows, E)
    expert = work[at[18] : at[18] + 6 * K * rows].reshape(rows, E, K)
    p = work[at[19] : at[19] + K * rows].reshape(rows, K)
    _product(x, G, z1)  # (1)
    _compute_h1(h1, z1, g1, rows)  # (2)
    _product(h1, G2, z2)  # (3)
    _compute_gate(a2, z2, g2, m_a2, e_gate, s_gate, gate, rows)  # (4), (5), (6), (7), (8)
    _compute_z_right(z_right, W, D)  # (9)
    _product(x, z_right.reshape(D, E * H), z.reshape(rows, E * H))  # (9)
    _compute_o_right(h, z, b, o_right, rows)  # (10), (11)
    for e in range(E):
        _product(V[e].T, o_right[e].T, o_product[e])  # (11)
    _compute_expert(
        o, o_product, u_expert, c, m_u_expert, e_expert, s_expert, expert, rows, K
    )  # (11), (12), (13), (14), (15), (16)
    for n in range(rows):
        np.dot(expert[n].T, gate[n], p[n])  # (17)


@kernel
def _loss(theta, work, counts, at, y, rows, N, D, K):
    """The loss: equations (18) to (22)."""
    a2 = work[at[3] : at[3] + 6 * rows].reshape(rows, E)
    m_a2 = work[at[4] : at[4] + rows]
    s_gate = work[at[6] : at[6] + rows]
    u_expert = work[at[14] : at[14] + 6 * K * rows].reshape(rows, E, K)
    m_u_expert = work[at[15] : at[15] + 6 * rows].reshape(rows, E)
    s_expert = work[at[17] : at[17] + 6 * rows].reshape(rows, E)
    l_loss = work[at[20] : at[20] + 6 * rows].reshape(rows, E)
    m_l_loss = work[at[21] : at[21] + rows]
    e_loss = work[at[22] : at[22] + 6 * rows].reshape(rows, E)
    s_loss = work[at[23] : at[23] + rows]
    loss = work[at[24] : at[24] + 1]
    _compute_loss(
        l_loss, a2, m_u_expert, u_expert, y, m_a2, s_expert, s_gate, m_l_loss, e_loss, s_loss, loss, rows, N
    )  # (18), (19), (20), (21), (22)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The gradients: equations (23) to (37)."""
    G2 = theta[12 * D : 12 * D + 72].reshape(H, E)
    V = theta[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    h1 = work[at[1] : at[1] + 12 * rows].reshape(rows, H)
    gate = work[at[7] : at[7] + 6 * rows].reshape(rows, E)
    h = work[at[10] : at[10] + 72 * rows].reshape(rows, E, H)
    expert = work[at[18] : at[18] + 6 * K * rows].reshape(rows, E, K)
    e_loss = work[at[22] : at[22] + 6 * rows].reshape(rows, E)
    s_loss = work[at[23] : at[23] + rows]
    dl_loss = work[at[25] : at[25] + 6 * rows].reshape(rows, E)
    du_expert = work[at[26] : at[26] + 6 * K * rows].reshape(rows, E, K)
    dc = gradient[72 * K + 84 * D + 162 : 78 * K + 84 * D + 162].reshape(E, K)
    dh_right = work[at[27] : at[27] + 6 * K * rows].reshape(E, rows, K)
    dV_right = work[at[28] : at[28] + 6 * K * rows].reshape(E, rows, K)
    da2 = work[at[29] : at[29] + 6 * rows].reshape(rows, E)
    dg2 = gradient[12 * D + 84 : 12 * D + 90]
    dh_product = work[at[30] : at[30] + 72 * rows].reshape(E, H, rows)
    dh = work[at[31] : at[31] + 72 * rows].reshape(rows, E, H)
    dz = work[at[32] : at[32] + 72 * rows].reshape(rows, E, H)
    db = gradient[84 * D + 90 : 84 * D + 162].reshape(E, H)
    dV_left = work[at[33] : at[33] + 72 * rows].reshape(E, rows, H)
    dV = gradient[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    dW_product = work[at[34] : at[34] + 72 * D].reshape(E, H, D)
    dW = gradient[12 * D + 90 : 84 * D + 90].reshape(E, D, H)
    dh1 = work[at[35] : at[35] + 12 * rows].reshape(rows, H)
    dG2 = gradient[12 * D : 12 * D + 72].reshape(H, E)
    dz1 = work[at[36] : at[36] + 12 * rows].reshape(rows, H)
    dg1 = gradient[12 * D + 72 : 12 * D + 84]
    dG = gradient[0 : 12 * D].reshape(D, H)
    _compute_dg2(
        dc, dg2, dl_loss, e_loss, s_loss, du_expert, y, expert, dh_right, dV_right, da2, gate, rows, N, K
    )  # (23), (24), (25), (26), (27), (31), (32)
    for e in range(E):
        _product(V[e], dh_right[e].T, dh_product[e])  # (26)
    _compute_db(db, dh, dh_product, dz, h, rows)  # (26), (28), (30)
    _compute_dV_left(dV_left, h, rows)  # (27)
    for e in range(E):
        _product(dV_left[e].T, dV_right[e], dV[e])  # (27)
    _product(dz.reshape(rows, E * H).T, x, dW_product.reshape(E * H, D))  # (29)
    _compute_dW(dW, dW_product, D)  # (29)
    _product(da2, G2.T, dh1)  # (33)
    _product(h1.T, da2, dG2)  # (34)
    _compute_dg1(dg1, dz1, h1, dh1, rows)  # (35), (37)
    _product(x.T, dz1, dG)  # (36)


@kernel
def _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The loss and its gradients: equations (1) to (16), (18) to (37)."""
    G = theta[0 : 12 * D].reshape(D, H)
    G2 = theta[12 * D : 12 * D + 72].reshape(H, E)
    g1 = theta[12 * D + 72 : 12 * D + 84]
    g2 = theta[12 * D + 84 : 12 * D + 90]
    W = theta[12 * D + 90 : 84 * D + 90].reshape(E, D, H)
    b = theta[84 * D + 90 : 84 * D + 162].reshape(E, H)
    V = theta[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    c = theta[72 * K + 84 * D + 162 : 78 * K + 84 * D + 162].reshape(E, K)
    z1 = work[at[0] : at[0] + 12 * rows].reshape(rows, H)
    h1 = work[at[1] : at[1] + 12 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 6 * rows].reshape(rows, E)
    a2 = work[at[3] : at[3] + 6 * rows].reshape(rows, E)
    m_a2 = work[at[4] : at[4] + rows]
    s_gate = work[at[6] : at[6] + rows]
    gate = work[at[7] : at[7] + 6 * rows].reshape(rows, E)
    z_right = work[at[8] : at[8] + 72 * D].reshape(D, E, H)
    z = work[at[9] : at[9] + 72 * rows].reshape(rows, E, H)
    h = work[at[10] : at[10] + 72 * rows].reshape(rows, E, H)
    o_right = work[at[11] : at[11] + 72 * rows].reshape(E, rows, H)
    o_product = work[at[12] : at[12] + 6 * K * rows].reshape(E, K, rows)
    loss = work[at[24] : at[24] + 1]
    dc = gradient[72 * K + 84 * D + 162 : 78 * K + 84 * D + 162].reshape(E, K)
    dh_right = work[at[27] : at[27] + 6 * K * rows].reshape(E, rows, K)
    dV_right = work[at[28] : at[28] + 6 * K * rows].reshape(E, rows, K)
    da2 = work[at[29] : at[29] + 6 * rows].reshape(rows, E)
    dg2 = gradient[12 * D + 84 : 12 * D + 90]
    dh_product = work[at[30] : at[30] + 72 * rows].reshape(E, H, rows)
    dz = work[at[32] : at[32] + 72 * rows].reshape(rows, E, H)
    db = gradient[84 * D + 90 : 84 * D + 162].reshape(E, H)
    dV_left = work[at[33] : at[33] + 72 * rows].reshape(E, rows, H)
    dV = gradient[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    dW_product = work[at[34] : at[34] + 72 * D].reshape(E, H, D)
    dW = gradient[12 * D + 90 : 84 * D + 90].reshape(E, D, H)
    dh1 = work[at[35] : at[35] + 12 * rows].reshape(rows, H)
    dG2 = gradient[12 * D : 12 * D + 72].reshape(H, E)
    dz1 = work[at[36] : at[36] + 12 * rows].reshape(rows, H)
    dg1 = gradient[12 * D + 72 : 12 * D + 84]
    dG = gradient[0 : 12 * D].reshape(D, H)
    e_gate_row = work[at[37] : at[37] + 6]
    u_expert_row = work[at[38] : at[38] + K]
    e_expert_row = work[at[39] : at[39] + K]
    expert_row = work[at[40] : at[40] + 6 * K].reshape(E, K)
    l_loss_row = work[at[41] : at[41] + 6]
    e_loss_row = work[at[42] : at[42] + 6]
    _product(x, G, z1)  # (1)
    _compute_h1(h1, z1, g1, rows)  # (2)
    _product(h1, G2, z2)  # (3)
    _compute_gate_2(a2, z2, g2, m_a2, e_gate_row, s_gate, gate, rows)  # (4), (5), (6), (7), (8)
    _compute_z_right(z_right, W, D)  # (9)
    _product(x, z_right.reshape(D, E * H), z.reshape(rows, E * H))  # (9)
    _compute_dV_left_2(h, z, b, o_right, dV_left, rows)  # (10), (11), (27)
    for e in range(E):
        _product(V[e].T, o_right[e].T, o_product[e])  # (11)
    _compute_dg2_2(
        dc, dg2, o_product, u_expert_row, c, e_expert_row, expert_row, l_loss_row, a2, y, m_a2, s_gate,
        e_loss_row, dh_right, dV_right, da2, gate, loss, rows, K, N
    )  # (11), (12), (13), (14), (15), (16), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (31), (32)
    for e in range(E):
        _product(V[e], dh_right[e].T, dh_product[e])  # (26)
    _compute_db_2(db, dh_product, dz, h, rows)  # (26), (28), (30)
    for e in range(E):
        _product(dV_left[e].T, dV_right[e], dV[e])  # (27)
    _product(dz.reshape(rows, E * H).T, x, dW_product.reshape(E * H, D))  # (29)
    _compute_dW(dW, dW_product, D)  # (29)
    _product(da2, G2.T, dh1)  # (33)
    _product(h1.T, da2, dG2)  # (34)
    _compute_dg1(dg1, dz1, h1, dh1, rows)  # (35), (37)
    _product(x.T, dz1, dG)  # (36)


@kernel
def _metrics(theta, work, counts, at, y, rows, N, D, K):
    """The metrics: equations (38) to (39)."""
    p = work[at[19] : at[19] + K * rows].reshape(rows, K)
    c_accuracy = counts[at[43] : at[43] + N]
    accuracy = work[at[44] : at[44] + 1]
    _compute_accuracy(p, c_accuracy, y, accuracy, N, K)  # (38), (39)


@kernel
def _compute_h1(h1, z1, g1, rows):
    """Equation (2)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            h1[n, j] = _tanh(z1[n, j] + g1[j])  # (2)


@kernel
def _compute_gate(a2, z2, g2, m_a2, e_gate, s_gate, gate, rows):
    """Equations (4) to (8)."""
    _disjoint()
    for n in range(rows):
        m_a2_max = -np.inf
        for e in range(E):
            a2[n, e] = z2[n, e] + g2[e]  # (4)
            m_a2_max = _larger(m_a2_max, a2[n, e])  # (5)
        m_a2[n] = m_a2_max
        s_gate_sum = 0.0
        for e in range(E):
            e_gate[n, e] = _exp(a2[n, e] - m_a2[n])  # (6)
            s_gate_sum += e_gate[n, e]  # (7)
        s_gate[n] = s_gate_sum
        for e in range(E):
            gate[n, e] = e_gate[n, e] / s_gate[n]  # (8)


@kernel
def _compute_z_right(z_right, W, D):
    """Equation (9)."""
    _disjoint()
    for i in range(D):
        for e in range(E):
            for j in range(H):
                z_right[i, e, j] = W[e, i, j]  # (9)


@kernel
def _compute_o_right(h, z, b, o_right, rows):
    """Equations (10), (11)."""
    _disjoint()
    for n in range(rows):
        for e in range(E):
            for j in range(H):
                h[n, e, j] = _tanh(z[n, e, j] + b[e, j])  # (10)
                o_right[e, n, j] = h[n, e, j]  # (11)


@kernel
def _compute_expert(o, o_product, u_expert, c, m_u_expert, e_expert, s_expert, expert, rows, K):
    """Equations (11) to (16)."""
    _disjoint()
    for n in range(rows):
        for e in range(E):
            m_u_expert_max = -np.inf
            for k in range(K):
                o[n, e, k] = o_product[e, k, n]  # (11)
                u_expert[n, e, k] = o[n, e, k] + c[e, k]  # (12)
                m_u_expert_max = _larger(m_u_expert_max, u_expert[n, e, k])  # (13)
            m_u_expert[n, e] = m_u_expert_max
            s_expert_sum = 0.0
            for k in range(K):
                e_expert[n, e, k] = _exp(u_expert[n, e, k] - m_u_expert[n, e])  # (14)
                s_expert_sum += e_expert[n, e, k]  # (15)
            s_expert[n, e] = s_expert_sum
            for k in range(K):
                expert[n, e, k] = e_expert[n, e, k] / s_expert[n, e]  # (16)


@kernel
def _compute_loss(
    l_loss, a2, m_u_expert, u_expert, y, m_a2, s_expert, s_gate, m_l_loss, e_loss, s_loss, loss, rows, N,
):
    """Equations (18) to (22)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        m_l_loss_max = -np.inf
        for e in range(E):
            l_loss[n, e] = (
                a2[n, e] - m_u_expert[n, e] + u_expert[n, e, y[n]] - m_a2[n] - _log(s_expert[n, e])
                - _log(s_gate[n])
            )  # (18)
            m_l_loss_max = _larger(m_l_loss_max, l_loss[n, e])  # (19)
        m_l_loss[n] = m_l_loss_max
        s_loss_sum = 0.0
        for e in range(E):
            e_loss[n, e] = _exp(l_loss[n, e] - m_l_loss[n])  # (20)
            s_loss_sum += e_loss[n, e]  # (21)
        s_loss[n] = s_loss_sum
        loss_sum += -(_log(s_loss[n]) + m_l_loss[n]) / N  # (22)
    loss[0] = loss_sum


@kernel
def _compute_dg2(
    dc, dg2, dl_loss, e_loss, s_loss, du_expert, y, expert, dh_right, dV_right, da2, gate, rows, N, K,
):
    """Equations (23) to (27), (31), (32)."""
    _disjoint()
    dc[:, :] = 0.0
    dg2[:] = 0.0
    for n in range(rows):
        for e in range(E):
            dl_loss[n, e] = -e_loss[n, e] / (N * s_loss[n])  # (23)
            for k in range(K):
                du_expert[n, e, k] = ((1.0 if k == y[n] else 0.0) - expert[n, e, k]) * dl_loss[n, e]  # (24)
                dc[e, k] += du_expert[n, e, k]  # (25)
                dh_right[e, n, k] = du_expert[n, e, k]  # (26)
                dV_right[e, n, k] = du_expert[n, e, k]  # (27)
            da2[n, e] = dl_loss[n, e] + gate[n, e] / N  # (31)
            dg2[e] += da2[n, e]  # (32)


@kernel
def _compute_db(db, dh, dh_product, dz, h, rows):
    """Equations (26), (28), (30)."""
    _disjoint()
    db[:, :] = 0.0
    for n in range(rows):
        for e in range(E):
            for j in range(H):
                dh[n, e, j] = dh_product[e, j, n]  # (26)
                dz[n, e, j] = (1 - h[n, e, j] * h[n, e, j]) * dh[n, e, j]  # (28)
                db[e, j] += dz[n, e, j]  # (30)


@kernel
def _compute_dV_left(dV_left, h, rows):
    """Equation (27)."""
    _disjoint()
    for e in range(E):
        for n in range(rows):
            for j in range(H):
                dV_left[e, n, j] = h[n, e, j]  # (27)


@kernel
def _compute_dW(dW, dW_product, D):
    """Equation (29)."""
    _disjoint()
    for e in range(E):
        for i in range(D):
            for j in range(H):
                dW[e, i, j] = dW_product[e, j, i]  # (29)


@kernel
def _compute_dg1(dg1, dz1, h1, dh1, rows):
    """Equations (35), (37)."""
    _disjoint()
    dg1[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz1[n, j] = (1 - h1[n, j] * h1[n, j]) * dh1[n, j]  # (35)
            dg1[j] += dz1[n, j]  # (37)


@kernel
def _compute_gate_2(a2, z2, g2, m_a2, e_gate_row, s_gate, gate, rows):
    """Equations (4) to (8)."""
    _disjoint()
    for n in range(rows):
        m_a2_max = -np.inf
        for e in range(E):
            a2[n, e] = z2[n, e] + g2[e]  # (4)
            m_a2_max = _larger(m_a2_max, a2[n, e])  # (5)
        m_a2[n] = m_a2_max
        s_gate_sum = 0.0
        for e in range(E):
            e_gate_row[e] = _exp(a2[n, e] - m_a2[n])  # (6)
            s_gate_sum += e_gate_row[e]  # (7)
        s_gate[n] = s_gate_sum
        for e in range(E):
            gate[n, e] = e_gate_row[e] / s_gate[n]  # (8)


@kernel
def _compute_dV_left_2(h, z, b, o_right, dV_left, rows):
    """Equations (10), (11), (27)."""
    _disjoint()
    for n in range(rows):
        for e in range(E):
            for j in range(H):
                h[n, e, j] = _tanh(z[n, e, j] + b[e, j])  # (10)
                o_right[e, n, j] = h[n, e, j]  # (11)
                dV_left[e, n, j] = h[n, e, j]  # (27)


@kernel
def _compute_dg2_2(
    dc, dg2, o_product, u_expert_row, c, e_expert_row, expert_row, l_loss_row, a2, y, m_a2, s_gate,
    e_loss_row, dh_right, dV_right, da2, gate, loss, rows, K, N,
):
    """Equations (11) to (16), (18) to (27), (31), (32)."""
    _disjoint()
    loss_sum = 0.0
    dc[:, :] = 0.0
    dg2[:] = 0.0
    for n in range(rows):
        m_l_loss = -np.inf
        for e in range(E):
            m_u_expert = -np.inf
            for k in range(K):
                o = o_product[e, k, n]  # (11)
                u_expert_row[k] = o + c[e, k]  # (12)
                m_u_expert = _larger(m_u_expert, u_expert_row[k])  # (13)
            s_expert = 0.0
            for k in range(K):
                e_expert_row[k] = _exp(u_expert_row[k] - m_u_expert)  # (14)
                s_expert += e_expert_row[k]  # (15)
            for k in range(K):
                expert_row[e, k] = e_expert_row[k] / s_expert  # (16)
            l_loss_row[e] = a2[n, e] - m_u_expert + u_expert_row[y[n]] - m_a2[n] - _log(s_expert) - _log(s_gate[n])  # (18)
            m_l_loss = _larger(m_l_loss, l_loss_row[e])  # (19)
        s_loss = 0.0
        for e in range(E):
            e_loss_row[e] = _exp(l_loss_row[e] - m_l_loss)  # (20)
            s_loss += e_loss_row[e]  # (21)
        loss_sum += -(_log(s_loss) + m_l_loss) / N  # (22)
        for e in range(E):
            dl_loss = -e_loss_row[e] / (N * s_loss)  # (23)
            for k in range(K):
                du_expert = ((1.0 if k == y[n] else 0.0) - expert_row[e, k]) * dl_loss  # (24)
                dc[e, k] += du_expert  # (25)
                dh_right[e, n, k] = du_expert  # (26)
                dV_right[e, n, k] = du_expert  # (27)
            da2[n, e] = dl_loss + gate[n, e] / N  # (31)
            dg2[e] += da2[n, e]  # (32)
    loss[0] = loss_sum


@kernel
def _compute_db_2(db, dh_product, dz, h, rows):
    """Equations (26), (28), (30)."""
    _disjoint()
    db[:, :] = 0.0
    for n in range(rows):
        for e in range(E):
            for j in range(H):
                dh = dh_product[e, j, n]  # (26)
                dz[n, e, j] = (1 - h[n, e, j] * h[n, e, j]) * dh  # (28)
                db[e, j] += dz[n, e, j]  # (30)


@kernel
def _compute_accuracy(p, c_accuracy, y, accuracy, N, K):
    """Equations (38), (39)."""
    _disjoint()
    accuracy_sum = 0.0
    for n in range(N):
        c_accuracy_argmax = -np.inf
        c_accuracy_at = -1
        for k in range(K):
            if c_accuracy_at < 0 or p[n, k] > c_accuracy_argmax:  # (38)
                c_accuracy_argmax, c_accuracy_at = p[n, k], k
        c_accuracy[n] = c_accuracy_at
        if c_accuracy[n] == y[n]:
            accuracy_sum += float(1 / N)  # (39)
    accuracy[0] = accuracy_sum


@kernel
def _update(theta, gradient, m, v, step, lr, beta1, beta2, eps):
    """Adam: one step over all parameters, in place."""
    _disjoint()
    c1 = 1 - beta1  # (U1)
    c2 = 1 - beta2  # (U2)
    c3 = 1 - beta1**step  # (U3)
    c4 = 1 - beta2**step  # (U3)
    for i in range(len(theta)):
        m_next = c1 * gradient[i] + beta1 * m[i]  # (U1)
        v_next = c2 * (gradient[i] * gradient[i]) + beta2 * v[i]  # (U2)
        theta_next = theta[i] - lr * m_next / (c3 * (math.sqrt(v_next / c4) + eps))  # (U3)
        m[i] = m_next
        v[i] = v_next
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, x, y, rows, N, D, K):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N, D, K)
    _loss(theta, work, counts, at, y, rows, N, D, K)
    _metrics(theta, work, counts, at, y, rows, N, D, K)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The loss, and its gradient by all parameters."""
    _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N, D, K)
    return work[at[24]]


@kernel
def _replay(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The loss and the gradients, with every tensor on the way."""
    _forward(theta, work, counts, at, x, rows, N, D, K)
    _loss(theta, work, counts, at, y, rows, N, D, K)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, D, K)


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, rows, N, D, K):
    """A whole step; the update is left out if the loss or a gradient is not finite."""
    _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N, D, K)
    loss = work[at[24]]
    finite = math.isfinite(loss) and _all_finite(gradient)
    if finite:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, N, D, K):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c_ in prange(len(bounds)):
        first, last = bounds[c_, 0], bounds[c_, 1]
        _forward_and_backward(
            theta, gradients[c_], work[c_], counts[c_], at, x[first:last], y[first:last], last - first, N, D,
            K
        )


@parallel_kernel
def _add_gradients(gradient, gradients):
    """The gradient by all parameters, from the parts of the chunks."""
    for i in prange(len(gradient)):
        total = gradients[0, i]
        for k in range(1, len(gradients)):
            total += gradients[k, i]
        gradient[i] = total


@parallel_kernel
def _finite_in_chunks(gradient, gradients):
    """Whether the gradient is finite, a piece a thread; each notes it in gradients of its own."""
    chunks = len(gradients)
    for c in prange(chunks):
        first, last = c * len(gradient) // chunks, (c + 1) * len(gradient) // chunks
        gradients[c, 0] = _all_finite(gradient[first:last])
    for c in range(chunks):
        if gradients[c, 0] == 0:
            return False
    return True


@parallel_kernel
def _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, chunks):
    """The update of a piece of the parameters on each thread."""
    for c in prange(chunks):
        first, last = c * len(gradient) // chunks, (c + 1) * len(gradient) // chunks
        _update(
            theta[first:last], gradient[first:last], m[first:last], v[first:last], step_, lr, beta1, beta2,
            eps
        )


@kernel
def _train_step_in_chunks(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, x, y, N, D, K,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite."""
    _chunks(theta, gradients, work, counts, at, bounds, x, y, N, D, K)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[24]] += work[k, at[24]]
    loss = work[0, at[24]]
    finite = math.isfinite(loss) and _finite_in_chunks(gradient, gradients)
    if finite:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite


def _flops(N, D, K):
    """Floating-point operations of one step."""
    return 1224 * N + 336 * D * N + 510 * K * N


def _places(rows, N, D, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "h1": (0, 30 * K * rows + 360 * rows + 72 * D, (rows, H)),
        "z2": (0, 0, (rows, E)),
        "a2": (0, 216 * rows + 30 * K * rows + 72 * D, (rows, E)),
        "m_a2": (0, 228 * rows + 30 * K * rows + 72 * D, (rows,)),
        "e_gate": (0, 6 * rows, (rows, E)),
        "s_gate": (0, 229 * rows + 30 * K * rows + 72 * D, (rows,)),
        "gate": (0, 222 * rows + 30 * K * rows + 72 * D, (rows, E)),
        "z_right": (0, 0, (D, E, H)),
        "z": (0, 72 * D, (rows, E, H)),
        "h": (0, 30 * K * rows + 72 * D + 72 * rows, (rows, E, H)),
        "o_right": (0, 144 * rows + 30 * K * rows + 72 * D, (E, rows, H)),
        "o_product": (0, 0, (E, K, rows)),
        "o": (0, 6 * K * rows, (rows, E, K)),
        "u_expert": (0, 12 * K * rows, (rows, E, K)),
        "m_u_expert": (0, 30 * K * rows, (rows, E)),
        "e_expert": (0, 18 * K * rows, (rows, E, K)),
        "s_expert": (0, 30 * K * rows + 6 * rows, (rows, E)),
        "expert": (0, 24 * K * rows, (rows, E, K)),
        "p": (0, 0, (rows, K)),
        "l_loss": (0, K * rows, (rows, E)),
        "m_l_loss": (0, 18 * rows + 30 * K * rows, (rows,)),
        "e_loss": (0, 18 * K * rows, (rows, E)),
        "s_loss": (0, 19 * rows + 30 * K * rows, (rows,)),
        "loss": (0, 30 * K * rows + 378 * rows + 72 * D + 8 * K, ()),
        "dl_loss": (0, 12 * rows + 30 * K * rows, (rows, E)),
        "du_expert": (0, 12 * K * rows, (rows, E, K)),
        "dh_right": (0, 18 * K * rows, (E, rows, K)),
        "dV_right": (0, 24 * K * rows, (E, rows, K)),
        "da2": (0, 30 * K * rows + 372 * rows + 72 * D, (rows, E)),
        "dh_product": (0, 30 * K * rows, (E, H, rows)),
        "dh": (0, 144 * rows + 30 * K * rows + 72 * D, (rows, E, H)),
        "dz": (0, 216 * rows + 30 * K * rows + 72 * D, (rows, E, H)),
        "dV_left": (0, 288 * rows + 30 * K * rows + 72 * D, (E, rows, H)),
        "dW_product": (0, 0, (E, H, D)),
        "dh1": (0, 0, (rows, H)),
        "dz1": (0, 12 * rows, (rows, H)),
        "e_gate_row": (0, 6 * rows, (E,)),
        "u_expert_row": (0, 30 * K * rows + 378 * rows + 6 * K + 72 * D, (K,)),
        "e_expert_row": (0, 30 * K * rows + 378 * rows + 72 * D + 7 * K, (K,)),
        "expert_row": (0, 30 * K * rows + 378 * rows + 72 * D, (E, K)),
        "l_loss_row": (0, 20 * rows + 30 * K * rows, (E,)),
        "e_loss_row": (0, 20 * rows + 30 * K * rows + 6, (E,)),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, K * rows, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "G": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "G2": math.sqrt(6 / (E + H)) * rng.uniform(-1, 1, (H, E)),
        # an offset needs no asymmetry to learn
        "g1": np.zeros(H),
        "g2": np.zeros(E),
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + E * H)) * rng.uniform(-1, 1, (E, D, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((E, H)),
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "V": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (E, H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros((E, K)),
    }


# ---- Functions of one element ----


@kernel
def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: either makes 0 · value a NaN."""
    total = DTYPE(0)
    for i in range(len(values)):
        total += DTYPE(0) * values[i]
    return bool(total == 0)


@exact_kernel
def _exp(x: Any) -> Any:
    """exp(x); 2^k in two factors, since it need not be a normal number."""
    x = np.float64(x)
    x = 710.0 if x > 710.0 else x
    x = -746.0 if x < -746.0 else x
    grown, k = _reduced(x)
    half = k >> 1
    return (1.0 + grown) * _power_of_two(half) * _power_of_two(k - half)


@exact_kernel
def _expm1(x: Any) -> Any:
    """exp(x) - 1 = 2^k·(exp(r) - 1) + (2^k - 1), which is exact near 0; halved, since 2^k may overflow."""
    x = np.float64(x)
    x = 710.0 if x > 710.0 else x
    x = -38.0 if x < -38.0 else x
    grown, k = _reduced(x)
    half = _power_of_two(k - 1)
    return 2.0 * (half * grown + (half - 0.5))


@exact_kernel
def _log(x: Any) -> Any:
    """log(x): NaN below 0, -inf at 0; with s = f/(2 + f), log(1 + f) = 2·s + s³·p(s²)."""
    x = np.float64(x)
    tiny = x < 2.2250738585072014e-308
    bits = np.float64(x * 18014398509481984.0 if tiny else x).view(np.int64)
    k = (bits - np.int64(0x3FE6A09E667F3BCD)) >> 52
    f = np.int64(bits - (k << 52)).view(np.float64) - 1.0
    e = np.float64(k) - (54.0 if tiny else 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = 0.22222198476015553 + z * (0.1818356973757315 + z * (0.15313903317481253 + z * 0.1479750689671745))
    p = 0.6666666666666735 + z * (0.3999999999941109 + z * (0.2857142874326258 + z * p))
    half = 0.5 * f * f
    found = e * 0.6931471805596629565 - ((half - (s * (half + z * p) + e * 2.82352905630315771e-13)) - f)
    if x > 0.0:
        return found if x < np.inf else x
    return -np.inf if x == 0.0 else np.float64(np.nan)


@exact_kernel
def _power_of_two(k: Any) -> Any:
    """2^k within the normal numbers."""
    return np.int64((k + 1023) << 52).view(np.float64)


@exact_kernel
def _reduced(x: Any) -> tuple[Any, Any]:
    """exp(r) - 1 and k, where x = k·log(2) + r with |r| ≤ log(2)/2."""
    shifted = x * 1.4426950408889634 + 6755399441055744.0  # the integer k is in the last bits
    k = shifted - 6755399441055744.0
    r = x - k * 0.6931471805596629565 - k * 2.82352905630315771e-13  # log(2) in two parts
    p = 2.75572341000406e-06 + r * (
        2.7557233430795844e-07 + r * (2.511228818672374e-08 + r * 2.092692173894748e-09)
    )
    p = 0.0013888888888858482 + r * (0.00019841269897193756 + r * (2.4801587373657717e-05 + r * p))
    p = 0.16666666666666685 + r * (0.04166666666666673 + r * (0.008333333333316685 + r * p))
    p = 0.5 + r * p
    return r + r * r * p, np.float64(shifted).view(np.int64) - np.int64(0x4338000000000000)


@exact_kernel
def _tanh(x: Any) -> Any:
    """tanh(x) by exp(2·x) - 1, which loses nothing near 0; from 20 on it is 1."""
    a = abs(DTYPE(x))
    grown = _expm1(DTYPE(2) * (DTYPE(20) if a > DTYPE(20) else a))
    return math.copysign(grown / (grown + DTYPE(2)), DTYPE(x))


# ---- Operations on whole registers, as the compiler takes them ----


_ITEM = np.dtype(DTYPE).itemsize
_LANES = 64 // _ITEM  # numbers in a register
_TALL, _WIDE, _DEEP = 8, 2 * _LANES, 256  # rows and columns of a tile, terms at a time


class _Vectors:
    """Writes operations on registers into the function that is being compiled."""

    def __init__(self, builder: Any) -> None:
        from llvmlite import ir

        self.builder, self.ir = builder, ir
        self.whole, self.short = ir.IntType(64), ir.IntType(32)
        self.real = ir.FloatType() if _ITEM == 4 else ir.DoubleType()
        self.vector, self.lanes = ir.VectorType(self.real, _LANES), ir.VectorType(self.short, _LANES)
        self.zero = ir.Constant(self.vector, [0.0] * _LANES)

    def pointer(self, address: Any) -> Any:
        return self.builder.inttoptr(address, self.ir.IntType(8).as_pointer())

    def load(self, pointer: Any, kind: Any) -> Any:
        return self.builder.load(self.builder.bitcast(pointer, kind.as_pointer()), align=_ITEM)

    def store(self, value: Any, pointer: Any) -> None:
        self.builder.store(value, self.builder.bitcast(pointer, value.type.as_pointer()), align=_ITEM)

    def moved(self, pointer: Any, count: Any, size: Any = 1) -> Any:
        """The pointer `count` times `size` bytes further."""
        count, size = (self.whole(n) if isinstance(n, int) else n for n in (count, size))
        return self.builder.gep(pointer, [self.builder.mul(count, size)])

    def shuffled(self, one: Any, other: Any, places: list[int]) -> Any:
        return self.builder.shuffle_vector(one, other, self.ir.Constant(self.lanes, places))

    def spread(self, value: Any, kind: Any) -> Any:
        """A number in every lane."""
        empty = self.ir.Constant(kind, self.ir.Undefined)
        return self.shuffled(self.builder.insert_element(empty, value, self.whole(0)), empty, [0] * _LANES)

    def masks(self, wide: Any, vectors: int) -> list[Any]:
        """Which lanes of each of some vectors there are."""
        limit = self.spread(self.builder.trunc(wide, self.short), self.lanes)
        numbers = ([j * _LANES + i for i in range(_LANES)] for j in range(vectors))
        return [self.builder.icmp_signed("<", self.ir.Constant(self.lanes, n), limit) for n in numbers]

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        """A function of LLVM for vectors of this kind."""
        from numba.core import cgutils

        kind = self.ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.{name}.v{_LANES}f{8 * _ITEM}{'.p0' if 'masked' in name else ''}"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def masked_load(self, mask: Any, pointer: Any) -> Any:
        """The lanes of a mask; the others are 0."""
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        return self.call("masked.load", self.vector, pointer, self.short(_ITEM), mask, self.zero)

    def masked_store(self, mask: Any, pointer: Any, value: Any) -> None:
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        self.call("masked.store", self.ir.VoidType(), value, pointer, self.short(_ITEM), mask)

    def repeated(self, times: Any, starts: list[Any], body: Callable[[list[Any]], list[Any]]) -> list[Any]:
        """The values after a loop whose body makes new values of those that it is given."""
        builder = self.builder
        before, loop = builder.block, builder.append_basic_block("loop")
        after = builder.append_basic_block("after")
        builder.branch(loop)
        builder.position_at_end(loop)
        starts = [self.whole(0), *starts]
        held = [builder.phi(start.type) for start in starts]
        made = [builder.add(held[0], self.whole(1)), *body(held[1:])]
        for phi, start, value in zip(held, starts, made, strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed("<", made[0], times), loop, after)
        builder.position_at_end(after)
        return made[1:]


def _write_tile(v: _Vectors, vectors: int, arguments: Any) -> None:
    """Rows times columns, summed over the terms; rows past the last one are that again, written twice."""
    a, a0, a1, tall, b, b0, c, row, wide, deep, more = arguments
    a, b, c = v.pointer(a), v.pointer(b), v.pointer(c)
    builder, last, there = v.builder, v.builder.sub(tall, v.whole(1)), v.masks(wide, vectors)
    numbers = [
        builder.select(builder.icmp_signed("<", v.whole(i), last), v.whole(i), last) for i in range(_TALL)
    ]
    lines = [v.moved(a, number, a0) for number in numbers]
    places = [[v.moved(v.moved(c, number, row), j, 64) for j in range(vectors)] for number in numbers]
    none = v.ir.Constant(v.ir.VectorType(v.ir.IntType(1), _LANES), [0] * _LANES)
    held = [builder.select(more, mask, none) for mask in there]
    sums = [v.masked_load(m, place) for line in places for m, place in zip(held, line, strict=True)]

    def term(values: list[Any]) -> list[Any]:
        along, down, *sums = values
        right = [v.load(v.moved(down, j, 64), v.vector) for j in range(vectors)]
        grown = []
        for i, line in enumerate(lines):
            left = v.spread(v.load(v.moved(line, along), v.real), v.vector)
            own = sums[i * vectors : (i + 1) * vectors]
            grown += [v.call("fma", v.vector, left, x, y) for x, y in zip(right, own, strict=True)]
        return [builder.add(along, a1), v.moved(down, b0), *grown]

    _, _, *sums = v.repeated(deep, [v.whole(0), b, *sums], term)
    for i, line in enumerate(places):
        for j, place in enumerate(line):
            v.masked_store(there[j], place, sums[i * vectors + j])


def _write_turn(v: _Vectors, arguments: Any) -> None:
    """As many lines as a register has lanes, exchanged with their columns."""
    to, start, size = v.pointer(arguments[0]), v.pointer(arguments[1]), arguments[2]
    lines = [v.load(v.moved(start, j, size), v.vector) for j in range(_LANES)]
    far = 1
    while far < _LANES:  # blocks of this size change places across the diagonal
        low = [i if not i & far else _LANES + i - far for i in range(_LANES)]
        high = [i + far if not i & far else _LANES + i for i in range(_LANES)]
        for i in range(_LANES):
            if not i & far:
                both = lines[i], lines[i + far]
                lines[i], lines[i + far] = v.shuffled(*both, low), v.shuffled(*both, high)
        far *= 2
    for i, line in enumerate(lines):
        v.store(line, v.moved(to, i, _WIDE * _ITEM))


def _write_row(v: _Vectors, arguments: Any) -> None:
    to, start, wide = v.pointer(arguments[0]), v.pointer(arguments[1]), arguments[2]
    for j, mask in enumerate(v.masks(wide, 2)):
        v.store(v.masked_load(mask, v.moved(start, j, 64)), v.moved(to, j, 64))


def _write_copy(v: _Vectors, arguments: Any) -> None:
    to, start = map(v.pointer, arguments)
    v.store(v.load(start, v.real), to)


def _write_room(v: _Vectors) -> Any:
    """Memory for the columns of a tile, for as long as the function runs."""
    with v.builder.goto_entry_block():
        memory = v.builder.alloca(v.real, size=v.short(_DEEP * _WIDE))
    memory.align = 64
    return v.builder.ptrtoint(memory, v.whole)


def _vector_intrinsics() -> dict[str, Any]:
    """`_tile` and what else there is for whole registers; nothing where the processor's are shorter."""
    from llvmlite import binding
    from numba import types
    from numba.extending import intrinsic

    if not binding.get_host_cpu_features().get("avx512f", False):
        return {}

    step = types.intp

    def nothing(write: Callable[..., None]) -> Any:
        def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            write(_Vectors(builder), arguments)
            return target.get_dummy_value()

        return generate

    def tile(vectors: int) -> Any:
        write = nothing(lambda v, arguments: _write_tile(v, vectors, arguments))

        def typed(
            _context: Any,
            _a: Any,
            _a0: Any,
            _a1: Any,
            _tall: Any,
            _b: Any,
            _b0: Any,
            _c: Any,
            _row: Any,
            _wide: Any,
            _deep: Any,
            _more: Any,
        ) -> Any:
            return types.void(*[step] * 10, types.boolean), write

        return intrinsic(typed)

    def turn(_context: Any, _to: Any, _start: Any, _size: Any) -> Any:
        return types.void(step, step, step), nothing(_write_turn)

    def copy_row(_context: Any, _to: Any, _start: Any, _wide: Any) -> Any:
        return types.void(step, step, step), nothing(_write_row)

    def copy(_context: Any, _to: Any, _start: Any) -> Any:
        return types.void(step, step), nothing(_write_copy)

    def room(_context: Any) -> Any:
        return step(), lambda _target, builder, _signature, _arguments: _write_room(_Vectors(builder))

    found = {"_turn": turn, "_copy_row": copy_row, "_copy": copy, "_room": room}
    tiles = {"_tile": tile(2), "_narrow_tile": tile(1)}
    return {**{name: intrinsic(function) for name, function in found.items()}, **tiles}


# ---- Matrix products in tiles ----


@kernel
def _product(left: Array, right: Array, target: Array) -> None:
    """target = left · right by the library of matrix products; where there are tiles, they stand for it."""
    np.dot(left, right, target)


@kernel
def _product_in_tiles(left: Array, right: Array, target: Array) -> None:
    """target = left · right; the rows of the target lie one behind the other."""
    rows, columns = target.shape
    summed = left.shape[1]
    if rows * columns * summed < 512:
        for i in range(rows):
            for j in range(columns):
                total = DTYPE(0)
                for k in range(summed):
                    total += left[i, k] * right[k, j]
                target[i, j] = total
        return
    a0, a1 = left.strides
    b0, b1 = right.strides
    a, b, c = left.ctypes.data, right.ctypes.data, target.ctypes.data
    _multiply(a, a0, a1, b, b0, b1, c, rows, summed, columns)


@kernel
def _multiply(
    a: int, a0: int, a1: int, b: int, b0: int, b1: int, c: int, rows: int, summed: int, columns: int
) -> None:
    panel, row = _room(), columns * _ITEM
    for j in range(0, columns, _WIDE):
        wide = min(_WIDE, columns - j)
        as_it_lies = rows <= _TALL and wide == _WIDE and b1 == _ITEM  # used once: not worth a copy
        for k in range(0, summed, _DEEP):
            deep = min(_DEEP, summed - k)
            right, b2 = b + k * b0 + j * b1, b0
            if not as_it_lies:
                _pack(panel, right, b0, b1, deep, wide)
                right, b2 = panel, _WIDE * _ITEM
            for i in range(0, rows, _TALL):
                tall = min(_TALL, rows - i)
                left, tile = a + i * a0 + k * a1, c + i * row + j * _ITEM
                if wide <= _LANES:
                    _narrow_tile(left, a0, a1, tall, right, b2, tile, row, wide, deep, k > 0)
                else:
                    _tile(left, a0, a1, tall, right, b2, tile, row, wide, deep, k > 0)


@kernel
def _pack(panel: int, b: int, b0: int, b1: int, deep: int, wide: int) -> None:
    """Columns of the right matrix, term by term."""
    if b1 == _ITEM:
        for k in range(deep):
            _copy_row(panel + k * _WIDE * _ITEM, b + k * b0, wide)
        return
    first = 0
    if wide == _WIDE and b0 == _ITEM:
        first = deep - deep % _LANES
        for k in range(0, first, _LANES):
            for j in range(0, _WIDE, _LANES):
                _turn(panel + (k * _WIDE + j) * _ITEM, b + k * _ITEM + j * b1, b1)
    for k in range(first, deep):
        for j in range(wide):
            _copy(panel + (k * _WIDE + j) * _ITEM, b + k * b0 + j * b1)


@intrinsics
def _tiles() -> dict[str, Any]:
    """What tiles are made of, and with them the product."""
    found = _vector_intrinsics()
    return {**found, "_product": _product_in_tiles} if found else {}


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


# ---- How the Numba target runs its kernels ----


def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,
) -> dict[str, Array]:
    _compile()
    memory, given = _memory(sizes), {**params, **data}
    _forward(params.flat, *memory.arrays, *(given[n] for n in FORWARD_GIVEN), *memory.sizes)
    return {name: memory.tensors[name].copy() for name in OUTPUTS}


def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    _compile()
    memory = _memory(sizes)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors


def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    apart: bool = False,
) -> dict[str, Array]:
    """The gradients and the tensors that are left, or all of them where they lie apart."""
    _compile()
    memory = _memory(sizes, apart=apart)
    if apart:
        _replay(params.flat, gradients.flat, *memory.arrays, *data.values(), *memory.sizes)
        return memory.tensors
    _loss_and_gradients(params.flat, gradients.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors


# ---- Training steps in chunks of the batch ----


# Floating-point operations; starting threads costs as much as some hundred thousand.
WORTH_A_CHUNK = 2_000_000


class _Chunks:
    """A workspace for each of several chunks of the batch, their rows, and a gradient for each."""

    def __init__(self, sizes: tuple[int, ...], count: int, parameters: int) -> None:
        first = [c * sizes[0] // count for c in range(count + 1)]
        self.bounds = np.array([first[:-1], first[1:]], np.int64).T.copy()  # (count, 2)
        most = int((self.bounds[:, 1] - self.bounds[:, 0]).max())
        reals, integers, at = _Memory((most, *sizes[1:])).arrays
        self.arrays = np.zeros((count, len(reals)), DTYPE), np.zeros((count, len(integers)), np.int64), at
        self.gradients = np.zeros((count, parameters), DTYPE)
        self.sizes = sizes[1:]


def _key(sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The rows of the batch in one piece, then the open sizes; what nothing shows is of another stage."""
    return (sizes.get(BATCH or "", 1), *(sizes.get(name, 1) for name in OPEN_SIZES[1:]))


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    moments = (arena.flat for arena in state.moments.values())
    hyper = (state.hyper[name] for name in HYPER)
    own = (state.params.flat, state.gradients.flat, *moments, state.step + 1, *hyper)
    count = _chunk_count(state.threads, sizes)
    _compile()
    if count == 1:
        memory = _memory(sizes, state.workspace)
        loss, finite = _train_step(*own, *memory.arrays, *data.values(), *memory.sizes)
    else:
        chunks = _in_chunks(state, sizes, count)
        blas = _blas_threads()
        before = blas[0]()
        blas[1](1)  # each chunk is a thread of its own
        try:
            loss, finite = _train_step_in_chunks(
                *own, chunks.gradients, *chunks.arrays, chunks.bounds, *data.values(), *chunks.sizes
            )
        finally:
            blas[1](before)
    state.step += bool(finite)
    return float(loss), bool(finite)


def _chunk_count(threads: int | None, sizes: Mapping[str, int]) -> int:
    """As many chunks as threads are wanted; if nothing is said, as there are processors with enough to do."""
    rows, *others = _key(sizes)
    if threads is not None:
        return max(1, min(threads, rows))
    return max(1, min(os.cpu_count() or 1, rows, int(_flops(*others)) // WORTH_A_CHUNK))


def _in_chunks(state: State, sizes: Mapping[str, int], count: int) -> _Chunks:
    """The workspaces of the chunks, from those that the state keeps if they are there."""
    key = _key(sizes)
    chunks: _Chunks = _held(
        state.workspace, (*key, "chunks", count), lambda: _Chunks(key, count, len(state.params.flat))
    )
    return chunks


@cache
def _blas_threads() -> tuple[Callable[[], int], Callable[[int], Any]]:
    """How many threads the library of matrix products uses, and how to say how many it shall use; nothing
    happens where the library has another form."""
    import scipy

    folder = Path(scipy.__file__).parent
    for path in sorted([*folder.parent.glob("scipy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")]):
        library = ctypes.CDLL(str(path))
        for prefix in ("scipy_openblas", "openblas"):
            for suffix in ("", "64_"):
                get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
                put = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
                if get is not None and put is not None:
                    return get, put
    return (lambda: 1), (lambda count: None)


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
