"""Closed forms: the adjoint equations of a sweep, rewritten until no trial makes them cheaper.

Enters: the joint system of a sweep. Leaves: a system with the same gradients and fewer, shorter backward
equations; each accepted rewrite is a step with its reason. Must not know: any op, any net.

Rewrites: algebraic forms of a body, normal forms of sums, folding to saved values, the same value named
once, and the substitution of one adjoint into its readers. Rules propose, fingerprints say what is equal,
the cost picks. Every trial looks at one equation and its readers, so the work grows linearly.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import sympy

from symbp.derive.derivation import Step, named
from symbp.derive.proof.fingerprints import Key, Values, searchable
from symbp.derive.rules import registry
from symbp.derive.rules.brackets import exclusive
from symbp.derive.rules.branches import branches
from symbp.derive.rules.fold import Search, fold
from symbp.derive.rules.inverse import inversions, repetitions, scalings, written_out
from symbp.derive.rules.neighbours import neighbours
from symbp.derive.rules.rule import Change
from symbp.derive.rules.share import Occurrence, Shared, occurrences
from symbp.derive.search.acceptance import Acceptance
from symbp.derive.search.cost import body_cost, equation_cost
from symbp.derive.search.rewriter import Rewriter, Rewritten
from symbp.derive.search.worklist import Backward
from symbp.derive.sweep.ranges import within_ranges
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, Expr, parts_of, rename
from symbp.ir.system import Equation, System

PASSES = 4


@dataclass(frozen=True)
class Closed:
    """A joint system in closed form, the steps to it, the tensors of which a rewrite was taken back since its
    value could not be confirmed, and the system in which all that steps mention has its meaning."""

    system: System
    steps: tuple[Step, ...]
    doubtful: tuple[str, ...] = ()
    ground: System | None = None


def close(
    joint: System, gradients: Sequence[str], *, seed: int = 7, beside: Sequence[Run] = (), plain: bool = False
) -> Closed:
    """The joint system with its backward equations in closed form, then the buffers' next values, then what
    only inference and metrics need: these no gradient may read. `gradients` keep their names.

    `beside` are points at which the values of a rewrite must agree, too; `plain` leaves the equations as the
    chain rule gives them."""
    asked = (joint.updates.values(), joint.inference.values(), joint.metrics)
    late = [joint.resting(wanted) for wanted in asked]
    trained = joint.resting([*joint.outputs, *gradients, *([joint.loss] if joint.loss else [])])
    apart = frozenset[str]().union(*late) - trained
    others = [e.target for e in joint.equations if e.target not in trained | apart]
    training = joint.without(apart | {name for name in others if joint.resting([name]) & apart})
    taken = frozenset(joint.by_name)
    if plain:
        found = Closed(Backward(training, frozenset(gradients), taken).system(), (), ground=joint)
    else:
        closing = _Closing(training, frozenset(gradients), seed, taken, beside)
        found = replace(closing.run(), ground=closing.backward.ground(joint))
    closed = found.system
    equations = {e.target: e for e in closed.equations}
    for needed in late:
        equations |= {e.target: e for e in joint.equations if e.target in needed - {*equations}}
    tensors = {t.name: t for t in joint.tensors if t.role.is_leaf or t.name in equations}
    tensors |= closed.by_name
    whole = joint.with_(tensors=tuple(tensors.values()), equations=tuple(equations.values()))
    return replace(found, system=whole)


class _Closing:
    def __init__(
        self,
        joint: System,
        gradients: frozenset[str],
        seed: int,
        taken: frozenset[str] = frozenset(),
        beside: Sequence[Run] = (),
    ) -> None:
        self.gradients = gradients
        self.backward = Backward(joint, gradients, taken)
        self.equations = self.backward.equations
        self.values = Values(joint, seed, beside)
        for name in searchable(joint):
            if name not in self.equations:
                self.values.remember(name)
        self.rewriter = Rewriter(
            joint,
            self.backward.tensors,
            inversions(joint, self.backward.forward),
            branches(joint, self.backward.forward),
            neighbours(self.backward.forward),
            scalings(self.backward.forward),
            repetitions(self.backward.forward),
            self.backward.fresh,
            self.equations.get,
            self.backward.position,
            self.backward.private,
            self.backward.meets,
        )
        self.accept = Acceptance(self.backward, self.values, self.rewriter.proven)

    def run(self) -> Closed:
        for name in self.backward.ordered():
            if name in self.equations:
                self.accept.attempt(name, self._best_form)
        tried: dict[str, tuple[Expr, ...]] = {}
        self._try_all(tried)
        if self._share():
            self._try_all(tried)
        return Closed(self.backward.system(), tuple(self.accept.steps), tuple(self.accept.doubtful))

    def _best_form(self, name: str) -> bool:
        self.accept.install(self._rewritten(self.equations[name]))
        self._number_value(name)
        return True

    def _try_all(self, tried: dict[str, tuple[Expr, ...]]) -> None:
        for _ in range(PASSES):
            changed = [
                self.accept.attempt(name, lambda n: self._try(n, tried)) for name in self.backward.ordered()
            ]
            if not any(changed):
                break

    def _try(self, name: str, tried: dict[str, tuple[Expr, ...]]) -> bool:
        return (
            self._try_substitution(name, tried)
            or self._try_core(name, tried)
            or self._try_scaled(name)
            or self._try_again(name, tried)
            or self._try_join(name)
        )

    def _share(self) -> bool:
        """Names what several equations compute alike, the largest saving first."""
        shared = False
        found: dict[Key, dict[tuple[str, Expr, Expr], Occurrence]] = {}
        for name in self.backward.ordered():
            self._find_parts(found, name)
        while True:
            places = {key: list(o.values()) for key, o in found.items() if len(o) > 1}
            name = self.backward.fresh("shared")
            best = registry.SHARED.apply(places, self.values, name)
            if best is None:
                return shared
            key, chosen = best
            del found[key]
            if not self.accept.attempt(chosen.readers[0].target, partial(self._install_shared, chosen)):
                continue
            shared = True
            for reader in chosen.readers:
                for others in found.values():
                    for place in [p for p in others if p[0] == reader.target]:
                        del others[place]
                self._find_parts(found, reader.target)

    def _find_parts(self, found: dict[Key, dict[tuple[str, Expr, Expr], Occurrence]], name: str) -> None:
        if name in self.backward.loops:
            return
        equation = self.equations[name]
        for key, place in occurrences(equation, self.values):
            found.setdefault(key, {})[name, place.part, place.node] = place
        written = written_out(equation.body, self.rewriter.scaled)
        if written != equation.body:
            gone = {a.name for a in parts_of(equation.body, Access)} - {
                a.name for a in parts_of(written, Access)
            }
            other = equation.with_(body=fold(written, self.accept.search(equation).without(gone)))
            for key, place in occurrences(other, self.values, equation_cost(equation)):
                found.setdefault(key, {}).setdefault((name, place.part, place.node), place)

    def _install_shared(self, shared: Shared, _: str) -> bool:
        """Whether the part got its name."""
        readers = sorted(shared.readers, key=lambda e: self.backward.position[e.target])
        name = self.backward.fresh(f"{readers[0].target}_t1")
        renamed = {shared.definition.target: name}
        definition = shared.definition.with_(target=name)
        trials: list[Rewritten] = []
        for reader in readers:
            changed = reader.with_(body=rename(reader.body, renamed))
            step = registry.SHARED.between(self.equations[reader.target], changed)
            trials.append(Rewritten(changed, (definition,) if not trials else (), (step,)))
        return self.accept.install(*trials)

    def _rewritten(self, equation: Equation, gone: str = "") -> Rewritten:
        """The equation in its best form; nothing is read back from `gone`, which is being eliminated."""
        return self.rewriter.rewritten(equation, self.accept.search(equation, gone))

    # --- the whole
    def _number_value(self, name: str) -> None:
        """A tensor whose value is known under another name, or is constant, is not computed twice."""
        equation = self.equations[name]
        read = Access(name, *equation.indices)
        search = self.accept.search(equation)
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
            new = {a.name for a in parts_of(found, Access)} - {*equation.read_names}
            rests = (name, *sorted(n for n in new if n in self.backward.position))
            why = (self.rewriter.why(equation.body),)
            self.accept.steps.append(registry.SAME_VALUE.within(equation, read, found, rests, why))
            self.backward.replace(same)
            if found.is_number:
                self.accept.settle(name)
            equation = same
        if name not in self.gradients:
            if trivial and self.backward.readers(name):
                self.accept.steps.append(registry.ALIAS.within(equation, read, found, (name,)))
            self._substitute(
                name, [self._rewritten(self._inlined(r, name), name) for r in self.backward.readers(name)]
            )

    def _known(self, equation: Equation, search: Search) -> Expr | None:
        """0, a constant or an earlier tensor with the value of this one."""
        if not self.values.proves(equation):
            return None
        found = self.values.find(
            self.values.tensor(equation.target),
            equation.indices,
            equation.extents,
            search.allowed,
            lambda: search.scale(equation.body, equation.reduced),
        )
        return found if found is not None and self.values.witnessed(equation, found) else None

    def _try_substitution(self, name: str, tried: dict[str, tuple[Expr, ...]]) -> bool:
        """Substitutes a map into all its readers if together they do not get dearer."""
        equation = self.equations.get(name)
        if equation is None or equation.reduction is not None or name in self.gradients:
            return False
        readers = self.backward.readers(name)
        if not readers or name in readers:
            return False
        if len(readers) > 1 and exclusive(equation.body) is not None:
            return False  # parts of one axis, a cell's gates, that are put together once for all readers
        state = (equation.body, *[self.equations[r].body for r in readers])
        if tried.get(name) == state:
            return False
        tried[name] = state
        inlined = tuple(self._inlined(reader, name) for reader in readers)
        left = equation_cost(equation) + sum(equation_cost(self.equations[r]) for r in readers) + 1e-9
        trials: list[Rewritten] = []
        for reader in inlined:
            trials.append(self._rewritten(reader, name))
            left -= trials[-1].cost
            if left < 0:  # the others can but add to it
                return False
        about = (f"{{{name}}}", named(readers))
        step = registry.SUBSTITUTION.told(Change(readers[0], (equation,), inlined, (name,), about))
        place = len(self.accept.steps)
        if not self._substitute(name, trials):
            return False
        self.accept.steps.insert(place, step)
        return True

    def _substitute(self, name: str, trials: Sequence[Rewritten]) -> bool:
        """Puts readers in the place of others that don't read `name`, which goes when nothing does; whether
        they were taken."""
        if not self.accept.install(*trials):
            return False
        for trial in trials:
            self._number_value_again(trial.equation.target)
        if name in self.equations and not self.backward.readers(name):
            self.backward.remove(name)
        return True

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
        readers = self.backward.readers(name)
        state = (equation.body, *[self.equations[r].body for r in readers])
        if not readers or name in readers or tried.get(name) == state:
            return False
        tried[name] = state
        before = equation_cost(equation) + sum(equation_cost(self.equations[r]) for r in readers)
        for form in self.rewriter.over_one_core(equation, self.accept.search(equation)):
            core = form.cores[0]
            self.accept.announce(core, name)  # its readers are rewritten in terms of it
            trials = [self._rewritten(self._inlined(reader, name, form.equation), name) for reader in readers]
            cheaper = equation_cost(core) + sum(trial.cost for trial in trials) < before - 1e-9
            if cheaper and self.accept.install(form):
                return self._substitute(name, trials)
            self.accept.forget(core)
        return False

    def _try_scaled(self, name: str) -> bool:
        """A sum that only one map reads, to multiply it by a number, becomes that map's own sum."""
        equation = self.equations.get(name)
        if equation is None or equation.op != "sum" or name in self.gradients:
            return False
        readers = self.backward.readers(name)
        if len(readers) != 1:
            return False
        reader = self.equations[readers[0]]
        scaled = registry.NUMBER_INSIDE.apply(reader, equation)
        if scaled is None:
            return False
        if equation_cost(scaled) >= equation_cost(equation) + equation_cost(reader):
            return False
        step = registry.NUMBER_INSIDE.between(reader, scaled)
        return self._substitute(name, [Rewritten(scaled, (), (step,))])

    def _try_again(self, name: str, tried: dict[str, tuple[Expr, ...]]) -> bool:
        """Rewrites a sum once more, now that other values are known: all that do not rest on it."""
        equation = self.equations.get(name)
        if equation is None or equation.op != "sum":
            return False
        state = (equation.body, sympy.Integer(len(self.backward.tensors)))  # what there is to be found
        if tried.get(f"{name} again") == state:
            return False
        tried[f"{name} again"] = state
        search = replace(self.accept.search(equation), allowed=self.backward.beside(name))
        trial = self.rewriter.rewritten(equation, search, again=True)
        if self.rewriter.rank(trial) >= self.rewriter.rank(Rewritten(equation)):
            return False
        if not self.accept.agrees(trial):
            return self.accept.install(trial)  # takes back what was announced
        self.backward.move_behind(name, [n for e in (trial.equation, *trial.cores) for n in e.read_names])
        return self.accept.install(trial)

    def _try_join(self, name: str) -> bool:
        """Two sums that only this map reads, and adds up, become one sum if that is cheaper."""
        equation = self.equations.get(name)
        if equation is None or equation.reduction is not None:
            return False
        own = [
            self.equations[read]
            for read in equation.read_names
            if read in self.equations and read not in self.gradients and self.backward.readers(read) == [name]
        ]
        sums = [e for e in own if e.op == "sum" and len(e.indices) == len(equation.indices)]
        for first, second in itertools.combinations(sums, 2):
            core = registry.SUMS_JOINED.apply(equation, (first, second))
            if core is None:
                continue
            core = core.with_(target=self.backward.fresh(f"{name}_s1"))
            reads = [Access(e.target, *equation.indices) for e in (first, second)]
            rest = equation.body.xreplace({read: sympy.Integer(0) for read in reads})
            changed = equation.with_(body=rest + Access(core.target, *equation.indices))
            before = sum(map(equation_cost, (first, second, equation)))
            if equation_cost(core) + equation_cost(changed) < before - 1e-9:
                step = registry.SUMS_JOINED.between(equation, changed)
                if self.accept.install(Rewritten(changed, (core,), (step,))):
                    for gone in (first.target, second.target):
                        self.backward.remove(gone)
                    return True
        return False

    def _inlined(self, reader: str, name: str, source: Equation | None = None) -> Equation:
        equation, source = self.equations[reader], source or self.equations[name]
        reads = [a for a in equation.reads if a.name == name]
        body = equation.body.xreplace({a: registry.SUBSTITUTION.apply(source, a) for a in reads})
        shapes = self.backward.tensors
        return equation.with_(body=within_ranges(body, lambda n: shapes[n].shape, equation.extents))
