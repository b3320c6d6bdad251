"""`bp.dim("T", index="t")`: an author's own letter for the index along a size."""

import pytest
import sympy

import symbp as bp
from symbp.errors import DeclarationError


def net(T, N=None, **more):
    x, w = bp.input("x", (bp.dim("N") if N is None else N, T)), bp.param("w", (T,))
    return bp.Network("net", loss=((x @ w) ** 2).sum(), **more)


@pytest.mark.parametrize("value", [None, 5])
def test_pages_call_the_index_so(value):
    found = net(bp.dim("T", value, index="s"), bp.dim("N", index="b"))
    assert found.choices.letters == {"T": "s", "N": "b"}
    assert found.system.sizes == ("N", "T")
    assert found.system.bound == ({} if value is None else {"T": 5})
    assert "dw[s] = Σ_b 2·x[b,s]·" in bp.derive(found).text()


def test_one_mention_is_enough():
    plain, lettered, valued = bp.dim("T"), bp.dim("T", index="s"), bp.dim("T", 5)
    x, w, u = bp.input("x", (bp.dim("N"), plain)), bp.param("w", (lettered,)), bp.param("u", (valued,))
    found = bp.Network("net", loss=((x @ w + x @ u) ** 2).sum())
    assert found.choices.letters == {"T": "s"}
    assert found.system.bound == {"T": 5}
    assert {str(e) for t in found.system.leaves for e in t.shape} == {"N", "T"}


def test_letters_of_the_network_may_say_the_same():
    assert net(bp.dim("T", index="s"), letters={"T": "s", "N": "b"}).choices.letters == {"T": "s", "N": "b"}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (lambda: net(bp.dim("T", index="s"), letters={"T": "t"}), "along T has two letters, s and t"),
        (lambda: net(bp.dim("T", index="s"), bp.dim("N", index="s")), "it is the index along . already"),
        (lambda: net(bp.dim("T", index="x")), "x can't be the index along T: it is a tensor already"),
        (lambda: net(bp.dim("T", index="N")), "N can't be the index along T: it is a size already"),
        (lambda: net(bp.dim("T"), letters={"T": "w"}), "it is a tensor already"),
        (lambda: bp.dim("T", index="2"), "can't be the name of an index"),
    ],
)
def test_what_cannot_be(declared, message):
    with pytest.raises(DeclarationError, match=message):
        declared()


def test_two_mentions_with_two_letters():
    x = bp.input("x", (bp.dim("N"), bp.dim("T", index="s")))
    w = bp.param("w", (bp.dim("T", index="r"),))
    with pytest.raises(DeclarationError, match="the index along T has two letters"):
        bp.Network("net", loss=((x @ w) ** 2).sum())


def test_a_size_that_sympy_has_forgotten_is_the_same():
    """Its cache is bounded: a size declared again may be another object, and equal."""
    first = bp.dim("T", 5)
    sympy.core.cache.clear_cache()
    second = bp.dim("T", 5)
    assert first == second
    x, w = bp.input("x", (bp.dim("N"), first)), bp.param("w", (second,))
    assert bp.Network("net", loss=((x @ w) ** 2).sum()).system.bound == {"T": 5}
