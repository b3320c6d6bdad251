"""Reports: the table with shapes and kinks, JSON, one page of HTML, the command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sympy

import symbp as bp
from symbp.cli.main import main
from symbp.explain.curves import histogram

N, D = bp.dims("N D")


@pytest.fixture(scope="module")
def checked() -> tuple[Any, Any]:
    """A right report and a wrong one."""
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, b = bp.param("W", (D, 3)), bp.param("b", ())
    net = bp.Network("net", loss=bp.mse(bp.tanh(x @ W).sum(axis=1) + b, y))
    right = bp.derive(net)

    def wrong(e: Any) -> Any:
        return e.with_(body=e.body * sympy.Rational(1, 2)) if e.target == right.gradients["W"] else e

    spoilt = replace(right, system=right.system.with_(equations=tuple(map(wrong, right.system.equations))))
    return bp.check(net, derivation=right), bp.check(net, derivation=spoilt)


def test_the_table(checked: Any) -> None:
    right, wrong = checked
    head, *lines = right.table()
    assert [dict(zip(head, line, strict=True))["shape"] for line in lines][:2] == ["4×3", "4×3"]
    assert {dict(zip(head, line, strict=True))["kinks"] for line in lines} == {"0"}
    assert "scalar" in str(right)
    assert right.located is None
    assert str(wrong).splitlines()[-1].startswith("the first wrong equation is (")


def test_json(checked: Any) -> None:
    right, wrong = (json.loads(json.dumps(report.document(), allow_nan=False)) for report in checked)
    assert (right["ok"], right["located"], wrong["ok"]) == (True, None, False)
    assert wrong["located"]["tensor"] == "dW"
    assert wrong["located"]["value"] == pytest.approx(wrong["located"]["expected"] / 2)
    for row in right["rows"]:
        assert row["verdict"].startswith("ok")
        assert row["method"] == "Taylor remainders" or len(row["errors"]) >= row["entries"]
    assert json.loads(json.dumps(checked[0].json(), allow_nan=False))[0]["shape"] == [4, 3]


class Page(HTMLParser):
    """The tags that are open, what refers elsewhere, the text of cells."""

    void = ("meta", "br", "path", "line")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self.titles = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.links += [value for key, value in attributes if key in ("src", "href", "action")]
        self.titles += tag == "svg"
        if tag == "tr":
            self.rows.append([])
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def test_the_page(checked: Any) -> None:
    for report in checked:
        text = report.html()
        page = Page(text)
        assert page.open == []
        assert page.links == []
        assert page.titles == 1
        assert "url(" not in text
        assert len(page.rows) == 1 + len(report.rows)
        for method in ("central, five points", "one-sided", "complex step"):  # the V
            assert f'data-series="{method}"' in text
        assert re.search(r'data-series="exact \(50 digits\)[^"]*"', text)  # the histogram
        assert ("Where it goes wrong first" in text) == (not report.ok)
        assert ("comparisons disagree" in text) == (not report.ok)


def test_the_histogram_counts_every_entry() -> None:
    chart = histogram({"a": [0.0, 2e-16, 3e-16, 4e-14], "b": [0.0]}, "gradients")
    one, other = chart.series
    assert one.name == "a (1 of 4 are 0)"
    heights = [y for _, y in one.points[1:-1:2]]
    assert heights == [2, 0, 1]
    assert (one.points[0][0], one.points[-1][0]) == pytest.approx((1e-16, 1e-13))
    assert (other.name, other.points) == ("b (1 of 1 are 0)", ())


@pytest.mark.slow
def test_a_report_without_curves() -> None:
    net = bp.gallery.find("linear_regression").load().net
    report = bp.check(net, derivation=bp.hvp(net), methods=["complex step"])
    assert Page(report.html()).open == []


def test_the_command(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "report.html"
    asked = ["check", "linear_regression", "--methods", "Taylor,complex-step", "--report", str(file)]
    assert main([*asked, "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {row["method"] for row in printed["rows"]} == {"Taylor remainders", "complex step"}
    assert Page(file.read_text(encoding="utf-8")).rows
    assert main(asked) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["check", "linear_regression", "--methods", "exact", "--format", "html"]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    with pytest.raises(SystemExit):
        main(["check", "linear_regression", "--methods", "guess"])
    assert "choose of: central-differences" in capsys.readouterr().err
