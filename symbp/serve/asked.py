"""What one address asks for: the whole state of a page.

Enters: the query of an address. Leaves: a frozen `Asked`, and the query that says the same. Must not know:
HTTP, or how anything is answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from symbp.errors import UsageError, choose
from symbp.targets import TARGETS

LONGEST = 10_000  # characters of a formula, as the grammar has it
LONGEST_WORD = 400  # characters of anything else
PARTS = ("derivation", "numbers", "code", "check")
FORMATS = {
    "html": "text/html",
    "latex": "application/x-tex",
    "markdown": "text/markdown",
    "notebook": "application/x-ipynb+json",
    "json": "application/json",
    "py": "text/x-python",
}
CHOICES: Mapping[str, Sequence[str]] = {
    "show": PARTS,
    "reading": ("textbook", "computed"),
    "order": ("1", "2"),
    "target": TARGETS,
}


@dataclass(frozen=True)
class Asked:
    """A gallery network or the text of a formula, by what it is differentiated, and what is shown of it."""

    net: str = ""
    formula: str = ""
    wrt: str = ""
    order: str = "1"
    reading: str = "textbook"
    target: str = "numpy"
    show: str = "derivation"

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for yet."""
        return not (self.net or self.formula)

    @property
    def trains(self) -> bool:
        """Whether a training module of it can be shown; of anything else, derivatives alone."""
        return bool(self.net) and self.order == "1" and not self.wrt

    def query(self, **changes: str) -> str:
        """The query of the address of this state, with changes; what is as usual isn't in it."""
        changed = replace(self, **changes)
        given = {part.name: getattr(changed, part.name) for part in fields(self)}
        usual = {part.name: part.default for part in fields(self)}
        return urlencode({name: value for name, value in given.items() if value != usual[name]})


def asked(query: Mapping[str, Sequence[str]]) -> Asked:
    """What a query asks for; names that aren't known are left alone. Raises UsageError: something twice, too
    long, or another word than those that may be chosen; both a network and a formula."""
    given: dict[str, str] = {}
    for part in fields(Asked):
        values = query.get(part.name, ())
        if len(values) > 1:
            raise UsageError(f"the address gives {part.name} {len(values)} times")
        value = values[0].replace("\r\n", "\n").strip() if values else ""
        longest = LONGEST if part.name == "formula" else LONGEST_WORD
        if len(value) > longest:
            raise UsageError(f"{part.name} has {len(value)} characters, more than {longest}")
        if value and part.name in CHOICES and value not in CHOICES[part.name]:
            raise UsageError(f"{part.name} can't be {value!r}", help=choose(value, CHOICES[part.name]))
        if value:
            given[part.name] = value
    if "net" in given and "formula" in given:
        raise UsageError("the address names a network and has a formula, too", help="give one of them")
    return Asked(**given)
