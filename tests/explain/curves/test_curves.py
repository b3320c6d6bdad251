"""Charts: round ticks, every value at its place, told in words, nothing hidden."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbp.explain.curves import by_epoch, by_layer, by_step, svg
from symbp.explain.curves.axes import power, scale
from symbp.explain.curves.chart import Axis, Chart, series

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.floats(-1e9, 1e9).map(lambda v: 0.0 if abs(v) < 1e-9 else v)


def paths(tree, name):
    """The corners of the lines of a series, in pixels."""
    (group,) = (g for g in tree.iter(f"{SVG}g") if g.get("data-series") == name)
    lines = [p.get("d") for p in group if p.get("class") != "mark"]
    return [[tuple(map(float, q.split(","))) for q in re.split("[ML]", d)[1:]] for d in lines]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ([3, 12], ["2", "4", "6", "8", "10", "12"]),
        ([-0.05, 0.05], ["−0.06", "−0.04", "−0.02", "0.00", "0.02", "0.04", "0.06"]),
        ([7], ["2", "4", "6", "8", "10", "12"]),
    ],
)
def test_round_ticks(values, labels):
    found = scale(Axis("x"), values, 7)
    assert [label for _, label in found.ticks] == labels


def test_powers_of_ten():
    found = scale(Axis("x", log=True), [1e-12, 0.3], 9)
    assert [label for _, label in found.ticks][:2] == ["10⁻¹²", "10⁻¹⁰"]
    assert found.high >= 0.3
    assert [power(k) for k in (-3, -2, 0, 2, 3)] == ["10⁻³", "0.01", "1", "100", "10³"]


@pytest.mark.slow
@given(st.lists(numbers, min_size=1, max_size=6), st.integers(2, 9))
def test_ticks_hold_all_values(values, most):
    found = scale(Axis("x"), values, most)
    at = [found.place(v) for v in values]
    assert min(at) >= -1e-6
    assert max(at) <= 1 + 1e-6
    assert len(found.ticks) <= most + 2
    assert len({label for _, label in found.ticks}) == len(found.ticks)


@given(st.lists(st.floats(1e-18, 1e18), min_size=1, max_size=6), st.integers(2, 9))
def test_powers_hold_all_values(values, most):
    found = scale(Axis("x", log=True), values, most)
    at = [found.place(v) for v in values]
    assert min(at) >= -1e-6
    assert max(at) <= 1 + 1e-6
    assert len(found.ticks) <= most + 1


def test_values_stand_where_their_ticks_do():
    chart = Chart("t", Axis("x"), Axis("y"), (series("a", [0, 1, 2], [0, 10, 20]),))
    tree = ET.fromstring(svg([chart]))
    ((first, middle, last),) = paths(tree, "a")
    ticks = {}
    for text in tree.iter(f"{SVG}text"):
        if text.get("class") == "tick left":
            ticks[text.text] = float(text.get("y")) - 4
    assert first[1] == pytest.approx(ticks["0"], abs=0.1)
    assert middle[1] == pytest.approx(ticks["10"], abs=0.1)
    assert last[1] == pytest.approx(ticks["20"], abs=0.1)
    assert middle[0] == pytest.approx((first[0] + last[0]) / 2, abs=0.1)


def test_what_has_no_place_is_told():
    chart = by_step({"a": [(0.1, 1e-3), (0.01, 0.0), (1e-3, float("nan")), (1e-4, 1e-9)]}, "W")
    shown = svg([chart])
    tree = ET.fromstring(shown)
    assert [len(line) for line in paths(tree, "a")] == [1, 1]
    notes = [t.text for t in tree.iter(f"{SVG}text") if t.get("class") == "note"]
    assert notes == ["a: 0 at 1 point, for which the axis has no place.", "a: not finite at 1 point."]
    (told,) = (node.text for node in tree.iter(f"{SVG}desc"))
    assert "from 0.001 at 0.1 to 1e-09 at 0.0001, lowest 1e-09" in told


def test_by_epoch():
    records = [
        {"epoch": 1, "loss": 2.0, "validation_loss": 2.2, "validation_accuracy": 0.5, "seconds": 1.0},
        {"epoch": 2, "loss": 1.0, "validation_loss": 1.5, "validation_accuracy": 0.75, "seconds": 1.0},
    ]
    losses, metrics = by_epoch(records, "net")
    assert [(s.name, s.points) for s in losses.series] == [
        ("training", ((1.0, 2.0), (2.0, 1.0))),
        ("held out", ((1.0, 2.2), (2.0, 1.5))),
    ]
    assert [(s.name, s.points) for s in metrics.series] == [("accuracy", ((1.0, 0.5), (2.0, 0.75)))]
    assert len(by_epoch([{"epoch": 1, "loss": 2.0}])) == 1


def test_by_layer():
    chart = by_layer(["h1", "h2", "h3"], {"tanh": [1e-3, 1e-2, 1e-1], "relu": [0.5, 0.6, 0.7]})
    tree = ET.fromstring(svg([chart]))
    labels = [t.text for t in tree.iter(f"{SVG}text") if t.get("class") == "tick"]
    assert labels == ["h1", "h2", "h3"]
    assert tree.get("role") == "img"
    names = {node.get("id") for node in tree.iter() if node.get("id")}
    assert set(tree.get("aria-labelledby").split()) <= names


def test_names_are_escaped():
    chart = Chart("a < b & c", Axis("x"), Axis("y"), (series("<s>", [0, 1], [0, 1]),))
    tree = ET.fromstring(svg([chart], name="one"))
    assert "a < b & c" in "".join(tree.itertext())


def test_no_value_at_all():
    chart = Chart("t", Axis("x"), Axis("y", log=True), (series("a", [1], [0.0]),))
    ET.fromstring(svg([chart]))
