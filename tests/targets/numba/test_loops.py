"""Loop nests as functions: equal ones are one, with the numbers of all equations that they compute."""

from __future__ import annotations

import re

import pytest
from tree_code import code, lines

import symbp as bp
from symbp.api import source
from symbp.codegen.printer import text
from symbp.codegen.tree import Statement
from symbp.targets.compiled.names import names_for
from symbp.targets.numba.loops import LoopFunctions

TENSORS = ("x", "y", "z", "u", "b", "c")


def nest(read: str, filled: str, loop: str, number: int, value: str = "2 * {}") -> list[Statement]:
    body = value.format(f"{read}[{loop}]")
    head, inner = f"for {loop} in range(N):", f"    t_{loop} = {body}"
    return code(f"{head}\n{inner}\n    {filled}[{loop}] = t_{loop}  # ({number})")


def test_nests_that_differ_in_names_only_are_one_function() -> None:
    loops = LoopFunctions(names_for(TENSORS, ("N",)))
    first = loops.call(nest("x", "y", "i", 1), {"x", "y"}, {"N"}, "y")
    second = loops.call(nest("z", "u", "k", 4), {"z", "u"}, {"N"}, "u")
    assert (text(first), text(second)) == ("_compute_y(x, y, N)", "_compute_y(z, u, N)")
    (function,) = loops.functions()
    assert function.doc == "Equations (1), (4)."
    assert lines(function.body)[-1] == "    y[i] = t_i  # (1), (4)"
    assert lines(function.body)[0] == "_disjoint()"


def test_nests_that_differ_in_anything_else_are_not() -> None:
    loops = LoopFunctions(names_for(TENSORS, ("N",)))
    loops.call(nest("x", "y", "i", 1), {"x", "y"}, {"N"}, "y")
    other = loops.call(nest("x", "y", "i", 2, "3 * {}"), {"x", "y"}, {"N"}, "y")
    same = loops.call(nest("y", "y", "i", 3), {"y"}, {"N"}, "y")  # one array, read and filled
    assert (text(other), text(same)) == ("_compute_y_2(x, y, N)", "_compute_y_3(y, N)")


@pytest.mark.slow
@pytest.mark.parametrize("layers", [2, 5])
def test_equal_layers_have_their_functions_once(layers: int) -> None:
    """One nest for all hidden activations, one for their derivatives, however many layers there are."""
    N, H, K = bp.dims("N H K")
    h, y = bp.input("x", (N, H)), bp.labels("y", (N,), classes=K)
    for k in range(layers):
        W, b = bp.param(f"W{k}", (H, H)), bp.param(f"b{k}", (H,))
        h = bp.tanh(h @ W + b).named(f"h{k}")
    p = bp.softmax(h @ bp.param("V", (H, K)))
    net = bp.Network("deep", loss=bp.cross_entropy(p, y))
    module = source(net, target="numba", optimizer=bp.optim.SGD(0.1), sizes={"H": 8, "K": 3})
    assert len(re.findall(r"= _tanh\(", module)) == 1
    assert len(re.findall(r"\(1 - \w+\[n, \w+\] \* \w+\[n, \w+\]\)", module)) == 1
    called = re.findall(r"^ +(_compute_\w+)\(.*h\d?\b", module, re.MULTILINE)
    assert called.count(called[0]) == 2  # for the first layer, which reads the data, and for all others
    assert ("for layer in range(4):" in module) == (layers == 5)
