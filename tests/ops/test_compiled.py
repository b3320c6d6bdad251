"""Ops in compiled Numba modules, many in one: values and gradients as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from counterparts import COUNTERPARTS
from samples import SIZES, draw

import symbp as bp
from symbp.ir.points.sampling import evaluate_size
from symbp.ops import REGISTRY, Op

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")

EACH = [op for op in REGISTRY.values() if op.elementwise and op.differentiable]


def anywhere(op: Op) -> bool:
    """Whether an op is defined for all reals: a point at which all ops together are is needed."""
    return all(sample.values == "real" for sample in op.examples[0].operands)


TOGETHER = {
    "of any element": [op for op in EACH if anywhere(op)],
    "of some elements": [op for op in EACH if not anywhere(op) and op.name != "acosh"],
    "windows and norms": [
        REGISTRY[name] for name in ("conv2d", "conv_transpose1d", "max_pool2d", "avg_pool1d", "layer_norm")
    ],
    "sequences": [REGISTRY[name] for name in ("lstm", "embedding", "scaled_dot_product_attention")],
    "others": [
        REGISTRY[name]
        for name in ("interpolate", "adaptive_max_pool1d", "cumsum", "logsumexp", "multi_margin", "solve")
    ],
    "steps and running products": [
        REGISTRY[name] for name in ("floor", "ceil", "round", "mod", "xlogy", "cumprod", "diag", "tril")
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TOGETHER)
def test_compiled(name: str) -> None:
    """The sum over ops of Σ weights·result, with operands of its own for each."""
    rng = np.random.default_rng(2)
    terms, arrays, theirs = [], {}, []
    results: list[tuple[Op, dict[str, Any], bp.Tensor]] = []
    for op in TOGETHER[name]:
        operands, result = op.declare(op.examples[0], prefix=f"{op.name}_")
        values = {
            tensor.name or "": np.asarray(draw(sample, rng))
            for tensor, sample in zip(operands, op.examples[0].operands, strict=True)
        }
        weighed = result if not result.rank else (result * bp.input(f"{op.name}_g", result.shape)).sum()
        terms.append(weighed)
        arrays.update(values)
        results.append((op, values, result))
    net = bp.Network("case", loss=sum(terms[1:], terms[0]))
    sizes = {size: value for size, value in SIZES.items() if size in net.system.sizes}
    bound = sizes | {str(size): value for size, value in net.system.bound.items()}
    parameters = {leaf.name: arrays.pop(leaf.name) for leaf in net.system.parameters}
    tensors = {leaf: torch.tensor(a, requires_grad=True) for leaf, a in parameters.items()}
    for op, values, result in results:
        given = [tensors.get(leaf, torch.tensor(array)) for leaf, array in values.items()]
        expected = COUNTERPARTS[op.name](*given, **op.examples[0].options)
        if result.rank:
            shape = [evaluate_size(e, bound) for e in net.system.by_name[f"{op.name}_g"].shape]
            arrays[f"{op.name}_g"] = rng.normal(size=shape)
            expected = (expected * torch.tensor(arrays[f"{op.name}_g"])).sum()
        theirs.append(expected)
    loss = sum(theirs)
    loss.backward()
    module = bp.compile(net, target="numba", optimizer=bp.optim.SGD(0.1), sizes=sizes)
    found, gradients = module.loss_and_gradients(parameters, **arrays)
    assert found == pytest.approx(loss.item(), rel=1e-11)
    for leaf, gradient in gradients.items():
        np.testing.assert_allclose(gradient, tensors[leaf].grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=leaf)
