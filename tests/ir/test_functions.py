"""The table of elementary functions: every name in it is that of the same function."""

import math

import numpy as np
import pytest
import sympy

from symbp.ir.functions import ELEMENTARY

STEPS = ("Floor", "FloorQuotient", "Round", "atan2")
OWN = {"expm1": lambda x: sympy.exp(x) - 1, "log1p": lambda x: sympy.log(1 + x)}
NAMED = [f for f in ELEMENTARY.values() if f.name not in STEPS and (f.numpy or f.math)]


def right(name, x):
    return float(sympy.N((OWN.get(name) or getattr(sympy, name))(sympy.Rational(x)), 20))


@pytest.mark.parametrize("entry", NAMED, ids=lambda f: f.name)
def test_names_are_of_one_function(entry):
    x = 1.25 if entry.name == "acosh" else 0.625
    wanted = right(entry.name, x)
    if entry.numpy:
        assert getattr(np, entry.numpy)(x) == pytest.approx(wanted, rel=1e-15)
    if entry.math:
        assert getattr(math, entry.math)(x) == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize("entry", [f for f in ELEMENTARY.values() if f.parity], ids=lambda f: f.name)
def test_parity_and_the_value_at_0(entry):
    there, here = right(entry.name, -0.625), right(entry.name, 0.625)
    assert there == pytest.approx({"odd": -here, "even": here, "reciprocal": 1 / here}[entry.parity])
    assert right(entry.name, 0) == entry.at_zero


def test_steps_and_what_takes_two():
    assert [getattr(np, ELEMENTARY[name].numpy)(-2.5) for name in ("Floor", "Round")] == [-3, -2]
    assert [getattr(np, ELEMENTARY[name].numpy)(7.0, 2.0) for name in ("FloorQuotient", "atan2")] == [
        3.0,
        math.atan2(7.0, 2.0),
    ]
