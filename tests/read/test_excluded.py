"""Recurrences over log-probabilities, as CTC has one: pages in logsumexp that are true, also at −∞."""

import numpy as np
import pytest
import test_read_back
from test_read_back import in_latex, in_text, read_back, values

import symbp as bp
from symbp.explain.document import document
from symbp.ir.points.sampling import sample_point


@pytest.fixture(scope="module")
def paths():
    """The loss alone: −log of the sum over paths."""
    N, T, S, K = bp.dims("N T S K")
    z = bp.param("z", (N, T, K))
    y, count = bp.labels("y", (N, S), classes=K), bp.labels("count", (N,), classes=S + 1)
    return bp.derive(bp.Network("paths", loss=bp.ctc(z, y, letters=count, from_logits=True)))


@pytest.mark.slow
def test_the_page_has_one_alpha_and_no_shift(paths):
    page = document(paths, style="textbook")
    shown = [e.index_form for e in page.equations]
    assert not any("computed" in text or " max_" in text for text in shown)
    assert sum(text.startswith("alpha[") for text in shown) == 1
    assert sum(text.startswith("dalpha[") for text in shown) == 1
    assert len(shown) < 14


@pytest.mark.few(fast=0)
@pytest.mark.slow
@pytest.mark.parametrize("reading", [in_text, in_latex])
def test_every_equation_is_true(paths, reading):
    assert read_back(paths, reading=reading, style="textbook") > 8


@pytest.mark.slow
def test_also_where_labels_do_not_fit(paths, monkeypatch):
    """Equal letters in fewer steps than they and the blanks between take: nll is ∞, all that leads there −∞,
    and the gradient 0."""

    def crowded(system, seed):
        sizes, point = sample_point(system, seed, sizes={"N": 2, "T": 2 + seed, "S": 3, "K": 4})
        return sizes, point | {"y": np.ones_like(point["y"]), "count": np.full_like(point["count"], 3)}

    monkeypatch.setattr(test_read_back, "sample_point", crowded)
    page, infinite = document(paths, style="textbook"), 0
    for seed in range(1, 5):
        _, found = values(paths, page, seed)
        infinite += bool(np.isinf(found["nll"]).any())
        assert read_back(paths, seed=seed, style="textbook") > 8
    assert infinite
