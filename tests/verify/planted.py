"""Wrong rewrites, planted in right derivations: every kind that a coincidence of samples could let through.

A base is the raw sweep, right by construction, or its closed form where the two agree at every point tried.
A fault changes one backward equation; it counts if the gradients differ from the right ones somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

import symbp as bp
from symbp.derive import Derivation, adjoints, eliminate
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Guard, Index, IntegerAccess, Size
from symbp.ir.points.sampling import Spread, sample_leaf
from symbp.ir.system import Equation, Role

N, T, D, H, K = bp.dims("N T D H K")


# --- nets
def siamese() -> bp.Network:
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2, w = bp.param("W2", (H, H)), bp.param("b2", (H,)), bp.param("w", (H,))

    def score(x: Any) -> Any:
        return bp.relu(bp.relu(x @ W1 + b1) @ W2 + b2) @ w

    a, b = bp.input("a", (N, D)), bp.input("b", (N, D))
    return bp.Network("siamese", loss=score(a).mean() - (score(b) ** 2).mean())


def heads() -> bp.Network:
    x, t, y = bp.input("x", (N, 3)), bp.tokens("t", (N,), vocabulary=6), bp.target("y", (N,))
    stacked = bp.stack(*[x @ bp.param(f"w{k}", (3,)) for k in range(6)], axis=1)
    return bp.Network("heads", loss=bp.mse(bp.pick(stacked, t), y))


def regression(name: str, loss: Callable[[Any, Any], Any]) -> Callable[[], bp.Network]:
    def make() -> bp.Network:
        x, y = bp.input("x", (N, 3)), bp.target("y", (N,))
        w, b = bp.param("w", (3,)), bp.param("b", ())
        return bp.Network(name, loss=loss(x @ w + b, y))

    return make


def insensitive(margin: float) -> Callable[[Any, Any], Any]:
    return lambda p, y: bp.relu(bp.abs(p - y) - margin).mean()


def clipped_policy() -> bp.Network:
    s, a = bp.input("s", (N, 4)), bp.labels("a", (N,), classes=3)
    gain, old = bp.input("gain", (N,)), bp.input("old", (N,))
    W, b = bp.param("W", (4, 3)), bp.param("b", (3,))
    r = bp.exp(bp.pick(bp.log_softmax(s @ W + b), a) - old)
    return bp.Network("policy", loss=-bp.minimum(r * gain, bp.clamp(r, 0.8, 1.2) * gain).mean())


def ordinal() -> bp.Network:
    x, y = bp.input("x", (N, 3)), bp.labels("y", (N,), classes=6)
    w, c = bp.param("w", (3,)), bp.param("c", (5,))
    z, n = x @ w, bp.indices("n")[0]
    below = [bp.define(f"q{k}", [n], bp.sigmoid(c[k] - z[n])) for k in range(5)]
    parts = [below[0], *(below[k] - below[k - 1] for k in range(1, 5)), 1 - below[4]]
    return bp.Network("ordinal", loss=(bp.pick(bp.stack(*parts, axis=1), y) ** 2).mean())


def recurrent() -> bp.Network:
    x, y = bp.input("x", (N, T, D)), bp.labels("y", (N,), classes=K)
    W, U, b = bp.param("W", (D, H)), bp.param("U", (H, H)), bp.param("b", (H,))
    V = bp.param("V", (H, K))
    h = bp.rnn(x, W, U, b)
    return bp.Network("recurrent", loss=bp.cross_entropy(h[:, -1] @ V, y, from_logits=True))


def normalised() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.target("y", (N, H))
    W, g, b = bp.param("W", (D, H)), bp.param("g", (H,)), bp.param("b", (H,))
    return bp.Network("normalised", loss=bp.mse(bp.layer_norm(bp.tanh(x @ W), g, b), y))


def attention() -> bp.Network:
    x, m = bp.input("x", (N, T, D)), bp.input("m", (N, T, T), "binary")
    Q, R = bp.param("Q", (D, D)), bp.param("R", (D, D))
    return bp.Network("attention", loss=(bp.scaled_dot_product_attention(x @ Q, x @ R, x, m) ** 2).mean())


def words() -> bp.Network:
    t, y = bp.tokens("t", (N, T), vocabulary=9), bp.labels("y", (N,), classes=4)
    E, W = bp.param("E", (9, D)), bp.param("W", (D, 4))
    return bp.Network(
        "words", loss=bp.cross_entropy(bp.embedding(t, E).mean(axis=1) @ W, y, from_logits=True)
    )


def pooled() -> bp.Network:
    x, y = bp.input("x", (N, 2, 6, 6)), bp.labels("y", (N,), classes=3)
    C, c, W = bp.param("C", (3, 2, 3, 3)), bp.param("c", (3,)), bp.param("W", (12, 3))
    h = bp.max_pool2d(bp.relu(bp.conv2d(x, C, c)), 2)
    flat = bp.reshape(h, (N, 12))
    return bp.Network("pooled", loss=bp.cross_entropy(flat @ W, y, from_logits=True))


def triplet() -> bp.Network:
    a, p, q = (bp.input(name, (N, D)) for name in "apq")
    W = bp.param("W", (D, D))
    near, far = (((a @ W - o @ W) ** 2).sum(axis=1) for o in (p, q))
    return bp.Network("triplet", loss=bp.relu(near - far + 1).mean())


def margins() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=7)
    W, b = bp.param("W", (D, 7)), bp.param("b", (7,))
    return bp.Network("margins", loss=bp.multi_margin(x @ W + b, y))


def deviation() -> bp.Network:
    x = bp.input("x", (N, D))
    W = bp.param("W", (D, H))
    z = x @ W
    centred = z - z.mean(axis=0)
    return bp.Network("deviation", loss=bp.sqrt((centred**2).sum(axis=0) / (N - 1) + 0.1).sum())


def largest() -> bp.Network:
    x = bp.input("x", (N, D))
    W, V = bp.param("W", (D, 4)), bp.param("V", (D, 4))
    return bp.Network("largest", loss=(bp.max(x @ W, axis=1) * bp.max(bp.abs(x @ V), axis=1)).mean())


def bottleneck() -> bp.Network:
    x = bp.input("x", (N, D))
    W, s = bp.param("W", (D, 6)), bp.param("s", ())
    h = bp.hardtanh(x @ W)
    return bp.Network("bottleneck", loss=(bp.leaky_relu(h[:, 2:] * s - 0.4) ** 2).sum())


NETS: dict[str, Callable[[], bp.Network]] = {
    "siamese": siamese,
    "heads": heads,
    "over_two": regression("over_two", lambda p, y: (bp.relu(p - y - 2) ** 2).mean()),
    "narrow_huber": regression("narrow_huber", lambda p, y: bp.huber(p, y, delta=0.01)),
    "smooth": regression("smooth", lambda p, y: bp.smooth_l1(p, y)),
    "insensitive": regression("insensitive", insensitive(0.5)),
    "very_insensitive": regression("very_insensitive", insensitive(3)),
    "policy": clipped_policy,
    "ordinal": ordinal,
    "recurrent": recurrent,
    "normalised": normalised,
    "attention": attention,
    "words": words,
    "pooled": pooled,
    "triplet": triplet,
    "margins": margins,
    "deviation": deviation,
    "largest": largest,
    "bottleneck": bottleneck,
}


# --- bases
def swept(net: bp.Network) -> Derivation:
    """The raw sweep as a derivation."""
    system = eliminate(net.system)
    assert system.loss is not None
    sweep = adjoints(system, system.loss, [t.name for t in system.parameters])
    return Derivation(net.name, system, sweep.system, dict(sweep.gradients), constants=dict(net.hyper))


# --- faults
@dataclass(frozen=True)
class Fault:
    """What was done to which equation."""

    kind: str
    target: str
    body: Any

    def in_(self, right: Derivation) -> Derivation:
        equations = tuple(
            e.with_(body=self.body) if e.target == self.target else e for e in right.system.equations
        )
        return replace(right, system=right.system.with_(equations=equations))


def faults(right: Derivation) -> Iterator[Fault]:
    """Wrong rewrites of each backward equation."""
    tensors = right.system.by_name
    sizes = [Size(name) for name in right.system.sizes]
    for equation in right.system.equations:
        if tensors[equation.target].role not in (Role.ADJOINT, Role.GRADIENT):
            continue
        body = equation.body
        for kind, wrong in _wrong(right, equation, sizes):
            if wrong != body:
                yield Fault(kind, equation.target, wrong)


def _wrong(right: Derivation, equation: Equation, sizes: list[Any]) -> Iterator[tuple[str, Any]]:
    body = equation.body
    terms = sympy.Add.make_args(body)
    if len(terms) > 1:
        for term in terms:
            yield "a term is taken to be 0", body - term
    for guard in sorted(body.atoms(Guard), key=str):
        if guard.has(Access):
            yield "a branch is never taken", body.xreplace({guard: sympy.S.Zero})
            yield "a branch is always taken", body.xreplace({guard: sympy.S.One})
    yield from _other_reads(right, equation)
    for size in sorted(body.atoms(Size), key=str):
        yield "a size is taken for 2", body.xreplace({size: sympy.Integer(2)})
        for other in sizes:
            if other != size:
                yield "a size is taken for another", body.xreplace({size: other})
    yield "a factor is lost", body / 2
    for tensor in right.system.leaves:
        fact = tensor.fact("below")
        if tensor.integer and fact is not None and fact.bound is not None and len(tensor.shape) == 1:
            index = next((i for i, e in equation.extents.items() if e == tensor.shape[0]), None)
            if index is not None:
                label = IntegerAccess(tensor.name, index)
                yield "a rare label has no gradient", body * Guard("!=", label, fact.bound - 1)


def _other_reads(right: Derivation, equation: Equation) -> Iterator[tuple[str, Any]]:
    body, tensors = equation.body, right.system.by_name
    for access in sorted(body.atoms(Access), key=str):
        tensor = tensors[access.name]
        if len(tensor.shape) == 2 and tensor.shape[0] == tensor.shape[1] and len(set(access.subscripts)) == 2:
            turned = type(access)(access.name, *reversed(access.subscripts), outside=access.outside)
            yield "a square matrix is transposed", body.xreplace({access: turned})
        for other in right.system.tensors:
            alike = (
                other.shape == tensor.shape and other.integer == tensor.integer and other.role == tensor.role
            )
            hidden = not tensor.role.is_leaf and tensor.role not in (Role.ADJOINT, Role.GRADIENT)
            if alike and hidden and other.name != access.name and tensor.shape:
                yield "a value is taken for another", body.xreplace({access: access.with_(name=other.name)})
        for k, subscript in enumerate(access.subscripts):
            if subscript.is_Add and subscript.atoms(Index) and access.outside is not None:
                stale = [
                    *access.subscripts[:k],
                    next(iter(subscript.atoms(Index))),
                    *access.subscripts[k + 1 :],
                ]
                yield "a step is stale", body.xreplace({access: type(access)(access.name, *stale, outside=0)})


def few_faults(right: Derivation, of_a_kind: int) -> Iterator[Fault]:
    """So many of each kind at most, those that matter, from all over the backward equations."""
    found: dict[str, list[Fault]] = {}
    for fault in faults(right):
        found.setdefault(fault.kind, []).append(fault)
    for alike in found.values():
        taken = 0
        for place in np.random.default_rng(len(alike)).permutation(len(alike)):
            if taken < of_a_kind and matters(right, alike[place].in_(right)):
                taken += 1
                yield alike[place]


# --- which faults matter
def matters(right: Derivation, wrong: Derivation, points: int = 40) -> bool:
    """Whether the gradients differ at some of many points, of many scales."""
    system, names = right.declared, list(right.gradients.values())
    for k in range(points):
        rng = np.random.default_rng(900 + k)
        sizes = {
            name: int(v)
            for name, v in zip(system.sizes, 3 + rng.permutation(len(system.sizes) + 4), strict=False)
        }
        sizes |= system.bound
        scale = (1.0, 0.1, 4.0, 0.01)[k % 4]
        values = {t.name: sample_leaf(t, sizes, rng, Spread(-scale, scale)) for t in system.leaves}
        with np.errstate(all="ignore"):
            try:
                one, other = (run(d.system, values, sizes, wanted=names) for d in (right, wrong))
            except bp.errors.EvaluationError:
                return False
        for name in names:
            a, b = one[name], other[name]
            if np.isfinite(a).all() and not np.allclose(
                a, b, rtol=1e-6, atol=1e-9 * (1 + np.abs(a).max(initial=0))
            ):
                return True
    return False
