"""Shapes of random stacks of convolutions and pooling beside PyTorch's, and what composes with what."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.language.sizes import value_of

torch = pytest.importorskip("torch")
F = torch.nn.functional
N = bp.dim("N")

KINDS = ["conv", "transposed", "max", "avg", "nearest", "adaptive", "unshuffled"]
LAYER = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "kernel": st.integers(1, 4),
        "stride": st.integers(1, 3),
        "padding": st.integers(0, 2),
        "dilation": st.integers(1, 2),
        "extra": st.integers(0, 2),
        "ceil": st.booleans(),
    }
)


def both(layer, ours, theirs):
    """One layer of each kind, of ours and of PyTorch's."""
    k, s, p, d = layer["kernel"], layer["stride"], layer["padding"], layer["dilation"]
    kind = layer["kind"]
    if kind == "conv":
        own = bp.conv1d(ours, bp.param("K", (2, 2, k)), stride=s, padding=p, dilation=d)
        return own, F.conv1d(theirs, torch.zeros(2, 2, k), stride=s, padding=p, dilation=d)
    if kind == "transposed":
        options = {"stride": s, "padding": p, "output_padding": layer["extra"], "dilation": d}
        own = bp.conv_transpose1d(ours, bp.param("K", (2, 2, k)), **options)
        return own, F.conv_transpose1d(theirs, torch.zeros(2, 2, k), **options)
    if kind in ("max", "avg"):
        options = {"stride": s, "padding": min(p, k // 2), "ceil_mode": layer["ceil"]}
        options |= {"dilation": d} if kind == "max" else {}
        return getattr(bp, f"{kind}_pool1d")(ours, k, **options), getattr(F, f"{kind}_pool1d")(
            theirs, k, **options
        )
    if kind == "nearest":
        return bp.interpolate(ours, scale_factor=s), F.interpolate(theirs, scale_factor=s)
    if kind == "adaptive":
        return bp.adaptive_avg_pool1d(ours, k), F.adaptive_avg_pool1d(theirs, k)
    halved = theirs.reshape(theirs.shape[0], 2, -1, 2)[..., 0]
    return bp.reshape(ours, (N, 2, -1, 2))[:, :, :, 0], halved


def stacked(layers, length, declared):
    """The extents of ours and of PyTorch's after each layer, as far as PyTorch goes."""
    ours, theirs = bp.input("x", (N, 2, declared)), torch.zeros(1, 2, length)
    found = []
    for layer in layers:
        try:
            _, theirs = both(layer, bp.input("x", (N, 2, theirs.shape[2])), theirs)
        except (RuntimeError, ShapeError, DeclarationError):
            break
        if not 1 <= theirs.shape[2] < 40:
            break
        ours, _ = both(layer, ours, torch.zeros(1, 2, found[-1][1] if found else length))
        found.append((ours.shape[2], theirs.shape[2]))
    return found


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(LAYER, min_size=1, max_size=4), st.integers(3, 24), st.sampled_from(["integer", "named", "open"])
)
def test_shapes_are_those_of_pytorch(layers, length, how):
    declared = {"integer": length, "named": bp.dim("L", length), "open": bp.dim("L")}[how]
    for extent, expected in stacked(layers, length, declared):
        bound = extent.xreplace({bp.dim("L"): bp.dim("L", length)})
        assert value_of(bound) == expected
