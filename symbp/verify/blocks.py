"""What a check compares: each derivative that a derivation holds, and the directions that lead to an entry.

Enters: a derivation. Leaves: `DerivativeBlock`s; for an entry of one, an element of what was differentiated
and the directions along which it was. Must not know: how any method differentiates.

Every derivative is one of a tensor `of` along one direction or two: an entry of a gradient or a Jacobian
along one unit vector, of a Hessian along two, of a Hessian-vector product along a unit vector and the vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation

Array = np.ndarray[Any, Any]
Directions = tuple[Mapping[str, Array], ...]  # of each: tensor ↦ where it moves; all others stay


@dataclass(frozen=True)
class DerivativeBlock:
    """One result of a derivation: `tensor` holds the derivative of `of` by each of `by`, in this order of
    axes; `vector` maps tensors to the leaves that hold their part of the last direction, if that is given."""

    key: str
    tensor: str
    of: str
    by: tuple[str, ...]
    vector: Mapping[str, str]

    @property
    def order(self) -> int:
        return len(self.by) + bool(self.vector)

    def entries(self, size: int, most: int, seed: int) -> list[int]:
        """At most that many flat positions, in order."""
        return sorted(np.random.default_rng(seed).permutation(size)[:most].tolist())

    def at(self, entry: int, values: Mapping[str, Array], one: Any = 1.0) -> tuple[int, Directions]:
        """The element of `of` that an entry differentiates, and the directions."""
        counts = [int(np.asarray(values[name]).size) for name in self.by]
        places = [entry // prod(counts[k + 1 :]) % count for k, count in enumerate(counts)]
        moved: list[Mapping[str, Array]] = []
        for name, place in zip(self.by, places, strict=True):
            unit = np.full(np.shape(values[name]), one * 0)
            unit.flat[place] = one
            moved.append({name: unit})
        if self.vector:
            moved.append({name: values[leaf] for name, leaf in self.vector.items()})
        return entry // prod(counts), tuple(moved)


def blocks(derivation: Derivation) -> tuple[DerivativeBlock, ...]:
    """The results of a derivation, in their order."""
    of = derivation.of or derivation.declared.loss
    assert of is not None
    return tuple(
        DerivativeBlock(key, tensor, of, tuple(key.split(",")), derivation.directions)
        for key, tensor in derivation.gradients.items()
    )


def described(derivation: Derivation) -> str:
    """What the results are, in words."""
    if derivation.directions:
        return "Hessian-vector products"
    if derivation.of is not None:
        return f"derivatives of {derivation.of}"
    return "gradients" if derivation.is_gradient else "gradients and Hessians"


def contracted(whole: Array, block: DerivativeBlock, directions: Directions, *, norm: bool = False) -> Array:
    """A result along the directions of what it was differentiated by, in its own numbers; with `norm` the
    root of the sum of the squares of what is added up there."""
    found = whole**2 if norm else whole
    for name, direction in reversed([*zip(block.by, directions, strict=False)]):
        part = np.asarray(direction[name])
        rest = found.shape[: found.ndim - part.ndim]
        found = np.asarray(found.reshape(*rest, part.size) @ (part.ravel() ** 2 if norm else part.ravel()))
    return np.sqrt(found) if norm else found
