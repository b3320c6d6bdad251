"""What the lines of a NumPy stage share: names, shapes, the loops around, what is written where it is used.

Enters: tensors and names. Leaves: spellings of bodies in a frame. Must not know: kernels, stages, ops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbp.emit.names import Names
from symbp.emit.numpy.arrays import ArraySpelling
from symbp.emit.spelling import ADD, ATOM, Written
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

    def reduced(self, spelling: ArraySpelling, value: Written, equation: Equation, method: str) -> Written:
        """A sum, product or maximum over the reduced axes of a value."""
        missing = [i for i in equation.reduced if i not in value.axes]
        value = spelling.cast(value) if method != "sum" or value.kind == "number" else value
        if missing:  # the body does not depend on these indices
            if method == "sum":
                count = spelling.write(sympy.Mul(*[equation.extents[i] for i in missing]))
                value = spelling._over([value, count], [])
            elif method == "prod":
                power = spelling.write(sympy.Mul(*[equation.extents[i] for i in missing]))
                value = Written(f"{value.at_least(ATOM)}**{power.at_least(ATOM)}", ADD, value.axes)
        axes = [k for k, i in enumerate(value.axes) if i in equation.reduced]
        kept = tuple(i for i in value.axes if i not in equation.reduced)
        if not axes:
            return value
        which = "" if not kept else str(axes[0]) if len(axes) == 1 else str(tuple(axes))
        kind = value.kind if value.kind != "bool" else "integer"
        return Written(f"{value.at_least(ATOM)}.{method}({which})", ATOM, kept, kind)

    def part(self, equation: Equation) -> str:
        """The subscripts of the part of a target that is filled at this step."""
        parts = [self.loops.get(i, ":") for i in equation.indices]
        while parts and parts[-1] == ":":
            parts.pop()
        return ", ".join(parts) or "..."
