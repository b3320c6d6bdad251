"""Slips in what adds up: a term that is missing, counted twice, with another sign or factor.

Enters: a shop. Leaves: mutants. Must not know: what a factor of a term is.

What a backward pass answers is linear in each term that it adds up once. So a term isn't tried with one
factor after the other: what the answer makes of it is found by least squares, then told by where it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

import sympy

from symbp.ir.expr import Expr, accesses
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.agreement import ROUNDING, Array, scale, weights
from symbp.verify.against.repairs.constants.means import kind
from symbp.verify.against.repairs.constants.monomials import Monomial
from symbp.verify.against.repairs.constants.words import spelled
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, inside, sums_in, with_body

AGAIN = tuple(Monomial(Fraction(n)) for n in ("-1", "2", "1/2"))  # of terms that recur
ZERO = 1e-6
MOST = 5  # terms of which several together are tried


def terms(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One term of a sum, or several, with another factor."""
    for total in sums_in(shop, equation):
        parts = list(total.args)
        if equation.target in shop.bench.recurrent:
            yield from _recurring(shop, equation, total, parts)
        else:
            yield from _fitted(shop, equation, total, parts)


def scaled(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """The whole of an equation before the one in question with another factor."""
    if equation.target == shop.bench.target:
        return
    if equation.target in shop.bench.recurrent:
        for factor in AGAIN:
            yield _mutant(shop, equation, equation.body, [equation.body], [factor])
    else:
        yield from _fitted(shop, equation, equation.body, [equation.body])


def _recurring(shop: Shop, equation: Equation, total: Expr, parts: list[Expr]) -> Iterator[Mutant]:
    for part in parts:
        yield _mutant(shop, equation, total, [part], [None])
    for part in parts:
        for factor in AGAIN:
            yield _mutant(shop, equation, total, [part], [factor])


def _fitted(shop: Shop, equation: Equation, total: Expr, parts: list[Expr]) -> Iterator[Mutant]:
    """What the answer makes of each part alone, then of all together."""
    moved = [_without(shop, equation, total, part) for part in parts]
    for part, shares in zip(parts, moved, strict=True):
        yield from _told(shop, equation, total, [part], [shares])
    if len(parts) > 1:
        yield from _told(shop, equation, total, parts, moved)
    for count in range(2, len(parts) if len(parts) <= MOST else 0):
        for some in combinations(range(len(parts)), count):
            yield from _alike(shop, equation, total, [parts[k] for k in some], [moved[k] for k in some])


def _alike(
    shop: Shop, equation: Equation, total: Expr, parts: list[Expr], moved: Sequence[list[Array] | None]
) -> Iterator[Mutant]:
    """Several parts of more with one factor: statistics that count as constants, or as those of fewer."""
    shares = [share for share in moved if share is not None]
    columns = _columns(shop, [[sum(at) for at in zip(*shares, strict=True)]]) if shares else None
    if not columns or len(shares) < len(parts):
        return
    missing = all(abs(factor) < ZERO for factor in columns[0])
    form = None if missing else _named(shop, columns[0])
    if missing or (form is not None and not form.is_one):
        yield _mutant(shop, equation, total, parts, [form] * len(parts))


def _without(shop: Shop, equation: Equation, total: Expr, part: Expr) -> list[Array] | None:
    """What a part contributes to the tensor in question at each point."""
    shop.check()
    rest = sympy.Integer(0) if total == part else total - part
    less = with_body(equation, equation.body.xreplace({total: rest}))
    found = []
    for k in range(len(shop.answered)):
        array = shop.bench.changed(k, [less])
        if array is None:
            return None
        found.append(shop.bench.right(k) - array)
    return found


def _told(
    shop: Shop, equation: Equation, total: Expr, parts: list[Expr], moved: Sequence[list[Array] | None]
) -> Iterator[Mutant]:
    """The factors of parts in the answer, where they are constants that have a name."""
    columns = _columns(shop, [share for share in moved if share is not None])
    if columns is None or len(columns) < len(parts):
        return
    factors: list[Monomial | None] = []
    for column in columns:
        missing = all(abs(factor) < ZERO for factor in column)
        form = None if missing else _named(shop, column)
        if form is None and not missing:
            return
        factors.append(form)
    wrong = [(p, f) for p, f in zip(parts, factors, strict=True) if f is None or not f.is_one]
    left = total - sum(p for p, f in wrong if f is None)
    if wrong and (left == 0 or accesses(left)):  # else it is a factor that is missing
        yield _mutant(shop, equation, total, [p for p, _ in wrong], [f for _, f in wrong])


def _columns(shop: Shop, shares: list[list[Array]]) -> list[tuple[float, ...]] | None:
    """The factor of each part at each point that tells it, by least squares; None where they don't explain
    the answer, or at fewer than two points."""
    found: list[list[float]] = []
    for k, answer in enumerate(shop.answered):
        right, here = shop.bench.right(k), [share[k] for share in shares]
        if not here or answer.shape != right.shape:
            return None
        if any(scale(part) <= ROUNDING * scale(right) for part in here):
            continue  # a single step has no step before
        factors = weights(answer - (right - sum(here)), here, scale(answer, right))
        if factors is None:
            return None
        found.append(factors)
    return list(zip(*found, strict=True)) if len(found) > 1 else None


def _named(shop: Shop, column: Sequence[float]) -> Monomial | None:
    """The constant at all points, or a small number where some don't tell."""
    if len(column) == len(shop.answered):
        return shop.recogniser.monomial(column)
    number = Fraction(column[0]).limit_denominator(12)
    same = number != 0 and all(abs(factor - number) < ZERO for factor in column)
    return Monomial(number) if same else None


def _mutant(
    shop: Shop, equation: Equation, total: Expr, parts: list[Expr], factors: list[Monomial | None]
) -> Mutant:
    new, effort = total, 0
    for part, factor in zip(parts, factors, strict=True):
        new = new - part if factor is None else new + (shop.expression(factor) - 1) * part
        effort += 1 if factor is None else max(factor.effort, 1)
    slip, hint = _said(shop, equation, total, parts, factors)
    return Mutant(slip, hint, (with_body(equation, equation.body.xreplace({total: new})),), effort)


def _said(
    shop: Shop, equation: Equation, total: Expr, parts: list[Expr], factors: list[Monomial | None]
) -> tuple[Slip, str]:
    missing = [p for p, f in zip(parts, factors, strict=True) if f is None]

    def said(part: Expr) -> str:
        return shop.term(equation, part) if total == equation.body else expression_text(part)

    left = shop.element(equation)
    if missing and len(missing) == len(parts):
        texts = " and ".join(said(p) for p in missing)
        through = ", ".join(dict.fromkeys(filter(None, (shop.readers(p) for p in missing))))
        what = f"the term through {through} is missing" if through else "a term is missing"
        if total == equation.body:
            return "missing term", f"{what}: {left} gets {texts} as well"
        return "missing term", f"{what}: {texts} in {equation_text(equation)}"
    part, factor = next((p, f) for p, f in zip(parts, factors, strict=True) if f is not None)
    text = shop.said(equation.target) if total == part else said(part)
    if len(parts) > 1 and not missing and len({*factors}) == 1:
        text = ", ".join(said(part) for part in parts)
        text = f"each of {text}" if not factor.is_sign else text
    if factor.is_sign:
        return "sign", f"{shop.of(equation)}{text} has the wrong sign"
    return kind(shop, factor, equation, part), f"{shop.of(equation)}{spelled(text, factor)}"


def inner_terms(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """A sum of the forward pass, inside a factor, with a term less: z for z − μ."""
    tried = set(sums_in(shop, equation))
    for total in dict.fromkeys(e for e in inside(equation.body) if e.is_Add and e not in tried):
        for part in total.args:
            if accesses(total - part):
                body = equation.body.xreplace({total: total - part})
                text = f"{expression_text(total - part)} stands where {expression_text(total)} belongs"
                yield Mutant("missing term", f"{shop.of(equation)}{text}", (with_body(equation, body),), 2)
