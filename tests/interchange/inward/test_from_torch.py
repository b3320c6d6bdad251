"""PyTorch modules come in through torch.export, and compute and derive what PyTorch does."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DataError, UsageError
from symbp.ir.evaluation.vector import run

torch = pytest.importorskip("torch", reason="PyTorch isn't installed")
from torch_modules import MODULES, Of, encoder, made  # noqa: E402

GRADIENTS = ("residual", "transformer", "siamese", "gru")


def outputs(found, inputs):
    system = found.net.system
    names = [t.name for t in system.leaves if t.role.value == "input"]
    data = {n: x.numpy() for n, x in zip(names, inputs, strict=True)}
    sizes = {**system.bound, "N": len(inputs[0])}
    arrays = {**found.weights.params, **found.weights.buffers}
    wanted = [system.inference.get(name, name) for name in system.outputs]
    return list(run(system, {**arrays, **data}, sizes, wanted).values())


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in ("mlp", "words") else pytest.mark.slow) for n in MODULES])
def test_it_computes_what_pytorch_computes(name):
    module, inputs = made(name)
    found = bp.from_torch(module, inputs)
    with torch.no_grad():
        np.testing.assert_allclose(outputs(found, inputs)[0], module(*inputs).numpy(), atol=1e-12)
    scope = {}
    exec(compile(found.text, "net.py", "exec"), scope)
    assert str(scope["net"].system) == str(found.net.system)
