"""Slips in what adds up: a term that is missing, counted twice, with another sign or factor.

Enters: a shop. Leaves: mutants. Must not know: what a factor of a term is.

What a backward pass answers is linear in each term that it adds up once. So a term isn't tried with one factor
after the other: what the answer makes of it is found by least squares, and then told by where it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import sympy

from symbp.ir.expr import Access, Expr, accesses
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation, Role, Tensor
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.agreement import ROUNDING, Array, ratio, scale, weights
from symbp.verify.against.repairs.monomials import Monomial
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, inside, sums_in, with_body
from symbp.verify.against.repairs.words import spelled

AGAIN = tuple(Monomial(Fraction(n)) for n in ("-1", "2", "1/2"))  # of terms that recur
ZERO = 1e-6


def terms(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One term of a sum, or several, with another factor."""
    for total in sums_in(shop, equation):
        parts = list(total.args)
        if shop.bench.recurs(equation.target):
            yield from _recurring(shop, equation, total, parts)
        else:
            yield from _fitted(shop, equation, total, parts)


def scaled(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """The whole of an equation before the one in question with another factor."""
    if equation.target == shop.bench.target:
        return
    if shop.bench.recurs(equation.target):
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
    shares = [m for m in moved if m is not None]
    if len(shares) < len(parts):
        return
    known = [k for k, answer in enumerate(shop.answered) if answer.shape == shares[0][k].shape]
    found: list[list[float]] = []
    for k in known:
        here = [share[k] for share in shares]
        if any(scale(part) <= ROUNDING * scale(shop.bench.right(k)) for part in here):
            continue
        rest = shop.bench.right(k) - sum(here)
        factors = weights(shop.answered[k] - rest, here)
        if factors is None:
            return
        found.append(factors)
        known_at = k
        if all(abs(f - 1) < ZERO for f in factors) and k == known_at and len(found) == len(known):
            return
    if len(known) < len(shop.answered) or len(found) < min(2, len(known)):
        return
    told: list[Monomial | None] = []
    for column in zip(*found, strict=True):
        if all(abs(f) < ZERO for f in column):
            told.append(None)
            continue
        form = shop.recogniser.monomial(column) if len(found) == len(shop.answered) else _plain(column)
        if form is None:
            return
        told.append(form)
    wrong = [(p, f) for p, f in zip(parts, told, strict=True) if f is None or not f.is_one]
    if wrong:
        yield _mutant(shop, equation, total, [p for p, _ in wrong], [f for _, f in wrong])


def _plain(column: Sequence[float]) -> Monomial | None:
    """A small number, the same at all points."""
    number = Fraction(column[0]).limit_denominator(12)
    same = number != 0 and all(abs(f - number) < ZERO for f in column)
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
    left = shop.element(equation)
    if missing and len(missing) == len(parts):
        texts = " and ".join(shop.term(equation, p) for p in missing)
        through = ", ".join(dict.fromkeys(filter(None, (shop.readers(p) for p in missing))))
        what = f"the term through {through} is missing" if through else "a term is missing"
        return "missing term", f"{what}: {left} gets {texts} as well"
    part, factor = next((p, f) for p, f in zip(parts, factors, strict=True) if f is not None)
    text = shop.said(equation.target) if total == part else shop.term(equation, part)
    if factor.is_sign:
        return "sign", f"{shop.of(equation)}{text} has the wrong sign"
    return kind(shop, factor, equation, part), f"{shop.of(equation)}{spelled(text, factor)}"


def kind(shop: Shop, factor: Monomial, equation: Equation, part: Expr) -> Slip:
    """A mean where a sum belongs divides by how many there are, and the other way round."""
    if abs(factor.number) != 1 or {abs(power) for _, power in factor.powers} != {1}:
        return "factor"
    less = factor.powers[0][1] < 0
    summed = {str(equation.extents[i]) for i in equation.reduced} if less else set()
    summed |= _summed(shop, equation, part, len(equation.indices))
    one_way = all((power < 0) == less for _, power in factor.powers)
    if not one_way or not all(name in summed for name, _ in factor.powers):
        return "factor"
    return "mean for sum" if less else "sum for mean"


def _summed(shop: Shop, equation: Equation, part: Expr, rank: int) -> set[str]:
    """The sizes over which what a part reads is summed up, where that has less rank than the whole."""
    found = set[str]()
    for access in accesses(part):
        if access.name not in shop.adjoints:
            continue
        inner = shop.bench.backward.get(access.name)
        what = shop.bench.system.tensor(access.name).differential
        is_part = what is not None and what.part
        if inner is not None and (len(inner.indices) < rank or is_part):
            found |= {str(inner.extents[i]) for i in inner.reduced}
            found |= _summed(shop, inner, inner.body, len(inner.indices)) if inner.op is None else set()
        if len(access.subscripts) < rank:
            found |= {str(equation.extents[i]) for i in equation.indices if i not in access.free_symbols}
    return found


def inner_terms(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """A sum of the forward pass, inside a factor, with a term less: z for z − μ."""
    tried = set(sums_in(shop, equation))
    for total in dict.fromkeys(e for e in inside(equation.body) if e.is_Add and e not in tried):
        for part in total.args:
            if accesses(total - part):
                body = equation.body.xreplace({total: total - part})
                text = f"{expression_text(total - part)} stands where {expression_text(total)} belongs"
                yield Mutant("missing term", f"{shop.of(equation)}{text}", (with_body(equation, body),), 2)


def added(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Something of the same shape that doesn't belong there, times a constant: a decay of the weights."""
    if equation.target != shop.bench.target:
        return
    left = [a - shop.bench.right(k) if a.shape == shop.bench.right(k).shape else a for k, a in enumerate(shop.answered)]
    shape = shop.bench.system.tensor(equation.target).shape
    by = [what.by] if (what := shop.bench.system.tensor(equation.target).differential) is not None else []
    for name in dict.fromkeys([*by, *shop.of_shape(shape)]):
        if name == equation.target or name not in shop.bench.system.by_name:
            continue
        found = [ratio(rest, shop.bench.right(k, name)) for k, rest in enumerate(left)]
        if None in found or any(rest.shape != shop.bench.right(k).shape for k, rest in enumerate(left)):
            continue
        form = shop.recogniser.monomial([f for f in found if f is not None])
        numbers = [f for f in found if f is not None]
        if form is None and max(numbers) - min(numbers) > ZERO * abs(numbers[0]):
            continue
        factor = shop.expression(form) if form is not None else sympy.Float(numbers[0], 15)
        term = factor * Access(name, *equation.indices)
        text = name if form is not None and form.is_one else f"{form if form is not None else f'{numbers[0]:.6g}'}·{name}"
        body = equation.body + term if equation.reduction is None else None
        if body is None:
            helper = Tensor(f"{equation.target} alone", shape, Role.ADJOINT)
            inner = equation.with_(target=helper.name)
            outer = equation.with_(body=helper.at(*equation.indices) + term, reduction=None, ranges=equation.shape)
            changed, helpers = (outer, inner), (helper,)
        else:
            changed, helpers = (with_body(equation, body),), ()
        yield Mutant("term too many", f"{text} is added to {shop.theirs}: it doesn't belong there", changed, 2, helpers)
