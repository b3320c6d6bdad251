"""From a system to its gradients in closed form: stabilise, sweep, close, confirm.

Enters: a `System` with a scalar loss. Leaves: a `Derivation`.
Must not know: `language`, `ops`, `nn`; a sum, a max and an access are all that is known here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from symbp.derive.closed import close
from symbp.derive.confirm import confirm
from symbp.derive.derivation import ClosedForm, Derivation, Step
from symbp.derive.same import merge_duplicates
from symbp.derive.stable import stabilise
from symbp.derive.sweep import AdjointSystem, adjoints
from symbp.errors import DerivationError
from symbp.ir.printer import equation_text
from symbp.ir.system import Role, System

__all__ = ["AdjointSystem", "ClosedForm", "Derivation", "Step", "adjoints", "derive"]

ATTEMPTS = 3


def derive(system: System, *, name: str = "net", wrt: Sequence[str] | None = None) -> Derivation:
    """The gradients of the system's loss by `wrt` (its parameters, if not given), in closed form.

    Raises DerivationError: no loss, a loss with axes, an unknown tensor.
    """
    started = time.perf_counter()
    if system.loss is None:
        raise DerivationError("there is nothing to differentiate: the system has no loss")
    chosen = tuple(wrt) if wrt is not None else tuple(t.name for t in system.parameters)
    forward, stabilising = stabilise(system)
    forward, merging = merge_duplicates(forward)
    sweep = adjoints(forward, system.loss, chosen)
    targets = list(sweep.gradients.values())
    closed, closing = _confirmed(sweep, targets, forward)
    steps = (*stabilising, *merging, *_sweep_steps(sweep), *closing)
    warnings = tuple(f"the loss does not depend on {name}: its gradient is zero" for name in sweep.unused)
    return Derivation(
        name,
        system,
        _with_rules(closed, closing),
        sweep.gradients,
        steps,
        warnings,
        time.perf_counter() - started,
    )


def _confirmed(sweep: AdjointSystem, targets: list[str], forward: System) -> tuple[System, tuple[Step, ...]]:
    """Closed forms that 50 digits confirm. A coincidence of float64 values (all signs alike in a tiny
    tensor, say) is told from a wrong rewrite by new points: it does not come back."""
    loss = forward.loss
    pairs = {name: name for name in (*targets, *forward.outputs, *([loss] if loss else []))}
    for attempt in range(ATTEMPTS):
        try:
            closed, steps = close(sweep.system, targets, seed=7 + 100 * attempt)
            confirm(sweep.system, closed, pairs)
        except DerivationError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return closed, steps
    raise AssertionError("unreachable")


def _with_rules(closed: System, closing: tuple[Step, ...]) -> System:
    """Each backward equation says which rules led to it."""
    rules: dict[str, dict[str, None]] = {}
    for step in closing:
        rules.setdefault(step.target, {})[step.rule] = None
    return closed.with_(
        equations=tuple(e.with_(rule="; ".join([e.rule, *rules.get(e.target, ())])) for e in closed.equations)
    )


def _sweep_steps(sweep: AdjointSystem) -> list[Step]:
    """One step for each adjoint as the chain rule gives it."""
    steps = []
    for equation in sweep.system.equations:
        tensor = sweep.system.tensor(equation.target)
        if tensor.role not in (Role.ADJOINT, Role.GRADIENT):
            continue
        of = equation.target
        steps.append(
            Step(
                equation.rule,
                f"{of} gathers what the equations that read it pass back.",
                of,
                f"∂/∂ {of.removeprefix('d')}",
                equation_text(equation),
                tuple(n for n in equation.read_names if n.startswith("d")),
            )
        )
    return steps
