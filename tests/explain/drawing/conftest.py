"""What the tests of pictures look at: the page of every gallery net, derived once."""

import functools
import sys
from pathlib import Path

import pytest

import symbp as bp
from symbp.cli.target import load_target
from symbp.explain.document import document

sys.path.insert(0, str(Path(__file__).parents[2] / "read"))  # the values of a page

FAST = ("mlp", "logistic_regression", "crf", "char_rnn", "neuron", "resnet_mlp")
NETS = [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in sorted(bp.gallery.GALLERY)]


@functools.cache
def page_of(name):
    return document(bp.derive(load_target(name).network), style="textbook")


@pytest.fixture(params=NETS)
def page(request):
    """The textbook's page of each gallery net."""
    return page_of(request.param)


@pytest.fixture(scope="session")
def pages():
    """`pages(name)`: a page."""
    return page_of
