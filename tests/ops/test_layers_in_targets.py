"""The ops that layers are made of, as generated modules compute them: values and gradients as PyTorch's."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from samples import SIZES, draw
from test_against_torch import declared, expected

import symbp as bp
from symbp.ir.sampling import draws
from symbp.ops import REGISTRY, Example, Op

FAMILIES = (
    "convolution", "pooling", "resizing", "normalization", "recurrent", "attention", "embedding", "random",
)  # fmt: skip
CASES = [
    pytest.param(op, example, id=f"{op.name}-{k}")
    for op in REGISTRY.values()
    if op.family in FAMILIES and op.differentiable
    for k, example in enumerate(op.examples)
]
COMPILED = (
    "conv2d", "conv_transpose1d", "max_pool2d", "avg_pool1d", "layer_norm", "lstm", "embedding",
    "scaled_dot_product_attention",
)  # fmt: skip

# The functions of one element as compiled code has them: NaN or infinity where Python's raise.
SAME = ("exp", "log", "sin", "cos", "tanh", "sqrt", "log1p", "expm1")
LOOPS = SimpleNamespace(**{**vars(math), **{name: getattr(np, name) for name in SAME}})


def compared(op: Op, example: Example, target: str, *, compiled: bool = True) -> None:
    rng = np.random.default_rng(5)
    net, names = declared(op, example)
    arrays = {name: np.asarray(draw(s, rng)) for name, s in zip(names, example.operands, strict=True)}
    open_ = {name: value for name, value in SIZES.items() if name in net.system.sizes}
    bound = open_ | {str(k): v for k, v in net.system.bound.items()}
    weights = None
    if "weights" in net.system.by_name:
        shape = net.system.by_name["weights"].shape
        weights = rng.normal(
            size=[int(e.xreplace({s: bound[s.name] for s in e.free_symbols})) for e in shape]
        )
    random = draws(net.system, bound, 3)
    loss, gradients = expected(op, example, arrays, weights, random)
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1), sizes=open_)
    if not compiled:
        module._compile, module.math = (lambda: None), LOOPS
    parameters = {leaf.name: arrays[leaf.name] for leaf in net.system.parameters}
    given = {name: a for name, a in arrays.items() if name not in parameters}
    given |= {} if weights is None else {"weights": weights}
    found, derived = module.loss_and_gradients(parameters, masks=random, **given)
    assert found == pytest.approx(loss, rel=1e-10, abs=1e-12)
    for name, gradient in derived.items():
        np.testing.assert_allclose(gradient, gradients[name].numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize(("op", "example"), CASES)
def test_numpy(op: Op, example: Example) -> None:
    compared(op, example, "numpy")


@pytest.mark.slow
@pytest.mark.parametrize(("op", "example"), CASES)
def test_loops(op: Op, example: Example) -> None:
    """Numba's kernels as plain Python: the same text, without the time that compiling takes."""
    compared(op, example, "numba", compiled=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED)
def test_compiled(name: str) -> None:
    compared(REGISTRY[name], REGISTRY[name].examples[0], "numba")
