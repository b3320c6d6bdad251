"""Linear maps.

Enters: tensors. Leaves: tensors. Must not know: derivatives, layers.
"""

from __future__ import annotations

from symbp.language import tensor as operators
from symbp.language.tensor import Tensor
from symbp.ops.registry import example, op

FAMILY = "linear"


@op(FAMILY, example("N D", "D H"), example("N D", "D"), example("B N D", "B D H"))
def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Σ_i a[n,i]·b[i,j], with further leading axes as NumPy's `@` has them."""
    return operators.matmul(a, b)


@op(FAMILY, example("N D", "D H", "H"), example("N D", "D H"))
def dense(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Σ_i x[n,i]·W[i,j] + b[j]: examples are rows."""
    product = operators.matmul(x, weight)
    result: Tensor = product if bias is None else product + bias
    return result
