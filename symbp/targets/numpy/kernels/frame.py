"""What the lines of a NumPy stage share: names, shapes, the loops around, what is written where it is used.

Enters: tensors and names. Leaves: spellings of bodies in a frame. Must not know: kernels, stages, ops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.codegen import infer, tree
from symbp.codegen.spelling.elements import size
from symbp.codegen.spelling.written import DTYPES, Written
from symbp.ir.expr import Expr, Index
from symbp.ir.system import Equation, Tensor
from symbp.targets.compiled.names import Names
from symbp.targets.numpy.kernels.arrays import DTYPE, INT64, ArraySpelling, part_of


class NumpyFrame:
    """What the lines of one stage share; `helpers` collects the functions that they call."""

    def __init__(self, tensors: Mapping[str, Tensor], names: Names, out: frozenset[str]) -> None:
        self.shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self.integers = frozenset(name for name, tensor in tensors.items() if tensor.integer)
        self.tensors, self.names, self.out = tensors, names, out
        self.helpers: set[str] = set()
        self.inlined: dict[str, tuple[tuple[Index, ...], Expr]] = {}
        self.products: dict[str, Written] = {}
        self.loops: dict[Index, tree.Expression] = {}  # the loops around: their names, and how far they run
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

    def tensor(self, name: str) -> tree.Name:
        """The array of a tensor."""
        kind: tree.DType = "integer" if name in self.integers else "real"
        return infer.name(self.names.tensors[name], self.shapes.get(name, ()), kind)

    def made(
        self, function: str, shape: Sequence[Expr], *value: tree.Expression, integer: bool = False
    ) -> tree.Expression:
        """`np.empty(shape, DTYPE)`."""
        kind = INT64 if integer else DTYPE
        dtype: tree.DType = "integer" if integer else "real"
        return infer.call(function, self.shape(shape), *value, kind, shape=shape, dtype=dtype)

    def shape(self, extents: Sequence[Expr]) -> tree.Expression:
        return infer.tuple_of(*map(self.extent, extents))

    def extent(self, extent: Expr) -> tree.Expression:
        return size(extent)

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
                value = Written(infer.binary("**", value.node, power.node), value.axes)
        axes = [k for k, i in enumerate(value.axes) if i in equation.reduced]
        kept = tuple(i for i in value.axes if i not in equation.reduced)
        if not axes:
            return value
        kind = value.kind if value.kind != "bool" else "integer"
        return Written(infer.reduced(method, value.node, tuple(axes), DTYPES[kind]), kept, kind)

    def part(self, equation: Equation) -> tree.Expression:
        """The part of a target that is filled at this step: `z[t]`, or `z[...]`."""
        array = self.tensor(equation.target)
        items: list[tree.Node] = [self.loops.get(i, tree.Slice()) for i in equation.indices]
        shape = [e for i, e in zip(equation.indices, equation.shape, strict=True) if i not in self.loops]
        part = part_of(array, items, shape)
        return infer.sliced(array, [tree.Rest()], shape) if part is array else part


def numbered(statements: Iterable[tree.Statement], numbers: tuple[int, ...]) -> Iterator[tree.Statement]:
    """Statements with the numbers of the equations that they compute."""
    return (
        replace(s, equations=numbers) if isinstance(s, (tree.Assign, tree.Effect)) else s for s in statements
    )
