"""Recurrences over sequences of different lengths, masks of attention, embeddings; and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.evaluation.vector import Run
from symbp.ir.points.sampling import evaluate_size

torch = pytest.importorskip("torch", reason="PyTorch is not installed: sequences not compared")
F = torch.nn.functional
attention = bp.scaled_dot_product_attention

N, T, S, D, H = bp.dims("N T S D H")
SIZES = {"N": 3, "T": 5, "S": 4, "D": 2, "H": 3}


def gradients(result: bp.Tensor, arrays: dict[str, Any], sizes: dict[str, int]) -> tuple[Any, Any]:
    """The result, and the derived gradients of Σ weights·result at random weights."""
    weights = bp.input("weights", result.shape)
    net = bp.Network("net", loss=(result * weights).sum(), outputs={"result": result})
    derivation = bp.derive(net)
    sizes = {**sizes, **net.system.bound}
    extents = [evaluate_size(e, sizes) for e in net.system.by_name["weights"].shape]
    arrays["weights"] = np.random.default_rng(1).normal(size=extents)
    run = Run(derivation.system, arrays, sizes)
    return run.tensor("result"), {
        name: run.tensor(gradient) for name, gradient in derivation.gradients.items()
    }


def compare(result: bp.Tensor, arrays: dict[str, Any], theirs: Any, sizes: dict[str, int] = SIZES) -> None:
    """Value and gradients against `theirs`, a function of PyTorch's tensors by name."""
    given = {k: torch.tensor(v, requires_grad=v.dtype.kind == "f") for k, v in arrays.items()}
    forward, found = gradients(result, arrays, sizes)
    expected = theirs(**given)
    np.testing.assert_allclose(forward, expected.detach().numpy(), rtol=1e-11, atol=1e-13)
    (expected * torch.tensor(arrays["weights"])).sum().backward()
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, given[name].grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


# --- recurrences
@pytest.mark.few(fast=1)
@pytest.mark.parametrize("reverse", [False, True])
def test_an_example_keeps_its_state_past_its_length(reverse: bool) -> None:
    x, w, u, b = bp.input("x", (N, T, D)), bp.param("w", (D, H)), bp.param("u", (H, H)), bp.param("b", (H,))
    lengths = bp.labels("lengths", (N,), classes=T + 1)
    states = bp.rnn(x, w, u, b, lengths=lengths, reverse=reverse)
    last = states[:, 0 if reverse else -1]
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=s) for name, s in (("w", (2, 3)), ("u", (3, 3)), ("b", (3,)))}
    arrays |= {"x": rng.normal(size=(3, 5, 2)), "lengths": np.array([5, 2, 3])}

    def theirs(x: Any, w: Any, u: Any, b: Any, lengths: Any) -> Any:
        """Each example on its own, as far as it goes."""
        ends = []
        for row, count in zip(x, lengths.tolist(), strict=True):
            h = torch.zeros(3, dtype=torch.float64)
            for step in row[:count].flip(0) if reverse else row[:count]:
                h = (step @ w + h @ u + b).tanh()
            ends.append(h)
        return torch.stack(ends)

    compare(last, arrays, theirs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: bp.rnn(x[:, 0], bp.param("w", (D, H)), bp.param("u", (H, H))), "runs over sequences"),
        (lambda x: bp.rnn(x, bp.param("w", (4, H)), bp.param("u", (H, H))), "sizes of two axes differ"),
        (lambda x: bp.lstm(x, bp.param("w", (D, 3, H)), bp.param("u", (H, 3, H))), "an LSTM's weight has"),
        (lambda x: bp.gru(x, bp.param("w", (D, H)), bp.param("u", (H, H))), "a GRU's weight has its 3"),
        (
            lambda x: bp.rnn(x, bp.param("w", (D, H)), bp.param("u", (H, H)), lengths=bp.input("l", (N,))),
            "holds no lengths",
        ),
    ],
)  # fmt: skip
def test_refused_recurrences(call: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        call(bp.input("x", (N, T, bp.dim("D", 2))))


def test_a_nonlinearity_that_nobody_knows() -> None:
    x, w, u = bp.input("x", (N, T, D)), bp.param("w", (D, H)), bp.param("u", (H, H))
    with pytest.raises(DeclarationError, match="no nonlinearity='softmax'"):
        bp.rnn(x, w, u, nonlinearity="softmax")


# --- attention
def heads() -> tuple[bp.Tensor, bp.Tensor, bp.Tensor]:
    return bp.param("q", (N, T, D)), bp.param("k", (N, S, D)), bp.param("v", (N, S, H))


def drawn(**more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    shapes = {"q": (3, 5, 2), "k": (3, 4, 2), "v": (3, 4, 3)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()} | more


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("shape", [("T", "S"), ("N", "T", "S"), (1, "S"), ("N", 1, "S")], ids=str)
def test_a_binary_mask_says_which_keys_are_seen(shape: Any) -> None:
    extents = [bp.dim(s) if isinstance(s, str) else s for s in shape]
    mask = bp.input("mask", extents, facts="binary")
    values = np.random.default_rng(3).integers(0, 2, [SIZES.get(s, 1) for s in shape]).astype(float)
    values[..., 0] = 1

    def theirs(q: Any, k: Any, v: Any, mask: Any) -> Any:
        return F.scaled_dot_product_attention(q, k, v, mask > 0)

    compare(attention(*heads(), mask), drawn(mask=values), theirs)


def test_a_query_that_sees_no_key_gets_zeros_and_no_gradient() -> None:
    mask = bp.input("mask", (T, S), facts="binary")
    values = np.ones((5, 4))
    values[2] = 0

    def theirs(q: Any, k: Any, v: Any, mask: Any) -> Any:
        rows = F.scaled_dot_product_attention(q, k, v, (mask > 0) | (mask.sum(-1, keepdim=True) == 0))
        return rows * (mask.sum(-1, keepdim=True) > 0)

    compare(attention(*heads(), mask), drawn(mask=values), theirs)


def test_a_window_of_keys() -> None:
    q, k, v = bp.param("q", (N, T, D)), bp.param("k", (N, T, D)), bp.param("v", (N, T, H))
    rng = np.random.default_rng(4)
    arrays = {name: rng.normal(size=(3, 5, width)) for name, width in (("q", 2), ("k", 2), ("v", 3))}

    def theirs(q: Any, k: Any, v: Any) -> Any:
        distance = torch.arange(5)[:, None] - torch.arange(5)
        return F.scaled_dot_product_attention(q, k, v, (distance >= 0) & (distance < 2))

    compare(attention(q, k, v, window=2), arrays, theirs)


def test_linear_biases_are_added_to_the_scores() -> None:
    q, k, v = bp.param("q", (N, 2, 5, D)), bp.param("k", (N, 2, 5, D)), bp.param("v", (N, 2, 5, H))
    rng = np.random.default_rng(5)
    arrays = {name: rng.normal(size=(3, 2, 5, width)) for name, width in (("q", 2), ("k", 2), ("v", 3))}

    def theirs(q: Any, k: Any, v: Any) -> Any:
        slope = torch.tensor([2.0**-4, 2.0**-8], dtype=torch.float64)[:, None, None]
        bias = slope * (torch.arange(5) - torch.arange(5)[:, None])
        return F.scaled_dot_product_attention(q, k, v, bias)

    compare(attention(q, k, v, bp.alibi_bias(2, 5)), arrays, theirs)


def test_relative_positions_are_all_that_rotary_shows() -> None:
    q, k = bp.input("q", (1, 6, 4)), bp.input("k", (1, 6, 4))
    product = bp.rotary(q) @ bp.transpose(bp.rotary(k))
    net = bp.Network("net", loss=product.sum(), outputs={"product": product})
    row = np.random.default_rng(6).normal(size=(2, 1, 1, 4)) * np.ones((2, 1, 6, 4))
    found = Run(net.system, {"q": row[0], "k": row[1]}, net.system.bound).tensor("product")[0]
    for offset in range(-5, 6):
        diagonal = np.diagonal(found, offset)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q, k, v: attention(q, k, v[0]), "have the same axes"),
        (lambda q, k, v: attention(q, k, v, bp.input("m", (4, 5))), "doesn't fit the scores"),
        (lambda q, k, v: attention(q, k, v, bp.input("m", (1, 1, 1, 1, 5))), "doesn't fit the scores"),
        (lambda q, k, v: attention(q, v, k), "sizes of two axes differ"),
        (lambda q, _k, _v: bp.split_heads(q, 4), "4 heads don't divide the width 6"),
        (lambda _q, _k, v: bp.rotary(v), "2 doesn't divide 7"),
    ],
)  # fmt: skip
def test_refused_attention(call: Any, message: str) -> None:
    q, k, v = bp.input("q", (2, 3, 6)), bp.input("k", (2, 5, 6)), bp.input("v", (2, 5, 7))
    with pytest.raises(ShapeError, match=message):
        call(q, k, v)


def test_heads_that_cannot_share_keys() -> None:
    q, k = bp.input("q", (2, 6, 3, 4)), bp.input("k", (2, 4, 3, 4))
    with pytest.raises(ShapeError, match="6 query heads can't share 4 heads of keys"):
        attention(q, k, k, enable_gqa=True)


# --- embeddings
def test_a_vocabulary_that_is_not_the_tables() -> None:
    tokens = bp.tokens("tokens", (N, T), vocabulary=7)
    with pytest.raises(ShapeError) as error:
        bp.embedding(tokens, bp.param("E", (8, D)))
    assert "axis 0 of E: 8" in str(error.value)
    assert "the vocabulary of tokens: 7" in str(error.value)


def test_refused_embeddings() -> None:
    table = bp.param("E", (8, D))
    with pytest.raises(ShapeError, match="x holds no tokens"):
        bp.embedding(bp.input("x", (N, T)), table)
    with pytest.raises(DeclarationError, match="padding_idx 8 is no row of E"):
        bp.embedding(bp.tokens("tokens", (N,), vocabulary=8), table, padding_idx=8)


@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_a_token_out_of_range_is_refused_by_the_module(target: str) -> None:
    tokens = bp.tokens("tokens", (N, T), vocabulary=8)
    net = bp.Network("net", loss=bp.embedding(tokens, bp.param("E", (8, 2))).sum())
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    parameters = module.init_params(0)
    for wrong in (8, -1):
        with pytest.raises(module.DataError, match="tokens"):
            module.loss_and_gradients(parameters, tokens=np.array([[0, 7], [wrong, 1]]))
