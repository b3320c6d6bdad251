"""Windows that several products read, copied once: the same values as before, and what stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

import symbp as bp
from symbp.derive import Derivation, derive
from symbp.ir.evaluation.interpret import evaluate
from symbp.lower.passes.bind_sizes import counted
from symbp.lower.passes.common_subexpressions import Shared, numbered
from symbp.lower.passes.window_copies import by_example, windows_once

CONVOLUTIONS: dict[str, Callable[[bp.Tensor, bp.Tensor], bp.Tensor]] = {
    "valid": bp.conv2d,
    "padded": lambda x, K: bp.conv2d(x, K, padding=1),
    "strided": lambda x, K: bp.conv2d(x, K, stride=2),
    "dilated": lambda x, K: bp.conv2d(x, K, dilation=2),
}


@cache
def derivation(kind: str) -> Derivation:
    (N,) = bp.dims("N")
    x, K = bp.input("x", (N, 2, 5, 5)), bp.param("K", (2, 2, 2, 2))
    return derive(bp.Network("small", loss=bp.exp(CONVOLUTIONS[kind](x, K)).mean()).system, name="small")


def rewritten(kind: str) -> tuple[Shared, Shared]:
    before = numbered(counted(derivation(kind).system, derivation(kind).system.bound))
    return before, by_example(windows_once(before), "N")


@pytest.mark.slow
@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_values_stay(kind: str) -> None:
    before, after = rewritten(kind)
    rng = np.random.default_rng(2)
    values = {"x": rng.normal(size=(3, 2, 5, 5)), "K": rng.normal(size=(2, 2, 2, 2))}
    old, new = (evaluate(s.system, values, {"N": 3, **s.system.bound}) for s in (before, after))
    for target in (before.system.loss or "", derivation(kind).gradients["K"]):
        np.testing.assert_allclose(
            np.asarray(new[target], float), np.asarray(old[target], float), rtol=1e-12, atol=1e-14
        )


@pytest.mark.slow
def test_one_copy_serves_the_convolution_and_the_gradient_of_its_kernel() -> None:
    before, after = rewritten("valid")
    (copy,) = (e for e in after.system.equations if e.target not in before.system.defining and e.op is None)
    assert [str(e) for e in copy.shape] == ["N", "D1", "2", "2", "4", "4"]
    readers = [e.target for e in after.system.equations if copy.target in e.read_names]
    assert len(readers) == 2
    assert not any("x" in e.read_names for e in after.system.equations if e is not copy)


def test_a_gradient_is_a_sum_of_products_of_one_image() -> None:
    _, after = rewritten("valid")
    total = after.system.defining[derivation("valid").gradients["K"]]
    (part,) = (after.system.defining[name] for name in total.read_names)
    assert [str(total.extents[i]) for i in total.reduced] == ["N"]
    assert str(part.shape[0]) == "N"
    assert after.numbers[part.target] == after.numbers[total.target]


@pytest.mark.slow
def test_windows_that_one_product_reads_stay() -> None:
    (N,) = bp.dims("N")
    x, K = bp.param("x", (N, 1, 4, 4)), bp.input("K", (1, 1, 2, 2))
    base = numbered(derive(bp.Network("one", loss=bp.conv2d(x, K).sum()).system, name="one").system)
    assert windows_once(base) is base
    assert by_example(base, "N") is base
