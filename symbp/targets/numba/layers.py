"""Equal layers of a Numba stage as one loop: its body makes the views of any layer, then runs its lines.

Enters: the statements of a stage, where the arrays lie. Leaves: those with loops over layers. Must not know:
kernels, equations.

The arrays of equal layers lie in equal steps: their parameters one behind the other in the arena, their
places one behind the other in the table. Layers whose arrays don't stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.codegen import infer
from symbp.codegen.function import names_in
from symbp.codegen.roll_layers import Family, layers_in, numbered_layers, range_of, statements_of
from symbp.codegen.tree import For, Statement
from symbp.ir.expr import Expr, Size
from symbp.ir.system import Tensor
from symbp.targets.compiled.names import Names
from symbp.targets.numba.places import ArenaSpan, view


def looped(
    code: Sequence[Statement],
    tensors: Mapping[str, Tensor],
    places: Mapping[str, ArenaSpan],
    names: Names,
) -> list[Statement]:
    """The code of a stage with equal layers as loops; `tensors` are those that it reads and fills."""
    known = {names.tensors[name]: tensor for name, tensor in tensors.items() if name in places}
    at = {names.tensors[name]: places[name] for name in tensors if name in places}
    kinds = {name: (t.shape, t.integer, at[name].arena) for name, t in known.items()}
    words = names_in(code)

    def free(name: str) -> str:
        name = names.free(name)
        return name if name not in words else free(f"{name}_")

    items = statements_of(code)
    found: list[Statement] = []
    done = 0
    for layers in layers_in(items, kinds, free):
        counter = free("layer")
        moving = {family: _any_layer(family, at, Size(counter)) for family in layers.arrays}
        views = [
            view(name, known[family.names[0]], place)
            for family, name in layers.arrays.items()
            if (place := moving[family]) is not None
        ]
        if len(views) < len(moving):
            continue
        found += [s for item in items[done : layers.first] for s in item]
        body = (*views, *numbered_layers(items, layers))
        found.append(For(infer.integer(counter), range_of(range(layers.count)), body))
        done = layers.stop
    return found + [s for item in items[done:] for s in item]


def _any_layer(family: Family, at: Mapping[str, ArenaSpan], layer: Expr) -> ArenaSpan | None:
    """Where the array of any layer lies, if that is in equal steps."""
    first, second = (at[name] for name in family.names[:2])
    step = sympy.expand(second.number - first.number)
    for k, name in enumerate(family.names):
        if sympy.expand(at[name].number - first.number - k * step) != 0:
            return None
    return replace(first, number=sympy.expand(first.number + step * layer))
