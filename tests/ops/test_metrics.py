"""Metrics of whole sets: where batches, absent classes, ties and ignored rows make a difference."""

import numpy as np
import pytest
from metric_references import METRICS

import symbp as bp
from symbp.errors import DeclarationError, ShapeError

N, K = bp.dim("N"), bp.dim("K")
DRAW = np.random.default_rng(5)


def measured(metrics, target="numpy", **arrays):
    """The metrics in a module whose only parameter has no say in them."""
    w = bp.param("w", ())
    net = bp.Network("net", loss=w**2, metrics=metrics)
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    return module.evaluate({"w": np.array(1.0)}, **arrays)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_a_module_has_them_over_the_whole_set(target):
    """Five classes, one of which nobody says, one that nobody is, one neither; scores with ties."""
    p, y = bp.input("p", (N, K)), bp.labels("y", (N,), classes=K)
    score, hit = bp.input("score", (N,)), bp.target("hit", (N,), "binary")
    scores = DRAW.integers(0, 4, (60, 5)).astype(float)
    scores[:, 1] = scores[:, 4] = -1
    labels = DRAW.choice([0, 1, 2], 60)
    ties, hits = DRAW.integers(0, 7, 60) / 8, DRAW.integers(0, 2, 60).astype(float)
    classes = {name: getattr(bp, name)(p, y) for name in ("precision", "recall", "f1")}
    classes["top_k_accuracy"] = bp.top_k_accuracy(p, y, k=2)
    rows = {"auc": bp.auc(score, hit), "r2": bp.r2(score, hit), "rmse": bp.rmse(score, hit)}
    found = measured(classes | rows, target, p=scores, y=labels, score=ties, hit=hits)
    for name in classes:
        expected = METRICS[name](scores, labels, **({"k": 2} if "top" in name else {}))
        assert found[name] == pytest.approx(expected, rel=1e-13), name
    for name in rows:
        assert found[name] == pytest.approx(METRICS[name](ties, hits), rel=1e-13), name
    halves = [METRICS["f1"](scores[part], labels[part]) for part in (slice(30), slice(30, 60))]
    assert found["f1"] != pytest.approx(np.mean(halves), rel=1e-3)  # no mean over batches


def test_rows_without_a_label_count_as_nothing():
    p, y = bp.input("p", (N, K)), bp.labels("y", (N,), classes=K, ignored=-1)
    names = ("precision", "recall", "f1", "top_k_accuracy")
    metrics = {name: getattr(bp, name)(p, y, **({"k": 1} if "top" in name else {})) for name in names}
    scores, labels = DRAW.normal(size=(20, 3)), DRAW.integers(-1, 3, 20)
    kept = labels >= 0
    found = measured(metrics, p=scores, y=labels)
    for name in names:
        expected = METRICS[name](scores[kept], labels[kept], **({"k": 1} if "top" in name else {}))
        assert found[name] == pytest.approx(expected, rel=1e-13), name


def test_the_mean_and_a_perfect_prediction_have_r2_0_and_1():
    y = DRAW.normal(size=9)
    a, b = bp.input("a", (N,)), bp.target("b", (N,))
    assert measured({"r2": bp.r2(a, b)}, a=np.full(9, y.mean()), b=y)["r2"] == pytest.approx(0, abs=1e-13)
    assert measured({"r2": bp.r2(a, b)}, a=y, b=y)["r2"] == 1


def test_what_has_no_value_is_refused():
    p, y = bp.input("p", (N, K)), bp.labels("y", (N,), classes=K)
    with pytest.raises(ShapeError, match="auc can't pair p with y"):
        bp.auc(p, y)
    with pytest.raises(ShapeError, match="f1 can't pair q with t"):
        bp.f1(bp.input("q", (N,)), bp.target("t", (N,)))
    with pytest.raises(DeclarationError, match="k is 1, 2"):
        bp.top_k_accuracy(p, y, k=0)


def test_what_is_not_a_number_hits_nothing():
    p, y = bp.input("p", (N, K)), bp.labels("y", (N,), classes=K)
    w = bp.param("w", ())
    net = bp.Network("net", loss=w**2, metrics={"top": bp.top_k_accuracy(p * w, y, k=2)})
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    found = module.evaluate({"w": np.array(np.nan)}, p=np.eye(3), y=np.arange(3))
    assert found["top"] == 0
