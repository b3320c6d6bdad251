"""Masks by −∞: what is −∞ by a choice is excluded by a bracket, which everything else understands.

Enters: a declared system. Leaves: the same values, with a step for each change. Must not know: softmax,
attention or any other op by name; only exp and choices.

`exp(u)` of `u = [c]·z − ∞·[¬c]` is `[c]·exp(z)`: lazy, so nothing is −∞ on the way, and a sum from which all
is excluded is known for what it is. Where the condition is no product of brackets, a tensor of zeros and ones
holds it. An input that is added to the exponents of a softmax, and used for nothing but linear terms beside,
is a mask, finite or −∞ in itself, as is one that is declared so: `exp(z + m)` is `[m > −∞]·exp(z + m)`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

import sympy

from symbp.derive.definitions import fresh_name, inline
from symbp.derive.derivation import part
from symbp.derive.rules.rule import Change
from symbp.derive.stabilise.factors import exponential_factor
from symbp.ir.expr import Access, Expr, Guard, Index, accesses, parts_of
from symbp.ir.system import Equation, Fact, Role, System, Tensor

RULE = "masked by −∞"
MOST_BRACKETS = 4  # of one condition, in whatever order they were joined


def bracket_masks(system: System) -> tuple[System, list[Change]]:
    """The system with exponentials of what may be −∞ under brackets."""
    masks = {t.name for t in system.leaves if t.fact("mask")} | _added_masks(system)
    changes: list[Change] = []
    if not masks and not any(e.body.has(-sympy.oo) for e in system.equations):
        return system, changes
    lowest = _may_be_lowest(system, masks)
    helpers: dict[Expr, tuple[Tensor, Equation]] = {}
    equations: list[Equation] = []
    for equation in system.equations:
        found: dict[Expr, Expr] = {}
        for exponential in sorted(parts_of(equation.body, sympy.exp), key=sympy.default_sort_key):
            bracketed = _bracketed(exponential, equation, system, lowest, masks, helpers)
            if bracketed is not None:
                found[exponential] = bracketed
        equations += [e for t, e in helpers.values() if e not in equations and _reads(found, t.name)]
        for before, after in found.items():
            changes.append(
                Change(
                    equation.target,
                    (part(before, equation),),
                    (part(after, equation),),
                    tuple(sorted({a.name for a in accesses(before)} - {a.name for a in accesses(after)})),
                )
            )
        equations.append(equation.with_(body=equation.body.xreplace(found)) if found else equation)
    facts = {name: system.tensor(name).facts | {Fact("mask")} for name in masks}
    tensors = tuple(replace(t, facts=facts[t.name]) if t.name in facts else t for t in system.tensors)
    tensors += tuple(tensor for tensor, _ in helpers.values())
    return system.with_(tensors=tensors, equations=tuple(equations)), changes


def _added_masks(system: System) -> set[str]:
    """The inputs that are added to other tensors in the exponents of sums that something is divided by, or
    whose logarithm is taken, in one equation or through others; and that otherwise stand in linear terms."""
    inputs = {t.name for t in system.leaves if t.role is Role.INPUT and not (t.integer or t.facts or t.draw)}
    uses = _Uses(system)
    for equation in system.equations:
        uses.visit(equation)
    news = True
    while news:
        before = len(uses.exponents) + len(uses.elsewhere)
        for name, targets in uses.passed.items():
            uses.exponents |= {name} if targets & uses.exponents else set()
            uses.elsewhere |= {name} if targets & uses.elsewhere else set()
        news = len(uses.exponents) + len(uses.elsewhere) > before
    return (inputs & uses.beside & uses.exponents) - uses.elsewhere


class _Uses:
    """How tensors are read: added to others (`beside`), as a term of a map (`passed`, which), in the
    `exponents` of a normalised sum, or `elsewhere` than there and in linear terms."""

    def __init__(self, system: System) -> None:
        self.beside: set[str] = set()
        self.exponents: set[str] = set()
        self.elsewhere: set[str] = {n for pair in system.derivatives.values() for n in pair}
        self.passed: dict[str, set[str]] = {}
        self._normalised: set[Expr] = set()
        under = {
            access.name
            for equation in system.equations
            for e in equation.body.atoms(sympy.log, sympy.Pow)
            if isinstance(e, sympy.log) or e.exp.is_negative
            for access in accesses(e)
        }
        for equation in system.equations:
            if equation.op == "sum" and equation.target in under:
                held = exponential_factor(equation.body, system)
                own = [f for f in sympy.Mul.make_args(equation.body) if isinstance(f, sympy.exp)]
                if held is not None and held[1] is not None:
                    body = system.defining[held[1].name].body
                    own = [f for f in sympy.Mul.make_args(body) if isinstance(f, sympy.exp)]
                self._normalised |= set(own)

    def visit(self, equation: Equation) -> None:
        """Notes what an equation does with the tensors that it reads."""
        terms = sympy.Add.make_args(sympy.expand_mul(equation.body))
        for term in terms:
            factors = [f for f in sympy.Mul.make_args(term) if not isinstance(f, Guard)]
            reads = [f for f in factors if isinstance(f, Access) and f.outside is None]
            if factors == reads and len(reads) == 1 and equation.reduction is None and not equation.constant:
                self._note(reads[0], terms, term)
                self.passed.setdefault(reads[0].name, set()).add(equation.target)
            for factor in factors:
                if factor not in reads or factors.count(factor) > 1:
                    self._inside(factor)

    def _note(self, read: Expr, terms: Sequence[Expr], term: Expr) -> None:
        if any(other.has(Access) for other in terms if other is not term):
            self.beside.add(read.name)

    def _inside(self, e: Expr) -> None:
        if isinstance(e, sympy.exp) and e in self._normalised:
            terms = sympy.Add.make_args(sympy.expand_mul(e.args[0]))
            for term in terms:
                if isinstance(term, Access) and term.outside is None:
                    self._note(term, terms, term)
                    self.exponents.add(term.name)
                else:
                    self._inside(term)
        elif isinstance(e, Access):
            self.elsewhere.add(e.name)
            for arg in e.args[1:]:
                self._inside(arg)
        elif not isinstance(e, Guard):
            for arg in e.args:
                self._inside(arg)


def _reads(found: dict[Expr, Expr], name: str) -> bool:
    return any(a.name == name for e in found.values() for a in accesses(e))


def _may_be_lowest(system: System, masks: Iterable[str]) -> set[str]:
    """The masks, and the maps that choose −∞ or add what may be −∞."""
    found = set(masks)
    for equation in system.equations:
        if equation.reduction is None:
            terms = sympy.Add.make_args(equation.body)
            added = any(
                isinstance(f, Access) and f.name in found for t in terms for f in sympy.Mul.make_args(t)
            )
            if added or any(t.has(-sympy.oo) and not t.has(sympy.exp, sympy.log) for t in terms):
                found.add(equation.target)
    return found


def _bracketed(
    exponential: Expr,
    equation: Equation,
    system: System,
    lowest: set[str],
    masks: set[str],
    helpers: dict[Expr, tuple[Tensor, Equation]],
) -> Expr | None:
    """The exponential under brackets, if its exponent is a sum of something finite and of what may be −∞."""
    exponent = _written_out(exponential.args[0], system, lowest)
    terms = sympy.Add.make_args(exponent)
    infinite = [t for t in terms if t.has(-sympy.oo)]
    added = [f for t in terms for f in sympy.Mul.make_args(t) if isinstance(f, Access) and f.name in masks]
    present = [Guard("<", -sympy.oo, read) for read in added]
    if not infinite:
        return sympy.Mul(*present, exponential) if present else None
    excluded = [_excluded(t) for t in infinite]
    if any(e is None for e in excluded):
        return None
    finite = [t for t in terms if t not in infinite]
    products = [e for e in excluded if e is not None]
    kept = _complement(products)
    if kept is not None:
        brackets = set(sympy.Mul.make_args(kept))
        rest = sympy.Add(*[_without(t, brackets) for t in finite])
        return sympy.Mul(kept, *present, sympy.exp(rest))
    holds = sympy.Add(*products)
    read = _helper(holds, equation, system, helpers)
    return sympy.Mul(Guard("=", read, 0), *present, sympy.exp(sympy.Add(*finite)))


def _written_out(e: Expr, system: System, lowest: set[str]) -> Expr:
    """The exponent with the definitions of what chooses −∞, or adds a mask."""
    reads = {}
    for access in accesses(e):
        equation = system.defining.get(access.name)
        if equation is not None and access.name in lowest and access.outside is None:
            reads[access] = _written_out(inline(equation, access), system, lowest)
    return sympy.expand_mul(e.xreplace(reads)) if reads else e


def _excluded(term: Expr) -> Expr | None:
    """The brackets under which a term is −∞; None if it is +∞, or −∞ times something else."""
    factors = sympy.Mul.make_args(term)
    brackets = [f for f in factors if isinstance(f, Guard)]
    rest = sympy.Mul(*[f for f in factors if not isinstance(f, Guard)])
    return sympy.Mul(*brackets) if rest == -sympy.oo and brackets else None


def _complement(excluded: Sequence[Expr]) -> Expr | None:
    """The product of brackets that holds exactly where none of the disjoint products holds: of
    `¬a`, `a·¬b`, `a·b·¬c` it is `a·b·c`."""
    if len(excluded) > MOST_BRACKETS:
        return None
    for order in itertools.permutations(excluded):
        kept: Expr = sympy.S.One
        for product in order:
            last = [f for f in sympy.Mul.make_args(product) if f not in sympy.Mul.make_args(kept)]
            if len(last) != 1 or sympy.Mul(kept, last[0]) != product:
                break
            kept = sympy.Mul(kept, last[0].complement())
        else:
            return kept
    return None


def _without(term: Expr, brackets: set[Expr]) -> Expr:
    """A term where the brackets hold."""
    factors = sympy.Mul.make_args(term)
    if any(isinstance(f, Guard) and f.complement() in brackets for f in factors):
        return sympy.S.Zero
    return sympy.Mul(*[f for f in factors if f not in brackets])


def _helper(
    holds: Expr, equation: Equation, system: System, helpers: dict[Expr, tuple[Tensor, Equation]]
) -> Expr:
    """A read of the tensor that is 1 where something is excluded, and 0 elsewhere."""
    indices = tuple(i for i in equation.all_indices if i in holds.free_symbols)
    key = holds.xreplace({i: Index(f"_{k}") for k, i in enumerate(indices)})
    if key not in helpers:
        taken = system.with_(tensors=(*system.tensors, *(t for t, _ in helpers.values())))
        name = fresh_name(taken, f"masked_{equation.target}")
        ranges = tuple(equation.extents[i] for i in indices)
        new = Equation(name, indices, holds, None, (), ranges, rule=RULE, origin=equation.origin)
        helpers[key] = (Tensor(name, ranges), new)
    return Access(helpers[key][0].name, *indices)
