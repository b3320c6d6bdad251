"""What a rewrite rule is: a name, a reason, where it is tried, and what it does.

Enters: nothing (types only). Leaves: `Rule`, and `Change`, what a rule did before it is told as a step.
Must not know: any rule; they stand in `registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Generic, TypeVar

from symbp.derive.derivation import Side, Step, part
from symbp.ir.expr import Access, Expr, parts_of
from symbp.ir.system import Equation, System


class Phase(Enum):
    """Where a rule is tried, and what its `apply` takes and gives."""

    FORWARD = "on a forward system: `(system) -> (system, changes)`"
    SHIFT = "on one sum of exponentials, with its readers"
    LIMIT = "on a forward equation: `(settling, equation) -> body`"
    SPELLING = "on a body, before other algebra: `(body, last) -> bodies`"
    ALGEBRA = "on a body in each of its spellings: `(body, expanded) -> bodies`"
    POLYNOMIAL = "the same, where it takes longer: once for each value, `(body) -> bodies`"
    LAST = "on the chosen body: `(body) -> body`"
    BODY = "on a body, by what is known of others: `(equation, search, known) -> starts`"
    SUM = "on a sum, by what is known of others: `(equation, search, known) -> equations`"
    SEARCH = "on equations that the search puts together; it also says what a trial must save"


@dataclass(frozen=True)
class Change:
    """What a rule made of a definition, or of a part of it, the definitions that this rests on, and what the
    rule's reason is `about`, if that isn't the target alone."""

    target: str
    before: Side
    after: Side
    rests_on: tuple[str, ...] = ()
    about: tuple[str, ...] = ()


Forward = Callable[[System], tuple[System, Sequence[Change]]]
Spelling = Callable[[Expr, bool], Iterable[Expr]]
Algebra = Callable[[Expr, Expr], Iterable[Expr]]
Polynomial = Callable[[Expr], Iterable[Expr]]
F = TypeVar("F", bound=Callable[..., Any])
G = TypeVar("G", bound=Callable[..., Any])


@dataclass(frozen=True)
class Rule(Generic[F]):
    """A rewrite that keeps the value. In its reason each `{}` stands for what a change is about."""

    name: str
    phase: Phase
    apply: F
    reason: str

    def also(self, phase: Phase, apply: G) -> Rule[G]:
        """The same rule in another phase."""
        return Rule(self.name, phase, apply, self.reason)

    def because(self, reason: str) -> Rule[F]:
        """The same rule for another reason."""
        return replace(self, reason=reason)

    def told(self, change: Change) -> Step:
        """A change as a step."""
        reason = self.reason
        for about in change.about or (f"{{{change.target}}}",):
            reason = reason.replace("{}", about, 1)
        return Step(self.name, reason, change.target, change.before, change.after, change.rests_on)

    def within(
        self,
        equation: Equation,
        before: Expr,
        after: Expr,
        rests_on: tuple[str, ...] | None = None,
        about: tuple[str, ...] = (),
    ) -> Step:
        """A step between two expressions of an equation; it rests on the definitions of what the result reads
        and the other didn't, if not said. Algebra, which reads nothing new, rests on nothing."""
        new = tuple(n for n in names(after) if n not in names(before)) if rests_on is None else rests_on
        return self.told(
            Change(equation.target, (part(before, equation),), (part(after, equation),), new, about)
        )

    def between(self, before: Equation, after: Equation) -> Step:
        """A step between two equations; it rests on the definitions of what the second reads and the first
        didn't."""
        new = tuple(name for name in after.read_names if name not in before.read_names)
        return self.told(Change(before.target, (before,), (after,), new))


def names(*expressions: Expr) -> tuple[str, ...]:
    """The tensors that expressions read."""
    return tuple(sorted({a.name for e in expressions for a in parts_of(e, Access)}))
