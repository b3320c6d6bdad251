"""Says when a training goes wrong: a first loss that chance would beat, divergence, units that are dead.

Enters: a network, its module, data; each epoch's record. Leaves: warnings, each once. Must not know: how a
step is computed, which ops the network is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite, log
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbp.data import Data
    from symbp.ir.system import Equation, System

EXAMPLES = 256  # enough that a unit which is 0 on all of them does nothing
FAR_FROM_CHANCE = 1.5  # a usual start is at most so many times worse than knowing nothing
DIVERGED = 3.0


class Watch:
    """Watches one training; `warn` takes a sentence."""

    def __init__(
        self,
        system: System,
        module: ModuleType,
        data: Data,
        warn: Callable[[str], None],
        buffers: Mapping[str, Any] | None = None,
    ) -> None:
        self.buffers = buffers
        self.system, self.module, self.warn = system, module, warn
        self.few = {name: array[:EXAMPLES] for name, array in data.items()}
        self.said: set[str] = set()
        self.best = float("inf")

    def start(self, params: Any) -> None:
        """Compares the first loss with what a network gives that knows nothing: all its parameters 0, so all
        classes alike. Only where there are classes: elsewhere 0 is as good a guess as any."""
        if not any(t.integer or _is_binary(t) for t in self._targets()):
            return
        nothing = self.module.init_params(0)
        for values in nothing.values():
            values[...] = 0
        try:
            chance = self.module.evaluate(nothing, self.buffers, **self.few)["loss"]
        except self.module.DataError:  # a parameter of which is known that it isn't 0
            return
        first = self.module.evaluate(params, self.buffers, **self.few)["loss"]
        if isfinite(chance) and chance > 0 and not first <= FAR_FROM_CHANCE * chance:
            self._say(
                f"the first loss is {first:.4g}, where chance gives {chance:.4g}{self._classes(chance)}: "
                "the start is too large" + ("" if self.buffers else ", or the inputs are (--standardise)")
            )

    def epoch(self, record: Mapping[str, Any], state: Any) -> None:
        """Looks at an epoch that has ended."""
        loss = record["loss"]
        if loss > DIVERGED * self.best:
            self._say(
                f"epoch {record['epoch']}: the loss grows, {loss:.4g} after {self.best:.4g}; "
                "a smaller learning rate (--lr) or clipping (--clip-norm 1) helps",
                "divergence",
            )
        self.best = min(self.best, loss) if loss > 0 else self.best
        if record["epoch"] & (record["epoch"] - 1) == 0:  # at 1, 2, 4, 8, …
            for name, dead, units in self._dead(state):
                self._say(
                    f"epoch {record['epoch']}: {dead} of {units} units of {name} are dead, 0 for every "
                    "example; a smaller learning rate or an activation that passes something below 0 helps",
                    name,
                )

    def _say(self, sentence: str, once: str = "") -> None:
        if once not in self.said or not once:
            self.said.add(once)
            self.warn(f"warning: {sentence}")

    def _targets(self) -> list[Any]:
        from symbp.ir.system import Role

        return list(self.system.with_role(Role.TARGET))

    def _classes(self, chance: float) -> str:
        """` (ln 10)` where that is what chance gives."""
        counts = {fact.bound for t in self._targets() for fact in t.facts if fact.bound is not None}
        sizes = {**self.module.SIZES, **self.system.bound}
        known = sorted({sizes[str(count)] for count in counts if str(count) in sizes})
        found = [k for k in known if abs(log(k) - chance) < 1e-6]
        return f" (ln {found[0]})" if found else ""

    def _dead(self, state: Any) -> list[tuple[str, int, int]]:
        """(tensor, how many of its units are dead, of how many), for what a choice can make 0."""
        from symbp.ir.evaluation.vector import run

        trained = (
            self.system.ancestors(self.system.loss) if self.system.loss else ()
        )  # not those at inference
        choices = {
            e.target: axis
            for e in self.system.equations
            if e.target in trained and (axis := _unit_axis(self.system, e)) is not None
        }
        if not choices:
            return []
        sizes = {**self.system.bound, **state.sizes, **_shown(self.system, self.few)}
        given = {**self.few, **state.buffers, **state.params, **_some_draw(self.system, sizes)}
        values = run(self.system, given, sizes, wanted=choices)
        found = []
        for name, axis in choices.items():
            others = tuple(k for k in range(values[name].ndim) if k != axis)
            alive, units = int((values[name] != 0).any(axis=others).sum()), values[name].shape[axis]
            if alive < units:
                found.append((name, units - alive, units))
        return found


def _is_binary(tensor: Any) -> bool:
    return any(fact.kind == "binary" for fact in tensor.facts)


def _shown(system: System, data: Data) -> dict[str, int]:
    """The sizes along the axes of the data."""
    from symbp.ir.expr import Size

    return {
        extent.name: int(length)
        for name, array in data.items()
        for extent, length in zip(system.tensor(name).shape, array.shape, strict=True)
        if isinstance(extent, Size)
    }


def _some_draw(system: System, sizes: Mapping[str, int]) -> Data:
    """Random tensors as a training step might draw them."""
    import numpy as np

    from symbp.ir.expr import Size

    values, rng = {Size(name): value for name, value in sizes.items()}, np.random.default_rng(0)
    found = {}
    for tensor in system.random:
        shape = tuple(int(extent.xreplace(values)) for extent in tensor.shape)
        kind, p = (tensor.draw.kind, tensor.draw.p) if tensor.draw else ("normal", 0.0)
        values_of = {"bernoulli": rng.random(shape) < p, "uniform": rng.random(shape)}
        found[tensor.name] = np.asarray(values_of.get(kind, rng.normal(size=shape)), float)
    return found


def _unit_axis(system: System, equation: Equation) -> int | None:
    """The axis of a rectifier's units, if the equation is one: no reduction, and a factor that is 0 where a
    comparison of reals fails. It is the axis that its offset has, as far as it has one, else the last."""
    from symbp.ir.expr import Guard, accesses
    from symbp.ir.system import Role

    factors = equation.body.args if equation.body.is_Mul else ()
    guards = [f for f in factors if isinstance(f, Guard) and any(not a.is_integer for a in accesses(f))]
    if equation.op is not None or not guards or len(equation.indices) < 2:
        return None
    reads = list(accesses(equation.body))
    for read in accesses(equation.body):
        before = system.defining.get(read.name)
        if before is not None and before.op is None and read.subscripts == equation.indices:
            own = dict(zip(before.indices, equation.indices, strict=True))
            reads += accesses(before.body.xreplace(own))
    shared = [
        axis
        for axis, index in enumerate(equation.indices)
        for read in reads
        if system.tensor(read.name).role is Role.PARAMETER and index in read.subscripts
    ]
    return shared[0] if shared else len(equation.indices) - 1
