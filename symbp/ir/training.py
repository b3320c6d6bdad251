"""What a program needs besides equations to be trained: how parameters start and how they are updated.

Enters: systems over one generic parameter. Leaves: frozen types that `optim` makes and `targets` read.
Must not know: which optimizers exist, or any target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import sympy

from symbp.errors import UsageError
from symbp.ir.expr import Access, Expr
from symbp.ir.system import Equation, System

THETA, GRADIENT, STEP = "theta", "gradient", "step"


@dataclass(frozen=True)
class Initial:
    """How a parameter starts: `scale · u` with u drawn elementwise from `distribution`, plus `shift`.

    `normal` is N(0, 1), `truncated` that within 2, `uniform` is U(−1, 1), `orthogonal` a matrix with
    orthonormal rows, or columns if these are fewer, `constant` is 1. `mean` and `deviation` are those of the
    input `of` over the training data, one for each of its entries along `axis` if there is one. `scale` may
    contain the sizes of the parameter; `reason` is one sentence for the derivation ("keeps the variance of …
    (Glorot and Bengio 2010, equation 16)").
    """

    distribution: Literal["normal", "uniform", "truncated", "orthogonal", "constant", "mean", "deviation"]
    scale: Expr = sympy.S.Zero
    shift: Expr = sympy.S.Zero
    reason: str = ""
    of: str = ""
    axis: int | None = None


@dataclass(frozen=True)
class Group:
    """Parameters that an update treats otherwise: those whose name one of the `patterns` matches (as a shell
    would), or which are of that kind (`offset`, `scale`, `weight`, `table`). `values` are theirs for leaves
    that have a number for each parameter; the others have 1. `frozen` ones never change; `as_entries` ones
    count as no matrix; of `sparse` ones a step changes only the rows that have a gradient."""

    patterns: tuple[str, ...]
    values: Mapping[str, float] = field(default_factory=dict)
    frozen: bool = False
    as_entries: bool = False
    sparse: bool = False


Form = Literal["entries", "matrix", "tall", "rows"]
"""As what a parameter is updated: as entries in a row, as a matrix (by other equations where it has more rows
than columns, if the rule has some), or as a matrix whose units are its rows."""


@dataclass(frozen=True)
class Part:
    """A parameter that an update changes, and its values of `UpdateRule.own`, in this order. It is updated as
    `form` says; a `stacked` one is as many parameters as its first axis is long, and of one that is `sparse`
    only rows whose gradient isn't 0 change. The first `axes_of_rows` of a matrix are its rows, the rest its
    columns."""

    parameter: str
    values: tuple[float, ...] = ()
    form: Form = "entries"
    stacked: bool = False
    sparse: bool = False
    axes_of_rows: int = 1


@dataclass(frozen=True)
class Follow:
    """Numbers that follow the loss from epoch to epoch: `system` has the leaf `loss` and these numbers as
    buffers, with `updates` as their next values; `start` is what they start at. Those that an update `read`s
    are hyperparameters of it."""

    system: System
    start: Mapping[str, float]
    read: tuple[str, ...] = ()

    @property
    def followed(self) -> dict[str, float]:
        """The hyperparameters among the numbers, as they start."""
        return {name: self.start[name] for name in self.read}


@dataclass(frozen=True)
class UpdateRule:
    """An optimizer as equations over one generic parameter, flat with index `i` below the size `P`.

    Where something is to be known of each parameter by itself (its norm, a rate of its own), the equations
    are over all of them: `theta[k,i]` is entry i of parameter k, with k below `K` and i below `P`, which is
    as large as that parameter is. What has the index k alone is a number for each parameter: a sum over its
    entries, or a leaf, one of `own`, whose values are in `parts`. A parameter without a part is frozen.

    `system` has the leaves `theta` (parameter), `gradient` (input), the moments (buffers, all zero at the
    start), `step` (the count of updates, 1 at the first) and the hyperparameters (scalars);
    `system.updates` maps `theta` and each moment to the tensor that is its next value. `hyper` gives the
    hyperparameters' values; `source` names the paper; `settings` are the arguments that make the rule again.

    `forms` are the equations of parameters that aren't updated as `entries`: over one matrix `theta[r,c]`,
    with r below `R` and c below `C`, or over its rows. They have the same leaves; numbers for each parameter
    are scalars there, and what `system` computes once for all parameters is a leaf. A moment may have a shape
    of its own, as a number for each row, and need not be there in every form.
    """

    name: str
    system: System
    hyper: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False)
    groups: tuple[Group, ...] = ()
    parts: tuple[Part, ...] | None = None  # None: all parameters alike
    forms: Mapping[Form, System] = field(default_factory=dict)
    follow: Follow | None = None
    searched: str | None = None  # the moment that is the step, where a search says how far it goes

    __hash__ = object.__hash__

    @property
    def systems(self) -> dict[Form, System]:
        """The equations of each form, those of entries first."""
        return {"entries": self.system, **self.forms}

    @property
    def moments(self) -> tuple[str, ...]:
        """The names of the state tensors that travel with parameters."""
        names = (name for system in self.systems.values() for name in system.updates)
        return tuple(dict.fromkeys(name for name in names if name != THETA))

    @property
    def like_theta(self) -> frozenset[str]:
        """The moments that have an entry for each of every parameter."""
        return frozenset(
            name
            for name in self.moments
            if all(
                name in s.updates and s.tensor(name).shape == s.tensor(THETA).shape
                for s in self.systems.values()
            )
        )

    @property
    def shaped(self) -> bool:
        """Whether the equations need more than one loop over all entries: matrices, or moments of a shape of
        their own."""
        return bool(self.forms) or self.like_theta != frozenset(self.moments)

    @property
    def numbered(self) -> list[tuple[int, Form, Equation]]:
        """All equations with their numbers."""
        every = [(form, e) for form, system in self.systems.items() for e in system.equations]
        return [(k, form, e) for k, (form, e) in enumerate(every, 1)]

    @property
    def by_parameter(self) -> bool:
        """Whether the equations tell parameters apart."""
        return len(self.system.tensor(THETA).shape) > 1

    @property
    def own(self) -> tuple[str, ...]:
        """The leaves that have a number for each parameter."""
        count = self.system.tensor(THETA).shape[:1] if self.by_parameter else None
        return tuple(t.name for t in self.system.leaves if t.shape == count)

    @property
    def own_numbers(self) -> frozenset[str]:
        """Every tensor that has a number for each parameter."""
        count = self.system.tensor(THETA).shape[:1] if self.by_parameter else None
        return frozenset(t.name for t in self.system.tensors if t.shape == count)

    @property
    def own_sums(self) -> frozenset[str]:
        """Those of them that are computed from all entries of a parameter."""
        return self.own_numbers & {e.target for e in self.system.equations if e.reduction}

    def of_one(self) -> UpdateRule:
        """The rule for one of the parameters, over `theta[i]`: without the index that tells which."""
        if not self.by_parameter:
            return self
        count, system = self.system.tensor(THETA).shape[0], self.system
        tensors = tuple(replace(t, shape=tuple(n for n in t.shape if n != count)) for t in system.tensors)
        equations = tuple(_of_one(e, count) for e in system.equations)
        return replace(self, system=system.with_(tensors=tensors, equations=equations))

    def parts_of(self, parameters: Iterable[str]) -> tuple[Part, ...]:
        """What is updated, in this order. Raises UsageError: groups that nobody has looked up."""
        if self.parts is None and self.groups:
            raise UsageError(
                f"the groups of {self.name} are not yet those of a network",
                help="look them up: symbp.optim.groups.resolved(rule, system)",
            )
        if self.parts is None:
            return tuple(Part(name) for name in parameters)
        by_name = {part.parameter: part for part in self.parts}
        return tuple(by_name[name] for name in parameters if name in by_name)


def _of_one(equation: Equation, count: Expr) -> Equation:
    """The equation without its index below the number of parameters."""
    extents, reduction = equation.extents, equation.reduction
    which = {i for i in equation.all_indices if extents[i] == count}
    reads = {a: Access(a.name, *[s for s in a.subscripts if s not in which]) for a in equation.reads}
    return equation.with_(
        indices=tuple(i for i in equation.indices if i not in which),
        body=equation.body.xreplace({a: read for a, read in reads.items() if a.subscripts}),
        reduction=reduction
        and replace(reduction, indices=tuple(i for i in reduction.indices if i not in which)),
        ranges=tuple(extents[i] for i in equation.all_indices if i not in which),
    )
