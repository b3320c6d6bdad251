"""An optimizer's update, emitted once over the flat arenas.

Enters: an update rule, equations over one generic parameter. Leaves: a function in either target.
Must not know: which optimizers exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from symbp.emit.blocks import Function, note
from symbp.emit.elements import ElementSpelling, ScalarSpelling
from symbp.emit.names import Names
from symbp.emit.parts import Parts
from symbp.emit.spelling import Written
from symbp.errors import LoweringError
from symbp.ir.expr import Access, Expr, Index, free_indices
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


# --- Numba


class _UpdateSpelling(ElementSpelling):
    """Elements of the update: what depends on scalars alone is computed once, in double precision."""

    def __init__(self, update: _NumbaUpdate, number: int, equation: Equation) -> None:
        loops: dict[Index, str] = dict.fromkeys(equation.all_indices, update.loop)
        real = update.real if equation.all_indices else ""
        super().__init__(loops, update.shapes, update.names.tensors, real, f"({PREFIX}{number})")
        self.scalars, self.locals = update.scalars, update.locals
        self.functions = ElementSpelling.functions if equation.all_indices else ScalarSpelling.functions
        self.update, self.equation_number = update, number

    def write(self, e: Expr) -> Written:
        constant = self.loops and e.atoms(Access) and not free_indices(e) and not isinstance(e, Access)
        return Written(self.update.constant(e, self.equation_number)) if constant else super().write(e)


class _NumbaUpdate:
    """The lines of an update: scalars before the loop, then one loop over the parameters."""

    def __init__(self, rule: UpdateRule, names: Names, real: str) -> None:
        self.rule, self.names, self.real, self.loop = rule, names, real, names.free("i")
        self.shapes: Mapping[str, tuple[Expr, ...]] = {t.name: t.shape for t in rule.system.tensors}
        self.scalars = {name for name, shape in self.shapes.items() if not shape}
        self.locals = frozenset(e.target for e in rule.system.equations if e.indices)
        self.constants: dict[Expr, str] = {}
        self.before: list[str] = []
        self.own: frozenset[str] = (
            frozenset()
        )  # numbers of one part, and what is computed of them, for the part's loops
        self.inside: list[str] = []
        self.helpers: set[str] = set()

    def constant(self, e: Expr, number: int) -> str:
        """The name of a subexpression of scalars, computed before the loop."""
        if e not in self.constants:
            name = self.names.free(f"c{len(self.constants) + 1}")
            double = ScalarSpelling({}, self.shapes, self.names.tensors, "", f"({PREFIX}{number})")
            double.scalars = self.scalars
            text = double.write(e).text
            self.helpers |= double.helpers
            reads_own = any(access.name in self.own for access in e.atoms(Access))
            (self.inside if reads_own else self.before).append(
                f"{name} = {f'{self.real}({text})' if self.real else text}{note(number, prefix=PREFIX)}"
            )
            self.constants[e] = name
        return self.constants[e]

    def stores(self) -> list[str]:
        """The lines that end an entry's update."""
        updates = self.rule.system.updates.items()
        return [f"{self.names.tensors[old]}[{self.loop}] = {self.names.tensors[new]}" for old, new in updates]

    def lines(self, number: int, equation: Equation) -> Iterator[str]:
        spelling = _UpdateSpelling(self, number, equation)
        comment = note(number, prefix=PREFIX)
        target = self.names.tensors[equation.target]
        if equation.indices:
            spelling.name_repeated(equation.body)
        text = spelling.write(equation.body).text
        if equation.reduction:
            yield f"{target} = 0.0"
            yield f"for {self.loop} in range(len({self.names.tensors[THETA]})):"
            yield f"    {target} += {text}{comment}"
        else:
            yield from (line + comment for line in spelling.prelude)
            yield f"{target} = {text}{comment}"
        self.helpers |= spelling.helpers


def numba_update(
    rule: UpdateRule, names: Names, real: str, parts: Parts | None = None
) -> tuple[Function, set[str]]:
    """The update as one loop over the arenas, or over each part of them."""
    if parts is not None:
        return _by_parts(rule, names, real, parts)
    numbered = numbered_updates(rule)
    update = _NumbaUpdate(rule, names, real)
    scalars = [line for k, e in numbered if not e.indices for line in update.lines(k, e)]
    inner = [line for k, e in numbered if e.indices for line in update.lines(k, e)]
    inner += update.stores()
    loop = f"for {update.loop} in range(len({names.tensors[THETA]})):"
    body = ("_disjoint()", *scalars, *update.before, loop, *(f"    {line}" for line in inner))
    return Function("_update", arguments(rule), doc(rule), body, ("@kernel",)), update.helpers


def _by_parts(rule: UpdateRule, names: Names, real: str, parts: Parts) -> tuple[Function, set[str]]:
    """For each part its own numbers, then one loop over its entries. A sum over the entries is a loop before:
    it computes again what it needs of each, so that no entry is kept, and none has changed by then."""
    numbered_updates(rule)  # refuses what has no code
    one = rule.of_one()
    update = _NumbaUpdate(one, names, real)
    update.own = rule.own_numbers
    numbered = list(enumerate(one.system.equations, 1))
    entries = [(k, e) for k, e in numbered if e.indices]
    table, first, stop = names.free("parts"), names.free("first"), names.free("stop")
    head = f"for {', '.join([first, stop, *(names.tensors[leaf] for leaf in parts.own)])} in {table}:"
    loop = f"for {update.loop} in range({first}, {stop}):"

    def summed(number: int, equation: Equation) -> list[str]:
        target = names.tensors[equation.target]
        needed = _needed(equation, entries)
        before = [line for k, e in needed for line in update.lines(k, e)]
        *_, last = update.lines(number, equation)
        return [f"{target} = 0.0", loop, *(f"    {line}" for line in (*before, last.strip()))]

    once: list[str] = []
    each: list[str] = []
    for number, equation in numbered:
        if equation.indices:
            continue
        lines = summed(number, equation) if equation.reduction else list(update.lines(number, equation))
        if equation.target in update.own:
            each += [*update.inside, *lines]
            update.inside.clear()
        elif equation.reduction:
            zero, *rest = lines
            once += [zero, head, *(f"    {line}" for line in (*update.inside, *rest))]
            update.inside.clear()
        else:
            once += lines
    inner = [*(line for k, e in entries for line in update.lines(k, e)), *update.stores()]
    each += [*update.inside, loop, *(f"    {line}" for line in inner)]
    made = parts.lines(table)
    body = ("_disjoint()", *made, *once, *update.before, head, *(f"    {line}" for line in each))
    return Function("_update", arguments(rule), doc(rule), body, ("@kernel",)), update.helpers


def _needed(equation: Equation, entries: Sequence[tuple[int, Equation]]) -> list[tuple[int, Equation]]:
    """The equations of an entry that this one rests on."""
    wanted, found = set(equation.read_names), []
    for number, other in reversed(entries):
        if other.target in wanted:
            wanted |= set(other.read_names)
            found.append((number, other))
    return found[::-1]


__all__ = ["arguments", "doc", "hyperparameters", "numba_update", "numbered_updates"]
