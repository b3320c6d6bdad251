"""From a system to its gradients in closed form: stabilise, sweep, close, confirm.

Enters: a `System` with a scalar loss. Leaves: a `Derivation`.
Must not know: `language`, `ops`, `nn`; a sum, a max and an access are all that is known here.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbp.derive.declared.derivatives import eliminate, eliminated
from symbp.derive.declared.parted import parted
from symbp.derive.declared.stopped import Stopped, freed
from symbp.derive.derivation import ClosedForm, Derivation, Ground, Step
from symbp.derive.proof.confirm import close_confirmed, difference, warn_of
from symbp.derive.rules.registry import MASK, SAME_DEFINITION
from symbp.derive.search.cost import equation_cost
from symbp.derive.stabilise.safe_shapes import stabilise
from symbp.derive.sweep.higher import hessian_vector_products, jacobian_blocks, with_leaf
from symbp.derive.sweep.reverse import AdjointSystem, adjoints
from symbp.errors import DerivationError, DoubtfulRewrite
from symbp.ir.expr import free_sizes
from symbp.ir.printer import conditions_text
from symbp.ir.system import Role, System

__all__ = [
    "AdjointSystem",
    "ClosedForm",
    "Derivation",
    "Ground",
    "Step",
    "adjoints",
    "derive",
    "eliminate",
    "hvp",
    "jacobian",
]


def derive(
    system: System, *, name: str = "net", wrt: Sequence[str] | None = None, order: int = 1
) -> Derivation:
    """The gradients of the system's loss by `wrt` (its parameters, if not given), in closed form.

    With `order=2` also the Hessian blocks, under keys such as `"W1,W2"` for ∂²loss/∂W1∂W2.
    Raises DerivationError: no loss, a loss with axes, an unknown tensor.
    """
    started = time.perf_counter()
    swept = _swept(system, wrt)
    if order == 1:
        return _closed(swept, name, started)
    if order != 2:
        raise DerivationError(
            f"derivatives of order {order} are not derived at once", help="use order 1 or 2"
        )
    first = _closed(swept.free, name, started)
    joint, wanted = first.system, dict(first.gradients)
    for of, gradient in first.gradients.items():
        joint, blocks = jacobian_blocks(joint, gradient, list(first.gradients), letter="H", label=of)
        wanted |= {f"{of},{block.by}": block.tensor for block in blocks}
    again = replace(swept, joint=joint, wanted=wanted).behind(first)
    return _closed(again, name, started)


def hvp(system: System, *, name: str = "net", wrt: Sequence[str] | None = None) -> Derivation:
    """Hessian-vector products `Σ_b ∂²loss/∂a∂b · v_b`, called `Hv_a`, for each a of `wrt`; the directions are
    inputs `v_a`."""
    started = time.perf_counter()
    swept = _swept(system, wrt)
    first = _closed(swept.free, name, started)
    assert system.loss is not None
    joint, products, directions = hessian_vector_products(first.system, dict(first.gradients), system.loss)
    declared = swept.declared
    for tensor, direction in directions.items():
        declared = with_leaf(declared, direction, tensor)
    again = replace(swept, declared=declared, joint=joint, wanted=products).behind(first)
    return replace(_closed(again, name, started), directions=directions)


def jacobian(system: System, of: str, *, name: str = "net", wrt: Sequence[str]) -> Derivation:
    """∂ of / ∂ each of `wrt`: axes of the output, then of the input; forward or reverse, what costs less."""
    started = time.perf_counter()
    system.tensor(of)
    stopped = freed(system)
    system, forward, prepared = _prepared(stopped.free, wrt)
    kept = (of,) if of in forward.defining else ()  # a module gives the value beside its derivatives
    rests = stopped.needed([of])
    best: Derivation | None = None
    for mode in (False, True):
        joint, blocks = jacobian_blocks(forward, of, list(wrt), forward=mode)
        wanted = {block.by: block.tensor for block in blocks}
        outputs = tuple(dict.fromkeys((*kept, *rests)))
        alone = replace(joint, loss=None, outputs=outputs, metrics=(), updates={}, inference={})
        swept = _Swept(system, alone, wanted, (), prepared, prepared.count, stopped)
        found = _closed(swept, name, started)
        if best is None or _cost(found) < _cost(best) - 1e-9:
            best = found
    assert best is not None
    return replace(best, of=of, system=replace(best.system, outputs=kept))


def _cost(derivation: Derivation) -> float:
    return sum(equation_cost(equation) for equation in derivation.system.equations)


UNSAFE = (
    "no form of the forward pass in which nothing overflows could be confirmed: its equations are right, "
    "but may lose digits far from 0"
)


@dataclass(frozen=True)
class _Led:
    """Steps, what they stand on, and what of them is in doubt, in sentences."""

    steps: tuple[Step, ...] = ()
    grounds: tuple[Ground, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.steps)

    def then(self, steps: Sequence[Step], grounds: Sequence[Ground] = ()) -> _Led:
        """These, and others after them, whose grounds begin with the first of them."""
        behind = tuple(ground.shifted(self.count) for ground in grounds)
        return replace(self, steps=(*self.steps, *steps), grounds=(*self.grounds, *behind))

    def doubting(self, doubts: Sequence[str]) -> _Led:
        return replace(self, doubts=(*self.doubts, *doubts))


@dataclass(frozen=True)
class _Swept:
    """A joint system before closing, which tensors of it are wanted, what led to it, the number of the first
    step that stands on it, and what brings stopped values back."""

    declared: System
    joint: System
    wanted: Mapping[str, str]
    unused: tuple[str, ...]
    led: _Led
    first: int
    stopped: Stopped

    def behind(self, derivation: Derivation) -> _Swept:
        """The same after the steps of a derivation."""
        led = _Led(derivation.steps, derivation.grounds, derivation.warnings)
        return replace(self, led=led, first=led.count)

    @property
    def free(self) -> _Swept:
        """The same for another sweep to follow: stopped values stay inputs."""
        return replace(self, stopped=Stopped(self.declared, self.declared))


def _prepared(system: System, wrt: Sequence[str]) -> tuple[System, System, _Led]:
    """The declared system with equations for declared derivatives; the same in safe shapes, equal
    definitions merged, the same function of each tensor of `wrt`; the steps to it."""
    declared, steps, grounds, doubts = eliminated(system)
    apart = parted(declared, wrt)
    forward, forming = _in_safe_shapes(apart.system)
    led = _Led(steps, grounds, doubts).then(apart.steps(forming.steps), apart.grounds(forming.grounds))
    return declared, apart.joined(forward), led.doubting(forming.doubts)


def _in_safe_shapes(declared: System) -> tuple[System, _Led]:
    """The forward system stabilised, or as it was declared where that can't be confirmed."""
    try:
        masked, changes = MASK.apply(declared)
        masking = [MASK.told(change) for change in changes]
        stable, stabilising, grounds = stabilise(masked)
        forward, changes = SAME_DEFINITION.apply(stable)
        merging = [SAME_DEFINITION.told(change) for change in changes]
        pairs = {name: name for name in declared.asked if name not in declared.metrics}
        led = _Led().then(masking, [Ground(0, declared, masked)] if masking else [])
        led = led.then(stabilising, grounds)
        led = led.then(merging, [Ground(0, stable, forward)] if merging else [])
        if not led.count or difference(declared, forward, pairs, free=False) is None:
            return forward, led
    except Exception:  # what is declared is right, safe or not
        pass
    warnings.warn(UNSAFE, DoubtfulRewrite, stacklevel=2)
    return declared, _Led(doubts=(UNSAFE,))


def _swept(system: System, wrt: Sequence[str] | None) -> _Swept:
    if system.loss is None:
        raise DerivationError("there is nothing to differentiate: the system has no loss")
    chosen = tuple(wrt) if wrt is not None else tuple(t.name for t in system.parameters)
    stopped = freed(system)
    system, forward, prepared = _prepared(stopped.free, chosen)
    assert forward.loss is not None
    sweep = adjoints(forward, forward.loss, chosen)
    led = prepared.then(_sweep_steps(sweep))
    return _Swept(system, sweep.system, sweep.gradients, sweep.unused, led, prepared.count, stopped)


def _closed(swept: _Swept, name: str, started: float) -> Derivation:
    found = close_confirmed(swept.joint, list(swept.wanted.values()))
    assert found.ground is not None
    unused = tuple(f"the loss does not depend on {name}: its gradient is zero" for name in swept.unused)
    obeyed = tuple(f"sizes must obey {c}" for c in conditions_text(_with_choice(swept.declared)))
    return Derivation(
        name,
        swept.stopped.restored(swept.declared),
        swept.stopped.restored(_with_rules(found.system, found.steps)),
        dict(swept.wanted),
        (*swept.led.steps, *found.steps),
        tuple(dict.fromkeys((*unused, *obeyed, *swept.led.doubts, *warn_of(found.doubtful)))),
        time.perf_counter() - started,
        grounds=(*swept.led.grounds, Ground(swept.first, found.ground, found.ground)),
    )


def _with_choice(system: System) -> System:
    """The system with those conditions on sizes that somebody can break: not where all of its sizes are plain
    integers, which have been compared."""
    fixed = system.unnamed & system.bound.keys()
    pairs = ((pair, {s.name for side in pair for s in free_sizes(side)}) for pair in system.conditions)
    return system.with_(conditions=tuple(pair for pair, names in pairs if not names <= fixed))


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
        adjoint = (Role.ADJOINT, Role.GRADIENT)
        steps.append(
            Step(
                equation.rule,
                f"{{{of}}} gathers what the equations that read it pass back.",
                of,
                (),
                (equation,),
                tuple(n for n in equation.read_names if sweep.system.tensor(n).role in adjoint),
                tensor.differential,
            )
        )
    return steps
