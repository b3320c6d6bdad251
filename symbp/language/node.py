"""A node of a declaration: a leaf, or the result of one equation over other nodes.

Enters: shapes, and bodies in index notation that read other nodes. Leaves: immutable `Node`s whose shapes
are known. Must not know: operators, ops, or how a network names and numbers things.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

import sympy
from sympy.core.symbol import Str

from symbp.errors import DeclarationError, Origin, ShapeError
from symbp.ir import system as ir
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, Index, IntegerAccess, accesses
from symbp.ir.points.random import Draw
from symbp.ir.shapes import Witness, infer_ranges, witnesses
from symbp.ir.system import Equation, Fact, Reduction, ReductionOp, Role
from symbp.language.bodies import NamedNumber, exact, rewrite, strip_ranges
from symbp.language.layouts import Layout
from symbp.language.naming.allowed import check_name
from symbp.language.naming.frames import caller, here, variables
from symbp.language.sizes import Unifier, simplest, with_values
from symbp.language.start.distributions import Initialiser

_serials = itertools.count(1)  # orders declarations; only comparisons of two serials mean anything

Joined = tuple[tuple[Witness, Witness], ...]
N = TypeVar("N", bound="Node")


class Label(Str):  # type: ignore[misc]
    """The name by which a body reads a node before names are given; it carries the node.

    Padded, so that the order of labels is the order of declaration whatever the serials are.
    """

    __slots__ = ("node",)

    def __new__(cls, node: Node) -> Label:
        following = f"+{node.following.serial}" if node.following is not None else ""
        label = super().__new__(cls, f"#{node.serial:09d}{node.alias or ''}{following}")
        label.node = node
        return label  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Hint:
    """What a node is called when its author says nothing.

    `layer` names are numbered with their layer (`z1`, `h1`), `bare` ones stand alone (`p`, `mse`), and
    `consumer` ones take the name of what they are for (`s_p`): the node that reads them, or `subject`.
    """

    letter: str = "u"
    style: str = "consumer"
    subject: Node | None = None


class Later:
    """Where the definition of an announced node is put when it comes: once, and never changed after."""

    __slots__ = ("definition",)

    def __init__(self) -> None:
        self.definition: Node | None = None


@dataclass(frozen=True, eq=False)
class Node:
    """A leaf, the result of one equation over other nodes, a derivative (`quotient`: of what, by what), or
    one of two tensors (`branches`: in training, at inference). Of a buffer, `following` is its next value.

    `name` is the declared name, `alias` the one given by `.named`. A `kept` result has an equation of its
    own even where it is read once; `lettered` says that the author chose the index letters; `joined` lists
    extents that must agree though no index shows it; `parts` are indices that run over a part of the axes at
    which they stand, a slice; `beside` are tensors that the author wrote and that cancelled;
    `numbers` are those that go by a letter; `layout` says how a layer's parameter lies elsewhere.
    """

    serial: int
    shape: tuple[Expr, ...]
    role: Role = Role.HIDDEN
    integer: bool = False
    facts: frozenset[Fact] = frozenset()
    name: str | None = None
    alias: str | None = None
    equation: Equation | None = None
    quotient: tuple[Node, Node] | None = None
    branches: tuple[Node, Node] | None = None
    following: Node | None = None
    hint: Hint = field(default_factory=Hint)
    kept: bool = False
    lettered: bool = False
    joined: Joined = ()
    parts: frozenset[Index] = frozenset()
    beside: tuple[Node, ...] = ()
    numbers: frozenset[NamedNumber] = frozenset()
    init: Initialiser | None = None
    value: float | None = None
    draw: Draw | None = None
    later: Later | None = None
    layout: Layout | None = None
    origin: Origin | None = None

    @classmethod
    def leaf(cls, name: str | None, shape: tuple[Expr, ...], role: Role, **more: Any) -> Self:
        """A node that no equation defines."""
        if name is not None:
            check_name(name)
        return cls(next(_serials), shape, role, name=name, origin=here(), **more)

    @classmethod
    def defined(
        cls,
        plain: Sequence[Index],
        body: Expr,
        reduce: ReductionOp | None = None,
        over: Sequence[Index] = (),
        *,
        rule: str,
        where: Iterable[Expr] = (),
        ranges: Mapping[Index, Expr] | None = None,
        joined: Joined = (),
        parts: Iterable[Index] = (),
        may_end: Collection[Index] = (),
        component: int = 0,
        constant: bool = False,
        integer: bool = False,
        **more: Any,
    ) -> Self:
        """`t[plain] = reduce over `over`, where the guards hold, of body`.

        `ranges` states how far indices run where no read tells, or where they are `parts` of what they read,
        as are those that `may_end` before an axis they read and do so at all sizes.
        Raises ShapeError where sizes disagree,
        naming both tensors, both axes and the user's line.
        """
        guards = tuple(g for g in where if g != 1)
        if reduce == "sum" or not reduce:
            body, guards = sympy.Mul(sympy.sympify(body), *guards), ()
        numbers = frozenset(sympy.sympify(body).atoms(NamedNumber))
        split = [strip_ranges(exact(sympy.sympify(e))) for e in (body, *guards, *plain, *over)]
        stated = {i: extent for _, found in split for i, extent in found.items()}
        stated |= {strip_ranges(i)[0]: extent for i, extent in (ranges or {}).items()}
        cleaned = [part for part, _ in split]
        left = 1 + len(guards)
        targets, reduced = cleaned[left : left + len(plain)], cleaned[left + len(plain) :]
        draft = Equation(
            target=more.get("name") or rule,
            indices=tuple(targets),
            body=cleaned[0],
            reduction=Reduction(reduce, tuple(reduced), component) if reduce else None,
            where=tuple(cleaned[1:left]),
            constant=constant,
            rule=rule,
            origin=here(),
        )
        parts = frozenset(parts) | _shorter(draft, {i: stated[i] for i in may_end if i in stated})
        equation = draft.with_(ranges=_ranges(draft, stated, joined, parts))
        integer = integer or reduce == "argmax" or (equation.leaf is not None and equation.leaf.integer)
        if is_integer_view(equation) and not constant and not more.keys() & {"name", "kept"}:
            bounds = {f for f in node_of(equation.body).facts if f.kind.startswith("below")}
            integer, more = True, {"facts": frozenset(bounds), **more}
        return cls(
            next(_serials), equation.shape, integer=integer, equation=equation, joined=joined,
            parts=parts, numbers=numbers, origin=draft.origin, **more,
        )  # fmt: skip

    @property
    def is_leaf(self) -> bool:
        """Whether nothing defines the node."""
        return self.equation is None and self.quotient is None and self.branches is None

    @property
    def operands(self) -> tuple[Node, ...]:
        """The nodes that this one rests on directly, in the order of declaration."""
        if self.quotient is not None or self.branches is not None:
            return tuple(map(settled, self.quotient or self.branches or ()))
        if self.later is not None and self.later.definition is None:
            raise DeclarationError(
                f"{display(self)} is announced but never defined",
                where=self.origin,
                help="give it its equation: h = bp.define(h, [n, t, j], …)",
            )
        return () if self.equation is None else operands_of(self.equation)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def at(self, *subscripts: Any, outside: Any = None) -> Access:
        """One element, in index notation; `outside` is its value beyond the tensor's range.

        Raises ShapeError: not one subscript per axis.
        """
        subscripts = tuple(
            s.at() if isinstance(s, Node) and s.integer and not s.rank else s for s in subscripts
        )
        for subscript in subscripts:
            if isinstance(subscript, (slice, Node)) or subscript is None or subscript is Ellipsis:
                raise DeclarationError(
                    f"{display(self)} can't be read at {subscript!r}",
                    where=here(),
                    help="subscripts are indices and integers: x[n, i], x[n, i + 1], p[n, y[n]]",
                )
        if len(subscripts) != self.rank:
            raise ShapeError(
                f"{display(self)} has {counted(self.rank, 'axis', 'axes')}, but is read with "
                f"{counted(len(subscripts), 'subscript', 'subscripts')}",
                where=here(),
                details=(f"shape: ({', '.join(map(str, self.shape))})",),
                help="give one index per axis, as in x[n, i]",
            )
        read = IntegerAccess if self.integer else Access
        return read(Label(self), *subscripts, outside=outside)

    def __getitem__(self, subscripts: Any) -> Access:
        return self.at(*(subscripts if isinstance(subscripts, tuple) else (subscripts,)))

    # a subscript must not make a node iterable, and numpy arrays must leave operators to us
    __iter__ = None
    __array_ufunc__ = None

    def named(self, name: str) -> Self:
        """The same tensor, called `name`."""
        return replace(self, alias=check_name(name))

    def __bool__(self) -> bool:
        raise DeclarationError(
            "a tensor has no truth value while it is being declared", where=here(), help="use bp.where"
        )

    def __repr__(self) -> str:
        return f"<{display(self)} ({', '.join(map(str, self.shape))})>"


def is_integer_view(equation: Equation) -> bool:
    """Whether an equation reads integers at other places, and that is all: a slice of tokens are tokens."""
    body = equation.body
    return equation.reduction is None and isinstance(body, IntegerAccess) and body.outside is None


def fresh_serial() -> int:
    """A serial after all others."""
    return next(_serials)


def settled(node: N) -> N:
    """The node itself; of an announced one, its definition, as soon as there is one."""
    found = None if node.later is None else node.later.definition
    return node if found is None else found  # type: ignore[return-value]


def node_of(access: Access) -> Node:
    """The node that a body of a declaration reads."""
    node: Node = access.args[0].node
    return settled(node)


def operands_of(equation: Equation) -> tuple[Node, ...]:
    """The nodes that the equation reads, each once (under each name), in the order of declaration."""
    found = {a.name: node_of(a) for read in equation.reads for a in accesses(read)}
    return tuple(found[label] for label in sorted(found))


def counted(number: int, one: str, many: str) -> str:
    """`1 axis`, `2 axes`."""
    return f"{number} {one if number == 1 else many}"


def display(node: Node) -> str:
    """What a message calls the node: its name, the user's variable that holds it, or what it is."""
    given = node.alias or node.name
    if given:
        return given
    held = (n for n, v in variables(caller()) if isinstance(v, Node) and v.serial == node.serial)
    if node.equation is not None:
        kind = node.equation.rule
    else:
        kind = "derivative" if node.quotient else "mode" if node.branches else node.role.value
    return next(held, f"the {kind}")


def _ranges(
    draft: Equation, stated: Mapping[Index, Expr], joined: Joined, parts: frozenset[Index]
) -> tuple[Expr, ...]:
    """The extent of each index, by the rules of `symbp.ir.shapes`; anonymous sizes give way to named ones."""
    equation, tensors = _for_messages(draft)
    unifier = Unifier()
    join_all(unifier, equation, tensors, stated, parts)
    for first, second in joined:
        unifier.join(equation.target, first, second, equation.origin)
    unified = {
        name: ir.Tensor(name, tuple(unifier.find(e) for e in tensor.shape))
        for name, tensor in tensors.items()
    }
    found = infer_ranges(equation, unified, {i: unifier.find(e) for i, e in stated.items()}, parts).extents
    own = [*((i, w.extent) for i, w in witnesses(equation, tensors, parts)), *stated.items()]
    ways: dict[Index, list[Expr]] = {}
    for index, extent in own:
        ways.setdefault(index, []).append(unifier.valued(extent))
    # What is equal here alone, in the simplest of its ways: a network knows all that its sizes must obey.
    return tuple(simplest(ways[i]) if i in ways else found[i] for i in equation.all_indices)


def _shorter(draft: Equation, stated: Mapping[Index, Expr]) -> frozenset[Index]:
    """The indices that are stated to end before an axis along which they stand, x[n, i] for i < D − 1, and
    beyond none."""
    axes: dict[Index, list[Expr]] = {}
    for access in draft.reads:
        for subscript, extent in zip(access.subscripts, node_of(access).shape, strict=False):
            if isinstance(subscript, Index) and subscript in stated:
                axes.setdefault(subscript, []).append(with_values(extent - stated[subscript]))
    return frozenset(
        i
        for i, rooms in axes.items()
        if all(never_negative(room, {}) for room in rooms) and any(never_negative(r - 1, {}) for r in rooms)
    )


def join_all(
    unifier: Unifier,
    equation: Equation,
    tensors: Mapping[str, ir.Tensor],
    stated: Mapping[Index, Expr],
    parts: frozenset[Index],
) -> None:
    """Joins all extents that the equation's reads, and its author, give to one index."""
    first: dict[Index, Witness] = {}
    own = [(i, Witness(extent, f"the stated range of {i}")) for i, extent in stated.items()]
    for index, witness in [*witnesses(equation, tensors, parts), *own]:
        known = first.setdefault(index, witness)
        unifier.join(equation.target, known, witness, equation.origin)


def _for_messages(draft: Equation) -> tuple[Equation, dict[str, ir.Tensor]]:
    """The equation with tensors called as a message calls them, and those tensors; one that has another name
    is another one here, or the index of h − h.named("g") would be gone."""
    names: dict[tuple[int, str | None], str] = {}
    tensors: dict[str, ir.Tensor] = {}
    for node in operands_of(draft):
        base = display(node)
        candidates = itertools.chain([base], (f"{base} ({k})" for k in itertools.count(2)))
        name = names[node.serial, node.alias] = next(c for c in candidates if c not in tensors)
        tensors[name] = ir.Tensor(name, node.shape, integer=node.integer)

    def spell(access: Access, subscripts: tuple[Expr, ...], outside: Expr | None) -> Expr:
        node = node_of(access)
        return tensors[names[node.serial, node.alias]].at(*subscripts, outside=outside)

    body, guards = rewrite(draft.body, spell), tuple(rewrite(g, spell) for g in draft.where)
    return draft.with_(body=body, where=guards), tensors
