"""Dropout's rate by its letter: k = h ⊙ mask/(1 − p) for k = 2·(h ⊙ mask).

Enters: a page's system. Leaves: letters with their values, equations that have them. Must not know: which op
drew a mask, notations.

A mask that is 1 with probability q and whose first reader divides by q is one of dropout, and then p = 1 − q
is what its author chose. Whatever else is multiplied by the mask, on the way back, has the same factor
1/q.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr
from symbp.ir.system import Equation, System
from symbp.read.display import Constant
from symbp.read.textbook.terms import everywhere

LETTERS = ("p", "ρ")
CLOSE = 1e-12


@dataclass(frozen=True)
class Rates:
    """For each mask the letter of its rate; for each letter the rate."""

    letters: Mapping[str, Constant]
    values: Mapping[Constant, Expr]

    def shown(self, equation: Equation) -> Equation:
        """The equation with 1/(1 − p) beside each mask that has a factor 1/q."""
        if not self.letters.keys() & equation.read_names:
            return equation
        return equation.with_(body=everywhere(equation.body, self._product))

    def _product(self, e: Expr) -> Expr:
        if not e.is_Mul:
            return e
        for factor in e.args:
            if isinstance(factor, Access) and factor.name in self.letters:
                letter = self.letters[factor.name]
                number, rest = e.as_coeff_Mul()
                left = number * (1 - self.values[letter])
                if left.p * left.q < number.p * number.q:
                    e = sympy.Mul(left, rest, 1 / (1 - letter))
        return e


NO_RATES = Rates({}, {})


def rates(system: System, taken: Collection[str]) -> Rates:
    """The rates of all masks of dropout; none where `taken` has all letters for them."""
    found = {t.name: rate for t in system.leaves if (rate := _rate(system, t.name)) is not None}
    letter = next((letter for letter in LETTERS if letter not in taken), None)
    if not found or letter is None:
        return NO_RATES
    values = sorted(set(found.values()))
    several = len(values) > 1
    named = {v: Constant(f"{letter}{k if several else ''}") for k, v in enumerate(values, start=1)}
    return Rates({mask: named[v] for mask, v in found.items()}, {c: v for v, c in named.items()})


def _rate(system: System, mask: str) -> Expr | None:
    """1 − q where the first reader of a mask divides by the probability q of its ones."""
    draw = system.tensor(mask).draw
    reader = next((e for e in system.equations if mask in e.read_names), None)
    if draw is None or draw.kind != "bernoulli" or reader is None:
        return None
    for product in reader.body.atoms(sympy.Mul):
        number, _ = product.as_coeff_Mul()
        scaled = any(isinstance(factor, Access) and factor.name == mask for factor in product.args)
        if scaled and number.is_Rational and abs(float(1 / number) - draw.p) < CLOSE:
            return 1 - 1 / number
    return None
