"""No line of a page is wider than the page: by an estimate of widths, and by TeX where it is installed."""

import re
import shutil
import subprocess

import pytest

from symbp.read.boxes import Box, readable, row, text
from symbp.read.layout import TEXT_WIDTH, estimate, lines

TAG = re.compile(r" ?\\tag\{\d+\}")
DELIMITERS = {r"\bigl": 1, r"\bigr": -1}


# What these take in points in TeX's fonts, in display style at 10 points.
MEASURED = [
    (r"\left( \frac{\partial \mathrm{loss}}{\partial h_{ntm}} \right)^{(1)}", 53),
    (r"\sum_{n, i} x_{n, i - 1, j} \, (W_{1})_{jk}", 74),
    (r"\left[ 2 + t \le T \right] \, f_{n, 1 + t, m}", 78),
    (r"\exp\left( \alpha_{ntk} - (m_{2})_{nt} \right)", 81),
    (r"\frac{\mathbf{1}^{\top} \, \left( \log\left( s \right) + m \right)}{N}", 74),
    (r"\mathrm{Wm} \, \mathrm{accuracy}", 57),
    (r"\sqrt{10^{-5} + (v_{4})_{nt}}", 65),
    (r"\left\lVert u + v \right\rVert^{2} \odot \hat{x}_{1}", 63),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 198),
    ("abcdefghijklmnopqrstuvwxyz", 127),
]


@pytest.mark.parametrize(("tex", "points"), MEASURED)
def test_the_estimate_is_a_bound_and_not_far_off(tex, points):
    assert points <= estimate(tex) <= 1.35 * points


def printed(page):
    """(left-hand side or empty, right-hand side, whether a number stands beside) of every printed line."""
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\\end\{align\*\}", page, re.S):
        for line in block.strip().splitlines():
            body = line.removesuffix(r" \\").strip()
            left, right = TAG.sub("", body).split("&", 1)
            yield left.strip(), right, TAG.search(body) is not None


def test_no_line_is_wider_than_the_page(derivation):
    beside = 0.0
    for left, right, tagged in printed(derivation.latex()):
        beside = estimate(left) if left else beside
        wide = beside + estimate(re.sub(r"\\big[lr]", "", right)) + (25.0 if tagged else 0.0)
        assert wide <= TEXT_WIDTH, right


def test_every_page_is_balanced(derivation):
    """What is opened on a page is closed in the same equation, and \\left with \\right in the same line."""
    page = derivation.latex()
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\\end\{align\*\}", page, re.S):
        assert block.count(r"\bigl") == block.count(r"\bigr")
        assert block.count("{") == block.count("}")
        for line in block.splitlines():
            assert line.count(r"\left") - line.count(r"\leftarrow") == line.count(r"\right")


def test_breaking_loses_nothing(derivation):
    """Lines put together again are the equation: only delimiters change, and the sign of a product."""
    from symbp.explain import document, latex

    page = document.document(derivation)
    notation = latex.notation_for(page)
    for shown in page.equations:
        left, right = notation.equation(shown.shown)
        broken = lines(left, right, TEXT_WIDTH - 30.0)
        if r"\frac{1}" not in "".join(broken):
            assert signs("".join(broken)) == signs(right)


def signs(tex):
    return re.sub(r"\\(left|right|bigl|bigr|cdot|,)(?![a-z])|\s", "", tex)


def test_a_fragment_is_equations_alone(mlp):
    shown = mlp.latex(fragment=True, reading="computed")
    assert shown.startswith(r"\begin{align*}")
    assert r"\documentclass" not in shown
    assert r"\section" not in shown
    assert shown.count(r"\begin{align*}") == len(mlp.system.equations)
    assert shown.strip() in "\n".join(
        line for line in mlp.latex(reading="computed").splitlines() if not line.startswith(r"\subsection")
    )


def test_a_sum_breaks_at_its_signs():
    term = r"a_{ij} \, b_{jk} \, c_{kl} \, d_{lm} \, \left( 1 - e_{mn} \right)"
    found = lines("z", " + ".join([term] * 6), 300.0)
    assert len(found) > 1
    assert all(line.startswith("+") for line in found[1:])
    assert all(estimate(line) <= 300.0 for line in found)


def test_a_product_breaks_at_a_factor_with_a_sign():
    found = lines("z", r" \, ".join([r"\left( a_{ij} + b_{ij} \right)"] * 9), 250.0)
    assert all(line.startswith(r"\cdot") for line in found[1:])


def test_a_parenthesis_that_does_not_fit_is_opened():
    inner = " + ".join(rf"x_{{{k}}} \, y_{{{k}}}" for k in range(20))
    found = lines("z", rf"w \, \left( {inner} \right)", 200.0)
    assert r"\bigl(" in found[0]
    assert r"\bigr)" in found[-1]
    assert not any(r"\left" in line for line in found)


def test_a_fraction_that_does_not_fit_is_a_product():
    inner = " + ".join(rf"x_{{{k}}} \, y_{{{k}}}" for k in range(20))
    found = lines("z", rf"\frac{{{inner}}}{{N}}", 200.0)
    assert found[0].startswith(r"\frac{1}{N} \, \bigl(")


def test_what_cannot_be_broken_stays():
    assert lines("z", r"\sqrt{" + "x" * 200 + "}", 100.0) == [r"\sqrt{" + "x" * 200 + "}"]


@pytest.mark.parametrize(
    "tex", ["x_{i}^{2}", r"\left\lVert x \right\rVert^{2}", r"\frac{a}{b}", r"{W^{(1)}}^{\top}"]
)
def test_boxes_keep_the_formula(tex):
    assert text(row(tex)) == tex
    assert isinstance(row(tex)[0], Box)


@pytest.mark.parametrize("tex", ["W^{(1)", r"\left( x", "a^{1}^{2}", "a_{1}_{2}", r"\frac{1}", "}"])
def test_what_tex_would_refuse(tex):
    assert not readable(tex)


@pytest.mark.slow
def test_tex_agrees(derivation, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (tmp_path / "page.tex").write_text(derivation.latex(), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
