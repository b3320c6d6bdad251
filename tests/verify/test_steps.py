"""The V of a gradient check: how errors of numeric derivatives fall with their step, and rise again."""

import xml.etree.ElementTree as ET

import pytest

import symbp as bp
from symbp.cli.main import main
from symbp.errors import UsageError
from symbp.verify.steps import step_errors


@pytest.fixture(scope="module")
def derivation():
    N, D = bp.dims("N D")
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,))
    net = bp.Network("net", loss=bp.mean((bp.tanh(x @ w) - y) ** 2))
    return bp.derive(net)


def test_orders(derivation):
    """Halving nothing but the step: one-sided errors fall like h, two-sided ones like h², five points h⁴."""
    found = step_errors(derivation)
    assert found.parameter == "w"
    errors = {name: dict(points) for name, points in found.errors.items()}
    for name, order in (("one-sided", 1), ("central, two points", 2), ("complex step", 2)):
        falls = errors[name][1e-2] / errors[name][1e-3]
        assert falls == pytest.approx(10**order, rel=0.2), name
    assert errors["central, five points"][1e-2] < errors["central, two points"][1e-2] / 100
    for name in ("one-sided", "central, two points", "central, five points"):  # rounding, ε/h
        assert errors[name][1e-12] > 1e-7 > min(errors[name].values())
    assert errors["complex step"][1e-12] < 1e-14


def test_what_has_no_curve(derivation):
    with pytest.raises(UsageError, match="no gradient by 'v'"):
        step_errors(derivation, "v")
    net = bp.gallery.find("linear_regression").load().net
    with pytest.raises(UsageError, match="only gradients"):
        step_errors(bp.hessian(net))


def test_check_command(tmp_path, capsys):
    file = tmp_path / "v.svg"
    assert main(["check", "linear_regression", "--curve", str(file)]) == 0
    assert "relative error" in "".join(ET.parse(file).getroot().itertext())
    assert main(["check", "linear_regression", "--curve", str(file)]) == 2
    assert "exists already" in capsys.readouterr().err
