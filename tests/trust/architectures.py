"""Named architectures, each declared as in PyTorch with integers: a ResNet-18, a U-Net of depth 3, a WaveNet,
grouped-query attention with rotary positions. Images are small and channels few; the structure is whole.

Enters: nothing. Leaves: an `Architecture` for each name: the network, the same with PyTorch's own layers or
functions, and data. Weights are the same arrays in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

import symbp as bp
from symbp.ir.evaluation.vector import run

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Architecture:
    """`declare()` is the network; `forward(tensors)` the same loss by PyTorch, of tensors by name; `data`
    draws what isn't a parameter; `rows` is a value of each open size."""

    declare: Callable[[], bp.Network]
    forward: Callable[[Mapping[str, Any]], Any]
    data: Callable[[np.random.Generator, Mapping[str, int]], Arrays]
    rows: Mapping[str, int]


def errors(architecture: Architecture, seed: int = 0) -> dict[str, float]:
    """Each gradient's largest error beside PyTorch's, by its largest entry."""
    net = architecture.declare()
    derivation = bp.derive(net)
    rng = np.random.default_rng(seed)
    system = derivation.system
    sizes = {**system.bound, **architecture.rows}
    values = architecture.data(rng, architecture.rows)
    for tensor in system.parameters:
        shape = tuple(int(e.xreplace({s: sizes[s.name] for s in e.free_symbols})) for e in tensor.shape)
        fan = np.prod(shape[1:]) if len(shape) > 1 else 1
        centre = 1.0 if tensor.name.startswith("g_") else 0.0
        values[tensor.name] = centre + rng.normal(size=shape) * (0.2 if len(shape) == 1 else fan**-0.5)
    for tensor in system.leaves:
        if tensor.name not in values:  # running statistics, which training doesn't read
            shape = tuple(int(e.xreplace({s: sizes[s.name] for s in e.free_symbols})) for e in tensor.shape)
            values[tensor.name] = np.ones(shape)
    gradients = derivation.gradients
    found = run(
        system, values, {k: v for k, v in sizes.items() if k in system.sizes}, wanted=gradients.values()
    )
    tensors = {name: torch.tensor(array, requires_grad=name in gradients) for name, array in values.items()}
    architecture.forward(tensors).backward()
    return {
        name: float(
            abs(found[gradient] - tensors[name].grad.numpy()).max() / abs(tensors[name].grad.numpy()).max()
        )
        for name, gradient in gradients.items()
    }


# --- ResNet-18 (He et al. 2016): four stages of two blocks, the first of stages 2 to 4 with stride 2
STAGES = ((4, 1), (6, 2), (8, 2), (10, 2))
STAGE = ((6, 2),)


def resnet18(stages: Sequence[tuple[int, int]] = STAGES) -> bp.Network:
    n = bp.dim("N")
    x, y = bp.input("x", (n, 3, 32, 32)), bp.labels("y", (n,), classes=10)

    def normed(z: Any, name: str, channels: int) -> Any:
        return bp.batch_norm(z, bp.param(f"g_{name}", (channels,)), bp.param(f"b_{name}", (channels,)))

    def conv(z: Any, name: str, into: int, out: int, size: int, stride: int, padding: int) -> Any:
        weight = bp.param(f"K_{name}", (out, into, size, size))
        return normed(bp.conv2d(z, weight, stride=stride, padding=padding), name, out)

    h = bp.relu(conv(x, "stem", 3, 4, 7, 2, 3))
    h = bp.max_pool2d(h, 3, stride=2, padding=1)
    into = 4
    for stage, (out, stride) in enumerate(stages, start=1):
        for block in (1, 2):
            step = stride if block == 1 else 1
            name = f"{stage}{block}"
            z = bp.relu(conv(h, name + "a", into, out, 3, step, 1))
            z = conv(z, name + "b", out, out, 3, 1, 1)
            short = h if step == 1 and into == out else conv(h, name + "s", into, out, 1, step, 0)
            h = bp.relu(z + short)
            into = out
    z = bp.global_avg_pool(h) @ bp.param("W", (into, 10)) + bp.param("b", (10,))
    return bp.Network("resnet18", loss=bp.cross_entropy(z, y, from_logits=True))


def resnet18_torch(t: Mapping[str, Any], stages: Sequence[tuple[int, int]] = STAGES) -> Any:
    def conv(z: Any, name: str, stride: int, padding: int) -> Any:
        z = F.conv2d(z, t[f"K_{name}"], stride=stride, padding=padding)
        return F.batch_norm(z, None, None, t[f"g_{name}"], t[f"b_{name}"], training=True)

    h = F.max_pool2d(F.relu(conv(t["x"], "stem", 2, 3)), 3, stride=2, padding=1)
    for stage, (_, stride) in enumerate(stages, start=1):
        for block in (1, 2):
            step, name = (stride if block == 1 else 1), f"{stage}{block}"
            z = conv(F.relu(conv(h, name + "a", step, 1)), name + "b", 1, 1)
            h = F.relu(z + (conv(h, name + "s", step, 0) if f"K_{name}s" in t else h))
    return F.cross_entropy(h.mean((2, 3)) @ t["W"] + t["b"], t["y"])


# --- U-Net (Ronneberger, Fischer and Brox 2015), three times down and up, "same" convolutions
WIDTHS = (2, 3, 4, 5)


def unet() -> bp.Network:
    n = bp.dim("N")
    x, y = bp.input("x", (n, 1, 16, 16)), bp.labels("y", (n, 16, 16), classes=3)

    def twice(z: Any, name: str, into: int, out: int) -> Any:
        for k, width in ((1, into), (2, out)):
            weight, bias = bp.param(f"K_{name}{k}", (out, width, 3, 3)), bp.param(f"k_{name}{k}", (out,))
            z = bp.relu(bp.conv2d(z, weight, bias, padding=1))
        return z

    h, kept = x, []
    into = 1
    for level, width in enumerate(WIDTHS[:-1]):
        h = twice(h, f"down{level}", into, width)
        kept.append(h)
        h = bp.max_pool2d(h, 2)
        into = width
    h = twice(h, "deep", into, WIDTHS[-1])
    for level in (2, 1, 0):
        weight = bp.param(f"U{level}", (WIDTHS[level + 1], WIDTHS[level], 2, 2))
        h = bp.conv_transpose2d(h, weight, bp.param(f"u{level}", (WIDTHS[level],)), stride=2)
        h = twice(bp.concat(kept[level], h, axis=1), f"up{level}", 2 * WIDTHS[level], WIDTHS[level])
    z = bp.conv2d(h, bp.param("K", (3, WIDTHS[0], 1, 1)), bp.param("k", (3,)))
    rows = bp.permute(z, (0, 2, 3, 1))
    return bp.Network("unet", loss=bp.cross_entropy(rows, y, from_logits=True))


def unet_torch(t: Mapping[str, Any]) -> Any:
    def twice(z: Any, name: str) -> Any:
        for k in (1, 2):
            z = F.relu(F.conv2d(z, t[f"K_{name}{k}"], t[f"k_{name}{k}"], padding=1))
        return z

    h, kept = t["x"], []
    for level in range(3):
        h = twice(h, f"down{level}")
        kept.append(h)
        h = F.max_pool2d(h, 2)
    h = twice(h, "deep")
    for level in (2, 1, 0):
        h = F.conv_transpose2d(h, t[f"U{level}"], t[f"u{level}"], stride=2)
        h = twice(torch.cat((kept[level], h), 1), f"up{level}")
    return F.cross_entropy(F.conv2d(h, t["K"], t["k"]), t["y"])


# --- WaveNet (van den Oord et al. 2016): gated causal convolutions, dilation 1, 2, 4, skips summed
DILATIONS = (1, 2, 4)


def wavenet() -> bp.Network:
    n, channels, classes = bp.dim("N"), 4, 5
    x, y = bp.tokens("x", (n, 12), vocabulary=classes), bp.labels("y", (n, 12), classes=classes)
    h = bp.transpose(bp.embedding(x, bp.param("E", (classes, channels))), 1, 2)
    skips = None
    for d in DILATIONS:
        padded = bp.pad(h, ((0, 0), (0, 0), (d, 0)))

        def conv(name: str, padded: Any = padded, d: int = d) -> Any:
            weight, bias = (
                bp.param(f"{name}{d}", (channels, channels, 2)),
                bp.param(f"b{name}{d}", (channels,)),
            )
            return bp.conv1d(padded, weight, bias, dilation=d)

        z = bp.tanh(conv("F")) * bp.sigmoid(conv("G"))
        skip = bp.conv1d(z, bp.param(f"S{d}", (channels, channels, 1)), bp.param(f"bS{d}", (channels,)))
        skips = skip if skips is None else skips + skip
        h = h + bp.conv1d(z, bp.param(f"R{d}", (channels, channels, 1)), bp.param(f"bR{d}", (channels,)))
    z = bp.relu(
        bp.conv1d(bp.relu(skips), bp.param("P", (channels, channels, 1)), bp.param("bP", (channels,)))
    )
    z = bp.conv1d(z, bp.param("Q", (classes, channels, 1)), bp.param("bQ", (classes,)))
    return bp.Network("wavenet", loss=bp.cross_entropy(bp.transpose(z, 1, 2), y, from_logits=True))


def wavenet_torch(t: Mapping[str, Any]) -> Any:
    h = F.embedding(t["x"], t["E"]).transpose(1, 2)
    skips = 0
    for d in DILATIONS:
        padded = F.pad(h, (d, 0))
        filtered, gate = (F.conv1d(padded, t[f"{k}{d}"], t[f"b{k}{d}"], dilation=d) for k in "FG")
        z = torch.tanh(filtered) * torch.sigmoid(gate)
        skips = skips + F.conv1d(z, t[f"S{d}"], t[f"bS{d}"])
        if d != DILATIONS[-1]:  # what the last layer passes on, nobody reads
            h = h + F.conv1d(z, t[f"R{d}"], t[f"bR{d}"])
    z = F.relu(F.conv1d(F.relu(skips), t["P"], t["bP"]))
    return F.cross_entropy(F.conv1d(z, t["Q"], t["bQ"]), t["y"])


# --- grouped queries (Ainslie et al. 2023) with rotary positions (Su et al. 2021), causal, as in Llama
def grouped_queries() -> bp.Network:
    n, t = bp.dim("N"), 6
    x = bp.input("x", (n, t, 16))
    y = bp.target("y", (n, t, 16))
    wq, wk, wv, wo = (bp.param(f"W{k}", (16, width)) for k, width in zip("qkvo", (16, 8, 8, 16), strict=True))
    q, k, v = bp.split_heads(x @ wq, 4), bp.split_heads(x @ wk, 2), bp.split_heads(x @ wv, 2)
    o = bp.scaled_dot_product_attention(bp.rotary(q), bp.rotary(k), v, is_causal=True, enable_gqa=True)
    return bp.Network("gqa", loss=bp.mse(bp.merge_heads(o) @ wo, y))


def grouped_queries_torch(t: Mapping[str, Any]) -> Any:
    def heads(z: Any, count: int) -> Any:
        return z.unflatten(-1, (count, -1)).transpose(1, 2)

    def rotary(z: Any) -> Any:
        half = z.shape[-1] // 2
        angles = torch.outer(
            torch.arange(z.shape[-2], dtype=z.dtype), 10000.0 ** (-torch.arange(half, dtype=z.dtype) / half)
        )
        cosine, sine = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
        return z * cosine + torch.cat((-z[..., half:], z[..., :half]), -1) * sine

    q, k, v = heads(t["x"] @ t["Wq"], 4), heads(t["x"] @ t["Wk"], 2), heads(t["x"] @ t["Wv"], 2)
    o = F.scaled_dot_product_attention(rotary(q), rotary(k), v, is_causal=True, enable_gqa=True)
    return F.mse_loss(o.transpose(1, 2).flatten(2) @ t["Wo"], t["y"])


def _images(channels: int, side: int, labels: tuple[int, ...], classes: int) -> Callable[..., Arrays]:
    def data(rng: np.random.Generator, rows: Mapping[str, int]) -> Arrays:
        n = rows["N"]
        return {
            "x": rng.normal(size=(n, channels, side, side)),
            "y": rng.integers(0, classes, (n, *labels)),
        }

    return data


def _sequences(rng: np.random.Generator, rows: Mapping[str, int]) -> Arrays:
    return {key: rng.integers(0, 5, (rows["N"], 12)) for key in "xy"}


def _rows(rng: np.random.Generator, rows: Mapping[str, int]) -> Arrays:
    return {key: rng.normal(size=(rows["N"], 6, 16)) for key in "xy"}


ARCHITECTURES: dict[str, Architecture] = {
    "resnet_stage": Architecture(
        partial(resnet18, STAGE), partial(resnet18_torch, stages=STAGE), _images(3, 32, (), 10), {"N": 5}
    ),
    "resnet18": Architecture(resnet18, resnet18_torch, _images(3, 32, (), 10), {"N": 5}),
    "unet": Architecture(unet, unet_torch, _images(1, 16, (16, 16), 3), {"N": 3}),
    "wavenet": Architecture(wavenet, wavenet_torch, _sequences, {"N": 4}),
    "gqa_rotary": Architecture(grouped_queries, grouped_queries_torch, _rows, {"N": 3}),
}
