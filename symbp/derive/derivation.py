"""What deriving yields: the joint system, which gradient is where, and every step with its reason.

Enters: nothing (types only). Leaves: `Derivation`, the one object that page, code and report share.
Must not know: the user's language, ops, or how anything is emitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from symbp.errors import DerivationError
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, Role, System
from symbp.ir.training import Initial


@dataclass(frozen=True)
class Step:
    """One rewrite: `rule` is its name, `reason` one sentence, `before` and `after` equations or terms as
    text in index notation, `rests_on` the names of tensors, facts or lemmas that make it true."""

    rule: str
    reason: str
    target: str
    before: str
    after: str
    rests_on: tuple[str, ...] = ()

    def __str__(self) -> str:
        rests = f"  [{', '.join(self.rests_on)}]" if self.rests_on else ""
        return f"{self.rule}: {self.before}  ⟶  {self.after}\n    {self.reason}{rests}"


@dataclass(frozen=True)
class ClosedForm:
    """A gradient in closed form: its own equation and the backward equations it rests on, numbered."""

    parameter: str
    equations: tuple[tuple[int, Equation], ...]  # the gradient's own equation last

    @property
    def equation(self) -> Equation:
        return self.equations[-1][1]

    def __str__(self) -> str:
        return "\n".join(f"({number}) {equation_text(equation)}" for number, equation in self.equations)


@dataclass(frozen=True)
class Derivation:
    """A network's forward and backward equations in the order of evaluation.

    `declared` is the system as the user wrote it; `system` the final one: the (stabilised) forward
    equations, then the backward ones. Equation k of `system.equations` carries the number k + 1
    everywhere. `gradients` maps each parameter (or other tensor asked for) to the tensor that holds its
    gradient; a key `"W1,W2"` is a second derivative. `of` names what was differentiated, if that isn't the
    loss (a Jacobian); `directions` maps parameters to the leaves that a Hessian is multiplied with (the
    results are then these products). `constants` gives hyperparameters their values and `initial` says how
    parameters start, where the network does. `warnings` are sentences for the user, such as a parameter
    that the loss doesn't use.
    """

    name: str
    declared: System
    system: System
    gradients: Mapping[str, str]
    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    of: str | None = None
    directions: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    initial: Mapping[str, Initial] = field(default_factory=dict)

    __hash__ = object.__hash__

    @cached_property
    def derivatives(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """What each result means that is a derivative: its tensor ↦ (of what, by what)."""
        of = self.of or self.system.loss
        if of is None or self.directions:
            return {}
        return {tensor: (of, tuple(key.split(","))) for key, tensor in self.gradients.items()}

    @property
    def is_gradient(self) -> bool:
        """Whether the results are first derivatives of the loss, one for each key."""
        plain = all(len(by) == 1 for _, by in self.derivatives.values())
        return self.of is None and not self.directions and plain

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of the equation that defines each tensor."""
        return {equation.target: k + 1 for k, equation in enumerate(self.system.equations)}

    @cached_property
    def backward(self) -> tuple[Equation, ...]:
        adjoint = {t.name for t in self.system.with_role(Role.ADJOINT, Role.GRADIENT)}
        return tuple(e for e in self.system.equations if e.target in adjoint)

    @cached_property
    def forward(self) -> tuple[Equation, ...]:
        backward = {equation.target for equation in self.backward}
        return tuple(e for e in self.system.equations if e.target not in backward)

    def __getitem__(self, parameter: str) -> ClosedForm:
        """The closed form of ∂ loss / ∂ parameter."""
        if parameter not in self.gradients:
            known = ", ".join(self.gradients)
            raise DerivationError(f"no gradient by {parameter!r} was derived", help=f"choose one of: {known}")
        backward = {equation.target: equation for equation in self.backward}
        needed, stack = set(), [self.gradients[parameter]]
        while stack:
            name = stack.pop()
            if name in backward and name not in needed:
                needed.add(name)
                stack += backward[name].read_names
        rows = [(self.numbers[n], backward[n]) for n in needed]
        return ClosedForm(parameter, tuple(sorted(rows, key=lambda row: row[0])))

    def __str__(self) -> str:
        return "\n".join(f"({k + 1}) {equation_text(e)}" for k, e in enumerate(self.system.equations))
