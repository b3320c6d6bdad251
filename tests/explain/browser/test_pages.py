"""Pages in a real browser: on a screen, on a phone, on paper, light and dark, with and without scripts."""

import base64
import itertools

import pytest

import symbp as bp

PAPER = 718  # pixels: A4 between margins of 1 cm
FAST = ("mlp", "neuron")
NETS = [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in sorted(bp.gallery.GALLERY)]
WAYS = list(itertools.product((1280, 375), (False, True), (True, False)))
SCRIPTED = "return document.documentElement.matches('.scripted')"
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"


@pytest.mark.slow
@pytest.mark.few(slow=8)
@pytest.mark.parametrize("name", NETS)
def test_page(browser, page, name):
    """Nothing beyond the window or over something else, nothing said or asked for, in each of eight ways;
    nothing cut on paper, where the lessons stand open."""
    path = page(name)
    for width, dark, script in WAYS:
        way = f"{name} at {width}, {'dark' if dark else 'light'}, {'with' if script else 'without'} script"
        browser.open(path, width=width, dark=dark, script=script)
        assert browser.until(SCRIPTED, script) == script, way
        browser.run(OPEN)
        assert not browser.look(), way
        assert not browser.said(), way
        assert not browser.asked_for(path), way
    check_paper(browser, path)


def check_paper(browser, path):
    browser.open(path, width=PAPER, media="print")
    assert not browser.look()
    scrollers = (
        "return [...document.querySelectorAll('.scroll')].filter(n => n.scrollWidth > n.clientWidth + 1)"
    )
    assert not browser.run(scrollers + ".map(n => n.textContent.slice(0, 80))")
    closed = "return [...document.querySelectorAll('.lesson')].filter(n => n.offsetHeight < 5).length"
    assert browser.run(closed) == 0
    printed = browser.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")


@pytest.mark.slow
@pytest.mark.few(slow=8)
@pytest.mark.parametrize("name", NETS)
def test_for_everyone(browser, axe, page, name):
    """An accessibility checker finds nothing, with all that can be opened open."""
    for width, dark in ((1280, False), (375, True)):
        browser.open(page(name), width=width, dark=dark)
        browser.run(OPEN)
        browser.run(axe)
        found = browser.wait("const done = arguments[0]; axe.run().then(r => done(r.violations))")
        told = [(v["id"], v["help"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found]
        assert not told, f"{name} at {width}"


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ("the page is", "<p style='width: 3000px'>wide</p>"),
        ("beyond the window", "<p style='position: relative; left: -50px'>left</p>"),
        ("over each other", "<p>one</p><p style='margin-top: -2em'>two</p>"),
        ("a formula is cut", "<math style='width: 3000px; display: block'><mi>x</mi></math>"),
        (None, "<div class='scroll' style='overflow-x: auto'><p style='width: 3000px'>wide</p></div>"),
    ],
)
def test_faults_of_a_layout_are_seen(browser, tmp_path, fault, body):
    path = tmp_path / "page.html"
    path.write_text(f"<!DOCTYPE html><title>t</title><body>{body}", encoding="utf-8")
    browser.open(path)
    found = browser.look()
    assert not found if fault is None else any(told.startswith(fault) for told in found), found
