"""Prints expressions, equations and systems in index notation, in an order of symbp's own.

Enters: expressions and systems. Leaves: text. Must not know: any op.

SymPy's order of terms depends on its version; here terms and factors are sorted by what a reader expects
(positive terms first, higher rank first; numbers, sizes, guards, then tensors by the order of the target's
indices). One walk (`Notation.show`) serves every notation: a notation says only how each node is spelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import sympy

from symbp.ir.decimals import above_and_below, decimal
from symbp.ir.expr import (
    Access,
    Expr,
    Floor,
    FloorDiv,
    FloorQuotient,
    Guard,
    Index,
    JumpFunction,
    Mod,
    Size,
    free_indices,
)
from symbp.ir.relations import readable_relation

if TYPE_CHECKING:  # they print themselves through this module
    from symbp.ir.labels import Differential
    from symbp.ir.system import Equation, System

SMALL = sympy.Rational(1, 100)  # what is added to a variance, not `1 - h²`
ADD, QUOTIENT, MUL, POW, ATOM = range(1, 6)  # binding strength of what was written; `2·(H//2)` is no `2·H//2`
Written = tuple[str, int]
TermKey = tuple[bool, bool, int, int, str]
FactorKey = tuple[int, tuple[int, ...], str]


class Spelled(Protocol):
    """A node that another stage adds to expressions: it says itself how it is spelled."""

    def spelled(self, notation: Notation, order: tuple[Index, ...]) -> Written:
        """The node in a notation, beside factors in the order of the given indices."""
        ...


def function_name(e: Expr) -> str:
    """What an elementary function is called."""
    name = type(e).__name__
    return {"FloorQuotient": "floor"}.get(name, name.lower()) if isinstance(e, JumpFunction) else name


class Notation:
    """How each kind of node is spelled; subclasses override the small methods."""

    times = "·"
    one = "1"
    plus = " + "
    minus = " - "
    comma = ","  # between letters below a sign
    relation = {"=": " = ", "!=": " ≠ ", "<": " < ", "<=": " ≤ ", ">": " > ", ">=": " ≥ "}  # noqa: RUF012
    reduce_names = {  # noqa: RUF012
        "sum": "Σ", "prod": "Π", "max": "max", "argmax": "argmax", "argsort": "argsort",
        "inverse": "inverse", "det": "det", "logdet": "log|det|", "cholesky": "cholesky",
        "cofactors": "cofactors", "eigenvalues": "eigenvalues", "eigenvectors": "eigenvectors",
        "singular_values": "singular values", "left_vectors": "left vectors",
        "right_vectors": "right vectors",
    }  # fmt: skip

    # --- the spelling of nodes
    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        inner = ",".join(subscripts) + (f" | {outside}" if outside is not None and outside != "0" else "")
        return f"{name}[{inner}]" if inner else name

    def binding(self, name: str) -> int:  # noqa: ARG002
        """How strongly what a tensor is called holds together: `∂L/∂W` is a quotient."""
        return ATOM

    def symbol(self, symbol: Expr) -> str:
        return str(symbol.name)

    def number(self, value: Expr) -> str:
        return decimal(value)

    def sign(self, sign: str) -> str:
        """A sign with nothing around it: before a first term, or in a subscript."""
        return sign

    def prose(self, words: str) -> str:
        """Words between formulas."""
        return words

    def raised(self, base: str, sign: str) -> str:
        """What was spelled as a `base`, with a sign behind it that notations may raise."""
        return base + sign

    def lowered(self, base: str, below: str) -> str:
        """A sign with an expression below it."""
        return f"{base}_{{{below}}}"

    def constant(self, value: Expr) -> str:
        return {"pi": "π", "E": "e", "oo": "∞", "-oo": "-∞"}.get(str(value), str(value))

    def call(self, name: str, arguments: Sequence[str]) -> str:
        name = {"sigmoid": "σ"}.get(name, name)
        name = f"{name.removesuffix('_slope')}′" if name.endswith("_slope") else name
        return f"{name}({', '.join(arguments)})"

    def slope(self, of: str, by: str) -> str:
        """Of one element by another."""
        return f"∂{of}/∂{by}"

    def power(self, base: str, exponent: Expr, written: str) -> str:
        return base + {2: "²", 3: "³"}.get(exponent, f"^{written}")

    def root(self, inner: str) -> str:
        return f"sqrt({inner})"

    def fraction(self, numerator: Written, denominator: Written) -> Written:
        return f"{wrap(numerator, MUL)}/{wrap(denominator, POW)}", MUL

    def guard(self, op: str, lhs: str, rhs: str) -> str:
        return f"[{lhs}{self.relation[op]}{rhs}]"

    def equal(self, left: str, right: str) -> str:
        """Two forms of one value."""
        return f"{left} = {right}"

    def holding(self, guard: str) -> str:
        """Behind an equation: where it holds."""
        return f" for {guard[1:-1]}"

    def quotient(self, a: Written, b: Written, sign: str) -> Written:
        return f"{wrap(a, ATOM)}{sign}{wrap(b, ATOM)}", QUOTIENT

    def join(self, factors: Sequence[str]) -> str:
        return self.times.join(factors)

    def parenthesis(self, inner: str) -> str:
        return f"({inner})"

    def along(self, function: str, indices: Sequence[str], body: str, conditions: Sequence[str]) -> str:
        """A function of the values along indices: `softmax_k(a[n,k])`."""
        such = f" where {', '.join(conditions)}" if conditions else ""
        return f"{function}_{','.join(indices)}({body}{such})"

    def reduction(self, op: str, indices: Sequence[str], conditions: Sequence[str], body: Written) -> str:
        under = ",".join(indices)
        such = f" where {', '.join(conditions)}" if conditions else ""
        return f"{self.reduce_names[op]}_{under} {self.wrapped(body, MUL)}{such}"

    def element(self, matrix: str, subscripts: Sequence[str]) -> str:
        """An element of a matrix that is written as a whole."""
        return f"({matrix})[{','.join(subscripts)}]"

    def base(self, written: str) -> str:
        """What gets a sign behind it, a transpose's or a power's."""
        return written

    def derivative(self, what: Differential, total: bool) -> str:
        """What is differentiated, or its `total`, by what, as wholes."""
        of, by = self.access(what.of, [], None), self.access(what.by, [], None)
        return f"{'a part of ' if what.part else ''}∂{f'(Σ {of})' if total else of}/∂{by}"

    def component(self, place: str, index: str) -> str:  # noqa: ARG002
        """One subscript of the place of a maximum over several indices; the names in code say which."""
        return place

    def wrapped(self, written: Written, least: int) -> str:
        return written[0] if written[1] >= least else self.parenthesis(written[0])

    def place(self, written: str) -> str:
        """What a term or factor is sorted by where nothing else decides."""
        return written

    def sorted_as(self, e: Expr, written: str, order: tuple[Index, ...]) -> str:  # noqa: ARG002
        """The place of a term or factor, by the expression or by how it was written."""
        return self.place(written)

    # --- the one walk
    def show(self, expr: Expr, order: Sequence[Index] = ()) -> str:
        """`expr` in this notation, with factors in the order of the given indices."""
        return self._write(expr, tuple(order))[0]

    def written(self, expr: Expr, order: Sequence[Index] = ()) -> Written:
        """`expr` in this notation, and how strongly it binds."""
        return self._write(expr, tuple(order))

    def equation(self, equation: Equation) -> tuple[str, str]:
        """Left-hand side, empty for a value that has no name, and right-hand side."""
        order = equation.all_indices
        subscripts = [self.symbol(i) for i in equation.indices]
        left = self.access(equation.target, subscripts, None) if equation.target else ""
        body = self._write(equation.body, order)
        if equation.reduction is None:
            return left, body[0]
        indices = [self.symbol(i) for i in equation.reduced]
        conditions = [self.show(g, order) for g in equation.where]
        right = self.reduction(equation.reduction.op, indices, conditions, body)
        if equation.op == "argmax" and len(indices) > 1 and equation.reduction.component >= 0:
            right = self.component(right, indices[equation.reduction.component])
        result = [self.symbol(i) for i in equation.result]
        return left, self.element(right, result) if result else right

    def _write(self, e: Expr, order: tuple[Index, ...]) -> Written:
        if isinstance(e, Access):
            outside = None if e.outside is None else self.show(e.outside, order)
            subscripts = [self.show(s, order) for s in e.subscripts]
            return self.access(e.name, subscripts, outside), self.binding(e.name)
        if isinstance(e, Guard):
            return self._guard(e, order), ATOM
        if isinstance(e, (FloorDiv, Mod)):
            sign = "//" if isinstance(e, FloorDiv) else "%"
            return self.quotient(self._write(e.args[0], order), self._write(e.args[1], order), sign)
        if hasattr(e, "spelled"):  # `Spelled`, which is slow to be asked for
            return e.spelled(self, order)  # type: ignore[no-any-return]
        if e.is_Symbol:
            return self.symbol(e), ATOM
        if e.is_Rational:
            return self._rational(e)
        if e.is_Add:
            return self._sum(e, order)
        if e.is_Mul:
            return self._product(e, order)
        if e.is_Pow:
            return self._power(e, order)
        if isinstance(e, FloorQuotient):
            e = Floor(sympy.Mul(e.args[0], 1 / e.args[1], evaluate=False))
        if e.is_Function:
            return self.call(function_name(e), [self.show(a, order) for a in e.args]), ATOM
        if e.is_number:
            return self.constant(e), ATOM
        raise TypeError(f"no notation for {type(e).__name__}: {e}")

    def _guard(self, e: Guard, order: tuple[Index, ...]) -> str:
        op, lhs, rhs = readable_relation(e.op, e.lhs, e.rhs)
        return self.guard(op, self.show(lhs, order), self.show(rhs, order))

    def _rational(self, e: Expr) -> Written:
        text = self.number(e)
        if e.is_negative:
            return text, ADD
        return text, (MUL if "/" in decimal(e) else ATOM)

    def _sum(self, e: Expr, order: tuple[Index, ...]) -> Written:
        ranked = sorted(self._written_term(term, order) for term in e.args)
        if _is_of_integers(e) and any(not term[0][0] and term[0][1] for term in ranked):
            ranked.sort(key=lambda term: not term[0][1])  # `t + 1`, but `1 - t`
        elif adds_little(e) and not ranked[1][0][0]:  # `v + 1e-5`
            ranked.sort(key=lambda term: (term[0][0], not term[0][1]))
        (negative, *_), (text, strength) = ranked[0]
        if negative:
            text = self.sign("-") + self.wrapped((text, strength), MUL)
        for (negative, *_), written in ranked[1:]:
            text += (self.minus if negative else self.plus) + (
                self.wrapped(written, MUL) if negative else written[0]
            )
        return text, ADD

    def term_key(self, term: Expr, order: tuple[Index, ...]) -> TermKey:
        """Positive terms first, numbers before tensors, higher rank and more factors before fewer."""
        return self._written_term(term, order)[0]

    def _written_term(self, term: Expr, order: tuple[Index, ...]) -> tuple[TermKey, Written]:
        """The place of a term, and the term without its sign, written once for both."""
        negative = bool(term.could_extract_minus_sign())
        positive = -term if negative else term
        factors = len(sympy.Mul.make_args(positive))
        written = self._write(positive, order)
        place = self.sorted_as(positive, written[0], order)
        return (negative, not term.is_number, -len(free_indices(term)), -factors, place), written

    def _product(self, e: Expr, order: tuple[Index, ...]) -> Written:
        coefficient, rest = e.as_coeff_Mul(rational=True)
        if coefficient.is_negative:
            positive = self._write(-e, order)
            return self.sign("-") + self.wrapped(positive, MUL), ADD
        over, under, others = above_and_below(coefficient, sympy.Mul.make_args(rest))
        for factor in others:
            base, exponent = factor.as_base_exp()
            if exponent.is_number and exponent.is_negative and not factor.is_Function:
                under.append(base**-exponent)
            else:
                over.append(factor)
        written = self._factors(over, order)
        return self.fraction(written, self._factors(under, order)) if under else written

    def _factors(self, factors: list[Expr], order: tuple[Index, ...]) -> Written:
        if not factors:
            return self.one, ATOM
        if len(factors) == 1:
            return self._write(factors[0], order)
        ranked = sorted(self._written_factor(factor, order) for factor in factors)
        return self.join([self.wrapped(written, MUL) for _, written in ranked]), MUL

    def factor_key(self, factor: Expr, order: tuple[Index, ...]) -> FactorKey:
        """Numbers, sizes, guards, then tensors by the order of the target's indices."""
        return self._written_factor(factor, order)[0]

    def _written_factor(self, factor: Expr, order: tuple[Index, ...]) -> tuple[FactorKey, Written]:
        """The place of a factor, and the factor, written once for both."""
        if factor.is_number:
            kind = 0
        elif isinstance(factor, (Size, Index)):
            kind = 1
        elif isinstance(factor, Guard):
            kind = 2
        else:
            kind = 3
        positions = {index: k for k, index in enumerate(order)}
        where = tuple(sorted(positions.get(i, len(order)) for i in free_indices(factor)))
        written = self._write(factor, order)
        return (kind, where, self.sorted_as(factor, written[0], order)), written

    def _power(self, e: Expr, order: tuple[Index, ...]) -> Written:
        base, exponent = e.as_base_exp()
        if isinstance(e, sympy.exp):  # SymPy shows exp as a power of e
            return self.call("exp", [self.show(e.args[0], order)]), ATOM
        if exponent.is_number and exponent.is_negative:
            return self.fraction((self.one, ATOM), self._write(base**-exponent, order))
        if exponent == sympy.Rational(1, 2):
            return self.root(self.show(base, order)), ATOM
        written = self._write(exponent, order)
        return self.power(
            self.wrapped(self._write(base, order), ATOM), exponent, self.wrapped(written, ATOM)
        ), POW


def adds_little(e: Expr) -> bool:
    """Whether a number is in a sum that keeps it from being 0, and stands last."""
    return bool(0 < e.as_coeff_Add()[0] < SMALL)


def _is_of_integers(e: Expr) -> bool:
    """Whether a sum is one of indices and sizes, as a subscript or the length of an axis is."""
    if isinstance(e, (FloorDiv, Mod)) or e.is_Add or e.is_Mul:
        return all(_is_of_integers(a) for a in e.args)
    return isinstance(e, (Index, Size)) or bool(e.is_Integer)


def wrap(written: Written, least: int) -> str:
    """The text in parentheses if it binds more weakly than `least`."""
    return written[0] if written[1] >= least else f"({written[0]})"


TEXT = Notation()


def expression_text(expr: Expr, order: Sequence[Index] = ()) -> str:
    """An expression in plain text: `(p[n,k] - y[n,k])/N`."""
    return TEXT.show(expr, order)


def equation_text(equation: Equation) -> str:
    """`z1[n,j] = Σ_i x[n,i]·W1[i,j]`."""
    left, right = TEXT.equation(equation)
    return f"{left} = {right}"


def conditions_text(system: System) -> tuple[str, ...]:
    """The equalities that sizes must obey, `2·(H//2) = H`."""
    return tuple(f"{expression_text(one)} = {expression_text(other)}" for one, other in system.conditions)


def system_text(system: System) -> str:
    """Leaves, then equations, one line each, then what they mean after a step and at inference."""
    lines = [f"  {tensor}" for tensor in system.leaves]
    lines += [f"  {name} = ∂(Σ {of})/∂{by}" for name, (of, by) in system.derivatives.items()]
    lines += [f"  {equation_text(equation)}" for equation in system.equations]
    lines += [f"  after a step, {name} is {other}" for name, other in system.updates.items()]
    lines += [f"  at inference, {name} is {other}" for name, other in system.inference.items()]
    lines += [f"  where {condition}" for condition in conditions_text(system)]
    return "\n".join(lines)
