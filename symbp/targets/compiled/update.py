"""What every target says of an optimizer's update: its equations in order, its arguments, its words.

Enters: an update rule, equations over one generic parameter. Leaves: numbered equations, names.
Must not know: targets, which optimizers exist.
"""

from __future__ import annotations

from symbp.errors import LoweringError
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, Role, System
from symbp.ir.training import GRADIENT, STEP, THETA, UpdateRule

PREFIX = "U"


def numbered_updates(rule: UpdateRule) -> list[tuple[int, Equation]]:
    """The update's equations with their numbers, scalars first where they are computed."""
    if rule.shaped:
        return [(number, equation) for number, _, equation in rule.numbered]
    numbered = [(k + 1, e) for k, e in enumerate(rule.system.equations)]
    own, one = rule.own_numbers, rule.of_one().system
    entries = {e.target for e in one.equations if e.indices}
    for number, equation in enumerate(one.equations, 1):
        flat = all(a.subscripts in ((), equation.all_indices) for a in equation.reads)
        total = equation.op == "sum" and len(equation.reduced) == 1 and not equation.indices
        early = equation.reduction is None or equation.target in own or not entries & set(equation.read_names)
        if not early or not (total or equation.reduction is None) or len(equation.indices) > 1 or not flat:
            raise LoweringError(
                f"equation ({PREFIX}{number}) of {rule.name} is neither a map of one entry nor a sum",
                details=(equation_text(equation),),
                help="an update reads and writes each parameter entry by itself, or sums over all entries",
            )
    return numbered


def arguments(rule: UpdateRule) -> tuple[str, ...]:
    """The arguments of the update function."""
    return (THETA, GRADIENT, *rule.moments, STEP, *hyperparameters(rule.system))


def hyperparameters(system: System) -> tuple[str, ...]:
    return tuple(t.name for t in system.with_role(Role.HYPER) if t.name != STEP)


def doc(rule: UpdateRule) -> str:
    """The docstring of the update function."""
    return f"{rule.name}: one step over all parameters, in place."
