"""Steps of rewriting: the sentence that goes with each rule, and what a rewrite of this kind rests on.

Enters: both sides of a rewrite. Leaves: steps. Must not know: how a rewrite is found.
"""

from __future__ import annotations

from symbp.derive.derivation import Step, named, part
from symbp.ir.expr import Access, Expr
from symbp.ir.system import Equation

REASONS = {
    "logistic function": "σ = 1/(1 + exp(-u)) gives exp(u) = σ/(1 - σ): nothing overflows.",
    "complement of a logistic function": "1 - 1/(1 + exp(-u)) = 1/(1 + exp(u)), without 1 - 1 far out.",
    "definition inverted": "A saved value's definition is solved for what it scales, so that factors cancel.",
    "saved value under the bracket": "Where the bracket holds, this is what the saved value was made of.",
    "value of another step": "The recurrence computes this at another step already.",
    "definition written out": "With its definition in place of a saved value, the sum is a known one.",
    "repetition read once": "It repeats what does not depend on all of its indices.",
    "sum of sums": "Part of the sum is a saved value already.",
    "hyperbolic tangent": "sinh(u)/cosh(u) = (exp(u) - exp(-u))/(exp(u) + exp(-u)) = tanh(u).",
    "shared term": "Several equations read this term; it is computed once.",
    "index of a sum changed": "The other subscript runs over fewer elements.",
    "exponentials merged": "exp(a)·exp(b) = exp(a + b).",
    "expand": "The products are multiplied out, and terms cancel.",
    "common factor": "A factor common to all terms is taken out.",
    "substitute under the bracket": "Where [k = y] is 1, k may be replaced by y.",
    "collect": "Terms with the same factor are collected.",
    "logarithm of a reciprocal": "log(1/x) = -log(x).",
    "terms under equal brackets": "Terms that hold under the same condition are one.",
    "cancel": "Common factors of numerator and denominator cancel.",
    "factor": "The polynomial factors.",
    "delta eliminated": "The bracket leaves one element of the sum.",
    "order of sums exchanged": "The other sum is a saved value already.",
    "sums joined": "Two sums over the same box have a common factor.",
    "number inside the sum": "The number multiplies the terms, and one pass over the result is saved.",
    "common factor of a sum": "What does not depend on the summed index leaves the sum.",
}

CONFIRMED = "equal values at {} random points, conditions free; confirmed at others and in 50 digits"


def rewrite_step(
    rule: str,
    reason: str,
    equation: Equation,
    before: Expr,
    after: Expr,
    rests: tuple[str, ...] | None = None,
) -> Step:
    """A step between two expressions of an equation; it rests on the definitions of what the result reads and
    the other didn't, if not said. Algebra, which reads nothing new, rests on nothing."""
    return Step(
        rule,
        reason,
        equation.target,
        (part(before, equation),),
        (part(after, equation),),
        tuple(n for n in names(after) if n not in names(before)) if rests is None else rests,
    )


def equations_step(rule: str, before: Equation, after: Equation) -> Step:
    """A step between two equations; it rests on the definitions of what the second reads and the first
    didn't."""
    new = tuple(name for name in after.read_names if name not in before.read_names)
    return Step(rule, REASONS[rule], before.target, (before,), (after,), new)


def names(*expressions: Expr) -> tuple[str, ...]:
    """The tensors that expressions read."""
    return tuple(sorted({a.name for e in expressions for a in e.atoms(Access)}))


def saved_reason(found: Expr) -> str:
    """Why a saved value stands for what it is read back for."""
    return f"This value is already known as {named(names(found))}."
