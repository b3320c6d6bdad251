"""The order and the forms in which people write terms and factors.

Enters: bodies and their parts. Leaves: sort keys, common factors, what occurs twice. Must not know: targets.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import sympy

from symbp.ir.expr import Access, Expr, Guard, free_indices
from symbp.ir.printer import expression_text


def content(sum_: Expr) -> tuple[Expr, Expr]:
    """A common rational factor of a sum and the sum without it, where that makes the coefficients simpler."""
    content, primitive = sum_.primitive()
    if _size(primitive) < _size(sum_):
        return content, primitive
    return sympy.Integer(1), sum_


def _size(sum_: Expr) -> int:
    coefficients = [term.as_coeff_Mul(rational=True)[0] for term in sympy.Add.make_args(sum_)]
    return sum(abs(c.p) + c.q for c in coefficients)


def negative(term: Expr) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def term_key(term: Expr) -> tuple[bool, bool, int, str]:
    """Positive terms first, a leading 1 as in `1 − h²` before what it exceeds, higher ranks first."""
    return negative(term), bool(term.is_number), -len(free_indices(term)), expression_text(term)


def added_in_order(sum_: Expr) -> list[Expr]:
    """The terms of a sum in the order in which they are added: logarithms last where values with opposite
    signs stand beside them, and of more than one value of each sign one after the other, since near-equal
    ones cancel exactly and leave room for what is small: `(z - m) - log(s)`."""
    terms = sorted(sum_.args, key=term_key)
    plain = [t for t in terms if not t.is_number and not t.has(sympy.log)]
    last = [t for t in terms if t not in plain]
    higher, lower = [t for t in plain if not negative(t)], [t for t in plain if negative(t)]
    if not (higher and lower) or (len(plain) == len(terms) and min(len(higher), len(lower)) < 2):
        return terms
    pairs = itertools.zip_longest(higher, lower)
    return [*(t for pair in pairs for t in pair if t is not None), *last]


def factor_key(factor: Expr) -> tuple[int, int, str]:
    return (0 if not free_indices(factor) else 1), -len(free_indices(factor)), expression_text(factor)


def guard_rank(guard: Expr) -> tuple[tuple[int, int], str]:
    """The order in which guards are tested."""
    return rank(guard), expression_text(guard)


def rank(guard: Expr) -> tuple[int, int]:
    """Guards between indices before those that read, and these before those that read at what is read: what
    the ones exclude may be out of range for the others."""
    reads = [sum(len(s.atoms(Access)) for s in access.subscripts) for access in guard.atoms(Access)]
    return max((1 + nested for nested in reads), default=0), len(free_indices(guard))


def is_sigmoid(base: Expr) -> bool:
    """The form 1 + exp(u)."""
    return bool(base.is_Add) and isinstance(base - 1, sympy.exp)


def readable(guard: Guard, opposite: Guard) -> tuple[Guard, Guard]:
    """The one of a pair that people state: `x > 0` rather than `x <= 0`, `=` rather than `!=`."""
    if guard.op in ("!=", "<="):
        return opposite, guard
    return guard, opposite


def repeated_parts(body: Expr, qualifies: Callable[[Expr], bool]) -> list[Expr]:
    """Subexpressions that occur more than once, innermost first, in an order of our own."""
    counts: dict[Expr, int] = {}
    order: list[Expr] = []

    def walk(e: Expr) -> None:
        if isinstance(e, (Access, Guard)) or not e.args:
            return
        counts[e] = counts.get(e, 0) + 1
        if counts[e] > 1:
            return
        for arg in sorted(e.args, key=expression_text):
            walk(arg)
        order.append(e)

    walk(body)
    return [e for e in order if counts[e] > 1 and qualifies(e)]


def fraction(product: Expr) -> tuple[Expr, list[Expr], list[Expr]]:
    """The number of a product, the factors above the line and those below it; 1/(1 + exp(u)) stays above."""
    coefficient, rest = product.as_coeff_Mul(rational=True)
    over: list[Expr] = []
    under: list[Expr] = []
    for factor in sympy.Mul.make_args(rest):
        if factor.is_number:
            coefficient *= factor
            continue
        if factor.is_Add:
            common, factor = content(factor)
            coefficient *= common
        base, exponent = factor.as_base_exp()
        below = exponent.is_number and exponent.is_negative and not isinstance(factor, sympy.exp)
        if below and not is_sigmoid(base):
            under.append(base**-exponent)
        else:
            over.append(factor)
    return coefficient, over, under


def choices(sum_: Expr) -> Iterator[tuple[Guard, Guard, Expr, Expr, list[Expr]]]:
    """How a sum is `[c]·a + [¬c]·b + rest`, guards of most terms first: (c, ¬c, a, b, the rest)."""
    terms = sorted(sum_.args, key=expression_text)
    factors = [set(sympy.Mul.make_args(t)) for t in terms]
    guards = {g for fs in factors for g in fs if isinstance(g, Guard)}

    def without(guard: Guard) -> Expr:
        return sympy.Add(*[t / guard for t, fs in zip(terms, factors, strict=True) if guard in fs])

    for guard in sorted(guards, key=lambda g: (-sum(g in fs for fs in factors), *guard_rank(g))):
        opposite = guard.complement()
        if opposite in guards:
            guard, opposite = readable(guard, opposite)
            rest = [t for t, fs in zip(terms, factors, strict=True) if not {guard, opposite} & fs]
            yield guard, opposite, without(guard), without(opposite), rest
