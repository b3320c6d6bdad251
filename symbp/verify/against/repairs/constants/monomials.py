"""Constants told by where they change: N, 1/2, B·T, √D, the ε of a norm.

Enters: a number at each of several points, what sizes and constants are there. Leaves: the simplest monomial
that is all of these numbers. Must not know: where the numbers come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

import numpy as np

CLOSE = 1e-6
PLAIN = tuple(map(Fraction, ("1", "2", "1/2", "3", "1/3", "4", "1/4", "6", "1/6", "8", "1/8")))
POWERS = (Fraction(1), Fraction(-1), Fraction(2), Fraction(-2), Fraction(1, 2), Fraction(-1, 2))
MOST = 3  # sizes in one constant


@dataclass(frozen=True)
class Monomial:
    """`sign · number · Π name^power`."""

    number: Fraction
    powers: tuple[tuple[str, Fraction], ...] = ()

    @property
    def effort(self) -> int:
        return len(self.powers) + (abs(self.number) != 1)

    @property
    def is_sign(self) -> bool:
        return self.number == -1 and not self.powers

    @property
    def is_one(self) -> bool:
        return self.number == 1 and not self.powers

    def over(self) -> Monomial:
        """One divided by it."""
        return Monomial(1 / self.number, tuple((name, -power) for name, power in self.powers))

    def __str__(self) -> str:
        top = [_power(name, power) for name, power in self.powers if power > 0]
        below = [_power(name, -power) for name, power in self.powers if power < 0]
        if abs(self.number.numerator) != 1 or not top:
            top.insert(0, str(abs(self.number.numerator)))
        if self.number.denominator != 1:
            below.insert(0, str(self.number.denominator))
        quotient = "·".join(below)
        sign = "-" if self.number < 0 else ""
        return (
            sign + "·".join(top) + (f"/({quotient})" if len(below) > 1 else f"/{quotient}" if below else "")
        )


def _power(name: str, power: Fraction) -> str:
    if power == Fraction(1, 2):
        return f"sqrt({name})"
    return name if power == 1 else f"{name}²" if power == 2 else f"{name}^{power}"


class Recogniser:
    """The monomials of `known`: by name, the value at each point. Names with one and the same value at all
    points as another, or with the value 1, are left out."""

    def __init__(self, known: Mapping[str, Sequence[float]]) -> None:
        self.known: dict[str, tuple[float, ...]] = {}
        for name, values in known.items():
            told = all(v > 0 for v in values) and tuple(values) not in self.known.values()
            if told and any(abs(v - 1) > CLOSE for v in values):
                self.known[name] = tuple(values)
        self._forms = sorted(self._listed(), key=_simplicity)
        self._logs = np.array(
            [[self._log(form, k) for k in range(self._count(known))] for form in self._forms]
        )

    def monomial(self, numbers: Sequence[float]) -> Monomial | None:
        """The simplest one that is the given number at each point."""
        values = np.array(numbers, float)
        if not np.all(np.isfinite(values)) or not np.all(values) or len({*np.sign(values)}) != 1:
            return None
        off = np.max(np.abs(self._logs - np.log(np.abs(values))), axis=1)
        fitting = np.flatnonzero(off <= CLOSE)
        if not fitting.size:
            return None
        form, sign = self._forms[int(fitting[0])], int(np.sign(values[0]))
        rivals = [self._forms[int(k)] for k in fitting[1:]]
        if form.powers and any(_simplicity(r)[0] == _simplicity(form)[0] for r in rivals):
            plain = Fraction(float(abs(values[0]))).limit_denominator(999)  # sizes don't tell them apart
            if np.max(np.abs(np.abs(values) - float(plain))) > CLOSE * float(plain):
                return None
            return Monomial(plain * sign)
        return Monomial(form.number * sign, form.powers)

    def values(self, form: Monomial) -> list[float]:
        """A monomial at each point."""
        sign = 1 if form.number > 0 else -1
        plain = Monomial(abs(form.number), form.powers)
        return [sign * float(np.exp(self._log(plain, k))) for k in range(self._count(self.known))]

    @staticmethod
    def _count(known: Mapping[str, Sequence[float]]) -> int:
        return max((len(values) for values in known.values()), default=1)

    def _log(self, form: Monomial, k: int) -> float:
        powers = sum(float(power) * float(np.log(self.known[name][k])) for name, power in form.powers)
        return float(np.log(float(form.number))) + powers

    def _listed(self) -> Iterator[Monomial]:
        for count in range(MOST + 1):
            allowed = POWERS if count < 2 else POWERS[:4] if count < MOST else POWERS[:2]
            for names in combinations(self.known, count):
                for powers in product(allowed, repeat=count):
                    for number in PLAIN if count < MOST else PLAIN[:1]:
                        yield Monomial(number, tuple(zip(names, powers, strict=True)))


def _simplicity(form: Monomial) -> tuple[float, ...]:
    """Fewer letters, then whole powers, then small numbers."""
    odd = sum(abs(power) != 1 for _, power in form.powers)
    size = abs(form.number.numerator) + form.number.denominator
    shifted = sum(name.startswith("(") for name, _ in form.powers)
    return (form.effort + odd + shifted, size)
