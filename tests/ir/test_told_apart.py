"""Sizes that differ where they must: extents and sizes that a net's own numbers make alike."""

from __future__ import annotations

from typing import Any

import pytest

import symbp as bp
from symbp.ir.expr import FloorDiv
from symbp.ir.points.fitting import constraints, sample_sizes


def after_one(shape: tuple[int, ...], **options: Any) -> bp.Network:
    """A padded convolution of what one with a kernel of 1 gives."""
    (N,) = bp.dims("N")
    x, Q, K = bp.input("x", (N, 16, 28, 28)), bp.param("Q", (16, 16, 1, 1)), bp.param("K", shape)
    return bp.Network("net", loss=(bp.conv2d(bp.conv2d(x, Q), K, **options) ** 2).mean())


@pytest.mark.slow
@pytest.mark.few(slow=2)
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((16, 1, 3, 3), {"groups": 16, "padding": 1}),
        ((16, 1, 3, 3), {"groups": 16, "padding": 1, "stride": 2}),
        ((32, 4, 3, 3), {"groups": 4, "padding": 1}),
        ((32, 16, 3, 3), {"padding": 1}),  # two points are not enough
    ],
)
def test_padded_and_grouped_behind_a_kernel_of_one(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    net = after_one(shape, **options)
    assert set(bp.derive(net).gradients) == {"Q", "K"}  # deriving confirms the closed forms in 50 digits


def test_channels_of_a_padded_image_stay_where_they_were_declared_to_be() -> None:
    system = after_one((16, 1, 3, 3), groups=16, padding=1).system
    (padded,) = [r for r in constraints(system).reaches if r.subscript.expr.has(FloorDiv)]
    sizes = sample_sizes(system)
    assert padded.stays(sizes)
    more_filters = {**sizes, "D7": sizes["D7"] + 8}  # half of them belong to no group
    assert padded.stays(more_filters) is False
    assert not constraints(system).hold(more_filters)
