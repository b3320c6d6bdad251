"""Which cases of a test are fast, and which are in any run."""

from pathlib import Path

import pytest
import shares

MARKS = {"slow": pytest.mark.slow, "long": pytest.mark.long}


class Case:
    """What pytest has of a case, as far as shares are concerned."""

    def __init__(self, test, number, *marks, **share):
        self.name, self.path = f"{test}[{number}-numba]", Path("test_file.py")
        self.nodeid = f"{self.path}::{self.name}"
        self.marks = {name: MARKS[name] for name in marks}
        if share:
            self.marks["few"] = pytest.mark.few(**share).mark

    def get_closest_marker(self, name):
        return self.marks.get(name)

    def add_marker(self, mark):
        self.marks[mark.name] = mark


def counted(cases):
    """How many are fast, how many more any run takes, how many are left."""
    long = sum("long" in case.marks for case in cases)
    fast = sum(not {"slow", "long"} & case.marks.keys() for case in cases)
    return fast, len(cases) - long - fast, long


def test_so_many_stay_fast_and_so_many_slow_ones_are_in_any_run():
    cases = [Case("test_a", k, fast=3, slow=5) for k in range(20)]
    cases += [Case("test_a", k, "slow", fast=3, slow=5) for k in range(20, 30)]
    others = [Case("test_b", k) for k in range(4)]
    shares.mark([*cases, *others])
    assert counted(cases) == (3, 5, 22)
    assert counted(others) == (4, 0, 0)


def test_what_is_long_by_itself_takes_nobodys_place():
    cases = [Case("test_a", k, "slow", "long", slow=2) for k in range(5)]
    cases += [Case("test_a", k, "slow", slow=2) for k in range(5, 10)]
    shares.mark(cases)
    assert counted(cases) == (0, 2, 8)


def test_names_choose_whatever_the_order_and_what_is_new():
    def fast(cases):
        shares.mark(cases)
        return {case.name for case in cases if "slow" not in case.marks}

    before = fast([Case("test_a", k, fast=6) for k in range(20)])
    assert fast([Case("test_a", k, fast=6) for k in reversed(range(20))]) == before
    assert len(fast([Case("test_a", k, fast=6) for k in range(21)]) & before) >= 5


def test_of_compiled_cases_any_run_takes_one_of_so_many():
    cases = [Case("test_a", k) for k in range(300)]
    shares.compiled(cases, {cases[0].path}, 3)
    assert 60 < counted(cases)[0] < 140
    others = [Case("test_a", k) for k in range(10)]
    shares.compiled(others, {Path("another.py")}, 3)
    assert counted(others)[0] == 10
