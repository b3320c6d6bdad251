"""The arguments that somebody's function asks for, by the names of a network.

Enters: a signature, a point. Leaves: arguments, each array a copy of its own.
Must not know: what a function does, or returns.

A name is a tensor of the forward pass (a leaf, or what is computed from leaves), a size, or one of a few
words for all parameters or all data together. One name that is none of these stands for all parameters,
where no other argument is one; where there is but one parameter, for its array.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbp.errors import UsageError, meant
from symbp.ir.system import Role, Tensor
from symbp.verify.against.returned import GRADIENTS
from symbp.verify.against.spelled import Spelled
from symbp.verify.points import Point

Array = np.ndarray[Any, Any]
PARAMETERS = ("params", "parameters", "weights", "theta", "model", "variables", "net")
ARRAYS = ("weights", "theta")  # of these, those that are one parameter's array where there is no other
DATA = ("data", "batch", "inputs", "feed", "arrays")
MASKS, BUFFERS = ("masks", "noise", "draws"), ("buffers", "state", "running")
CHOICES = {"training": True, "train": True, "mode": "train", "is_training": True, "seed": 0}


@dataclass(frozen=True)
class Arguments:
    """What a function is called with; `arrays` are all arrays among it, by their names in the network."""

    positional: tuple[Any, ...]
    named: dict[str, Any]
    arrays: dict[str, Array]
    zeros: dict[str, Any] = field(default_factory=dict)  # arrays and mappings of such, to be added to

    @property
    def filled(self) -> dict[str, Array]:
        """What was left in the arguments that are for gradients, once the function has run."""
        found: dict[str, Array] = {}
        for name, value in self.zeros.items():
            found |= value if isinstance(value, dict) else {name: value}
        return found


@dataclass(frozen=True)
class Supply:
    """What there is to give at a point; arrays of real numbers have the `dtype`."""

    spelled: Spelled
    point: Point
    dtype: Any = np.float64
    extra: Mapping[str, Any] = field(default_factory=dict)  # by their names in the code
    other: tuple[Any, ...] = ()  # for arguments of unknown names, in this order

    def array(self, tensor: Tensor) -> Any:
        """A copy of a tensor's value; a constant is a number."""
        if tensor.name in self.point.values:
            value = np.asarray(self.point.values[tensor.name])
        else:
            value = self.spelled.reference.right(self.point, tensor.name)
        if tensor.role is Role.HYPER:
            return float(value)
        return np.array(value, copy=True) if tensor.integer else np.array(value, dtype=self.dtype)

    def all(self, *roles: Role) -> dict[str, Any]:
        """The leaves of some roles, by name."""
        system = self.spelled.reference.derivation.declared
        return {t.name: self.array(t) for t in system.leaves if t.role in roles}

    def shapes(self, names: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """The shapes of tensors at the point."""
        system = self.spelled.reference.forward
        return {name: np.shape(self.array(system.tensor(name))) for name in names}

    def named(self, name: str, *, leaves: bool = False) -> tuple[str, Any] | None:
        """(the network's name, the value) for a name of the code; None where there is nothing so called, or
        it isn't a leaf, if only `leaves` count."""
        if name in self.extra:
            return name, self.extra[name]
        system = self.spelled.reference.forward
        called = self.spelled.said.get(name, name)
        for exactly in (True, False):
            tensors = self.spelled.tensors(called, exactly=exactly)
            for tensor in sorted(tensors, key=lambda t: not system.tensor(t).role.is_leaf):
                if system.tensor(tensor).role.is_leaf or not leaves:
                    return tensor, self.array(system.tensor(tensor))
            if called in self.point.sizes:
                return called, self.point.sizes[called]
        return None

    def alone(self) -> tuple[str, Any] | None:
        """The one parameter with its array, where there are no others."""
        every = self.all(Role.PARAMETER)
        return next(iter(every.items())) if len(every) == 1 else None

    def to_fill(self, name: str) -> Any:
        """Zeros where gradients are to be left: `grads`, all by name, or one, `dW`; None for other names."""
        zeros = {key: np.zeros_like(a) for key, a in self.all(Role.PARAMETER).items()}
        if name.casefold() in GRADIENTS:
            return zeros
        by = [self.spelled.reference.by(t) for t in self.spelled.derivatives(name)]
        return next((zeros[key] for key in by if key in zeros), None)

    def group(self, name: str) -> dict[str, Any] | None:
        """All parameters, all data and so on, for a word that stands for these."""
        plain = name.strip("_").casefold()
        if plain in PARAMETERS:
            return None if plain in ARRAYS and self.alone() else self.all(Role.PARAMETER)
        if plain in DATA:
            return self.all(Role.INPUT, Role.TARGET)
        if plain in MASKS:
            return self.all(Role.RANDOM)
        return self.all(Role.BUFFER) if plain in BUFFERS else None


def arguments(name: str, function: Callable[..., Any], supply: Supply, *, skip: int = 0) -> Arguments:
    """What a function asks for, the first `skip` arguments aside. Raises UsageError: a name that stands for
    nothing."""
    asked = list(signature(name, function).parameters.values())[skip:]
    positional: list[Any] = []
    given: dict[str, Any] = {}
    arrays: dict[str, Array] = {}
    filled: dict[str, Any] = {}
    rest = _rest(asked, supply)
    other = list(supply.other)
    for one in asked:
        if one.kind is inspect.Parameter.VAR_POSITIONAL:
            if other and isinstance(other[0], (tuple, list)):  # backward(dout, *cache)
                positional += [
                    given.pop(p.name, p.default) for p in asked[len(positional) : asked.index(one)]
                ]
                positional += other.pop(0)
            continue
        if one.kind is inspect.Parameter.VAR_KEYWORD:
            known = {*given, *arrays}
            more = supply.all(Role.INPUT, Role.TARGET, Role.HYPER)
            given |= {key: value for key, value in more.items() if key not in known}
            arrays |= _arrays(more)
            continue
        found = rest[1:] if one.name == rest[0] else _value(one, supply)
        if found is None and one.default is inspect.Parameter.empty:
            zeros = supply.to_fill(one.name)
            if zeros is not None:
                filled[one.name] = given[one.name] = zeros
                continue
        if found is None and other and one.default is inspect.Parameter.empty:
            found = one.name, other.pop(0)
        if found is None and one.default is not inspect.Parameter.empty:
            continue
        if found is None:
            raise _unknown(name, one.name, supply)
        arrays |= _arrays(found[1] if isinstance(found[1], dict) else {found[0]: found[1]})
        if one.kind is inspect.Parameter.POSITIONAL_ONLY:
            positional.append(found[1])
        else:
            given[one.name] = found[1]
    return Arguments(tuple(positional), given, arrays, filled)


def differentiable(name: str, function: Callable[..., Any], spelled: Spelled) -> list[str]:
    """The leaves of real numbers that a function asks for one by one, in its order."""
    system = spelled.reference.derivation.declared
    found = []
    for key in signature(name, function).parameters:
        for tensor in spelled.tensors(key):
            if tensor in system.by_name and not system.tensor(tensor).integer:
                found.append(tensor)
                break
    return [t for t in found if system.tensor(t).role is not Role.HYPER]


def signature(name: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        raise UsageError(
            f"the arguments of {name} have no names", help="wrap it: def f(params, x, y): return …"
        ) from None


def _value(one: inspect.Parameter, supply: Supply) -> tuple[str, Any] | None:
    """What an argument stands for."""
    found = supply.named(one.name, leaves=one.default is not inspect.Parameter.empty)
    if found is not None:
        return found
    group = supply.group(one.name)
    if group or (group is not None and one.default is inspect.Parameter.empty):
        return one.name, group
    return (one.name, CHOICES[one.name]) if one.name in CHOICES else None


def _rest(asked: Sequence[inspect.Parameter], supply: Supply) -> tuple[str, str, Any]:
    """The one argument of no known name, with all parameters, if no other is one: what it is called here and
    in the network, and its value."""
    if supply.other:
        return "", "", None
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in asked if p.kind in plain and p.default is inspect.Parameter.empty]
    open_ = [p for p in needed if _value(p, supply) is None]
    unknown = [p.name for p in open_ if supply.to_fill(p.name) is None]
    parameters = supply.all(Role.PARAMETER)
    taken = [found[0] for p in needed if (found := supply.named(p.name)) is not None]
    groups = [p.name for p in needed if p.name not in unknown and p.name.casefold() in PARAMETERS]
    if len(unknown) == 1 and not groups and not set(taken) & set(parameters):
        return unknown[0], *(supply.alone() or (unknown[0], parameters))
    return "", "", None


def _arrays(values: Mapping[str, Any]) -> dict[str, Array]:
    return {key: value for key, value in values.items() if isinstance(value, np.ndarray)}


def _unknown(name: str, asked: str, supply: Supply) -> UsageError:
    reference = supply.spelled.reference
    leaves = [t.name for t in reference.derivation.declared.leaves]
    hint = meant(asked, leaves)
    named = f"its sizes: {', '.join(supply.point.sizes) or 'none'}"
    told = f"say which it is: --map NAME={asked}, or map={{'NAME': '{asked}'}}"
    return UsageError(
        f"{name} asks for {asked!r}, and the network {reference.derivation.name} has nothing of that name",
        details=(f"its tensors: {', '.join(leaves)}", named),
        help=f"{hint} else {told}" if hint else told,
    )
