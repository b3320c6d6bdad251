"""Every page is true: of each op of the registry, each published row, and 200 random nets.

All that a page prints is read back and evaluated: equations in text and in LaTeX, and the sums of its
lessons. A part of the nets in the usual run of all tests, all of them with SYMBP_LONG=1.
"""

import functools
import os
import sys
import warnings
from pathlib import Path

import pytest
from test_lecture import Reader, sums
from test_read_back import in_latex, read_back

import symbp as bp
from symbp.derive import derive

TESTS = Path(__file__).parents[1]
LONG = bool(os.environ.get("SYMBP_LONG"))
SHARE = 1 if LONG else 4  # one net of so many
SKIPPED = ("conv_transpose3d",)  # a page of loops that takes minutes to evaluate element by element


def _beside(folder, module):
    path = str(TESTS / folder)
    if path not in sys.path:
        sys.path.insert(0, path)
    return __import__(module)


def _registry():
    right_nets = _beside("verify", "right_nets")
    for name, declared in right_nets.registry_nets():
        if name.endswith("weighed") and not name.startswith(SKIPPED):
            yield name, lambda declared=declared: bp.derive(declared())


def _rows():
    published = _beside("calculus", "published")
    for name, row in published.ROWS.items():
        yield name, functools.partial(_row, published, row)


def _row(published, row):
    built = published.build(row)
    return derive(built.forward, wrt=built.wrt)


def _random():
    nets = _beside("verify", "random_nets")
    for k, spec in enumerate(nets.specs(200, seed=11)):
        yield f"random {k}", lambda spec=spec: bp.derive(nets.declare(spec))


def _chosen(every):
    return [pytest.param(make, id=name) for k, (name, make) in enumerate(every) if k % SHARE == 0]


@pytest.mark.few(slow=20)
@pytest.mark.slow
@pytest.mark.parametrize("derived", [*_chosen(_registry()), *_chosen(_rows()), *_chosen(_random())])
def test_pages_are_true(derived):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        derivation = derived()
    assert read_back(derivation, style="textbook")
    assert read_back(derivation, reading=in_latex, style="textbook")
    reader = Reader(derivation, 3)
    for lesson in reader.page.lecture.lessons:
        sums(reader, lesson)
