"""Pages in a real browser: on a screen, on a phone, on paper, light and dark, with and without scripts."""

import base64
import itertools

import pytest

import symbp as bp

PAPER = 718  # pixels: A4 between margins of 1 cm

FAST = ("mlp", "neuron")
NETS = [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in sorted(bp.gallery.GALLERY)]
WAYS = list(itertools.product((1280, 375), (False, True), (True, False)))


@pytest.mark.parametrize("name", NETS)
def test_on_a_screen(browser, page, name):
    """Nothing beyond the window or over something else, nothing said or asked for, in each of eight ways."""
    path = page(name)
    for width, dark, script in WAYS:
        way = f"{name} at {width}, {'dark' if dark else 'light'}, {'with' if script else 'without'} script"
        browser.open(path, width=width, dark=dark, script=script)
        opened = browser.run("document.querySelectorAll('details').forEach(d => d.open = true); return 1")
        assert opened == 1
        assert not browser.look(), way
        assert not browser.said(), way
        assert not browser.asked_for(path), way


@pytest.mark.parametrize("name", NETS)
def test_on_paper(browser, page, name):
    """Nothing is cut, and the lessons stand open."""
    browser.open(page(name), width=PAPER, media="print")
    assert not browser.look()
    scrollers = (
        "return [...document.querySelectorAll('.scroll')].filter(n => n.scrollWidth > n.clientWidth + 1)"
    )
    assert not browser.run(scrollers + ".map(n => n.textContent.slice(0, 80))")
    closed = "return [...document.querySelectorAll('.lesson')].filter(n => n.offsetHeight < 5).length"
    assert browser.run(closed) == 0
    printed = browser.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("way", [(1280, False), (375, True)], ids=["desk", "phone"])
def test_for_everyone(browser, axe, page, name, way):
    """An accessibility checker finds nothing, with all that can be opened open."""
    width, dark = way
    browser.open(page(name), width=width, dark=dark)
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.run(axe)
    found = browser.wait("const done = arguments[0]; axe.run().then(r => done(r.violations))")
    told = [(v["id"], v["help"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found]
    assert not told
