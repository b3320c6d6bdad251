"""What is said of an answer: right or wrong, how that was proven, where it fails, what went wrong.

Enters: nothing (types only). Leaves: frozen values that print themselves as text and as plain data.
Must not know: how anything is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbp.verify.proofs.report import WORDS, How


@dataclass(frozen=True)
class Proof:
    """How two formulas were shown to be equal, and at which sizes."""

    how: How
    sizes: tuple[Mapping[str, int], ...]

    def __str__(self) -> str:
        return f"proven {WORDS[self.how]}, at {' and at '.join(map(said, self.sizes))}"


@dataclass(frozen=True)
class Counterexample:
    """Sizes and values of what is given at which an element differs; `right` is what it is."""

    sizes: Mapping[str, int]
    values: Mapping[str, Any]
    element: str
    right: str
    answered: str

    def __str__(self) -> str:
        given = [f"{name} = {value}" for name, value in self.values.items()]
        lines = [f"with {said(self.sizes)}" if self.sizes else "", *given]
        return "\n".join([*filter(None, lines), f"{self.element} is {self.right}, not {self.answered}"])


@dataclass(frozen=True)
class Slip:
    """What probably went wrong: a name for it, a hint, and the answer without it, which is right."""

    name: str
    hint: str
    repaired: str

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})\nright would be {self.repaired}"


@dataclass(frozen=True)
class Verdict:
    """Of an answer. `right` is None where nothing can be told, `why` says why; `misfit` says which shapes
    don't fit; `notes` how the answer was read."""

    answer: str
    right: bool | None
    proof: Proof | None = None
    counterexample: Counterexample | None = None
    slip: Slip | None = None
    misfit: str = ""
    notes: tuple[str, ...] = ()
    why: str = ""

    def json(self) -> dict[str, Any]:
        proof, slip, example = self.proof, self.slip, self.counterexample
        return {
            "answer": self.answer,
            "right": self.right,
            "proven": proof and {"how": proof.how, "sizes": [dict(sizes) for sizes in proof.sizes]},
            "shapes": self.misfit or None,
            "counterexample": example
            and {
                "sizes": dict(example.sizes),
                "values": dict(example.values),
                "element": example.element,
                "right": example.right,
                "answered": example.answered,
            },
            "slip": slip and {"name": slip.name, "hint": slip.hint, "repaired": slip.repaired},
            "notes": list(self.notes),
            "why": self.why or None,
        }

    def __str__(self) -> str:
        word = {True: "right", False: "wrong", None: "could not decide"}[self.right]
        parts = [str(self.proof)] if self.proof is not None else []
        parts += [self.why] if self.why else []
        parts += [self.misfit] if self.misfit else []
        parts += [str(self.counterexample)] if self.counterexample is not None else []
        parts += [f"likely slip: {self.slip}"] if self.slip is not None else []
        parts += [f"note: {note}" for note in self.notes]
        lines = [line for part in parts for line in part.splitlines()]
        return "\n".join([f"{word}: {self.answer}", *(f"  {line}" for line in lines)])


def said(sizes: Mapping[str, int]) -> str:
    """Sizes in a row."""
    return ", ".join(f"{name}={value}" for name, value in sizes.items())
