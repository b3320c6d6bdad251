"""What one nest alone uses: rows and variables where nothing else reads it, arrays where something does."""

from __future__ import annotations

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.system import System
from symbp.lower import Program, lower, validate
from symbp.lower.schedule.scalar_replacement import in_rows

N, D, T = sizes("N D T")
n, j, t, q = indices("n j t q")


def norm() -> System:
    builder = SystemBuilder()
    x = builder.leaf("x", N, D)
    mean = builder.define("mean", [n], x(n, j) / D, "sum", [j])
    centred = builder.define("centred", [n, j], x(n, j) - mean(n))
    variance = builder.define("variance", [n], centred(n, j) ** 2 / D, "sum", [j])
    builder.define("y", [n, j], centred(n, j) / (1 + variance(n)))
    return builder.system()


def rows(system: System, *wanted: str) -> Program:
    program = in_rows(lower(system, list(wanted)), wanted)
    validate(program)
    return program


def test_what_a_row_needs_is_a_row_and_what_an_element_needs_a_variable() -> None:
    program = rows(norm(), "y")
    assert program.axes == {"mean": (), "centred_row": (1,), "variance": ()}
    assert {tensor.name: tensor.shape for tensor in program.stored} == {"centred_row": (D,), "y": (N, D)}
    assert str(program).splitlines()[3:5] == [
        "  for j < D",
        "    centred_row[n,j] = x[n,j] - mean[n]  (2)",
    ]


def test_what_is_asked_for_stays() -> None:
    program = rows(norm(), "y", "centred")
    assert program.axes == {"mean": (), "variance": ()}
    assert [tensor.name for tensor in program.stored] == ["centred", "y"]


def test_rows_are_not_moved() -> None:
    program = lower(norm(), ["y"])
    assert program.cost.moved - rows(norm(), "y").cost.moved == 3 * N * D + 2 * N + 2 * N
    assert program.cost.flops == rows(norm(), "y").cost.flops


def test_what_another_nest_reads_stays() -> None:
    builder = SystemBuilder()
    x = builder.leaf("x", N)
    y = builder.define("y", [n], 2 * x(n))
    total = builder.define("total", [], y(n), "sum", [n])
    builder.define("z", [n], y(n) - total())
    assert rows(builder.system(), "z").axes == {}


def test_a_name_that_is_taken_is_left_alone() -> None:
    program = lower(norm(), ["y"])
    assert "centred_row_" in in_rows(program, ["y"], ["centred_row"]).axes


def test_what_an_earlier_step_left_stays_whole() -> None:
    builder = SystemBuilder()
    x = builder.leaf("x", T, N)
    builder.declare("h", T, N)
    u = builder.define("u", [t, n], 2 * x(t, n))
    h = builder._tensors["h"].at
    builder.define("h", [t, n], u(t, n) + h(t - 1, n, outside=0))
    builder.define("last", [n], h(T - 1, n))
    program = rows(builder.system(), "last")
    assert "h" not in program.axes
