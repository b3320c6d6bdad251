"""gpt: a network that trains in Numba.

Derived from the network gpt; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   x1[n,t,j] = tokens_E[x[n,t],j]
    (2)   x1_2[n,t,j] = x1[n,t,j] + positions_E[t,j]
    (3)   m_h1[k,n,t] = Σ_j a6[k - 1,n,t,j | x1_2[n,t,j]]/D1
    (4)   c_h1[k,n,t,j] = a6[k - 1,n,t,j | x1_2[n,t,j]] - m_h1[k,n,t]
    (5)   v_h1[k,n,t] = Σ_j c_h1[k,n,t,j]²/D1
    (6)   r_h1[k,n,t] = 1/sqrt(v_h1[k,n,t] + 1e-5)
    (7)   x_h1[k,n,t,j] = r_h1[k,n,t]·c_h1[k,n,t,j]
    (8)   h1[k,n,t,j] = x_h1[k,n,t,j]·gamma1[k,j] + beta1[k,j]
    (9)   z1[k,n,l,t,m] = Σ_j h1[k,n,t,j]·Wq1[k,j,l,m]
    (10)  q1[k,n,l,t,m] = z1[k,n,l,t,m] + bq1[k,l,m]
    (11)  z2[k,n,l,t,m] = Σ_j h1[k,n,t,j]·Wk2[k,j,l,m]
    (12)  k2[k,n,l,t,m] = z2[k,n,l,t,m] + bk2[k,l,m]
    (13)  z3[k,n,l,t,m] = Σ_j h1[k,n,t,j]·Wv3[k,j,l,m]
    (14)  v3[k,n,l,t,m] = z3[k,n,l,t,m] + bv3[k,l,m]
    (15)  S_z4[k,n,l,t,i] = Σ_m q1[k,n,l,t,m]·k2[k,n,l,i,m]/sqrt(D3)
    (16)  m_S_z4[k,n,l,t] = max_i S_z4[k,n,l,t,i] where [i ≤ t]
    (17)  e_z4[k,n,l,t,i] = [i ≤ t]·exp(S_z4[k,n,l,t,i] - m_S_z4[k,n,l,t])
    (18)  s_z4[k,n,l,t] = Σ_i e_z4[k,n,l,t,i]
    (19)  p_z4[k,n,l,t,i] = e_z4[k,n,l,t,i]/s_z4[k,n,l,t]
    (20)  o_z4[k,n,l,t,m] = Σ_i p_z4[k,n,l,t,i]·v3[k,n,l,i,m]
    (21)  z4[k,n,t,j] = Σ_l,m o_z4[k,n,l,t,m]·Wo4[k,l,m,j]
    (22)  a4[k,n,t,j] = a6[k - 1,n,t,j | x1_2[n,t,j]] + z4[k,n,t,j] + bo4[k,j]
    (23)  m_h4[k,n,t] = Σ_j a4[k,n,t,j]/D1
    (24)  c_h4[k,n,t,j] = a4[k,n,t,j] - m_h4[k,n,t]
    (25)  v_h4[k,n,t] = Σ_j c_h4[k,n,t,j]²/D1
    (26)  r_h4[k,n,t] = 1/sqrt(v_h4[k,n,t] + 1e-5)
    (27)  x_h4[k,n,t,j] = r_h4[k,n,t]·c_h4[k,n,t,j]
    (28)  h4[k,n,t,j] = x_h4[k,n,t,j]·gamma4[k,j] + beta4[k,j]
    (29)  z5[k,n,t,q] = Σ_j h4[k,n,t,j]·W5[k,j,q]
    (30)  a5[k,n,t,q] = z5[k,n,t,q] + b5[k,q]
    (31)  h5[k,n,t,q] = (1 + tanh(sqrt(2)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q])/sqrt(π)))·a5[k,n,t,q]/2
    (32)  z6[k,n,t,j] = Σ_q h5[k,n,t,q]·W6[k,q,j]
    (33)  a6[k,n,t,j] = a4[k,n,t,j] + z6[k,n,t,j] + b6[k,j]
    (34)  m_h6[n,t] = Σ_j a6[D2 - 1,n,t,j]/D1
    (35)  c_h6[n,t,j] = a6[D2 - 1,n,t,j] - m_h6[n,t]
    (36)  v_h6[n,t] = Σ_j c_h6[n,t,j]²/D1
    (37)  r_h6[n,t] = 1/sqrt(v_h6[n,t] + 1e-5)
    (38)  x_h6[n,t,j] = r_h6[n,t]·c_h6[n,t,j]
    (39)  h6[n,t,j] = x_h6[n,t,j]·gamma6[j] + beta6[j]
    (40)  z[n,t,i] = Σ_j h6[n,t,j]·tokens_E[i,j]
    (41)  m_z[n,t] = max_i z[n,t,i]
    (42)  s_loss[n,t] = Σ_i exp(z[n,t,i] - m_z[n,t])
    (43)  count = Σ_n,t [y[n,t] ≠ 0]
    (44)  loss = Σ_n,t [y[n,t] ≠ 0]·(log(s_loss[n,t]) + m_z[n,t] - z[n,t,y[n,t]])/count
    (45)  dz[n,t,i] = [y[n,t] ≠ 0]·(exp(z[n,t,i] - m_z[n,t])/s_loss[n,t] - [i = y[n,t]])/count
    (46)  dh6[n,t,j] = Σ_i dz[n,t,i]·tokens_E[i,j]
    (47)  dx_h6[n,t,j] = dh6[n,t,j]·gamma6[j]
    (48)  dgamma6[j] = Σ_n,t dh6[n,t,j]·x_h6[n,t,j]
    (49)  dbeta6[j] = Σ_n,t dh6[n,t,j]
    (50)  dr_h6_s1[n,t] = Σ_j dx_h6[n,t,j]·x_h6[n,t,j]
    (51)  dm_h6_s1[n,t] = Σ_j dx_h6[n,t,j]
    (52)  da6[k,n,t,j] = [k = D2 - 1]·r_h6[n,t]·(dx_h6[n,t,j] - dr_h6_s1[n,t]·x_h6[n,t,j]/D1 - dm_h6_s1[n,t]/D1) + [k < D2 - 1]·(r_h1[k + 1,n,t]·(dx_h1[k + 1,n,t,j] - dr_h1_s1[k + 1,n,t]·x_h1[k + 1,n,t,j]/D1) + da4[k + 1,n,t,j] - dm_h1_s1[k + 1,n,t]·r_h1[k + 1,n,t]/D1)
    (53)  dh5[k,n,t,q] = Σ_j da6[k,n,t,j]·W6[k,q,j]
    (54)  da5[k,n,t,q] = (1/2 + sqrt(2)·(1 + 0.134145·a5[k,n,t,q]²)·(1 - tanh(sqrt(2)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q])/sqrt(π))²)·a5[k,n,t,q]/(2·sqrt(π)) + tanh(sqrt(2)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q])/sqrt(π))/2)·dh5[k,n,t,q]
    (55)  dh4[k,n,t,j] = Σ_q da5[k,n,t,q]·W5[k,j,q]
    (56)  dx_h4[k,n,t,j] = dh4[k,n,t,j]·gamma4[k,j]
    (57)  dr_h4_s1[k,n,t] = Σ_j dx_h4[k,n,t,j]·x_h4[k,n,t,j]
    (58)  dm_h4_s1[k,n,t] = Σ_j dx_h4[k,n,t,j]
    (59)  da4[k,n,t,j] = r_h4[k,n,t]·(dx_h4[k,n,t,j] - dr_h4_s1[k,n,t]·x_h4[k,n,t,j]/D1 - dm_h4_s1[k,n,t]/D1) + da6[k,n,t,j]
    (60)  do_z4[k,n,l,t,m] = Σ_j da4[k,n,t,j]·Wo4[k,l,m,j]
    (61)  dp_z4[k,n,l,t,i] = Σ_m do_z4[k,n,l,t,m]·v3[k,n,l,i,m]
    (62)  ds_z4_s1[k,n,l,t] = Σ_i dp_z4[k,n,l,t,i]·p_z4[k,n,l,t,i]
    (63)  dS_z4[k,n,l,t,i] = (dp_z4[k,n,l,t,i] - ds_z4_s1[k,n,l,t])·p_z4[k,n,l,t,i]
    (64)  dv3[k,n,l,t,m] = Σ_t2 p_z4[k,n,l,t2,t]·do_z4[k,n,l,t2,m]
    (65)  dk2_s1[k,n,l,t,m] = Σ_t2 dS_z4[k,n,l,t2,t]·q1[k,n,l,t2,m]
    (66)  dq1[k,n,l,t,m] = Σ_i dS_z4[k,n,l,t,i]·k2[k,n,l,i,m]/sqrt(D3)
    (67)  dh1_1[k,n,t,j] = Σ_l,m dq1[k,n,l,t,m]·Wq1[k,j,l,m]
    (68)  dh1_2[k,n,t,j] = Σ_l,m dk2_s1[k,n,l,t,m]·Wk2[k,j,l,m]/sqrt(D3)
    (69)  dh1_3[k,n,t,j] = Σ_l,m dv3[k,n,l,t,m]·Wv3[k,j,l,m]
    (70)  dh1[k,n,t,j] = dh1_1[k,n,t,j] + dh1_2[k,n,t,j] + dh1_3[k,n,t,j]
    (71)  dx_h1[k,n,t,j] = dh1[k,n,t,j]·gamma1[k,j]
    (72)  dr_h1_s1[k,n,t] = Σ_j dx_h1[k,n,t,j]·x_h1[k,n,t,j]
    (73)  dm_h1_s1[k,n,t] = Σ_j dx_h1[k,n,t,j]
    (74)  dbo4[k,j] = Σ_n,t da4[k,n,t,j]
    (75)  db6[k,j] = Σ_n,t da6[k,n,t,j]
    (76)  dW6[k,q,j] = Σ_n,t h5[k,n,t,q]·da6[k,n,t,j]
    (77)  db5[k,q] = Σ_n,t da5[k,n,t,q]
    (78)  dW5[k,j,q] = Σ_n,t h4[k,n,t,j]·da5[k,n,t,q]
    (79)  dgamma4[k,j] = Σ_n,t dh4[k,n,t,j]·x_h4[k,n,t,j]
    (80)  dbeta4[k,j] = Σ_q W5[k,j,q]·db5[k,q]
    (81)  dWo4[k,l,m,j] = Σ_n,t o_z4[k,n,l,t,m]·da4[k,n,t,j]
    (82)  dbv3[k,l,m] = Σ_n,t dv3[k,n,l,t,m]
    (83)  dbk2[k,l,m] = 0
    (84)  dbq1[k,l,m] = Σ_n,t dq1[k,n,l,t,m]
    (85)  dWq1[k,j,l,m] = Σ_n,t h1[k,n,t,j]·dq1[k,n,l,t,m]
    (86)  dWk2[k,j,l,m] = Σ_n,t h1[k,n,t,j]·dk2_s1[k,n,l,t,m]/sqrt(D3)
    (87)  dWv3[k,j,l,m] = Σ_n,t h1[k,n,t,j]·dv3[k,n,l,t,m]
    (88)  dgamma1[k,j] = Σ_n,t dh1[k,n,t,j]·x_h1[k,n,t,j]
    (89)  dbeta1[k,j] = Σ_n,t dh1[k,n,t,j]
    (90)  dx1_2[n,t,j] = r_h1[0,n,t]·(dx_h1[0,n,t,j] - dr_h1_s1[0,n,t]·x_h1[0,n,t,j]/D1 - dm_h1_s1[0,n,t]/D1) + da4[0,n,t,j]
    (91)  dtokens_E_1[i,j] = Σ_n,t [i = x[n,t]]·dx1_2[n,t,j]
    (92)  dtokens_E_2[i,j] = Σ_n,t dz[n,t,i]·h6[n,t,j]
    (93)  dtokens_E[i,j] = dtokens_E_1[i,j] + dtokens_E_2[i,j]
    (94)  dpositions_E[t,j] = Σ_n dx1_2[n,t,j]
    (95)  best[n,t] = argmax_i z[n,t,i]
    (96)  wrong[n] = Σ_t [best[n,t] ≠ y[n,t]]·[y[n,t] ≠ 0]
    (97)  exact = Σ_n [wrong[n] = 0]/N

Update of each entry i of the parameters:
AdamW, Loshchilov and Hutter 2019, Decoupled weight decay regularization, algorithm 2

    (U1)  rate = (0.01·[step ≤ 99]·step + [step ≥ 100]·([step ≤ 874]·(0.55 + 0.45·cos(π·(step/775 - 4/31))) + [step ≥ 875]/10))·lr
    (U2)  g_squares = Σ_i gradient[i]²
    (U3)  g_norm = sqrt(g_squares)
    (U4)  g_scale = [clip_norm < g_norm]·clip_norm/g_norm + [g_norm ≤ clip_norm]
    (U5)  g_clipped[i] = g_scale·gradient[i]
    (U6)  m_next[i] = (1 - beta1)·g_clipped[i] + beta1·m[i]
    (U7)  v_next[i] = (1 - beta2)·g_clipped[i]² + beta2·v[i]
    (U8)  theta_next[i] = (1 - rate·weight_decay)·theta[i] - rate·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D1 = 32, D2 = 2, D3 = 8; N, T, V read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      96·D1·D2·D3·N·T + 237·D1·D2·N·T + 28·D2·D3·N·T + 48·D2·D3·N·T² + 48·D2·N·T·D1²
               + 6·D1·N·T·V + 17·N·T·V + 33·D1·N·T + 4·D1·D2·D3 + 4·D2·N·T + 64·D2·N·T² + 13·N·T
               + 8·D2·D1² + D1·V
             = 18,432 + 209·N·T·V + 164,149·N·T + 896·N·T² + 32·V
    bytes      32 + 1,112·D1·D2·N·T + 1,792·D2·D3·N·T + 256·D3·N·T + 368·D2·N·T + 384·D1·N·T + 56·N·T·V
               + 608·D1·D2·D3 + 608·D2·N·T² + 16·D1·T + 192·D2·D3 + 208·D1·D2 + 208·N·T + 224·D2·D1²
               + 56·D1·V + 64·N·T² + 40·D1
             = 787,744 + 56·N·T·V + 115,120·N·T + 1,280·N·T² + 1,792·V + 512·T
    workspace  8·N·T + 8·max(3,088 + 2·N·T·V + 2,604·N·T + 28·N·T², 16 + 2·N·T·V + 2,614·N·T
               + 28·N·T², 16 + 2·N·T·V + 2,612·N·T + 28·N·T² + 64·V) bytes
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
OPEN_SIZES = ("N", "T", "V")
POSITIONS = ()
ONES = ()
D1, D2, D3 = 32, 2, 8
NAME = "gpt"
SIZES = {"D1": D1, "D2": D2, "D3": D3}
PARAMETERS = {
    "tokens_E": ("V", "D1"), "positions_E": ("T", "D1"), "gamma1": ("D2", "D1"), "beta1": ("D2", "D1"),
    "Wq1": ("D2", "D1", 4, "D3"), "bq1": ("D2", 4, "D3"), "Wk2": ("D2", "D1", 4, "D3"),
    "bk2": ("D2", 4, "D3"), "Wv3": ("D2", "D1", 4, "D3"), "bv3": ("D2", 4, "D3"),
    "Wo4": ("D2", 4, "D3", "D1"), "bo4": ("D2", "D1"), "gamma4": ("D2", "D1"), "beta4": ("D2", "D1"),
    "W5": ("D2", "D1", lambda s: 4 * s["D1"]), "b5": ("D2", lambda s: 4 * s["D1"]),
    "W6": ("D2", lambda s: 4 * s["D1"], "D1"), "b6": ("D2", "D1"), "gamma6": ("D1",), "beta6": ("D1",),
}
INPUTS = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("V", None)}
FACTS = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS, LOSS = ("z",), "loss"
METRICS = ("exact",)
BATCH = "N"
GRADIENTS = {
    "tokens_E": "dtokens_E", "positions_E": "dpositions_E", "gamma1": "dgamma1", "beta1": "dbeta1",
    "Wq1": "dWq1", "bq1": "dbq1", "Wk2": "dWk2", "bk2": "dbk2", "Wv3": "dWv3", "bv3": "dbv3", "Wo4": "dWo4",
    "bo4": "dbo4", "gamma4": "dgamma4", "beta4": "dbeta4", "W5": "dW5", "b5": "db5", "W6": "dW6", "b6": "db6",
    "gamma6": "dgamma6", "beta6": "dbeta6",
}
EQUATIONS = {
    1: "x1", 2: "x1_2", 3: "m_h1", 4: "c_h1", 5: "v_h1", 6: "r_h1", 7: "x_h1", 8: "h1", 9: "z1", 10: "q1",
    11: "z2", 12: "k2", 13: "z3", 14: "v3", 15: "S_z4", 16: "m_S_z4", 17: "e_z4", 18: "s_z4", 19: "p_z4",
    20: "o_z4", 21: "z4", 22: "a4", 23: "m_h4", 24: "c_h4", 25: "v_h4", 26: "r_h4", 27: "x_h4", 28: "h4",
    29: "z5", 30: "a5", 31: "h5", 32: "z6", 33: "a6", 34: "m_h6", 35: "c_h6", 36: "v_h6", 37: "r_h6",
    38: "x_h6", 39: "h6", 40: "z", 41: "m_z", 42: "s_loss", 43: "count", 44: "loss", 45: "dz", 46: "dh6",
    47: "dx_h6", 48: "dgamma6", 49: "dbeta6", 50: "dr_h6_s1", 51: "dm_h6_s1", 52: "da6", 53: "dh5", 54: "da5",
    55: "dh4", 56: "dx_h4", 57: "dr_h4_s1", 58: "dm_h4_s1", 59: "da4", 60: "do_z4", 61: "dp_z4",
    62: "ds_z4_s1", 63: "dS_z4", 64: "dv3", 65: "dk2_s1", 66: "dq1", 67: "dh1_1", 68: "dh1_2", 69: "dh1_3",
    70: "dh1", 71: "dx_h1", 72: "dr_h1_s1", 73: "dm_h1_s1", 74: "dbo4", 75: "db6", 76: "dW6", 77: "db5",
    78: "dW5", 79: "dgamma4", 80: "dbeta4", 81: "dWo4", 82: "dbv3", 83: "dbk2", 84: "dbq1", 85: "dWq1",
    86: "dWk2", 87: "dWv3", 88: "dgamma1", 89: "dbeta1", 90: "dx1_2", 91: "dtokens_E_1", 92: "dtokens_E_2",
    93: "dtokens_E", 94: "dpositions_E", 95: "best", 96: "wrong", 97: "exact",
}
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08, "weight_decay": 0.01, "clip_norm": 1.0}
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
def _forward(theta, work, counts, at, x, N, T, V):
    """The outputs: equations (1) to (40)."""
    tokens_E = theta[0 : 32 * V].reshape(V, D1)
    positions_E = theta[32 * V : 32 * T + 32 * V].reshape(T, D1)
    gamma1 = theta[32 * T + 32 * V : 32 * T + 32 * V + 64].reshape(D2, D1)
    beta1 = theta[32 * T + 32 * V + 64 : 32 * T + 32 * V + 128].reshape(D2, D1)
    Wq1 = theta[32 * T + 32 * V + 128 : 32 * T + 32 * V + 2176].reshape(D2, D1, 4, D3)
    bq1 = theta[32 * T + 32 * V + 2176 : 32 * T + 32 * V + 2240].reshape(D2, 4, D3)
    Wk2 = theta[32 * T + 32 * V + 2240 : 32 * T + 32 * V + 4288].reshape(D2, D1, 4, D3)
    bk2 = theta[32 * T + 32 * V + 4288 : 32 * T + 32 * V + 4352].reshape(D2, 4, D3)
    Wv3 = theta[32 * T + 32 * V + 4352 : 32 * T + 32 * V + 6400].reshape(D2, D1, 4, D3)
    bv3 = theta[32 * T + 32 * V + 6400 : 32 * T + 32 * V + 6464].reshape(D2, 4, D3)
    Wo4 = theta[32 * T + 32 * V + 6464 : 32 * T + 32 * V + 8512].reshape(D2, 4, D3, D1)
    bo4 = theta[32 * T + 32 * V + 8512 : 32 * T + 32 * V + 8576].reshape(D2, D1)
    gamma4 = theta[32 * T + 32 * V + 8576 : 32 * T + 32 * V + 8640].reshape(D2, D1)
    beta4 = theta[32 * T + 32 * V + 8640 : 32 * T + 32 * V + 8704].reshape(D2, D1)
    W5 = theta[32 * T + 32 * V + 8704 : 32 * T + 32 * V + 16896].reshape(D2, D1, 4 * D1)
    b5 = theta[32 * T + 32 * V + 16896 : 32 * T + 32 * V + 17152].reshape(D2, 4 * D1)
    W6 = theta[32 * T + 32 * V + 17152 : 32 * T + 32 * V + 25344].reshape(D2, 4 * D1, D1)
    b6 = theta[32 * T + 32 * V + 25344 : 32 * T + 32 * V + 25408].reshape(D2, D1)
    gamma6 = theta[32 * T + 32 * V + 25408 : 32 * T + 32 * V + 25440]
    beta6 = theta[32 * T + 32 * V + 25440 : 32 * T + 32 * V + 25472]
    x1 = work[at[0] : at[0] + 32 * N * T].reshape(N, T, D1)
    x1_2 = work[at[1] : at[1] + 32 * N * T].reshape(N, T, D1)
    m_h1 = work[at[2] : at[2] + 2 * N * T].reshape(D2, N, T)
    c_h1 = work[at[3] : at[3] + 64 * N * T].reshape(D2, N, T, D1)
    v_h1 = work[at[4] : at[4] + 2 * N * T].reshape(D2, N, T)
    r_h1 = work[at[5] : at[5] + 2 * N * T].reshape(D2, N, T)
    x_h1 = work[at[6] : at[6] + 64 * N * T].reshape(D2, N, T, D1)
    h1 = work[at[7] : at[7] + 64 * N * T].reshape(D2, N, T, D1)
    z1_right = work[at[8] : at[8] + 1024].reshape(4, D1, D3)
    z2_right = work[at[9] : at[9] + 1024].reshape(4, D1, D3)
    z3_right = work[at[10] : at[10] + 1024].reshape(4, D1, D3)
    z1_product = work[at[11] : at[11] + 32 * N * T].reshape(N, 4, T, D3)
    z1 = work[at[12] : at[12] + 64 * N * T].reshape(D2, N, 4, T, D3)
    q1 = work[at[13] : at[13] + 64 * N * T].reshape(D2, N, 4, T, D3)
    z2_product = work[at[14] : at[14] + 32 * N * T].reshape(N, 4, T, D3)
    z2 = work[at[15] : at[15] + 64 * N * T].reshape(D2, N, 4, T, D3)
    k2 = work[at[16] : at[16] + 64 * N * T].reshape(D2, N, 4, T, D3)
    z3_product = work[at[17] : at[17] + 32 * N * T].reshape(N, 4, T, D3)
    z3 = work[at[18] : at[18] + 64 * N * T].reshape(D2, N, 4, T, D3)
    v3 = work[at[19] : at[19] + 64 * N * T].reshape(D2, N, 4, T, D3)
    S_z4_product = work[at[20] : at[20] + 4 * N * T**2].reshape(N, 4, T, T)
    S_z4 = work[at[21] : at[21] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    m_S_z4 = work[at[22] : at[22] + 8 * N * T].reshape(D2, N, 4, T)
    e_z4 = work[at[23] : at[23] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    s_z4 = work[at[24] : at[24] + 8 * N * T].reshape(D2, N, 4, T)
    p_z4 = work[at[25] : at[25] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    o_z4_product = work[at[26] : at[26] + 32 * N * T].reshape(N, 4, T, D3)
    o_z4 = work[at[27] : at[27] + 64 * N * T].reshape(D2, N, 4, T, D3)
    z4_left = work[at[28] : at[28] + 32 * N * T].reshape(N, T, 4, D3)
    z4_product = work[at[29] : at[29] + 32 * N * T].reshape(N, T, D1)
    z4 = work[at[30] : at[30] + 64 * N * T].reshape(D2, N, T, D1)
    a4 = work[at[31] : at[31] + 64 * N * T].reshape(D2, N, T, D1)
    m_h4 = work[at[32] : at[32] + 2 * N * T].reshape(D2, N, T)
    c_h4 = work[at[33] : at[33] + 64 * N * T].reshape(D2, N, T, D1)
    v_h4 = work[at[34] : at[34] + 2 * N * T].reshape(D2, N, T)
    r_h4 = work[at[35] : at[35] + 2 * N * T].reshape(D2, N, T)
    x_h4 = work[at[36] : at[36] + 64 * N * T].reshape(D2, N, T, D1)
    h4 = work[at[37] : at[37] + 64 * N * T].reshape(D2, N, T, D1)
    z5_product = work[at[38] : at[38] + 128 * N * T].reshape(N, T, 4 * D1)
    z5 = work[at[39] : at[39] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    a5 = work[at[40] : at[40] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    h5 = work[at[41] : at[41] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    z6_product = work[at[42] : at[42] + 32 * N * T].reshape(N, T, D1)
    z6 = work[at[43] : at[43] + 64 * N * T].reshape(D2, N, T, D1)
    a6 = work[at[44] : at[44] + 64 * N * T].reshape(D2, N, T, D1)
    m_h6 = work[at[45] : at[45] + N * T].reshape(N, T)
    c_h6 = work[at[46] : at[46] + 32 * N * T].reshape(N, T, D1)
    v_h6 = work[at[47] : at[47] + N * T].reshape(N, T)
    r_h6 = work[at[48] : at[48] + N * T].reshape(N, T)
    x_h6 = work[at[49] : at[49] + 32 * N * T].reshape(N, T, D1)
    h6 = work[at[50] : at[50] + 32 * N * T].reshape(N, T, D1)
    z = work[at[51] : at[51] + N * T * V].reshape(N, T, V)
    _compute_x1_2(x1, tokens_E, x, x1_2, positions_E, N, T)  # (1), (2)
    for k in range(D2):
        _compute_h1(
            a6, x1_2, m_h1, c_h1, v_h1, r_h1, x_h1, h1, gamma1, beta1, N, T, k
        )  # (3), (4), (5), (6), (7), (8)
        _compute_z3_right(z1_right, Wq1, z2_right, Wk2, z3_right, Wv3, k)  # (9), (11), (13)
        for n in range(N):
            for l in range(4):
                _product(h1[k, n], z1_right[l], z1_product[n, l])  # (9)
        _compute_q1(z1, z1_product, q1, bq1, N, T, k)  # (9), (10)
        for n in range(N):
            for l in range(4):
                _product(h1[k, n], z2_right[l], z2_product[n, l])  # (11)
        _compute_q1(z2, z2_product, k2, bk2, N, T, k)  # (11), (12)
        for n in range(N):
            for l in range(4):
                _product(h1[k, n], z3_right[l], z3_product[n, l])  # (13)
        _compute_q1(z3, z3_product, v3, bv3, N, T, k)  # (13), (14)
        for n in range(N):
            for l in range(4):
                _product(q1[k, n, l], k2[k, n, l].T, S_z4_product[n, l])  # (15)
        _compute_p_z4(S_z4, S_z4_product, m_S_z4, e_z4, s_z4, p_z4, N, T, k)  # (15), (16), (17), (18), (19)
        for n in range(N):
            for l in range(4):
                _product(p_z4[k, n, l], v3[k, n, l], o_z4_product[n, l])  # (20)
        _compute_z4_left(o_z4, o_z4_product, z4_left, N, T, k)  # (20), (21)
        _product(
            z4_left.reshape(N * T, 4 * D3), Wo4[k].reshape(4 * D3, D1), z4_product.reshape(N * T, D1)
        )  # (21)
        _compute_h4(
            z4, z4_product, a4, a6, x1_2, bo4, m_h4, c_h4, v_h4, r_h4, x_h4, h4, gamma4, beta4, N, T, k
        )  # (21), (22), (23), (24), (25), (26), (27), (28)
        _product(h4[k].reshape(N * T, D1), W5[k], z5_product.reshape(N * T, 4 * D1))  # (29)
        _compute_h5(z5, z5_product, a5, b5, h5, N, T, k)  # (29), (30), (31)
        _product(h5[k].reshape(N * T, 4 * D1), W6[k], z6_product.reshape(N * T, D1))  # (32)
        _compute_a6(z6, z6_product, a6, a4, b6, N, T, k)  # (32), (33)
    _compute_h6(
        a6, m_h6, c_h6, v_h6, r_h6, x_h6, h6, gamma6, beta6, N, T
    )  # (34), (35), (36), (37), (38), (39)
    _product(h6.reshape(N * T, D1), tokens_E.T, z.reshape(N * T, V))  # (40)


@kernel
def _loss(theta, work, counts, at, y, N, T, V):
    """The loss: equations (41) to (44)."""
    z = work[at[51] : at[51] + N * T * V].reshape(N, T, V)
    m_z = work[at[52] : at[52] + N * T].reshape(N, T)
    s_loss = work[at[53] : at[53] + N * T].reshape(N, T)
    count = work[at[54] : at[54] + 1]
    loss = work[at[55] : at[55] + 1]
    _compute_count(z, m_z, s_loss, y, count, N, T, V)  # (41), (42), (43)
    _compute_loss(y, m_z, z, s_loss, count, loss, N, T)  # (44)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, N, T, V):
    """The gradients: equations (45) to (94)."""
    tokens_E = theta[0 : 32 * V].reshape(V, D1)
    gamma1 = theta[32 * T + 32 * V : 32 * T + 32 * V + 64].reshape(D2, D1)
    Wq1 = theta[32 * T + 32 * V + 128 : 32 * T + 32 * V + 2176].reshape(D2, D1, 4, D3)
    Wk2 = theta[32 * T + 32 * V + 2240 : 32 * T + 32 * V + 4288].reshape(D2, D1, 4, D3)
    Wv3 = theta[32 * T + 32 * V + 4352 : 32 * T + 32 * V + 6400].reshape(D2, D1, 4, D3)
    Wo4 = theta[32 * T + 32 * V + 6464 : 32 * T + 32 * V + 8512].reshape(D2, 4, D3, D1)
    gamma4 = theta[32 * T + 32 * V + 8576 : 32 * T + 32 * V + 8640].reshape(D2, D1)
    W5 = theta[32 * T + 32 * V + 8704 : 32 * T + 32 * V + 16896].reshape(D2, D1, 4 * D1)
    W6 = theta[32 * T + 32 * V + 17152 : 32 * T + 32 * V + 25344].reshape(D2, 4 * D1, D1)
    gamma6 = theta[32 * T + 32 * V + 25408 : 32 * T + 32 * V + 25440]
    r_h1 = work[at[5] : at[5] + 2 * N * T].reshape(D2, N, T)
    x_h1 = work[at[6] : at[6] + 64 * N * T].reshape(D2, N, T, D1)
    h1 = work[at[7] : at[7] + 64 * N * T].reshape(D2, N, T, D1)
    q1 = work[at[13] : at[13] + 64 * N * T].reshape(D2, N, 4, T, D3)
    k2 = work[at[16] : at[16] + 64 * N * T].reshape(D2, N, 4, T, D3)
    v3 = work[at[19] : at[19] + 64 * N * T].reshape(D2, N, 4, T, D3)
    p_z4 = work[at[25] : at[25] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    o_z4 = work[at[27] : at[27] + 64 * N * T].reshape(D2, N, 4, T, D3)
    r_h4 = work[at[35] : at[35] + 2 * N * T].reshape(D2, N, T)
    x_h4 = work[at[36] : at[36] + 64 * N * T].reshape(D2, N, T, D1)
    h4 = work[at[37] : at[37] + 64 * N * T].reshape(D2, N, T, D1)
    a5 = work[at[40] : at[40] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    h5 = work[at[41] : at[41] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    r_h6 = work[at[48] : at[48] + N * T].reshape(N, T)
    x_h6 = work[at[49] : at[49] + 32 * N * T].reshape(N, T, D1)
    h6 = work[at[50] : at[50] + 32 * N * T].reshape(N, T, D1)
    z = work[at[51] : at[51] + N * T * V].reshape(N, T, V)
    m_z = work[at[52] : at[52] + N * T].reshape(N, T)
    s_loss = work[at[53] : at[53] + N * T].reshape(N, T)
    count = work[at[54] : at[54] + 1]
    dz = work[at[56] : at[56] + N * T * V].reshape(N, T, V)
    dh6 = work[at[57] : at[57] + 32 * N * T].reshape(N, T, D1)
    dx_h6 = work[at[58] : at[58] + 32 * N * T].reshape(N, T, D1)
    dgamma6 = gradient[32 * T + 32 * V + 25408 : 32 * T + 32 * V + 25440]
    dbeta6 = gradient[32 * T + 32 * V + 25440 : 32 * T + 32 * V + 25472]
    dr_h6_s1 = work[at[59] : at[59] + N * T].reshape(N, T)
    dm_h6_s1 = work[at[60] : at[60] + N * T].reshape(N, T)
    da6 = work[at[61] : at[61] + 64 * N * T].reshape(D2, N, T, D1)
    dh5_product = work[at[62] : at[62] + 128 * N * T].reshape(N, T, 4 * D1)
    dh5 = work[at[63] : at[63] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    da5 = work[at[64] : at[64] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    dh4_product = work[at[65] : at[65] + 32 * N * T].reshape(N, T, D1)
    dh4 = work[at[66] : at[66] + 64 * N * T].reshape(D2, N, T, D1)
    dx_h4 = work[at[67] : at[67] + 64 * N * T].reshape(D2, N, T, D1)
    dr_h4_s1 = work[at[68] : at[68] + 2 * N * T].reshape(D2, N, T)
    dm_h4_s1 = work[at[69] : at[69] + 2 * N * T].reshape(D2, N, T)
    da4 = work[at[70] : at[70] + 64 * N * T].reshape(D2, N, T, D1)
    do_z4_product = work[at[71] : at[71] + 32 * N * T].reshape(N, 4, T, D3)
    do_z4 = work[at[72] : at[72] + 64 * N * T].reshape(D2, N, 4, T, D3)
    dp_z4_product = work[at[73] : at[73] + 4 * N * T**2].reshape(N, 4, T, T)
    dp_z4 = work[at[74] : at[74] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    ds_z4_s1 = work[at[75] : at[75] + 8 * N * T].reshape(D2, N, 4, T)
    dS_z4 = work[at[76] : at[76] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    dv3_product = work[at[77] : at[77] + 32 * N * T].reshape(N, 4, T, D3)
    dv3 = work[at[78] : at[78] + 64 * N * T].reshape(D2, N, 4, T, D3)
    dh1_3_left = work[at[79] : at[79] + 32 * N * T].reshape(N, T, 4, D3)
    dk2_s1_product = work[at[80] : at[80] + 32 * N * T].reshape(N, 4, T, D3)
    dk2_s1 = work[at[81] : at[81] + 64 * N * T].reshape(D2, N, 4, T, D3)
    dh1_2_left = work[at[82] : at[82] + 32 * N * T].reshape(N, T, 4, D3)
    dq1_product = work[at[83] : at[83] + 32 * N * T].reshape(N, 4, T, D3)
    dq1 = work[at[84] : at[84] + 64 * N * T].reshape(D2, N, 4, T, D3)
    dh1_1_left = work[at[85] : at[85] + 32 * N * T].reshape(N, T, 4, D3)
    dh1_1_product = work[at[86] : at[86] + 32 * N * T].reshape(N, T, D1)
    dh1_1 = work[at[87] : at[87] + 64 * N * T].reshape(D2, N, T, D1)
    dh1_2_product = work[at[88] : at[88] + 32 * N * T].reshape(N, T, D1)
    dh1_2 = work[at[89] : at[89] + 64 * N * T].reshape(D2, N, T, D1)
    dh1_3_product = work[at[90] : at[90] + 32 * N * T].reshape(N, T, D1)
    dh1_3 = work[at[91] : at[91] + 64 * N * T].reshape(D2, N, T, D1)
    dh1 = work[at[92] : at[92] + 64 * N * T].reshape(D2, N, T, D1)
    dx_h1 = work[at[93] : at[93] + 64 * N * T].reshape(D2, N, T, D1)
    dr_h1_s1 = work[at[94] : at[94] + 2 * N * T].reshape(D2, N, T)
    dm_h1_s1 = work[at[95] : at[95] + 2 * N * T].reshape(D2, N, T)
    dbo4 = gradient[32 * T + 32 * V + 8512 : 32 * T + 32 * V + 8576].reshape(D2, D1)
    db6 = gradient[32 * T + 32 * V + 25344 : 32 * T + 32 * V + 25408].reshape(D2, D1)
    db5 = gradient[32 * T + 32 * V + 16896 : 32 * T + 32 * V + 17152].reshape(D2, 4 * D1)
    dgamma4 = gradient[32 * T + 32 * V + 8576 : 32 * T + 32 * V + 8640].reshape(D2, D1)
    dWo4_left = work[at[96] : at[96] + 64 * N * T].reshape(D2, N, T, 4, D3)
    dbv3 = gradient[32 * T + 32 * V + 6400 : 32 * T + 32 * V + 6464].reshape(D2, 4, D3)
    dbk2 = gradient[32 * T + 32 * V + 4288 : 32 * T + 32 * V + 4352].reshape(D2, 4, D3)
    dbq1 = gradient[32 * T + 32 * V + 2176 : 32 * T + 32 * V + 2240].reshape(D2, 4, D3)
    dWq1_right = work[at[97] : at[97] + 64 * N * T].reshape(D2, N, T, 4, D3)
    dWk2_right = work[at[98] : at[98] + 64 * N * T].reshape(D2, N, T, 4, D3)
    dWv3_right = work[at[99] : at[99] + 64 * N * T].reshape(D2, N, T, 4, D3)
    dgamma1 = gradient[32 * T + 32 * V : 32 * T + 32 * V + 64].reshape(D2, D1)
    dbeta1 = gradient[32 * T + 32 * V + 64 : 32 * T + 32 * V + 128].reshape(D2, D1)
    dW6 = gradient[32 * T + 32 * V + 17152 : 32 * T + 32 * V + 25344].reshape(D2, 4 * D1, D1)
    dW5 = gradient[32 * T + 32 * V + 8704 : 32 * T + 32 * V + 16896].reshape(D2, D1, 4 * D1)
    dbeta4 = gradient[32 * T + 32 * V + 8640 : 32 * T + 32 * V + 8704].reshape(D2, D1)
    dWo4 = gradient[32 * T + 32 * V + 6464 : 32 * T + 32 * V + 8512].reshape(D2, 4, D3, D1)
    dWq1 = gradient[32 * T + 32 * V + 128 : 32 * T + 32 * V + 2176].reshape(D2, D1, 4, D3)
    dWk2 = gradient[32 * T + 32 * V + 2240 : 32 * T + 32 * V + 4288].reshape(D2, D1, 4, D3)
    dWv3 = gradient[32 * T + 32 * V + 4352 : 32 * T + 32 * V + 6400].reshape(D2, D1, 4, D3)
    dx1_2 = work[at[100] : at[100] + 32 * N * T].reshape(N, T, D1)
    dtokens_E_1 = work[at[101] : at[101] + 32 * V].reshape(V, D1)
    dpositions_E = gradient[32 * V : 32 * T + 32 * V].reshape(T, D1)
    dtokens_E_2 = work[at[102] : at[102] + 32 * V].reshape(V, D1)
    dtokens_E = gradient[0 : 32 * V].reshape(V, D1)
    _compute_dz(dz, z, m_z, s_loss, y, count, N, T, V)  # (45)
    _product(dz.reshape(N * T, V), tokens_E, dh6.reshape(N * T, D1))  # (46)
    _compute_dm_h6_s1(
        dgamma6, dbeta6, dx_h6, dh6, gamma6, x_h6, dr_h6_s1, dm_h6_s1, N, T
    )  # (47), (48), (49), (50), (51)
    for k in range(D2 - 1, -1, -1):
        _compute_da6(
            da6, da4, dx_h1, x_h1, dr_h1_s1, r_h1, dm_h1_s1, dx_h6, x_h6, dr_h6_s1, dm_h6_s1, r_h6, N, T, k
        )  # (52)
        _product(da6[k].reshape(N * T, D1), W6[k].T, dh5_product.reshape(N * T, 4 * D1))  # (53)
        _compute_da5(dh5, dh5_product, a5, da5, N, T, k)  # (53), (54)
        _product(da5[k].reshape(N * T, 4 * D1), W5[k].T, dh4_product.reshape(N * T, D1))  # (55)
        _compute_da4(
            dh4, dh4_product, dx_h4, gamma4, x_h4, dr_h4_s1, dm_h4_s1, da4, da6, r_h4, N, T, k
        )  # (55), (56), (57), (58), (59)
        for n in range(N):
            for l in range(4):
                _product(da4[k, n], Wo4[k, l].T, do_z4_product[n, l])  # (60)
        _compute_do_z4(do_z4, do_z4_product, N, T, k)  # (60)
        for n in range(N):
            for l in range(4):
                _product(do_z4[k, n, l], v3[k, n, l].T, dp_z4_product[n, l])  # (61)
        _compute_dS_z4(dp_z4, dp_z4_product, p_z4, ds_z4_s1, dS_z4, N, T, k)  # (61), (62), (63)
        for n in range(N):
            for l in range(4):
                _product(p_z4[k, n, l].T, do_z4[k, n, l], dv3_product[n, l])  # (64)
        _compute_z4_left(dv3, dv3_product, dh1_3_left, N, T, k)  # (64), (69)
        for n in range(N):
            for l in range(4):
                _product(dS_z4[k, n, l].T, q1[k, n, l], dk2_s1_product[n, l])  # (65)
        _compute_z4_left(dk2_s1, dk2_s1_product, dh1_2_left, N, T, k)  # (65), (68)
        for n in range(N):
            for l in range(4):
                _product(dS_z4[k, n, l], k2[k, n, l], dq1_product[n, l])  # (66)
        _compute_dh1_1_left(dq1, dq1_product, dh1_1_left, N, T, k)  # (66), (67)
        _product(
            dh1_1_left.reshape(N * T, 4 * D3), Wq1[k].reshape(D1, 4 * D3).T, dh1_1_product.reshape(N * T, D1)
        )  # (67)
        _compute_dh1_1(dh1_1, dh1_1_product, N, T, k)  # (67)
        _product(
            dh1_2_left.reshape(N * T, 4 * D3), Wk2[k].reshape(D1, 4 * D3).T, dh1_2_product.reshape(N * T, D1)
        )  # (68)
        _compute_dh1_2(dh1_2, dh1_2_product, N, T, k)  # (68)
        _product(
            dh1_3_left.reshape(N * T, 4 * D3), Wv3[k].reshape(D1, 4 * D3).T, dh1_3_product.reshape(N * T, D1)
        )  # (69)
        _compute_dm_h1_s1(
            dh1_3, dh1_3_product, dh1, dh1_1, dh1_2, dx_h1, gamma1, x_h1, dr_h1_s1, dm_h1_s1, N, T, k
        )  # (69), (70), (71), (72), (73)
    _compute_dbeta1(
        dbo4, db6, db5, dgamma4, dbv3, dbq1, dgamma1, dbeta1, da4, da6, dh4, x_h4, dh1, x_h1, da5, dWo4_left,
        o_z4, dWq1_right, dq1, dWk2_right, dk2_s1, dWv3_right, dv3, dbk2, N, T
    )  # (74), (75), (77), (79), (81), (82), (83), (84), (85), (86), (87), (88), (89)
    for k in range(D2):
        _product(h5[k].reshape(N * T, 4 * D1).T, da6[k].reshape(N * T, D1), dW6[k])  # (76)
    for k in range(D2):
        _product(h4[k].reshape(N * T, D1).T, da5[k].reshape(N * T, 4 * D1), dW5[k])  # (78)
    for k in range(D2):
        np.dot(W5[k], db5[k], dbeta4[k])  # (80)
    for k in range(D2):
        _product(
            dWo4_left[k].reshape(N * T, 4 * D3).T, da4[k].reshape(N * T, D1), dWo4[k].reshape(4 * D3, D1)
        )  # (81)
    for k in range(D2):
        _product(
            h1[k].reshape(N * T, D1).T, dWq1_right[k].reshape(N * T, 4 * D3), dWq1[k].reshape(D1, 4 * D3)
        )  # (85)
    for k in range(D2):
        _product(
            h1[k].reshape(N * T, D1).T, dWk2_right[k].reshape(N * T, 4 * D3), dWk2[k].reshape(D1, 4 * D3)
        )  # (86)
    _compute_dWk2(dWk2)  # (86)
    for k in range(D2):
        _product(
            h1[k].reshape(N * T, D1).T, dWv3_right[k].reshape(N * T, 4 * D3), dWv3[k].reshape(D1, 4 * D3)
        )  # (87)
    _compute_dpositions_E(
        dtokens_E_1, dpositions_E, dx1_2, da4, dx_h1, x_h1, dr_h1_s1, dm_h1_s1, r_h1, x, N, T, V
    )  # (90), (91), (94)
    _product(dz.reshape(N * T, V).T, h6.reshape(N * T, D1), dtokens_E_2)  # (92)
    _compute_dtokens_E(dtokens_E, dtokens_E_1, dtokens_E_2, V)  # (93)


@kernel
def _metrics(theta, work, counts, at, y, N, T, V):
    """The metrics: equations (95) to (97)."""
    z = work[at[51] : at[51] + N * T * V].reshape(N, T, V)
    best = counts[at[103] : at[103] + N * T].reshape(N, T)
    wrong = work[at[104] : at[104] + N]
    exact = work[at[105] : at[105] + 1]
    _compute_exact(z, best, y, wrong, exact, N, T, V)  # (95), (96), (97)


@kernel
def _compute_x1_2(x1, tokens_E, x, x1_2, positions_E, N, T):
    """Equations (1), (2)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                x1[n, t, j] = tokens_E[x[n, t], j]  # (1)
                x1_2[n, t, j] = x1[n, t, j] + positions_E[t, j]  # (2)


@kernel
def _compute_h1(a6, x1_2, m_h1, c_h1, v_h1, r_h1, x_h1, h1, gamma1, beta1, N, T, k):
    """Equations (3) to (8)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            m_h1_sum = 0.0
            for j in range(D1):
                m_h1_sum += (a6[k - 1, n, t, j] if k >= 1 else x1_2[n, t, j]) / D1  # (3)
            m_h1[k, n, t] = m_h1_sum
            v_h1_sum = 0.0
            for j in range(D1):
                c_h1[k, n, t, j] = (a6[k - 1, n, t, j] if k >= 1 else x1_2[n, t, j]) - m_h1[k, n, t]  # (4)
                v_h1_sum += c_h1[k, n, t, j] * c_h1[k, n, t, j] / D1  # (5)
            v_h1[k, n, t] = v_h1_sum
            r_h1[k, n, t] = 1 / math.sqrt(v_h1[k, n, t] + 1e-5)  # (6)
            for j in range(D1):
                x_h1[k, n, t, j] = c_h1[k, n, t, j] * r_h1[k, n, t]  # (7)
                h1[k, n, t, j] = x_h1[k, n, t, j] * gamma1[k, j] + beta1[k, j]  # (8)


@kernel
def _compute_z3_right(z1_right, Wq1, z2_right, Wk2, z3_right, Wv3, k):
    """Equations (9), (11), (13)."""
    _disjoint()
    for l in range(4):
        for j in range(D1):
            for m in range(D3):
                z1_right[l, j, m] = Wq1[k, j, l, m]  # (9)
                z2_right[l, j, m] = Wk2[k, j, l, m]  # (11)
                z3_right[l, j, m] = Wv3[k, j, l, m]  # (13)


@kernel
def _compute_q1(z1, z1_product, q1, bq1, N, T, k):
    """Equations (9) to (14)."""
    _disjoint()
    for n in range(N):
        for l in range(4):
            for t in range(T):
                for m in range(D3):
                    z1[k, n, l, t, m] = z1_product[n, l, t, m]  # (9), (11), (13)
                    q1[k, n, l, t, m] = z1[k, n, l, t, m] + bq1[k, l, m]  # (10), (12), (14)


@kernel
def _compute_p_z4(S_z4, S_z4_product, m_S_z4, e_z4, s_z4, p_z4, N, T, k):
    """Equations (15) to (19)."""
    _disjoint()
    for n in range(N):
        for l in range(4):
            for t in range(T):
                m_S_z4_max = -np.inf
                for i in range(T):
                    S_z4[k, n, l, t, i] = S_z4_product[n, l, t, i] / math.sqrt(D3)  # (15)
                    if i <= t:
                        m_S_z4_max = _larger(m_S_z4_max, S_z4[k, n, l, t, i])  # (16)
                m_S_z4[k, n, l, t] = m_S_z4_max
                s_z4_sum = 0.0
                for i in range(T):
                    e_z4[k, n, l, t, i] = (_exp(S_z4[k, n, l, t, i] - m_S_z4[k, n, l, t]) if i <= t else 0.0)  # (17)
                    s_z4_sum += e_z4[k, n, l, t, i]  # (18)
                s_z4[k, n, l, t] = s_z4_sum
                for i in range(T):
                    p_z4[k, n, l, t, i] = e_z4[k, n, l, t, i] / s_z4[k, n, l, t]  # (19)


@kernel
def _compute_z4_left(o_z4, o_z4_product, z4_left, N, T, k):
    """Equations (20), (21), (64), (65), (68), (69)."""
    _disjoint()
    for n in range(N):
        for l in range(4):
            for t in range(T):
                for m in range(D3):
                    o_z4[k, n, l, t, m] = o_z4_product[n, l, t, m]  # (20), (64), (65)
                    z4_left[n, t, l, m] = o_z4[k, n, l, t, m]  # (21), (68), (69)


@kernel
def _compute_h4(z4, z4_product, a4, a6, x1_2, bo4, m_h4, c_h4, v_h4, r_h4, x_h4, h4, gamma4, beta4, N, T, k):
    """Equations (21) to (28)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            m_h4_sum = 0.0
            for j in range(D1):
                z4[k, n, t, j] = z4_product[n, t, j]  # (21)
                a4[k, n, t, j] = (a6[k - 1, n, t, j] if k >= 1 else x1_2[n, t, j]) + z4[k, n, t, j] + bo4[k, j]  # (22)
                m_h4_sum += a4[k, n, t, j] / D1  # (23)
            m_h4[k, n, t] = m_h4_sum
            v_h4_sum = 0.0
            for j in range(D1):
                c_h4[k, n, t, j] = a4[k, n, t, j] - m_h4[k, n, t]  # (24)
                v_h4_sum += c_h4[k, n, t, j] * c_h4[k, n, t, j] / D1  # (25)
            v_h4[k, n, t] = v_h4_sum
            r_h4[k, n, t] = 1 / math.sqrt(v_h4[k, n, t] + 1e-5)  # (26)
            for j in range(D1):
                x_h4[k, n, t, j] = c_h4[k, n, t, j] * r_h4[k, n, t]  # (27)
                h4[k, n, t, j] = x_h4[k, n, t, j] * gamma4[k, j] + beta4[k, j]  # (28)


@kernel
def _compute_h5(z5, z5_product, a5, b5, h5, N, T, k):
    """Equations (29) to (31)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for q in range(4 * D1):
                z5[k, n, t, q] = z5_product[n, t, q]  # (29)
                a5[k, n, t, q] = z5[k, n, t, q] + b5[k, q]  # (30)
                h5[k, n, t, q] = (
                    (_tanh(0.7978845608028654
                    * (0.044715 * (a5[k, n, t, q] * a5[k, n, t, q] * a5[k, n, t, q]) + a5[k, n, t, q])) + 1)
                    * a5[k, n, t, q] / 2
                )  # (31)


@kernel
def _compute_a6(z6, z6_product, a6, a4, b6, N, T, k):
    """Equations (32), (33)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                z6[k, n, t, j] = z6_product[n, t, j]  # (32)
                a6[k, n, t, j] = a4[k, n, t, j] + z6[k, n, t, j] + b6[k, j]  # (33)


@kernel
def _compute_h6(a6, m_h6, c_h6, v_h6, r_h6, x_h6, h6, gamma6, beta6, N, T):
    """Equations (34) to (39)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            m_h6_sum = 0.0
            for j in range(D1):
                m_h6_sum += a6[D2 - 1, n, t, j] / D1  # (34)
            m_h6[n, t] = m_h6_sum
            v_h6_sum = 0.0
            for j in range(D1):
                c_h6[n, t, j] = a6[D2 - 1, n, t, j] - m_h6[n, t]  # (35)
                v_h6_sum += c_h6[n, t, j] * c_h6[n, t, j] / D1  # (36)
            v_h6[n, t] = v_h6_sum
            r_h6[n, t] = 1 / math.sqrt(v_h6[n, t] + 1e-5)  # (37)
            for j in range(D1):
                x_h6[n, t, j] = c_h6[n, t, j] * r_h6[n, t]  # (38)
                h6[n, t, j] = x_h6[n, t, j] * gamma6[j] + beta6[j]  # (39)


@kernel
def _compute_count(z, m_z, s_loss, y, count, N, T, V):
    """Equations (41) to (43)."""
    _disjoint()
    count_sum = 0.0
    for n in range(N):
        for t in range(T):
            m_z_max = -np.inf
            for i in range(V):
                m_z_max = _larger(m_z_max, z[n, t, i])  # (41)
            m_z[n, t] = m_z_max
            s_loss_sum = 0.0
            for i in range(V):
                s_loss_sum += _exp(z[n, t, i] - m_z[n, t])  # (42)
            s_loss[n, t] = s_loss_sum
            if y[n, t] != 0:
                count_sum += 1.0  # (43)
    count[0] = count_sum


@kernel
def _compute_loss(y, m_z, z, s_loss, count, loss, N, T):
    """Equation (44)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(N):
        for t in range(T):
            if y[n, t] != 0:
                loss_sum += (m_z[n, t] - z[n, t, y[n, t]] + _log(s_loss[n, t])) / count[0]  # (44)
    loss[0] = loss_sum


@kernel
def _compute_dz(dz, z, m_z, s_loss, y, count, N, T, V):
    """Equation (45)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for i in range(V):
                dz[n, t, i] = (
                    ((_exp(z[n, t, i] - m_z[n, t]) / s_loss[n, t] - (1.0 if i == y[n, t] else 0.0))
                    / count[0] if y[n, t] != 0 else 0.0)
                )  # (45)


@kernel
def _compute_dm_h6_s1(dgamma6, dbeta6, dx_h6, dh6, gamma6, x_h6, dr_h6_s1, dm_h6_s1, N, T):
    """Equations (47) to (51)."""
    _disjoint()
    dgamma6[:] = 0.0
    dbeta6[:] = 0.0
    for n in range(N):
        for t in range(T):
            dr_h6_s1_sum = 0.0
            dm_h6_s1_sum = 0.0
            for j in range(D1):
                dx_h6[n, t, j] = dh6[n, t, j] * gamma6[j]  # (47)
                dgamma6[j] += dh6[n, t, j] * x_h6[n, t, j]  # (48)
                dbeta6[j] += dh6[n, t, j]  # (49)
                dr_h6_s1_sum += dx_h6[n, t, j] * x_h6[n, t, j]  # (50)
                dm_h6_s1_sum += dx_h6[n, t, j]  # (51)
            dr_h6_s1[n, t] = dr_h6_s1_sum
            dm_h6_s1[n, t] = dm_h6_s1_sum


@kernel
def _compute_da6(
    da6, da4, dx_h1, x_h1, dr_h1_s1, r_h1, dm_h1_s1, dx_h6, x_h6, dr_h6_s1, dm_h6_s1, r_h6, N, T, k,
):
    """Equation (52)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                da6[k, n, t, j] = (
                    (da4[k + 1, n, t, j]
                    + (dx_h1[k + 1, n, t, j] - x_h1[k + 1, n, t, j] * dr_h1_s1[k + 1, n, t] / D1)
                    * r_h1[k + 1, n, t] - dm_h1_s1[k + 1, n, t] * r_h1[k + 1, n, t] / D1 if k
                    + 2 <= D2 else 0.0)
                    + ((dx_h6[n, t, j] - x_h6[n, t, j] * dr_h6_s1[n, t] / D1 - dm_h6_s1[n, t] / D1)
                    * r_h6[n, t] if D2 == k + 1 else 0.0)
                )  # (52)


@kernel
def _compute_da5(dh5, dh5_product, a5, da5, N, T, k):
    """Equations (53), (54)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for q in range(4 * D1):
                dh5[k, n, t, q] = dh5_product[n, t, q]  # (53)
                u1 = (
                    _tanh(0.7978845608028654
                    * (0.044715 * (a5[k, n, t, q] * a5[k, n, t, q] * a5[k, n, t, q]) + a5[k, n, t, q]))
                )  # (54)
                da5[k, n, t, q] = (
                    (0.7978845608028654 * (0.134145 * (a5[k, n, t, q] * a5[k, n, t, q]) + 1) * (1 - u1 * u1)
                    * a5[k, n, t, q] + u1 + 1) * dh5[k, n, t, q] / 2
                )  # (54)


@kernel
def _compute_da4(dh4, dh4_product, dx_h4, gamma4, x_h4, dr_h4_s1, dm_h4_s1, da4, da6, r_h4, N, T, k):
    """Equations (55) to (59)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            dr_h4_s1_sum = 0.0
            dm_h4_s1_sum = 0.0
            for j in range(D1):
                dh4[k, n, t, j] = dh4_product[n, t, j]  # (55)
                dx_h4[k, n, t, j] = dh4[k, n, t, j] * gamma4[k, j]  # (56)
                dr_h4_s1_sum += dx_h4[k, n, t, j] * x_h4[k, n, t, j]  # (57)
                dm_h4_s1_sum += dx_h4[k, n, t, j]  # (58)
            dr_h4_s1[k, n, t] = dr_h4_s1_sum
            dm_h4_s1[k, n, t] = dm_h4_s1_sum
            for j in range(D1):
                da4[k, n, t, j] = (
                    da6[k, n, t, j]
                    + (dx_h4[k, n, t, j] - x_h4[k, n, t, j] * dr_h4_s1[k, n, t] / D1 - dm_h4_s1[k, n, t] / D1)
                    * r_h4[k, n, t]
                )  # (59)


@kernel
def _compute_do_z4(do_z4, do_z4_product, N, T, k):
    """Equation (60)."""
    _disjoint()
    for n in range(N):
        for l in range(4):
            for t in range(T):
                for m in range(D3):
                    do_z4[k, n, l, t, m] = do_z4_product[n, l, t, m]  # (60)


@kernel
def _compute_dS_z4(dp_z4, dp_z4_product, p_z4, ds_z4_s1, dS_z4, N, T, k):
    """Equations (61) to (63)."""
    _disjoint()
    for n in range(N):
        for l in range(4):
            for t in range(T):
                ds_z4_s1_sum = 0.0
                for i in range(T):
                    dp_z4[k, n, l, t, i] = dp_z4_product[n, l, t, i]  # (61)
                    ds_z4_s1_sum += dp_z4[k, n, l, t, i] * p_z4[k, n, l, t, i]  # (62)
                ds_z4_s1[k, n, l, t] = ds_z4_s1_sum
                for i in range(T):
                    dS_z4[k, n, l, t, i] = (dp_z4[k, n, l, t, i] - ds_z4_s1[k, n, l, t]) * p_z4[k, n, l, t, i]  # (63)


@kernel
def _compute_dh1_1_left(dq1, dq1_product, dh1_1_left, N, T, k):
    """Equations (66), (67)."""
    _disjoint()
    for n in range(N):
        for l in range(4):
            for t in range(T):
                for m in range(D3):
                    dq1[k, n, l, t, m] = dq1_product[n, l, t, m] / math.sqrt(D3)  # (66)
                    dh1_1_left[n, t, l, m] = dq1[k, n, l, t, m]  # (67)


@kernel
def _compute_dh1_1(dh1_1, dh1_1_product, N, T, k):
    """Equation (67)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                dh1_1[k, n, t, j] = dh1_1_product[n, t, j]  # (67)


@kernel
def _compute_dh1_2(dh1_2, dh1_2_product, N, T, k):
    """Equation (68)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                dh1_2[k, n, t, j] = dh1_2_product[n, t, j] / math.sqrt(D3)  # (68)


@kernel
def _compute_dm_h1_s1(
    dh1_3, dh1_3_product, dh1, dh1_1, dh1_2, dx_h1, gamma1, x_h1, dr_h1_s1, dm_h1_s1, N, T, k,
):
    """Equations (69) to (73)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            dr_h1_s1_sum = 0.0
            dm_h1_s1_sum = 0.0
            for j in range(D1):
                dh1_3[k, n, t, j] = dh1_3_product[n, t, j]  # (69)
                dh1[k, n, t, j] = dh1_1[k, n, t, j] + dh1_2[k, n, t, j] + dh1_3[k, n, t, j]  # (70)
                dx_h1[k, n, t, j] = dh1[k, n, t, j] * gamma1[k, j]  # (71)
                dr_h1_s1_sum += dx_h1[k, n, t, j] * x_h1[k, n, t, j]  # (72)
                dm_h1_s1_sum += dx_h1[k, n, t, j]  # (73)
            dr_h1_s1[k, n, t] = dr_h1_s1_sum
            dm_h1_s1[k, n, t] = dm_h1_s1_sum


@kernel
def _compute_dbeta1(
    dbo4, db6, db5, dgamma4, dbv3, dbq1, dgamma1, dbeta1, da4, da6, dh4, x_h4, dh1, x_h1, da5, dWo4_left,
    o_z4, dWq1_right, dq1, dWk2_right, dk2_s1, dWv3_right, dv3, dbk2, N, T,
):
    """Equations (74), (75), (77), (79), (81) to (89)."""
    _disjoint()
    for k in range(D2):
        dbo4[k, :] = 0.0
        db6[k, :] = 0.0
        db5[k, :] = 0.0
        dgamma4[k, :] = 0.0
        dbv3[k, :, :] = 0.0
        dbq1[k, :, :] = 0.0
        dgamma1[k, :] = 0.0
        dbeta1[k, :] = 0.0
        for n in range(N):
            for t in range(T):
                for j in range(D1):
                    dbo4[k, j] += da4[k, n, t, j]  # (74)
                    db6[k, j] += da6[k, n, t, j]  # (75)
                    dgamma4[k, j] += dh4[k, n, t, j] * x_h4[k, n, t, j]  # (79)
                    dgamma1[k, j] += dh1[k, n, t, j] * x_h1[k, n, t, j]  # (88)
                    dbeta1[k, j] += dh1[k, n, t, j]  # (89)
                for q in range(4 * D1):
                    db5[k, q] += da5[k, n, t, q]  # (77)
                for l in range(4):
                    for m in range(D3):
                        dWo4_left[k, n, t, l, m] = o_z4[k, n, l, t, m]  # (81)
                        dWq1_right[k, n, t, l, m] = dq1[k, n, l, t, m]  # (85)
                        dWk2_right[k, n, t, l, m] = dk2_s1[k, n, l, t, m]  # (86)
                        dWv3_right[k, n, t, l, m] = dv3[k, n, l, t, m]  # (87)
            for l in range(4):
                for t in range(T):
                    for m in range(D3):
                        dbv3[k, l, m] += dv3[k, n, l, t, m]  # (82)
                        dbq1[k, l, m] += dq1[k, n, l, t, m]  # (84)
        for l in range(4):
            for m in range(D3):
                dbk2[k, l, m] = 0.0  # (83)


@kernel
def _compute_dWk2(dWk2):
    """Equation (86)."""
    _disjoint()
    for k in range(D2):
        for j in range(D1):
            for l in range(4):
                for m in range(D3):
                    dWk2[k, j, l, m] *= 1 / math.sqrt(D3)  # (86)


@kernel
def _compute_dpositions_E(
    dtokens_E_1, dpositions_E, dx1_2, da4, dx_h1, x_h1, dr_h1_s1, dm_h1_s1, r_h1, x, N, T, V,
):
    """Equations (90), (91), (94)."""
    _disjoint()
    dtokens_E_1[:, :] = 0.0
    dpositions_E[:, :] = 0.0
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                dx1_2[n, t, j] = (
                    da4[0, n, t, j]
                    + (dx_h1[0, n, t, j] - x_h1[0, n, t, j] * dr_h1_s1[0, n, t] / D1 - dm_h1_s1[0, n, t] / D1)
                    * r_h1[0, n, t]
                )  # (90)
                if x[n, t] + 1 <= V and x[n, t] >= 0:
                    dtokens_E_1[x[n, t], j] += dx1_2[n, t, j]  # (91)
                dpositions_E[t, j] += dx1_2[n, t, j]  # (94)


@kernel
def _compute_dtokens_E(dtokens_E, dtokens_E_1, dtokens_E_2, V):
    """Equation (93)."""
    _disjoint()
    for i in range(V):
        for j in range(D1):
            dtokens_E[i, j] = dtokens_E_1[i, j] + dtokens_E_2[i, j]  # (93)


@kernel
def _compute_exact(z, best, y, wrong, exact, N, T, V):
    """Equations (95) to (97)."""
    _disjoint()
    exact_sum = 0.0
    for n in range(N):
        wrong_sum = 0.0
        for t in range(T):
            best_argmax = -np.inf
            best_at = -1
            for i in range(V):
                if best_at < 0 or z[n, t, i] > best_argmax:  # (95)
                    best_argmax, best_at = z[n, t, i], i
            best[n, t] = best_at
            if best[n, t] != y[n, t] and y[n, t] != 0:
                wrong_sum += 1.0  # (96)
        wrong[n] = wrong_sum
        if wrong[n] == 0:
            exact_sum += float(1 / N)  # (97)
    exact[0] = exact_sum


@kernel
def _update(theta, gradient, m, v, step, lr, beta1, beta2, eps, weight_decay, clip_norm):
    """AdamW: one step over all parameters, in place."""
    _disjoint()
    rate = (
        ((float(1 / 10) if step >= 875 else 0.05
        * (9 * math.cos(0.004053667940115862 * (step - 100)) + 11)) if step >= 100 else 0.01 * step) * lr
    )  # (U1)
    g_squares = 0.0
    for i in range(len(theta)):
        g_squares += gradient[i] * gradient[i]  # (U2)
    g_norm = math.sqrt(g_squares)  # (U3)
    g_scale = (clip_norm / g_norm if clip_norm < g_norm else 1.0)  # (U4)
    c1 = 1 - beta1  # (U6)
    c2 = 1 - beta2  # (U7)
    c3 = 1 - rate * weight_decay  # (U8)
    c4 = 1 - beta1**step  # (U8)
    c5 = 1 - beta2**step  # (U8)
    for i in range(len(theta)):
        g_clipped = g_scale * gradient[i]  # (U5)
        m_next = c1 * g_clipped + beta1 * m[i]  # (U6)
        v_next = c2 * (g_clipped * g_clipped) + beta2 * v[i]  # (U7)
        theta_next = c3 * theta[i] - rate * m_next / (c4 * (math.sqrt(v_next / c5) + eps))  # (U8)
        m[i] = m_next
        v[i] = v_next
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, x, y, N, T, V):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, N, T, V)
    _loss(theta, work, counts, at, y, N, T, V)
    _metrics(theta, work, counts, at, y, N, T, V)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, N, T, V):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, N, T, V)
    _loss(theta, work, counts, at, y, N, T, V)
    _backward(theta, gradient, work, counts, at, x, y, N, T, V)
    return work[at[55]]


@kernel
def _train_step(
    theta, gradient, m, v, step_, lr, beta1_, beta2, eps, weight_decay, clip_norm, work, counts, at, x, y, N,
    T, V,
):
    """A whole step; the update is left out if the loss or a gradient is not finite."""
    _forward(theta, work, counts, at, x, N, T, V)
    _loss(theta, work, counts, at, y, N, T, V)
    _backward(theta, gradient, work, counts, at, x, y, N, T, V)
    loss = work[at[55]]
    finite = math.isfinite(loss) and _all_finite(gradient)
    if finite:
        _update(theta, gradient, m, v, step_, lr, beta1_, beta2, eps, weight_decay, clip_norm)
    return loss, finite


def _places(N, T, V):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x1": (0, 16, (N, T, D1)),
        "x1_2": (0, 1984 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "m_h1": (0, 2032 * N * T + 28 * N * T**2 + 16, (D2, N, T)),
        "c_h1": (0, 28 * N * T**2 + 896 * N * T + 16, (D2, N, T, D1)),
        "v_h1": (0, 2034 * N * T + 28 * N * T**2 + 16, (D2, N, T)),
        "r_h1": (0, 2600 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "x_h1": (0, 1152 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "h1": (0, 1216 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "z1_right": (0, 2604 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (4, D1, D3)),
        "z2_right": (0, 2604 * N * T + 28 * N * T**2 + 2 * N * T * V + 1040, (4, D1, D3)),
        "z3_right": (0, 2604 * N * T + 28 * N * T**2 + 2 * N * T * V + 2064, (4, D1, D3)),
        "z1_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, 4, T, D3)),
        "z1": (0, 28 * N * T**2 + 960 * N * T + 16, (D2, N, 4, T, D3)),
        "q1": (0, 1280 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "z2_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, 4, T, D3)),
        "z2": (0, 1024 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "k2": (0, 1344 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "z3_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, 4, T, D3)),
        "z3": (0, 1088 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "v3": (0, 1408 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "S_z4_product": (0, 24 * N * T**2 + 16, (N, 4, T, T)),
        "S_z4": (0, 16, (D2, N, 4, T, T)),
        "m_S_z4": (0, 2016 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T)),
        "e_z4": (0, 8 * N * T**2 + 16, (D2, N, 4, T, T)),
        "s_z4": (0, 2024 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T)),
        "p_z4": (0, 16 * N * T**2 + 16, (D2, N, 4, T, T)),
        "o_z4_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, 4, T, D3)),
        "o_z4": (0, 1472 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "z4_left": (0, 28 * N * T**2 + 800 * N * T + 16, (N, T, 4, D3)),
        "z4_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, T, D1)),
        "z4": (0, 1536 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "a4": (0, 1600 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "m_h4": (0, 2036 * N * T + 28 * N * T**2 + 16, (D2, N, T)),
        "c_h4": (0, 1664 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "v_h4": (0, 2038 * N * T + 28 * N * T**2 + 16, (D2, N, T)),
        "r_h4": (0, 2602 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "x_h4": (0, 1728 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "h4": (0, 1792 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "z5_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, T, 4 * D1)),
        "z5": (0, 28 * N * T**2 + 16, (D2, N, T, 4 * D1)),
        "a5": (0, 256 * N * T + 28 * N * T**2 + 16, (D2, N, T, 4 * D1)),
        "h5": (0, 28 * N * T**2 + 512 * N * T + 16, (D2, N, T, 4 * D1)),
        "z6_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, T, D1)),
        "z6": (0, 1856 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "a6": (0, 1920 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "m_h6": (0, 16, (N, T)),
        "c_h6": (0, 24 * N * T**2 + 16, (N, T, D1)),
        "v_h6": (0, N * T + 16, (N, T)),
        "r_h6": (0, 2612 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T)),
        "x_h6": (0, 2496 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T, D1)),
        "h6": (0, 2528 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T, D1)),
        "z": (0, 1856 * N * T + 28 * N * T**2 + 16, (N, T, V)),
        "m_z": (0, 16, (N, T)),
        "s_loss": (0, N * T + 16, (N, T)),
        "count": (0, 0, ()),
        "loss": (0, 1, ()),
        "dz": (0, 1856 * N * T + 28 * N * T**2 + N * T * V + 16, (N, T, V)),
        "dh6": (0, 24 * N * T**2 + 16, (N, T, D1)),
        "dx_h6": (0, 2560 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T, D1)),
        "dr_h6_s1": (0, 1856 * N * T + 28 * N * T**2 + 16, (N, T)),
        "dm_h6_s1": (0, 2613 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T)),
        "da6": (0, 1536 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "dh5_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, 4 * D1)),
        "dh5": (0, 24 * N * T**2 + 16, (D2, N, T, 4 * D1)),
        "da5": (0, 28 * N * T**2 + 768 * N * T + 16, (D2, N, T, 4 * D1)),
        "dh4_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "dh4": (0, 1600 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "dx_h4": (0, 1664 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "dr_h4_s1": (0, 2604 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "dm_h4_s1": (0, 2606 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "da4": (0, 1856 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "do_z4_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, 4, T, D3)),
        "do_z4": (0, 1920 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T, D3)),
        "dp_z4_product": (0, 24 * N * T**2 + 256 * N * T + 16, (N, 4, T, T)),
        "dp_z4": (0, 16, (D2, N, 4, T, T)),
        "ds_z4_s1": (0, 2592 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T)),
        "dS_z4": (0, 8 * N * T**2 + 16, (D2, N, 4, T, T)),
        "dv3_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, 4, T, D3)),
        "dv3": (0, 1984 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T, D3)),
        "dh1_3_left": (0, 1056 * N * T + 28 * N * T**2 + 16, (N, T, 4, D3)),
        "dk2_s1_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, 4, T, D3)),
        "dk2_s1": (0, 2048 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T, D3)),
        "dh1_2_left": (0, 1088 * N * T + 28 * N * T**2 + 16, (N, T, 4, D3)),
        "dq1_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, 4, T, D3)),
        "dq1": (0, 2112 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T, D3)),
        "dh1_1_left": (0, 1120 * N * T + 28 * N * T**2 + 16, (N, T, 4, D3)),
        "dh1_1_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "dh1_1": (0, 2176 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dh1_2_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "dh1_2": (0, 2240 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dh1_3_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "dh1_3": (0, 2304 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dh1": (0, 2368 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dx_h1": (0, 2432 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dr_h1_s1": (0, 2608 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "dm_h1_s1": (0, 2610 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "dWo4_left": (0, 16, (D2, N, T, 4, D3)),
        "dWq1_right": (0, 64 * N * T + 16, (D2, N, T, 4, D3)),
        "dWk2_right": (0, 128 * N * T + 16, (D2, N, T, 4, D3)),
        "dWv3_right": (0, 192 * N * T + 16, (D2, N, T, 4, D3)),
        "dx1_2": (0, 16, (N, T, D1)),
        "dtokens_E_1": (0, 2612 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (V, D1)),
        "dtokens_E_2": (0, 2612 * N * T + 28 * N * T**2 + 2 * N * T * V + 32 * V + 16, (V, D1)),
        "best": (1, 0, (N, T)),
        "wrong": (0, N * T + 16, (N,)),
        "exact": (0, 0, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    T = sizes["T"]
    V = sizes["V"]
    return {
        # the author's choice
        "tokens_E": 0.02 * rng.standard_normal((V, D1)),
        "positions_E": 0.02 * rng.standard_normal((T, D1)),
        "gamma1": np.full((D2, D1), 1),
        # an offset needs no asymmetry to learn
        "beta1": np.zeros((D2, D1)),
        # the author's choice
        "Wq1": 0.02 * rng.standard_normal((D2, D1, 4, D3)),
        # an offset needs no asymmetry to learn
        "bq1": np.zeros((D2, 4, D3)),
        # the author's choice
        "Wk2": 0.02 * rng.standard_normal((D2, D1, 4, D3)),
        # an offset needs no asymmetry to learn
        "bk2": np.zeros((D2, 4, D3)),
        # the author's choice
        "Wv3": 0.02 * rng.standard_normal((D2, D1, 4, D3)),
        # an offset needs no asymmetry to learn
        "bv3": np.zeros((D2, 4, D3)),
        # the author's choice
        "Wo4": 0.02 * rng.standard_normal((D2, 4, D3, D1)),
        # an offset needs no asymmetry to learn
        "bo4": np.zeros((D2, D1)),
        # the author's choice
        "gamma4": np.full((D2, D1), 1),
        # an offset needs no asymmetry to learn
        "beta4": np.zeros((D2, D1)),
        # the author's choice
        "W5": 0.02 * rng.standard_normal((D2, D1, 4 * D1)),
        # an offset needs no asymmetry to learn
        "b5": np.zeros((D2, 4 * D1)),
        # the author's choice
        "W6": 0.02 * rng.standard_normal((D2, 4 * D1, D1)),
        # an offset needs no asymmetry to learn
        "b6": np.zeros((D2, D1)),
        # the author's choice
        "gamma6": np.full(D1, 1),
        # an offset needs no asymmetry to learn
        "beta6": np.zeros(D1),
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
    _loss_and_gradients(params.flat, gradients.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    _compile()
    memory = _memory(sizes, state.workspace)
    moments = (arena.flat for arena in state.moments.values())
    hyper = (state.hyper[name] for name in HYPER)
    loss, finite = _train_step(
        state.params.flat, state.gradients.flat, *moments, state.step + 1, *hyper,
        *memory.arrays, *data.values(), *memory.sizes,
    )  # fmt: skip
    state.step += bool(finite)
    return float(loss), bool(finite)


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
