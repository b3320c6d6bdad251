"""One equation in its best form: algebra of the body, folding to saved values, normal form of a sum.

Enters: an equation and where it may look for values. Leaves: a better equation of the same value, the core
sums that it needs, and a step for each rewrite. Must not know: which equations read it, or the whole system
beyond the facts of its leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import sympy

from symbp.derive.derivation import Step, named, part
from symbp.derive.proof.prove import proof
from symbp.derive.rules import registry
from symbp.derive.rules.algebra import operations
from symbp.derive.rules.brackets import exclusive
from symbp.derive.rules.branches import Branches
from symbp.derive.rules.exponentials import flipped
from symbp.derive.rules.fold import Search, fold
from symbp.derive.rules.forms import best_form
from symbp.derive.rules.inverse import Inversion
from symbp.derive.rules.neighbours import Neighbours
from symbp.derive.rules.rule import Change, names
from symbp.derive.rules.starts import Known
from symbp.derive.rules.sums import Core, Lemma, SumForm, sum_forms
from symbp.derive.search.cancellation import divisors
from symbp.derive.search.cost import equation_cost
from symbp.derive.search.worklist import Position
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices, parts_of
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, Reduction, Role, System, Tensor

MOST_OPERATIONS = 80  # of a body that is shortened: what is longer is seldom meant to be read
CONFIRMED = "equal values at {} random points, conditions free; confirmed at others and in 50 digits"


@dataclass(frozen=True)
class Rewritten:
    """One equation in a better form: itself, core sums that it needs, and the steps that led there."""

    equation: Equation
    cores: tuple[Equation, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def cost(self) -> float:
        return equation_cost(self.equation) + sum(equation_cost(core) for core in self.cores)


Start = tuple[Equation, Search, list[Step]]
"""An equation, where values may be looked for, and the steps that led to it."""


@dataclass(frozen=True)
class Rewriter:
    """Rewrites equations of one joint system; `tensors` gives the facts, `fresh` a name for a core sum,
    `definition` the present equation of a backward tensor, `positions` the order of evaluation, `private` the
    equations that only one reads, `meets` whether a map reads two tensors, one perhaps through other maps."""

    joint: System
    tensors: Mapping[str, Tensor]
    inversions: Mapping[str, Inversion]
    branches: Branches
    neighbours: Neighbours
    scaled: Mapping[str, Equation]
    repeated: Mapping[str, Equation]
    fresh: Callable[[str], str]
    definition: Callable[[str], Equation | None]
    positions: Mapping[str, Position]
    private: Callable[[str], list[Equation]]
    meets: Callable[[str, str], bool]
    claims: dict[Step, tuple[Lemma, Mapping[Index, Expr], int]] = field(default_factory=dict)

    @cached_property
    def known(self) -> Known:
        """What rules may know of other equations."""
        usable = {name: inv for name, inv in self.inversions.items() if name in self.invertible}
        others = (self.branches, self.neighbours, self.scaled, self.repeated, self.definition, self.meets)
        return Known(self.tensors, usable, *others, self.signs)

    @cached_property
    def signs(self) -> Signs:
        """What is proven of the signs of the sweep's tensors."""
        return Signs(self.joint, self.joint.equations)

    @cached_property
    def invertible(self) -> frozenset[str]:
        """The tensors whose inversion divides by nothing that may underflow to 0, though it is positive on
        paper, unless some definition divides by it anyway."""
        divided = frozenset().union(*(divisors(e.body) for e in self.joint.equations))

        def solid(e: Expr) -> bool:
            if isinstance(e, Access):
                made = self.joint.defining.get(e.name)
                known = {base.name for base in divided if isinstance(base, Access)}
                return made is None or e.name in known or (made.reduction is None and solid(made.body))
            return not e.has(sympy.exp) and (e.is_Add or all(solid(a) for a in e.args))

        return frozenset(
            name for name, inv in self.inversions.items() if all(solid(base) for base in divisors(inv.body))
        )

    def rewritten(self, equation: Equation, search: Search, *, again: bool = False) -> Rewritten:
        """The equation in its best form; `again` if other values are known than the first time."""
        if equation.op not in (None, "sum"):
            return Rewritten(equation)
        if operations(equation.body) > MOST_OPERATIONS:
            return Rewritten(equation.with_(body=flipped(equation.body)))
        forms = self._forms(equation, search)
        if again:
            forms += self._over_known_sums(equation, search)
        return min(forms, key=self.rank)

    def _over_known_sums(self, equation: Equation, search: Search) -> list[Rewritten]:
        """A sum that is known once saved values in it are written out, or once part of it is summed."""
        found = []
        if equation.op == "sum":
            written = registry.WRITTEN_OUT.apply(equation.body, self.scaled)
            if written != equation.body:
                step = registry.WRITTEN_OUT.within(equation, equation.body, written)
                start = Rewritten(equation.with_(body=written), (), (step,))
                forms = sum_forms(start.equation, written, self.joint, search, self.signs)
                found = [self._from_form(start, form, search, False) for form in forms if not form.cores]
            found += [
                Rewritten(changed, (), (registry.SUM_OF_SUMS.between(equation, changed),))
                for changed in registry.SUM_OF_SUMS.apply(equation, search)
            ]
        return found

    def rank(self, rewritten: Rewritten) -> tuple[float, tuple[Position, ...]]:
        """What is preferred: less cost, with that of what nothing else reads; then fewer reads of backward
        tensors, then earlier ones. Gradients do not count: they are there anyway."""
        reads = {name for e in (rewritten.equation, *rewritten.cores) for name in e.read_names}
        private = self.private(rewritten.equation.target)
        kept = sum(equation_cost(own) for own in private if own.target in reads)
        passing = {n for n in reads if self.definition(n) and self.tensors[n].role is not Role.GRADIENT}
        places = (self.positions[name] for name in passing)
        return round(rewritten.cost + kept, 6), tuple(sorted(places, reverse=True))

    def over_one_core(self, equation: Equation, search: Search) -> list[Rewritten]:
        """The forms of a sum that are a map over a single core sum, cheap or not."""
        forms = self._forms(equation, search, split=True)
        return [f for f in forms if len(f.cores) == 1 and f.equation.reduction is None]

    def _forms(self, equation: Equation, search: Search, *, split: bool = False) -> list[Rewritten]:
        """The equation from its body and from the body with definitions inverted; of a sum, each as it is
        and in its normal forms."""
        found: list[Rewritten] = []
        for start, where, steps in self._starts(equation, search):
            body = self._improve(start, start.body, where, steps)
            plain = Rewritten(start.with_(body=body), (), tuple(steps))
            found.append(plain)
            if start.reduction is not None:
                forms = sum_forms(start, body, self.joint, where, self.signs)
                found += [self._from_form(plain, form, where, split) for form in forms]
                if not split:
                    found += [self._from_form(plain, f, where, True) for f in forms if _scaled(f)]
                if body != start.body and parts_of(start.body, Guard):  # folding may have swallowed a delta
                    untouched = Rewritten(start)
                    forms = sum_forms(start, start.body, self.joint, where, self.signs)
                    found += [self._from_form(untouched, form, where, split) for form in forms]
        return found

    def _starts(self, equation: Equation, search: Search) -> list[Start]:
        """What the forms of an equation start from: itself, and others of the same value."""
        starts: list[Start] = [(equation, search, [])]
        for rule in registry.BODIES:
            for found in rule.apply(equation, search, self.known):
                if found.body != equation.body:
                    steps = [rule.within(equation, equation.body, found.body, found.rests_on)]
                    steps = steps if found.read is None else self._saved_steps(equation, found.read)
                    starts.append((equation.with_(body=found.body), found.search, steps))
        if equation.op == "sum":
            others = [(rule, e) for rule in registry.SUMS for e in rule.apply(equation, search, self.known)]
            starts += [(e, search.over(e), [rule.between(equation, e)]) for rule, e in others]
        return starts

    def _saved_steps(self, equation: Equation, found: Sequence[tuple[Expr, Expr]]) -> list[Step]:
        steps = []
        for old, new in found:
            if set(names(new)) - set(names(old)):
                about = (named(names(new)),)
                steps.append(registry.SAVED.within(equation, old, new, about=about))
            else:
                steps.append(registry.SAVED.because(self.why(old)).within(equation, old, new))
        return steps

    def _improve(self, equation: Equation, body: Expr, search: Search, steps: list[Step]) -> Expr:
        """The cheapest form in terms of saved values; what cancels in it near 1 is written otherwise. Terms
        that exclude each other, the gates of a cell, are shortened each on its own."""
        terms = exclusive(body)
        if terms is not None:
            improved = {g: self._improve(equation, rest, search, steps) for g, rest in terms.items()}
            return sympy.Add(*[g * rest for g, rest in improved.items()])
        body = self._shortened(equation, body, search, steps)
        kept = registry.COMPLEMENT.apply(body)
        if kept != body:
            steps.append(registry.COMPLEMENT.within(equation, body, kept))
        return kept

    def _shortened(self, equation: Equation, body: Expr, search: Search, steps: list[Step]) -> Expr:
        """The cheapest form, folded to saved values, and once more."""
        for _ in range(2):
            better, rule = best_form(body, equation.extents, self.signs)
            if rule:
                steps.append(registry.BY_NAME[rule].within(equation, body, better))
            before = len(search.found)
            folded = fold(better, search)
            steps += self._saved_steps(equation, search.found[before:])
            if folded == body:
                break
            body = folded
        better, rule = best_form(body, equation.extents, self.signs, last=True)
        if rule:
            steps.append(registry.BY_NAME[rule].within(equation, body, better))
        return better

    def _from_form(self, plain: Rewritten, form: SumForm, search: Search, split: bool) -> Rewritten:
        """The equation written over the core sums of a normal form; a factor without indices stays in the
        sum unless it is to be `split` off."""
        equation = plain.equation
        points = len(search.values.runs)
        steps = [*plain.steps, *(self._lemma_step(equation, lemma, points) for lemma in form.lemmas)]
        single = form.cores[0] if len(form.cores) == 1 and form.settled == 0 else None
        if single is not None and not free_indices(single.outer) and not (split and single.outer != 1):
            return self._single_sum(plain, single, steps)
        cores = [self._core_equation(equation, core, k + 1) for k, core in enumerate(form.cores)]
        body = form.settled
        for core, own in zip(form.cores, cores, strict=True):
            body += core.outer * Access(own.target, *own.indices)
        ranges = tuple(equation.extents[i] for i in equation.indices)
        changed = equation.with_(body=body, reduction=None, ranges=ranges)
        if not cores:
            return Rewritten(
                changed.with_(body=self._improve(changed, body, search, steps)), (), tuple(steps)
            )
        changed = changed.with_(
            body=best_form(body, changed.extents, self.signs)[0]
        )  # the cores have no values yet
        steps.append(registry.OUT_OF_SUM.between(equation, changed))
        return Rewritten(changed, tuple(cores), tuple(steps))

    def _single_sum(self, plain: Rewritten, core: Core, steps: list[Step]) -> Rewritten:
        """One core with a factor that has no index stays one equation."""
        equation = plain.equation
        ranges = tuple(equation.extents[i] for i in (*equation.indices, *core.reduced))
        reduction = Reduction("sum", core.reduced)
        changed = equation.with_(body=core.outer * core.inner, reduction=reduction, ranges=ranges)
        if core.reduced != equation.reduced:
            steps.append(registry.DELTA.between(equation, changed))
        elif len(steps) == len(plain.steps):
            return plain
        return Rewritten(changed, (), tuple(steps))

    def _core_equation(self, equation: Equation, core: Core, number: int) -> Equation:
        free = free_indices(core.inner)
        indices = tuple(i for i in equation.indices if i in free)
        ranges = tuple(equation.extents[i] for i in (*indices, *core.reduced))
        name = self.fresh(f"{equation.target}_s{number}")
        reduction = Reduction("sum", core.reduced)
        return Equation(name, indices, core.inner, reduction, (), ranges, rule="core of a sum")

    def proven(self, step: Step) -> Step:
        """A step that is taken; the value of a sum rests on what proves it, or says that only values do."""
        if step not in self.claims:
            return replace(step, rests_on=tuple(filter(self._has_definition, step.rests_on)))
        lemma, extents, points = self.claims[step]
        rests = proof(
            lemma.inner, lemma.reduced, lemma.value, extents, self.joint, self._defined, self._position
        )
        return replace(step, rests_on=rests or (CONFIRMED.format(points),))

    def _has_definition(self, rest: Equation | str) -> bool:
        """Whether what a step rests on is no leaf: a leaf is what it is."""
        return not isinstance(rest, str) or self._defined(rest) is not None

    def _shape(self, name: str) -> tuple[Expr, ...]:
        return self.tensors[name].shape

    def _defined(self, name: str) -> Equation | None:
        """The definition of a tensor as it stands, forward or backward; None for leaves."""
        return self.definition(name) or self.joint.defining.get(name)

    def _position(self, name: str) -> Position:
        return self.positions.get(name, (-1, Fraction(-1)))

    def _lemma_step(self, equation: Equation, lemma: Lemma, points: int) -> Step:
        before, after = part(lemma.inner, equation, lemma.reduced), part(lemma.value, equation)
        change = Change(equation.target, (before,), (after,), about=(self.why(lemma.inner),))
        step = registry.SUM_VALUE.told(change)
        self.claims[step] = (lemma, equation.extents, points)
        return step

    def why(self, e: Expr) -> str:
        """The facts of the tensors that an expression reads, as a reason."""
        facts = [
            f"{{{name}}} {fact}" if fact.startswith("sums") else f"{{{name}}} is {fact}"
            for name in names(e)
            for fact in sorted(map(str, self.tensors[name].facts))
        ]
        return f"Because {' and '.join(facts)}." if facts else "By the definitions of what is summed."


def _scaled(form: SumForm) -> bool:
    """Whether a normal form is one sum times a number."""
    return len(form.cores) == 1 and form.settled == 0 and form.cores[0].outer.is_number
