"""Order of evaluation: dependency order, recurrences in either direction and around each other, refusals."""

import time

import pytest

from symbp.errors import EvaluationError
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.ir.groups import groups

N, T, L = sizes("N T L")
n, t, d = indices("n t d")


def targets(system, wanted=None):
    return [group.targets for group in groups(system, wanted)]


def test_equations_in_any_order_come_out_in_the_order_of_evaluation():
    b = SystemBuilder()
    x = b.leaf("x", N)
    c, a = b.declare("c", N), b.declare("a", N)
    b.define("d", [n], c(n) + a(n))
    b.define("c", [n], 2 * a(n))
    b.define("a", [n], x(n) + 1)
    assert targets(b.system()) == [("a",), ("c",), ("d",)]


def test_wanted_keeps_what_is_needed_only():
    b = SystemBuilder()
    x = b.leaf("x", N)
    a = b.define("a", [n], x(n) + 1)
    b.define("unused", [n], a(n) * 3)
    b.define("c", [n], a(n) * 2)
    assert targets(b.system(), ["c"]) == [("a",), ("c",)]


@pytest.mark.parametrize(("shift", "step"), [(-1, 1), (-2, 1), (1, -1)])
def test_a_recurrence_has_the_direction_of_its_reads(shift, step):
    b = SystemBuilder()
    x = b.leaf("x", N, T)
    h = b.declare("h", N, T)
    r = b.define("r", [t, n], 2 * h(n, t + shift, outside=0), ranges={t: T, n: N})
    b.define("h", [n, t], x(n, t) + r(t, n))
    b.define("after", [n], h(n, T - 1))
    recurrence, after = groups(b.system())
    assert recurrence.targets == ("r", "h")
    assert recurrence.loop.step == step
    assert recurrence.loop.axis == {"r": 0, "h": 1}
    assert recurrence.loop_index(recurrence.equations[1]) == t
    assert after.loop is None


def test_unshifted_reads_come_first_whatever_the_order_of_equations():
    b = SystemBuilder()
    h, c = b.declare("h", T), b.declare("c", T)
    b.define("h", [t], 2 * c(t))
    b.define("c", [t], 1 + h(t - 1, outside=0), ranges={t: T})
    (group,) = groups(b.system())
    assert group.targets == ("c", "h")


def test_reads_in_outside_values_and_guards_count():
    b = SystemBuilder()
    x = b.leaf("x", T)
    start, limit = b.declare("start"), b.declare("limit")
    h = b.declare("h", T)
    b.define("h", [t], Guard("<", x(t), limit()) * h(t - 1, outside=start()), ranges={t: T})
    b.define("start", [], x(0) * 2)
    b.define("limit", [], x(1) * 2)
    assert [set(names) for names in targets(b.system())] in (
        [{"limit"}, {"start"}, {"h"}],
        [{"start"}, {"limit"}, {"h"}],
    )


def test_a_recurrence_over_depth_may_hold_one_over_time():
    b = SystemBuilder()
    x = b.leaf("x", T)
    h = b.declare("h", L, T)
    b.define("h", [d, t], h(d, t - 1, outside=0) + 2 * h(d - 1, t, outside=x(t)), ranges={d: L, t: T})
    (group,) = groups(b.system())
    assert group.loop.axis == {"h": 0}
    assert group.inner[0].loop.axis == {"h": 1}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (lambda h: h(t) + 1, "no read goes to another position"),
        (lambda h: h(t - 1, outside=0) + h(t + 1, outside=0), "to earlier and to later positions"),
        (lambda h: h(2 * t, outside=0), "no axis of"),
        (lambda h: h(T - 1 - t), "no axis of"),
    ],
)
def test_a_value_that_rests_on_itself_is_refused_and_named(body, problem):
    b = SystemBuilder()
    h = b.declare("h", T)
    b.define("h", [t], body(h), ranges={t: T})
    with pytest.raises(EvaluationError) as caught:
        groups(b.system())
    assert "the value of h depends on itself" in str(caught.value)
    assert problem in str(caught.value)
    assert "h[t]" in str(caught.value)


def test_a_cycle_without_axes_is_refused_with_all_its_equations():
    b = SystemBuilder()
    a, c = b.declare("a"), b.declare("c")
    b.define("a", [], c() + 1)
    b.define("c", [], a() + 1)
    with pytest.raises(EvaluationError, match="a, c depend on each other"):
        groups(b.system())


def test_long_chains_take_linear_time_and_no_recursion():
    b = SystemBuilder()
    previous = b.leaf("x", N)
    for k in range(3000):
        previous = b.define(f"a{k}", [n], previous(n) + 1)
    system = b.system()
    reversed_system = system.with_(equations=tuple(reversed(system.equations)))
    groups(system)  # the reads of equations are cached
    started = time.perf_counter()
    assert [g.targets[0] for g in groups(reversed_system)] == [f"a{k}" for k in range(3000)]
    assert time.perf_counter() - started < 2
