"""Equal layers of a Numba stage as one loop: its body makes the views of any layer, then runs its lines.

Enters: the lines of a stage, where the arrays lie. Leaves: the lines with loops over layers. Must not know:
kernels, equations.

The arrays of equal layers lie in equal steps: their parameters one behind the other in the arena, their
places one behind the other in the table. Layers whose arrays don't stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.emit.names import Names
from symbp.emit.numba.places import ArenaSpan, view
from symbp.emit.roll_layers import Family, Layers, layers_in, notes_of, statements_of, words_of
from symbp.ir.expr import Expr, Size
from symbp.ir.system import Tensor


def looped(
    lines: Sequence[str], tensors: Mapping[str, Tensor], places: Mapping[str, ArenaSpan], names: Names
) -> list[str]:
    """The lines of a stage with equal layers as loops; `tensors` are those that it reads and fills."""
    known = {names.tensors[name]: tensor for name, tensor in tensors.items() if name in places}
    at = {names.tensors[name]: places[name] for name in tensors if name in places}
    kinds = {name: (t.shape, t.integer, at[name].arena) for name, t in known.items()}
    words = words_of(lines)

    def free(name: str) -> str:
        name = names.free(name)
        return name if name not in words else free(f"{name}_")

    items = statements_of(lines)
    found: list[str] = []
    done = 0
    for layers in layers_in([item.code for item in items], kinds, free):
        counter = free("layer")
        moving = {family: _any_layer(family, at, Size(counter)) for family in layers.arrays}
        if any(place is None for place in moving.values()):
            continue
        found += [line for item in items[done : layers.first] for line in item.lines]
        found.append(f"for {counter} in range({layers.count}):")
        for family, name in layers.arrays.items():
            place = moving[family]
            assert place is not None
            found.append(f"    {view(name, known[family.names[0]], place)}")
        found += _body(layers, notes_of(items, layers))
        done = layers.stop
    return found + [line for item in items[done:] for line in item.lines]


def _body(layers: Layers, notes: Iterator[str]) -> Iterator[str]:
    for item in layers.body:
        yield from (f"    {line}{next(notes)}" for line in item)


def _any_layer(family: Family, at: Mapping[str, ArenaSpan], layer: Expr) -> ArenaSpan | None:
    """Where the array of any layer lies, if that is in equal steps."""
    first, second = (at[name] for name in family.names[:2])
    step = sympy.expand(second.number - first.number)
    for k, name in enumerate(family.names):
        if sympy.expand(at[name].number - first.number - k * step) != 0:
            return None
    return replace(first, number=sympy.expand(first.number + step * layer))
