"""Entries of dictionaries: those of equal layers by a comprehension, which makes the same dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_code import expression

from symbp.codegen.printer import text
from symbp.targets.compiled.sections.entries import Entry, entry_lines


def entry(name: str, value: str, comment: str = "") -> Entry:
    return Entry(name, expression(value), comment)


def made(entries: list[Entry], **sizes: int) -> list[tuple[str, object]]:
    """What the lines make, in order."""
    whole = "\n".join(["{", *entry_lines(entries), "}"])
    return list(eval(whole, dict(sizes)).items())


def test_layers_are_one_comprehension() -> None:
    entries = [entry("x", "0")]
    for k in range(2, 8):
        entries += [entry(f"W{k}", f"(0, {32 * k - 3} * N)", "drawn"), entry(f"b{k}", f"{7 - k}", "zero")]
    lines = entry_lines(entries)
    assert lines == [
        '"x": 0,',
        "**{",
        "    name: value",
        "    for layer in range(2, 8)",
        "    for name, value in (",
        "        # drawn",
        '        (f"W{layer}", (0, (32 * layer - 3) * N)),',
        "        # zero",
        '        (f"b{layer}", 7 - layer),',
        "    )",
        "},",
    ]
    assert made(entries, N=5) == [(e.name, eval(text(e.value), {"N": 5})) for e in entries]


def test_steps_that_no_layers_number_shows_count_from_nought() -> None:
    entries = []
    for k in range(1, 12):
        entries += [entry(f"a{2 * k}", f"{k} + layer * name * value"), entry(f"b{2 * k}", "7")]
    lines = entry_lines(entries)
    assert lines[2] == "    for layer_ in range(11)"
    assert lines[4].strip() == '(f"a{2 * layer_ + 2}", layer_ + 1 + layer * name * value),'
    sizes = {"layer": 2, "name": 3, "value": 5}
    assert made(entries, **sizes) == [(e.name, eval(text(e.value), dict(sizes))) for e in entries]


def test_few_entries_stay_as_they_are() -> None:
    entries = [entry(f"a{k}", "0") for k in range(4)]
    assert entry_lines(entries) == [f'"a{k}": 0,' for k in range(4)]


STEPS = st.tuples(
    st.sampled_from("Wbhz"), st.integers(-2, 2), st.integers(-40, 40), st.sampled_from(["", "_s1"])
)


@pytest.mark.slow
@settings(deadline=None, derandomize=True)
@given(st.lists(STEPS, min_size=1, max_size=4), st.integers(0, 12), st.integers(1, 9))
def test_the_dictionary_is_the_same(kinds: list[tuple[str, int, int, str]], count: int, first: int) -> None:
    entries: dict[str, Entry] = {}
    for k in range(count):
        for j, (stem, step, slope, behind) in enumerate(kinds):
            name = f"{stem}{j}_{30 + first + step * k}{behind}"
            entries.setdefault(name, entry(name, f"({500 + slope * k} * N, 3, 0.5 * M{j})"))
    sizes = {"N": 3, **{f"M{j}": j for j in range(4)}}
    given_ = list(entries.values())
    assert made(given_, **sizes) == [(e.name, eval(text(e.value), dict(sizes))) for e in given_]
