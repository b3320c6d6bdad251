"""Closed forms: the adjoint equations of a sweep, rewritten until no trial makes them cheaper.

Enters: the joint system of a sweep. Leaves: a system with the same gradients and fewer, shorter backward
equations; each accepted rewrite is a step with its reason. Must not know: any op, any net.

Rewrites: algebraic forms of a body, normal forms of sums, folding to saved values, the same value named
once, and the substitution of one adjoint into its readers. Rules propose, fingerprints say what is equal,
the cost picks. Every trial looks at one equation and its readers, so the work grows linearly.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

import sympy

from symbp.derive.cost import body_cost, equation_cost
from symbp.derive.derivation import Step
from symbp.derive.fold import Search
from symbp.derive.inverse import inversions
from symbp.derive.rewriter import (
    Position,
    Rewriter,
    Rewritten,
    equations_step,
    rewrite_step,
    scaled_sum,
)
from symbp.derive.stable import inline
from symbp.derive.sums import joined
from symbp.derive.values import Values, searchable
from symbp.errors import DerivationError
from symbp.ir.expr import Access, Expr
from symbp.ir.groups import groups
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, Role, System, Tensor

LAST = 1 << 30
PASSES = 4


def close(joint: System, gradients: Sequence[str], *, seed: int = 7) -> tuple[System, tuple[Step, ...]]:
    """The joint system with its backward equations in closed form, then the buffers' next values, then what
    only inference and metrics need: these no gradient may read. `gradients` keep their names."""
    asked = (joint.updates.values(), joint.inference.values(), joint.metrics)
    late = [joint.resting(wanted) for wanted in asked]
    trained = joint.resting([*joint.outputs, *gradients, *([joint.loss] if joint.loss else [])])
    training = joint.without(frozenset[str]().union(*late) - trained)
    closed, steps = _Closing(training, frozenset(gradients), seed, frozenset(joint.by_name)).run()
    equations = {e.target: e for e in closed.equations}
    for needed in late:
        equations |= {e.target: e for e in joint.equations if e.target in needed - {*equations}}
    tensors = {t.name: t for t in joint.tensors if t.role.is_leaf or t.name in equations}
    tensors |= closed.by_name
    return joint.with_(tensors=tuple(tensors.values()), equations=tuple(equations.values())), steps


class _Closing:
    def __init__(
        self, joint: System, gradients: frozenset[str], seed: int, taken: frozenset[str] = frozenset()
    ) -> None:
        self.joint, self.gradients, self.taken = joint, gradients, taken
        backward = {t.name for t in joint.with_role(Role.ADJOINT, Role.GRADIENT)}
        ordered = [e for group in groups(joint) for e in group.equations]
        self.position: dict[str, Position] = {e.target: (k, LAST) for k, e in enumerate(ordered)}
        self.forward = [e for e in ordered if e.target not in backward]
        self.equations = {e.target: e for e in ordered if e.target in backward}
        self.tensors = {t.name: t for t in joint.tensors}
        self.readers: dict[str, dict[str, None]] = {}
        for equation in self.equations.values():
            self._add_reader(equation)
        self.values = Values(joint, seed)
        for name in searchable(joint):
            if name not in backward:
                self.values.remember(name)
        self.rewriter = Rewriter(
            joint,
            self.tensors,
            inversions(joint, self.forward),
            self._fresh,
            self.equations.get,
            self.position,
        )
        self.steps: list[Step] = []

    def run(self) -> tuple[System, tuple[Step, ...]]:
        for name in self._ordered():
            if name in self.equations:
                self._install(self._rewritten(self.equations[name]))
                self._number_value(name)
        tried: dict[str, tuple[Expr, ...]] = {}
        for _ in range(PASSES):
            changed = [
                self._try_substitution(name, tried)
                or self._try_core(name, tried)
                or self._try_scaled(name)
                or self._try_again(name, tried)
                or self._try_join(name)
                for name in self._ordered()
            ]
            if not any(changed):
                break
        return self._result(), tuple(self.steps)

    def _rewritten(self, equation: Equation, gone: str = "") -> Rewritten:
        """The equation in its best form; nothing is read back from `gone`, which is being eliminated."""
        return self.rewriter.rewritten(equation, self._search(equation, gone))

    # --- the whole
    def _number_value(self, name: str) -> None:
        """A tensor whose value is known under another name, or is constant, is not computed twice."""
        equation = self.equations[name]
        read = Access(name, *equation.indices)
        search = self._search(equation)
        trivial = equation.reduction is None and (
            isinstance(equation.body, Access) or equation.body.is_number
        )
        found = equation.body if trivial else self._known(equation, search)
        if found is None:
            self.values.remember(name)
            return
        if not trivial and body_cost(found, equation.extents) < equation_cost(equation):
            ranges = tuple(equation.extents[i] for i in equation.indices)
            same = equation.with_(body=found, reduction=None, ranges=ranges)
            rests = tuple(sorted({a.name for a in found.atoms(Access)}))
            self.steps.append(
                rewrite_step("the same value", self.rewriter.why(equation.body), equation, read, found, rests)
            )
            self._replace(same)
            if found.is_number:
                self._settle(name)
            equation = same
        if name not in self.gradients:
            if trivial and self._readers(name):
                reason = f"{name} is nothing but its right-hand side, which takes its place."
                self.steps.append(rewrite_step("substitution", reason, equation, read, found, (name,)))
            self._substitute(
                name, [self._rewritten(self._inlined(r, name), name) for r in self._readers(name)]
            )

    def _known(self, equation: Equation, search: Search) -> Expr | None:
        """0, a constant or an earlier tensor with the value of this one."""
        if not self.values.proves(equation):
            return None
        value, scale = self.values.tensor(equation.target), search.scale(equation.body, equation.reduced)
        return self.values.find(value, equation.indices, equation.extents, search.allowed, scale)

    def _try_substitution(self, name: str, tried: dict[str, tuple[Expr, ...]]) -> bool:
        """Substitutes a map into all its readers if together they do not get dearer."""
        equation = self.equations.get(name)
        if equation is None or equation.reduction is not None or name in self.gradients:
            return False
        readers = self._readers(name)
        if not readers or name in readers:
            return False
        state = (equation.body, *[self.equations[r].body for r in readers])
        if tried.get(name) == state:
            return False
        tried[name] = state
        trials = [self._rewritten(self._inlined(reader, name), name) for reader in readers]
        before = equation_cost(equation) + sum(equation_cost(self.equations[r]) for r in readers)
        if sum(trial.cost for trial in trials) > before + 1e-9:
            return False
        self.steps.append(
            Step(
                "substitution",
                f"{name} is used by {', '.join(readers)}; with its definition in place the terms combine.",
                readers[0],
                equation_text(equation),
                "; ".join(equation_text(trial.equation) for trial in trials),
                (name,),
            )
        )
        self._substitute(name, trials)
        return True

    def _substitute(self, name: str, rewritten: Iterable[Rewritten]) -> None:
        trials = list(rewritten)
        for trial in trials:  # all of them, before a value that became constant may eliminate what they read
            self._install(trial)
        for trial in trials:
            self._number_value_again(trial.equation.target)
        if name in self.equations and not self._readers(name):
            self._remove(name)

    def _number_value_again(self, name: str) -> None:
        """After a substitution: only trivial results are propagated at once."""
        equation = self.equations.get(name)
        if equation is not None and equation.reduction is None and equation.body.is_number:
            self._number_value(name)

    def _try_core(self, name: str, tried: dict[str, tuple[Expr, ...]]) -> bool:
        """Replaces a sum by a map over another sum, if the map in place of it makes its readers cheaper:
        `Σ c·g` by `Σ h·g / r` where h = c·r."""
        equation = self.equations.get(name)
        if equation is None or equation.op != "sum" or name in self.gradients:
            return False
        readers = self._readers(name)
        state = (equation.body, *[self.equations[r].body for r in readers])
        if not readers or name in readers or tried.get(name) == state:
            return False
        tried[name] = state
        before = equation_cost(equation) + sum(equation_cost(self.equations[r]) for r in readers)
        for form in self.rewriter.over_one_core(equation, self._search(equation)):
            core = form.cores[0]
            self._announce(core, name)
            trials = [self._rewritten(self._inlined(reader, name, form.equation), name) for reader in readers]
            if equation_cost(core) + sum(trial.cost for trial in trials) < before - 1e-9:
                self._install(form)
                self._substitute(name, trials)
                return True
        return False

    def _try_scaled(self, name: str) -> bool:
        """A sum that only one map reads, to multiply it by a number, becomes that map's own sum."""
        equation = self.equations.get(name)
        if equation is None or equation.op != "sum" or name in self.gradients:
            return False
        readers = self._readers(name)
        scaled = scaled_sum(self.equations[readers[0]], equation) if len(readers) == 1 else None
        if scaled is None:
            return False
        reader = self.equations[readers[0]]
        if equation_cost(scaled) >= equation_cost(equation) + equation_cost(reader):
            return False
        step = equations_step("number inside the sum", reader, scaled)
        self._substitute(name, [Rewritten(scaled, (), (step,))])
        return True

    def _try_again(self, name: str, tried: dict[str, tuple[Expr, ...]]) -> bool:
        """Rewrites a sum once more, now that other values are known."""
        equation = self.equations.get(name)
        if equation is None or equation.op != "sum" or tried.get(f"{name} again") == (equation.body,):
            return False
        tried[f"{name} again"] = (equation.body,)
        trial = self._rewritten(equation)
        if self.rewriter.rank(trial) >= self.rewriter.rank(Rewritten(equation)):
            return False
        self._install(trial)
        return True

    def _try_join(self, name: str) -> bool:
        """Two sums that only this map reads, and adds up, become one sum if that is cheaper."""
        equation = self.equations.get(name)
        if equation is None or equation.reduction is not None:
            return False
        own = [
            self.equations[read]
            for read in equation.read_names
            if read in self.equations and read not in self.gradients and self._readers(read) == [name]
        ]
        sums = [e for e in own if e.op == "sum" and len(e.indices) == len(equation.indices)]
        for first, second in itertools.combinations(sums, 2):
            core = joined(equation, (first, second))
            if core is None:
                continue
            core = core.with_(target=self._fresh(f"{name}_s1"))
            reads = [Access(e.target, *equation.indices) for e in (first, second)]
            rest = equation.body.xreplace({read: sympy.Integer(0) for read in reads})
            changed = equation.with_(body=rest + Access(core.target, *equation.indices))
            before = sum(map(equation_cost, (first, second, equation)))
            if equation_cost(core) + equation_cost(changed) < before - 1e-9:
                step = equations_step("sums joined", equation, changed)
                self._install(Rewritten(changed, (core,), (step,)))
                for gone in (first.target, second.target):
                    self._remove(gone)
                return True
        return False

    def _inlined(self, reader: str, name: str, source: Equation | None = None) -> Equation:
        equation, source = self.equations[reader], source or self.equations[name]
        reads = [a for a in equation.reads if a.name == name]
        return equation.with_(body=equation.body.xreplace({a: inline(source, a) for a in reads}))

    def _install(self, rewritten: Rewritten) -> None:
        """Takes over a rewrite whose value is checked."""
        equation = rewritten.equation
        for core in rewritten.cores:
            self._announce(core, equation.target)
            self.equations[core.target] = core
            self._add_reader(core)
            self.values.remember(core.target)
        if equation != self.equations[equation.target]:
            old = self.values.tensor(equation.target)
            before = self.equations[equation.target]
            scale = self._search(before).scale(before.body, before.reduced)
            if not self.values.equal(self.values.of_equation(equation), old, scale):
                raise DerivationError(
                    f"a rewrite changed the value of {equation.target}; this is a bug in symbp",
                    details=(f"before: {equation_text(before)}",
                             f"after:  {equation_text(equation)}"),
                )  # fmt: skip
            self._replace(equation)
            if equation.reduction is None and equation.body.is_number:
                self._settle(equation.target)
        self.steps += rewritten.steps

    def _announce(self, core: Equation, before: str) -> None:
        """Gives a core sum its place, right before the equation that it is for, and its value."""
        self.tensors[core.target] = Tensor(core.target, core.shape, Role.ADJOINT)
        self.position[core.target] = (self.position[before][0], len(self.position))
        self.values.define(core)

    def _result(self) -> System:
        """What is needed, in order: forward, then backward."""
        joint = self.joint
        needed = self._needed([*joint.outputs, *self.gradients, *([joint.loss] if joint.loss else [])])
        backward = [self.equations[n] for n in self._ordered()]
        equations = [e for e in [*self.forward, *backward] if e.target in needed]
        kept = {e.target for e in equations} | {t.name for t in joint.leaves}
        tensors = tuple(t for t in self.tensors.values() if t.name in kept)
        return self._without_aliases(joint.with_(tensors=tensors, equations=tuple(equations)))

    def _without_aliases(self, system: System) -> System:
        """A gradient that is another name for a backward tensor gives its name to that tensor."""
        for name in sorted(self.gradients):
            alias = system.defining[name]
            held = alias.body if isinstance(alias.body, Access) and alias.reduction is None else None
            if held is None or held.name not in self.equations or held.name in self.gradients:
                continue
            if held.subscripts != alias.indices or held.outside is not None:
                continue
            system = system.with_(
                equations=tuple(e for e in system.equations if e.target != name),
                tensors=tuple(t for t in system.tensors if t.name != name),
            ).renamed({held.name: name})
            role = self.tensors[name].role
            system = system.with_(
                tensors=tuple(replace(t, role=role) if t.name == name else t for t in system.tensors)
            )
        return system

    def _needed(self, wanted: Iterable[str]) -> set[str]:
        defining = {e.target: e for e in self.forward} | self.equations
        stack, needed = list(wanted), set[str]()
        while stack:
            name = stack.pop()
            if name not in needed:
                needed.add(name)
                if name in defining:
                    stack += defining[name].read_names
        return needed

    # --- bookkeeping
    def _ordered(self) -> list[str]:
        return sorted(self.equations, key=lambda n: self.position[n])

    def _search(self, equation: Equation, gone: str = "") -> Search:
        here = self.position[equation.target]
        position, leaf = self.position, (-1, 0)

        def allowed(name: str) -> bool:
            if name == gone:
                return False
            alive = name in self.equations or self.tensors[name].role not in (Role.ADJOINT, Role.GRADIENT)
            return alive and position.get(name, leaf) < here

        return Search(self.values, equation.all_indices, equation.extents, allowed)

    def _readers(self, name: str) -> list[str]:
        return sorted(self.readers.get(name, ()), key=lambda n: self.position[n])

    def _add_reader(self, equation: Equation) -> None:
        for name in equation.read_names:
            self.readers.setdefault(name, {})[equation.target] = None

    def _settle(self, name: str) -> None:
        """Where a value turned out to be constant, its rounding is forgotten in all that depends on it."""
        stale, stack = {name}, [name]
        while stack:
            for reader in self._readers(stack.pop()):
                if reader not in stale:
                    stale.add(reader)
                    stack.append(reader)
        for target in sorted(stale, key=lambda n: self.position[n]):
            self.values.define(self.equations[target])

    def _forget_reader(self, equation: Equation) -> None:
        for name in equation.read_names:
            self.readers.get(name, {}).pop(equation.target, None)

    def _replace(self, equation: Equation) -> None:
        self._forget_reader(self.equations[equation.target])
        self.equations[equation.target] = equation
        self._add_reader(equation)

    def _remove(self, name: str) -> None:
        """Drops an equation that nothing reads any more, and what only it read."""
        equation = self.equations.pop(name)
        self._forget_reader(equation)
        for read in equation.read_names:
            if read in self.equations and read not in self.gradients and not self._readers(read):
                self._remove(read)

    def _fresh(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self.tensors or candidate in self.taken:
            count += 1
            candidate = f"{name}_{count}"
        return candidate
