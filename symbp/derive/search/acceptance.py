"""Which rewrites are taken: all of a trial or none, each with the value of the equation that it replaces.

Enters: trials, the backward equations as they stand. Leaves: the equations with what was taken in place, a
step for each rewrite, and a doubt for each that was taken back. Must not know: which rule made a trial, or
why."""

from __future__ import annotations

from collections.abc import Callable

from symbp.derive.derivation import Step
from symbp.derive.proof.fingerprints import Values
from symbp.derive.rules.fold import Search
from symbp.derive.search.rewriter import Rewritten
from symbp.derive.search.worklist import Backward
from symbp.ir.system import Equation


class Acceptance:
    """`proven` completes a step that is taken by what it rests on; `steps` and `doubtful` (the targets of
    what was taken back) fill as trials come."""

    def __init__(self, backward: Backward, values: Values, proven: Callable[[Step], Step]) -> None:
        self.backward, self.values, self.proven = backward, values, proven
        self.equations = backward.equations
        self.steps: list[Step] = []
        self.doubtful: dict[str, None] = {}

    def attempt(self, name: str, trial: Callable[[str], bool]) -> bool:
        """What a trial says; one that can't be carried through changes nothing but leaves a doubt."""
        try:
            return trial(name)
        except Exception:  # whatever the algebra stumbles over, the equation as it stands is right
            self.doubtful[name] = None
            return False

    def install(self, *trials: Rewritten) -> bool:
        """Takes over rewrites, all of them or none: each must have the value of the equation as it stands."""
        if not all(self.agrees(trial) for trial in trials):
            for core in (core for trial in trials for core in trial.cores):
                self.forget(core)
            return False
        for trial in trials:
            equation = trial.equation
            for core in trial.cores:
                if core.target not in self.backward.position:
                    self.announce(core, equation.target)
                self.backward.add(core)
                self.values.remember(core.target)
            if equation != self.equations[equation.target]:
                self.backward.replace(equation)
                if equation.reduction is None and equation.body.is_number:
                    self.settle(equation.target)
            self.steps += map(self.proven, trial.steps)
        return True

    def agrees(self, trial: Rewritten) -> bool:
        """Whether a rewrite has the value of the equation that it is to replace; another value leaves a
        doubt, one that is missing somewhere (x²/x at 0), or has other last digits, does not."""
        before = self.equations[trial.equation.target]
        if trial.equation == before:
            return True
        for core in trial.cores:
            if core.target not in self.backward.position:
                self.announce(core, before.target)
        scale = self.search(before).scale(before.body, before.reduced)
        if self.values.same(trial.equation, scale):
            return True
        if not self.values.undecided(trial.equation):
            self.doubtful[before.target] = None
        return False

    def announce(self, core: Equation, before: str) -> None:
        """Gives a core sum its place and its value."""
        self.backward.announce(core, before)
        self.values.define(core)

    def forget(self, core: Equation) -> None:
        """Takes back what was announced and not used."""
        if core.target not in self.equations and core.target in self.backward.position:
            self.backward.withdraw(core.target)

    def search(self, equation: Equation, gone: str = "") -> Search:
        """A search among what is there before the equation."""
        allowed = self.backward.before(equation.target, gone)
        return Search(self.values, equation.all_indices, equation.extents, allowed)

    def settle(self, name: str) -> None:
        """Where a value turned out to be constant, its rounding is forgotten in all that depends on it."""
        for target in (name, *(self.backward.downstream(name) or ())):
            self.values.define(self.equations[target])
