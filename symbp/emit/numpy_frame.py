"""What the lines of a NumPy stage share: names, shapes, the loops around, what is written where it is used.

Enters: tensors and names. Leaves: spellings of bodies in a frame. Must not know: kernels, stages, ops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbp.emit.arrays import ArraySpelling
from symbp.emit.names import Names
from symbp.emit.spelling import Written
from symbp.ir.expr import Expr, Index
from symbp.ir.system import Equation, Tensor


class NumpyFrame:
    """What the lines of one stage share; `helpers` collects the functions that they call."""

    def __init__(self, tensors: Mapping[str, Tensor], names: Names, out: frozenset[str]) -> None:
        self.shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self.integers = frozenset(name for name, tensor in tensors.items() if tensor.integer)
        self.tensors, self.names, self.out = tensors, names, out
        self.helpers: set[str] = set()
        self.inlined: dict[str, tuple[tuple[Index, ...], Expr]] = {}
        self.products: dict[str, Written] = {}
        self.loops: dict[Index, str] = {}  # the loops around: their names, and how far they run
        self.steps: dict[Index, Expr] = {}

    def spelling(self, frame: tuple[Index, ...], extents: Mapping[Index, Expr], where: str) -> ArraySpelling:
        frame = tuple(i for i in frame if i not in self.loops)
        known = {**extents, **self.steps}
        spelling = ArraySpelling(frame, known, self.shapes, self.names.tensors, where, self.loops)
        spelling.inlined, spelling.products = self.inlined, self.products
        return spelling

    def plain(self, equation: Equation) -> tuple[Index, ...]:
        """The plain indices that no loop around fixes."""
        return tuple(i for i in equation.indices if i not in self.loops)

    def shape(self, extents: Sequence[Expr]) -> str:
        return f"({', '.join(map(self.extent, extents))}{',' if len(extents) == 1 else ''})"

    def extent(self, extent: Expr) -> str:
        return ArraySpelling((), {}, {}, {}).integer(extent).text
