"""How bodies are spelled in each target: by form, in the words of the target."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from symbp.codegen.function import WIDTH, wrapped
from symbp.codegen.printer import one_line
from symbp.codegen.spelling.elements import ElementSpelling
from symbp.errors import LoweringError
from symbp.ir.build import indices, sizes, where
from symbp.ir.expr import Access, FloorDiv, Guard, IntegerAccess, Mod
from symbp.targets.numpy.kernels.arrays import ArraySpelling

n, k, j = indices("n k j")
N, K, J = sizes("N K J")
EXTENTS = {n: N, k: K, j: J}
SHAPES = {"x": (N, K), "v": (K,), "s": (N,), "y": (N,), "c": (), "q": (K, N)}
X, V, S, C = Access("x", n, k), Access("v", k), Access("s", n), Access("c")
Y = IntegerAccess("y", n)


def arrays(body: Any) -> str:
    return ArraySpelling((n, k, j), EXTENTS, SHAPES, {}).write(body).text


def elements(body: Any, real: str = "") -> str:
    return ElementSpelling({n: "n", k: "k", j: "j"}, SHAPES, {}, real).write(body).text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (X / S, "x / s[:, None]"),
        (X + V, "x + v"),
        (S * V, "s[:, None] * v"),
        (1 - X**2, "1 - x * x"),
        (2 * (X - V) / N, "2 / N * (x - v)"),
        (sympy.exp(X - S), "np.exp(x - s[:, None])"),
        (sympy.log(S) * X, "x * np.log(s)[:, None]"),
        (sympy.log(1 + X), "np.log1p(x)"),
        (sympy.exp(X) - 1, "np.expm1(x)"),
        (1 / (1 + sympy.exp(-X)), "_sigmoid(x)"),
        (sympy.log(1 + sympy.exp(X)), "_softplus(x)"),
        (1 / sympy.sqrt(X), "1 / np.sqrt(x)"),
        (X / sympy.sqrt(K), "x / math.sqrt(K)"),  # np.sqrt of sizes would make float64 of float32
        (X * sympy.sqrt(N - 2), "np.sqrt(N - 2) * x"),  # of a negative number, which NumPy answers with NaN
        (X * sympy.Rational(1, 3), "x / 3"),
        (X + sympy.Rational(44715, 1000000) * X**3, "0.044715 * (x * x * x) + x"),
        (sympy.sqrt(2 / sympy.pi) * X, "0.7978845608028654 * x"),
        (where(Guard(">", X, 0), X, 0), "np.maximum(x, 0)"),
        (where(Guard(">", X, 0), X, -X), "np.abs(x)"),
        (where(Guard("<", X, V), X, V), "np.minimum(x, v)"),
        (where(Guard(">", X, 0), V, 0), "_where(x > 0, v, 0)"),
        (where(Guard(">", X, 0), X, S), "_where(x <= 0, s[:, None], x)"),
        (X - Guard("=", k, Y), "x - (np.arange(K) == y[:, None])"),
        (Access("x", n, Y), "x[np.arange(N), y]"),
        (Access("x", 0, k), "x[0]"),
        (Access("x", n, K - 1), "x[:, K - 1]"),
        (Access("q", k, n), "_transposed(q)"),
    ],
)
def test_arrays(body: Any, text: str) -> None:
    assert arrays(body) == text


@pytest.mark.parametrize(
    ("body", "real", "text"),
    [
        (X / S, "", "x[n, k] / s[n]"),
        (1 - X**2, "F", "F(1) - x[n, k] * x[n, k]"),
        (X / N, "F", "x[n, k] / F(N)"),
        (where(Guard(">", X, 0), X, 0), "", "0.0 if x[n, k] <= 0 else x[n, k]"),
        (X - Guard("=", k, Y), "F", "x[n, k] - (F(1) if k == y[n] else F(0))"),
        (Access("x", n, Y), "", "x[n, y[n]]"),
        (Access("x", n - 1, k, outside=0), "", "x[n - 1, k] if 0 <= n - 1 < N and 0 <= k < K else 0.0"),
        (sympy.loggamma(X), "", "math.lgamma(x[n, k])"),
        (C * X, "", "c[0] * x[n, k]"),
        (-FloorDiv(-n, J) - FloorDiv(k, J), "", "-((-n) // J) - k // J"),
        (-FloorDiv(k, J) * FloorDiv(n, J), "", "-(k // J) * (n // J)"),
    ],
)
def test_elements(body: Any, real: str, text: str) -> None:
    assert elements(body, real) == text


def test_a_read_outside_is_padded_or_clipped_and_masked() -> None:
    spelling = ArraySpelling((n, k), EXTENTS, SHAPES, {})
    written = spelling.write(Access("v", k - 1, outside=0))
    assert [one_line(s) for s in spelling.prelude] == ["padded1 = np.pad(v, (1, 0))"]
    assert written.text == "padded1[:K]"
    written = spelling.write(Access("v", FloorDiv(k, 2) - 1, outside=0))
    assert [one_line(s) for s in spelling.prelude[1:]] == ["at2 = np.arange(K) // 2 - 1"]
    assert written.text == "_where((0 <= at2) & (at2 < K), v[np.clip(at2, 0, K - 1)], 0)"


def test_repeated_parts_are_computed_once() -> None:
    spelling = ArraySpelling((n, k), EXTENTS, SHAPES, {})
    body = sympy.tanh(X) * (1 - sympy.tanh(X) ** 2)
    spelling.name_repeated(body)
    assert [one_line(s) for s in spelling.prelude] == ["u1 = np.tanh(x)"]
    assert spelling.write(body).text == "(1 - u1 * u1) * u1"


def test_a_function_that_a_target_lacks_names_equation_and_function() -> None:
    with pytest.raises(LoweringError, match="has no function besselj") as caught:
        ArraySpelling((n, k), EXTENTS, SHAPES, {}, "equation (3) z[n,k] = …").write(sympy.besselj(0, X))
    assert "equation (3)" in str(caught.value)


def test_dictionaries_are_filled() -> None:
    assert wrapped("A = {", ["1", "2"], "}") == ["A = {1, 2}"]
    lines = wrapped("A = {", [f'"{k}": value' for k in range(40)], "}")
    assert len(lines) > 3
    assert all(len(line) + 4 <= WIDTH for line in lines)


def test_a_negated_remainder_keeps_its_parentheses() -> None:
    assert ElementSpelling({n: "n"}, {}, {}).integer(-Mod(n, 3)).text == "-(n % 3)"
    assert ElementSpelling({n: "n"}, {}, {}).integer(2 * Mod(n, 3)).text == "2 * (n % 3)"


def test_a_choice_between_reads_in_range_has_no_branch() -> None:
    def text(body: Any, extents: Any = EXTENTS) -> str:
        return ElementSpelling({n: "n", k: "k", j: "j"}, SHAPES, {}, "", "", extents).write(body).text

    both = where(Guard(">", X, 0) * Guard("=", k, j), V, 0)
    assert text(both) == "_either((j == k) & (x[n, k] > 0), v[k], 0.0)"
    assert text(where(Guard(">", X, 0), X, 0)) == "0.0 if x[n, k] <= 0 else x[n, k]"  # read anyway
    assert "_either" not in text(where(Guard(">", X, 0), 1 / V, 0))  # the guard may protect it
    assert "_either" not in text(where(Guard(">", X, 0), sympy.exp(V), 0))  # what isn't taken would cost
    assert "_either" not in text(where(Guard("<=", 1, k), Access("v", k - 1), 0))  # out of range
    assert "_either" not in text(both, {})  # nothing known of the ranges
