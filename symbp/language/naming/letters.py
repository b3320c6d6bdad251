"""Index letters: n for the batch, then i, j, k, …, one letter for one size wherever that is possible.

Enters: the equations of a network over nodes, with anonymous indices. Leaves: a letter for each index.
Must not know: ops by name, how tensors get their names.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from symbp.errors import DeclarationError
from symbp.ir.expr import Expr, Index
from symbp.ir.system import Equation, Role
from symbp.language.node import Node

BATCH, OTHERS = "n", "ijklmqrsuv"


class Letters:
    """The letters of one network. A definition keeps the letters that its author chose."""

    def __init__(
        self,
        leaves: Sequence[Node],
        computed: Sequence[Node],
        bodies: Mapping[int, Equation],
        extent: Callable[[Expr], Expr],
        taken: Collection[str],
    ) -> None:
        self._bodies, self._extent, self._taken = bodies, extent, frozenset(taken)
        self._preferred: dict[Expr, str] = {}
        for node in computed:
            if node.lettered:
                self._keep(node)
        for leaf in leaves:
            if leaf.role is Role.TARGET or (leaf.role is Role.INPUT and leaf.rank > 1):
                if leaf.rank and BATCH not in self._taken:
                    self._prefer(leaf.shape[0], BATCH)
                break
        first = sorted(leaves, key=lambda leaf: leaf.role is Role.TARGET)  # targets come last on paper
        for extents in [leaf.shape for leaf in first] + [bodies[n.serial].ranges for n in computed]:
            for one in extents:
                used = set(self._preferred.values())
                self._prefer(one, next(c for c in self._free() if c not in used))

    def of(self, node: Node) -> dict[Index, Index]:
        """The final index for each index of the node's equation, all distinct."""
        equation = self._bodies[node.serial]
        if node.lettered:
            return {}
        found: dict[Index, Index] = {}
        reserved = {self._preferred[self._extent(e)] for e in equation.ranges}
        used: set[str] = set()
        for index, extent in equation.extents.items():
            letter = self._preferred[self._extent(extent)]
            if letter in used:
                letter = next(c for c in self._free() if c not in used and c not in reserved)
            used.add(letter)
            found[index] = Index(letter)
        return found

    def _keep(self, node: Node) -> None:
        for index, extent in self._bodies[node.serial].extents.items():
            if index.name in self._taken:
                raise DeclarationError(
                    f"{index.name} is both an index and a tensor",
                    where=node.origin,
                    help="give the index or the tensor another name",
                )
            if index.name not in self._preferred.values():
                self._prefer(extent, index.name)

    def _prefer(self, extent: Expr, letter: str) -> None:
        self._preferred.setdefault(self._extent(extent), letter)

    def _free(self) -> Iterator[str]:
        numbered = (f"i{k}" for k in itertools.count(1))
        return (c for c in itertools.chain(OTHERS, numbered) if c not in self._taken)
