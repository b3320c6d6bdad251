r"""An author's LaTeX symbols as MathML."""

import xml.etree.ElementTree as ET

import pytest

from symbp.explain.chosen import chosen_mathml


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("W_i", "<msub><mi>W</mi><mi>i</mi></msub>"),
        (r"W^{(1)}", "<msup><mi>W</mi><mrow><mo>(</mo><mn>1</mn><mo>)</mo></mrow></msup>"),
        (r"\sigma_{xy}^2", "<msubsup><mi>σ</mi><mrow><mi>x</mi><mi>y</mi></mrow><mn>2</mn></msubsup>"),
        (r"\hat{W}", '<mover accent="true"><mi>W</mi><mo>^</mo></mover>'),
        (r"\mathbf{W}_\mathrm{in}", None),
        (r"\Gamma", "<mi>Γ</mi>"),
    ],
)
def test_symbols(latex, expected):
    found = chosen_mathml(latex)
    assert found is not None
    ET.fromstring(found)
    if expected is not None:
        assert found == expected


@pytest.mark.parametrize(
    "latex", ["", r"\frac{a}{b}", "W_", "W_{", "{", "}", "a & b", r"\foo", r"\mathbf{1+2}", "W__i"]
)
def test_what_is_beyond_a_symbol(latex):
    assert chosen_mathml(latex) is None
