"""The document model that every format prints: what a derivation says, in the order in which it is read.

Enters: a derivation, and code as text where a page shows it. Leaves: frozen sections of numbered equations.
Must not know: any format, or how code is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbp.derive.derivation import Derivation, Step
from symbp.explain.matrix import matrix_form
from symbp.explain.matrix_text import matrix_text
from symbp.explain.matrix_tree import Node
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, Role, Tensor


@dataclass(frozen=True)
class NumberedEquation:
    """Equation `number`: the equation itself (its index form), its matrix form or None, the rule it comes
    from, and the lines of code that compute it."""

    number: int
    equation: Equation
    matrix: Node | None
    rule: str
    code: tuple[str, ...] = ()

    @property
    def index_form(self) -> str:
        """The equation in index notation, as plain text."""
        return equation_text(self.equation)

    @property
    def matrix_form(self) -> str | None:
        """The equation in matrix notation, as plain text, or None where it has none."""
        return None if self.matrix is None else f"{self.equation.target} = {matrix_text(self.matrix)}"


@dataclass(frozen=True)
class Section:
    """Equations under a title."""

    title: str
    equations: tuple[NumberedEquation, ...]


@dataclass(frozen=True)
class Document:
    """A derivation as a page: what is given, the equations, which gradient is where, the steps.

    `loss` is the name of what was differentiated and `adjoint_of` maps each adjoint or gradient to the
    tensor it belongs to, so that a format can write ∂L/∂W₁ for `dW1`.
    """

    title: str
    given: tuple[Tensor, ...]
    sections: tuple[Section, ...]
    loss: str | None
    adjoint_of: Mapping[str, str]
    gradients: Mapping[str, str]
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]

    @property
    def equations(self) -> tuple[NumberedEquation, ...]:
        """All equations in the order of their numbers."""
        found = [equation for section in self.sections for equation in section.equations]
        return tuple(sorted(found, key=lambda e: e.number))


def document(derivation: Derivation, code: Mapping[int, Sequence[str]] | None = None) -> Document:
    """The page of a derivation; `code` gives the lines that compute each equation, by its number."""
    system = derivation.system
    tensors = system.by_name
    lines = code or {}

    def numbered(equation: Equation) -> NumberedEquation:
        number = derivation.numbers[equation.target]
        matrix = matrix_form(equation, tensors)
        return NumberedEquation(number, equation, matrix, equation.rule, tuple(lines.get(number, ())))

    needed = _needed(derivation)
    forward = [e for e in derivation.forward if e.target in needed]
    metrics = [e for e in derivation.forward if e.target not in needed]
    parts = (("Forward", forward), ("Backward", derivation.backward), ("Metrics", metrics))
    return Document(
        title=derivation.name,
        given=system.leaves,
        sections=tuple(Section(title, tuple(map(numbered, part))) for title, part in parts if part),
        loss=system.loss,
        adjoint_of=_adjoints(derivation),
        gradients=dict(derivation.gradients),
        steps=derivation.steps,
        warnings=derivation.warnings,
    )


def _needed(derivation: Derivation) -> set[str]:
    """What the loss, the outputs and the gradients rest on; the rest only measures."""
    system = derivation.system
    waiting = [*system.outputs, *([system.loss] if system.loss else []), *derivation.gradients.values()]
    waiting += [equation.target for equation in derivation.backward]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found and name in system.defining:
            found.add(name)
            waiting += system.defining[name].read_names
    return found


def _adjoints(derivation: Derivation) -> dict[str, str]:
    """The tensor that each adjoint belongs to: by the derivation's map where it has one, else by the name
    that the sweep gives, `d` and the tensor's name and a count where that was taken."""
    system = derivation.system
    found = {adjoint: name for name, adjoint in derivation.gradients.items()}
    for tensor in system.with_role(Role.ADJOINT, Role.GRADIENT):
        named = re.fullmatch(r"d(\w+?)(?:_\d+)?", tensor.name)
        for candidate in (tensor.name[1:], named[1] if named else ""):
            primal = system.by_name.get(candidate)
            if tensor.name not in found and primal is not None and primal.shape == tensor.shape:
                found[tensor.name] = candidate
    return found
