"""The backward equations while they change: which there are, who reads whom, in which order they run.

Enters: the joint system of a sweep; equations that are put in the place of others. Leaves: the system that
is left. Must not know: rewrites, values, costs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from symbp.ir.expr import Access
from symbp.ir.groups import groups
from symbp.ir.system import Equation, Role, System, Tensor

MOST_RESTING = 16  # tensors that may rest on one for which later values are looked up

Position = tuple[int, Fraction]  # the place of an equation of the sweep, and the order of what came to it


class Backward:
    """`equations` by name, `position` of each, forward ones too; `tensors` of the whole system; names in
    `taken` belong to tensors that are not in it."""

    def __init__(self, joint: System, gradients: frozenset[str], taken: frozenset[str] = frozenset()) -> None:
        self.joint, self.gradients, self.taken = joint, gradients, taken
        self.withdrawn: set[str] = set()
        self.introduced: dict[str, Equation] = {}
        backward = {t.name for t in joint.with_role(Role.ADJOINT, Role.GRADIENT)}
        grouped = groups(joint)
        ordered = [e for group in grouped for e in group.equations]
        self.loops = {e.target for group in grouped if group.loop for e in group.equations}
        self.position: dict[str, Position] = {e.target: (k, Fraction(0)) for k, e in enumerate(ordered)}
        self._within: dict[int, list[Fraction]] = {k: [Fraction(0)] for k in range(len(ordered))}
        self.forward = [e for e in ordered if e.target not in backward]
        self.equations = {e.target: e for e in ordered if e.target in backward}
        self.tensors = {t.name: t for t in joint.tensors}
        self._readers: dict[str, dict[str, None]] = {}
        for equation in self.equations.values():
            self._add_reader(equation)

    # --- who reads whom, in which order
    def ordered(self) -> list[str]:
        """The targets in the order of evaluation."""
        return sorted(self.equations, key=lambda n: self.position[n])

    def readers(self, name: str) -> list[str]:
        """The targets of the equations that read a tensor, in order."""
        return sorted(self._readers.get(name, ()), key=lambda n: self.position[n])

    def private(self, name: str) -> list[Equation]:
        """The equations that only this one reads."""
        equation = self.equations.get(name)
        reads = equation.read_names if equation is not None else ()
        return [
            self.equations[n]
            for n in reads
            if n in self.equations and n not in self.gradients and len(self._readers[n]) == 1
        ]

    def downstream(self, name: str, most: int | None = None) -> list[str] | None:
        """The backward tensors that rest on this one, in order; None if there are more than `most`."""
        found: dict[str, None] = {}
        stack = [name]
        while stack:
            for reader in self.readers(stack.pop()):
                if reader not in found:
                    found[reader] = None
                    stack.append(reader)
            if most is not None and len(found) > most:
                return None
        return sorted(found, key=lambda n: self.position[n])

    def meets(self, name: str, other: str) -> bool:
        """Whether a map that reads a tensor, or what maps make of it, reads another, too."""
        stack, seen = [name], {name}
        while stack:
            for reader in self.readers(stack.pop()):
                equation = self.equations[reader]
                if equation.reduction is None and reader not in seen:
                    if other in equation.read_names:
                        return True
                    seen.add(reader)
                    stack.append(reader)
        return False

    def alive(self, name: str) -> bool:
        """Whether the tensor is still defined."""
        return name in self.equations or self.tensors[name].role not in (Role.ADJOINT, Role.GRADIENT)

    def before(self, name: str, gone: str = "") -> Callable[[str], bool]:
        """Says of tensors whether they are there before this one, and aren't the one that is to go."""
        here, position, leaf = self.position[name], self.position, (-1, Fraction(0))
        return lambda other: other != gone and self.alive(other) and position.get(other, leaf) < here

    def beside(self, name: str) -> Callable[[str], bool]:
        """Says of tensors whether they do not rest on this one: all of them, where few do; else those before
        it."""
        resting = self.downstream(name, MOST_RESTING)
        if resting is None or name in resting:
            return self.before(name)
        return lambda other: other != name and other not in resting and self.alive(other)

    # --- changes
    def fresh(self, name: str) -> str:
        """A name that no tensor has."""
        candidate, count = name, 1
        while any(candidate in names for names in (self.tensors, self.taken, self.withdrawn)):
            count += 1
            candidate = f"{name}_{count}"
        return candidate

    def announce(self, equation: Equation, before: str) -> None:
        """Gives a new tensor its place, right before the equation that it is for."""
        self.tensors[equation.target] = Tensor(equation.target, equation.shape, Role.ADJOINT)
        place, within = self.position[before]
        others = self._within[place]
        at = bisect_left(others, within)
        others.insert(at, (within + others[at - 1]) / 2 if at else within - 1)
        self.position[equation.target] = (place, others[at])

    def withdraw(self, name: str) -> None:
        """Takes back an announced tensor that got no equation."""
        place, within = self.position.pop(name)
        self._within[place].remove(within)
        del self.tensors[name]
        self.withdrawn.add(name)  # values may be remembered under it

    def add(self, equation: Equation) -> None:
        """The equation of an announced tensor."""
        if equation.target not in self.equations and equation.target not in self.joint.defining:
            self.introduced[equation.target] = equation
        self.equations[equation.target] = equation
        self._add_reader(equation)

    def replace(self, equation: Equation) -> None:
        """Another equation for the same tensor."""
        self._forget_reader(self.equations[equation.target])
        self.add(equation)

    def remove(self, name: str) -> None:
        """Drops an equation that nothing reads any more, and what only it read."""
        equation = self.equations.pop(name)
        self._forget_reader(equation)
        for read in equation.read_names:
            if read in self.equations and read not in self.gradients and not self.readers(read):
                self.remove(read)

    def move_behind(self, name: str, reads: Iterable[str]) -> None:
        """Places an equation, and what rests on it, behind all that it is about to read."""
        place = max((self.position[n] for n in reads if n in self.equations), default=(-1, Fraction(0)))
        if self.position[name] > place:
            return
        for moved in (name, *(self.downstream(name) or ())):
            if self.position[moved] <= place:
                others = self._within[place[0]]
                others.append(others[-1] + 1)
                place = self.position[moved] = (place[0], others[-1])

    def _add_reader(self, equation: Equation) -> None:
        for name in equation.read_names:
            self._readers.setdefault(name, {})[equation.target] = None

    def _forget_reader(self, equation: Equation) -> None:
        for name in equation.read_names:
            self._readers.get(name, {}).pop(equation.target, None)

    # --- the outcome
    def ground(self, joint: System) -> System:
        """What every tensor that there ever was means: the equations of the sweep, and of what came to it."""
        tensors = [self.tensors[name] for name in self.introduced]
        return joint.extended(tensors, self.introduced.values())

    def system(self) -> System:
        """What is needed, in order: forward, then backward."""
        joint = self.joint
        needed = self._needed([*joint.outputs, *self.gradients, *([joint.loss] if joint.loss else [])])
        backward = [self.equations[n] for n in self.ordered()]
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

    def _needed(self, wanted: Sequence[str]) -> set[str]:
        defining = {e.target: e for e in self.forward} | self.equations
        stack, needed = list(wanted), set[str]()
        while stack:
            name = stack.pop()
            if name not in needed:
                needed.add(name)
                if name in defining:
                    stack += defining[name].read_names
        return needed
