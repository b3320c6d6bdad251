"""Convolution, pooling, upsampling: values and gradients of both targets, and how the NumPy code reads."""

from __future__ import annotations

import ast
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from target_recurrences import module, source, swept
from target_windows import EXTENTS, SYSTEMS, convolution, windows

from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_leaf
from symbp.ir.system import System


def compare(system: System, target: str, *, compiled: bool, bound: bool) -> None:
    known = {size: EXTENTS[size] for size in system.sizes} if bound else {}
    rng = np.random.default_rng(3)
    values: dict[str, Any] = {leaf.name: sample_leaf(leaf, EXTENTS, rng) for leaf in system.leaves}
    found = module(system, target, compiled=compiled, bound=known)
    params = {p.name: values[p.name] for p in system.parameters}
    inputs = {leaf: values[leaf] for leaf in found.INPUTS}
    derivation = swept(system)
    expected = run(derivation.system, values, EXTENTS)
    with warnings.catch_warnings():  # plain Python warns where compiled code gives inf
        warnings.simplefilter("ignore", RuntimeWarning)
        outputs = found.forward(params, **inputs)
        loss, gradients = found.loss_and_gradients(params, **inputs)
    for output, value in outputs.items():
        np.testing.assert_allclose(value, expected[output], rtol=1e-12, atol=1e-12, err_msg=output)
    np.testing.assert_allclose(loss, expected["loss"], rtol=1e-12)
    for parameter, gradient in gradients.items():
        right = expected[derivation.gradients[parameter]]
        np.testing.assert_allclose(gradient, right, rtol=1e-11, atol=1e-12, err_msg=f"by {parameter}")


# Where windows overlap or leave a rest, the places of maxima are positions that depend on the data.
VIEWED = [name for name in SYSTEMS if name not in ("maximum, overlapping", "maximum, a rest is left")]


@pytest.mark.few(fast=4)
@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_values_and_gradients(name: str, target: str) -> None:
    compare(SYSTEMS[name](), target, compiled=False, bound=True)


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("name", ["two axes", "a small net", "stride and padding", "maximum"])
def test_with_open_sizes(name: str) -> None:
    compare(SYSTEMS[name](), "numpy", compiled=False, bound=False)


@pytest.mark.slow
@given(
    st.tuples(st.integers(3, 7), st.integers(3, 6)),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(1, 2),
    st.sampled_from(["numpy", "numba"]),
)
@settings(max_examples=16, deadline=None, derandomize=True)
def test_any_options(
    extents: tuple[int, int], kernel: int, stride: int, padding: int, dilation: int, target: str
) -> None:
    assume(all(windows(e, kernel, stride, padding, dilation) > 0 for e in extents))
    system = convolution(extents, kernel, stride, padding, dilation)
    compare(system, target, compiled=False, bound=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two axes, all options", "a small net", "transposed, stride and padding"])
def test_compiled(name: str) -> None:
    compare(SYSTEMS[name](), "numba", compiled=True, bound=True)


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("name", VIEWED)
def test_nothing_is_gathered_element_by_element(name: str) -> None:
    """Windows are views: no positions are written out, no terms are added by fancy indexing."""
    system = SYSTEMS[name]()
    text = source(system, "numpy", bound={size: EXTENTS[size] for size in system.sizes})
    stages = [
        ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name in ("_forward", "_loss", "_backward")
    ]
    for word in ("np.arange", "np.clip", "np.add.at"):
        assert not any(word in stage for stage in stages), word
