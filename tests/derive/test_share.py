"""Terms of several equations named once: found by value, kept where they cost less."""

from __future__ import annotations

from symbp.derive.proof.fingerprints import Key, Values
from symbp.derive.rules.share import best_shared, occurrences
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, Expr
from symbp.ir.system import System

N, K = sizes("N K")
n, k, i, j = indices("n k i j")
x, y, z = Access("x", n, k), Access("y", n, k), Access("z", n, k)
turned = Access("x", i, j), Access("y", i, j)


def two_sums(first: Expr, second: Expr) -> System:
    """u[k] = Σ_n first, v[i] = Σ_j second."""
    b = SystemBuilder()
    for name in "xyz":
        b.leaf(name, N, K)
    b.define("u", [k], first, "sum", [n])
    b.define("v", [i], second, "sum", [j], ranges={i: N, j: K})
    return b.system()


def shared(system: System) -> tuple[Expr, list[Expr]] | None:
    """The definition of the best shared term, and the bodies of its readers."""
    values = Values(system)
    found: dict[Key, list[object]] = {}
    for equation in system.equations:
        for key, place in occurrences(equation, values):
            found.setdefault(key, []).append(place)
    best = best_shared(found, values, "t")  # type: ignore[arg-type]
    return None if best is None else (best[1].definition.body, [r.body for r in best[1].readers])


def test_the_same_product_under_other_names_and_signs() -> None:
    found = shared(two_sums(x * y * z, -2 * turned[0] * turned[1]))
    assert found == (x * y, [Access("t", n, k) * z, -2 * Access("t", i, j)])


def test_what_only_scales_a_tensor_is_not_named() -> None:
    b = SystemBuilder()
    c, read = b.leaf("c"), b.leaf("x", N, K)
    b.define("u", [k], c() * read(n, k), "sum", [n])
    b.define("v", [i], c() * read(i, j), "sum", [j])
    assert shared(b.system()) is None


def test_different_values_are_not_shared() -> None:
    assert shared(two_sums(x * y, turned[0] * turned[1] ** 2)) is None
