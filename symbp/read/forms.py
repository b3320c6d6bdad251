"""What an equation computes, in a word, and the letter that such a value goes by: only its form is seen.

Enters: an equation, or all of a page. Leaves: a letter and words for a legend. Must not know: names of
tensors, ops, formats.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, Guard, value_accesses
from symbp.ir.printer import function_name
from symbp.ir.system import Equation, System
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
KNOWN = {
    "μ": Form("μ", "mean", True),
    "σ²": Form("σ²", "variance", True),
    "x̂": Form("x̂", "centred, over the root of the variance"),
}


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
    if isinstance(body, Reduced) and body.op in ("logsumexp", "sum"):
        return Form("lse" if body.op == "logsumexp" else "s", body.op)
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


# --- letters that only other equations tell
def known_letters(system: System) -> dict[str, str]:
    """The letters of what is known by its form among others: μ is a mean, σ² the mean of the squares around
    it, x̂ what is centred and divided by the root of that; P the softmax of a matrix S. The logistic function
    is σ, too: where a page has both, the variance keeps another letter."""
    means = {e.target for e in system.equations if _mean(e) is not None}
    found = dict.fromkeys(means, "μ")
    centred = {e.target for e in system.equations if e.op is None and _is_centred(e.body, means)}
    variances = {e.target for e in system.equations if _is_variance(e, means, centred)}
    if not any(e.body.has(sigmoid) for e in system.equations):
        found |= dict.fromkeys(variances, "σ²")
    roots = {e.target for e in system.equations if e.op is None and _is_root(e.body, variances)}
    for e in system.equations:
        if e.op is None and _is_normalised(e.body, means, centred, variances, roots):
            found[e.target] = "x̂"
        elif e.op is None and isinstance(e.body, Along) and isinstance(e.body.body, Access):
            label = system.tensor(e.body.body.name).label
            if label is not None and not label.given and label.letter == "S":
                found[e.target] = "P"
    return found


def _mean(equation: Equation) -> Expr | None:
    """What the equation is the mean of, over all of its indices that are summed over."""
    if equation.op != "sum" or equation.where:
        return None
    count = sympy.Mul(*[equation.extents[i] for i in equation.reduced])
    body = sympy.cancel(equation.body * count) if not equation.body.is_Add else equation.body
    return body if isinstance(body, Access) and count.free_symbols else None


def _is_centred(body: Expr, means: Container[str]) -> bool:
    """x − μ."""
    terms = sympy.Add.make_args(body)
    minus = [-t for t in terms if isinstance(-t, Access) and (-t).name in means]
    return len(terms) == 2 and len(minus) == 1 and all(isinstance(t, Access) for t in terms if t != -minus[0])


def _is_variance(equation: Equation, means: Container[str], centred: Container[str]) -> bool:
    """The mean of (x − μ)²."""
    if equation.op != "sum" or equation.where:
        return False
    squares = [f for f in sympy.Mul.make_args(equation.body) if f.is_Pow and f.exp == 2]
    count = sympy.Mul(*[equation.extents[i] for i in equation.reduced])
    if len(squares) != 1 or sympy.cancel(equation.body / squares[0] * count) != 1:
        return False
    base = squares[0].base
    return _is_centred(base, means) or (isinstance(base, Access) and base.name in centred)


def _is_root(body: Expr, variances: Container[str]) -> bool:
    """1/√(σ² + ε)."""
    if not body.is_Pow or body.exp != sympy.Rational(-1, 2):
        return False
    reads = [a for a in body.base.atoms(Access) if a.name in variances]
    return len(reads) == 1 and not value_accesses(body.base - reads[0])


def _is_normalised(
    body: Expr,
    means: Container[str],
    centred: Container[str],
    variances: Container[str],
    roots: Container[str],
) -> bool:
    """(x − μ)/√(σ² + ε)."""
    factors = sympy.Mul.make_args(body)
    over = [f for f in factors if _is_centred(f, means) or (isinstance(f, Access) and f.name in centred)]
    under = [f for f in factors if _is_root(f, variances) or (isinstance(f, Access) and f.name in roots)]
    return len(factors) == 2 and len(over) == 1 and len(under) == 1
