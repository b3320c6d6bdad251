"""In a notebook networks, derivations, closed forms, numbers and reports show themselves."""

import xml.etree.ElementTree as ET

import pytest

import symbp as bp


@pytest.fixture(scope="module")
def net():
    return bp.gallery.find("softmax_regression").load().net


@pytest.fixture(scope="module")
def derivation(net):
    return bp.derive(net)


def test_a_network(net):
    assert "loss = " in ET.fromstring(net._repr_html_()).text
    assert net._repr_markdown_() == f"```text\n{net}\n```"


def test_a_derivation(derivation):
    assert "<math" in derivation._repr_html_()
    assert derivation._repr_latex_() == derivation.latex(fragment=True)
    assert derivation._repr_markdown_() == derivation.markdown()


def test_a_closed_form(derivation):
    form = derivation["W"]
    numbers = [number for number, _ in form.equations]
    table = ET.fromstring(form._repr_html_())
    assert [row[0].text for row in table] == [f"({number})" for number in numbers]
    assert all(row[1].find(".//math") is not None for row in table)
    for text in (form._repr_latex_(), form._repr_markdown_()):
        assert all(rf"\tag{{{number}}}" in text for number in numbers)
        assert r"\frac{\partial \mathrm{loss}}{\partial W" in text
    assert str(form) == "\n".join(f"({number}) {equation}" for number, equation in form.equations)


def test_numbers(derivation):
    found = derivation.values()
    assert str(found) in found._repr_markdown_()


def test_a_report(net, derivation):
    report = bp.check(net, derivation=derivation, methods=("central differences",))
    table = ET.fromstring(report._repr_html_())
    assert [row[0].text for row in table.findall("tr")] == ["parameter", "W", "b"]
    assert all(row[-1].text.startswith("ok") for row in table.findall("tr")[1:])
    lines = report._repr_markdown_().splitlines()
    assert len(lines) == 6
    assert len({line.replace(r"\|", "").count("|") for line in lines[2:]}) == 1
    assert str(report).splitlines()[0] == lines[0]
