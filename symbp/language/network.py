"""A network: a declaration lowered to a system of named equations.

Enters: a loss, outputs and metrics as tensors, and the user's variables. Leaves: `Network`, which holds a
`symbp.ir.System`, how its parameters start, and the values of its constants.
Must not know: ops by name, derivation, targets.

Lowering has four parts: what is reached is collected in the order of declaration, pointwise intermediates
are written into their readers (`inline`), sizes that must agree become one (`sizes`), tensors and indices
get their names (`naming`, `letters`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symbp.errors import DeclarationError, Origin, ShapeError
from symbp.ir import system as ir
from symbp.ir.expr import Access, Expr, Size, accesses
from symbp.ir.system import Equation, Fact, Role, System
from symbp.ir.training import Initial
from symbp.language import initial as initials
from symbp.language.bodies import rewrite
from symbp.language.frames import caller, here
from symbp.language.inline import inlined
from symbp.language.letters import Letters
from symbp.language.names import check_name
from symbp.language.naming import Keys, all_names, given_names
from symbp.language.node import Node, counted, display, join_all, node_of, operands_of, settled
from symbp.language.sizes import Dim, Unifier, name_sizes
from symbp.language.tensor import Tensor, axes


@dataclass(frozen=True, init=False)
class Network:
    """A declared network. `system` is its forward system in training mode; `initial` says how each
    parameter starts; `hyper` gives the constants whose values are known; `str` prints the equations.

    Raises DeclarationError: a loss that isn't scalar, names declared twice, outputs that aren't computed.
    """

    name: str
    system: System
    initial: Mapping[str, Initial]
    hyper: Mapping[str, float] = field(default_factory=dict)
    origin: Origin | None = field(default=None, compare=False)

    __hash__ = object.__hash__

    def __init__(
        self,
        name: str,
        loss: Tensor,
        outputs: Mapping[str, Tensor] | None = None,
        metrics: Mapping[str, Tensor] | None = None,
        parameters: Iterable[Tensor] = (),
    ) -> None:
        """`parameters` lists parameters that belong to the network even if nothing reads them."""
        lowered = _Lowering(_checked(name, loss, outputs or {}, metrics or {}), tuple(parameters))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "system", lowered.system())
        object.__setattr__(self, "initial", lowered.initial())
        object.__setattr__(self, "hyper", lowered.hyper())
        object.__setattr__(self, "origin", here())

    def __str__(self) -> str:
        return f"{self.name}\n{self.system}"


def _checked(name: str, loss: Tensor, outputs: Mapping[str, Tensor], metrics: Mapping[str, Tensor]) -> Keys:
    check_name(name, "a network")
    for what, tensor in [("the loss", loss), *outputs.items(), *metrics.items()]:
        if not isinstance(tensor, Tensor):
            raise DeclarationError(f"{what} must be a tensor, not {type(tensor).__name__}", where=here())
    for what, tensor in [("the loss", loss), *((f"metric {key}", t) for key, t in metrics.items())]:
        if tensor.rank:
            raise DeclarationError(
                f"{what} must be a scalar, but {display(tensor)} has {counted(tensor.rank, 'axis', 'axes')}",
                where=here(),
                details=(f"shape: ({', '.join(map(str, tensor.shape))})", f"declared at {tensor.origin}"),
                help="take its mean or sum: (…).mean()",
            )
    for key in [*outputs, *metrics]:
        check_name(key, "an output")
    doubled = [key for key in outputs if key in metrics]
    if doubled:
        raise DeclarationError(f"{doubled[0]!r} is both an output and a metric", where=here())
    return _with_aliases(loss, outputs, metrics)


def _with_aliases(loss: Tensor, outputs: Mapping[str, Tensor], metrics: Mapping[str, Tensor]) -> Keys:
    """The same, where a tensor that already answers to another name is copied under the one asked for."""
    taken: set[int] = set()

    def own(key: str | None, tensor: Tensor) -> Tensor:
        tensor = settled(tensor)
        given = tensor.alias or tensor.name
        is_leaf = tensor.is_leaf
        if is_leaf and given == key:
            raise DeclarationError(
                f"{key} can't be an output: nothing computes it",
                where=here(),
                help="give the output another name",
            )
        if is_leaf or tensor.serial in taken or (key is not None and given not in (None, key)):
            plain = axes(tensor.rank)
            tensor = Tensor.defined(plain, tensor.at(*plain), rule="output", kept=True)
        taken.add(tensor.serial)
        return tensor

    loss = own(None, loss)
    return Keys(
        loss,
        {key: own(key, tensor) for key, tensor in outputs.items()},
        {key: own(key, tensor) for key, tensor in metrics.items()},
    )


class _Lowering:
    """The parts of one lowering, in order; each is computed once, in the constructor."""

    def __init__(self, keys: Keys, extra: tuple[Tensor, ...]) -> None:
        self.keys = keys
        nodes = _reached([*keys.all(), *extra])
        self.unifier = Unifier()
        for node in nodes:
            _join(self.unifier, node)
        given = given_names(nodes, keys, caller())
        self.derivatives = [n for n in nodes if n.quotient is not None]
        sides = {side.serial for n in self.derivatives for side in n.operands}
        self.bodies = inlined(nodes, {*given, *sides, *(t.serial for t in keys.all())})
        self.leaves = [n for n in nodes if n.is_leaf]
        self.computed = [n for n in nodes if n.serial in self.bodies]
        self.names = all_names(self.leaves, self.computed, self.derivatives, self.bodies, given)
        self.sizes = self._size_names(nodes)
        self.letters = Letters(self.leaves, self.computed, self.bodies, self.extent, self.names.values())

    def extent(self, extent: Expr) -> Expr:
        """The extent in the network's own sizes."""
        return self.unifier.find(extent).xreplace(self.sizes)

    def _size_names(self, nodes: list[Node]) -> dict[Expr, Size]:
        shapes = [self.unifier.find(e) for n in self.leaves for e in (*n.shape, *_bounds(n))]
        shapes += [self.unifier.find(e) for n in self.computed for e in self.bodies[n.serial].ranges]
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
        tensors: dict[str, ir.Tensor] = {}
        for leaf in self.leaves:
            name = self.names[leaf.serial]
            tensors[name] = ir.Tensor(
                name, self._shape(leaf), leaf.role, leaf.integer, self._facts(leaf), origin=leaf.origin
            )
        equations = []
        for node in sorted([*self.computed, *self.derivatives], key=lambda n: n.serial):
            for operand in operands_of(self.bodies[node.serial]) if node.serial in self.bodies else ():
                name = self.names[operand.serial]
                if name not in tensors:  # in a recurrence, read before it is defined
                    tensors[name] = ir.Tensor(name, self._shape(operand), self.keys.role(operand))
            if node.quotient is not None:
                name = self.names[node.serial]
                tensors[name] = ir.Tensor(name, self._shape(node), self.keys.role(node), origin=node.origin)
                continue
            equation = self._equation(node)
            equations.append(equation)
            tensors[equation.target] = ir.Tensor(
                equation.target, equation.shape, self.keys.role(node), node.integer, origin=node.origin
            )
        return System(
            tuple(tensors.values()),
            tuple(equations),
            {size.name: known.value for known, size in self.sizes.items() if isinstance(known, Dim)},
            self.names[self.keys.loss.serial],
            tuple(self.names[t.serial] for t in self.keys.outputs.values()),
            tuple(self.names[t.serial] for t in self.keys.metrics.values()),
            derivatives={
                self.names[n.serial]: (self.names[n.operands[0].serial], self.names[n.operands[1].serial])
                for n in self.derivatives
            },
        )

    def _equation(self, node: Node) -> Equation:
        draft = self.bodies[node.serial]
        symbols: dict[Expr, Expr] = {**self.letters.of(node)}
        for size in sorted(_sizes(draft), key=lambda s: s.name):
            symbols[size] = self.extent(size)

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

    def _shape(self, node: Node) -> tuple[Expr, ...]:
        return tuple(self.extent(e) for e in node.shape)

    def _facts(self, node: Node) -> frozenset[Fact]:
        return frozenset(
            f if f.bound is None else Fact(f.kind, f.axis, self.extent(f.bound)) for f in node.facts
        )

    def initial(self) -> dict[str, Initial]:
        """How each parameter starts."""
        parameters = [leaf for leaf in self.leaves if leaf.role is Role.PARAMETER]
        return {self.names[p.serial]: (p.init or initials.default)(self._shape(p)) for p in parameters}

    def hyper(self) -> dict[str, float]:
        """The constants whose values are known."""
        return {self.names[leaf.serial]: leaf.value for leaf in self.leaves if leaf.value is not None}


def _reached(roots: Iterable[Node]) -> list[Node]:
    """Every node that the roots rest on, in the order of declaration."""
    found: dict[int, Node] = {}
    stack: list[Node] = list(roots)
    while stack:
        node = stack.pop()
        known = found.get(node.serial)
        if known is None or (known.alias is None and node.alias is not None):
            found[node.serial] = node
        elif node.alias is not None and known.alias is not None and known.alias != node.alias:
            raise DeclarationError(
                f"one tensor is named twice, {' and '.join(sorted((known.alias, node.alias)))}",
                where=node.origin,
                help="call .named once",
            )
        if known is None:
            stack += node.operands
    return [found[serial] for serial in sorted(found)]


def _join(unifier: Unifier, node: Node) -> None:
    """Joins the sizes that one node's equation forces to be one."""
    if node.equation is None:
        for extent in (*node.shape, *_bounds(node)):
            unifier.find(extent)
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


def _sizes(equation: Equation) -> set[Expr]:
    every = [equation.body, *equation.where, *equation.ranges]
    return {s for e in every for s in e.free_symbols if isinstance(s, Size)}
