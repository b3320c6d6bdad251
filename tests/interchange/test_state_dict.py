"""PyTorch's state_dict comes in, computes what PyTorch computes, and goes out unchanged."""

import numpy as np
import pytest

import symbp as bp
from symbp import nn
from symbp.errors import DataError
from symbp.ir.evaluation.vector import run

torch = pytest.importorskip("torch", reason="PyTorch isn't installed")
interchange = bp.interchange
N, T, D, S = bp.dim("N"), bp.dim("T", 5), bp.dim("D", 6), bp.dim("S", 5)


def network(layer, x):
    y = layer(x)
    return bp.Network(name="net", loss=y.sum(), outputs={"y": y})


def sequence():
    return bp.input("x", (N, T, D))


def images():
    return bp.input("x", (N, 3, S, S))


class First(torch.nn.Module):
    """A recurrent layer's states alone."""

    def __init__(self, layer):
        super().__init__()
        self.rnn = layer

    def forward(self, x):
        return self.rnn(x)[0]


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(6, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class ResidualBlock(torch.nn.Module):
    """He et al. 2016, with a convolution on the way around."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.conv2 = torch.nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(4)
        self.downsample = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1, bias=False), torch.nn.BatchNorm2d(4))

    def forward(self, x):
        z = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(z + self.downsample(x))


def residual_block(x):
    z = bp.relu(nn.BatchNorm()(nn.Conv2d(4, 3, padding=1, bias=False)(x)))
    z = nn.BatchNorm()(nn.Conv2d(4, 3, padding=1, bias=False)(z))
    return bp.relu(z + nn.BatchNorm()(nn.Conv2d(4, 1, bias=False)(x)))


class GptBlock(torch.nn.Module):
    """A block of GPT-2: normalised before each part, and causal."""

    def __init__(self):
        super().__init__()
        self.ln_1 = torch.nn.LayerNorm(6)
        self.attn = torch.nn.MultiheadAttention(6, 2, batch_first=True)
        self.ln_2 = torch.nn.LayerNorm(6)
        self.mlp = torch.nn.Sequential(torch.nn.Linear(6, 24), torch.nn.GELU(), torch.nn.Linear(24, 6))

    def forward(self, x):
        u = self.ln_1(x)
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        x = x + self.attn(u, u, u, attn_mask=mask, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


CASES = {
    "mlp": lambda: (
        network(nn.Sequential(nn.Dense(8, activation="tanh"), nn.Dense(3)), bp.input("x", (N, D))),
        torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)),
    ),
    "lstm": lambda: (
        network(nn.LSTM(4, num_layers=2, bidirectional=True), sequence()),
        First(torch.nn.LSTM(6, 4, num_layers=2, bidirectional=True, batch_first=True)),
    ),
    "gru": lambda: (network(nn.GRU(4), sequence()), First(torch.nn.GRU(6, 4, batch_first=True))),
    "rnn": lambda: (network(nn.RNN(4), sequence()), First(torch.nn.RNN(6, 4, batch_first=True))),
    "attention": lambda: (network(nn.MultiHeadAttention(2), sequence()), Attention()),
    "resnet block": lambda: (network(residual_block, images()), ResidualBlock()),
    "gpt block": lambda: (
        network(nn.TransformerEncoderBlock(2, 24, causal=True), sequence()), GptBlock(),
    ),
    "transposed convolution": lambda: (
        network(nn.ConvTranspose2d(4, 3, stride=2), images()), torch.nn.ConvTranspose2d(3, 4, 3, stride=2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_comes_in_computes_the_same_and_goes_out_unchanged(name):
    torch.manual_seed(0)
    net, module = CASES[name]()
    module = module.double()
    for tensor in module.state_dict().values():  # running statistics and offsets, too, that aren't 0 and 1
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) + 0.1 if tensor.dim() == 1 else torch.randn_like(tensor))
    state = module.eval().state_dict()
    weights = interchange.from_state_dict(net, state)

    sizes = {"N": 2, **net.system.bound}
    shape = [sizes.get(str(e), e) for e in net.system.tensor("x").shape]
    x = np.random.default_rng(1).normal(size=[int(n) for n in shape])
    values = run(net.system, {**weights.params, **weights.buffers, "x": x}, sizes)
    found = values[net.system.inference.get("y", "y")]
    with torch.no_grad():
        wanted = module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-10)

    back = interchange.to_state_dict(net, weights.params, buffers=weights.buffers, like=state)
    assert list(back) == list(state)
    for key, tensor in state.items():
        assert back[key].dtype == tensor.dtype
        assert torch.equal(back[key], tensor), key
    module.load_state_dict(back)


def test_embeddings_and_names_of_layers():
    tokens = bp.tokens("x", (N, T), vocabulary=bp.dim("V", 7))
    net = network(nn.Sequential(nn.Embedding(7, 6, name="table"), nn.Dense(3, name="out")), tokens)
    module = torch.nn.Sequential()
    module.add_module("table", torch.nn.Embedding(7, 6))
    module.add_module("out", torch.nn.Linear(6, 3))
    weights = interchange.from_state_dict(net, module.state_dict())
    assert list(weights.params) == ["table_E", "out_W", "out_b"]
    module.load_state_dict(interchange.to_state_dict(net, weights.params))


def test_what_the_order_does_not_tell_the_user_must():
    """PyTorch's encoder layer keeps its normalisations behind its linear maps."""
    net = network(nn.TransformerEncoderBlock(2, 24), sequence())
    module = torch.nn.TransformerEncoderLayer(
        6, 2, 24, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    module = module.double().eval()
    with torch.no_grad():
        module.norm1.weight.uniform_(0.5, 2)
        module.norm2.weight.uniform_(0.5, 2)
    state = module.state_dict()
    with pytest.raises(DataError, match="several modules") as refused:
        interchange.from_state_dict(net, state)
    first, second = (n for n, layout in net.layouts.items() if layout.module.kind == "LayerNorm" and
                     layout.key == "weight")  # fmt: skip
    assert f"names={{'{first}': 'norm1.weight'}}" in str(refused.value)
    names = {first: "norm1.weight", second: "norm2.weight"}
    weights = interchange.from_state_dict(net, state, names=names)
    x = np.random.default_rng(1).normal(size=(2, 5, 6))
    found = run(net.system, {**weights.params, "x": x}, {"N": 2, **net.system.bound})["y"]
    with torch.no_grad():
        np.testing.assert_allclose(found, module(torch.from_numpy(x)).numpy(), atol=1e-10)


def test_what_does_not_fit_is_named():
    net, module = CASES["mlp"]()
    state = module.state_dict()
    with pytest.raises(DataError, match="no place for"):
        interchange.from_state_dict(net, {**state, "4.weight": torch.ones(3, 3)})
    with pytest.raises(DataError, match="no module of the state_dict is Linear with W1, b1") as refused:
        interchange.from_state_dict(net, {**state, "0.weight": torch.ones(8, 7)})
    assert "8×6" in str(refused.value)
    with pytest.raises(DataError, match="no parameter or buffer 'W9'"):
        interchange.from_state_dict(net, state, names={"W9": "0.weight"})
    with pytest.raises(DataError, match="no array for W2"):
        interchange.to_state_dict(net, {"W1": np.ones((6, 8)), "b1": np.ones(8)})
    gates = network(nn.LSTM(4, peepholes=True), sequence())
    with pytest.raises(DataError, match="nothing tells which array"):
        interchange.from_state_dict(gates, First(torch.nn.LSTM(6, 4)).state_dict())


def test_a_part_of_a_state_dict_where_that_is_asked_for():
    net, module = CASES["mlp"]()
    state = {**module.state_dict(), "2.weight": torch.ones(99, 8), "2.bias": torch.ones(99)}  # another head
    found = interchange.from_state_dict(net, state, part=True)
    assert set(found.params) == {"W1", "b1"}
    assert found.left_out == ("2.weight", "2.bias")
    with pytest.raises(DataError, match="nothing of the state_dict fits"):
        interchange.from_state_dict(net, {"a": torch.ones(3)}, part=True)
    twice = network(nn.Sequential(nn.Dense(6), nn.Dense(6)), bp.input("x", (N, D)))
    one = {"0.weight": torch.ones(6, 6), "0.bias": torch.ones(6)}
    with pytest.raises(DataError, match=r"more layers than .* W2, b2 could be"):
        interchange.from_state_dict(twice, one, part=True)
    found = interchange.from_state_dict(twice, one, part=True, names={"W2": "0.weight"})
    assert set(found.params) == {"W2", "b2"}


def test_a_standardisation_is_not_left_out_without_a_word():
    net, module = CASES["mlp"]()
    weights = interchange.from_state_dict(net, module.state_dict())
    with pytest.raises(DataError, match="has no mean_x, so"):
        interchange.to_state_dict(net, weights.params, buffers={"mean_x": np.zeros(6)})


def test_files_of_pytorch_and_the_command(tmp_path, capsys):
    from symbp.cli.main import main

    layers = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10))
    net, there, npz, back = (str(tmp_path / n) for n in ("net.py", "a.pt", "b.npz", "c.pt"))
    (tmp_path / "net.py").write_text(
        "import symbp as bp\nN = bp.dim('N')\n"
        "x, y = bp.input('x', (N, 64)), bp.labels('y', (N,), classes=10)\n"
        "p = bp.softmax(bp.nn.Sequential(bp.nn.Dense(32, activation='tanh'), bp.nn.Dense(10))(x))\n"
        "net = bp.Network('net', loss=bp.cross_entropy(p, y), outputs={'p': p})\n"
    )
    torch.save({"epoch": 3, "model": layers.state_dict()}, there)
    assert main(["convert", there, "--net", net, "-o", npz]) == 0
    assert main(["convert", npz, "--net", net, "--like", there, "-o", back]) == 0
    layers.load_state_dict(torch.load(back, weights_only=True))
    torch.save(layers.state_dict(), there)
    with open(there, "rb") as one, open(back, "rb") as other:
        first, second = torch.load(one), torch.load(other)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert len(first) == len(second) == 4
    torch.save(layers, there)  # a pickle of objects
    for asked, told in (
        (["--net", net], "tensors alone"),
        ([], "--net NET"),
    ):
        capsys.readouterr()
        assert main(["convert", there, *asked, "-o", str(tmp_path / "no.npz")]) == 2
        assert told in capsys.readouterr().err
    assert not (tmp_path / "no.npz").exists()
