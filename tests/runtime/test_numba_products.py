"""Matrix products of the Numba target in tiles: all layouts, edges of tiles, sums longer than one panel."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from symbp.codegen.carry import whole

SHAPES = [
    (1, 1, 1),
    (8, 5, 32),
    (16, 300, 64),
    (7, 3, 10),
    (33, 17, 50),
    (9, 257, 31),
    (64, 513, 40),
    (3, 0, 4),
]


def plain(dtype: Any) -> dict[str, Any]:
    """What a generated module has of products, before anything is compiled."""
    scope = {"np": np, "DTYPE": dtype, "Any": Any, "Array": np.ndarray, "Callable": Callable}
    scope["import_module"] = import_module
    scope |= dict.fromkeys(("kernel", "intrinsics"), lambda function: function)
    exec(whole(["numba/vectors", "numba/products"]).text, scope)
    return scope


@pytest.fixture(scope="module", params=[np.float32, np.float64])
def product(request: Any) -> Any:
    import numba

    scope = plain(request.param)
    made = scope["_vector_intrinsics"]()
    if not made:
        pytest.skip("the processor has no registers of 512 bits")
    scope |= made
    for name in ("_pack", "_multiply", "_product_in_tiles"):
        scope[name] = numba.njit(error_model="numpy", fastmath={"contract"})(scope[name])
    return request.param, scope["_product_in_tiles"]


@pytest.mark.few(slow=16)
@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_products_in_all_layouts(product: Any, shape: tuple[int, int, int], turned: tuple[int, int]) -> None:
    """Nothing beside the target is written, and what it held before is gone."""
    dtype, function = product
    (rows, summed, columns), rng = shape, np.random.default_rng(2)
    left, right = rng.integers(-9, 9, (rows, summed)), rng.integers(-9, 9, (summed, columns))
    operands = [
        np.asfortranarray(a.astype(dtype)) if t else a.astype(dtype)
        for a, t in zip((left, right), turned, strict=True)
    ]
    around = np.full(rows * columns + 2, np.nan, dtype)
    target = around[1:-1].reshape(rows, columns)
    function(*operands, target)
    np.testing.assert_array_equal(target, left @ right)  # whole numbers: exactly
    assert np.isnan(around[[0, -1]]).all()


@pytest.mark.slow
def test_views_with_steps_between_columns(product: Any) -> None:
    dtype, function = product
    left, right = (np.arange(1200, dtype=dtype).reshape(20, 60) % 7 for _ in range(2))
    target = np.empty((20, 40), dtype)
    expected = np.ascontiguousarray(left[:, ::3]) @ np.ascontiguousarray(right[:, 1:41])
    function(left[:, ::3], right[:, 1:41], target)
    np.testing.assert_array_equal(target, expected)


@pytest.mark.slow
def test_what_is_not_a_number_stays_in_its_row_and_column(product: Any) -> None:
    dtype, function = product
    left, right = np.ones((9, 20), dtype), np.ones((20, 35), dtype)
    left[4, 3], right[7, 33] = np.nan, np.inf
    target = np.empty((9, 35), dtype)
    function(left, right, target)
    np.testing.assert_array_equal(target, left @ right)


def test_without_tiles_the_product_is_the_librarys() -> None:
    rng = np.random.default_rng(1)
    left, right, target = rng.normal(size=(3, 4)), rng.normal(size=(4, 5)), np.empty((3, 5))
    plain(np.float64)["_product"](left, right, target)
    np.testing.assert_allclose(target, left @ right, rtol=1e-14)
