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
from symbp.explain.matrix_rewrite import without_transposes
from symbp.explain.matrix_text import matrix_text
from symbp.explain.matrix_tree import Node
from symbp.explain.starts import Start, starts
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, Role, System, Tensor


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
class Quotient:
    """∂ of / ∂ by…, each with the number of its axes; the axes of such a tensor stand in this order."""

    of: tuple[str, int]
    by: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        count = {2: "²", 3: "³"}.get(len(self.by), "")
        return f"∂{count}{self.of[0]}/{''.join(f'∂{name}' for name, _ in self.by)}"


@dataclass(frozen=True)
class Document:
    """A derivation as a page: what is given, how parameters start, the equations, the gradients, the steps.

    `quotients` says which tensors are derivatives of what, so that a format can write ∂L/∂W₁ for `dW1`;
    `results` lists what was asked for beyond gradients, in words, with its tensor.
    """

    title: str
    given: tuple[Tensor, ...]
    starts: tuple[Start, ...]
    sections: tuple[Section, ...]
    quotients: Mapping[str, Quotient]
    results: tuple[tuple[str, str], ...]
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
    symmetric = symmetric_names(system)

    def numbered(equation: Equation) -> NumberedEquation:
        number = derivation.numbers[equation.target]
        matrix = matrix_form(equation, tensors)
        matrix = None if matrix is None else without_transposes(matrix, symmetric)
        return NumberedEquation(number, equation, matrix, equation.rule, tuple(lines.get(number, ())))

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
        given=system.leaves,
        starts=starts(derivation.initial) if derivation.is_gradient else (),
        sections=tuple(s for s in sections if s.equations or s.pairs),
        quotients=_quotients(derivation),
        results=() if derivation.is_gradient else _results(derivation),
        gradients=dict(derivation.gradients),
        steps=derivation.steps,
        warnings=derivation.warnings,
    )


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


def _results(derivation: Derivation) -> tuple[tuple[str, str], ...]:
    """What was asked for, in words, and the tensor that holds it."""
    quotients, loss = _quotients(derivation), derivation.system.loss
    return tuple(
        (str(quotients[tensor]) if tensor in quotients else f"(∇²{loss}·v)_{key}", tensor)
        for key, tensor in derivation.gradients.items()
    )


def _quotients(derivation: Derivation) -> dict[str, Quotient]:
    """The tensors that are derivatives: by the derivation where it says so, else by the name that the
    sweep gives, `d` and the tensor's name and a count where that was taken."""
    system = derivation.system
    rank = {tensor.name: len(tensor.shape) for tensor in system.tensors}
    found = {
        tensor: Quotient((of, rank[of]), tuple((name, rank[name]) for name in by))
        for tensor, (of, by) in derivation.derivatives.items()
    }
    if system.loss is None or derivation.of is not None:
        return found
    for tensor in system.with_role(Role.ADJOINT, Role.GRADIENT):
        named = re.fullmatch(r"d((\w+?)(?:_\d+)?)", tensor.name)
        candidates = named.groups() if named else ()
        for candidate in (
            candidates if derivation.is_gradient else candidates[:1]
        ):  # a second sweep counts, too
            primal = system.by_name.get(candidate)
            if tensor.name in found or primal is None or primal.shape != tensor.shape:
                continue
            if derivation.is_gradient or primal.role not in (Role.ADJOINT, Role.GRADIENT):
                found[tensor.name] = Quotient((system.loss, 0), ((candidate, rank[candidate]),))
    return found
