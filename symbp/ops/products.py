"""Linear and multilinear maps.

Enters: tensors. Leaves: tensors. Must not know: derivatives, layers.
"""

from __future__ import annotations

import re
from collections import Counter

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, Index
from symbp.language import tensor as operators
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, counted, display
from symbp.language.notation import Sum, formula
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


@op(FAMILY, example("N D", "N H", "K D H", "K"), example("N D", "N H", "K D H"))
def bilinear(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Σ_ij x[n,i]·W[k,i,j]·y[n,j] + b[k] (PyTorch: nn.Bilinear)."""
    *lead, i = axes(x.rank)
    j, k = Index("j"), Index("k")
    body = Sum(x.at(*lead, i) * weight.at(k, i, j) * y.at(*lead, j), i, j)
    product = formula([*lead, k], body, rule="bilinear form", hint=Hint("z", "layer"), kept=True)
    result: Tensor = product if bias is None else product + bias
    return result


@op(FAMILY, example("N D", "D B", "B H"))
def low_rank(x: Tensor, down: Tensor, up: Tensor) -> Tensor:
    """Σ_r (Σ_i x[n,i]·A[i,r])·B[r,j]: a matrix of low rank (Hu et al. 2022, equation 3)."""
    result: Tensor = operators.matmul(operators.matmul(x, down), up)
    return result


@op(FAMILY, example("N", "H"))
def outer(a: Tensor, b: Tensor) -> Tensor:
    """a[i]·b[j]."""
    left, right = axes(a.rank, "i"), axes(b.rank, "j")
    body = a.at(*left) * b.at(*right)
    return formula([*left, *right], body, rule="outer product", hint=Hint("z"), kept=True)


@op(
    FAMILY,
    example("N D", "D H", formula="ni,ij->nj"),
    example("B N D", "B H D", formula="bqd,bkd->bqk"),
    example("N D", "D H", "H K", formula="ni,ij,jk->nk"),
    example("N N", formula="ii->"),
    example("N D", formula="ni->in"),
    example("N D", "N D", formula="ni,ni"),
)
def einsum(*operands: Tensor | str, formula: str = "") -> Tensor:
    """The product of the operands, summed over each letter that the result doesn't have.

    `einsum("bij,bjk->bik", a, b)`, or the formula by name at the end: letters stand for axes, one word for
    each operand, then `->` and the result's axes. Without `->` the letters that stand once are left, in
    alphabetical order. Raises DeclarationError: another form; ShapeError: a word that doesn't fit its
    operand, or sizes that differ.
    """
    tensors = [x for x in operands if isinstance(x, Tensor)]
    text = next((x for x in operands if isinstance(x, str)), formula)
    words, result = _parsed(text)
    if len(words) != len(tensors):
        given = counted(len(tensors), "operand", "operands")
        raise DeclarationError(
            f"{text!r} has {counted(len(words), 'word', 'words')} for {given}", where=here()
        )
    body: Expr = sympy.S.One
    for word, x in zip(words, tensors, strict=True):
        if len(word) != x.rank:
            raise ShapeError(
                f"{word!r} names {counted(len(word), 'axis', 'axes')}, but {display(x)} has {x.rank}",
                where=here(),
                details=(f"{display(x)}: ({', '.join(map(str, x.shape))})",),
            )
        body = body * x.at(*map(Index, word))
    summed = [Index(letter) for letter in dict.fromkeys("".join(words)) if letter not in result]
    total = Sum(body, *summed) if summed else body
    return _contracted([Index(letter) for letter in result], total)


def _contracted(left: list[Index], body: Expr) -> Tensor:
    return formula(left, body, rule="contraction", hint=Hint("z"), kept=True)


def _parsed(text: str) -> tuple[list[str], str]:
    """The words of the operands, and the result's letters."""
    found = re.fullmatch(r"([a-zA-Z]*(?:,[a-zA-Z]*)*)(?:->([a-zA-Z]*))?", text.replace(" ", ""))
    if found is None:
        raise DeclarationError(
            f"{text!r} is no formula of einsum", where=here(), help='einsum(a, b, formula="bij,bjk->bik")'
        )
    words = found[1].split(",")
    counts = Counter("".join(words))
    result = found[2] if found[2] is not None else "".join(sorted(c for c, n in counts.items() if n == 1))
    if any(letter not in counts for letter in result) or len(set(result)) < len(result):
        raise DeclarationError(
            f"the result of {text!r} must have letters of its operands, each once", where=here()
        )
    return words, result
