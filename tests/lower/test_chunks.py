"""A step in chunks of the batch computes what the whole step computes, or is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

from symbp.derive import derive
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Guard, Size
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Fact, Role, System
from symbp.lower.passes.batch_split import Barrier, BatchSplit, split

N, T, D, H, K = sizes("N T D H K")
n, m, t, i, j, k = indices("n m t i j k")
COUNTS = {"N": 7, "T": 4, "D": 3, "H": 4, "K": 5}


def in_chunks(whole: System, found: BatchSplit, values: dict[str, Any], parts: list[range]) -> dict[str, Any]:
    """What the step in chunks computes: private parts added, rows put together, then what comes after."""
    counts = {size: COUNTS[size] for size in whole.sizes if size in COUNTS}
    total: dict[str, Any] = {}
    pieces: dict[str, list[Any]] = {}
    for part in parts:
        own = {name: a[part.start : part.stop] if name in found.axis else a for name, a in values.items()}
        point = Run(found.system, own, {**counts, "rows": len(part)})
        for name, phase in found.phase.items():
            if phase == "chunk":
                array = point.tensor(name)
                if name in found.partial:
                    total[name] = total.get(name, 0) + array
                else:
                    pieces.setdefault(name, []).append(array)
    joined = {name: np.concatenate(arrays, found.axis[name]) for name, arrays in pieces.items()}
    last = Run(whole, values, counts)
    for name, array in {**total, **joined}.items():
        last.define(name, array)
    return {name: last.tensor(name) for name in found.phase}


def check_in_chunks(system: System) -> BatchSplit:
    derivation = derive(system)
    gradients = [derivation.gradients[p.name] for p in system.parameters]
    assert system.loss is not None
    found = split(derivation.system, N, [system.loss, *gradients, *system.outputs])
    assert isinstance(found, BatchSplit), str(found)
    counts = {size: COUNTS[size] for size in derivation.system.sizes}
    _, values = sample_point(derivation.system, 3, sizes=counts)
    whole = Run(derivation.system, values, counts)
    for parts in ([range(4), range(4, 7)], [range(1), range(1, 6), range(6, 7)], [range(7)]):
        for name, array in in_chunks(derivation.system, found, values, parts).items():
            np.testing.assert_allclose(array, whole.tensor(name), rtol=1e-12, atol=1e-13, err_msg=name)
    return found


def classifier(b: SystemBuilder, h: Any) -> Any:
    """The loss of each example from hidden values (N, H)."""
    V = b.leaf("V", H, K, role=Role.PARAMETER)
    y = b.leaf("y", N, integer=True, role=Role.TARGET, facts=[Fact("below", bound=K)])
    z = b.define("z", [n, k], h(n, j) * V(j, k), "sum", [j])
    top = b.define("top", [n], z(n, k), "max", [k], constant=True)
    s = b.define("s", [n], sympy.exp(z(n, k) - top(n)), "sum", [k])
    return b.define("data", [], (sympy.log(s(n)) + top(n) - z(n, y(n))) / N, "sum", [n])


@pytest.mark.slow
def test_a_decay_of_the_weights_runs_after_the_chunks_and_their_norm_before() -> None:
    b = SystemBuilder()
    x = b.leaf("x", N, D)
    v = b.leaf("v", D, H, role=Role.PARAMETER)
    norm = b.define("norm", [j], v(i, j) ** 2, "sum", [i])
    h = b.define("h", [n, j], x(n, i) * v(i, j) / sympy.sqrt(norm(j) + 1), "sum", [i])
    a = b.define("a", [n, j], sympy.tanh(h(n, j)))
    data = classifier(b, a)
    decay = b.define("decay", [], v(i, j) ** 2, "sum", [i, j])
    b.define("loss", [], data() + decay() / 100, role=Role.LOSS)
    found = check_in_chunks(b.system("loss"))
    assert found.phase["norm"] == "before"
    assert found.phase["loss"] == "after"
    assert found.phase["h"] == "chunk"
    assert "data" in found.partial


@pytest.mark.slow
def test_a_recurrence_runs_in_each_chunk() -> None:
    b = SystemBuilder()
    x = b.leaf("x", N, T, D)
    W, U = b.leaf("W", D, H, role=Role.PARAMETER), b.leaf("U", H, H, role=Role.PARAMETER)
    a = b.define("a", [t, n, j], x(n, t, i) * W(i, j), "sum", [i])
    h = b.declare("h", T, N, H)
    r = b.define("r", [t, n, j], h(t - 1, n, i, outside=0) * U(i, j), "sum", [i], ranges={t: T})
    b.define("h", [t, n, j], sympy.tanh(a(t, n, j) + r(t, n, j)))
    last = b.define("last", [n, j], h(T - 1, n, j))
    classifier(b, last)
    found = check_in_chunks(b.system("data"))
    assert found.axis["h"] == 1


@pytest.mark.parametrize("kind", ["mean over the batch", "pairs", "place", "neighbour", "max", "flattened"])
def test_what_needs_the_whole_batch_is_named(kind: str) -> None:
    b = SystemBuilder()
    x = b.leaf("x", N, H)
    if kind == "mean over the batch":
        mu = b.define("mu", [j], x(n, j) / N, "sum", [n])
        b.define("h", [n, j], x(n, j) - mu(j))
    elif kind == "pairs":
        b.define("h", [n, m], x(n, j) * x(m, j), "sum", [j])
    elif kind == "place":
        b.define("h", [n, j], x(n, j) * Guard("=", n, 0))
    elif kind == "neighbour":
        b.define("h", [n, j], x(n - 1, j, outside=0) + x(n, j))
    elif kind == "max":
        b.define("h", [j], x(n, j), "max", [n])
    else:
        w = b.leaf("w", N * H)
        b.define("h", [n, j], x(n, j) * w(n * H + j))
    found = split(b.system(), Size("N"), ["h"])
    assert isinstance(found, Barrier)
    expected = {
        "mean over the batch": "needs mu of the whole batch",
        "pairs": "pairs examples",
        "place": "an example's place",
        "neighbour": "another example than its own",
        "max": "takes the max over the batch",
        "flattened": "mixes the batch",
    }
    assert expected[kind] in str(found)


def test_only_what_is_wanted_counts() -> None:
    b = SystemBuilder()
    x = b.leaf("x", N, H)
    b.define("best", [j], x(n, j), "max", [n])
    b.define("loss", [], x(n, j), "sum", [n, j])
    assert isinstance(split(b.system(), Size("N"), ["loss"]), BatchSplit)
    assert isinstance(split(b.system(), Size("N"), ["loss", "best"]), Barrier)


@pytest.mark.parametrize("role", [Role.PARAMETER, Role.BUFFER])
def test_what_lies_in_an_arena_has_no_axis_of_the_batch(role: Role) -> None:
    """An arena isn't cut into rows: a parameter for each example (an op's argument, an embedding) is one."""
    b = SystemBuilder()
    x, own = b.leaf("x", N, D), b.leaf("own", N, D, role=role)
    b.define("L", [], x(n, i) * own(n, i), "sum", [n, i])
    found = split(b.system(loss="L"), N, ["L"])
    assert isinstance(found, Barrier)
    assert "arenas" in str(found)


def test_rows_of_a_parameter_go_to_a_chunk_where_views_of_it_can() -> None:
    b = SystemBuilder()
    x, own = b.leaf("x", N, D), b.leaf("own", N, D, role=Role.PARAMETER)
    shared = b.leaf("shared", D, role=Role.PARAMETER)
    b.define("L", [], x(n, i) * own(n, i) ** 2 * shared(i), "sum", [n, i])
    derivation = derive(b.system(loss="L"))
    gradients = [derivation.gradients[p] for p in ("own", "shared")]
    found = split(derivation.system, N, ["L", *gradients], views=True)
    assert isinstance(found, BatchSplit)
    assert found.axis["own"] == found.axis[gradients[0]] == 0
    assert set(found.partial) == {"L", gradients[1]}
    counts = {"N": 7, "D": 3}
    _, values = sample_point(derivation.system, 3, sizes=counts)
    whole = Run(derivation.system, values, counts)
    for name, array in in_chunks(derivation.system, found, values, [range(3), range(3, 7)]).items():
        np.testing.assert_allclose(array, whole.tensor(name), rtol=1e-12, atol=1e-13, err_msg=name)
