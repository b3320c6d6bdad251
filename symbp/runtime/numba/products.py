"""Matrix products in tiles: where the processor has registers of 512 bits, else by BLAS.

Enters: matrices in any layout. Leaves: their product. Must not know: where they are called.

A tile is 8 rows and two vectors of columns, summed in 16 registers, as in Goto and van de Geijn, Anatomy of
high-performance matrix multiplication (2008): the columns of the right matrix are first copied, so that what
one tile needs lies together. Strides are in bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.runtime.network import DTYPE, Array
from symbp.runtime.numba.compiling import intrinsics, kernel
from symbp.runtime.numba.vectors import _DEEP, _ITEM, _LANES, _TALL, _WIDE, _vector_intrinsics


def _in_registers(*numbers: int) -> int:
    """Stands for what the compiler is told how to write."""
    raise NotImplementedError


_room = _tile = _narrow_tile = _turn = _copy_row = _copy = _in_registers


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
