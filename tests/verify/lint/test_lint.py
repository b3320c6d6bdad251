"""`symbp lint`: each kind of finding in a net that has the fault, none in nets that don't."""

import importlib.util
import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy
from derived_once import of_gallery

import symbp as bp
from symbp import gallery
from symbp.cli.main import main
from symbp.derive import derive
from symbp.errors import UsageError
from symbp.gallery import GALLERY
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, Index
from symbp.ir.points.sampling import sample_run
from symbp.ir.system import Role
from symbp.verify.lint import lint
from symbp.verify.lint.factors import factors, greatest_value

NAME = "lint_nets"
spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name("nets.py"))
nets = sys.modules[NAME] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nets)

TRUE = {  # what is wrong with networks of the gallery
    "gpt": {("gradient that is always zero", "bk2")},
    "circuit": {("redundant parameter", "x")},
    "circuit_neuron": {("redundant scale", "w0"), ("redundant scale", "w1")},
    "neuron_tanh": {("redundant scale", "x1"), ("redundant scale", "x2")},
}
LONG = {"gpt", "ctc", "cnn"}


def slow(name):
    return pytest.param(name, marks=pytest.mark.slow)


@cache
def found(name):
    return lint(bp.derive(getattr(nets, name)()))


def told(name, kind="problem"):
    return {(f.rule, *f.about) for f in found(name).findings if f.kind == kind}


@pytest.mark.few(fast=0, slow=10)
@pytest.mark.slow
@pytest.mark.parametrize("name", [slow(n) if n in LONG else n for n in GALLERY])
def test_no_false_alarm_in_the_gallery(name):
    problems = lint(of_gallery(name)).problems
    assert {(f.rule, f.about[0]) for f in problems} == TRUE.get(name, set())


@pytest.mark.few(fast=2)
@pytest.mark.parametrize(
    "name",
    ["plain", "stable_regression", "relu_layers", "recurrent", "softmax_by_hand", "logistic_loss_by_hand",
     "two_linear_layers", "scaled_before_layer_norm", "root_of_squares"],
)  # fmt: skip
def test_nets_without_a_problem(name):
    assert told(name) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameter"),
    [("bias_before_batch_norm", "b1"), ("attention_key_bias", "bk"), ("offset_of_all_logits", "c")],
)
def test_a_gradient_that_is_always_zero(name, parameter):
    assert told(name) == {("gradient that is always zero", parameter)}
    (problem,) = found(name).problems
    assert problem.proof.startswith("Proven exactly")
    assert problem.origin.text.startswith(("W1, b1 =", "bq, bk =", "W, c ="))
    assert any("= 0" in sentence for sentence in problem.why)


def test_a_parameter_that_the_loss_does_not_use():
    assert told("unused_parameter") == {("unused parameter", "V")}
    x, y = nets.data()
    W, V = bp.param("W", (nets.D, nets.K)), bp.param("V", (nets.K,))
    net = bp.Network("idle", loss=bp.cross_entropy(x @ W, y, from_logits=True), parameters=[V])
    assert [f.about for f in lint(bp.derive(net)).problems] == [("V",)]


def test_an_input_that_nothing_reads():
    (N,), (n,) = sizes("N"), indices("n")
    b = SystemBuilder()
    x, _ = b.leaf("x", N), b.leaf("idle", N)
    w = b.leaf("w", N, role=Role.PARAMETER)
    b.define("L", [], x(n) * w(n) ** 2, "sum", [n])
    assert [(f.rule, f.about) for f in lint(derive(b.system("L"))).problems] == [("unread input", ("idle",))]


def test_redundant_parameters():
    assert told("two_biases") == {("redundant parameter", "b", "c")}
    assert told("free_scalar") == {("redundant scale", "W", "s")}


@pytest.mark.slow
def test_scales_that_are_customary_are_notes():
    assert ("common scale", "W", "V") in told("two_linear_layers", "note")
    assert ("scale without effect", "W") in told("scaled_before_layer_norm", "note")
    assert ("scale without effect", "W1") in told("bias_before_batch_norm", "note")
    (normed,) = [f for f in found("bias_before_batch_norm").notes if f.rule == "scale without effect"]
    assert "for each place along axis 1 (H)" in normed.text
    assert "ε" in normed.text
    for name in ("plain", "relu_layers", "stable_regression"):
        assert not {rule for rule, *_ in told(name, "note")} & {"common scale", "scale without effect"}


@pytest.mark.parametrize(
    ("name", "tensor"), [("plain", "p"), ("softmax_by_hand", "p"), ("logistic_loss_by_hand", "loss")]
)
def test_a_formula_that_overflows_has_an_example_and_symbps_does_not(name, tensor):
    notes = [f for f in found(name).notes if f.rule == "formula that overflows as it is written"]
    assert [f.about[0] for f in notes] == [tensor]
    assert "float32; its value is" in notes[0].why[0]
    assert "symbp's equations are stable" in notes[0].advice
    assert notes[0].origin is not None


@pytest.mark.slow
def test_what_does_not_overflow_is_not_said_to():
    for name in ("stable_regression", "recurrent", "two_linear_layers"):
        rules = {f.rule for f in found(name).findings}
        assert ("formula that overflows as it is written" in rules) == (name == "two_linear_layers")


def test_roots_at_0():
    assert told("root_of_squares", "note") >= {("root at 0", "loss", "w")}
    assert ("root at 0", "loss", "w") in told("root")


def test_factors_of_the_gradient():
    lines = {f.text: f.why for f in found("relu_layers").notes if f.rule == "factor of the gradient"}
    assert "‖∂{loss}/∂{h1}‖ ≤ ‖{W2}‖·‖∂{loss}/∂{z2}‖" in lines
    assert any("1/4" in text for text in lines)
    assert any("is at most 1/4" in sentence for why in lines.values() for sentence in why)


def test_the_factor_of_a_recurrence():
    (note,) = [f for f in found("recurrent").notes if f.rule == "factor of a recurrence"]
    assert any("at most ‖{U}‖ a step" in sentence for sentence in note.why)
    assert any("tanh" in sentence and "at most 1" in sentence for sentence in note.why)


z = Access("z", Index("n"))
w = Access("w", Index("n"))


@pytest.mark.parametrize(
    ("slope", "greatest"),
    [
        (1 - sympy.tanh(z) ** 2, 1),
        (sympy.exp(-z) / (1 + sympy.exp(-z)) ** 2, sympy.Rational(1, 4)),
        (1 / (1 + sympy.exp(-z)), 1),
        (2 * sympy.tanh(z) * (1 - sympy.tanh(z) ** 2), 4 * sympy.sqrt(3) / 9),
        (sympy.exp(z), None),
        (sympy.tanh(z) + z, None),
        (sympy.exp(z) + sympy.exp(w), None),
        (1 / (1 - sympy.exp(z)), None),
    ],
)
def test_the_greatest_value_of_a_slope_is_exact(slope, greatest):
    found = greatest_value(slope)
    assert found == greatest or sympy.simplify(found - greatest) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["relu_layers", "plain", "recurrent", "char_lstm", "char_gru", "ssm", "vae", "moe", "pinn"]
)
def test_bounds_hold(name):
    """No norm of a gradient is above what is said, at random points."""
    net = getattr(nets, name)() if hasattr(nets, name) else gallery.find(name).load().net
    derivation = bp.derive(net)
    system = derivation.grounds[-1].after
    bounds = [(f.about[0], f.text) for f in factors(derivation) if f.rule == "factor of the gradient"]
    assert bounds
    whole = [t for t in system.tensors if t.differential and not t.differential.part]
    adjoint = {t.differential.by: t.name for t in whole}
    for seed in range(3):
        run = sample_run(system, seed)
        for by, text in bounds:
            right = sum(bound(run, term, adjoint) for term in text.split(" ≤ ")[1].split(" + "))
            assert norm(run, adjoint[by]) <= right * (1 + 1e-9), text


def bound(run, term, adjoint):
    """The value of a product of norms, with Frobenius norms, which are above the spectral ones."""
    value = 1.0
    for factor in term.split("·"):
        if "∂" in factor:
            value *= norm(run, adjoint[factor.split("∂{")[2].split("}")[0]])
        else:
            value *= norm(run, factor.strip("‖{}")) if "‖" in factor else float(sympy.Rational(factor))
    return value


def norm(run, name):
    return float(np.sqrt(np.sum(run.tensor(name) ** 2)))


def test_the_command(capsys, tmp_path):
    assert main(["lint", "mlp"]) == 0
    out = capsys.readouterr().out
    assert "‖∂loss/∂h‖ ≤ ‖W2‖·‖∂loss/∂z2‖" in out
    assert out.rstrip().splitlines()[-1].startswith("0 problems")
    file = tmp_path / "biases.py"
    file.write_text(
        "import symbp as bp\nN, D = bp.dims('N D')\nx, t = bp.input('x', (N, D)), bp.input('t', (N,))\n"
        "w, b, c = bp.param('w', (D,)), bp.param('b', ()), bp.param('c', ())\n"
        "net = bp.Network('net', loss=((x @ w + b + c - t) ** 2).mean())\n",
        encoding="utf-8",
    )
    assert main(["lint", str(file), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    (problem,) = [f for f in found["findings"] if f["kind"] == "problem"]
    assert (problem["rule"], problem["about"]) == ("redundant parameter", ["b", "c"])
    assert problem["where"]["line"] == 4


def test_other_derivatives_are_refused():
    with pytest.raises(UsageError, match="gradients"):
        lint(bp.hvp(nets.stable_regression()))
