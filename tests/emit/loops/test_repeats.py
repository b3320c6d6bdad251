"""Equal layers in lines: what is found, that nothing is lost, what the arrays of any layer are called."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.emit.roll_layers import WORD, Layers, layers_in, notes_of, statements_of


def found(items: list[tuple[str, ...]], taken: frozenset[str] = frozenset()) -> list[Layers]:
    """The layers among items whose names all are arrays, but for functions."""
    words = {w for item in items for line in item for w in WORD.findall(line) if w not in ("add", "tanh")}

    def free(name: str) -> str:
        return name if name not in taken | words else free(f"{name}_")

    return layers_in(items, dict.fromkeys(words), free)


def dense(k: int) -> list[tuple[str, ...]]:
    return [(f"add(h{k - 1}, W{k}, z{k})",), (f"add(z{k}, b{k})", f"tanh(z{k}, h{k})")]


def test_layers_are_found_from_their_first_line_on() -> None:
    items = [("add(x, W1, z1)",), *dense(1)[1:], *dense(2), *dense(3), *dense(4), ("add(h4, V)",)]
    (layers,) = found(items)
    assert (layers.first, layers.period, layers.count) == (2, 2, 3)
    assert layers.body == (("add(h_below, W, z)",), ("add(z, b)", "tanh(z, h)"))
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
    assert layers.body == (("add(dz_2, W_2, dz_1)",), ("add(dz_1, W_1, dz_below)",))


def test_a_name_in_use_is_not_taken() -> None:
    items = [*dense(2), *dense(3), *dense(4)]
    (layers,) = found(items, frozenset({"z", "h"}))
    assert layers.body[0] == ("add(h_below, W, z_here)",)


def test_what_must_be_equal_keeps_layers_apart() -> None:
    items = [*dense(2), *dense(3), *dense(4)]
    shapes = dict.fromkeys((f"{stem}{k}" for stem in "hzWb" for k in range(1, 5)), (1,))
    assert len(layers_in(items, shapes, str)) == 1
    assert layers_in(items, {**shapes, "W3": (2,)}, str) == []


def test_statements_keep_their_lines_and_the_comments_of_all_layers() -> None:
    lines = ["add(x)  # (1)", "if x:  # (1)", "    add(y)  # (2)", "else:  # (2)", "    add(z)  # (3)"]
    assert [s.lines for s in statements_of(lines)] == [tuple(lines)]
    lines = [
        line for k in range(1, 7) for line in (f"add(h{k})  # ({2 * k})", f"tanh(h{k})  # ({2 * k + 1})")
    ]
    statements = statements_of(lines)
    (layers,) = found([s.code for s in statements])
    assert list(notes_of(statements, layers)) == ["  # (2), (4) … (12)", "  # (3), (5) … (13)"]


NAME = st.builds(lambda stem, k: f"{stem}{k}", st.sampled_from("Wbhz"), st.integers(0, 3))
ITEM = st.lists(st.builds(lambda a, b: f"add({a}, {b})", NAME, NAME), min_size=1, max_size=2).map(tuple)


@pytest.mark.slow
@settings(deadline=None, derandomize=True)
@given(st.lists(ITEM, max_size=6), st.integers(0, 5), st.lists(ITEM, max_size=12))
def test_unrolled_the_layers_are_the_items(
    layer: list[tuple[str, ...]], count: int, rest: list[tuple[str, ...]]
) -> None:
    def moved(line: str, k: int) -> str:
        return WORD.sub(lambda w: f"{w[0][0]}{int(w[0][1:]) + k}" if w[0] != "add" else w[0], line)

    items = [
        *rest[:6],
        *(tuple(moved(x, k) for x in item) for k in range(count) for item in layer),
        *rest[6:],
    ]
    end = 0
    for layers in found(items):
        assert layers.first >= end
        end = layers.stop
        assert list(layers.unrolled()) == items[layers.first : layers.stop]
        assert layers.count >= 2


def test_a_hundred_layers_are_found_soon() -> None:
    items = [(f"add(a{k}, b{k + j})",) for k in range(1, 101) for j in range(8)]
    (layers,) = found(items)
    assert layers.period * layers.count == 800
