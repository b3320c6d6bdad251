"""The value of a printed equation in matrix notation at given arrays.

Enters: the tree of an equation, arrays by name, what a page says of indices, axes and labels. Leaves: an
array. Must not know: where an equation comes from, or how its value is computed elsewhere.

Shapes are as strict as on a blackboard (`matrix_algebra`). Where a bracket is 0, what it multiplies isn't
looked at; beyond the range of a subscript is what stands behind `|`, else 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbp.errors import FormulaError
from symbp.read.grammar.axes import Subscript, standing
from symbp.read.grammar.matrix_algebra import (
    COMPARED,
    MATRIX_FUNCTIONS,
    OPERATIONS,
    SEVERAL,
    Array,
    Value,
    elementwise,
    full,
    laid,
    number,
    of_array,
    of_each,
    square,
)
from symbp.read.grammar.syntax import (
    Bracket,
    Call,
    MatrixEquation,
    Name,
    Number,
    Ones,
    Power,
    Product,
    Read,
    Reduction,
    Relation,
    Subscripted,
    Total,
    Transpose,
    Tree,
)
from symbp.read.grammar.values import CONSTANTS, FUNCTIONS

OF_EXAMPLES = ("softmax", "log_softmax", "logsumexp")  # taken of each example, a row or a column


@dataclass(frozen=True)
class Facts:
    """What a page says: `sizes`; of each of the `indices` its length, as text and as a number; the lengths of
    the axes of tensors, as text, in `shapes`; how many values labels have, as text and as a number, in
    `bounds`. Indices, subscripts, labels and places of maxima start at `origin`. With `columns` examples are
    columns: the `transposed` tensors are shown so wherever they are matrices, but not over the pairs of axes
    that are their `images`, and functions of each example are those of each column."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    indices: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    shapes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bounds: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    origin: int = 0
    columns: bool = False
    transposed: Collection[str] = ()
    images: Mapping[str, Collection[tuple[int, int]]] = field(default_factory=dict)

    def turned(self, tensor: str, place: Sequence[int | None]) -> bool:
        """Whether a tensor is shown transposed, over the axes without a number."""
        left = tuple(axis for axis, k in enumerate(place) if k is None)
        return len(left) == 2 and tensor in self.transposed and left not in self.images.get(tensor, ())


def evaluate_matrix(equation: MatrixEquation, arrays: Mapping[str, ArrayLike], facts: Facts) -> Array:
    """The array that the equation defines, nan where it defines nothing: a subscript may be a number.

    Raises FormulaError: shapes that don't fit, a name without a value, a function that isn't evaluated.
    """
    values = _Values({name: np.asarray(array) for name, array in arrays.items()}, facts)
    left = equation.left
    tensor = left.arguments[0] if isinstance(left, Call) else left if isinstance(left, Name) else left.tensor
    if not isinstance(tensor, Name) or tensor.name not in values.arrays:
        raise FormulaError("nothing says which shape the tensor on the left has")
    found = np.full(values.arrays[tensor.name].shape, math.nan)
    with np.errstate(all="ignore"):
        if not isinstance(left, Subscripted):
            flat = (*found.shape[:1], math.prod(found.shape[1:]))
            body = values.value(equation.body)
            turned = facts.turned(tensor.name, [None] * found.ndim)
            if turned or (facts.columns and isinstance(left, Call)):
                body = body.turned
            return laid(body, flat if isinstance(left, Call) else found.shape).reshape(found.shape)
        for at in values.everywhere(left):
            values.at = at
            if equation.condition is not None and not values.holds(equation.condition):
                continue
            place = values.place(left)
            part = found[tuple(slice(None) if k is None else k for k in place)]
            body = values.value(equation.body)
            body = body.turned if facts.turned(tensor.name, place) else body
            found[tuple(slice(None) if k is None else k for k in place)] = laid(body, np.shape(part))
    return found


# --- trees
class _Values:
    def __init__(self, arrays: Mapping[str, NDArray[Any]], facts: Facts) -> None:
        self.arrays, self.facts = arrays, facts
        self.at: dict[str, int] = {}

    def everywhere(self, left: Subscripted) -> Iterator[dict[str, int]]:
        """All values of the indices on the left."""
        names = [s.name for s in left.subscripts if isinstance(s, Name) and s.name in self.facts.indices]
        for place in itertools.product(*(self.run(name) for name in names)):
            yield dict(zip(names, place, strict=True))

    def run(self, index: str) -> range:
        """The values of an index."""
        return range(self.facts.origin, self.facts.origin + self.facts.indices[index][1])

    def value(self, node: Tree) -> Value:
        match node:
            case Number(value=value):
                return number(float(value))
            case Name(name=name):
                return self.name(name)
            case Subscripted():
                return self.subscripted(node)
            case Ones():
                return Value(np.ones((1, 1)), "any", "one")
            case Total(terms=terms):
                return self.total(terms)
            case Product():
                return self.product(node)
            case Transpose(operand=operand):
                return self.value(operand).turned
            case Power(base=base, exponent=exponent, elementwise=each):
                return self.power(self.value(base), self.value(exponent), each)
            case Bracket(relation=relation):
                return self.bracket(relation)
            case Reduction(op="sum"):
                return self.summed(node)
            case Read():
                return self.read(node)
            case Call(function=function, arguments=arguments):
                return self.call(function, arguments)
            case _:
                raise FormulaError(f"{type(node).__name__} has no value in matrix notation: {node}")

    def bracket(self, relation: Relation) -> Value:
        found = elementwise(COMPARED[relation.op], self.value(relation.left), self.value(relation.right))
        return replace(found, array=found.array.astype(float))

    def holds(self, condition: Relation) -> bool:
        """Whether a condition on the subscripts holds."""
        found = self.bracket(condition)
        if not found.is_number:
            raise FormulaError("a condition behind an equation is about its subscripts")
        return bool(found.array[0, 0])

    def number(self, node: Tree) -> int:
        value = self.value(node)
        if not value.is_number:
            raise FormulaError("a subscript is a number")
        return round(float(value.array[0, 0]))

    def name(self, name: str) -> Value:
        if name in self.at:
            return number(self.at[name])
        if name in self.facts.sizes:
            return number(self.facts.sizes[name])
        if name in self.arrays:
            array = self.arrays[name]
            turned = self.facts.turned(name, [None] * array.ndim)
            return of_array(array).turned if turned else of_array(array)
        if name == "I":
            return square(np.eye)
        if name in CONSTANTS:
            return number(CONSTANTS[name])
        raise FormulaError(f"{name} has no value here")

    def total(self, terms: Sequence[tuple[bool, Tree]]) -> Value:
        found: Value | None = None
        for negative, term in terms:
            value = self.value(term)
            value = elementwise(np.multiply, number(-1), value) if negative else value
            found = value if found is None else elementwise(np.add, found, value)
        assert found is not None
        return found

    def product(self, node: Product) -> Value:
        """Where a bracket that is a number is 0, nothing else is looked at."""
        factors: list[tuple[str, Tree]] = []
        first: Tree = node
        while isinstance(first, Product):
            factors.append((first.op, first.right))
            first = first.left
        over = [first, *(right for op, right in factors if op in ("·", "*", "⊙"))]
        for bracket in (f for f in over if isinstance(f, Bracket)):
            value = self.value(bracket)
            if value.is_number and not value.array[0, 0]:
                return number(0.0)
        found, mask = self.value(first), isinstance(first, Bracket)
        for op, right in reversed(factors):
            value = self.value(right)
            combined = OPERATIONS[op](found, value)
            sides = (found, mask, value), (value, isinstance(right, Bracket), found)
            for side, given, beside in sides:
                if given and not side.is_number and (op in ("⊙", "⊘") or beside.is_number):
                    combined = replace(combined, array=np.where(side.array != 0, combined.array, 0.0))
            found, mask = combined, mask and op in ("⊙", "⊘") and isinstance(right, Bracket)
        return found

    def power(self, base: Value, exponent: Value, each: bool) -> Value:
        if not exponent.is_number:
            raise FormulaError("an exponent is a number")
        power = float(exponent.array[0, 0])
        made = base.square
        if made is not None and power == -1 and not each:
            return square(lambda n: np.asarray(np.linalg.inv(made(n))))
        if base.is_number or each:
            return replace(base, array=np.power(base.array, power))
        if power == -1:
            return Value(np.asarray(np.linalg.inv(full(base).array), float), "all", "all")
        raise FormulaError("a matrix has no power but its inverse here")

    def summed(self, node: Reduction) -> Value:
        before, found = self.at, number(0.0)
        if node.conditions:
            raise FormulaError("a sum over subscripts has no conditions here")
        missing = [name for name in node.indices if name not in self.facts.indices]
        if missing:
            raise FormulaError(f"nothing says how far the index {missing[0]} runs")
        first = True
        for place in itertools.product(*(self.run(name) for name in node.indices)):
            self.at = before | dict(zip(node.indices, place, strict=True))
            value = self.value(node.body)
            found, first = value if first else elementwise(np.add, found, value), False
        self.at = before
        return found

    # --- tensors
    def subscript(self, node: Tree) -> int:
        """Where a subscript lies in an array."""
        return self.number(node) - self.facts.origin

    def place(self, node: Subscripted) -> tuple[int | None, ...]:
        """A place, or None, for each axis of the tensor."""
        name = node.tensor.name
        if name not in self.arrays:
            raise FormulaError(f"{name} has no value here")
        rank = self.arrays[name].ndim
        if None in node.subscripts or len(node.subscripts) == rank:
            if len(node.subscripts) != rank:
                raise FormulaError(f"{len(node.subscripts)} subscripts of a tensor with {rank} axes")
            return tuple(None if s is None else self.subscript(s) for s in node.subscripts)
        subscripts = [s for s in node.subscripts if s is not None]
        shape = self.facts.shapes.get(name, ())
        axes = standing([self.described(s) for s in subscripts], shape) if len(shape) == rank else None
        if axes is None:
            raise FormulaError(f"the subscripts of {name} fit none of its axes")
        found: list[int | None] = [None] * rank
        for axis, subscript in zip(axes, subscripts, strict=True):
            found[axis] = self.subscript(subscript)
        return tuple(found)

    def described(self, node: Tree) -> Subscript:
        """What a reader sees of a subscript: which lengths its indices have, a label's values counted as
        those, and which sizes are in it."""
        lengths, sizes = set[str](), set[str]()

        def look(tree: Tree) -> None:
            if isinstance(tree, (Subscripted, Read)) and isinstance(tree.tensor, Name):
                bound = self.facts.bounds.get(tree.tensor.name)
                lengths.update([bound[0]] if bound is not None else [])
                return
            if isinstance(tree, Name) and tree.name in self.facts.indices:
                lengths.add(self.facts.indices[tree.name][0])
            elif isinstance(tree, Name) and tree.name in self.facts.sizes:
                sizes.add(tree.name)
            for child in tree.children():
                look(child)

        look(node)
        return Subscript(frozenset(lengths), frozenset(sizes))

    def subscripted(self, node: Subscripted) -> Value:
        if node.tensor.name == "I" and "I" not in self.arrays:
            (size,) = node.subscripts
            return Value(np.eye(self.number(size) if size is not None else 0), "all", "all")
        array, place = self.arrays.get(node.tensor.name), self.place(node)
        assert array is not None
        beyond = any(k is not None and not 0 <= k < n for k, n in zip(place, array.shape, strict=True))
        if beyond and node.outside is not None:
            return self.value(node.outside)
        if beyond:
            found = of_array(np.zeros([n for k, n in zip(place, array.shape, strict=True) if k is None]))
        else:
            found = of_array(array[tuple(slice(None) if k is None else k for k in place)])
        return found.turned if self.facts.turned(node.tensor.name, place) else found

    def read(self, node: Read) -> Value:
        """`y[n,t]`, an element, or `E[y]`, the rows that labels select."""
        if len(node.subscripts) == 1 and self.value(node.subscripts[0]).is_vector:
            labels = self.value(node.subscripts[0]).array[:, 0].round().astype(int) - self.facts.origin
            matrix = full(self.value(node.tensor))
            if labels.min() < 0 or labels.max() >= len(matrix.array):
                raise FormulaError("a label selects no row")
            return replace(matrix, array=matrix.array[labels])
        if not isinstance(node.tensor, Name):
            raise FormulaError("only a tensor has elements")
        return self.subscripted(Subscripted(node.span, node.tensor, node.subscripts, node.outside))

    def call(self, function: str, arguments: Sequence[Tree]) -> Value:
        first = arguments[0]
        if function == "range":
            return Value(np.arange(float(self.number(first)))[:, None], "all", "one")
        if function == "flatten" and isinstance(first, Name):
            array = np.asarray(self.arrays[first.name], dtype=float)
            flat = Value(array.reshape(len(array), -1), "all", "all")
            return flat.turned if self.facts.columns else flat
        if function == "onehot":
            return self.one_hot(first)
        values = [self.value(argument) for argument in arguments]
        if len(values) > 1 and function not in SEVERAL:
            raise FormulaError(f"{function} is taken of one value")
        if function in OF_EXAMPLES and self.facts.columns and not values[0].is_vector:
            found = MATRIX_FUNCTIONS[function](values[0].turned)
            return found if function == "logsumexp" else found.turned
        if function in MATRIX_FUNCTIONS:
            found = MATRIX_FUNCTIONS[function](*values)
            places = function.endswith("argmax")
            return replace(found, array=found.array + self.facts.origin) if places else found
        if function not in FUNCTIONS:
            raise FormulaError(f"{function} is no function that is evaluated")
        return replace(values[0], array=of_each(function, values[0].array))

    def one_hot(self, labels: Tree) -> Value:
        """A row for each label that is 1 at it; of one label a vector."""
        tensor = labels.tensor if isinstance(labels, Subscripted) else labels
        if not isinstance(tensor, Name) or tensor.name not in self.facts.bounds:
            raise FormulaError("nothing says what these labels are below")
        value = self.value(labels)
        places = np.arange(self.facts.bounds[tensor.name][1]) + self.facts.origin
        found = (value.array == places).astype(float)
        if value.is_number:
            return Value(found.T, "all", "one")
        if not value.is_vector:
            raise FormulaError("labels are a vector, or one number")
        rows = Value(found, "all", "all")
        return rows.turned if self.facts.columns else rows
