"""mlp: a network that trains in NumPy.

Derived from the network mlp; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W1[i,j]
    (2)   h[n,j] = tanh(z1[n,j] + b1[j])
    (3)   z2[n,k] = Σ_j h[n,j]·W2[j,k]
    (4)   a2[n,k] = z2[n,k] + b2[k]
    (5)   m_a2[n] = max_k a2[n,k]
    (6)   e_p[n,k] = exp(a2[n,k] - m_a2[n])
    (7)   s_p[n] = Σ_k e_p[n,k]
    (8)   p[n,k] = e_p[n,k]/s_p[n]
    (9)   loss = Σ_n (log(s_p[n]) + m_a2[n] - a2[n,y[n]])/N
    (10)  da2[n,k] = (p[n,k] - [k = y[n]])/N
    (11)  db2[k] = Σ_n da2[n,k]
    (12)  dh[n,j] = Σ_k da2[n,k]·W2[j,k]
    (13)  dW2[j,k] = Σ_n h[n,j]·da2[n,k]
    (14)  dz1[n,j] = (1 - h[n,j]²)·dh[n,j]
    (15)  dW1[i,j] = Σ_n x[n,i]·dz1[n,j]
    (16)  db1[j] = Σ_n dz1[n,j]
    (17)  c_accuracy[n] = argmax_k p[n,k]
    (18)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 64, H = 64, K = 10; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·H·N + 6·H·K·N + 14·K·N + 7·H·N + 7·N
             = 20,819·N
    bytes      112·K·N + 16·D·H + 16·D·N + 24·H·K + 88·H·N + 16·H + 16·K + 72·N + 8
             = 7,848·N + 82,088
    workspace  1,570·rows + 77,128 bytes
               for a block of rows = 2,048, with 38,480 for its gradients (up to 6,144: all N at once)
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
POSITIONS = ("range_rows", "range_K")
ONES = ("ones_K", "ones_rows")
NEEDED: dict[str, Any] = {}
BLOCKS = {"N": 2048}
CUT = {"x": 1, "y": 1}
FEWEST = 4
D, H, K = 64, 64, 10
NAME = "mlp"
SIZES = {"D": D, "H": H, "K": K}
PARAMETERS = {"W1": ("D", "H"), "b1": ("H",), "W2": ("H", "K"), "b2": ("K",)}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
GRADIENTS = {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2"}
EQUATIONS = {
    1: "z1", 2: "h", 3: "z2", 4: "a2", 5: "m_a2", 6: "e_p", 7: "s_p", 8: "p", 9: "loss", 10: "da2", 11: "db2",
    12: "dh", 13: "dW2", 14: "dz1", 15: "dW1", 16: "db1", 17: "c_accuracy", 18: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- The network ----


def _forward(params, tensors, rows, N):
    """The outputs: equations (1) to (8)."""
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    z1, h, z2, a2 = tensors["z1"], tensors["h"], tensors["z2"], tensors["a2"]
    m_a2, e_p, s_p, p = tensors["m_a2"], tensors["e_p"], tensors["s_p"], tensors["p"]
    ones_K = tensors["ones_K"]
    m_a2_column = m_a2[:, None]
    s_p_column = s_p[:, None]

    def run(data):
        x = data["x"]
        np.dot(x, W1, out=z1)  # (1)
        np.add(z1, b1, out=h)  # (2)
        np.tanh(h, out=h)  # (2)
        np.dot(h, W2, out=z2)  # (3)
        np.add(z2, b2, out=a2)  # (4)
        a2.max(1, out=m_a2)  # (5)
        np.subtract(a2, m_a2_column, out=e_p)  # (6)
        np.exp(e_p, out=e_p)  # (6)
        np.dot(e_p, ones_K, out=s_p)  # (7)
        np.divide(e_p, s_p_column, out=p)  # (8)

    return run


def _loss(params, tensors, rows, N):
    """The loss: equation (9)."""
    a2, m_a2, s_p, loss = tensors["a2"], tensors["m_a2"], tensors["s_p"], tensors["loss"]
    t_rows, at_rows, t_rows2 = tensors["t_rows"], tensors["at_rows"], tensors["t_rows2"]
    range_rows = tensors["range_rows"]
    c1 = np.array(K, np.int64)  # (9)
    a2_flat = a2.reshape(-1)

    def run(data):
        y = data["y"]
        np.multiply(range_rows, c1, out=at_rows)  # (9)
        np.add(at_rows, y, out=at_rows)  # (9)
        np.take(a2_flat, at_rows, out=t_rows, mode="clip")  # (9)
        np.subtract(m_a2, t_rows, out=t_rows)  # (9)
        np.log(s_p, out=t_rows2)  # (9)
        np.add(t_rows, t_rows2, out=t_rows)  # (9)
        loss[...] = t_rows.sum() / N  # (9)

    return run


def _backward(params, tensors, gradients, rows, N):
    """The gradients: equations (10) to (16)."""
    W2 = params["W2"]
    h, p, da2, dh = tensors["h"], tensors["p"], tensors["da2"], tensors["dh"]
    dz1 = tensors["dz1"]
    dW1, db1, dW2, db2 = gradients["W1"], gradients["b1"], gradients["W2"], gradients["b2"]
    is_rows_K, t_rows_H, range_K = tensors["is_rows_K"], tensors["t_rows_H"], tensors["range_K"]
    ones_rows = tensors["ones_rows"]
    c1 = np.array(N, DTYPE)  # (10)
    W2_T = W2.T
    h_T = h.T
    one = np.array(1, DTYPE)

    def run(data):
        x, y = data["x"], data["y"]
        np.equal(range_K, y[:, None], out=is_rows_K)  # (10)
        np.subtract(p, is_rows_K, out=da2)  # (10)
        np.divide(da2, c1, out=da2)  # (10)
        np.dot(ones_rows, da2, out=db2)  # (11)
        np.dot(da2, W2_T, out=dh)  # (12)
        np.dot(h_T, da2, out=dW2)  # (13)
        np.multiply(h, h, out=t_rows_H)  # (14)
        np.subtract(one, t_rows_H, out=t_rows_H)  # (14)
        np.multiply(t_rows_H, dh, out=dz1)  # (14)
        np.dot(ones_rows, dz1, out=db1)  # (16)
        np.dot(x.T, dz1, out=dW1)  # (15)

    return run


def _metrics(params, tensors, rows, N):
    """The metrics: equations (17), (18)."""
    p, c_accuracy, accuracy = tensors["p"], tensors["c_accuracy"], tensors["accuracy"]
    is_rows = tensors["is_rows"]

    def run(data):
        y = data["y"]
        p.argmax(1, out=c_accuracy)  # (17)
        np.equal(c_accuracy, y, out=is_rows)  # (18)
        accuracy[...] = DTYPE(is_rows.sum()) / N  # (18)

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
        "h": (0, 0, (rows, H)),
        "z2": (0, 64 * rows, (rows, K)),
        "a2": (0, 64 * rows, (rows, K)),
        "m_a2": (0, 74 * rows, (rows,)),
        "e_p": (0, 128 * rows, (rows, K)),
        "s_p": (0, 75 * rows, (rows,)),
        "p": (0, 128 * rows, (rows, K)),
        "loss": (0, 193 * rows + 9630, ()),
        "da2": (0, 128 * rows, (rows, K)),
        "dh": (0, 64 * rows, (rows, H)),
        "dz1": (0, 64 * rows, (rows, H)),
        "c_accuracy": (1, 0, (rows,)),
        "accuracy": (0, 0, ()),
        "ones_K": (0, 193 * rows + 9620, (10,)),
        "range_rows": (1, rows, (rows,)),
        "range_K": (1, 2 * rows, (10,)),
        "ones_rows": (0, 192 * rows + 9620, (rows,)),
        "t_rows": (0, 76 * rows, (rows,)),
        "at_rows": (1, 0, (rows,)),
        "t_rows2": (0, 77 * rows, (rows,)),
        "is_rows_K": (2, 0, (rows, 10)),
        "t_rows_H": (0, 128 * rows, (rows, 64)),
        "is_rows": (2, 0, (rows,)),
        "t_block": (0, 0, (4810,)),
        "t_block2": (0, 4810, (4810,)),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(K),
    }


# ---- Arrays that come in ----


class DataError(ValueError):
    """Arrays do not fit the network; the message says which and what would fit."""


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
    """Checks the shapes of arrays; `sizes` gains the open sizes that they show."""
    for name, array in arrays.items():
        _fit_shape(name, array, shapes[name], sizes)


def _sizes_in(shapes: Mapping[str, tuple[Any, ...]]) -> list[str]:
    """The sizes that arrays of these shapes show."""
    return [extent for shape in shapes.values() for extent in shape if isinstance(extent, str)]


def _sample_sizes() -> dict[str, int]:
    """Open sizes at which gradients are checked where no data are given."""
    return {size: 5 for size in _sizes_in({**INPUTS, **PARAMETERS}) if size not in SIZES}


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


def _check_values(name: str, array: Array, sizes: Mapping[str, int], first: int = 0) -> None:
    """Refuses values outside what the network states of them; `first` is the row where a piece begins."""
    if name in INTEGERS:
        bound, ignored = INTEGERS[name]
        top = None if bound is None else _extent(bound, sizes)
        array = array if ignored is None else array[array != ignored]
        if top is not None and array.size and not (array.min() >= 0 and array.max() < top):
            wrong = array.min() if array.min() < 0 else array.max()
            besides = "" if ignored is None else f", or be {ignored}"
            raise DataError(f"{name} holds {wrong}; its values must lie from 0 to {top - 1}{besides}")
        return
    if ("mask", -1) in FACTS.get(name, ()):  # of which -∞ passes
        array = np.where(array == -np.inf, 0, array)
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        place = (first + where[0], *where[1:]) if where else where
        raise DataError(f"{name} holds {array[where]} at {place}; every value must be finite")
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


def _refuse_names(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Refuses arrays of other names."""
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in INPUTS]
    if missing or unknown:
        what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
        raise DataError(
            f"{what}; the network reads " + ", ".join(f"{n}{_shape_text(INPUTS[n])}" for n in names)
        )


def _checked(
    given: Mapping[str, Any], names: tuple[str, ...], sizes: dict[str, int], *, values: bool = True
) -> dict[str, Array]:
    """The arrays `names` of `given`, checked; `sizes` gains the open sizes that they show."""
    _refuse_names(given, names)
    data = {name: _as_dtype(name, given[name]) for name in names}
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
    _settle({name: _as_dtype(name, params[name]) for name in PARAMETERS}, PARAMETERS, sizes)
    if isinstance(params, Arena) and params.flat.dtype == DTYPE:
        arena = params
    else:
        arena = Arena({name: np.shape(params[name]) for name in PARAMETERS}, DTYPE)
        for name in PARAMETERS:
            arena[name] = params[name]
    for name, values in arena.items():
        _check_facts(name, values)
    return arena, sizes


def _all_checked(
    data: Mapping[str, Any], sizes: dict[str, int], names: Collection[str] = tuple(INPUTS)
) -> dict[str, Array]:
    """The arrays `names`, those of a training, checked; `sizes` gains the open sizes that they show."""
    return _checked(data, tuple(names), sizes)


def _pieces(array: Array) -> Iterator[Array]:
    """An array in pieces that fit into memory."""
    yield array


def _taken(array: Array, chosen: Array) -> Array:
    """Some rows, in an order."""
    found: Array = array[chosen]
    return found


def _measured(array: Array, measure: str, axes: tuple[int, ...]) -> Array:
    """The mean, or the deviation `std`, along axes."""
    return np.asarray(getattr(array, measure)(axes, dtype=np.float64))


# ---- Workspaces ----


class _Memory:
    """The workspaces for given open sizes: reals, integers, flags, and every array by name. Arrays that are
    not needed at the same time share their memory, unless `apart`."""

    def __init__(self, sizes: tuple[int, ...], *, apart: bool = False) -> None:
        self.sizes = sizes
        _refuse_short(dict(zip(OPEN_SIZES, sizes, strict=False)))
        places, lengths = _places(*sizes), [0, 0, 0]
        starts: dict[str, int] = {}
        for name, (arena, start, shape) in places.items():
            if PARAMETERS and min(shape, default=0) < 0:
                raise DataError(f"{name} would have the shape {shape}: {_SHORT}")
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


_SHORT = "an axis of the data is too short for what is read from it, a kernel or a slice"


def _refuse_short(sizes: Mapping[str, int]) -> None:
    """Refuses data without elements, and those of which too little is left for a window or a maximum."""
    if not PARAMETERS:  # an update of none is empty by right
        return
    empty = [name for name, size in sizes.items() if size < 1]
    if empty:  # the rows of a block come first, and are as many as those of the data
        raise DataError(f"the data have no elements along the axis {empty[-1]}")
    for length, value in NEEDED.items():
        if value(sizes) < 1:
            raise DataError(f"{length} is {value(sizes)}: {_SHORT}")


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


# ---- Outputs, loss and metrics ----


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


# ---- Gradients and training steps ----


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


def _key(sizes: Mapping[str, int]) -> tuple[int, ...]:
    """All rows in one piece, then the open sizes; what nothing shows is of another stage."""
    rows = (sizes.get(name, SIZES.get(name, 1)) for name in BLOCKS)
    return (*rows, *(sizes.get(name, 1) for name in OPEN_SIZES[len(BLOCKS) :]))


class _Step:
    """A training step over the arrays of a state, which stay in their places, block by block."""

    def __init__(self, state: State, sizes: Mapping[str, int]) -> None:
        whole = _key(sizes)
        _refuse_short(dict(zip(OPEN_SIZES, whole, strict=False)))
        most = _rows(whole)
        self.sizes = sizes
        self.params, self.gradients, self.moments = state.params, state.gradients, state.moments
        self.memories: dict[tuple[int, ...], _Memory] = {}
        self.parts: dict[tuple[str, tuple[int, ...]], Array] = {}
        self.runs: list[tuple[tuple[slice, ...], _Block]] = []
        bound: dict[tuple[int, ...], _Block] = {}
        own = max((CUT[name] for name in PARAMETERS if name in CUT), default=0)
        for first in itertools.product(*map(range, [0] * len(most), whole, most)):
            rows = [min(n, count - start) for n, count, start in zip(most, whole, first, strict=False)]
            block = tuple(slice(start, start + n) for start, n in zip(first, rows, strict=True))
            key = (*rows, *map(bool, first), *first[:own])
            if key not in bound:
                bound[key] = _Block(self, block, (*rows, *whole[len(rows) :]))
            self.runs.append((block, bound[key]))
        self.nbytes = sum(memory.nbytes for memory in self.memories.values())
        self.nbytes += sum(part.nbytes for part in self.parts.values())
        moments = {name: arena.flat for name, arena in state.moments.items()}
        tensors = next(iter(self.memories.values())).tensors
        self.update = _update(tensors, state.params.flat, state.gradients.flat, **moments)
        self.gradient = state.gradients.flat

    def serves(self, state: State) -> bool:
        """Whether the state still has the arrays of this step."""
        same = self.params is state.params and self.gradients is state.gradients
        return same and self.moments is state.moments

    def differentiate(self, data: Mapping[str, Array]) -> float:
        """Fills the gradients; returns the loss."""
        if len(self.runs) == 1:
            return self.runs[0][1].differentiate(data)
        return sum(run.differentiate(_cut(data, block)) for block, run in self.runs)


class _Block:
    """The stages over some rows, and the gradients that they add to those of the blocks before."""

    def __init__(self, step: _Step, block: tuple[slice, ...], sizes: tuple[int, ...]) -> None:
        if sizes not in step.memories:
            step.memories[sizes] = _Memory(sizes)
        params, tensors = _cut(step.params, block), step.memories[sizes].tensors
        gradients = _cut(step.gradients, block)
        self.added = []
        for name, whole in gradients.items():
            if any(rows.start for rows in block[CUT.get(name, 0) :]):
                gradients[name] = step.parts.setdefault((name, whole.shape), np.empty_like(whole))
                self.added.append((whole, gradients[name]))
        self.forward, self.loss = _forward(params, tensors, *sizes), _loss(params, tensors, *sizes)
        self.backward = _backward(params, tensors, gradients, *sizes)
        self.value = tensors[LOSS]

    def differentiate(self, data: Mapping[str, Array]) -> float:
        """The loss of these rows, after their gradients are in place."""
        self.forward(data)
        self.loss(data)
        self.backward(data)
        for whole, part in self.added:
            np.add(whole, part, out=whole)
        return float(self.value)


def _rows(whole: tuple[int, ...]) -> list[int]:
    """How many rows the largest block has along each axis: as `BLOCKS` says, or all, if there were fewer than
    `FEWEST` blocks."""
    rows = [min(most, count) for most, count in zip(BLOCKS.values(), whole, strict=False)]
    blocks = math.prod(-(-count // most) for most, count in zip(rows, whole, strict=False))
    return rows if blocks >= FEWEST else list(whole[: len(rows)])


def _cut(arrays: Mapping[str, Array], block: tuple[slice, ...]) -> dict[str, Array]:
    """The arrays, but of those that `CUT` names only a block's rows along so many leading axes."""
    return {name: a[block[: CUT[name]]] if name in CUT else a for name, a in arrays.items()}


def _bound(state: State, sizes: Mapping[str, int]) -> _Step:
    """The step of a state for these sizes, from those kept if it is there."""
    key = _key(sizes)
    if key in state.workspace and not state.workspace[key].serves(state):
        state.workspace.clear()
    step: _Step = _held(state.workspace, key, lambda: _Step(state, sizes))
    step.sizes = sizes
    return step


MODERATE = float(np.finfo(DTYPE).max) / 2.0**64
"""The squares of gradients whose sum is below this make no moment overflow in any number of steps."""


def _updated(step: _Step, state: State) -> bool:
    """One update with gradients of any size; taken back, and False returned, if it leaves what is not
    finite."""
    arenas = [state.params.flat, *(arena.flat for arena in state.moments.values())]
    kept = [arena.copy() for arena in arenas]
    step.update(state.step + 1, **state.hyper)
    if all(map(_all_finite, arenas)):
        state.step += 1
        return True
    for arena, before in zip(arenas, kept, strict=True):
        arena[:] = before
    return False


def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: their squares' sum or, if it overflows, both ends show it."""
    if math.isfinite(values.dot(values)):
        return True
    return math.isfinite(values.max(initial=0)) and math.isfinite(values.min(initial=0))


def _any_outside(data: Mapping[str, Array], sizes: Mapping[str, int]) -> bool:
    """Whether an integer is neither below its bound nor what stands beside it."""
    for name, (bound, ignored) in INTEGERS.items():
        top = None if bound is None else _extent(bound, sizes)
        if top is not None:
            values = data[name] if ignored is None else data[name][data[name] != ignored]
            values = values.view(np.uint64)  # where negative ones are large
            if values.size and values.item(values.argmax()) >= top:  # half the time of `max`
                return True
    return False


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite,
    or an integer out of its range."""
    if _any_outside(data, sizes):
        return math.nan, False
    step = state.bound
    if step is None or step.sizes is not sizes or not step.serves(state):
        step = state.bound = _bound(state, sizes)
    loss = step.differentiate(data)
    squares = step.gradient.dot(step.gradient)
    if not (math.isfinite(loss) and squares < MODERATE):
        sound = math.isfinite(loss) and _all_finite(step.gradient)
        return loss, sound and _updated(step, state)
    state.step += 1
    step.update(state.step, **state.hyper)
    return loss, True


# ---- What a step is given beside parameters ----


def init_buffers(**sizes: int) -> dict[str, Array]:
    """Running statistics; this network has none."""
    return {}


def _as_buffers(buffers: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> dict[str, Array]:
    if buffers:
        raise DataError(f"{', '.join(buffers)}: the network has no buffers")
    return {}


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
    if masks:
        raise DataError("the network has no random tensors, so there are no masks to give")
    found = _as_buffers(buffers, sizes)
    return {**data, **found} if found else data


# ---- Parameters and the state of training ----


def init_params(seed: int = 0, **sizes: int) -> Arena:
    """Fresh parameters, drawn with `seed`; sizes that the module leaves open are arguments."""
    known = {**SIZES, **sizes}
    shown = _sizes_in({**PARAMETERS, **INPUTS})
    strange = [name for name in sizes if name not in shown and name not in SIZES]
    if strange:
        raise DataError(f"the network has no size {strange[0]!r}")
    wrong = [name for name in sizes if name in SIZES and sizes[name] != SIZES[name]]
    if wrong:
        raise DataError(f"{wrong[0]} is {SIZES[wrong[0]]} in this module")
    try:
        values = _initial(np.random.default_rng(seed), known)
    except KeyError as needed:
        name = needed.args[0]
        raise DataError(f"{name} is open in this module: call init_params(seed, {name}=…)") from None
    arena = Arena({name: np.shape(values[name]) for name in PARAMETERS}, DTYPE)
    for name, value in values.items():
        arena[name] = value
    return arena


def _moments(params: Arena) -> dict[str, Arena]:
    """The moments, all zero."""
    return {name: params.like() for name in MOMENTS}


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
    columns: str = ""  # how those of the training's table were read, where it came from one
    random: dict[Any, Array] = field(default_factory=dict)  # arrays to draw into
    course: Any = None  # how far a training got whose checkpoints are kept

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: nothing that is made for the steps of these very arrays."""
        made: dict[str, Any] = {name: {} for name in ("workspace", "accepted", "random")}
        return {**self.__dict__, **made, "last": None, "bound": None, "course": None}


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
    return State(arena, kept, _moments(arena), arena.like(), sizes, 0, seed, threads)


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


class NotFinite(FloatingPointError):
    """A loss, gradient or buffer is not finite; the step was not taken. `equation` and `tensor` say where."""

    def __init__(self, equation: int | None, tensor: str, text: str) -> None:
        super().__init__(text)
        self.equation, self.tensor = equation, tensor
        self.history: list[dict[str, Any]] = []  # of the epochs before, where `fit` raised it


def _refused(
    state: State, before: Sequence[Array], loss: float, data: Mapping[str, Array], sizes: Mapping[str, int]
) -> NotFinite:
    """Puts buffers back as they were `before`; what wasn't finite.

    Raises DataError: an integer is out of its range, and nothing was computed."""
    for name in INTEGERS:
        _check_values(name, data[name], sizes)
    lost = [name for name, buffer in state.buffers.items() if not np.isfinite(buffer).all()]
    for buffer, kept in zip(state.buffers.values(), before, strict=True):
        buffer[...] = kept
    if lost:
        return NotFinite(None, lost[0], f"the buffer {lost[0]} would not be finite; the step was not taken")
    if np.isfinite(loss) and np.isfinite(state.gradients.flat).all():
        text = "gradients are so large that a moment of the update would not be finite"
        return NotFinite(None, GRADIENTS[_largest(state.gradients)], f"{text}; the step was not taken")
    return _culprit(state.params, data, sizes)


def _largest(gradients: Arena) -> str:
    """The parameter whose gradient has the largest entry."""
    return max(gradients, key=lambda name: np.abs(gradients[name]).max(initial=0))


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
    start = f"({number}) "
    lines = (line.strip() for line in (__doc__ or "").splitlines())
    return next((line.removeprefix(start).strip() for line in lines if line.startswith(start)), "")


def _step(state: State, data: dict[str, Array], sizes: dict[str, int]) -> float:
    """One update with data that were checked."""
    data = _given(data, state.buffers, sizes, state.seed, state.step, None, state.random)
    before = [buffer.copy() for buffer in state.buffers.values()]
    loss, finite = _advance(state, data, sizes)
    if not finite:
        raise _refused(state, before, loss, data, sizes)
    return loss


def train_step(state: State, **inputs: Any) -> float:
    """One update in place; returns the loss before it. Checks dtype, shape and the range of integers.

    Raises DataError, and NotFinite if the loss, a gradient or a buffer's next value is not finite; the
    state is then as it was.
    """
    return _step(state, *_step_data(state, inputs))


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


_MOST, _TIMES = 2**30, 200  # bytes, and times its own length, that a compressed array may take


def _write_whole(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Writes an .npz; a file that is there is replaced whole or not at all, also where the process is killed
    or the power fails. What a process that was killed has left is removed."""
    _replace_whole(path, lambda file: np.savez(file, **arrays))


def _replace_whole(path: str | os.PathLike[str], write: Callable[[Any], object]) -> None:
    """Has a file written beside its place, syncs it, and moves it there."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise DataError(f"{path} is no file that could be replaced")
    _clear(target)
    temporary = target.with_name(f"{_stem(target)}{_here()}-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        _move(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # not every system can do that to a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _stem(target: Path) -> str:
    """How the names of a file's temporary ones begin; file systems have names of some 255 bytes."""
    return f"{target.name[:50]}."


def _clear(target: Path) -> None:
    """Removes what processes have left that were killed: of this machine those that run no more; whether one
    of another runs nobody can tell, but that a file has not been written to for a day."""
    with suppress(OSError):
        for left in target.parent.glob(f"{glob.escape(_stem(target))}*.part"):
            place, _, process = left.name[len(_stem(target)) :].rpartition("-")[0].partition("-")
            if process.isdecimal():
                own = place == _here()
                old = left.stat().st_mtime < time.time() - 86400
                if (own and not _runs(int(process))) or (not own and old):
                    left.unlink(missing_ok=True)


def _here() -> str:
    """Where the numbers of processes are those of this one: on this machine, in this container."""
    counted = ""
    with suppress(OSError):
        counted = os.readlink("/proc/self/ns/pid")
    return f"h{zlib.crc32(f'{platform.node()} {counted}'.encode()):08x}"


def _move(temporary: Path, target: Path) -> None:
    """Puts a file in the place of another. Windows refuses that while anybody reads the other one (a scanner
    does for a moment)."""
    for pause in (0.01, 0.1, 1.0, None):
        try:
            os.replace(temporary, target)
            return
        except PermissionError:
            if os.name != "nt" or pause is None:
                raise
            time.sleep(pause)


def _runs(process: int) -> bool:
    """Whether a process may be running; Windows lets nobody remove what a running one has open."""
    try:
        if os.name != "nt":
            os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return os.name != "nt"


def _read_whole(path: str | os.PathLike[str], wanted: Iterable[str] | None = None) -> dict[str, Array]:
    """The arrays of an .npz, those of `wanted` that it has. Nothing is made that is larger than what is in
    the file, whatever is promised there."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy"): name for name in archive.namelist()}
            chosen = names if wanted is None else [name for name in wanted if name in names]
            return {name: _member(archive, archive.getinfo(names[name])) for name in chosen}
    except OSError:
        raise
    except Exception as failure:  # whatever the readers raise on a file that isn't theirs
        raise DataError(f"{path} is no whole .npz file of arrays: {failure}") from failure


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    """An array of an archive, compressed or not."""
    name, held = member.filename, member.file_size
    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{name} is encrypted, or compressed in a way that NumPy doesn't use")
    if held > _MOST and held > _TIMES * member.compress_size:
        raise DataError(f"{name} would be {held} bytes, out of {member.compress_size}")
    return _array(name, archive.read(member))


def _array(name: str, content: bytes) -> Array:
    """An array as a view of what an .npy file holds."""
    head = io.BytesIO(content)
    shape, by_columns, dtype = _head(name, head)
    _refuse_promises(name, shape, dtype, len(content) - head.tell())
    found = np.frombuffer(content, dtype, offset=head.tell())
    return found.reshape(shape, order="F" if by_columns else "C")


def _head(name: str, file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape, the order and the type that the head of an .npy file tells."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"{name} has version {version}")
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    return read(file)


def _refuse_promises(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], held: int) -> None:
    """Refuses an array that promises more, or less, than is there, or holds records."""
    if dtype.hasobject or dtype.kind == "V":
        raise DataError(f"{name} holds {dtype}, not numbers")
    if min(shape, default=0) < 0 or dtype.itemsize * math.prod(shape) != held:
        raise DataError(f"{name} promises {dtype} of shape {shape}, and has {held} bytes")


def _named(state: State) -> dict[str, Array]:
    """What training changes, by the names that files have for it."""
    moments = {
        f"moments.{moment}.{n}": a for moment, arena in state.moments.items() for n, a in arena.items()
    }
    params = {f"params.{name}": array for name, array in state.params.items()}
    return params | {f"buffers.{name}": array for name, array in state.buffers.items()} | moments


def save(path: str | os.PathLike[str], state: State, **more: Any) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    known = {"step": np.int64(state.step), "seed": np.int64(state.seed), "network": np.array(NAME)}
    columns = {"columns": np.array(state.columns)} if state.columns else {}
    _write_whole(path, {**_named(state), **known, **columns, **more})


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote; a file of parameters alone leaves the moments zero."""
    arrays = _read_whole(path)
    params = {n.removeprefix("params."): a for n, a in arrays.items() if n.startswith("params.")}
    if not params:
        raise DataError(f"{path} holds no parameters (arrays named params.…)")
    if str(arrays.get("network", NAME)) != NAME:
        raise DataError(f"{path} is of the network {str(arrays['network'])[:80]}, not of {NAME}")
    buffers = {n.removeprefix("buffers."): a for n, a in arrays.items() if n.startswith("buffers.")}
    try:
        state = init_state(params, buffers, seed=int(arrays.get("seed", 0)))
        state.step, state.columns = int(arrays.get("step", 0)), str(arrays.get("columns", ""))
        if not (0 <= state.step < 2**62 and state.seed >= 0):
            raise ValueError(f"step {state.step}, seed {state.seed}")
    except (TypeError, ValueError) as failure:
        raise DataError(f"{path}: {failure}") from None
    moments = {name: array for name, array in _named(state).items() if name.startswith("moments.")}
    if any(name in arrays for name in moments):
        _fill(path, moments, arrays)
    return state


def _fill(path: str | os.PathLike[str], into: dict[str, Array], arrays: dict[str, Array]) -> None:
    """Copies arrays of a file; each must be there, and be of the same shape and kind."""
    for name, array in into.items():
        if name not in arrays:
            raise DataError(f"{path} has no {name}")
        found = arrays[name]
        if (found.shape, found.dtype) != (array.shape, array.dtype):
            raise DataError(
                f"{path}: {name} has shape {found.shape} of {found.dtype}, "
                f"this training needs {array.shape} of {array.dtype}"
            )
    for name, array in into.items():
        array[...] = arrays[name]


# ---- Training over epochs ----


class _Stop:
    """Turns the first Ctrl-C, or SIGTERM (from whoever ends jobs), into a flag, so that no update is cut in
    two; the second one interrupts. What was ignored stays so."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        own = threading.current_thread() is threading.main_thread()
        usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if own}
        self._usual = {number: h for number, h in usual.items() if h not in (signal.SIG_IGN, None)}
        for number in self._usual:
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *details: object) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _batches(data: Mapping[str, Array], size: int, order: Array) -> Iterator[dict[str, Array]]:
    """The data in batches of `size` examples in a given order, the last one partial."""
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield {name: a[chosen] if INPUTS[name][:1] == (BATCH,) else a for name, a in data.items()}


def _epoch(state: State, data: Mapping[str, Array], size: int, count: int, stop: _Stop) -> float:
    """One pass over `count` examples in an order drawn anew, or up to a stop; the mean of the loss."""
    total, seen = 0.0, 0
    order = np.random.default_rng([state.seed, state.step]).permutation(count)
    for batch in _batches(data, size, order):
        if stop.asked:
            break
        examples = min(size, count - seen)
        total += _step(state, *_step_data(state, batch)) * examples
        seen += examples
    return total / max(seen, 1)


def _epochs(
    state: State,
    data: Mapping[str, Any],
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None,
    stop: _Stop,
) -> Iterator[dict[str, Any]]:
    """Trains in place and gives a record after each epoch; a stop that is asked for ends it."""
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    sizes = dict(state.sizes)
    whole = _all_checked(data, sizes)
    count = sizes[BATCH] if BATCH is not None else 1
    if not count:
        raise DataError(f"the data have no elements along the axis {BATCH}")
    for number in range(1, epochs + 1):
        started = time.perf_counter()
        record: dict[str, Any] = {"epoch": number, "loss": _epoch(state, whole, batch_size, count, stop)}
        if validation is not None and not stop.asked:
            found = evaluate(state.params, state.buffers, **validation)
            record.update({f"validation_{name}": value for name, value in found.items()})
        record["seconds"] = time.perf_counter() - started
        if stop.asked:
            record["interrupted"] = True
        yield record
        if stop.asked:  # perhaps while the caller looked at the record
            record["interrupted"] = True
            return


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
    history: list[dict[str, Any]] = []
    with _Stop() as stop:
        try:
            for record in _epochs(state, data, epochs, batch_size, validation, stop):
                history.append(record)
                if callback is not None and callback(record) is True:
                    break
        except NotFinite as failure:
            failure.history = history
            raise
    return history


def _fresh_state(seed: int, data: Mapping[str, Array], sizes: Mapping[str, int]) -> State:
    """A state with parameters drawn for data with these sizes."""
    return init_state(init_params(seed, **sizes), seed=seed)


# ---- Gradients beside central differences of the loss ----


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
    Parameters in STOPPED are left out: where they move, so does what counts as a constant.
    """
    rng = np.random.default_rng(0)
    points = _points(params, buffers, seed, masks, inputs, rng)
    arena, data, sizes = next(points)
    gradients = arena.like()
    loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
    if not np.isfinite(loss):
        raise DataError(f"the loss is {loss} for these parameters and data")
    rows = [_check_one(n, (arena, data, sizes), gradients, loss, rng) for n in arena if n not in STOPPED]
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
    open_sizes, shown = _sample_sizes(), dict(SIZES)
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


# ---- The command line ----


def _with_axes(name: str, array: Array) -> Array:
    """The array with the axes of length 1 that a file may leave out, such as that of one channel."""
    single = [k for k, extent in enumerate(INPUTS[name]) if SIZES.get(extent, extent) == 1]
    return np.expand_dims(array, single) if array.ndim + len(single) == len(INPUTS[name]) else array


def _archive(path: Path, names: Collection[str]) -> dict[str, Array]:
    """The arrays of a file that carry the names of input tensors."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            return {name: _with_axes(name, file[name]) for name in names if name in file.files}
    except OSError:
        raise
    except Exception as failure:  # whatever NumPy's readers raise on a file that isn't theirs
        raise DataError(f"{path} is no .npz file of arrays: {failure}") from failure


def _stored(path: Path, names: tuple[str, ...], columns: str | None) -> tuple[dict[str, Array], str]:
    """The arrays of a file by the names of input tensors, and what is kept of how it was read."""
    return _archive(path, names), columns or ""


_DATA = "FILE.npz"


def _column_option(parser: argparse.ArgumentParser) -> None:
    """Archives have no columns."""


def _words_in(path: Path, name: str) -> list[str]:
    """The cells of a table's column."""
    raise DataError(f"{name} would be a column of a table: generate this module --with tables")


def _read(
    path: Path,
    names: tuple[str, ...],
    columns: str | None = None,
    options: argparse.Namespace | None = None,
) -> tuple[dict[str, Array], str]:
    """The arrays of a file that carry the names of input tensors, and what is kept of a table's columns."""
    if path.suffix.lower() in (".csv", ".tsv"):
        raise DataError(f"{path}: this module reads .npz files; for tables, generate it --with tables")
    return _stored(path, names, columns)


def _put(path: Path, outputs: dict[str, Any], columns: str = "") -> None:
    """Writes outputs to an archive."""
    if path.suffix.lower() in (".csv", ".tsv"):
        raise DataError(f"{path}: this module writes .npz files; for tables, generate it --with tables")
    _write_whole(path, outputs)


def _parts_options(train: argparse.ArgumentParser) -> None:
    train.add_argument("--validation", type=Path, metavar=_DATA, help="data to evaluate after each epoch")


def _parts(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any] | None, str]:
    """(what to train on, what to evaluate after each epoch, what is kept of a table's columns)"""
    data, columns = _read(options.data, tuple(INPUTS), None, options)
    if options.validation is None:
        return data, None, columns
    return data, _read(options.validation, tuple(INPUTS), columns)[0], columns


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")


def _predicted(state: State, data: dict[str, Any], path: Path) -> dict[str, Array]:
    """The outputs at inference, which go to a path."""
    return predict(state.params, state.buffers, **data)


_COUNTS = {
    "epochs": (20, "passes over the data"),
    "batch-size": (32, "examples in a step"),
    "seed": (0, "of initial values and shuffling"),
}


def _declare_train(train: argparse.ArgumentParser) -> None:
    """The options of `train`."""
    for option, (usual, text) in _COUNTS.items():
        told = f"{text} (default: {usual})"
        train.add_argument(f"--{option}", type=int, default=usual, metavar="INTEGER", help=told)
    for name, value in HYPER.items():
        option, told = name.replace("_", "-"), f"of the update (default: {value})"
        train.add_argument(
            f"--{option}", dest=f"hyper_{name}", type=float, default=value, metavar="NUMBER", help=told
        )
    _parts_options(train)
    _column_option(train)
    for declare in TRAIN_OPTIONS:
        declare(train)
    train.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("params.npz"),
        help="where the parameters go (default: params.npz)",
    )


def _train(options: argparse.Namespace) -> int:
    """Trains and saves, also what was trained until a step was not finite."""
    _refuse_place(options.out)
    data, validation, columns = _parts(options)
    state = _fresh_state(options.seed, data, _open_sizes(data))
    state.columns = columns
    state.hyper.update({name: getattr(options, f"hyper_{name}") for name in HYPER})
    options.held, options.go_on = validation, ""
    for prepare in PREPARE:
        prepare(options, state)
    settings: dict[str, Any] = {name: getattr(options, name) for name in FIT_OPTIONS}
    reports = [make(options, data) for make in REPORTS]

    def report(record: dict[str, Any]) -> None:
        for tell in reports:
            tell(record)

    status, stopped = 0, None
    try:
        history = fit(
            state,
            data,
            epochs=options.epochs,
            batch_size=options.batch_size,
            validation=validation,
            callback=report,
            **settings,
        )
    except NotFinite as failure:
        stopped, status, history = str(failure), 1, failure.history
        print(f"stopped: {failure}", file=sys.stderr)
    trained = bool(state.step or not stopped)  # else it isn't worth another file's place
    if trained:
        options.out, status = _saved(state, options.out, status)
    last = history[-1] if history else {}
    if last.get("interrupted"):
        status = status or 130
        print(f"interrupted: {options.out} has the parameters so far{options.go_on}", file=sys.stderr)
    result = {
        "epochs": len(history),
        "steps": state.step,
        "params": str(options.out) if trained else None,
        **last,
    }
    if stopped:
        result["stopped"] = stopped
    _show(result, options.json)
    return status


def _saved(state: State, path: Path, status: int) -> tuple[Path, int]:
    """Writes what was trained; where the place fails in the end (a disk is full), in the folder for temporary
    files. The place, and the exit status."""
    try:
        save(path, state)
    except OSError as failure:
        rescued = Path(tempfile.gettempdir()) / f"{path.stem}.{os.getpid()}.npz"
        save(rescued, state)
        print(f"error: {path} can't be written: {failure}; the parameters are in {rescued}", file=sys.stderr)
        return rescued, 2
    return path, status


def _refuse_place(path: Path) -> None:
    """Refuses a place where nothing could be written in the end, before anything is trained."""
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        what = "is a folder" if path.is_dir() else f"would be in {folder}, where no folder is"
        raise DataError(f"{path} {what}: name another file for the parameters (--out)")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise DataError(f"{path} can't be written: there is no permission")


def _open_sizes(data: dict[str, Array]) -> dict[str, int]:
    """Sizes that shape parameters and that the data show."""
    shown = dict(SIZES)
    _settle(data, INPUTS, shown)
    return {name: shown[name] for name in _sizes_in(PARAMETERS) if name in shown and name not in SIZES}


def _printed(options: argparse.Namespace, data: dict[str, Array]) -> Callable[[dict[str, Any]], None]:
    """Prints a line for each epoch."""

    def report(record: dict[str, Any]) -> None:
        values = "  ".join(f"{k} {v:.6g}" for k, v in record.items() if isinstance(v, float))
        print(f"epoch {record['epoch']}  {values}", file=sys.stderr)

    return report


def _arguments() -> argparse.ArgumentParser:
    names = ", ".join(INPUTS)
    parser = argparse.ArgumentParser(
        description=f"The network {NAME}: train it, evaluate it, predict with it, check its gradients."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _declare_train(verbs.add_parser("train", help="train and save the parameters"))
    for verb, text in (("evaluate", "loss and metrics on data"), ("predict", "outputs for data")):
        other = verbs.add_parser(verb, help=text)
        other.add_argument(
            "--params", type=Path, default=Path("params.npz"), help="parameters saved by train"
        )
        if verb == "predict":
            other.add_argument(
                "-o", "--out", type=Path, default=Path("outputs.npz"), help=f"where the outputs go: {_DATA}"
            )
    _column_option(verbs.add_parser("check", help="gradients beside central differences"))
    for verb, one in verbs.choices.items():
        one.add_argument(
            "--data", type=Path, required=verb != "check", metavar=_DATA, help=f"arrays named {names}"
        )
        one.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _check(options: argparse.Namespace) -> int:
    data: dict[str, Any] = _read(options.data, tuple(INPUTS), None, options)[0] if options.data else {}
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
    for stream in (sys.stdout, sys.stderr):  # names may have letters that a console lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _arguments().parse_args(arguments)
    try:
        if options.verb == "train":
            return _train(options)
        if options.verb == "check":
            return _check(options)
        state = load(options.params)
        data, _ = _read(options.data, tuple(INPUTS), state.columns)
        if options.verb == "evaluate":
            _show(evaluate(state.params, state.buffers, **data), options.json)
        else:
            outputs = _predicted(state, data, options.out)
            _put(options.out, outputs, state.columns)
            _show({name: str(array.shape) for name, array in outputs.items()}, options.json)
    except (DataError, OSError, MemoryError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


# What `train` has beside the essential: its options, those that `fit` takes, who prepares the
# state, who is told of each epoch.
TRAIN_OPTIONS: tuple[Any, ...] = ()
FIT_OPTIONS: tuple[Any, ...] = ()
PREPARE: tuple[Any, ...] = ()
REPORTS: tuple[Any, ...] = (_printed,)


if __name__ == "__main__":
    sys.exit(main())
