"""Whether two scalar expressions are the same but for a number: by their values at one random point.

Enters: expressions over accesses, indices and sizes, all of them unknowns; functions that arithmetic says
nothing about are unknowns keyed by their arguments, and so are brackets. Leaves: a complex number each.
Must not know: systems. It compares what digits two forms lose, never whether they are equal: that is proven
elsewhere.
"""

from __future__ import annotations

import cmath
import math
import zlib
from functools import lru_cache

import sympy

from symbp.ir.expr import Access, Expr, Guard

MOST = 12  # the largest number that may stand above or below the line
TOLERANCE = 1e-9
_FUNCTIONS = {
    sympy.exp: cmath.exp, sympy.log: cmath.log, sympy.tanh: cmath.tanh, sympy.sinh: cmath.sinh,
    sympy.cosh: cmath.cosh, sympy.sin: cmath.sin, sympy.cos: cmath.cos, sympy.tan: cmath.tan,
}  # fmt: skip


@lru_cache(maxsize=65536)
def value(e: Expr) -> complex:
    """The value of an expression, each unknown at a number of its own between ½ and 1½; 0 where there is
    none."""
    try:
        return _value(e)
    except (ArithmeticError, ValueError):
        return 0j


def _value(e: Expr) -> complex:
    if isinstance(e, Guard):
        opposite = e.complement()
        if str(opposite) < str(e):
            return 1 - _unknown(str(opposite))
        return _unknown(str(e))
    if isinstance(e, Access) or e.is_Symbol:
        return _unknown(str(e))
    if e.is_number:
        return complex(e) if e.is_finite else 0j
    parts = [value(a) for a in e.args]
    if e.is_Add:
        return sum(parts)
    if e.is_Mul:
        return math.prod(parts)
    if isinstance(e, sympy.exp):
        return cmath.exp(parts[0])
    if e.is_Pow:
        return complex(parts[0] ** parts[1])
    known = _FUNCTIONS.get(e.func)
    if known is not None:
        return known(parts[0])
    return _unknown(f"{e.func} {[(float(f'{p.real:.9g}'), float(f'{p.imag:.9g}')) for p in parts]}")


def _unknown(name: str) -> complex:
    return complex(0.5 + zlib.crc32(name.encode()) / 2**32)


def is_rational(a: complex, b: complex) -> bool:
    """Whether a = r·b for a small positive rational number r."""
    if b == 0:
        return a == 0
    ratio = a / b
    if abs(ratio.imag) > TOLERANCE * abs(ratio) or ratio.real <= 0:
        return False
    return any(
        abs(ratio.real * q - round(ratio.real * q)) <= TOLERANCE * q * ratio.real
        and 0 < round(ratio.real * q) <= MOST
        for q in range(1, MOST + 1)
    )
