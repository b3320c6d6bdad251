"""What all tests of readings look at: every gallery net, random nets, derivatives of other kinds."""

import functools
import importlib.util
import sys
from pathlib import Path

import pytest
from derived_once import once

import symbp as bp
from symbp.cli.target import load_target

sys.path.insert(0, str(Path(__file__).parent))  # the table of formulas

RANDOM = 30
HIGHER = ("hessian", "hvp", "jacobian")


def _random_nets():
    path = Path(__file__).parents[1] / "verify" / "random_nets.py"
    spec = importlib.util.spec_from_file_location("read_random_nets", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["read_random_nets"] = module
    spec.loader.exec_module(module)
    return module


nets = _random_nets()
SPECS = nets.specs(RANDOM, seed=11)
PAGES = [*sorted(bp.gallery.GALLERY), *(f"random {k}" for k in range(RANDOM)), *HIGHER]


def classifier():
    """A net whose second derivatives are short."""
    N, D, K = bp.dims("N D K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, b = bp.param("W", (D, K)), bp.param("b", (K,))
    p = bp.softmax(bp.tanh(x @ W + b))
    return bp.Network("classifier", loss=bp.cross_entropy(p, y), outputs={"p": p})


def derived(name):
    if name in bp.gallery.GALLERY:
        return once(f"target {name}", lambda: bp.derive(load_target(name).network))
    if name.startswith("random"):
        return once(f"read {name}", lambda: bp.derive(nets.declare(SPECS[int(name.split()[1])])))
    return once(f"read {name}", lambda: _higher(name))


def _higher(name):
    net = classifier()
    return {"hessian": bp.hessian, "hvp": bp.hvp}[name](net) if name != "jacobian" else bp.jacobian(net, "p")


@pytest.fixture(scope="session")
def known():
    """`known(name)`: a derivation, derived once."""
    return functools.cache(derived)


FAST = ("mlp", "crf", "cnn", "random 0")
USUAL = ("attention", "char_lstm", "ctc", "gpt", "pinn", "vae", *HIGHER)
RANDOM_IN_ANY = 3  # pages of all of the gallery are compared with those of `generated`


def _marks(name):
    random = name.startswith("random")
    usual = int(name.split()[1]) < RANDOM_IN_ANY if random else name in USUAL
    return [] if name in FAST else [pytest.mark.slow, *[pytest.mark.long] * (not usual)]


@pytest.fixture(params=[pytest.param(name, marks=_marks(name)) for name in PAGES])
def derivation(request, known):
    """Each of the derivations."""
    return known(request.param)


@pytest.fixture
def lstm(known):
    return known("char_lstm")


@pytest.fixture
def mlp(known):
    return known("mlp")


@pytest.fixture
def cnn(known):
    return known("cnn")
