"""Each net of the gallery at extreme points, in generated code: what loses digits is known, with the reason.

Minor findings (less than the rounding of ordinary gradients) are those of the published forms p − y and
1 − h², and of gradients that nearly vanish.
"""

from __future__ import annotations

import pytest

import symbp as bp
from symbp.cli.check_extremes import compiled
from symbp.gallery import GALLERY

SLOPE = "1 − h² of saved, saturated h: the published slope; what is left of it is rounding of h"
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("batch_norm", "z_hat"): "the mean is rounded at the size of the values, and is subtracted from them",
    (
        "batch_norm",
        "dz",
    ): "Σ_n dz is 0, and dW = Σ_n x·dz: the data's offset multiplies what dz is rounded by",
    ("dropout", "dz1"): SLOPE,
    ("resnet_mlp", "dz1"): SLOPE,
    ("gpt", "dS"): "scores of 1e4, dp of as many: dp − Σ p·dp is what they are rounded by",
    ("gpt", "dWk2"): "3e-6 beside gradients of 1e1: what dS is rounded by",
    (
        "gpt",
        "da6",
    ): "what a layer norm subtracts is nearly all of it, and the rounding goes from layer to layer",
    ("gpt", "da5"): "open: 1 − tanh² in the slope of gelu's tanh form, far out on the left",
}
"""What is known to be lost, by net and tensor, with the reason."""
FAST = ("logistic_regression", "softmax_regression", "attention")


@pytest.mark.few(fast=1)
@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in GALLERY]
)
def test_a_net_keeps_its_digits(name: str) -> None:
    net = GALLERY[name].load().net
    derivation = bp.derive(net)
    module, sizes = compiled(net, derivation, "numpy", {})
    report = bp.check_extremes(net, derivation=derivation, sizes=sizes, module=module)
    lost = {
        (finding.place.tensor if finding.place is not None else "", finding.point): str(finding)
        for finding in report.findings
        if not finding.is_minor
    }
    assert not {key: text for key, text in lost.items() if (name, key[0]) not in EXCEPTIONS}


def test_every_exception_is_of_a_net() -> None:
    assert {name for name, _ in EXCEPTIONS} <= set(GALLERY)
