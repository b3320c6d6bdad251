"""The backward equations while they change: their order stays one in which they can be computed."""

from __future__ import annotations

from symbp.derive import adjoints
from symbp.derive.search.worklist import Backward
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access
from symbp.ir.system import Equation, Reduction, Role

N, C, D = sizes("N C D")
n, c, d = indices("n c d")


def scale_and_shift() -> Backward:
    """y = (x − mean)·w, L = Σ y²."""
    b = SystemBuilder()
    x, w = b.leaf("x", N, C, D, role=Role.PARAMETER), b.leaf("w", C, role=Role.PARAMETER)
    mean = b.define("mean", [n, c], x(n, c, d) / D, "sum", [d])
    y = b.define("y", [n, c, d], (x(n, c, d) - mean(n, c)) * w(c))
    b.define("L", [], y(n, c, d) ** 2, "sum", [n, c, d])
    sweep = adjoints(b.system("L"), "L", ["x", "w"])
    return Backward(sweep.system, frozenset(sweep.gradients.values()))


def computable(backward: Backward) -> bool:
    """Each equation reads only what stands before it."""
    done: set[str] = set()
    for name in backward.ordered():
        reads = {read for read in backward.equations[name].read_names if read in backward.equations}
        if not reads <= done:
            return False
        done.add(name)
    return True


def test_a_gradient_may_read_what_came_after_it() -> None:
    backward = scale_and_shift()
    assert computable(backward)
    late = max((n for n in backward.equations if n != "dw"), key=lambda name: backward.position[name])
    assert backward.beside("dw")(late)
    equation = backward.equations["dw"]
    backward.move_behind("dw", [late])
    backward.replace(equation.with_(body=equation.body * Access(late, n, c, d)))
    assert backward.position["dw"] > backward.position[late]
    assert computable(backward)


def test_what_rests_on_a_moved_equation_moves_with_it() -> None:
    backward = scale_and_shift()
    backward.move_behind("dw", [backward.ordered()[-1]])
    assert "dx" in (backward.downstream("dmean") or [])
    backward.move_behind("dmean", ["dw"])
    for name in ("dmean", "dx"):
        assert backward.position[name] > backward.position["dw"]
    assert computable(backward)


def test_nothing_reads_what_rests_on_it() -> None:
    backward = scale_and_shift()
    first = backward.ordered()[0]
    for name in backward.downstream(first) or []:
        assert not backward.beside(first)(name)
    assert not backward.beside(first)(first)


def test_a_new_sum_stands_right_before_its_reader() -> None:
    backward = scale_and_shift()
    backward.move_behind("dw", [max(backward.equations, key=lambda name: backward.position[name])])
    core = Equation("s", (c,), Access("dy", n, c, d), Reduction("sum", (n, d)), (), (C, N, D))
    backward.announce(core, "dw")
    backward.add(core)
    order = backward.ordered()
    assert order.index("s") == order.index("dw") - 1
    assert backward.fresh("s") == "s_2"
