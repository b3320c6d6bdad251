"""The functions that formulas know, each an op or a few of them.

Enters: names. Leaves: what to call. Must not know: shapes of a formula, or where in it a function stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbp import ops

Build = Callable[..., Any]

ELEMENTWISE: dict[str, Build] = {
    "exp": ops.exp, "log": ops.log, "ln": ops.log, "sqrt": ops.sqrt, "sin": ops.sin, "cos": ops.cos,
    "tan": ops.tan, "asin": ops.asin, "arcsin": ops.asin, "acos": ops.acos, "arccos": ops.acos,
    "atan": ops.atan, "arctan": ops.atan, "sinh": ops.sinh, "cosh": ops.cosh, "tanh": ops.tanh,
    "asinh": ops.asinh, "acosh": ops.acosh, "atanh": ops.atanh, "abs": ops.abs, "sign": ops.sign,
    "square": ops.square, "sigmoid": ops.sigmoid, "sigma": ops.sigmoid, "relu": ops.relu,
    "softplus": ops.softplus, "logsigmoid": ops.logsigmoid, "silu": ops.silu, "gelu": ops.gelu,
    "elu": ops.elu, "erf": ops.erf, "erfc": ops.erfc, "loggamma": ops.loggamma, "gammaln": ops.loggamma,
    "digamma": ops.digamma, "reciprocal": ops.reciprocal, "log1p": ops.log1p,
    "expm1": ops.expm1,
}  # fmt: skip
PAIRS: dict[str, Build] = {
    "maximum": ops.maximum, "minimum": ops.minimum, "atan2": ops.atan2, "logaddexp": ops.logaddexp,
    "xlogy": ops.xlogy,
}  # fmt: skip
FAST_GROWING = ("loggamma", "gammaln", "digamma")  # of a large integer SymPy would write out the value


def _norm1(x: Any, axis: Any = None) -> Any:
    return ops.sum(ops.abs(x), axis)


REDUCING: dict[str, Build] = {  # f(x) over all axes, f(x, axis) over one
    "sum": ops.sum, "mean": ops.mean, "prod": ops.prod, "norm": ops.norm, "norm2": ops.norm, "norm1": _norm1,
    "normF": ops.norm, "var": ops.var, "std": ops.std,
}  # fmt: skip
EXTREMES: dict[str, tuple[Build, Build]] = {  # of all elements; of two, element by element
    "max": (ops.max, ops.maximum),
    "min": (ops.min, ops.minimum),
}
ALONG: dict[str, Build] = {"softmax": ops.softmax, "log_softmax": ops.log_softmax, "softmin": ops.softmin}
SQUARE: dict[str, Build] = {  # of a square matrix
    "trace": ops.trace, "tr": ops.trace, "det": ops.det, "logdet": ops.logdet, "inv": ops.inverse,
    "inverse": ops.inverse,
}  # fmt: skip
OTHERS = ("logsumexp", "solve", "diag", "dot", "outer", "transpose", "vector")
NORMS = ("norm", "norm2", "normF")
KNOWN = (*ELEMENTWISE, *PAIRS, *REDUCING, *EXTREMES, *ALONG, *SQUARE, *OTHERS)
