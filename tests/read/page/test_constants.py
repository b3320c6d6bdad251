"""Numbers with a name: a layer's ε, an author's own constants; pages call them so, and are true."""

import pytest
from test_read_back import in_latex, read_back
from test_read_back_matrix import Page

import symbp as bp
from symbp.explain.document import document
from symbp.explain.text import legend_lines


def normalised(layer):
    N, D = bp.dims("N D")
    x, w, g = bp.input("x", (N, D)), bp.param("w", (D,)), bp.input("g", (N, D))
    return bp.Network("net", loss=(layer(x * w) * g).sum())


def constants(derivation):
    page = document(derivation, style="textbook")
    lines = zip(page.reading.legend, legend_lines(page), strict=True)
    return [line for entry, line in lines if entry.kind == "constant"]


LAYERS = {
    "1e-5": bp.nn.LayerNorm(),
    "1e-6": bp.nn.RMSNorm(),
    "0.001": bp.nn.BatchNorm(eps=1e-3),
}


@pytest.mark.slow
@pytest.mark.parametrize("value", LAYERS)
def test_epsilon_has_its_letter_and_its_value(value):
    derivation = bp.derive(normalised(LAYERS[value]))
    assert constants(derivation) == [f"ε = {value}"]
    text = derivation.text()
    assert "ε" in text[text.index("Forward") :]
    assert value not in text[text.index("Forward") :]
    for style in ("textbook", "computed"):
        assert read_back(derivation, style=style)
        assert read_back(derivation, reading=in_latex, style=style)
        page = Page(derivation, style=style)
        for shown in page.shown:
            page.compare(shown, page.text(shown))


def test_another_value_of_the_letter_is_found():
    page = Page(bp.derive(normalised(bp.nn.RMSNorm(eps=0.01))), style="textbook")
    (epsilon,) = page.page.reading.constants
    page.known[epsilon] = 0.02
    shown = next(e for e in page.shown if "ε" in page.text(e))
    with pytest.raises(AssertionError):
        page.compare(shown, page.text(shown))


@pytest.mark.slow
def test_two_values_are_two_letters():
    net = normalised(lambda x: bp.nn.RMSNorm(eps=1e-3)(bp.nn.LayerNorm()(x)))
    assert constants(bp.derive(net)) == ["ε1 = 1e-5", "ε2 = 0.001"]


def test_a_number_that_is_something_else_too_stays_a_number():
    net = normalised(lambda x: bp.nn.LayerNorm(eps=1e-3)(x) * 0.001)
    assert not net.choices.constants


def test_the_letter_is_for_readers():
    """What is derived and computed has the number."""
    assert "1e-5" in str(normalised(bp.nn.LayerNorm()).system)


@pytest.mark.slow
def test_an_authors_own_constants_keep_their_names():
    N, D, K = bp.dims("N D K")
    x, y, W = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K), bp.param("W", (D, K))
    h = bp.nn.LayerNorm(eps=bp.hyper("eps", 1e-3))(x @ W)
    h = bp.leaky_relu(h, bp.hyper("alpha", 0.1))
    loss = bp.cross_entropy(bp.softmax(h), y, label_smoothing=bp.hyper("s", 0.25))
    net = bp.Network("net", loss=loss)
    derivation = bp.derive(net)
    assert sorted(constants(derivation)) == ["alpha = 1/10", "eps = 0.001", "s = 1/4"]
    text = derivation.text()
    for written in ("σ²[n] + eps", "·alpha·", "(1 - s)"):
        assert written in text
    assert read_back(derivation, style="textbook")
    assert bp.check(net).ok


def dropped(*layers):
    N, D, H = bp.dims("N D H")
    x, W = bp.input("x", (N, D)), bp.param("W", (D, H))
    h = bp.tanh(x @ W)
    for layer in layers:
        h = layer(h)
    return bp.derive(bp.Network("net", loss=(h**2).sum() / 2))


def test_dropouts_rate_has_its_letter():
    derivation = dropped(lambda h: bp.dropout(h, 0.2), lambda h: h @ bp.param("V", (h.shape[1], 3)))
    assert constants(derivation) == ["p = 1/5, the probability of a 0 in mask1"]
    assert "·mask1[n,j]" in (text := derivation.text())
    assert text.count("(1 - p)") >= 2  # in index and in matrix notation
    assert "5" not in text[text.index("Forward") :].replace("(5)", "")
    for reader in ({}, {"reading": in_latex}):
        assert read_back(derivation, style="textbook", **reader)
    page = Page(derivation, style="textbook")
    for shown in page.shown:
        page.compare(shown, page.text(shown))


@pytest.mark.slow
def test_two_rates_are_two_letters_and_a_taken_letter_is_another():
    two = dropped(lambda h: bp.dropout(h, 0.25), bp.sigmoid, lambda h: bp.dropout(h, 0.5))
    assert "8·" not in two.text()
    assert [line[:9] for line in constants(two)] == ["p1 = 1/4,", "p2 = 1/2,"]
    taken = dropped(lambda h: bp.dropout(h, 0.25), lambda h: bp.softmax(h).named("p"))
    assert [line[:8] for line in constants(taken)] == ["ρ = 1/4,"]


def test_a_mask_that_keeps_no_mean_has_no_rate():
    assert constants(dropped(lambda h: bp.alpha_dropout(h, 0.25))) == []
