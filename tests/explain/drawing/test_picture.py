"""A picture: its edges are the reads of the system, nothing overlaps, every equation is reachable."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

import symbp as bp
from symbp.cli.main import main
from symbp.errors import UsageError
from symbp.explain.drawing import caption, drawing
from symbp.explain.drawing.graph import forward_equations, graph
from symbp.explain.drawing.labels import FACTOR, Labels
from symbp.explain.drawing.picture import LINE, SMALL, picture
from symbp.explain.drawing.text import SIZE, plain, runs, width
from symbp.explain.drawing.unroll import unrolled

SVG = "{http://www.w3.org/2000/svg}"


def drawn(page, steps=None):
    found = graph(page.reading)
    if steps:
        found = unrolled(found, page.reading, steps)
    labels = Labels(page.reading, page.lecture.symbols)
    return found, labels, picture(found, labels)


def overlap(one, other):
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def check_places(shown):
    things = [*shown.boxes, *shown.pills]
    for one, other in itertools.combinations(things, 2):
        assert not overlap(one, other), (one, other)
    for one in things:
        assert one.x >= 0
        assert one.x + one.width <= shown.width
        assert one.y >= 0
        assert one.y + one.height <= shown.height
    for box in shown.boxes:
        assert width(box.title) <= box.width - 8
        assert width(box.below, SMALL) <= box.width - 8
    for pill in shown.pills:
        assert max(width(line, FACTOR) for line in pill.lines) <= pill.width - 8
        assert len(pill.lines) * LINE <= pill.height
    for line in shown.lines:
        check_free(line, things)


def check_free(line, things):
    """No line runs through a box or a factor, not even those at its ends: it stops at their sides."""
    for x, y in sampled(line.path):
        for thing in things:
            inside = (
                thing.x + 1 < x < thing.x + thing.width - 1 and thing.y + 1 < y < thing.y + thing.height - 1
            )
            assert not inside, (line, thing)


def sampled(path, count=24):
    """Points along a path of lines and curves."""
    here = (0.0, 0.0)
    for command, rest in re.findall(r"([MLQC])([^MLQC]*)", path):
        points = [tuple(map(float, p.split(","))) for p in rest.split()]
        for k in range(1, count + 1 if command != "M" else 1):
            yield bezier([here, *points], k / count)
        here = points[-1]


def bezier(points, t):
    while len(points) > 1:
        points = [((1 - t) * a + t * c, (1 - t) * b + t * d) for (a, b), (c, d) in itertools.pairwise(points)]
    return points[0]


@pytest.mark.few(fast=1, slow=9)
def test_nothing_overlaps(page):
    check_places(drawn(page)[2])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["char_rnn", "resnet_mlp", "crf"])
def test_nothing_overlaps_unrolled(pages, name):
    check_places(drawn(pages(name), steps=3)[2])


@pytest.mark.few(fast=1, slow=9)
def test_edges_are_the_reads(page):
    found = graph(page.reading)
    equations = forward_equations(page.reading)
    reads = {(name, target) for target, e in equations.items() for name in e.read_names}
    assert {(edge.read, edge.reader) for edge in found.edges} == reads
    assert {node.name for node in found.nodes} == {n for pair in reads for n in pair} | set(equations)
    flows = {(flow.read, flow.reader) for flow in found.flows}
    assert flows <= reads


@pytest.mark.few(fast=1, slow=9)
def test_every_equation_is_reachable(page):
    tree = ET.fromstring(drawing(page, "net-", alone=True))
    links = [a.get("href") for a in tree.iter(f"{SVG}a")]
    assert {int(link.removeprefix("#net-eq-")) for link in links} == {e.number for e in page.equations}
    owners = {}
    boxes = [g for g in tree.iter(f"{SVG}g") if (g.get("class") or "").startswith("node")]
    for group in boxes:
        for number in (group.get("data-equations") or "").split():
            assert owners.setdefault(number, group.get("data-tensor")) == group.get("data-tensor")


def test_what_belongs_together_says_so(pages):
    tree = ET.fromstring(drawing(pages("mlp"), alone=True))
    groups = [g for g in tree.iter(f"{SVG}g") if g.get("class")]
    (h,) = (g for g in groups if g.get("class").startswith("node forward") and g.get("data-tensor") == "h")
    assert (h.get("data-equations"), h.get("data-gradient-equations")) == ("2", "8")
    (factor,) = (g for g in groups if g.get("data-saved") == "h" and g.get("data-tensor") == "W2")
    assert factor.get("data-equations") == "9"
    saved = [g for g in groups if g.get("class") == "line saved" and g.get("data-from") == "h"]
    assert sorted(g.get("data-equations") for g in saved) == ["10", "9"]
    assert all(g.get("data-equations") is not None for g in groups)


@pytest.mark.few(slow=9)
def test_a_picture_is_told_in_words(page):
    tree = ET.fromstring(drawing(page, alone=True))
    names = {node.get("id"): "".join(node.itertext()) for node in tree.iter() if node.get("id")}
    told = names[tree.get("aria-describedby")]
    assert tree.get("aria-labelledby") in names
    assert f"{page.reading.derivation.system.loss} reads" in told
    assert told.count(" gets ") == len({flow.read for flow in graph(page.reading).flows})
    assert "<script" not in ET.tostring(tree, encoding="unicode")
    for link in tree.iter(f"{SVG}a"):
        assert link.get("aria-label") or link.find(f"{SVG}title") is not None


def test_words_have_all_subscripts(pages):
    assert "∂loss/∂a1 gets ∂loss/∂h times 1 - h[n,j]²." in drawing(pages("mlp"))


def test_the_key_is_a_caption_in_a_page(pages):
    page = pages("mlp")
    assert "An arrow leads" in drawing(page, alone=True)
    assert "An arrow leads" not in drawing(page)
    told = caption(page, "net-")
    assert told.startswith("An arrow leads")
    assert re.findall(r'href="#net-eq-(\d+)"', told) == ["13", "14"]
    assert "stack" not in told
    assert "stack" in caption(pages("char_rnn"))


def test_factors(pages):
    page = pages("mlp")
    found, labels, _ = drawn(page)
    factors = {(f.reader, f.read): "".join(map(plain, labels.factor(f))) for f in found.flows}
    assert factors["a2", "W2"] == "h"
    assert factors["a2", "h"] == "W2"
    assert factors["a2", "b2"] == "1"
    assert factors["h", "a1"] == "1 − h2"
    assert factors["p", "a2"] == "pnk′·([k = k′] − pnk)"
    saved = {(f.reader, f.read): f.saved for f in found.flows}
    assert saved["a2", "W2"] == ("h",)
    assert saved["a1", "W1"] == ("x",)
    assert saved["a2", "b2"] == ()


@pytest.mark.slow
def test_loops(pages):
    found, _, shown = drawn(pages("char_lstm"))
    loops = {(e.read, e.reader): str(e.delay) for e in found.edges if e.delay is not None}
    assert loops == {("h", "a1"): "t - 1", ("c1", "c1"): "t - 1"}
    assert [plain(delay.text) for delay in shown.delays].count("t − 1") == 2
    assert {n.name for n in found.nodes if n.recurrent} == {"a1", "i_c1", "f_c1", "g_c1", "c1", "o_h", "h"}


def test_unrolled(pages):
    found, _, _ = drawn(pages("char_rnn"), steps=3)
    edges = {(e.read, e.reader) for e in found.edges}
    assert {("h@0", "a1@1"), ("h@1", "a1@2"), ("x1@2", "a1@2"), ("W", "a1@0"), ("p@1", "loss")} <= edges
    assert ("h@2", "a1@2") not in edges
    assert not any(e.delay for e in found.edges)
    into_weight = {f.reader for f in found.flows if f.read == "W"}
    assert into_weight == {"a1@0", "a1@1", "a1@2"}
    saved = {f.reader: f.saved for f in found.flows if f.read == "U"}
    assert saved["a1@2"] == ("h@1",)


@pytest.mark.slow
def test_unrolled_layers_have_their_own_weights(pages):
    found, _, _ = drawn(pages("resnet_mlp"), steps=3)
    edges = {(e.read, e.reader) for e in found.edges}
    assert {("W@1", "z@1"), ("first", "z@0"), ("h@0", "z@1"), ("h@2", "top")} <= edges
    assert not {("first", "z@1"), ("h@1", "top"), ("h@0", "z@0")} & edges


def test_what_cannot_be_unrolled(pages):
    with pytest.raises(UsageError, match="no recurrence"):
        drawing(pages("mlp"), unrolled=3)
    with pytest.raises(UsageError, match="at least 2"):
        drawing(pages("char_rnn"), unrolled=1)


@pytest.mark.slow
def test_without_gradients():
    """Of second derivatives, and without the backward pass, the forward pass is drawn."""
    net = bp.gallery.find("logistic_regression").load().net
    for shown in (bp.hvp(net).drawing(), bp.derive(net).drawing(backward=False)):
        tree = ET.fromstring(shown)
        kinds = [set(g.get("class", "").split()) for g in tree.iter(f"{SVG}g")]
        assert any("forward" in kind for kind in kinds)
        assert not any("backward" in kind for kind in kinds)


def test_runs_and_their_width():
    spelled = runs("<msub><mi>W</mi><mn>1</mn></msub><mo>+</mo><mfrac><mi>a</mi><mi>b</mi></mfrac>")
    assert [(run.text, run.level) for run in spelled] == [
        ("W", 0),
        ("1", -1),
        (" + ", 0),
        ("a", 0),
        ("/", 0),
        ("b", 0),
    ]
    assert plain(runs("<mfrac><mn>1</mn><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow></mfrac>")) == "1/(a + b)"
    assert plain(runs("<msqrt><mi>a</mi></msqrt>")) == "√a"
    assert 0 < width(runs("<mi>i</mi>")) < width(runs("<mi>m</mi>")) <= SIZE


@pytest.mark.slow
def test_draw_command(tmp_path, capsys):
    file = tmp_path / "mlp.svg"
    assert main(["draw", "mlp", "-o", str(file)]) == 0
    assert ET.parse(file).getroot().tag == f"{SVG}svg"
    assert main(["draw", "mlp", "-o", str(file)]) == 2
    assert main(["draw", "mlp", "--forward", "--unrolled", "3"]) == 2
    assert "no recurrence" in capsys.readouterr().err
