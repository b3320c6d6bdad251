"""Proofs that a sum has the value that fingerprints say: from definitions, facts and linearity alone.

Enters: a claim `Σ body = value`, the definitions and facts of the tensors that it reads. Leaves: what it
rests on, or None where no proof is found. Must not know: how the claim was found, any values.

Both sides are written in terms of what they are made of, one definition after the other, the one that is
evaluated last first: so each is opened only if it has to be. Sums are split into
terms, what does not depend on the summed indices leaves them, and equal cores get one name. The claim holds
once the difference cancels as a rational expression: `Σ e/s = (Σ e)/s` is 1 as soon as s is Σ e, and
`Σ (x − m) = Σ x − N·m` is 0 as soon as m is Σ x/N.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from symbp.derive.definitions import inline
from symbp.derive.rules.algebra import multiplied_out, on_symbols
from symbp.derive.rules.sums import split
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, Size, accesses, free_indices, parts_of
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, System

MOST_OPENED = 24  # definitions written out, one after the other, above which the claim is given up
MOST_TERMS = 40  # of a sum above which the claim is given up
MOST_REDUCED = 3  # indices that a core may sum over
MOST_EXPANDED = 2000  # terms of a difference, multiplied out, above which the claim is given up

Definition = Callable[[str], Equation | None]


def proof(
    body: Expr,
    reduced: Sequence[Index],
    value: Expr,
    extents: Mapping[Index, Expr],
    system: System,
    definition: Definition,
    position: Callable[[str], Any],
) -> tuple[Equation | str, ...] | None:
    """What `Σ_reduced body = value` rests on: definitions, and facts in words, none that is not needed.

    None if no proof is found. `definition` gives the equation of a tensor, None for leaves; `position` its
    place in the order of evaluation.
    """
    found = _Proof(system, definition, position, extents).of(body, reduced, value, None)
    if found is None:
        return None
    names, facts = found
    for name in names:
        fewer = tuple(n for n in names if n != name)
        again = _Proof(system, definition, position, extents).of(body, reduced, value, fewer)
        if again is not None:
            names, facts = again
    return (*(e for e in (definition(name) for name in names) if e is not None), *facts)


class _Failed(Exception):
    """The claim is too large to go on with."""


class _Proof:
    """One attempt; sums are symbols, one for each core."""

    def __init__(
        self,
        system: System,
        definition: Definition,
        position: Callable[[str], Any],
        extents: Mapping[Index, Expr],
    ) -> None:
        self.system, self.definition, self.position = system, definition, position
        self.extents: dict[Index, Expr] = dict(extents)
        self.sums: dict[object, Expr] = {}
        self.cores: dict[Expr, tuple[Expr, tuple[Index, ...]]] = {}
        self.facts: dict[str, None] = {}
        self.opened: dict[str, None] = {}
        self.exchangeable: dict[str, bool] = {}

    def of(
        self, body: Expr, reduced: Sequence[Index], value: Expr, only: Sequence[str] | None
    ) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The names of the definitions and the facts that a proof uses; of the definitions, `only` these."""
        try:
            difference = self.total(body, tuple(reduced)) - value
            for _ in range(MOST_OPENED):
                if _vanishes(difference):
                    return tuple(self.opened), tuple(self.facts)
                name = self.latest(difference, only)
                if name is None:
                    return None
                self.opened[name] = None
                difference = self.written_out(difference, name)
        except _Failed:
            pass
        return None

    def latest(self, e: Expr, only: Sequence[str] | None) -> str | None:
        """The tensor among those read, in sums and beside them, that is evaluated last and may be opened."""
        symbols = e.free_symbols & self.cores.keys()
        inner = [a for symbol in symbols for a in accesses(self.cores[symbol][0]) if self._map(a) is not None]
        beside = [a for a in accesses(e) if self._map(a) is not None or self._total_of(a) is not None]
        names = {a.name for a in (*inner, *beside) if only is None or a.name in only}
        return max(names, key=lambda name: (self.position(name), name), default=None)

    def total(self, body: Expr, reduced: tuple[Index, ...]) -> Expr:
        """`Σ_reduced body` as a combination of named sums."""
        terms = sympy.Add.make_args(_multiplied_out(self._by_facts(body)))
        if len(terms) > MOST_TERMS or len(reduced) > MOST_REDUCED:
            raise _Failed
        found = []
        for term in terms:
            core = split(term, reduced, self.extents, self.system)
            if core.reduced != reduced:
                self._note_labels(term)
            found.append(core.outer * (self._named(core.inner, core.reduced) if core.reduced else core.inner))
        return sympy.Add(*found)

    def written_out(self, e: Expr, name: str) -> Expr:
        """The expression with a tensor replaced by its definition, in sums and beside them."""
        changed: dict[Expr, Expr] = {}
        for symbol in sorted(e.free_symbols & self.cores.keys(), key=lambda s: s.name):
            inner, reduced = self.cores[symbol]
            maps = {a: self._map(a) for a in accesses(inner) if a.name == name and self._map(a) is not None}
            if maps:
                changed[symbol] = self.total(inner.xreplace(maps), reduced)
        for access in accesses(e):
            if access.name == name:
                body = self._map(access)
                changed[access] = self._sum(access) if body is None else body
        return e.xreplace(changed)

    # --- inside
    def _map(self, access: Access) -> Expr | None:
        equation = None if access.outside is not None else self.definition(access.name)
        return None if equation is None or equation.reduction is not None else inline(equation, access)

    def _total_of(self, access: Access) -> Equation | None:
        """The definition of a tensor that is a sum."""
        equation = None if access.outside is not None else self.definition(access.name)
        return equation if equation is not None and equation.op == "sum" else None

    def _sum(self, access: Access) -> Expr:
        """The sum that a tensor is defined as, its summed indices renamed apart."""
        equation = self._total_of(access)
        if equation is None:
            return access
        fresh = {i: Index(f"_{len(self.extents) + k}") for k, i in enumerate(equation.reduced)}
        self.extents |= {fresh[i]: equation.extents[i] for i in equation.reduced}
        names = {**dict(zip(equation.indices, access.subscripts, strict=True)), **fresh}
        return self.total(equation.body.xreplace(names), tuple(fresh.values()))

    def _named(self, inner: Expr, reduced: tuple[Index, ...]) -> Expr:
        """The symbol of a sum, one for all that differ in the names of their summed indices only; or 1, if a
        fact says so."""
        if isinstance(inner, Access) and len(reduced) == 1 and self._sums_to_one(inner, reduced[0]):
            return sympy.Integer(1)
        spellings = []
        for order in itertools.permutations(reduced):
            names = {i: Index(f"_s{k}") for k, i in enumerate(order)}
            extents = tuple(self.extents[i] for i in order)
            spellings.append((self._by_facts(inner.xreplace(names)), extents))
        key = min(spellings, key=lambda spelling: (sympy.default_sort_key(spelling[0]), str(spelling[1])))
        if key not in self.sums:
            self.sums[key] = sympy.Dummy(f"sum{len(self.sums):04d}")
            self.cores[self.sums[key]] = (inner, reduced)
        return self.sums[key]

    def _sums_to_one(self, read: Access, index: Index) -> bool:
        if read.name not in self.system.by_name or read.outside is not None:
            return False
        for fact in sorted(self.system.tensor(read.name).facts, key=str):
            if fact.kind in ("sums to one", "one hot") and fact.axis is not None:
                others = [s for axis, s in enumerate(read.subscripts) if axis != fact.axis]
                if read.subscripts[fact.axis] == index and not any(index in free_indices(s) for s in others):
                    self.facts[f"{read.name} {'' if fact.kind[0] == 's' else 'is '}{fact}"] = None
                    return True
        return False

    def _by_facts(self, e: Expr) -> Expr:
        """Squares of zeros and ones as themselves; elements of symmetric matrices in one order."""
        changed: dict[Expr, Expr] = {}
        for access in accesses(e):
            tensor = self.system.by_name.get(access.name)
            if tensor is not None and (tensor.fact("binary") or tensor.fact("one hot")):
                powers = [p for p in parts_of(e, sympy.Pow) if p.base == access and p.exp.is_positive]
                changed |= dict.fromkeys(powers, access)
                self.facts |= {f"{access.name} is binary": None} if powers else {}
            *lead, row, column = access.subscripts if len(access.subscripts) > 1 else (0, 0)
            if sympy.default_sort_key(column) < sympy.default_sort_key(row) and self.symmetric(access.name):
                changed[access] = type(access)(access.name, *lead, column, row, outside=access.outside)
        return e.xreplace(changed)

    def symmetric(self, name: str) -> bool:
        """Whether the last two axes may be exchanged: by a fact, or by the definition and what it reads."""
        if name not in self.exchangeable:
            self.exchangeable[name] = False  # for as long as the question is open
            tensor, equation = self.system.by_name.get(name), self.definition(name)
            if tensor is not None and tensor.fact("symmetric"):
                self.exchangeable[name] = True
                self.facts[f"{name} is symmetric"] = None
            elif equation is not None and self._same_when_exchanged(equation):
                self.exchangeable[name] = True
                self.facts[f"{name} is symmetric: {equation_text(equation)}"] = None
        return self.exchangeable[name]

    def _same_when_exchanged(self, equation: Equation) -> bool:
        """Of an inverse, its matrix is asked; of a map or a sum, its body."""
        inverse = equation.op == "inverse"
        if len(equation.indices) < 2 or not (inverse or equation.op in (None, "sum")):
            return False
        row, column = equation.reduced if inverse else equation.indices[-2:]
        if sympy.expand(equation.extents[row] - equation.extents[column]) != 0:
            return False
        other = equation.body.xreplace({row: column, column: row})
        if equation.op != "sum":
            return _vanishes(multiplied_out(self._by_facts(equation.body) - self._by_facts(other)))
        fresh = {i: Index(f"_{len(self.extents) + k}") for k, i in enumerate(equation.all_indices)}
        self.extents |= {fresh[i]: equation.extents[i] for i in equation.all_indices}
        reduced = tuple(fresh[i] for i in equation.reduced)
        sides = [self.total(self._by_facts(body.xreplace(fresh)), reduced) for body in (equation.body, other)]
        return _vanishes(sides[0] - sides[1])

    def _note_labels(self, term: Expr) -> None:
        """A bracket that chose an element rests on its label being in range."""
        for guard in parts_of(term, Guard):
            for access in parts_of(guard, IntegerAccess):
                tensor = self.system.by_name.get(access.name)
                fact = None if tensor is None else tensor.fact("below")
                if fact is not None:
                    self.facts[f"{access.name} is {fact}"] = None


def _vanishes(e: Expr) -> bool:
    """Whether an expression is 0 as a rational one, over its roots."""
    roots: dict[Expr, Expr] = {}
    for power in sorted(parts_of(e, sympy.Pow), key=sympy.default_sort_key):
        if power.exp.is_Rational and power.exp.q == 2 and power.base not in roots:
            roots[power.base] = sympy.Dummy("root", positive=True)
    changed: dict[Expr, Expr] = {}
    for base, root in roots.items():
        changed[base] = root**2
        for power in parts_of(e, sympy.Pow):
            if power.base == base and power.exp.is_Rational:
                changed[power] = root ** (2 * power.exp)
    e = e.xreplace(changed)
    short = _with_lengths(e)
    return _is_zero(short) or (short != e and _is_zero(e))


def _is_zero(e: Expr) -> bool:
    return e == 0 or _multiplied_out(e) == 0 or on_symbols(e, sympy.cancel) == 0


def _with_lengths(e: Expr) -> Expr:
    """The expression with one symbol for each sum of sizes: the number of elements of a window's axes,
    N·(D − K + 3)·(E − K + 3), has nine terms, multiplied out, and its powers below the line hundreds."""
    totals = {a for a in parts_of(e, sympy.Add) if all(isinstance(s, Size) for s in a.free_symbols)}
    lengths: dict[Expr, Expr] = {}

    def factors(total: Expr) -> Expr:
        found = []
        for factor in sympy.Mul.make_args(sympy.factor(total)):
            base, power = factor.as_base_exp()
            sign = -1 if base.is_Add and base.could_extract_minus_sign() else 1
            length = lengths.setdefault(sign * base, sympy.Dummy("length")) if base.is_Add else base
            found.append((sign * length) ** power)
        return sympy.Mul(*found)

    return e.xreplace({total: factors(total) for total in sorted(totals, key=sympy.default_sort_key)})


def _multiplied_out(e: Expr) -> Expr:
    """The products multiplied out, unless their terms are too many: of what a claim rests on is told if it is
    found, and a claim that is written out has powers of sums of powers of sums."""
    if _terms(e) > MOST_EXPANDED:
        raise _Failed
    return multiplied_out(e)


def _terms(e: Expr) -> int:
    """How many terms a sum has, multiplied out, if none of them are alike."""
    if e.is_Add:
        return sum(map(_terms, e.args))
    if e.is_Mul:
        return math.prod(map(_terms, e.args))
    if e.is_Pow and e.exp.is_Integer:  # SymPy multiplies out what stands below a line, too
        terms, power = _terms(e.base), abs(int(e.exp))
        return 1 if terms == 1 else math.comb(terms + power - 1, power)
    return 1
