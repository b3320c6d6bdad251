"""What several backward equations compute alike: found by value, named once where that costs less.

Enters: backward equations, the values of their parts. Leaves: an equation for the part that is worth a name,
and its readers with it in place. Must not know: how the equations came about; it only moves work.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.derive.proof.fingerprints import Key, Values
from symbp.derive.proof.value import Value
from symbp.derive.rules.fold import MANY
from symbp.derive.search.cost import equation_cost, volume
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices, value_accesses
from symbp.ir.machine import STORE
from symbp.ir.system import Equation


@dataclass(frozen=True)
class Occurrence:
    """`part` of a body: its node is `part · rest`, or `part + rest`. The body is that of the equation, or the
    same with saved values written out; `cost` is what the equation costs as it is."""

    equation: Equation
    cost: float
    part: Expr
    node: Expr
    rest: Expr
    indices: tuple[Index, ...]
    value: Value

    def replaced(self, by: Expr) -> Equation:
        """The equation with something else of that value in place of the part."""
        node = by * self.rest if self.node.is_Mul else by + self.rest
        return self.equation.with_(body=self.equation.body.xreplace({self.node: node}))


@dataclass(frozen=True)
class Shared:
    """A new equation, and its readers."""

    definition: Equation
    readers: tuple[Equation, ...]
    saving: float


def occurrences(
    equation: Equation, values: Values, cost: float | None = None
) -> Iterator[tuple[Key, Occurrence]]:
    """The parts of a body that are worth a name if they occur again, by value up to a factor; `cost` of the
    equation if the body is another one."""
    cost = equation_cost(equation) if cost is None else cost
    if equation.op not in (None, "sum"):
        return
    for part, node, rest in _parts(equation.body):
        indices = _as_read(part, equation.all_indices)
        value = values.of(part, indices, equation.extents)
        key = None if value is None else values.key(value, indices, equation.extents)
        if value is not None and key is not None:
            yield key, Occurrence(equation, cost, part, node, rest, indices, value)


def _as_read(part: Expr, order: Sequence[Index]) -> tuple[Index, ...]:
    """The indices of a part in the order in which its largest tensors have them."""
    reads = sorted(value_accesses(part), key=lambda a: (-len(a.subscripts), a.name))
    free = free_indices(part)
    return tuple(dict.fromkeys(i for a in (*reads, Access("", *order)) for i in a.subscripts if i in free))


def _parts(body: Expr) -> Iterator[tuple[Expr, Expr, Expr]]:
    """(part, the product or sum that it is part of, what is left of that)."""
    found: dict[tuple[Expr, Expr], Expr] = {}
    for node in sorted(_nodes(body), key=sympy.default_sort_key):
        if not (node.is_Mul or node.is_Add):
            found.setdefault((node, node), sympy.Integer(0))
            continue
        guarded = any(isinstance(f, Guard) for f in node.args)
        args = sorted((a for a in node.args if not a.is_number), key=sympy.default_sort_key)
        chosen = [args] if len(args) > MANY else [
            list(c) for count in range(2, len(args) + 1) for c in itertools.combinations(args, count)
        ]  # fmt: skip
        for some in chosen:
            part = node.func(*some)
            if value_accesses(part) and not _only_scales(part) and not (guarded and not _harmless(part)):
                rest = node / part if node.is_Mul else node - part
                found.setdefault((part, node), rest)
    for (part, node), rest in found.items():
        yield part, node, rest


def _nodes(e: Expr) -> set[Expr]:
    """The subexpressions that compute something from tensors."""
    if isinstance(e, (Access, Guard)) or not e.args or not value_accesses(e):
        return set()
    return {e}.union(*[_nodes(a) for a in e.args])


def _only_scales(part: Expr) -> bool:
    """One tensor times what has no index: such a factor belongs to the sums that read the tensor."""
    wide = [f for f in part.args if free_indices(f)]
    return bool(part.is_Mul) and len(wide) == 1 and isinstance(wide[0], Access)


def _harmless(e: Expr) -> bool:
    """Whether it is defined where its bracket does not hold, too."""
    if isinstance(e, Access):
        return e.outside is not None or all(isinstance(s, Index) for s in e.subscripts)
    return isinstance(e, Guard) or not e.args or ((e.is_Mul or e.is_Add) and all(map(_harmless, e.args)))


def best_shared(
    found: Mapping[Key, Sequence[Occurrence]], values: Values, name: str
) -> tuple[Key, Shared] | None:
    """The part whose name saves most; it is defined for the first of its readers."""
    best: tuple[Key, Shared] | None = None
    for key, places in found.items():
        by_reader: dict[str, Occurrence] = {}
        for place in places:
            by_reader.setdefault(place.equation.target, place)
        if len(by_reader) < 2 or (len(by_reader) == 2 and all(o.equation.op is None for o in places)):
            continue  # two maps over one box are computed in one pass, where nothing needs to be stored
        shared = _shared(list(by_reader.values()), values, name)
        if shared is not None and (best is None or shared.saving > best[1].saving + 1e-9):
            best = key, shared
    return best if best is not None and best[1].saving > 1e-9 else None


def _shared(places: Sequence[Occurrence], values: Values, name: str) -> Shared | None:
    first = places[0]
    ranges = tuple(first.equation.extents[i] for i in first.indices)
    definition = Equation(name, first.indices, first.part, None, (), ranges, rule="shared term")
    saving = -equation_cost(definition) - STORE * volume(first.indices, definition.extents)  # and to spare
    readers = []
    for place in places:
        read = values.read_as(place.value, place.indices, place.equation.extents, definition, first.value)
        if read is None:
            continue
        reader = place.replaced(read)
        gain = place.cost - equation_cost(reader)
        if gain > 0:
            readers.append(reader)
            saving += gain
    return Shared(definition, tuple(readers), saving) if len(readers) > 1 else None
