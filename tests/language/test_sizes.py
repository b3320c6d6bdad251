"""Sizes: named, bound and anonymous ones, which of them are one, and messages where they can't be."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbp as bp
from symbp.errors import DeclarationError, ShapeError

N, D, H = bp.dims("N D H")


def shapes(net):
    return {t.name: ", ".join(map(str, t.shape)) for t in net.system.leaves}


def test_integers_become_sizes_with_names():
    x, W, V = bp.input("x", (N, 64)), bp.param("W", (64, 32)), bp.param("V", (32, 10))
    net = bp.Network("net", loss=(x @ W @ V).sum())
    assert shapes(net) == {"x": "N, D1", "W": "D1, D2", "V": "D2, D3"}
    assert net.system.bound == {"D1": 64, "D2": 32, "D3": 10}


def test_a_named_size_stands_for_the_integers_that_equal_it():
    size = bp.dim("D", 64)
    x, W = bp.input("x", (N, size)), bp.param("W", (64, 32))
    net = bp.Network("net", loss=(x @ W).sum())
    assert shapes(net) == {"x": "N, D", "W": "D, D1"}
    assert net.system.bound == {"D": 64, "D1": 32}


def test_a_taken_name_is_skipped():
    x, D1 = bp.input("x", (N, 3)), bp.param("D1", (3, 4))
    net = bp.Network("net", loss=(x @ D1).sum())
    assert shapes(net) == {"x": "N, D2", "D1": "D2, D3"}


def test_equal_values_alone_do_not_make_one_size():
    x, W = bp.input("x", (N, 8)), bp.param("W", (8, 8))
    net = bp.Network("net", loss=(x @ W).sum())
    assert shapes(net) == {"x": "N, D1", "W": "D1, D2"}


def test_an_equation_makes_them_one():
    x, W = bp.input("x", (N, 8)), bp.param("W", (8, 8))
    net = bp.Network("net", loss=(x @ W + x).sum())
    assert shapes(net) == {"x": "N, D1", "W": "D1, D1"}


def build(*widths):
    h = bp.input("x", (N, widths[0]))
    for k, (rows, columns) in enumerate(itertools.pairwise(widths)):
        h = bp.tanh(h @ bp.param(f"W{k}", (rows, columns)) + bp.param(f"b{k}", (columns,)))
    return bp.Network("net", loss=bp.mse(h, bp.target("y", (N, widths[-1]))))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(2, 5), min_size=4, max_size=4))
def test_the_text_does_not_depend_on_values(widths):
    assert str(build(*widths)) == str(build(10, 20, 30, 40))
    assert list(build(*widths).system.bound.values()) == widths


def test_two_integers_that_differ():
    x, W1 = bp.input("x", (N, 64)), bp.param("W1", (32, 10))
    with pytest.raises(ShapeError) as error:
        x @ W1
    message = str(error.value)
    assert message.startswith("matrix product: the sizes of two axes differ")
    assert "axis 1 of x: 64" in message
    assert "axis 0 of W1: 32" in message
    assert "test_sizes.py" in message
    assert "x @ W1" in message


def test_two_names_that_differ():
    W1 = bp.param("W1", (H, D))
    h = bp.tanh(bp.input("x", (N, D)))
    with pytest.raises(ShapeError) as error:
        h @ W1
    assert "axis 1 of h: D" in str(error.value)  # a variable names what has no name yet
    assert "axis 0 of W1: H" in str(error.value)


def test_an_integer_against_an_open_size():
    x, W1 = bp.input("x", (N, D)), bp.param("W1", (64, 10))
    with pytest.raises(ShapeError) as error:
        x @ W1
    assert "axis 1 of x: D" in str(error.value)
    assert "axis 0 of W1: 64" in str(error.value)
    assert 'bp.dim("D", 64)' in str(error.value)


def test_a_conflict_through_a_third_tensor():
    a, b = bp.input("a", (bp.dim("E", 64),)), bp.input("b", (bp.dim("F", 64),))
    V = bp.param("V", (64,))
    loss = (V + a).sum() + (V + b).sum()
    with pytest.raises(ShapeError) as error:
        bp.Network("net", loss=loss)
    assert "axis 0 of b: F=64" in str(error.value)
    assert "axis 0 of V: 64, which is E=64" in str(error.value)
    assert "loss = (V + a).sum() + (V + b).sum()" in str(error.value)


def test_one_name_with_two_values():
    a, b = bp.input("a", (bp.dim("D", 3),)), bp.input("b", (bp.dim("D", 4),))
    with pytest.raises(DeclarationError, match="size D has two values, 3 and 4"):
        a + b


def test_addition_along_the_wrong_axis():
    a, b = bp.input("a", (N, D)), bp.input("b", (N,))
    with pytest.raises(ShapeError) as error:
        a + b
    assert "axis 1 of a: D" in str(error.value)
    assert "axis 0 of b: N" in str(error.value)


@pytest.mark.parametrize("extent", [0, -1, 2.5, "D", None, True, bp.indices("i")[0]])
def test_what_can_not_be_a_size(extent):
    with pytest.raises(DeclarationError):
        bp.input("x", (N, extent))


def test_products_of_sizes():
    x = bp.input("x", (N, 2 * D))
    assert shapes(bp.Network("net", loss=x.sum())) == {"x": "N, 2*D"}


def test_sums_of_equal_integers_are_one_size():
    """Two concatenations, the parts of each with sizes of their own, along which a third equation sums."""
    a, b, c, d = (bp.param(name, (N, extent)) for name, extent in (("a", 6), ("b", 12), ("c", 6), ("d", 12)))
    n, s = bp.indices("n s")
    left, right = bp.concat(a, b, axis=1), bp.concat(c, d, axis=1)
    net = bp.Network("net", loss=bp.define("z", [n], bp.Sum(left[n, s] * right[n, s], s)).sum())
    assert shapes(net) == {"a": "N, D1", "b": "N, D2", "c": "N, D1", "d": "N, D2"}
    assert net.system.bound == {"D1": 6, "D2": 12}


def test_sums_of_other_parts_are_not():
    a, b, c = (bp.param(name, (N, extent)) for name, extent in (("a", 6), ("b", 12), ("c", 17)))
    n, s = bp.indices("n s")
    left, right = bp.concat(a, b, axis=1), bp.concat(a, c, axis=1)
    with pytest.raises(ShapeError, match="the sizes of two axes differ"):
        bp.define("z", [n], bp.Sum(left[n, s] * right[n, s], s))
