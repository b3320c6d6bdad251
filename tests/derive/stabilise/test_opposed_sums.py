"""A sum that is subtracted from what it adds up stays made of it, however cheaply it could be had."""

from __future__ import annotations

import symbp as bp


def attention() -> bp.Network:
    """One query for each row; Σ_t p·dp is do·o, which costs less where there are more keys than features."""
    N, T, D = bp.dims("N T D")
    q, k = bp.param("q", (N, D)), bp.param("k", (T, D))
    v, y = bp.param("v", (T, D)), bp.target("y", (N, D))
    return bp.Network("attention", loss=((bp.softmax(q @ k.T) @ v - y) ** 2).sum() / 2)


def test_what_a_softmax_subtracts_is_made_of_what_it_is_subtracted_from() -> None:
    derivation = bp.derive(attention())
    defined = derivation.system.defining
    (total,) = (e for e in derivation.backward if e.op == "sum" and len(e.indices) == 1)  # Σ_t dp·p
    reader = next(e for e in derivation.backward if total.target in e.read_names)
    shared = {name for name in reader.read_names if name in total.read_names}
    assert any(defined[name].op == "sum" for name in shared - {"p"})  # dp, in both
