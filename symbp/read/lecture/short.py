"""What makes a result short: a bracket that leaves one term of a sum, and sums whose value is known.

Enters: a chain rule's sum, the steps of the derivation. Leaves: the sum with one term where a bracket leaves
one; what a sum is, as equations in the page's tensors, with the definitions that it rests on. Must not know:
formats.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.derive.derivation import Step
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, Size, free_indices
from symbp.ir.system import Equation, Tensor
from symbp.read.display import Reduced, bound
from symbp.read.textbook.page import inlined


@dataclass(frozen=True)
class Selected:
    """The chain rule's sum with `brackets` evaluated, each of which left one term; what of its denominators
    `cancels`, and what was `put` in before."""

    equation: Equation
    brackets: tuple[Guard, ...]
    cancels: tuple[Access, ...] = ()
    put: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownSum:
    """That the sum `left` is `right`, by the definitions of tensors of the page; `shared` if both are one
    double sum in another order. `extents` are those of its free indices, `rule` is that of the step."""

    left: Expr
    right: Expr
    by: tuple[str, ...]
    extents: Mapping[Index, Expr]
    rule: str
    shared: bool = False

    @property
    def equation(self) -> Equation:
        """An equation that holds both sides, under no name."""
        body = sympy.Add(self.left, -self.right, evaluate=False)
        return Equation("", tuple(self.extents), body, ranges=tuple(self.extents.values()))


# --- brackets
def selected(
    total: Equation, between: Collection[Equation], tensors: Mapping[str, Tensor]
) -> Selected | None:
    """The sum with what stands between put in, where that has brackets, and brackets evaluated; None if none
    leaves one term."""
    definitions = {e.target: e for e in between if e.body.atoms(Guard) and not e.body.atoms(Reduced)}
    whole = inlined(total, definitions) if definitions else total
    brackets: list[Guard] = []
    extents = bound(whole)

    def change(e: Expr) -> Expr:
        if isinstance(e, Reduced) and e.op == "sum" and not e.where:
            return _selected(e, tensors, extents, brackets)
        if e.is_Add or e.is_Mul:
            return e.func(*[change(a) for a in e.args])
        return e

    body = change(whole.body)
    if not brackets:
        return None
    below = {a.name for a in _reads_below(body)}
    gone = [a for a in _reads_below(whole.body) if a.name not in below and not isinstance(a, IntegerAccess)]
    put = tuple(name for name in definitions if name in total.read_names)
    return Selected(total.with_(body=body), tuple(dict.fromkeys(brackets)), tuple(gone), put)


def _selected(
    total: Reduced, tensors: Mapping[str, Tensor], extents: Mapping[Index, Expr], brackets: list[Guard]
) -> Expr:
    factors = list(sympy.Mul.make_args(total.body))
    for index in total.indices:
        for guard in sorted((f for f in factors if isinstance(f, Guard)), key=lambda g: not g.atoms(Access)):
            value = _value(guard, index, total, tensors, extents)
            if value is not None:
                brackets.append(guard)
                rest = sympy.Mul(*[f for f in factors if f is not guard]).xreplace({index: value})
                left = {i: e for i, e in total.extents.items() if i != index}
                inner = Reduced("sum", rest, left, left.values()) if left else rest
                return _selected(inner, tensors, extents, brackets) if left else rest
        for factor in factors:
            terms = factor.args if factor.is_Add else ()
            if any(isinstance(f, Guard) and index in free_indices(f) for t in terms for f in _factors(t)):
                rest = sympy.Mul(*[f for f in factors if f is not factor])
                parts = [Reduced("sum", t * rest, total.indices, total.args[3]) for t in terms]
                return sympy.Add(*[_outside(_selected(p, tensors, extents, brackets)) for p in parts])
    return total


def _outside(e: Expr) -> Expr:
    """What doesn't depend on the indices outside of a sum."""
    if not isinstance(e, Reduced):
        return e
    factors = sympy.Mul.make_args(e.body)
    outer = [f for f in factors if not f.free_symbols & set(e.indices)]
    inner = [f for f in factors if f not in outer]
    return sympy.Mul(*outer, Reduced("sum", sympy.Mul(*inner), e.indices, e.args[3]))


def _factors(e: Expr) -> tuple[Expr, ...]:
    return tuple(sympy.Mul.make_args(e))


def _value(
    guard: Guard, index: Index, total: Reduced, tensors: Mapping[str, Tensor], extents: Mapping[Index, Expr]
) -> Expr | None:
    """What the index is where the bracket holds: a label or another index, which is in its range."""
    extent = total.extents[index]
    if guard.op != "=" or index not in (guard.lhs, guard.rhs):
        return None
    value = guard.rhs if guard.lhs == index else guard.lhs
    if isinstance(value, Index):
        return value if value not in total.indices and extents.get(value) == extent else None
    if isinstance(value, IntegerAccess) and index not in free_indices(value):
        below = tensors[value.name].fact("below")
        return value if below is not None and below.bound == extent else None
    return None


def _reads_below(e: Expr) -> list[Access]:
    powers = [p for p in e.atoms(sympy.Pow) if p.exp.is_negative]
    return sorted({a for p in powers for a in p.base.atoms(Access)}, key=sympy.default_sort_key)


# --- sums whose value is known
def known_sums(
    steps: Sequence[Step], target: str, page: Collection[str], sizes: Mapping[str, str]
) -> tuple[KnownSum, ...]:
    """What steps of the derivation say of sums, on the way to a tensor, in terms of what the page has."""
    behind, found = _behind(steps, target, page), dict[tuple[Expr, Expr], KnownSum]()
    letters = {Size(old): Size(new) for old, new in sizes.items()}
    for step in steps:
        if step.target not in behind or len(step.before) != 1 or len(step.after) != 1:
            continue
        before, after = step.before[0], step.after[0]
        names = {*before.read_names, *after.read_names}
        known = before.op == "sum" or _is_a_name_for(after, before)
        if not known or before.where or before.target != after.target or not names <= set(page):
            continue
        rests = [r.target if isinstance(r, Equation) else r for r in step.rests_on]
        rests += after.read_names if before.op is None else ()
        by = tuple(dict.fromkeys(r for r in rests if r in page))
        left, right = (_plain(side).xreplace(letters) for side in (before, after))
        if by and left != right:
            free = free_indices(left) | free_indices(right)
            extents = {i: e.xreplace(letters) for i, e in before.extents.items() if i in free}
            found[left, right] = KnownSum(left, right, by, extents, step.rule, after.op == "sum")
    return tuple(found.values())


def _is_a_name_for(after: Equation, before: Equation) -> bool:
    """Whether a value stands for a formula: h for o·tanh(c)."""
    return before.op is after.op is None and isinstance(after.body, Access) and before.body.is_Mul


def _behind(steps: Sequence[Step], target: str, page: Collection[str]) -> set[str]:
    """The tensor, and those that are gone whose definitions went into it."""
    found, stack = {target}, [target]
    while stack:
        name = stack.pop()
        for step in steps:
            if step.target == name:
                reads = {n for e in (*step.before, *step.after) for n in (e.target, *e.read_names)}
                more = {n for n in reads if n and n not in page} - found
                found |= more
                stack += more
    return found


def _plain(equation: Equation) -> Expr:
    if equation.op != "sum":
        return equation.body
    return Reduced("sum", equation.body, equation.reduced, [equation.extents[i] for i in equation.reduced])
