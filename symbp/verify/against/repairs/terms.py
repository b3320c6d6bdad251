"""Slips in what adds up: a term that is missing, counted twice, with another sign or factor.

Enters: a shop. Leaves: mutants. Must not know: what a factor of a term is.

What a backward pass answers is linear in each term that it adds up once. So a term isn't tried with one factor
after the other: what the answer makes of it is found by least squares, and then told by where it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import prod

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
    if factor.number < 0 or not factor.powers:
        return "factor"
    values = shop.recogniser.values(factor)
    less = values[0] < 1
    groups = _summed(shop, equation, part, len(equation.indices))
    if less:
        groups.append(tuple(equation.extents[i] for i in equation.reduced))
        groups = [some for g in groups for n in range(1, len(g) + 1) for some in combinations(g, n)]
    for group in filter(None, groups):
        counts = [prod(shop.bench.base(k).extent(e) for e in group) for k in range(len(values))]
        if all(abs(n * v - 1 if less else n / v - 1) < ZERO for n, v in zip(counts, values, strict=True)):
            return "mean for sum" if less else "sum for mean"
    return "factor"


def _summed(shop: Shop, equation: Equation, part: Expr, rank: int) -> list[tuple[Expr, ...]]:
    """The lengths over which what a part reads is summed up, where that has less rank than the whole."""
    found = list[tuple[Expr, ...]]()
    for access in accesses(part):
        if access.name not in shop.adjoints:
            continue
        inner = shop.bench.backward.get(access.name)
        what = shop.bench.system.tensor(access.name).differential
        if inner is not None and (len(inner.indices) < rank or (what is not None and what.part)):
            found.append(tuple(inner.extents[i] for i in inner.reduced))
            found += _summed(shop, inner, inner.body, len(inner.indices)) if inner.op is None else []
        if len(access.subscripts) < rank:
            found.append(tuple(equation.extents[i] for i in equation.indices if i not in access.free_symbols))
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
    rest = [a - shop.bench.right(k) if a.shape == shop.bench.right(k).shape else a for k, a in enumerate(shop.answered)]
    for access in _extras(shop, equation):
        read = equation.with_(body=access, reduction=None, ranges=equation.shape)
        found = [ratio(left, shop.bench.base(k).value(read)) for k, left in enumerate(rest)]
        numbers = [f for f in found if f is not None]
        if len(numbers) < len(found):
            continue
        form = shop.recogniser.monomial(numbers)
        if form is None and max(numbers) - min(numbers) > ZERO * abs(numbers[0]):
            continue
        factor = shop.expression(form) if form is not None else sympy.Float(numbers[0], 15)
        text = expression_text(access)
        if form is None or not form.is_one:
            text = f"{form or format(numbers[0], '.6g')}·{text}"
        helper = Tensor(f"{equation.target} alone", equation.shape, Role.ADJOINT)
        body = helper.at(*equation.indices) + factor * access
        changed = (read.with_(body=body), equation.with_(target=helper.name))
        yield Mutant("term too many", f"{text} is added to {shop.theirs}: it doesn't belong there", changed, 2, (helper,))


def _extras(shop: Shop, equation: Equation) -> Iterator[Access]:
    """Tensors of the shape of an adjoint, that by which it is one first; adjoints a step before or after, too."""
    what = shop.bench.system.tensor(equation.target).differential
    first = [what.by] if what is not None and what.by in shop.bench.system.by_name else []
    for name in dict.fromkeys([*first, *shop.of_shape(shop.bench.system.tensor(equation.target).shape)]):
        if name != equation.target:
            yield Access(name, *equation.indices)
        if name in shop.adjoints:
            for axis in (k for k, extent in enumerate(equation.shape) if extent in shop.steps):
                for by in (1, -1):
                    at = [i + by if k == axis else i for k, i in enumerate(equation.indices)]
                    yield Access(name, *at, outside=sympy.Integer(0))
