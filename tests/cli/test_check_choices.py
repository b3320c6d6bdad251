"""What `symbp check` is asked for fits together, or an error says what doesn't."""

import pytest

from symbp.cli.main import main


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("--against torch --extremes", "--against makes no use of --extremes"),
        ("--against torch --methods exact", "--against makes no use of --methods"),
        ("--against torch --target numba", "--against makes no use of --target"),
        ("--extremes --curve x.svg", "--extremes makes no use of --curve"),
        ("--map dw=gw", "--map says what the code of --against calls things"),
        ("--against nowhere.py", "there is no such file"),
    ],
)
def test_options_that_exclude_each_other(chosen, told, capsys):
    assert main(["check", "neuron", *chosen.split()]) == 2
    assert told in capsys.readouterr().err
