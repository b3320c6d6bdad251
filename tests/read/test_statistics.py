"""What a normalisation computes has the letters of a course, found by the form of its equations."""

import pytest
from test_read_back import in_latex, in_text, read_back

import symbp as bp
from symbp.explain.document import document


def normalised(norm, activation=None):
    N, C, D = bp.dims("N C D")
    z = bp.input("x", (N, C)) @ bp.param("W", (C, D))
    h = norm(z, bp.param("scale", (D,)), bp.param("shift", (D,)))
    h = h if activation is None else activation(h)
    return bp.derive(bp.Network("normalised", loss=bp.mean(h**3), outputs={"h": h}))


def written(derivation, style):
    return set(document(derivation, style=style).reading.symbols.text.values())


@pytest.mark.slow
@pytest.mark.parametrize("norm", [bp.batch_norm, bp.layer_norm])
@pytest.mark.parametrize("style", ["textbook", "computed"])
def test_mean_variance_and_what_is_normalised(norm, style):
    derivation = normalised(norm)
    assert {"μ", "σ²", "x̂"} <= written(derivation, style)
    for reading in (in_text, in_latex):
        assert read_back(derivation, reading=reading, style=style) > 5


@pytest.mark.slow
def test_one_sigma_on_a_page():
    """Beside the logistic function the variance is no σ²."""
    derivation = normalised(bp.batch_norm, bp.sigmoid)
    assert "σ²" not in written(derivation, "textbook")
    assert "μ" in written(derivation, "textbook")
    assert read_back(derivation, style="textbook") > 5


def test_a_mean_of_something_else_is_no_variance():
    N, D = bp.dims("N D")
    x, w = bp.input("x", (N, D)), bp.param("w", (D,))
    spread = bp.define("spread", [], bp.mean((x * w - 1) ** 2))
    derivation = bp.derive(bp.Network("spread", loss=bp.sqrt(spread)))
    assert not {"σ²", "x̂"} & written(derivation, "textbook")
