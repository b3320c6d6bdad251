"""The document model that every format prints: what a derivation says, in the order in which it is read.

Enters: a derivation, and code as text where a page shows it. Leaves: frozen sections of numbered equations.
Must not know: any format, or how code is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbp.derive.derivation import Derivation, Step
from symbp.explain.matrix import matrix_form
from symbp.explain.matrix_rewrite import without_transposes
from symbp.explain.matrix_text import matrix_text
from symbp.explain.matrix_tree import Node
from symbp.explain.starts import Start, starts
from symbp.explain.steps import with_gone
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, System, Tensor
from symbp.read.reading import Reading, reading
from symbp.read.spelling import Quotient
from symbp.read.symbols import Symbols


@dataclass(frozen=True)
class NumberedEquation:
    """Equation `number`: the equation itself, the same with the letters of the page (`shown`), its matrix
    form or None, the rule it comes from, and the lines of code that compute it."""

    number: int
    equation: Equation
    shown: Equation
    matrix: Node | None
    rule: str
    code: tuple[str, ...] = ()

    @property
    def index_form(self) -> str:
        """The equation in index notation, as plain text, with the names that tensors have in code."""
        return equation_text(self.equation)

    @property
    def matrix_form(self) -> str | None:
        """The equation in matrix notation, in the same way, or None where it has none."""
        return None if self.matrix is None else f"{self.equation.target} = {matrix_text(self.matrix)}"


@dataclass(frozen=True)
class Section:
    """Equations under a title. `pairs`: the second tensor stands for the first there; `verb` says how."""

    title: str
    equations: tuple[NumberedEquation, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    verb: str = "is"

    @property
    def note(self) -> str:
        """The pairs in words; empty, if there are none."""
        return ", ".join(f"{name} {self.verb} {other}" for name, other in self.pairs)


@dataclass(frozen=True)
class Document:
    """A derivation as a page: what is given, how parameters start, the equations, the gradients, the steps.

    `reading` holds symbols and the legend: `quotients` says which tensors are derivatives of what, so that a
    format can write ∂L/∂W₁ for `dW1`; `results` lists what was asked for beyond gradients, in words, with its
    tensor. `ever` has a symbol for each tensor of the steps, also for those that are gone in the end.
    """

    title: str
    given: tuple[Tensor, ...]
    starts: tuple[Start, ...]
    sections: tuple[Section, ...]
    reading: Reading
    results: tuple[tuple[str, str], ...]
    gradients: Mapping[str, str]
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]
    ever: Symbols

    @property
    def quotients(self) -> Mapping[str, Quotient]:
        """The tensors that are written as derivatives."""
        return self.reading.symbols.quotients

    @property
    def equations(self) -> tuple[NumberedEquation, ...]:
        """All equations in the order of their numbers."""
        found = [equation for section in self.sections for equation in section.equations]
        return tuple(sorted(found, key=lambda e: e.number))


def document(
    derivation: Derivation,
    code: Mapping[int, Sequence[str]] | None = None,
    symbols: Mapping[str, str] | None = None,
) -> Document:
    """The page of a derivation; `code` gives the lines that compute each equation, by its number; `symbols`
    the LaTeX of tensors whose symbol their author chooses.

    Raises UsageError: a symbol for no tensor; ReadingError: one symbol for two.
    """
    read = reading(derivation, symbols)
    system = derivation.system
    tensors = system.by_name
    lines = code or {}
    symmetric = symmetric_names(system)

    def numbered(equation: Equation) -> NumberedEquation:
        number = derivation.numbers[equation.target]
        shown = read.equations[equation.target]
        matrix = matrix_form(shown, tensors)
        matrix = None if matrix is None else without_transposes(matrix, symmetric)
        return NumberedEquation(number, equation, shown, matrix, equation.rule, tuple(lines.get(number, ())))

    forward, updates, inference, metrics = _stages(derivation)

    def section(
        title: str, equations: Sequence[Equation], pairs: Mapping[str, str] | None = None, verb: str = "is"
    ) -> Section:
        return Section(title, tuple(map(numbered, equations)), tuple((pairs or {}).items()), verb)

    sections = (
        section("Forward", forward),
        section("Backward", derivation.backward),
        section("Buffers after a step", updates, system.updates, "becomes"),
        section("Inference", inference, system.inference),
        section("Metrics", metrics),
    )
    return Document(
        title=derivation.name,
        given=tuple(_shortened(leaf, read) for leaf in system.leaves),
        starts=starts(derivation.initial) if derivation.is_gradient else (),
        sections=tuple(s for s in sections if s.equations or s.pairs),
        reading=read,
        results=() if derivation.is_gradient else _results(derivation, read.symbols.quotients),
        gradients=dict(derivation.gradients),
        steps=derivation.steps,
        warnings=derivation.warnings,
        ever=with_gone(read.symbols, derivation),
    )


def _shortened(tensor: Tensor, read: Reading) -> Tensor:
    return replace(tensor, shape=tuple(extent.xreplace(read.lengths) for extent in tensor.shape))


def symmetric_names(system: System) -> frozenset[str]:
    """The matrices that are declared symmetric."""
    return frozenset(t.name for t in system.leaves if t.fact("symmetric") and len(t.shape) == 2)


def _stages(derivation: Derivation) -> list[list[Equation]]:
    """The equations beside the backward ones by what first needs them: the loss, the outputs and the
    gradients; the buffers' next values; what differs at inference; the rest, which only measures."""
    system = derivation.system
    trained = [*system.outputs, *([system.loss] if system.loss else []), *derivation.gradients.values()]
    trained += [equation.target for equation in derivation.backward]
    left, stages = list(derivation.forward), []
    for wanted in (trained, system.updates.values(), system.inference.values()):
        needed = system.resting(wanted)
        stages.append([e for e in left if e.target in needed])
        left = [e for e in left if e.target not in needed]
    return [*stages, left]


def _results(derivation: Derivation, quotients: Mapping[str, Quotient]) -> tuple[tuple[str, str], ...]:
    """What was asked for, in words, and the tensor that holds it."""
    loss = derivation.system.loss
    return tuple(
        (str(quotients[tensor]) if tensor in quotients else f"(∇²{loss}·v)_{key}", tensor)
        for key, tensor in derivation.gradients.items()
    )
