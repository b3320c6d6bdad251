"""Pages, views and downloads of the local page; what they let in and out."""

import json
import re
from html import unescape
from urllib.parse import urlencode

import pytest
from hostile_requests import CODE, MARKUP, SHAPES, SIGNS
from seen_page import Seen, is_harmless

from symbp.gallery import GALLERY
from symbp.serve.desk import Answer, Refusal, Task
from symbp.serve.pages import EXAMPLES
from symbp.serve.pool import Busy, Slow

pytest.importorskip("flask", reason="the extra `serve` isn't installed")
from symbp.serve.app import create_app

NET = "x: N,D   y: N,K\nW: D,K\nz = x@W\nloss = mean((z - y)^2)"


def get(client, path="/", **query):
    return client.get(path + ("?" + urlencode(query) if query else ""))


def test_the_first_page_offers_every_network_and_a_form(client):
    page = get(client)
    assert page.status_code == 200
    assert all(f'<option value="{name}"' in page.text for name in GALLERY)
    seen = Seen(page.text)
    assert seen.elements.count("form") == 2
    assert seen.elements.count("label") == seen.elements.count("select") + seen.elements.count("textarea") + 1
    assert seen.elements.count("h1") == seen.elements.count("main") == 1
    assert is_harmless(page.text)


@pytest.mark.few(fast=2)
@pytest.mark.parametrize(
    "example", [example for _, example in EXAMPLES], ids=[words for words, _ in EXAMPLES]
)
def test_examples_of_the_first_page(client, example):
    page = client.get(f"/?{example.query()}")
    assert page.status_code == 200
    assert "Backward" in page.text
    assert is_harmless(page.text)
    checked = client.get(f"/?{example.query(show='check')}")
    assert checked.status_code == 200
    assert 'class="no"' not in checked.text


def test_views_of_a_network_typed_in_lines(client):
    page = get(client, formula=NET, wrt="W")
    assert "∂loss/∂W = 2·xᵀ·(x·W - y)" in page.text
    assert unescape(re.search(r"(?s)<textarea[^>]*>(.*?)</textarea>", page.text)[1]) == NET
    assert Seen(page.text).elements.count("h1") == 1
    code = get(client, formula=NET, wrt="W", show="code")
    text = unescape(re.search(r'(?s)<pre class="code"[^>]*>(.*?)</pre>', code.text)[1])
    compile(text, "module.py", "exec")
    assert "# (" in text
    numbers = get(client, formula=NET, wrt="W", show="numbers")
    assert "central differences: " in numbers.text
    check = get(client, formula=NET, wrt="W", show="check")
    assert "central differences" in check.text
    assert "complex step" in check.text


def test_plain_code_of_a_network_that_trains(client):
    page = get(client, net="mlp", show="code", target="plain")
    text = unescape(re.search(r'(?s)<pre class="code"[^>]*>(.*?)</pre>', page.text)[1])
    assert "dW2 = h.T @ da2" in re.sub("<[^>]+>", "", text)
    assert "target=plain" in get(client, net="mlp", show="code").text
    assert "target=plain" not in get(client, net="mlp", show="code", wrt="W1").text


def test_a_page_names_its_own_views_and_files(client):
    page = get(client, formula=NET, wrt="W", reading="computed")
    links = [unescape(link) for link in Seen(page.text).links]
    own = [link for link in links if link.startswith(("/?formula", "/download"))]
    assert len([link for link in own if link.startswith("/download")]) == 6
    assert all(client.get(link).status_code == 200 for link in own if "reading=computed" in link)
    here = [link for link in links if link.startswith("#")]
    assert all(f'id="{link[1:]}"' in page.text for link in here)


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("html", "<!DOCTYPE html>"), ("latex", r"\documentclass"), ("markdown", "# "), ("notebook", "{"),
        ("json", "{"), ("py", '"""'),
    ],
)  # fmt: skip
def test_downloads(client, form, start):
    file = get(client, "/download", net="neuron", format=form)
    assert file.status_code == 200
    assert file.headers["Content-Disposition"].startswith('attachment; filename="neuron.')
    assert file.text.startswith(start)
    if start == "{":
        json.loads(file.text)


def test_the_notebook_of_a_formula_derives_it_again(client):
    cells = json.loads(get(client, "/download", formula=NET, wrt="W", format="notebook").text)["cells"]
    code = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    scope = {}
    exec(code, scope)
    assert "W" in scope["d"].gradients


def test_errors_point_at_the_place(client):
    page = get(client, formula="sum(x) +\nsum(expp(x))", wrt="x")
    assert page.status_code == 400
    shown = unescape(re.search(r'(?s)<pre tabindex="0">(.*?)</pre>', page.text)[1])
    assert shown.startswith("no function is called expp\n  sum(expp(x))\n      ^^^^\n")
    assert get(client, net="nothing").status_code == 400
    assert get(client, "/download", net="mlp").status_code == 400
    assert get(client, "/download", format="html").status_code == 400


def test_headers_let_a_page_run_and_load_nothing(client):
    for path in ("/", "/?net=neuron", "/nothing", "/download?net=neuron&format=html", "/healthz"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert not [name for name in dict(headers) if name.lower().startswith("access-control")]


def test_styles_are_those_that_the_policy_names(client):
    import base64
    import hashlib

    page = get(client, net="neuron")
    styles = re.findall(r"(?s)<style>(.*?)</style>", page.text)
    assert len(styles) == 4
    for style in styles:
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page.headers["Content-Security-Policy"]


def test_only_get_and_only_by_its_own_name(client):
    assert client.post("/", data={"net": "mlp"}).status_code == 405
    assert client.options("/").status_code == 405
    assert client.head("/").status_code == 200
    refused = client.get("/?net=neuron", headers={"Host": "evil.example"})
    assert refused.status_code == 421
    assert "neuron" not in refused.text
    assert client.get("/?" + "x" * 64_001).status_code == 414
    assert client.get("/healthz").text == "ok\n"


@pytest.mark.few(fast=24)
@pytest.mark.parametrize("text", [*MARKUP, *CODE, *SIGNS, *SHAPES[:3], *SHAPES[8:]])
def test_hostile_words_in_every_field(client, text):
    for query in (
        {"formula": text, "wrt": "x"},
        {"formula": "sum(x)", "wrt": text},
        {"net": text},
        {"show": text},
    ):
        page = get(client, **query)
        assert page.status_code in (200, 400)
        assert is_harmless(page.text)
        assert "Traceback" not in page.text
        assert "/symbp/" not in page.text


class Refusing:
    """Refuses everything, in one way."""

    def __init__(self, refusal):
        self.refusal = refusal

    def answer(self, task):
        assert isinstance(task, Task)
        return self.refusal


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Busy("others"), 503), (Slow("took longer than 20 s"), 504), (Refusal("no <b>name</b>"), 400),
        (Refusal("a fault of its own", ours=True), 500),
    ],
)  # fmt: skip
def test_refusals_have_a_page_and_a_status(refusal, status):
    client = create_app(Refusing(refusal)).test_client()
    page = get(client, net="mlp")
    assert page.status_code == status
    assert refusal.message in unescape(page.text)
    assert "<b>" not in page.text
    assert get(client, "/download", net="mlp", format="json").status_code == status


def test_a_fault_of_ours_is_told_without_its_trace(monkeypatch, capsys):
    from symbp.serve import desk

    def broken(_asked):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(desk, "_subject", broken)
    page = get(create_app(desk.Desk()).test_client(), net="mlp")
    assert page.status_code == 500
    assert "ZeroDivisionError" in page.text
    assert "secret" not in page.text
    assert "secret" in capsys.readouterr().err


def test_what_is_kept_is_bounded():
    from symbp.serve.asked import Asked
    from symbp.serve.pool import Kept

    kept = Kept(most=3, characters=100)
    tasks = [Task(Asked(net=str(k)), "code") for k in range(5)]
    for task in tasks:
        kept.put(task, Answer(task.asked.net, "x" * 40))
    assert [kept.get(task) is not None for task in tasks] == [False, False, False, True, True]
