"""Signs and bounds of values by their form: which bodies are positive, never negative, at most one.

Enters: a system's leaves with their facts, equations in the order of evaluation. Leaves: True when proven
for every value of the leaves, else False. Must not know: what the answer is used for.

Each proof holds in floating-point arithmetic as well, though what is positive may underflow to 0: it rests on
additions, products, quotients and elementary functions whose rounding keeps the sign and the bound
(`1 + exp(-z)` is never rounded below 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy

from symbp.ir.expr import Access, Expr, Guard
from symbp.ir.system import Equation, System

_FLAGS = "pnowr"
_UNIT = (sympy.tanh, sympy.sin, sympy.cos, sympy.erf)  # functions with values from −1 to 1


class Signs:
    """What is known of the tensors that `equations` define, and of those that they read."""

    def __init__(self, system: System, equations: Sequence[Equation]) -> None:
        leaves = system.leaves
        self._positive = {t.name for t in leaves if t.fact("positive")}
        self._nonnegative = {
            t.name for t in leaves if any(t.fact(k) for k in ("binary", "one hot", "nonnegative"))
        }
        self._at_most_one = {t.name for t in leaves if any(t.fact(k) for k in ("binary", "one hot"))}
        self._within_one: set[str] = set()  # from −1 to 1
        self._rounded: set[str] = set()  # more than leaves that are moved, added and subtracted
        self._asked: dict[Expr, bool] = {}
        for equation in equations:
            self._learn(equation)

    @classmethod
    @lru_cache(maxsize=64)
    def told(cls, flags: tuple[tuple[str, str], ...]) -> Signs:
        """What `flags` of another one's tensors say, under whatever names."""
        found = cls.__new__(cls)
        sets = [{name for name, known in flags if letter in known} for letter in _FLAGS]
        found._positive, found._nonnegative, found._at_most_one, found._within_one, found._rounded = sets
        found._asked = {}
        return found

    def flags(self, name: str) -> str:
        """What is known of a tensor, a letter for each: `p`ositive, `n`ever negative, at most `o`ne, `w`ithin
        −1 and 1, `r`ounded."""
        sets = (self._positive, self._nonnegative, self._at_most_one, self._within_one, self._rounded)
        return "".join(letter for letter, known in zip(_FLAGS, sets, strict=True) if name in known)

    def _learn(self, equation: Equation) -> None:
        self._asked.clear()
        if equation.op in ("max", "argmax") or equation.leaf is not None:
            return
        name, body = equation.target, equation.body
        if equation.reduction is not None or self.rounded(body):
            self._rounded.add(name)
        if self.positive(body):
            self._positive.add(name)
        elif self.nonnegative(body):
            self._nonnegative.add(name)
        if equation.reduction is None:
            if self.at_most_one(body):
                self._at_most_one.add(name)
            if self.within_one(body):
                self._within_one.add(name)

    def rounded(self, e: Expr) -> bool:
        """Whether `e` has an error of rounding in any case: more than leaves that are moved, added and
        subtracted, each perhaps under a bracket or with a number, which SymPy multiplies in."""
        if isinstance(e, Access):
            return e.name in self._rounded
        if e.is_Add:
            return any(self.rounded(a) for a in e.args)
        if e.is_Mul:
            rest = [f for f in e.args if not isinstance(f, Guard) and not f.is_number]
            return len(rest) > 1 or any(self.rounded(f) for f in rest)
        return not (e.is_number or isinstance(e, Guard) or e.is_Symbol)

    def positive(self, e: Expr) -> bool:
        """Whether `e` > 0."""
        if isinstance(e, Access):
            return e.name in self._positive and e.outside is None
        if isinstance(e, sympy.exp):
            return True
        if e.is_Pow:
            return self.positive(e.base)
        if e.is_Mul:
            return all(self.positive(a) for a in e.args)
        if e.is_Add:
            return any(self.positive(a) for a in e.args) and all(self.nonnegative(a) for a in e.args)
        return bool(e.is_positive)

    def nonnegative(self, e: Expr) -> bool:
        """Whether `e` ≥ 0, wherever it is defined."""
        if e not in self._asked:
            self._asked[e] = self._nonnegative_by_form(e)
        return self._asked[e]

    def _nonnegative_by_form(self, e: Expr) -> bool:
        if e.is_nonnegative:
            return True
        if isinstance(e, Access) and (e.name in self._nonnegative or e.name in self._positive):
            return e.outside is None or self.nonnegative(e.outside)
        if e.is_Pow and e.exp.is_Integer and e.exp.is_even:
            return True
        if e.is_Pow and e.exp.is_number:
            return self.nonnegative(e.base)
        if e.is_Mul:
            return all(self.nonnegative(a) for a in e.args)
        if e.is_Add:
            return all(self.nonnegative(a) for a in e.args) or self._one_less(e)
        return self.positive(e)

    def _one_less(self, e: Expr) -> bool:
        """`c − a`, for a number c > 0 and a ≤ c."""
        constant, rest = e.as_coeff_Add()
        return bool(constant.is_positive) and self.at_most_one(-rest / constant)

    def at_most_one(self, e: Expr) -> bool:
        """Whether `e` ≤ 1."""
        if isinstance(e, Access):
            known = e.name in self._at_most_one | self._within_one
            return known and (e.outside is None or self.at_most_one(e.outside))
        if isinstance(e, Guard):
            return True
        if e.is_number:
            return bool(e <= 1)
        if isinstance(e, sympy.exp):
            return self.nonnegative(-e.exp)
        if e.is_Pow and e.exp.is_negative:
            return self.at_least_one(e.base)
        if e.is_Pow and e.exp.is_Integer and e.exp.is_even:
            return self.within_one(e.base)
        if e.is_Pow and e.exp.is_positive:
            return self.nonnegative(e.base) and self.at_most_one(e.base)
        if e.is_Mul:
            return self.nonnegative(-e) if _minus(e) else all(self._from_zero_to_one(a) for a in e.args)
        if e.is_Add:
            constant, rest = e.as_coeff_Add()
            return bool(constant <= 1) and self.nonnegative(-rest)
        return isinstance(e, _UNIT)

    def within_one(self, e: Expr) -> bool:
        """Whether −1 ≤ `e` ≤ 1."""
        if isinstance(e, Access):
            known = e.name in self._within_one or (
                e.name in self._at_most_one and e.name in self._nonnegative | self._positive
            )
            return known and (e.outside is None or self.within_one(e.outside))
        if isinstance(e, _UNIT):
            return True
        if e.is_Mul:
            return all(self.within_one(a) for a in e.args)
        if e.is_number:
            return bool(e >= -1) and bool(e <= 1)
        if e.is_Pow and e.exp.is_positive and self.within_one(e.base) and e.exp.is_Integer:
            return True
        return self._from_zero_to_one(e)

    def _from_zero_to_one(self, e: Expr) -> bool:
        return self.nonnegative(e) and self.at_most_one(e)

    def at_least_one(self, e: Expr) -> bool:
        """Whether `e` ≥ 1."""
        if isinstance(e, sympy.exp):
            return self.nonnegative(e.exp)
        if e.is_Add:
            constant, rest = e.as_coeff_Add()
            return bool(constant >= 1) and self.nonnegative(rest)
        return bool(e.is_number) and bool(e >= 1)


def _minus(e: Expr) -> bool:
    """Whether a product has a negative number in front."""
    return bool(e.as_coeff_Mul()[0].is_negative)
