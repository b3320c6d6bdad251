"""What the forward pass has a name for keeps it on the way back."""

import pytest
import sympy
from derived_once import of_gallery

from symbp.explain.document import document
from symbp.explain.text import PageText, index_form
from symbp.read.textbook.terms import _terms_of


@pytest.mark.parametrize(
    ("net", "shown"),
    [
        ("batch_norm", "(dy[n,i] - z_hat[n,i]·dgamma[i]/N - dbeta[i]/N)·gamma[i]/sigma[i]"),
        (
            "layer_norm",
            "(dz_hat[n,i] - (Σ_j dz_hat[n,j]·z_hat[n,j])·z_hat[n,i]/D - (Σ_j dz_hat[n,j])/D)/sigma[n]",
        ),
    ],
)
def test_standardised_values(net, shown):
    """ẑ, and not the z and μ that it is made of."""
    page = document(of_gallery(net), style="textbook")
    (equation,) = (e for e in page.equations if e.line.target == "dz")
    assert index_form(equation, PageText(page.reading.symbols)) == f"dz[n,i] = {shown}"


def test_a_difference_of_a_product_with_a_sum_has_two_terms():
    a, b, c, d = sympy.symbols("a b c d")
    assert set(_terms_of(2 * c * (a * (1 + d) - b))) == {2 * c * a * (1 + d), -2 * c * b}
