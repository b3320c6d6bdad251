"""Which statements share loops, and in which order they run."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from symbp.errors import LoweringError
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.lower import Nest, Program, lower, validate

N, K, P = sizes("N K P")
n, k, i, j = indices("n k i j")


def softmax() -> SystemBuilder:
    builder = SystemBuilder()
    a = builder.leaf("a", N, K)
    m = builder.define("m", [n], a(n, k), "max", [k])
    e = builder.define("e", [n, k], sympy.exp(a(n, k) - m(n)))
    s = builder.define("s", [n], e(n, k), "sum", [k])
    p = builder.define("p", [n, k], e(n, k) / s(n))
    builder.define("b", [k], p(n, k), "sum", [n])
    return builder


def test_a_softmax_is_one_pass_over_the_rows() -> None:
    program = lower(softmax().system(), ["p", "b"])
    assert str(program).splitlines() == [
        "for n < N",
        "  for k < K",
        "    m[n] = max_k a[n,k]  (1)",
        "  for k < K",
        "    e[n,k] = exp(a[n,k] - m[n])  (2)",
        "    s[n] = Σ_k e[n,k]  (3)",
        "  for k < K",
        "    p[n,k] = e[n,k]/s[n]  (4)",
        "    b[k] = Σ_n p[n,k]  (5)",
    ]


def test_what_a_finished_sum_feeds_waits_for_its_end() -> None:
    builder = softmax()
    b, p = builder._tensors["b"].at, builder._tensors["p"].at
    builder.define("c", [n, k], p(n, k) / b(k))
    program = lower(builder.system(), ["c"])
    assert len(program.kernels) == 2
    assert program.kernels[1].targets == ("c",)


def test_a_read_elsewhere_parts_the_loops() -> None:
    builder = SystemBuilder()
    x = builder.leaf("x", N)
    y = builder.define("y", [n], 2 * x(n))
    builder.define("z", [n], y(n) + y(n - 1, outside=0))
    assert len(lower(builder.system(), ["z"]).kernels) == 2
    builder = SystemBuilder()
    x = builder.leaf("x", N, N)
    y = builder.define("y", [i, j], 2 * x(i, j))
    builder.define("z", [i, j], y(i, i) + y(j, j))
    assert len(lower(builder.system(), ["z"]).kernels) == 2


def test_a_transposed_read_turns_the_loops() -> None:
    builder = SystemBuilder()
    x = builder.leaf("x", N, N)
    y = builder.define("y", [i, j], 2 * x(i, j))
    builder.define("z", [i, j], y(j, i))
    assert "z[i,j] = y[j,i]  (2)  with {'j': 'i', 'i': 'j'}" in str(lower(builder.system(), ["z"]))


def test_only_what_is_wanted_is_computed() -> None:
    program = lower(softmax().system(), ["s"])
    assert program.numbers == (1, 2, 3)
    rest = lower(softmax().system(), ["p"], given=["m", "e", "s"])
    assert rest.numbers == (4,)
    assert [t.name for t in rest.leaves] == ["e", "s"]


def test_scalars_of_leaves_do_not_part_loops() -> None:
    builder = SystemBuilder()
    x, c = builder.leaf("x", N), builder.leaf("c")
    y = builder.define("y", [n], c() * x(n))
    d = builder.define("d", [], 1 - c() ** 2)
    builder.define("z", [n], y(n) / d())
    program = lower(builder.system(), ["z"])
    assert [kernel.numbers for kernel in program.kernels] == [(2,), (1, 3)]


def test_an_index_of_two_loops_gets_two_names() -> None:
    builder = SystemBuilder()
    x = builder.leaf("x", N, N)
    y = builder.define("y", [i, j], 2 * x(i, j))
    builder.define("z", [j, i], y(j, i) + x(i, j))  # its j is the first loop
    text = str(lower(builder.system(), ["z"]))
    assert "with {'j': 'i', 'i': 'j'}" in text


def test_costs_are_polynomials_in_the_sizes() -> None:
    D, H = sizes("D H")
    builder = SystemBuilder()
    x, w = builder.leaf("x", N, D), builder.leaf("w", D, H)
    builder.define("z", [n, j], x(n, i) * w(i, j), "sum", [i])
    cost = lower(builder.system(), ["z"]).cost
    assert sympy.expand(cost.flops - 2 * N * D * H) == 0
    assert sympy.expand(cost.bytes(4) - 4 * (N * D + D * H + N * H)) == 0


def test_a_circle_is_refused_with_both_equations() -> None:
    builder = SystemBuilder()
    x = builder.leaf("x", N)
    late = builder.declare("late", N)
    first = builder.define("first", [n], x(n) + late(n))
    builder.define("late", [n], 2 * first(n))
    with pytest.raises(LoweringError, match="first, late depend on each other") as caught:
        lower(builder.system(), ["late"])
    assert "(1) first[n] = " in str(caught.value)
    assert "(2) late[n] = " in str(caught.value)


def test_the_validator_finds_kernels_out_of_order() -> None:
    builder = SystemBuilder()
    x = builder.leaf("x", N, N)
    y = builder.define("y", [i, j], Guard("<=", i, j) * x(i, j))
    z = builder.define("z", [], y(i, j), "sum", [i, j])
    builder.define("q", [i, j], y(i, j) / z())
    program = lower(builder.system(), ["q"])
    validate(program)
    shuffled = Program(program.leaves, program.buffers, program.kernels[::-1])
    with pytest.raises(LoweringError, match="reads 'y' before it is filled"):
        validate(shuffled)
    with pytest.raises(LoweringError, match="no kernel fills"):
        validate(Program(program.leaves, program.buffers, program.kernels[:1]))


def test_a_kernel_lists_all_that_it_computes() -> None:
    program = lower(softmax().system(), ["b"])
    kernel: Any = program.kernels[0]
    assert isinstance(kernel, Nest)
    assert kernel.numbers == (1, 2, 3, 4, 5)
    assert kernel.reads == ("a", "m", "e", "s", "p")


def test_statements_that_read_nothing_stay_each_in_its_layer() -> None:
    """A gradient that is 0 in every layer joins the loops of its own layer, not those of the first one."""
    builder = SystemBuilder()
    h = builder.leaf("h0", N, K)
    wanted = []
    for layer in (1, 2):
        w = builder.leaf(f"W{layer}", K, K)
        z = builder.define(f"z{layer}", [n, k], h(n, i) * w(i, k), "sum", [i])
        builder.define(f"d{layer}", [j], sympy.Integer(0), ranges={j: K})
        h = builder.define(f"h{layer}", [n, k], sympy.tanh(z(n, k)))
        wanted += [f"d{layer}", f"h{layer}"]
    kernels = lower(builder.system(), wanted).kernels
    (first,) = [k for k, kernel in enumerate(kernels) if "d1" in kernel.targets]
    (second,) = [k for k, kernel in enumerate(kernels) if "d2" in kernel.targets]
    assert first != second
