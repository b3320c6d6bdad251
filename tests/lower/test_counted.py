"""Sizes that subscripts calculate with become numbers; the others keep their names, and values stay."""

from __future__ import annotations

import numpy as np

import symbp as bp
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.expr import FloorDiv, Guard, Index, Size
from symbp.ir.system import Role, System
from symbp.lower.passes.bind_sizes import counted, united

N, S, C, G = sizes("N S C G")
n, c, i, j = indices("n c i j")
KNOWN = {"S": 6, "C": 3, "G": 2}


def pooled() -> System:
    """Sums over pairs of pixels, and the gates of a choice beside each other."""
    builder = SystemBuilder()
    x = builder.leaf("x", N, C, S)
    pool = builder.define("pool", [n, c, i], x(n, c, 2 * i + j), "sum", [j], ranges={i: FloorDiv(S, 2), j: 2})
    g = Index("g")
    body = Guard("=", g, 0) * pool(n, c, 0) + Guard("=", g, 1) * pool(n, c, 1)
    builder.define("gates", [n, c, g], body, ranges={g: G}, role=Role.OUTPUT)
    return builder.system(outputs=["gates"])


def test_what_is_calculated_with_becomes_a_number() -> None:
    found = counted(pooled(), KNOWN)
    assert found.tensor("x").shape == (N, C, 6)
    assert found.tensor("pool").shape == (N, C, 3)
    assert found.tensor("gates").shape == (N, C, 2)


def test_what_only_counts_keeps_its_name_and_open_sizes_stay_open() -> None:
    assert counted(pooled(), {"C": 3}).tensor("x").shape == (N, C, S)
    assert counted(pooled(), {}).tensor("x").shape == (N, C, S)
    left = {s for t in counted(pooled(), {**KNOWN, "N": 4}).tensors for e in t.shape for s in e.atoms(Size)}
    assert left == {N, C}


def test_values_stay() -> None:
    x = np.arange(4 * 3 * 6.0).reshape(4, 3, 6)
    sizes_ = {"N": 4, **KNOWN}
    before, after = (evaluate(s, {"x": x}, sizes_)["gates"] for s in (pooled(), counted(pooled(), KNOWN)))
    np.testing.assert_array_equal(before.astype(float), after.astype(float))


def test_what_is_read_in_steps_is_counted() -> None:
    (B,) = bp.dims("B")
    w, (q, j) = bp.param("w", (4, B)), bp.indices("q j")
    even = bp.define("even", [q, j], w[2 * q, j] ** 2, ranges={q: 2})
    system = bp.Network("even", loss=even.sum()).system
    found = counted(system, system.bound)
    assert found.tensor("w").shape[0] == 4
    assert str(found.tensor("w").shape[1]) == "B"


def test_integers_of_one_value_are_one_size_where_a_declaration_states_them() -> None:
    N, D, H = bp.dim("N", 5), bp.dim("D", 4), bp.dim("H", 4)
    x, t = bp.input("x", (N, D)), bp.target("t", (N, 4))
    dense = (bp.nn.Dense(H), bp.nn.Dense(4), bp.nn.Dense(4), bp.nn.Dense(7), bp.nn.Dense(4))
    system = bp.Network("net", loss=bp.mse(bp.nn.Sequential(*dense)(x), t)).system
    integers = {name for name in system.bound if name not in ("N", "D", "H")}
    assert len(integers) == 4
    found = united(system)
    sizes_of = {name: found.tensor(name).shape for name in ("x", "W1", "W2", "W3", "W4", "W5")}
    four = sizes_of["W2"][1]
    assert sizes_of["x"] == (Size("N"), Size("D"))  # sizes with names of their own keep them
    assert sizes_of["W1"] == (Size("D"), Size("H"))
    assert sizes_of["W3"] == (four, four)
    assert sizes_of["W4"][1] == sizes_of["W5"][0] != four
    assert sizes_of["W5"][1] == four
    assert found.bound == system.bound
    assert united(found) is found or united(found).equations == found.equations


def test_values_that_only_a_module_is_given_unite_nothing() -> None:
    N, H1, H2 = bp.dims("N H1 H2")
    x, t = bp.input("x", (N, H1)), bp.target("t", (N, H2))
    system = bp.Network("net", loss=bp.mse(bp.nn.Dense(H2)(x), t)).system
    assert united(system) is system
