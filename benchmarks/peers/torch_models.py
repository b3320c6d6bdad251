"""The rows' forward passes in PyTorch, as its users would write them: fused layers where PyTorch has them.

Enters: parameters in the layout that the layer wants (`LAYOUTS`) and data, as tensors. Leaves: the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.layouts import fused_attention, gates, split

Tensors = Mapping[str, Tensor]


def _end(a: Tensor, data: Tensors) -> Tensor:
    if "t" in data:
        return F.mse_loss(a, data["t"])
    return F.cross_entropy(a, data["y"])


def mlp(p: Tensors, data: Tensors, activation: str = "tanh") -> Tensor:
    """Dense layers W1, b1, W2, …"""
    act, h, depth = getattr(torch, activation), data["x"], len(p) // 2
    for k in range(1, depth + 1):
        h = torch.addmm(p[f"b{k}"], h, p[f"W{k}"])
        h = act(h) if k < depth else h
    return _end(h, data)


def stack(p: Tensors, data: Tensors) -> Tensor:
    """Equal dense layers, then a read-out."""
    h = data["x"]
    for k in range((len(p) - 2) // 2):
        h = torch.tanh(torch.addmm(p[f"b.{k}"], h, p[f"W.{k}"]))
    return _end(torch.addmm(p["c"], h, p["V"]), data)


def lenet(p: Tensors, data: Tensors) -> Tensor:
    h = F.max_pool2d(F.relu(F.conv2d(data["x"], p["K1"], p["c1"])), 2)
    h = F.max_pool2d(F.relu(F.conv2d(h, p["K2"], p["c2"])), 2)
    return _end(torch.addmm(p["b"], h.flatten(1), p["W"]), data)


def _state(p: Tensors, data: Tensors) -> Tensor:
    return torch.zeros(1, len(data["x"]), p["U"].shape[1], dtype=p["U"].dtype)


def _last(out: Tensor, p: Tensors, data: Tensors) -> Tensor:
    return _end(torch.addmm(p["o"], out[:, -1], p["V"]), data)


def rnn(p: Tensors, data: Tensors) -> Tensor:
    weights = [p["W"], p["U"], p["b"], torch.zeros_like(p["b"])]
    out, _ = torch.rnn_tanh(data["x"], _state(p, data), weights, True, 1, 0.0, True, False, True)
    return _last(out, p, data)


def lstm(p: Tensors, data: Tensors) -> Tensor:
    zero, weights = _state(p, data), [p["W"], p["U"], p["b"], torch.zeros_like(p["b"])]
    out, _, _ = torch.lstm(data["x"], (zero, zero), weights, True, 1, 0.0, True, False, True)
    return _last(out, p, data)


def gru(p: Tensors, data: Tensors) -> Tensor:
    weights = [p["W"], p["U"], p["b"], p["c"]]
    out, _ = torch.gru(data["x"], _state(p, data), weights, True, 1, 0.0, True, False, True)
    return _last(out, p, data)


def gpt(p: Tensors, data: Tensors, heads: int = 4) -> Tensor:
    """Pre-norm blocks with fused attention."""
    (N, T), (_V, D) = data["tok"].shape, p["We"].shape
    h = (p["We"][data["tok"]] + p["Wp"]).view(N * T, D)
    for k in range(sum(name.startswith("wa.") for name in p)):
        y = F.layer_norm(h, (D,), p[f"wa.{k}"], p[f"oa.{k}"])
        qkv = torch.addmm(p[f"bqkv.{k}"], y, p[f"Wqkv.{k}"]).view(N, T, 3, heads, -1)
        o = F.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4), is_causal=True)
        h = h + torch.addmm(p[f"bo.{k}"], o.transpose(1, 2).reshape(N * T, D), p[f"Wo.{k}"])
        y = F.layer_norm(h, (D,), p[f"wb.{k}"], p[f"ob.{k}"])
        a = F.gelu(torch.addmm(p[f"b1.{k}"], y, p[f"W1.{k}"]), approximate="tanh")
        h = h + torch.addmm(p[f"b2.{k}"], a, p[f"W2.{k}"])
    y = F.layer_norm(h, (D,), p["wf_f"], p["of_f"])
    return F.cross_entropy(y @ p["We"].T, data["y"].view(-1))


def residual_mlp(p: Tensors, data: Tensors) -> Tensor:
    """Blocks of layer norm, dense, GELU, dense around a stream."""
    h = data["x"]
    for k in range(sum(name.startswith("w.") for name in p)):
        y = F.layer_norm(h, h.shape[1:], p[f"w.{k}"], p[f"g.{k}"])
        a = F.gelu(torch.addmm(p[f"b.{k}"], y, p[f"W.{k}"]), approximate="tanh")
        h = h + torch.addmm(p[f"c.{k}"], a, p[f"U.{k}"])
    return _end(torch.addmm(p["o"], h, p["V"]), data)


def _against(y: Tensor, data: Tensors) -> Tensor:
    return torch.dot(y.flatten(), data["g"].flatten())


def layernorm(p: Tensors, data: Tensors) -> Tensor:
    return _against(F.layer_norm(p["x"], p["w"].shape, p["w"], p["b"]), data)


def softmax(p: Tensors, data: Tensors) -> Tensor:
    return _against(F.softmax(p["x"], 1), data)


def gelu(p: Tensors, data: Tensors) -> Tensor:
    return _against(F.gelu(p["x"], approximate="tanh"), data)


def attention(p: Tensors, data: Tensors) -> Tensor:
    return _against(F.scaled_dot_product_attention(p["q"], p["k"], p["v"]), data)


def diagonal_lstm(p: Tensors, data: Tensors) -> Tensor:
    """Cells whose gates have one weight a unit; GradBench's."""
    s, states = data["s"], list(zip(p["hidden"], p["cell"], strict=True))
    weights, offsets = p["weight"].unbind(0), p["bias"].unbind(0)
    tops = []
    for t in range(len(s)):
        x = s[t] * p["extra"][0]
        for k, (h, c) in enumerate(states):
            read = torch.stack((x, h, x, h)) * weights[k] + offsets[k]
            f, i, o = torch.sigmoid(read[:3])
            c = f * c + i * torch.tanh(read[3])
            x = o * torch.tanh(c)
            states[k] = (x, c)
        tops.append(x)
    e = torch.stack(tops) * p["extra"][1] + p["extra"][2]
    e = e - torch.log(2 + torch.exp(e).sum(1, keepdim=True))
    return -torch.mean(data["after"] * e)


MODELS: dict[str, Callable[..., Tensor]] = {
    f.__name__: f
    for f in (
        mlp, stack, lenet, rnn, lstm, gru, gpt, residual_mlp, layernorm, softmax, gelu, attention,
        diagonal_lstm,
    )
}  # fmt: skip

LAYOUTS = {
    "stack": split("W", "b"),
    "rnn": gates((0,)),
    "lstm": gates((1, 2, 0, 3)),  # the row has g, i, f, o, PyTorch i, f, g, o
    "gru": gates((0, 1, 2)),
    "gpt": fused_attention(4),
    "residual_mlp": split("w", "g", "W", "b", "U", "c"),
}
