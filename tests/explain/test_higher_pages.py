"""Pages of Hessians, their products with a vector, and Jacobians: what is a derivative looks like one."""

import json
import re
import shutil
import subprocess

import pytest

import symbp as bp


@pytest.fixture(scope="module")
def net():
    N, D, K = bp.dims("N D K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, b = bp.param("W", (D, K)), bp.param("b", (K,))
    p = bp.softmax(x @ W + b)
    return bp.Network("classifier", loss=bp.cross_entropy(p, y), outputs={"p": p})


@pytest.fixture(scope="module")
def derivations(net):
    return {"hessian": bp.hessian(net), "hvp": bp.hvp(net), "jacobian": bp.jacobian(net, "p", wrt=["b", "x"])}


@pytest.mark.slow
def test_text_lists_what_was_asked_for(derivations):
    hessian = derivations["hessian"].text(reading="computed")
    number = derivations["hessian"].numbers["H_W_b"]
    assert f"  ∂²loss/∂W∂b  H_W_b, equation ({number})" in hessian
    assert "(∇²loss·v)_W  Hv_W, equation" in derivations["hvp"].text()
    assert "∂p/∂b  J_p_b, equation" in derivations["jacobian"].text()
    assert "v_W: input (D, K)" in derivations["hvp"].text()


def test_a_page_of_gradients_has_no_such_list(net):
    assert "Derivatives" not in bp.derive(net).text()


def test_latex_writes_derivatives(derivations):
    hessian, jacobian = derivations["hessian"].latex(), derivations["jacobian"].latex()
    wanted = r"\\partial\^\{2\} \\mathrm\{loss\}\}\{\\partial W_\{(.*?)\} \\, \\partial W_\{(.*?)\}\} &="
    found = re.search(wanted, hessian)
    assert found
    assert len({*re.findall(r"\w'?", found[1]), *re.findall(r"\w'?", found[2])}) == 4
    assert re.search(r"\\frac\{\\partial p_\{\w\w\}\}\{\\partial b_\{\w\}\} &=", jacobian)
    assert r"\partial v_" not in derivations["hvp"].latex()


def test_json_holds_every_key(derivations):
    found = json.loads(derivations["hessian"].json())["gradients"]
    assert list(found) == ["W", "b", "W,W", "W,b", "b,W", "b,b"]
    assert json.loads(derivations["jacobian"].json())["gradients"] == {"b": "J_p_b", "x": "J_p_x"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hessian", "hvp", "jacobian"])
def test_latex_compiles(derivations, kind, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (tmp_path / "page.tex").write_text(derivations[kind].latex(steps=True), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
