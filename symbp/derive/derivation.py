"""What deriving yields: the joint system, which gradient is where, and every step with its reason.

Enters: nothing (types only). Leaves: `Derivation`, the one object that page, code and report share.
Must not know: the user's language, ops, or how anything is emitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from symbp.errors import DerivationError, choose
from symbp.ir.expr import Expr, Index, free_indices
from symbp.ir.labels import Choices, Differential
from symbp.ir.printer import TEXT, Notation, equation_text
from symbp.ir.system import Equation, Reduction, Role, System
from symbp.ir.training import Initial

DECLARED = "derivative in the declaration"
Side = tuple[Equation, ...]
"""One side of a step: equations. One without a target is a value that has no name."""


@dataclass(frozen=True)
class Step:
    """One rewrite of what defines `target`: what `before` says becomes what `after` says. `rule` is its name,
    `reason` one sentence, in which `{name}` stands for a tensor.

    Sides that both have no target are a part of the definition, for each of its indices. A step of the chain
    rule has nothing before it: `differential` says what is differentiated by what. `rests_on` are the
    definitions (a tensor by its name, or as an equation where it isn't the one of the ground) and the facts,
    in words, that make it true.
    """

    rule: str
    reason: str
    target: str
    before: Side
    after: Side
    rests_on: tuple[Equation | str, ...] = ()
    differential: Differential | None = None

    def renamed(self, names: Mapping[str, str]) -> Step:
        """The step about tensors that are called otherwise."""

        def new(rest: Equation | str) -> Equation | str:
            return rest.renamed(names) if isinstance(rest, Equation) else names.get(rest, rest)

        return replace(
            self,
            reason=self.reason.format_map(_Renamed({a: f"{{{b}}}" for a, b in names.items()})),
            target=names.get(self.target, self.target),
            before=tuple(e.renamed(names) for e in self.before),
            after=tuple(e.renamed(names) for e in self.after),
            rests_on=tuple(map(new, self.rests_on)),
            differential=self.differential and self.differential.renamed(names),
        )

    def changed(self, values: Mapping[Expr, Expr]) -> Step:
        """The step with expressions in the place of others."""
        before, after = (tuple(e.changed(values) for e in side) for side in (self.before, self.after))
        rests = tuple(r.changed(values) if isinstance(r, Equation) else r for r in self.rests_on)
        return replace(self, before=before, after=after, rests_on=rests)

    def spelled(self, notation: Notation = TEXT) -> tuple[str, str]:
        """Both sides in a notation."""
        if self.differential is not None and not self.before:
            total = self.rule == DECLARED
            return notation.derivative(self.differential, total), spelled(self.after, notation)
        return spelled(self.before, notation), spelled(self.after, notation)

    def because(self, notation: Notation = TEXT) -> str:
        """The reason in a notation."""
        return self.reason.format_map(_Called(notation))

    def __str__(self) -> str:
        before, after = self.spelled()
        rests = f"  [{', '.join(map(str, self.rests_on))}]" if self.rests_on else ""
        return f"{self.rule}: {before}  ⟶  {after}\n    {self.because()}{rests}"


class _Renamed(dict[str, str]):
    """Places for other names."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


class _Called(dict[str, str]):
    """What a notation calls tensors."""

    def __init__(self, notation: Notation) -> None:
        super().__init__()
        self.notation = notation

    def __missing__(self, name: str) -> str:
        return self.notation.access(name, [], None)


def spelled(side: Side, notation: Notation = TEXT) -> str:
    """One side of a step in a notation; of a value without a name, the right-hand side."""
    written = (notation.equation(e) for e in side)
    return "; ".join(
        f"{left} = {right}" if e.target else right for e, (left, right) in zip(side, written, strict=True)
    )


def named(names: Iterable[str]) -> str:
    """Tensors in a reason, one after the other."""
    return ", ".join(f"{{{name}}}" for name in names)


def part(body: Expr, frame: Equation, reduced: Sequence[Index] = ()) -> Equation:
    """`Σ_reduced body`, a value without a name, for each of the indices of an equation that it has."""
    free = free_indices(body)
    indices = tuple(i for i in frame.all_indices if i in free and i not in reduced)
    ranges = tuple(frame.extents[i] for i in (*indices, *reduced))
    reduction = Reduction("sum", tuple(reduced)) if reduced else None
    return Equation("", indices, body, reduction, (), ranges)


@dataclass(frozen=True)
class Ground:
    """What steps stand on, from the step number `first` (from 0) to where the next ground begins: systems in
    which each tensor that the steps mention has its meaning, also those that are gone in the end.

    `before` is for the left-hand sides, `after` for the right-hand sides: one system, but where the forward
    pass is put into other shapes. Then `moved` are the tensors whose value isn't the same in both.
    """

    first: int
    before: System
    after: System
    moved: frozenset[str] = frozenset()

    def shifted(self, count: int) -> Ground:
        """The same behind so many other steps."""
        return replace(self, first=self.first + count)


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
    equations, then the backward ones. Equation k of `system.equations` carries the number k + 1 everywhere.
    `gradients` maps each parameter (or other tensor asked for) to the tensor that holds its gradient; a key
    `"W1,W2"` is a second derivative. `of` names what was differentiated, if that isn't the loss (a
    Jacobian); `directions` maps parameters to the leaves that a Hessian is multiplied with (the results are
    then these products). `constants` gives hyperparameters their values and `initial` says how parameters
    start, where the network does, `choices` what its author wants on pages, `example` the values that its
    author gives leaves. `warnings` are sentences for the user, such as a parameter that the loss doesn't use.
    `grounds` give what the steps mention its meaning.
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
    choices: Choices = field(default_factory=Choices, compare=False)
    example: Mapping[str, Any] = field(default_factory=dict, compare=False)
    grounds: tuple[Ground, ...] = ()

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

    def ground(self, number: int) -> Ground:
        """What the step of that number, from 0, stands on."""
        return max((g for g in self.grounds if g.first <= number), key=lambda g: g.first)

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
            help = choose(parameter, self.gradients)
            raise DerivationError(f"no gradient by {parameter!r} was derived", help=help)
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
