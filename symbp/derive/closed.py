"""Closed forms: the adjoint equations of a sweep, rewritten until no trial makes them cheaper.

Enters: the joint system of a sweep. Leaves: a system with the same gradients and fewer, shorter backward
equations; each accepted rewrite is a step with its reason. Must not know: any op, any net.

Rewrites: algebraic forms of a body, normal forms of sums, folding to saved values, the same value named
once, and the substitution of one adjoint into its readers. Rules propose, fingerprints say what is equal,
the cost picks. Every trial looks at one equation and its readers, so the work grows linearly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbp.derive.cost import body_cost, equation_cost
from symbp.derive.derivation import Step
from symbp.derive.fold import Search, fold
from symbp.derive.forms import best_form
from symbp.derive.stable import inline
from symbp.derive.sums import SumForm, sum_forms
from symbp.derive.values import Values, searchable
from symbp.errors import DerivationError
from symbp.ir.expr import Access, Expr, free_indices
from symbp.ir.groups import groups
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Reduction, Role, System, Tensor

Position = tuple[int, int]
LAST = 1 << 30
PASSES = 4


def close(joint: System, gradients: Sequence[str], *, seed: int = 7) -> tuple[System, tuple[Step, ...]]:
    """The joint system with its backward equations in closed form. `gradients` keep their names."""
    return _Closing(joint, frozenset(gradients), seed).run()


@dataclass(frozen=True)
class _Rewritten:
    """One equation in a better form: itself, core sums that it needs, and the steps that led there."""

    equation: Equation
    cores: tuple[Equation, ...]
    steps: tuple[Step, ...]

    @property
    def cost(self) -> float:
        return equation_cost(self.equation) + sum(equation_cost(core) for core in self.cores)


class _Closing:
    def __init__(self, joint: System, gradients: frozenset[str], seed: int) -> None:
        self.joint, self.gradients = joint, gradients
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
        self.steps: list[Step] = []

    def run(self) -> tuple[System, tuple[Step, ...]]:
        for name in self._ordered():
            if name in self.equations:
                self._install(self._rewritten(self.equations[name]))
                self._number_value(name)
        tried: dict[str, tuple[Expr, ...]] = {}
        for _ in range(PASSES):
            changed = [self._try_substitution(name, tried) for name in self._ordered()]
            if not any(changed):
                break
        return self._result(), tuple(self.steps)

    # --- one equation
    def _rewritten(self, equation: Equation, gone: str = "") -> _Rewritten:
        """The equation in its best form; nothing is read back from `gone`, which is being eliminated."""
        search = self._search(equation, gone)
        if equation.op == "sum":
            return self._rewritten_sum(equation, search)
        if equation.reduction is not None:
            return _Rewritten(equation, (), ())
        steps: list[Step] = []
        body = self._improve(equation, equation.body, search, steps)
        return _Rewritten(equation.with_(body=body), (), tuple(steps))

    def _improve(self, equation: Equation, body: Expr, search: Search, steps: list[Step]) -> Expr:
        """The cheapest form, folded to saved values, and once more."""
        for _ in range(2):
            better, rule = best_form(body, equation.extents)
            if rule:
                steps.append(self._step(rule, _REASONS.get(rule, ""), equation, body, better))
            before = len(search.found)
            folded = fold(better, search)
            for old, new in search.found[before:]:
                rests = tuple(sorted({a.name for a in new.atoms(Access)}))
                steps.append(self._step("saved value", _saved_reason(new), equation, old, new, rests))
            if folded == body:
                break
            body = folded
        return body

    def _rewritten_sum(self, equation: Equation, search: Search) -> _Rewritten:
        steps: list[Step] = []
        body = self._improve(equation, equation.body, search, steps)
        plain = _Rewritten(equation.with_(body=body), (), tuple(steps))
        best = plain
        for form in sum_forms(equation, body, self.joint, search):
            candidate = self._from_form(plain, form, search)
            if candidate.cost < best.cost - 1e-9:
                best = candidate
        return best

    def _from_form(self, plain: _Rewritten, form: SumForm, search: Search) -> _Rewritten:
        """The equation written over the core sums of a normal form."""
        equation = plain.equation
        steps = list(plain.steps)
        for lemma in form.lemmas:
            summed = ",".join(i.name for i in lemma.reduced)
            before = f"Σ_{summed} {expression_text(lemma.inner, equation.all_indices)}"
            after = expression_text(lemma.value, equation.indices)
            rests = tuple(sorted({a.name for a in (*lemma.inner.atoms(Access), *lemma.value.atoms(Access))}))
            steps.append(
                Step("value of a sum", self._why(lemma.inner), equation.target, before, after, rests)
            )
        if len(form.cores) == 1 and form.settled == 0 and not free_indices(form.cores[0].outer):
            core = form.cores[0]
            if core.reduced == equation.reduced:
                return plain if not form.lemmas else _Rewritten(plain.equation, (), tuple(steps))
            ranges = tuple(equation.extents[i] for i in (*equation.indices, *core.reduced))
            changed = equation.with_(
                body=core.outer * core.inner, reduction=Reduction("sum", core.reduced), ranges=ranges
            )
            steps.append(self._equations_step("delta eliminated", _DELTA, equation, changed))
            return _Rewritten(changed, (), tuple(steps))
        body, cores = form.settled, []
        for number, core in enumerate(form.cores):
            free = free_indices(core.inner)
            indices = tuple(i for i in equation.indices if i in free)
            name = self._fresh(f"{equation.target}_s{number + 1}")
            ranges = tuple(equation.extents[i] for i in (*indices, *core.reduced))
            reduction = Reduction("sum", core.reduced)
            cores.append(Equation(name, indices, core.inner, reduction, (), ranges, rule="core of a sum"))
            body += core.outer * Access(name, *indices)
        changed = equation.with_(
            body=body, reduction=None, ranges=tuple(equation.extents[i] for i in equation.indices)
        )
        if cores:  # whose values are not known yet
            improved = best_form(body, changed.extents)[0]
        else:
            improved = self._improve(changed, body, search, steps)
        changed = changed.with_(body=improved)
        if cores:
            steps.append(self._equations_step("common factor of a sum", _FACTOR, equation, changed))
        return _Rewritten(changed, tuple(cores), tuple(steps))

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
                self._step("the same value", self._why(equation.body), equation, read, found, rests)
            )
            self._replace(same)
            if found.is_number:
                self._settle(name)
            equation = same
        if name not in self.gradients:
            self._substitute(
                name, [self._rewritten(self._inlined(r, name), name) for r in self._readers(name)]
            )

    def _known(self, equation: Equation, search: Search) -> Expr | None:
        """0, a constant or an earlier tensor with the value of this one."""
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

    def _substitute(self, name: str, rewritten: Iterable[_Rewritten]) -> None:
        for trial in rewritten:
            self._install(trial)
            self._number_value_again(trial.equation.target)
        if not self._readers(name):
            self._remove(name)

    def _number_value_again(self, name: str) -> None:
        """After a substitution: only trivial results are propagated at once."""
        equation = self.equations.get(name)
        if equation is not None and equation.reduction is None and equation.body.is_number:
            self._number_value(name)

    def _inlined(self, reader: str, name: str) -> Equation:
        equation, source = self.equations[reader], self.equations[name]
        reads = [a for a in equation.reads if a.name == name]
        return equation.with_(body=equation.body.xreplace({a: inline(source, a) for a in reads}))

    def _install(self, rewritten: _Rewritten) -> None:
        """Takes over a rewrite whose value is checked."""
        equation = rewritten.equation
        for number, core in enumerate(rewritten.cores):
            self.tensors[core.target] = Tensor(core.target, core.shape, Role.ADJOINT)
            major, _ = self.position[equation.target]
            taken = sum(1 for p in self.position.values() if p[0] == major)
            self.position[core.target] = (major, taken + number)
            self.values.define(core)
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

    def _result(self) -> System:
        live = self._live()
        backward = sorted(self.equations, key=lambda n: self.position[n])
        equations = [e for e in self.forward if e.target in live]
        equations += [self.equations[n] for n in backward if n in live]
        kept = {e.target for e in equations} | {t.name for t in self.joint.leaves}
        tensors = tuple(t for t in self.tensors.values() if t.name in kept)
        return self.joint.with_(tensors=tensors, equations=tuple(equations))

    def _live(self) -> set[str]:
        """What the loss, outputs, metrics, updates and gradients need."""
        joint = self.joint
        stack = [*joint.outputs, *joint.metrics, *joint.updates.values(), *self.gradients]
        stack += [joint.loss] if joint.loss else []
        defining = {e.target: e for e in self.forward} | self.equations
        live: set[str] = set()
        while stack:
            name = stack.pop()
            if name not in live:
                live.add(name)
                if name in defining:
                    stack += defining[name].read_names
        return live

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
        while candidate in self.tensors:
            count += 1
            candidate = f"{name}_{count}"
        return candidate

    # --- words
    def _step(
        self,
        rule: str,
        reason: str,
        equation: Equation,
        before: Expr,
        after: Expr,
        rests: tuple[str, ...] = (),
    ) -> Step:
        order = equation.all_indices
        return Step(
            rule,
            reason,
            equation.target,
            expression_text(before, order),
            expression_text(after, order),
            rests,
        )

    def _equations_step(self, rule: str, reason: str, before: Equation, after: Equation) -> Step:
        return Step(rule, reason, before.target, equation_text(before), equation_text(after))

    def _why(self, e: Expr) -> str:
        facts = [
            f"{name} {fact}"
            for name in sorted({a.name for a in e.atoms(Access)})
            for fact in sorted(map(str, self.tensors[name].facts))
        ]
        return f"Because {' and '.join(facts)}." if facts else "By the definitions of what is summed."


_DELTA = "The bracket leaves one element of the sum."
_FACTOR = "What does not depend on the summed index leaves the sum."
_REASONS = {
    "logistic function": "σ = 1/(1 + exp(-u)) gives exp(u) = σ/(1 - σ): nothing overflows.",
    "expand": "The products are multiplied out, and terms cancel.",
    "common factor": "A factor common to all terms is taken out.",
    "substitute under the bracket": "Where [k = y] is 1, k may be replaced by y.",
    "cancel": "Common factors of numerator and denominator cancel.",
    "factor": "The polynomial factors.",
}


def _saved_reason(found: Expr) -> str:
    names = sorted({a.name for a in found.atoms(Access)})
    return f"This value is already known as {', '.join(names)}." if names else "This value is constant."
