"""Sizes that fit: kernels inside of images, slices inside of axes."""

from __future__ import annotations

import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import FloorDiv, Guard, Mod, Size
from symbp.ir.fitting import constraints, least_sizes, sample_sizes

N, D, P, H = sizes("N D P H")
n, i, p, j = indices("n i p j")


def fits(system, found):
    return constraints(system).hold({Size(k): sympy.Integer(v) for k, v in found.items()})


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


def test_what_fits_nowhere_falls_back_to_the_values_that_the_user_gave():
    b = SystemBuilder()
    x = b.leaf("x", D)
    b.define("y", [i], x(i + 60), ranges={i: N})
    assert sample_sizes(b.system(bound={"D": 64, "N": 3})) == {"D": 64, "N": 3}
