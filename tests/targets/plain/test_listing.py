"""Code by lines: the text of the plain module, each line with the numbers behind it."""

import re

import pytest

import symbp as bp
from symbp.api import source
from symbp.cli.target import load_target, optimizer
from symbp.read.reading import reading
from symbp.targets.plain.listing import gradients_listing


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "char_rnn", "lstm_cell"])
def test_lines_are_those_of_the_module(name):
    target = load_target(name)
    derivation = bp.derive(target.network)
    lines = gradients_listing(reading(derivation, style="textbook"))
    module = source(
        target.network, optimizer=optimizer(target, None, None), target="plain", derivation=derivation
    )
    assert "\n".join(line.text for line in lines) in module
    for line in lines:
        said = [int(k) for k in re.findall(r"\((\d+)\)", line.text.partition("  # ")[2])]
        assert not said or tuple(said) == line.numbers
    told = {k for line in lines for k in line.numbers}
    wanted = {reading(derivation, style="textbook").numbers[t] for t in derivation.gradients.values()}
    assert wanted <= told
