"""What a stage binds once: the names read well, and the lines compute what they did before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tree_code import code, expression
from tree_code import lines as printed

from symbp.ir.expr import Size
from symbp.targets.compiled.form import Form
from symbp.targets.numpy.binding import Binding
from symbp.targets.numpy.inference.shape_inference import Forms
from symbp.targets.numpy.view_names import view_name

N, T, D = (Size(name) for name in "NTD")
SIZES = {"N": 3, "T": 4, "D": 5}
SHAPES = {
    "h": (T, N, D), "r": (T, N, D), "W": (D, D), "z": (N, D), "s": (N,), "zeros": (N, D), "k": (N,),
    "x": (N, D), "pad": (T + 1, N, D),
}  # fmt: skip
DATA = ("x",)


def bound(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines that run once, and those that run at every call."""
    known = {n: Form(s, "integer" if n == "k" else "real", view=True, whole=True) for n, s in SHAPES.items()}
    fixed = frozenset({*SHAPES, *SIZES} - {*DATA})
    binding = Binding(Forms(known, frozenset(SIZES), lambda _: True), fixed, lambda name: name)
    body = binding.bind(code("\n".join(lines)))
    return printed(binding.head), printed(body)


def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for name, shape in SHAPES.items():
        extents = [int(e.xreplace({s: SIZES[str(s)] for s in e.free_symbols})) for e in shape]
        found[name] = rng.integers(0, 9, extents) if name == "k" else rng.standard_normal(extents)
    return {**found, **SIZES, "np": np, "DTYPE": np.float64}


CASES = {
    "transposed": (["np.dot(z, W.T, out=h[0])  # (1)"], ["np.dot(z, W_T, out=h_0)  # (1)"]),
    "data stay": (["np.dot(x.T, z, out=W)  # (1)"], ["np.dot(x.T, z, out=W)  # (1)"]),
    "a number": (
        ["np.multiply(2 / (D * N), z, out=z)  # (1)", "np.subtract(1, z, out=z)  # (2)"],
        ["np.multiply(c1, z, out=z)  # (1)", "np.subtract(one, z, out=z)  # (2)"],
    ),
    "integers": (["np.multiply(k, D, out=k)  # (1)"], ["np.multiply(k, c1, out=k)  # (1)"]),
    "a fraction of integers": (["np.multiply(k, 0.5, out=s)"], ["np.multiply(k, 0.5, out=s)"]),
    "a divisor": (["s[...] = z.sum(1) / (D * N)  # (1)"], ["s[...] = z.sum(1) / c1  # (1)"]),
    "a loop": (
        [
            "for t in range(T):",
            "    np.dot(h[t - 1] if t >= 1 else zeros, W.T, out=r[t])  # (1)",
            "    np.add(r[t], x, out=h[t])  # (1)",
        ],
        [
            "for h_before, r_t, h_t in steps:",
            "    np.dot(h_before, W_T, out=r_t)  # (1)",
            "    np.add(r_t, x, out=h_t)  # (1)",
        ],
    ),
    "a loop that knows its step": (
        ["for t in reversed(range(T)):", "    np.multiply(t, h[t], out=r[t])  # (1)"],
        ["for t, h_t, r_t in steps:", "    np.multiply(t, h_t, out=r_t)  # (1)"],
    ),
    "what only some steps do": (
        ["for t in range(T):", "    if t + 2 <= T:", "        np.copyto(h[t], h[t + 1])"],
        ["for t, h_t, h_after in steps:", "    if t + 2 <= T:", "        np.copyto(h_t, h_after)"],
    ),
    "a loop over positions": (
        ["for t in range(T):", "    pad[t : t + 1] += h[t]  # (1)"],
        ["for pad_part, h_t in steps:", "    pad_part += h_t  # (1)"],
    ),
    "a part that grows": (["pad[:T] += h  # (1)"], ["pad[:T] += h  # (1)"]),
    "a choice that values decide": (
        ["for t in range(T):", "    np.add(h[t] if s[0] > 0 else z, 1, out=r[t])  # (1)"],
        ["for t, r_t in steps:", "    np.add(h[t] if s[0] > 0 else z, 1, out=r_t)  # (1)"],
    ),
    "one that values decide for a line": (
        ["for t in range(T):", "    if s[0] > 0:", "        np.copyto(r[t], h[t])"],
        ["for t in range(T):", "    if s[0] > 0:", "        np.copyto(r[t], h[t])"],
    ),
    "an element by its position": (
        ["np.copyto(z, np.broadcast_to(s[0], (N, D)))  # (1)"],
        ["np.copyto(z, np.broadcast_to(s[0], (N, D)))  # (1)"],
    ),
    "a position that values decide": (
        ["np.copyto(z, h[k[0] % T])  # (1)"],
        ["np.copyto(z, h[k[0] % T])  # (1)"],
    ),
    "a name for a view": (["u = h[0]  # (1)", "np.copyto(z[:2], u[:2])"], ["np.copyto(z_part, u_part)"]),
}


@pytest.mark.parametrize("name", CASES)
def test_lines_compute_what_they_did(name: str) -> None:
    lines, expected = CASES[name]
    head, body = bound(lines)
    assert body == expected
    before, after = arrays(), arrays()
    exec("\n".join(lines), before)
    exec("\n".join(head), after)
    exec("\n".join(body), after)
    for array in SHAPES:
        np.testing.assert_array_equal(after[array], before[array], err_msg=array)


def test_what_is_bound_is_of_the_arrays_at_the_next_call_too() -> None:
    head, body = bound(CASES["a loop"][0])
    scope = arrays()
    exec("\n".join(head), scope)
    exec("\n".join(body), scope)
    first = scope["h"].copy()
    scope["W"][...] *= 2
    scope["h"][...] = 0
    exec("\n".join(body), scope)
    assert not np.array_equal(first, scope["h"])


def test_many_views_stay_in_the_loop() -> None:
    lines = ["for t in range(T):", *(f"    np.copyto(r[t, :, {k}:], h[t, :, {k}:])" for k in range(9))]
    assert bound(lines) == ([], lines)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("W2.T", "W2_T"), ("h[t]", "h_t"), ("h[t - 1]", "h_before"), ("h[t + 1] if t < T else z", "h_after"),
        ("s[:, None]", "s_column"), ("a.reshape(N * T, D)", "a_rows"), ("a.reshape(-1)", "a_flat"),
        ("W_[0].T", "W_0_T"), ("h[T - 1]", "h_last"), ("_windows(x, (2, 3))", "x_windows"),
        ("np.broadcast_to(DTYPE(0), (N,))", "number_broadcast"), ("q.transpose(0, 2, 1)", "q_turned"),
    ],
)  # fmt: skip
def test_names_of_views(text: str, name: str) -> None:
    assert view_name(expression(text), "t") == name
