"""Formulas in the style of matrix calculus: their gradients against differences of plain NumPy."""

import re

import numpy as np
import pytest
from formulas import CASES, SIZES

import symbp as bp
from symbp.explain.document import document
from symbp.explain.short import short_trees
from symbp.ir.evaluation.vector import run
from symbp.read.formula import read_formula
from symbp.read.matrix.value import value

STEP = 1e-5


def drawn(kind, shape, rng, sizes):
    """An array of one kind."""
    normal = 0.7 * rng.standard_normal(shape)
    if kind in ("spd", "big"):
        square = 0.4 * rng.standard_normal(shape)
        return square @ square.T + np.eye(shape[0]) if kind == "spd" else normal + 3 * np.eye(shape[0])
    return {
        "centred": normal,
        "positive": np.abs(normal) + 0.5,
        "unit": rng.uniform(0.2, 0.9, shape),
        "signs": np.sign(normal),
        "binary": (normal > 0).astype(float),
        "labels": rng.integers(0, sizes["K"], shape),
        "large": normal + 9,
    }[kind]


def point(case, system):
    """Sizes and arrays of one case."""
    rng = np.random.default_rng(len(case.text))
    sizes = {name: SIZES[name] for name in system.sizes}
    extents = {tensor.name: [sizes[str(e)] for e in tensor.shape] for tensor in system.leaves}
    kinds = {name: case.draw.get(name, "centred") for name in extents}
    return sizes, {name: drawn(kinds[name], tuple(shape), rng, SIZES) for name, shape in extents.items()}


def differences(f, values, name):
    """∂f/∂name by central differences of fourth order."""
    array = np.array(values[name], float)
    found = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        terms = []
        for shift in (1, -1, 2, -2):
            moved = array.copy()
            moved[place] += shift * STEP
            terms.append(float(f(**{**values, name: moved})))
        found[place] = (8 * (terms[0] - terms[1]) - (terms[2] - terms[3])) / (12 * STEP)
    return found


def read_short_form(case, derivation, shown, values, sizes, expected):
    """A short form of leaves alone is a formula itself, and has the gradient's value."""
    names = set(re.findall("[A-Za-z][A-Za-z0-9_]*", shown or ""))
    leaves = {tensor.name for tensor in derivation.system.leaves}
    symbols = document(derivation, style="textbook").reading.symbols.text
    computed = {symbol for name, symbol in symbols.items() if name not in leaves}
    if shown is None or names & (computed | {"cofactors", "onehot", "rowmax"}):
        return
    shapes = {t.name: [str(e) for e in t.shape] for t in derivation.system.leaves if t.name in names}
    shapes |= {"weights": [str(e) for e in derivation.system.tensor(case.wrt).shape]}
    weights = np.random.default_rng(0).uniform(0.5, 1.5, expected.shape)
    system = read_formula(f"sum(weights .* ({shown}))", shapes, "weights").network.system
    point = {name: values[name] for name in shapes if name != "weights"} | {"weights": weights}
    found = run(system, point, {size: sizes[size] for size in system.sizes})
    np.testing.assert_allclose(found[system.loss], (weights * expected).sum(), rtol=1e-9, atol=1e-12)


def marked():
    """Every third case is fast; the rest is slow only because they are many."""
    marks = ([], [pytest.mark.slow], [pytest.mark.slow])
    return [pytest.param(case, id=case.name, marks=marks[k % 3]) for k, case in enumerate(CASES)]


@pytest.mark.few(fast=3, slow=24)
@pytest.mark.parametrize("case", marked())
def test_gradient(case):
    """The value is the formula's, the gradient its slope, and the short form says the same."""
    formula = read_formula(case.text, case.shapes, case.wrt)
    derivation = bp.grad_of(formula)
    sizes, values = point(case, derivation.system)
    for name, extents in case.infer.items():
        tensor = derivation.system.tensor(name)
        assert ",".join(map(str, tensor.shape)) == extents
    gradient = derivation.gradients[case.wrt]
    found = run(derivation.system, values, sizes)
    np.testing.assert_allclose(found[derivation.system.loss], case.f(**values), rtol=1e-10)
    expected = differences(case.f, values, case.wrt)
    np.testing.assert_allclose(found[gradient], expected, rtol=1e-7, atol=1e-8 * (1 + np.abs(expected).max()))
    (short,) = derivation.short()
    assert (short.matrix is not None) == case.matrix, str(short)
    read_short_form(case, derivation, short.matrix, values, sizes, found[gradient])
    tree = short_trees(derivation, document(derivation, style="textbook"))[gradient]
    if tree is not None:
        leaves = {t.name for t in derivation.declared.leaves}
        declared = run(derivation.declared, {n: v for n, v in values.items() if n in leaves}, sizes)
        shown = value(tree, values | declared | found, sizes)
        np.testing.assert_allclose(
            shown.reshape(found[gradient].shape), found[gradient], rtol=1e-9, atol=1e-12
        )


def test_there_are_a_hundred():
    assert len({case.name for case in CASES}) == len(CASES) >= 100


SECOND = ("ridge", "logistic", "Poisson", "log cosh", "quartic", "Mahalanobis", "entropy")


@pytest.mark.few(slow=3)
@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case.name in SECOND], ids=lambda case: case.name)
def test_hessian(case):
    """The Hessian is the slope of the gradient, and its short form says the same."""
    derivation = bp.grad_of(case.text, shapes=case.shapes, wrt=case.wrt, order=2)
    sizes, values = point(case, derivation.system)
    found = run(derivation.system, values, sizes)
    gradient, hessian = derivation.gradients[case.wrt], derivation.gradients[f"{case.wrt},{case.wrt}"]
    for k, row in enumerate(found[hessian]):

        def slope(k=k, **moved):
            return run(derivation.system, moved, sizes, wanted=[gradient])[gradient][k]

        expected = differences(slope, values, case.wrt)
        np.testing.assert_allclose(row, expected, rtol=1e-7, atol=1e-8 * (1 + np.abs(expected).max()))
    tree = short_trees(derivation, document(derivation))[hessian]
    assert tree is not None
    np.testing.assert_allclose(value(tree, found, sizes), found[hessian], rtol=1e-9, atol=1e-12)
