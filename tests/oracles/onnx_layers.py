"""ONNX nodes that are layers: normalisation, recurrent cells, attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from onnx_graph import Node, node
from onnx_reductions import kept

import symbp as bp
from symbp.ir.expr import Guard, Index


@node("BatchNormalization")
def batch_norm(n: Node) -> Any:
    """By statistics that are given, or the batch's; ONNX moves the running variance by the biased one."""
    x, scale, offset, eps = n[0], n[1], n[2], n.get("epsilon", 1e-5)
    if not n.get("training_mode"):
        mean, variance = (n.graph.tensor(n.inputs[k], "buffer") for k in (3, 4))
        return bp.batch_norm(x, scale, offset, mean, variance, eps=eps)
    share, over = n.get("momentum", 0.9), [0, *range(2, x.rank)]
    batch = bp.mean(x, over), bp.var(x, over, correction=0)
    moved = [share * n[3 + k] + (1 - share) * now for k, now in enumerate(batch)]
    return bp.batch_norm(x, scale, offset, eps=eps), *moved


@node("InstanceNormalization")
def instance_norm(n: Node) -> Any:
    return bp.instance_norm(n[0], n[1], n[2], eps=n.get("epsilon", 1e-5))


@node("LayerNormalization")
def layer_norm(n: Node) -> Any:
    """Over the axes from `axis` on; mean and inverse deviation come out, too."""
    x, eps = n[0], n.get("epsilon", 1e-5)
    over = tuple(range(n.get("axis", -1) % x.rank, x.rank))
    y = bp.layer_norm(x, n[1], n.optional(2), axis=over, eps=eps)
    mean, variance = bp.mean(x, over), bp.var(x, over, correction=0)
    return y, kept(mean, over), kept(1 / bp.sqrt(variance + eps), over)


@node("RMSNormalization")
def rms_norm(n: Node) -> Any:
    over = tuple(range(n.get("axis", -1) % n[0].rank, n[0].rank))
    return bp.rms_norm(n[0], n[1], axis=over, eps=n.get("epsilon", 1e-5))


def gates(weight: Any, order: Sequence[int], width: int) -> Any:
    """One direction's weight (1, G·H, D), or a bias (1, G·H), as (D, G, H) or (G, H), in another order."""
    parts = [weight[0, k * width : (k + 1) * width, ...] for k in order]
    return bp.stack(*parts) if weight.rank == 2 else bp.stack(*[part.T for part in parts], axis=1)


def in_time(n: Node, run: Any) -> Any:
    """The states (N, T, H) of `run(x, W, U, b, b′)` as ONNX lays them out: Y and the last of them."""
    batch_first = bool(n.get("layout", 0))
    x = n[0] if batch_first else bp.transpose(n[0], 0, 1)
    h = run(x)
    last = h[:, -1, :]
    if batch_first:
        return bp.unsqueeze(h, 2), bp.unsqueeze(last, 1)
    return bp.unsqueeze(bp.transpose(h, 0, 1), 1), bp.unsqueeze(last, 0)


def biases(n: Node, order: Sequence[int], width: int) -> tuple[Any, Any]:
    """What is added beside x·W, and beside h·U: ONNX has both in one vector."""
    if not n.has(3):
        return None, None
    both, count = n[3], len(order) * width
    return gates(both[:, :count], order, width), gates(both[:, count:], order, width)


@node("RNN")
def rnn(n: Node) -> Any:
    width = n.get("hidden_size")
    first, second = biases(n, [0], width)
    bias = None if first is None else (first + second)[0, :]
    weight, again = (gates(n[k], [0], width)[:, 0, :] for k in (1, 2))
    return in_time(n, lambda x: bp.rnn(x, weight, again, bias))


@node("LSTM")
def lstm(n: Node) -> Any:
    """The gates of ONNX are i, o, f, c; those of symbp i, f, g, o."""
    order, width = [0, 2, 3, 1], n.get("hidden_size")
    first, second = biases(n, order, width)
    bias = None if first is None else first + second
    return in_time(n, lambda x: bp.lstm(x, gates(n[1], order, width), gates(n[2], order, width), bias))


@node("GRU")
def gru(n: Node) -> Any:
    """The gates of ONNX are z, r, h; those of symbp r, z, n. By default it resets before the product."""
    order, width = [1, 0, 2], n.get("hidden_size")
    after = bool(n.get("linear_before_reset", 0))
    return in_time(
        n,
        lambda x: bp.gru(
            x,
            gates(n[1], order, width),
            gates(n[2], order, width),
            *biases(n, order, width),
            reset_after=after,
        ),
    )


@node("Attention")
def attention(n: Node) -> Any:
    """With heads in one axis or in their own, past keys and values before the new ones."""
    flat = n[0].rank == 3
    heads = [n.get("q_num_heads"), n.get("kv_num_heads"), n.get("kv_num_heads")]
    query, key, value = (split(n[k], heads[k]) if flat else n[k] for k in range(3))
    if n.has(4):
        key, value = bp.concat(n[4], key, axis=2), bp.concat(n[5], value, axis=2)
    past = n.array(4).shape[2] if n.has(4) else 0
    plain = not n.get("softcap") and not n.has(6) and not (past and n.get("is_causal"))
    stages = scores(n, query, key, past)
    if plain:
        y = bp.scaled_dot_product_attention(
            query, key, value, n.optional(3), bool(n.get("is_causal")), n.get("scale")
        )
    else:
        y = stages[3] @ value
    shown = stages[n.get("qk_matmul_output_mode", 0)] if len(n.outputs) > 3 else None
    return merged(y) if flat else y, key, value, shown


def split(x: Any, heads: int) -> Any:
    """(B, T, H·D) as (B, H, T, D)."""
    batch, steps, width = (int(e.value) for e in x.shape)
    return bp.permute(bp.reshape(x, (batch, steps, heads, width // heads)), (0, 2, 1, 3))


def merged(x: Any) -> Any:
    return bp.flatten(bp.permute(x, (0, 2, 1, 3)), 2)


def scores(n: Node, query: Any, key: Any, past: int) -> list[Any]:
    """The scores, masked, then within the soft cap, and as weights."""
    b, h, t, s, d = every = [Index(letter) for letter in "bhtsd"]
    plain = every[:4]
    width = n.array(0).shape[-1] // (n.get("q_num_heads") if n[0].rank == 3 else 1)
    scale = n.get("scale") or 1 / sympy.sqrt(width)
    bare = bp.define("score", plain, bp.Sum(query[b, h, t, d] * key[b, h, s, d] * scale, d))
    added, seen = mask(n, plain, past)
    total = bp.define("total", plain, bare[b, h, t, s] + added)
    masked = bp.define("masked", plain, bp.where(seen, total[b, h, t, s], -sympy.oo)) if seen != 1 else total
    cap = n.get("softcap")
    capped = cap * bp.tanh(total / cap) if cap else bp.linear(total)
    raised = bp.define("raised", plain, seen * sympy.exp(capped[b, h, t, s]))
    weights = bp.define("weights", plain, raised[b, h, t, s] / bp.Sum(raised[b, h, t, s], s))
    return [bare, masked, capped, weights]


def mask(n: Node, plain: Sequence[Index], past: int) -> tuple[Any, Any]:
    """What is added to each score, and the guard of the scores that count."""
    _, _, t, s = plain
    added: Any = sympy.S.Zero
    seen: Any = Guard("<=", s, t + past) if n.get("is_causal") else sympy.S.One
    if n.has(6):
        seen *= Guard("<", s, n[6][plain[0]])
    if n.has(3):
        given = n.array(3)
        read = [0 if e == 1 else i for i, e in zip(plain[-given.ndim :], given.shape, strict=True)]
        if given.dtype.kind == "b":
            seen *= Guard(">", n[3].at(*read, outside=0), 0)
        else:
            added = n[3].at(*read, outside=0)
    return added, seen
