"""Other spellings of one body, from which algebra starts, and that algebra, in the signature of its phase.

Enters: a body. Leaves: bodies of the same value. Must not know: costs; which of them keeps the digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from symbp.derive.rules.algebra import (
    MOST_ATOMS,
    collections_of,
    common_factor,
    conjugates,
    expand,
    lowest_power,
    on_symbols,
    opaque,
)
from symbp.derive.rules.brackets import by_cases, by_guards, under_guards
from symbp.derive.rules.exponentials import (
    flipped,
    hyperbolic_form,
    logistic_forms,
    merge_exponentials,
    overflows,
    tangents,
)
from symbp.ir.expr import Expr, Guard, parts_of


# --- spellings
def reciprocals(body: Expr, _: bool) -> Iterator[Expr]:
    """`log(1/x)` → `−log(x)`."""
    yield body.replace(_is_log_of_reciprocal, lambda x: -sympy.log(1 / x.args[0]))


def merged(body: Expr, _: bool) -> Iterator[Expr]:
    """`exp(a)·exp(b)` → `exp(a + b)`."""
    yield merge_exponentials(body)


def logistic(body: Expr, last: bool) -> Iterator[Expr]:
    """In σ, the last time also in 1 − σ; of several exponents, each in its own product."""
    forms = logistic_forms(body)
    yield from forms[: 2 if last else 1]
    if not any(overflows(form) == 0 for form in forms):
        yield flipped(body)


def hyperbolic(body: Expr, _: bool) -> Iterator[Expr]:
    """In tanh."""
    yield tangents(body)
    for settled in (by_cases(body, hyperbolic_form), hyperbolic_form(body)):
        if settled is not None:
            yield settled


def substituted(body: Expr, _: bool) -> Iterator[Expr]:
    """`[k = y] f(k)` → `[k = y] f(y)`, and back."""
    for form in dict.fromkeys([body, expand(body)] if parts_of(body, Guard) else []):
        yield under_guards(form)
        yield under_guards(form, towards_index=True)


def by_brackets(body: Expr, _: bool) -> Iterator[Expr]:
    """Terms under the same brackets written as one."""
    if parts_of(body, Guard):
        yield by_guards(body)


# --- algebra on each of them
def expanded(_: Expr, multiplied: Expr) -> Iterator[Expr]:
    """The products multiplied out."""
    yield multiplied


def collected(_: Expr, multiplied: Expr) -> Iterator[Expr]:
    """A factor collected from the terms that have it."""
    return collections_of(multiplied)


def lowest(_: Expr, multiplied: Expr) -> Iterator[Expr]:
    """Over the lowest power of a divisor."""
    yield lowest_power(multiplied)


def shared_factor(body: Expr, multiplied: Expr) -> Iterator[Expr]:
    """What is common to all terms taken out, with its number or without."""
    for whole in (multiplied, body):
        yield common_factor(whole)
        yield common_factor(whole, numbers=False)


def collected_inside(body: Expr, multiplied: Expr) -> Iterator[Expr]:
    """What is common taken out, and a factor collected from the terms that are left."""
    for whole in (multiplied, body):
        shared = common_factor(whole)
        for inner in (f for f in sympy.Mul.make_args(shared) if f.is_Add and not parts_of(f, Guard)):
            for form in collections_of(inner):
                yield shared / inner * form


def cancelled(body: Expr) -> Iterator[Expr]:
    """Common factors of numerator and denominator cancelled."""
    return _rational(body, sympy.cancel)


def factored(body: Expr) -> Iterator[Expr]:
    """The polynomial in factors."""
    return _rational(body, sympy.factor)


def _rational(body: Expr, operation: Callable[[Expr], Expr]) -> Iterator[Expr]:
    form = on_symbols(body, operation) if len(opaque(body)) <= MOST_ATOMS else None
    if form is not None:
        yield from (form, common_factor(form), conjugates(form))


def _is_log_of_reciprocal(e: Expr) -> bool:
    return isinstance(e, sympy.log) and e.args[0].is_Pow and e.args[0].exp == -1
