"""What a teacher would write where a derivation has something longer."""

import pytest

import symbp as bp

N, D = bp.dims("N D")


def page(loss):
    """The text of a page; what is given are x, y, w."""
    x, y, w = bp.input("x", (N, D)), bp.input("y", (N,)), bp.param("w", (D,))
    return bp.derive(bp.Network("net", loss=loss(x, y, w))).text()


@pytest.mark.parametrize(
    ("loss", "lines"),
    [
        (
            lambda x, y, w: -(y * bp.log(bp.sigmoid(x @ w)) + (1 - y) * bp.log(1 - bp.sigmoid(x @ w))).sum(),
            ["= σ(z1)"],
        ),
        (lambda x, y, w: bp.abs(w).sum() + ((x @ w) * y).sum(), ["Σ_i abs(w[i])", "𝟏ᵀ·abs(w)"]),
        (lambda x, y, w: bp.pinball(x @ w, y, 0.9), ["9·([y - z1 ≥ 0] ⊙ (y - z1))"]),
        (lambda x, y, w: bp.norm(x @ w - y), ["= sqrt(s"]),
    ],
)
def test_lines(loss, lines):
    shown = page(loss)
    for line in lines:
        assert line in shown


def test_what_cancels_is_gone():
    def loss(x, y, w):
        p = bp.sigmoid(x @ w)
        return -(y * bp.log(p) + (1 - y) * bp.log(1 - p)).sum()

    assert "= p - y" in page(loss) or "= h1 - y" in page(loss)


def test_an_equation_of_scalars_stands_once():
    """In text, LaTeX and Markdown: its matrix notation says the same."""
    derivation = bp.derive(bp.Network("net", loss=bp.exp(bp.param("w", ())) * 2))
    for shown in (derivation.text(), derivation.latex(), derivation.markdown()):
        assert shown.count("exp") == 1


def test_what_is_held_constant_is_said():
    x, w = bp.input("x", (N, D)), bp.param("w", (D,))
    aim = bp.stop_gradient(bp.tanh(x @ w))
    net = bp.Network("net", loss=((x @ w - aim) ** 2).sum(), outputs={"aim": aim})
    assert "aim: held constant, no gradient passes through" in bp.derive(net).text()
