"""What tensors, sizes and running indices are called in plain code: as on the page, in Python's letters.

Enters: a reading. Leaves: identifiers, no two of them the same. Must not know: equations.
"""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Iterable

from symbp.read.reading import Reading

MARKS = {"\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar"}
OWN = frozenset({"np", "math", "params", "rng", "loss_and_gradients", "initial_parameters", "train"})


def identifier(symbol: str) -> str:
    """A symbol in letters that Python and its readers tell apart: `x̂` is `x_hat`, `σ` is `sigma`."""
    found = ""
    for letter in unicodedata.normalize("NFD", symbol):
        if letter in MARKS:
            found += MARKS[letter]
        elif letter == "'":
            found += "_"
        elif letter.isascii() and (letter.isalnum() or letter == "_"):
            found += letter
        elif unicodedata.name(letter, "").startswith("GREEK"):
            found += unicodedata.name(letter).split()[-1].lower()
        else:
            return ""
    return found if found.isidentifier() else ""


class Names:
    """Identifiers given so far; each is given once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = {*taken, *OWN, *dir(builtins), *keyword.kwlist}

    def give(self, *wanted: str) -> str:
        """The first of the names that is one and free, or the last one with underscores behind it."""
        candidates = [name for name in map(identifier, wanted) if name]
        found = next((name for name in candidates if name not in self.taken), "")
        if not found:
            found = candidates[-1] if candidates else "u"
            while found in self.taken:
                found += "_"
        self.taken.add(found)
        return found


def names_of(reading: Reading, helpers: Iterable[str]) -> tuple[dict[str, str], dict[str, str], Names]:
    """Identifiers of tensors and of sizes by their names, and what is taken by them."""
    system, names = reading.derivation.system, Names(helpers)
    given = [t.name for t in system.leaves]
    tensors = {name: names.give(reading.symbols.text.get(name, name), name) for name in given}
    every = dict.fromkeys((*system.sizes, *system.bound, *(s.name for s in reading.lengths.values())))
    sizes = {name: names.give(name, f"size_{name}") for name in every}
    for tensor in system.tensors:
        if tensor.name not in tensors:
            tensors[tensor.name] = names.give(reading.symbols.text.get(tensor.name, tensor.name), tensor.name)
    return tensors, sizes, names
