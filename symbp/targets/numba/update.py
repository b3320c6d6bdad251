"""An optimizer's update in Numba: one loop over the flat arenas, or one over each part of them.

Enters: an update rule, equations over one generic parameter. Leaves: a function, the helpers that it calls.
Must not know: which optimizers exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symbp.codegen import infer
from symbp.codegen.function import Function
from symbp.codegen.spelling.elements import ElementSpelling, ScalarSpelling
from symbp.codegen.spelling.written import Written
from symbp.codegen.tree import Assign, Effect, Expression, For, Name, Statement
from symbp.ir.expr import Access, Expr, Index, free_indices
from symbp.ir.system import Equation
from symbp.ir.training import THETA, UpdateRule
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.parts import Parts
from symbp.targets.compiled.update import PREFIX, arguments, doc, numbered_updates


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
        if not constant:
            return super().write(e)
        return Written(self.update.constant(e, self.equation_number))


class _NumbaUpdate:
    """The code of an update: scalars before the loop, then one loop over the parameters."""

    def __init__(self, rule: UpdateRule, names: Names, real: str) -> None:
        self.rule, self.names, self.real, self.loop = rule, names, real, names.free("i")
        self.shapes: Mapping[str, tuple[Expr, ...]] = {t.name: t.shape for t in rule.system.tensors}
        self.scalars = {name for name, shape in self.shapes.items() if not shape}
        self.locals = frozenset(e.target for e in rule.system.equations if e.indices)
        self.constants: dict[Expr, Name] = {}
        self.before: list[Assign] = []
        self.own: frozenset[str] = (
            frozenset()
        )  # numbers of one part, and what is computed of them, for the part's loops
        self.inside: list[Assign] = []
        self.helpers: set[str] = set()

    def constant(self, e: Expr, number: int) -> Name:
        """The name of a subexpression of scalars, computed before the loop."""
        if e not in self.constants:
            name = infer.name(self.names.free(f"c{len(self.constants) + 1}"), (), "number")
            double = ScalarSpelling({}, self.shapes, self.names.tensors, "", f"({PREFIX}{number})")
            double.scalars = self.scalars
            value = double.write(e).node
            self.helpers |= double.helpers
            reads_own = any(access.name in self.own for access in e.atoms(Access))
            (self.inside if reads_own else self.before).append(
                Assign(name, infer.elementwise(self.real, value) if self.real else value, "", (number,))
            )
            self.constants[e] = name
        return self.constants[e]

    def stores(self) -> list[Assign]:
        """What ends an entry's update."""
        updates, index = self.rule.system.updates.items(), infer.integer(self.loop)
        return [Assign(infer.sliced(self.array(old), [index], ()), self.array(new)) for old, new in updates]

    def array(self, name: str) -> Name:
        """The variable of a tensor."""
        return infer.name(self.names.tensors[name], self.shapes[name])

    def each_entry(self, inner: Sequence[Statement], *ends: Expression) -> For:
        """A loop over entries, all of them or those between two ends."""
        every = infer.called("len", self.array(THETA))
        over = infer.called("range", *(ends or (every,)))
        return For(infer.integer(self.loop), over, tuple(inner))

    def code(self, number: int, equation: Equation) -> list[Assign]:
        """What computes an equation for one entry, or a number; of a sum, what is added for one entry."""
        spelling = _UpdateSpelling(self, number, equation)
        if equation.indices:
            spelling.name_repeated(equation.body)
        value = spelling.write(equation.body).node
        self.helpers |= spelling.helpers
        before = [] if equation.reduction else [replace(s, equations=(number,)) for s in spelling.prelude]
        target, op = self.array(equation.target), "+" if equation.reduction else ""
        return [*before, Assign(target, value, op, (number,))]

    def nothing(self, equation: Equation) -> Assign:
        """A sum before anything is added."""
        return Assign(self.array(equation.target), infer.number(0.0))


def numba_update(
    rule: UpdateRule, names: Names, real: str, parts: Parts | None = None
) -> tuple[Function, set[str]]:
    """The update as one loop over the arenas, or over each part of them."""
    if parts is not None:
        return _by_parts(rule, names, real, parts)
    numbered = numbered_updates(rule)
    update = _NumbaUpdate(rule, names, real)
    scalars: list[Statement] = []
    for k, e in numbered:
        if not e.indices:
            own = update.code(k, e)
            scalars += [update.nothing(e), update.each_entry(own)] if e.reduction else own
    inner = [s for k, e in numbered if e.indices for s in update.code(k, e)]
    loop = update.each_entry([*inner, *update.stores()])
    return _function(rule, (*scalars, *update.before, loop)), update.helpers


def _function(rule: UpdateRule, body: Sequence[Statement]) -> Function:
    disjoint = Effect(infer.called("_disjoint"))
    return Function("_update", arguments(rule), doc(rule), (disjoint, *body), ("@kernel",), PREFIX)


def _by_parts(rule: UpdateRule, names: Names, real: str, parts: Parts) -> tuple[Function, set[str]]:
    """For each part its own numbers, then one loop over its entries. A sum over the entries is a loop before:
    it computes again what it needs of each, so that no entry is kept, and none has changed by then."""
    numbered_updates(rule)  # refuses what has no code
    one = rule.of_one()
    update = _NumbaUpdate(one, names, real)
    update.own = rule.own_numbers
    numbered = list(enumerate(one.system.equations, 1))
    entries = [(k, e) for k, e in numbered if e.indices]
    table = names.free("parts")
    ends = [infer.integer(names.free(word)) for word in ("first", "stop")]

    def each_part(body: Sequence[Statement]) -> For:
        variables = infer.tuple_of(*ends, *(update.array(leaf) for leaf in parts.own))
        return For(variables, infer.word(table), tuple(body))

    once: list[Statement] = []
    each: list[Statement] = []
    for number, equation in numbered:
        if equation.indices:
            continue
        code: list[Statement] = list[Statement](update.code(number, equation))
        if equation.reduction:
            needed = [s for k, e in _needed(equation, entries) for s in update.code(k, e)]
            code = [update.each_entry([*needed, *code], *ends)]
        if equation.target in update.own:
            start = [update.nothing(equation)] if equation.reduction else []
            each += [*update.inside, *start, *code]
            update.inside.clear()
        elif equation.reduction:
            once += [update.nothing(equation), each_part([*update.inside, *code])]
            update.inside.clear()
        else:
            once += code
    inner = [*(s for k, e in entries for s in update.code(k, e)), *update.stores()]
    each += [*update.inside, update.each_entry(inner, *ends)]
    body = (parts.table(table), *once, *update.before, each_part(each))
    return _function(rule, body), update.helpers


def _needed(equation: Equation, entries: Sequence[tuple[int, Equation]]) -> list[tuple[int, Equation]]:
    """The equations of an entry that this one rests on."""
    wanted, found = set(equation.read_names), []
    for number, other in reversed(entries):
        if other.target in wanted:
            wanted |= set(other.read_names)
            found.append((number, other))
    return found[::-1]
