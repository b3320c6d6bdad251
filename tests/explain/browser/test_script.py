"""What the page's script does in a browser: numbers that follow, training steps, lights, copies."""

import numpy as np
import pytest
from derived_once import of_gallery

from symbp.explain.page.example import small_example
from symbp.read.numbers import numbers

CELLS = """
const found = {};
for (const box of document.querySelectorAll(arguments[0])) {
  const name = box.dataset.tensor ?? box.dataset.difference;
  found[name] ??= {};
  for (const cell of box.querySelectorAll("[data-p]")) {
    const own = cell.closest("[data-tensor], [data-difference]") === box;
    if (own) found[name][cell.dataset.p] = cell.textContent;
  }
}
return found;
"""
CHANGE = """
const isIt = (input) => input.getAttribute("aria-label") === arguments[0];
const field = [...document.querySelectorAll("input")].find(isIt);
field.value = arguments[1];
field.dispatchEvent(new Event("change"));
"""
VISIBLE = "return [...document.querySelectorAll(arguments[0])].filter(n => n.checkVisibility()).length"
SHOWN = 6e-5  # of a number with four decimals, moved by the last of them


@pytest.fixture(scope="module")
def example():
    """The numbers that a page starts from."""
    known = {}

    def of(name):
        if name not in known:
            derivation = of_gallery(name)
            known[name] = derivation, small_example(derivation, "textbook")
        return known[name]

    return of


def value(text):
    return float(text.replace("−", "-").replace("–", "nan").replace("∞", "inf"))


def check(cells, right):
    """Compares what is shown with arrays; how many."""
    count = 0
    for name, shown in cells.items():
        for place, text in shown.items():
            wanted = float(np.asarray(right[name]).ravel()[int(place)])
            assert value(text) == pytest.approx(wanted, abs=SHOWN, rel=6e-3), f"{name} at {place}"
            count += 1
    return count


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mlp", "neuron", *(pytest.param(n, marks=pytest.mark.slow) for n in ("char_lstm", "cnn", "moe"))]
)
def test_numbers_follow(browser, page, example, name):
    """A weight and an input are changed: every number is that of the interpreter there."""
    derivation, start = example(name)
    browser.open(page(name))
    leaves = {n: np.array(a, dtype=a.dtype) for n, a in start.leaves.items()}
    assert check(browser.run(CELLS, "[data-tensor]"), start.values) > 10
    parameter = derivation.system.parameters[0].name
    for leaf in (parameter, *[t.name for t in derivation.system.leaves if not t.integer][:1]):
        place = (0,) * leaves[leaf].ndim
        leaves[leaf][place] = 0.25
        browser.run(CHANGE, f"{leaf}[{', '.join(map(str, place))}]", "0.25")
    there = numbers(start.reading, leaves, sizes=_own_sizes(start))
    assert there.loss != pytest.approx(start.loss, abs=1e-6)
    assert check(browser.run(CELLS, "[data-tensor]"), there.values) > 10
    assert not browser.said()


def _own_sizes(start):
    """Sizes by the network's names for them."""
    own = {letter: name for name, letter in start.reading.sizes.items()}
    return {own.get(name, name): extent for name, extent in start.sizes.items()}


@pytest.mark.slow
def test_training_steps_and_the_way_back(browser, page, example):
    derivation, start = example("mlp")
    browser.open(page("mlp"))
    browser.run("document.getElementById('rate').value = 0.1")
    press = "document.querySelector(`[data-steps='${arguments[0]}']`).click()"
    browser.run(press, "1")
    browser.run(press, "10")
    leaves, losses = dict(start.leaves), [start.loss]
    for _ in range(11):
        at = numbers(start.reading, leaves, sizes=_own_sizes(start))
        leaves = {n: a - 0.1 * at.gradients[n] if n in at.gradients else a for n, a in leaves.items()}
        losses.append(numbers(start.reading, leaves, sizes=_own_sizes(start)).loss)
    there = numbers(start.reading, leaves, sizes=_own_sizes(start))
    assert losses[-1] < losses[0]
    check(browser.run(CELLS, "[data-tensor]"), there.values)
    told = browser.run("return document.getElementById('loss').textContent")
    assert value(told.split(" → ")[-1]) == pytest.approx(losses[-1], abs=SHOWN)
    browser.run(press, "0")
    check(browser.run(CELLS, "[data-tensor]"), start.values)
    assert derivation.gradients


@pytest.mark.slow
def test_differences_follow(browser, page, example):
    """Central differences in the browser, of tensors within the network, too, are the derivatives."""
    _, start = example("mlp")
    browser.open(page("mlp"))
    browser.run(CHANGE, "W1[0, 0]", "0.7")
    leaves = {n: np.array(a, dtype=a.dtype) for n, a in start.leaves.items()}
    leaves["W1"][0, 0] = 0.7
    right = numbers(start.reading, leaves, sizes=_own_sizes(start)).values
    browser.wait("setTimeout(arguments[0], 400)")
    found = browser.run(CELLS, "[data-difference]")
    assert {"dW1", "dh", "da2"} <= set(found)
    assert check(found, right) > 20


def test_labels_stay_labels(browser, page):
    """What is typed beyond the range of a label is taken to its end, what is no number is taken back."""
    browser.open(page("mlp"))
    read = "return document.querySelector(`input[aria-label='y[0]']`).value"
    before = browser.run(read)
    browser.run(CHANGE, "y[0]", "7.4")
    assert browser.run(read) == "2"
    browser.run(CHANGE, "y[0]", "")
    assert browser.run(read) == "2"
    assert before in "012"


def test_what_belongs_together_lights_up(browser, page):
    """Pointing at a box of the picture, a line of code or an equation lights all that have its number."""
    browser.open(page("mlp"))
    point = (
        "document.querySelector(arguments[0]).dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))"
    )
    lit = """const what = (n) => n.matches('.equation') ? n.id : n.matches('.code-line') ? 'code' : '?';
        return [...document.querySelectorAll('.lit')].map(n => n.closest('svg') ? 'picture' : what(n))"""
    for place in ("svg [data-equations='9']", "pre .code-line[data-equations='9']", "#eq-9 .number"):
        browser.run(point, place)
        assert {"picture", "eq-9", "code"} <= set(browser.run(lit)), place
        assert "?" not in browser.run(lit)
    browser.run(point, "svg [data-equations='9']")
    assert "h" in browser.run("return document.querySelector('.peek').textContent")
    browser.run(point, "h1")
    assert not browser.run(lit)
    assert browser.run("return document.querySelector('.peek').textContent") == ""


def test_copying(browser, page):
    browser.open(page("mlp"))
    browser.run("window.copied = []; navigator.clipboard.writeText = async (text) => { copied.push(text); }")
    browser.run("document.querySelector('#eq-9 .copy').click()")
    browser.run("[...document.querySelectorAll('.copy')].at(-1).click()")
    latex, code = browser.run("return window.copied")
    assert latex.startswith(r"\frac{\partial \mathrm{loss}}{\partial (W_{2})_{jk}} = \sum")
    compile(code, "<copied>", "exec")


def test_without_a_script(browser, page):
    """Everything that is read stands there, and nothing that would do nothing."""
    browser.open(page("mlp"), script=False)
    assert browser.run(VISIBLE, "button, input[type=number]") == 0
    assert browser.run(VISIBLE, "[data-leaf] math") >= 6
    assert browser.run(VISIBLE, ".values math") >= 14
    browser.run("document.getElementById('numbers-shown').click()")
    assert browser.run(VISIBLE, ".values math") == 0
    browser.open(page("mlp"))
    assert browser.run(VISIBLE, ".copy, [data-steps]") > 14
    assert browser.run(VISIBLE, "[data-leaf] input") == 6 + 2 + 6 + 2 + 6 + 3
