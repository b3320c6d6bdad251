"""Attention: rows of values, weighted by a softmax of products of queries and keys.

Enters: tensors and options; the last two axes are positions and width, those before are batch and heads.
Leaves: tensors. Must not know: derivatives, stable forms, how queries, keys and values are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, FloorDiv, Guard, Index, Mod
from symbp.ir.shapes import Witness
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, Joined, display
from symbp.language.notation import Sum, formula
from symbp.language.sizes import as_size, is_one, value_of
from symbp.language.tensor import Tensor
from symbp.ops.functions import constant
from symbp.ops.gates import without_rest
from symbp.ops.registry import example, op

FAMILY = "attention"


@op(
    FAMILY,
    example("N H D", "N T D", "N T K"),
    example("N T D", "N T D", "N T D", is_causal=True, scale=0.5),
    example("2 4 H D", "2 2 T D", "2 2 T K", enable_gqa=True),
    example("N 2 H D", "N 2 T D", "N 2 T K", "H T"),
    example("N T D", "N T D", "N T H", is_causal=True, softcap=1.5),
)
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: Any = None,
    enable_gqa: bool = False,
    window: int | None = None,
    softcap: Any = None,
) -> Tensor:
    """Σ_s p[t,s]·V[s,e] with p = softmax over s of Σ_d Q[t,d]·K[s,d]/√D + mask[t,s] (Vaswani et al. 2017).

    query (…, T, D), key (…, S, D), value (…, S, E). `attn_mask` broadcasts to (…, T, S): one that is declared
    binary says which keys are seen, any other is added to the scores. `is_causal` sees s ≤ t only, `window`
    the last so many of them. With `enable_gqa` the axis before the positions has several query heads for each
    head of key and value (Ainslie et al. 2023). With `softcap` c a score S becomes c·tanh(S/c) before the
    mask (Bello et al. 2017). A query that sees no key gets zeros.

    Raises ShapeError: axes or heads that don't fit, a mask of another shape.
    """
    _check_ranks(query, key, value)
    t, s, d, e = (Index(letter) for letter in "tsde")
    batch = axes(query.rank - 2)
    heads = _heads(query, key, batch, enable_gqa)
    factor = 1 / sympy.sqrt(query.shape[-1]) if scale is None else constant(scale, "scale")
    ranges = {t: query.shape[-2], s: key.shape[-2], d: query.shape[-1], e: value.shape[-1]}
    ranges |= dict(zip(batch, query.shape, strict=False))

    joined = _shared_evenly(query, key) if enable_gqa and batch else ()

    def define(plain: Sequence[Index], body: Any, rule: str, letter: str, *over: Index) -> Tensor:
        known = {i: ranges[i] for i in (*plain, *over)}
        return formula(plain, body, ranges=known, joined=joined, rule=rule, hint=Hint(letter), kept=True)

    product = query.at(*batch, t, d) * key.at(*heads, s, d) * factor
    score = define([*batch, t, s], Sum(product, d), "scores", "S", d).at(*batch, t, s)
    if softcap is not None:
        score = define([*batch, t, s], _capped(score, softcap), "capped scores", "C").at(*batch, t, s)
    seen: Expr = sympy.S.One
    if attn_mask is not None:
        mask = _broadcast(attn_mask, [*batch, t, s], [*query.shape[:-1], key.shape[-2]])
        if any(fact.kind == "binary" for fact in attn_mask.facts):
            seen = Guard(">", mask, 0)
        else:
            score = define([*batch, t, s], score + mask, "masked scores", "M").at(*batch, t, s)
    if is_causal or window is not None:
        seen *= Guard("<=", s, t)
    if window is not None:
        seen *= Guard("<", t - s, _window(window))
    grown = define([*batch, t, s], seen * sympy.exp(score), "attention: exponentials", "e")
    total = define([*batch, t], Sum(grown.at(*batch, t, s), s), "attention: their sum", "s", s)
    weight = grown.at(*batch, t, s) / total.at(*batch, t)
    p = define([*batch, t, s], weight, "attention weights", "p")
    read = p.at(*batch, t, s) * value.at(*heads, s, e)
    return define([*batch, t, e], Sum(read, s), "attention", "o", s)


@op(FAMILY, example(num_heads=4, length=5), example(num_heads=2, length=3), differentiable=False)
def alibi_bias(num_heads: int, length: Any, keys: Any = None) -> Tensor:
    """−m_h·(t − s) with slopes m_h = 2^(−8(h + 1)/H), to be added to scores (Press, Smith and Lewis 2022).

    (H, T, S), with as many keys as queries if not given.
    """
    h, t, s = axes(3)
    count, positions = as_size(num_heads), as_size(length)
    slope = sympy.Integer(2) ** (-sympy.Integer(8) * (h + 1) / count)
    ranges = {h: count, t: positions, s: positions if keys is None else as_size(keys)}
    body = slope * (s - t)
    return formula([h, t, s], body, ranges=ranges, rule="linear biases", hint=Hint("B", "bare"), kept=True)


@op(FAMILY, example("N T 6", heads=3), example("N T 4", heads=2))
def split_heads(x: Tensor, heads: Any) -> Tensor:
    """y[n,h,t,e] = x[n,t,h·E + e]: the last axis in equal parts, with an axis for them before the positions.

    Raises ShapeError: the heads don't divide the width.
    """
    count = as_size(heads)
    parts, width = value_of(count), value_of(x.shape[-1])
    if parts is not None and width is not None and width % parts:
        raise ShapeError(
            f"{parts} heads don't divide the width {width} of {display(x)}",
            where=here(),
            help="the width is heads times the width of one head",
        )
    *lead, t, h, e = axes(x.rank + 1)
    each = FloorDiv(x.shape[-1], count)
    ranges = {h: count, e: each}
    read = x.at(*lead, t, h * each + e)
    joined = without_rest(x, x.rank - 1, count)
    return formula(
        [*lead, h, t, e], read, ranges=ranges, parts=[e], joined=joined, rule="heads apart", hint=Hint("q")
    )


@op(FAMILY, example("N 2 T 3"))
def merge_heads(x: Tensor) -> Tensor:
    """y[n,t,h·E + e] = x[n,h,t,e]: the inverse of `split_heads`."""
    if x.rank < 3:
        raise ShapeError(f"{display(x)} has no axis of heads before its positions", where=here())
    *lead, t, c = axes(x.rank - 1)
    width = x.shape[-1]
    read = x.at(*lead, FloorDiv(c, width), t, Mod(c, width))
    return formula(
        [*lead, t, c], read, ranges={c: x.shape[-3] * width}, rule="heads together", hint=Hint("o")
    )


def _check_ranks(query: Tensor, key: Tensor, value: Tensor) -> None:
    ranks = {t.rank for t in (query, key, value)}
    if len(ranks) == 1 and min(ranks) >= 2:
        return
    raise ShapeError(
        "query, key and value of an attention have the same axes: batch and heads, then positions and width",
        where=here(),
        details=tuple(
            f"{name}: ({', '.join(map(str, t.shape))})"
            for name, t in (("query", query), ("key", key), ("value", value))
        ),
    )


def _heads(query: Tensor, key: Tensor, batch: Sequence[Index], grouped: bool) -> list[Expr]:
    """The batch subscripts of key and value: query head h belongs to head h // (query heads per head)."""
    if not grouped or not batch:
        return list(batch)
    many, few = query.shape[len(batch) - 1], key.shape[len(batch) - 1]
    a, b = value_of(many), value_of(few)
    if a is not None and b is not None and a % b:
        raise ShapeError(
            f"{a} query heads can't share {b} heads of keys evenly",
            where=here(),
            details=(
                f"query: ({', '.join(map(str, query.shape))})",
                f"key: ({', '.join(map(str, key.shape))})",
            ),
            help="the heads of key and value divide those of the query",
        )
    return [*batch[:-1], FloorDiv(batch[-1], FloorDiv(many, few))]


def _shared_evenly(query: Tensor, key: Tensor) -> Joined:
    """Each head of keys has as many query heads: a pair of extents for `joined`."""
    many, few = query.shape[-3], key.shape[-3]
    shared = Witness(few * FloorDiv(many, few), f"equal shares of the heads of {display(key)}")
    return ((shared, Witness(many, f"axis {query.rank - 3} of {display(query)}")),)


def _broadcast(mask: Tensor, plain: Sequence[Index], shape: Sequence[Expr]) -> Expr:
    """The mask's element, its axes the last of the scores'. Raises ShapeError: more axes, other sizes."""
    if not isinstance(mask, Tensor):
        raise DeclarationError(
            f"a mask is a tensor, not {mask!r}", where=here(), help='bp.input("mask", (T, S), facts="binary")'
        )
    offset = len(plain) - mask.rank
    wrong = offset < 0 or any(
        value_of(extent) is not None
        and value_of(wanted) is not None
        and value_of(extent) not in (1, value_of(wanted))
        for extent, wanted in zip(mask.shape, shape[max(offset, 0) :], strict=False)
    )
    if wrong:
        raise ShapeError(
            f"the mask {display(mask)} doesn't fit the scores",
            where=here(),
            details=(
                f"mask: ({', '.join(map(str, mask.shape))})",
                f"scores: ({', '.join(map(str, shape))})",
            ),
            help="its axes are the last of batch, heads, queries and keys; an axis of 1 is repeated",
        )
    return mask.at(*[0 if is_one(extent) else plain[offset + k] for k, extent in enumerate(mask.shape)])


def _capped(score: Expr, softcap: Any) -> Expr:
    """The score, kept between −c and c. Raises DeclarationError: no positive number."""
    cap = constant(softcap, "softcap")
    if not cap > 0:
        raise DeclarationError(f"scores can't be capped at {softcap!r}", where=here())
    return cap * sympy.tanh(score / cap)


def _window(window: Any) -> int:
    if not isinstance(window, int) or window < 1:
        raise DeclarationError(f"attention can't see a window of {window!r} keys", where=here())
    return window
