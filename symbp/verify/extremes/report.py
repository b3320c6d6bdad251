"""What extremes found: how far each point is from the truth, and where digits are lost.

Enters: nothing (types only). Leaves: frozen values that print themselves as text, plain data and HTML.
Must not know: how anything is found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from symbp.verify.extremes.errors import BOUND, LEAST, is_lost

MINOR = 2.0**-20  # 16 times what float32 rounds by
AS_MUCH = 8  # times: two roundings of one value differ by chance
NOTHING = 0.5  # of an entry: so far off, no digit of it is left
WHY = {
    "form": "its inputs are right, and in more digits so is what it makes of them: its arithmetic loses it",
    "rounding": "it is lost to the rounding of {by}, which it reads: computed exactly it is as wrong",
    "range": "{by} is more than float32 can hold",
    "recurrence": "the error grows along its recurrence",
    "derived": "the derived equations have another value there in many digits, too",
    "code": "the equations have it right in float32: the code that was made of them loses it",
}


@dataclass(frozen=True)
class WrongElement:
    """An equation of the computed page, by its number and text; an element of what it defines, as float32
    has it and as it is."""

    number: int
    equation: str
    tensor: str
    at: tuple[int, ...]
    ours: float
    true: float

    @property
    def element(self) -> str:
        return f"{self.tensor}[{','.join(map(str, self.at))}]" if self.at else self.tensor

    def __str__(self) -> str:
        return f"({self.number}) {self.equation}"

    def json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "equation": self.equation,
            "element": self.element,
            "float32": number(self.ours),
            "true": number(self.true),
        }


@dataclass(frozen=True)
class Finding:
    """Gradients lost at a point beside a loss that isn't, by one equation (`place`, if it is one) and `how`
    (a key of `WHY`); `by` are the tensors whose rounding loses them. `errors` are those of the parameters,
    beside the largest entry of each, `chain` those of the chain rule in float32, with no rewrite; `largest`
    is that entry of the worst, `usual` that of all gradients here and at the ordinary point."""

    point: str
    errors: Mapping[str, float]
    loss: float
    chain: Mapping[str, float]
    largest: float
    usual: float
    how: str
    place: WrongElement | None = None
    by: tuple[str, ...] = ()

    @property
    def worst(self) -> str:
        return max(self.errors, key=lambda name: self.errors[name])

    @property
    def is_minor(self) -> bool:
        """Whether what is lost is no more than rounding of the gradients that the network has otherwise: of a
        p − y where all answers are right, of the slopes 1 − h² of saturated units."""
        return self.off < MINOR * self.usual

    @property
    def is_declared(self) -> bool:
        """Whether the declaration itself loses it: the chain rule as it stands, which any framework follows,
        is off by as much, or has no digit left."""
        pairs = [(error, self.chain[name]) for name, error in self.errors.items()]
        return all(
            error <= AS_MUCH * chain or (chain >= NOTHING and math.isfinite(error)) for error, chain in pairs
        )

    @property
    def off(self) -> float:
        """How far an entry of the worst gradient is off; infinite if it isn't a number."""
        return self.errors[self.worst] * (self.largest if self.largest > LEAST else 1.0)

    @property
    def why(self) -> str:
        return WHY[self.how].format(by=" and ".join(self.by) or "what")

    def __str__(self) -> str:
        names = ", ".join(f"d{name}" for name in self.errors)
        note = "note: " if self.is_minor else ""
        lines = [f"{note}{self.point}: {names} lost, the loss isn't", f"    {self.extent}"]
        if self.place is not None:
            lines.append(f"    {self.place}")
            lines.append(f"    {self.place.element} is {self.place.ours:.6g}, not {self.place.true:.6g}")
        return "\n".join([*lines, f"    {self.why}", f"    {self.beside}"])

    @property
    def beside(self) -> str:
        """What becomes of it where nothing is rewritten."""
        of = short(self.chain[self.worst])
        if self.is_declared:
            return f"so it is lost with the chain rule as it stands, without any rewrite: off by {of}"
        return f"the chain rule as it stands, without any rewrite, is off by {of}"

    @property
    def extent(self) -> str:
        """How far off the worst gradient is, and the loss."""
        error, name = self.errors[self.worst], self.worst
        if not math.isfinite(error):
            return f"d{name} is not a number, the loss is off by {short(self.loss)}"
        told = f"d{name} is off by {short(error)} of its largest entry, {self.largest:.1e}"
        if not self.largest > LEAST:
            told = f"d{name} is off by {self.off:.1e}, where it vanishes"
        told += f" (ordinary ones: {self.usual:.1e})" if self.is_minor else ""
        return f"{told}; the loss by {short(self.loss)}"

    def json(self) -> dict[str, Any]:
        return {
            "point": self.point,
            "minor": self.is_minor,
            "errors": {name: number(error) for name, error in self.errors.items()},
            "loss error": number(self.loss),
            "largest entry": number(self.largest),
            "largest of ordinary gradients": number(self.usual),
            "lost by": None if self.place is None else self.place.json(),
            "chain rule": {name: number(error) for name, error in self.chain.items()},
            "declared": self.is_declared,
            "how": self.how,
            "why": self.why,
        }


@dataclass(frozen=True)
class Tried:
    """One point: the error of the loss, and of each gradient beside its largest entry. `refused` says why
    there is nothing to compare with, if there isn't."""

    point: str
    loss: float = math.inf
    errors: Mapping[str, float] | None = None
    loss_holds: bool = True
    refused: str = ""

    @property
    def lost(self) -> tuple[str, ...]:
        """The parameters whose gradients are lost here."""
        pairs = (self.errors or {}).items()
        return tuple(name for name, e in pairs if is_lost(e, self.loss, loss_holds=self.loss_holds))

    @property
    def verdict(self) -> str:
        if self.refused:
            return "no value"
        if not self.loss_holds:
            return "beyond float32"
        if self.lost:
            return "lost"
        return "right" if max((self.errors or {}).values(), default=0.0) <= BOUND else "as is the loss"

    def row(self) -> tuple[str, str, str, str]:
        """Point, error of the loss, worst gradient, verdict."""
        if self.errors is None or not self.loss_holds:
            return self.point, "", self.refused, self.verdict
        worst = max(self.errors, key=lambda name: self.errors[name] if self.errors else 0.0, default="")
        of = f"{short(self.errors[worst])}  d{worst}" if worst else ""
        return self.point, short(self.loss), of, self.verdict

    def json(self) -> dict[str, Any]:
        errors = None if self.errors is None else {n: number(e) for n, e in self.errors.items()}
        return {
            "point": self.point,
            "loss error": number(self.loss),
            "errors": errors,
            "verdict": self.verdict,
            "refused": self.refused or None,
        }


@dataclass(frozen=True)
class Extremes:
    """All points that a network was tried at in float32, and what was lost there; `computed` says by what."""

    name: str
    sizes: Mapping[str, int]
    computed: str
    tried: tuple[Tried, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is lost that isn't less than the rounding of other gradients."""
        return all(finding.is_minor for finding in self.findings)

    def json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ok": self.ok,
            "sizes": dict(self.sizes),
            "computed by": self.computed,
            "points": [tried.json() for tried in self.tried],
            "findings": [finding.json() for finding in self.findings],
        }

    @property
    def heading(self) -> str:
        sizes = ", ".join(f"{name}={value}" for name, value in self.sizes.items())
        return f"{self.name}: float32 ({self.computed}) against 50 digits{f', at {sizes}' if sizes else ''}"

    def summary(self) -> str:
        """What was found, in one line."""
        minor = sum(finding.is_minor for finding in self.findings)
        lost = len(self.findings) - minor
        count = f"{len(self.tried)} points: "
        count += f"{lost} finding{'' if lost == 1 else 's'}" if lost else "nothing is lost"
        return count + (f", {minor} minor" if minor else "")

    def __str__(self) -> str:
        rows = [("point", "loss off by", "worst gradient", ""), *(tried.row() for tried in self.tried)]
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        lines = [
            "  ".join([*(f"{c:<{w}}" for c, w in zip(row, widths, strict=False)), row[3]]) for row in rows
        ]
        found = [f"\n{text}" for text in self._told()]
        return "\n".join(
            [self.heading, *(f"  {line}".rstrip() for line in lines), *found, "", self.summary()]
        )

    def _told(self) -> Iterator[str]:
        """What each equation loses, where it loses most; and where else it loses something."""
        of: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.findings:
            of.setdefault((finding.how, str(finding.place or "")), []).append(finding)
        for same in of.values():
            same.sort(key=lambda f: (f.is_minor, -f.off))
            others = "; ".join(finding.point for finding in same[1:])
            yield f"{same[0]}\n    likewise at {others}" if others else str(same[0])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in tried.row())}</tr>" for tried in self.tried
        )
        head = "".join(f"<th>{text}</th>" for text in ("point", "loss off by", "worst gradient", ""))
        found = "".join(f"<pre>{escape(text)}</pre>" for text in self._told())
        return (
            f"<p>{escape(self.heading)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"{found}<p>{escape(self.summary())}</p>"
        )


def number(value: float) -> float | str:
    """A number as JSON has one; what JSON hasn't, in words."""
    return value if math.isfinite(value) else str(value)


def short(error: float) -> str:
    """An error for a table."""
    return "not a number" if not math.isfinite(error) else f"{error:.1e}"
