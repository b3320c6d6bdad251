"""What each tensor is called on a page: one symbol for each, and no symbol for two.

Enters: a derivation, an author's own choices. Leaves: a symbol for each tensor, spelled in text and LaTeX.
Must not know: how equations are laid out; that names of tensors could be taken apart.

What the author named keeps its name. A helper goes by the letter of its definition, or else of what its
equation is, and by a number where there are several. A derivative is written as one; a derivative of a
derivative, which would be a fraction in a fraction, goes by a letter that the legend explains.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from symbp.derive.derivation import Derivation
from symbp.errors import ReadingError, UsageError, choose
from symbp.ir.expr import Access
from symbp.ir.labels import Differential, Label
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.read.boxes import readable
from symbp.read.display import sigmoid
from symbp.read.forms import form, known_letters
from symbp.read.options import Derivatives
from symbp.read.spelling import (
    Quotient,
    Symbol,
    bare,
    derivative_symbols,
    latex_symbol,
    text_symbol,
)

MARKS = ("", "hat", "tilde", "bar")
LOGISTIC = "σ"
GRADIENT = "g"  # a derivative of a derivative, and what else the backward pass holds under no name


@dataclass(frozen=True)
class Symbols:
    """The symbol of each tensor by name, and both spellings; `taken` are letters of indices and sizes,
    `notation` is how derivatives are written."""

    symbols: Mapping[str, Symbol]
    taken: frozenset[str] = frozenset()
    text: Mapping[str, str] = field(default_factory=dict)
    latex: Mapping[str, str] = field(default_factory=dict)
    notation: Derivatives | None = None

    @property
    def quotients(self) -> dict[str, Quotient]:
        """The tensors that are written as derivatives."""
        return {name: s.quotient for name, s in self.symbols.items() if s.quotient is not None}

    @property
    def parts(self) -> dict[str, Symbol]:
        """The tensors that are summands of a derivative."""
        return {name: symbol for name, symbol in self.symbols.items() if symbol.part}


def symbols(
    derivation: Derivation,
    taken: Collection[str] = (),
    chosen: Mapping[str, str] | None = None,
    notation: Derivatives | None = None,
) -> Symbols:
    """A symbol for each tensor of the derivation's system; `taken` are the letters of indices and sizes,
    `chosen` gives some tensors a LaTeX symbol of their author's, `notation` says how derivatives are written.

    Raises UsageError: a choice for what isn't there; ReadingError: a choice that another tensor has.
    """
    chosen = dict(chosen or {})
    for name in chosen:
        if name not in derivation.system.by_name:
            help = choose(name, derivation.system.by_name)
            raise UsageError(f"there is no tensor {name!r} to give a symbol", help=help)
        if not readable(chosen[name]):
            raise UsageError(f"{chosen[name]!r} is no LaTeX formula", help="close every brace and \\left")
    found = _Choosing(derivation, frozenset(taken), chosen, notation).run()
    validate_symbols(found)
    return found


def validate_symbols(found: Symbols) -> None:
    """Raises ReadingError where one symbol, in text or in LaTeX, stands for two tensors, or for a tensor and
    an index or a size."""
    taken_latex = {bare(latex_symbol(Symbol(name), {})) for name in found.taken}
    for spelling, taken in ((found.text, set(found.taken)), (found.latex, taken_latex)):
        owner: dict[str, str] = {}
        for name, written in spelling.items():
            key = bare(written)
            if key in owner or key in taken:
                other = owner.get(key, "an index or a size")
                raise ReadingError(
                    f"the symbol {written} would stand for two things on one page",
                    details=(f"first: {other}", f"again: {name}"),
                    help="choose another one: symbols={name: latex}, or --symbol NAME=LATEX",
                )
            owner[key] = name


def differentials(derivation: Derivation) -> dict[str, Differential]:
    """Which derivative each tensor is: by the derivation's results, by what a sweep says of its tensors, and
    by equations that add parts up."""
    system = derivation.system
    found = {t.name: t.differential for t in system.tensors if t.differential is not None}
    if derivation.is_gradient:
        for tensor, (of, (by,)) in derivation.derivatives.items():
            found[tensor] = Differential(of, by)
    for equation in system.equations:
        whole = found.get(equation.target)
        if whole is not None and equation.reduction is None:
            for part in _summands(equation):
                if system.tensor(part).role is Role.ADJOINT and part not in found:
                    found[part] = replace(whole, part=True)
    known = system.by_name
    return {n: d for n, d in found.items() if d.of in known and d.by in known and d.along is None}


def same_axes(derivation: Derivation) -> dict[str, str]:
    """The derivatives that have the axes of what they are by, with that."""
    return {name: what.by for name, what in differentials(derivation).items() if not what.whole}


def _summands(equation: Equation) -> list[str]:
    """The tensors that stand as they are, with the target's own indices, in the sum of an equation."""
    terms = equation.body.args if equation.body.is_Add else ()
    plain = [t for t in terms if isinstance(t, Access) and tuple(t.subscripts) == equation.indices]
    return [term.name for term in plain]


class _Choosing:
    """Symbols chosen so far, and what is taken in each spelling."""

    def __init__(
        self,
        derivation: Derivation,
        taken: frozenset[str],
        chosen: Mapping[str, str],
        notation: Derivatives | None,
    ) -> None:
        self.notation = notation
        self.derivation, self.system, self.chosen = derivation, derivation.system, chosen
        self.letters = taken
        self.known = known_letters(self.system)
        self.differentials = differentials(derivation)
        self.symbols: dict[str, Symbol] = {}
        self.text: dict[str, str] = {}
        self.latex: dict[str, str] = {}
        self.taken_text = {bare(name) for name in taken}
        self.taken_latex = {bare(latex_symbol(Symbol(name), {})) for name in taken}
        if any(equation.body.has(sigmoid) for equation in self.system.equations):  # σ is a function here
            self.taken_text.add(bare(LOGISTIC))
            self.taken_latex.add(bare(latex_symbol(Symbol(LOGISTIC), {})))
        self.parts: Counter[tuple[str, str]] = Counter()
        self.next: dict[str, int] = defaultdict(lambda: 1)  # all numbers below are taken

    def run(self) -> Symbols:
        asked = set(self.derivation.gradients.values())
        results = set() if self.derivation.is_gradient else asked
        helpers: list[Tensor] = []
        deferred: list[Tensor] = []
        for tensor in _in_order(self.system):
            label = tensor.label
            if tensor.name in results:
                self.take(tensor.name, self.result(tensor.name))
            elif tensor.name in asked and tensor.name in self.differentials:
                deferred.append(tensor)
            elif tensor.role.is_leaf or (label is not None and label.given and label.stands_for is None):
                self.take(tensor.name, _named(Symbol(tensor.name)))
            elif label is None and tensor.name in self.differentials:
                deferred.append(tensor)
            else:
                helpers.append(tensor)
        self.taken_latex |= {bare(latex) for latex in self.chosen.values()}  # what nobody named steps aside
        labels = {tensor.name: self.label(tensor) for tensor in helpers}
        count = Counter(x.letter for x in labels.values() if x.number is None and x.stands_for is None)
        for tensor in sorted(helpers, key=lambda t: _rank(labels[t.name])):
            label = labels[tensor.name]
            likeness = self.symbols.get(label.stands_for or "")
            alone = count[label.letter] == 1
            self.take(tensor.name, _helper(label, likeness, self.next[label.letter], alone=alone))
            self.count(tensor.name, label.letter)
        waiting = [t for t in deferred if not self.derivative(t)]
        for tensor in waiting:
            letter = Label(GRADIENT)
            self.take(tensor.name, _helper(letter, None, self.next[GRADIENT], alone=len(waiting) == 1))
            self.count(tensor.name, GRADIENT)
        order = {t.name: self.symbols[t.name] for t in _in_order(self.system)}
        return Symbols(order, self.letters, self.text, self.latex, self.notation)

    def result(self, name: str) -> Iterator[Symbol]:
        """What was asked for: called in text as the results are, in LaTeX the derivative that it is."""
        quotient = None
        if name in self.derivation.derivatives:
            of, by = self.derivation.derivatives[name]
            quotient = Quotient((of, self.rank(of)), tuple((one, self.rank(one)) for one in by))
        own = Symbol(name, quotient=quotient)
        if quotient is None or self.notation is None:
            return _named(own, Symbol(name))
        found = self.derivatives(quotient)
        if self.notation == "d":  # text calls it as the code does
            found = [replace(symbol, base=name) for symbol in found[:1]]
        return _named(*found, Symbol(name))

    def derivatives(self, quotient: Quotient, part: int = 0) -> list[Symbol]:
        """What the derivative may be called."""
        computed = any(name in self.system.defining for name, _ in quotient.by)
        return derivative_symbols(
            quotient, self.text, self.system.loss, self.notation, computed=computed, part=part
        )

    def label(self, tensor: Tensor) -> Label:
        known = self.known.get(tensor.name)
        if known is not None and (tensor.label is None or tensor.label.stands_for is None):
            return Label(known, tensor.label.number if tensor.label is not None else None)
        if tensor.label is not None:
            return tensor.label
        equation = self.system.defining.get(tensor.name)
        return Label(form(equation).letter if equation is not None else "u")

    def count(self, name: str, letter: str) -> None:
        """Notes which number of the letter is taken, if it was the next."""
        if self.symbols[name] == Symbol(letter, self.next[letter]):
            self.next[letter] += 1

    def derivative(self, tensor: Tensor) -> bool:
        """Takes ∂ of / ∂ by, unless that would be a fraction in a fraction."""
        what = self.differentials[tensor.name]
        if any(n not in self.symbols or self.symbols[n].quotient for n in (what.of, what.by)):
            return False
        quotient = Quotient(
            (what.of, self.rank(what.of) if what.whole else 0), ((what.by, self.rank(what.by)),)
        )
        part = 0
        if what.part:
            self.parts[what.of, what.by] += 1
            part = self.parts[what.of, what.by]
        self.take(tensor.name, _named(*self.derivatives(quotient, part), Symbol(GRADIENT)))
        return True

    def rank(self, name: str) -> int:
        return len(self.system.tensor(name).shape)

    def take(self, name: str, candidates: Iterable[Symbol]) -> None:
        """The first of the candidates, of which there is no end, that nothing has in either spelling."""
        for symbol in candidates:
            symbol = replace(symbol, latex=self.chosen.get(name))
            text, latex = text_symbol(symbol), latex_symbol(symbol, self.latex)
            free = name in self.chosen or bare(latex) not in self.taken_latex
            if free and bare(text) not in self.taken_text:
                self.symbols[name], self.text[name], self.latex[name] = symbol, text, latex
                self.taken_text.add(bare(text))
                self.taken_latex.add(bare(latex))
                return


def _named(*first: Symbol) -> Iterator[Symbol]:
    """These, then the last in upright letters, then numbered."""
    yield from first
    last = replace(first[-1], quotient=None, part=0, upright=True)
    yield last
    yield from (replace(last, number=number) for number in itertools.count(1))


def _rank(label: Label) -> int:
    """Who chooses first: those with a number, then others, then what stands for one of them at inference."""
    return 2 if label.stands_for is not None else int(label.number is None)


def _helper(label: Label, likeness: Symbol | None, first: int, *, alone: bool) -> Iterator[Symbol]:
    """What a helper may be called: as what it stands for at inference; `m` if it is the only one, with its
    layer's number, with a hat where that is taken, with a number from `first` on."""
    above = "infer" if label.stands_for is not None else ""
    if likeness is not None and likeness.quotient is None:
        yield replace(likeness, above=above)
    start = Symbol(label.letter, label.number, above=above)
    if label.number is not None or alone or label.given:
        yield from (replace(start, mark=mark) for mark in MARKS)
    yield from (replace(start, number=number) for number in itertools.count(first))


def _in_order(system: System) -> list[Tensor]:
    """Leaves, then tensors as their equations come."""
    return [*system.leaves, *(system.tensor(e.target) for e in system.equations)]
