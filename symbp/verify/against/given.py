"""The arguments of any function: which of them are of real numbers, in mappings and lists of them, too.

Enters: arguments as a caller gives them. Leaves: arrays by name, and the arguments made of these again.
Must not know: what a function does with them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.errors import UsageError, meant

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Given:
    """`flat` has every array under a name, `places` says of those in a container which it is and where;
    `real` are those to differentiate by, `kinds` the arguments as they were given, in their order."""

    flat: Mapping[str, Any]
    places: Mapping[str, tuple[str, Any]]
    kinds: Mapping[str, Any]
    by_name: bool
    real: tuple[str, ...]

    def call(self, flat: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and named arguments with these arrays."""
        made: dict[str, Any] = {}
        for name, kind in self.kinds.items():
            inside = {key: flat[n] for n, (top, key) in self.places.items() if top == name}
            if isinstance(kind, Mapping):
                made[name] = {**kind, **inside}
            elif inside:
                made[name] = type(kind)(inside.get(k, part) for k, part in enumerate(kind))
            else:
                made[name] = flat[name]
        return ((), made) if self.by_name else (tuple(made.values()), {})


def given(
    function: Callable[..., Any],
    arguments: Mapping[str, Any] | Sequence[Any],
    wrt: Sequence[str] | str | None = None,
) -> Given:
    """Raises UsageError: nothing to differentiate by."""
    by_name = isinstance(arguments, Mapping)
    named = dict(arguments) if isinstance(arguments, Mapping) else _named(function, arguments)
    flat: dict[str, Any] = {}
    places: dict[str, tuple[str, Any]] = {}
    for top, value in named.items():
        inside = _inside(value)
        for key, one in inside.items():
            name = f"{top}[{key}]" if isinstance(key, int) else key
            name = name if name not in flat and name not in named else f"{top}.{key}"
            flat[name], places[name] = np.asarray(one), (top, key)
        if not inside:
            flat[top] = np.asarray(value) if is_real(value) or isinstance(value, np.ndarray) else value
    real = [name for name, value in flat.items() if is_real(value)]
    if wrt is not None:
        real = _chosen(real, places, [wrt] if isinstance(wrt, str) else list(wrt), named)
    if not real:
        kinds = [f"{name}: {_kind(value)}" for name, value in named.items()]
        raise UsageError(
            "no argument is of real numbers: there is nothing to differentiate by",
            details=tuple(kinds),
            help="give arrays of floats, np.array(x, float)",
        )
    return Given(flat, places, named, by_name, tuple(real))


def _inside(value: Any) -> dict[Any, Any]:
    """The arrays of real numbers in a mapping, or in a list of nothing else."""
    if isinstance(value, Mapping):
        return {key: one for key, one in value.items() if isinstance(key, str) and is_real(one)}
    if type(value) in (list, tuple) and value and all(isinstance(part, np.ndarray) for part in value):
        return {k: part for k, part in enumerate(value) if is_real(part)}
    return {}


def _chosen(
    real: Sequence[str], places: Mapping[str, tuple[str, Any]], wrt: Sequence[str], named: Mapping[str, Any]
) -> list[str]:
    for name in wrt:
        if name not in real and name not in {places[n][0] for n in real if n in places}:
            known = [*real, *(n for n in named if n not in real)]
            raise UsageError(
                f"there is no argument of real numbers that is called {name!r}",
                details=(f"the arguments are: {', '.join(known)}",),
                help=meant(name, known),
            )
    return [name for name in real if name in wrt or places.get(name, ("",))[0] in wrt]


def _named(function: Callable[..., Any], arguments: Sequence[Any]) -> dict[str, Any]:
    """Positional arguments by the names that the function has for them."""
    try:
        names = [*inspect.signature(function).parameters]
    except (TypeError, ValueError):
        names = []
    known = len(names) >= len(arguments)
    return {names[k] if known else f"argument{k + 1}": value for k, value in enumerate(arguments)}


def is_real(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"
