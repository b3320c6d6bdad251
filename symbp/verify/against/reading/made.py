"""An instance of somebody's class that has the parameters of a point.

Enters: a class or an instance, what there is to give. Leaves: an instance, the parameters that it holds.
Must not know: what its methods do.

Sizes that a constructor has names of its own for (`input_size`) are those with which the arrays that it makes
have the shapes of the parameters.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from symbp.errors import UsageError
from symbp.ir.system import Role
from symbp.verify.against.reading.held import places, put
from symbp.verify.against.running import guarded
from symbp.verify.against.supply import Arguments, Supply, arguments, signature

MOST = 4  # sizes with names of their own


def instance(name: str, made: Any, supply: Supply) -> tuple[Any, tuple[str, ...]]:
    """An instance with the point's parameters, and which of them it holds."""
    every = supply.all(Role.PARAMETER)
    if not isinstance(made, type):
        return _filled(copy.deepcopy(made), supply)
    try:
        built = arguments(f"{name}()", made, supply)
    except UsageError as error:
        for sizes in _sizes(name, made, supply):
            given = arguments(f"{name}()", made, sizes)
            try:
                made_so = _called(name, made, given)
            except UsageError:
                continue
            if _fits(made_so, supply):
                return _filled(made_so, supply)
        raise error
    made_so = _called(name, made, built)
    held = tuple(parameter for parameter in every if parameter in built.arrays)
    return (made_so, held) if held else _filled(made_so, supply)  # it keeps them as it likes


def _called(name: str, made: type, given: Arguments) -> Any:
    return guarded(f"{name}()", lambda: made(*given.positional, **given.named))


def _sizes(name: str, made: type, supply: Supply) -> Iterator[Supply]:
    """What there is to give, with the network's sizes under names that a constructor has for some."""
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    asked = [p for p in signature(f"{name}()", made).parameters.values() if p.kind in plain]
    own = [p.name for p in asked if p.default is p.empty and supply.named(p.name) is None]
    if 0 < len(own) <= MOST:
        for values in permutations(supply.point.sizes.values(), len(own)):
            yield replace(supply, extra=dict(zip(own, values, strict=True)))


def _named(made: Any, supply: Supply) -> Iterator[tuple[dict[Any, Any], Any, str]]:
    """Where an instance has parameters by name: what holds it, under which key, which one."""
    own = vars(made) if hasattr(made, "__dict__") else {}
    groups = [own, *(v for k, v in own.items() if k in ("params", "parameters", "weights"))]
    for group in (g for g in groups if isinstance(g, dict)):
        for key in [*group]:
            for tensor in supply.spelled.tensors(key):
                if tensor in supply.spelled.reference.derivation.gradients:
                    yield group, key, tensor


def _fits(made: Any, supply: Supply) -> bool:
    """Whether an instance has arrays of the parameters' shapes."""
    every = supply.all(Role.PARAMETER)
    named = [np.shape(group[key]) == every[tensor].shape for group, key, tensor in _named(made, supply)]
    return all(named) if named else put(places(made), every)


def _filled(made: Any, supply: Supply) -> tuple[Any, tuple[str, ...]]:
    """An instance with the parameters where it has them by name, else in its parts, by their shapes."""
    every, held = supply.all(Role.PARAMETER), []
    for group, key, tensor in [*_named(made, supply)]:
        group[key] = every[tensor]
        held.append(tensor)
    if not held and put(places(made), every):
        return made, (*every,)
    return made, tuple(dict.fromkeys(held))
