"""The page for browsers: well-formed, complete, linked within itself, readable, and without a network."""

import re
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from derived_once import of_gallery

import symbp as bp
from symbp.cli.main import main
from symbp.explain.document import document, sides
from symbp.explain.html import html
from symbp.explain.mathml import MathML, plain, spelling
from symbp.explain.text import PageText, index_form, matrix_form
from symbp.read.matrix.spell import matrix_sides
from symbp.read.spelling import LETTERS
from symbp.rendering import template_folder

SLOW = {"gpt", "ctc", "pinn", "contrastive"}
NETS = [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in sorted(bp.gallery.GALLERY)]
KILOBYTES = {"mlp": 400, "gpt": 2000}
CHILDREN = {"msub": 2, "msup": 2, "mfrac": 2, "munder": 2, "mover": 2}
TABLES = {"mtable", "mtr", "mtd"}
TOKENS = {"mi", "mn", "mo", "mtext"}
ELEMENTS = {*CHILDREN, *TOKENS, *TABLES, "math", "mrow", "msqrt", "mspace"}
SHOWN_NUMBER = re.compile(r"−?(\d+(\.\d+)?(e−?\d+)?|∞)|–")


@cache
def page_of(name):
    return document(of_gallery(name), style="textbook")


def parsed(text):
    """The page as XML, which is stricter than HTML: nothing is left open, nothing unescaped."""
    start = "<!DOCTYPE html>\n"
    assert text.startswith(start)
    return ET.fromstring(text[len(start) :])


def text_of(element):
    return "".join(element.itertext())


def formulas_of(tree):
    """What stands on lines of its own, in one or several pieces."""
    return [node for node in tree.iter("div") if node.get("class") == "formula"]


def check_mathml(tree):
    """Only elements of MathML Core, each with as many children as it has places; digits are numbers."""
    for formula in tree.iter("math"):
        for node in formula.iter():
            assert node.tag in ELEMENTS
            assert len(node) == CHILDREN.get(node.tag, len(node)), ET.tostring(node, encoding="unicode")
            if node.tag in TOKENS:
                assert len(node) == 0
                assert node.text
                assert node.tag == "mn" or not re.fullmatch(r"[0-9.]+", node.text)
                wanted = SHOWN_NUMBER if node.get("data-p") else re.compile(r"\d+(\.\d+|(,\d+)*)?")
                assert node.tag != "mn" or wanted.fullmatch(node.text), node.text
            else:
                assert not (node.text or "").strip()
                assert all(not (child.tail or "").strip() for child in node), "text beside elements"


def check_links(tree):
    names = [node.get("id") for node in tree.iter() if node.get("id")]
    assert len(names) == len(set(names))
    for node in tree.iter("a"):
        assert node.get("href").startswith("#")
        assert node.get("href")[1:] in names, node.get("href")
    for node in tree.iter("section"):
        assert node.get("aria-labelledby") in names


@pytest.mark.few(fast=1, slow=8)
@pytest.mark.parametrize("name", NETS)
def test_page_of_gallery_net(name):
    page = page_of(name)
    shown = html(page)
    tree = parsed(shown)
    check_mathml(tree)
    check_links(tree)
    assert shown.count("<script") == (2 if 'id="state"' in shown else 1)
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg\")|url\(|@import|<link|<img| src=", shown)
    assert len(shown.encode()) < 1000 * KILOBYTES.get(name, 1000)
    blocks = {n.get("id"): n for n in tree.iter("div") if n.get("class") == "equation"}
    assert list(blocks) == [f"eq-{e.number}" for section in page.sections for e in section.equations]
    notation = PageText(page.reading.symbols)
    for shown_equation in page.equations:
        formulas = [n.get("data-text") for n in formulas_of(blocks[f"eq-{shown_equation.number}"])]
        matrix = matrix_form(shown_equation, notation) if shown_equation.beside is not None else None
        wanted = [index_form(shown_equation, notation), matrix]
        assert formulas[: 2 if wanted[1] else 1] == [form for form in wanted if form]
    lessons = [lesson.line.number for lesson in page.lecture.lessons]
    opened = [int(i[3:]) for i, block in blocks.items() if block.find(".//details") is not None]
    assert opened == lessons


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "char_lstm", "cnn", "crf"])
def test_formulas_mention_all_symbols(name):
    page = page_of(name)
    symbols = page.reading.symbols
    notation = MathML(symbols)

    def alone(tensor):
        quotient = symbols.symbols[tensor].quotient
        return plain(notation.tensor(quotient.by[0][0] if quotient else tensor))

    for shown in page.equations:
        index = "".join(map(plain, sides(shown.line, notation)))
        for tensor in {shown.line.target, *shown.shown.read_names}:
            assert alone(tensor) in index
        for letter in shown.shown.all_indices:
            assert plain(notation.symbol(letter)) in index or letter in shown.line.fixed
        if shown.matrix is not None:
            matrix = "".join(map(plain, matrix_sides(shown.matrix, spelling(notation))))
            assert alone(shown.line.target) in matrix


def signs_of(text, loss="loss"):
    """Letters and digits in the order in which they are read."""
    text = re.sub(r"ᵀ|Σ|Π|sqrt|floor|mod", "", text.replace(f"∂{loss}∂", "d"))
    for letter, name in LETTERS.items():
        text = text.replace(letter, name)
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if sign.isalnum())


@pytest.mark.few(fast=2, slow=8)
@pytest.mark.parametrize("name", NETS)
def test_formulas_say_the_same_as_the_text(name):
    page = page_of(name)
    compared = 0
    for formula in formulas_of(parsed(html(page))):
        said = formula.get("data-text")
        if "⁽" in said or "e-" in said or "∂" in said:  # these are written otherwise
            continue
        shown = signs_of(text_of(formula), page.derivation.system.loss)
        wanted = signs_of(said)
        if len(list(formula.iter("math"))) > 1:  # a fraction may have become a factor, 1/N
            assert not Counter(wanted) - Counter(shown), said
            assert set(Counter(shown) - Counter(wanted)) <= {"1"}, said
        else:
            assert shown == wanted, said
        compared += 1
    assert compared >= len(page.equations)


def test_spelling():
    page = page_of("mlp")
    tree = parsed(html(page))
    first = next(n for n in tree.iter("div") if n.get("id") == "eq-1")
    index, matrix = list(formulas_of(first))[:2]
    assert text_of(index).replace("\u2062", "·") == "(a1)nj=∑ixni·(W1)ij+(b1)j"
    assert text_of(matrix).replace("\u2062", "·") == "a1=x·W1+𝟏·b1⊤"
    assert [node.text for node in index.iter("mn")] == ["1"] * 3


def test_lesson_links_to_the_equations_that_it_mentions():
    tree = parsed(html(page_of("mlp")))
    block = next(n for n in tree.iter("div") if n.get("id") == "eq-8")
    lesson = block.find(".//details")
    assert "is read by" in text_of(lesson)
    assert "#eq-3" in [link.get("href") for link in lesson.iter("a")]
    assert parsed(html(page_of("mlp"), steps=False)).find(".//details") is None


def test_headings_landmarks_and_language():
    tree = parsed(html(page_of("mlp")))
    assert tree.get("lang") == "en"
    assert tree.find("head/title").text
    headings = [node.tag for node in tree.iter() if re.fullmatch(r"h\d", node.tag)]
    assert headings[0] == "h1"
    assert headings[1] == "h2"
    assert set(headings[1:]) <= {"h2", "h3"}
    for landmark in ("header", "nav", "main", "footer"):
        assert len(list(tree.iter(landmark))) == 1
    body = tree.find("body")
    assert body[0].get("class") == "skip"
    assert body[0].get("href") == f"#{tree.find('.//main').get('id')}"
    boxes = [node for node in tree.iter("div") if node.get("class") == "scroll"]
    assert boxes
    assert all(b.get("tabindex") == "0" and b.get("role") and b.get("aria-label") for b in boxes)


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_contrast_in_light_dark_and_print():
    style = (template_folder() / "page.css").read_text(encoding="utf-8")
    schemes = re.findall(r":root \{(.*?)\}", style, flags=re.S)
    assert len(schemes) == 3
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for text in ("ink", "soft", "link", "warn"):
            for ground in ("ground", "box", "mark"):
                bright, dim = sorted(map(luminance, (colours[text], colours[ground])), reverse=True)
                assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, ground)


def test_what_people_write_is_escaped():
    (n,) = bp.dims("N")
    x, lt, amp = bp.input("x", (n,)), bp.param("lt", ()), bp.param("amp", ())
    net = bp.Network("odd", loss=bp.mean((lt * x + amp) ** 2))
    derivation = bp.derive(net)
    page = document(derivation, symbols={"lt": r"\text{<&>}"}, style="textbook")
    page = replace(page, title='<b>&"odd"', warnings=("<i>& 'so'",))
    for fragment in (False, True):
        shown = html(page, fragment=fragment)
        tree = parsed(shown) if not fragment else ET.fromstring(f"<div>{shown}</div>")
        assert next(tree.iter("h1")).text == '<b>&"odd"'
        assert "<i>& 'so'" in text_of(tree)
        assert {"lt", "amp"} <= {node.text for node in tree.iter("mi")}
        check_mathml(tree)
        check_links(tree)


@pytest.mark.slow
def test_powers_fractions_and_conditions():
    (n,) = bp.dims("N")
    x, w = bp.input("x", (n,)), bp.param("w", ())
    net = bp.Network("some", loss=bp.mean(bp.gelu(bp.relu(w * x) / (w**2 + 1)) ** 3))
    tree = parsed(bp.derive(net).html())
    check_mathml(tree)
    assert {"mfrac", "msup", "munder"} <= {node.tag for node in tree.iter()}


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("kind", ["hessian", "hvp", "jacobian"])
def test_other_derivatives(kind):
    net = bp.gallery.find("logistic_regression").load().net
    found = bp.jacobian(net, "p") if kind == "jacobian" else getattr(bp, kind)(net)
    tree = parsed(found.html())
    check_mathml(tree)
    check_links(tree)
    assert any(node.text == "Derivatives" for node in tree.iter("h2"))


def test_computed_reading_and_notebook_display():
    derivation = of_gallery("logistic_regression")
    tree = parsed(derivation.html(reading="computed"))
    check_mathml(tree)
    shown = derivation._repr_html_()
    assert "<html" not in shown
    assert 'id="logistic_regression-eq-1"' in shown
    assert ET.fromstring(f"<div>{shown}</div>").find(".//main") is None
    assert derivation._repr_markdown_() == derivation.markdown()


def test_command(capsys, tmp_path):
    path = tmp_path / "page.html"
    assert main(["derive", "logistic_regression", "--format", "html", "-o", str(path)]) == 0
    parsed(path.read_text(encoding="utf-8"))
    capsys.readouterr()
    assert main(["derive", "logistic_regression", "--format", "html", "--fragment"]) == 0
    assert "<html" not in capsys.readouterr().out
