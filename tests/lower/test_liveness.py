"""From when to when buffers are needed: across stages, in loops, and where one takes another's place."""

from __future__ import annotations

from typing import Any

import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.system import System
from symbp.lower import lower
from symbp.lower.memory.liveness import Run, lives, moments

N, H, T = sizes("N H T")
n, j, i, t = indices("n j i t")


def chain() -> System:
    """a = x·W, b = tanh a, c = b + x·1, d = exp(c) row by row summed."""
    b = SystemBuilder()
    x, W = b.leaf("x", N, H), b.leaf("W", H, H)
    a = b.define("a", [n, j], x(n, i) * W(i, j), "sum", [i])
    u = b.define("u", [n, j], sympy.tanh(a(n, j)) + a(n, j))
    v = b.define("v", [n, j], u(n, j) + u(n, j - 1, outside=0), ranges={n: N, j: H})
    b.define("w", [n], sympy.exp(v(n, j)), "sum", [j])
    return b.system()


def stretches(system: System, *, fused: bool, keeps: tuple[str, ...] = ()) -> dict[str, Any]:
    wanted = [e.target for e in system.equations]
    stages = {"all": moments(lower(system, wanted), fused=fused)}
    return {
        name: life.stretches["run"][0] for name, life in lives(stages, [Run("run", ("all",), keeps)]).items()
    }


def test_a_vectorised_target_takes_statements_one_by_one() -> None:
    assert stretches(chain(), fused=False) == {"a": (0, 1), "u": (1, 2), "v": (2, 3), "w": (3, 3)}
    assert stretches(chain(), fused=False, keeps=("u",))["u"] == (1, 4)


def test_what_a_nest_fills_and_reads_is_needed_together() -> None:
    found = stretches(chain(), fused=True)
    assert found["a"][0] == 0
    assert found["v"][0] <= found["w"][0]
    assert len({stretch[0] for stretch in found.values()}) < 4


def test_a_map_of_its_own_element_may_take_the_place_of_what_it_reads() -> None:
    pairs = [m.instead for m in moments(lower(chain(), ["w"]), fused=False)]
    assert pairs == [(), (("u", "a"),), (), ()]  # v reads a neighbour too, w is shorter


def test_equations_of_first_and_last_use() -> None:
    stages = {"all": moments(lower(chain(), ["w"]), fused=False)}
    found = lives(stages, [Run("run", ("all",), ("w",))])
    assert {name: (life.first, life.last) for name, life in found.items()} == {
        "a": (1, 2), "u": (2, 3), "v": (3, 4), "w": (4, None),
    }  # fmt: skip


def test_runs_count_separately() -> None:
    stages = {
        "first": moments(lower(chain(), ["u"]), fused=False),
        "second": moments(lower(chain(), ["w"], ["a", "u"]), fused=False),
    }
    found = lives(stages, [Run("short", ("first",), ("u",)), Run("long", ("first", "second"), ())])
    assert found["u"].stretches == {"short": ((1, 2),), "long": ((1, 2),)}
    assert found["a"].stretches == {"short": ((0, 1),), "long": ((0, 1),)}
    assert found["v"].stretches == {"long": ((2, 3),)}
    assert not found["v"].meets(found["a"])
    assert found["v"].meets(found["u"])


def recurrence() -> System:
    b = SystemBuilder()
    x, U = b.leaf("x", N, T, H), b.leaf("U", H, H)
    h = b.declare("h", N, T, H)
    a = b.define("a", [n, t, j], 2 * x(n, t, j))
    r = b.define("r", [n, t, j], h(n, t - 1, i, outside=0) * U(i, j), "sum", [i], ranges={n: N, t: T, i: H})
    b.define("h", [n, t, j], sympy.tanh(a(n, t, j) + r(n, t, j)))
    b.define("s", [n, j], h(n, T - 1, j))
    return b.system()


def test_what_a_loop_reads_or_fills_step_by_step_is_needed_all_through_it() -> None:
    program = lower(recurrence(), ["s"])
    sequence = moments(program, fused=True)
    inside = [k for k, m in enumerate(sequence) if m.loops]
    found = {
        name: life.stretches["run"][0]
        for name, life in lives({"all": sequence}, [Run("run", ("all",), ())]).items()
    }
    assert found["a"] == (0, inside[-1])
    assert found["h"] == (inside[0], inside[-1] + 1)
    scratch = next(name for name in found if name.startswith("r_"))
    assert found[scratch] == (inside[0], inside[0] + 1)  # of one step: dead when the state is computed
    assert all(not m.instead for m in sequence)
