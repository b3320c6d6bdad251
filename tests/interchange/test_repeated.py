"""Layers of `nn.Repeat` are those of a state_dict under numbers, also under the names of GPT-2."""

import numpy as np
import pytest

import symbp as bp
from symbp import nn
from symbp.errors import DataError, UsageError
from symbp.ir.evaluation.vector import run

torch = pytest.importorskip("torch", reason="PyTorch isn't installed")
interchange = bp.interchange
N, T, D, L = bp.dim("N"), bp.dim("T", 4), bp.dim("D", 6), 3


def network(layer, x):
    y = layer(x)
    return bp.Network("net", loss=y.sum(), outputs={"y": y})


def encoder():
    """PyTorch's own stack of encoder layers."""
    layer = torch.nn.TransformerEncoderLayer(
        6, 2, 12, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    return torch.nn.TransformerEncoder(layer, L, enable_nested_tensor=False).double().eval()


def drawn(state):
    torch.manual_seed(1)
    return {k: torch.randn_like(v) / 4 if v.is_floating_point() else v for k, v in state.items()}


def test_equal_layers_come_in_compute_the_same_and_go_out_unchanged():
    net = network(nn.Repeat(nn.TransformerEncoderBlock(2, 12), L), bp.input("x", (N, T, D)))
    module = encoder()
    module.load_state_dict(drawn(module.state_dict()))
    state = module.state_dict()
    with pytest.raises(DataError, match="several modules"):  # PyTorch lists its normalisations last
        interchange.from_state_dict(net, state)
    first, second = (n for n in net.layouts if net.layouts[n].module.kind == "LayerNorm"
                     and net.layouts[n].key == "weight")  # fmt: skip
    names = {first: "layers.*.norm1.weight", second: "layers.*.norm2.weight"}
    weights = interchange.from_state_dict(net, state, names=names)
    x = np.random.default_rng(1).normal(size=(2, 4, 6))
    found = run(net.system, {**weights.params, "x": x}, {"N": 2, **net.system.bound}, ["y"])["y"]
    with torch.no_grad():
        np.testing.assert_allclose(found, module(torch.from_numpy(x)).numpy(), atol=1e-10)
    back = interchange.to_state_dict(net, weights.params, names=names, like=state)
    assert list(back) == list(state)
    assert all(torch.equal(back[key], state[key]) for key in state)


def test_two_rows_of_blocks_are_told_apart_by_their_order():
    block = nn.Sequential(nn.Dense(6, activation="tanh"), nn.BatchNorm())
    net = network(
        nn.Sequential(nn.Repeat(block, 2), nn.Dense(6), nn.Repeat(block, 2)), bp.input("x", (N, D))
    )  # fmt: skip

    def row():
        blocks = [[torch.nn.Linear(6, 6), torch.nn.Tanh(), torch.nn.BatchNorm1d(6)] for _ in range(2)]
        return torch.nn.Sequential(*(torch.nn.Sequential(*block) for block in blocks))

    module = torch.nn.Sequential(row(), torch.nn.Linear(6, 6), row()).double().eval()
    state = {k: v.abs() if "var" in k else v for k, v in drawn(module.state_dict()).items()}
    module.load_state_dict(state)
    weights = interchange.from_state_dict(net, state)
    x = np.random.default_rng(1).normal(size=(2, 6))
    values = run(net.system, {**weights.params, **weights.buffers, "x": x}, {"N": 2, **net.system.bound})
    with torch.no_grad():
        np.testing.assert_allclose(
            values[net.system.inference.get("y", "y")], module(torch.from_numpy(x)).numpy(), atol=1e-10
        )
    back = interchange.to_state_dict(net, weights.params, buffers=weights.buffers, like=state)
    assert all(torch.equal(back[key], state[key]) for key in state)
    plain = interchange.to_state_dict(net, weights.params, buffers=weights.buffers)
    assert "blocks.1.0.weight" in plain
    assert "blocks2.0.0.weight" in plain
    again = interchange.from_state_dict(net, plain)
    assert all(np.array_equal(again.params[k], a) for k, a in weights.params.items())


def gpt2_state(prefix="transformer."):
    """The arrays of a GPT-2 of Hugging Face's, drawn."""
    shapes = {"wte.weight": (9, 6), "wpe.weight": (4, 6)}
    for k in range(L):
        block = {"ln_1.weight": 6, "ln_1.bias": 6, "attn.bias": (1, 1, 4, 4),
                 "attn.c_attn.weight": (6, 18), "attn.c_attn.bias": 18, "attn.c_proj.weight": (6, 6),
                 "attn.c_proj.bias": 6, "ln_2.weight": 6, "ln_2.bias": 6, "mlp.c_fc.weight": (6, 24),
                 "mlp.c_fc.bias": 24, "mlp.c_proj.weight": (24, 6), "mlp.c_proj.bias": 6}  # fmt: skip
        shapes |= {f"h.{k}.{key}": shape for key, shape in block.items()}
    shapes |= {"ln_f.weight": 6, "ln_f.bias": 6}
    torch.manual_seed(2)
    state = {prefix + key: torch.randn(shape, dtype=torch.float64) / 2 for key, shape in shapes.items()}
    return {**state, "lm_head.weight": state[f"{prefix}wte.weight"]} if prefix else state


def gpt2(state, tokens, heads=2):
    """What GPT-2 computes, written out: linear maps are x @ W, without a transpose."""
    w = {key.removeprefix("transformer."): value for key, value in state.items()}
    functional = torch.nn.functional
    x = w["wte.weight"][tokens] + w["wpe.weight"]
    for k in range(L):
        b = {key.removeprefix(f"h.{k}."): v for key, v in w.items() if key.startswith(f"h.{k}.")}
        u = functional.layer_norm(x, (6,), b["ln_1.weight"], b["ln_1.bias"])
        parts = (u @ b["attn.c_attn.weight"] + b["attn.c_attn.bias"]).split(6, -1)
        q, key, v = (p.view(*p.shape[:2], heads, -1).transpose(1, 2) for p in parts)
        o = functional.scaled_dot_product_attention(q, key, v, is_causal=True)
        x = x + o.transpose(1, 2).flatten(2) @ b["attn.c_proj.weight"] + b["attn.c_proj.bias"]
        u = functional.layer_norm(x, (6,), b["ln_2.weight"], b["ln_2.bias"])
        h = functional.gelu(u @ b["mlp.c_fc.weight"] + b["mlp.c_fc.bias"], approximate="tanh")
        x = x + h @ b["mlp.c_proj.weight"] + b["mlp.c_proj.bias"]
    x = functional.layer_norm(x, (6,), w["ln_f.weight"], w["ln_f.bias"])
    return x @ w["wte.weight"].T


@pytest.mark.parametrize("prefix", ["transformer.", ""])
def test_gpt2_comes_in_and_goes_out_under_its_own_names(prefix):
    tokens = bp.tokens("tokens", (N, T), vocabulary=bp.dim("V", 9))
    net = network(nn.GPT(9, D, 2, L, hidden=24, length=4), tokens)
    state = gpt2_state(prefix)
    weights = interchange.from_state_dict(net, state, layout="gpt2")
    given = np.array([[1, 8, 0, 3], [2, 2, 7, 5]])
    found = run(net.system, {**weights.params, "tokens": given}, {"N": 2, **net.system.bound}, ["y"])["y"]
    np.testing.assert_allclose(found, gpt2(state, torch.from_numpy(given)).numpy(), atol=1e-10)
    back = interchange.to_state_dict(net, weights.params, like=state, layout="gpt2")
    assert list(back) == list(state)
    assert all(torch.equal(back[key], state[key]) for key in state)
    with pytest.raises(DataError, match="no place in this layout") as refused:
        interchange.to_state_dict(net, weights.params, layout="gpt2")
    assert "like=" in str(refused.value)


def test_what_is_no_gpt2_is_refused():
    net = network(nn.GPT(9, D, 2, L, hidden=24, length=4), bp.tokens("tokens", (N, T), vocabulary=9))
    state = gpt2_state()
    with pytest.raises(DataError, match=r"'h.0.wq' is no array of a gpt2 model"):
        interchange.from_state_dict(net, {**state, "h.0.wq": torch.ones(2)}, layout="gpt2")
    with pytest.raises(DataError, match=r"lm_head.weight isn't wte.weight once more"):
        interchange.from_state_dict(net, {**state, "lm_head.weight": torch.ones(9, 6)}, layout="gpt2")
    with pytest.raises(UsageError, match="did you mean gpt2"):
        interchange.from_state_dict(net, state, layout="gpt")
    short = {k: v for k, v in state.items() if not k.startswith("transformer.h.1.ln_2")}
    with pytest.raises(DataError, match="no module of the state_dict is LayerNorm"):
        interchange.from_state_dict(net, short, layout="gpt2")
