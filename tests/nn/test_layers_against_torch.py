"""Layers inside a network, as its generated module computes them, against PyTorch's layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp

torch = pytest.importorskip("torch", reason="PyTorch is not installed: layers not compared")
nn = bp.nn

N = bp.dim("N")


class Built:
    """A network `Σ weights·layer(x)` with its NumPy module, parameters and buffers at random."""

    def __init__(self, layer: Any, x: Any, *more: Any, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.x = rng.normal(size=x)
        given = bp.input("x", (N, *x[1:]))
        extra = [bp.input(f"m{k}", (N, *shape[1:])) for k, shape in enumerate(more)]
        result = layer(given, *extra)
        weights = bp.input("weights", result.shape)
        net = bp.Network("net", loss=(result * weights).sum(), outputs={"result": result})
        self.net, self.derivation = net, bp.derive(net)
        self.module = self.compiled("numpy")
        self.parameters = self.module.init_params(seed)
        for array in self.parameters.values():
            array += 0.1 * rng.standard_normal(array.shape)
        self.data = {"x": self.x, **{f"m{k}": rng.normal(size=shape) for k, shape in enumerate(more)}}
        self.weights = rng.normal(size=self.result().shape)

    def compiled(self, target: str) -> Any:
        return bp.compile(self.net, target=target, optimizer=bp.optim.SGD(0.1), derivation=self.derivation)

    def loops(self) -> Any:
        """The Numba module, whose kernels run as plain Python."""
        module = self.compiled("numba")
        module._compile = lambda: None
        return module

    def result(self, **more: Any) -> Any:
        return self.module.forward(self.parameters, **self.data, **more)["result"]

    def gradients(self, module: Any) -> Any:
        return module.loss_and_gradients(self.parameters, **self.data, weights=self.weights)[1]

    def tensors(self) -> dict[str, Any]:
        return {name: torch.tensor(np.array(a), requires_grad=True) for name, a in self.parameters.items()}

    def given(self) -> list[Any]:
        return [torch.tensor(a) for a in self.data.values()]

    def compare(self, theirs: Any, parameters: dict[str, Any]) -> None:
        """Their result and gradients against ours."""
        np.testing.assert_allclose(self.result(), theirs.detach().numpy(), rtol=1e-10, atol=1e-12)
        (theirs * torch.tensor(self.weights)).sum().backward()
        for what, module in (("numpy", self.module), ("loops", self.loops())):
            found = self.gradients(module)
            assert set(found) == set(parameters)
            for name, gradient in found.items():
                expected = parameters[name].grad.numpy()
                np.testing.assert_allclose(
                    gradient, expected, rtol=1e-9, atol=1e-11, err_msg=f"{what}: {name}"
                )


def call(module: Any, values: dict[str, Any], *given: Any, **more: Any) -> Any:
    return torch.func.functional_call(module.double(), values, given, more)


F = torch.nn.functional


def batch_norm(x: Any, gamma1: Any, beta1: Any) -> Any:
    return F.batch_norm(x, None, None, gamma1, beta1, training=True)


PLAIN = {
    "Conv1d": (nn.Conv1d(4, 3, padding="same"), (2, 3, 7), lambda x, W1, b1: F.conv1d(x, W1, b1, padding=1)),
    "Conv2d": (
        nn.Conv2d(4, (3, 2), stride=2, groups=2, activation="relu"),
        (2, 4, 6, 5),
        lambda x, W1, b1: F.conv2d(x, W1, b1, 2, groups=2).relu(),
    ),
    "Conv3d": (nn.Conv3d(2, 2, bias=False), (1, 2, 3, 3, 3), lambda x, W1: F.conv3d(x, W1)),
    "ConvTranspose1d": (
        nn.ConvTranspose1d(4, 3, stride=2, groups=2),
        (2, 2, 3),
        lambda x, W1, b1: F.conv_transpose1d(x, W1, b1, 2, groups=2),
    ),
    "ConvTranspose2d": (
        nn.ConvTranspose2d(2, 2, stride=2), (2, 3, 2, 2), lambda x, W1, b1: F.conv_transpose2d(x, W1, b1, 2)
    ),
    "a small image classifier": (
        nn.Sequential(
            nn.Conv2d(3, 3, activation="relu"), nn.MaxPool2d(2), nn.GroupNorm(3), nn.Flatten(), nn.Dense(4)
        ),
        (2, 1, 8, 8),
        lambda x, W1, b1, gamma1, beta1, W2, b2: (
            F.group_norm(F.max_pool2d(F.conv2d(x, W1, b1).relu(), 2), 3, gamma1, beta1).flatten(1) @ W2 + b2
        ),
    ),
    "pooling": (
        nn.Sequential(nn.Dense(6), nn.AvgPool1d(2), nn.Upsample(scale_factor=2), nn.GlobalMaxPool()),
        (2, 3, 5),
        lambda x, W1, b1: F.interpolate(F.avg_pool1d(x @ W1 + b1, 2), scale_factor=2).amax(-1),
    ),
    "Activation": (
        nn.Sequential(nn.Dense(4), nn.Activation("silu")), (3, 2), lambda x, W1, b1: F.silu(x @ W1 + b1)
    ),
    "pooling of sequences": (
        nn.Sequential(
            nn.Conv1d(2, 2), nn.MaxPool1d(2, 1), nn.AdaptiveAvgPool1d(4), nn.AdaptiveMaxPool1d(3)
        ),
        (2, 1, 8),
        lambda x, W1, b1: F.adaptive_max_pool1d(
            F.adaptive_avg_pool1d(F.max_pool1d(F.conv1d(x, W1, b1), 2, 1), 4), 3
        ),
    ),
    "pooling of images": (
        nn.Sequential(
            nn.Conv2d(2, 2), nn.AvgPool2d(2, 1), nn.AdaptiveMaxPool2d((4, 2)), nn.AdaptiveAvgPool2d(2),
            nn.GlobalAvgPool(),
        ),
        (2, 1, 7, 6),
        lambda x, W1, b1: F.adaptive_avg_pool2d(
            F.adaptive_max_pool2d(F.avg_pool2d(F.conv2d(x, W1, b1), 2, 1), (4, 2)), 2
        ).mean((2, 3)),
    ),
    "MaxPool3d": (
        nn.Sequential(nn.Dense(2), nn.MaxPool3d((2, 1, 2), 1)),
        (1, 2, 3, 2, 4),
        lambda x, W1, b1: F.max_pool3d(x @ W1 + b1, (2, 1, 2), 1),
    ),
    "AvgPool3d": (
        nn.Sequential(nn.Dense(2), nn.AvgPool3d((2, 1, 2), 1)),
        (1, 2, 3, 2, 4),
        lambda x, W1, b1: F.avg_pool3d(x @ W1 + b1, (2, 1, 2), 1),
    ),
    "AdaptivePool3d": (
        nn.Sequential(nn.Dense(2), nn.AdaptiveMaxPool3d((2, None, None)), nn.AdaptiveAvgPool3d((2, 1, None))),
        (1, 2, 4, 3, 4),
        lambda x, W1, b1: F.adaptive_avg_pool3d(
            F.adaptive_max_pool3d(x @ W1 + b1, (2, None, None)), (2, 1, None)
        ),
    ),
    "BatchNorm": (nn.BatchNorm(track_running_stats=False), (5, 3), batch_norm),
    "BatchNorm1d": (nn.BatchNorm1d(track_running_stats=False), (3, 2, 4), batch_norm),
    "BatchNorm3d": (nn.BatchNorm3d(track_running_stats=False), (3, 2, 2, 1, 2), batch_norm),
    "FeedForward": (
        nn.FeedForward(5, activation="relu"),
        (2, 3, 4),
        lambda x, W1, b1, W2, b2: (x @ W1 + b1).relu() @ W2 + b2,
    ),
    "LayerNorm": (nn.LayerNorm(), (3, 5), lambda x, gamma1, beta1: F.layer_norm(x, (5,), gamma1, beta1)),
    "RMSNorm": (nn.RMSNorm(), (3, 5), lambda x, gamma1: F.rms_norm(x, (5,), gamma1, 1e-6)),
    "InstanceNorm": (
        nn.InstanceNorm(affine=True),
        (3, 2, 5),
        lambda x, gamma1, beta1: F.instance_norm(x, None, None, gamma1, beta1),
    ),
    "Residual": (
        nn.Residual(nn.LayerNorm(affine=False), nn.Dense(5, activation="tanh")),
        (3, 5),
        lambda x, W1, b1: x + (F.layer_norm(x, (5,)) @ W1 + b1).tanh(),
    ),
}  # fmt: skip


IN_TESTS_OF_THEIR_OWN = {
    "ConvTranspose3d",
    "BatchNorm2d", "Embedding", "RNN", "LSTM", "GRU", "MultiHeadAttention", "TransformerEncoderBlock",
    "TransformerDecoderBlock", "Repeat",
}  # fmt: skip
ELSEWHERE = {
    "Dropout", "AlphaDropout", "GaussianNoise",  # tests/ops/test_random.py: they draw their own
    "GPT",  # tests/oracles/test_llmc.py
    "Layer",  # the protocol
}  # fmt: skip


def test_every_layer_is_compared() -> None:
    def kinds(layer: Any) -> set[str]:
        return {type(layer).__name__}.union(*map(kinds, getattr(layer, "layers", ())))

    compared = set().union(*(kinds(layer) for layer, _, _ in PLAIN.values()))
    assert compared | IN_TESTS_OF_THEIR_OWN | ELSEWHERE == set(nn.__all__)


@pytest.mark.slow
def test_a_transposed_convolution_of_volumes() -> None:
    built = Built(nn.ConvTranspose3d(1, (2, 1, 1)), (2, 1, 3, 2, 2))
    tensors = built.tensors()
    built.compare(F.conv_transpose3d(*built.given(), tensors["W1"], tensors["b1"]), tensors)


def test_an_embedding() -> None:
    tokens, g = bp.tokens("tokens", (N, 4), vocabulary=7), bp.input("g", (N, 4, 3))
    net = bp.Network("net", loss=(nn.Embedding(7, 3)(tokens) * g).sum())
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(0)
    data = {"tokens": rng.integers(0, 7, (2, 4)), "g": rng.normal(size=(2, 4, 3))}
    parameters = module.init_params(0)
    loss, found = module.loss_and_gradients(parameters, **data)
    (name,) = found
    table = torch.tensor(np.array(parameters[name]), requires_grad=True)
    expected = (F.embedding(torch.tensor(data["tokens"]), table) * torch.tensor(data["g"])).sum()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(found[name], table.grad.numpy(), rtol=1e-12)


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("name", PLAIN)
def test_a_layer(name: str) -> None:
    layer, shape, function = PLAIN[name]
    built = Built(layer, shape)
    tensors = built.tensors()
    built.compare(function(*built.given(), **tensors), tensors)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_batch_norm_in_training_and_at_inference(target: str) -> None:
    """Its running variance is the unbiased one, the variance that it divides by the biased one."""
    layer = nn.BatchNorm2d(momentum=0.3)
    x, y = bp.input("x", (N, 2, 3, 2)), bp.target("y", (N, 2, 3, 2))
    h = layer(x)
    net = bp.Network("net", loss=bp.mse(h, y), outputs={"h": h})
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    state = module.init_state(module.init_params(0))
    theirs = torch.nn.BatchNorm2d(2, momentum=0.3, dtype=torch.float64)
    optimizer = torch.optim.SGD(theirs.parameters(), 0.1)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x_, y_ = rng.normal(1, 2, (4, 2, 3, 2)), rng.normal(size=(4, 2, 3, 2))
        loss = module.train_step(state, x=x_, y=y_)
        optimizer.zero_grad()
        expected = F.mse_loss(theirs(torch.tensor(x_)), torch.tensor(y_))
        expected.backward()
        optimizer.step()
        assert loss == pytest.approx(expected.item(), rel=1e-12)
    buffers = {"mean1": theirs.running_mean, "var1": theirs.running_var}
    for name, buffer in buffers.items():
        np.testing.assert_allclose(state.buffers[name], buffer.numpy(), rtol=1e-12)
    x_ = rng.normal(size=(1, 2, 3, 2))
    found = module.predict(state.params, state.buffers, x=x_)["h"]
    expected = theirs.eval()(torch.tensor(x_))
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-11)


GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


@pytest.mark.slow
@pytest.mark.parametrize("kind", GATES)
def test_stacked_recurrent_layers_in_both_directions_over_lengths(kind: str) -> None:
    """Two layers, each with first states of its own; past an example's length PyTorch gives zeros."""
    x, lengths = bp.input("x", (N, 4, 2)), bp.labels("lengths", (N,), classes=5)
    g, first = bp.input("g", (N, 4, 6)), bp.input("first", (4, N, 3))
    cells = bp.input("cells", (4, N, 3)) if kind == "LSTM" else None
    ours = getattr(nn, kind)(3, num_layers=2, bidirectional=True, name="r")
    states = ours(x, lengths, first if cells is None else (first, cells))
    net = bp.Network("net", loss=(states * g).sum())
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(3, 4, 2)), "lengths": np.array([4, 1, 3])}
    data |= {"g": rng.normal(size=(3, 4, 6)), "first": rng.normal(size=(4, 3, 3))}
    data["g"][np.arange(4) >= data["lengths"][:, None]] = 0
    data |= {} if cells is None else {"cells": rng.normal(size=(4, 3, 3))}
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    parameters = {k: rng.normal(size=a.shape) / 2 for k, a in module.init_params(0).items()}
    loss, found = module.loss_and_gradients(parameters, **data)

    tensors, values = {k: torch.tensor(a, requires_grad=True) for k, a in parameters.items()}, {}
    for layer in range(2):
        for back in range(2):
            prefix, suffix = f"r{layer + 1}{'_back' * back}", f"l{layer}{'_reverse' * back}"
            values[f"weight_ih_{suffix}"] = tensors[f"{prefix}_W"].flatten(1).T
            values[f"weight_hh_{suffix}"] = tensors[f"{prefix}_U"].flatten(1).T
            offset, inner = tensors[f"{prefix}_b"].flatten(), tensors.get(f"{prefix}_c")
            values[f"bias_ih_{suffix}"] = offset
            values[f"bias_hh_{suffix}"] = offset * 0 if inner is None else inner.flatten()
    theirs = getattr(torch.nn, kind)(2, 3, 2, batch_first=True, bidirectional=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(data["x"]), torch.tensor(data["lengths"]), batch_first=True, enforce_sorted=False
    )
    start = torch.tensor(data["first"])
    result, _ = call(theirs, values, packed, start if cells is None else (start, torch.tensor(data["cells"])))
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(result, batch_first=True, total_length=4)
    expected = (padded * torch.tensor(data["g"])).sum()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-11)
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, tensors[name].grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


def projections(tensors: dict[str, Any], numbers: tuple[int, int, int, int], width: int) -> dict[str, Any]:
    """Our heads in the layout of PyTorch's attention."""
    q, k, v, o = numbers
    parts = ((f"Wq{q}", f"bq{q}"), (f"Wk{k}", f"bk{k}"), (f"Wv{v}", f"bv{v}"))
    return {
        "in_proj_weight": torch.cat([tensors[w].flatten(1).T for w, _ in parts]),
        "in_proj_bias": torch.cat([tensors[b].flatten() for _, b in parts]),
        "out_proj.weight": tensors[f"Wo{o}"].reshape(width, width).T,
        "out_proj.bias": tensors[f"bo{o}"],
    }


@pytest.mark.slow
def test_attention_over_a_memory() -> None:
    built = Built(lambda x, m: nn.MultiHeadAttention(2)(x, m), (2, 3, 4), (2, 5, 4))
    tensors = built.tensors()
    theirs = torch.nn.MultiheadAttention(4, 2, batch_first=True)
    x, memory = built.given()
    result, _ = call(theirs, projections(tensors, (1, 2, 3, 4), 4), x, memory, memory, need_weights=False)
    built.compare(result, tensors)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.slow
def test_an_encoder_block(first: bool) -> None:
    built = Built(nn.TransformerEncoderBlock(2, 5, causal=True, norm_first=first), (2, 3, 4))
    tensors = built.tensors()
    theirs = torch.nn.TransformerEncoderLayer(4, 2, 5, 0.0, "gelu", batch_first=True, norm_first=first)
    one, two = ("1", "4") if first else ("4", "6")
    values = {f"self_attn.{k}": v for k, v in projections(tensors, (1, 2, 3, 4), 4).items()} | {
        "linear1.weight": tensors["W5"].T, "linear1.bias": tensors["b5"],
        "linear2.weight": tensors["W6"].T, "linear2.bias": tensors["b6"],
        "norm1.weight": tensors[f"gamma{one}"], "norm1.bias": tensors[f"beta{one}"],
        "norm2.weight": tensors[f"gamma{two}"], "norm2.bias": tensors[f"beta{two}"],
    }  # fmt: skip
    (x,) = built.given()
    hidden = torch.ones(3, 3, dtype=torch.bool).triu(1)
    built.compare(call(theirs, values, x, src_mask=hidden, is_causal=True), tensors)


@pytest.mark.slow
def test_a_decoder_block() -> None:
    built = Built(nn.TransformerDecoderBlock(2, 5, activation="relu"), (2, 3, 4), (2, 4, 4))
    tensors = built.tensors()
    theirs = torch.nn.TransformerDecoderLayer(4, 2, 5, 0.0, "relu", batch_first=True, norm_first=True)
    values = (
        {f"self_attn.{k}": v for k, v in projections(tensors, (1, 2, 3, 4), 4).items()}
        | {f"multihead_attn.{k}": v for k, v in projections(tensors, (5, 6, 7, 8), 4).items()}
        | {
            "linear1.weight": tensors["W9"].T, "linear1.bias": tensors["b9"],
            "linear2.weight": tensors["W10"].T, "linear2.bias": tensors["b10"],
        }
        | {
            f"norm{k}.{theirs}": tensors[f"{ours}{number}"]
            for k, number in ((1, 1), (2, 4), (3, 8))
            for theirs, ours in (("weight", "gamma"), ("bias", "beta"))
        }
    )  # fmt: skip
    x, memory = built.given()
    hidden = torch.ones(3, 3, dtype=torch.bool).triu(1)
    built.compare(call(theirs, values, x, memory, tgt_mask=hidden), tensors)


@pytest.mark.slow
def test_a_repeated_block_is_the_blocks_one_after_the_other() -> None:
    block = nn.Residual(nn.LayerNorm(), nn.Dense(7, activation="tanh"), nn.Dense(4))
    built = Built(nn.Repeat(block, 3), (2, 4))
    tensors = built.tensors()
    (x,) = built.given()
    for layer in range(3):
        p = {name: tensor[layer] for name, tensor in tensors.items()}
        h = F.layer_norm(x, (4,), p["gamma1"], p["beta1"])
        x = x + (h @ p["W1"] + p["b1"]).tanh() @ p["W2"] + p["b2"]
    built.compare(x, tensors)
