"""Operations on whole registers, as the compiler takes them: what tiles of a matrix product are made of.

Enters: addresses and strides in bytes. Leaves: memory filled. Must not know: what a matrix is.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from symbp.runtime.network import DTYPE

_ITEM = np.dtype(DTYPE).itemsize
_LANES = 64 // _ITEM  # numbers in a register
_TALL, _WIDE, _DEEP = 8, 2 * _LANES, 256  # rows and columns of a tile, terms at a time


class _Vectors:
    """Writes operations on registers into the function that is being compiled."""

    def __init__(self, builder: Any) -> None:
        ir = import_module("llvmlite.ir")
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
    from numba import types
    from numba.extending import intrinsic

    if not import_module("llvmlite.binding").get_host_cpu_features().get("avx512f", False):
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
            _context: Any, _a: Any, _a0: Any, _a1: Any, _tall: Any, _b: Any, _b0: Any, _c: Any, _row: Any,
            _wide: Any, _deep: Any, _more: Any,
        ) -> Any:  # fmt: skip
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
