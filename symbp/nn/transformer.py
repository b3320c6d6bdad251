"""Transformers: attention with heads, encoder and decoder blocks, a GPT.

Enters: tensors (N, T, D). Leaves: tensors. Must not know: how anything is derived or trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, Index
from symbp.language.axes import axes
from symbp.language.layouts import Layout, Module, alike
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.sizes import as_size, value_of
from symbp.language.start.distributions import Initialiser, glorot_uniform
from symbp.language.tensor import Tensor
from symbp.nn.calls import Positional
from symbp.nn.combining import Repeat
from symbp.nn.layers import Dense, activation, check_layer, parameter, started_as
from symbp.nn.normalizing import LayerNorm, RMSNorm
from symbp.nn.sequences import normal
from symbp.ops.activations import gelu
from symbp.ops.attention import scaled_dot_product_attention
from symbp.ops.embedding import embedding, rotary, sinusoidal_positions
from symbp.ops.random import dropout

Positions = Literal["learned", "sinusoidal", "rotary", "none"]


@dataclass(frozen=True)
class MultiHeadAttention(Positional):
    """Attention in several heads of width E = D/heads, then a projection back to D (Vaswani et al. 2017).

    `Wq`, `Wk`, `Wv` (D, heads, E) and `bq`, …; `Wo` (heads, E, D) and `bo`. With `kv_heads` fewer heads of
    keys and values are shared by groups of query heads; with `rotary` queries and keys are turned by their
    position. Called with a `memory` queries come from x and the rest from it; `mask` and `causal` as in
    `bp.scaled_dot_product_attention`.
    """

    heads: int
    kv_heads: int | None = None
    head_width: Any = None
    causal: bool = False
    bias: bool = True
    rotary: bool = False
    dropout: float = 0.0
    init: Initialiser | None = None
    name: str | None = None

    clear = 1
    torch = ("", "heads", "dropout", "bias")

    def __post_init__(self) -> None:
        check_layer(self.name)
        shared = self.kv_heads or self.heads
        if self.heads < 1 or shared < 1 or self.heads % shared:
            raise DeclarationError(
                f"{self.heads} heads of queries can't share {shared} heads of keys and values evenly",
                where=here(),
            )

    def __call__(self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        if x.rank != 3:
            raise ShapeError(
                f"attention goes over sequences (batch, positions, width); {display(x)} has {x.rank} axes",
                where=here(),
            )
        heads, few = sympy.Integer(self.heads), sympy.Integer(self.kv_heads or self.heads)
        each = self._width(x)
        source = x if memory is None else memory
        own = Module("MultiheadAttention", self.name)
        q = self._project(own, x, "q", heads, each)
        k = self._project(own, source, "k", few, each)
        v = self._project(own, source, "v", few, each)
        if self.rotary:
            q, k = rotary(q), rotary(k)
        o = scaled_dot_product_attention(
            q, k, v, mask, is_causal=self.causal, enable_gqa=self.heads != (self.kv_heads or self.heads)
        )
        return self._together(own, o, heads, each, x.shape[-1])

    def _width(self, x: Tensor) -> Expr:
        if self.head_width is not None:
            return as_size(self.head_width)
        width = value_of(x.shape[-1])
        if width is not None and width % self.heads:
            raise ShapeError(
                f"{self.heads} heads don't divide the width {width} of {display(x)}",
                where=here(),
                help="the width is heads times the width of one head; or give head_width",
            )
        if width is None:
            raise ShapeError(
                f"the width {x.shape[-1]} of {display(x)} has no value, so nothing says how wide a head is",
                where=here(),
                help='give it its value, bp.dim("D", 64), or give head_width',
            )
        return as_size(width // self.heads)

    def _layouts(self, own: Module, letter: str) -> tuple[Layout | None, Layout | None]:
        """PyTorch has the matrices of queries, keys and values as one, where these have as many heads."""
        if self.heads != (self.kv_heads or self.heads):
            return None, None
        part = "qkv".index(letter)
        weight = Layout(own, "in_proj_weight", ((1, 2), (0,)), part)
        return weight, Layout(own, "in_proj_bias", ((0, 1),), part)

    def _project(self, own: Module, x: Tensor, letter: str, heads: Expr, each: Expr) -> Tensor:
        """Σ_i x[n,t,i]·W[i,h,e] + b[h,e], as (N, heads, T, E)."""
        init = started_as(self.init or glorot_uniform, (0,), (1, 2))
        layouts = self._layouts(own, letter)
        weight = parameter(self.name, f"W{letter}", (x.shape[-1], heads, each), init, layouts[0])
        n, h, t, e = axes(4)
        i = Index("c")
        body = Sum(x.at(n, t, i) * weight.at(i, h, e), i)
        z = formula([n, h, t, e], body, rule="heads of a projection", hint=Hint("z", "layer"), kept=True)
        if not self.bias:
            return z
        bias = parameter(self.name, f"b{letter}", (heads, each), layout=layouts[1])
        return formula(
            [n, h, t, e],
            z.at(n, h, t, e) + bias.at(h, e),
            rule="offset",
            hint=Hint(letter, "layer"),
            kept=True,
        )

    def _together(self, own: Module, o: Tensor, heads: Expr, each: Expr, width: Expr) -> Tensor:
        """Σ_h,e o[n,h,t,e]·W[h,e,j] + b[j]."""
        init = started_as(self.init or glorot_uniform, (0, 1), (2,))
        layout = Layout(own, "out_proj.weight", ((2,), (0, 1)))
        weight = parameter(self.name, "Wo", (heads, each, width), init, layout)
        n, t, j = axes(3)
        h, e = Index("h"), Index("e")
        body = Sum(o.at(n, h, t, e) * weight.at(h, e, j), h, e)
        z = formula([n, t, j], body, rule="heads together", hint=Hint("z", "layer"), kept=True)
        offset = alike(own, "out_proj.bias")
        result: Tensor = z + parameter(self.name, "bo", (width,), layout=offset) if self.bias else z
        return dropout(result, self.dropout) if self.dropout else result


@dataclass(frozen=True)
class FeedForward(Positional):
    """Two dense layers with an activation between, for each position."""

    hidden: Any
    activation: str = "gelu"
    approximate: Literal["none", "tanh"] = "none"
    bias: bool = True
    dropout: float = 0.0
    init: Initialiser | None = None

    def __call__(self, x: Tensor) -> Tensor:
        z = Dense(self.hidden, bias=self.bias, init=self.init)(x)
        if self.activation == "gelu" and self.approximate == "tanh":
            h: Tensor = gelu(z, approximate="tanh")
        else:
            h = activation(self.activation, z)
        y = Dense(x.shape[-1], bias=self.bias, init=self.init)(h)
        return dropout(y, self.dropout) if self.dropout else y


def _width_first(arguments: tuple[Any, ...]) -> bool:
    """Whether arguments given by their place look like PyTorch's width and heads: more heads than units."""
    return len(arguments) == 2 and all(isinstance(a, int) for a in arguments) and arguments[0] > arguments[1]


@dataclass(frozen=True)
class TransformerEncoderBlock(Positional):
    """Self-attention and a feed-forward part, each with a residual connection and a normalisation: before it
    (`norm_first`, as GPT-2 has it) or after the sum (Vaswani et al. 2017)."""

    heads: int
    hidden: Any
    causal: bool = False
    norm_first: bool = True
    activation: str = "gelu"
    approximate: Literal["none", "tanh"] = "none"
    norm: Literal["layer", "rms"] = "layer"
    eps: Any = 1e-5
    bias: bool = True
    kv_heads: int | None = None
    rotary: bool = False
    dropout: float = 0.0
    init: Initialiser | None = None

    clear = 2
    torch = ("", "heads", "hidden", "dropout", "activation")

    @classmethod
    def _unclear(cls, arguments: tuple[Any, ...]) -> bool:
        return super()._unclear(arguments) or _width_first(arguments)

    def __call__(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        attention = MultiHeadAttention(
            self.heads,
            kv_heads=self.kv_heads,
            causal=self.causal,
            bias=self.bias,
            rotary=self.rotary,
            dropout=self.dropout,
            init=self.init,
        )
        x = self._beside(x, lambda y: attention(y, mask=mask))
        forward = FeedForward(
            self.hidden, self.activation, self.approximate, self.bias, self.dropout, self.init
        )
        return self._beside(x, forward)

    def _beside(self, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        return beside(x, part, self.norm, self.eps, first=self.norm_first)


@dataclass(frozen=True)
class TransformerDecoderBlock(Positional):
    """Causal self-attention, attention to a memory, and a feed-forward part, each beside the residual."""

    heads: int
    hidden: Any
    norm_first: bool = True
    activation: str = "gelu"
    norm: Literal["layer", "rms"] = "layer"
    eps: Any = 1e-5
    bias: bool = True
    dropout: float = 0.0

    clear = 2
    torch = ("", "heads", "hidden", "dropout", "activation")

    @classmethod
    def _unclear(cls, arguments: tuple[Any, ...]) -> bool:
        return super()._unclear(arguments) or _width_first(arguments)

    def __call__(
        self,
        x: Tensor,
        memory: Tensor,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> Tensor:
        own = MultiHeadAttention(self.heads, causal=True, bias=self.bias, dropout=self.dropout)
        cross = MultiHeadAttention(self.heads, bias=self.bias, dropout=self.dropout)
        forward = FeedForward(self.hidden, self.activation, bias=self.bias, dropout=self.dropout)
        for part in (
            lambda y: own(y, mask=mask),
            lambda y: cross(y, memory, memory_mask),
            forward,
        ):
            x = beside(x, part, self.norm, self.eps, first=self.norm_first)
        return x


def beside(x: Tensor, part: Callable[[Tensor], Tensor], norm: str, eps: Any, *, first: bool) -> Tensor:
    """x + part(norm(x)), or norm(x + part(x))."""
    normalise = LayerNorm(eps=eps) if norm == "layer" else RMSNorm(eps=eps)
    result: Tensor = x + part(normalise(x)) if first else normalise(x + part(x))
    return result


@dataclass(frozen=True)
class GPT:
    """Logits (N, T, V) for the token after each of (N, T) (Radford et al. 2019): embeddings, repeated causal
    blocks, a last normalisation, and the embedding's table again as the output layer (`tied`)."""

    vocabulary: Any
    width: Any
    heads: int
    layers: Any
    hidden: Any = None
    positions: Positions = "learned"
    length: Any = None
    activation: str = "gelu"
    approximate: Literal["none", "tanh"] = "tanh"
    norm: Literal["layer", "rms"] = "layer"
    eps: Any = 1e-5
    bias: bool = True
    kv_heads: int | None = None
    dropout: float = 0.0
    tied: bool = True

    def __call__(self, tokens: Tensor) -> Tensor:
        start, width = normal("0.02"), as_size(self.width)
        vocabulary = as_size(self.vocabulary)
        own = Module("Embedding", "tokens")
        table = parameter("tokens", "E", (vocabulary, width), start, alike(own, "weight", 2))
        x = self._placed(embedding(tokens, table), width, start)
        block = TransformerEncoderBlock(
            self.heads,
            4 * width if self.hidden is None else self.hidden,
            causal=True,
            activation=self.activation,
            approximate=self.approximate,
            norm=self.norm,
            eps=self.eps,
            bias=self.bias,
            kv_heads=self.kv_heads,
            rotary=self.positions == "rotary",
            dropout=self.dropout,
            init=start,
        )
        x = Repeat(block, self.layers)(x)
        x = LayerNorm(eps=self.eps)(x) if self.norm == "layer" else RMSNorm(eps=self.eps)(x)
        n, t, v = axes(3)
        c = Index("c")
        output = table if self.tied else parameter("output", "E", (vocabulary, width), start)
        body = Sum(x.at(n, t, c) * output.at(v, c), c)
        return formula([n, t, v], body, rule="logits", hint=Hint("z", "layer"), kept=True)

    def _placed(self, x: Tensor, width: Expr, start: Initialiser) -> Tensor:
        """x with its positions."""
        steps = x.shape[1]
        if self.positions == "learned":
            layout = alike(Module("Embedding", "positions"), "weight", 2)
            table = parameter("positions", "E", (as_size(self.length or steps), width), start, layout)
            n, t, c = axes(3)
            body = x.at(n, t, c) + table.at(t, c)
            placed = formula(
                [n, t, c],
                body,
                ranges={t: steps},
                parts=[t],
                rule="positions",
                hint=Hint("x", "layer"),
                kept=True,
            )
        elif self.positions == "sinusoidal":
            placed = x + sinusoidal_positions(steps, width)
        else:
            placed = x
        return dropout(placed, self.dropout) if self.dropout else placed
