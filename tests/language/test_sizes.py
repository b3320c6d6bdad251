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


@pytest.mark.slow
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
    a, b = bp.input("a", (bp.dim("E"),)), bp.input("b", (bp.dim("F", 10),))
    V = bp.param("V", (2 * bp.dim("G"),))
    loss = (V[1:] + a).sum() + (V + b).sum() + (a[:-1] + bp.input("c", (5,))).sum()
    with pytest.raises(ShapeError) as error:
        bp.Network("net", loss=loss)
    assert "sizes of two axes differ" in str(error.value)
    assert "axis 0 of " in str(error.value)
    assert "loss = (V[1:] + a).sum()" in str(error.value)


def test_two_names_with_one_value_are_one_size():
    a, b = bp.input("a", (bp.dim("E", 64),)), bp.input("b", (bp.dim("F", 64),))
    V = bp.param("V", (64,))
    net = bp.Network("net", loss=(V + a).sum() + (V + b).sum())
    assert len(set(shapes(net).values())) == 1
    assert list(net.system.bound.values()) == [64]


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


def loss_of(tensor):
    return bp.Network("net", loss=(tensor**2).sum())


KINDS = {
    "integers": lambda v: v,
    "named": lambda v: bp.dim("L", v),
    "open": lambda v: bp.dim("L"),  # noqa: ARG005
}


def sequence(kind, length):
    return bp.input("x", (N, 3, KINDS[kind](length)))


def halved_and_doubled(x, extra=0):
    up = bp.param("U", (3, 3, 2))
    return bp.conv_transpose1d(bp.max_pool1d(x, 2), up, stride=2, output_padding=extra)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_skip_connection(kind):
    x = sequence(kind, 8)
    net = loss_of(bp.concat(halved_and_doubled(x), x, axis=1))
    ((one, other),) = net.system.conditions
    assert str(one).startswith("2*(")  # it is even, whatever it is
    assert other.is_Symbol
    assert "where 2·(" in str(net)
    assert bp.check(net).ok


@pytest.mark.parametrize("kind", ["integers", "named"])
def test_a_skip_connection_over_an_odd_size(kind):
    x = sequence(kind, 17)
    with pytest.raises(ShapeError, match="sizes of two axes differ") as error:
        halved_and_doubled(x) + x
    assert "= 16" in str(error.value)
    assert "17" in str(error.value)
    assert loss_of(halved_and_doubled(x, extra=1) + x).system.conditions


def test_an_open_size_can_be_said_to_be_odd():
    x = sequence("open", None)
    assert loss_of(halved_and_doubled(x, extra=1) + x).system.conditions
    with pytest.raises(ShapeError, match="sizes of two axes differ"):
        loss_of((halved_and_doubled(x, extra=1) + x).sum() + (halved_and_doubled(x) + x).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_a_padding_that_keeps_the_size_needs_no_condition(kind):
    x = sequence(kind, 8)
    net = loss_of(bp.conv1d(x, bp.param("K", (3, 3, 3)), padding=1) + x)
    assert net.system.conditions == ()
    assert net.system.tensor("K").shape[2] == 3
    assert net.system.tensor("x").shape[2].is_Symbol


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_that_takes_from_the_size(kind):
    x = sequence(kind, 8)
    with pytest.raises(ShapeError, match="sizes of two axes differ"):
        loss_of(bp.conv1d(x, bp.param("K", (3, 3, 2))) + x)


def test_an_integer_says_an_open_size_in_a_formula():
    x, y = sequence("open", None), bp.input("y", (N, 3, 6))
    net = loss_of(bp.conv1d(x, bp.param("K", (3, 3, 3))) * y)
    assert net.system.bound["L"] == 8


def test_sizes_of_two_names_in_formulas_are_one():
    a, b = bp.input("a", (N, H)), bp.input("b", (N, D))
    assert shapes(loss_of(a[:, 2:] + b[:, 2:])) == {"a": "N, D", "b": "N, D"}
    assert shapes(loss_of(a[:, 2:] + b[:, 1:])) == {"a": "N, D + 1", "b": "N, D"}


@pytest.mark.parametrize("make", [lambda v: v - v, lambda v: 0 * v, lambda v: v / v, lambda v: v**0])
def test_what_cancels_keeps_its_shape(make):
    v = bp.param("v", (D, 1))
    assert make(v).shape == v.shape
    assert bp.derive(loss_of(make(v) + bp.param("w", (D, H)))).gradients.keys() == {"v", "w"}


def test_shapes_equal_by_value():
    x = bp.param("x", (bp.dim("D", 3), bp.dim("T", 3)))
    for other in (bp.input("w", (3, 3)), x.T, bp.reshape(bp.input("w", (9,)), (3, 3))):
        assert bp.derive(loss_of(x * other)).gradients
    assert bp.derive(loss_of(bp.reshape(x, (3, 3)) * bp.input("w", (3, 3)))).gradients


def test_reshaping_an_axis_of_one():
    x = bp.input("x", (N, 1))
    assert bp.reshape(x, (-1,)).rank == 1
    assert bp.derive(loss_of(bp.reshape(x, (-1,)) * bp.param("w", (N,)))).gradients


def test_a_reshape_that_parts_an_open_size():
    net = loss_of(bp.reshape(bp.input("x", (N, D)), (N, 4, -1)) * bp.param("w", (N, 4, 1)))
    assert [tuple(map(str, pair)) for pair in net.system.conditions] == [("4*(D//4)", "D")]
    with pytest.raises(ShapeError, match="elements"):
        bp.reshape(bp.input("x", (N, 6)), (N, 4))


def test_a_map_of_one_place_is_broadcast():
    x = bp.input("x", (N, 3, 8))
    net = loss_of(x * bp.conv1d(x, bp.param("K", (3, 3, 8))))
    assert bp.check(net).ok


def grouped_queries(batch, length, width, heads=4, few=2, turn=bp.rotary):
    x, each = bp.input("x", (batch, length, width)), width // heads
    q, k, v = (x @ bp.param(name, (width, n * each)) for name, n in (("Q", heads), ("K", few), ("V", few)))
    q, k, v = bp.split_heads(q, heads), bp.split_heads(k, few), bp.split_heads(v, few)
    o = bp.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True, enable_gqa=True)
    return bp.Network("gqa", loss=((bp.merge_heads(o) @ bp.param("O", (width, width)) + x) ** 2).mean())


@pytest.mark.few(fast=0, slow=3)
@pytest.mark.parametrize("turn", [bp.rotary, lambda z: z])
@pytest.mark.parametrize("width", [16, bp.dim("C", 16), bp.dim("C")])
def test_grouped_query_heads(width, turn):
    net = grouped_queries(2, 3, width, turn=turn)
    assert bp.check(net, sizes={"C": 16} if width == bp.dim("C") else {}).ok


def test_heads_that_do_not_divide():
    with pytest.raises(ShapeError, match="3 heads don't divide the width 16"):
        bp.split_heads(bp.input("x", (N, 3, 16)), 3)
