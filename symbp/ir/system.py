"""A system of indexed equations over named tensors: the one representation between all stages.

Enters: tensors, equations, bound sizes. Leaves: frozen, hashable values that print themselves.
Must not know: ops, layers, how a gradient is derived or how code is written.

An equation reads `target[plain indices] = reduce over indices, where conditions hold, of body`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from symbp.errors import InvalidSystem, Origin, choose
from symbp.ir.expr import Access, Expr, Guard, Index, Size, accesses, rename
from symbp.ir.matrices import MATRIX_LEAVES, MatrixLeaf
from symbp.ir.printer import equation_text, system_text
from symbp.ir.tensor import Fact, Role, Tensor

if TYPE_CHECKING:
    from symbp.ir.groups import Group

FLAT = -1
"""The component of an argmax that is the place in row-major order, over all of what is reduced."""

ReductionOp = Literal[
    "sum",
    "prod",
    "max",
    "argmax",
    "inverse",
    "det",
    "cofactors",
    "logdet",
    "cholesky",
    "eigenvalues",
    "eigenvectors",
    "singular_values",
    "left_vectors",
    "right_vectors",
    "argsort",
]


@dataclass(frozen=True)
class Reduction:
    """A reduction over `indices`. An empty sum is 0, product 1, max −∞; an empty argmax is −1.

    `argmax` is the subscript along `indices[component]` of the first maximum in row-major order,
    or with `FLAT` the place in this order itself.

    The leaves of linear algebra (`symbp.ir.matrices`) reduce, over a row and a column index, the matrix that
    the body gives, a square one unless singular values are asked for. `det` and `logdet` (of |determinant|)
    leave a scalar; row and column of an `inverse`, of the `cofactors`, or of a `cholesky` factor (lower, of
    the symmetric part) are the last two plain indices of the target, which the body does not mention. So are
    those of `eigenvectors` (of the symmetric part, one in each column); `eigenvalues` (from the smallest) and
    `singular_values` (from the largest) have one index of their own, as `left_vectors` and `right_vectors`
    have beside that of the row or column. There may be more or fewer of these than the matrix has: zeros.
    """

    op: ReductionOp
    indices: tuple[Index, ...]
    component: int = 0


@dataclass(frozen=True)
class Equation:
    """`target[indices] = reduce over reduction.indices, where guards hold, of body`.

    `ranges[k]` is the extent of the k-th of `all_indices` (the plain ones, then the reduced ones).
    `where` removes elements from a product, max or argmax; a sum carries its guards as factors of the
    body instead, so that there is one form. A map has neither. `constant` marks a value through which
    nothing is differentiated (the shift of a logsumexp). `rule` says in a few words where the equation
    comes from; `origin` is the user's line.
    """

    target: str
    indices: tuple[Index, ...]
    body: Expr
    reduction: Reduction | None = None
    where: tuple[Guard, ...] = ()
    ranges: tuple[Expr, ...] = ()
    constant: bool = False
    rule: str = field(default="", compare=False)
    origin: Origin | None = field(default=None, compare=False)

    @property
    def reduced(self) -> tuple[Index, ...]:
        return self.reduction.indices if self.reduction else ()

    @property
    def op(self) -> ReductionOp | None:
        return self.reduction.op if self.reduction else None

    @property
    def all_indices(self) -> tuple[Index, ...]:
        return self.indices + self.reduced

    @property
    def leaf(self) -> MatrixLeaf | None:
        """The leaf of linear algebra that the right-hand side is, if it is one."""
        return MATRIX_LEAVES.get(self.op or "")

    @property
    def result(self) -> tuple[Index, ...]:
        """The indices of what a leaf of linear algebra gives: the row and the column of a matrix; else
        nothing."""
        count = len(self.leaf.result) if self.leaf else 0
        return self.indices[len(self.indices) - count :] if count else ()

    @cached_property
    def extents(self) -> dict[Index, Expr]:
        """The extent of each index."""
        return dict(zip(self.all_indices, self.ranges, strict=True))

    @property
    def shape(self) -> tuple[Expr, ...]:
        return self.ranges[: len(self.indices)]

    @cached_property
    def reads(self) -> tuple[Access, ...]:
        """Every access on the right-hand side, in subscripts, guards and outside values too."""
        found = dict.fromkeys(accesses(self.body))
        for guard in self.where:
            found |= dict.fromkeys(accesses(guard))
        return tuple(found)

    @cached_property
    def read_names(self) -> tuple[str, ...]:
        """The names of the tensors read, each once, in a stable order."""
        return tuple(dict.fromkeys(access.name for access in self.reads))

    def with_(self, **changes: object) -> Equation:
        return replace(self, **changes)  # type: ignore[arg-type]

    def renamed(self, names: Mapping[str, str]) -> Equation:
        """The equation of tensors that are called otherwise; itself, if it has none of them."""
        if self.target not in names and not any(read in names for read in self.read_names):
            return self
        return self.with_(
            target=names.get(self.target, self.target),
            body=rename(self.body, names),
            where=tuple(rename(g, names) for g in self.where),
        )

    def changed(self, values: Mapping[Expr, Expr]) -> Equation:
        """The equation with expressions in the place of others."""
        if not values:
            return self
        return self.with_(
            body=self.body.xreplace(values), where=tuple(g.xreplace(values) for g in self.where)
        )

    def __str__(self) -> str:
        return equation_text(self)


@dataclass(frozen=True)
class System:
    """Tensors and equations in the order of evaluation, recurrences aside; frozen, hashable by identity.

    `bound` gives the sizes that have a value. `loss` names the scalar to differentiate; `outputs` and
    `metrics` the tensors a user asked for; `updates` maps a buffer to the tensor that is its next value.
    Training and inference are two systems in one: `inference` maps the loss and each output to the tensor
    that stands for it at inference, where that is another one; metrics are measured at inference.
    `conditions` are pairs of extents that must be equal for the declaration to mean what it says: sizes that
    are sampled obey them, and a module checks them where sizes are open.
    `derivatives` maps a tensor without an equation to (of, by): it stands for ∂(Σ of)/∂by, an element for
    each of `by`, until `symbp.derive.eliminate` gives it equations; in the order of evaluation. `unnamed` are
    the sizes for which their author wrote a bare number, for readers.
    """

    tensors: tuple[Tensor, ...]
    equations: tuple[Equation, ...]
    bound: Mapping[str, int] = field(default_factory=dict)
    loss: str | None = None
    outputs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    updates: Mapping[str, str] = field(default_factory=dict)
    inference: Mapping[str, str] = field(default_factory=dict)
    derivatives: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    conditions: tuple[tuple[Expr, Expr], ...] = ()
    unnamed: frozenset[str] = field(default=frozenset(), compare=False)

    __hash__ = object.__hash__

    @cached_property
    def by_name(self) -> dict[str, Tensor]:
        return {tensor.name: tensor for tensor in self.tensors}

    @cached_property
    def defining(self) -> dict[str, Equation]:
        """The equation that defines each tensor that isn't a leaf."""
        return {equation.target: equation for equation in self.equations}

    @cached_property
    def leaves(self) -> tuple[Tensor, ...]:
        return tuple(
            t for t in self.tensors if t.name not in self.defining and t.name not in self.derivatives
        )

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        return self.with_role(Role.PARAMETER)

    @property
    def random(self) -> tuple[Tensor, ...]:
        """The random tensors in the order that numbers them for the generator."""
        return self.with_role(Role.RANDOM)

    @cached_property
    def grouped(self) -> tuple[Group, ...]:
        """The equations in the order of evaluation (`symbp.ir.groups`)."""
        from symbp.ir.groups import arranged

        return arranged(self.equations)

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """Every tensor that somebody outside asks for, each once: what training wants first, then the
        buffers' next values, then what is looked at."""
        trained = (*self.outputs, *((self.loss,) if self.loss else ()))
        late = (*self.updates.values(), *self.inference.values(), *self.metrics)
        return tuple(dict.fromkeys((*trained, *late)))

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """The names of all sizes, in the order in which shapes, ranges and bounds of labels mention them."""
        from symbp.ir.expr import free_sizes

        found: dict[str, None] = {}
        bounds = [(f.bound,) for t in self.tensors for f in sorted(t.facts, key=str) if f.bound is not None]
        for extents in [*(t.shape for t in self.tensors), *(e.ranges for e in self.equations), *bounds]:
            for extent in extents:
                found |= dict.fromkeys(sorted(size.name for size in free_sizes(extent)))
        return tuple(found)

    def ancestors(self, name: str) -> frozenset[str]:
        """The tensor and everything that it rests on, through declared derivatives, too."""
        return self.resting([name])

    def resting(self, names: Iterable[str]) -> frozenset[str]:
        """These tensors and everything that they rest on."""
        found: set[str] = set()
        stack = list(names)
        while stack:
            current = stack.pop()
            if current not in found:
                found.add(current)
                stack += self.derivatives.get(current, ())
                if current in self.defining:
                    stack += self.defining[current].read_names
        return frozenset(found)

    def dependents(self, names: Iterable[str]) -> frozenset[str]:
        """These tensors and everything that rests on them."""
        readers: dict[str, list[str]] = {}
        for equation in self.equations:
            for name in equation.read_names:
                readers.setdefault(name, []).append(equation.target)
        for target, read in self.derivatives.items():
            for name in read:
                readers.setdefault(name, []).append(target)
        found: set[str] = set()
        stack = list(names)
        while stack:
            current = stack.pop()
            if current not in found:
                found.add(current)
                stack += readers.get(current, ())
        return frozenset(found)

    def without(self, names: Collection[str]) -> System:
        """The system without these tensors, which no other equation reads, and their equations."""
        return replace(
            self,
            tensors=tuple(t for t in self.tensors if t.name not in names),
            equations=tuple(e for e in self.equations if e.target not in names),
            metrics=tuple(name for name in self.metrics if name not in names),
            updates={k: v for k, v in self.updates.items() if k not in names and v not in names},
            inference={k: v for k, v in self.inference.items() if v not in names},
            derivatives={k: v for k, v in self.derivatives.items() if k not in names},
        )

    def with_role(self, *roles: Role) -> tuple[Tensor, ...]:
        return tuple(t for t in self.tensors if t.role in roles)

    def tensor(self, name: str) -> Tensor:
        try:
            return self.by_name[name]
        except KeyError:
            raise InvalidSystem(f"no tensor is named {name!r}", help=choose(name, self.by_name)) from None

    def at(self, name: str, *subscripts: Expr, outside: Expr | None = None) -> Access:
        """A read of a tensor of this system."""
        return self.tensor(name).at(*subscripts, outside=outside)

    def extended(self, tensors: Iterable[Tensor], equations: Iterable[Equation]) -> System:
        """This system with more tensors and equations at the end."""
        return replace(
            self, tensors=self.tensors + tuple(tensors), equations=self.equations + tuple(equations)
        )

    def renamed(self, names: Mapping[str, str]) -> System:
        """The system with tensors called otherwise, wherever they stand."""

        def new(name: str) -> str:
            return names.get(name, name)

        return replace(
            self,
            tensors=tuple(t.renamed(names) for t in self.tensors),
            equations=tuple(e.renamed(names) for e in self.equations),
            loss=None if self.loss is None else new(self.loss),
            outputs=tuple(map(new, self.outputs)),
            metrics=tuple(map(new, self.metrics)),
            updates={new(k): new(v) for k, v in self.updates.items()},
            inference={new(k): new(v) for k, v in self.inference.items()},
            derivatives={new(k): (new(of), new(by)) for k, (of, by) in self.derivatives.items()},
        )

    def resized(self, names: Mapping[str, str]) -> System:
        """The system with sizes called otherwise, wherever they stand."""
        symbols: dict[Expr, Expr] = {Size(old): Size(new) for old, new in names.items()}

        def fact(known: Fact) -> Fact:
            return known if known.bound is None else replace(known, bound=known.bound.xreplace(symbols))

        tensors = tuple(
            replace(t, shape=tuple(e.xreplace(symbols) for e in t.shape), facts=frozenset(map(fact, t.facts)))
            for t in self.tensors
        )
        equations = tuple(
            e.with_(
                body=e.body.xreplace(symbols),
                where=tuple(g.xreplace(symbols) for g in e.where),
                ranges=tuple(extent.xreplace(symbols) for extent in e.ranges),
            )
            for e in self.equations
        )
        return replace(
            self,
            tensors=tensors,
            equations=equations,
            bound={names.get(name, name): value for name, value in self.bound.items()},
            unnamed=frozenset(names.get(name, name) for name in self.unnamed),
            conditions=tuple((a.xreplace(symbols), b.xreplace(symbols)) for a, b in self.conditions),
        )

    def with_(self, **changes: object) -> System:
        return replace(self, **changes)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return system_text(self)


__all__ = ["FLAT", "Equation", "Fact", "Reduction", "Role", "System", "Tensor"]
