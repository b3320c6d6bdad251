"""What an answer means at a place: its tree as an array.

Enters: a tree, what names stand for, a place with values. Leaves: a `Value`, or why there is none: `Misfit`
where shapes don't fit, FormulaError where a name or a function isn't known.
Must not know: what the answer is compared with.

Labels that are calculated with stand for rows of zeros and a 1 at the label, as textbooks write p − y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from symbp.errors import FormulaError, meant
from symbp.read.grammar.places import error_at
from symbp.read.grammar.syntax import (
    Bracket,
    Call,
    Einsum,
    Name,
    Number,
    Ones,
    Power,
    Product,
    Read,
    Reduction,
    Subscripted,
    Total,
    Transpose,
    Tree,
)
from symbp.verify.grading.calls import call
from symbp.verify.grading.conditions import bracket, compared, constant, unknown
from symbp.verify.grading.functions import Functions
from symbp.verify.grading.key import SheetAtPoint
from symbp.verify.grading.matrices import correlated, of_matrix
from symbp.verify.grading.names import Names
from symbp.verify.grading.reads import read
from symbp.verify.grading.reductions import einsum, reduce, reduction
from symbp.verify.grading.values import (
    Array,
    Clock,
    Misfit,
    Numbers,
    Value,
    plain,
    product,
    together,
    turned,
)

WHOLE_NUMBER = 10**6  # up to it a number may be a subscript
Scope = Mapping[str, int]  # the indices that have a meaning here, and how far they run


@dataclass(frozen=True)
class Meaning:
    """Trees of one answer at one place; `text` is for messages, `loose` whether it is written as code."""

    text: str
    names: Names
    place: SheetAtPoint
    clock: Clock
    loose: bool = False
    notes: set[str] = field(default_factory=set)
    kept: dict[tuple[int, tuple[tuple[str, int], ...]], tuple[Tree, Value]] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> Numbers:
        return Numbers(self.place.point.domain)

    @cached_property
    def functions(self) -> Functions:
        zero = self.numbers.rational(Fraction(0))
        return Functions(self.numbers, lambda x: compared(self, unknown(self), "<", zero, x))

    def error(self, node: Tree, what: str, help: str | None = None) -> FormulaError:
        return error_at(self.text, node.span, what, help=help)

    def value(self, node: Tree, scope: Scope) -> Value:
        """The value of a part, kept for the next tree that has it."""
        key = id(node), tuple(sorted(scope.items()))
        if key not in self.kept:
            self.clock.check()
            self.kept[key] = node, self._value(node, scope)
        return self.kept[key][1]

    def real(self, node: Tree, scope: Scope) -> Value:
        """The value as elements of the domain."""
        return self.calculated(self.value(node, scope), node)

    def calculated(self, value: Value, node: Tree) -> Value:
        if value.labels is not None:
            return self.one_hot(value, node)
        return self.numbers.lifted(value)

    def _value(self, node: Tree, scope: Scope) -> Value:
        match node:
            case Number(value=value):
                return self.number(value)
            case Name():
                return self.name(node, scope)
            case Ones():
                return Value(self.numbers.array(np.ones(1, dtype=int)), (), (True,), integer=True)
            case Total():
                return self.total(node, scope)
            case Product():
                return self.product(node, scope)
            case Power():
                return self.power(node, scope)
            case Transpose(operand=operand):
                return turned(self.real(operand, scope))
            case Call():
                return call(self, node, scope)
            case Read() | Subscripted():
                return read(self, node, scope)
            case Bracket(relation=relation):
                return bracket(self, relation, scope)
            case Einsum(operands=operands):
                return einsum(node, [self.real(operand, scope) for operand in operands], self.numbers)
            case Reduction():
                return reduction(self, node, scope)
            case _:
                raise self.error(node, "this has no meaning in an answer")

    # --- leaves
    def number(self, value: Fraction) -> Value:
        if value.denominator == 1 and abs(value) <= WHOLE_NUMBER:
            found = np.empty((), dtype=object)
            found[()] = int(value)
            return Value(found, integer=True)
        return Value(self.numbers.rational(value))

    def name(self, node: Name, scope: Scope) -> Value:
        name = node.name
        if name in scope and name not in self.names.tensors:
            found = np.empty(scope[name], dtype=object)
            found[:] = range(scope[name])
            return Value(found, (name,), integer=True)
        if name in self.names.tensors:
            return self.tensor(self.names.tensors[name])
        if name in self.names.sizes:
            return self.number(Fraction(self.size(name)))
        if name in self.names.constants:
            self.notes.add(f"{name} is {float(self.names.constants[name]):g} here")
            return self.number(self.names.constants[name])
        if name in ("π", "pi"):
            return Value(self.numbers.array(self.place.point.domain.constant(sympy.pi)))
        if name == "e":
            return Value(self.numbers.apply(sympy.exp, self.numbers.rational(Fraction(1))))
        raise self.unknown_name(node, scope)

    def unknown_name(self, node: Name, scope: Scope) -> FormulaError:
        known = [*self.names.tensors, *self.names.sizes, *self.names.constants, *scope]
        if node.name in self.names.letters:
            help = f"sum over it: Σ_{node.name} …; or write it on the left, too"
            return self.error(node, f"the index {node.name} has no range here", help)
        return self.error(
            node,
            f"nothing on the page is called {node.name}",
            meant(node.name, known) or f"its names: {', '.join(dict.fromkeys(self.names.forward))}",
        )

    def size(self, name: str) -> int:
        found = self.names.sizes[name]
        return self.place.sizes[found] if isinstance(found, str) else self.place.number(found)

    def tensor(self, name: str) -> Value:
        array = self.place.tensor(name)
        if name in self.names.integers:
            whole = np.empty(array.shape, dtype=object)
            for at in np.ndindex(array.shape):
                whole[at] = int(array[at])
            labels = name if self.place.bound(name) is not None else None
            return plain(whole, integer=True, labels=labels)
        return plain(self.numbers.array(array.astype(np.float64) if self.numbers.native else array))

    def one_hot(self, value: Value, node: Tree, *, said: bool = False) -> Value:
        """A row for each label; `said` if the answer says so itself."""
        assert value.labels is not None
        if value.index and not value.rank and not said and not isinstance(node, Subscripted):
            symbol = self.names.symbol(value.labels)
            raise self.error(
                node, "a label is a whole number, and no 0 or 1", f"write [k = {symbol}[n]] or {symbol}[n,k]"
            )
        bound = self.place.bound(value.labels)
        assert bound is not None
        symbol = self.names.symbol(value.labels)
        if not said:
            self.notes.add(
                f"{symbol} stands for onehot({symbol}): a row for each label, 1 at it and 0 elsewhere"
            )
        mask = value.array[..., None] == np.arange(bound)
        return Value(self.zeros_and_ones(mask), value.index, (*value.fits, False))

    def zeros_and_ones(self, mask: Array) -> Array:
        one, zero = (self.numbers.rational(Fraction(k)) for k in (1, 0))
        return self.numbers.array(np.where(np.asarray(mask, dtype=bool), one, zero))

    # --- operations
    def total(self, node: Total, scope: Scope) -> Value:
        found: Value | None = None
        values = [(minus, self.value(term, scope), term) for minus, term in node.terms]
        whole = all(v.integer and v.labels is None for _, v, _ in values)
        for minus, value, term in values:
            part = value if whole else self.calculated(value, term)
            if minus:
                part = replace(part, array=self.negative(part.array, whole))
            if found is None:
                found = part
                continue
            left, right, like = together(found, part, node.span, "this sum")
            added = _whole(left + right) if whole else self.numbers.add(left, right)
            found = replace(like, array=added, integer=whole)
        assert found is not None
        return found

    def negative(self, array: Array, whole: bool) -> Array:
        if whole:
            return _whole(-array)
        return self.numbers.multiply(array, self.numbers.rational(Fraction(-1)))

    def product(self, node: Product, scope: Scope) -> Value:
        a, b = self.value(node.left, scope), self.value(node.right, scope)
        if (
            a.integer
            and b.integer
            and a.labels is None
            and b.labels is None
            and node.op in ("*", "·", "//", "%")
        ):
            left, right, like = together(a, b, node.span, "this product")
            if node.op in ("//", "%"):
                if not np.all(right != 0):
                    raise Misfit("a division by 0", node.span)
                array = left // right if node.op == "//" else left % right
            else:
                array = left * right
            return replace(like, array=_whole(array), integer=True)
        a, b = self.calculated(a, node.left), self.calculated(b, node.right)
        if node.op in ("@", "·") or (node.op == "*" and self.is_matrix_product(a, b)):
            return product(a, b, node.span, self.numbers, loose=self.loose or node.op == "@")
        if node.op == "⋆":
            return correlated(self, a, b, node)
        what = "this quotient" if node.op in ("/", "⊘") else "this product of elements"
        if node.op not in ("*", "⊙", "/", "⊘"):
            raise self.error(node, f"{node.op} has no meaning in an answer")
        left, right, like = together(a, b, node.span, what)
        operation = self.numbers.divide if node.op in ("/", "⊘") else self.numbers.multiply
        return replace(like, array=operation(left, right))

    def is_matrix_product(self, a: Value, b: Value) -> bool:
        """Whether `*` is one: outside of code, between other shapes than equal ones, where it fits."""
        if self.loose or not a.rank or not b.rank or a.shape == b.shape:
            return False
        found = a.shape[-1] == b.shape[-2 if b.rank > 1 else -1] or (a.rank == b.rank == 1 and b.row)
        if found:
            self.notes.add("* between other shapes than equal ones was read as a matrix product")
        return found

    def power(self, node: Power, scope: Scope) -> Value:
        exponent, inner = constant(node.exponent), node.base
        if (
            isinstance(inner, Call)
            and exponent == 2
            and inner.function == "norm"
            and len(inner.arguments) == 1
        ):
            return self.total_of_squares(inner.arguments[0], scope)
        if (
            isinstance(inner, Call)
            and exponent == -1
            and inner.function == "diag"
            and len(inner.arguments) == 1
        ):
            inverse = Product(node.span, "/", Number(node.span, Fraction(1)), inner.arguments[0])
            return self.value(replace(inner, arguments=(inverse,)), scope)
        base = self.real(inner, scope)
        if exponent == -1 and base.rank == 2 and not node.elementwise and not self.loose:
            return of_matrix(self, node, "inverse", base)
        if exponent is not None:
            return replace(base, array=self.numbers.power(base.array, exponent))
        raised = self.real(node.exponent, scope)
        left, right, like = together(base, raised, node.span, "this power")
        if isinstance(node.base, Name) and node.base.name == "e" and "e" not in self.names.tensors:
            return replace(like, array=np.broadcast_to(self.numbers.apply(sympy.exp, right), right.shape))
        return replace(like, array=self.numbers.apply(sympy.Pow, left, right))

    def total_of_squares(self, node: Tree, scope: Scope) -> Value:
        """‖x‖², over all plain axes."""
        value = self.real(node, scope)
        squares = replace(value, array=self.numbers.multiply(value.array, value.array))
        return reduce(self, node, "sum", squares, tuple(range(value.rank)))


def _whole(array: Any) -> Array:
    found = np.empty(np.shape(array), dtype=object)
    found[...] = array
    return found
