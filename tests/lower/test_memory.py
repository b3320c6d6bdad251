"""Where buffers lie: never on each other while both are needed, and no further apart than they must."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.errors import LoweringError
from symbp.ir.build import sizes
from symbp.ir.expr import FloorDiv
from symbp.lower.memory.liveness import Life
from symbp.lower.memory.plan import LINE, Buffer, MemoryPlan, Placement, plan, validate

N, H, K = sizes("N H K")
SIZES = [{"N": 1, "H": 1, "K": 1}, {"N": 7, "H": 3, "K": 11}, {"N": 2, "H": 64, "K": 5}]


def life(*stretches: tuple[int, int], run: str = "step") -> Life:
    return Life({run: stretches}, stretches[0][0], stretches[-1][1])


def starts(found: MemoryPlan) -> dict[str, Any]:
    return {place.buffer.name: place.start for place in found.places}


def test_buffers_of_different_times_share_memory() -> None:
    found = plan([Buffer("a", (N, H), life((0, 1))), Buffer("b", (N, H), life((2, 3)))])
    assert starts(found) == {"a": 0, "b": 0}
    assert found.lengths == {"reals": N * H, "integers": 0, "flags": 0}


def test_buffers_of_one_moment_do_not() -> None:
    found = plan([Buffer("a", (N, H), life((0, 1))), Buffer("b", (N, H), life((1, 3)))])
    assert starts(found) == {"a": 0, "b": N * H}


def test_runs_that_never_happen_together_share_memory() -> None:
    found = plan([Buffer("a", (N,), life((0, 9))), Buffer("b", (N,), life((0, 9), run="values"))])
    assert found.lengths["reals"] == N


def test_a_gap_that_is_provably_large_enough_is_taken() -> None:
    buffers = [
        Buffer("a", (N, 3 * H), life((0, 2))),
        Buffer("b", (N, H), life((0, 9))),
        Buffer("c", (N, H), life((5, 9))),
        Buffer("d", (N, 2 * H), life((4, 6))),
    ]
    found = plan(buffers)
    assert found.lengths["reals"] == 4 * N * H
    validate(found, SIZES)


def test_what_no_proof_compares_stays_apart_but_equal_shapes_share() -> None:
    buffers = [
        Buffer("a", (N, H), life((0, 1))),
        Buffer("b", (N, K), life((2, 3))),
        Buffer("c", (N, H), life((4, 5))),
        Buffer("d", (N, FloorDiv(H - K, 2)), life((6, 7))),
        Buffer("e", (N, FloorDiv(H - K, 2)), life((8, 9))),
    ]
    found = plan(buffers)
    assert found.lengths["reals"] == sympy.Max(N * H, N * K, N * FloorDiv(H - K, 2))
    validate(found)


def test_what_takes_anothers_place_lies_there_and_keeps_it() -> None:
    buffers = [
        Buffer("a", (N,), life((0, 1))),
        Buffer("b", (N,), life((1, 4)), instead="a"),
        Buffer("c", (N,), life((2, 3))),
    ]
    found = plan(buffers)
    assert starts(found) == {"a": 0, "b": 0, "c": N}
    validate(found, SIZES)
    with pytest.raises(LoweringError, match="b cannot take the place of a"):
        plan([buffers[0], Buffer("b", (N, H), life((1, 4)), instead="a")])


def test_arenas_are_separate() -> None:
    found = plan([Buffer("a", (N,), life((0, 1))), Buffer("b", (N,), life((0, 1)), "integers")])
    assert found.lengths == {"reals": N, "integers": N, "flags": 0}
    assert found.bytes(4) == 12 * N


def test_the_validator_finds_what_overlaps() -> None:
    a, b = Buffer("a", (N, H), life((0, 1))), Buffer("b", (N, H), life((1, 2)))
    with pytest.raises(LoweringError, match="a and b are needed at the same time and overlap"):
        validate(MemoryPlan((Placement(a, 0 * N), Placement(b, N)), {"reals": 2 * N * H}))
    with pytest.raises(LoweringError, match="b ends at"):
        validate(MemoryPlan((Placement(a, 0 * N), Placement(b, N * H)), {"reals": N * H}))
    longer = Buffer("b", (N, H), life((0, 2)), instead="a")
    with pytest.raises(LoweringError, match="share memory for more than one moment"):
        validate(MemoryPlan((Placement(a, 0 * N), Placement(longer, 0 * N)), {"reals": N * H}))


def test_no_extent_is_negative() -> None:
    a, b = Buffer("a", (N, H - 3), life((0, 1))), Buffer("b", (N,), life((0, 1)))
    lengths = {"reals": 2 * N * (H - 3) + N}
    validate(MemoryPlan((Placement(a, 0 * N), Placement(b, 2 * N * (H - 3))), lengths))
    with pytest.raises(LoweringError, match="a and b are needed at the same time and overlap"):
        validate(MemoryPlan((Placement(a, 0 * N), Placement(b, N * (H - 4))), lengths))
    with pytest.raises(LoweringError, match="b ends at"):
        validate(MemoryPlan((Placement(a, 0 * N), Placement(b, 2 * N * (H - 3) + 1)), lengths))


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(1, 14))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_plan_is_valid_and_no_longer_than_its_buffers(draw: random.Random, count: int) -> None:
    shapes = [(N, H), (N, K), (H, K), (N,), (), (2 * N, H), (N, H + K), (N, FloorDiv(K, 2)), (N, H, K)]
    buffers = []
    for k in range(count):
        spans = {}
        for run in draw.choice([("step",), ("values",), ("step", "values")]):
            first = draw.randrange(12)
            spans[run] = ((first, first + draw.randrange(6)),)
        buffers.append(Buffer(f"b{k}", draw.choice(shapes), Life(spans, 0, 0)))
    found = plan(buffers)
    validate(found, SIZES)
    total = sum(b.count for b in buffers)
    assert int((total - found.lengths["reals"]).subs({N: 5, H: 7, K: 3})) > -LINE


def test_the_plan_prints_itself() -> None:
    text = str(plan([Buffer("a", (N, H), life((1, 4))), Buffer("b", (), life((2, 5)))]))
    assert text.splitlines()[1].split() == ["a", "(N,", "H)", "reals", "0", "…", "H·N", "(1)", "to", "(4)"]
    assert text.splitlines()[-1] == "reals: H·N + 1"


@pytest.mark.slow
def test_hundreds_of_buffers_are_placed() -> None:
    layers = [Buffer(f"h{k}", (N, H), life((k, 600 - k))) for k in range(200)]
    scratch = [Buffer(f"s{k}", (N, H), life((600 - k, 601 - k))) for k in range(200)]
    found = plan([*layers, *scratch])
    assert found.lengths["reals"] == 201 * N * H  # all layers, one scratch read and one filled
