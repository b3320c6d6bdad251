"""PyTorch modules come in through torch.export, and compute and derive what PyTorch does."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DataError, UsageError
from symbp.ir.evaluation.vector import run

torch = pytest.importorskip("torch", reason="PyTorch isn't installed")
from torch_modules import MODULES, encoder, made  # noqa: E402


def outputs(found, inputs):
    system = found.net.system
    names = [t.name for t in system.leaves if t.role.value == "input"]
    data = {n: x.numpy() for n, x in zip(names, inputs, strict=True)}
    sizes = {**system.bound, "N": len(inputs[0])}
    arrays = {**found.weights.params, **found.weights.buffers}
    wanted = [system.inference.get(name, name) for name in system.outputs]
    return list(run(system, {**arrays, **data}, sizes, wanted).values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in ("mlp", "words") else pytest.mark.slow) for n in MODULES]
)
def test_it_computes_what_pytorch_computes(name):
    module, inputs = made(name)
    found = bp.from_torch(module, inputs)
    with torch.no_grad():
        np.testing.assert_allclose(outputs(found, inputs)[0], module(*inputs).numpy(), atol=1e-12)
    scope = {}
    exec(compile(found.text, "net.py", "exec"), scope)
    assert str(scope["net"].system) == str(found.net.system)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["residual", "transformer", "siamese", "words", "masked words"])
def test_gradients_are_those_of_pytorch(name):
    module, inputs = made(name)
    found = bp.from_torch(module, inputs, loss="cross_entropy" if "words" in name else "mse")
    derivation = bp.derive(found.net)
    y = module(*inputs)
    if "words" in name:
        target = torch.tensor([0, 2, 1])
        loss = torch.nn.functional.cross_entropy(y, target)
    else:
        target = torch.randn_like(y)
        loss = ((y - target) ** 2).mean()
    loss.backward()
    names = [t.name for t in found.net.system.leaves if t.role.value == "input"]
    data = {**dict(zip(names, (x.numpy() for x in inputs), strict=True)), "y": target.numpy()}
    sizes = {**found.net.system.bound, "N": len(inputs[0])}
    arrays = {**found.weights.params, **found.weights.buffers}
    values = run(derivation.system, {**arrays, **data}, sizes, derivation.gradients.values())
    theirs = dict(module.named_parameters())
    assert {found.sources[name] for name in derivation.gradients} == set(theirs)
    for parameter, gradient in derivation.gradients.items():
        wanted = theirs[found.sources[parameter]].grad.numpy()
        np.testing.assert_allclose(values[gradient], wanted, atol=1e-9)


class Takes(torch.nn.Module):
    def __init__(self, use):
        super().__init__()
        self.out, self.use = torch.nn.Linear(4, 4), use

    def forward(self, x):
        return self.use(self.out(x))


def overwritten(y):
    y[:, 0] = 0
    return y


def shared(y):
    z = y.view(-1)
    z.mul_(2)
    return y


X = torch.ones(2, 4)
REFUSED = {
    "missing, all of them": (
        Takes(lambda y: torch.fft.fft(y).real + torch.special.i0(y)),
        "aten.fft_fft, 1 time.*\n.*\n? *aten.special_i0",
    ),
    "what depends on data": (Takes(lambda y: y if y.sum() > 0 else -y), "torch.export can't follow"),
    "a part overwritten": (Takes(overwritten), "something else reads is overwritten"),
    "a view overwritten": (Takes(shared), "something else reads is overwritten"),
    "attention that drops out": (encoder(dropout=0.1).train(), "drops weights out"),
    "an embedding that holds a row back": (
        torch.nn.Embedding.from_pretrained(torch.ones(5, 3), padding_idx=0), "padding_idx isn't zero",
    ),
    "another kind of number": (Takes(lambda y: y.half()), "float16"),
    "data rounded": (Takes(lambda y: y.long().float()), "rounds"),
}  # fmt: skip


COSTLY = ("attention that drops out",)


@pytest.mark.parametrize(
    "what", [n if n not in COSTLY else pytest.param(n, marks=pytest.mark.slow) for n in REFUSED]
)
def test_what_would_mean_something_else_is_refused(what):
    module, words = REFUSED[what]
    x = {
        "attention that drops out": torch.ones(2, 3, 8),
        "an embedding that holds a row back": torch.ones(2, 3).long(),
    }
    with pytest.raises(DataError, match=words):
        bp.from_torch(module, x.get(what, X))


@pytest.mark.slow
def test_training_mode_has_batch_statistics_and_dropout():
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Dropout(0.25)
    ).double()
    module[2].p = 0.0
    x = torch.randn(5, 4, dtype=torch.float64)
    found = bp.from_torch(module, x)
    data = {"x": x.numpy(), **found.weights.params, **found.weights.buffers}
    system, sizes = found.net.system, {"N": 5, **found.net.system.bound}
    values = run(system, {**data, "y": np.zeros((5, 6))}, sizes)
    np.testing.assert_allclose(values["output"], module(x).detach().numpy(), atol=1e-12)
    for buffer, after in system.updates.items():  # as PyTorch moved them
        key = found.sources[buffer]
        np.testing.assert_allclose(values[after], module.state_dict()[key].numpy(), atol=1e-12)
    module[2].p = 0.25
    assert any(t.role.value == "random" for t in bp.from_torch(module, x).net.system.leaves)


def test_open_axes_frozen_parameters_and_a_loss_of_ones_own():
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    module[0].requires_grad_(False)
    x = torch.ones(1, 7, 4)
    net, weights = bp.from_torch(
        module, x, dims={0: "B", 1: "T"}, loss=lambda y: (y**2).mean(), name="two"
    )  # fmt: skip
    assert net.name == "two"
    assert {"B", "T"} <= set(net.system.sizes)
    assert sorted(weights.params) == ["layer_1_bias", "layer_1_weight"]
    assert sorted(weights.buffers) == ["layer_0_bias", "layer_0_weight"]
    with pytest.raises(UsageError, match="function of Python"):
        bp.from_torch(module, x, loss=lambda y: y.sum()).save("nowhere.py")
    with pytest.raises(UsageError, match="did you mean cross_entropy"):
        bp.from_torch(module, x, loss="crossentropy")
