"""The reference semantics: reductions, laziness, reads, recurrences and domains, on small systems."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from sympy import exp, log, tanh

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.domains import COMPLEX, EXACT, FLOAT, HIGH, MODULAR
from symbp.ir.evaluation.dual import DUAL, dual, tangent
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import FloorDiv, Guard, Mod

N, T, K = sizes("N T K")
n, t, k, s = indices("n t k s")
PRIME = 2_147_483_647


def one(build, values, wanted="y", domain=FLOAT, **given):
    """The value of `y` in the system that `build` defines."""
    b = SystemBuilder()
    build(b)
    return evaluate(b.system(), values, given, domain, [wanted])[wanted]


def test_sum_product_and_maximum_over_two_indices():
    x = np.array([[[3.0, 1], [2, 3]], [[-1, -2], [-4, -8]]])
    for op, numpy_op in (("sum", np.sum), ("prod", np.prod), ("max", np.max)):

        def build(b, op=op):
            b.define("y", [n], b.leaf("x", N, T, K)(n, t, k), op, [t, k])

        assert np.array_equal(one(build, {"x": x}, N=2, T=2, K=2), numpy_op(x, axis=(1, 2)))


def test_argmax_is_the_first_maximum_in_row_major_order():
    x = np.array([[[3.0, 1], [2, 3]], [[1, 2], [4, 4]]])

    def build(b):
        read = b.leaf("x", N, T, K)
        b.define("row", [n], read(n, t, k), "argmax", [t, k])
        b.define("column", [n], read(n, t, k), "argmax", [t, k], component=1)

    assert one(build, {"x": x}, "row", N=2, T=2, K=2).tolist() == [0, 1]
    assert one(build, {"x": x}, "column", N=2, T=2, K=2).tolist() == [0, 0]


@pytest.mark.parametrize(("op", "value"), [("sum", 0), ("prod", 1), ("max", -np.inf), ("argmax", -1)])
def test_reductions_over_nothing(op, value):
    def build(b):
        b.define("y", [n], b.leaf("x", N, T)(n, t), op, [t], where=[Guard("<", t, n)])

    assert one(build, {"x": np.full((2, 3), 5.0)}, N=2, T=3).tolist()[0] == value


def test_a_maximum_over_excluded_and_infinite_elements_finds_a_chosen_one():
    def build(b):
        b.define("y", [], b.leaf("x", T)(t), "argmax", [t], where=[Guard("<=", 1, t)])

    assert one(build, {"x": np.array([0, -np.inf, -np.inf])}, T=3) == 1


def test_the_maximum_of_a_number_and_none_is_none():
    def build(b):
        b.define("y", [], b.leaf("x", T)(t), "max", [t])

    assert np.isnan(one(build, {"x": np.array([1.0, np.nan, 3.0])}, T=3))


def test_what_a_guard_excludes_is_not_evaluated():
    def build(b):
        x = b.leaf("x", T)
        b.define("y", [t], where(Guard("<", 0, x(t)), log(x(t)), x(t + 1, outside=7)) + 0 * x(t))

    assert one(build, {"x": np.array([1.0, -1.0, 0.0])}, T=3).tolist() == [0.0, 0.0, 7.0]

    def reads_too_far(b):
        x = b.leaf("x", T)
        b.define("y", [t], Guard("<", t + 1, T) * x(t + 1), ranges={t: T})

    assert one(reads_too_far, {"x": np.array([1.0, 2.0, 3.0])}, T=3).tolist() == [2.0, 3.0, 0.0]


def test_negative_subscripts_are_out_of_range_and_named():
    def build(b):
        b.define("y", [t], b.leaf("x", T)(t - 1), ranges={t: T})

    with pytest.raises(EvaluationError) as caught:
        one(build, {"x": np.zeros(3)}, T=3)
    assert "x[-1] is read out of its range" in str(caught.value)
    assert "x[t - 1]" in str(caught.value)
    assert "(3,)" in str(caught.value)


def test_subscripts_by_quotient_remainder_size_and_integer_tensor():
    x = np.arange(6.0)
    tokens = np.array([[1, 0, 1], [2, 2, 0]])

    def build(b):
        read, tok = b.leaf("x", 2 * T), b.leaf("tok", N, T, integer=True)
        b.define("y", [n, t], read(FloorDiv(t + n, 2) * T + Mod(t, 2)) + read(2 * T - 1 - tok(n, t)))

    expected = [[x[(t + n) // 2 * 3 + t % 2] + x[5 - tokens[n, t]] for t in range(3)] for n in range(2)]
    assert one(build, {"x": x, "tok": tokens}, N=2, T=3).tolist() == expected


def test_indices_sizes_and_integer_tensors_as_values():
    def build(b):
        b.define("y", [n], n / N + b.leaf("tok", N, integer=True)(n) * sympy.Rational(1, 2))

    assert one(build, {"tok": np.array([4, 8])}, N=2).tolist() == [2.0, 4.5]


@pytest.mark.parametrize("domain", [FLOAT, COMPLEX, HIGH])
def test_recurrences_in_both_directions_stacked(domain):
    x = np.array([0.3, -0.2, 0.7, 0.1])

    def build(b):
        read, start = b.leaf("x", T), b.leaf("start")
        h, g = b.declare("h", T), b.declare("y", T)
        b.define("y", [t], tanh(h(t) - 2 * g(t + 1, outside=0)), ranges={t: T})
        b.define("h", [t], tanh(read(t) + 3 * h(t - 1, outside=start())))

    h, expected = [0.5], [0.0]
    for value in x:
        h.append(np.tanh(value + 3 * h[-1]))
    for value in reversed(h[1:]):
        expected.append(np.tanh(value - 2 * expected[-1]))
    y = one(build, {"x": x, "start": 0.5}, domain=domain, T=4)
    assert np.allclose(y.astype(complex), expected[:0:-1], rtol=1e-14, atol=0)


def test_a_long_recurrence_needs_no_recursion():
    def build(b):
        h = b.declare("y", T)
        b.define("y", [t], h(t - 1, outside=1) + 1, ranges={t: T})

    assert one(build, {}, T=3000)[-1] == 3001


def relu_net(b):
    x, w = b.leaf("x", N, K), b.leaf("w", K, T)
    z = b.define("z", [n, t], x(n, k) * w(k, t), "sum", [k])
    h = b.define("h", [n, t], where(Guard("<", 0, z(n, t)), z(n, t)))
    m = b.define("m", [n], h(n, t), "max", [t])
    b.define("y", [], m(n) ** 2 / N + z(n, t) / 3, "sum", [n, t])


def test_rationals_residues_and_fifty_digits_agree_through_branches_and_maxima():
    rng = np.random.default_rng(0)
    values = {"x": rng.integers(-9, 9, (3, 4)), "w": rng.integers(-9, 9, (4, 2))}
    exact = one(relu_net, values, domain=EXACT, N=3, T=2, K=4)[()]
    assert isinstance(exact, Fraction)
    assert exact != 0
    assert one(relu_net, values, domain=MODULAR(PRIME), N=3, T=2, K=4)[()] == MODULAR(PRIME).rational(exact)
    high = one(relu_net, values, domain=HIGH, N=3, T=2, K=4)[()]
    assert abs(high - HIGH.rational(exact)) < 1e-40
    assert one(relu_net, values, N=3, T=2, K=4) == pytest.approx(float(exact), rel=1e-15)


def test_duals_over_rationals_are_the_exact_directional_derivative():
    rng = np.random.default_rng(1)
    x, w, v = rng.integers(-9, 9, (3, 4)), rng.integers(-9, 9, (4, 2)), rng.integers(-9, 9, (4, 2))
    slope = one(relu_net, {"x": x, "w": dual(w, v)}, domain=DUAL(EXACT), N=3, T=2, K=4)
    exact = tangent(slope, EXACT)[()]
    moved = one(relu_net, {"x": x, "w": w + 1e-30j * v}, domain=COMPLEX, N=3, T=2, K=4)
    assert isinstance(exact, Fraction)
    assert float(exact) == pytest.approx(moved.imag / 1e-30, rel=1e-14)
    residue = one(relu_net, {"x": x, "w": dual(w, v)}, domain=DUAL(MODULAR(PRIME)), N=3, T=2, K=4)
    assert residue[()].tangent == MODULAR(PRIME).rational(exact)


def test_a_body_outside_a_domain_is_refused_with_its_equation():
    def build(b):
        b.define("y", [t], exp(b.leaf("x", T)(t)))

    with pytest.raises(OutsideDomain) as caught:
        one(build, {"x": [1, 2]}, domain=EXACT, T=2)
    assert "exp cannot be evaluated in the domain exact rationals" in str(caught.value)
    assert "y[t] = exp(x[t])" in str(caught.value)


def test_missing_leaves_sizes_and_wrong_shapes_are_named():
    def build(b):
        b.define("y", [t], b.leaf("x", T)(t) * 2)

    with pytest.raises(EvaluationError, match="x has no value"):
        one(build, {}, T=2)
    with pytest.raises(EvaluationError, match="size T has no value"):
        one(build, {"x": [1, 2]})
    with pytest.raises(EvaluationError, match="wrong shape") as caught:
        one(build, {"x": [1, 2, 3]}, T=2)
    assert "(2,)" in str(caught.value)
    assert "(3,)" in str(caught.value)


def test_bound_sizes_are_the_default():
    b = SystemBuilder()
    b.define("y", [t], b.leaf("x", T)(t) * T)
    assert evaluate(b.system(bound={"T": 2}), {"x": [1, 2]})["y"].tolist() == [2, 4]
    assert evaluate(b.system(bound={"T": 2}), {"x": [1]}, {"T": 1})["y"].tolist() == [1]


def test_guards_that_read_nothing_say_first_whether_the_others_may_read():
    b = SystemBuilder()
    (size,), (i,) = sizes("N"), indices("i")
    w = b.leaf("w", size)
    inside, positive = Guard("<", i + 1, size), Guard("<", 0, w(i + 1))
    b.define("y", [i], inside * positive * w(i + 1), ranges={i: size})
    system, values = b.system(), {"w": np.array([3.0, -1.0, 2.0])}
    assert evaluate(system, values, {"N": 3})["y"].tolist() == [0.0, 2.0, 0.0]
    assert run(system, values, {"N": 3})["y"].tolist() == [0.0, 2.0, 0.0]
