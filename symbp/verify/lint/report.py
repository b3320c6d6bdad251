"""What is found of a network: problems, and notes that are no problems, each with what shows it.

Enters: nothing (types only). Leaves: frozen values. Must not know: how anything is found, or spelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from symbp.errors import Origin
from symbp.ir.printer import TEXT, Notation

Kind = Literal["problem", "note"]


@dataclass(frozen=True)
class Finding:
    """`rule` says what is found of the tensors `about`; in `text` (what is so), `why` (why it is so, or an
    example that shows it) and `advice`, `{name}` stands for a tensor. `proof` says how it is known."""

    kind: Kind
    rule: str
    about: tuple[str, ...]
    text: str
    why: tuple[str, ...] = ()
    proof: str = ""
    advice: str = ""
    origin: Origin | None = field(default=None, compare=False)

    def spelled(self, notation: Notation = TEXT) -> list[str]:
        """The sentences: what, where, why, how it is known, what to do."""
        names = _Called(notation)
        lines = [self.text.format_map(names)]
        lines += [f"at {self.origin}"] if self.origin is not None else []
        lines += [sentence.format_map(names) for sentence in self.why]
        lines += [self.proof.format_map(names)] if self.proof else []
        lines += [self.advice.format_map(names)] if self.advice else []
        return lines

    def json(self) -> dict[str, Any]:
        where = self.origin
        return {
            "kind": self.kind,
            "rule": self.rule,
            "about": list(self.about),
            "text": self.text.format_map(_Called(TEXT)),
            "why": [sentence.format_map(_Called(TEXT)) for sentence in self.why],
            "proof": self.proof.format_map(_Called(TEXT)),
            "advice": self.advice.format_map(_Called(TEXT)),
            "where": None if where is None else {"file": where.file, "line": where.line, "text": where.text},
        }


class Placed(Notation):
    """Index notation for sentences: `{h}[n,j]`, with a place for what a tensor is called."""

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        written = super().access("", subscripts, outside)
        return f"{{{name}}}{written}" if subscripts else f"{{{name}}}"


PLACED = Placed()


class _Called(dict[str, str]):
    """What a notation calls tensors."""

    def __init__(self, notation: Notation) -> None:
        super().__init__()
        self.notation = notation

    def __missing__(self, name: str) -> str:
        return self.notation.access(name, [], None)


@dataclass(frozen=True)
class Lint:
    """All findings about a network, problems first."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.kind == "problem")

    @property
    def notes(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.kind == "note")

    @property
    def ok(self) -> bool:
        return not self.problems

    def json(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "findings": [finding.json() for finding in self.findings]}

    def text(self, notation: Notation = TEXT) -> str:
        """The findings in a notation, and their number."""
        lines = [self.name]
        for finding in self.findings:
            first, *more = finding.spelled(notation)
            lines += ["", f"{finding.kind}: {finding.rule}", f"  {first}", *(f"    {line}" for line in more)]
        count = f"{len(self.problems)} problem{'' if len(self.problems) == 1 else 's'}"
        count += f", {len(self.notes)} note{'' if len(self.notes) == 1 else 's'}"
        return "\n".join([*lines, "", count])

    def __str__(self) -> str:
        return self.text()
