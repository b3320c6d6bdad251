"""Derivatives that others published, against ours: the Matrix Cookbook, Parr and Howard, the papers.

The file `identities.json` holds each function and its derivative as NumPy expressions. The function becomes a
system, a first or second sweep with closed forms its derivative; NumPy evaluates the published one. A
derivative with axes is compared row by row, through a cotangent that is 1 in one element.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from identities_by_hand import BY_HAND
from numpy_systems import SIZES, Array, define, translate
from rows import swept
from scipy.special import digamma, erf, gammaln

from symbp.derive import Derivation, derive
from symbp.ir.build import SystemBuilder
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Guard, Index
from symbp.ir.system import Fact
from symbp.ir.validate import validate
from symbp.verify.report import relative_error

FOLDER = Path(os.environ.get("SYMBP_ORACLES", Path(__file__).parents[3] / "shared" / "oracles"))
FILE = FOLDER / "identities.json"
VALUES = {"n": 5, "m": 3, "p": 2}
TOLERANCE = 1e-9
SEEDS = (17, 18, 19, 20)
FACTS = {"sym": Fact("symmetric"), "spd": Fact("symmetric"), "simplex": Fact("sums to one", 0)}

KNOWN_WRONG: dict[str, str] = {}
"""Identities that fail, with the reason; one that is mended fails here."""

Identity = dict[str, Any]
RAN: Counter[str] = Counter()


def identities() -> list[Identity]:
    return json.loads(FILE.read_text(encoding="utf-8"))["identities"] if FILE.exists() else []


def _extent(size: Any, of: dict[str, Any]) -> Any:
    return eval(size, {}, of) if isinstance(size, str) else size


def sample(identity: Identity, seed: int) -> dict[str, Any]:
    """The inputs as arrays, drawn as the identity says."""
    rng = np.random.default_rng(seed)
    kinds = identity.get("sample") or {}
    found = {}
    for name, shape in identity["inputs"].items():
        extents = [_extent(size, VALUES) for size in shape]
        value, kind = rng.normal(size=extents), kinds.get(name)
        if kind == "spd":
            value = value @ value.T + len(value) * np.eye(len(value))
        elif kind == "sym":
            value = value + value.T
        elif kind == "pm1":
            value = np.where(value > 0, 1.0, -1.0)
        elif kind == "simplex":
            value = np.exp(value) / np.exp(value).sum()
        elif kind == "unit":
            value = rng.uniform(0.1, 0.9, size=extents)
        found[name] = value
    return found


@cache
def derived(text: str) -> tuple[Derivation, tuple[Any, ...]]:
    """The derivation of one identity, given as JSON, and the shape of the cotangent `g` if there is one."""
    identity = json.loads(text)
    b = SystemBuilder()
    kinds = identity.get("sample") or {}
    inputs = {}
    for name, shape in identity["inputs"].items():
        extents = [sympy.sympify(_extent(size, SIZES)) for size in shape]
        facts = [FACTS[kinds[name]]] if kinds.get(name) in FACTS else []
        inputs[name] = Array(b, extents, b.leaf(name, *extents, facts=facts))
    by_hand = BY_HAND.get(identity["id"])
    value = by_hand(b, inputs) if by_hand else translate(identity["f"], inputs)
    wrt = identity["wrt"]
    out = define(b, value.shape, value.at, name="value")
    if identity["order"] == 2:
        (gradient,) = swept(b, "value", wrt)
        out = Array(b, inputs[wrt].shape, gradient)
    at = [Index(letter) for letter in "pqrs"[: len(out.shape)]]
    if at:
        g = b.leaf("g", *out.shape)
        b.define("L", [], g(*at) * out.at(*at), "sum", at)
    else:
        b.define("L", [], out.at())
    return derive(b.system("L"), name=identity["id"], wrt=[wrt]), out.shape


def evaluated(derivation: Derivation, cotangent: tuple[Any, ...], values: dict[str, Any], wrt: str) -> Any:
    """Our derivative, laid out as out-shape + wrt-shape."""
    sizes = {SIZES[name].name: value for name, value in VALUES.items()}
    sizes = {name: sizes[name] for name in derivation.declared.sizes}
    known = {size: sympy.Integer(sizes[size.name]) for size in SIZES.values() if size.name in sizes}
    shape = tuple(int(s.xreplace(known)) for s in cotangent)
    gradient = derivation.gradients[wrt]
    if not shape:
        return run(derivation.system, values, sizes, wanted=[gradient])[gradient]
    rows = []
    for one in np.eye(prod(shape)):
        given = {**values, "g": one.reshape(shape)}
        rows.append(run(derivation.system, given, sizes, wanted=[gradient])[gradient])
    return np.array(rows).reshape(*shape, *np.shape(values[wrt]))


def _cases() -> list[Any]:
    cases = []
    for identity in identities():
        name = identity["id"]
        if name in KNOWN_WRONG:
            mark = [pytest.mark.xfail(strict=True, reason=KNOWN_WRONG[name])]
            cases.append(pytest.param(identity, id=name, marks=mark))
        else:
            cases.append(pytest.param(identity, id=name))
    return cases


@pytest.mark.few(fast=30)
@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not there: set SYMBP_ORACLES to its folder")
@pytest.mark.parametrize("identity", _cases())
def test_identity(identity: Identity) -> None:
    name = identity["id"]
    text = json.dumps(identity)
    RAN["failed"] += 1
    derivation, cotangent = derived(text)
    validate(derivation.system)
    for seed in SEEDS:
        values = sample(identity, seed)
        ours = evaluated(derivation, cotangent, values, identity["wrt"])
        scope = {"np": np, "erf": erf, "gammaln": gammaln, "digamma": digamma, **VALUES, **values}
        published = np.asarray(eval(identity["df"], scope), dtype=float)
        if name == "mc139":
            published = np.tril(published)  # ours is by the elements of the lower triangle
        assert np.shape(ours) == published.shape
        assert relative_error(ours, published) <= TOLERANCE or np.max(np.abs(ours - published)) <= 1e-14
    check_form(derivation, identity)
    RAN["failed"] -= 1
    RAN["passed"] += 1


def check_form(derivation: Derivation, identity: Identity) -> None:
    """No unevaluated derivative, no product of two deltas unless published, no zero that goes unnoticed."""
    system = derivation.system
    points = [sample(identity, seed) for seed in SEEDS]
    sizes = {SIZES[name].name: value for name, value in VALUES.items() if SIZES[name].name in system.sizes}
    if "g" in system.by_name and "g" not in identity["inputs"]:
        known = {size: sympy.Integer(VALUES[name]) for name, size in SIZES.items()}
        for seed, values in zip(SEEDS, points, strict=True):
            shape = [int(s.xreplace(known)) for s in system.tensor("g").shape]
            values["g"] = np.random.default_rng(seed).normal(size=shape)
    for equation in derivation.backward:
        body = equation.body
        assert not body.atoms(sympy.Derivative, sympy.Subs, sympy.DiracDelta, sympy.Heaviside), equation
        deltas = [g for g in body.atoms(Guard) if g.op == "=" and isinstance(g.lhs, Index)]
        deltas = [g for g in deltas if isinstance(g.rhs, Index)]
        assert len(deltas) < 2 or "np.eye" in identity["df"], f"a product of deltas: {equation}"
        if body != 0:
            target = equation.target
            found = [run(system, values, sizes, wanted=[target])[target] for values in points]
            assert max(np.max(np.abs(value)) for value in found) > 1e-12, f"always zero: {equation}"


@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not there: set SYMBP_ORACLES to its folder")
def test_all_identities_are_there() -> None:
    names = [identity["id"] for identity in identities()]
    print(f"{len(names)} identities; {dict(RAN)}")
    assert len(names) == len(set(names)) == 145
    assert {*KNOWN_WRONG, *BY_HAND} <= set(names)
