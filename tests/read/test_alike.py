"""Equal layers that are written out are explained once, and found by their equations, not by digits."""

import itertools

import pytest

import symbp as bp
from symbp.explain.document import document
from symbp.explain.lecture import Sentence, rows
from symbp.explain.text import PageText
from symbp.ir.expr import Guard


def dense(names, activations):
    """Equal dense layers with these names for W and b, whose order says nothing."""
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    h = bp.tanh(x @ bp.param("first", (D, H)))
    for (weight, offset), activation in zip(names, activations, strict=True):
        h = activation(h @ bp.param(weight, (H, H)) + bp.param(offset, (H,)))
    loss = bp.cross_entropy(h @ bp.param("last", (H, K)), y, from_logits=True)
    return bp.Network("dense", loss=loss)


def transformer(depth):
    """Blocks of attention and a dense part, declared in a loop."""
    N, T, D, H, K = bp.dims("N T D H K")
    h, y = bp.input("x", (N, T, D)), bp.labels("y", (N, T), classes=K)

    def normal(x, k, part):
        return bp.layer_norm(x, bp.param(f"g{k}{part}", (D,)), bp.param(f"e{k}{part}", (D,)))

    for k in range(depth):
        u = normal(h, k, "a")
        query, key, value = (u @ bp.param(f"W{letter}{k}", (D, D)) for letter in "qkv")
        seen = bp.scaled_dot_product_attention(query, key, value, is_causal=True)
        h = h + seen @ bp.param(f"Wo{k}", (D, D))
        inner = bp.relu(normal(h, k, "b") @ bp.param(f"M{k}", (D, H)) + bp.param(f"m{k}", (H,)))
        h = h + inner @ bp.param(f"P{k}", (H, D)) + bp.param(f"p{k}", (D,))
    loss = bp.cross_entropy(h @ bp.param("V", (D, K)), y, from_logits=True)
    return bp.Network("blocks", loss=loss)


SIX = [("M", "ant"), ("A9", "bee"), ("Q", "cat"), ("B1", "dog"), ("Z", "eel"), ("C", "fly")]


def page_of(net):
    return document(bp.derive(net), style="textbook")


@pytest.mark.slow
def test_six_equal_layers_are_explained_once():
    page = page_of(dense(SIX, [bp.tanh] * 6))
    (run,) = page.lecture.alike
    assert (run.length, run.count) == (4, 6)
    told = [lesson.by for lesson in page.lecture.told]
    assert [name for pair in SIX for name in pair if name in told] == ["C", "fly"]
    assert len(told) == len(page.lecture.lessons) - 20


@pytest.mark.slow
def test_what_is_likewise_is_named_with_its_numbers():
    page = page_of(dense(SIX, [bp.tanh] * 6))
    notation = PageText(page.lecture.symbols)
    said = [
        "".join(p if isinstance(p, str) else p.name for p in row.pieces)
        for lesson in page.lecture.told
        for row in rows(page, lesson, notation)
        if isinstance(row, Sentence)
    ]
    (sentence,) = (one for one in said if one.startswith("Likewise"))
    numbers = page.reading.numbers
    for lesson in page.lecture.lessons:
        if lesson.by in ("M", "A9", "Q", "B1", "Z"):
            assert lesson.by in sentence
            low, high = min(numbers.values()), max(numbers.values())
            assert low < numbers[lesson.line.target] < high
    assert sentence.count("(") == 10
    assert sentence.count(";") == 4


@pytest.mark.slow
def test_another_activation_is_another_layer():
    page = page_of(dense(SIX, [bp.tanh, bp.tanh, bp.tanh, bp.relu, bp.relu, bp.relu]))
    assert all(run.count < 6 for run in page.lecture.alike)
    told = page.lecture.told
    assert {"C", "fly"} <= {lesson.by for lesson in told}
    sums = [lesson.line.equation for lesson in told if lesson.by[0] == "a" and lesson.by[1:].isdigit()]
    assert {bool(e.body.atoms(Guard)) for e in sums} == {True, False}  # of relu, and of tanh


@pytest.mark.slow
def test_layers_of_other_sizes_that_repeat_are_one_block():
    """Widths differ, the equations don't: one renaming holds for sizes, too; the last has another form."""
    N, K = bp.dims("N K")
    sizes = bp.dims("A B C D")
    x, y = bp.input("x", (N, sizes[0])), bp.labels("y", (N,), classes=K)
    h = x
    for k, (a, b) in enumerate(itertools.pairwise(sizes)):
        h = bp.tanh(h @ bp.param(f"W{k}", (a, b)))
    loss = bp.cross_entropy(h @ bp.param("V", (sizes[-1], K)), y, from_logits=True)
    (run,) = page_of(bp.Network("narrow", loss=loss)).lecture.alike
    assert run.count + bool(run.rest) == 3


@pytest.mark.slow
def test_blocks_of_a_transformer_are_explained_once():
    page = page_of(transformer(4))
    (run,) = page.lecture.alike
    assert run.count + bool(run.rest) == 4
    told = {lesson.by for lesson in page.lecture.told}
    assert {"Wq3", "M3", "P3", "g3a"} <= told
    assert not told & {f"{name}{k}" for name in ("Wo", "M", "P") for k in range(3)}
    assert not told & {f"{name}{k}" for name in ("Wq", "Wk", "Wv") for k in (1, 2)}
    assert len(told) < 0.4 * len(page.lecture.lessons)


def test_unequal_lessons_stay():
    page = page_of(dense([("A", "a"), ("B", "b")], [bp.relu, bp.sigmoid]))
    assert not page.lecture.alike
