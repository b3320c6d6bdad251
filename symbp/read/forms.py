"""What an equation computes, in a word, and the letter that such a value goes by: only its form is looked at.

Enters: an equation. Leaves: a letter and words for a legend. Must not know: names of tensors, ops, formats.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, Guard, value_accesses
from symbp.ir.printer import function_name
from symbp.ir.system import Equation
from symbp.read.display import Along, Reduced, sigmoid


@dataclass(frozen=True)
class Form:
    """The letter of a value and what it is; `over` says that the words go on with the indices summed over."""

    letter: str
    words: str
    over: bool = False


_REDUCTIONS = {
    "max": Form("m", "maximum", True),
    "argmax": Form("c", "place of the maximum", True),
    "argsort": Form("q", "order of the values", True),
    "prod": Form("q", "product", True),
    "inverse": Form("B", "inverse matrix"),
    "cholesky": Form("L", "Cholesky factor"),
    "det": Form("d", "determinant"),
    "logdet": Form("d", "logarithm of the determinant"),
    "cofactors": Form("C", "matrix of the cofactors"),
}
_MAP = Form("u", "saved value")


def form(equation: Equation) -> Form:
    """What the equation computes."""
    if equation.op == "sum":
        return _sum(equation)
    if equation.op is not None:
        return _REDUCTIONS.get(equation.op, Form("B", equation.op.replace("_", " ")))
    return _map(equation.body)


def _sum(equation: Equation) -> Form:
    coefficient, factors = _parts(equation.body)
    mean = any(f.is_Pow and f.exp == -1 and f.base in set(equation.ranges) for f in factors)
    reads = [f for f in factors if value_accesses(f)]
    if len(reads) == 1 and coefficient == 1:
        square = reads[0].is_Pow and reads[0].exp == 2
        if mean:
            return Form("v", "mean of the squares", True) if square else Form("μ", "mean", True)
        return Form("s", "sum of the squares", True) if square else Form("s", "sum", True)
    if len(reads) == 2 and all(isinstance(read, Access) for read in reads):
        return Form("z", "sum of products")
    return Form("s", "sum", True)


def _map(body: Expr) -> Form:
    if isinstance(body, sympy.exp) or (body.is_Mul and any(isinstance(f, sympy.exp) for f in body.args)):
        return Form("e", "exponentials")
    if body.is_Pow and body.exp == sympy.Rational(-1, 2):
        return Form("r", "reciprocal of a square root")
    if body.is_Pow and body.exp == -1:
        logistic = body.base.is_Add and any(isinstance(t, sympy.exp) for t in body.base.args)
        return Form("σ", "logistic function") if logistic else Form("r", "reciprocal")
    if isinstance(body, sigmoid):
        return Form("σ", "logistic function")
    if isinstance(body, Access):
        return Form("u", "selected elements")
    if isinstance(body, Along):
        return Form("p", body.function)
    if isinstance(body, Reduced) and body.op == "logsumexp":
        return Form("lse", "logsumexp")
    if not value_accesses(body) and body.atoms(Guard):
        return Form("r", "a number that conditions give")
    if body.could_extract_minus_sign() and not body.is_Add:
        of = _map(-body)
        return Form(of.letter, "negative" if isinstance(-body, Access) else f"negative {of.words}")
    if body.is_Function and len(body.args) == 1:
        return Form("u", function_name(body))
    if body.is_Mul:
        return Form("u", "product")
    return Form("u", "sum of terms") if body.is_Add else _MAP


def _parts(body: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    coefficient, rest = body.as_coeff_Mul()
    return coefficient, tuple(sympy.Mul.make_args(rest))
