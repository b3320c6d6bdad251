"""The simplest repair of a gradient that was answered wrong, found and named."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from asked import compared, derived
from written_passes import PASSES, SLIPS

from symbp.verify.against.answer import Compared, Seen
from symbp.verify.against.repairs import find_repair
from symbp.verify.against.repairs.preparing import shops
from symbp.verify.against.repairs.search import KINDS

LONG = bool(os.environ.get("SYMBP_LONG"))


def wrong_kinds(net: str, every: int = 1) -> list[str]:
    """Of the slips of a net, those that weren't found or are of another kind."""
    missed = []
    for tensor, old, new, kind in SLIPS[net][::every]:
        source = PASSES[net]
        assert old in source
        one, given = compared(net, source.replace(old, new), tensor)
        repair = find_repair(derived(net), one, given)
        if repair is None or repair.slip != kind:
            missed.append(f"{tensor}: {old} => {new}: {repair}")
    return missed


@pytest.mark.slow
def test_slips_of_a_feedforward_net() -> None:
    assert not wrong_kinds("mlp", 1 if LONG else 2)


@pytest.mark.slow
@pytest.mark.parametrize("net", ["attention", "batch_norm", "vae", "char_lstm"])
def test_slips_of_other_nets(net: str) -> None:
    assert not wrong_kinds(net, 1 if LONG else 4)


def hint(net: str, tensor: str, old: str, new: str) -> str:
    one, given = compared(net, PASSES[net].replace(old, new), tensor)
    repair = find_repair(derived(net), one, given)
    assert repair is not None
    return repair.hint


@pytest.mark.slow
def test_hints_say_what_to_do() -> None:
    assert hint("mlp", "dW2", "da2 = da2 / N", "pass") == "dW2 is N times too large: divide by N"
    assert "h[n,j]" in hint("mlp", "dW1", "(1 - h**2)", "(1 - a1**2)")
    assert hint("mlp", "dW1", "dz1 = dh * (1 - h**2)", "dz1 = dh").endswith("is missing: 1 - h[n,j]²")
    decayed = hint("mlp", "dW1", "dW1 = x.T @ dz1", "dW1 = x.T @ dz1 + 0.1 * W1")
    assert decayed == "0.1·W1[i,j] is added to dW1: it doesn't belong there"


@pytest.mark.slow
def test_two_slips_at_once() -> None:
    """A slope that is missing, and a factor: both are said."""
    told = hint("mlp", "dW1", "dz1 = dh * (1 - h**2)", "dz1 = -3 * dh")
    assert "slope of h is missing" in told
    assert "3 times too large and has the wrong sign" in told


def test_what_only_follows_needs_no_repair() -> None:
    """dW1 is made of a wrong dz1, which was answered, too."""
    source = PASSES["mlp"].replace("dz1 = dh * (1 - h**2)", "dz1 = dh * (1 - h)")
    one, given = compared("mlp", source, "dW1", ("dz1",))
    assert find_repair(derived("mlp"), one, given) is None
    own, given = compared("mlp", source.replace("dW1 = x.T", "dW1 = -x.T"), "dW1", ("dz1",))
    repair = find_repair(derived("mlp"), own, given)
    assert repair is not None
    assert repair.slip == "sign"


def noise(one: Compared) -> Compared:
    rng = np.random.default_rng(3)
    return replace(one, seen=tuple(Seen(s.point, s.right, rng.normal(size=s.right.shape)) for s in one.seen))


@pytest.mark.slow
def test_no_repair_of_noise_of_nan_or_without_time() -> None:
    one, given = compared("mlp", PASSES["mlp"], "dW1")
    assert find_repair(derived("mlp"), noise(one), given) is None
    nan = tuple(Seen(s.point, s.right, s.right * np.nan) for s in one.seen)
    assert find_repair(derived("mlp"), replace(one, seen=nan), given) is None
    assert find_repair(derived("mlp"), noise(one), given, seconds=0) is None


def test_one_point_tells_nothing() -> None:
    one, given = compared("mlp", PASSES["mlp"].replace("da2 / N", "da2"), "dW2")
    assert find_repair(derived("mlp"), replace(one, seen=one.seen[:1]), given) is None


def test_single_precision_is_enough() -> None:
    one, _ = compared("mlp", PASSES["mlp"].replace("dz1 = dh * (1 - h**2)", "dz1 = dh"), "dW1")
    short = tuple(Seen(s.point, s.right, s.answered.astype(np.float32)) for s in one.seen)
    repair = find_repair(derived("mlp"), replace(one, seen=short), {})
    assert repair is not None
    assert repair.slip == "missing slope"


@pytest.mark.slow
def test_changed_equations_are_explained() -> None:
    """Whatever an equation is changed to, as the search itself would, something is found that undoes it."""
    derivation = derived("mlp")
    one, _ = compared("mlp", PASSES["mlp"], "dW1")
    shop = shops(derivation, one, {}, lambda: None)[0]
    mutants = [m for kind in KINDS for e in shop.bench.between for m in kind(shop, e)]
    told = 0
    for mutant in mutants[:: 1 if LONG else 9]:
        arrays = [shop.bench.changed(k, mutant.changed, mutant.helpers) for k in range(len(one.seen))]
        found = [a for a in arrays if a is not None and np.isfinite(a).all() and np.abs(a).max() < 1e6]
        if len(found) < len(one.seen) or all(
            np.allclose(a, s.right) for a, s in zip(found, one.seen, strict=True)
        ):
            continue
        seen = tuple(Seen(s.point, s.right, a) for s, a in zip(one.seen, found, strict=True))
        assert find_repair(derivation, replace(one, seen=seen), {}) is not None, mutant
        told += 1
    assert told > 5
