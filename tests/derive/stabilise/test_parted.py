"""Derivatives by a tensor that isn't a leaf hold, although the forward pass is put otherwise."""

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.vector import Run
from symbp.ir.points.sampling import sample_point
from symbp.verify.proofs import prove

STEP = 1e-30


def softmax_read_twice():
    """log p is computed without p."""
    N, D, K = bp.dims("N D K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    p = bp.softmax(x @ bp.param("W", (D, K)))
    return bp.Network("net", loss=bp.cross_entropy(p, y) + bp.mean(bp.sin(p)), outputs={"p": p})


def equal_definitions():
    """Only one of p and q is computed."""
    N, D, H = bp.dims("N D H")
    x, W = bp.input("x", (N, D)), bp.param("W", (D, H))
    p, q = (x @ W).named("p"), (x @ W).named("q")
    return bp.Network("net", loss=bp.mean(p**3) + bp.mean(bp.sin(q)))


@pytest.mark.parametrize("declare", [softmax_read_twice, equal_definitions])
def test_by_a_hidden_tensor(declare):
    """Against the complex step, with the tensor as a leaf of the declaration."""
    derivation = bp.derive(declare(), wrt=["p", "W"])
    sizes, values = sample_point(derivation.system, 3)
    found = Run(derivation.system, values, sizes).tensor(derivation.gradients["p"])
    declared = derivation.declared
    p = Run(declared, values, sizes).tensor("p")
    alone = declared.with_(equations=tuple(e for e in declared.equations if e.target != "p"))
    for place in np.ndindex(*p.shape):
        moved = p.astype(complex)
        moved[place] += STEP * 1j
        loss = Run(alone, {**values, "p": moved}, sizes).tensor("loss")
        np.testing.assert_allclose(found[place], loss.imag / STEP, rtol=1e-12, atol=1e-14)
    assert prove(derivation).ok
    assert "_given" not in str(derivation.system)
    assert derivation.system.outputs == declared.outputs


@pytest.mark.slow
def test_by_a_state():
    """In a recurrence, whose readers are its own next step, too."""
    T, N, H = bp.dims("T N H")
    net = bp.Network("net", loss=bp.mean(bp.log(bp.softmax(bp.nn.RNN(H)(bp.input("x", (N, T, H)))))))
    first, second = (
        bp.derive(net, wrt=wrt) for wrt in (None, ["h1", *[t.name for t in net.system.parameters]])
    )
    sizes, values = sample_point(first.system, 3)
    one, other = Run(first.system, values, sizes), Run(second.system, values, sizes)
    slope = 1 - one.tensor("h1") ** 2
    by_state = other.tensor(second.gradients["h1"])
    np.testing.assert_allclose(by_state * slope, one.tensor("dr_h1"), rtol=1e-10, atol=1e-14)
    for by, gradient in first.gradients.items():
        found = other.tensor(second.gradients[by])
        np.testing.assert_allclose(found, one.tensor(gradient), rtol=1e-10, atol=1e-14)
