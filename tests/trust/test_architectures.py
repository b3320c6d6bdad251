"""Named architectures, declared as in PyTorch with integers, have PyTorch's gradients."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from architectures import ARCHITECTURES, errors

LONG = ("resnet18", "unet")  # a minute each
MARKS = {name: [pytest.mark.slow, *[pytest.mark.long] * (name in LONG)] for name in ARCHITECTURES}


@pytest.mark.parametrize("name", [pytest.param(n, marks=marks) for n, marks in MARKS.items()])
def test_gradients_are_pytorchs(name: str) -> None:
    found = errors(ARCHITECTURES[name])
    worst = max(found, key=lambda n: found[n])
    assert found[worst] <= 1e-9, f"d{worst} differs by {found[worst]:.2g} of its largest entry"
