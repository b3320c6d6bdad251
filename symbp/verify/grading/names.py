"""What the names in an answer stand for: tensors, derivatives, sizes, indices of a page.

Enters: a sheet. Leaves: for each spelling the tensor that is meant. Must not know: values.

A tensor goes by its symbol on the page and by its author's name, a derivative as ∂L/∂W, dW, dL/dW, δ2. Where
the page calls a sum before an activation a2, z2 is known, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from symbp.ir.expr import Expr, Size
from symbp.ir.system import Role
from symbp.read.display import bound
from symbp.read.grammar.blackboard import Vocabulary
from symbp.read.grammar.named import Places
from symbp.read.grammar.tokens import GREEK, SUBSCRIPTS
from symbp.read.named_places import named_places
from symbp.read.spelling import Symbol, latex_symbol
from symbp.read.symbols import same_axes
from symbp.verify.grading.key import Sheet

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Names:
    """The names of a sheet. `tensors` by plain names as the grammar gives them, `spellings` by what is no
    word of the grammar; `letters` are the indices of the page."""

    sheet: Sheet

    @cached_property
    def symbols(self) -> Mapping[str, str]:
        """The page's symbol of each tensor, and for each derivative that only has a name here."""
        return self.sheet.reading.symbols.text

    @cached_property
    def forward(self) -> dict[str, str]:
        """Plain spellings of tensors that are no derivatives; those of the page come first."""
        adjoints = {*self.sheet.adjoints.values()}
        found: dict[str, str] = {}
        for name, symbol in self.symbols.items():
            if name not in adjoints:
                found.setdefault(word(symbol), name)
        for name in self.sheet.system.by_name:
            found.setdefault(word(name), name)
        for name in [*found]:
            if name[:1] == "a" and (not name[1:] or name[1:].isdigit()):
                found.setdefault(f"z{name[1:]}", found[name])
        loss = self.sheet.system.loss
        if loss is not None:
            found.setdefault("L", loss)
        outputs = self.sheet.system.outputs
        for plain in ("y", *self.targets, *outputs) if len(outputs) == 1 else ():
            found.setdefault(f"{plain}hat", outputs[0])
            found.setdefault(f"{plain}_hat", outputs[0])
        for plain, name in [*found.items()]:
            if len(plain) == 1 and plain.islower() and plain.upper() not in self.sizes:  # X for x
                found.setdefault(plain.upper(), name)
        return found

    @cached_property
    def tensors(self) -> dict[str, str]:
        found = dict(self.forward)
        for name, symbol in self.symbols.items():
            found.setdefault(word(symbol), name)
        sums = sorted(name for name in self.forward if re.fullmatch(r"[az]\d*", name))
        for plain, name in self.forward.items():
            if self.differentiable(name):
                found.setdefault(f"d{plain}", self.sheet.differential(name))
                found.setdefault(f"grad_{plain}", self.sheet.differential(name))
                found.setdefault(f"delta_{plain}", self.sheet.differential(name))
        for plain in sums:
            found.setdefault(f"delta{plain[1:]}", self.sheet.differential(self.forward[plain]))
        for size in self.sizes:
            found.pop(size, None)
        return found

    @cached_property
    def places(self) -> Places:
        """The numbers of places that have names, gates, by the plain names of tensors."""
        page = self.sheet.reading
        known = named_places([line.equation for line in page.lines], same_axes(page.derivation))
        return {
            plain: {word(self.symbols[gate]): k for k, gate in enumerate(gates)}
            for (owner, _), gates in known.axes.items()
            for plain, name in self.tensors.items()
            if name == owner
        }

    def differentiable(self, name: str) -> bool:
        """Whether the loss may have a derivative by a tensor."""
        system = self.sheet.system
        return name in self.sheet.adjoints or (
            name in system.by_name
            and not system.tensor(name).integer
            and system.loss is not None
            and name in system.ancestors(system.loss)
        )

    @cached_property
    def spellings(self) -> dict[str, str]:
        """What is no word of the grammar: ∂L/∂W2, dL/dW2, symbols with marks, indices with primes."""
        found = dict(self._odd())
        loss = self.sheet.system.loss
        called = {self.symbols.get(loss, loss), loss, "L", "ℒ", "J"} if loss is not None else set[str]()
        for plain, name in self.forward.items():
            if self.differentiable(name):
                own = {plain, self.symbols.get(name, plain), _lowered(plain)}
                for of in called:
                    for by in own:
                        found.setdefault(f"∂{of}/∂{by}", f"d{plain}")
                        found.setdefault(f"d{of}/d{by}", f"d{plain}")
        return found | {letter: letter for letter in self.letters if "'" in letter}

    def _odd(self) -> Iterator[tuple[str, str]]:
        for symbol in self.symbols.values():
            if not PLAIN.match(symbol) and word(symbol) != symbol:
                yield symbol, word(symbol)

    @cached_property
    def letters(self) -> frozenset[str]:
        """The indices of the page."""
        return frozenset(i.name for line in self.sheet.reading.lines for i in bound(line.equation))

    @cached_property
    def ranges(self) -> dict[str, frozenset[Expr]]:
        """How far each index of the page runs."""
        found: dict[str, set[Expr]] = {}
        back = {Size(new): Size(old) for old, new in self.sheet.reading.sizes.items()}
        lengths = {size: length for length, size in self.sheet.reading.lengths.items()}
        for line in self.sheet.reading.lines:
            for index, extent in bound(line.equation).items():
                found.setdefault(index.name, set()).add(extent.xreplace(lengths).xreplace(back))
        return {name: frozenset(extents) for name, extents in found.items()}

    @cached_property
    def sizes(self) -> dict[str, str | Expr]:
        """Sizes by the page's letters, in the names of the computation; long lengths as formulas in these."""
        letters = self.sheet.reading.sizes
        found: dict[str, str | Expr] = {n: n for n in self.sheet.system.sizes}
        found |= {letters.get(name, name): name for name in self.sheet.derivation.system.sizes}
        back = {Size(new): Size(old) for old, new in letters.items()}
        for length, size in self.sheet.reading.lengths.items():
            found.setdefault(size.name, length.xreplace(back))
        return found

    @cached_property
    def constants(self) -> dict[str, Fraction]:
        """The numbers that go by a letter on the page."""
        values = self.sheet.reading.constants.items()
        return {word(constant.name): Fraction(int(v.p), int(v.q)) for constant, v in values}

    @cached_property
    def integers(self) -> frozenset[str]:
        systems = (self.sheet.derivation.system, self.sheet.system)
        return frozenset(t.name for system in systems for t in system.tensors if t.integer)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """What is to be predicted."""
        return tuple(t.name for t in self.sheet.system.tensors if t.role is Role.TARGET)

    def symbol(self, name: str) -> str:
        """What the page calls a tensor."""
        if name in self.symbols:
            return self.symbols[name]
        return f"d{self.symbol(name[1:])}" if name.startswith("∂") else name

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What LaTeX is made of that people type."""
        loss = self.sheet.system.loss
        called = word(self.symbols.get(loss, loss)) if loss is not None else ""
        names = {*self.tensors, *self.sizes, *self.constants}
        return Vocabulary(names, self.letters, called, self.latex[0])

    @cached_property
    def latex(self) -> tuple[dict[str, str], dict[tuple[str, ...], str]]:
        """Spellings in LaTeX, and derivatives by what they are of and by."""
        page = self.sheet.reading.symbols
        words = {*self.letters, *self.sizes}
        spelled = {latex_symbol(Symbol(name), {}).strip(): name for name in words}
        for name, symbol in page.symbols.items():
            if symbol.quotient is None or symbol.latex is not None:
                plain = word(page.text[name])
                spelled[page.latex[name].strip()] = plain if PLAIN.match(plain) else page.text[name]
        for constant in self.sheet.reading.constants:
            written = latex_symbol(Symbol(constant.name), {}).strip()
            for spelling in (written, written.replace(r"\epsilon", r"\varepsilon")):
                spelled.setdefault(spelling, word(constant.name))
        derivatives: dict[tuple[str, ...], str] = {}
        loss = self.sheet.system.loss
        if loss is not None:
            for plain, name in self.forward.items():
                if self.differentiable(name):
                    for of in (word(self.symbols.get(loss, loss)), "L"):
                        derivatives[of, plain] = f"d{plain}"
        for name in self.tensors:
            if (place := re.fullmatch(r"delta(\d+)", name)) is not None:
                spelled.setdefault(rf"\delta_{{{place[1]}}}", name)
        if "d" not in spelled:  # `dW_2`, which would else be d times W_2
            for plain, name in self.forward.items():
                if name in page.latex and self.differentiable(name):
                    for sign in ("d", r"\mathrm{d}"):
                        spelled.setdefault(f"{sign}{page.latex[name].strip()}", f"d{plain}")
        for name in self.tensors:
            if re.fullmatch(r"[A-Za-z]+\d+", name) is not None:
                spelled.setdefault(name, name)  # `W2` on the line
        spelled.setdefault("L", "L")
        spelled.setdefault(r"\mathcal{L}", "L")
        return spelled, derivatives


def word(symbol: str) -> str:
    """A symbol as the grammar spells it: Greek letters in words, digits on the line, marks written out."""
    if symbol in GREEK:
        return GREEK[symbol]
    plain = "".join(MARKS.get(sign, sign) for sign in symbol.translate(SUBSCRIPTS))
    head = plain[:1]
    return GREEK.get(head, head) + plain[1:]


MARKS = {
    "\u0302": "hat",
    "\u0303": "tilde",
    "\u0304": "bar",
    "ĉ": "chat",
    "ŷ": "yhat",
    "ĥ": "hhat",
    "⁽": "_part",
    "⁾": "",
}


def _lowered(plain: str) -> str:
    """`W2` with its number below: W₂."""
    found = re.fullmatch(r"(.*?)(\d+)", plain)
    return (
        plain if found is None else found[1] + found[2].translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    )
