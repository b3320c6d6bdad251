"""`symbp ops`: definitions, derived gradients and facts, from the registry alone."""

import json
import os

import pytest

from symbp.cli.main import main
from symbp.ops import REGISTRY, family


def shown(capsys, *arguments):
    status = main(["ops", *arguments])
    return status, capsys.readouterr()


def test_an_op_shows_its_definition_and_its_derived_gradient(capsys):
    status, page = shown(capsys, "softmax")
    assert status == 0
    assert "result[n,i] = e_result[n,i]/s_result[n]" in page.out
    assert "dx[n,i] = (g[n,i] - ds_result_s1[n])·result[n,i]" in page.out


def test_kinks_and_facts_are_said(capsys):
    _, page = shown(capsys, "relu", "cross_entropy")
    assert "at kinks: derivative 0 at x = 0" in page.out
    assert "x2: below K" in page.out


def test_brief_lists_every_op_under_its_family(capsys):
    _, page = shown(capsys, "--brief")
    lines = page.out.splitlines()
    assert {line.split()[0] for line in lines if line.startswith("  ")} == set(REGISTRY)
    assert "ACTIVATIONS" in lines


def test_a_family_as_json(capsys):
    _, page = shown(capsys, "metrics", "--json")
    records = json.loads(page.out)
    assert [record["name"] for record in records] == [op.name for op in family("metrics")]
    assert not any(record["gradient"] for record in records)


def test_an_unknown_name_is_refused(capsys):
    status, page = shown(capsys, "sofmax")
    assert status == 2
    assert "did you mean softmax" in page.err


@pytest.mark.slow
def test_every_op_has_a_page(capsys):
    """One of ten in the usual run of all tests, all of them with SYMBP_LONG=1."""
    chosen = [] if os.environ.get("SYMBP_LONG") else sorted(REGISTRY)[::10]
    status, page = shown(capsys, *chosen, "--json")
    assert status == 0
    for record in json.loads(page.out):
        assert record["definition"], record["name"]
        assert record["gradient"] or not REGISTRY[record["name"]].differentiable, record["name"]
