"""attention: a network that trains in NumPy.

Derived from the network attention; float64. It reads x(T, D), y(T, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   q[n,i] = Σ_j x[n,j]·Wq[j,i]
    (2)   k[n,i] = Σ_j x[n,j]·Wk[j,i]
    (3)   v[n,i] = Σ_j x[n,j]·Wv[j,i]
    (4)   z4[n,j] = Σ_i q[n,i]·k[j,i]
    (5)   s[n,i] = z4[n,i]/sqrt(D)
    (6)   m_s[n] = max_i s[n,i]
    (7)   e_p[n,i] = exp(s[n,i] - m_s[n])
    (8)   s_p[n] = Σ_i e_p[n,i]
    (9)   p[n,i] = e_p[n,i]/s_p[n]
    (10)  o[n,i] = Σ_j p[n,j]·v[j,i]
    (11)  s_loss = Σ_n,i (o[n,i] - y[n,i])²
    (12)  loss = s_loss/2
    (13)  do[n,i] = o[n,i] - y[n,i]
    (14)  dp[n,i] = Σ_i2 do[n,i2]·v[i,i2]
    (15)  ds_p_s1[n] = Σ_i dp[n,i]·p[n,i]
    (16)  dz4[n,j] = (dp[n,j] - ds_p_s1[n])·p[n,j]/sqrt(D)
    (17)  dv[n,i] = Σ_n2 p[n2,n]·do[n2,i]
    (18)  dWv[j,i] = Σ_n x[n,j]·dv[n,i]
    (19)  dk[n,i] = Σ_n2 dz4[n2,n]·q[n2,i]
    (20)  dWk[j,i] = Σ_n x[n,j]·dk[n,i]
    (21)  dq[n,i] = Σ_j dz4[n,j]·k[j,i]
    (22)  dWq[j,i] = Σ_n x[n,j]·dq[n,i]

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: T = 3, D = 2.
One training step takes, with each array read and written once per kernel:

    flops      1 + 12·D·T² + 12·T·D² + 4·D·T + 16·T²
             = 529
    bytes      24 + 240·D·T + 152·T² + 48·D² + 48·T
             = 3,168
    workspace  416 bytes
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
OPEN_SIZES = ()
POSITIONS = ()
ONES = ("ones_T",)
T, D = 3, 2
NAME = "attention"
SIZES = {"T": T, "D": D}
PARAMETERS = {"Wq": ("D", "D"), "Wk": ("D", "D"), "Wv": ("D", "D")}
INPUTS = {"x": ("T", "D"), "y": ("T", "D")}
INTEGERS = {}
FACTS = {}
FORWARD_INPUTS = ("x",)
OUTPUTS, LOSS = ("p", "o"), "loss"
METRICS = ()
BATCH = None
GRADIENTS = {"Wq": "dWq", "Wk": "dWk", "Wv": "dWv"}
EQUATIONS = {
    1: "q", 2: "k", 3: "v", 4: "z4", 5: "s", 6: "m_s", 7: "e_p", 8: "s_p", 9: "p", 10: "o", 11: "s_loss",
    12: "loss", 13: "do", 14: "dp", 15: "ds_p_s1", 16: "dz4", 17: "dv", 18: "dWv", 19: "dk", 20: "dWk",
    21: "dq", 22: "dWq",
}
MOMENTS = ("m", "v")
HYPER = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray


# ---- The network ----


def _forward(params, tensors):
    """The outputs: equations (1) to (10)."""
    Wq, Wk, Wv = params["Wq"], params["Wk"], params["Wv"]
    q, k, v, z4 = tensors["q"], tensors["k"], tensors["v"], tensors["z4"]
    s, m_s, e_p, s_p = tensors["s"], tensors["m_s"], tensors["e_p"], tensors["s_p"]
    p, o = tensors["p"], tensors["o"]
    ones_T = tensors["ones_T"]
    k_T = k.T
    c1 = np.array(math.sqrt(D), DTYPE)  # (5)
    m_s_column = m_s[:, None]
    s_p_column = s_p[:, None]

    def run(data):
        x = data["x"]
        np.dot(x, Wq, out=q)  # (1)
        np.dot(x, Wk, out=k)  # (2)
        np.dot(x, Wv, out=v)  # (3)
        np.dot(q, k_T, out=z4)  # (4)
        np.divide(z4, c1, out=s)  # (5)
        s.max(1, out=m_s)  # (6)
        np.subtract(s, m_s_column, out=e_p)  # (7)
        np.exp(e_p, out=e_p)  # (7)
        np.dot(e_p, ones_T, out=s_p)  # (8)
        np.divide(e_p, s_p_column, out=p)  # (9)
        np.dot(p, v, out=o)  # (10)

    return run


def _loss(params, tensors):
    """The loss: equations (11) to (12)."""
    o, o_minus_y, s_loss, loss = tensors["o"], tensors["o_minus_y"], tensors["s_loss"], tensors["loss"]

    def run(data):
        y = data["y"]
        np.subtract(o, y, out=o_minus_y)  # (11)
        s_loss[...] = np.vdot(o_minus_y, o_minus_y)  # (11)
        loss[...] = s_loss / 2  # (12)

    return run


def _backward(params, tensors, gradients):
    """The gradients: equations (13) to (22)."""
    q, k, v, p = tensors["q"], tensors["k"], tensors["v"], tensors["p"]
    o_minus_y, do, dp, ds_p_s1 = tensors["o_minus_y"], tensors["do"], tensors["dp"], tensors["ds_p_s1"]
    dz4, dv, dk, dq = tensors["dz4"], tensors["dv"], tensors["dk"], tensors["dq"]
    dWq, dWk, dWv = gradients["Wq"], gradients["Wk"], gradients["Wv"]
    t_TT, ones_T = tensors["t_TT"], tensors["ones_T"]
    v_T = v.T
    ds_p_s1_column = ds_p_s1[:, None]
    c1 = np.array(math.sqrt(D), DTYPE)  # (16)
    p_T = p.T
    dz4_T = dz4.T

    def run(data):
        x = data["x"]
        np.copyto(do, o_minus_y)  # (13)
        np.dot(do, v_T, out=dp)  # (14)
        np.multiply(dp, p, out=t_TT)  # (15)
        np.dot(t_TT, ones_T, out=ds_p_s1)  # (15)
        np.subtract(dp, ds_p_s1_column, out=dz4)  # (16)
        np.multiply(dz4, p, out=dz4)  # (16)
        np.divide(dz4, c1, out=dz4)  # (16)
        np.dot(p_T, do, out=dv)  # (17)
        np.dot(x.T, dv, out=dWv)  # (18)
        np.dot(dz4_T, q, out=dk)  # (19)
        np.dot(x.T, dk, out=dWk)  # (20)
        np.dot(dz4, k, out=dq)  # (21)
        np.dot(x.T, dq, out=dWq)  # (22)

    return run


def _metrics(params, tensors):
    """No metrics."""

    def run(data):
        pass

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


def _places():
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "q": (0, 27, (T, D)),
        "k": (0, 33, (T, D)),
        "v": (0, 18, (T, D)),
        "z4": (0, 0, (T, T)),
        "s": (0, 0, (T, T)),
        "m_s": (0, 9, (T,)),
        "e_p": (0, 0, (T, T)),
        "s_p": (0, 9, (T,)),
        "p": (0, 0, (T, T)),
        "o": (0, 39, (T, D)),
        "o_minus_y": (0, 39, (T, D)),
        "s_loss": (0, 9, ()),
        "loss": (0, 51, ()),
        "do": (0, 39, (T, D)),
        "dp": (0, 9, (T, T)),
        "ds_p_s1": (0, 45, (T,)),
        "dz4": (0, 9, (T, T)),
        "dv": (0, 18, (T, D)),
        "dk": (0, 0, (T, D)),
        "dq": (0, 0, (T, D)),
        "ones_T": (0, 48, (3,)),
        "t_TT": (0, 18, (3, 3)),
        "t_block": (0, 0, (12,)),
        "t_block2": (0, 12, (12,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps the variance of activations and gradients alike from layer to layer (Glorot and Bengio 2010, equation 16)
        "Wq": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        "Wk": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        "Wv": math.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
    }


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
