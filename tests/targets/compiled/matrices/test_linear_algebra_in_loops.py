"""Leaves of linear algebra in recurrences, in both targets beside PyTorch: filters, smoothers, iterations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.lower.lowering import lower

torch = pytest.importorskip("torch", reason="PyTorch is not installed: gradients not compared")

B, T, D, L = bp.dims("B T D L")
b, t, i, j, k, la = bp.indices("b t i j k la")
EXTENTS = {"B": 2, "T": 4, "D": 3, "L": 2}
TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]


def one() -> Any:
    return bp.where(bp.equal(i, k), 1, 0)


def kalman() -> Any:
    """The log-likelihood of y by a Kalman filter: y[t] = m[t] + noise, m[t] = A·m[t − 1] + noise."""
    a, r, y = bp.param("A", (D, D)), bp.param("R", (D, D)), bp.input("y", (T, D))
    m, p = bp.recurrent("m", (T, D)), bp.recurrent("P", (T, D, D))
    ap = bp.define("AP", [t, i, k], bp.Sum(a[i, j] * p.at(t - 1, j, k, outside=0), j), ranges={t: T})
    prior = bp.define("prior", [t, i, k], bp.Sum(ap[t, i, j] * a[k, j], j) + one())
    s = bp.define("S", [t, i, k], prior[t, i, k] + bp.Sum(r[i, j] * r[k, j], j) + one())
    gain = bp.define("gain", [t, i, k], bp.Sum(prior[t, i, j] * bp.inverse(s)[t, j, k], j))
    v = bp.define("v", [t, i], y[t, i] - bp.Sum(a[i, j] * m.at(t - 1, j, outside=0), j), ranges={t: T})
    m = bp.define(m, [t, i], y[t, i] - v[t, i] + bp.Sum(gain[t, i, j] * v[t, j], j))
    p = bp.define(p, [t, i, k], prior[t, i, k] - bp.Sum(gain[t, i, j] * prior[t, j, k], j))
    misfit = bp.define("misfit", [], bp.Sum(v[t, i] * bp.inverse(s)[t, i, j] * v[t, j], t, i, j))
    return bp.Network("kalman", loss=(bp.logdet(s).sum() + misfit) / 2)


def kalman_in_torch(A: Any, R: Any, y: Any) -> Any:
    eye = torch.eye(3, dtype=y.dtype)
    m, p, loss = y.new_zeros(3), 0 * eye, y.new_zeros(())
    for row in y:
        prior = A @ p @ A.T + eye
        s = prior + R @ R.T + eye
        v = row - A @ m
        loss = loss + (torch.logdet(s) + v @ torch.linalg.solve(s, v)) / 2
        gain = prior @ torch.linalg.inv(s)
        m, p = row - v + gain @ v, prior - gain @ prior
    return loss


def extended() -> Any:
    """An extended Kalman filter over a batch of series: a tanh model, its Jacobian, gains by `solve`."""
    a, y = bp.param("A", (D, D)), bp.input("y", (B, T, D))
    m, p = bp.recurrent("m", (B, T, D)), bp.recurrent("P", (B, T, D, D))
    time = {b: B, t: T}
    f = bp.define("f", [b, t, i], bp.tanh(bp.Sum(a[i, j] * m.at(b, t - 1, j, outside=0), j)), ranges=time)
    jac = bp.define("J", [b, t, i, j], (1 - f[b, t, i] ** 2) * a[i, j])
    jp = bp.define("JP", [b, t, i, k], bp.Sum(jac[b, t, i, j] * p.at(b, t - 1, j, k, outside=0), j))
    prior = bp.define("prior", [b, t, i, k], bp.Sum(jp[b, t, i, j] * jac[b, t, k, j], j) + one())
    s = bp.define("S", [b, t, i, k], prior[b, t, i, k] + one())
    v = bp.define("v", [b, t, i], y[b, t, i] - f[b, t, i])
    white = bp.solve(s, v)
    m = bp.define(m, [b, t, i], f[b, t, i] + bp.Sum(prior[b, t, i, j] * white[b, t, j], j))
    rest = bp.solve(s, prior)
    p = bp.define(p, [b, t, i, k], prior[b, t, i, k] - bp.Sum(prior[b, t, i, j] * rest[b, t, j, k], j))
    return bp.Network("extended", loss=(v * white).sum() + bp.logdet(s).sum())


def extended_in_torch(A: Any, y: Any) -> Any:
    eye, loss = torch.eye(3, dtype=y.dtype), y.new_zeros(())
    for series in y:
        m, p = y.new_zeros(3), 0 * eye
        for row in series:
            f = (A @ m).tanh()
            jac = (1 - f**2)[:, None] * A
            prior = jac @ p @ jac.T + eye
            s, v = prior + eye, row - f
            white = torch.linalg.solve(s, v)
            loss = loss + v @ white + torch.logdet(s)
            m, p = f + prior @ white, prior - prior @ torch.linalg.solve(s, prior)
    return loss


def riccati(leaf: str) -> Callable[[], Any]:
    """Backwards in time, the leaf of every step on the way: P[t] = Aᵀ·P[t + 1]·A + c[t]·f(1 + P[t + 1])."""

    def make() -> Any:
        a, c = bp.param("A", (D, D)), bp.param("c", (T,))
        p = bp.recurrent("P", (T, D, D))

        def after(row: Any, column: Any) -> Any:
            return p.at(t + 1, row, column, outside=0)

        shifted = bp.define("N", [t, i, k], after(i, k) + 2 * one(), ranges={t: T, i: D, k: D})
        found = getattr(bp, leaf)(shifted)
        own = found[t, i, k] if found.rank == 3 else found[t] * one()
        pa = bp.define("PA", [t, i, k], bp.Sum(after(i, j) * a[j, k], j), ranges={t: T, i: D})
        p = bp.define(p, [t, i, k], bp.Sum(a[j, i] * pa[t, j, k], j) + c[t] * c[t] * own)
        return bp.Network("riccati", loss=(p * p).sum())

    return make


def riccati_in_torch(leaf: str) -> Callable[..., Any]:
    functions = {"inverse": torch.linalg.inv, "det": torch.det, "logdet": torch.logdet}

    def run(A: Any, c: Any) -> Any:
        eye = torch.eye(3, dtype=A.dtype)
        p, loss = 0 * eye, A.new_zeros(())
        for weight in c.flip(0):
            n = p + 2 * eye
            found = torch.linalg.cholesky((n + n.T) / 2) if leaf == "cholesky" else functions[leaf](n)
            own = found if found.ndim else found * eye
            p = A.T @ p @ A + weight**2 * own
            loss = loss + (p * p).sum()
        return loss

    return run


def nested() -> Any:
    """Depth around time: each layer filters the states of the one below, at each step by an inverse."""
    a, y = bp.param("A", (L, D, D)), bp.input("y", (B, T, D))
    h = bp.recurrent("h", (L, B, T, D))
    n_ = bp.define("N", [la, i, k], bp.Sum(a[la, i, j] * a[la, k, j], j) + one())
    left, right = (h.at(la, b, t - 1, index, outside=0) for index in (i, k))
    w = bp.define("W", [la, b, t, i, k], n_[la, i, k] + left * right, ranges={b: B, t: T})
    below = h.at(la - 1, b, t, j, outside=y[b, t, j])
    mixed = bp.define("u", [la, b, t, i], bp.Sum(bp.inverse(w)[la, b, t, i, j] * below, j))
    h = bp.define(h, [la, b, t, i], bp.tanh(mixed[la, b, t, i]) + bp.logdet(w)[la, b, t] / 5)
    return bp.Network("nested", loss=(h * h).sum())


def nested_in_torch(A: Any, y: Any) -> Any:
    eye, loss, below = torch.eye(3, dtype=y.dtype), y.new_zeros(()), y
    for a in A:
        n = a @ a.T + eye
        h, states = torch.zeros_like(y[:, 0]), []
        for at in range(y.shape[1]):
            w = n + h[:, :, None] * h[:, None, :]
            u = torch.linalg.solve(w, below[:, at])
            h = u.tanh() + torch.logdet(w)[:, None] / 5
            states.append(h)
            loss = loss + (h * h).sum()
        below = torch.stack(states, 1)
    return loss


NETS: dict[str, tuple[Callable[[], Any], Callable[..., Any]]] = {
    "kalman": (kalman, kalman_in_torch),
    "extended": (extended, extended_in_torch),
    "nested": (nested, nested_in_torch),
    **{
        f"riccati with {leaf}": (riccati(leaf), riccati_in_torch(leaf))
        for leaf in ("inverse", "det", "logdet", "cholesky")
    },
}


@pytest.mark.slow
@pytest.mark.few(slow=8)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", NETS)
def test_gradients_are_those_of_torch(name: str, target: str) -> None:
    make, theirs = NETS[name]
    net = make()
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(2)
    values = {}
    for tensor in sorted(net.system.leaves, key=lambda tensor: tensor.name):
        values[tensor.name] = rng.normal(size=[EXTENTS[str(size)] for size in tensor.shape]) / 2
    parameters = [p.name for p in net.system.parameters]
    data = {name: value for name, value in values.items() if name not in parameters}
    loss, gradients = module.loss_and_gradients({name: values[name] for name in parameters}, **data)
    leaves = {name: torch.tensor(value, requires_grad=name in parameters) for name, value in values.items()}
    expected = theirs(**leaves)
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-11)
    for own in parameters:
        np.testing.assert_allclose(gradients[own], leaves[own].grad, rtol=1e-9, atol=1e-12, err_msg=own)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kalman", "riccati with cholesky"])
def test_the_checker_agrees(name: str) -> None:
    net = NETS[name][0]()
    report = bp.check(net, sizes={"T": 3, "D": 2})
    assert report.ok, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_training_steps_agree_and_lose(target: str) -> None:
    """A few steps of a filter's likelihood: the state of a module goes the way of PyTorch's."""
    module = bp.compile(kalman(), target=target, optimizer=bp.optim.SGD(0.01))
    rng = np.random.default_rng(5)
    start = {"A": rng.normal(size=(3, 3)) / 3, "R": rng.normal(size=(3, 3)) / 3}
    y = rng.normal(size=(6, 3))
    state = module.init_state(start)
    ours = [float(module.train_step(state, y=y)) for _ in range(5)]
    theirs, leaves = [], {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    for _ in range(5):
        loss = kalman_in_torch(**leaves, y=torch.tensor(y))
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        leaves = {
            name: (value - 0.01 * gradient).detach().requires_grad_()
            for (name, value), gradient in zip(leaves.items(), gradients, strict=True)
        }
        theirs.append(loss.item())
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert ours[-1] < ours[0]


def test_a_singular_matrix_at_one_step_is_refused() -> None:
    """Values that don't exist are not numbers; a training step names an equation of the loop and stops."""
    a, h = bp.param("a", (D, D)), bp.recurrent("h", (T, D))
    m = bp.define("M", [t, i, k], a[i, k] * h.at(t - 1, k, outside=1), ranges={t: T})
    h = bp.define(h, [t, i], bp.Sum(bp.inverse(m)[t, i, j], j))
    module = bp.compile(
        bp.Network("singular", loss=h.sum()), optimizer=bp.optim.SGD(0.1), sizes={"T": 3, "D": 2}
    )
    state = module.init_state({"a": np.array([[1.0, 2.0], [2.0, 4.0]])})
    with pytest.raises(module.NotFinite, match=r"equation \(1\), M.*the step was not taken"):
        module.train_step(state)


@pytest.mark.slow
def test_the_program_reads_a_matrix_where_it_stands() -> None:
    """At the loop's position, without a copy; the cost is that of all steps."""
    program = lower(kalman().system, ["logdet", "P"])
    lines = [line.strip() for line in str(program).splitlines()]
    assert "inverse V_gain of S[t,k,l]  (6)" in lines
    text = Path(bp.compile(kalman(), optimizer=bp.optim.SGD(0.1)).__file__).read_text(encoding="utf-8")
    assert "V_gain[t] = _inverse(S_t)" in text
