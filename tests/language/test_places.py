"""Places as NumPy writes them: x[0], E[tok], slices of tokens; and conditions to calculate with."""

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.vector import run

N, T, D, K = 3, 4, 2, 5
rng = np.random.default_rng(3)
TOK, E = rng.integers(0, K, (N, T)), rng.normal(size=(K, D))


def both(formula):
    """The loss and the gradient by E, and the loss by NumPy."""
    n, t, d = bp.dims("N T D")
    net = bp.Network("places", loss=formula(bp.tokens("tok", (n, t), K), bp.param("E", (K, d))))
    derivation = bp.derive(net)
    found = run(derivation.system, {"tok": TOK, "E": E}, {"N": N, "T": T, "D": D})
    expected = formula(TOK, E)
    return found[derivation.system.loss], found[derivation.gradients["E"]], expected


FORMULAS = {
    "a row, an element": lambda _, E: ((E[0] - E[-1]) ** 2).sum() * E[1, -1] + abs(E[2, 0]) * E[3][1],
    "rows of tokens": lambda tok, E: (
        (E[tok] ** 2 * (tok > 1)[:, :, None]).sum() + E[tok[0, 1]].sum() * (E[:, 0][tok[:, -1]]).sum()
    ),
    "slices of tokens": lambda tok, E: (E[tok[:, 1:]] * E[tok[:, :-1]] * E[tok.T[0]][:, None]).sum(),
    "a condition is 1 or 0": lambda tok, E: (
        ((E > 0) * E**2 - E * (tok > 2).sum()).sum() + (1.0 * (E < 0.5) * (E[0] > 0) * E).mean()
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMULAS)
def test_places_are_those_of_numpy(name):
    loss, gradient, expected = both(FORMULAS[name])
    assert loss == pytest.approx(expected)
    for place in np.ndindex(E.shape):
        moved = [E.copy(), E.copy()]
        for sign, other in zip((1, -1), moved, strict=True):
            other[place] += sign * 1e-6
        above, below = (FORMULAS[name](TOK, e) for e in moved)
        assert gradient[place] == pytest.approx((above - below) / 2e-6, abs=1e-5)


def test_labels_one_step_later_are_labels():
    """The next token, as everybody declares it: the views are gone, and the classes are known."""
    n, t, d = bp.dims("N T D")
    tok, table = bp.tokens("tok", (n, t), K), bp.param("E", (K, d))
    inputs, targets = tok[:, :-1], tok[:, 1:]
    net = bp.Network(
        "next", loss=bp.cross_entropy(bp.embedding(inputs, table) @ table.T, targets, from_logits=True)
    )
    assert "[j = tok[n,l + 1]]" in str(bp.derive(net).system)


def test_places_beyond_an_axis_are_refused():
    with pytest.raises(bp.errors.ShapeError, match="place 5 is beyond axis 0"):
        bp.param("E", (K, 2))[5]


def test_what_stands_for_a_tensor_is_one():
    """Lists of tensors and numbers, conditions, masks of zeros and ones."""
    v, s = bp.param("v", (3,)), bp.param("s", ())
    b = bp.input("b", (3,), facts="binary")
    joined = bp.concat([bp.stack([s, 1.0, v[0]]), v, [4.0, 5.0]], axis=0)
    loss = (joined**2).sum() + bp.mse(v, [1, 2, 3]) + bp.where(b, v, 0).sum() + bp.mean(v > 0) * s
    derivation = bp.derive(bp.Network("lists", loss=loss + bp.reshape(joined, -1)[6]))
    values = {"v": np.array([0.5, -1.0, 2.0]), "s": np.array(3.0), "b": np.array([1.0, 0.0, 1.0])}
    found = run(derivation.system, values)
    whole = np.array([3, 1, 0.5, 0.5, -1, 2, 4, 5])
    expected = (whole**2).sum() + (0.25 + 9 + 1) / 3 + 2.5 + 2 + 4
    assert found[derivation.system.loss] == pytest.approx(expected)
    assert found[derivation.gradients["s"]] == pytest.approx(2 * 3 + 2 / 3)


def test_a_tensor_less_itself_under_another_name_has_its_axes():
    n, d = bp.dims("N D")
    w = bp.param("w", (d,))
    h = bp.input("x", (n, d)) @ w
    assert (h - h.named("g")).shape == h.shape
    assert not bp.derive(bp.Network("same", loss=(bp.relu(h - h.named("g")) + h).sum())).warnings
