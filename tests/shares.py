"""Which cases of a kind any run takes, and which only a long one."""

import pytest


def usual(cases, count):
    """The first so many in any run."""
    cases = list(cases)
    return [*cases[:count], *(pytest.param(case, marks=pytest.mark.long) for case in cases[count:])]


def each_target(names, compiled=1):
    """(name, target) for all names with NumPy, for the first so many with Numba, which takes long to compile
    them: the rest in a long run."""
    cases = []
    for k, name in enumerate(names):
        marks = [pytest.mark.slow, *[pytest.mark.long] * (k >= compiled)]
        cases += [(name, "numpy"), pytest.param(name, "numba", marks=marks)]
    return cases
