"""Embeddings: rows of a table where tokens stand, and positions.

Enters: integer tensors, tables. Leaves: tensors. Must not know: derivatives.
"""

from __future__ import annotations

from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.build import where
from symbp.ir.expr import FloorDiv, Guard, Mod
from symbp.ir.shapes import Witness
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import formula
from symbp.language.sizes import as_size, value_of
from symbp.language.tensor import Tensor
from symbp.ops.functions import constant
from symbp.ops.gates import divided, without_rest
from symbp.ops.registry import example, op

FAMILY = "embedding"


@op(FAMILY, example("N T: labels", "K H"), example("N: labels", "K H", padding_idx=1))
def embedding(tokens: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """E[tok[n,t],d]: the row of a table for each token; a `padding_idx` gives zeros, and its row no gradient.

    tokens (…) integers, weight (V, D). Raises ShapeError: not integers, or a table of another rank.
    """
    if not isinstance(tokens, Tensor) or not tokens.integer:
        given = display(tokens) if isinstance(tokens, Tensor) else repr(tokens)
        raise ShapeError(
            f"{given} holds no tokens",
            where=here(),
            help='tokens are integers: bp.tokens("tok", (N, T), vocabulary=V)',
        )
    if weight.rank != 2:
        raise ShapeError(
            f"an embedding's table has two axes, vocabulary and width; {display(weight)} has {weight.rank}",
            where=here(),
        )
    *plain, d = axes(tokens.rank + 1)
    token = tokens.at(*plain)
    body = weight.at(token, d)
    if padding_idx is not None:
        vocabulary = value_of(weight.shape[0])
        if padding_idx < 0 or (vocabulary is not None and padding_idx >= vocabulary):
            raise DeclarationError(f"padding_idx {padding_idx} is no row of {display(weight)}", where=here())
        body = where(Guard("!=", token, padding_idx), body, 0)
    return formula(
        [*plain, d],
        body,
        ranges={d: weight.shape[1]},
        rule="embedding",
        hint=Hint("x", "layer"),
        joined=rows_for(tokens, weight),
        kept=True,
    )


def rows_for(tokens: Tensor, weight: Tensor) -> tuple[tuple[Witness, Witness], ...]:
    """The table has a row for each token."""
    bounds = [f.bound for f in sorted(tokens.facts, key=str) if f.kind == "below"]
    axis = Witness(weight.shape[0], f"axis 0 of {display(weight)}")
    return tuple((axis, Witness(bound, f"the vocabulary of {display(tokens)}")) for bound in bounds)


@op(FAMILY, example(length=5, width=6), example(length=4, width=5, base=100), differentiable=False)
def sinusoidal_positions(length: Any, width: Any, base: Any = 10000) -> Tensor:
    """sin(t/base^(d/D)) at even d, cos(t/base^((d − 1)/D)) at odd d (Vaswani et al. 2017). (T, D)"""
    t, d = axes(2)
    size = as_size(width)
    odd = Mod(d, sympy.Integer(2))
    angle = t * constant(base, "base") ** (-(d - odd) / size)
    body = where(Guard("=", odd, 0), sympy.sin(angle), sympy.cos(angle))
    ranges = {t: as_size(length), d: size}
    return formula(
        [t, d], body, ranges=ranges, rule="sinusoidal positions", hint=Hint("P", "bare"), kept=True
    )


@op(FAMILY, example("N T 6"), example("N T 4", base=100, interleaved=True, offset=2))
def rotary(x: Tensor, base: Any = 10000, interleaved: bool = False, offset: int = 0) -> Tensor:
    """Each pair of elements turned by the angle (t + offset)/base^(2k/E) of its position t (Su et al. 2021).

    x (…, T, E). Pair k is elements k and k + E/2, or 2k and 2k + 1 if `interleaved`.
    Raises ShapeError: E is odd.
    """
    if x.rank < 2:
        raise ShapeError("rotary turns the last axis by the position on the last but one", where=here())
    half = divided(x, x.rank - 1, 2, "rotary")
    t, k = axes(2)
    angle = (t + offset) * constant(base, "base") ** (-2 * k / x.shape[-1])
    ranges = {t: x.shape[-2], k: half}
    cosine, sine = (
        formula(
            [t, k], function(angle), ranges=ranges, rule=f"{name} of the angle", hint=Hint(name), kept=True
        )
        for name, function in (("cos", sympy.cos), ("sin", sympy.sin))
    )
    plain = axes(x.rank)
    *_, step, e = plain
    if interleaved:
        odd = Mod(e, sympy.Integer(2))
        pair = FloorDiv(e, sympy.Integer(2))
        other = x.at(*plain[:-1], e + 1 - 2 * odd)
        turned = where(Guard("=", odd, 0), -other, other)
    else:
        pair = Mod(e, half)
        first = Guard("<", e, half)
        turned = where(first, -x.at(*plain[:-1], e + half), x.at(*plain[:-1], e - half))
    body = x.at(*plain) * cosine.at(step, pair) + turned * sine.at(step, pair)
    return formula(
        plain,
        body,
        ranges=dict(zip(plain, x.shape, strict=True)),
        joined=without_rest(x, x.rank - 1, 2),
        rule="rotary positions",
        hint=Hint("q", "layer"),
        kept=True,
    )
