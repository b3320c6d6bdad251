"""What the tests of pictures look at: the page of every gallery net and of random nets, derived once."""

import functools
import importlib.util
import sys
from pathlib import Path

import pytest
from derived_once import once

import symbp as bp
from symbp.cli.target import load_target
from symbp.explain.document import document

sys.path.insert(0, str(Path(__file__).parents[2] / "read"))  # the values of a page

RANDOM = 8


def _random_nets():
    path = Path(__file__).parents[2] / "verify" / "random_nets.py"
    spec = importlib.util.spec_from_file_location("drawing_random_nets", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["drawing_random_nets"] = module
    spec.loader.exec_module(module)
    return module


nets = _random_nets()
SPECS = nets.specs(RANDOM, seed=5)
FAST = ("mlp", "crf", "char_rnn")
ALL = [*sorted(bp.gallery.GALLERY), *(f"random {k}" for k in range(RANDOM))]
NETS = [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in ALL]


@functools.cache
def page_of(name):
    if name in bp.gallery.GALLERY:
        derivation = once(f"target {name}", lambda: bp.derive(load_target(name).network))
    else:
        derivation = bp.derive(nets.declare(SPECS[int(name.split()[1])]))
    return document(derivation, style="textbook")


@pytest.fixture(params=NETS)
def page(request):
    """The textbook's page of each gallery net."""
    return page_of(request.param)


@pytest.fixture(scope="session")
def pages():
    """`pages(name)`: a page."""
    return page_of
