"""How parameters start, for `param(..., init=...)`, `nn.Dense(..., init=...)` and `bp.restarted(net, ...)`.

Enters: shapes. Leaves: `symbp.ir.training.Initial`, with the reason. Must not know: networks.
A network needs the defaults itself, so the definitions stand in `symbp.language.start.distributions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbp.errors import UsageError, choose
from symbp.language.start.distributions import (
    Initialiser,
    constant,
    default,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    normal,
    ones,
    orthogonal,
    truncated_normal,
    zeros,
)

_PLAIN: dict[str, Initialiser] = {
    "glorot-uniform": glorot_uniform,
    "glorot-normal": glorot_normal,
    "he-uniform": he_uniform,
    "he-normal": he_normal,
    "lecun-uniform": lecun_uniform,
    "lecun-normal": lecun_normal,
    "zeros": zeros,
    "ones": ones,
}
_NUMBERED: dict[str, tuple[Callable[[Any], Initialiser], float | None]] = {
    "orthogonal": (orthogonal, 1.0),
    "normal": (normal, None),
    "truncated-normal": (truncated_normal, None),
    "constant": (constant, None),
}
WAYS = (*_PLAIN, *_NUMBERED)


def named(text: str) -> Initialiser:
    """The way of that name, as `he-normal`, `orthogonal`, `truncated-normal:0.02`. Raises UsageError: none is
    called so, a number that is missing or none."""
    name, _, value = text.partition(":")
    if name in _PLAIN and not value:
        return _PLAIN[name]
    if name not in _NUMBERED:
        raise UsageError(f"there is no start {text!r}", help=choose(name, WAYS))
    make, usual = _NUMBERED[name]
    try:
        given = float(value) if value else usual
    except ValueError:
        given = None
    if given is None:
        raise UsageError(f"the start {text!r} needs a number", help=f"as in {name}:0.02")
    return make(given)


__all__ = [
    "constant", "default", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal",
    "lecun_uniform", "named", "normal", "ones", "orthogonal", "truncated_normal", "zeros",
]  # fmt: skip
