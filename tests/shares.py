"""Which cases of a kind a run of the fast tests takes, which any run, and which only a long one."""

from collections import defaultdict
from hashlib import sha256

import pytest


def mark(items):
    """What `@pytest.mark.few(fast=…, slow=…)` says of a test with many cases. Of those that aren't slow by
    themselves, `fast` stay so; of the slow ones, any run takes `slow`. What stands in brackets decides which:
    the same ones in every run, spread over all that is crossed, and the same for all tests of a file, which
    often share what is derived for them."""
    cases = defaultdict(list)
    for item in items:
        if item.get_closest_marker("few") and not item.get_closest_marker("long"):
            cases[item.nodeid.split("[")[0]].append(item)
    for of_test in cases.values():
        share = of_test[0].get_closest_marker("few").kwargs
        of_test.sort(key=lambda item: _number(item.name.partition("[")[2]))
        quick = [item for item in of_test if not item.get_closest_marker("slow")]
        for item in quick[share.get("fast", len(quick)) :]:
            item.add_marker(pytest.mark.slow)
        slow = [item for item in of_test if item.get_closest_marker("slow")]
        for item in slow[share.get("slow", len(slow)) :]:
            item.add_marker(pytest.mark.long)


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


def compiled(items, files, one_of):
    """Of the cases with Numba in these files, each of which takes seconds to compile, any run takes one of so
    many, by their names."""
    for item in items:
        if item.path in files and "numba" in item.name and _number(item.nodeid) % one_of:
            item.add_marker(pytest.mark.long)


def _number(name):
    return int.from_bytes(sha256(name.encode()).digest()[:4])
