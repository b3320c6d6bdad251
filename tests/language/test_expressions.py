"""What users expect to be able to say of tensors: steps, conditions, exponents, lists, what cancels."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.evaluation.vector import Run
from symbp.ir.system import Role
from symbp.language.bodies import number

N, M = bp.dims("N M")
RNG = np.random.default_rng(2)


def evaluated(result: bp.Tensor, **values: Any) -> Any:
    """The value of a tensor for arrays of its leaves."""
    loss = result.sum() if result.rank else result * 1
    net = bp.Network("n", loss=loss, outputs={"result": result} if result.rank else {})
    system = net.system
    sizes: dict[str, int] = {}
    for leaf in system.leaves:
        for extent, actual in zip(leaf.shape, np.shape(values[leaf.name]), strict=True):
            sizes[str(extent)] = actual
    run = Run(system, values, {**sizes, **system.bound})
    return run.tensor("result" if result.rank else system.loss or "")


def gradient(loss: bp.Tensor, **values: Any) -> Any:
    derivation = bp.derive(bp.Network("n", loss=loss))
    found = bp.compile(derivation).derivatives(values)
    return found[next(iter(derivation.gradients))]


# --- steps
def test_steps_as_operators_and_in_formulas() -> None:
    x, d = bp.param("x", (N,)), bp.param("d", (N,))
    n = bp.index("n")
    a, b = 3 * RNG.normal(size=6), 0.5 + RNG.random(6)
    for result, expected in (
        (x // 0.7, a // 0.7),
        (x % 0.7, a % 0.7),
        (x // d, a // b),
        (2 % d, 2 % b),
        (2 // d, 2 // b),
        (bp.define("y", [n], x[n] // 2 + x[n] % d[n]), a // 2 + a % b),
        (bp.define("y", [n], sympy.floor(x[n] * 3) + sympy.ceiling(x[n])), np.floor(3 * a) + np.ceil(a)),
        (bp.define("y", [n], bp.floor(x[n]) * bp.round(x[n] * d[n])), np.floor(a) * np.round(a * b)),
    ):
        needed = {name: value for name, value in (("x", a), ("d", b)) if f"{name}[" in text(result)}
        np.testing.assert_allclose(evaluated(result, **needed), expected, rtol=1e-12, atol=1e-14)


def text(result: bp.Tensor) -> str:
    return str(bp.Network("n", loss=result.sum()).system)


def test_a_quotient_is_not_rounded_before_its_floor_is_taken() -> None:
    x = bp.param("x", (N,))
    values = np.arange(1.0, 200.0) * 49
    np.testing.assert_array_equal(evaluated(x // 49, x=values), np.arange(1.0, 200.0))
    np.testing.assert_array_equal(evaluated(x % 49, x=values), 0)
    module = bp.compile(bp.derive(bp.Network("n", loss=((x // 49) * x).sum())))
    np.testing.assert_array_equal(module.derivatives({"x": values})["x"], np.arange(1.0, 200.0))


def test_halves_are_rounded_to_the_even_neighbour() -> None:
    values = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    np.testing.assert_array_equal(evaluated(bp.round(bp.param("x", (N,))), x=values), np.round(values))


@pytest.mark.parametrize("make", [lambda x: sympy.I * x, lambda x: x / sympy.Integer(0), sympy.Heaviside])
def test_what_is_no_real_function_is_refused(make: Any) -> None:
    x, n = bp.param("x", (N,)), bp.index("n")
    with pytest.raises(DeclarationError, match="definition") as error:
        bp.define("y", [n], make(x[n]))
    assert "test_expressions.py" in str(error.value)


# --- conditions
def test_conditions_are_joined() -> None:
    x, y = bp.input("x", (N,)), bp.input("y", (N,))
    a, b = RNG.normal(size=40), RNG.normal(size=40)
    for condition, holds in (
        ((x > 0) & (y > 0), (a > 0) & (b > 0)),
        ((x > 0) | (y > 0), (a > 0) | (b > 0)),
        (~(x > 0), a <= 0),
        (~((x > 0) | ~(y < 0.5)) & (x < y), ~((a > 0) | ~(b < 0.5)) & (a < b)),
        ((x > 0) | (y > 0) | (x < -1), (a > 0) | (b > 0) | (a < -1)),
        (bp.equal(x, y) | (x > y), a > b),
    ):
        np.testing.assert_array_equal(evaluated(bp.where(condition, x, -y), x=a, y=b), np.where(holds, a, -b))


def test_conditions_are_joined_in_index_notation() -> None:
    x = bp.input("x", (N, N))
    i, j = bp.indices("i j")
    a = RNG.normal(size=(4, 4))
    rows, columns = np.ogrid[:4, :4]
    for condition, holds in (
        ((i < j) | (x[i, j] > 0), (rows < columns) | (a > 0)),
        (bp.equal(i, j) | (x[i, j] > 0), (rows == columns) | (a > 0)),
        (~bp.equal(i, j) & (x[i, j] > 0), (rows != columns) & (a > 0)),
    ):
        y = bp.define("y", [i, j], bp.where(condition, x[i, j], 2))
        np.testing.assert_array_equal(evaluated(y, x=a), np.where(holds, a, 2))
        for reduce, right in ((bp.Sum, (a * holds).sum(1)), (bp.Prod, np.where(holds, a, 1).prod(1))):
            np.testing.assert_allclose(
                evaluated(bp.define("s", [i], reduce(x[i, j], j, where=condition)), x=a), right
            )
        largest = bp.define("m", [i], bp.Max(x[i, j], j, where=condition))
        np.testing.assert_array_equal(evaluated(largest, x=a), np.where(holds, a, -np.inf).max(1))


def test_comparisons_broadcast() -> None:
    x, y, z = bp.input("x", (N, 1)), bp.input("y", (1, M)), bp.input("z", (M,))
    a, b, c = RNG.normal(size=(3, 1)), RNG.normal(size=(1, 4)), RNG.normal(size=4)
    np.testing.assert_array_equal(evaluated(bp.where(x > y, x, y), x=a, y=b), np.maximum(a, b))
    np.testing.assert_array_equal(
        evaluated(bp.where((x > z) & (y < np.float64(0.5)), 1, x * z), x=a, y=b, z=c),
        np.where((a > c) & (b < 0.5), 1, a * c),
    )
    np.testing.assert_array_equal(
        evaluated(bp.where(z > np.int64(0), y, [1.0]), y=b, z=c), np.where(c > 0, b, 1)
    )


def test_a_condition_is_joined_with_conditions_only() -> None:
    x = bp.input("x", (N,))
    with pytest.raises(DeclarationError, match="joins two conditions"):
        (x > 0) & 3  # type: ignore[operator]


# --- numbers
@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (1 / 3, Fraction(1, 3)),
        (2 / 3, Fraction(2, 3)),
        (-4 / 7, Fraction(-4, 7)),
        (0.1, Fraction(1, 10)),
        (0.044715, Fraction(44715, 10**6)),
        (1e-12, Fraction(1, 10**12)),
        (100 / 7, Fraction(100, 7)),
        (0.333, Fraction(333, 1000)),
        (0.3333333333, Fraction(3333333333, 10**10)),
    ],
)
def test_numbers_are_what_their_author_meant(given: float, meant: Fraction) -> None:
    found = number(given)
    assert found == sympy.Rational(meant.numerator, meant.denominator)
    assert float(found) == given


@pytest.mark.few(fast=5)
@pytest.mark.parametrize(
    "exponent", [1 / 3, 2 / 3, 4 / 3, 0.3, 0.7853981633974483, np.pi, -np.e / 3, 1.000001]
)
def test_powers_are_not_lost(exponent: float) -> None:
    x, values = bp.param("x", (N,)), np.array([0.5, 1.5, 2.0])
    right = exponent * values ** (exponent - 1)
    np.testing.assert_allclose(gradient((x**exponent).sum(), x=values), right, rtol=1e-12)
    found = gradient(bp.log(1 + x**exponent).sum(), x=values)
    np.testing.assert_allclose(found, right / (1 + values**exponent), rtol=1e-12)


# --- lists
def test_lists_and_arrays_are_constants() -> None:
    x = bp.param("x", (N, 3))
    a = RNG.normal(size=(5, 3))
    matrix = np.arange(6.0).reshape(3, 2)
    for result, expected in (
        (x * [1, 2, 0.5], a * [1, 2, 0.5]),
        ((1, 0, -1) - x, np.array([1, 0, -1]) - a),
        (np.array([1.0, 2, 3]) / x, np.array([1.0, 2, 3]) / a),
        (x @ matrix, a @ matrix),
        (bp.where(x > [0, 1, -1], x, [5, 6, 7]), np.where(a > [0, 1, -1], a, [5, 6, 7])),
        (bp.maximum(x, np.array(0.25)), np.maximum(a, 0.25)),
    ):
        np.testing.assert_allclose(evaluated(result, x=a), expected, rtol=1e-14)


@pytest.mark.parametrize("wrong", [np.ones(65), [[1, 2, 3], [4]], ["a", "b", "c"], [], [1, None, 2]])
def test_what_can_not_be_a_constant(wrong: Any) -> None:
    with pytest.raises(DeclarationError):
        bp.param("x", (N, 3)) * wrong


def test_a_list_of_another_length() -> None:
    with pytest.raises(ShapeError, match="sizes of two axes differ"):
        bp.param("x", (N, 3)) * [1, 2]


# --- what cancels
CANCELLED = {
    "x**0": (lambda x: x**0, 1),
    "0*x": (lambda x: 0 * x, 0),
    "x - x": (lambda x: x - x, 0),
    "x/x": (lambda x: x / x, 1),
    "h - h": (lambda x: (lambda h: h - h)(bp.tanh(x)), 0),
    "where": (lambda x: bp.where(x > x, x, 3), 3),
    "x.T": (lambda x: bp.transpose(x) * 0 + 2, 2),
}


@pytest.mark.few(fast=5)
@pytest.mark.parametrize("name", CANCELLED)
@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_what_cancels_is_a_constant_of_the_right_shape(name: str, target: str) -> None:
    make, value = CANCELLED[name]
    x = bp.param("x", (N, M))
    y = make(x)
    assert {str(e) for e in y.shape} == {"N", "M"}
    net = bp.Network("n", loss=y.sum(), outputs={"y": y})
    derivation = bp.derive(net)
    assert derivation.warnings == ("the loss does not depend on x: its gradient is zero",)
    module: Any = bp.compile(
        net, target=target, optimizer=bp.optim.SGD(0.1), sizes={"N": 2, "M": 3}, derivation=derivation
    )
    if target == "numba":
        module._compile = lambda: None  # its kernels as plain Python
    loss, gradients = module.loss_and_gradients({"x": np.ones((2, 3))})
    assert loss == 6 * value
    np.testing.assert_array_equal(gradients["x"], np.zeros((2, 3)))


def test_the_sum_of_powers() -> None:
    x, values = bp.param("x", (N,)), np.array([1.0, 2.0])
    np.testing.assert_array_equal(gradient(sum((x**k).sum() for k in range(3)), x=values), 1 + 2 * values)


def test_a_parameter_that_cancels_stays_in_the_network() -> None:
    w, x = bp.param("w", (N, M)), bp.input("x", (N, M))
    net = bp.Network("n", loss=((x * w - x * w) + x).sum())
    assert [t.name for t in net.system.with_role(Role.PARAMETER)] == ["w"]


def test_so_does_one_whose_difference_cancels_again() -> None:
    w = bp.param("w", (N, 1))
    zero = bp.prod(w - w, 0)
    net = bp.Network("n", loss=bp.logsumexp(zero - zero, 0))
    assert [t.name for t in net.system.with_role(Role.PARAMETER)] == ["w"]


# --- axes that stay
@pytest.mark.few(fast=8)
@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), None])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std", "norm", "logsumexp"])
def test_reductions_keep_their_axes(name: str, axis: Any) -> None:
    x, a = bp.param("x", (N, M)), RNG.normal(size=(3, 4))
    op = getattr(bp, name)
    kept, gone = op(x, axis=axis, keepdims=True), op(x, axis=axis)
    shape = np.zeros((3, 4)).sum(axis, keepdims=True).shape
    found = evaluated(kept, x=a)
    assert found.shape == shape
    np.testing.assert_allclose(found.ravel(), np.ravel(evaluated(gone, x=a)), rtol=1e-14)
    np.testing.assert_allclose(evaluated(x - kept, x=a), a - found, rtol=1e-14)


def test_ops_are_no_methods():
    x = bp.input("x", (2, 3))
    with pytest.raises(
        AttributeError, match=r"no attribute 'reshape'; ops are functions, as in bp.reshape\(x"
    ):
        x.reshape((3, 2))
    assert not hasattr(x, "__array__")
