"""What a system is about: named tensors, their roles, and what is known of their values.

Enters: names, shapes, roles, facts. Leaves: frozen, hashable values that print themselves. Must not know:
equations, ops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from symbp.errors import Origin
from symbp.ir.expr import Access, Expr, IntegerAccess
from symbp.ir.labels import Differential, Label
from symbp.ir.points.random import Draw
from symbp.ir.printer import expression_text


class Role(Enum):
    """What a tensor is for; leaves are the roles that no equation of the forward system defines."""

    INPUT = "input"
    TARGET = "target"  # what is to be predicted: labels, regression targets
    PARAMETER = "parameter"
    BUFFER = "buffer"  # running statistics; changed by an equation for its next value
    RANDOM = "random"  # masks and noise, from the counter-based generator or passed in
    HYPER = "hyperparameter"  # a scalar such as a learning rate
    HIDDEN = "hidden"
    OUTPUT = "output"
    LOSS = "loss"
    METRIC = "metric"
    NEXT = "next"  # the new value of a buffer, a parameter or an optimizer's moment
    ADJOINT = "adjoint"  # ∂ loss / ∂ a tensor that isn't a parameter
    GRADIENT = "gradient"  # ∂ loss / ∂ a parameter

    @property
    def is_leaf(self) -> bool:
        return self in _LEAVES


_LEAVES = frozenset({Role.INPUT, Role.TARGET, Role.PARAMETER, Role.BUFFER, Role.RANDOM, Role.HYPER})


@dataclass(frozen=True)
class Fact:
    """What is known of a leaf's values: the calculus may rest on it, samplers obey it, data are checked.

    `sums to one` over `axis`; `binary`; `positive`; `nonnegative`; `below` the size `bound` (and ≥ 0, of
    an integer tensor), or `below or ignored`, which may also be the integer `ignored`; `symmetric`, `lower
    triangular` and `upper triangular` in the last two axes; `one hot` over `axis`; `mask`, finite or −∞.
    """

    kind: Literal[
        "sums to one",
        "one hot",
        "binary",
        "positive",
        "nonnegative",
        "below",
        "below or ignored",
        "symmetric",
        "lower triangular",
        "upper triangular",
        "mask",
    ]
    axis: int | None = None
    bound: Expr | None = None
    ignored: int | None = None

    def __str__(self) -> str:
        if self.kind in ("sums to one", "one hot"):
            return f"{self.kind} over axis {self.axis}"
        if self.kind == "below or ignored":
            return f"below {self.bound}, or {self.ignored}"
        return f"below {self.bound}" if self.kind == "below" else self.kind


@dataclass(frozen=True)
class Tensor:
    """A named array: its shape in sizes, its role, real or integer, and what is known of its values; of a
    random tensor, how its elements are drawn. `label` and `differential` are for readers: what it is called,
    and of an adjoint, which derivative it is."""

    name: str
    shape: tuple[Expr, ...]
    role: Role = Role.HIDDEN
    integer: bool = False
    facts: frozenset[Fact] = frozenset()
    draw: Draw | None = None
    origin: Origin | None = field(default=None, compare=False)
    label: Label | None = field(default=None, compare=False)
    differential: Differential | None = field(default=None, compare=False)

    def renamed(self, names: Mapping[str, str]) -> Tensor:
        """The tensor, called otherwise, in a system where others may be called otherwise, too."""
        differential, label = self.differential and self.differential.renamed(names), self.label
        if label is not None and label.stands_for is not None:
            label = replace(label, stands_for=names.get(label.stands_for, label.stands_for))
        name = names.get(self.name, self.name)
        return replace(self, name=name, differential=differential, label=label)

    def at(self, *subscripts: Expr, outside: Expr | None = None) -> Access:
        """A read of one element."""
        return (IntegerAccess if self.integer else Access)(self.name, *subscripts, outside=outside)

    def fact(self, kind: str) -> Fact | None:
        """The fact of that kind, if the tensor has it (the lowest axis first)."""
        found = sorted((f for f in self.facts if f.kind == kind), key=lambda f: f.axis or 0)
        return found[0] if found else None

    def __str__(self) -> str:
        shape = f"({', '.join(map(expression_text, self.shape))})" if self.shape else "scalar"
        kind = " integer" if self.integer else ""
        drawn = [str(self.draw)] if self.draw else []
        known = "".join(f", {what}" for what in (*drawn, *sorted(map(str, self.facts))))
        return f"{self.name}: {self.role.value}{kind} {shape}{known}"
