"""Passes over trees keep values, and leave what they may not touch."""

import numpy as np

from symbp.codegen import infer
from symbp.codegen.execute import execute
from symbp.codegen.passes import made_together, named_repeats
from symbp.codegen.tree import Assign, For, Module, Slice
from symbp.ir.build import sizes

(T,) = sizes("T")
t = infer.name("t", (), "integer")
h, x, y = (infer.name(n, (T,)) for n in "hxy")


def previous():
    condition = infer.binary(">", t, infer.number(0))
    return infer.choice(
        infer.subscript(h, infer.binary("-", t, infer.number(1))), condition, infer.number(0.5)
    )


def loop(*values):
    body = tuple(Assign(infer.subscript(a, t), value) for a, value in zip((h, y), values, strict=True))
    return For(t, infer.call("range", infer.name("T", (), "integer"), shape=()), body)


def test_a_choice_of_two_lines_of_a_loop_gets_a_name_within_the_loop():
    before = loop(infer.binary("+", previous(), infer.subscript(x, t)), previous())
    body = named_repeats(before.body, lambda wish: wish)
    after = For(before.variable, before.over, body)
    assert [s.target.id for s in body[:1]] == ["h_previous"]
    assert named_repeats((after,), lambda wish: wish) == (after,)
    results = []
    for tree in (before, after):
        given = {"np": np, "T": 4, "x": np.arange(4.0), "h": np.zeros(4), "y": np.zeros(4)}
        results.append(execute(Module((tree,)), given)["y"])
    np.testing.assert_array_equal(*results)


def test_what_is_assigned_in_between_gets_no_name():
    read = infer.call("taken", h, infer.number(0), t, shape=())
    body = (Assign(infer.name("a"), read), Assign(infer.subscript(h, t), t), Assign(infer.name("b"), read))
    assert named_repeats(body, lambda wish: wish) == body


def test_arrays_of_one_shape_are_made_together():
    zeros = infer.call("np.zeros", infer.name("T", (), "integer"), shape=(T,))
    body = made_together((Assign(h, zeros), Assign(x, zeros), Assign(infer.subscript(h, Slice()), x)))
    found = execute(Module(body), {"np": np, "T": 3})
    assert len(body) == 2
    assert found["h"].shape == found["x"].shape == (3,)
    found["h"][:] = 1
    assert not found["x"].any()
