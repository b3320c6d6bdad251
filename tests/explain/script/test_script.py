"""The page's script in Node: every tensor has the value that the reference interpreter gives it."""

import json
import math
import runpy
import shutil
import subprocess
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from derived_once import of_gallery

import symbp as bp
from symbp.derive import derive
from symbp.errors import GenerationError
from symbp.explain.script import script
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.expr import Access, FloorDiv, Guard, Mod
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Role
from symbp.read.reading import reading
from symbp.rendering import template_folder

SLOW = {"gpt", "ctc", "pinn", "contrastive", "moe", "char_gru", "char_lstm", "cnn", "ssm", "crf", "vae"}
NETS = [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in sorted(bp.gallery.GALLERY)]
DIGITS = 1e-10
CALL = """
const { values, size } = %s;
const numbered = ([name, flat]) => [name, Float64Array.from(flat, Number)];
const v = Object.fromEntries(Object.entries(values).map(numbered));
equations(v, size, (name, place, value) => value, true);
const text = (x) => (Number.isFinite(x) ? x : String(x));
console.log(JSON.stringify(Object.fromEntries(Object.entries(v).map(([n, a]) => [n, Array.from(a, text)]))));
"""


def node(text):
    """What a program says."""
    if shutil.which("node") is None:
        pytest.skip("Node isn't installed")
    done = subprocess.run(
        ["node", "-"], input=text, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout


def arithmetic():
    return (template_folder() / "page_arithmetic.js").read_text(encoding="utf-8")


def told(array):
    return [str(float(x)).replace("inf", "Infinity") for x in np.asarray(array).ravel()]


def computed(system, values, extents):
    """Every tensor as the script computes it."""
    found = script(system)
    given = {"values": {n: told(a) for n, a in values.items() if n in system.by_name}, "size": extents}
    answer = json.loads(node(arithmetic() + found.text + CALL % json.dumps(given)))
    assert set(found.targets) == {e.target for e in system.equations}
    number = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    return {n: np.array([number.get(x, x) for x in flat], float) for n, flat in answer.items()}


def compare(system, values, extents):
    """How many numbers are the same."""
    right, count = evaluate(system, values, extents), 0
    found = computed(system, values, extents)
    for equation in system.equations:
        wanted = np.asarray(right[equation.target], float).ravel()
        scale = 1 + np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)
        one = found[equation.target]
        np.testing.assert_allclose(one, wanted, rtol=DIGITS, atol=DIGITS * scale, err_msg=str(equation))
        count += wanted.size
    return count


def page_point(derivation, read, seed):
    """A point of the page's system: sizes by the page's names."""
    extents, values = sample_point(derivation.system, seed)
    return values, {read.sizes.get(n, n): k for n, k in extents.items()}


@pytest.mark.few(fast=1, slow=8)
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("style", ["textbook", "computed"])
def test_gallery(name, style):
    derivation = of_gallery(name)
    read = reading(derivation, style=style)
    values, extents = page_point(derivation, read, seed=5)
    assert compare(read.computable.derivation.system, values, extents) > 4


@pytest.mark.slow
def test_random_nets():
    """Thirty random systems with their gradients: maps, products, recurrences, maxima, gathers."""
    folder = {}
    path = Path(__file__).parents[2] / "derive" / "test_random_systems.py"
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), folder)
    for seed in range(30):
        derivation = derive(folder["Draw"](seed).system(), name=f"random{seed}")
        read = reading(derivation, style="textbook")
        values, extents = page_point(derivation, read, seed)
        assert compare(read.computable.derivation.system, values, extents) > 5


def test_integers_windows_and_conditions():
    """Quotients, remainders, reads outside a range, conditions between reals, a product, a place in a maximum
    over two indices, and names that JavaScript keeps for itself."""
    N, K = sizes("N K")
    n, k = indices("n k")
    b = SystemBuilder()
    x = b.leaf("class", N, K)
    w = b.leaf("n", K)  # a tensor called as an index is
    b.define("half", [n, k], x(FloorDiv(n, 2), Mod(k + 4, 3)) * x(n, k))
    b.define("before", [n, k], Access("class", n - 1, k, outside=w(k)) + Access("class", n, k - 1, outside=0))
    b.define("switch", [n, k], where(Guard("<", w(k), x(n, k)), x(n, k) ** 2, w(k)))
    b.define("total", [n], x(n, k) + 2, "prod", [k])
    b.define("place", [], x(n, k), "argmax", [n, k])
    b.define("var", [], where(Guard("<", w(k), 0), 1, sympy.sqrt(2)), "sum", [k])
    system = b.system()
    rng = np.random.default_rng(2)
    values = {"class": rng.normal(size=(4, 3)), "n": rng.normal(size=3)}
    assert compare(system, values, {"N": 4, "K": 3}) == 4 * 3 * 3 + 4 + 2


def test_functions():
    """The functions that the language lacks, to nearly all digits."""
    points = [0.05, 0.4, 1.3, 1.99, 2.01, 3.5, 8.0, 25.0]
    wanted = {f"erf({x})": mpmath.erf(x) for x in (*points, *[-x for x in points])}
    wanted |= {f"erfc({x})": mpmath.erfc(x) for x in points}
    wanted |= {f"loggamma({x})": mpmath.loggamma(x) for x in points}
    wanted |= {f"polygamma({m}, {x})": mpmath.psi(m, x) for m in (0, 1, 2, 3) for x in points}
    wanted |= {f"softplus({x})": mpmath.log(1 + mpmath.exp(x)) for x in (-30.0, -1.0, 0.0, 2.0, 800.0)}
    wanted |= {f"roundedToEven({x})": round(x) for x in (-2.5, -1.5, -0.4, 0.5, 1.5, 2.5, 2.6)}
    wanted |= {f"modulo({a}, {b})": a % b for a in (-7, -1, 0, 5) for b in (2, 3)}
    asked = f"console.log(JSON.stringify([{', '.join(wanted)}]))"
    for (call, right), found in zip(wanted.items(), json.loads(node(arithmetic() + asked)), strict=True):
        np.testing.assert_allclose(found, float(right), rtol=2e-13, atol=1e-13, err_msg=call)


def test_what_it_cannot_compute_is_refused():
    derivation = bp.grad_of("logdet(X)", wrt="X")
    with pytest.raises(GenerationError):
        script(reading(derivation, style="textbook").derivation.system)


@pytest.mark.slow
def test_only_what_the_loss_needs():
    system = reading(of_gallery("neuron"), style="textbook").derivation.system
    extents, values = sample_point(system, 0)
    given = {"values": {n: told(a) for n, a in values.items()}, "size": extents}
    whole = arithmetic() + script(system).text + CALL % json.dumps(given)
    assert "NaN" in node(whole.replace("=> value, true)", "=> value, false)"))
    assert "NaN" not in node(whole)


TRAIN = """
const { given, size, rate, gradients } = %s;
const each = (made, change) => Object.fromEntries(Object.entries(made).map(([n, a]) => [n, change(a)]));
const leaves = each(given, (flat) => Float64Array.from(flat, Number));
const losses = [];
for (let step = 0; step <= 3; step++) {
  const v = { ...leaves };
  equations(v, size, (name, place, value) => value, true);
  losses.push(v.loss[0]);
  if (step === 3) break;
  for (const [name, gradient] of Object.entries(gradients)) {
    leaves[name] = leaves[name].map((value, at) => value - rate * v[gradient][at]);
  }
}
console.log(JSON.stringify([losses, each(leaves, (a) => Array.from(a))]));
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "sigmoid_2_2_2", "attention"])
def test_three_training_steps_are_those_of_numpy(name, tmp_path):
    """From a changed input on: the page's equations and the plain module agree in nearly all digits."""
    derivation = of_gallery(name)
    example = derivation.values(small=True)
    system = example.reading.computable.derivation.system
    leaves = {t.name: np.array(example.values[t.name]) for t in system.leaves}
    leaves["x"].flat[0] += 0.3125
    gradients = {t.name: derivation.gradients[t.name] for t in system.parameters}
    given = {n: told(a) for n, a in leaves.items()}
    asked = {"given": given, "size": dict(example.sizes), "rate": 0.5, "gradients": gradients}
    losses, after = json.loads(node(arithmetic() + script(system).text + TRAIN % json.dumps(asked)))

    path = tmp_path / "plain.py"
    net = bp.gallery.find(name).load().net
    bp.generate(net, str(path), target="plain", optimizer=bp.optim.SGD(0.5), sizes=dict(example.sizes))
    module = runpy.run_path(str(path))
    params = {t.name: leaves[t.name] for t in system.parameters}
    inputs = {t.name: leaves[t.name] for t in system.leaves if t.role in (Role.INPUT, Role.TARGET)}
    for step in range(4):
        loss, found = module["loss_and_gradients"](params, **inputs)
        assert losses[step] == pytest.approx(float(loss), rel=1e-12, abs=0)
        if step < 3:
            params = {n: a - 0.5 * found[n] for n, a in params.items()}
    for n, a in params.items():
        np.testing.assert_allclose(after[n], a.ravel(), rtol=1e-12, atol=1e-13)
