"""Leaves: what a network is given, and what it learns.

Enters: names and shapes. Leaves: tensors without an equation. Must not know: ops, networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symbp.errors import DeclarationError
from symbp.ir.system import Fact, Role
from symbp.language.bodies import number
from symbp.language.frames import here
from symbp.language.initial import Initialiser
from symbp.language.sizes import as_shape, as_size
from symbp.language.tensor import Tensor

KINDS = ("sums to one", "one hot", "binary", "positive", "nonnegative", "symmetric", "lower triangular")


def input(name: str, shape: Any, facts: Iterable[str | Fact] = ()) -> Tensor:
    """Data that comes in with each batch; examples are rows, so the first axis is the batch."""
    return Tensor.leaf(name, axes := as_shape(shape), Role.INPUT, facts=_facts(facts, len(axes)))


def labels(name: str, shape: Any, classes: Any) -> Tensor:
    """Integer labels from 0 to `classes` − 1."""
    fact = Fact("below", bound=as_size(classes))
    return Tensor.leaf(name, as_shape(shape), Role.TARGET, integer=True, facts=frozenset({fact}))


def target(name: str, shape: Any, facts: Iterable[str | Fact] = ()) -> Tensor:
    """Real values to be predicted. `facts` says what is known of them: `"sums to one"` or `"one hot"`
    (over the last axis), `"binary"`, `"positive"`, `"nonnegative"`."""
    return Tensor.leaf(name, axes := as_shape(shape), Role.TARGET, facts=_facts(facts, len(axes)))


def param(name: str, shape: Any, init: Initialiser | None = None) -> Tensor:
    """A parameter, learned. `init` says how it starts; by default matrices as Glorot's, vectors at zero."""
    if init is not None and not callable(init):
        raise DeclarationError(
            f"init of {name} is {init!r}, not a way to start a parameter",
            where=here(),
            help="use one of bp.optim.initial: glorot_uniform, he_normal, zeros, constant(0.1)",
        )
    return Tensor.leaf(name, as_shape(shape), Role.PARAMETER, init=init)


def buffer(name: str, shape: Any) -> Tensor:
    """State that isn't learned by gradients, such as a running mean; it starts at zero."""
    return Tensor.leaf(name, as_shape(shape), Role.BUFFER)


def hyper(name: str, value: float | None = None) -> Tensor:
    """A scalar constant of the network, with its value if it is known already."""
    if value is not None and number(value) is None:
        raise DeclarationError(f"the value of {name} must be a number, not {value!r}", where=here())
    return Tensor.leaf(name, (), Role.HYPER, value=None if value is None else float(value))


def _facts(facts: Iterable[str | Fact], rank: int) -> frozenset[Fact]:
    given = (facts,) if isinstance(facts, (str, Fact)) else tuple(facts)
    found = []
    for fact in given:
        if isinstance(fact, str):
            if fact not in KINDS:
                raise DeclarationError(
                    f"{fact!r} is no fact that is known", where=here(), help="known: " + ", ".join(KINDS)
                )
            over_axis = fact in ("sums to one", "one hot")
            fact = Fact(fact, axis=rank - 1 if over_axis else None)  # type: ignore[arg-type]
        found.append(fact)
    return frozenset(found)
