"""The derivative of a body by one of its reads.

Enters: a body, an access. Leaves: ∂ body / ∂ access. Must not know: systems, shapes, or any op.
"""

from __future__ import annotations

import sympy

from symbp.ir.expr import Access, Expr, Guard, parts_of


def partial(body: Expr, access: Access) -> Expr:
    """∂ body / ∂ access, by one `sympy.diff` with the access replaced by a plain real symbol.

    An access inside another's outside value is not seen here: the sweep treats it on its own. Guards are
    constants, and so is −∞: SymPy would multiply their derivative, 0, with an infinite value.
    """
    guards = sorted(
        (g for g in parts_of(body, Guard) if access in parts_of(g, Access)), key=sympy.default_sort_key
    )
    constants = {guard: sympy.Dummy("g", nonnegative=True) for guard in guards}
    symbol = sympy.Dummy("v", real=True, finite=True)
    infinity = sympy.Dummy("infinity", positive=True)
    body = _replace_value(body.xreplace(constants), access, symbol)  # first: it may be −∞ outside its range
    body = body.xreplace({sympy.oo: infinity, -sympy.oo: -infinity})
    derivative = _with_values_at_0(sympy.diff(body, symbol)).xreplace({infinity: sympy.oo})
    return derivative.xreplace({symbol: access, **{c: guard for guard, c in constants.items()}})


def _with_values_at_0(e: Expr) -> Expr:
    """`x^y·y/x`, as SymPy differentiates a power, as `x^(y − 1)·y`, and `x^y·log(x)` under [x ≠ 0]: both have
    the value 0 at x = 0 where y is large enough."""
    powers = [p for p in parts_of(e, sympy.Pow) if not isinstance(p, sympy.exp) and not p.exp.is_number]
    if not powers:
        return e

    def settled(product: Expr) -> Expr:
        for power in sorted((f for f in product.args if f in powers), key=sympy.default_sort_key):
            base, exponent = power.as_base_exp()
            same = [f for f in product.args if f != power and f.as_base_exp()[0] == base]
            more = sympy.Add(*[f.as_base_exp()[1] for f in same])
            rest = [f for f in product.args if f != power and f not in same]
            product = sympy.Mul(sympy.Pow(base, exponent + more), *rest)
            if sympy.log(base) in rest and not base.is_number:
                product = product * Guard("!=", base, 0)
        return product

    return e.replace(lambda x: x.is_Mul and any(f in powers for f in x.args), settled)


def _replace_value(body: Expr, access: Access, symbol: Expr) -> Expr:
    return body.xreplace({access: symbol})
