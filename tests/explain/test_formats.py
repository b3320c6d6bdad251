"""The page of a derivation as text, LaTeX and JSON."""

import json as standard_json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sympy
from derived_once import of_gallery

import symbp as bp
from symbp.derive.derivation import Derivation
from symbp.explain import json, latex, text
from symbp.explain.document import document
from symbp.read.spelling import name_latex


def test_document_has_every_equation_once_with_its_number(mlp):
    page = document(mlp)
    assert [e.number for e in page.equations] == list(range(1, len(mlp.system.equations) + 1))
    assert [e.equation for e in page.equations] == list(mlp.system.equations)
    assert [section.title for section in page.sections] == ["Forward", "Backward", "Metrics"]
    assert str(page.quotients["dW1"]) == f"∂{page.quotients['dW1'].of[0]}/∂W1"
    assert page.quotients["dz1"].by == (("z1", 2),)


def test_code_stands_under_its_equation(mlp):
    page = document(mlp, {11: ["dW2 = h.T @ da  # (11)"]})
    shown = text.text(page).splitlines()
    (where,) = [at for at, line in enumerate(shown) if line.strip().startswith("(11)")]
    assert shown[where + 1].strip() == "dW2 = h.T @ da  # (11)"


def test_text(mlp):
    shown = text.text(document(mlp))
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "(1) z1[n,j] = Σ_i x[n,i]·W1[i,j] z1 = x·W1" in lines
    assert "(10) da[n,k] = (p[n,k] - [k = y[n]])/N da = (p - onehot(y))/N" in lines
    assert "y: target integer (N), below K" in lines
    assert "warning: W3 is not used by the loss" in lines
    assert "Steps" not in lines
    assert not any(line != line.rstrip() for line in shown.splitlines())


def test_steps_say_rule_before_after_and_reason(mlp):
    shown = text.text(document(mlp), steps=True)
    block = shown[shown.index("Steps") :]
    for part in (
        mlp.steps[0].rule,
        *mlp.steps[0].spelled(),
        mlp.steps[0].because(),
        "sums to one",
    ):
        assert part in block


def test_json_is_complete(mlp):
    found = standard_json.loads(json.text(document(mlp)))
    assert found["name"] == "mlp"
    assert found["gradients"] == {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2"}
    assert found["warnings"] == ["W3 is not used by the loss"]
    first, ninth = found["equations"][0], found["equations"][8]
    assert first["number"] == 1
    assert first["target"] == "z1"
    assert first["index_form"] == "z1[n,j] = Σ_i x[n,i]·W1[i,j]"
    assert first["matrix_form"] == "z1 = x·W1"
    assert first["latex"] == r"(z_{1})_{nj} = \sum_{i} x_{ni} \, (W_{1})_{ij}"
    assert first["rule"] == "matrix product"
    assert ninth["rule"] == "cross-entropy"
    assert found["steps"][0]["rests_on"] == ["p", "sums to one"]
    assert len(found["equations"]) == len(mlp.system.equations)


def test_latex_writes_gradients_as_derivatives(mlp):
    shown = latex.latex(document(mlp))
    assert shown.startswith(r"\documentclass")
    assert shown.rstrip().endswith(r"\end{document}")
    derivative = r"\frac{\partial L}{\partial (W_{2})_{jk}} &= \sum_{n}"
    assert derivative in shown
    assert r"\frac{\partial L}{\partial W_{2}} &= h^{\top} \, \frac{\partial L}{\partial a}" in shown
    assert r"\left[ k = y_{n} \right]" in shown
    for number in range(1, len(mlp.system.equations) + 1):
        assert shown.count(rf"\tag{{{number}}}") == 1


def test_small_numbers_are_powers_of_ten_in_latex():
    shown = latex.Latex()
    assert shown.show(sympy.Rational(1, 100000)) == "10^{-5}"
    assert shown.show(sympy.Rational(-25, 10000000)) == r"-25 \cdot 10^{-7}"
    assert shown.show(sympy.Rational(1, 20)) == "0.05"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("W1", "W_{1}"), ("h", "h"), ("beta", r"\beta "), ("β", r"\beta "), ("s_p", "s_{p}"),
        ("mask", r"\mathrm{mask}"), ("W_hh", r"W_{\mathrm{hh}}"),
        ("a_b_c", r"a_{b_{c}}"), ("_x", r"\mathrm{\_x}"), ("sigma2", r"\sigma _{2}"),
    ],
)  # fmt: skip
def test_names_in_latex(name, expected):
    assert name_latex(name) == expected


def compiled(page, folder):
    """What pdflatex says of a page that compiles."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (folder / "page.tex").write_text(page, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("steps", [False, True])
def test_latex_compiles_as_it_is(mlp, tmp_path, steps):
    assert "Overfull" not in compiled(latex.latex(document(mlp), steps=steps), tmp_path)


@pytest.mark.slow
def test_long_equations_and_steps_fit_the_page(tmp_path):
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.target("y", (N, K))
    h = bp.gelu(x @ bp.param("W1", (D, H)) + bp.param("b1", (H,)))
    net = bp.Network("gelu", loss=bp.mse(h @ bp.param("W2", (H, K)), y))
    assert "Overfull" not in compiled(bp.derive(net).latex(steps=True), tmp_path)


def test_a_net_without_steps_or_backward_has_a_page(mlp):
    forward = mlp.system.with_(equations=mlp.system.equations[:9])
    page = document(Derivation("forward only", forward, forward, {}))
    assert [section.title for section in page.sections] == ["Forward"]
    assert "none" in text.text(page, steps=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "char_rnn", "pinn"])
def test_steps_in_latex_are_formulas_in_the_symbols_of_the_page(name):
    derivation = of_gallery(name)
    shown = derivation.latex(steps="computed")
    steps = shown[shown.index(r"\subsection*{Steps}") :]
    assert steps.count(r"\item") == len(derivation.steps)
    assert not set("∂Σ\0⟶") & set(steps)
    formulas = [part for line in steps.splitlines() for part in line.split("$")[1::2]]
    lines = [line for line in steps.splitlines() if line.startswith("  ") and "&" in line]
    rows = [line.strip().rstrip("\\").replace("&", "") for line in lines]
    assert len(rows) >= 2 * len(derivation.steps)
    for formula in [*formulas, *rows]:
        assert formula.count("{") == formula.count("}"), formula
        assert "$" not in formula


@pytest.mark.parametrize(
    "name", ["mlp", "char_rnn", *(pytest.param(n, marks=pytest.mark.slow) for n in ("pinn", "contrastive"))]
)
def test_steps_in_text_call_tensors_as_the_page_does(name):
    """What is gone in the end is the derivative that it was; nothing on the page is called like it."""
    derivation = of_gallery(name)
    page = document(derivation)
    symbols, ever = page.reading.symbols.text, page.ever.text
    assert set(symbols.items()) <= set(ever.items())
    assert len(set(ever.values())) == len(ever)
    gone = {name: text for name, text in ever.items() if name not in symbols}
    assert gone
    shown = derivation.text(steps="computed")
    assert "Names as in code" not in shown
    if name == "contrastive":
        assert gone["ds_norm"] == f"d{symbols['s_norm']}"
        assert f"∂loss/∂{symbols['s_norm']}" in shown


def test_json_has_what_its_description_says(mlp):
    """Every key that docs/json.md lists, and no other."""
    described = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    described = described.partition("\n# ")[0]  # what follows is of another command
    whole, equation = (part.split("|---|---|")[1] for part in described.split("| key | value |")[1:])
    found = standard_json.loads(json.text(document(mlp, style="textbook")))
    for table, value in ((whole, found), (equation, found["equations"][0])):
        keys = {key for row in table.strip().splitlines() if row.startswith("|")
                for key in re.findall(r"`(\w+)`", row.split("|")[1])}  # fmt: skip
        assert keys == set(value)
    lesson = found["lessons"][0]
    assert set(lesson) == {"number", "by", "readers", "local", "sum", "between"}
    assert {entry["about"] for entry in found["legend"]} <= set(re.findall(r"`(\w+)`", whole))


def test_the_words_of_the_legend_have_no_sign_that_latex_lacks():
    from symbp.explain.latex import _prose
    from symbp.read.matrix.legend import WORDS

    assert all(_prose(words).isascii() for _, words in WORDS)


@pytest.mark.parametrize(
    "name", ["mlp", *(pytest.param(n, marks=pytest.mark.slow) for n in ("crf", "ctc", "gpt"))]
)
def test_markdown_has_only_commands_that_github_leaves_as_they_are(name):
    """No backslash before a sign, which GitHub takes away, and none of the commands that it refuses."""
    text = of_gallery(name).markdown(steps=True)
    formulas = re.findall(r"\$\$[^$]+\$\$|\$[^$\n]+\$", text)
    assert len(formulas) > 20
    for formula in formulas:
        assert not re.search(r"\\[^A-Za-z ]|\\(operatorname|mbox|phantom|def|newcommand)\b", formula), formula
        assert formula.count("{") == formula.count("}")
