"""From tensors to a system: what is reached, in the order of declaration, under names and letters.

Enters: a loss, outputs and metrics as tensors. Leaves: `Lowering`, which has the system, how its parameters
start, and the values of its constants. Must not know: ops by name, derivation, targets.

It has four parts: what is reached is collected in the order of declaration, pointwise intermediates are
written into their readers (`inline`), sizes that must agree become one (`sizes`), tensors and indices get
their names (`naming`, `letters`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir import system as ir
from symbp.ir.expr import Access, Expr, FloorDiv, Mod, Size, accesses, free_sizes
from symbp.ir.labels import Differential
from symbp.ir.system import Equation, Fact, Role, System
from symbp.ir.training import Initial
from symbp.language.bodies import rewrite
from symbp.language.lowered.inline import inlined
from symbp.language.naming.asked import reached, resolved
from symbp.language.naming.frames import caller
from symbp.language.naming.given import all_names, given_names, labels, names_at_inference
from symbp.language.naming.letters import Letters
from symbp.language.node import Node, display, join_all, node_of, operands_of
from symbp.language.sizes import Dim, Unifier, name_sizes
from symbp.language.start.by_equations import start
from symbp.language.tensor import Tensor


class Lowering:
    """The parts of one lowering, in order; each is computed once, in the constructor."""

    def __init__(
        self,
        loss: Tensor,
        outputs: Mapping[str, Tensor],
        metrics: Mapping[str, Tensor],
        extra: tuple[Tensor, ...],
    ) -> None:
        declared = reached([loss, *outputs.values(), *metrics.values(), *extra], following=True)
        self.keys = keys = resolved(loss, outputs, metrics, declared)
        wanted = [*keys.all(), *(buffer for buffer, _ in keys.updates), *extra]
        nodes = sorted(reached(wanted), key=keys.place)
        self.unifier = Unifier()
        for node in {n.serial: n for n in (*declared, *nodes)}.values():
            _join(self.unifier, node)
        self.conditions = self.unifier.conditions()
        given = given_names(nodes, keys, caller())
        self.derivatives = [n for n in nodes if n.quotient is not None]
        sides = {side.serial for n in self.derivatives for side in n.operands}
        named = {late for late, first in keys.counterparts.items() if first in given}
        asked = {t.serial for t in keys.all()}
        self.bodies = inlined(nodes, {*given, *named, *sides, *asked}, asked)
        self.nodes = nodes
        self.leaves = [n for n in nodes if n.is_leaf]
        self.computed = [n for n in nodes if n.serial in self.bodies]
        late = self._late()
        trained, quotients = (
            [n for n in nodes if n.serial not in late] for nodes in (self.computed, self.derivatives)
        )
        self.names = all_names(self.leaves, trained, quotients, self.bodies, given)
        self.names = names_at_inference(
            keys, self.leaves, self.computed, self.derivatives, self.bodies, self.names
        )
        self.labels = labels(keys, self.leaves, self.computed, self.bodies, given, self.names)
        self.sizes = self._size_names(nodes)
        self.letters = Letters(self.leaves, self.computed, self.bodies, self.extent, self.names.values())

    def extent(self, extent: Expr) -> Expr:
        """The extent in the network's own sizes."""
        return self.unifier.find(extent).xreplace(self.sizes)

    def _size_names(self, nodes: list[Node]) -> dict[Expr, Size]:
        shapes = [self.unifier.find(e) for n in self.leaves for e in (*n.shape, *_bounds(n))]
        shapes += [self.unifier.find(e) for n in self.computed for e in self.bodies[n.serial].ranges]
        shapes += [e for pair in self.conditions for e in pair]
        sizes = name_sizes(shapes, self.names.values())
        own = {size.name for size in sizes.values()}
        for node in nodes:
            if self.names.get(node.serial) in own:
                raise DeclarationError(
                    f"{self.names[node.serial]} is both a size and a tensor",
                    where=node.origin,
                    help="give one of the two another name",
                )
        return sizes

    def system(self) -> System:
        """The finished system: leaves, then equations, in the order of declaration."""
        keys, late = self.keys, self._late()
        tensors = {self.names[leaf.serial]: self._tensor(leaf) for leaf in self.leaves}
        every = [*self.computed, *self.derivatives]
        every.sort(key=lambda n: (late.get(n.serial, 0), keys.place(n)))
        for node in every:
            operands = operands_of(self.bodies[node.serial]) if node.serial in self.bodies else ()
            for one in (*operands, node):  # in a recurrence, operands are read before they are defined
                tensors.setdefault(self.names[one.serial], self._tensor(one))
        equations = [self._equation(node) for node in every if node.quotient is None]
        return System(
            tuple(tensors.values()),
            tuple(equations),
            {size.name: known.value for known, size in self.sizes.items() if isinstance(known, Dim)},
            self.names[self.keys.loss.serial],
            tuple(self.names[t.serial] for t in self.keys.outputs.values()),
            tuple(self.names[t.serial] for t in self.keys.metrics.values()),
            {self.names[buffer.serial]: self.names[value.serial] for buffer, value in self.keys.updates},
            {self.names[one]: self.names[other.serial] for one, other in self.keys.inference.items()},
            derivatives={self.names[n.serial]: self._sides(n) for n in self.derivatives},
            conditions=tuple(
                (one.xreplace(self.sizes), other.xreplace(self.sizes)) for one, other in self.conditions
            ),
            unnamed=frozenset(
                size.name for known, size in self.sizes.items() if isinstance(known, Dim) and known.anonymous
            ),
        )

    def _tensor(self, node: Node) -> ir.Tensor:
        return ir.Tensor(
            self.names[node.serial],
            self._shape(node),
            node.role if node.is_leaf else self.keys.role(node),
            node.integer,
            self._facts(node) if node.is_leaf else frozenset(),
            node.draw if node.is_leaf else None,
            origin=node.origin,
            label=self.labels.get(node.serial),
            differential=None if node.quotient is None else Differential(*self._sides(node)),
        )

    def _sides(self, quotient: Node) -> tuple[str, str]:
        """What a derivative is of, and by what."""
        return self.names[quotient.operands[0].serial], self.names[quotient.operands[1].serial]

    def _equation(self, node: Node) -> Equation:
        draft = self.bodies[node.serial]
        symbols: dict[Expr, Expr] = {**self.letters.of(node)}
        for size in sorted(_sizes(draft), key=lambda s: s.name):
            symbols[size] = self._value(size, node)
        for quotient in _quotients(draft):  # written as in shapes, which are compared with subscripts
            symbols[quotient] = self._value(quotient, node)

        def spell(access: Access, subscripts: tuple[Expr, ...], outside: Expr | None) -> Expr:
            return type(access)(self.names[node_of(access).serial], *subscripts, outside=outside)

        reduction = draft.reduction
        if reduction is not None:
            over = tuple(symbols.get(i, i) for i in reduction.indices)
            reduction = ir.Reduction(reduction.op, over, reduction.component)
        return draft.with_(
            target=self.names[node.serial],
            indices=tuple(symbols.get(i, i) for i in draft.indices),
            body=rewrite(draft.body, spell, symbols),
            where=tuple(rewrite(g, spell, symbols) for g in draft.where),
            reduction=reduction,
            ranges=tuple(self.extent(e) for e in draft.ranges),
        )

    def _value(self, formula: Expr, node: Node) -> Expr:
        """A formula of sizes in the network's own sizes; numbers for those that are no axis' length."""
        found = self.unifier.find(formula)
        apart = sorted(free_sizes(found) - self.sizes.keys(), key=lambda s: s.name)
        for size in apart:
            if not isinstance(size, Dim):
                raise DeclarationError(
                    f"the size {size} is in a formula, but is the length of no axis: nothing tells its value",
                    where=node.origin,
                    details=(f"in the equation of {display(node)}",),
                    help=f'give it a value, bp.dim("{size}", 5), or make it a constant, bp.hyper("{size}")',
                )
        numbers = {size: sympy.Integer(size.value) for size in apart if isinstance(size, Dim)}
        return found.xreplace({**self.sizes, **numbers})

    def _shape(self, node: Node) -> tuple[Expr, ...]:
        return tuple(self.extent(e) for e in node.shape)

    def _facts(self, node: Node) -> frozenset[Fact]:
        return frozenset(f if f.bound is None else replace(f, bound=self.extent(f.bound)) for f in node.facts)

    def initial(self, system: System) -> dict[str, Initial]:
        """How parameters and buffers start: as their author says, or by what the system does with them."""
        kept = [leaf for leaf in self.leaves if leaf.role in (Role.PARAMETER, Role.BUFFER)]
        return {
            (name := self.names[t.serial]): t.init(self._shape(t))
            if t.init
            else start(system, system.tensor(name))
            for t in kept
        }

    def constants(self) -> dict[str, Expr]:
        """The numbers that go by a letter, numbered where there are several of one letter; none that stands
        without its letter somewhere, or whose letter is a tensor's name."""
        named = {number for node in self.nodes for number in node.numbers}
        for node in self.nodes:
            own = {number.value for number in node.numbers}
            bare = set() if node.equation is None else node.equation.body.atoms(sympy.Rational) - own
            named = {number for number in named if number.value not in bare}
        by_letter: dict[str, list[Expr]] = {}
        for number in sorted(named, key=lambda n: (n.letter, n.value)):
            by_letter.setdefault(number.letter, []).append(number.value)
        found: dict[str, Expr] = {}
        for letter, values in by_letter.items():
            several = len(values) > 1
            found |= {f"{letter}{k if several else ''}": v for k, v in enumerate(values, start=1)}
        return {} if {"eps", "epsilon"} & set(self.names.values()) else found

    def _late(self) -> dict[int, int]:
        """The nodes that the loss and the outputs of training don't rest on: 1 for what the next values of
        buffers need, 2 for the rest."""
        found: dict[int, int] = {}
        for rank, roots in enumerate((self.keys.trained, [v for _, v in self.keys.updates], self.keys.all())):
            for node in reached(roots):
                found.setdefault(node.serial, rank)
        return {serial: rank for serial, rank in found.items() if rank}

    def hyper(self) -> dict[str, float]:
        """The constants whose values are known."""
        return {self.names[leaf.serial]: leaf.value for leaf in self.leaves if leaf.value is not None}


def _join(unifier: Unifier, node: Node) -> None:
    """Joins the sizes that one node's equation forces to be one."""
    if node.equation is None:
        for extent in (*node.shape, *_bounds(node)):
            unifier.find(extent)
        for first, second in node.joined:
            unifier.join(display(node), first, second, node.origin)
        return
    equation = node.equation
    reads = {a.name: node_of(a) for read in equation.reads for a in accesses(read)}
    tensors = {label: ir.Tensor(label, operand.shape) for label, operand in reads.items()}
    try:
        join_all(unifier, equation, tensors, equation.extents, node.parts)
        for first, second in node.joined:
            unifier.join(equation.target, first, second, equation.origin)
    except ShapeError as error:  # a conflict through a third tensor: the message needs names, not labels
        details = error.details
        for label, operand in reads.items():
            details = tuple(detail.replace(label, display(operand)) for detail in details)
        raise ShapeError(error.what, where=error.where, details=details, help=error.help) from None


def _bounds(node: Node) -> list[Expr]:
    return [f.bound for f in sorted(node.facts, key=str) if f.bound is not None]


def _quotients(equation: Equation) -> list[Expr]:
    """The quotients and rests of sizes in what an equation computes."""
    found = {q for e in (equation.body, *equation.where) for q in e.atoms(FloorDiv, Mod)}
    of_sizes = [q for q in found if all(isinstance(s, Size) for s in q.free_symbols) and not q.has(Access)]
    return sorted(of_sizes, key=sympy.default_sort_key)


def _sizes(equation: Equation) -> set[Expr]:
    every = [equation.body, *equation.where, *equation.ranges]
    return {s for e in every for s in e.free_symbols if isinstance(s, Size)}
