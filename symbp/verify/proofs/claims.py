"""What a step claims: which values are to be equal, and what is to be the derivative of what.

Enters: a step, what it stands on. Leaves: claims. Must not know: how a claim is proven.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbp.derive.derivation import Ground, Step
from symbp.ir.expr import Expr, Index
from symbp.ir.system import Equation


@dataclass(frozen=True)
class Part:
    """A right-hand side, or a tensor as it is defined (where there is no equation), in the system before or
    after the step."""

    name: str
    equation: Equation | None = None
    after: bool = True


@dataclass(frozen=True)
class Claim:
    """Two parts have one value; `what` says of what, for a message."""

    what: str
    left: Part
    right: Part


def claims(step: Step, ground: Ground) -> list[Claim]:
    """The equalities of a step: each side is what its target is defined as, and a value without a name keeps
    its value."""
    if _is_value(step):
        before, after = _over_the_same(step.before[0], step.after[0])
        return [Claim(f"a part of {step.target}", Part("", before, False), Part("", after))]
    found = []
    for equation in step.before:
        if {equation.target, *equation.read_names} <= set(ground.before.by_name):
            own = Part(equation.target, after=False)
            found.append(Claim(f"{equation.target} before", own, Part(equation.target, equation, False)))
    for equation in step.after:
        name = equation.target
        if name not in ground.after.by_name:  # it has become another one
            found.append(Claim(name, Part(name, after=False), Part(name, equation)))
            continue
        found.append(Claim(name, Part(name), Part(name, equation)))
        if ground.before is not ground.after and name in ground.before.by_name and name not in ground.moved:
            found.append(Claim(name, Part(name, after=False), Part(name)))
    return found


def sides(step: Step) -> tuple[Equation, Equation] | None:
    """Both sides of a rewrite as right-hand sides over the same indices; None for other steps."""
    if step.differential is not None or len(step.before) != 1 or len(step.after) != 1:
        return None
    (before,), (after,) = step.before, step.after
    if before.target != after.target:
        return None
    return _over_the_same(before, after) if not before.target else (before, after)


def defines(step: Step, ground: Ground) -> bool:
    """Whether a step does nothing but say what a summand stands for."""
    return step.differential is not None and step.differential.part and ground.before is ground.after


def _is_value(step: Step) -> bool:
    sides = (step.before, step.after)
    return all(len(side) == 1 and not side[0].target for side in sides)


def _over_the_same(before: Equation, after: Equation) -> tuple[Equation, Equation]:
    """Both over the indices that one of them has."""
    extents: dict[Index, Expr] = {}
    for equation in (before, after):
        extents |= {index: equation.extents[index] for index in equation.indices}

    def over(equation: Equation) -> Equation:
        ranges = (*extents.values(), *(equation.extents[i] for i in equation.reduced))
        return equation.with_(indices=tuple(extents), ranges=ranges)

    return over(before), over(after)
