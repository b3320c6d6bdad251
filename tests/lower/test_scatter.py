"""Sums under a guard that fixes an index: read there, or added there."""

from __future__ import annotations

from typing import Any

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.ir.system import Fact, Role
from symbp.lower import Contraction, Nest, lower
from symbp.lower.select.scatter import scattered, selected

N, T, V, J = sizes("N T V J")
n, t, v, j, s = indices("n t v j s")


def builder() -> tuple[SystemBuilder, list[Any]]:
    b = SystemBuilder()
    tok = b.leaf("tok", N, T, integer=True, role=Role.TARGET, facts=[Fact("below", bound=V)])
    return b, [tok, b.leaf("dx", N, T, J), b.leaf("z", N, T, V), b.leaf("u", T)]


def test_a_summed_index_that_a_guard_fixes_is_read_there() -> None:
    b, (tok, _, z, _) = builder()
    b.define("r", [n, t], Guard("=", v, tok(n, t)) * z(n, t, v), "sum", [v])
    (equation,) = b.system().equations
    found = selected(equation)
    assert found.reduction is None
    assert "z[n,t,tok[n,t]]" in str(found)
    assert v not in found.all_indices


def test_a_plain_index_that_a_guard_fixes_is_where_the_term_goes() -> None:
    b, (tok, dx, _, _) = builder()
    b.define("dE", [v, j], Guard("=", v, tok(n, t)) * dx(n, t, j), "sum", [n, t], ranges={v: V})
    (equation,) = b.system().equations
    found, places = scattered(equation)
    assert places == {v: tok(n, t)}
    assert found.body == dx(n, t, j)


def test_no_product_with_zeros_and_ones() -> None:
    b, (tok, dx, _, _) = builder()
    b.define("dE", [v, j], Guard("=", v, tok(n, t)) * dx(n, t, j), "sum", [n, t], ranges={v: V})
    program = lower(b.system(), ["dE"])
    (kernel,) = program.kernels
    assert isinstance(kernel, Nest)
    assert not any(isinstance(k, Contraction) for k in program.kernels)
    assert "tok" in kernel.reads
    assert V not in kernel.cost.flops.free_symbols  # nothing runs over the vocabulary
    assert "for v" not in str(program)


def test_a_loop_index_is_no_place() -> None:
    b, (_, _, _, u) = builder()
    b.define("r", [t], Guard("=", t, 2 * s) * u(s), "sum", [s], ranges={t: T})
    (equation,) = b.system().equations
    assert scattered(equation, [t])[1] == {}
    assert scattered(equation)[1] == {t: 2 * s}
