"""Where digits are lost, the report names the equation; where none are, it says so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.derive.derivation import Derivation
from symbp.errors import UsageError
from symbp.gallery import GALLERY
from symbp.ir.expr import Access
from symbp.verify.extremes import Extremes, extremes
from symbp.verify.extremes.points import NETWORKS, Extreme, extreme_points
from symbp.verify.extremes.single import in_float32

N, D = bp.dims("N D")


def spread() -> bp.Network:
    """Weighted squares of what is left of data without its mean."""
    x = bp.input("x", (N,))
    w = bp.param("w", (N,))
    return bp.Network("spread", loss=(w * (x - x.mean()) ** 2).sum())


def opened(right: Derivation) -> Derivation:
    """With (x − m)² multiplied out: equal, and without digits where x is far from 0."""
    target = right.gradients["w"]

    def worse(body: Any) -> Any:
        x, m = (next(a for a in body.atoms(Access) if (a.name == "x") is is_x) for is_x in (True, False))
        return x**2 - 2 * x * m + m**2

    equations = (e.with_(body=worse(e.body)) if e.target == target else e for e in right.system.equations)
    return replace(right, system=right.system.with_(equations=tuple(equations)))


def test_a_form_that_loses_digits_is_named_with_number_and_element() -> None:
    right = bp.derive(spread())
    assert extremes(right).findings == ()
    found = extremes(opened(right)).findings
    at = {finding.point: finding for finding in found}
    one = at["data + 1e2"]
    assert one.how == "form"
    assert one.place is not None
    assert one.place.number == right.numbers[right.gradients["w"]]
    assert one.place.tensor == right.gradients["w"]
    assert abs(one.place.ours - one.place.true) > 1e-3 * one.largest
    assert f"({one.place.number}) " in str(one)
    assert not one.is_minor
    assert one.loss < 1e-4


def test_what_rounding_a_saved_value_loses_is_told_from_a_form() -> None:
    """p − y where all answers are right: p is rounded, whatever is made of it."""
    leaves = {"x": np.ones((1, 1)), "y": np.ones(1), "b": np.array(0.0)}
    points = [Extreme(f"w = {w}", {"N": 1, "D": 1}, {**leaves, "w": np.array([w])}) for w in (1.0, 13.6)]
    report = extremes(bp.derive(GALLERY["logistic_regression"].load().net), points=points)
    (one,) = report.findings
    assert one.point == "w = 13.6"
    assert (one.how, one.by) == ("rounding", ("p",))
    assert one.is_minor  # 1e-8, where gradients are 0.1 otherwise
    assert report.ok


def test_a_value_beyond_float32_on_the_way_is_named() -> None:
    net = bp.Network("gumbel", loss=bp.exp(-bp.exp(-bp.param("z", (N,)))).sum())
    report = extremes(bp.derive(net), points=[Extreme("far", {"N": 1}, {"z": np.array([-100.0])})])
    (one,) = report.findings
    assert (one.how, one.by, one.errors) == ("range", ("u2",), {"z": np.inf})
    assert one.place is not None
    assert str(one.place) == "(4) dz[i] = -exp(u2[i])·u2[i]"
    assert not report.ok


def test_a_reference_that_does_not_exist_is_said() -> None:
    a, b = bp.param("A", (D, D)), bp.input("b", (D,))
    report = extremes(bp.derive(bp.Network("solved", loss=(bp.solve(a, b)).sum())), sizes={"D": 2})
    refused = {tried.point for tried in report.tried if tried.verdict == "no value"}
    assert "parameters zero" in refused
    assert report.ok


def test_the_chain_rule_stands_beside_what_is_lost() -> None:
    N = bp.dim("N", 4)
    for f, far, declared in ((bp.tanh, 8.0, True), (bp.sigmoid, 20.0, False)):
        z, g = bp.param("z", (N,)), bp.input("g", (N,))
        values = {"z": np.full(4, far), "g": np.array([1.0, -2.0, 0.5, 1.5])}
        net = bp.Network("slope", loss=(f(z) * g).sum())
        report = extremes(bp.derive(net), points=[Extreme("saturated", {"N": 4}, values)])
        (finding,) = report.findings
        assert finding.is_declared is declared
        assert "the chain rule as it stands" in str(report)
        assert finding.json()["declared"] is declared


def test_the_module_is_tried_too() -> None:
    net = GALLERY["linear_regression"].load().net
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1), dtype="float32", sizes={"D": 5})
    report = bp.check_extremes(net, module=module)
    assert report.sizes["D"] == 5
    assert report.computed == "the generated module"
    assert report.ok
    assert len(report.tried) > 10


def test_other_derivatives_and_other_precisions_are_refused() -> None:
    net = GALLERY["linear_regression"].load().net
    with pytest.raises(UsageError, match="extremes are tried with gradients"):
        extremes(bp.hessian(net))
    double = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    with pytest.raises(UsageError, match="extremes are tried in float32"):
        extremes(bp.derive(net), module=double)


def test_answers_are_right_and_wrong() -> None:
    derivation = bp.derive(GALLERY["softmax_regression"].load().net)
    sizes = {"N": 3, "D": 2, "K": 4}
    points = {p.kind: p for p in extreme_points(derivation, sizes)}
    assert set(points) <= set(NETWORKS)
    loss = {
        kind: float(in_float32(derivation.system, p.values, sizes, ["loss"])["loss"])
        for kind, p in points.items()
    }
    drawn, right, wrong = (
        loss[f"parameters × 30{answers}"] for answers in ("", ", right answers", ", wrong answers")
    )
    assert right < drawn < wrong
    assert right < 1e-3
    for point in points.values():
        for value in point.values.values():
            assert value.dtype.kind == "i" or np.array_equal(value, value.astype(np.float32))


def test_equations_are_computed_in_float32_as_the_module_does() -> None:
    net = GALLERY["mlp"].load().net
    derivation = bp.derive(net)
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1), dtype="float32", derivation=derivation)
    sizes = {**dict.fromkeys(derivation.declared.sizes, 3), **derivation.declared.bound}
    point = next(extreme_points(derivation, sizes))
    wanted = list(derivation.gradients.values())
    found = in_float32(derivation.system, point.values, sizes, wanted)
    given = {n: v if v.dtype.kind == "i" else v.astype("f4") for n, v in point.values.items()}
    params = {name: given.pop(name) for name in derivation.gradients}
    _, theirs = module.loss_and_gradients(params, **given)
    for name, tensor in derivation.gradients.items():
        assert found[tensor].dtype == np.float32
        np.testing.assert_allclose(found[tensor], theirs[name], rtol=1e-4, atol=1e-6)


def test_held_tensors_keep_their_values() -> None:
    derivation = bp.derive(spread())
    values = {"x": np.array([1.0, 2.0, 3.0]), "w": np.ones(3)}
    mean = next(e.target for e in derivation.system.equations if e.op == "sum" and not e.indices)
    gradient = derivation.gradients["w"]
    plain = in_float32(derivation.system, values, {"N": 3}, [gradient])[gradient]
    held = in_float32(derivation.system, values, {"N": 3}, [gradient], {mean: np.float32(0)})[gradient]
    np.testing.assert_allclose(plain, [1, 0, 1])
    np.testing.assert_allclose(held, [1, 4, 9])


def test_a_report_is_text_json_and_html() -> None:
    report = extremes(opened(bp.derive(spread())))
    assert isinstance(report, Extremes)
    text = str(report)
    assert text.startswith("spread: float32 (the equations) against 50 digits, at N=4")
    assert text.endswith(report.summary())
    data = json.loads(json.dumps(report.json(), allow_nan=False))
    assert data["ok"] is False
    assert {"number", "equation", "element", "float32", "true"} == set(data["findings"][0]["lost by"])
    page = report._repr_html_()
    assert page.count("<tr>") == len(report.tried) + 1
    assert "data + 1e2" in page
