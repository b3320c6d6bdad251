"""Equal layers in code: what is found, that nothing is lost, what the arrays of any layer are called."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_code import code, lines

from symbp.codegen.roll_layers import Item, Layers, layers_in, numbered_layers, statements_of
from symbp.codegen.tree import Name

Lines = tuple[str, ...]


def nodes(items: list[Lines]) -> list[Item]:
    return [tuple(code("\n".join(item))) for item in items]


def found(items: list[Lines], taken: frozenset[str] = frozenset()) -> list[Layers]:
    """The layers among items whose names all are arrays, but for functions."""
    words = {n.id for item in nodes(items) for s in item for n in s.walk() if isinstance(n, Name)}

    def free(name: str) -> str:
        return name if name not in taken | words else free(f"{name}_")

    return layers_in(nodes(items), dict.fromkeys(words), free)


def body(layers: Layers) -> tuple[Lines, ...]:
    return tuple(tuple(lines(item)) for item in layers.body)


def dense(k: int) -> list[Lines]:
    return [(f"add(h{k - 1}, W{k}, z{k})",), (f"add(z{k}, b{k})", f"tanh(z{k}, h{k})")]


def test_layers_are_found_from_their_first_line_on() -> None:
    items = [("add(x, W1, z1)",), *dense(1)[1:], *dense(2), *dense(3), *dense(4), ("add(h4, V)",)]
    (layers,) = found(items)
    assert (layers.first, layers.period, layers.count) == (2, 2, 3)
    assert body(layers) == (("add(h_below, W, z)",), ("add(z, b)", "tanh(z, h)"))
    assert {name: family.names for family, name in layers.arrays.items()} == {
        "h_below": ("h1", "h2", "h3"),
        "W": ("W2", "W3", "W4"),
        "z": ("z2", "z3", "z4"),
        "b": ("b2", "b3", "b4"),
        "h": ("h2", "h3", "h4"),
    }


def test_two_short_layers_stay_as_they_are_and_two_long_ones_do_not() -> None:
    assert found([*dense(2), *dense(3)]) == []
    long = [(f"add(a{k}, b{k}, c{k})",) * 4 for k in (1, 1, 2, 2)]
    (layers,) = found(long)
    assert (layers.period, layers.count) == (2, 2)


def test_numbers_that_rise_by_other_steps_end_a_run() -> None:
    items = [*dense(2), *dense(3), *dense(4), *dense(6), *dense(8), *dense(10)]  # the last four by two each
    assert [(x.first, x.count) for x in found(items)] == [(4, 4)]


def test_layers_downwards_and_several_arrays_of_a_kind() -> None:
    items = [
        line
        for k in (6, 4, 2)
        for line in ((f"add(dz{k}, W{k}, dz{k - 1})",), (f"add(dz{k - 1}, W{k - 1}, dz{k - 2})",))
    ]
    (layers,) = found(items)
    assert layers.count == 3
    assert body(layers) == (("add(dz_2, W_2, dz_1)",), ("add(dz_1, W_1, dz_below)",))


def test_a_name_in_use_is_not_taken() -> None:
    items = [*dense(2), *dense(3), *dense(4)]
    (layers,) = found(items, frozenset({"z", "h"}))
    assert body(layers)[0] == ("add(h_below, W, z_here)",)


def test_what_must_be_equal_keeps_layers_apart() -> None:
    items = [*dense(2), *dense(3), *dense(4)]
    shapes = dict.fromkeys((f"{stem}{k}" for stem in "hzWb" for k in range(1, 5)), (1,))
    assert len(layers_in(nodes(items), shapes, str)) == 1
    assert layers_in(nodes(items), {**shapes, "W3": (2,)}, str) == []


def test_statements_of_one_equation_stay_together_and_carry_the_numbers_of_all_layers() -> None:
    text = "add(x)  # (1)\nif x:  # (1)\n    add(y)  # (2)\nelse:\n    add(z)  # (3)"
    assert statements_of(code(text)) == [tuple(code(text))]
    rows = [f"add(h{k})  # ({2 * k})\ntanh(h{k})  # ({2 * k + 1})" for k in range(1, 7)]
    items = statements_of(code("\n".join(rows)))
    (layers,) = layers_in(items, dict.fromkeys(f"h{k}" for k in range(1, 7)), str)
    assert lines(list(numbered_layers(items, layers))) == [
        "add(h)  # (2), (4) … (12)",
        "tanh(h)  # (3), (5) … (13)",
    ]


NAME = st.builds(lambda stem, k: f"{stem}{k}", st.sampled_from("Wbhz"), st.integers(0, 3))
ITEM = st.lists(st.builds(lambda a, b: f"add({a}, {b})", NAME, NAME), min_size=1, max_size=2).map(tuple)


@pytest.mark.slow
@settings(deadline=None, derandomize=True)
@given(st.lists(ITEM, max_size=6), st.integers(0, 5), st.lists(ITEM, max_size=12))
def test_unrolled_the_layers_are_the_items(layer: list[Lines], count: int, rest: list[Lines]) -> None:
    def moved(line: str, k: int) -> str:
        return re.sub(r"\b([Wbhz])(\d)", lambda w: f"{w[1]}{int(w[2]) + k}", line)

    items = [
        *rest[:6],
        *(tuple(moved(x, k) for x in item) for k in range(count) for item in layer),
        *rest[6:],
    ]
    end = 0
    for layers in found(items):
        assert layers.first >= end
        end = layers.stop
        assert list(layers.unrolled()) == nodes(items)[layers.first : layers.stop]
        assert layers.count >= 2


@pytest.mark.slow
def test_a_hundred_layers_are_found_soon() -> None:
    items = [(f"add(a{k}, b{k + j})",) for k in range(1, 101) for j in range(8)]
    (layers,) = found(items)
    assert layers.period * layers.count == 800
