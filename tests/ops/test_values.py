"""Every op's value against NumPy's and SciPy's formulas, over the registry."""

import numpy as np
import pytest
from metric_references import METRICS
from samples import SIZES, draw
from scipy import special

from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.validate import validate
from symbp.language import Network
from symbp.ops import REGISTRY


def softmax(z, axis=-1):
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * (1 + special.erf(x / np.sqrt(2))) / 2


def accuracy(p, y):
    if p.ndim == 1:
        return np.mean((p >= 0.5) == (y == 1))
    return np.mean(p.argmax(-1) == (y if y.ndim == 1 else y.argmax(-1)))


def solution(a, b):
    if a.ndim == b.ndim + 1 > 2:
        return np.linalg.solve(a, b[..., None])[..., 0]
    return np.linalg.solve(a, b)


def alibi_bias(num_heads, length, keys=None):
    h, t, s = np.ogrid[:num_heads, :length, : keys or length]
    return 2.0 ** (-8 * (h + 1) / num_heads) * (s - t)


def sinusoidal_positions(length, width, base=10000):
    t, d = np.ogrid[:length, :width]
    angle = t * float(base) ** (-(d - d % 2) / width)
    return np.where(d % 2 == 0, np.sin(angle), np.cos(angle))


def special_logsumexp(x, axis=-1, keepdims=False):
    return special.logsumexp(x, axis=axis, keepdims=keepdims)


REFERENCE = {
    "floor": np.floor, "ceil": np.ceil, "round": np.round, "mod": np.mod, "atan2": np.arctan2,
    "logaddexp": np.logaddexp, "xlogy": special.xlogy, "diag": lambda x, offset=0: np.diag(x, offset),
    "eye": lambda rows, columns=None: np.eye(rows, columns), "one_hot": lambda y: np.eye(SIZES["K"])[y],
    "cumprod": lambda x, axis=-1, reverse=False: (
        np.flip(np.cumprod(np.flip(x, axis), axis), axis) if reverse else np.cumprod(x, axis)
    ),
    "alibi_bias": alibi_bias, "sinusoidal_positions": sinusoidal_positions,
    "exp": np.exp, "expm1": np.expm1, "log": np.log,
    "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "erf": special.erf, "erfc": special.erfc,
    "loggamma": special.gammaln, "digamma": special.psi, "sqrt": np.sqrt, "square": np.square,
    "reciprocal": np.reciprocal, "power": np.power, "abs": np.abs, "sign": np.sign, "maximum": np.maximum,
    "minimum": np.minimum, "clamp": lambda x, low=None, high=None: np.clip(x, low, high),
    "linear": lambda x: x, "tanh": np.tanh, "sigmoid": sigmoid, "relu": lambda x: np.maximum(x, 0),
    "softplus": lambda x, beta=1: np.log1p(np.exp(beta * x)) / beta,
    "leaky_relu": lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
    "gelu": gelu, "silu": lambda x: x * sigmoid(x), "softmax": softmax,
    "log_softmax": lambda z, axis=-1: np.log(softmax(z, axis)),
    "sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max,
    "logsumexp": special_logsumexp,
    "matmul": np.matmul, "dense": lambda x, w, b=0: x @ w + b,
    "l2_penalty": lambda weight, *ws: weight / 2 * sum((w**2).sum() for w in ws), "accuracy": accuracy,
    "argsort": lambda x, axis=-1, descending=False: np.argsort(-x if descending else x, axis, kind="stable"),
    "sort": lambda x, axis=-1, descending=False: -np.sort(-x, axis) if descending else np.sort(x, axis),
    "median": lambda x, axis=-1: np.median(x, axis),
    "quantile": lambda x, q, axis=-1: np.quantile(x, q, axis),
    "inverse": np.linalg.inv, "det": np.linalg.det, "logdet": lambda a: np.linalg.slogdet(a)[1],
    "solve": solution, "cholesky": np.linalg.cholesky,
    "trace": lambda a: np.trace(a, axis1=-2, axis2=-1),
    **METRICS,
}  # fmt: skip

CASES = [
    pytest.param(op, example, id=f"{op.name}-{k}")
    for op in REGISTRY.values()
    if op.name in REFERENCE
    for k, example in enumerate(op.examples)
]


def value(op, example, arrays):
    operands, result = op.declare(example)
    answer = result if result.rank == 0 else result.sum()
    net = Network("case", loss=answer, outputs={} if result.rank == 0 else {"answer": result})
    validate(net.system)
    names = [tensor.name for tensor in operands]
    computed = evaluate(net.system, dict(zip(names, arrays, strict=True)), SIZES)
    return computed[net.system.loss if result.rank == 0 else "answer"]


def test_what_nothing_differentiates_has_a_reference():  # the others are compared with PyTorch, too
    assert set(REFERENCE) <= set(REGISTRY)
    assert {op.name for op in REGISTRY.values() if not op.differentiable} <= set(REFERENCE)


@pytest.mark.parametrize(("op", "example"), CASES)
def test_value(op, example):
    rng = np.random.default_rng(7)
    arrays = [draw(sample, rng) for sample in example.operands]
    expected = REFERENCE[op.name](*arrays, **example.options)
    np.testing.assert_allclose(
        np.asarray(value(op, example, arrays), float), expected, rtol=1e-12, atol=1e-13
    )


KINKS = {
    "abs": ([0.0], [0.0]),
    "sign": ([0.0], [0.0]),
    "relu": ([0.0], [0.0]),
    "leaky_relu": ([0.0], [0.0]),
    "clamp": ([-0.5, 0.5], [-0.5, 0.5]),
}


@pytest.mark.parametrize("name", KINKS)
def test_value_at_the_kink(name):
    given, expected = KINKS[name]
    op = REGISTRY[name]
    array = np.resize(given, (SIZES["N"], SIZES["H"]))
    np.testing.assert_array_equal(
        np.asarray(value(op, op.examples[0], [array]), float), np.resize(expected, array.shape)
    )


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_a_tie_is_split(name):
    op = REGISTRY[name]
    array = np.ones((SIZES["N"], SIZES["H"]))
    np.testing.assert_array_equal(np.asarray(value(op, op.examples[0], [array, array]), float), array)


def test_every_op_says_what_it_is():
    for op in REGISTRY.values():
        assert op.formula, op.name
        assert op.examples, op.name
        assert op.analytic or op.kinks, f"{op.name}: what happens where it isn't analytic?"
