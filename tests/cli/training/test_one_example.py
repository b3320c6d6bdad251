"""Data of one example, a series or a graph: all of them are trained on, and no part is held out."""

import argparse

import numpy as np
import pytest

from symbp.cli import parts
from symbp.cli.data import Found
from symbp.errors import UsageError

GIVEN = {"last": None, "split_column": None, "split_seed": None, "stratify": False, "patience": None}


def test_nothing_is_held_out():
    found = Found({"x": np.arange(6.0), "y": np.arange(6.0)})
    part = parts.split(argparse.Namespace(**GIVEN), found, None, counted=False)
    assert part.train is part.validation is part.held is found.data


@pytest.mark.parametrize("asked", [{"last": 2}, {"split_seed": 0}])
def test_a_part_of_it_is_refused(asked):
    found = Found({"x": np.arange(6.0)})
    with pytest.raises(UsageError, match="no part can be held out"):
        parts.split(argparse.Namespace(**{**GIVEN, **asked}), found, None, counted=False)
