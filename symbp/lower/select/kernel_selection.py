"""One equation as kernels: a matrix product with what its operands need, terms at places, or a statement.

Enters: an equation, the indices that loops around it fix. Leaves: contractions, kernels of linear algebra and
statements, with the buffers that they need. Must not know: targets, loops, the other equations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import sympy

from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, IntegerAccess, Mod, free_indices, unused_name
from symbp.ir.signs import Signs
from symbp.ir.system import FLAT, Equation, System, Tensor
from symbp.lower.passes.contraction_order import associated
from symbp.lower.program import (
    Contraction,
    Cost,
    EquationKernel,
    MatrixKernel,
    Operand,
    leading_positions,
    plain_subscripts,
)
from symbp.lower.select.contraction import BilinearSum, Side, match
from symbp.lower.select.scatter import scattered, selected, terms_of
from symbp.lower.select.solve import Inverse
from symbp.lower.select.symmetric import SymmetricProduct, symmetric_product
from symbp.lower.select.windows import absorbed, banded, fewest_terms, simplified

WORK = {
    "inverse": sympy.Integer(2),
    "det": sympy.Rational(2, 3),
    "logdet": sympy.Rational(2, 3),
    "cholesky": sympy.Rational(1, 3),
}
"""Operations of a factorisation beside n³; of eigenvalues and singular values about 12, as they converge, and
of an order beside n."""


class Pieces:
    """The kernels of single equations, `numbers` giving theirs and `every` those of the whole system; `extra`
    holds the buffers that are no tensor of the system."""

    def __init__(self, system: System, numbers: Mapping[str, int], every: Mapping[str, int]) -> None:
        self.system, self.numbers, self.every = system, numbers, every
        self.extra: dict[str, Tensor] = {}
        self.shapes = {t.name: t.shape for t in system.tensors}
        self.filled: set[str] = set()  # what is computed before the equation at hand
        self.solved: Mapping[str, Inverse] = {}  # inverses that are never made
        self._places: dict[tuple[object, ...], str] = {}  # where a maximum is, by what it is the maximum of

    @cached_property
    def below(self) -> dict[str, Expr]:
        """Integer tensors whose values are known to lie from 0 to below a bound."""
        stated = {t.name: t.fact("below") for t in self.system.tensors if t.integer}
        known = {name: fact.bound for name, fact in stated.items() if fact is not None}
        for equation in self.system.equations:
            if equation.op == "argsort":
                known[equation.target] = equation.extents[equation.reduced[0]]
            if equation.op == "argmax" and not equation.where and equation.reduction is not None:
                component = equation.reduction.component
                among = equation.reduced if component == FLAT else (equation.reduced[component],)
                known[equation.target] = sympy.Mul(*[equation.extents[i] for i in among])
        return known

    @cached_property
    def signs(self) -> Signs:
        return Signs(self.system, self.system.equations)

    def pieces(
        self, equation: Equation, fixed: Mapping[Index, Expr]
    ) -> Iterable[Contraction | MatrixKernel | EquationKernel]:
        """The kernels of one equation: its operands where they need computing, the product, the scaling."""
        number = self.numbers[equation.target]
        if equation.leaf is not None:
            yield from self.matrix_pieces(number, equation, fixed)
            return
        if equation.op == "argmax":
            yield from self.place(number, simplified(equation, self.below), fixed)
            return
        equation, places = self.prepared(equation, fixed)
        if places:
            yield from self.placed(number, equation, places, fixed)
            return
        split = match(equation, self.shapes, fixed)
        if split is None:
            yield from self.apart(number, equation, fixed)
            return
        twice = symmetric_product(split, equation.extents)
        if twice is not None and self.signs.nonnegative(twice.weight):
            yield from self.square(number, equation, split, twice, fixed)
            return
        yield from self.whole(number, equation, split, fixed, symmetric=twice is not None)

    def prepared(
        self, equation: Equation, fixed: Mapping[Index, Expr]
    ) -> tuple[Equation, Mapping[Index, Expr]]:
        """The equation with the fewest terms, and the places at which they are added."""
        equation = absorbed(simplified(equation, self.below), self.shapes, fixed)
        equation, places = scattered(selected(equation), fixed)
        equation, places = banded(simplified(equation, self.below), places, fixed)
        return fewest_terms(equation, places, self.shapes, fixed)

    def split(self, equation: Equation) -> BilinearSum | None:
        """The two operands of an equation outside of loops that is one product, if it is one."""
        if equation.op != "sum":
            return None
        equation, places = self.prepared(equation, {})
        return None if places else match(equation, self.shapes, {})

    def place(self, number: int, equation: Equation, fixed: Mapping[Index, Expr]) -> Iterable[EquationKernel]:
        """The place of a maximum over several indices is found once, as one number, and then taken apart."""
        reduction = equation.reduction
        assert reduction is not None
        key = (equation.indices, reduction.indices, equation.body, equation.where, equation.ranges)
        best = None if fixed else self._maximum(key)
        if reduction.component == FLAT:
            self._places.setdefault(key, equation.target)
        if fixed or len(reduction.indices) == 1 or reduction.component == FLAT:
            yield EquationKernel(number, equation, best=best, also=self._following(equation))
            return
        if key not in self._places:
            stem = best.name if best is not None else equation.target
            self._places[key] = self.buffer(f"{stem}_place", equation.shape, integer=True)
            flat = equation.with_(target=self._places[key], reduction=replace(reduction, component=FLAT))
            yield EquationKernel(number, flat, best=best)
        later = [equation.extents[i] for i in reduction.indices[reduction.component + 1 :]]
        digit = FloorDiv(IntegerAccess(self._places[key], *equation.indices), sympy.Mul(*later))
        if reduction.component > 0:
            digit = Mod(digit, equation.extents[reduction.indices[reduction.component]])
        body = digit
        if equation.where and reduction.component > 0:  # nowhere, −1, is nowhere along every index
            found = Guard("<=", 0, IntegerAccess(self._places[key], *equation.indices))
            body = found * digit - found.complement()
        yield EquationKernel(
            number, equation.with_(body=body, where=(), reduction=None, ranges=equation.shape)
        )

    def _following(self, equation: Equation) -> tuple[int, ...]:
        """The numbers of equations for components of this place that nothing needs."""
        reduction = equation.reduction
        if reduction is None or reduction.component != FLAT:
            return ()
        body = self.system.defining[equation.target].body
        return tuple(
            self.every[e.target]
            for e in self.system.equations
            if e.op == "argmax" and e.target not in self.numbers
            and (e.indices, e.reduced, e.body) == (equation.indices, reduction.indices, body)
            and self.every[e.target] != self.numbers[equation.target]
        )  # fmt: skip

    def _maximum(self, key: tuple[object, ...]) -> Access | None:
        """A tensor that holds the maximum of a body over indices, computed before."""
        for other in self.system.equations:
            if other.op == "max" and other.target in self.filled and not other.where:
                reduced = other.reduced
                if key == (other.indices, reduced, other.body, other.where, other.ranges):
                    return Access(other.target, *other.indices)
        return None

    def whole(
        self,
        number: int,
        equation: Equation,
        split: BilinearSum,
        fixed: Mapping[Index, Expr],
        symmetric: bool = False,
    ) -> Iterable[Contraction | EquationKernel]:
        """The operands that need computing, then the product."""
        operands = []
        for side, name in ((split.left, "left"), (split.right, "right")):
            if side.array is None:
                statement = self.operand(number, equation, side, name)
                yield statement
                operands.append(Operand(statement.target, side.indices))
            else:
                operands.append(self.array(side))
        yield from self.product(number, equation, split, operands, fixed, symmetric)

    def square(
        self,
        number: int,
        equation: Equation,
        split: BilinearSum,
        twice: SymmetricProduct,
        fixed: Mapping[Index, Expr],
    ) -> Iterable[Contraction | EquationKernel]:
        """`ZᵀZ` of `Z = √weight·X`: one array stands on both sides."""
        side = twice.side
        weight = twice.weight
        if weight.args and not isinstance(weight, Access):
            indices = tuple(i for i in side.indices if i in free_indices(weight))
            statement = replace(self.operand(number, equation, Side(weight, indices), "weight"), inline=False)
            yield statement
            weight = Access(statement.target, *indices)
        if weight != 1:
            side = Side(side.body * sympy.sqrt(weight), side.indices)
        if side.array is None:
            statement = replace(self.operand(number, equation, side, "factor"), inline=False)
            yield statement
            left = Operand(statement.target, side.indices)
        else:
            left = self.array(side)
        operands = [left, replace(left, indices=twice.mirrored)]
        yield from self.product(number, equation, split, operands, fixed, symmetric=True)

    def apart(
        self, number: int, equation: Equation, fixed: Mapping[Index, Expr]
    ) -> Iterable[Contraction | EquationKernel]:
        """What is no matrix product: products of three and more factors two at a time, else a statement."""

        def part(axes: tuple[Index, ...]) -> str:
            return self.buffer(f"{equation.target}_part", tuple(equation.extents[i] for i in axes))

        parts, rest = associated(equation, fixed, part)
        for one in (*parts, rest):
            split = match(one, self.shapes, fixed)
            if split is None:
                yield EquationKernel(number, one)
            else:
                yield from self.whole(number, one, split, fixed)

    def placed(
        self, number: int, equation: Equation, places: Mapping[Index, Expr], fixed: Mapping[Index, Expr]
    ) -> Iterable[Contraction | EquationKernel]:
        """A sum whose terms say where they go; a product that they sum over is multiplied out before."""
        terms, summed = terms_of(equation, places)
        split = match(terms, self.shapes, fixed) if summed else None
        if split is None or split.scale.atoms(Guard):
            yield EquationKernel(number, equation, at=tuple(places.items()))
            return
        scratch = self.buffer(f"{equation.target}_terms", terms.shape)
        yield from self.whole(number, terms.with_(target=scratch), split, fixed)
        kept = tuple(i for i in equation.reduced if i in terms.indices)
        assert equation.reduction is not None
        added = equation.with_(
            body=Access(scratch, *terms.indices),
            reduction=replace(equation.reduction, indices=kept),
            ranges=tuple(equation.extents[i] for i in (*equation.indices, *kept)),
        )
        yield EquationKernel(number, added, at=tuple(places.items()))

    def matrix_pieces(
        self, number: int, equation: Equation, fixed: Mapping[Index, Expr]
    ) -> Iterable[MatrixKernel | EquationKernel]:
        """The kernel of a leaf of linear algebra, after its matrix where that needs computing."""
        assert equation.op is not None
        place = equation.indices[: len(equation.indices) - len(equation.result)]
        batch = tuple(i for i in place if i not in fixed)
        side = Side(equation.body, (*batch, *equation.reduced))
        operand = self.matrix(equation, side, fixed)
        solved = self.solved.get(equation.target)
        if solved is not None and solved.matrix:
            return
        if operand is None:
            statement = self.operand(number, equation, side, "matrix")
            yield replace(statement, inline=solved is None or solved.products == 1)
            operand = Operand(statement.target, side.indices)
            if solved is not None:
                self.solved = {**self.solved, equation.target: replace(solved, matrix=operand.name)}
                return
        assert equation.leaf is not None
        elements = sympy.Mul(*[equation.extents[i] for i in equation.reduced])
        count = sympy.Mul(*[equation.extents[i] for i in batch], *fixed.values())
        work = WORK.get(equation.op, sympy.Integer(12))
        work *= equation.extents[equation.reduced[-1]] if equation.leaf.axes > 1 else 1
        cost = Cost(sympy.expand(count * work * elements), sympy.expand(2 * count * elements))
        values = equation.extents[equation.result[-1]] if "value" in equation.leaf.result else None
        yield MatrixKernel(
            number, equation.target, equation.op, place, batch, operand, dict(equation.extents), cost, values
        )

    def matrix(self, equation: Equation, side: Side, fixed: Mapping[Index, Expr]) -> Operand | None:
        """The matrix of a leaf, at the positions of the loops around, if an array holds it as it stands."""
        body = side.body
        if not isinstance(body, Access) or isinstance(body, IntegerAccess):
            return None
        first = leading_positions(body, fixed)
        extents = {**equation.extents, **fixed}
        ranges = list(zip(body.subscripts, self.shapes[body.name], strict=True))
        if plain_subscripts(body, first) != side.indices:
            return None
        if any(sympy.expand(extents[i] - n) != 0 for i, n in ranges[first:]):
            return None  # a part of an array
        if any(within(s, n, extents) for s, n in ranges[:first]):
            return None
        return Operand(body.name, side.indices, body.subscripts[:first])

    def product(
        self,
        number: int,
        equation: Equation,
        split: BilinearSum,
        operands: Sequence[Operand],
        fixed: Mapping[Index, Expr],
        symmetric: bool = False,
    ) -> Iterable[Contraction | EquationKernel]:
        """The product into the target, then scaled; into scratch first where it is only a part of the target:
        one step of a loop, what a guard selects, what is the same along an axis, another order of axes."""
        if split.plain == equation.indices and not split.scale.atoms(Guard):
            product = self.contraction(number, equation.target, equation, split, operands, fixed)
            yield replace(product, symmetric=symmetric)
            if split.scale != 1:
                scaling = equation.with_(body=split.scale, reduction=None, ranges=equation.shape)
                yield EquationKernel(number, scaling, scaling=True)
            return
        scratch = self.buffer(f"{equation.target}_product", tuple(equation.extents[i] for i in split.plain))
        product = self.contraction(number, scratch, equation, split, operands, fixed)
        yield replace(product, inline=True, symmetric=symmetric)
        body = split.scale * Access(scratch, *split.plain)
        yield EquationKernel(number, equation.with_(body=body, reduction=None, ranges=equation.shape))

    def operand(self, number: int, equation: Equation, side: Side, name: str) -> EquationKernel:
        """An operand that must be computed before the product."""
        shape = tuple(equation.extents[i] for i in side.indices)
        if isinstance(side.body, Access) and any(
            len(free_indices(s) & set(side.indices)) > 1 for s in side.body.subscripts
        ):
            name = "windows"
        target = self.buffer(f"{equation.target}_{name}", shape)
        return EquationKernel(number, Equation(target, side.indices, side.body, ranges=shape), inline=True)

    def buffer(self, name: str, shape: tuple[Expr, ...], integer: bool = False) -> str:
        """A new buffer called like `name`."""
        name = unused_name(name, self.shapes)
        self.extra[name] = Tensor(name, shape, integer=integer)
        self.shapes[name] = shape
        return name

    def array(self, side: Side) -> Operand:
        """An operand that is an array as it stands, or the matrix of an inverse that is never made."""
        assert side.array is not None
        solved = self.solved.get(side.array.name)
        if solved is not None:
            *batch, row, column = side.indices
            indices = (*batch, column, row) if solved.turned else side.indices
            return Operand(solved.matrix, indices, (), "lower" if solved.triangular else "general")
        first = len(side.array.subscripts) - len(side.indices)
        return Operand(side.array.name, side.indices, side.array.subscripts[:first])

    def contraction(
        self,
        number: int,
        target: str,
        equation: Equation,
        split: BilinearSum,
        operands: Sequence[Operand],
        fixed: Mapping[Index, Expr],
    ) -> Contraction:
        """The product, or the solution where one operand is the matrix of an inverse, with its cost."""
        extents, steps = equation.extents, sympy.Mul(*fixed.values())
        flops = 2 * sympy.Mul(*[extents[i] for i in split.plain + split.summed])
        inverted = next((o.inverted for o in operands if o.inverted), "")
        if inverted == "general":
            n, count = extents[split.summed[0]], sympy.Mul(*[extents[i] for i in split.batch])
            flops += sympy.Rational(2, 3) * count * n**3
        elif inverted:
            flops /= 2
        moved = sum(
            (sympy.Mul(*[extents[i] for i in indices])
             for indices in (operands[0].indices, operands[1].indices, split.plain)),
            sympy.Integer(0),
        )  # fmt: skip
        sides = [side.array.name for side in (split.left, split.right) if side.array is not None]
        return Contraction(
            number, target, split.batch, split.rows, split.summed, split.columns,
            operands[0], operands[1], dict(extents),
            Cost(sympy.expand(flops * steps), sympy.expand(moved * steps)),
            inverses=tuple(self.numbers[name] for name in sides if name in self.solved),
        )  # fmt: skip
