"""Sizes that fit: kernels inside of images, slices inside of axes."""

from __future__ import annotations

import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import FloorDiv, Guard, Mod
from symbp.ir.points.fitting import constraints, least_sizes, sample_sizes

N, D, P, H = sizes("N D P H")
n, i, p, j = indices("n i p j")


def fits(system, found):
    return constraints(system).hold(found)


def test_a_kernel_is_no_larger_than_what_it_runs_over():
    b = SystemBuilder()
    x, w = b.leaf("x", N, D), b.leaf("w", P)
    b.define("y", [n, i], x(n, 2 * i + p) * w(p), "sum", [p], ranges={i: FloorDiv(D - P, 2) + 1})
    system = b.system()
    for found in (*(sample_sizes(system, variant) for variant in range(6)), least_sizes(system)):
        assert found["D"] >= found["P"]
        assert fits(system, found)
    assert not fits(system, {"N": 2, "D": 3, "P": 4})


def test_a_slice_ends_inside_of_its_axis():
    b = SystemBuilder()
    x = b.leaf("x", D)
    b.define("y", [i], x(i + 4), ranges={i: sympy.Integer(2)})
    assert all(sample_sizes(b.system(), variant)["D"] >= 6 for variant in range(4))


def test_guarded_reads_and_reads_with_an_outside_value_ask_for_nothing():
    b = SystemBuilder()
    x = b.leaf("x", D)
    b.define("y", [i], Guard("<", i, D) * x(i), ranges={i: D + H})
    b.define("z", [i], x(i - 3, outside=0), ranges={i: D})
    assert constraints(b.system()).reaches == ()


def test_remainders_stay_below_their_divisor():
    b = SystemBuilder()
    x = b.leaf("x", D)
    b.define("y", [j], x(Mod(j, D)) + x(FloorDiv(j, H)), ranges={j: D * H})
    system = b.system()
    assert fits(system, {"D": 2, "H": 5})
    assert least_sizes(system) == {"D": 2, "H": 3}


def test_where_chance_finds_nothing_the_users_values_are_made_small() -> None:
    b = SystemBuilder()
    x = b.leaf("x", D)
    b.define("y", [i], x(i + 60), ranges={i: N})
    system = b.system(bound={"D": 64, "N": 3})
    assert sample_sizes(system) == {"D": 62, "N": 2}
    assert least_sizes(system) == {"D": 62, "N": 2}


def test_a_net_of_large_windows_is_sampled_at_small_sizes() -> None:
    """An image of 200 under kernels of 41 and 31: few random sizes fit, and none of these is small."""
    b = SystemBuilder()
    A, B, M, Q = sizes("A B M Q")
    x, u, v = b.leaf("x", N, A), b.leaf("u", B), b.leaf("v", M)
    y = b.define("y", [n, i], x(n, i + p) * u(p), "sum", [p], ranges={i: FloorDiv(A - B + 1, 4)})
    z = b.define("z", [n, i], y(n, i + p) * v(p), "sum", [p], ranges={i: FloorDiv(A - B + 1, 4) - M + 1})
    b.define("w", [n, i], z(n, i + p), "sum", [p], ranges={i: FloorDiv(A - B + 1, 4) - M + 1 - Q, p: Q})
    system = b.system(bound={"A": 200, "B": 41, "M": 31, "Q": 5})
    for found in (*(sample_sizes(system, variant) for variant in range(4)), least_sizes(system)):
        assert fits(system, found)
        assert max(found.values()) < 60


def test_values_that_fit_nowhere_are_the_users_own() -> None:
    b = SystemBuilder()
    x = b.leaf("x", D)
    b.define("y", [i], x(i + D), ranges={i: N})
    assert sample_sizes(b.system(bound={"D": 50, "N": 3})) == {"D": 50, "N": 3}


def test_no_two_of_many_sizes_agree_at_both_points() -> None:
    """Nor is one half of the other at both: 1/N would be taken for 1/H, and 2·K for H."""
    b = SystemBuilder()
    names = sizes(" ".join(f"A{k}" for k in range(14)))
    for k, (rows, columns) in enumerate(zip(names[::2], names[1::2], strict=True)):
        x, w = b.leaf(f"x{k}", N, rows), b.leaf(f"w{k}", columns)
        if k < 3:  # windows, which few sizes fit
            b.define(f"y{k}", [n, i], x(n, i + p) * w(p), "sum", [p], ranges={i: rows - columns + 1})
    system = b.system()
    for variant in (0, 2, 4):
        one, other = sample_sizes(system, variant), sample_sizes(system, variant + 1)
        assert fits(system, one)
        assert fits(system, other)
        pairs = [(one[name], other[name]) for name in system.sizes]
        assert len(set(pairs)) == len(pairs) == 15
        assert not {(2 * a, 2 * c) for a, c in pairs} & set(pairs)
        assert all(a != c for a, c in pairs)


def test_a_read_reaches_as_far_as_the_guards_around_it_hold() -> None:
    """CTC reads the letter of an odd state alone: y[n, s//2] at s = 2·D would be out of range."""
    b = SystemBuilder()
    y, e = b.leaf("y", N, D), b.leaf("e", N, 2 * D + 1)
    odd = Guard("=", Mod(i, 2), 1)
    b.define("z", [n, i], odd * y(n, FloorDiv(i, 2)) + e(n, i), ranges={i: 2 * D + 1})
    assert fits(b.system(), {"N": 2, "D": 3})
    b.define("w", [n, i], odd * y(n, FloorDiv(i, 2)) + y(n, FloorDiv(i, 2)), ranges={i: 2 * D + 1})
    assert not fits(b.system(), {"N": 2, "D": 3})


def test_a_place_given_as_a_number_raises_its_axis() -> None:
    """To another length at each point: one that is 51 everywhere is taken for the number."""
    b = SystemBuilder()
    x, w, v = b.leaf("x", N, D), b.leaf("w", D), b.leaf("v", H)
    b.define("y", [n], x(n, 50) * w(D - 70) * v(3))
    system = b.system()
    found = [sample_sizes(system, variant) for variant in range(4)]
    assert all(fits(system, sizes) for sizes in found)
    assert len({sizes["D"] for sizes in found}) == 4
    assert all(70 <= sizes["D"] < 80 and sizes["N"] < 9 for sizes in found)
