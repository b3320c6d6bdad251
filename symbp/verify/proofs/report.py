"""What was proven of a derivation, step by step, and how.

Enters: nothing (types only). Leaves: frozen values that print themselves as text and as plain data.
Must not know: how anything is proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

How = Literal["exact", "50 digits", "by definition", "not proven"]
EXACT: How = "exact"
DIGITS: How = "50 digits"
DEFINED: How = "by definition"
OPEN: How = "not proven"
WORDS = {
    EXACT: "exactly, modulo primes near 2⁶¹",
    DIGITS: "in 50 digits",
    DEFINED: "by definition: one summand of what is proven as their sum",
    OPEN: "NOT PROVEN",
}


@dataclass(frozen=True)
class Mismatch:
    """Where two sides differ: what was compared, the element, both values, the sizes."""

    what: str
    at: str
    left: str
    right: str
    sizes: Mapping[str, int]

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={value}" for name, value in self.sizes.items())
        return f"{self.what}{f' at {self.at}' if self.at else ''}: {self.left} is not {self.right}  ({sizes})"

    def json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "at": self.at,
            "left": self.left,
            "right": self.right,
            "sizes": dict(self.sizes),
        }


@dataclass(frozen=True)
class Verdict:
    """One claim: a step by its number, from 1, or a claim about the whole (number 0). `wrong` is set where it
    doesn't hold, `why` where it could not be told."""

    number: int
    target: str
    rule: str
    how: How
    sizes: tuple[Mapping[str, int], ...] = ()
    wrong: Mismatch | None = None
    why: str = ""
    rests_on: tuple[str, ...] | None = None

    @property
    def ok(self) -> bool:
        return self.how != OPEN

    def json(self) -> dict[str, Any]:
        return {
            "step": self.number or None,
            "target": self.target,
            "rule": self.rule,
            "proven": self.how,
            "sizes": [dict(sizes) for sizes in self.sizes],
            "rests_on": None if self.rests_on is None else list(self.rests_on),
            "wrong": None if self.wrong is None else self.wrong.json(),
            "why": self.why or None,
        }


@dataclass(frozen=True)
class Proofs:
    """The verdicts on all steps of a derivation, then on the whole."""

    name: str
    steps: tuple[Verdict, ...]
    whole: tuple[Verdict, ...]

    @property
    def all(self) -> tuple[Verdict, ...]:
        return (*self.steps, *self.whole)

    @property
    def ok(self) -> bool:
        return all(verdict.ok for verdict in self.all)

    @property
    def wrong(self) -> tuple[Verdict, ...]:
        """What isn't proven, the first step first."""
        return tuple(verdict for verdict in self.all if not verdict.ok)

    def json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ok": self.ok,
            "steps": [verdict.json() for verdict in self.steps],
            "whole": [verdict.json() for verdict in self.whole],
        }

    def __str__(self) -> str:
        sizes = list(dict.fromkeys(tuple(s.items()) for v in self.all for s in v.sizes))
        letters = {size: chr(ord("A") + k) for k, size in enumerate(sizes)}
        width = max((len(v.target) for v in self.all), default=0)
        rule = max((len(v.rule) for v in self.all), default=0)
        lines = [self.name]
        for size, letter in letters.items():
            lines.append(f"  sizes {letter}: {', '.join(f'{name}={value}' for name, value in size)}")
        for verdict in self.all:
            at = ",".join(letters[tuple(s.items())] for s in verdict.sizes)
            number = f"{verdict.number}." if verdict.number else ""
            shown = f"{WORDS[verdict.how]}{f', at {at}' if at and verdict.ok else ''}"
            lines.append(f"  {number:>5} {verdict.target:<{width}}  {verdict.rule:<{rule}}  {shown}")
            if verdict.rests_on is not None:
                rests = ", ".join(verdict.rests_on) or "nothing but algebra"
                lines.append(f"        {'':<{width}}  rests on {rests}")
            lines += [f"        {text}" for text in (str(verdict.wrong or ""), verdict.why) if text]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """The count of what was proven, or what wasn't."""
        if self.wrong:
            named = ", ".join(f"step {v.number}" if v.number else v.target for v in self.wrong)
            return f"{len(self.wrong)} of {len(self.all)} claims are not proven: {named}"
        count = {how: sum(v.how == how for v in self.all) for how in (EXACT, DIGITS, DEFINED)}
        parts = [f"{number} {how}" for how, number in count.items() if number]
        return f"all {len(self.all)} claims are proven: {', '.join(parts)}"
