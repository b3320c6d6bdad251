"""A factor that leaves a guarded sum is read only where the guard let it: gates before a matrix, and their
kin.

`Σ_i r[t, i]·h[t − 1, i]·U[i, j]` in a recurrence has the adjoint `[t + 1 < T]·Σ_j r[t + 1, i]·ds[t + 1,
j]·U[i, j]`: r doesn't depend on j, and what it leaves behind is not the only thing that the guard protected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from shares import each_target

import symbp as bp

torch = pytest.importorskip("torch", reason="PyTorch is not installed: gradients not compared")

N, T, H = bp.dims("N T H")
n, t, i, j, k = bp.indices("n t i j k")
TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]


def gated(back: bool, steps: int = 1) -> Any:
    """h[t] = tanh(x[t] + Σ_i r[t, i]·h[t − s, i]·U[i, j]), in one formula."""
    x, u, v = bp.input("x", (N, T, H)), bp.param("U", (H, H)), bp.param("V", (H, H))
    r = bp.sigmoid(x @ v)
    h = bp.recurrent("h", (N, T, H))
    before = h.at(n, t + steps if back else t - steps, i, outside=0)
    s = bp.define("s", [n, t, j], bp.Sum(r[n, t, i] * before * u[i, j], i), ranges={t: T})
    h = bp.define(h, [n, t, j], bp.tanh(x[n, t, j] + s[n, t, j]))
    return bp.Network("gated", loss=(h**2).sum())


def gated_in_torch(back: bool, steps: int, x: Any, U: Any, V: Any) -> Any:
    r, states = (x @ V).sigmoid(), {}
    last = x.shape[1]
    for at in reversed(range(last)) if back else range(last):
        before = states.get(at + steps if back else at - steps, torch.zeros_like(x[:, 0]))
        states[at] = (x[:, at] + (r[:, at] * before) @ U).tanh()
    return sum((h**2).sum() for h in states.values())


def unit() -> Any:
    """The unit of Cho et al. (2014) as its paper writes it, each gate a definition of its own."""
    x, h = bp.input("x", (N, T, H)), bp.recurrent("h", (N, T, H))
    w = {g: bp.param(f"W{g}", (H, H)) for g in "rzh"}
    u = {g: bp.param(f"U{g}", (H, H)) for g in "rzh"}

    def before(index: Any) -> Any:
        return h.at(n, t - 1, index, outside=0)

    def gate(g: str, state: Callable[[Any], Any]) -> Any:
        own = bp.define(f"x{g}", [n, t, j], bp.Sum(x[n, t, i] * w[g][i, j], i))
        back = bp.define(f"h{g}", [n, t, j], bp.Sum(state(i) * u[g][i, j], i), ranges={t: T})
        return bp.define(f"a{g}", [n, t, j], own[n, t, j] + back[n, t, j])

    r = bp.define("r", [n, t, j], 1 / (1 + bp.exp(-gate("r", before)[n, t, j])))
    z = bp.define("z", [n, t, j], 1 / (1 + bp.exp(-gate("z", before)[n, t, j])))
    new = gate("h", lambda index: r[n, t, index] * before(index))
    state = z[n, t, j] * before(j) + (1 - z[n, t, j]) * bp.tanh(new[n, t, j])
    h = bp.define(h, [n, t, j], state)
    return bp.Network("unit", loss=(h**2).sum())


def unit_in_torch(x: Any, Wr: Any, Wz: Any, Wh: Any, Ur: Any, Uz: Any, Uh: Any) -> Any:
    h, total = torch.zeros_like(x[:, 0]), x.new_zeros(())
    for step in x.unbind(1):
        r, z = (step @ Wr + h @ Ur).sigmoid(), (step @ Wz + h @ Uz).sigmoid()
        h = z * h + (1 - z) * (step @ Wh + (r * h) @ Uh).tanh()
        total = total + (h**2).sum()
    return total


def deep(before_matrix: bool) -> Any:
    """Two recurrences over each other, the second one gated by the first one's states."""
    x, u, v = bp.input("x", (N, T, H)), bp.param("U", (H, H)), bp.param("V", (H, H))
    low = bp.rnn(x, v, u, None)
    g = bp.define("g", [n, t, i], 1 / (1 + bp.exp(-low[n, t, i])))
    h = bp.recurrent("h", (N, T, H))
    gate = g[n, t, i] if before_matrix else g[n, t, j]
    body = bp.Sum(gate * low[n, t, i] * h.at(n, t - 1, i, outside=0) * u[i, j], i)
    h = bp.define(h, [n, t, j], bp.tanh(x[n, t, j] + body))
    return bp.Network("deep", loss=(h**2).sum())


def deep_in_torch(before_matrix: bool, x: Any, U: Any, V: Any) -> Any:
    low = h = torch.zeros_like(x[:, 0])
    total = x.new_zeros(())
    for step in x.unbind(1):
        low = (step @ V + low @ U).tanh()
        g = low.sigmoid()
        both = (g * low * h) @ U if before_matrix else g * ((low * h) @ U)
        h = (step + both).tanh()
        total = total + (h**2).sum()
    return total


def windowed() -> Any:
    """o[t] = Σ_k [k < t]·a[t − 1]·x[k]·w[k]: the guard on k alone says that t − 1 is a step."""
    a, w, x = bp.param("a", (T,)), bp.param("w", (T,)), bp.input("x", (N, T))
    terms = bp.where(k < t, a[t - 1] * a[t - 1] * x[n, k] * w[k], 0)
    o = bp.define("o", [n, t], bp.Sum(terms, k), ranges={t: T, k: T})
    return bp.Network("windowed", loss=(o**2).sum())


def windowed_in_torch(x: Any, a: Any, w: Any) -> Any:
    sums = (x * w).cumsum(1)[:, :-1]
    return ((a[:-1] ** 2 * sums) ** 2).sum()


NETS: dict[str, tuple[Callable[[], Any], Callable[..., Any]]] = {
    "gated": (lambda: gated(False), lambda *v: gated_in_torch(False, 1, *v)),
    "gated backwards": (lambda: gated(True), lambda *v: gated_in_torch(True, 1, *v)),
    "gated over two steps": (lambda: gated(False, 2), lambda *v: gated_in_torch(False, 2, *v)),
    "unit": (unit, unit_in_torch),
    "deep": (lambda: deep(True), lambda *v: deep_in_torch(True, *v)),
    "deep, after the matrix": (lambda: deep(False), lambda *v: deep_in_torch(False, *v)),
    "windowed": (windowed, windowed_in_torch),
}


@pytest.mark.few(slow=5)
@pytest.mark.slow
@pytest.mark.parametrize(("name", "target"), each_target(NETS))
def test_gradients_are_those_of_torch(name: str, target: str) -> None:
    make, theirs = NETS[name]
    net = make()
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(3)
    parameters = [p.name for p in net.system.parameters]
    for steps in (1, 2, 4):
        extents = {"N": 2, "T": steps, "H": 3}
        shapes = {leaf.name: [extents[str(size)] for size in leaf.shape] for leaf in net.system.leaves}
        values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        data = {name: value for name, value in values.items() if name not in parameters}
        loss, gradients = module.loss_and_gradients({name: values[name] for name in parameters}, **data)
        leaves = {
            name: torch.tensor(value, requires_grad=name in parameters) for name, value in values.items()
        }
        expected = theirs(leaves["x"], *(leaves[name] for name in parameters))
        expected.backward()
        np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
        for own in parameters:
            np.testing.assert_allclose(gradients[own], leaves[own].grad, rtol=1e-9, atol=1e-12, err_msg=own)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gated", "unit", "windowed"])
def test_the_checker_agrees(name: str) -> None:
    report = bp.check(NETS[name][0]())
    assert report.ok, str(report)
