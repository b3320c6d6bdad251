"""How parameters start, in words and in a format's notation, and why.

Enters: starts by parameter. Leaves: parameters that start alike, together.
Must not know: the layout of a format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Expr
from symbp.ir.printer import Notation
from symbp.ir.training import Initial


@dataclass(frozen=True)
class Start:
    """Parameters that start alike."""

    names: tuple[str, ...]
    initial: Initial

    def words(self, notation: Notation, either: str = "±") -> tuple[str, str]:
        """(the distribution, its scale or its value): `("uniform within", "±sqrt(6/(D + H))")`."""
        start = self.initial
        if start.of:
            return f"{start.distribution} of {start.of} over the training data", ""
        if start.distribution == "constant" or start.scale == 0:
            value = start.shift + (start.scale if start.distribution == "constant" else 0)
            return "", notation.show(value)
        around = f"{notation.show(start.shift)} " if start.shift != 0 else ""
        scale = _scale(notation, start.scale)
        if start.distribution == "uniform":
            return "uniform within", f"{around}{either}{scale}"
        middle = notation.prose(" around ") + around.strip() if around else ""
        if start.distribution == "orthogonal":
            return ("orthogonal", "") if start.scale == 1 else ("orthogonal, times", scale + middle)
        if start.distribution == "truncated":
            return "normal, within two deviations, with the deviation", scale + middle
        return "normal with the deviation", scale + middle


def starts(initial: Mapping[str, Initial]) -> tuple[Start, ...]:
    """The parameters that start alike together, in the order of the first."""
    alike: dict[Initial, list[str]] = {}
    for name, start in initial.items():
        alike.setdefault(start, []).append(name)
    return tuple(Start(tuple(names), start) for start, names in alike.items())


def _scale(notation: Notation, scale: Expr) -> str:
    """√(6/(D + H)), where SymPy holds √6/√(D + H)."""
    square = scale**2  # a scale isn't negative
    plain = square.is_number or _has_root(square)
    return notation.show(scale) if plain or not _has_root(scale) else notation.root(notation.show(square))


def _has_root(expr: Expr) -> bool:
    return any(not power.exp.is_integer for power in expr.atoms(sympy.Pow))
