"""What a page calls a derivative is that derivative: its value is that of the chain rule, taken anew."""

import numpy as np
import pytest

import symbp as bp
from symbp.derive.sweep.reverse import adjoints
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_point
from symbp.read.indices import axis_letters, lengths
from symbp.read.symbols import differentials, symbols

NETS = ["mlp", "char_rnn", "char_lstm", "char_gru", "crf", "moe", "pinn", "ssm", "vae", "resnet_mlp", "gpt"]


def forward(derivation):
    """The forward equations alone."""
    backward = {e.target for e in derivation.backward}
    return derivation.system.without(backward)


def whole(derivation):
    """The tensors that are said to be derivatives of the loss, with what they are by; and their summands."""
    loss, known = derivation.system.loss, differentials(derivation)
    defined = derivation.system.defining
    mine = {n: d for n, d in known.items() if d.of == loss and not d.whole and n in defined}
    return (
        {n: d.by for n, d in mine.items() if not d.part},
        {n: d.by for n, d in mine.items() if d.part},
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_a_tensor_is_the_derivative_that_it_is_called(known, name):
    derivation = known(name)
    derivatives, _ = whole(derivation)
    assert set(derivation.gradients.values()) <= set(derivatives)
    first = forward(derivation)
    raw = adjoints(first, derivation.system.loss, sorted(set(derivatives.values())))
    sizes, values = sample_point(derivation.system, 5)
    closed, again = run(derivation.system, values, sizes), run(raw.system, values, sizes)
    for tensor, by in derivatives.items():
        np.testing.assert_allclose(closed[tensor], again[raw.gradients[by]], rtol=1e-7, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["char_rnn", "char_lstm", "char_gru", "pinn", "gpt"])
def test_summands_are_added_up(known, name):
    """Each summand of a derivative on the page occurs as it is, or the derivative isn't on the page."""
    derivation = known(name)
    derivatives, parts = whole(derivation)
    assert parts
    for part, by in parts.items():
        for tensor in (n for n, other in derivatives.items() if other == by):
            assert part in derivation.system.defining[tensor].read_names


@pytest.mark.slow
def test_letters_of_axes_are_one_each(known):
    for name in NETS:
        system = known(name).system
        words = set(system.by_name) | set(system.sizes)
        found = axis_letters(system, words)
        assert len(set(found.values())) == len(found)
        assert not set(found.values()) & words
        assert not {size.name for size in lengths(system, words).values()} & words


@pytest.mark.slow
def test_many_helpers_take_no_time():
    """Symbols are found in time that grows with their number, not with its square."""
    N = bp.dim("N")
    h = bp.input("x", (N,))
    for _ in range(150):
        h = bp.tanh(h * 2 + 1)
    derivation = bp.derive(bp.Network("deep", loss=bp.mse(h * bp.param("w", ()), bp.target("y", (N,)))))
    found = symbols(derivation)
    assert len(set(found.text.values())) == len(found.text)
